package store

import (
	"context"
	"crypto/sha256"
	"time"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
)

// Organizations, users and members stand in files of their own.
var _ login.RecoveryStore = (*Store)(nil)

const (
	recoveryColumns = `organization_id, user_id, expires_at`
	noRecovery      = "There is no such recovery link."
)

func scanRecovery(r row) (l login.RecoveryLink, err error) {
	return l, r.Scan(&l.OrganizationID, &l.UserID, moment{&l.ExpiresAt})
}

// SetSuperAdmin implements login.RecoveryStore.
func (s *Store) SetSuperAdmin(ctx context.Context, organizationID, userID string, is bool) error {
	return s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		return s.change(ctx, fault.NotFound.Errorf("This person is not a member."),
			`UPDATE member SET super_admin = $3 WHERE organization_id = $1 AND user_id = $2`, organizationID, userID, is)
	})
}

// AddRecoveryLink implements login.RecoveryStore.
func (s *Store) AddRecoveryLink(ctx context.Context, hash [sha256.Size]byte, l login.RecoveryLink) error {
	_, err := s.exec(ctx, `
		INSERT INTO recovery_link (hash, `+recoveryColumns+`) VALUES ($1, $2, $3, $4)`,
		hash[:], l.OrganizationID, l.UserID, stamp(l.ExpiresAt))
	return err
}

// RecoveryLink implements login.RecoveryStore.
func (s *Store) RecoveryLink(ctx context.Context, hash [sha256.Size]byte, now time.Time) (login.RecoveryLink, error) {
	l, err := one(ctx, s, scanRecovery, `
		SELECT `+recoveryColumns+` FROM recovery_link
		WHERE hash = $1 AND flow_id IS NULL AND expires_at > $2`, hash[:], stamp(now))
	return l, missing(err, noRecovery)
}

// TakeRecoveryLink implements login.RecoveryStore.
func (s *Store) TakeRecoveryLink(ctx context.Context, hash [sha256.Size]byte, flowID string, now, until time.Time) (l login.RecoveryLink, err error) {
	err = s.Tx(ctx, func(ctx context.Context) error {
		l, err = one(ctx, s, scanRecovery, `
			UPDATE recovery_link SET flow_id = $2, expires_at = $4
			WHERE hash = $1 AND flow_id IS NULL AND expires_at > $3
			RETURNING `+recoveryColumns, hash[:], flowID, stamp(now), stamp(until))
		return err
	})
	return l, missing(err, noRecovery)
}

// TakenRecoveryLink implements login.RecoveryStore.
func (s *Store) TakenRecoveryLink(ctx context.Context, flowID string) (login.RecoveryLink, error) {
	l, err := one(ctx, s, scanRecovery, `SELECT `+recoveryColumns+` FROM recovery_link WHERE flow_id = $1`, flowID)
	return l, missing(err, noRecovery)
}
