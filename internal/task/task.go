// Package task runs periodic work, on each node or once per cluster.
//
// A task of the whole cluster has a row, which says when it is due. Whoever
// finds it due moves that moment on in one statement, and so has the turn: for
// as long as a run may take at first, so that a node that dies in between costs
// that time and no more, and for the whole interval once the run has worked.
// What fails is tried again a minute later, on whichever node looks first.
package task

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// A Task is work that is done again and again.
type Task struct {
	Name  string        // in the log and in the database
	Every time.Duration // between the beginnings of two runs that worked
	Once  bool          // one node of the cluster does it for all; else each does
	Bound time.Duration // on one run, whose context ends then; 0: Every
	Run   func(ctx context.Context) error
}

// bound is how long one run may take.
func (t Task) bound() time.Duration {
	if t.Bound > 0 {
		return t.Bound
	}
	return t.Every
}

// Turns is what Runner needs of storage for tasks of the whole cluster.
type Turns interface {
	// TakeTurn makes a task due at next, if it is due at now or was never done,
	// and says whether it did: of many callers at once, one is told so.
	TakeTurn(ctx context.Context, name string, now, next time.Time) (bool, error)
}

// look is how often a task of the cluster is looked at, at most: after a
// failure it is tried again so much later.
const look = time.Minute

// A Runner runs tasks.
type Runner struct {
	Tasks []Task
	Turns Turns // may be nil where no task is Once
	Now   func() time.Time
	Log   *slog.Logger
}

// Run runs the tasks beside each other, none of them twice at once on this
// node, and each for the first time once its interval, or a minute, has
// passed. It returns when the context has ended and with it every run.
func (r *Runner) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, t := range r.Tasks {
		running.Go(func() { r.repeat(ctx, t) })
	}
	running.Wait()
}

func (r *Runner) repeat(ctx context.Context, t Task) {
	every, step := t.Every, r.call
	if t.Once {
		every, step = min(t.Every, look), r.turn
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// What the end of the context cut off is no failure.
		if err := step(ctx, t); err != nil && ctx.Err() == nil {
			r.Log.Warn("a periodic task failed, and will be tried again", "task", t.Name, "after", every.String(), "error", err)
		}
	}
}

// turn runs a task of the cluster, if it is due.
func (r *Runner) turn(ctx context.Context, t Task) error {
	began := r.Now()
	lease := began.Add(t.bound())
	mine, err := r.Turns.TakeTurn(ctx, t.Name, began, lease)
	if err != nil || !mine {
		return err
	}
	failed := r.call(ctx, t)
	next := began.Add(t.Every)
	if failed != nil {
		next = r.Now()
	}
	// The turn moves on from where the lease put it; where another node has
	// taken it since, that one decides. A node that stops says so as well, so
	// that the next need not wait for the lease.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := r.Turns.TakeTurn(last, t.Name, lease, next); failed == nil {
		return err
	}
	return failed
}

// call runs a task once, and makes a panic an error.
func (r *Runner) call(ctx context.Context, t Task) (err error) {
	ctx, cancel := context.WithTimeout(ctx, t.bound())
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			r.Log.Error("panic in a periodic task", "task", t.Name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("run %s: it panicked", t.Name)
		}
	}()
	if err := t.Run(ctx); err != nil {
		return fmt.Errorf("run %s: %w", t.Name, err)
	}
	return nil
}
