package store_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"gatehouse/internal/fault"
	"gatehouse/internal/parts"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// A failure is what becomes of one step.
type failure int

const (
	none          failure = iota
	serialization         // the server ends the transaction: 40001
	broken                // the connection breaks before the step reaches the server
	unanswered            // the connection breaks after the step was done
)

// A step is something that is asked of a connection.
type step struct {
	what string // "begin", "exec", "query" or "commit"
	inTx bool
}

// faulty stands between the pool and PostgreSQL, and has steps fail.
type faulty struct {
	driver.Connector
	fail func(step) failure // used by many goroutines at once
}

func (f faulty) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := f.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &faultyConn{pgConn: c.(pgConn), fail: f.fail}, nil
}

// with gives a place whose connections fail as they are told.
func with(c store.Config, fail func(step) failure) store.Config {
	return c.Wrapped(func(real driver.Connector) driver.Connector { return faulty{real, fail} })
}

// pgConn is what pgx's connections can do.
type pgConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.NamedValueChecker
	driver.SessionResetter
}

type faultyConn struct {
	pgConn
	fail func(step) failure
	inTx bool
	dead bool
}

var errSerialization = &pgconn.PgError{Severity: "ERROR", Code: "40001", Message: "could not serialize access (injected)"}

// do runs a step, or has it fail.
func (c *faultyConn) do(what string, run func() error) error {
	if c.dead {
		return driver.ErrBadConn
	}
	f := c.fail(step{what, c.inTx})
	switch f {
	case serialization:
		return errSerialization
	case broken:
		c.kill()
		return driver.ErrBadConn
	}
	err := run()
	if f == unanswered && err == nil {
		c.kill()
		return driver.ErrBadConn
	}
	return err
}

// kill closes the connection: the server undoes what was not committed.
func (c *faultyConn) kill() {
	c.dead = true
	c.pgConn.Close()
}

func (c *faultyConn) Close() error {
	if c.dead {
		return nil
	}
	return c.pgConn.Close()
}

func (c *faultyConn) IsValid() bool { return !c.dead }

func (c *faultyConn) ResetSession(ctx context.Context) error {
	if c.dead {
		return driver.ErrBadConn
	}
	return c.pgConn.ResetSession(ctx)
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (r driver.Result, err error) {
	err = c.do("exec", func() error {
		r, err = c.pgConn.ExecContext(ctx, query, args)
		return err
	})
	return r, err
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (r driver.Rows, err error) {
	err = c.do("query", func() error {
		r, err = c.pgConn.QueryContext(ctx, query, args)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (c *faultyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	var tx driver.Tx
	err := c.do("begin", func() (err error) {
		tx, err = c.pgConn.BeginTx(ctx, opts)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.inTx = true
	return &faultyTx{tx, c}, nil
}

type faultyTx struct {
	driver.Tx
	conn *faultyConn
}

func (t *faultyTx) Commit() error {
	defer func() { t.conn.inTx = false }()
	err := t.conn.do("commit", t.Tx.Commit)
	if errors.Is(err, errSerialization) {
		return errors.Join(err, t.Tx.Rollback())
	}
	return err
}

func (t *faultyTx) Rollback() error {
	t.conn.inTx = false
	if t.conn.dead {
		return driver.ErrBadConn
	}
	return t.Tx.Rollback()
}

// unlucky fails steps by chance, the same ones for the same seed as far as
// goroutines come in the same order: a tenth of commits and of statements on
// their own is refused, some connections break where the pool may try again.
// Statements inside a transaction are left alone: promises stop at the first
// error that they see, and the transaction would be repeated for it;
// TestLoginsWhoseStepsFail has each of them fail in turn.
func unlucky(seed uint64) (fail func(step) failure, failed *atomic.Int64) {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, seed))
	last := none
	failed = &atomic.Int64{}
	return func(s step) (f failure) {
		mu.Lock()
		defer mu.Unlock()
		chance := random.Float64()
		switch {
		case s.what == "commit" && chance < 0.1:
			f = serialization
		case s.inTx:
		case s.what == "exec" && chance < 0.1:
			f = serialization
		// The pool tries three times: it must not always be unlucky.
		case chance > 0.97 && last != broken:
			f = broken
		}
		last = f
		if f != none {
			failed.Add(1)
		}
		return f
	}, failed
}

func TestEveryPromiseIsKeptWhenStepsFail(t *testing.T) {
	parts.Need(t, parts.Postgres)
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("GATEHOUSE_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("GATEHOUSE_TEST_SEED=%d", seed)
	fail, failed := unlucky(seed)
	t.Run("promises", func(t *testing.T) {
		storetest.Run(t, func(t testing.TB) store.Config { return with(onPostgres(t), fail) })
	})
	t.Logf("%d steps failed", failed.Load())
	if failed.Load() < 20 {
		t.Errorf("got %d steps that failed, want many", failed.Load())
	}
}

// TestLoginsWhoseStepsFail keeps an answer as a login does, and has each step
// fail in turn in each way: afterwards the answer is kept whole or not at all,
// as it was said, and the next try finds that.
func TestLoginsWhoseStepsFail(t *testing.T) {
	var next atomic.Pointer[func(step) failure]
	s := open(t, with(onPostgres(t), func(st step) failure {
		if f := next.Load(); f != nil {
			return (*f)(st)
		}
		return none
	}))
	answer := func(id string) error {
		return s.Tx(t.Context(), func(ctx context.Context) error {
			if err := s.UseOnce(ctx, "request", id, storetest.Then); err != nil {
				return err
			}
			if err := s.AddUser(ctx, storetest.User(id), ""); err != nil {
				return err
			}
			return s.UseOnce(ctx, "assertion", id, storetest.Then)
		})
	}
	const steps = 5 // begin, three statements, commit
	for way, want := range map[failure]struct {
		name string
		kind fault.Kind // of the first try; "" for none
	}{
		serialization: {"serialization failure", ""},
		broken:        {"broken connection", fault.Unavailable},
		unanswered:    {"answer lost", fault.Unavailable},
	} {
		for at := range steps {
			t.Run(fmt.Sprintf("%s at step %d", want.name, at+1), func(t *testing.T) {
				id := fmt.Sprintf("%d-%d", way, at)
				var seen atomic.Int64
				fail := func(step) failure {
					if seen.Add(1) == int64(at+1) {
						return way
					}
					return none
				}
				next.Store(&fail)
				err := answer(id)
				next.Store(nil)
				// Where a transaction begins, the pool takes another connection.
				kind := want.kind
				if at == 0 {
					kind = ""
				}
				if kind == "" && err != nil || kind != "" && !errors.Is(err, kind) {
					t.Fatalf("got %v, want %q", err, kind)
				}
				_, lookup := s.User(t.Context(), storetest.User(id).ID)
				kept := lookup == nil
				if lookup != nil && !errors.Is(lookup, fault.NotFound) {
					t.Fatal(lookup)
				}
				// Only where the answer to a commit is lost can nobody tell.
				if wantKept := kind == "" || way == unanswered && at == steps-1; kept != wantKept {
					t.Errorf("got kept %v after %v, want %v", kept, err, wantKept)
				}
				again := answer(id)
				if kept && !errors.Is(again, fault.Exists) || !kept && again != nil {
					t.Errorf("kept %v: the next try got %v, want it to be used up once", kept, again)
				}
			})
		}
	}
}
