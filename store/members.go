package store

import (
	"context"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

var _ account.MemberStore = (*Store)(nil)

func scanOrganizationMember(r row) (m account.OrganizationMember, err error) {
	return m, r.Scan(append(userFields(&m.User), &m.SuperAdmin, moment{&m.JoinedAt})...)
}

// OrganizationMembers implements account.MemberStore.
func (s *Store) OrganizationMembers(ctx context.Context, organizationID string) ([]account.OrganizationMember, error) {
	return all(ctx, s, scanOrganizationMember, `
		SELECT `+userColumns+`, m.super_admin, m.joined_at
		FROM member m JOIN person p ON p.id = m.user_id
		WHERE m.organization_id = $1
		ORDER BY p.email`, organizationID)
}

// OrganizationMember implements account.MemberStore.
func (s *Store) OrganizationMember(ctx context.Context, organizationID, userID string) (account.OrganizationMember, error) {
	m, err := one(ctx, s, scanOrganizationMember, `
		SELECT `+userColumns+`, m.super_admin, m.joined_at
		FROM member m JOIN person p ON p.id = m.user_id
		WHERE m.organization_id = $1 AND m.user_id = $2`, organizationID, userID)
	return m, missing(err, "The organization has no such member.")
}

// RemoveMember implements account.MemberStore. Places in groups go with the
// membership.
func (s *Store) RemoveMember(ctx context.Context, organizationID, userID string) error {
	return s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		return s.change(ctx, fault.NotFound.Errorf("The organization has no such member."),
			`DELETE FROM member WHERE organization_id = $1 AND user_id = $2`, organizationID, userID)
	})
}

// Release implements account.MemberStore.
func (s *Store) Release(ctx context.Context, organizationID, userID string, at time.Time) error {
	return s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		return s.change(ctx, fault.NotFound.Errorf("The organization does not manage this person."), `
			UPDATE person SET managing_organization_id = NULL, updated_at = $3
			WHERE id = $2 AND managing_organization_id = $1`, organizationID, userID, stamp(at))
	})
}
