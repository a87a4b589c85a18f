package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

const (
	// connectWait is how long a start waits for a server that is away, and a
	// request for a new connection.
	connectWait = 5 * time.Second

	// mostRepeats bounds how often a transaction is run.
	mostRepeats = 6

	// oldestPostgres is the oldest version that is still kept by its makers,
	// as server_version_num gives it.
	oldestPostgres = 140000
)

// limits end what would otherwise wait without end, holding a connection.
const limits = `SET statement_timeout = '30s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'`

// postgres is a PostgreSQL server.
type postgres struct {
	db *sql.DB
}

// openPostgres connects to a server and brings its schema up to date.
func openPostgres(ctx context.Context, url string, wrap func(driver.Connector) driver.Connector) (*postgres, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The parser's error leaves passwords out.
		return nil, fmt.Errorf("the database URL cannot be used: %w", err)
	}
	config.ConnectTimeout = connectWait
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "gatehouse"
	}
	if err := preparePostgres(ctx, *config); err != nil {
		return nil, err
	}
	connector := stdlib.GetConnector(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.PgConn().Exec(ctx, limits).ReadAll()
		return err
	}))
	if wrap != nil {
		connector = wrap(connector)
	}
	db := sql.OpenDB(connector)
	// More connections than a few for each core make a server slower.
	most := min(20, 4*runtime.GOMAXPROCS(0))
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour)
	return &postgres{db}, nil
}

// preparePostgres waits for the server, checks its version, and migrates: on a
// connection of its own, because a migration may take longer than a request.
func preparePostgres(ctx context.Context, config pgx.ConnConfig) error {
	db := stdlib.OpenDB(config)
	defer db.Close()
	if err := reach(ctx, db); err != nil {
		return fmt.Errorf("the database %s at %s:%d cannot be reached: %s", config.Database, config.Host, config.Port, oneLine(err))
	}
	var version int
	if err := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return fmt.Errorf("ask for the database's version: %w", err)
	}
	if err := checkPostgres(version); err != nil {
		return err
	}
	// Nodes that start together wait for the first, for up to ten minutes.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return err
	}
	return migrate(ctx, db, goose.DialectPostgres, "postgres", goose.WithSessionLocker(locker))
}

func checkPostgres(version int) error {
	if version < oldestPostgres {
		return fmt.Errorf("the database is PostgreSQL %d, which is too old: Gatehouse needs %d or newer", version/10000, oldestPostgres/10000)
	}
	return nil
}

// reach waits until the server answers, at most connectWait. What waiting does
// not cure, such as a wrong password, is returned at once.
func reach(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, connectWait)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if err == nil || isHopeless(pgCode(err)) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// isHopeless reports whether an error is about who connects (28) or to which
// database (3D).
func isHopeless(code string) bool {
	return strings.HasPrefix(code, "28") || strings.HasPrefix(code, "3D")
}

// oneLine folds an error of several lines.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func (p *postgres) close() error { return p.db.Close() }

// clock does not stand still within a transaction, as now() does.
func (p *postgres) clock() string {
	return `CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)`
}

// exec runs a statement on its own.
func (p *postgres) exec(ctx context.Context, query string, args []any) (n int64, err error) {
	err = repeat(ctx, func() error {
		n, err = pgHandle{p.db}.exec(ctx, query, args)
		return err
	})
	return n, err
}

// read reads on its own.
func (p *postgres) read(ctx context.Context, query string, args []any, scan func(row) error) error {
	return pgHandle{p.db}.read(ctx, query, args, scan)
}

// transact runs fn at READ COMMITTED: who must be alone locks a row.
func (p *postgres) transact(ctx context.Context, fn func(handle) error) error {
	return repeat(ctx, func() error {
		tx, err := p.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		if err != nil {
			return translate(err)
		}
		// After a commit this does nothing; it undoes the rest, a panic's too.
		defer tx.Rollback()
		if err := fn(pgHandle{tx}); err != nil {
			return err
		}
		return translate(tx.Commit())
	})
}

// repeat runs fn until it does not fail because of others beside it, a few
// times, after a growing random wait.
func repeat(ctx context.Context, fn func() error) error {
	for try := 1; ; try++ {
		err := fn()
		if err == nil || !isRepeatable(err) || try == mostRepeats {
			return err
		}
		wait := time.Duration(1+rand.IntN(5<<try)) * time.Millisecond
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(wait):
		}
	}
}

// pgHandle runs statements in a transaction, or each on its own.
type pgHandle struct {
	db interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
}

func (h pgHandle) exec(ctx context.Context, query string, args []any) (int64, error) {
	result, err := h.db.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (h pgHandle) read(ctx context.Context, query string, args []any, scan func(row) error) error {
	rows, err := h.db.QueryContext(ctx, query, args...)
	return each(rows, err, scan)
}

// each gives every row to scan and closes them.
func each(rows *sql.Rows, err error, scan func(row) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
