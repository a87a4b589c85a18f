package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"gatehouse/store"
)

// beat says, until the context ends, that this server runs and with which
// keys, and follows when others are put in force.
func (w *wired) beat(ctx context.Context, log *slog.Logger) {
	host, _ := os.Hostname()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		if err := w.store.FollowKeys(ctx); errors.Is(err, store.ErrOtherKeys) {
			log.Error("the keys were rotated without this server: copy the key file to it and restart it")
		}
		if err := w.store.SeeNode(ctx, w.node, host, time.Now()); err != nil && ctx.Err() == nil {
			log.Debug("cannot say that this server runs", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// leave says that this server runs no more.
func (w *wired) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = w.store.ForgetNode(ctx, w.node) // it is forgotten anyway
}
