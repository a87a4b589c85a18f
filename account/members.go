package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// An OrganizationMember is a person as an organization of theirs sees them.
type OrganizationMember struct {
	User
	SuperAdmin bool
	JoinedAt   time.Time
}

// MemberStore is what Members needs of storage.
type MemberStore interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// LockOrganization is that of OrganizationStore, SuperAdmins that of
	// AddressStore.
	LockOrganization(ctx context.Context, id string) error
	SuperAdmins(ctx context.Context, organizationID string) (int, error)

	// OrganizationMembers lists who belongs to an organization, by address.
	// OrganizationMember gives one of them, or fault.NotFound.
	OrganizationMembers(ctx context.Context, organizationID string) ([]OrganizationMember, error)
	OrganizationMember(ctx context.Context, organizationID, userID string) (OrganizationMember, error)

	// RemoveMember ends a membership, and with it the person's places in the
	// organization's groups, or returns fault.NotFound.
	RemoveMember(ctx context.Context, organizationID, userID string) error

	// Release ends that an organization manages a person, or returns
	// fault.NotFound if it does not.
	Release(ctx context.Context, organizationID, userID string, at time.Time) error

	// DomainHolder gives the organization that verified a domain, or returns
	// fault.NotFound.
	DomainHolder(ctx context.Context, name string) (organizationID string, err error)
}

// Members keeps who belongs to organizations. People come in by making one, or
// through its identity providers; here they go.
type Members struct {
	Store MemberStore
	Now   func() time.Time
	Audit *audit.Log

	// Keep refuses to lose a super admin without whom nobody could administer
	// the organization, in the transaction in which they went; nil: none is
	// kept.
	Keep func(ctx context.Context, organizationID string) error
}

// A Parting is how a membership is to end.
type Parting struct {
	Force bool // also if no super admin is left who ever logged in as the policy wants
}

// List gives who belongs to an organization, by address.
func (s *Members) List(ctx context.Context, o Organization) ([]OrganizationMember, error) {
	list, err := s.Store.OrganizationMembers(ctx, o.ID)
	if err != nil {
		return nil, fmt.Errorf("list members of %s: %w", o.ID, err)
	}
	return list, nil
}

// Get gives a member of an organization. It returns fault.NotFound with code
// user_not_found.
func (s *Members) Get(ctx context.Context, o Organization, userID string) (OrganizationMember, error) {
	m, err := s.Store.OrganizationMember(ctx, o.ID, userID)
	if errors.Is(err, fault.NotFound) {
		return m, fault.NotFound.Errorf("The organization has no such member.").Coded("user_not_found")
	}
	if err != nil {
		return m, fmt.Errorf("find member: %w", err)
	}
	return m, nil
}

// Remove ends somebody's membership at once. Their account stays theirs. Who
// removes himself leaves. It returns fault.NotFound; fault.Invalid with code
// cannot_remove_managed_users_from_organization for whom the organization
// manages, and organization_must_have_one_super_admin for its last; and, unless
// how forces it, fault.Conflict with code policy_locks_out_admins.
func (s *Members) Remove(ctx context.Context, by Actor, o Organization, userID string, how Parting) error {
	if userID == by.User.ID {
		return s.Leave(ctx, by, o, how)
	}
	return s.end(ctx, by, o, userID, how, audit.MemberRemove, func(m OrganizationMember) error {
		return fault.Invalid.Errorf("%s is managed by %s. Release them first.", m.Email, o.Name).Coded("cannot_remove_managed_users_from_organization")
	})
}

// Leave ends one's own membership. It returns what Remove does, and
// fault.Denied with code action_forbidden_for_managed_users for whom the
// organization manages.
func (s *Members) Leave(ctx context.Context, by Actor, o Organization, how Parting) error {
	return s.end(ctx, by, o, by.User.ID, how, audit.MemberLeave, func(OrganizationMember) error {
		return fault.Denied.Errorf("%s manages you: only its super admins can let you go.", o.Name).Coded("action_forbidden_for_managed_users")
	})
}

// end ends a membership, if the organization manages the person not: managed
// says why not.
func (s *Members) end(ctx context.Context, by Actor, o Organization, userID string, how Parting, action string, managed func(OrganizationMember) error) error {
	err := s.change(ctx, o, userID, func(ctx context.Context, m OrganizationMember) error {
		if m.ManagingOrganizationID == o.ID {
			return managed(m)
		}
		if err := s.Store.RemoveMember(ctx, o.ID, userID); err != nil {
			return err
		}
		if m.SuperAdmin {
			if err := s.keepsSomebody(ctx, o, how); err != nil {
				return err
			}
		}
		details, err := Departed(ctx, s.Store, Membership{Organization: o, SuperAdmin: m.SuperAdmin})
		if err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(action, o.ID, m.Target(), details))
	})
	if err != nil {
		return fmt.Errorf("end membership of %s in %s: %w", clipID(userID), o.ID, err)
	}
	return nil
}

// keepsSomebody refuses that a super admin went who was the last one, or the
// last who can come in.
func (s *Members) keepsSomebody(ctx context.Context, o Organization, how Parting) error {
	left, err := s.Store.SuperAdmins(ctx, o.ID)
	switch {
	case err != nil:
		return err
	case left == 0:
		return fault.Invalid.Errorf("%s would have no super admin any more.", o.Name).Coded("organization_must_have_one_super_admin")
	case s.Keep == nil || how.Force:
		return nil
	}
	return s.Keep(ctx, o.ID)
}

// Release ends that an organization manages somebody. It returns
// fault.NotFound; fault.Denied with code action_forbidden_on_unmanaged_users if
// it does not; and fault.Conflict with code user_address_in_verified_domain
// while their address is in a domain of the organization's, by which their next
// login would undo it.
func (s *Members) Release(ctx context.Context, by Actor, o Organization, userID string) (OrganizationMember, error) {
	var out OrganizationMember
	err := s.change(ctx, o, userID, func(ctx context.Context, m OrganizationMember) error {
		if m.ManagingOrganizationID != o.ID {
			return fault.Denied.Errorf("%s does not manage %s.", o.Name, m.Email).Coded("action_forbidden_on_unmanaged_users")
		}
		_, domain, _ := strings.Cut(m.Email, "@")
		holder, err := s.Store.DomainHolder(ctx, domain)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return err
		}
		if holder == o.ID {
			return fault.Conflict.Errorf("%s has verified %s: whoever has an address there is managed by it, and would be again. Remove the domain first.", o.Name, domain).Coded("user_address_in_verified_domain")
		}
		if err := s.Store.Release(ctx, o.ID, userID, s.Now()); err != nil {
			return err
		}
		m.ManagingOrganizationID = ""
		out = m
		return s.Audit.Record(ctx, by.Did(audit.UserRelease, o.ID, m.Target(), nil))
	})
	if err != nil {
		return OrganizationMember{}, fmt.Errorf("release %s: %w", clipID(userID), err)
	}
	return out, nil
}

// change does something to a member while nobody else changes anything of the
// organization.
func (s *Members) change(ctx context.Context, o Organization, userID string, fn func(ctx context.Context, m OrganizationMember) error) error {
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockOrganization(ctx, o.ID); err != nil {
			return err
		}
		m, err := s.Get(ctx, o, userID)
		if err != nil {
			return err
		}
		return fn(ctx, m)
	})
}
