package gate_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
)

// A history remembers, for each of a few tokens, until when each of them could
// still come in.
type history struct {
	*world
	random *rand.Rand
	texts  []string
	hashes [][sha256.Size]byte
	endAt  []time.Time // when it last stopped being admitted; zero: it is admitted
}

func newHistory(t testing.TB, seed uint64) *history {
	h := &history{world: newWorld(), random: rand.New(rand.NewPCG(seed, 1))}
	for i := range 4 {
		text, hash := h.bearer(t, func(b *session.Bearer) {
			if i%2 == 0 {
				b.Method, b.MethodOrganizationID, b.Fellow = session.Method{Kind: session.SAML, ID: "am1"}, "org1", true
			}
		})
		h.texts, h.hashes, h.endAt = append(h.texts, text), append(h.hashes, hash), append(h.endAt, time.Time{})
	}
	return h
}

// keep notes which tokens could come in and cannot any more.
func (h *history) keep(t testing.TB) {
	bare := &gate.Gate{Store: h.world, Now: h.clock}
	late := h.late
	h.late = nil
	defer func() { h.late = late }()
	for i, text := range h.texts {
		err := enter(t, bare, text, "org1")
		switch {
		case err == nil:
			h.endAt[i] = time.Time{}
		case h.endAt[i].IsZero():
			h.endAt[i] = h.clock()
		}
	}
}

// turn changes one thing, back or forth, on some node: local is told at once.
func (h *history) turn(t testing.TB, local *gate.Gate) {
	i := h.random.IntN(len(h.hashes))
	hash, key, change := h.hashes[i], "", func() {}
	switch h.random.IntN(5) {
	case 0:
		key, change = gate.TokenKey(hash), h.edit(hash, func(b *session.Bearer) { b.ExpiresAt = b.ExpiresAt.AddDate(1-2*(b.ExpiresAt.Year()%2), 0, 0) })
	case 1:
		key, change = gate.UserKey("ada"), func() {
			for _, hash := range h.hashes {
				h.edit(hash, func(b *session.Bearer) {
					if b.User.State = account.ActiveUser; i%2 == 0 {
						b.User.State = account.DeactivatedUser
					}
				})()
			}
		}
	case 2:
		key, change = gate.MethodKey("am1"), func() {
			for _, hash := range h.hashes {
				h.edit(hash, func(b *session.Bearer) { b.MethodUsable = b.Method.Kind == session.Password || i%2 == 0 })()
			}
		}
	case 3:
		key, change = gate.OrganizationKey("org1"), func() {
			p := policy.Policy{OrganizationID: "org1", Rules: policy.Usual()}
			p.Rules.Password, p.Rules.SAML = i%2 == 0, i < 2
			h.policies["org1"] = p
		}
	case 4:
		key, change = gate.UserKey("ada"), func() {
			if h.members["org1"] = (account.Member{OrganizationID: "org1", UserID: "ada"}); i%2 == 0 {
				delete(h.members, "org1")
			}
		}
	}
	h.change(time.Duration(h.random.IntN(3000))*time.Millisecond, key, change)
	h.keep(t)
	if local != nil {
		local.Cache.Forget([]string{key})
	}
}

// Whatever happens in whatever order: on the node that made a change it holds
// at once, and on another after staleAfter, though notes come late, cannot be
// read, or a node stands still.
func TestAChangeHoldsInTime(t *testing.T) {
	admitted, cached := 0, 0
	for seed := range uint64(150) {
		h := newHistory(t, seed)
		here, there := h.node(t), h.node(t)
		try := func(g *gate.Gate, most time.Duration) {
			i, begin, before := h.random.IntN(len(h.texts)), h.clock(), h.asked
			// A change may overtake a request, and time passes.
			if h.random.IntN(3) == 0 {
				h.late = func() {
					h.late = nil
					h.pass(time.Duration(h.random.IntN(2000)) * time.Millisecond)
					for range h.random.IntN(3) {
						h.turn(t, here)
					}
					if h.random.IntN(2) == 0 {
						h.follow(t, g)
					}
				}
			}
			ended := h.endAt[i]
			err := enter(t, g, h.texts[i], "org1")
			h.late = nil
			if err != nil {
				return
			}
			admitted++
			if h.asked == before {
				cached++
			}
			if !ended.IsZero() && begin.Sub(ended) > most {
				t.Fatalf("seed %d: a token was admitted %s after it ended, want %s at most", seed, begin.Sub(ended), most)
			}
		}
		for range 400 {
			switch h.random.IntN(16) {
			case 0:
				h.turn(t, here)
			case 1:
				h.broken = fault.Unavailable.Errorf("The database is away.")
				_ = there.Cache.Follow(t.Context(), h.world)
				h.broken = nil
			case 2:
				if h.random.IntN(10) == 0 {
					h.pass(time.Duration(h.random.IntN(90)) * time.Second)
				}
			case 3, 4:
				h.pass(time.Duration(h.random.IntN(300)) * time.Millisecond)
			case 5, 6:
				h.follow(t, there)
			case 7:
				h.follow(t, here)
			case 8, 9, 10:
				try(here, 0)
			default:
				try(there, gate.StaleAfter)
			}
		}
	}
	if cached < 500 || admitted-cached < 500 {
		t.Errorf("got %d admitted, %d of them from the cache: want many of both", admitted, cached)
	}
}

// Many at once, for the race detector: what was revoked on a node is never
// admitted there again.
func TestManyComeInWhileTokensAreRevoked(t *testing.T) {
	w := newWorld()
	g := w.node(t)
	const tokens = 200
	var texts [tokens]string
	var hashes [tokens][sha256.Size]byte
	var gone [tokens]atomic.Bool
	for i := range tokens {
		texts[i], hashes[i] = w.bearer(t, nil)
	}
	var group sync.WaitGroup
	done := make(chan struct{})
	for n := range 4 {
		group.Go(func() {
			for i := n; ; i = (i*7 + 1) % tokens {
				select {
				case <-done:
					return
				default:
				}
				over := gone[i].Load()
				if err := enter(t, g, texts[i], "org1"); err == nil && over {
					t.Errorf("token %d was admitted after it was revoked", i)
					return
				}
			}
		})
	}
	group.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				w.follow(t, g)
			}
		}
	})
	for i := range tokens {
		key := gate.TokenKey(hashes[i])
		w.change(0, key, func() { delete(w.bearers, hashes[i]) })
		g.Cache.Forget([]string{key})
		gone[i].Store(true)
	}
	close(done)
	group.Wait()
	for i := range tokens {
		if err := enter(t, g, texts[i], "org1"); !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("token %d: got %v, want unauthenticated", i, err)
		}
	}
}

// A feed gives notes as a test says, and tells that it was asked.
type feed struct {
	err   atomic.Pointer[error]
	hangs atomic.Bool
	asked chan time.Duration
}

// Notes implements gate.Notes.
func (f *feed) Notes(ctx context.Context, within time.Duration) ([]gate.Note, error) {
	select {
	case f.asked <- within:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if f.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := f.err.Load(); err != nil {
		return nil, *err
	}
	return nil, nil
}

func TestTheReaderReadsOnItsOwnAndWhenItIsWoken(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f, woken := &feed{asked: make(chan time.Duration)}, make(chan string, 16)
	failed := make(chan error, 10)
	var group sync.WaitGroup
	c := &gate.Cache{Now: time.Now}
	group.Go(func() { c.Watch(ctx, f, woken, func(err error) { failed <- err }) })

	if got := <-f.asked; got != time.Minute {
		t.Errorf("at first: got the notes of %s read, want those of a minute", got)
	}
	begin := time.Now()
	<-f.asked // by itself
	// Many who wake it are one read.
	for range 16 {
		woken <- "changes"
	}
	<-f.asked
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("two reads took %s", took)
	}
	away := error(fault.Unavailable.Errorf("The database is away."))
	f.err.Store(&away)
	<-f.asked
	<-f.asked
	f.err.Store(nil)
	<-f.asked
	<-f.asked // now one of them succeeded
	f.hangs.Store(true)
	<-f.asked
	f.hangs.Store(false)
	<-f.asked // it did not wait for the one that hangs
	<-f.asked
	close(woken) // Redis is over; the reader is not
	<-f.asked
	<-f.asked
	cancel()
	group.Wait()
	close(failed)
	var told int
	for range failed {
		told++
	}
	if told != 2 {
		t.Errorf("got told of %d failures, want two: one for each row of them", told)
	}
}
