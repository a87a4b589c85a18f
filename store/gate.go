package store

import (
	"context"

	"gatehouse/account"
	"gatehouse/gate"
)

// Organization and Account stand with the organizations.
var _ gate.Store = (*Store)(nil)

func scanMember(r row) (m account.Member, err error) {
	return m, r.Scan(&m.OrganizationID, &m.UserID, &m.SuperAdmin, moment{&m.JoinedAt})
}

// Member implements gate.Store.
func (s *Store) Member(ctx context.Context, organizationID, userID string) (account.Member, error) {
	m, err := one(ctx, s, scanMember, `
		SELECT organization_id, user_id, super_admin, joined_at
		FROM member WHERE organization_id = $1 AND user_id = $2`, organizationID, userID)
	return m, missing(err, "This person is not a member.")
}
