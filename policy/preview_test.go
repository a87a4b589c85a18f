package policy

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ada is an active super admin who logs in with a password, from the office.
func ada(change ...func(*Person)) Person {
	p := Person{
		ID: "u1", Email: "ada@acme.example", Name: "Ada", SuperAdmin: true, Active: true,
		Logins: []Past{{Way: Password, At: now.Add(-day), IP: inside}},
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

// bob is a member who logs in with Google, from outside.
func bob(change ...func(*Person)) Person {
	p := Person{
		ID: "u2", Email: "bob@acme.example", Name: "Bob", Active: true,
		Logins: []Past{{Way: Google, At: now.Add(-2 * day), IP: outside}},
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

// token gives a person one more token, made with a password, not used yet.
func token(change func(*Made)) func(*Person) {
	return func(p *Person) {
		t := Made{Prefix: fmt.Sprint("t", len(p.Tokens)), Way: Password, MadeAt: now.Add(-20 * day), ExpiresAt: now.Add(20 * day)}
		change(&t)
		p.Tokens = append(p.Tokens, t)
	}
}

func usual(*Made) {}

// logins replaces those of a person.
func logins(all ...Past) func(*Person) { return func(p *Person) { p.Logins = all } }

// summary is a report in the words of a test: numbers, and who and what by
// which rule.
type summary struct {
	People, ShutOut, Tokens, Stopped, Admins, AdminsLeft int
	Shown                                                []string
}

func sum(r Report) summary {
	s := summary{People: r.People, ShutOut: r.ShutOut, Tokens: r.Tokens, Stopped: r.Stopped, Admins: r.Admins, AdminsLeft: r.AdminsLeft}
	for _, p := range r.PeopleShown {
		s.Shown = append(s.Shown, p.Person.ID+" "+p.Why.Rule)
	}
	for _, t := range r.TokensShown {
		s.Shown = append(s.Shown, t.Person.ID+"/"+t.Token.Prefix+" "+t.Why.Rule)
	}
	return s
}

func TestAPreviewSaysWhoWouldBeShutOut(t *testing.T) {
	noPassword := with(func(r *Rules) { r.Password = false })
	fromOffice := with(func(r *Rules) { r.Ranges = []netip.Prefix{office} })
	fresh := with(func(r *Rules) { r.Freshness = 7 * day })
	managed := func(p *Person) { p.Managed, p.SSO = true, now.Add(-20*day) }
	for _, c := range []struct {
		name          string
		people        []Person
		before, after Rules
		groupOnly     bool
		want          summary
	}{
		{"nobody", nil, Usual(), noPassword, false, summary{}},
		{"nothing changes", []Person{ada(), bob()}, Usual(), Usual(), false, summary{People: 2, Admins: 1, AdminsLeft: 1}},
		{
			"no passwords", []Person{ada(), bob()}, Usual(), noPassword, false,
			summary{People: 2, ShutOut: 1, Admins: 1, Shown: []string{"u1 password_auth_enabled"}},
		},
		{
			"no passwords, and another way that worked",
			[]Person{ada(logins(Past{Way: SAML, From: Own, At: now.Add(-300 * day), IP: inside}, Past{Way: Password, At: now, IP: inside}))},
			Usual(), noPassword, false,
			summary{People: 1, Admins: 1, AdminsLeft: 1},
		},
		{
			"the office only", []Person{ada(), bob()}, Usual(), fromOffice, false,
			summary{People: 2, ShutOut: 1, Admins: 1, AdminsLeft: 1, Shown: []string{"u2 allowed_ip_ranges"}},
		},
		{
			"the office only, and an address that nobody knows",
			[]Person{ada(logins(Past{Way: Password, At: now}))}, Usual(), fromOffice, false,
			summary{People: 1, ShutOut: 1, Admins: 1, Shown: []string{"u1 allowed_ip_ranges"}},
		},
		{
			"the way and the address have to be of one login",
			[]Person{ada(logins(Past{Way: Password, At: now, IP: inside}, Past{Way: Google, At: now.Add(-day), IP: outside}))},
			Usual(), with(func(r *Rules) { r.Password, r.Ranges = false, []netip.Prefix{office} }), false,
			summary{People: 1, ShutOut: 1, Admins: 1, Shown: []string{"u1 password_auth_enabled"}},
		},
		{
			"why is of the last login, in whatever order they come",
			[]Person{
				bob(logins(Past{Way: Google, At: now.Add(-9 * day)}, Past{Way: Passkey, At: now})),
				bob(logins(Past{Way: Passkey, At: now}, Past{Way: Google, At: now.Add(-9 * day)})),
			},
			Usual(), with(func(r *Rules) { r.ThirdParty, r.Passkey = false, false }), false,
			summary{People: 2, ShutOut: 2, Shown: []string{"u2 passkey_enabled", "u2 passkey_enabled"}},
		},
		{
			"a password with a second factor, and without",
			[]Person{bob(logins(Past{Way: Password, TwoFactor: true, At: now})), ada()},
			Usual(), with(func(r *Rules) { r.TwoFactor = true }), false,
			summary{People: 2, ShutOut: 1, Admins: 1, Shown: []string{"u1 two_factor_required"}},
		},
		{
			"another organization's provider", []Person{bob(logins(Past{Way: SAML, From: Fellow, At: now}))},
			Usual(), with(func(r *Rules) { r.ExternalSAML = false }), false,
			summary{People: 1, ShutOut: 1, Shown: []string{"u2 saml_allow_external"}},
		},
		{"who never logged in", []Person{ada(logins())}, Usual(), noPassword, false, summary{People: 1, Admins: 1}},
		{"who is deactivated", []Person{ada(func(p *Person) { p.Active = false })}, Usual(), noPassword, false, summary{People: 1}},
		{"who was shut out before", []Person{ada()}, noPassword, with(func(r *Rules) { r.Password, r.Passkey = false, false }), false, summary{People: 1, Admins: 1}},
		{"who comes in again", []Person{ada()}, noPassword, Usual(), false, summary{People: 1, Admins: 1, AdminsLeft: 1}},
		{
			"a recovery counts as no way in for good",
			[]Person{ada(logins(Past{Way: Recovery, At: now, IP: inside}))}, Usual(), noPassword, false,
			summary{People: 1, Admins: 1},
		},
		{
			"freshness: whoever logs in here again is fresh by that",
			[]Person{bob(managed, logins(Past{Way: SAML, From: Own, At: now.Add(-20 * day)}))}, Usual(), fresh, false,
			summary{People: 1},
		},
		{
			"freshness: another organization's provider does not make one fresh",
			[]Person{bob(managed, logins(Past{Way: SAML, From: Fellow, At: now}))}, Usual(), fresh, false,
			summary{People: 1, ShutOut: 1, Shown: []string{"u2 login_freshness_days"}},
		},
		{
			"freshness: a password is not",
			[]Person{bob(managed)}, Usual(), fresh, false,
			summary{People: 1, ShutOut: 1, Shown: []string{"u2 login_freshness_days"}},
		},
		{"freshness: of whom nobody manages", []Person{bob()}, Usual(), fresh, false, summary{People: 1}},
		{
			"a pilot: in its group and not",
			[]Person{ada(func(p *Person) { p.InGroup = true }), ada(func(p *Person) { p.ID = "u3" })}, Usual(), noPassword, true,
			summary{People: 2, ShutOut: 1, Admins: 2, AdminsLeft: 1, Shown: []string{"u1 password_auth_enabled"}},
		},
		{
			"a pilot: nobody is in its group", []Person{ada(), bob(token(usual))}, Usual(), Rules{}, true,
			summary{People: 2, Tokens: 1, Admins: 1, AdminsLeft: 1},
		},
		{
			"a group does not matter without a pilot", []Person{ada(func(p *Person) { p.InGroup = true })}, Usual(), noPassword, false,
			summary{People: 1, ShutOut: 1, Admins: 1, Shown: []string{"u1 password_auth_enabled"}},
		},
	} {
		got := Preview(c.people, &c.before, &c.after, c.groupOnly, now)
		if diff := cmp.Diff(c.want, sum(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestAPreviewSaysWhichTokensWouldStop(t *testing.T) {
	fromOffice := with(func(r *Rules) { r.Ranges = []netip.Prefix{office} })
	onlySAML := with(func(r *Rules) { r.Password = false })
	aged := with(func(r *Rules) { r.PersonalTokenAge = 10 * day })
	for _, c := range []struct {
		name          string
		person        Person
		before, after Rules
		want          summary
	}{
		{"none is admitted", bob(token(usual), token(usual)), Usual(), with(func(r *Rules) { r.PersonalTokens = TokensDisabled }), summary{People: 1, Tokens: 2, Stopped: 2, Shown: []string{"u2/ personal_tokens", "u2/ personal_tokens"}}},
		{"none was before", bob(token(usual)), with(func(r *Rules) { r.PersonalTokens = TokensDisabled }), with(func(r *Rules) { r.PersonalTokens = TokensNotForManaged }), summary{People: 1, Tokens: 1}},
		{"made with a way that goes", bob(token(usual), token(func(m *Made) { m.Way = Google })), Usual(), onlySAML, summary{People: 1, Tokens: 2, Stopped: 1, Shown: []string{"u2/ password_auth_enabled"}}},
		{"made with a way that goes, and nobody asks", bob(token(usual)), Usual(), with(func(r *Rules) { r.Password, r.EnforceMethod = false, false }), summary{People: 1, Tokens: 1}},
		{"made without a second factor", bob(token(usual), token(func(m *Made) { m.TwoFactor = true })), Usual(), with(func(r *Rules) { r.TwoFactor = true }), summary{People: 1, Tokens: 2}},
		{"too old", bob(token(usual), token(func(m *Made) { m.MadeAt = now })), Usual(), aged, summary{People: 1, Tokens: 2, Stopped: 1, Shown: []string{"u2/ personal_token_max_age_seconds"}}},
		{"of another organization's provider", bob(token(func(m *Made) { m.Way, m.From = SAML, Fellow })), Usual(), with(func(r *Rules) { r.ExternalSAML = false }), summary{People: 1, Tokens: 1, Stopped: 1, Shown: []string{"u2/ saml_allow_external"}}},
		{"asleep", bob(func(p *Person) { p.Managed = true }, token(usual), logins()), Usual(), with(func(r *Rules) { r.Freshness = day }), summary{People: 1, Tokens: 1, Stopped: 1, Shown: []string{"u2/t0 login_freshness_days"}}},
		{"used from outside", ada(token(func(m *Made) { m.IP = outside }), token(func(m *Made) { m.IP = inside })), Usual(), fromOffice, summary{People: 1, Tokens: 2, Stopped: 1, Admins: 1, AdminsLeft: 1, Shown: []string{"u1/ allowed_ip_ranges"}}},
		{"never used: nobody knows from where it will be", ada(token(usual)), Usual(), fromOffice, summary{People: 1, Tokens: 1, Admins: 1, AdminsLeft: 1}},
		{"never used, and too old besides", ada(token(usual)), Usual(), with(func(r *Rules) { r.Ranges, r.PersonalTokenAge = []netip.Prefix{office}, day }), summary{People: 1, Tokens: 1, Stopped: 1, Admins: 1, AdminsLeft: 1, Shown: []string{"u1/ personal_token_max_age_seconds"}}},
		{"at its end", ada(token(func(m *Made) { m.ExpiresAt = now })), Usual(), with(func(r *Rules) { r.PersonalTokens = TokensDisabled }), summary{People: 1, Admins: 1, AdminsLeft: 1}},
	} {
		got := Preview([]Person{c.person}, &c.before, &c.after, false, now)
		if diff := cmp.Diff(c.want, sum(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestAReportNamesAHundredAndCountsAll(t *testing.T) {
	var people []Person
	for range MostShown + 5 {
		people = append(people, ada(token(usual)))
	}
	before, after := Usual(), with(func(r *Rules) { r.Password = false })
	got := Preview(people, &before, &after, false, now)
	if got.ShutOut != 105 || len(got.PeopleShown) != 100 || got.Stopped != 105 || len(got.TokensShown) != 100 {
		t.Errorf("got %d people, %d shown, %d tokens, %d shown", got.ShutOut, len(got.PeopleShown), got.Stopped, len(got.TokensShown))
	}
}

func TestATrialIsOverByItself(t *testing.T) {
	tried, old := with(func(r *Rules) { r.MCP = false }), Usual()
	at := func(d time.Duration) time.Time { return now.Add(d) }
	revert := Policy{Rules: tried, Trial: &Trial{Kind: ToRevert, Rules: old, Since: now, Until: at(time.Hour)}}
	report := Policy{Rules: old, Trial: &Trial{Kind: ReportOnly, Rules: tried, Since: now, Until: at(7 * day)}}
	pilot := Policy{Rules: old, Trial: &Trial{Kind: ForGroup, Rules: tried, GroupID: "ug1", Since: now}}
	none := Policy{Rules: old}
	for _, c := range []struct {
		name     string
		policy   Policy
		at       time.Time
		inGroup  bool
		mcp      bool // in force
		reported bool
	}{
		{"none", none, now, false, true, false},
		{"none, in a group", none, now, true, true, false},
		{"to go back, before", revert, at(time.Hour - 1), false, false, false},
		{"to go back, then", revert, at(time.Hour), false, true, false},
		{"to go back, in a group", revert, now, true, false, false},
		{"reported, before", report, at(7*day - 1), false, true, true},
		{"reported, then", report, at(7 * day), false, true, false},
		{"reported, in a group", report, now, true, true, true},
		{"a pilot, outside its group", pilot, at(9999 * day), false, true, false},
		{"a pilot, in its group", pilot, at(9999 * day), true, false, false},
	} {
		if got := c.policy.InForce(c.at, c.inGroup).MCP; got != c.mcp {
			t.Errorf("%s: got mcp_enabled %t in force, want %t", c.name, got, c.mcp)
		}
		got := c.policy.Reported(c.at)
		if (got != nil) != c.reported || got != nil && got.MCP {
			t.Errorf("%s: got %+v reported, want some: %t", c.name, got, c.reported)
		}
	}
}
