package policy

import (
	"errors"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

func TestPlacesAskTheirTrialToo(t *testing.T) {
	tried := with(func(r *Rules) { r.Password = false })
	o := account.Organization{ID: acme, Name: "Acme"}
	entry := byAda().Entry
	for _, c := range []struct {
		name     string
		place    Place
		rule     string // that refuses; empty: admitted
		reported string
	}{
		{"usual", Place{o, Policy{Rules: Usual()}, false}, "", ""},
		{"refused", Place{o, Policy{Rules: tried}, false}, "password_auth_enabled", ""},
		{"reported", Place{o, Policy{Rules: Usual(), Trial: &Trial{Kind: ReportOnly, Rules: tried, Until: now.Add(1)}}, false}, "", "password_auth_enabled"},
		{"reported until now", Place{o, Policy{Rules: Usual(), Trial: &Trial{Kind: ReportOnly, Rules: tried, Until: now}}, false}, "", ""},
		{"refused beside a report", Place{o, Policy{Rules: tried, Trial: &Trial{Kind: ReportOnly, Rules: tried, Until: now.Add(1)}}, false}, "password_auth_enabled", ""},
		{"a pilot of others", Place{o, Policy{Rules: Usual(), Trial: &Trial{Kind: ForGroup, Rules: tried}}, false}, "", ""},
		{"a pilot of theirs", Place{o, Policy{Rules: Usual(), Trial: &Trial{Kind: ForGroup, Rules: tried}}, true}, "password_auth_enabled", ""},
		{"gone back", Place{o, Policy{Rules: tried, Trial: &Trial{Kind: ToRevert, Rules: Usual(), Until: now}}, false}, "", ""},
	} {
		reported, err := c.place.Check(entry)
		if got := rule(reported); got != c.reported {
			t.Errorf("%s: got reported %q, want %q", c.name, got, c.reported)
		}
		var refused *Refused
		if (c.rule != "") != errors.As(err, &refused) {
			t.Errorf("%s: got %v, want refused %t", c.name, err, c.rule != "")
		}
		if c.rule != "" && (refused.Rule != c.rule || refused.Organization.ID != acme || len(refused.Admitted) == 0 || !errors.Is(err, fault.Denied)) {
			t.Errorf("%s: got %+v in %v", c.name, refused, err)
		}
	}
}

func TestWhoMayMakeTokens(t *testing.T) {
	place := func(id string, tokens PersonalTokens, age time.Duration) Place {
		return Place{account.Organization{ID: id, Name: id}, Policy{Rules: with(func(r *Rules) { r.PersonalTokens, r.PersonalTokenAge = tokens, age })}, false}
	}
	on, off, mine := place("on", TokensEnabled, 9*day), place("off", TokensDisabled, 0), place("mine", TokensNotForManaged, 0)
	for _, c := range []struct {
		name      string
		managedBy string
		places    []Place
		most      time.Duration
		may       bool
	}{
		{"who is nowhere", "", nil, 0, true},
		{"a member", "", []Place{on}, 0, true},
		{"whom it manages", "on", []Place{on}, 9 * day, true},
		{"whom it manages, and elsewhere they are off", "on", []Place{off, on, mine}, 9 * day, true},
		{"only where they are off", "", []Place{off, off}, 0, false},
		{"also where they are off", "", []Place{off, on}, 0, true},
		{"where they are off for others", "", []Place{mine}, 0, true},
		{"where they are off for them", "mine", []Place{on, mine}, 0, false},
		{"whom a place manages where they are off for all", "off", []Place{on, off}, 0, false},
		{"whom a place manages that they are not in", "elsewhere", []Place{on}, 0, true},
	} {
		most, err := MayMakeTokens(c.managedBy, c.places, now)
		if most != c.most || (err == nil) != c.may {
			t.Errorf("%s: got %s and %v, want %s and %t", c.name, most, err, c.most, c.may)
		}
		if !c.may {
			wantFault(t, c.name, err, fault.Denied, "user_personal_token_not_allowed", "")
		}
	}
}
