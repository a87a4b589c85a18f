package policy

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
)

const acme = "org1"

// fakeStore keeps everything in memory; a transaction that fails leaves
// nothing behind.
type fakeStore struct {
	policies map[string]Policy
	people   map[string][]Person
	groups   []string // of acme
	events   []audit.Event
	cleared  []string // organizations whose sightings were forgotten
	pages    int      // of people that were read

	auditFails error
	savesFail  map[string]error // by organization
	locked     string           // by the transaction that runs
}

type inTx struct{}

func (f *fakeStore) Tx(ctx context.Context, fn func(context.Context) error) error {
	policies, events, cleared := maps.Clone(f.policies), slices.Clone(f.events), slices.Clone(f.cleared)
	err := fn(context.WithValue(ctx, inTx{}, true))
	if err != nil {
		f.policies, f.events, f.cleared = policies, events, cleared
	}
	f.locked = ""
	return err
}

func (f *fakeStore) LockOrganization(ctx context.Context, id string) error {
	if ctx.Value(inTx{}) == nil {
		return errors.New("lock outside a transaction")
	}
	f.locked = id
	_, err := f.Organization(ctx, id)
	return err
}

func (f *fakeStore) Organization(_ context.Context, id string) (account.Organization, error) {
	if _, there := f.people[id]; !there {
		return account.Organization{}, fault.NotFound.Errorf("There is no organization %s.", id)
	}
	return account.Organization{ID: id, Name: "Acme " + id}, nil
}

func (f *fakeStore) Policy(ctx context.Context, id string) (Policy, error) {
	if _, err := f.Organization(ctx, id); err != nil {
		return Policy{}, err
	}
	if p, changed := f.policies[id]; changed {
		return p, nil
	}
	return Policy{OrganizationID: id, Rules: Usual()}, nil
}

func (f *fakeStore) SavePolicy(ctx context.Context, p Policy) error {
	if ctx.Value(inTx{}) == nil || f.locked != p.OrganizationID {
		return errors.New("save without a lock")
	}
	f.policies[p.OrganizationID] = p
	return f.savesFail[p.OrganizationID]
}

func (f *fakeStore) People(_ context.Context, id, groupID, after string, most int) ([]Person, error) {
	f.pages++
	var page []Person
	for _, p := range f.people[id] {
		if p.ID > after && len(page) < most {
			p.InGroup = p.InGroup && groupID != ""
			page = append(page, p)
		}
	}
	return page, nil
}

func (f *fakeStore) Admins(_ context.Context, id, groupID string) ([]Person, error) {
	var all []Person
	for _, p := range f.people[id] {
		if p.SuperAdmin {
			p.InGroup = p.InGroup && groupID != ""
			all = append(all, p)
		}
	}
	return all, nil
}

func (f *fakeStore) HasGroup(_ context.Context, id, groupID string) (bool, error) {
	return id == acme && slices.Contains(f.groups, groupID), nil
}

func (f *fakeStore) TrialsOver(_ context.Context, now time.Time) ([]string, error) {
	var ids []string
	for id, p := range f.policies {
		if p.Trial != nil && p.Trial.over(now) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func (f *fakeStore) ClearSightings(_ context.Context, id string) error {
	f.cleared = append(f.cleared, id)
	return nil
}

func (f *fakeStore) AddEvent(ctx context.Context, e audit.Event) error {
	if ctx.Value(inTx{}) == nil {
		return errors.New("event outside a transaction")
	}
	f.events = append(f.events, e)
	return f.auditFails
}

func (f *fakeStore) Events(context.Context, audit.Filter, string, int) ([]audit.Event, error) {
	return nil, errors.New("nobody asks")
}

// A desk is Policies with its fakes, at a time that a test moves.
type desk struct {
	*Policies
	store *fakeStore
	now   time.Time
}

func newDesk(people ...Person) *desk {
	d := &desk{now: now, store: &fakeStore{policies: map[string]Policy{}, people: map[string][]Person{acme: people}, groups: []string{"ug1"}}}
	clock := func() time.Time { return d.now }
	d.Policies = &Policies{Store: d.store, Now: clock, Audit: &audit.Log{Store: d.store, Now: clock, NewID: func(time.Time) string { return "e" }}}
	return d
}

// last is the last event, without what the log itself says of it.
func (d *desk) last(t *testing.T) audit.Event {
	t.Helper()
	if len(d.store.events) == 0 {
		t.Fatal("got no event")
	}
	e := d.store.events[len(d.store.events)-1]
	e.ID, e.At = "", time.Time{}
	return e
}

// byAda is a request of ada's browser, by the password with which she logged
// in an hour ago, from the office.
func byAda(change ...func(*By)) By {
	by := By{
		Actor:    account.Actor{User: account.User{ID: "u1", Email: "ada@acme.example"}, IP: inside, UserAgent: "browser"},
		Entry:    Entry{Kind: Console, Way: Password, IP: inside, MadeAt: now.Add(-time.Hour), Now: now},
		LoggedIn: now.Add(-time.Hour),
	}
	for _, c := range change {
		c(&by)
	}
	return by
}

// saml gives ada a login through her organization that worked.
func saml(p *Person) {
	p.Logins = append(p.Logins, Past{Way: SAML, From: Own, MethodID: "am1", At: now.Add(-3 * day), IP: inside})
}

func bySAML(by *By) { by.Entry.Way, by.Entry.From = SAML, Own }

var noMCP, noPassword = Change{MCP: new(false)}, Change{Password: new(false)}

func TestAPolicyIsTheUsualOneUntilItIsChanged(t *testing.T) {
	d := newDesk(ada())
	got, err := d.Get(t.Context(), acme)
	if diff := cmp.Diff(Policy{OrganizationID: acme, Rules: Usual()}, got, comparable); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, err = d.Get(t.Context(), "org404")
	if !errors.Is(err, fault.NotFound) {
		t.Errorf("of no organization: got %v, want %v", err, fault.NotFound)
	}
}

func TestAChangeIsKeptWithItsEvent(t *testing.T) {
	d := newDesk(ada())
	got, err := d.Change(t.Context(), byAda(), acme, Change{MCP: new(false), Ranges: &[]string{"203.0.113.0/24"}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := Policy{
		OrganizationID: acme, UpdatedAt: now,
		Rules: with(func(r *Rules) { r.MCP, r.Ranges = false, []netip.Prefix{office} }),
	}
	if diff := cmp.Diff(want, got, comparable); diff != "" {
		t.Errorf("answered (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, d.store.policies[acme], comparable); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	event := audit.Event{
		OrganizationID: acme, Actor: audit.Actor{ID: "u1", Name: "ada@acme.example"}, Action: audit.PolicyUpdate,
		Target: audit.Target{Kind: "policy", ID: acme, Name: "Acme org1"}, IP: inside, UserAgent: "browser",
		Details: audit.Details{
			"mcp_enabled.before": "true", "mcp_enabled.after": "false",
			"allowed_ip_ranges.before": "[]", "allowed_ip_ranges.after": "[203.0.113.0/24]",
		},
	}
	if diff := cmp.Diff(event, d.last(t), comparable); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{acme}, d.store.cleared); diff != "" {
		t.Errorf("sightings forgotten (-want +got):\n%s", diff)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, c := range []struct {
		name        string
		options     Options
		field, code string // empty: they make sense
	}{
		{"go back and report", Options{RevertAfter: time.Hour, ReportOnly: true}, "report_only", ""},
		{"report and pilot", Options{ReportOnly: true, PilotGroupID: "ug1"}, "report_only", ""},
		{"go back and pilot", Options{RevertAfter: time.Hour, PilotGroupID: "ug1"}, "report_only", ""},
		{"all, forced", Options{Force: true, RevertAfter: time.Hour, ReportOnly: true, PilotGroupID: "ug1"}, "report_only", ""},
		{"too short a time", Options{RevertAfter: time.Minute - 1}, "revert_after_seconds", ""},
		{"a time before now", Options{RevertAfter: -time.Hour}, "revert_after_seconds", ""},
		{"too long a time", Options{RevertAfter: 7*day + 1}, "revert_after_seconds", ""},
		{"no such group", Options{PilotGroupID: "ug2"}, "pilot_user_group_id", "user_group_not_found"},
		{"no such group, forced", Options{PilotGroupID: "ug2", Force: true}, "pilot_user_group_id", "user_group_not_found"},
		{"the shortest time", Options{RevertAfter: time.Minute}, "", ""},
		{"the longest time", Options{RevertAfter: 7 * day}, "", ""},
		{"a group", Options{PilotGroupID: "ug1"}, "", ""},
	} {
		d := newDesk(ada())
		_, _, seen := d.Preview(t.Context(), byAda(), acme, noMCP, c.options)
		_, err := d.Change(t.Context(), byAda(), acme, noMCP, c.options)
		if c.field == "" {
			if seen != nil || err != nil {
				t.Errorf("%s: got %v, in a preview %v", c.name, err, seen)
			}
			continue
		}
		wantFault(t, c.name, err, fault.Invalid, c.code, c.field)
		wantFault(t, c.name+", in a preview", seen, fault.Invalid, c.code, c.field)
	}
}

func TestAWrongChangeIsRefusedAndOneOfNoOrganization(t *testing.T) {
	d := newDesk(ada())
	_, err := d.Change(t.Context(), byAda(), acme, Change{PersonalTokens: new("x")}, Options{})
	wantFault(t, "change", err, fault.Invalid, "", "personal_tokens")
	_, _, err = d.Preview(t.Context(), byAda(), acme, Change{PersonalTokens: new("x")}, Options{})
	wantFault(t, "preview", err, fault.Invalid, "", "personal_tokens")
	_, err = d.Change(t.Context(), byAda(), "org404", noMCP, Options{})
	if !errors.Is(err, fault.NotFound) {
		t.Errorf("of no organization: got %v, want %v", err, fault.NotFound)
	}
}

func TestWithoutItsEventNothingIsChanged(t *testing.T) {
	tried := Policy{OrganizationID: acme, Rules: Usual(), Trial: &Trial{Kind: ReportOnly, Rules: with(func(r *Rules) { r.MCP = false }), Since: now, Until: now.Add(day)}}
	over := tried
	over.Trial = &Trial{Kind: ReportOnly, Rules: Usual(), Since: now.Add(-day), Until: now}
	broken := errors.New("disk full")
	for name, c := range map[string]struct {
		before Policy
		do     func(*desk) error
	}{
		"change": {Policy{OrganizationID: acme, Rules: Usual()}, func(d *desk) error {
			_, err := d.Change(t.Context(), byAda(), acme, noMCP, Options{})
			return err
		}},
		"confirm": {tried, func(d *desk) error { _, err := d.Confirm(t.Context(), byAda(), acme, false); return err }},
		"discard": {tried, func(d *desk) error { _, err := d.Discard(t.Context(), byAda(), acme, false); return err }},
		"reset":   {tried, func(d *desk) error { return d.Reset(t.Context(), acme) }},
		"ranges":  {tried, func(d *desk) error { return d.ClearRanges(t.Context(), acme) }},
		"settle":  {over, func(d *desk) error { _, err := d.Settle(t.Context()); return err }},
	} {
		d := newDesk(ada())
		d.store.policies[acme], d.store.auditFails = c.before, broken
		if err := c.do(d); !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want %v", name, err, broken)
		}
		if diff := cmp.Diff(c.before, d.store.policies[acme], comparable); diff != "" || len(d.store.cleared) > 0 {
			t.Errorf("%s: it failed, and something was kept (-want +got):\n%s", name, diff)
		}
	}
}
