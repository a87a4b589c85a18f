package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
)

// fakeStore keeps tokens in a map.
type fakeStore struct {
	Store
	bearers map[[sha256.Size]byte]Bearer
	taken   int // so many more prefixes are taken
	events  []audit.Event
}

func (f *fakeStore) AddToken(_ context.Context, t Token) error {
	if f.taken > 0 {
		f.taken--
		return fault.Exists.Errorf("The prefix is taken.")
	}
	f.bearers[t.Hash] = Bearer{Token: t, User: account.User{ID: t.UserID, State: account.ActiveUser}, MethodUsable: true, Linked: true}
	return nil
}

func (f *fakeStore) DeleteToken(_ context.Context, hash [sha256.Size]byte) (Deleted, error) {
	b, ok := f.bearers[hash]
	if !ok {
		return Deleted{}, fault.NotFound
	}
	delete(f.bearers, hash)
	return Deleted{Prefix: b.Prefix, User: audit.Actor{ID: b.UserID, Name: "ada@example.com"}}, nil
}

func (f *fakeStore) Tx(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

func (f *fakeStore) AddEvent(_ context.Context, e audit.Event) error {
	f.events = append(f.events, e)
	return nil
}

func (f *fakeStore) Events(context.Context, audit.Filter, string, int) ([]audit.Event, error) {
	return f.events, nil
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newTokens() (*Tokens, *fakeStore, *time.Time) {
	now, store := noon, &fakeStore{bearers: map[[sha256.Size]byte]Bearer{}}
	clock := func() time.Time { return now }
	log := &audit.Log{Store: store, Now: clock, NewID: ident.UUID}
	return &Tokens{Store: store, Lifetime: 12 * time.Hour, Now: clock, Audit: log}, store, &now
}

func TestATokenIsStoredAsItsHashAlone(t *testing.T) {
	s, store, _ := newTokens()
	text, token, err := s.Issue(context.Background(), Grant{UserID: "u1", Method: Method{Kind: SAML, ID: "am1"}, LoggedIn: noon})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, "gts_") || len(text) != 50 || token.Prefix != text[:12] {
		t.Errorf("got token %q with prefix %q, want gts_ and 46 more, named by its first 12", text, token.Prefix)
	}
	for hash, b := range store.bearers {
		if hash != sha256.Sum256([]byte(text)) || strings.Contains(b.Description+b.UserAgent, text) {
			t.Error("the store holds something else than the token's SHA-256")
		}
	}
}

func TestATokenThatCannotBeOneIsNotLookedUp(t *testing.T) {
	s, store, _ := newTokens()
	text, _, _ := s.Issue(context.Background(), Grant{UserID: "u1"})
	wrong := "x"
	if strings.HasSuffix(text, "x") {
		wrong = "y"
	}
	for name, bad := range map[string]string{
		"empty":           "",
		"a typing error":  text[:49] + wrong,
		"another kind":    "gtx" + text[3:],
		"cut":             text[:49],
		"longer":          text + "0",
		"a foreign token": strings.Repeat("A", 50),
	} {
		if _, could := Hash(bad); could {
			t.Errorf("%s could be a token", name)
		}
	}
	if hash, could := Hash(text); !could || store.bearers[hash].Prefix != text[:12] {
		t.Error("the token itself is not found under its hash")
	}
}

func TestATokenCountsOnlyWhileEverythingBehindItDoes(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(b *Bearer, now *time.Time)
		in     bool
	}{
		{"as issued", func(*Bearer, *time.Time) {}, true},
		{"a moment before its end", func(_ *Bearer, now *time.Time) { *now = noon.Add(12*time.Hour - time.Microsecond) }, true},
		{"at its end", func(_ *Bearer, now *time.Time) { *now = noon.Add(12 * time.Hour) }, false},
		{"person deactivated", func(b *Bearer, _ *time.Time) { b.User.State = account.DeactivatedUser }, false},
		{"person in no state", func(b *Bearer, _ *time.Time) { b.User.State = "" }, false},
		{"all tokens expired later", func(b *Bearer, _ *time.Time) { b.User.TokensValidFrom = noon.Add(time.Second) }, false},
		{"all tokens expired before", func(b *Bearer, _ *time.Time) { b.User.TokensValidFrom = noon.Add(-time.Second) }, true},
		{"method disabled", func(b *Bearer, _ *time.Time) { b.MethodUsable = false }, false},
		{"link cut", func(b *Bearer, _ *time.Time) { b.Linked = false }, false},
	} {
		s, store, now := newTokens()
		_, token, _ := s.Issue(context.Background(), Grant{UserID: "u1"})
		b := store.bearers[token.Hash]
		c.change(&b, now)
		if why := b.Refusal(*now); (why == "") != c.in {
			t.Errorf("%s: got %q, want in: %v", c.name, why, c.in)
		}
	}
}

func TestASessionNeverOutlivesWhatTheIdPSaid(t *testing.T) {
	for _, c := range []struct {
		name string
		g    Grant
		want time.Duration
	}{
		{"nothing said", Grant{}, 12 * time.Hour},
		{"the method says", Grant{Lifetime: time.Hour}, time.Hour},
		{"the IdP's session ends earlier", Grant{Ends: noon.Add(time.Minute)}, time.Minute},
		{"the IdP's session ends later", Grant{Lifetime: time.Hour, Ends: noon.Add(24 * time.Hour)}, time.Hour},
	} {
		s, _, _ := newTokens()
		_, token, _ := s.Issue(context.Background(), c.g)
		if got := token.ExpiresAt.Sub(noon); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAPrefixThatIsTakenIsNoFailure(t *testing.T) {
	s, store, _ := newTokens()
	store.taken = 2
	if _, _, err := s.Issue(context.Background(), Grant{UserID: "u1"}); err != nil {
		t.Errorf("after two taken prefixes: got %v, want a token", err)
	}
	store.taken = 3
	if _, _, err := s.Issue(context.Background(), Grant{UserID: "u1"}); !errors.Is(err, fault.Exists) {
		t.Errorf("after three: got %v, want exists", err)
	}
}

func TestARevokedTokenIsOver(t *testing.T) {
	s, store, _ := newTokens()
	_, token, _ := s.Issue(context.Background(), Grant{UserID: "u1"})
	for range 2 { // the second time is no error, and no event
		if err := s.Revoke(context.Background(), token.Hash, End{Reason: "logged out"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(store.events) != 1 || store.events[0].Action != audit.SessionEnd || store.events[0].Details["reason"] != "logged out" {
		t.Errorf("got the events %v, want one of the session's end", store.events)
	}
	if _, there := store.bearers[token.Hash]; there {
		t.Error("the token is still there")
	}
}
