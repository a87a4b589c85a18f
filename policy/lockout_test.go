package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

func TestAChangeThatLocksOutIsRefused(t *testing.T) {
	const current, admins = "authentication_method_disable_current_not_allowed", "policy_locks_out_admins"
	away := func(by *By) { by.Entry.IP = outside }
	onlyOffice := Change{Ranges: &[]string{"203.0.113.0/24"}}
	inGroup := func(p *Person) { p.InGroup = true }
	eve := func(p *Person) { p.ID, p.Email = "u0", "eve@acme.example" }
	pilot := Options{PilotGroupID: "ug1"}
	carl := func(by *By) { by.User = account.User{ID: "u9", Email: "carl@acme.example"} }
	for _, c := range []struct {
		name        string
		people      []Person
		by          By
		change      Change
		options     Options
		code, field string // empty: it is not refused
		says        string
	}{
		{"what shuts out nobody", []Person{ada()}, byAda(), noMCP, Options{}, "", "", ""},
		{"the caller's own way", []Person{ada(saml)}, byAda(), noPassword, Options{}, current, "password_auth_enabled", "You logged in with a password"},
		{"the caller's own address", []Person{ada()}, byAda(away), onlyOffice, Options{}, current, "allowed_ip_ranges", "198.51.100.7"},
		{"the caller's own token", []Person{ada()}, byAda(func(by *By) { by.Entry.Kind = Personal }), Change{PersonalTokensOn: new(false)}, Options{}, current, "personal_tokens", ""},
		{"the way of a caller who is no super admin", []Person{ada(saml)}, byAda(carl), noPassword, Options{}, current, "password_auth_enabled", ""},
		{"the caller comes in by another way that worked", []Person{ada(saml)}, byAda(bySAML), noPassword, Options{}, "", "", ""},
		{"nobody is left", []Person{ada(), ada(eve), bob(saml)}, byAda(bySAML), noPassword, Options{}, admins, "", "ada@acme.example, eve@acme.example"},
		{"one is left", []Person{ada(), ada(eve, saml)}, byAda(bySAML), noPassword, Options{}, "", "", ""},
		{"one is left who is deactivated", []Person{ada(), ada(eve, saml, func(p *Person) { p.Active = false })}, byAda(bySAML), noPassword, Options{}, admins, "", "ada@acme.example"},
		{"a recovery may change what leaves somebody", []Person{ada(saml)}, byAda(func(by *By) { by.Entry.Way = Recovery }), noPassword, Options{}, "", "", ""},
		{"forced, the caller", []Person{ada(saml)}, byAda(), noPassword, Options{Force: true}, "", "", ""},
		{"forced, nobody is left", []Person{ada()}, byAda(bySAML), noPassword, Options{Force: true}, "", "", ""},
		{"only reported", []Person{ada()}, byAda(), noPassword, Options{ReportOnly: true}, "", "", ""},
		{"going back by itself is no excuse", []Person{ada()}, byAda(), noPassword, Options{RevertAfter: time.Hour}, current, "password_auth_enabled", ""},
		{"a pilot of others", []Person{ada()}, byAda(), noPassword, pilot, "", "", ""},
		{"a pilot with the caller", []Person{ada(inGroup), ada(eve)}, byAda(), noPassword, pilot, current, "password_auth_enabled", ""},
		{"a pilot with another super admin", []Person{ada(), ada(eve, inGroup)}, byAda(), noPassword, pilot, "", "", ""},
		{"a pilot with every super admin", []Person{ada(eve, inGroup)}, byAda(bySAML), noPassword, pilot, admins, "", "eve@acme.example"},
		{"a pilot and a caller who is no member", []Person{ada()}, byAda(carl), noPassword, pilot, "", "", ""},
	} {
		slices.SortFunc(c.people, func(a, b Person) int { return strings.Compare(b.ID, a.ID) })
		d := newDesk(c.people...)
		_, err := d.Change(t.Context(), c.by, acme, c.change, c.options)
		if c.code == "" {
			if err != nil || len(d.store.events) != 1 {
				t.Errorf("%s: got %v and %d events, want a change", c.name, err, len(d.store.events))
			}
			continue
		}
		wantFault(t, c.name, err, fault.Conflict, c.code, c.field)
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want it to say %s", c.name, err, c.says)
		}
		if len(d.store.policies)+len(d.store.events) != 0 {
			t.Errorf("%s: it was refused, and something was kept: %v, %v", c.name, d.store.policies, d.store.events)
		}
	}
}

func TestALockOutNamesAFew(t *testing.T) {
	var people []Person
	for i := range 8 {
		people = append(people, ada(func(p *Person) { p.ID, p.Email = fmt.Sprint("u", i), fmt.Sprintf("a%d@acme.example", i) }))
	}
	_, err := newDesk(people...).Change(t.Context(), byAda(bySAML), acme, noPassword, Options{})
	const want = "not a0@acme.example, a1@acme.example, a2@acme.example, a3@acme.example, a4@acme.example, 3 others."
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want it to say %s", err, want)
	}
}

func TestAPreviewReadsEveryPageAndChangesNothing(t *testing.T) {
	for _, n := range []int{1, 499, 500, 501, 1203} {
		people := make([]Person, n)
		for i := range people {
			people[i] = bob(func(p *Person) { p.ID = fmt.Sprintf("u%06d", i) })
		}
		d := newDesk(people...)
		got, _, err := d.Preview(t.Context(), byAda(), acme, Change{ThirdParty: new(false)}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got.People != n || got.ShutOut != n || d.store.pages != n/500+1 {
			t.Errorf("of %d people: got %d, %d shut out, by %d pages", n, got.People, got.ShutOut, d.store.pages)
		}
		if len(d.store.policies)+len(d.store.events)+len(d.store.cleared) > 0 {
			t.Errorf("got something kept: %+v", d.store)
		}
	}
}

func TestAPreviewOfAPilotIsOfItsGroup(t *testing.T) {
	d := newDesk(ada(func(p *Person) { p.InGroup = true }), ada(func(p *Person) { p.ID = "u3" }))
	for group, want := range map[string]int{"": 2, "ug1": 1} {
		got, _, err := d.Preview(t.Context(), byAda(), acme, noPassword, Options{PilotGroupID: group})
		if err != nil || got.ShutOut != want || got.AdminsLeft != 2-want {
			t.Errorf("group %q: got %+v and %v, want %d shut out", group, got, err, want)
		}
	}
}

func TestAPreviewSaysWhatItMeansToTheCaller(t *testing.T) {
	pilot := Options{PilotGroupID: "ug1"}
	inGroup := func(p *Person) { p.InGroup = true }
	for _, c := range []struct {
		name    string
		person  Person
		by      By
		options Options
		want    string // the rule
	}{
		{"they come in", ada(saml), byAda(bySAML), Options{}, ""},
		{"they do not", ada(saml), byAda(), Options{}, "password_auth_enabled"},
		{"they do not, and could force it", ada(saml), byAda(), Options{Force: true}, "password_auth_enabled"},
		{"a pilot without them", ada(), byAda(), pilot, ""},
		{"a pilot with them", ada(inGroup), byAda(), pilot, "password_auth_enabled"},
		{"a pilot, and they are no member", bob(inGroup), byAda(), pilot, ""},
		{"they are no member", bob(), byAda(), Options{}, "password_auth_enabled"},
	} {
		_, no, err := newDesk(c.person).Preview(t.Context(), c.by, acme, noPassword, c.options)
		if got := rule(no); err != nil || got != c.want {
			t.Errorf("%s: got %q and %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestAnIdentityProviderIsKeptByWhichAloneAdminsComeIn(t *testing.T) {
	const current, admins = "authentication_method_disable_current_not_allowed", "policy_locks_out_admins"
	by := func(method string) Past {
		return Past{Way: SAML, From: Own, MethodID: method, At: now.Add(-day), IP: inside}
	}
	password := Past{Way: Password, At: now, IP: inside}
	inactive := func(p *Person) { p.ID, p.Active = "u0", false }
	onlySAML := with(func(r *Rules) { r.Password = false })
	for _, c := range []struct {
		name   string
		rules  Rules
		trial  *Trial
		people []Person
		inUse  bool
		code   string // empty: it may go
	}{
		{"nobody uses it", Usual(), nil, []Person{ada(logins(password))}, false, ""},
		{"nobody uses it, and what they use is not admitted", onlySAML, nil, []Person{ada(logins(password))}, false, ""},
		{"nobody ever came in at all", Usual(), nil, []Person{ada(logins())}, false, ""},
		{"the caller is in through it", Usual(), nil, []Person{ada(logins(password))}, true, current},
		{"the only way", Usual(), nil, []Person{ada(logins(by("am1")))}, false, admins},
		{"beside another provider", Usual(), nil, []Person{ada(logins(by("am1"), by("am2")))}, false, ""},
		{"beside a password", Usual(), nil, []Person{ada(logins(by("am1"), password))}, false, ""},
		{"beside a password that is not admitted", onlySAML, nil, []Person{ada(logins(by("am1"), password))}, false, admins},
		{"beside a recovery", Usual(), nil, []Person{ada(logins(by("am1"), Past{Way: Recovery, At: now, IP: inside}))}, false, admins},
		{"another admin has another way", Usual(), nil, []Person{ada(logins(by("am1"))), ada(func(p *Person) { p.ID = "u0" })}, false, ""},
		{"another admin who is deactivated has", Usual(), nil, []Person{ada(logins(by("am1"))), ada(inactive)}, false, admins},
		{"only one who is deactivated used it", Usual(), nil, []Person{ada(logins()), ada(inactive, logins(by("am1")))}, false, ""},
		{"a member's way in helps nobody", Usual(), nil, []Person{ada(logins(by("am1"))), bob()}, false, admins},
		{
			"beside a password that the pilot's group may not use", Usual(), &Trial{Kind: ForGroup, Rules: onlySAML, GroupID: "ug1"},
			[]Person{ada(logins(by("am1"), password), func(p *Person) { p.InGroup = true })}, false, admins,
		},
		{
			"beside a password that others than the pilot's group may use", Usual(), &Trial{Kind: ForGroup, Rules: onlySAML, GroupID: "ug1"},
			[]Person{ada(logins(by("am1"), password))}, false, "",
		},
		{
			"beside a password that comes back by itself", onlySAML, &Trial{Kind: ToRevert, Rules: Usual(), Until: now},
			[]Person{ada(logins(by("am1"), password))}, false, "",
		},
	} {
		d := newDesk(c.people...)
		d.store.policies[acme] = Policy{OrganizationID: acme, Rules: c.rules, Trial: c.trial}
		err := d.Keep(t.Context(), c.inUse, acme, "am1")
		if c.code != "" {
			wantFault(t, c.name, err, fault.Conflict, c.code, "")
			continue
		}
		if err != nil {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}
