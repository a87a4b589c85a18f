package gate_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
)

// A world is a database that several nodes ask, with a clock that moves when
// it is told to. Ada is a member of Acme, whose policy can be changed, and
// which manages her.
type world struct {
	session.Store

	mu        sync.Mutex
	now       time.Time
	bearers   map[[sha256.Size]byte]session.Bearer
	members   map[string]account.Member // by organization, all of them Ada's
	policies  map[string]policy.Policy
	suspended map[string]bool
	inGroup   bool
	left      []left
	asked     int    // how often a pass was read
	late      func() // runs between reading a pass and giving it
	broken    error  // what reading notes or passes comes to
}

// left is a note, and when it was written.
type left struct {
	gate.Note
	at time.Time
}

func newWorld() *world {
	return &world{
		now:       time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		bearers:   map[[sha256.Size]byte]session.Bearer{},
		members:   map[string]account.Member{"org1": {OrganizationID: "org1", UserID: "ada", SuperAdmin: true}},
		policies:  map[string]policy.Policy{},
		suspended: map[string]bool{},
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// Tx runs fn.
func (w *world) Tx(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

// AddToken keeps a token of somebody who is active.
func (w *world) AddToken(_ context.Context, t session.Token) error {
	w.bearers[t.Hash] = session.Bearer{
		Token: t, User: account.User{ID: t.UserID, State: account.ActiveUser, ManagingOrganizationID: "org1"},
		MethodUsable: true, Linked: true,
	}
	return nil
}

// bearer makes a token of Ada and gives its text and its hash.
func (w *world) bearer(t testing.TB, edit func(*session.Bearer)) (text string, hash [sha256.Size]byte) {
	t.Helper()
	tokens := &session.Tokens{Store: w, Lifetime: 24 * time.Hour, Now: w.clock}
	text, made, err := tokens.Issue(t.Context(), session.Grant{UserID: "ada", Method: session.Method{Kind: session.Password}, LoggedIn: w.clock()})
	if err != nil {
		t.Fatal(err)
	}
	b := w.bearers[made.Hash]
	if edit != nil {
		edit(&b)
	}
	w.bearers[made.Hash] = b
	return text, made.Hash
}

// Pass implements gate.Store.
func (w *world) Pass(_ context.Context, hash [sha256.Size]byte, where gate.Where) (gate.Pass, error) {
	p, err := w.read(hash, where)
	if w.late != nil {
		w.late()
	}
	return p, err
}

func (w *world) read(hash [sha256.Size]byte, where gate.Where) (gate.Pass, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if w.broken != nil {
		return gate.Pass{}, w.broken
	}
	b, there := w.bearers[hash]
	if !there {
		return gate.Pass{}, fault.NotFound.Errorf("There is no such token.")
	}
	p := gate.Pass{Bearer: b}
	if m, is := w.members[where.OrganizationID]; is {
		p.Member, p.Place = m, w.place(where.OrganizationID)
	}
	return p, nil
}

func (w *world) place(id string) policy.Place {
	kept, changed := w.policies[id]
	if !changed {
		kept = policy.Policy{OrganizationID: id, Rules: policy.Usual()}
	}
	return policy.Place{Organization: account.Organization{ID: id, Name: "Acme " + id, Suspended: w.suspended[id]}, Policy: kept, InGroup: w.inGroup}
}

// Places implements gate.Store.
func (w *world) Places(context.Context, string) ([]gate.Belonging, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return nil, w.broken
	}
	var all []gate.Belonging
	for _, id := range []string{"org1", "org2", "org3", "org4"} {
		if m, is := w.members[id]; is {
			all = append(all, gate.Belonging{Place: w.place(id), Member: m, Managed: id == "org1"})
		}
	}
	return all, nil
}

// change changes something, and leaves a note that was written a while before.
func (w *world) change(written time.Duration, key string, change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	w.left = append(w.left, left{gate.Note{ID: fmt.Sprint(len(w.left)), Key: key}, w.now.Add(-written)})
}

// Notes implements gate.Notes.
func (w *world) Notes(_ context.Context, within time.Duration) ([]gate.Note, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return nil, w.broken
	}
	var all []gate.Note
	for _, n := range w.left {
		if !n.at.Before(w.now.Add(-within)) {
			all = append(all, n.Note)
		}
	}
	return all, nil
}

// edit changes a token.
func (w *world) edit(hash [sha256.Size]byte, edit func(*session.Bearer)) func() {
	return func() {
		b := maps.Clone(w.bearers)[hash]
		edit(&b)
		w.bearers[hash] = b
	}
}

// node is a gate in front of the world, which knows of all changes so far.
func (w *world) node(t testing.TB) *gate.Gate {
	t.Helper()
	g := &gate.Gate{Store: w, Cache: &gate.Cache{Now: w.clock}, Now: w.clock}
	w.follow(t, g)
	return g
}

func (w *world) follow(t testing.TB, g *gate.Gate) {
	t.Helper()
	if err := g.Cache.Follow(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

// enter asks to read an organization.
func enter(t testing.TB, g *gate.Gate, token, org string) error {
	t.Helper()
	_, err := g.Admit(t.Context(), gate.Request{Token: token, Need: account.ReadOrganization, OrganizationID: org})
	return err
}
