package main

import (
	"context"
	"log/slog"
	"time"

	"gatehouse/internal/task"
)

// tasks are what a server does again and again.
func (w *wired) tasks() []task.Task {
	return []task.Task{
		{Name: "sweep", Every: time.Minute, Run: func(ctx context.Context) error {
			_, err := w.store.Sweep(ctx, time.Now())
			return err
		}},
		{Name: "trials of policies", Every: time.Minute, Run: func(ctx context.Context) error {
			_, err := w.policies.Settle(ctx)
			return err
		}},
		{Name: "refused attempts", Every: 5 * time.Second, Run: w.traces.Flush},
		{Name: "old traces", Every: time.Minute, Run: w.traces.Sweep},
		{Name: "reports of policies", Every: time.Minute, Run: w.sightings.Flush},
		// Each record is due once a day; looking often spreads the looks, and
		// finishes in the next run what did not fit into one.
		{Name: "domains", Every: 10 * time.Minute, Once: true, Bound: 9 * time.Minute, Run: w.domains.Recheck},
		{Name: "metadata of identity providers", Every: 10 * time.Minute, Once: true, Bound: 9 * time.Minute, Run: w.idps.Refreshes.Due},
		{Name: "ends of certificates", Every: 6 * time.Hour, Once: true, Bound: time.Hour, Run: w.endings.Check},
		{Name: "our keys for identity providers", Every: time.Minute, Once: true, Run: w.idps.KeepKeys},
	}
}

// runTasks does the server's periodic work until stop is called, which waits
// for what is under way.
func (w *wired) runTasks(ctx context.Context, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	runner := &task.Runner{Tasks: w.tasks(), Turns: w.store, Now: time.Now, Log: log}
	go func() {
		defer close(done)
		runner.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}
