// Package store keeps everything in SQLite or PostgreSQL.
//
// It implements the interfaces that the domain packages declare, one file for
// each, with one SQL text for both databases. Each file reads like its domain
// package; what differs between the databases is in sqlite.go and postgres.go
// alone.
//
// Its rule of thumb: one statement where one will do. What may be used once is
// deleted or inserted by the statement that asks for it, never read first.
// Errors are faults; the texts of the databases are for the log.
package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gatehouse/internal/seal"
)

// Config says where everything is kept.
type Config struct {
	// Folder holds the embedded database. It is made if it is not there.
	Folder string

	// DatabaseURL is a PostgreSQL to use instead, as postgres://…; empty for
	// the embedded database.
	DatabaseURL string

	Keys *seal.Keyring // which the database's secrets are sealed with
	Log  *slog.Logger  // nil: nothing is logged

	wrap func(driver.Connector) driver.Connector // tests stand between PostgreSQL and us; nil: nobody does
}

// A Store keeps everything. It is safe for use by many goroutines at once.
type Store struct {
	db      database
	keys    *seal.Keyring
	changed func(keys []string) // nil: nobody wants to know
	parsed  certificates
}

// A database is what the two differ in.
type database interface {
	handle

	// transact runs fn in a transaction, perhaps several times: all but the
	// last time what it did is undone.
	transact(ctx context.Context, fn func(handle) error) error

	// clock is an expression for the database's time, in milliseconds since
	// 1970.
	clock() string

	close() error
}

// A handle runs statements, in a transaction or each on its own.
type handle interface {
	// exec gives the number of rows that a statement changed.
	exec(ctx context.Context, query string, args []any) (int64, error)

	// read gives each row of a result to scan. Outside a transaction the
	// statement must not change anything.
	read(ctx context.Context, query string, args []any, scan func(row) error) error
}

// A row is one row of a result.
type row interface{ Scan(into ...any) error }

// ErrOtherKeys says that the database was sealed with other keys.
var ErrOtherKeys = errors.New("the database was sealed with other keys: start with the key file that it was made with")

// Open opens the database that c names, brings its schema up to date, and
// checks that c.Keys are the ones that it was sealed with: it returns
// ErrOtherKeys if not. A database server that is away is waited for for five
// seconds. The error is one line, for whoever started the server.
func Open(ctx context.Context, c Config) (*Store, error) {
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Store{keys: c.Keys}
	var err error
	if c.DatabaseURL != "" {
		s.db, err = openPostgres(ctx, c.DatabaseURL, c.wrap)
	} else {
		s.db, err = openSQLite(ctx, c.Folder, log)
	}
	if err != nil {
		return nil, err
	}
	if err := s.checkKeys(ctx); err != nil {
		return nil, errors.Join(err, s.db.close())
	}
	return s, nil
}

// Close waits for the writes under way and closes the database.
func (s *Store) Close() error { return s.db.close() }

// Ping reports whether the database answers, with a schema that this program
// can use, and was sealed with keys that it knows. A newer schema is one: during
// an update another node may have been first. It returns fault.Unavailable, or
// ErrOtherKeys where the keys were rotated without this node.
func (s *Store) Ping(ctx context.Context) error {
	version, err := one(ctx, s, func(r row) (v int64, err error) { return v, r.Scan(&v) },
		`SELECT max(version_id) FROM goose_db_version WHERE is_applied`)
	if err != nil {
		return fmt.Errorf("ask for schema version: %w", err)
	}
	if version < schemaVersion() {
		return errOldSchema(version)
	}
	return s.FollowKeys(ctx)
}

// mostSwept is how many rows one statement of a sweep deletes: few enough that
// nobody waits long behind it.
const mostSwept = 500

// Sweep deletes what ended at or before now, in small batches, and reports how many there were. Nothing depends on it but
// space: what ended is never found.
func (s *Store) Sweep(ctx context.Context, now time.Time) (int64, error) {
	total := int64(0)
	for _, query := range []string{
		`DELETE FROM flow WHERE id IN (SELECT id FROM flow WHERE expires_at <= $1 LIMIT $2)`,
		`DELETE FROM used_key WHERE hash IN (SELECT hash FROM used_key WHERE expires_at <= $1 LIMIT $2)`,
		`DELETE FROM mail WHERE id IN (SELECT id FROM mail WHERE forget_at <= $1 LIMIT $2)`,
		`DELETE FROM address_code WHERE hash IN (SELECT hash FROM address_code WHERE forget_at <= $1 LIMIT $2)`,
		`DELETE FROM recovery_link WHERE hash IN (SELECT hash FROM recovery_link WHERE expires_at <= $1 LIMIT $2)`,
		`DELETE FROM login_trace_share WHERE hash IN (SELECT hash FROM login_trace_share WHERE expires_at <= $1 LIMIT $2)`,
		`DELETE FROM login_test WHERE id IN (SELECT id FROM login_test WHERE expires_at <= $1 LIMIT $2)`,
		`DELETE FROM login_code WHERE hash IN (SELECT hash FROM login_code WHERE expires_at <= $1 LIMIT $2)`,
	} {
		n, err := s.sweep(ctx, query, stamp(now))
		total += n
		if err != nil {
			return total, err
		}
	}
	// A use that extends a token is written a moment later.
	n, err := s.sweep(ctx, `DELETE FROM token WHERE hash IN (SELECT hash FROM token WHERE expires_at <= $1 LIMIT $2)`, stamp(now.Add(-tokensFor)))
	total += n
	if err != nil {
		return total, err
	}
	// Programs that still wait are told that their time is over.
	n, err = s.sweep(ctx, `DELETE FROM device_login WHERE hash IN (SELECT hash FROM device_login WHERE expires_at <= $1 LIMIT $2)`, stamp(now.Add(-tokensFor)))
	total += n
	if err != nil {
		return total, err
	}
	n, err = s.sweep(ctx, `DELETE FROM change_note WHERE (at, id) IN (SELECT at, id FROM change_note WHERE at < `+s.db.clock()+` - $1 LIMIT $2)`, notesFor.Milliseconds())
	return total + n, err
}

// tokensFor is how long tokens stay that have expired.
const tokensFor = 5 * time.Minute

// sweep runs one statement until it has nothing more to do.
func (s *Store) sweep(ctx context.Context, query string, bound any) (total int64, err error) {
	for {
		n, err := s.exec(ctx, query, bound, mostSwept)
		total += n
		if err != nil {
			return total, fmt.Errorf("sweep: %w", err)
		}
		if n < mostSwept {
			return total, nil
		}
	}
}
