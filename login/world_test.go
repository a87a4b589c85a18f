package login_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/gate"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/internal/seal"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
	"gatehouse/store"
)

// A world is a broker with one organization, Acme, one identity provider, and
// one person, Alice, who is linked to it.
type world struct {
	*login.Login
	t     testing.TB
	db    *store.Store
	gate  *gate.Gate
	idps  *sso.IdPs
	orgs  *account.Organizations
	clock atomic.Int64 // moves what everybody takes for the time

	admin account.Actor
	acme  account.Organization
	idp   *demoidp.IdP
	sso   *sso.IdP
	alice demoidp.User
}

var client = login.Client{IP: netip.MustParseAddr("192.0.2.10"), UserAgent: "test"}

func newWorld(t testing.TB) *world {
	t.Helper()
	ctx, keys, log := context.Background(), seal.New(), slog.New(slog.NewTextHandler(io.Discard, nil))
	w := &world{t: t}
	w.clock.Store(time.Now().UnixMicro())
	db, err := store.Open(ctx, store.Config{Folder: t.TempDir(), Keys: keys, Log: log})
	must(t, err)
	t.Cleanup(func() { db.Close() })
	passwords := account.NewPasswords()
	events := &audit.Log{Store: db, Now: w.now, NewID: ident.UUID}
	people := &account.People{Store: db, Passwords: passwords, NewID: ident.Source("u"), Now: w.now, Audit: events}
	tokens := &session.Tokens{Store: db, Lifetime: 12 * time.Hour, Now: w.now, Audit: events}
	w.db, w.gate = db, &gate.Gate{Store: db, Now: w.now}
	w.orgs = &account.Organizations{Store: db, NewID: ident.Source("org"), NewAccountID: ident.Source("a"), Now: w.now, Audit: events}
	w.idps = &sso.IdPs{Store: db, Keys: keys, Base: "http://127.0.0.1:8080", NewID: ident.Source("am"), Now: w.now, Audit: events}
	w.Login = &login.Login{
		Store: db, Provider: &sso.Provider{Keys: keys}, Tokens: tokens, People: people, Passwords: passwords,
		Limits: &limit.Memory{Now: w.now}, Checks: limit.NewSlots(4, time.Second), Keys: keys, Base: "http://127.0.0.1:8080", Open: true, NewUserID: ident.Source("u"), Now: w.now, Log: log, Audit: events,
		Recovery: &login.Recovery{Store: db, Now: w.now, Audit: events},
	}
	w.Login.Traces = &login.Traces{
		Store: db, Provider: w.Login.Provider, IdPs: w.idps, Keys: keys, Limits: w.Login.Limits, Audit: events,
		NewID: ident.UUID, NewWords: ident.RandomWords, Now: w.now, KeepFor: 336 * time.Hour, KeepResponses: true,
	}
	_, err = people.AddOperator(ctx, account.NewUser{Email: "admin@acme.test", RealName: "Admin", Password: "correct horse"})
	must(t, err)
	u, err := db.UserByEmail(ctx, "admin@acme.test")
	must(t, err)
	w.admin = account.Actor{User: u}
	w.acme, err = w.orgs.Add(ctx, w.admin, "Acme", "")
	must(t, err)
	w.idp, w.sso = w.connect("https://idp.acme.test", w.acme)
	w.alice = demoidp.Acme()[0]
	w.link(w.alice, "alice@acme.test")
	return w
}

// connect makes an identity provider and introduces it to an organization.
func (w *world) connect(base string, org account.Organization) (*demoidp.IdP, *sso.IdP) {
	w.t.Helper()
	idp, err := demoidp.New(base)
	must(w.t, err)
	idp.Now = w.now
	name, metadata := "IdP of "+org.Name, string(idp.Metadata())
	m, err := w.idps.Create(context.Background(), w.admin, org, sso.New{Type: "saml", Change: sso.Change{
		Name: &name, Metadata: &metadata, Mapping: &sso.Mapping{Identity: "username"},
	}})
	must(w.t, err)
	idp.Register(demoidp.SP{EntityID: m.MetadataURL(), ACSURL: m.ACSURL()})
	return idp, m
}

// link makes an account that is linked to Acme's IdP.
func (w *world) link(u demoidp.User, email string) account.User {
	w.t.Helper()
	person := account.User{ID: ident.New("u"), Email: email, RealName: u.DisplayName(), State: account.ActiveUser, CreatedAt: w.now(), UpdatedAt: w.now()}
	must(w.t, w.db.AddUser(context.Background(), person, ""))
	must(w.t, w.db.AddIdentity(context.Background(), account.Identity{
		MethodID: w.sso.ID, SubjectKind: "attribute:username", Subject: u.Username, UserID: person.ID, CreatedAt: w.now(), LastUsedAt: w.now(),
	}))
	return person
}

func (w *world) now() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }

func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

// start begins a login at Acme's IdP.
func (w *world) start(p sso.Purpose, b *session.Browser) *sso.Request {
	w.t.Helper()
	_, r, err := w.Begin(context.Background(), w.sso.ID, p, b, "/profile", client)
	must(w.t, err)
	return r
}

// answer has somebody log in at the IdP, and gives the form that the browser
// posts.
func (w *world) answer(r *sso.Request, u demoidp.User) url.Values {
	w.t.Helper()
	_, form, err := w.idp.Answer(r.URL, u)
	must(w.t, err)
	return form
}

// post brings an answer to Acme's ACS.
func (w *world) post(form url.Values) (string, error) {
	out, err := w.AnswerSAML(context.Background(), w.sso.ID, form.Get("SAMLResponse"), form.Get("RelayState"), client)
	return out.FlowID, err
}

// finish ends a login in a browser in which nobody is logged in, and expects
// no question.
func (w *world) finish(flow string, b *session.Browser) (login.Outcome, error) {
	w.t.Helper()
	step, err := w.Finish(context.Background(), login.Finish{FlowID: flow, Browser: b, Client: client})
	if err != nil {
		return login.Outcome{}, err
	}
	if step.Done == nil {
		w.t.Fatalf("got the question %+v, want a session", step.Ask)
	}
	return *step.Done, nil
}

// login does all of a login through the IdP.
func (w *world) login(p sso.Purpose, u demoidp.User, b *session.Browser) (login.Outcome, error) {
	w.t.Helper()
	flow, err := w.post(w.answer(w.start(p, b), u))
	must(w.t, err)
	return w.finish(flow, b)
}

func browser() *session.Browser { return &session.Browser{Secret: ident.Secret(32)} }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantCode fails unless err is a fault of that kind with that code.
func wantCode(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if !errors.Is(err, kind) || fault.Of(err).Code != code {
		t.Errorf("got %v (%s), want %s with code %s", err, fault.Of(err).Code, kind, code)
	}
}
