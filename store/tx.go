package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"gatehouse/internal/fault"
)

// A transaction is what a context carries inside Tx.
type transaction struct {
	mu     sync.Mutex
	handle handle
	failed error    // why it will not be kept, if it will not
	ended  error    // why it runs no more statements, if it does not
	notes  []string // what it changed that nodes remember
}

// transactionKey is the key under which a context carries a store's
// transaction: one store never runs into another's.
type transactionKey struct{ s *Store }

// Tx runs fn in a transaction, which the context that fn gets carries: use
// only that one inside, and do nothing slow there, since on SQLite everybody
// else who writes waits meanwhile. What fn did is kept if it returns nil, durably before
// Tx returns, and undone if it returns an error or panics.
//
// fn may be run again, when the database could not run it beside the others:
// it must set what it gives back anew each time. A Tx inside fn joins the
// outer one. Where the inner one fails, or the database refuses a statement,
// the whole fails, whatever fn makes of the error; faults that methods promise,
// such as fault.Exists of AddUser, are answers and no failures.
//
// It returns the error of fn, or fault.Unavailable where the database is away
// or too busy. If the connection breaks while a transaction ends, nobody can
// tell whether it was kept.
func (s *Store) Tx(ctx context.Context, fn func(ctx context.Context) error) error {
	if t := s.current(ctx); t != nil {
		err := fn(ctx)
		if err != nil {
			t.fail(err)
		}
		return err
	}
	var notes []string
	err := s.db.transact(ctx, func(h handle) error {
		t := &transaction{handle: h}
		defer t.end() // where fn panics
		err := fn(context.WithValue(ctx, transactionKey{s}, t))
		if failed := t.end(); err == nil {
			err = failed
		}
		notes = t.notes
		if err != nil || len(notes) == 0 {
			return err
		}
		return s.writeNotes(ctx, h, notes)
	})
	// Where the connection broke nobody knows whether it was kept: forgetting
	// too much does no harm.
	if len(notes) > 0 && s.changed != nil {
		s.changed(notes)
	}
	return err
}

// current gives the transaction that ctx carries, or nil.
func (s *Store) current(ctx context.Context) *transaction {
	t, _ := ctx.Value(transactionKey{s}).(*transaction)
	return t
}

// fail keeps the transaction from being kept.
func (t *transaction) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = err
	}
}

// errOver is our own mistake: a context was used beyond its transaction.
var errOver = errors.New("the transaction of this context has ended")

// end lets nothing more be done, and gives why the transaction must not be
// kept, or nil.
func (t *transaction) end() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = errOver
	return t.failed
}

func (t *transaction) exec(ctx context.Context, query string, args []any) (n int64, err error) {
	err = t.run(func(h handle) error {
		n, err = h.exec(ctx, query, args)
		return err
	})
	return n, err
}

func (t *transaction) read(ctx context.Context, query string, args []any, scan func(row) error) error {
	return t.run(func(h handle) error { return h.read(ctx, query, args, scan) })
}

// run runs a statement. One that fails is the last: PostgreSQL refuses all
// others after it, and SQLite, where the disk is full, ends the transaction by
// itself and would run the others outside of any.
func (t *transaction) run(statement func(handle) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended != nil {
		return t.ended
	}
	err := statement(t.handle)
	if err != nil {
		t.ended = err
		if t.failed == nil {
			t.failed = translate(err)
		}
	}
	return err
}

// handle gives what runs the statements of ctx.
func (s *Store) handle(ctx context.Context) handle {
	if t := s.current(ctx); t != nil {
		return t
	}
	return s.db
}

// exec runs a statement and gives the number of rows that it changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if !storable(args) {
		return 0, fault.Invalid.Errorf("This text holds a NUL character or is not valid UTF-8.")
	}
	n, err := s.handle(ctx).exec(ctx, query, args)
	return n, translate(err)
}

// change runs a statement that has to change a row, and returns otherwise if
// it changed none.
func (s *Store) change(ctx context.Context, otherwise *fault.Error, query string, args ...any) error {
	n, err := s.exec(ctx, query, args...)
	if err == nil && n == 0 {
		return otherwise
	}
	return err
}

// all gives every row of a result.
func all[T any](ctx context.Context, s *Store, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	if !storable(args) {
		return nil, nil // no row holds such a text
	}
	var out []T
	err := s.handle(ctx).read(ctx, query, args, func(r row) error {
		v, err := scan(r)
		out = append(out, v)
		return err
	})
	if err != nil {
		return nil, translate(err)
	}
	return out, nil
}

// one gives the first row of a result, or fault.NotFound.
func one[T any](ctx context.Context, s *Store, scan func(row) (T, error), query string, args ...any) (T, error) {
	var zero T
	rows, err := all(ctx, s, scan, query, args...)
	if err != nil {
		return zero, err
	}
	if len(rows) == 0 {
		return zero, fault.NotFound.Errorf("There is no such thing.").Because(sql.ErrNoRows)
	}
	return rows[0], nil
}

// missing gives a not-found error its sentence.
func missing(err error, sentence string) error {
	if errors.Is(err, fault.NotFound) {
		return fault.NotFound.Errorf("%s", sentence)
	}
	return err
}
