package storetest

import (
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/store"
)

var members = []promise{
	{"members are those of one organization, by address, with what they are there", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		eve, ada, bob := addUser(t, s, "eve"), addUser(t, s, "ada"), addUser(t, s, "bob")
		addMember(t, s, o, eve, false)
		do(t, s.AddMember(t.Context(), account.Member{OrganizationID: o.ID, UserID: ada.ID, SuperAdmin: true, JoinedAt: Then.Add(time.Hour)}))
		addMember(t, s, other, bob, true)
		addMember(t, s, other, eve, true)
		list, err := s.OrganizationMembers(t.Context(), o.ID)
		do(t, err)
		want := []account.OrganizationMember{{User: ada, SuperAdmin: true, JoinedAt: Then.Add(time.Hour)}, {User: eve, JoinedAt: list[1].JoinedAt}}
		same(t, list, want)
		one, err := s.OrganizationMember(t.Context(), o.ID, ada.ID)
		do(t, err)
		same(t, one, want[0])
		for _, id := range []string{bob.ID, "u-none", ""} {
			_, err := s.OrganizationMember(t.Context(), o.ID, id)
			isFault(t, err, fault.NotFound)
			isFault(t, s.RemoveMember(t.Context(), o.ID, id), fault.NotFound)
		}
	}},
	{"who is removed is a member no more, nor in its groups, and stays one elsewhere", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		ada := addUser(t, s, "ada")
		addMember(t, s, o, ada, true)
		addMember(t, s, other, ada, false)
		g := addGroup(t, s, o, "Staff")
		_, err := s.AddGroupMembers(t.Context(), g.ID, []string{ada.ID}, Then)
		do(t, err, s.RemoveMember(t.Context(), o.ID, ada.ID))
		_, err = s.OrganizationMember(t.Context(), o.ID, ada.ID)
		isFault(t, err, fault.NotFound)
		_, err = s.OrganizationMember(t.Context(), other.ID, ada.ID)
		do(t, err)
		in, err := s.GroupMembers(t.Context(), g.ID)
		do(t, err)
		same(t, len(in), 0)
		isFault(t, s.RemoveMember(t.Context(), o.ID, ada.ID), fault.NotFound)
	}},
	{"an organization releases whom it manages, and nobody else", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		ada := User("ada")
		ada.ManagingOrganizationID = o.ID
		do(t, s.AddUser(t.Context(), ada, ""))
		isFault(t, s.Release(t.Context(), other.ID, ada.ID, Then), fault.NotFound)
		isFault(t, s.Release(t.Context(), o.ID, "u-none", Then), fault.NotFound)
		do(t, s.Release(t.Context(), o.ID, ada.ID, Then.Add(time.Hour)))
		got, err := s.User(t.Context(), ada.ID)
		do(t, err)
		ada.ManagingOrganizationID, ada.UpdatedAt = "", Then.Add(time.Hour)
		same(t, got, ada)
		isFault(t, s.Release(t.Context(), o.ID, ada.ID, Then), fault.NotFound)
	}},
}
