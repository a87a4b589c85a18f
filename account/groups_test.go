package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/seal"
	"gatehouse/store"
)

// A groupWorld has an organization with an owner.
type groupWorld struct {
	*account.Groups
	db    *store.Store
	owner account.Actor
	org   account.Organization
	now   time.Time
}

func newGroupWorld(t *testing.T) *groupWorld {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Folder: t.TempDir(), Keys: seal.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &groupWorld{db: db, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	events := 0
	log := &audit.Log{Store: db, Now: clock, NewID: func(time.Time) string { events++; return fmt.Sprintf("event-%09d", events) }}
	w.Groups = &account.Groups{Store: db, NewID: ident.Source("ug"), Now: clock, Audit: log}
	w.owner = account.Actor{User: w.user(t, "olive")}
	organizations := &account.Organizations{Store: db, NewID: ident.Source("org"), NewAccountID: ident.Source("a"), Now: clock, Audit: log}
	if w.org, err = organizations.Add(t.Context(), w.owner, "Acme", ""); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *groupWorld) user(t *testing.T, name string) account.User {
	t.Helper()
	u := account.User{ID: "u-" + name, Email: name + "@acme.test", RealName: name, State: account.ActiveUser, CreatedAt: w.now, UpdatedAt: w.now}
	if err := w.db.AddUser(t.Context(), u, ""); err != nil {
		t.Fatal(err)
	}
	return u
}

// member makes a person who belongs to the organization, and gives their id.
func (w *groupWorld) member(t *testing.T, name string) string {
	t.Helper()
	u := w.user(t, name)
	if err := w.db.AddMember(t.Context(), account.Member{OrganizationID: w.org.ID, UserID: u.ID, JoinedAt: w.now}); err != nil {
		t.Fatal(err)
	}
	return u.ID
}

func (w *groupWorld) group(t *testing.T, name string) account.Group {
	t.Helper()
	g, err := w.Add(t.Context(), w.owner, w.org, account.Group{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// inGroup gives the ids of who is in a group.
func (w *groupWorld) inGroup(t *testing.T, g account.Group) []string {
	t.Helper()
	list, err := w.Members(t.Context(), w.org, g.ID)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range list {
		out = append(out, m.ID)
	}
	return out
}

// groupEvents gives the actions and details of all events of groups, oldest
// first.
func (w *groupWorld) groupEvents(t *testing.T) []audit.Event {
	t.Helper()
	list, err := w.db.Events(t.Context(), audit.Filter{OrganizationID: w.org.ID, Action: "group."}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

// wantFault checks the kind and the field of a failure.
func wantFault(t *testing.T, what string, err error, kind fault.Kind, field string) {
	t.Helper()
	if f := fault.Of(err); f == nil || f.Kind != kind || f.Field != field {
		t.Errorf("%s: got %v, want %s at %q", what, err, kind, field)
	}
}

func TestAGroupIsNamedAndDescribed(t *testing.T) {
	w := newGroupWorld(t)
	for name, c := range map[string]struct{ name, description, field string }{
		"whole":                    {"  Testers ", "Who tries it first.\r\n\tOn weekdays.\n", ""},
		"no description":           {"Others", "", ""},
		"all characters":           {strings.Repeat("ä", 128), strings.Repeat("ä", 4096), ""},
		"no name":                  {" ", "", "user_group_name"},
		"long name":                {strings.Repeat("x", 129), "", "user_group_name"},
		"name of two lines":        {"a\nb", "", "user_group_name"},
		"turned name":              {"a\u202eb", "", "user_group_name"},
		"long description":         {"x", strings.Repeat("x", 4097), "description"},
		"long blank description":   {"x", strings.Repeat(" ", 4097), "description"},
		"control in a description": {"x", "a\x1bb", "description"},
		"return in a description":  {"x", "a\rb", "description"},
		"description not in UTF-8": {"x", "a\xff", "description"},
	} {
		g, err := w.Add(t.Context(), w.owner, w.org, account.Group{Name: c.name, Description: c.description})
		if c.field != "" {
			wantFault(t, name, err, fault.Invalid, c.field)
			continue
		}
		if err != nil {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		want := account.Group{ID: g.ID, OrganizationID: w.org.ID, Name: strings.TrimSpace(c.name), Description: c.description, CreatedAt: w.now, UpdatedAt: w.now}
		kept, err := w.Get(t.Context(), w.org, g.ID)
		if diff := cmp.Diff(want, g); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		if diff := cmp.Diff(account.GroupSize{Group: want}, kept); diff != "" {
			t.Errorf("%s, kept (-want +got):\n%s", name, diff)
		}
	}
}

func TestNamesThatDifferInCaseAloneAreTheSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Testers", "TESTERS", true}, {"kelvin", "\u212Aelvin", true}, {"ΣΑΣ", "σας", true}, {"straße", "STRAẞE", true},
		{"test", "tests", false}, {"e", "é", false}, {"", "", true}, {"1", "2", false},
	} {
		if got := (account.Group{Name: c.a}).Key() == (account.Group{Name: c.b}).Key(); got != c.same {
			t.Errorf("%q and %q: got same %v, want %v", c.a, c.b, got, c.same)
		}
		if strings.EqualFold(c.a, c.b) != c.same {
			t.Errorf("%q and %q: strings.EqualFold says otherwise", c.a, c.b)
		}
	}
	w := newGroupWorld(t)
	w.group(t, "Testers")
	other := w.group(t, "Others")
	_, err := w.Add(t.Context(), w.owner, w.org, account.Group{Name: "testERS"})
	wantFault(t, "add", err, fault.Exists, "user_group_name")
	name := "TESTERS"
	_, err = w.Update(t.Context(), w.owner, w.org, other.ID, account.GroupChange{Name: &name})
	wantFault(t, "update", err, fault.Exists, "user_group_name")
	name = "OTHERS"
	if g, err := w.Update(t.Context(), w.owner, w.org, other.ID, account.GroupChange{Name: &name}); err != nil || g.Name != name {
		t.Errorf("the same name in another case: got %q, %v", g.Name, err)
	}
}

func TestAnUpdateChangesWhatIsNamed(t *testing.T) {
	w := newGroupWorld(t)
	g := w.group(t, "Testers")
	w.now = w.now.Add(time.Hour)
	name, description, bad := "Trial", "First ones", strings.Repeat("x", 5000)
	for _, step := range []struct{ name, description *string }{{&name, nil}, {nil, &description}, {nil, nil}} {
		if _, err := w.Update(t.Context(), w.owner, w.org, g.ID, account.GroupChange{Name: step.name, Description: step.description}); err != nil {
			t.Fatal(err)
		}
	}
	want := g
	want.Name, want.Description, want.UpdatedAt = name, description, w.now
	got, err := w.Get(t.Context(), w.org, g.ID)
	if diff := cmp.Diff(account.GroupSize{Group: want}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, err = w.Update(t.Context(), w.owner, w.org, g.ID, account.GroupChange{Name: &bad})
	wantFault(t, "name", err, fault.Invalid, "user_group_name")
	_, err = w.Update(t.Context(), w.owner, w.org, g.ID, account.GroupChange{Description: &bad})
	wantFault(t, "description", err, fault.Invalid, "description")
}

func TestMembersOfTheOrganizationAloneAreAddedAllOrNone(t *testing.T) {
	w := newGroupWorld(t)
	g := w.group(t, "Testers")
	ann, bob := w.member(t, "ann"), w.member(t, "bob")
	stranger := w.user(t, "stranger").ID
	add := func(ids ...string) error { return w.AddMembers(t.Context(), w.owner, w.org, g.ID, ids) }

	for name, c := range map[string]struct {
		ids   []string
		says  string
		named string
	}{
		"nobody":      {nil, "at least one", ""},
		"a stranger":  {[]string{ann, stranger, "u-none"}, stranger, "u-none"},
		"no id":       {[]string{ann, ""}, `""`, ""},
		"NUL":         {[]string{"\x00"}, `"\x00"`, ""},
		"a long text": {[]string{strings.Repeat("ä", 5000)}, "…", ""},
		"too many":    {slices.Repeat([]string{ann}, 1025), "1024", ""},
	} {
		err := add(c.ids...)
		wantFault(t, name, err, fault.Invalid, "member_ids")
		if f := fault.Of(err); f != nil && (!strings.Contains(f.Message, c.says) || len(f.Message) > 200 || c.named != "" && strings.Contains(f.Message, c.named)) {
			t.Errorf("%s: got %q, want %s in it, and the first alone", name, f.Message, c.says)
		}
	}
	if got := w.inGroup(t, g); len(got) != 0 {
		t.Errorf("got %q in the group after refusals, want nobody", got)
	}
	for _, ids := range [][]string{{bob, bob}, {bob, ann}, {ann}} {
		if err := add(ids...); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{ann, bob}, w.inGroup(t, g)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := w.RemoveMembers(t.Context(), w.owner, w.org, g.ID, []string{bob, stranger, "u-none", "\x00"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{ann}, w.inGroup(t, g)); diff != "" {
		t.Errorf("after removing (-want +got):\n%s", diff)
	}
	for address, field := range map[string]string{"stranger@acme.test": "email", "nobody@acme.test": "email", "bob": "email"} {
		wantFault(t, address, w.AddByAddress(t.Context(), w.owner, w.org, g.ID, address), fault.Invalid, field)
	}
	if err := w.AddByAddress(t.Context(), w.owner, w.org, g.ID, " BOB@acme.test "); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{ann, bob}, w.inGroup(t, g)); diff != "" {
		t.Errorf("by address (-want +got):\n%s", diff)
	}
	wantFault(t, "removing too many", w.RemoveMembers(t.Context(), w.owner, w.org, g.ID, make([]string, 1025)), fault.Invalid, "member_ids")
}

func TestGroupsOfOthersDoNotExist(t *testing.T) {
	w, name := newGroupWorld(t), "Taken"
	g := w.group(t, "Testers")
	foreign := account.Organization{ID: "org-none"}
	rival := &account.Organizations{Store: w.db, NewID: ident.Source("org"), NewAccountID: ident.Source("a"), Now: w.Now, Audit: w.Audit}
	other, err := rival.Add(t.Context(), account.Actor{User: w.user(t, "rival")}, "Rival", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []account.Organization{other, foreign} {
		_, get := w.Get(t.Context(), o, g.ID)
		_, members := w.Members(t.Context(), o, g.ID)
		_, update := w.Update(t.Context(), w.owner, o, g.ID, account.GroupChange{Name: &name})
		for what, err := range map[string]error{
			"get": get, "members": members, "update": update,
			"delete": w.Delete(t.Context(), w.owner, o, g.ID),
			"add":    w.AddMembers(t.Context(), w.owner, o, g.ID, []string{"u-rival"}),
			"remove": w.RemoveMembers(t.Context(), w.owner, o, g.ID, []string{"u-olive"}),
			"put in": w.AddByAddress(t.Context(), w.owner, other, g.ID, "rival@acme.test"),
		} {
			wantFault(t, what, err, fault.NotFound, "")
		}
	}
	if kept, err := w.Get(t.Context(), w.org, g.ID); err != nil || kept.Name != "Testers" {
		t.Errorf("got %+v, %v, want it unchanged", kept, err)
	}
}

// full is a store in which there is no more room.
type full struct{ *store.Store }

func (full) Groups(context.Context, string) ([]account.GroupSize, error) {
	return make([]account.GroupSize, 300), nil
}

func (s full) Group(ctx context.Context, organizationID, id string) (account.GroupSize, error) {
	g, err := s.Store.Group(ctx, organizationID, id)
	g.Members += 9_999
	return g, err
}

func TestGroupsHaveLimits(t *testing.T) {
	w := newGroupWorld(t)
	g := w.group(t, "Testers")
	ann, bob, cat := w.member(t, "ann"), w.member(t, "bob"), w.member(t, "cat")
	w.Store = full{w.db}
	_, err := w.Add(t.Context(), w.owner, w.org, account.Group{Name: "One more"})
	wantFault(t, "the 301st group", err, fault.Denied, "")
	wantFault(t, "two at once", w.AddMembers(t.Context(), w.owner, w.org, g.ID, []string{ann, bob}), fault.Denied, "")
	if got := w.inGroup(t, g); len(got) != 0 {
		t.Errorf("got %q in the group, want nobody", got)
	}
	if err := w.AddMembers(t.Context(), w.owner, w.org, g.ID, []string{cat}); err != nil {
		t.Errorf("the 10,000th member: got %v", err)
	}
	wantFault(t, "the 10,001st", w.AddMembers(t.Context(), w.owner, w.org, g.ID, []string{ann}), fault.Denied, "")
}

func TestTakenGroupIdsAreMadeAnew(t *testing.T) {
	w := newGroupWorld(t)
	w.NewID = inTurn("ug1", "ug1", "ug2")
	w.group(t, "First")
	if g := w.group(t, "Second"); g.ID != "ug2" {
		t.Errorf("got the id %s, want ug2", g.ID)
	}
}

// inTurn gives these ids, one after the other.
func inTurn(ids ...string) func() string {
	return func() string {
		id := ids[0]
		ids = ids[1:]
		return id
	}
}

func TestWhatIsDoneToGroupsIsRecorded(t *testing.T) {
	w := newGroupWorld(t)
	var many []string
	for i := range 205 {
		many = append(many, w.member(t, fmt.Sprintf("m%03d", i)))
	}
	name, description := "Trial", "First ones"
	g, err := w.Add(t.Context(), w.owner, w.org, account.Group{Name: "Testers", Description: "Who tries"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Update(t.Context(), w.owner, w.org, g.ID, account.GroupChange{Name: &name, Description: &description})
	for _, err := range []error{
		err,
		w.AddMembers(t.Context(), w.owner, w.org, g.ID, many),
		w.AddMembers(t.Context(), w.owner, w.org, g.ID, many[:3]), // they are in it
		w.RemoveMembers(t.Context(), w.owner, w.org, g.ID, []string{many[1], "u-none"}),
		w.RemoveMembers(t.Context(), w.owner, w.org, g.ID, []string{"u-none"}),
		w.Delete(t.Context(), w.owner, w.org, g.ID),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	type said struct {
		Action  string
		Details audit.Details
	}
	var got []said
	for _, e := range w.groupEvents(t) {
		got = append(got, said{e.Action, e.Details})
		if e.Target.ID != g.ID || e.Target.Kind != "group" || e.Actor.ID != w.owner.User.ID {
			t.Errorf("got %+v, want the group as its target, and who did it", e)
		}
	}
	want := []said{
		{audit.GroupCreate, audit.Details{"description": "Who tries"}},
		{audit.GroupUpdate, audit.Details{"user_group_name.before": "Testers", "user_group_name.after": "Trial", "description.before": "Who tries", "description.after": "First ones"}},
		{audit.GroupAddMembers, audit.Details{
			"member_ids":   strings.Join(many[:100], " "),
			"member_ids.2": strings.Join(many[100:200], " "),
			"member_ids.3": strings.Join(many[200:], " "),
		}},
		{audit.GroupRemoveMembers, audit.Details{"member_ids": many[1]}},
		{audit.GroupDelete, audit.Details{"member_count": "204"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// fullLog is a log that cannot be written to.
type fullLog struct{ audit.Store }

func (fullLog) AddEvent(context.Context, audit.Event) error { return errors.New("the log is full") }

func TestAChangeOfGroupsWithoutItsEventIsNotMade(t *testing.T) {
	w := newGroupWorld(t)
	g := w.group(t, "Testers")
	ann, bob := w.member(t, "ann"), w.member(t, "bob")
	if err := w.AddMembers(t.Context(), w.owner, w.org, g.ID, []string{ann}); err != nil {
		t.Fatal(err)
	}
	name := "Taken"
	w.Audit = &audit.Log{Store: fullLog{w.db}, Now: w.Now, NewID: ident.UUID}
	_, add := w.Add(t.Context(), w.owner, w.org, account.Group{Name: "Others"})
	_, update := w.Update(t.Context(), w.owner, w.org, g.ID, account.GroupChange{Name: &name})
	for what, err := range map[string]error{
		"add": add, "update": update,
		"delete":         w.Delete(t.Context(), w.owner, w.org, g.ID),
		"add members":    w.AddMembers(t.Context(), w.owner, w.org, g.ID, []string{bob}),
		"remove members": w.RemoveMembers(t.Context(), w.owner, w.org, g.ID, []string{ann}),
	} {
		if err == nil {
			t.Errorf("%s: got no error", what)
		}
	}
	list, err := w.List(t.Context(), w.org)
	if diff := cmp.Diff([]account.GroupSize{{Group: g, Members: 1}}, list); diff != "" || err != nil {
		t.Errorf("something was changed: %v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{ann}, w.inGroup(t, g)); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

// unlocked fails the test if something is written before the lock.
type unlocked struct {
	*store.Store
	t      *testing.T
	locked bool
}

func (s *unlocked) LockOrganization(ctx context.Context, id string) error {
	s.locked = true
	return s.Store.LockOrganization(ctx, id)
}

func (s *unlocked) Tx(ctx context.Context, fn func(ctx context.Context) error) error {
	s.locked = false
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		err := fn(ctx)
		if !s.locked {
			s.t.Error("the organization was not locked")
		}
		return err
	})
}

func (s *unlocked) Group(ctx context.Context, organizationID, id string) (account.GroupSize, error) {
	if !s.locked {
		s.t.Error("a group was read before the organization was locked")
	}
	return s.Store.Group(ctx, organizationID, id)
}

func (s *unlocked) Groups(ctx context.Context, organizationID string) ([]account.GroupSize, error) {
	if !s.locked {
		s.t.Error("groups were counted before the organization was locked")
	}
	return s.Store.Groups(ctx, organizationID)
}

func TestChangesOfGroupsLockTheOrganizationFirst(t *testing.T) {
	w := newGroupWorld(t)
	ann := w.member(t, "ann")
	w.Store = &unlocked{Store: w.db, t: t}
	g := w.group(t, "Testers")
	name := "Trial"
	_, update := w.Update(t.Context(), w.owner, w.org, g.ID, account.GroupChange{Name: &name})
	for _, err := range []error{
		update,
		w.AddMembers(t.Context(), w.owner, w.org, g.ID, []string{ann}),
		w.RemoveMembers(t.Context(), w.owner, w.org, g.ID, []string{ann}),
		w.Delete(t.Context(), w.owner, w.org, g.ID),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestGroupsThatIdPsFillAreNotFilledByHand(t *testing.T) {
	w := newGroupWorld(t)
	ada := w.member(t, "ada")
	g, err := w.Add(t.Context(), w.owner, w.org, account.Group{Name: "Staff", IdPManaged: true})
	if err != nil || !g.IdPManaged {
		t.Fatalf("got %+v and %v, want a group that identity providers fill", g, err)
	}
	add, remove := w.AddMembers(t.Context(), w.owner, w.org, g.ID, []string{ada}), w.RemoveMembers(t.Context(), w.owner, w.org, g.ID, []string{ada})
	for name, err := range map[string]error{"add": add, "remove": remove, "add by address": w.AddByAddress(t.Context(), w.owner, w.org, g.ID, "ada@acme.test")} {
		wantFault(t, name, err, fault.Conflict, "")
		if code := fault.Of(err).Code; code != "resource_managed_by_scim" {
			t.Errorf("%s: got code %q", name, code)
		}
	}
	no := false
	if g, err = w.Update(t.Context(), w.owner, w.org, g.ID, account.GroupChange{IdPManaged: &no}); err != nil || g.IdPManaged {
		t.Fatalf("got %+v and %v, want an ordinary group", g, err)
	}
	if err := w.AddMembers(t.Context(), w.owner, w.org, g.ID, []string{ada}); err != nil {
		t.Fatal(err)
	}
	events := w.groupEvents(t)
	if diff := cmp.Diff(audit.Details{"idp_managed": "true"}, events[0].Details); diff != "" {
		t.Errorf("made (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(audit.Details{"idp_managed.before": "true", "idp_managed.after": "false"}, events[1].Details); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
}

// joined is a store in which an identity provider brings all new people to
// every group.
type joined struct{ *store.Store }

func (joined) GroupJoiners(context.Context, string, string) ([]string, error) {
	return []string{"Okta"}, nil
}

func TestTheGroupThatNewPeopleJoinStays(t *testing.T) {
	w := newGroupWorld(t)
	g := w.group(t, "Staff")
	w.Store = joined{w.db}
	yes, name := true, "Everybody"
	_, update := w.Update(t.Context(), w.owner, w.org, g.ID, account.GroupChange{IdPManaged: &yes})
	for what, err := range map[string]error{"deleting it": w.Delete(t.Context(), w.owner, w.org, g.ID), "having it filled": update} {
		wantFault(t, what, err, fault.Conflict, "")
		if f := fault.Of(err); f.Code != "user_group_in_use" || !strings.Contains(f.Message, "Okta") {
			t.Errorf("%s: got %q of code %s, want it to name Okta", what, f.Message, f.Code)
		}
	}
	if _, err := w.Update(t.Context(), w.owner, w.org, g.ID, account.GroupChange{Name: &name}); err != nil {
		t.Errorf("renaming it: got %v", err)
	}
}
