package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/seal"
)

// A Report is what Inspect found. Nothing in it is secret.
type Report struct {
	Kind    string // "SQLite" or "PostgreSQL"
	Where   string // the file, or host:port/database
	Version string // of SQLite or of the PostgreSQL server

	// Schema is the version of the schema, 0 where there is none yet, and
	// Newest the one that this program brings it to.
	Schema, Newest int64

	// Strange says that tables stand where the schema would be made, none of
	// which is ours.
	Strange bool

	// Unwritable is why a server, run by the same user, could not write; nil
	// where it could, as far as can be seen without writing.
	Unwritable error

	// Readable says that others than its owner can read the file.
	Readable bool

	// Exposed says that what goes to the database crosses networks that are
	// not private, and not encrypted.
	Exposed bool

	Key   string   // the id of the key in force; empty before the first start
	Keys  error    // ErrOtherKeys, or nil; nil too where no keys were given
	Seals []Seal   // what is sealed, by key
	Nodes []Node   // servers that were seen in the last minute
	Marks []string // what the database says of itself

	Skew      time.Duration // how far its clock is ahead of ours
	RoundTrip time.Duration // of a question
}

// The reasons for which a database cannot be looked at that are told apart.
var (
	ErrAway       = errors.New("it cannot be reached")
	ErrNotLetIn   = errors.New("it refuses the user or the password")
	ErrNoDatabase = errors.New("the server has no such database")
	ErrUnreadable = errors.New("it cannot be read")
)

// Inspect looks at the database that c names and changes nothing: neither
// schema, nor files, nor keys. c.Keys may be nil. A database that is not there
// yet, because no server has started with it, is no error. It waits for as long
// as ctx lets it. The report says where it looked even with an error.
func Inspect(ctx context.Context, c Config) (Report, error) {
	r := Report{Newest: schemaVersion()}
	look := inspectSQLite
	if c.DatabaseURL != "" {
		look = inspectPostgres
	}
	err := look(ctx, c, &r)
	return r, err
}

// observed is a database that is only read.
type observed struct {
	pool      *sql.DB
	readOnly  *sql.TxOptions // how a transaction is kept from writing; nil: the connection is
	clockText string
}

var errObserved = errors.New("a database that is inspected is not changed")

func (o observed) exec(context.Context, string, []any) (int64, error) { return 0, errObserved }
func (o observed) transact(context.Context, func(handle) error) error { return errObserved }
func (o observed) clock() string                                      { return o.clockText }
func (o observed) close() error                                       { return o.pool.Close() }
func (o observed) read(ctx context.Context, query string, args []any, scan func(row) error) error {
	if o.readOnly == nil {
		return pgHandle{o.pool}.read(ctx, query, args, scan)
	}
	tx, err := o.pool.BeginTx(ctx, o.readOnly)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return pgHandle{tx}.read(ctx, query, args, scan)
}

// look fills what both databases are asked in the same words. The tables that
// are there are known already: what an older schema does not have is left out.
func (s *Store) look(ctx context.Context, r *Report, tables map[string]bool) error {
	r.Strange = len(tables) > 0 && !tables["goose_db_version"]
	if err := s.compareClocks(ctx, r); err != nil {
		return err
	}
	if !tables["goose_db_version"] {
		return nil
	}
	var err error
	r.Schema, err = one(ctx, s, func(row row) (v int64, err error) { return v, row.Scan(&v) },
		`SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`)
	if err != nil {
		return fmt.Errorf("ask for schema version: %w", err)
	}
	if tables["key_check"] {
		if err := s.judgeKeys(ctx, r); err != nil {
			return err
		}
	}
	if tables["mark"] {
		r.Marks, err = all(ctx, s, func(row row) (name string, err error) { return name, row.Scan(&name) }, `SELECT name FROM mark ORDER BY name`)
		if err != nil {
			return fmt.Errorf("read marks: %w", err)
		}
	}
	if tables["idp"] && tables["mail"] {
		if r.Seals, err = s.Seals(ctx); err != nil {
			return err
		}
	}
	if tables["node"] {
		if r.Nodes, err = s.Nodes(ctx, time.Now().Add(-time.Minute)); err != nil {
			return fmt.Errorf("read nodes: %w", err)
		}
	}
	return nil
}

// compareClocks takes the moment of the answer to be in the middle of the
// question's way.
func (s *Store) compareClocks(ctx context.Context, r *Report) error {
	asked := time.Now()
	theirs, err := one(ctx, s, func(row row) (ms int64, err error) { return ms, row.Scan(&ms) }, `SELECT `+s.db.clock())
	if err != nil {
		return fmt.Errorf("ask for the database's time: %w", err)
	}
	r.RoundTrip = time.Since(asked)
	r.Skew = time.UnixMilli(theirs).Sub(asked.Add(r.RoundTrip / 2)).Round(time.Millisecond)
	return nil
}

// judgeKeys compares the keys with the one that the database was sealed with.
func (s *Store) judgeKeys(ctx context.Context, r *Report) error {
	sealed, err := one(ctx, s, func(row row) (b []byte, err error) { return b, row.Scan(&b) }, `SELECT sealed FROM key_check WHERE id = 1`)
	if errors.Is(err, fault.NotFound) {
		return nil // the first start got no further than the schema
	}
	if err != nil {
		return fmt.Errorf("read key check: %w", err)
	}
	r.Key = seal.SealedBy(sealed)
	if s.keys == nil {
		return nil
	}
	if plain, err := s.keys.Open(keyCheckPurpose, sealed); err != nil || string(plain) != keyCheckText {
		r.Keys = ErrOtherKeys
	}
	return nil
}

// tables reads the names that a query gives.
func (s *Store) tables(ctx context.Context, query string) (map[string]bool, error) {
	names, err := all(ctx, s, func(r row) (name string, err error) { return name, r.Scan(&name) }, query)
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out, err
}
