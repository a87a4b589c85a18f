package gate_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/session"
)

// asks says how often the store was asked during fn.
func (w *world) asks(fn func()) int {
	before := w.asked
	fn()
	return w.asked - before
}

func TestAPassIsRememberedForAMoment(t *testing.T) {
	w := newWorld()
	g := w.node(t)
	text, _ := w.bearer(t, nil)
	try := func() {
		t.Helper()
		if err := enter(t, g, text, "org1"); err != nil {
			t.Fatalf("got %v, want no error", err)
		}
	}
	if got := w.asks(func() { try(); try(); try() }); got != 1 {
		t.Errorf("three requests asked the store %d times, want once", got)
	}
	// It is read again however often it is used meanwhile.
	got := w.asks(func() {
		for begin := w.clock(); w.clock().Sub(begin) < gate.KeptFor; w.pass(gate.ReadEvery) {
			w.follow(t, g)
			try()
		}
	})
	if got != 0 {
		t.Errorf("within %s the store was asked %d times, want none", gate.KeptFor, got)
	}
	w.follow(t, g)
	if got := w.asks(try); got != 1 {
		t.Errorf("after %s the store was asked %d times, want once", gate.KeptFor, got)
	}
}

func TestANodeThatDoesNotKnowOfChangesRemembersNothing(t *testing.T) {
	w := newWorld()
	text, _ := w.bearer(t, nil)
	g := &gate.Gate{Store: w, Cache: &gate.Cache{Now: w.clock}, Now: w.clock}
	try := func() {
		if err := enter(t, g, text, "org1"); err != nil {
			t.Errorf("got %v, want no error", err)
		}
	}
	if got := w.asks(func() { try(); try() }); got != 2 {
		t.Errorf("before the notes were ever read: the store was asked %d times, want twice", got)
	}
	w.follow(t, g)
	try()
	w.pass(gate.StaleAfter)
	if got := w.asks(try); got != 0 {
		t.Errorf("%s after a read: the store was asked %d times, want none", gate.StaleAfter, got)
	}
	w.pass(1)
	if got := w.asks(func() { try(); try() }); got != 2 {
		t.Errorf("later: the store was asked %d times, want twice", got)
	}
	w.broken = fault.Unavailable.Errorf("The database is away.")
	if err := g.Cache.Follow(t.Context(), w); !errors.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	if err := enter(t, g, text, "org1"); !errors.Is(err, fault.Unavailable) {
		t.Errorf("with the database away: got %v, want unavailable", err)
	}
	w.broken = nil
	w.follow(t, g)
	if got := w.asks(func() { try(); try() }); got > 1 {
		t.Errorf("once it is back: the store was asked %d times, want once at most", got)
	}
}

// Both ways in which a pass ends: on the node that makes the change, and on
// another, which reads of it.
func TestWhatChangesIsForgotten(t *testing.T) {
	text, hash, w, other := "", [sha256.Size]byte{}, newWorld(), sha256.Sum256([]byte("another"))
	text, hash = w.bearer(t, func(b *session.Bearer) {
		b.Method, b.MethodOrganizationID, b.Fellow = session.Method{Kind: session.SAML, ID: "am1"}, "org2", true
	})
	for _, how := range []struct {
		name   string
		forget func(g *gate.Gate, keys []string)
	}{
		{"here", func(g *gate.Gate, keys []string) { g.Cache.Forget(keys) }},
		{"elsewhere", func(g *gate.Gate, keys []string) {
			for _, key := range keys {
				w.change(0, key, func() {})
			}
			w.follow(t, g)
		}},
	} {
		for _, c := range []struct {
			name string
			keys []string
			want int
		}{
			{"the token", []string{gate.TokenKey(hash)}, 1},
			{"the person", []string{gate.UserKey("ada")}, 1},
			{"the identity provider", []string{gate.MethodKey("am1")}, 1},
			{"the identity provider's organization", []string{gate.OrganizationKey("org2")}, 1},
			{"the organization", []string{gate.OrganizationKey("org1")}, 1},
			{"one of several", []string{gate.UserKey("eve"), gate.UserKey("ada")}, 1},
			{"nothing", nil, 0},
			{"another token", []string{gate.TokenKey(other)}, 0},
			{"somebody else", []string{gate.UserKey("eve"), gate.UserKey("")}, 0},
			{"another identity provider", []string{gate.MethodKey("am2")}, 0},
			{"another organization", []string{gate.OrganizationKey("org3")}, 0},
			{"what is no key", []string{"", "x", "t:", "u:ad"}, 0},
		} {
			t.Run(how.name+"/"+c.name, func(t *testing.T) {
				g := w.node(t)
				try := func() {
					if err := enter(t, g, text, "org1"); err != nil {
						t.Errorf("got %v, want no error", err)
					}
				}
				try()
				how.forget(g, c.keys)
				if got := w.asks(try); got != c.want {
					t.Errorf("got %d questions to the store, want %d", got, c.want)
				}
				if got := w.asks(try); got != 0 {
					t.Errorf("and once more: got %d questions, want none", got)
				}
			})
		}
	}
}

func TestWhatAChangeOvertookIsNotKept(t *testing.T) {
	for _, c := range []struct {
		name string
		tell func(w *world, g *gate.Gate, key string)
	}{
		{"here", func(_ *world, g *gate.Gate, key string) { g.Cache.Forget([]string{key}) }},
		{"elsewhere", func(w *world, g *gate.Gate, _ string) { w.follow(t, g) }},
		{"so long ago that nobody looks back", func(w *world, g *gate.Gate, _ string) {
			w.pass(2 * time.Minute)
			w.follow(t, g)
		}},
		{"among many others", func(_ *world, g *gate.Gate, key string) {
			g.Cache.Forget([]string{key})
			for i := range gate.MostChanged + 2 {
				g.Cache.Forget([]string{fmt.Sprint(i)})
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			g := w.node(t)
			text, hash := w.bearer(t, nil)
			w.late = func() {
				w.late = nil
				w.change(0, gate.UserKey("ada"), w.edit(hash, func(b *session.Bearer) { b.User.State = account.DeactivatedUser }))
				c.tell(w, g, gate.UserKey("ada"))
			}
			// It was read when she could come in still.
			if err := enter(t, g, text, "org1"); err != nil {
				t.Errorf("got %v, want no error", err)
			}
			if err := enter(t, g, text, "org1"); !errors.Is(err, fault.Unauthenticated) {
				t.Errorf("after the change: got %v, want unauthenticated", err)
			}
		})
	}
}

// A node that stood still has missed more than the usual look back shows.
func TestANodeThatStoodStillLooksFurtherBack(t *testing.T) {
	for _, still := range []time.Duration{2 * time.Second, 6 * time.Second, 12 * time.Second, 29 * time.Second, time.Hour} {
		w := newWorld()
		g := w.node(t)
		text, hash := w.bearer(t, nil)
		w.pass(gate.ReadEvery)
		w.follow(t, g)
		if err := enter(t, g, text, "org1"); err != nil {
			t.Fatal(err)
		}
		w.change(0, gate.TokenKey(hash), func() { delete(w.bearers, hash) })
		w.pass(still)
		w.follow(t, g)
		if err := enter(t, g, text, "org1"); !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("after %s: got %v, want unauthenticated", still, err)
		}
	}
}

func TestTimeIsMeasuredByTheClockThatSaysMore(t *testing.T) {
	now := time.Now()
	if got := gate.StandStill(now, time.Minute); got != time.Minute {
		t.Errorf("got %s, want a minute", got)
	}
	if got := gate.StandStill(now, -time.Minute); got > 0 {
		t.Errorf("set back by a minute: got %s, want no time to have passed", got)
	}
}

// A transaction may take long to be kept after it wrote its note.
func TestALateNoteIsReadAsWell(t *testing.T) {
	for _, late := range []time.Duration{4 * time.Second, 20 * time.Second, 55 * time.Second} {
		w := newWorld()
		g := w.node(t)
		text, hash := w.bearer(t, nil)
		if err := enter(t, g, text, "org1"); err != nil {
			t.Fatal(err)
		}
		w.change(late, gate.TokenKey(hash), func() { delete(w.bearers, hash) })
		var err error
		begin := w.clock()
		for err == nil {
			w.pass(gate.ReadEvery)
			w.follow(t, g)
			err = enter(t, g, text, "org1")
		}
		took, most := w.clock().Sub(begin), 4*time.Second
		if late < 5*time.Second {
			most = gate.StaleAfter
		}
		if took > most {
			t.Errorf("a note that was %s late was read after %s, want %s at most", late, took, most)
		}
	}
}

func TestWhatIsNotThereIsNotKept(t *testing.T) {
	w := newWorld()
	g := w.node(t)
	text, _ := w.bearer(t, nil)
	for range 3 {
		if err := enter(t, g, text, "org2"); !errors.Is(err, fault.NotFound) {
			t.Fatalf("got %v, want not found", err)
		}
	}
	if passes, keys, _, _ := g.Cache.Sizes(); passes != 0 || keys != 0 {
		t.Errorf("got %d passes and %d keys kept, want none", passes, keys)
	}
	// Nothing needs to tell of it.
	w.members["org2"] = account.Member{OrganizationID: "org2", UserID: "ada"}
	if err := enter(t, g, text, "org2"); err != nil {
		t.Errorf("after joining: got %v, want no error", err)
	}
}

func TestTheSameUnknownTokenIsNoGuess(t *testing.T) {
	w := newWorld()
	g := w.node(t)
	g.Limits = &limit.Memory{Now: w.clock}
	ask := func(text string) error {
		_, err := g.Admit(t.Context(), gate.Request{Token: text, Need: account.ReadSelf, IP: netip.MustParseAddr("192.0.2.1")})
		return err
	}
	unknown := func() string {
		text, hash := w.bearer(t, nil)
		delete(w.bearers, hash)
		return text
	}
	gone, hers := unknown(), ""
	hers, _ = w.bearer(t, nil)
	got := w.asks(func() {
		for range 5000 {
			if err := ask(gone); !errors.Is(err, fault.Unauthenticated) {
				t.Fatalf("got %v, want unauthenticated", err)
			}
		}
	})
	if got != 1 {
		t.Errorf("the store was asked %d times, want once", got)
	}
	if err := ask(hers); err != nil {
		t.Errorf("somebody else of that address: got %v, want no error", err)
	}
	w.pass(gate.UnknownFor)
	if got := w.asks(func() { _ = ask(gone) }); got != 1 {
		t.Errorf("after %s: the store was asked %d times, want once", gate.UnknownFor, got)
	}
	var err error
	tries := 0
	for ; err == nil || errors.Is(err, fault.Unauthenticated); tries++ {
		err = ask(unknown())
	}
	if !errors.Is(err, fault.TooMany) || tries > 400 {
		t.Errorf("after %d guesses: got %v, want too many", tries, err)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	w := newWorld()
	g := w.node(t)
	for i := range gate.MostPasses + gate.MostUnknown + 2 {
		text, hash := w.bearer(t, func(b *session.Bearer) { b.User.ID = b.Prefix })
		if i%3 == 0 {
			delete(w.bearers, hash)
		}
		_, _ = g.Admit(t.Context(), gate.Request{Token: text, Need: account.ReadSelf})
		delete(w.bearers, hash)
		if passes, keys, unknowns, _ := g.Cache.Sizes(); passes > gate.MostPasses || unknowns > gate.MostUnknown || keys > gate.MostChanged+100 {
			t.Fatalf("got %d passes, %d changes and %d unknown tokens, want up to %d, %d and %d", passes, keys, unknowns, gate.MostPasses, gate.MostChanged, gate.MostUnknown)
		}
	}
	for i := range 100 {
		w.change(0, gate.UserKey(fmt.Sprint(i)), func() {})
	}
	w.follow(t, g)
	w.pass(time.Hour)
	w.follow(t, g)
	if _, _, _, read := g.Cache.Sizes(); read != 0 {
		t.Errorf("after an hour: got %d notes remembered, want none", read)
	}
}

func TestWithoutACacheEverythingIsAsked(t *testing.T) {
	w := newWorld()
	g := &gate.Gate{Store: w, Now: w.clock}
	text, _ := w.bearer(t, nil)
	g.Cache.Forget([]string{gate.UserKey("ada")})
	got := w.asks(func() {
		for range 3 {
			if err := enter(t, g, text, "org1"); err != nil {
				t.Errorf("got %v, want no error", err)
			}
		}
		_ = enter(t, g, text[:len(text)-1]+"x", "org1")
	})
	if got != 3 {
		t.Errorf("got %d questions, want three", got)
	}
}
