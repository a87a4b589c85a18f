package storetest

import (
	"context"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/store"
)

var organizations = []promise{
	{"an organization and its root account come back as they were added", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		got, err := s.Organization(t.Context(), o.ID)
		do(t, err)
		same(t, got, o)
		root, err := s.Account(t.Context(), o.AccountID)
		do(t, err)
		same(t, root, Root(o))
	}},
	{"what is not there is not found", func(t *testing.T, s *store.Store) {
		_, err := s.Organization(t.Context(), "org-none")
		isFault(t, err, fault.NotFound)
		_, err = s.Account(t.Context(), "a-none")
		isFault(t, err, fault.NotFound)
		isFault(t, s.UpdateOrganization(t.Context(), Organization("none")), fault.NotFound)
		isFault(t, s.UpdateAccount(t.Context(), account.Account{ID: "a-none", UpdatedAt: Then}), fault.NotFound)
		err = s.Tx(t.Context(), func(ctx context.Context) error { return s.LockOrganization(ctx, "org-none") })
		isFault(t, err, fault.NotFound)
	}},
	{"an organization that could not be added leaves no account", func(t *testing.T, s *store.Store) {
		taken := addOrganization(t, s, "acme")
		o := Organization("other")
		root := Root(o)
		root.ID = taken.AccountID
		isFault(t, s.AddOrganization(t.Context(), o, root), fault.Exists)
		_, err := s.Organization(t.Context(), o.ID)
		isFault(t, err, fault.NotFound)
	}},
	{"an update renames the root account with the organization", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		unit := addUnit(t, s, o, "unit", Then)
		o.Name, o.Tier, o.UpdatedAt = "Acme Ltd", "personal", Then.Add(time.Hour)
		do(t, s.UpdateOrganization(t.Context(), o))
		got, err := s.Organization(t.Context(), o.ID)
		do(t, err)
		same(t, got, o)
		root, err := s.Account(t.Context(), o.AccountID)
		do(t, err)
		want := Root(o)
		want.CreatedAt = Then
		same(t, root, want)
		// Nobody else's name changes.
		got, err = s.Organization(t.Context(), other.ID)
		do(t, err)
		same(t, got, other)
		gotUnit, err := s.Account(t.Context(), unit.ID)
		do(t, err)
		same(t, gotUnit, unit)
	}},
	{"a unit is renamed alone, a root account never", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		unit := addUnit(t, s, o, "unit", Then)
		unit.Name, unit.UpdatedAt = "Unit 1", Then.Add(time.Minute)
		do(t, s.UpdateAccount(t.Context(), unit))
		got, err := s.Account(t.Context(), unit.ID)
		do(t, err)
		same(t, got, unit)
		isFault(t, s.UpdateAccount(t.Context(), Root(o)), fault.NotFound)
	}},
	{"units are those of one organization, oldest first", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		addUnit(t, s, o, "late", Then.Add(time.Hour))
		addUnit(t, s, o, "early", Then.Add(time.Minute))
		addUnit(t, s, other, "foreign", Then)
		units, err := s.Units(t.Context(), o.ID)
		do(t, err)
		same(t, ids(units, func(a account.Account) string { return a.ID }), []string{"a-early", "a-late"})
	}},
	{"a second root account is refused", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		second := Root(o)
		second.ID = "a-second"
		isFault(t, s.AddAccount(t.Context(), second), fault.Exists)
	}},
	{"an account of an organization that is not there is refused", func(t *testing.T, s *store.Store) {
		isFault(t, s.AddAccount(t.Context(), Root(Organization("none"))), fault.NotFound)
	}},
	{"people see the organizations and accounts that they belong to, oldest first", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		second := addOrganizationAt(t, s, "a-second", Then.Add(time.Hour))
		first := addOrganizationAt(t, s, "b-first", Then)
		foreign := addOrganizationAt(t, s, "foreign", Then)
		addUnit(t, s, first, "unit", Then.Add(time.Minute))
		addMember(t, s, second, ada, false)
		addMember(t, s, first, ada, true)
		addMember(t, s, foreign, eve, true)

		mine, err := s.Memberships(t.Context(), ada.ID)
		do(t, err)
		same(t, mine, []account.Membership{{Organization: first, SuperAdmin: true}, {Organization: second}})
		accounts, err := s.AccountsOf(t.Context(), ada.ID)
		do(t, err)
		same(t, ids(accounts, func(a account.Account) string { return a.ID }), []string{first.AccountID, "a-unit", second.AccountID})
		none, err := s.Memberships(t.Context(), "u-nobody")
		do(t, err)
		same(t, len(none), 0)
	}},
	{"a member is one of one organization only", func(t *testing.T, s *store.Store) {
		ada := addUser(t, s, "ada")
		o, foreign := addOrganization(t, s, "acme"), addOrganization(t, s, "foreign")
		addMember(t, s, o, ada, true)
		got, err := s.Member(t.Context(), o.ID, ada.ID)
		do(t, err)
		same(t, got, account.Member{OrganizationID: o.ID, UserID: ada.ID, SuperAdmin: true, JoinedAt: Then})
		_, err = s.Member(t.Context(), foreign.ID, ada.ID)
		isFault(t, err, fault.NotFound)
	}},
	{"nobody is a member twice, and trying does not end the transaction", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		o := addOrganization(t, s, "acme")
		addMember(t, s, o, ada, true)
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			isFault(t, s.AddMember(ctx, account.Member{OrganizationID: o.ID, UserID: ada.ID, JoinedAt: Then}), fault.Exists)
			return s.AddMember(ctx, account.Member{OrganizationID: o.ID, UserID: eve.ID, JoinedAt: Then})
		})
		do(t, err)
		m, err := s.Member(t.Context(), o.ID, ada.ID)
		do(t, err)
		same(t, m.SuperAdmin, true)
	}},
	{"a member who is no user, or of no organization, is refused", func(t *testing.T, s *store.Store) {
		ada, o := addUser(t, s, "ada"), addOrganization(t, s, "acme")
		isFault(t, s.AddMember(t.Context(), account.Member{OrganizationID: o.ID, UserID: "u-nobody", JoinedAt: Then}), fault.NotFound)
		isFault(t, s.AddMember(t.Context(), account.Member{OrganizationID: "org-none", UserID: ada.ID, JoinedAt: Then}), fault.NotFound)
	}},
	{"a locked organization makes others wait, so that a limit holds", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		won := race(t, 16, fault.Denied, func(ctx context.Context, i int) error {
			return s.Tx(ctx, func(ctx context.Context) error {
				if err := s.LockOrganization(ctx, o.ID); err != nil {
					return err
				}
				units, err := s.Units(ctx, o.ID)
				if err != nil {
					return err
				}
				if len(units) >= 5 {
					return fault.Denied.Errorf("There are five.")
				}
				return s.AddAccount(ctx, unit(o, string(rune('a'+i)), Then))
			})
		})
		same(t, won, 5)
	}},
	{"a lock needs a transaction", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		isFault(t, s.LockOrganization(t.Context(), o.ID), fault.Internal)
	}},
}

func addOrganization(t testing.TB, s *store.Store, name string) account.Organization {
	t.Helper()
	return addOrganizationAt(t, s, name, Then)
}

func addOrganizationAt(t testing.TB, s *store.Store, name string, at time.Time) account.Organization {
	t.Helper()
	o := Organization(name)
	o.CreatedAt, o.UpdatedAt = at, at
	do(t, s.AddOrganization(t.Context(), o, Root(o)))
	return o
}

func unit(o account.Organization, name string, at time.Time) account.Account {
	return account.Account{ID: "a-" + name, OrganizationID: o.ID, ParentID: o.AccountID, Name: name, CreatedAt: at, UpdatedAt: at}
}

func addUnit(t testing.TB, s *store.Store, o account.Organization, name string, at time.Time) account.Account {
	t.Helper()
	u := unit(o, name, at)
	do(t, s.AddAccount(t.Context(), u))
	return u
}

func addMember(t testing.TB, s *store.Store, o account.Organization, u account.User, admin bool) {
	t.Helper()
	do(t, s.AddMember(t.Context(), account.Member{OrganizationID: o.ID, UserID: u.ID, SuperAdmin: admin, JoinedAt: Then}))
}
