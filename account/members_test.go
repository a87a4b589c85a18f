package account_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/domains"
	"gatehouse/internal/fault"
)

// newMemberWorld makes an organization with its owner, and what keeps its members.
func newMemberWorld(t *testing.T) (*groupWorld, *account.Members) {
	t.Helper()
	w := newGroupWorld(t)
	return w, &account.Members{Store: w.db, Now: w.Now, Audit: w.Audit}
}

// refused checks a failure and its code.
func refused(t *testing.T, what string, err error, kind fault.Kind, code string) {
	t.Helper()
	if f := fault.Of(err); f == nil || f.Kind != kind || f.Code != code || f.Field != "" {
		t.Errorf("%s: got %v, want %s with code %s", what, err, kind, code)
	}
}

// here lists the names of who is in an organization.
func here(t *testing.T, m *account.Members, o account.Organization) (names []string) {
	t.Helper()
	list, err := m.List(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range list {
		names = append(names, u.RealName)
	}
	return names
}

func TestMembersAreRemovedAndLeave(t *testing.T) {
	w, m := newMemberWorld(t)
	ada, bob := w.member(t, "ada"), w.member(t, "bob")
	if err := m.Remove(t.Context(), w.owner, w.org, ada, account.Parting{}); err != nil {
		t.Fatal(err)
	}
	refused(t, "removing her again", m.Remove(t.Context(), w.owner, w.org, ada, account.Parting{}), fault.NotFound, "user_not_found")
	by := account.Actor{User: account.User{ID: bob, Email: "bob@acme.test"}}
	if err := m.Leave(t.Context(), by, w.org, account.Parting{}); err != nil {
		t.Fatal(err)
	}
	refused(t, "leaving again", m.Leave(t.Context(), by, w.org, account.Parting{}), fault.NotFound, "user_not_found")
	if diff := cmp.Diff([]string{"olive"}, here(t, m, w.org)); diff != "" {
		t.Errorf("who is left (-want +got):\n%s", diff)
	}
	list, err := w.db.Events(t.Context(), audit.Filter{OrganizationID: w.org.ID, Action: "member."}, "", 10)
	if err != nil || len(list) != 2 {
		t.Fatalf("got %d events and %v, want 2", len(list), err)
	}
	leave, remove := list[0], list[1]
	if leave.Action != audit.MemberLeave || leave.Actor.ID != bob || leave.Target.ID != bob || remove.Action != audit.MemberRemove || remove.Actor.ID != w.owner.User.ID || remove.Target.ID != ada {
		t.Errorf("got the events %+v", list)
	}
}

func TestTheLastSuperAdminStays(t *testing.T) {
	w, m := newMemberWorld(t)
	ada := w.member(t, "ada")
	for _, how := range []account.Parting{{}, {Force: true}} {
		refused(t, "leaving", m.Leave(t.Context(), w.owner, w.org, how), fault.Invalid, "organization_must_have_one_super_admin")
		by := account.Actor{User: account.User{ID: "u-somebody"}}
		refused(t, "removing", m.Remove(t.Context(), by, w.org, w.owner.User.ID, how), fault.Invalid, "organization_must_have_one_super_admin")
	}
	if err := w.db.SetSuperAdmin(t.Context(), w.org.ID, ada, true); err != nil {
		t.Fatal(err)
	}
	no := errors.New("nobody else comes in")
	m.Keep = func(ctx context.Context, organizationID string) error {
		left, err := w.db.OrganizationMembers(ctx, organizationID)
		if err != nil || len(left) != 1 || left[0].ID != ada {
			t.Errorf("asked when there are %+v (%v), want ada alone", left, err)
		}
		return no
	}
	if err := m.Leave(t.Context(), w.owner, w.org, account.Parting{}); !errors.Is(err, no) {
		t.Errorf("got %v, want what Keep says", err)
	}
	if n := len(here(t, m, w.org)); n != 2 {
		t.Errorf("got %d members after that, want 2", n)
	}
	if err := m.Leave(t.Context(), w.owner, w.org, account.Parting{Force: true}); err != nil {
		t.Errorf("forced: got %v", err)
	}
}

func TestWhomAnOrganizationManagesStaysUntilReleased(t *testing.T) {
	w, m := newMemberWorld(t)
	ada := w.member(t, "ada")
	by := account.Actor{User: account.User{ID: ada, Email: "ada@acme.test"}}
	_, err := m.Release(t.Context(), w.owner, w.org, ada)
	refused(t, "releasing whom nobody manages", err, fault.Denied, "action_forbidden_on_unmanaged_users")
	if err := w.db.Manage(t.Context(), ada, w.org.ID, w.now); err != nil {
		t.Fatal(err)
	}
	refused(t, "removing", m.Remove(t.Context(), w.owner, w.org, ada, account.Parting{Force: true}), fault.Invalid, "cannot_remove_managed_users_from_organization")
	refused(t, "leaving", m.Leave(t.Context(), by, w.org, account.Parting{Force: true}), fault.Denied, "action_forbidden_for_managed_users")

	d := domains.Domain{ID: "dom1", OrganizationID: w.org.ID, Name: "acme.test", State: domains.Verified, Proof: domains.ByDNS, Challenge: "c", CreatedAt: w.now, VerifiedAt: w.now}
	if err := w.db.AddDomain(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	_, err = m.Release(t.Context(), w.owner, w.org, ada)
	refused(t, "releasing whose address is the organization's", err, fault.Conflict, "user_address_in_verified_domain")
	if err := w.db.DeleteDomain(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	got, err := m.Release(t.Context(), w.owner, w.org, ada)
	if err != nil || got.ManagingOrganizationID != "" {
		t.Fatalf("got %+v and %v, want nobody managing her", got, err)
	}
	if err := m.Leave(t.Context(), by, w.org, account.Parting{}); err != nil {
		t.Errorf("leaving: got %v", err)
	}
}

func TestWhomAnotherOrganizationManagesMayGo(t *testing.T) {
	w, m := newMemberWorld(t)
	other, err := (&account.Organizations{Store: w.db, NewID: func() string { return "org-other" }, NewAccountID: func() string { return "a-other" }, Now: w.Now, Audit: w.Audit}).Add(t.Context(), w.owner, "Other", "")
	if err != nil {
		t.Fatal(err)
	}
	ada := w.member(t, "ada")
	if err := w.db.Manage(t.Context(), ada, other.ID, w.now); err != nil {
		t.Fatal(err)
	}
	_, err = m.Release(t.Context(), w.owner, w.org, ada)
	refused(t, "releasing", err, fault.Denied, "action_forbidden_on_unmanaged_users")
	if err := m.Remove(t.Context(), w.owner, w.org, ada, account.Parting{}); err != nil {
		t.Errorf("removing: got %v", err)
	}
	if u, err := w.db.User(t.Context(), ada); err != nil || u.ManagingOrganizationID != other.ID {
		t.Errorf("got %+v and %v, want the other one managing her still", u, err)
	}
}
