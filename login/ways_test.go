package login_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/session"
	"gatehouse/sso"
	"gatehouse/store"
)

// wayIDs lists the ways of a person, those that cannot be used in brackets.
func (w *world) wayIDs(present session.Bearer) (ids []string) {
	w.t.Helper()
	ways, err := w.Ways(context.Background(), present)
	must(w.t, err)
	for _, way := range ways {
		id := way.ID
		if !way.Usable {
			id = "(" + id + ")"
		}
		ids = append(ids, id)
	}
	return ids
}

// linked gives the administrator, logged in by password, a link to Acme's IdP.
func linked(w *world) *linker {
	w.t.Helper()
	l := newLinker(w)
	step, err := l.finish(l.begin(boss), true)
	must(w.t, err)
	if step.Done == nil {
		w.t.Fatal("the administrator is not linked")
	}
	return l
}

// manage lets Acme manage the person, by rules that differ from the usual ones.
func (w *world) manage(l *linker, change func(*policy.Rules)) {
	w.t.Helper()
	l.present.User.ManagingOrganizationID = w.acme.ID
	rules := policy.Usual()
	change(&rules)
	must(w.t, w.db.SavePolicy(context.Background(), policy.Policy{OrganizationID: w.acme.ID, Rules: rules, UpdatedAt: w.now()}))
}

// bearerOf gives what a session's token is worth, or why nothing.
func (w *world) bearerOf(text string) (session.Bearer, error) {
	v, err := w.gate.Admit(context.Background(), gate.Request{Token: text, Need: account.ReadSelf})
	return v.Bearer, err
}

// byIdP logs somebody in through Acme's IdP.
func (w *world) byIdP() (text string, present session.Bearer) {
	w.t.Helper()
	out, err := w.login(sso.ToLogin, boss, browser())
	must(w.t, err)
	present, err = w.bearerOf(out.Text)
	must(w.t, err)
	return out.Text, present
}

func TestWaysSayWhereTheyLead(t *testing.T) {
	w := newWorld(t)
	l := linked(w)
	got, err := w.Ways(context.Background(), l.present)
	must(t, err)
	want := []login.Way{
		{
			ID: login.PasswordWay, Kind: session.Password, Email: adminMail, Usable: true, Current: true,
			CreatedAt: l.present.User.CreatedAt, LastUsedAt: w.now(), LastIP: client.IP,
		},
		{
			ID: w.sso.ID, Kind: session.SAML, Name: w.sso.Name, Organization: "Acme", OrganizationID: w.acme.ID, AccountID: w.acme.AccountID,
			Email: "boss@acme.test", Subject: "boss", Usable: true, CreatedAt: w.now(), LastUsedAt: w.now(), LastIP: client.IP,
		},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("the ways differ (-want +got):\n%s", diff)
	}
	_, present := w.byIdP()
	got, err = w.Ways(context.Background(), present)
	must(t, err)
	if got[0].Current || !got[1].Current {
		t.Errorf("got %+v, want the identity provider to be the current way", got)
	}
}

func TestAWayThatIsCutTakesItsTokensAlong(t *testing.T) {
	w := newWorld(t)
	l := linked(w)
	text, _ := w.byIdP()
	ended, err := w.Unlink(context.Background(), l.present, w.sso.ID, "", nil, client)
	must(t, err)
	if ended {
		t.Error("cutting the identity provider ended a session by password")
	}
	_, err = w.bearerOf(text)
	wantCode(t, err, fault.Unauthenticated, "authentication_failed")
	if diff := cmp.Diff([]string{login.PasswordWay}, w.wayIDs(l.present)); diff != "" {
		t.Errorf("the ways differ (-want +got):\n%s", diff)
	}
	flow, err := w.post(w.answer(w.start(sso.ToLogin, l.b), boss))
	must(t, err)
	_, err = w.finish(flow, l.b)
	wantCode(t, err, fault.Denied, "unknown_user_sso_login_attempt")
	_, err = w.Unlink(context.Background(), l.present, w.sso.ID, "", nil, client)
	wantCode(t, err, fault.NotFound, "authentication_method_not_found")
	list, err := w.Audit.List(context.Background(), audit.Filter{OrganizationID: w.acme.ID, Action: audit.IdentityUnlink}, audit.Page{Size: 1})
	must(t, err)
	e := list.Events[0]
	if want := (audit.Details{"method": "saml", "authentication_method_id": w.sso.ID, "tokens": "1"}); !cmp.Equal(e.Details, want) {
		t.Errorf("got the event %v, want %v", e.Details, want)
	}
}

func TestWhoseLinkItIsAndWhoManagesThePersonAreBothTold(t *testing.T) {
	w := newWorld(t)
	l := linked(w)
	other, err := w.orgs.Add(context.Background(), w.admin, "Other", "")
	must(t, err)
	l.present.User.ManagingOrganizationID = other.ID
	_, err = w.Unlink(context.Background(), l.present, w.sso.ID, "", nil, client)
	must(t, err)
	for _, o := range []account.Organization{w.acme, other} {
		list, err := w.Audit.List(context.Background(), audit.Filter{OrganizationID: o.ID, Action: audit.IdentityUnlink}, audit.Page{Size: 10})
		must(t, err)
		if len(list.Events) != 1 {
			t.Errorf("got %d events in the log of %s, want 1", len(list.Events), o.Name)
		}
	}
}

func TestASessionThatWasEndedMakesNoMoreTokens(t *testing.T) {
	w := newWorld(t)
	l := linked(w)
	holder := session.Holder{Actor: account.Actor{User: l.present.User}, Token: l.present.Token}
	_, err := w.Unlink(context.Background(), l.present, login.PasswordWay, "", nil, client)
	must(t, err)
	_, _, err = w.Tokens.Create(context.Background(), holder, session.New{Description: "of a request that was let in before"})
	wantCode(t, err, fault.Unauthenticated, "authentication_failed")
}

func TestAPasswordThatIsCutLogsNobodyIn(t *testing.T) {
	w := newWorld(t)
	l := linked(w)
	b := browser()
	flow, err := w.AnswerPassword(context.Background(), adminMail, adminPassword, b, "", client)
	must(t, err)
	ended, err := w.Unlink(context.Background(), l.present, login.PasswordWay, "", nil, client)
	must(t, err)
	if !ended {
		t.Error("the session by password is said to stay")
	}
	_, err = w.Finish(context.Background(), login.Finish{FlowID: flow, Browser: b, Client: client})
	if err == nil {
		t.Error("a login that was under way when its password was cut made a session")
	}
	_, _, _, err = w.PasswordToken(context.Background(), adminMail, adminPassword, client)
	wantCode(t, err, fault.Denied, "authentication_failed")
}

// cutting is a store in which somebody cuts a password just after it was
// checked.
type cutting struct {
	*store.Store
	userID string
}

func (c cutting) UserWithPassword(ctx context.Context, email string) (account.User, string, error) {
	u, hash, err := c.Store.UserWithPassword(ctx, email)
	if err == nil {
		_, err = c.Store.CutPassword(ctx, c.userID)
	}
	return u, hash, err
}

func TestAPasswordThatIsCutWhileItIsCheckedLogsNobodyIn(t *testing.T) {
	w := newWorld(t)
	w.Login.Store = cutting{w.db, w.admin.User.ID}
	_, _, _, err := w.PasswordToken(context.Background(), adminMail, adminPassword, client)
	wantCode(t, err, fault.Denied, "authentication_failed")
}

func TestTheLastWayThatCanBeUsedStays(t *testing.T) {
	off := false
	for _, c := range []struct {
		name    string
		prepare func(w *world, l *linker)
		cut     func(w *world) string
		stays   bool
	}{
		{"one of two may go", func(*world, *linker) {}, func(w *world) string { return w.sso.ID }, false},
		{"the last may not", func(w *world, l *linker) {
			_, err := w.Unlink(context.Background(), l.present, w.sso.ID, "", nil, client)
			must(w.t, err)
		}, func(*world) string { return login.PasswordWay }, true},
		{"a disabled one is none to stay with", func(w *world, _ *linker) {
			_, err := w.idps.Update(context.Background(), w.admin, w.acme, w.sso.ID, sso.Change{Enabled: &off})
			must(w.t, err)
		}, func(*world) string { return login.PasswordWay }, true},
		{"a disabled one may go", func(w *world, _ *linker) {
			_, err := w.idps.Update(context.Background(), w.admin, w.acme, w.sso.ID, sso.Change{Enabled: &off})
			must(w.t, err)
		}, func(w *world) string { return w.sso.ID }, false},
		{"what the managing organization does not admit is none to stay with", func(w *world, l *linker) {
			w.manage(l, func(r *policy.Rules) { r.Password = false })
			if diff := cmp.Diff([]string{"(password)", w.sso.ID}, w.wayIDs(l.present)); diff != "" {
				w.t.Errorf("the ways differ (-want +got):\n%s", diff)
			}
		}, func(w *world) string { return w.sso.ID }, true},
		{"nor is a way whose logins would be stale at once", func(w *world, l *linker) {
			w.manage(l, func(r *policy.Rules) { r.Freshness = 24 * time.Hour })
		}, func(w *world) string { return w.sso.ID }, true},
		{"where logins may come from is not asked", func(w *world, l *linker) {
			w.manage(l, func(r *policy.Rules) { r.Ranges = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")} })
			if diff := cmp.Diff([]string{login.PasswordWay, w.sso.ID}, w.wayIDs(l.present)); diff != "" {
				w.t.Errorf("the ways differ (-want +got):\n%s", diff)
			}
		}, func(w *world) string { return w.sso.ID }, false},
		{"an own login is fresh by itself, however old the last one is", func(w *world, l *linker) {
			w.manage(l, func(r *policy.Rules) { r.Freshness = 24 * time.Hour })
			w.pass(48 * time.Hour)
			l.present.LoggedIn = w.now()
			if diff := cmp.Diff([]string{"(password)", w.sso.ID}, w.wayIDs(l.present)); diff != "" {
				w.t.Errorf("the ways differ (-want +got):\n%s", diff)
			}
		}, func(*world) string { return login.PasswordWay }, false},
		{"nor may the very last one, although it is disabled", func(w *world, l *linker) {
			_, err := w.Unlink(context.Background(), l.present, login.PasswordWay, "", nil, client)
			must(w.t, err)
			_, err = w.idps.Update(context.Background(), w.admin, w.acme, w.sso.ID, sso.Change{Enabled: &off})
			must(w.t, err)
		}, func(w *world) string { return w.sso.ID }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			l := linked(w)
			c.prepare(w, l)
			_, err := w.Unlink(context.Background(), l.present, c.cut(w), "", nil, client)
			if !c.stays {
				must(t, err)
				return
			}
			wantCode(t, err, fault.Conflict, "last_authentication_method")
		})
	}
}

func TestWhoMayCutAWay(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(w *world, b *session.Bearer)
		way      string // empty: Acme's IdP
		password string
		code     string // empty: they may
	}{
		{"a fresh login by password", func(*world, *session.Bearer) {}, "", "", ""},
		{"an old one", func(w *world, _ *session.Bearer) { w.pass(10*time.Minute + time.Second) }, "", "", "login_too_old"},
		{"an old one with the password", func(w *world, _ *session.Bearer) { w.pass(time.Hour) }, "", adminPassword, ""},
		{"with a wrong password", func(*world, *session.Bearer) {}, "", "wrong password", "authentication_failed"},
		{"a personal token", func(_ *world, b *session.Bearer) { b.Kind = session.PersonalToken }, "", "", "login_too_old"},
		{"a recovery", func(w *world, b *session.Bearer) { b.Method = session.Method{Kind: session.Recovery, ID: w.acme.ID} }, "", "", "login_too_old"},
		{"the link's own organization, which manages nobody", func(w *world, b *session.Bearer) { _, *b = w.byIdP() }, "", "", ""},
		{"another organization", func(w *world, b *session.Bearer) { _, *b = w.byIdP(); b.MethodOrganizationID = "org-other" }, "", "", "login_too_old"},
		{"an organization, of the password", func(w *world, b *session.Bearer) { _, *b = w.byIdP() }, login.PasswordWay, "", "login_too_old"},
		{"one that manages the person, of the password", func(w *world, b *session.Bearer) {
			_, *b = w.byIdP()
			b.User.ManagingOrganizationID = w.acme.ID
		}, login.PasswordWay, "", ""},
		{"an organization, of the password, that is typed", func(w *world, b *session.Bearer) { _, *b = w.byIdP() }, login.PasswordWay, adminPassword, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			present := linked(w).present
			c.change(w, &present)
			way := c.way
			if way == "" {
				way = w.sso.ID
			}
			_, err := w.Unlink(context.Background(), present, way, c.password, nil, client)
			if c.code == "" {
				must(t, err)
				return
			}
			wantCode(t, err, fault.Denied, c.code)
			if got := len(w.wayIDs(present)); got != 2 {
				t.Errorf("got %d ways after a refusal, want 2", got)
			}
		})
	}
}

func TestOfTwoWhoCutTheLastTwoWaysOneStays(t *testing.T) {
	w := newWorld(t)
	l := linked(w)
	errs := make(chan error, 2)
	for _, id := range []string{login.PasswordWay, w.sso.ID} {
		go func() {
			_, err := w.Unlink(context.Background(), l.present, id, "", nil, client)
			errs <- err
		}()
	}
	failed := 0
	for range 2 {
		if err := <-errs; err != nil {
			wantCode(t, err, fault.Conflict, "last_authentication_method")
			failed++
		}
	}
	if failed != 1 || len(w.wayIDs(l.present)) != 1 {
		t.Errorf("got %d refusals and the ways %v, want one of each", failed, w.wayIDs(l.present))
	}
}
