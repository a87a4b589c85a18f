package store

import (
	"context"
	"crypto/sha256"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/policy"
	"gatehouse/session"
)

var _ gate.Store = (*Store)(nil)

// bearerColumns are what bearerFields read, and bearerTables where they stand:
// one look-up by key in each of six tables. The moment is a column as it
// stands: of what is computed, SQLite does not say that it is one.
const (
	bearerColumns = tokenColumns + `,
		COALESCE(i.enabled AND i.state = 'active' AND i.deleted_at IS NULL AND NOT mo.suspended, FALSE),
		EXISTS (SELECT 1 FROM identity l WHERE l.user_id = t.user_id AND l.method_id = t.method_id),
		i.organization_id,
		EXISTS (SELECT 1 FROM member f WHERE f.organization_id = i.organization_id AND f.user_id = t.user_id),
		(SELECT l.last_used_at FROM identity l JOIN idp own ON own.id = l.method_id
			WHERE p.managing_organization_id IS NOT NULL AND l.user_id = p.id AND own.organization_id = p.managing_organization_id
			ORDER BY l.last_used_at DESC LIMIT 1),
		` + userColumns
	bearerTables = `token t
		JOIN person p ON p.id = t.user_id
		LEFT JOIN idp i ON i.id = t.method_id
		LEFT JOIN organization mo ON mo.id = i.organization_id`
)

// bearerFields are where bearerColumns go.
func bearerFields(b *session.Bearer) []any {
	fields := append(tokenFields(&b.Token), &b.MethodUsable, &b.Linked, text{&b.MethodOrganizationID}, &b.Fellow, moment{&b.SSO})
	return append(fields, userFields(&b.User)...)
}

// placeColumns are what placeFields read, of an organization o, its policy pol
// and a group member g.
const placeColumns = organizationColumns + `, pol.rules, pol.trial, pol.updated_at, g.user_id IS NOT NULL`

// placeTables joins them to an organization o and a user $1 who is a member m.
const placeTables = `
	LEFT JOIN policy pol ON pol.organization_id = o.id
	LEFT JOIN user_group_member g ON g.group_id = pol.group_id AND g.user_id = m.user_id`

// Pass implements gate.Store. Requests that nobody remembers run it: all that
// decides about them comes with one query.
func (s *Store) Pass(ctx context.Context, hash [sha256.Size]byte, where gate.Where) (gate.Pass, error) {
	pass, err := s.pass(ctx, hash, where)
	if err != nil {
		return gate.Pass{}, missing(err, "There is no such token.")
	}
	// These belong to no method that could be disabled or unlinked.
	if pass.Method.Kind == session.Password || pass.Method.Kind == session.Recovery {
		pass.MethodUsable, pass.Linked = true, true
	}
	return pass, nil
}

func (s *Store) pass(ctx context.Context, hash [sha256.Size]byte, where gate.Where) (gate.Pass, error) {
	switch {
	case where.AccountID != "":
		return one(ctx, s, scanAccountPass, `
			SELECT `+bearerColumns+`, m.super_admin, m.joined_at, a.id, a.organization_id, a.parent_id, a.name, a.created_at, a.updated_at, `+placeColumns+`
			FROM `+bearerTables+`
			LEFT JOIN account a ON a.id = $2
			LEFT JOIN member m ON m.organization_id = a.organization_id AND m.user_id = t.user_id
			LEFT JOIN organization o ON o.id = m.organization_id`+placeTables+`
			WHERE t.hash = $1`, hash[:], where.AccountID)
	case where.OrganizationID != "":
		return one(ctx, s, scanPlacePass, `
			SELECT `+bearerColumns+`, m.super_admin, m.joined_at, `+placeColumns+`
			FROM `+bearerTables+`
			LEFT JOIN member m ON m.organization_id = $2 AND m.user_id = t.user_id
			LEFT JOIN organization o ON o.id = m.organization_id`+placeTables+`
			WHERE t.hash = $1`, hash[:], where.OrganizationID)
	}
	return one(ctx, s, func(r row) (p gate.Pass, err error) { return p, r.Scan(bearerFields(&p.Bearer)...) },
		`SELECT `+bearerColumns+` FROM `+bearerTables+` WHERE t.hash = $1`, hash[:])
}

// scanPlacePass reads a pass to a place that may not be there.
func scanPlacePass(r row) (p gate.Pass, err error) {
	var pl maybePlace
	fields := append(bearerFields(&p.Bearer), maybe[bool]{&p.Member.SuperAdmin}, moment{&p.Member.JoinedAt})
	if err := r.Scan(append(fields, pl.fields()...)...); err != nil {
		return gate.Pass{}, err
	}
	return p, pl.into(&p)
}

func scanAccountPass(r row) (p gate.Pass, err error) {
	var pl maybePlace
	a := &p.Account
	fields := append(bearerFields(&p.Bearer), maybe[bool]{&p.Member.SuperAdmin}, moment{&p.Member.JoinedAt},
		text{&a.ID}, text{&a.OrganizationID}, text{&a.ParentID}, text{&a.Name}, moment{&a.CreatedAt}, moment{&a.UpdatedAt})
	if err := r.Scan(append(fields, pl.fields()...)...); err != nil {
		return gate.Pass{}, err
	}
	return p, pl.into(&p)
}

// maybePlace is an organization that may be none, with its policy as it is
// stored.
type maybePlace struct {
	organization account.Organization
	rules, trial string
	changed      time.Time
	inGroup      bool
}

func (m *maybePlace) fields() []any {
	o := &m.organization
	return []any{
		text{&o.ID}, text{&o.AccountID}, text{&o.Name}, text{&o.Tier}, maybe[bool]{&o.Suspended}, moment{&o.CreatedAt}, moment{&o.UpdatedAt},
		text{&m.rules}, text{&m.trial}, moment{&m.changed}, &m.inGroup,
	}
}

// into gives a pass its place, if there is one: an account without it is none
// of the visitor's either.
func (m *maybePlace) into(p *gate.Pass) (err error) {
	if m.organization.ID == "" {
		p.Account, p.Member = account.Account{}, account.Member{}
		return nil
	}
	p.Member.OrganizationID, p.Member.UserID = m.organization.ID, p.User.ID
	p.Place, err = m.place()
	return err
}

func (m *maybePlace) place() (policy.Place, error) {
	kept, err := readPolicy(m.organization.ID, m.rules, m.trial, m.changed)
	return policy.Place{Organization: m.organization, Policy: kept, InGroup: m.inGroup}, err
}

// Places implements gate.Store.
func (s *Store) Places(ctx context.Context, userID string) ([]gate.Belonging, error) {
	return all(ctx, s, scanBelonging, `
		SELECT m.super_admin, m.joined_at, m.user_id, COALESCE(p.managing_organization_id = o.id, FALSE), `+placeColumns+`
		FROM member m
		JOIN person p ON p.id = m.user_id
		JOIN organization o ON o.id = m.organization_id`+placeTables+`
		WHERE m.user_id = $1
		ORDER BY o.created_at, o.id`, userID)
}

func scanBelonging(r row) (b gate.Belonging, err error) {
	var pl maybePlace
	fields := []any{&b.Member.SuperAdmin, moment{&b.Member.JoinedAt}, &b.Member.UserID, &b.Managed}
	if err := r.Scan(append(fields, pl.fields()...)...); err != nil {
		return gate.Belonging{}, err
	}
	b.Member.OrganizationID = pl.organization.ID
	b.Place, err = pl.place()
	return b, err
}

func scanMember(r row) (m account.Member, err error) {
	return m, r.Scan(&m.OrganizationID, &m.UserID, &m.SuperAdmin, moment{&m.JoinedAt})
}

// Member implements login.Store.
func (s *Store) Member(ctx context.Context, organizationID, userID string) (account.Member, error) {
	m, err := one(ctx, s, scanMember, `
		SELECT organization_id, user_id, super_admin, joined_at
		FROM member WHERE organization_id = $1 AND user_id = $2`, organizationID, userID)
	return m, missing(err, "This person is not a member.")
}

// maybe reads a value; NULL is zero.
type maybe[T any] struct{ to *T }

// Scan makes maybe a sql.Scanner.
func (m maybe[T]) Scan(value any) error {
	var zero T
	*m.to = zero
	switch v := value.(type) {
	case nil:
	case T:
		*m.to = v
	case int64: // SQLite has no booleans where it does not know the column
		if b, ok := any(m.to).(*bool); ok {
			*b = v != 0
		}
	}
	return nil
}
