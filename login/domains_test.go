package login_test

import (
	"slices"
	"testing"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/session"
	"gatehouse/sso"
)

// follows has Acme's identity provider fill groups, bring people to one, and
// speak for acme.test.
func (w *world) follows(auto string, followed ...string) (ids map[string]string) {
	w.t.Helper()
	ids = map[string]string{}
	for _, name := range append([]string{auto}, followed...) {
		g := account.Group{ID: ident.New("ug"), OrganizationID: w.acme.ID, Name: name, IdPManaged: name != auto, CreatedAt: w.now(), UpdatedAt: w.now()}
		must(w.t, w.db.AddGroup(w.t.Context(), g))
		ids[name] = g.ID
	}
	join, yes := ids[auto], true
	_, err := w.idps.Update(w.t.Context(), w.admin, w.acme, w.sso.ID, sso.Change{AutoJoinGroupID: &join, JoinGroups: &yes})
	must(w.t, err)
	w.speaks("acme.test", w.sso)
	return ids
}

// in lists the groups of Acme that somebody is in, by name.
func (w *world) in(userID string, ids map[string]string) (names []string) {
	w.t.Helper()
	for name, id := range ids {
		is, err := w.db.InGroup(w.t.Context(), id, userID)
		must(w.t, err)
		if is {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestANewPersonComesInByTheirAddress(t *testing.T) {
	w := newWorld(t)
	ids := w.follows("Everybody", "Engineering", "Admins", "Sales")
	dora := demoidp.User{Username: "dora", Email: "Dora@ACME.test", FirstName: "Dora", LastName: "Dale", Groups: []string{"ENGINEERING", "admins", "nobody's"}}
	out, err := w.login(sso.ToLogin, dora, browser())
	must(t, err)
	u, err := w.db.User(t.Context(), out.User.ID)
	must(t, err)
	if u.Email != "dora@acme.test" || u.RealName != "Dora Dale" || !u.AddressProved || u.ManagingOrganizationID != w.acme.ID {
		t.Errorf("got %+v, want a proved and managed person as the identity provider has her", u)
	}
	if got, want := w.in(u.ID, ids), []string{"Admins", "Engineering", "Everybody"}; !slices.Equal(got, want) {
		t.Errorf("got groups %v, want %v", got, want)
	}
	actions := w.actions()
	if actions[audit.UserProvision] != 1 || actions[audit.UserSignUp] != 0 || actions[audit.GroupAddMembers] != 2 || actions[audit.LoginSuccess] != 1 {
		t.Errorf("got events %v, want one account made, two groups joined, one login", actions)
	}
	dora.Groups, dora.LastName, dora.Email = []string{"Sales"}, "Daly", "dora.daly@acme.test"
	again, err := w.login(sso.ToLogin, dora, browser())
	must(t, err)
	if again.User.ID != u.ID || again.User.Email != "dora.daly@acme.test" || again.User.RealName != "Dora Daly" {
		t.Errorf("got %+v, want the same person under her new name", again.User)
	}
	if got, want := w.in(u.ID, ids), []string{"Everybody", "Sales"}; !slices.Equal(got, want) {
		t.Errorf("got groups %v, want %v", got, want)
	}
	if n := w.actions()[audit.UserFollow]; n != 1 {
		t.Errorf("got %d events of following, want 1", n)
	}
	// Another domain is not Acme's to give.
	dora.Email = "dora@elsewhere.test"
	third, err := w.login(sso.ToLogin, dora, browser())
	must(t, err)
	if third.User.ID != u.ID || third.User.Email != "dora.daly@acme.test" {
		t.Errorf("got %+v, want the address to stay", third.User)
	}
}

func TestARefusalLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.follows("Everybody", "Engineering")
	before := w.actions()
	// The operator of this server has an address at acme.test.
	mallory := demoidp.User{Username: "mallory", Email: "admin@acme.test", Groups: []string{"Engineering"}}
	for range 2 {
		_, err := w.login(sso.ToLogin, mallory, browser())
		wantCode(t, err, fault.Denied, "own_login_required")
	}
	links, err := w.db.Links(t.Context(), w.admin.User.ID)
	must(t, err)
	if len(links) != 0 {
		t.Errorf("got links %v, want none", links)
	}
	after := w.actions()
	for action, n := range after {
		if n != before[action] {
			t.Errorf("got %d events %s, want the %d from before", n, action, before[action])
		}
	}
}

func TestWhoeverMadeAnAccountWithAnAddressLosesIt(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	// Somebody signs up as Dora, with a password and two sessions; and another
	// organization's identity provider is linked to the account, too.
	u, err := w.People.Add(ctx, account.Actor{}, account.NewUser{Email: "dora@acme.test", RealName: "Not Dora", Password: "a long password"})
	must(t, err)
	_, text, _, err := w.PasswordToken(ctx, u.Email, "a long password", client)
	must(t, err)
	evil, err := w.orgs.Add(ctx, w.admin, "Evil", "")
	must(t, err)
	theirs, method := w.connect("https://idp.evil.test", evil)
	must(t, w.db.AddIdentity(ctx, account.Identity{MethodID: method.ID, SubjectKind: "attribute:username", Subject: "eve", UserID: u.ID, CreatedAt: w.now(), LastUsedAt: w.now()}))
	b := browser()
	waiting, err := w.AnswerPassword(ctx, u.Email, "a long password", b, "/profile", client)
	must(t, err)

	w.speaks("acme.test", w.sso)
	out, err := w.login(sso.ToLogin, demoidp.User{Username: "dora", Email: "dora@acme.test", FirstName: "Dora", LastName: "Dale"}, browser())
	must(t, err)
	if out.User.ID != u.ID || out.User.RealName != "Dora Dale" || out.User.ManagingOrganizationID != w.acme.ID {
		t.Errorf("got %+v, want the account with her address, as hers", out.User)
	}
	_, err = w.Password(ctx, u.Email, "a long password", nil, client)
	wantCode(t, err, fault.Denied, "authentication_failed")
	if _, err := w.bearerOf(text); err == nil {
		t.Error("the stranger's session counts still")
	}
	_, err = w.finish(waiting, b)
	wantCode(t, err, fault.NotFound, "login_expired")
	eve := demoidp.User{Username: "eve", Email: "eve@evil.test"}
	_, r, err := w.Begin(ctx, method.ID, sso.ToLogin, b, "/", client)
	must(t, err)
	_, form, err := theirs.Answer(r.URL, eve)
	must(t, err)
	answered, err := w.AnswerSAML(ctx, method.ID, form.Get("SAMLResponse"), form.Get("RelayState"), client)
	must(t, err)
	_, err = w.finish(answered.FlowID, b)
	wantCode(t, err, fault.Denied, "unknown_user_sso_login_attempt")
	if n := w.actions()[audit.UserClaim]; n != 1 {
		t.Errorf("got %d events of it, want 1", n)
	}
}

func TestASettingThatChangesUnderWayCounts(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.speaks("acme.test", w.sso)
	dora := demoidp.User{Username: "dora", Email: "dora@acme.test"}
	b := browser()
	flow, err := w.post(w.answer(w.start(sso.ToLogin, b), dora))
	must(t, err)
	d, err := w.db.Domain(ctx, w.acme.ID, "acme.test")
	must(t, err)
	_, err = w.db.UnlinkDomain(ctx, d.ID, w.sso.ID)
	must(t, err)
	_, err = w.finish(flow, b)
	wantCode(t, err, fault.Denied, "unknown_user_sso_login_attempt")
	_, err = w.db.LinkDomain(ctx, d.ID, w.sso.ID, w.now())
	must(t, err)
	out, err := w.finish(flow, b)
	must(t, err)
	if out.Token.Method != (session.Method{Kind: session.SAML, ID: w.sso.ID}) {
		t.Errorf("got a session by %+v, want one by Acme's identity provider", out.Token.Method)
	}
}

func TestAProvedAddressMayBeLinkedWithoutAMembership(t *testing.T) {
	dora := demoidp.User{Username: "dora", Email: "dora@acme.test", FirstName: "Dora", LastName: "Dale"}
	for _, c := range []struct {
		name   string
		proved bool
		speaks bool
		who    demoidp.User
		begin  string // the code of the refusal at the start, and at the end
		end    string
	}{
		{"proved, and the same address", true, true, dora, "", ""},
		{"not proved", false, true, dora, "not_a_member", ""},
		{"of a domain that nobody speaks for", true, false, dora, "not_a_member", ""},
		{"as somebody else there", true, true, boss, "", "not_a_member"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.speaks {
				w.speaks("acme.test", w.sso)
			}
			hash, err := w.Passwords.Hash(t.Context(), adminPassword)
			must(t, err)
			u := account.User{ID: ident.New("u"), Email: dora.Email, RealName: "Dora", State: account.ActiveUser, AddressProved: c.proved, CreatedAt: w.now(), UpdatedAt: w.now()}
			must(t, w.db.AddUser(t.Context(), u, hash))
			// An organization of her own keeps her from being linked by herself.
			own := account.Organization{ID: ident.New("org"), AccountID: ident.New("a"), Name: "Dora's", Tier: "business", CreatedAt: w.now(), UpdatedAt: w.now()}
			must(t, w.db.AddOrganization(t.Context(), own, account.Account{ID: own.AccountID, OrganizationID: own.ID, Name: own.Name, CreatedAt: w.now(), UpdatedAt: w.now()}))
			must(t, w.db.AddMember(t.Context(), account.Member{OrganizationID: own.ID, UserID: u.ID, SuperAdmin: true, JoinedAt: w.now()}))
			l := &linker{world: w, b: browser()}
			flow, err := w.AnswerPassword(t.Context(), u.Email, adminPassword, l.b, "", client)
			must(t, err)
			out, err := w.finish(flow, l.b)
			must(t, err)
			l.present, err = w.bearerOf(out.Text)
			must(t, err)
			_, r, err := l.BeginLink(t.Context(), w.sso.ID, l.present, "", l.b, client)
			if c.begin != "" {
				wantCode(t, err, fault.Denied, c.begin)
				return
			}
			must(t, err)
			answered, err := w.post(w.answer(r, c.who))
			must(t, err)
			_, err = l.finish(answered, true)
			if c.end != "" {
				wantCode(t, err, fault.Denied, c.end)
				return
			}
			must(t, err)
			_, err = w.db.Member(t.Context(), w.acme.ID, u.ID)
			must(t, err)
			again, err := w.login(sso.ToLogin, c.who, browser())
			must(t, err)
			if again.User.ID != u.ID || again.User.ManagingOrganizationID != "" {
				t.Errorf("got %+v, want her own account, which nobody manages", again.User)
			}
		})
	}
}

// TestTwoPeopleNeverShareAnAccount is about an address that is given to somebody
// new, and about somebody who can write another's address at the provider.
func TestTwoPeopleNeverShareAnAccount(t *testing.T) {
	w := newWorld(t)
	w.speaks("acme.test", w.sso)
	ctx := t.Context()
	// Dora has the address, a password, and a link to a second provider.
	hash, err := w.Passwords.Hash(ctx, adminPassword)
	must(t, err)
	u := account.User{ID: ident.New("u"), Email: "new@acme.test", RealName: "Dora", State: account.ActiveUser, AddressProved: true, CreatedAt: w.now(), UpdatedAt: w.now()}
	must(t, w.db.AddUser(ctx, u, hash))
	_, text, _, err := w.PasswordToken(ctx, u.Email, adminPassword, client)
	must(t, err)
	first, err := w.login(sso.ToLogin, demoidp.User{Username: "dora", Email: u.Email}, browser())
	must(t, err)
	_, other := w.connect("https://idp2.acme.test", w.acme)
	must(t, w.db.AddIdentity(ctx, account.Identity{MethodID: other.ID, SubjectKind: "k", Subject: "dora", UserID: u.ID, CreatedAt: w.now(), LastUsedAt: w.now()}))
	for _, text := range []string{text, first.Text} {
		_, err := w.bearerOf(text)
		must(t, err)
	}

	second, err := w.login(sso.ToLogin, demoidp.User{Username: "emil", Email: u.Email}, browser())
	must(t, err)
	if first.User.ID != u.ID || second.User.ID != u.ID {
		t.Errorf("got %s and %s, want the account of the address", first.User.ID, second.User.ID)
	}
	for _, text := range []string{text, first.Text} {
		if _, err := w.bearerOf(text); err == nil {
			t.Error("a session of who had the address before counts still")
		}
	}
	_, err = w.Password(ctx, u.Email, adminPassword, nil, client)
	wantCode(t, err, fault.Denied, "authentication_failed")
	links, err := w.db.Links(ctx, u.ID)
	must(t, err)
	if len(links) != 1 || links[0].Subject != "emil" || links[0].MethodID != w.sso.ID {
		t.Errorf("got links %v, want Emil's alone", links)
	}
	again, err := w.login(sso.ToLogin, demoidp.User{Username: "dora", Email: "dora@acme.test"}, browser())
	must(t, err)
	if again.User.ID == u.ID {
		t.Error("got Dora into the account that is Emil's now")
	}
	if n := w.actions()[audit.IdentityUnlink]; n != 1 {
		t.Errorf("got %d events of it, want 1", n)
	}
}
