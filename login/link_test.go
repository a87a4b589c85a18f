package login_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

// A linker is a person with a session by password, and their browser.
type linker struct {
	*world
	b       *session.Browser
	present session.Bearer
}

// newLinker logs the administrator in.
func newLinker(w *world) *linker { return w.linkerOf(adminMail) }

// unprovedLinker logs a member in whose address nobody proved.
func (w *world) unprovedLinker(email string) *linker {
	w.t.Helper()
	ctx := context.Background()
	hash, err := w.Passwords.Hash(ctx, adminPassword)
	must(w.t, err)
	u := account.User{ID: ident.New("u"), Email: email, RealName: "Somebody", State: account.ActiveUser, CreatedAt: w.now(), UpdatedAt: w.now()}
	must(w.t, w.db.AddUser(ctx, u, hash))
	must(w.t, w.db.AddMember(ctx, account.Member{OrganizationID: w.acme.ID, UserID: u.ID, JoinedAt: w.now()}))
	return w.linkerOf(email)
}

// linkerOf logs somebody in who has the administrator's password.
func (w *world) linkerOf(email string) *linker {
	w.t.Helper()
	l := &linker{world: w, b: browser()}
	flow, err := w.AnswerPassword(context.Background(), email, adminPassword, l.b, "", client)
	must(w.t, err)
	out, err := w.finish(flow, l.b)
	must(w.t, err)
	visit, err := w.gate.Admit(context.Background(), gate.Request{Token: out.Text, Need: account.ReadSelf})
	l.present = visit.Bearer
	must(w.t, err)
	return l
}

// begin starts a link, and has somebody answer at the IdP.
func (l *linker) begin(who demoidp.User) string {
	l.t.Helper()
	_, r, err := l.BeginLink(context.Background(), l.sso.ID, l.present, "", l.b, client)
	must(l.t, err)
	flow, err := l.post(l.answer(r, who))
	must(l.t, err)
	return flow
}

// finish ends the link; confirmed says yes to what is asked.
func (l *linker) finish(flow string, confirmed bool) (login.Step, error) {
	in := login.Finish{FlowID: flow, Browser: l.b, Client: client, Present: l.present}
	step, err := l.Finish(context.Background(), in)
	if !confirmed || step.Ask == nil {
		return step, err
	}
	in.Yes = step.Ask.Key()
	return l.Finish(context.Background(), in)
}

var boss = demoidp.User{Username: "boss", Email: "boss@acme.test", FirstName: "The", LastName: "Boss"}

func TestAPersonLinksTheirAccount(t *testing.T) {
	l := newLinker(newWorld(t))
	flow := l.begin(boss)
	step, err := l.finish(flow, false)
	must(t, err)
	if step.Ask == nil || step.Ask.Kind != login.AskLink || step.Ask.Subject != "boss" || step.Ask.As != "The Boss (boss@acme.test)" {
		t.Fatalf("got %+v, want to be asked about The Boss", step.Ask)
	}
	step, err = l.finish(flow, true)
	must(t, err)
	if step.Done == nil || !step.Done.Linked || step.Done.Text != "" || step.Done.ReturnTo != "/profile" {
		t.Errorf("got %+v, want a link, no new session, and /profile", step.Done)
	}
	out, err := l.login(sso.ToLogin, boss, browser())
	must(t, err)
	if out.User.ID != l.admin.User.ID {
		t.Errorf("the linked subject logs in as %s, want %s", out.User.Email, adminMail)
	}
	// Linking once more changes nothing and is no error.
	if step, err = l.finish(l.begin(boss), false); err != nil || step.Done == nil {
		t.Errorf("again: got %+v, %v; want done", step, err)
	}
}

func TestALinkIsForItsOwnSessionAlone(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(l *linker)
	}{
		{"nobody is logged in", func(l *linker) { l.present = session.Bearer{} }},
		{"another session of the same person", func(l *linker) { l.present.Hash = sha256.Sum256([]byte("another")) }},
		{"somebody else was logged in in between", func(l *linker) {
			l.present = session.Bearer{Token: session.Token{Hash: sha256.Sum256([]byte("theirs"))}, User: account.User{ID: "u2"}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLinker(newWorld(t))
			flow := l.begin(boss)
			c.spoil(l)
			for _, confirmed := range []bool{false, true} {
				_, err := l.finish(flow, confirmed)
				wantCode(t, err, fault.Denied, "link_in_another_session")
			}
			l.nobodyIsLinked(t)
		})
	}
	t.Run("another browser", func(t *testing.T) {
		l := newLinker(newWorld(t))
		flow := l.begin(boss)
		l.b = browser()
		_, err := l.finish(flow, true)
		wantCode(t, err, fault.Denied, "login_in_another_browser")
		l.nobodyIsLinked(t)
	})
	t.Run("twice", func(t *testing.T) {
		l := newLinker(newWorld(t))
		flow := l.begin(boss)
		_, err := l.finish(flow, true)
		must(t, err)
		_, err = l.finish(flow, true)
		wantCode(t, err, fault.NotFound, "login_expired")
	})
}

func (l *linker) nobodyIsLinked(t *testing.T) {
	t.Helper()
	if _, err := l.db.UserByIdentity(context.Background(), l.sso.ID, "attribute:username", "boss"); !errors.Is(err, fault.NotFound) {
		t.Errorf("got %v, want nobody to be linked", err)
	}
}

func TestASubjectThatIsLinkedElsewhereStaysThere(t *testing.T) {
	l := newLinker(newWorld(t))
	flow := l.begin(l.alice)
	for _, confirmed := range []bool{false, true} {
		_, err := l.finish(flow, confirmed)
		wantCode(t, err, fault.Denied, "identity_linked_elsewhere")
	}
	u, err := l.db.UserByIdentity(context.Background(), l.sso.ID, "attribute:username", "alice")
	must(t, err)
	if u.Email != "alice@acme.test" {
		t.Errorf("alice's subject belongs to %s now", u.Email)
	}
}

func TestWhoMayLink(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(l *linker)
		password string
		code     string
	}{
		{"a fresh login with a password", func(*linker) {}, "", ""},
		{"five minutes old", func(l *linker) { l.pass(5 * time.Minute) }, "", ""},
		{"older", func(l *linker) { l.pass(5*time.Minute + time.Second) }, "", "login_too_old"},
		{"older, with the password", func(l *linker) { l.pass(time.Hour) }, adminPassword, ""},
		{"older, with a wrong one", func(l *linker) { l.pass(time.Hour) }, "wrong", "authentication_failed"},
		{"through an IdP that does not manage the person", func(l *linker) {
			l.present.Method = session.Method{Kind: session.SAML, ID: l.sso.ID}
		}, "", "login_too_old"},
		{"through the IdP of whoever manages the person", func(l *linker) {
			l.present.Method = session.Method{Kind: session.SAML, ID: l.sso.ID}
			l.present.User.ManagingOrganizationID = l.acme.ID
		}, "", ""},
		{"by another organization's IdP", func(l *linker) {
			other, err := l.orgs.Add(context.Background(), l.admin, "Other", "")
			must(l.t, err)
			_, m := l.connect("https://idp.other.test", other)
			l.present.Method = session.Method{Kind: session.SAML, ID: m.ID}
			l.present.User.ManagingOrganizationID = l.acme.ID
		}, "", "login_too_old"},
		{"by a way that is not known", func(l *linker) { l.present.Method = session.Method{Kind: "recovery"} }, "", "login_too_old"},
		{"not a member", func(l *linker) { l.present.User = l.link(demoidp.User{Username: "x"}, "x@acme.test") }, "", "not_a_member"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLinker(newWorld(t))
			c.change(l)
			_, _, err := l.BeginLink(context.Background(), l.sso.ID, l.present, c.password, l.b, client)
			if c.code == "" {
				must(t, err)
				return
			}
			wantCode(t, err, fault.Denied, c.code)
		})
	}
}

// Between the start and the answer the organization may have let the person
// go, or disabled the provider.
func TestALinkIsJudgedAgainAtItsEnd(t *testing.T) {
	l := newLinker(newWorld(t))
	flow := l.begin(boss)
	off := false
	_, err := l.idps.Update(context.Background(), l.admin, l.acme, l.sso.ID, sso.Change{Enabled: &off})
	must(t, err)
	_, err = l.finish(flow, true)
	wantCode(t, err, fault.Denied, "authentication_method_disabled")
	l.nobodyIsLinked(t)
}
