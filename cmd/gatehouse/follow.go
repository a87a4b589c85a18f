package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gatehouse/gate"
	"gatehouse/policy"
	"gatehouse/session"
)

// wakeTopic is what nodes tell each other when something changed.
const wakeTopic = "changes"

// usesEvery is how long uses of tokens are gathered.
const usesEvery = time.Minute

// watch makes what the gate remembers, and has it forget what changes here.
func (w *wired) watch(tokens *session.Tokens) {
	w.cache = &gate.Cache{Now: time.Now}
	w.uses = &session.Uses{Store: w.store}
	w.sightings = &policy.Sightings{Store: w.store}
	tokens.Uses = w.uses
	if w.redis != nil {
		w.changes = make(chan struct{}, 1)
	}
	w.store.OnChange(func(keys []string) {
		w.cache.Forget(keys)
		select {
		case w.changes <- struct{}{}:
		default: // nobody is to be told, or somebody is being told already
		}
	})
}

// follow keeps what the gate remembers true to what other nodes change, and
// writes down what it gathered, until the context ends. stop waits for the
// last of it to be written.
func (w *wired) follow(ctx context.Context, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	var woken <-chan string
	if w.redis != nil {
		woken = w.redis.Subscribe(ctx)
		running.Go(func() { w.wakeOthers(ctx) })
	}
	running.Go(func() {
		w.cache.Watch(ctx, w.store, woken, func(err error) {
			log.Warn("changes cannot be read from the database: every request asks it until they can", "error", err)
		})
	})
	running.Go(func() {
		w.uses.Run(ctx, usesEvery, func(err error) { log.Warn("uses of tokens could not be written", "error", err) })
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// wakeOthers tells the other nodes of changes. What it misses they read a
// moment later.
func (w *wired) wakeOthers(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.changes:
			w.redis.Publish(ctx, wakeTopic)
		}
	}
}
