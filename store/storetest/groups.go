package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/store"
)

// Group is a group of an organization.
func Group(name string, o account.Organization) account.Group {
	return account.Group{
		ID: "ug-" + o.Name + "-" + name, OrganizationID: o.ID, Name: name, Description: "About " + name + ".\nIn two lines.",
		CreatedAt: Then, UpdatedAt: Then,
	}
}

var userGroups = []promise{
	{"a group comes back as it was added", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		g := addGroup(t, s, o, "Testers")
		got, err := s.Group(t.Context(), o.ID, g.ID)
		do(t, err)
		same(t, got, account.GroupSize{Group: g})
	}},
	{"what is not there, or another organization's, is not found", func(t *testing.T, s *store.Store) {
		o, foreign := addOrganization(t, s, "acme"), addOrganization(t, s, "foreign")
		g := addGroup(t, s, foreign, "Testers")
		mine := g
		mine.OrganizationID, mine.Name = o.ID, "Taken"
		for _, id := range []string{g.ID, "ug-none", "", "\x00"} {
			_, err := s.Group(t.Context(), o.ID, id)
			isFault(t, err, fault.NotFound)
			same(t, fault.Of(err).Code, "user_group_not_found")
		}
		isFault(t, s.UpdateGroup(t.Context(), mine), fault.NotFound)
		isFault(t, s.DeleteGroup(t.Context(), o.ID, g.ID), fault.NotFound)
		got, err := s.Group(t.Context(), foreign.ID, g.ID)
		do(t, err)
		same(t, got.Group, g)
		isFault(t, s.AddGroup(t.Context(), Group("Lost", Organization("none"))), fault.NotFound)
	}},
	{"an update writes the name, the description and the time", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		g, other := addGroup(t, s, o, "Testers"), addGroup(t, s, o, "Others")
		changed := g
		changed.Name, changed.Description, changed.UpdatedAt = "TESTERS", "", Then.Add(time.Hour)
		do(t, s.UpdateGroup(t.Context(), changed))
		got, err := s.Group(t.Context(), o.ID, g.ID)
		do(t, err)
		same(t, got.Group, changed)
		got, err = s.Group(t.Context(), o.ID, other.ID)
		do(t, err)
		same(t, got.Group, other)
	}},
	{"a name is taken once in an organization, whatever its case, and trying does not end the transaction", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		addGroup(t, s, other, "Straße")
		addGroup(t, s, o, "Straße")
		second := addGroup(t, s, o, "Second")
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			third := Group("STRAẞE", o)
			taken := s.AddGroup(ctx, third)
			isFault(t, taken, fault.Exists)
			same(t, account.IDTaken(taken), false)
			same(t, fault.Of(taken).Field, "user_group_name")
			same(t, fault.Of(taken).Code, "user_group_names_must_be_unique")
			renamed := second
			renamed.Name = "straße"
			taken = s.UpdateGroup(ctx, renamed)
			isFault(t, taken, fault.Exists)
			same(t, fault.Of(taken).Field, "user_group_name")
			third.Name = "Third"
			return s.AddGroup(ctx, third)
		})
		do(t, err)
		same(t, groupNames(t, s, o), []string{"Second", "Straße", "Third"})
	}},
	{"a taken id is told from a taken name", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		g := addGroup(t, s, o, "Testers")
		again := Group("Others", o)
		again.ID = g.ID
		err := s.AddGroup(t.Context(), again)
		isFault(t, err, fault.Exists)
		same(t, account.IDTaken(err), true)
	}},
	{"groups are those of one organization, by name, with their sizes", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		addGroup(t, s, o, "beta")
		first := addGroup(t, s, o, "Alpha")
		addGroup(t, s, other, "Foreign")
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		addMember(t, s, o, ada, true)
		addMember(t, s, o, eve, false)
		_, err := s.AddGroupMembers(t.Context(), first.ID, []string{ada.ID, eve.ID}, Then)
		do(t, err)
		same(t, groupNames(t, s, o), []string{"Alpha", "beta"})
		list, err := s.Groups(t.Context(), o.ID)
		do(t, err)
		same(t, ids(list, func(g account.GroupSize) string { return fmt.Sprint(g.Members) }), []string{"2", "0"})
	}},
	{"members of the organization alone are added, once, and listed by address", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		g := addGroup(t, s, o, "Testers")
		ada, eve, kim := addUser(t, s, "ada"), addUser(t, s, "eve"), addUser(t, s, "kim")
		addMember(t, s, o, eve, false)
		addMember(t, s, o, ada, false)
		addMember(t, s, other, kim, true)
		everybody := []string{eve.ID, kim.ID, ada.ID, "u-nobody", eve.ID}

		found, err := s.MemberByAddress(t.Context(), o.ID, ada.Email)
		do(t, err)
		same(t, found, ada)
		for _, email := range []string{kim.Email, "nobody@example.com", "\x00"} {
			_, err = s.MemberByAddress(t.Context(), o.ID, email)
			isFault(t, err, fault.NotFound)
		}
		among, err := s.MembersAmong(t.Context(), o.ID, everybody)
		do(t, err)
		sameSet(t, among, ada.ID, eve.ID)
		added, err := s.AddGroupMembers(t.Context(), g.ID, []string{eve.ID}, Then)
		do(t, err)
		sameSet(t, added, eve.ID)
		added, err = s.AddGroupMembers(t.Context(), g.ID, everybody, Then.Add(time.Hour))
		do(t, err)
		sameSet(t, added, ada.ID)

		members, err := s.GroupMembers(t.Context(), g.ID)
		do(t, err)
		same(t, members, []account.GroupMember{{User: ada, AddedAt: Then.Add(time.Hour)}, {User: eve, AddedAt: Then}})
		added, err = s.AddGroupMembers(t.Context(), "ug-none", everybody, Then)
		do(t, err)
		sameSet(t, added)
	}},
	{"who is in a group is removed from it alone", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		g, other := addGroup(t, s, o, "Testers"), addGroup(t, s, o, "Others")
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		for _, u := range []account.User{ada, eve} {
			addMember(t, s, o, u, false)
			for _, id := range []string{g.ID, other.ID} {
				_, err := s.AddGroupMembers(t.Context(), id, []string{u.ID}, Then)
				do(t, err)
			}
		}
		removed, err := s.RemoveGroupMembers(t.Context(), g.ID, []string{eve.ID, "u-nobody"})
		do(t, err)
		sameSet(t, removed, eve.ID)
		sameSet(t, inGroup(t, s, g), ada.ID)
		sameSet(t, inGroup(t, s, other), ada.ID, eve.ID)
	}},
	{"a deleted group takes who was in it along, and nobody else", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		g, other := addGroup(t, s, o, "Testers"), addGroup(t, s, o, "Others")
		ada := addUser(t, s, "ada")
		addMember(t, s, o, ada, false)
		for _, id := range []string{g.ID, other.ID} {
			_, err := s.AddGroupMembers(t.Context(), id, []string{ada.ID}, Then)
			do(t, err)
		}
		do(t, s.DeleteGroup(t.Context(), o.ID, g.ID))
		_, err := s.Group(t.Context(), o.ID, g.ID)
		isFault(t, err, fault.NotFound)
		do(t, s.AddGroup(t.Context(), g))
		sameSet(t, inGroup(t, s, g))
		sameSet(t, inGroup(t, s, other), ada.ID)
	}},
	{"identity providers that bring new people to a group are named, until they are deleted", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		g, foreign := addGroup(t, s, o, "Staff"), addGroup(t, s, other, "Staff")
		joiners := func(organizationID, groupID string, want ...string) {
			t.Helper()
			got, err := s.GroupJoiners(t.Context(), organizationID, groupID)
			do(t, err)
			same(t, got, want)
		}
		joiners(o.ID, g.ID)
		two, one := addIdP(t, s, "am2", o), addIdP(t, s, "am1", o)
		two.Name, one.Name = "Okta", "Entra"
		two.AutoJoinGroupID, one.AutoJoinGroupID = g.ID, g.ID
		addIdP(t, s, "am3", o)
		do(t, s.UpdateIdP(t.Context(), two), s.UpdateIdP(t.Context(), one))
		joiners(o.ID, g.ID, "Entra", "Okta")
		joiners(other.ID, foreign.ID)
		joiners(other.ID, g.ID)
		now := Then
		two.DeletedAt = &now
		do(t, s.UpdateIdP(t.Context(), two))
		joiners(o.ID, g.ID, "Entra")
	}},
	{"who stops being a member of the organization leaves its groups, and is in none when they come back", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		g := addGroup(t, s, o, "Testers")
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		addMember(t, s, o, ada, false)
		addMember(t, s, o, eve, false)
		_, err := s.AddGroupMembers(t.Context(), g.ID, []string{ada.ID, eve.ID}, Then)
		do(t, err)
		do(t, s.Disown(t.Context(), eve.ID, eve.Email, "gone@disowned.invalid", Then))
		sameSet(t, inGroup(t, s, g), ada.ID)
		got, err := s.Group(t.Context(), o.ID, g.ID)
		do(t, err)
		same(t, got.Members, 1)
		addMember(t, s, o, eve, false)
		sameSet(t, inGroup(t, s, g), ada.ID)
	}},
	{"as many as one call may name are added and removed at once, and what no id can be is passed over", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		g := addGroup(t, s, o, "Testers")
		ada := addUser(t, s, "ada")
		addMember(t, s, o, ada, false)
		many := []string{"\x00", "\xff", ada.ID}
		for i := range 1021 {
			many = append(many, fmt.Sprintf("u-%d", i))
		}
		for _, c := range []struct {
			ids  []string
			want []string
		}{{nil, nil}, {many, []string{ada.ID}}} {
			among, err := s.MembersAmong(t.Context(), o.ID, c.ids)
			do(t, err)
			sameSet(t, among, c.want...)
			added, err := s.AddGroupMembers(t.Context(), g.ID, c.ids, Then)
			do(t, err)
			sameSet(t, added, c.want...)
			removed, err := s.RemoveGroupMembers(t.Context(), g.ID, c.ids)
			do(t, err)
			sameSet(t, removed, c.want...)
		}
	}},
}

func addGroup(t testing.TB, s *store.Store, o account.Organization, name string) account.Group {
	t.Helper()
	g := Group(name, o)
	do(t, s.AddGroup(t.Context(), g))
	return g
}

func groupNames(t testing.TB, s *store.Store, o account.Organization) []string {
	t.Helper()
	list, err := s.Groups(t.Context(), o.ID)
	do(t, err)
	return ids(list, func(g account.GroupSize) string { return g.Name })
}

// inGroup gives the ids of who is in a group.
func inGroup(t testing.TB, s *store.Store, g account.Group) []string {
	t.Helper()
	list, err := s.GroupMembers(t.Context(), g.ID)
	do(t, err)
	return ids(list, func(m account.GroupMember) string { return m.ID })
}

// sameSet compares what has no order.
func sameSet(t testing.TB, got []string, want ...string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	same(t, got, want)
}
