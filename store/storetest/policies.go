package storetest

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
	"gatehouse/sso"
	"gatehouse/store"
)

// fullRules are rules in which nothing is zero, and much differs from Usual.
func fullRules() policy.Rules {
	return policy.Rules{
		Password: true, TwoFactor: true, ThirdParty: true, Providers: []policy.Way{policy.GitHub}, Passkey: true,
		SAML: true, ExternalSAML: true, SecondFactorContexts: []string{"https://refeds.org/profile/mfa", "urn:x:y"}, PersonalTokens: policy.TokensNotForManaged, EnforceMethod: true,
		PersonalTokenAge: 90 * 24 * time.Hour, MCP: true, DeviceLogin: true, Freshness: 7 * 24 * time.Hour,
		Ranges: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")},
	}
}

// trial is a policy of an organization that is being tried for an hour.
func trial(o account.Organization, k policy.TrialKind) policy.Policy {
	return policy.Policy{
		OrganizationID: o.ID, Rules: policy.Usual(), UpdatedAt: Then,
		Trial: &policy.Trial{Kind: k, Rules: fullRules(), Since: Then, Until: Then.Add(time.Hour)},
	}
}

// nothingZero fails if a field of what a test writes is zero: then it would
// not show that the field is kept.
func nothingZero(t *testing.T, v any) {
	t.Helper()
	s := reflect.ValueOf(v)
	for i := range s.NumField() {
		if s.Field(i).IsZero() {
			t.Errorf("%s of %s is zero: give it a value in this test", s.Type().Field(i).Name, s.Type())
		}
	}
}

var policies = []promise{
	{"a policy comes back as it was saved, whole", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		for _, kind := range []policy.TrialKind{policy.ToRevert, policy.ReportOnly, policy.ForGroup} {
			p := trial(o, kind)
			p.Rules, p.Trial.GroupID = fullRules(), "ug1"
			nothingZero(t, p)
			nothingZero(t, p.Rules)
			nothingZero(t, *p.Trial)
			do(t, s.SavePolicy(t.Context(), p))
			got, err := s.Policy(t.Context(), o.ID)
			do(t, err)
			same(t, got, p)
		}
		p := policy.Policy{OrganizationID: o.ID, UpdatedAt: Then}
		do(t, s.SavePolicy(t.Context(), p))
		got, err := s.Policy(t.Context(), o.ID)
		do(t, err)
		same(t, got, p)
		got, err = s.Policy(t.Context(), other.ID)
		do(t, err)
		same(t, got, policy.Policy{OrganizationID: other.ID, Rules: policy.Usual()})
		p.OrganizationID = "org-none"
		isFault(t, s.SavePolicy(t.Context(), p), fault.NotFound)
	}},
	{"trials are over from their end on", func(t *testing.T, s *store.Store) {
		for i, until := range []time.Time{Then, Then.Add(time.Microsecond), {}} {
			p := trial(addOrganization(t, s, fmt.Sprint(i)), policy.ToRevert)
			p.Trial.Until = until
			do(t, s.SavePolicy(t.Context(), p))
		}
		none := policy.Policy{OrganizationID: addOrganization(t, s, "none").ID, Rules: policy.Usual(), UpdatedAt: Then}
		do(t, s.SavePolicy(t.Context(), none))
		over, err := s.TrialsOver(t.Context(), Then)
		do(t, err)
		same(t, over, []string{"org-0"})
		over, err = s.TrialsOver(t.Context(), Then.Add(time.Hour))
		do(t, err)
		same(t, over, []string{"org-0", "org-1"})
	}},
	{"a group is an organization's own, and a person in it or not", func(t *testing.T, s *store.Store) {
		o, other, u := addOrganization(t, s, "acme"), addOrganization(t, s, "other"), addUser(t, s, "ada")
		addMember(t, s, o, u, false)
		g := addGroup(t, s, o, "Testers")
		_, err := s.AddGroupMembers(t.Context(), g.ID, []string{u.ID}, Then)
		do(t, err)
		for _, c := range []struct {
			org, group string
			want       bool
		}{{o.ID, g.ID, true}, {other.ID, g.ID, false}, {o.ID, "ug-none", false}, {o.ID, "", false}} {
			got, err := s.HasGroup(t.Context(), c.org, c.group)
			do(t, err)
			same(t, got, c.want)
		}
		for user, want := range map[string]bool{u.ID: true, "u-eve": false, "": false} {
			got, err := s.InGroup(t.Context(), g.ID, user)
			do(t, err)
			same(t, got, want)
		}
	}},
	{"people come with their logins by ways that may be used, and with their tokens", func(t *testing.T, s *store.Store) {
		o, fellow, foreign := addOrganization(t, s, "acme"), addOrganization(t, s, "fellow"), addOrganization(t, s, "foreign")
		ada := User("ada")
		ada.ManagingOrganizationID = o.ID
		do(t, s.AddUser(t.Context(), ada, "hash"))
		bob, gone := addUser(t, s, "bob"), User("gone")
		gone.State = account.DeactivatedUser
		do(t, s.AddUser(t.Context(), gone, ""))
		addMember(t, s, o, ada, true)
		addMember(t, s, o, bob, false)
		addMember(t, s, o, gone, true)
		addMember(t, s, fellow, ada, false)
		addMember(t, s, foreign, addUser(t, s, "eve"), true)
		g := addGroup(t, s, o, "Testers")
		_, err := s.AddGroupMembers(t.Context(), g.ID, []string{bob.ID}, Then)
		do(t, err)
		ip := netip.MustParseAddr("192.0.2.7")
		do(t, s.TouchPassword(t.Context(), ada.ID, Then.Add(time.Minute), ip))
		off := addIdP(t, s, "am-off", o)
		off.Enabled = false
		do(t, s.UpdateIdP(t.Context(), off))
		at := map[string]time.Time{}
		for i, idp := range []*sso.IdP{addIdP(t, s, "am-own", o), addIdP(t, s, "am-fellow", fellow), addIdP(t, s, "am-foreign", foreign), off} {
			l := identity(idp, ada, "ada")
			l.LastUsedAt, l.LastIP, l.LastContext = Then.Add(time.Duration(i)*time.Hour), ip, "urn:"+idp.ID
			at[idp.ID] = l.LastUsedAt
			do(t, s.AddIdentity(t.Context(), l))
		}
		token := Token("personal", ada.ID)
		token.Kind, token.Method = session.PersonalToken, session.Method{Kind: session.SAML, ID: "am-fellow"}
		byPassword := Token("password", bob.ID)
		byPassword.Kind, byPassword.CreatedAt = session.PersonalToken, Then.Add(time.Minute)
		do(t, s.AddToken(t.Context(), token), s.AddToken(t.Context(), byPassword), s.AddToken(t.Context(), Token("session", ada.ID)))

		wantAda := policy.Person{
			ID: ada.ID, Email: ada.Email, Name: ada.RealName, SuperAdmin: true, Active: true, Managed: true, SSO: at["am-own"],
			Logins: []policy.Past{
				{Way: policy.Password, At: Then.Add(time.Minute), IP: ip},
				{Way: policy.SAML, From: policy.Own, MethodID: "am-own", At: at["am-own"], IP: ip, Context: "urn:am-own"},
				{Way: policy.SAML, From: policy.Fellow, MethodID: "am-fellow", At: at["am-fellow"], IP: ip, Context: "urn:am-fellow"},
				{Way: policy.SAML, From: policy.Stranger, MethodID: "am-foreign", At: at["am-foreign"], IP: ip, Context: "urn:am-foreign"},
			},
		}
		wantGone := policy.Person{ID: gone.ID, Email: gone.Email, Name: gone.RealName, SuperAdmin: true}
		admins, err := s.Admins(t.Context(), o.ID, g.ID)
		do(t, err)
		same(t, admins, []policy.Person{wantAda, wantGone})

		wantAda.Tokens = []policy.Made{{
			Prefix: token.Prefix, Description: token.Description, Way: policy.SAML, From: policy.Fellow, TwoFactor: true, MadeAt: Then, ExpiresAt: token.ExpiresAt,
		}}
		wantBob := policy.Person{ID: bob.ID, Email: bob.Email, Name: bob.RealName, Active: true, InGroup: true, Tokens: []policy.Made{{
			Prefix: byPassword.Prefix, Description: byPassword.Description, Way: policy.Password, TwoFactor: true, MadeAt: byPassword.LoggedIn, ExpiresAt: byPassword.ExpiresAt,
		}}}
		people, err := s.People(t.Context(), o.ID, g.ID, "", 10)
		do(t, err)
		same(t, people, []policy.Person{wantAda, wantBob, wantGone})
		none, err := s.People(t.Context(), "org-none", "", "", 10)
		do(t, err)
		same(t, len(none), 0)
	}},
	{"people come page by page, each once", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		for i := range 7 {
			u := addUser(t, s, fmt.Sprint(i))
			addMember(t, s, o, u, i%2 == 0)
			token := Token(fmt.Sprint("t", i), u.ID)
			token.Kind = session.PersonalToken
			do(t, s.AddToken(t.Context(), token))
		}
		var got []string
		for after := ""; ; {
			page, err := s.People(t.Context(), o.ID, "", after, 3)
			do(t, err)
			if len(page) == 0 {
				break
			}
			for _, p := range page {
				got = append(got, p.ID)
				same(t, len(p.Tokens), 1)
			}
			after = page[len(page)-1].ID
		}
		same(t, got, []string{"u-0", "u-1", "u-2", "u-3", "u-4", "u-5", "u-6"})
	}},
	{"sightings add up while a trial runs, and are cleared", func(t *testing.T, s *store.Store) {
		o, u, eve := addOrganization(t, s, "acme"), addUser(t, s, "ada"), addUser(t, s, "eve")
		one := policy.Sighting{OrganizationID: o.ID, UserID: u.ID, Kind: policy.Session, Code: "c", Rule: "r", Why: "w", Times: 3, First: Then, Last: Then.Add(time.Minute)}
		other := one
		other.UserID, other.Times, other.Last = eve.ID, 1, Then
		list := func() []policy.Sighting {
			t.Helper()
			all, err := s.Sightings(t.Context(), o.ID)
			do(t, err)
			return all
		}
		// Nothing is reported yet; nor of who is not there.
		do(t, s.AddSightings(t.Context(), []policy.Sighting{one}))
		same(t, len(list()), 0)
		do(t, s.SavePolicy(t.Context(), trial(o, policy.ReportOnly)))
		stray := one
		stray.UserID = "u-nobody"
		early := other
		early.First = Then.Add(-time.Microsecond)
		do(t, s.AddSightings(t.Context(), []policy.Sighting{stray, one, other, early}))
		more := one
		more.Code, more.Why, more.Times, more.First, more.Last = "c2", "w2", 2, Then.Add(time.Hour), Then.Add(2*time.Hour)
		do(t, s.AddSightings(t.Context(), []policy.Sighting{more}))
		added := more
		added.Times, added.First, added.Email, other.Email = 5, Then, u.Email, eve.Email
		same(t, list(), []policy.Sighting{added, other})
		do(t, s.ClearSightings(t.Context(), "org-none"))
		same(t, len(list()), 2)
		do(t, s.ClearSightings(t.Context(), o.ID))
		same(t, len(list()), 0)
		p := trial(o, policy.ReportOnly)
		p.Trial = nil
		do(t, s.SavePolicy(t.Context(), p), s.AddSightings(t.Context(), []policy.Sighting{one}))
		same(t, len(list()), 0)
	}},
	{"a report names a thousand people at most", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		do(t, s.SavePolicy(t.Context(), trial(o, policy.ReportOnly)))
		u := addUser(t, s, "ada")
		var all []policy.Sighting
		for i := range 1003 {
			all = append(all, policy.Sighting{OrganizationID: o.ID, UserID: u.ID, Kind: policy.Session, Rule: fmt.Sprint(i), Times: 1, First: Then, Last: Then})
		}
		do(t, s.AddSightings(t.Context(), all))
		got, err := s.Sightings(t.Context(), o.ID)
		do(t, err)
		same(t, len(got), 1000)
	}},
}
