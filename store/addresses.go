package store

import (
	"context"
	"crypto/sha256"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

var _ account.AddressStore = (*Store)(nil)

const (
	codeColumns = `hash, user_id, email, created_at, expires_at, used_at, forget_at`
	noCode      = "There is no such code."
)

func scanCode(r row) (c account.AddressCode, err error) {
	return c, r.Scan(fixed{c.Hash[:]}, &c.UserID, &c.Email, moment{&c.CreatedAt}, moment{&c.ExpiresAt}, moment{&c.UsedAt}, moment{&c.ForgetAt})
}

// AddAddressCode implements account.AddressStore.
func (s *Store) AddAddressCode(ctx context.Context, c account.AddressCode) error {
	_, err := s.exec(ctx, `INSERT INTO address_code (`+codeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		c.Hash[:], c.UserID, c.Email, stamp(c.CreatedAt), stamp(c.ExpiresAt), stampOrNull(c.UsedAt), stamp(c.ForgetAt))
	return err
}

// AddressCode implements account.AddressStore.
func (s *Store) AddressCode(ctx context.Context, hash [sha256.Size]byte) (account.AddressCode, error) {
	c, err := one(ctx, s, scanCode, `SELECT `+codeColumns+` FROM address_code WHERE hash = $1`, hash[:])
	return c, missing(err, noCode)
}

// UseAddressCode implements account.AddressStore: who marks the row has it.
func (s *Store) UseAddressCode(ctx context.Context, hash [sha256.Size]byte, now time.Time) (c account.AddressCode, err error) {
	err = s.Tx(ctx, func(ctx context.Context) error {
		c, err = one(ctx, s, scanCode, `
			UPDATE address_code SET used_at = $2
			WHERE hash = $1 AND used_at IS NULL AND expires_at > $2
			RETURNING `+codeColumns, hash[:], stamp(now))
		return err
	})
	return c, missing(err, noCode)
}

// EndAddressCodes implements account.AddressStore.
func (s *Store) EndAddressCodes(ctx context.Context, userID string, now time.Time) error {
	_, err := s.exec(ctx, `UPDATE address_code SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL`, userID, stamp(now))
	return err
}

// ProveAddress implements account.AddressStore.
func (s *Store) ProveAddress(ctx context.Context, userID, email string, now time.Time) error {
	return s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		return s.change(ctx, fault.NotFound.Errorf(noUser), `
			UPDATE person SET address_proved = TRUE, updated_at = $3
			WHERE id = $1 AND email = $2 AND state = 'active'`, userID, email, stamp(now))
	})
}

// Disown implements account.AddressStore.
func (s *Store) Disown(ctx context.Context, userID, email, instead string, now time.Time) error {
	return s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		err := s.change(ctx, fault.NotFound.Errorf(noUser), `
			UPDATE person SET email = $3, password_hash = '', state = 'deactivated', tokens_valid_from = $4, updated_at = $4
			WHERE id = $1 AND email = $2 AND NOT address_proved`, userID, email, instead, stamp(now))
		if err != nil {
			return err
		}
		for _, query := range []string{
			`DELETE FROM token WHERE user_id = $1`,
			`DELETE FROM identity WHERE user_id = $1`,
			`DELETE FROM member WHERE user_id = $1`,
		} {
			if _, err := s.exec(ctx, query, userID); err != nil {
				return err
			}
		}
		return nil
	})
}

// HasPassword implements account.AddressStore.
func (s *Store) HasPassword(ctx context.Context, userID string) (bool, error) {
	n, err := s.count(ctx, `SELECT count(*) FROM person WHERE id = $1 AND password_hash <> ''`, userID)
	return n > 0, err
}

// LinkedProviders implements account.AddressStore.
func (s *Store) LinkedProviders(ctx context.Context, userID string) ([]account.LinkedProvider, error) {
	return all(ctx, s, func(r row) (p account.LinkedProvider, err error) {
		return p, r.Scan(&p.ID, &p.Name, &p.Organization)
	}, `
		SELECT i.id, i.name, o.name
		FROM identity l JOIN idp i ON i.id = l.method_id JOIN organization o ON o.id = i.organization_id
		WHERE l.user_id = $1
		GROUP BY i.id, i.name, o.name
		ORDER BY min(l.created_at), i.id`, userID)
}

// SuperAdmins implements account.AddressStore.
func (s *Store) SuperAdmins(ctx context.Context, organizationID string) (int, error) {
	return s.count(ctx, `
		SELECT count(*) FROM member m JOIN person p ON p.id = m.user_id
		WHERE m.organization_id = $1 AND m.super_admin AND p.state = 'active'`, organizationID)
}

// count gives the one number that a query answers.
func (s *Store) count(ctx context.Context, query string, args ...any) (int, error) {
	return one(ctx, s, func(r row) (n int, err error) { return n, r.Scan(&n) }, query, args...)
}
