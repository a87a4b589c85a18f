package sso

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/fault"
)

// pending is a method with a name alone.
func pending() New { return New{Type: "saml", Change: Change{Name: new("Okta")}} }

// TestAKeyIsMadeLast has no key made for what is refused: its turn is taken,
// so that whoever asked for one would be told to wait.
func TestAKeyIsMadeLast(t *testing.T) {
	full := func(deleted bool, n int) func(*IdPs, *memoryStore) {
		return func(_ *IdPs, m *memoryStore) {
			for k := range n {
				i := IdP{ID: fmt.Sprintf("old%d", k), OrganizationID: acme.ID}
				if deleted {
					i.State = Deleted
				}
				m.idps[i.ID] = i
			}
		}
	}
	tooMany := func(who string) func(*IdPs, *memoryStore) {
		return func(s *IdPs, _ *memoryStore) {
			s.Allow = func(_ context.Context, key string) error {
				if strings.HasPrefix(key, who) {
					return fault.TooMany.Errorf("Too many attempts.")
				}
				return nil
			}
		}
	}
	for _, tt := range []struct {
		name  string
		set   func(*IdPs, *memoryStore)
		kind  fault.Kind
		field string
	}{
		{"50 methods", full(false, 50), fault.Denied, ""},
		{"500 deleted methods", full(true, 500), fault.Denied, ""},
		{"499 deleted methods", full(true, 499), fault.Unavailable, ""},
		{"too many of the organization", tooMany("organization " + acme.ID), fault.TooMany, ""},
		{"too many of the person", tooMany("person " + admin.User.ID), fault.TooMany, ""},
		{"nothing in the way", func(*IdPs, *memoryStore) {}, fault.Unavailable, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, m := newIdPs()
			s.Making.Wait = time.Nanosecond
			leave, err := s.Making.Enter(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer leave()
			tt.set(s, m)
			_, err = s.Create(t.Context(), admin, acme, pending())
			wantFault(t, err, tt.kind, tt.field)
		})
	}
}

func TestKeysAreMadeOneAtATime(t *testing.T) {
	s, _ := newIdPs()
	s.Making.Wait = time.Nanosecond
	leave, err := s.Making.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Create(t.Context(), admin, acme, pending())
	wantFault(t, err, fault.Unavailable, "")
	if f := fault.Of(err); f.RetryAfter == 0 || !strings.Contains(f.Message, "Keys for other") {
		t.Errorf("got %q and %s to wait, want what is being done, and a time", f.Message, f.RetryAfter)
	}
	leave()
	s.Making.Wait = time.Minute
	for range 2 {
		if _, err := s.Create(t.Context(), admin, acme, pending()); err != nil {
			t.Errorf("got %v once the turn was free, want a method", err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	leave, _ = s.Making.Enter(t.Context())
	defer leave()
	if _, err := s.Create(gone, admin, acme, pending()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v for a client that went away, want %v", err, context.Canceled)
	}
}

func TestATakenIdIsMadeAnew(t *testing.T) {
	s, _ := newIdPs()
	ids := []string{"am1", "am1", "am2", "am1", "am1", "am1"}
	s.NewID = func() string { id := ids[0]; ids = ids[1:]; return id }
	for _, want := range []string{"am1", "am2"} {
		i, err := s.Create(t.Context(), admin, acme, pending())
		if err != nil || i.ID != want {
			t.Fatalf("got %v, %v, want %s", i, err, want)
		}
		// The key is sealed for the id that it got.
		if _, err := (&Provider{Keys: s.Keys}).openKeys(i.ID, i.present()); err != nil {
			t.Error(err)
		}
	}
	_, err := s.Create(t.Context(), admin, acme, pending())
	wantFault(t, err, fault.Internal, "")
}

// TestTheLimitHoldsForTwoAtOnce has others make the last methods after the
// first look.
func TestTheLimitHoldsForTwoAtOnce(t *testing.T) {
	s, m := newIdPs()
	s.Allow = func(context.Context, string) error {
		for k := range mostIdPs {
			id := fmt.Sprintf("other%d", k)
			m.idps[id] = IdP{ID: id, OrganizationID: acme.ID}
		}
		return nil
	}
	_, err := s.Create(t.Context(), admin, acme, pending())
	wantFault(t, err, fault.Denied, "")
}
