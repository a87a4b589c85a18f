package account

import (
	"context"
	"testing"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
)

// An idStore keeps nothing but ids, each once.
type idStore struct {
	users
	organizations
	taken map[string]bool
}

type (
	users         struct{ PeopleStore }
	organizations struct{ OrganizationStore }
)

func (s *idStore) Tx(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

func (s *idStore) take(ids ...string) error {
	for _, id := range ids {
		if s.taken[id] {
			return fault.Exists.Errorf("It exists already.")
		}
		s.taken[id] = true
	}
	return nil
}

func (s *idStore) HasUsers(context.Context) (bool, error) { return false, nil }

func (s *idStore) AddUser(_ context.Context, u User, _ string) error {
	if s.taken[u.Email] {
		return fault.Exists.Errorf("There is an account with this address already.").At("email")
	}
	return s.take(u.ID)
}

func (s *idStore) AddOrganization(_ context.Context, o Organization, root Account) error {
	if o.AccountID != root.ID || o.ID != root.OrganizationID {
		return fault.Internal
	}
	return s.take(o.ID, o.AccountID)
}

func (s *idStore) AddAccount(_ context.Context, a Account) error             { return s.take(a.ID) }
func (s *idStore) AddMember(context.Context, Member) error                   { return nil }
func (s *idStore) LockOrganization(context.Context, string) error            { return nil }
func (s *idStore) Memberships(context.Context, string) ([]Membership, error) { return nil, nil }
func (s *idStore) Units(context.Context, string) ([]Account, error)          { return nil, nil }

// events are forgotten.
type events struct{ audit.Store }

func (events) AddEvent(context.Context, audit.Event) error { return nil }

// inTurn gives these ids, one after the other.
func inTurn(ids ...string) func() string {
	return func() string {
		id := ids[0]
		ids = ids[1:]
		return id
	}
}

func TestTakenIdsAreMadeAnew(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	by := Actor{User: User{ID: "u1", Email: "ada@acme.example"}}
	events := &audit.Log{Store: events{}, Now: now, NewID: ident.UUID}
	ann := NewUser{Email: "ann@acme.example", RealName: "Ann", Password: "correct horse"}
	for _, tt := range []struct {
		name string
		add  func(s *idStore, newID func() string) (string, error)
	}{
		{"a user", func(s *idStore, newID func() string) (string, error) {
			u, err := (&People{Store: s, Passwords: NewPasswords(), NewID: newID, Now: now, Audit: events}).Add(t.Context(), Actor{}, ann)
			return u.ID, err
		}},
		{"an operator", func(s *idStore, newID func() string) (string, error) {
			added, err := (&People{Store: s, Passwords: NewPasswords(), NewID: newID, Now: now, Audit: events}).AddOperator(t.Context(), ann)
			if !added {
				return "", err
			}
			return "new", err
		}},
		{"an organization", func(s *idStore, newID func() string) (string, error) {
			o, err := (&Organizations{Store: s, NewID: newID, NewAccountID: inTurn("a1", "a2", "a3"), Now: now, Audit: events}).Add(t.Context(), by, "Acme", "")
			return o.ID, err
		}},
		{"an organization's account", func(s *idStore, newID func() string) (string, error) {
			o, err := (&Organizations{Store: s, NewID: inTurn("org1", "org2", "org3"), NewAccountID: newID, Now: now, Audit: events}).Add(t.Context(), by, "Acme", "")
			return o.AccountID, err
		}},
		{"a unit", func(s *idStore, newID func() string) (string, error) {
			a, err := (&Organizations{Store: s, NewAccountID: newID, Now: now, Audit: events}).AddUnit(t.Context(), by, Organization{ID: "org1", AccountID: "a1"}, "a1", "Unit")
			return a.ID, err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if id, err := tt.add(&idStore{taken: map[string]bool{"old": true}}, inTurn("old", "new")); id != "new" || err != nil {
				t.Errorf("got %q, %v after one taken id, want it made anew", id, err)
			}
			_, err := tt.add(&idStore{taken: map[string]bool{"old": true}}, inTurn("old", "old", "old"))
			if f := fault.Of(err); f == nil || f.Kind != fault.Internal {
				t.Errorf("got %v after three taken ids, want fault.Internal", err)
			}
		})
	}
}

func TestATakenAddressIsSaid(t *testing.T) {
	s := &idStore{taken: map[string]bool{"ann@acme.example": true}}
	p := &People{Store: s, Passwords: NewPasswords(), NewID: inTurn("u1"), Now: time.Now}
	_, err := p.Add(t.Context(), Actor{}, NewUser{Email: "ann@acme.example", RealName: "Ann", Password: "correct horse"})
	if f := fault.Of(err); f == nil || f.Kind != fault.Exists || f.Field != "email" {
		t.Errorf("got %v, want fault.Exists at email", err)
	}
}
