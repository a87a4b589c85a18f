package login_test

import (
	"slices"
	"strings"
	"testing"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/domains"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/session"
	"gatehouse/sso"
)

// linkTo links somebody to an identity provider.
func (w *world) linkTo(m *sso.IdP, subject string, u account.User) {
	w.t.Helper()
	must(w.t, w.db.AddIdentity(w.t.Context(), account.Identity{
		MethodID: m.ID, SubjectKind: "attribute:username", Subject: subject, UserID: u.ID, CreatedAt: w.now(), LastUsedAt: w.now(),
	}))
}

// Whoever was linked before the organization had the domain is managed from the
// next login on, where an account that is not linked would be taken.
func TestWhoWasLinkedBeforeIsManagedByTheSameRules(t *testing.T) {
	const managed, stays = true, false
	for _, c := range []struct {
		name      string
		proved    bool
		more      string // what else there is to the account
		as        string // the asserted address; empty: the account's
		want      bool
		leftovers string // what stays of that, where it is managed
	}{
		{"proved, with a password", true, "password", "", managed, "password"},
		{"proved, linked elsewhere", true, "linked", "", managed, "linked to IdP of Other as eve"},
		{"proved, with a subject more", true, "twice", "", managed, "linked to IdP of Acme as dora2"},
		{"proved, a member elsewhere", true, "member", "", managed, "in Other"},
		{"proved, an admin elsewhere", true, "admin", "", stays, ""},
		{"an operator", true, "operator", "", stays, ""},
		{"managed by another organization", true, "managed", "", stays, ""},
		{"proved, as somebody else there", true, "", "daly@acme.test", stays, ""},
		{"proved, without an address", true, "", "-", stays, ""},
		{"never proved, nothing else", false, "", "", managed, ""},
		{"never proved, with a password", false, "password", "", managed, ""},
		{"never proved, linked elsewhere", false, "linked", "", managed, ""},
		{"never proved, with a subject more", false, "twice", "", managed, ""},
		{"never proved, a member elsewhere", false, "member", "", stays, ""},
		{"never proved, as somebody else there", false, "password", "daly@acme.test", stays, ""},
		{"of a domain that nobody speaks for", true, "lost", "", stays, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			ids := w.follows("Everybody")
			other := w.elsewhere("Other", w.admin.User, true)
			_, theirs := w.connect("https://idp.other.test", other)
			u := account.User{ID: ident.New("u"), Email: dora.Email, RealName: "Somebody", State: account.ActiveUser, AddressProved: c.proved, Operator: c.more == "operator", CreatedAt: w.now(), UpdatedAt: w.now()}
			hash := ""
			switch c.more {
			case "password":
				hash = "a hash"
			case "managed":
				u.ManagingOrganizationID = other.ID
			}
			must(t, w.db.AddUser(t.Context(), u, hash))
			w.linkTo(w.sso, dora.Username, u)
			switch c.more {
			case "linked":
				w.linkTo(theirs, "eve", u)
			case "twice":
				w.linkTo(w.sso, "dora2", u)
			case "member", "admin":
				must(t, w.db.AddMember(t.Context(), account.Member{OrganizationID: other.ID, UserID: u.ID, SuperAdmin: c.more == "admin", JoinedAt: w.now()}))
			case "managed": // their organization admits the providers of others of theirs
				must(t, w.db.AddMember(t.Context(), account.Member{OrganizationID: w.acme.ID, UserID: u.ID, JoinedAt: w.now()}))
			case "lost":
				d, err := w.db.Domain(t.Context(), w.acme.ID, "acme.test")
				must(t, err)
				d.State = domains.Lost
				must(t, w.db.UpdateDomain(t.Context(), d))
			}
			before, who := w.left(u.ID), dora
			if c.as != "" {
				who.Email = strings.Trim(c.as, "-")
			}
			// Nobody is kept out by this, or asked.
			out, err := w.login(sso.ToLogin, who, browser())
			must(t, err)
			if out.User.ID != u.ID {
				t.Fatalf("got %+v, want the account that is linked", out.User)
			}
			after, events := w.left(u.ID), w.actions()
			if !c.want {
				if !slices.Equal(before, after) || events[audit.UserManage] > 0 || events[audit.UserClaim] > 0 {
					t.Errorf("got %q and events %v, want all as it was: %q", after, events, before)
				}
				return
			}
			want := []string{dora.Email, "Dora Dale", "managed by " + w.acme.ID, "proved", "linked to IdP of Acme as dora", "in Acme"}
			if c.leftovers != "" {
				want = append(want, c.leftovers)
			}
			slices.Sort(want)
			if slices.Sort(after); !slices.Equal(after, want) {
				t.Errorf("got %q, want %q", after, want)
			}
			stripped := !c.proved && c.more != ""
			if events[audit.UserManage] != 1 || (events[audit.UserClaim] == 1) != stripped || events[audit.UserFollow] != 1 {
				t.Errorf("got events %v, want one that she is managed, one of her name, and one of taking: %v", events, stripped)
			}
			if got := w.in(u.ID, ids); !slices.Equal(got, []string{"Everybody"}) {
				t.Errorf("got groups %v, want the one that the method brings people to", got)
			}
		})
	}
}

// An account that only its identity provider ever opened keeps its sessions.
func TestSettlingEndsNoSessionWithoutNeed(t *testing.T) {
	w := newWorld(t)
	out, err := w.login(sso.ToSignup, dora, browser())
	must(t, err)
	w.speaks("acme.test", w.sso)
	_, err = w.login(sso.ToLogin, dora, browser())
	must(t, err)
	b, err := w.bearerOf(out.Text)
	must(t, err)
	if b.User.ManagingOrganizationID != w.acme.ID || !b.User.AddressProved {
		t.Errorf("got %+v, want her proved and managed", b.User)
	}
}

// Nobody comes back into a group that they were taken out of by logging in.
func TestAGroupIsJoinedByLinkingAlone(t *testing.T) {
	w := newWorld(t)
	ids := w.follows("Everybody")
	out, err := w.login(sso.ToLogin, dora, browser())
	must(t, err)
	if got := w.in(out.User.ID, ids); !slices.Equal(got, []string{"Everybody"}) {
		t.Fatalf("got groups %v, want the one that the method brings people to", got)
	}
	_, err = w.db.RemoveGroupMembers(t.Context(), ids["Everybody"], []string{out.User.ID})
	must(t, err)
	_, err = w.login(sso.ToLogin, dora, browser())
	must(t, err)
	if got := w.in(out.User.ID, ids); len(got) > 0 {
		t.Errorf("got groups %v, want none", got)
	}
}

func TestAManagedPersonsProfileFollows(t *testing.T) {
	for _, c := range []struct {
		name    string
		says    demoidp.User
		email   string
		called  string
		events  int
		inTheir func(w *world, u account.User) // before
	}{
		{"nothing new", demoidp.User{Email: "DORA@acme.test", FirstName: "Dora", LastName: "Dale"}, "dora@acme.test", "Dora Dale", 0, nil},
		{"a name", demoidp.User{Email: dora.Email, FirstName: "Dora", LastName: "Daly"}, "dora@acme.test", "Dora Daly", 1, nil},
		{"no name", demoidp.User{Email: dora.Email}, "dora@acme.test", "Dora Dale", 0, nil},
		{"no address", demoidp.User{FirstName: "Dora", LastName: "Daly"}, "dora@acme.test", "Dora Daly", 1, nil},
		{"an address", demoidp.User{Email: "daly@acme.test"}, "daly@acme.test", "Dora Dale", 1, nil},
		{"an address of another domain of the method", demoidp.User{Email: "dora@acme.example"}, "dora@acme.example", "Dora Dale", 1, nil},
		{"one of a domain that another method speaks for", demoidp.User{Email: "dora@labs.test"}, "dora@acme.test", "Dora Dale", 0, nil},
		{"one of a domain of nobody's", demoidp.User{Email: "dora@else.test"}, "dora@acme.test", "Dora Dale", 0, nil},
		{"one below the domain", demoidp.User{Email: "dora@sub.acme.test"}, "dora@acme.test", "Dora Dale", 0, nil},
		{"one that somebody has", demoidp.User{Email: "admin@acme.test", FirstName: "Dora", LastName: "Daly"}, "dora@acme.test", "Dora Daly", 1, nil},
		{"of whom another organization manages", demoidp.User{Email: "daly@acme.test", FirstName: "Eve"}, "dora@acme.test", "Dora Dale", 0, func(w *world, u account.User) {
			other := w.elsewhere("Other", u, false)
			must(w.t, w.db.Release(w.t.Context(), w.acme.ID, u.ID, w.now()))
			must(w.t, w.db.Manage(w.t.Context(), u.ID, other.ID, w.now()))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			_, second := w.connect("https://second.acme.test", w.acme)
			w.speaks("acme.test", w.sso, second)
			w.speaks("acme.example", w.sso)
			w.speaks("labs.test", second)
			first, err := w.login(sso.ToLogin, dora, browser())
			must(t, err)
			if c.inTheir != nil {
				c.inTheir(w, first.User)
			}
			before := w.actions()[audit.UserFollow]
			c.says.Username = dora.Username
			out, err := w.login(sso.ToLogin, c.says, browser())
			must(t, err)
			kept, err := w.db.User(t.Context(), first.User.ID)
			must(t, err)
			for _, u := range []account.User{out.User, kept} {
				if u.ID != first.User.ID || u.Email != c.email || u.RealName != c.called {
					t.Errorf("got %s (%s), want %s (%s)", u.RealName, u.Email, c.called, c.email)
				}
			}
			if n := w.actions()[audit.UserFollow] - before; n != c.events {
				t.Errorf("got %d events of following, want %d", n, c.events)
			}
		})
	}
}

func TestAnAddressThatSomebodyHasIsNamedInTheLog(t *testing.T) {
	w := newWorld(t)
	w.speaks("acme.test", w.sso)
	_, err := w.login(sso.ToLogin, dora, browser())
	must(t, err)
	taken := dora
	taken.Email = "admin@acme.test"
	_, err = w.login(sso.ToLogin, taken, browser())
	must(t, err)
	events, err := w.db.Events(t.Context(), audit.Filter{OrganizationID: w.acme.ID, Action: audit.UserFollow}, "", 10)
	must(t, err)
	if len(events) != 1 || events[0].Details["address_taken"] != "admin@acme.test" || events[0].Details["user_email"] != "" {
		t.Errorf("got %+v, want one event that names the address, and no change of it", events)
	}
}

// through logs somebody in through any identity provider.
func (w *world) through(idp *demoidp.IdP, m *sso.IdP, u demoidp.User) (account.User, error) {
	w.t.Helper()
	b := browser()
	_, r, err := w.Begin(w.t.Context(), m.ID, sso.ToLogin, b, "/", client)
	must(w.t, err)
	_, form, err := idp.Answer(r.URL, u)
	must(w.t, err)
	answered, err := w.AnswerSAML(w.t.Context(), m.ID, form.Get("SAMLResponse"), form.Get("RelayState"), client)
	must(w.t, err)
	out, err := w.finish(answered.FlowID, b)
	return out.User, err
}

func TestMethodsLeaveEachOthersGroupsAlone(t *testing.T) {
	w := newWorld(t)
	ids := w.follows("Everybody", "Red", "Green", "Blue")
	idp, second := w.connect("https://second.acme.test", w.acme)
	d, err := w.db.Domain(t.Context(), w.acme.ID, "acme.test")
	must(t, err)
	_, err = w.db.LinkDomain(t.Context(), d.ID, second.ID, w.now())
	must(t, err)
	follow := func(yes bool) {
		t.Helper()
		_, err := w.idps.Update(t.Context(), w.admin, w.acme, second.ID, sso.Change{JoinGroups: &yes})
		must(t, err)
	}
	follow(true)
	var u account.User
	for _, c := range []struct {
		first bool
		names []string
		want  []string
	}{
		{true, []string{"Red", "Everybody"}, []string{"Everybody", "Red"}},
		{false, []string{"green", "blue"}, []string{"Blue", "Everybody", "Green", "Red"}},
		{true, nil, []string{"Blue", "Everybody", "Green"}},
		{false, []string{"Green"}, []string{"Everybody", "Green"}},
		{true, []string{"Green"}, []string{"Everybody", "Green"}},
		{true, nil, []string{"Everybody", "Green"}},
	} {
		who, through, by := dora, idp, second
		if c.first {
			through, by = w.idp, w.sso
		}
		who.Groups = c.names
		u, err = w.through(through, by, who)
		must(t, err)
		if got := w.in(u.ID, ids); !slices.Equal(got, c.want) {
			t.Errorf("%v: got groups %v, want %v", c.names, got, c.want)
		}
	}
	follow(false)
	for _, names := range [][]string{nil, {"Red"}} {
		who := dora
		who.Groups = names
		_, err = w.through(idp, second, who)
		must(t, err)
		if got := w.in(u.ID, ids); !slices.Equal(got, []string{"Everybody", "Green"}) {
			t.Errorf("got groups %v of a method whose groups are not followed, want them as they were", got)
		}
	}
	if got := w.actions(); got[audit.GroupAddMembers] != 3 || got[audit.GroupRemoveMembers] != 2 {
		t.Errorf("got %v, want three events of joining, and two of leaving", got)
	}
}

func TestAClaimThatEndsUnderWayCounts(t *testing.T) {
	for _, c := range []struct {
		name string
		code string
		end  func(w *world, d domains.Domain)
	}{
		{"the domain is lost", "unknown_user_sso_login_attempt", func(w *world, d domains.Domain) {
			d.State = domains.Lost
			must(w.t, w.db.UpdateDomain(w.t.Context(), d))
		}},
		{"the domain is not verified any more", "unknown_user_sso_login_attempt", func(w *world, d domains.Domain) {
			d.State = domains.Unverified
			must(w.t, w.db.UpdateDomain(w.t.Context(), d))
		}},
		{"the domain is removed", "unknown_user_sso_login_attempt", func(w *world, d domains.Domain) { must(w.t, w.db.DeleteDomain(w.t.Context(), d.ID)) }},
		{"the method is disabled", "authentication_method_disabled", func(w *world, _ domains.Domain) {
			off := false
			_, err := w.idps.Update(w.t.Context(), w.admin, w.acme, w.sso.ID, sso.Change{Enabled: &off})
			must(w.t, err)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.speaks("acme.test", w.sso)
			u := w.holds(proved)
			b := browser()
			flow, err := w.post(w.answer(w.start(sso.ToLogin, b), dora))
			must(t, err)
			d, err := w.db.Domain(t.Context(), w.acme.ID, "acme.test")
			must(t, err)
			c.end(w, d)
			before := w.left(u.ID)
			_, err = w.finish(flow, b)
			wantCode(t, err, fault.Denied, c.code)
			if after := w.left(u.ID); !slices.Equal(before, after) {
				t.Errorf("got %q, want what it was: %q", after, before)
			}
		})
	}
}

// Whoever is logged in to the browser already is asked before they become
// somebody new, and nothing is made until then.
func TestANewPersonInSomebodysBrowserIsAskedFirst(t *testing.T) {
	w := newWorld(t)
	w.speaks("acme.test", w.sso)
	l := newLinker(w)
	flow, err := w.post(w.answer(w.start(sso.ToLogin, l.b), dora))
	must(t, err)
	step, err := l.finish(flow, false)
	must(t, err)
	if step.Ask == nil || step.Ask.Present.ID != l.present.User.ID {
		t.Fatalf("got %+v, want to be asked", step)
	}
	if _, err := w.db.UserByEmail(t.Context(), dora.Email); fault.Of(err).Kind != fault.NotFound {
		t.Errorf("got %v, want no account made by a question", err)
	}
	step, err = l.finish(flow, true)
	must(t, err)
	if step.Done == nil || step.Done.User.Email != dora.Email || step.Done.Token.Method != (session.Method{Kind: session.SAML, ID: w.sso.ID}) {
		t.Errorf("got %+v, want a session of hers", step)
	}
}
