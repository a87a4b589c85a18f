package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver named "sqlite"

	"gatehouse/internal/fault"
)

// FileName is the embedded database's file in its folder.
const FileName = "gatehouse.db"

// turnWait is how long somebody waits for the writer, or for a reader, before
// the database counts as busy.
const turnWait = 10 * time.Second

// sqliteDB is an embedded database: one connection that writes and several
// that read, beside it and beside each other.
type sqliteDB struct {
	path    string
	writer  *writer
	readers chan *connection // those that are free
	pools   []*sql.DB        // to close, readers first
	closing chan struct{}
	closed  func() error // once
}

// openSQLite opens the database in a folder, which it makes if need be.
func openSQLite(ctx context.Context, folder string, log *slog.Logger) (*sqliteDB, error) {
	path, err := prepareFile(folder)
	if err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be used: %w", folder, reason(err))
	}
	write, err := sql.Open("sqlite", dsn(path, "_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=journal_size_limit(67108864)"))
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	d := &sqliteDB{path: path, pools: []*sql.DB{write}, closing: make(chan struct{})}
	if err := d.start(ctx, path, log); err != nil {
		d.closePools()
		return nil, fmt.Errorf("the database %s cannot be used: %w", path, err)
	}
	return d, nil
}

// start migrates, then opens the connections.
func (d *sqliteDB) start(ctx context.Context, path string, log *slog.Logger) error {
	write := d.pools[0]
	if err := migrate(ctx, write, goose.DialectSQLite3, "sqlite"); err != nil {
		return err
	}
	conn, err := newConnection(ctx, write)
	if err != nil {
		return err
	}
	// What reads never blocks what writes, nor the other way round; more
	// readers than cores help only where the disk has to be waited for.
	count := 2 + 2*runtime.GOMAXPROCS(0)
	read, err := sql.Open("sqlite", dsn(path, "mode=ro&_pragma=query_only(1)"))
	if err != nil {
		return err
	}
	read.SetMaxOpenConns(count)
	d.pools = []*sql.DB{read, write}
	d.readers = make(chan *connection, count)
	for range count {
		c, err := newConnection(ctx, read)
		if err != nil {
			return err
		}
		d.readers <- c
	}
	d.writer = startWriter(conn, d.closing, log)
	d.closed = sync.OnceValue(d.stop)
	return nil
}

// prepareFile makes the folder and the file, for nobody else to read. SQLite
// gives the files beside it the same mode.
func prepareFile(folder string) (string, error) {
	if folder == "" {
		return "", errors.New("it has no name")
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(folder, FileName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	return path, errors.Join(f.Chmod(0o600), f.Close())
}

// reason is an error of the file system without the path, which the sentence
// around it names.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func dsn(path, options string) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path,
		RawQuery: "_time_format=sqlite&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&" + options}
	return u.String()
}

// clock is of the machine: all who use the file are on it.
func (d *sqliteDB) clock() string {
	return `CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`
}

func (d *sqliteDB) close() error { return d.closed() }

// stop lets the writer and the readers finish what they were given.
func (d *sqliteDB) stop() error {
	close(d.closing)
	<-d.writer.stopped
	for range cap(d.readers) {
		c := <-d.readers // those who read give theirs back
		c.close()
	}
	d.writer.conn.close()
	return d.closePools()
}

func (d *sqliteDB) closePools() error {
	var err error
	for _, p := range d.pools {
		err = errors.Join(err, p.Close())
	}
	return err
}

// errBusy is the answer to who waited too long for a turn.
func errBusy(what string) error {
	return fault.Unavailable.Errorf("The database is busy. Try again in a moment.").
		Because(errors.New("no turn to " + what + " within " + turnWait.String()))
}

// errClosing is the answer to who comes after Close.
var errClosing = errors.New("the database is closed")

func (d *sqliteDB) transact(ctx context.Context, fn func(handle) error) error {
	return d.writer.do(ctx, fn)
}

// exec takes a turn of its own at the writer.
func (d *sqliteDB) exec(ctx context.Context, query string, args []any) (n int64, err error) {
	err = d.writer.do(ctx, func(h handle) error {
		n, err = h.exec(ctx, query, args)
		return err
	})
	return n, err
}

// read takes a free reader.
func (d *sqliteDB) read(ctx context.Context, query string, args []any, scan func(row) error) error {
	c, err := d.reader(ctx)
	if err != nil {
		return err
	}
	defer func() { d.readers <- c }()
	return c.read(ctx, query, args, scan)
}

func (d *sqliteDB) reader(ctx context.Context) (*connection, error) {
	select {
	case <-d.closing:
		return nil, unavailable(errClosing)
	default:
	}
	select {
	case c := <-d.readers:
		return c, nil
	default:
	}
	late := time.NewTimer(turnWait)
	defer late.Stop()
	select {
	case c := <-d.readers:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-d.closing:
		return nil, unavailable(errClosing)
	case <-late.C:
		return nil, errBusy("read")
	}
}

// A connection keeps every statement that it has run, compiled. One goroutine
// uses it at a time.
//
// Statements run to their end whatever becomes of the context: an interrupted
// write would roll back the whole transaction, the neighbours' work included,
// and watching the context costs a goroutine each time. They are short.
type connection struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func newConnection(ctx context.Context, pool *sql.DB) (*connection, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &connection{conn, map[string]*sql.Stmt{}}, nil
}

func (c *connection) statement(query string) (*sql.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = s
	return s, nil
}

func (c *connection) exec(ctx context.Context, query string, args []any) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s, err := c.statement(query)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *connection) read(ctx context.Context, query string, args []any, scan func(row) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s, err := c.statement(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), args...)
	return each(rows, err, scan)
}

func (c *connection) close() {
	for _, s := range c.stmts {
		s.Close()
	}
	c.conn.Close()
}
