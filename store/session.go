package store

import (
	"context"
	"crypto/sha256"

	"gatehouse/internal/fault"
	"gatehouse/session"
)

var _ session.Store = (*Store)(nil)

// AddToken implements session.Store.
func (s *Store) AddToken(ctx context.Context, t session.Token) error {
	// Whoever meets a taken prefix tries again in the same transaction, so it
	// must be no error to the database. A taken hash counts as well.
	methodID, recovers := t.Method.ID, ""
	if t.Method.Kind == session.Recovery {
		methodID, recovers = "", t.Method.ID
	}
	return s.change(ctx, fault.Exists.Errorf("The user has a token with this prefix already."), `
		INSERT INTO token (hash, user_id, prefix, kind, method_kind, method_id, two_factor,
			logged_in_at, created_at, expires_at, description, user_agent, ip, recovers)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT DO NOTHING`,
		t.Hash[:], t.UserID, t.Prefix, string(t.Kind), string(t.Method.Kind), textOrNull(methodID), t.TwoFactor,
		stamp(t.LoggedIn), stamp(t.CreatedAt), stamp(t.ExpiresAt), t.Description, t.UserAgent, addressText(t.IP), textOrNull(recovers))
}

// Bearer implements session.Store. Every request runs it: it is one look-up by
// key in each of five tables, and never more.
func (s *Store) Bearer(ctx context.Context, hash [sha256.Size]byte) (session.Bearer, error) {
	b, err := one(ctx, s, scanBearer, `
		SELECT t.prefix, t.kind, t.method_kind, COALESCE(t.method_id, t.recovers), t.two_factor,
			t.logged_in_at, t.created_at, t.expires_at, t.description, t.user_agent, t.ip,
			COALESCE(i.enabled AND i.state = 'active' AND i.deleted_at IS NULL AND NOT o.suspended, FALSE),
			EXISTS (SELECT 1 FROM identity l WHERE l.user_id = t.user_id AND l.method_id = t.method_id),
			`+userColumns+`
		FROM token t
		JOIN person p ON p.id = t.user_id
		LEFT JOIN idp i ON i.id = t.method_id
		LEFT JOIN organization o ON o.id = i.organization_id
		WHERE t.hash = $1`, hash[:])
	if err != nil {
		return session.Bearer{}, missing(err, "There is no such token.")
	}
	b.Hash = hash
	return b, nil
}

func scanBearer(r row) (b session.Bearer, err error) {
	fields := []any{
		&b.Prefix, &b.Kind, &b.Method.Kind, text{&b.Method.ID}, &b.TwoFactor,
		moment{&b.LoggedIn}, moment{&b.CreatedAt}, moment{&b.ExpiresAt}, &b.Description, &b.UserAgent, address{&b.IP},
		&b.MethodUsable, &b.Linked,
	}
	if err := r.Scan(append(fields, userFields(&b.User)...)...); err != nil {
		return session.Bearer{}, err
	}
	b.UserID = b.User.ID
	// These belong to no method that could be disabled or unlinked.
	if b.Method.Kind == session.Password || b.Method.Kind == session.Recovery {
		b.MethodUsable, b.Linked = true, true
	}
	return b, nil
}

// DeleteToken implements session.Store.
func (s *Store) DeleteToken(ctx context.Context, hash [sha256.Size]byte) (d session.Deleted, err error) {
	err = s.Tx(ctx, func(ctx context.Context) error {
		d, err = one(ctx, s, scanDeleted, `
			DELETE FROM token WHERE hash = $1
			RETURNING prefix, user_id,
				(SELECT p.email FROM person p WHERE p.id = token.user_id),
				COALESCE(recovers, (SELECT i.organization_id FROM idp i WHERE i.id = token.method_id),
					(SELECT p.managing_organization_id FROM person p WHERE p.id = token.user_id))`, hash[:])
		return missing(err, "There is no such token.")
	})
	return d, err
}

func scanDeleted(r row) (d session.Deleted, err error) {
	return d, r.Scan(&d.Prefix, &d.User.ID, &d.User.Name, text{&d.OrganizationID})
}
