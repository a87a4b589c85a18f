package login_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/mail"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

var dora = demoidp.User{Username: "dora", Email: "dora@acme.test", FirstName: "Dora", LastName: "Dale"}

// holds makes the account that has Dora's address, with a password, as edit
// would have it.
func (w *world) holds(edit func(*account.User)) account.User {
	w.t.Helper()
	hash, err := w.Passwords.Hash(w.t.Context(), adminPassword)
	must(w.t, err)
	u := account.User{ID: ident.New("u"), Email: dora.Email, RealName: "Somebody", State: account.ActiveUser, CreatedAt: w.now(), UpdatedAt: w.now()}
	if edit != nil {
		edit(&u)
	}
	must(w.t, w.db.AddUser(w.t.Context(), u, hash))
	return u
}

func proved(u *account.User) { u.AddressProved = true }

// elsewhere makes another organization, which somebody is in.
func (w *world) elsewhere(name string, u account.User, admin bool) account.Organization {
	w.t.Helper()
	w.pass(time.Second) // they are listed in the order of their making
	o := account.Organization{ID: ident.New("org"), AccountID: ident.New("a"), Name: name, Tier: "business", CreatedAt: w.now(), UpdatedAt: w.now()}
	must(w.t, w.db.AddOrganization(w.t.Context(), o, account.Account{ID: o.AccountID, OrganizationID: o.ID, Name: o.Name, CreatedAt: w.now(), UpdatedAt: w.now()}))
	must(w.t, w.db.AddMember(w.t.Context(), account.Member{OrganizationID: o.ID, UserID: u.ID, SuperAdmin: admin, JoinedAt: w.now()}))
	return o
}

// left is all that a login could have changed of an account.
func (w *world) left(userID string) []string {
	w.t.Helper()
	u, err := w.db.User(w.t.Context(), userID)
	must(w.t, err)
	has, err := w.db.HasPassword(w.t.Context(), userID)
	must(w.t, err)
	out := []string{u.Email, u.RealName, "managed by " + u.ManagingOrganizationID}
	if u.AddressProved {
		out = append(out, "proved")
	}
	if has {
		out = append(out, "password")
	}
	links, err := w.db.Links(w.t.Context(), userID)
	must(w.t, err)
	for _, l := range links {
		out = append(out, "linked to "+l.Name+" as "+l.Subject)
	}
	places, err := w.db.Memberships(w.t.Context(), userID)
	must(w.t, err)
	for _, p := range places {
		out = append(out, "in "+p.Name)
	}
	return out
}

// everywhere counts all events, also those of no organization.
func (w *world) everywhere() map[string]int {
	w.t.Helper()
	list, err := w.db.Events(w.t.Context(), audit.Filter{Everywhere: true}, "", 1000)
	must(w.t, err)
	out := map[string]int{}
	for _, e := range list {
		out[e.Action]++
	}
	return out
}

func TestARefusedLoginLeavesTheAccountAsItWas(t *testing.T) {
	for _, c := range []struct {
		name  string
		edit  func(u *account.User, other account.Organization)
		admin bool // of the other organization
		code  string
	}{
		{"managed by another organization", func(u *account.User, o account.Organization) {
			u.AddressProved, u.ManagingOrganizationID = true, o.ID
		}, false, "managed_elsewhere"},
		{"… and never proved", func(u *account.User, o account.Organization) { u.ManagingOrganizationID = o.ID }, false, "managed_elsewhere"},
		{"an operator", func(u *account.User, _ account.Organization) { u.AddressProved, u.Operator = true, true }, false, "own_login_required"},
		{"… and never proved", func(u *account.User, _ account.Organization) { u.Operator = true }, false, "own_login_required"},
		{"an admin of another organization", func(u *account.User, _ account.Organization) { u.AddressProved = true }, true, "own_login_required"},
		{"deactivated", func(u *account.User, _ account.Organization) { u.State = account.DeactivatedUser }, false, "user_deactivated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, inbox := newWorld(t), &box{}
			w.Mail = inbox
			w.speaks("acme.test", w.sso)
			other := w.elsewhere("Other", w.admin.User, true)
			u := w.holds(func(u *account.User) { c.edit(u, other) })
			must(t, w.db.AddMember(t.Context(), account.Member{OrganizationID: other.ID, UserID: u.ID, SuperAdmin: c.admin, JoinedAt: w.now()}))
			before, events := w.left(u.ID), w.everywhere()
			_, err := w.login(sso.ToLogin, dora, browser())
			wantCode(t, err, fault.Denied, c.code)
			if after := w.left(u.ID); !slices.Equal(before, after) {
				t.Errorf("got %v, want what it was: %v", after, before)
			}
			if after := w.everywhere(); !maps.Equal(events, after) || len(inbox.mails) > 0 {
				t.Errorf("got events %v and %d mails, want the events from before, %v, and none", after, len(inbox.mails), events)
			}
		})
	}
}

// A claimant is Dora, whose address somebody used before her, in an account
// that administers an organization by now.
type claimant struct {
	*world
	u    account.User
	own  account.Organization
	b    *session.Browser
	flow string
}

func newClaimant(t *testing.T) *claimant {
	w := newWorld(t)
	w.speaks("acme.test", w.sso)
	c := &claimant{world: w, u: w.holds(nil), b: browser()}
	c.own = w.elsewhere("Somebody's", c.u, true)
	var err error
	c.flow, err = w.post(w.answer(w.start(sso.ToLogin, c.b), dora))
	must(t, err)
	return c
}

func (c *claimant) say(yes string, present session.Bearer) (login.Step, error) {
	return c.Finish(c.t.Context(), login.Finish{FlowID: c.flow, Browser: c.b, Client: client, Present: present, Yes: yes})
}

// ask expects the question, with what the account leaves, and that asking
// changes nothing.
func (c *claimant) ask(yes string, present session.Bearer, loses ...string) login.Question {
	c.t.Helper()
	before, events := c.left(c.u.ID), c.everywhere()
	step, err := c.say(yes, present)
	must(c.t, err)
	if step.Ask == nil || step.Ask.Kind != login.AskClaim || step.Ask.As != dora.Email || !slices.Equal(step.Ask.Loses, loses) {
		c.t.Fatalf("got %+v, want to be asked about leaving %v", step.Ask, loses)
	}
	if after := c.left(c.u.ID); !slices.Equal(before, after) || !maps.Equal(events, c.everywhere()) {
		c.t.Errorf("asking left %v and the events %v, want %v and %v", after, c.everywhere(), before, events)
	}
	return *step.Ask
}

func TestAYesTakesAnAccountFromWhoeverMadeIt(t *testing.T) {
	c, inbox := newClaimant(t), &box{}
	c.Mail = inbox
	q := c.ask("", session.Bearer{}, "Somebody's")
	// Only a yes to this question counts.
	for _, other := range []login.Question{
		{Kind: login.AskAccept, MethodID: q.MethodID, As: q.As, Loses: q.Loses},
		{Kind: q.Kind, MethodID: q.MethodID, As: q.As},
		{Kind: q.Kind, MethodID: q.MethodID, As: q.As, Loses: []string{"Another"}},
		{Kind: q.Kind, MethodID: q.MethodID, As: "boss@acme.test", Loses: q.Loses},
	} {
		c.ask(other.Key(), session.Bearer{}, "Somebody's")
	}
	if len(inbox.mails) > 0 {
		t.Errorf("got %d mails of questions, want none", len(inbox.mails))
	}
	step, err := c.say(q.Key(), session.Bearer{})
	must(t, err)
	if step.Done == nil || step.Done.User.ID != c.u.ID {
		t.Fatalf("got %+v, want a session in the account", step)
	}
	want := []string{dora.Email, "Dora Dale", "managed by " + c.acme.ID, "proved", "linked to IdP of Acme as dora", "in Acme"}
	if got := c.left(c.u.ID); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(inbox.mails) != 1 || inbox.mails[0].Kind != mail.Linked || inbox.mails[0].To != dora.Email {
		t.Errorf("got mails %+v, want one that says that the account was linked", inbox.mails)
	}
	events, err := c.db.Events(t.Context(), audit.Filter{OrganizationID: c.own.ID, Action: audit.UserClaim}, "", 10)
	must(t, err)
	if len(events) != 1 || events[0].Details["super_admins_left"] != "0" || events[0].Actor.ID != "" {
		t.Errorf("got %+v, want one event by nobody of the organization that is left", events)
	}
	if got := c.actions(); got[audit.UserClaim] != 1 || got[audit.UserManage] != 1 || got[audit.IdentityLink] != 1 || got[audit.LoginSuccess] != 1 {
		t.Errorf("got %v, want an event of each step in Acme", got)
	}
}

func TestAYesCountsForTheAccountAsItWasShown(t *testing.T) {
	t.Run("it belongs to one more organization", func(t *testing.T) {
		c := newClaimant(t)
		q := c.ask("", session.Bearer{}, "Somebody's")
		c.elsewhere("Zebra", c.u, false)
		c.ask(q.Key(), session.Bearer{}, "Somebody's", "Zebra")
	})
	t.Run("its address was proved", func(t *testing.T) {
		c := newClaimant(t)
		q := c.ask("", session.Bearer{}, "Somebody's")
		must(t, c.db.ProveAddress(t.Context(), c.u.ID, c.u.Email, c.now()))
		_, err := c.say(q.Key(), session.Bearer{})
		wantCode(t, err, fault.Denied, "own_login_required")
	})
	t.Run("another organization manages it", func(t *testing.T) {
		c := newClaimant(t)
		q := c.ask("", session.Bearer{}, "Somebody's")
		must(t, c.db.Manage(t.Context(), c.u.ID, c.own.ID, c.now()))
		_, err := c.say(q.Key(), session.Bearer{})
		wantCode(t, err, fault.Denied, "managed_elsewhere")
	})
	t.Run("somebody logged in to the browser", func(t *testing.T) {
		c := newClaimant(t)
		q := c.ask("", session.Bearer{}, "Somebody's")
		boss := newLinker(c.world).present
		q = c.ask(q.Key(), boss, "Somebody's")
		if q.Present.ID != boss.User.ID {
			t.Errorf("got %+v, want to be told who is logged in", q.Present)
		}
		step, err := c.say(q.Key(), boss)
		must(t, err)
		if step.Done == nil || step.Done.User.ID != c.u.ID {
			t.Errorf("got %+v, want no second question", step)
		}
	})
}

func TestAYesToAClaimConfirmsALoginThatStartedAtTheIdP(t *testing.T) {
	c := newClaimant(t)
	c.admit(true, sso.Accept)
	_, form, err := c.idp.Start(c.sso.MetadataURL(), "", dora)
	must(t, err)
	c.flow, err = c.post(form)
	must(t, err)
	q := c.ask("", session.Bearer{}, "Somebody's")
	step, err := c.say(q.Key(), session.Bearer{})
	must(t, err)
	if step.Done == nil {
		t.Errorf("got %+v, want a session", step)
	}
}

func TestNothingThatWaitedOutlivesAClaim(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	u := w.holds(nil)
	_, text, _, err := w.PasswordToken(ctx, u.Email, adminPassword, client)
	must(t, err)
	by, err := w.bearerOf(text)
	must(t, err)
	personal, _, err := w.Tokens.Create(ctx, session.Holder{Actor: account.Actor{User: u}, Token: by.Token}, session.New{Description: "kept"})
	must(t, err)
	_, err = w.bearerOf(personal)
	must(t, err)
	approved, err := w.BeginDevice(ctx, "robot", program)
	must(t, err)
	must(t, w.AnswerDevice(ctx, approved.UserCode, true, by, client))
	a, err := login.NewAuthorization(asked())
	must(t, err)
	code, err := w.Authorize(ctx, a, by, client)
	must(t, err)
	mailed := account.AddressCode{Hash: [32]byte{1}, UserID: u.ID, Email: u.Email, CreatedAt: w.now(), ExpiresAt: w.now().Add(time.Hour), ForgetAt: w.now().Add(2 * time.Hour)}
	must(t, w.db.AddAddressCode(ctx, mailed))

	w.speaks("acme.test", w.sso)
	out, err := w.login(sso.ToLogin, dora, browser())
	must(t, err)
	if out.User.ID != u.ID {
		t.Fatalf("got %+v, want the account with the address", out.User)
	}
	for name, token := range map[string]string{"session": text, "personal token": personal} {
		if _, err := w.bearerOf(token); err == nil {
			t.Errorf("the stranger's %s counts still", name)
		}
	}
	if _, err := w.RedeemDevice(ctx, approved.DeviceCode, program); err == nil {
		t.Error("the program that the stranger approved is let in")
	}
	if _, err := w.RedeemCode(ctx, code, verifier, callback, program); err == nil {
		t.Error("the program that waited in the stranger's browser is let in")
	}
	if _, err := w.db.UseAddressCode(ctx, mailed.Hash, w.now()); err == nil {
		t.Error("the code that was mailed for the stranger counts still")
	}
}

// Two tabs of somebody new make one account.
func TestTwoFirstLoginsAtOnceMakeOneAccount(t *testing.T) {
	w := newWorld(t)
	w.speaks("acme.test", w.sso)
	var flows []string
	var browsers []*session.Browser
	for i := range 4 {
		browsers = append(browsers, browser())
		flow, err := w.post(w.answer(w.start(sso.ToLogin, browsers[i]), dora))
		must(t, err)
		flows = append(flows, flow)
	}
	ids := make([]string, len(flows))
	var logins sync.WaitGroup
	for i := range flows {
		logins.Go(func() {
			step, err := w.Finish(context.Background(), login.Finish{FlowID: flows[i], Browser: browsers[i], Client: client})
			if err != nil || step.Done == nil {
				t.Errorf("got %+v, %v; want a session", step, err)
				return
			}
			ids[i] = step.Done.User.ID
		})
	}
	logins.Wait()
	if len(slices.Compact(ids)) != 1 {
		t.Errorf("got the accounts %v, want one", ids)
	}
	if got := w.actions(); got[audit.UserProvision] != 1 || got[audit.LoginSuccess] != len(flows) {
		t.Errorf("got %v, want one account made, and %d logins", got, len(flows))
	}
}

func TestANameThatChangesIsNobodys(t *testing.T) {
	w := newWorld(t)
	w.speaks("acme.test", w.sso)
	u := w.holds(proved)
	none := sso.Mapping{}
	_, err := w.idps.Update(t.Context(), w.admin, w.acme, w.sso.ID, sso.Change{Mapping: &none})
	must(t, err)
	w.idp.Misbehave = func(r *demoidp.Response) { r.Subject.Format = demoidp.Transient }
	_, err = w.post(w.answer(w.start(sso.ToLogin, browser()), dora))
	wantCode(t, err, fault.Denied, "no_identity")
	if links, err := w.db.Links(t.Context(), u.ID); err != nil || len(links) > 0 {
		t.Errorf("got %v, %v; want nobody linked", links, err)
	}
}

func TestAnAddressIsProvedAlsoWhereItsOrganizationManagesItAlready(t *testing.T) {
	w := newWorld(t)
	w.speaks("acme.test", w.sso)
	u := w.holds(func(u *account.User) { u.ManagingOrganizationID = w.acme.ID })
	_, err := w.login(sso.ToLogin, dora, browser())
	must(t, err)
	want := []string{dora.Email, "Dora Dale", "managed by " + w.acme.ID, "proved", "linked to IdP of Acme as dora", "in Acme"}
	if got := w.left(u.ID); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
