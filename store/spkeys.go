package store

import (
	"context"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// rolloverColumns are what SaveKeys writes of a rollover and scanIdP reads, in
// this order.
const rolloverColumns = `next_sp_certificate, next_sp_key, sp_key_switch_at,
	previous_sp_certificate, previous_sp_key, previous_sp_key_until`

// rolloverFields are where they go.
func rolloverFields(r *sso.Rollover) []any {
	return []any{
		&r.NextKeys.Certificates, &r.NextKeys.Sealed, moment{&r.SwitchAt},
		&r.PreviousKeys.Certificates, &r.PreviousKeys.Sealed, moment{&r.PreviousUntil},
	}
}

// rolloverValues are what stands in them.
func rolloverValues(r sso.Rollover) []any {
	return []any{
		bytesOrNull(r.NextKeys.Certificates), bytesOrNull(r.NextKeys.Sealed), stampOrNull(r.SwitchAt),
		bytesOrNull(r.PreviousKeys.Certificates), bytesOrNull(r.PreviousKeys.Sealed), stampOrNull(r.PreviousUntil),
	}
}

// bytesOrNull writes bytes that may be none.
func bytesOrNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// SaveKeys implements sso.IdPStore.
func (s *Store) SaveKeys(ctx context.Context, i *sso.IdP) error {
	args := append([]any{i.ID, i.SPCertificate, i.SPKey, i.SignatureAlgorithm, stamp(i.UpdatedAt)}, rolloverValues(i.Rollover)...)
	return s.change(ctx, fault.NotFound.Errorf(noIdP), `
		UPDATE idp SET sp_certificate = $2, sp_key = $3, signature_algorithm = $4, updated_at = $5,
			next_sp_certificate = $6, next_sp_key = $7, sp_key_switch_at = $8,
			previous_sp_certificate = $9, previous_sp_key = $10, previous_sp_key_until = $11
		WHERE id = $1`, args...)
}

// KeysDue implements sso.IdPStore.
func (s *Store) KeysDue(ctx context.Context, now time.Time, most int) ([]string, error) {
	return all(ctx, s, func(r row) (id string, err error) { return id, r.Scan(&id) }, `
		SELECT id FROM idp
		WHERE sp_key_switch_at <= $1 AND deleted_at IS NULL OR previous_sp_key_until <= $1
		ORDER BY id LIMIT $2`, stamp(now), most)
}
