package session

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// A Used is a use of a token that is to be written down.
type Used struct {
	Hash      [sha256.Size]byte
	Use       Use
	ExpiresAt time.Time // of a token that its use extends; else zero
}

// Uses gathers the uses of tokens in memory and writes them down now and then:
// a request that only reads should not write. What is not written yet when a
// server dies is lost: uses of the last minute, and nothing else.
type Uses struct {
	Store Store

	mu      sync.Mutex
	pending map[[sha256.Size]byte]Used
	written map[[sha256.Size]byte]Used // a moment ago: tokens in caches do not know it
	urgent  chan struct{}
}

const (
	mostUses   = 100_000 // in memory; beyond, tokens are noted at their next use
	usesAtOnce = 500     // in one transaction
	soonOver   = 90 * time.Second
)

// Note notes a use, to be written with others; at once where the token would
// soon have expired but for it, or came from another address than before.
func (u *Uses) Note(t *Token, ip netip.Addr, agent string, now time.Time) {
	if u == nil {
		return
	}
	if len(agent) > mostAgent {
		agent = strings.Clone(clip(agent, mostAgent)) // the rest is not to stay in memory
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	last := Used{Use: t.LastUse, ExpiresAt: t.ExpiresAt}
	if p, known := u.latest(t.Hash); known {
		last.Use, last.ExpiresAt = p.Use, later(p.ExpiresAt, t.ExpiresAt)
	}
	next := Used{Hash: t.Hash, Use: Use{At: now, IP: ip, UserAgent: agent}}
	if t.ExtendWhenUsed {
		next.ExpiresAt = t.extended(now)
	}
	if _, known := u.pending[t.Hash]; !known && len(u.pending) >= mostUses {
		return
	}
	if u.pending == nil {
		u.pending = map[[sha256.Size]byte]Used{}
	}
	u.pending[t.Hash] = next
	if last.Use.IP != ip || (t.ExtendWhenUsed && last.ExpiresAt.Sub(now) < soonOver) {
		select {
		case u.signal() <- struct{}{}:
		default:
		}
	}
}

// latest gives the last use that is known of here.
func (u *Uses) latest(hash [sha256.Size]byte) (Used, bool) {
	if p, known := u.pending[hash]; known {
		return p, true
	}
	w, known := u.written[hash]
	return w, known
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// extended says until when a use now lets a token last.
func (t *Token) extended(now time.Time) time.Time {
	e := *t
	if end := now.Add(t.MaxAge); end.After(e.ExpiresAt) {
		e.ExpiresAt = end
	}
	e.clip()
	return e.ExpiresAt
}

func (u *Uses) signal() chan struct{} {
	if u.urgent == nil {
		u.urgent = make(chan struct{}, 1)
	}
	return u.urgent
}

// Overlay brings a token up to the uses that its reader could not know of.
func (u *Uses) Overlay(t *Token) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	p, known := u.latest(t.Hash)
	if !known || p.Use.At.Before(t.LastUse.At) {
		return
	}
	t.LastUse = p.Use
	t.LastUse.UserAgent = clip(p.Use.UserAgent, mostAgent)
	t.ExpiresAt = later(p.ExpiresAt, t.ExpiresAt)
}

// Flush writes down what was gathered. What could not be written stays, and is
// tried with the next.
func (u *Uses) Flush(ctx context.Context) error {
	u.mu.Lock()
	all := u.pending
	u.pending = nil
	u.mu.Unlock()
	batch := make([]Used, 0, usesAtOnce)
	for hash, use := range all {
		use.Use.UserAgent = clip(use.Use.UserAgent, mostAgent)
		batch = append(batch, use)
		delete(all, hash)
		if len(batch) < usesAtOnce && len(all) > 0 {
			continue
		}
		if err := u.Store.NoteUses(ctx, batch); err != nil {
			u.back(batch)
			for _, rest := range all {
				u.back([]Used{rest})
			}
			return fmt.Errorf("note uses of tokens: %w", err)
		}
		u.wrote(batch)
		batch = batch[:0]
	}
	return nil
}

// wrote remembers what was written for a while.
func (u *Uses) wrote(uses []Used) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.written == nil || len(u.written) > mostUses {
		u.written = map[[sha256.Size]byte]Used{}
	}
	for _, use := range uses {
		u.written[use.Hash] = use
	}
}

// back takes back what could not be written, but for what is newer.
func (u *Uses) back(uses []Used) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pending == nil {
		u.pending = map[[sha256.Size]byte]Used{}
	}
	for _, use := range uses {
		if _, newer := u.pending[use.Hash]; !newer {
			u.pending[use.Hash] = use
		}
	}
}

// Run flushes every so often, and sooner where it is urgent, but never twice in
// a second, until the context ends; then once more. failed is told of errors.
func (u *Uses) Run(ctx context.Context, every time.Duration, failed func(error)) {
	u.mu.Lock()
	urgent := u.signal()
	u.mu.Unlock()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			if err := u.Flush(last); err != nil {
				failed(err)
			}
			return
		case <-tick.C:
		case <-urgent:
			pause(ctx, time.Second)
		}
		if err := u.Flush(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
