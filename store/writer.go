package store

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"
)

// mostInGroup is how many transactions share one commit.
const mostInGroup = 128

// A writer runs the transactions of an embedded database, one after the other
// in a goroutine of its own, and commits them in groups.
//
// A commit waits for the disk, which takes far longer than a transaction. So
// whoever has come while one commit waits is served by the next, together:
// each in a savepoint, so that what one undoes is no neighbour's, and nobody
// is answered before the commit.
type writer struct {
	conn    *connection
	log     *slog.Logger
	turns   chan *turn
	closing <-chan struct{}
	stopped chan struct{}

	group []*turn // whom the next commit answers
	clean bool    // the goroutine ended by itself
}

// A turn is one transaction that waits for the writer.
type turn struct {
	ctx      context.Context
	fn       func(handle) error
	err      error
	panicked any // what fn panicked with
	done     chan struct{}
}

func startWriter(conn *connection, closing <-chan struct{}, log *slog.Logger) *writer {
	w := &writer{
		conn: conn, log: log, closing: closing,
		turns: make(chan *turn), stopped: make(chan struct{}),
		group: make([]*turn, 0, mostInGroup),
	}
	go w.run()
	return w
}

// do runs fn as a transaction and returns when it is durable or undone. A
// caller whose context ends before its turn is not served.
func (w *writer) do(ctx context.Context, fn func(handle) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := &turn{ctx: ctx, fn: fn, done: make(chan struct{})}
	if err := w.queue(ctx, t); err != nil {
		return err
	}
	<-t.done
	if t.panicked != nil {
		panic(t.panicked)
	}
	return t.err
}

func (w *writer) queue(ctx context.Context, t *turn) error {
	late := time.NewTimer(turnWait)
	defer late.Stop()
	select {
	case w.turns <- t:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return unavailable(errClosing)
	case <-late.C:
		return errBusy("write")
	}
}

// run serves turns until the database closes.
func (w *writer) run() {
	w.clean = false
	defer func() {
		if w.clean {
			close(w.stopped)
			return
		}
		// A fn ended this goroutine, as a failing test does. Nothing of its
		// group is kept, and another goroutine goes on.
		w.finish(errors.New("a transaction of the same group ended its goroutine"))
		go w.run()
	}()
	for {
		select {
		case t := <-w.turns:
			w.serve(t)
		case <-w.closing:
			w.clean = true
			return
		}
	}
}

// serve runs a group: the first, and whoever else waits.
func (w *writer) serve(first *turn) {
	w.group = append(w.group[:0], first)
	if err := w.control(`BEGIN IMMEDIATE`); err != nil {
		w.answer(translate(err))
		return
	}
	for t := first; t != nil; t = w.next() {
		if err := w.take(t); err != nil {
			w.finish(err)
			return
		}
	}
	if err := w.control(`COMMIT`); err != nil {
		w.finish(err)
		return
	}
	w.answer(nil)
}

// next gives who waits right now, or nil.
func (w *writer) next() *turn {
	if len(w.group) == mostInGroup {
		return nil
	}
	select {
	case t := <-w.turns:
		w.group = append(w.group, t)
		return t
	default:
		return nil
	}
}

// take runs one turn in its savepoint. It returns an error only if the whole
// group is lost: some failures, such as a full disk, make SQLite end the
// transaction, and with it every savepoint.
func (w *writer) take(t *turn) error {
	if t.err = t.ctx.Err(); t.err != nil {
		return nil
	}
	if err := w.control(`SAVEPOINT one`); err != nil {
		return err
	}
	w.call(t)
	if t.err != nil || t.panicked != nil {
		if err := w.control(`ROLLBACK TO one`); err != nil {
			return errors.Join(err, t.err)
		}
	}
	return w.control(`RELEASE one`)
}

// call runs fn, and catches its panic for the one who waits for it.
func (w *writer) call(t *turn) {
	defer func() {
		if p := recover(); p != nil {
			t.panicked = p
			w.log.Error("panic in a transaction", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	t.err = t.fn(w.conn)
}

// control begins, ends or marks a transaction.
func (w *writer) control(statement string) error {
	_, err := w.conn.exec(context.Background(), statement, nil)
	return err
}

// finish undoes the group and tells everybody in it. Those who failed by
// themselves are told too: what they saw may be undone with the rest.
func (w *writer) finish(cause error) {
	// Where SQLite has ended the transaction already, there is none to end.
	_ = w.control(`ROLLBACK`)
	w.log.Error("a group of transactions was lost", "transactions", len(w.group), "error", cause)
	w.answer(unavailable(cause))
}

// answer tells everybody in the group: err, or their own result if it is nil.
func (w *writer) answer(err error) {
	for _, t := range w.group {
		if err != nil {
			t.err = err
		}
		close(t.done)
	}
	w.group = w.group[:0]
}
