package store

import (
	"context"
	"errors"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

const (
	organizationColumns = `o.id, o.account_id, o.name, o.tier, o.suspended, o.created_at, o.updated_at`
	accountColumns      = `a.id, a.organization_id, a.parent_id, a.name, a.created_at, a.updated_at`

	noOrganization = "There is no such organization."
	noAccount      = "There is no such account."
)

func organizationFields(o *account.Organization) []any {
	return []any{&o.ID, &o.AccountID, &o.Name, &o.Tier, &o.Suspended, moment{&o.CreatedAt}, moment{&o.UpdatedAt}}
}

func scanOrganization(r row) (o account.Organization, err error) {
	return o, r.Scan(organizationFields(&o)...)
}

func scanMembership(r row) (m account.Membership, err error) {
	return m, r.Scan(append(organizationFields(&m.Organization), &m.SuperAdmin)...)
}

func scanAccount(r row) (a account.Account, err error) {
	return a, r.Scan(&a.ID, &a.OrganizationID, text{&a.ParentID}, &a.Name, moment{&a.CreatedAt}, moment{&a.UpdatedAt})
}

// AddOrganization implements account.OrganizationStore.
func (s *Store) AddOrganization(ctx context.Context, o account.Organization, root account.Account) error {
	return s.Tx(ctx, func(ctx context.Context) error {
		_, err := s.exec(ctx, `
			INSERT INTO organization (id, account_id, name, tier, suspended, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			o.ID, o.AccountID, o.Name, o.Tier, o.Suspended, stamp(o.CreatedAt), stamp(o.UpdatedAt))
		if err != nil {
			return err
		}
		return s.AddAccount(ctx, root)
	})
}

// Organization implements account.OrganizationStore and gate.Store.
func (s *Store) Organization(ctx context.Context, id string) (account.Organization, error) {
	o, err := one(ctx, s, scanOrganization, `SELECT `+organizationColumns+` FROM organization o WHERE o.id = $1`, id)
	return o, missing(err, noOrganization)
}

// UpdateOrganization implements account.OrganizationStore.
func (s *Store) UpdateOrganization(ctx context.Context, o account.Organization) error {
	return s.Tx(ctx, func(ctx context.Context) error {
		err := s.change(ctx, fault.NotFound.Errorf(noOrganization),
			`UPDATE organization SET name = $2, tier = $3, updated_at = $4 WHERE id = $1`,
			o.ID, o.Name, o.Tier, stamp(o.UpdatedAt))
		if err != nil {
			return err
		}
		s.note(ctx, gate.OrganizationKey(o.ID))
		return s.change(ctx, fault.NotFound.Errorf(noAccount),
			`UPDATE account SET name = $2, updated_at = $3 WHERE organization_id = $1 AND parent_id IS NULL`,
			o.ID, o.Name, stamp(o.UpdatedAt))
	})
}

// LockOrganization implements account.OrganizationStore and sso.IdPStore: a
// changed row is a lock that both databases know.
func (s *Store) LockOrganization(ctx context.Context, id string) error {
	if s.current(ctx) == nil {
		return errors.New("lock organization: there is no transaction to hold the lock")
	}
	return s.change(ctx, fault.NotFound.Errorf(noOrganization),
		`UPDATE organization SET revision = revision + 1 WHERE id = $1`, id)
}

// Memberships implements account.OrganizationStore.
func (s *Store) Memberships(ctx context.Context, userID string) ([]account.Membership, error) {
	return all(ctx, s, scanMembership, `
		SELECT `+organizationColumns+`, m.super_admin
		FROM member m JOIN organization o ON o.id = m.organization_id
		WHERE m.user_id = $1
		ORDER BY o.created_at, o.id`, userID)
}

// AddMember implements account.OrganizationStore and login.Store.
func (s *Store) AddMember(ctx context.Context, m account.Member) error {
	return s.noting(ctx, gate.UserKey(m.UserID), func(ctx context.Context) error {
		return s.change(ctx, fault.Exists.Errorf("This person is a member already."), `
			INSERT INTO member (organization_id, user_id, super_admin, joined_at)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (organization_id, user_id) DO NOTHING`,
			m.OrganizationID, m.UserID, m.SuperAdmin, stamp(m.JoinedAt))
	})
}

// AddAccount implements account.OrganizationStore.
func (s *Store) AddAccount(ctx context.Context, a account.Account) error {
	_, err := s.exec(ctx, `
		INSERT INTO account (id, organization_id, parent_id, name, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		a.ID, a.OrganizationID, textOrNull(a.ParentID), a.Name, stamp(a.CreatedAt), stamp(a.UpdatedAt))
	return err
}

// Account implements account.OrganizationStore and gate.Store.
func (s *Store) Account(ctx context.Context, id string) (account.Account, error) {
	a, err := one(ctx, s, scanAccount, `SELECT `+accountColumns+` FROM account a WHERE a.id = $1`, id)
	return a, missing(err, noAccount)
}

// AccountsOf implements account.OrganizationStore.
func (s *Store) AccountsOf(ctx context.Context, userID string) ([]account.Account, error) {
	return all(ctx, s, scanAccount, `
		SELECT `+accountColumns+`
		FROM member m JOIN account a ON a.organization_id = m.organization_id
		WHERE m.user_id = $1
		ORDER BY a.created_at, a.id`, userID)
}

// Units implements account.OrganizationStore.
func (s *Store) Units(ctx context.Context, organizationID string) ([]account.Account, error) {
	return all(ctx, s, scanAccount, `
		SELECT `+accountColumns+`
		FROM account a
		WHERE a.organization_id = $1 AND a.parent_id IS NOT NULL
		ORDER BY a.created_at, a.id`, organizationID)
}

// UpdateAccount implements account.OrganizationStore.
func (s *Store) UpdateAccount(ctx context.Context, a account.Account) error {
	return s.noting(ctx, gate.OrganizationKey(a.OrganizationID), func(ctx context.Context) error {
		return s.change(ctx, fault.NotFound.Errorf(noAccount),
			`UPDATE account SET name = $2, updated_at = $3 WHERE id = $1 AND parent_id IS NOT NULL`,
			a.ID, a.Name, stamp(a.UpdatedAt))
	})
}
