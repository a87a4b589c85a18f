package store

import (
	"context"
	"crypto/sha256"

	"gatehouse/login"
	"gatehouse/session"
)

var _ login.LogoutStore = (*Store)(nil)

// Principal implements login.LogoutStore.
func (s *Store) Principal(ctx context.Context, hash [sha256.Size]byte) (p session.Principal, methodID string, err error) {
	p, err = one(ctx, s, func(r row) (p session.Principal, err error) {
		return p, r.Scan(&p.Name, &p.Key, &p.Index, text{&methodID})
	}, `SELECT idp_name, idp_name_key, idp_session, method_id FROM token WHERE hash = $1`, hash[:])
	return p, methodID, missing(err, noToken)
}

// SessionsNamed implements login.LogoutStore.
func (s *Store) SessionsNamed(ctx context.Context, methodID, key string) ([]session.Named, error) {
	return all(ctx, s, func(r row) (n session.Named, err error) {
		return n, r.Scan(fixed{n.Hash[:]}, &n.Index)
	}, `
		SELECT hash, idp_session FROM token
		WHERE method_id = $1 AND idp_name_key = $2 AND idp_name_key <> '' AND kind = 'session'
		ORDER BY hash`, methodID, key)
}

// DropFlows implements login.LogoutStore.
func (s *Store) DropFlows(ctx context.Context, methodID, key string) error {
	_, err := s.exec(ctx, `
		UPDATE flow SET taken = TRUE
		WHERE method_id = $1 AND idp_name_key = $2 AND idp_name_key <> '' AND NOT taken`, methodID, key)
	return err
}
