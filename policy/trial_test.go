package policy

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// try makes a change on trial, an hour after ada logged in.
func (d *desk) try(t *testing.T, c Change, o Options) Policy {
	t.Helper()
	p, err := d.Change(t.Context(), byAda(), acme, c, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mcp says whether a policy admits MCP clients, which the trials here end.
func (d *desk) mcp(t *testing.T) bool {
	t.Helper()
	p, err := d.Get(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	kept := d.store.policies[acme]
	if got, want := kept.InForce(d.now, false).MCP, p.InForce(d.now, false).MCP; got != want {
		t.Errorf("got mcp_enabled %t of what is kept, and %t of what Get gives", got, want)
	}
	return p.InForce(d.now, false).MCP
}

var trials = map[TrialKind]Options{
	ToRevert:   {RevertAfter: time.Hour},
	ReportOnly: {ReportOnly: true},
	ForGroup:   {PilotGroupID: "ug1"},
}

func TestATrialKeepsBothRules(t *testing.T) {
	tried := with(func(r *Rules) { r.MCP = false })
	for _, c := range []struct {
		kind  TrialKind
		want  Policy
		event audit.Details
	}{
		{ToRevert, Policy{Rules: tried, Trial: &Trial{Kind: ToRevert, Rules: Usual(), Since: now, Until: now.Add(time.Hour)}}, audit.Details{"trial": "revert", "until": "2026-03-01T13:00:00Z"}},
		{ReportOnly, Policy{Rules: Usual(), Trial: &Trial{Kind: ReportOnly, Rules: tried, Since: now, Until: now.Add(7 * day)}}, audit.Details{"trial": "report_only", "until": "2026-03-08T12:00:00Z"}},
		{ForGroup, Policy{Rules: Usual(), Trial: &Trial{Kind: ForGroup, Rules: tried, GroupID: "ug1", Since: now}}, audit.Details{"trial": "pilot", "pilot_user_group_id": "ug1"}},
	} {
		d := newDesk(ada())
		o := trials[c.kind]
		o.Force = true
		c.want.OrganizationID, c.want.UpdatedAt = acme, now
		c.event["mcp_enabled.before"], c.event["mcp_enabled.after"], c.event["force"] = "true", "false", "true"
		if diff := cmp.Diff(c.want, d.try(t, noMCP, o), comparable); diff != "" {
			t.Errorf("%s, answered (-want +got):\n%s", c.kind, diff)
		}
		if diff := cmp.Diff(c.want, d.store.policies[acme], comparable); diff != "" {
			t.Errorf("%s, kept (-want +got):\n%s", c.kind, diff)
		}
		if diff := cmp.Diff(c.event, d.last(t).Details); diff != "" {
			t.Errorf("%s, event (-want +got):\n%s", c.kind, diff)
		}
	}
}

func TestNothingIsChangedWhileAChangeIsTried(t *testing.T) {
	for kind, o := range trials {
		d := newDesk(ada())
		d.try(t, noMCP, o)
		before := d.store.policies[acme]
		for _, o := range []Options{{}, {Force: true}, {ReportOnly: true}, {RevertAfter: time.Hour}} {
			_, err := d.Change(t.Context(), byAda(), acme, Change{DeviceLogin: new(false)}, o)
			wantFault(t, string(kind), err, fault.Conflict, "policy_trial_pending", "")
		}
		if diff := cmp.Diff(before, d.store.policies[acme], comparable); diff != "" || len(d.store.events) != 1 {
			t.Errorf("%s: got %d events (-want +got):\n%s", kind, len(d.store.events), diff)
		}
	}
}

func TestAChangeGoesBackByItself(t *testing.T) {
	d := newDesk(ada())
	d.try(t, noMCP, Options{RevertAfter: time.Hour})
	d.now = now.Add(time.Hour - 1)
	if d.mcp(t) {
		t.Error("a moment before, it was over")
	}
	d.now = now.Add(time.Hour)
	if !d.mcp(t) {
		t.Error("then, and though nothing settled it, it was in force")
	}
	gone, err := d.Get(t.Context(), acme)
	if diff := cmp.Diff(Policy{OrganizationID: acme, Rules: Usual(), UpdatedAt: now}, gone, comparable); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, err = d.Confirm(t.Context(), byAda(func(by *By) { by.LoggedIn = d.now }), acme, false)
	wantFault(t, "confirmed too late", err, fault.NotFound, "policy_no_trial", "")
	_, err = d.Discard(t.Context(), byAda(), acme, false)
	wantFault(t, "discarded too late", err, fault.NotFound, "policy_no_trial", "")

	// The next change begins with what it went back to, and both are told.
	got, err := d.Change(t.Context(), byAda(), acme, Change{DeviceLogin: new(false)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := Policy{OrganizationID: acme, Rules: with(func(r *Rules) { r.DeviceLogin = false }), UpdatedAt: d.now}
	if diff := cmp.Diff(want, got, comparable); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{audit.PolicyUpdate, audit.PolicyExpire, audit.PolicyUpdate}, d.actions()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func (d *desk) actions() []string {
	var all []string
	for _, e := range d.store.events {
		all = append(all, e.Action)
	}
	return all
}

func TestSettlingTellsOfTrialsThatAreOver(t *testing.T) {
	d := newDesk(ada())
	tried := with(func(r *Rules) { r.MCP = false })
	for _, id := range []string{"org2", "org3", "org4", "org5"} {
		d.store.people[id] = []Person{ada()}
	}
	d.store.policies = map[string]Policy{
		acme:   {OrganizationID: acme, Rules: tried, Trial: &Trial{Kind: ToRevert, Rules: Usual(), Until: now}},
		"org2": {OrganizationID: "org2", Rules: Usual(), Trial: &Trial{Kind: ReportOnly, Rules: tried, Until: now.Add(-day)}},
		"org3": {OrganizationID: "org3", Rules: tried, Trial: &Trial{Kind: ToRevert, Rules: Usual(), Until: now.Add(1)}},
		"org4": {OrganizationID: "org4", Rules: Usual(), Trial: &Trial{Kind: ForGroup, Rules: tried, GroupID: "ug1"}},
		"org5": {OrganizationID: "org5", Rules: tried},
	}
	ended, err := d.Settle(t.Context())
	if ended != 2 || err != nil {
		t.Fatalf("got %d and %v, want 2", ended, err)
	}
	for id, want := range map[string]struct{ mcp, trial bool }{
		acme: {true, false}, "org2": {true, false}, "org3": {false, true}, "org4": {true, true}, "org5": {false, false},
	} {
		if p := d.store.policies[id]; p.Rules.MCP != want.mcp || (p.Trial != nil) != want.trial {
			t.Errorf("%s: got %+v, want %+v", id, p, want)
		}
	}
	for i, want := range []audit.Event{
		{OrganizationID: acme, Target: audit.Target{Kind: "policy", ID: acme}, Details: audit.Details{"trial": "revert", "mcp_enabled.before": "false", "mcp_enabled.after": "true"}},
		{OrganizationID: "org2", Target: audit.Target{Kind: "policy", ID: "org2"}, Details: audit.Details{"trial": "report_only"}},
	} {
		want.ID, want.At, want.Action, want.Actor = "e", now, audit.PolicyExpire, audit.Actor{Name: audit.BySchedule}
		if diff := cmp.Diff(want, d.store.events[i], comparable); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if len(d.store.cleared) > 0 {
		t.Errorf("got sightings of %v forgotten, want them kept for whoever reads the report", d.store.cleared)
	}
	if ended, err := d.Settle(t.Context()); ended != 0 || err != nil || len(d.store.events) != 2 {
		t.Errorf("once more: got %d, %v and %d events, want nothing", ended, err, len(d.store.events))
	}
}

func TestSettlingOneThatFailsEndsTheOthers(t *testing.T) {
	d := newDesk(ada())
	d.store.people["org2"] = []Person{ada()}
	for _, id := range []string{acme, "org2"} {
		d.store.policies[id] = Policy{OrganizationID: id, Rules: Usual(), Trial: &Trial{Kind: ReportOnly, Until: now}}
	}
	broken := errors.New("disk full")
	d.store.savesFail = map[string]error{acme: broken}
	ended, err := d.Settle(t.Context())
	if ended != 1 || !errors.Is(err, broken) || d.store.policies["org2"].Trial != nil || d.store.policies[acme].Trial == nil {
		t.Errorf("got %d and %v, and %+v", ended, err, d.store.policies)
	}
}

func TestConfirmingAChangeThatGoesBackTakesALoginSince(t *testing.T) {
	since := now.Add(time.Minute)
	for _, c := range []struct {
		name     string
		by       func(*By)
		force    bool
		admitted bool
	}{
		{"the login with which it was made", func(*By) {}, false, false},
		{"that, forced", func(*By) {}, true, false},
		{"a login at that very moment", func(by *By) { by.LoggedIn = now }, false, false},
		{"a login since", func(by *By) { by.LoggedIn = now.Add(1) }, false, true},
		{"a login since, of a program", func(by *By) { by.LoggedIn, by.Entry.Kind = since, Session }, false, true},
		{"a personal token", func(by *By) { by.LoggedIn, by.Entry.Kind = since, Personal }, false, false},
		{"an application's token", func(by *By) { by.LoggedIn, by.Entry.Kind = since, Application }, false, false},
		{"a recovery", func(by *By) { by.LoggedIn, by.Entry.Way = since, Recovery }, false, false},
		{"no login", func(by *By) { by.LoggedIn = time.Time{} }, false, false},
	} {
		d := newDesk(ada())
		d.try(t, noMCP, Options{RevertAfter: time.Hour})
		d.now = now.Add(2 * time.Minute)
		got, err := d.Confirm(t.Context(), byAda(c.by), acme, c.force)
		if !c.admitted {
			wantFault(t, c.name, err, fault.Denied, "login_not_fresh", "")
		} else if err != nil || got.Trial != nil || got.Rules.MCP || !got.UpdatedAt.Equal(d.now) {
			t.Errorf("%s: got %+v and %v", c.name, got, err)
		}
		// What is confirmed does not go back any more, and else it does.
		d.now = now.Add(time.Hour)
		if back := d.mcp(t); back == c.admitted {
			t.Errorf("%s: got gone back %t", c.name, back)
		}
	}
}

func TestConfirmingMakesWhatIsTriedThePolicy(t *testing.T) {
	for kind, o := range trials {
		d := newDesk(ada())
		d.try(t, noMCP, o)
		d.now = now.Add(time.Minute)
		got, err := d.Confirm(t.Context(), byAda(func(by *By) { by.LoggedIn = d.now }), acme, true)
		want := Policy{OrganizationID: acme, Rules: with(func(r *Rules) { r.MCP = false }), UpdatedAt: d.now}
		if diff := cmp.Diff(want, got, comparable); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", kind, err, diff)
		}
		if diff := cmp.Diff(want, d.store.policies[acme], comparable); diff != "" {
			t.Errorf("%s, kept (-want +got):\n%s", kind, diff)
		}
		e := d.last(t)
		if e.Action != audit.PolicyConfirm || e.Actor.ID != "u1" || e.Details["trial"] != string(kind) || e.Details["force"] != "true" {
			t.Errorf("%s: got event %+v", kind, e)
		}
		if after := e.Details["mcp_enabled.after"]; (after == "false") == (kind == ToRevert) {
			t.Errorf("%s: got mcp_enabled.after %q in the event", kind, after)
		}
		_, err = d.Confirm(t.Context(), byAda(), acme, true)
		wantFault(t, string(kind)+" once more", err, fault.NotFound, "policy_no_trial", "")
	}
}

func TestConfirmingForAllRefusesWhatLocksOut(t *testing.T) {
	for _, kind := range []TrialKind{ReportOnly, ForGroup} {
		for _, c := range []struct {
			name string
			by   By
			ada  Person
			code string // empty: it is confirmed
		}{
			{"the caller", byAda(), ada(saml), "authentication_method_disable_current_not_allowed"},
			{"every super admin", byAda(bySAML), ada(), "policy_locks_out_admins"},
			{"nobody", byAda(bySAML), ada(saml), ""},
		} {
			d := newDesk(c.ada)
			d.try(t, noPassword, trials[kind])
			_, err := d.Confirm(t.Context(), c.by, acme, false)
			if c.code == "" {
				if err != nil {
					t.Errorf("%s, %s: got %v", kind, c.name, err)
				}
				continue
			}
			wantFieldless(t, string(kind)+", "+c.name, err, c.code)
			if d.store.policies[acme].Trial == nil {
				t.Errorf("%s, %s: it was refused, and the trial ended", kind, c.name)
			}
			if got, err := d.Confirm(t.Context(), c.by, acme, true); err != nil || got.Rules.Password {
				t.Errorf("%s, %s, forced: got %+v and %v", kind, c.name, got, err)
			}
		}
	}
}

// wantFieldless is wantFault for a conflict at whatever field.
func wantFieldless(t *testing.T, name string, err error, code string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Conflict || f.Code != code {
		t.Errorf("%s: got %v, want code %s", name, err, code)
	}
}

func TestDiscardingLeavesThePolicyAsItWas(t *testing.T) {
	for kind, o := range trials {
		d := newDesk(ada())
		d.try(t, noMCP, o)
		d.now = now.Add(time.Minute)
		got, err := d.Discard(t.Context(), byAda(), acme, false)
		want := Policy{OrganizationID: acme, Rules: Usual(), UpdatedAt: d.now}
		if diff := cmp.Diff(want, got, comparable); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", kind, err, diff)
		}
		if diff := cmp.Diff(want, d.store.policies[acme], comparable); diff != "" {
			t.Errorf("%s, kept (-want +got):\n%s", kind, diff)
		}
		if e := d.last(t); e.Action != audit.PolicyDiscard || e.Actor.ID != "u1" || e.Details["trial"] != string(kind) {
			t.Errorf("%s: got event %+v", kind, e)
		}
		_, err = d.Discard(t.Context(), byAda(), acme, false)
		wantFault(t, string(kind)+" once more", err, fault.NotFound, "policy_no_trial", "")
	}
}

func TestTheServersOwnerOpensWhatIsLocked(t *testing.T) {
	locked := with(func(r *Rules) { r.Password, r.Ranges = false, []netip.Prefix{office} })
	before := with(func(r *Rules) { r.Ranges = []netip.Prefix{home} })
	open := func(r Rules) Rules { r.Ranges = nil; return r }
	trial := func(k TrialKind) Policy {
		return Policy{OrganizationID: acme, Rules: locked, Trial: &Trial{Kind: k, Rules: before, Since: now.Add(-1), Until: now.Add(time.Hour)}}
	}
	opened := func(k TrialKind) *Trial {
		return &Trial{Kind: k, Rules: open(before), Since: now.Add(-1), Until: now.Add(time.Hour)}
	}
	for _, c := range []struct {
		name  string
		do    func(*desk) error
		kept  Policy
		want  Policy
		event string
	}{
		{"reset", func(d *desk) error { return d.Reset(t.Context(), acme) }, Policy{OrganizationID: acme, Rules: locked}, Policy{Rules: Usual()}, audit.RecoverResetPolicy},
		{"reset, on trial", func(d *desk) error { return d.Reset(t.Context(), acme) }, trial(ToRevert), Policy{Rules: Usual()}, audit.RecoverResetPolicy},
		{"reset of the usual one", func(d *desk) error { return d.Reset(t.Context(), acme) }, Policy{OrganizationID: acme, Rules: Usual()}, Policy{Rules: Usual()}, audit.RecoverResetPolicy},
		{"ranges", func(d *desk) error { return d.ClearRanges(t.Context(), acme) }, Policy{OrganizationID: acme, Rules: locked}, Policy{Rules: open(locked)}, audit.RecoverClearRanges},
		{"ranges, of what goes back", func(d *desk) error { return d.ClearRanges(t.Context(), acme) }, trial(ToRevert), Policy{Rules: open(locked), Trial: opened(ToRevert)}, audit.RecoverClearRanges},
		{"ranges, of a pilot", func(d *desk) error { return d.ClearRanges(t.Context(), acme) }, trial(ForGroup), Policy{Rules: open(locked), Trial: opened(ForGroup)}, audit.RecoverClearRanges},
	} {
		d := newDesk(ada())
		d.store.policies[acme] = c.kept
		if err := c.do(d); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		c.want.OrganizationID, c.want.UpdatedAt = acme, now
		if diff := cmp.Diff(c.want, d.store.policies[acme], comparable); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		e := d.last(t)
		if diff := cmp.Diff(audit.Operator(), e.Actor); diff != "" || e.Action != c.event || e.Target.Name != "Acme org1" {
			t.Errorf("%s: got event %+v", c.name, e)
		}
		if ranges, changed := e.Details["allowed_ip_ranges.after"]; (c.kept.Rules.Ranges != nil) != changed || ranges != "[]" && changed {
			t.Errorf("%s: got details %v", c.name, e.Details)
		}
	}
	d := newDesk(ada())
	for name, err := range map[string]error{"reset": d.Reset(t.Context(), "org404"), "ranges": d.ClearRanges(t.Context(), "org404")} {
		if !errors.Is(err, fault.NotFound) {
			t.Errorf("%s of no organization: got %v, want %v", name, err, fault.NotFound)
		}
	}
}
