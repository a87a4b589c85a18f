package store

import (
	"context"
	"time"

	"gatehouse/account"
	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
)

var _ domains.Store = (*Store)(nil)

const (
	domainColumns = `d.id, d.organization_id, d.name, d.state, d.proof, d.challenge, d.finding,
		d.created_at, d.verified_at, d.checked_at, d.missing_since`
	noDomain = "There is no such domain."
)

func scanDomain(r row) (d domains.Domain, err error) {
	return d, r.Scan(&d.ID, &d.OrganizationID, &d.Name, &d.State, &d.Proof, &d.Challenge, &d.Finding,
		moment{&d.CreatedAt}, moment{&d.VerifiedAt}, moment{&d.CheckedAt}, moment{&d.MissingSince})
}

// AddDomain implements domains.Store.
func (s *Store) AddDomain(ctx context.Context, d domains.Domain) error {
	added, err := s.exec(ctx, `
		INSERT INTO domain (id, organization_id, name, state, proof, challenge, finding, created_at, verified_at, checked_at, missing_since)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT DO NOTHING`,
		d.ID, d.OrganizationID, d.Name, string(d.State), string(d.Proof), d.Challenge, d.Finding,
		stamp(d.CreatedAt), stampOrNull(d.VerifiedAt), stampOrNull(d.CheckedAt), stampOrNull(d.MissingSince))
	if err != nil || added > 0 {
		return err
	}
	n, err := s.count(ctx, `SELECT count(*) FROM domain WHERE organization_id = $1 AND name = $2`, d.OrganizationID, d.Name)
	switch {
	case err != nil:
		return err
	case n > 0:
		return fault.Exists.Errorf("The organization has the domain %s already.", d.Name).At("domain_name")
	}
	return fault.Exists.Errorf("There is a domain with this id already.")
}

// Domains implements domains.Store.
func (s *Store) Domains(ctx context.Context, organizationID string) ([]domains.Domain, error) {
	return s.domains(ctx, `WHERE d.organization_id = $1`, organizationID)
}

// Domain implements domains.Store.
func (s *Store) Domain(ctx context.Context, organizationID, idOrName string) (domains.Domain, error) {
	list, err := s.domains(ctx, `WHERE d.organization_id = $1 AND (d.id = $2 OR d.name = $2)`, organizationID, idOrName)
	if err == nil && len(list) == 0 {
		err = fault.NotFound.Errorf(noDomain)
	}
	if err != nil {
		return domains.Domain{}, err
	}
	return list[0], nil
}

// domains lists claims by name, with their links.
func (s *Store) domains(ctx context.Context, where string, args ...any) ([]domains.Domain, error) {
	list, err := all(ctx, s, scanDomain, `SELECT `+domainColumns+` FROM domain d `+where+` ORDER BY d.name, d.id`, args...)
	if err != nil || len(list) == 0 {
		return list, err
	}
	at := map[string]*domains.Domain{}
	for i := range list {
		at[list[i].ID] = &list[i]
	}
	type link struct{ domain, method string }
	links, err := all(ctx, s, func(r row) (l link, err error) { return l, r.Scan(&l.domain, &l.method) }, `
		SELECT l.domain_id, l.method_id FROM domain d JOIN domain_method l ON l.domain_id = d.id `+where+`
		ORDER BY l.linked_at, l.method_id`, args...)
	for _, l := range links {
		// On PostgreSQL a claim may have come between the two.
		if d := at[l.domain]; d != nil {
			d.Methods = append(d.Methods, l.method)
		}
	}
	return list, err
}

// UpdateDomain implements domains.Store. The index of verified names decides
// between two claims; asking first keeps the transaction usable.
func (s *Store) UpdateDomain(ctx context.Context, d domains.Domain) error {
	return s.Tx(ctx, func(ctx context.Context) error {
		changed, err := s.exec(ctx, `
			UPDATE domain SET state = $2, proof = $3, finding = $4, verified_at = $5, checked_at = $6, missing_since = $7
			WHERE id = $1 AND NOT ($2 = 'verified' AND EXISTS (
				SELECT 1 FROM domain o WHERE o.name = domain.name AND o.state = 'verified' AND o.id <> $1))`,
			d.ID, string(d.State), string(d.Proof), d.Finding, stampOrNull(d.VerifiedAt), stampOrNull(d.CheckedAt), stampOrNull(d.MissingSince))
		if err != nil {
			return err
		}
		if changed == 0 {
			return s.whyNoDomain(ctx, d.ID)
		}
		if d.State != domains.Lost {
			return nil
		}
		_, err = s.exec(ctx, `DELETE FROM domain_method WHERE domain_id = $1`, d.ID)
		return err
	})
}

// whyNoDomain tells a claim that is not there from one whose name is taken.
func (s *Store) whyNoDomain(ctx context.Context, id string) error {
	n, err := s.count(ctx, `SELECT count(*) FROM domain WHERE id = $1`, id)
	switch {
	case err != nil:
		return err
	case n == 0:
		return fault.NotFound.Errorf(noDomain)
	}
	return fault.Exists.Errorf("Another organization has verified this domain.")
}

// DomainHolder implements domains.Store.
func (s *Store) DomainHolder(ctx context.Context, name string) (string, error) {
	id, err := one(ctx, s, scanID, `SELECT organization_id FROM domain WHERE name = $1 AND state = 'verified'`, name)
	return id, missing(err, noDomain)
}

// DueDomains implements domains.Store.
func (s *Store) DueDomains(ctx context.Context, before time.Time, most int) ([]domains.Domain, error) {
	return all(ctx, s, scanDomain, `
		SELECT `+domainColumns+` FROM domain d
		WHERE d.state = 'verified' AND (d.checked_at <= $1 OR d.checked_at IS NULL)
		ORDER BY COALESCE(d.checked_at, d.created_at), d.id LIMIT $2`, stamp(before), most)
}

// MissingDomains gives the number of verified claims whose record is missing.
func (s *Store) MissingDomains(ctx context.Context) (int, error) {
	return s.count(ctx, `SELECT count(*) FROM domain WHERE state = 'verified' AND missing_since IS NOT NULL`)
}

// Administrators implements domains.Store.
func (s *Store) Administrators(ctx context.Context, organizationID string, most int) (name string, addresses []string, err error) {
	name, err = one(ctx, s, scanID, `SELECT name FROM organization WHERE id = $1`, organizationID)
	if err != nil {
		return "", nil, missing(err, noOrganization)
	}
	addresses, err = all(ctx, s, scanID, `
		SELECT p.email FROM member m JOIN person p ON p.id = m.user_id
		WHERE m.organization_id = $1 AND m.super_admin AND p.state = 'active' AND p.address_proved
		ORDER BY p.email LIMIT $2`, organizationID, most)
	return name, addresses, err
}

// DeleteDomain implements domains.Store.
func (s *Store) DeleteDomain(ctx context.Context, id string) error {
	return s.change(ctx, fault.NotFound.Errorf(noDomain), `DELETE FROM domain WHERE id = $1`, id)
}

// HasMethod implements domains.Store.
func (s *Store) HasMethod(ctx context.Context, organizationID, methodID string) (bool, error) {
	n, err := s.count(ctx, `SELECT count(*) FROM idp WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL`, methodID, organizationID)
	return n > 0, err
}

// LinkDomain implements domains.Store.
func (s *Store) LinkDomain(ctx context.Context, domainID, methodID string, at time.Time) (bool, error) {
	n, err := s.exec(ctx, `
		INSERT INTO domain_method (domain_id, method_id, linked_at)
		SELECT d.id, i.id, $3
		FROM domain d JOIN idp i ON i.organization_id = d.organization_id
		WHERE d.id = $1 AND i.id = $2 AND i.deleted_at IS NULL
		ON CONFLICT (domain_id, method_id) DO NOTHING`, domainID, methodID, stamp(at))
	return n > 0, err
}

// UnlinkDomain implements domains.Store.
func (s *Store) UnlinkDomain(ctx context.Context, domainID, methodID string) (bool, error) {
	n, err := s.exec(ctx, `DELETE FROM domain_method WHERE domain_id = $1 AND method_id = $2`, domainID, methodID)
	return n > 0, err
}

// AdoptMembers implements domains.Store.
func (s *Store) AdoptMembers(ctx context.Context, organizationID, domain string, at time.Time) ([]account.User, error) {
	var people []account.User
	err := s.Tx(ctx, func(ctx context.Context) (err error) {
		people, err = all(ctx, s, scanUser, `
			SELECT `+userColumns+`
			FROM member m JOIN person p ON p.id = m.user_id
			WHERE m.organization_id = $1 AND p.email LIKE $2 AND p.address_proved AND NOT p.is_operator
				AND p.managing_organization_id IS NULL
				AND NOT EXISTS (SELECT 1 FROM member e WHERE e.user_id = p.id AND e.super_admin AND e.organization_id <> $1)
			ORDER BY p.email`, organizationID, "%@"+domain)
		for i := range people {
			if err == nil {
				people[i].ManagingOrganizationID = organizationID
				err = s.Manage(ctx, people[i].ID, organizationID, at)
			}
		}
		return err
	})
	return people, err
}

// Manage implements login.Store.
func (s *Store) Manage(ctx context.Context, userID, organizationID string, at time.Time) error {
	return s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		return s.change(ctx, fault.Conflict.Errorf("Another organization manages this person."), `
			UPDATE person SET managing_organization_id = $2, address_proved = TRUE, updated_at = $3
			WHERE id = $1 AND (managing_organization_id IS NULL OR managing_organization_id = $2)`,
			userID, organizationID, stamp(at))
	})
}

// Strip implements login.Store.
func (s *Store) Strip(ctx context.Context, userID string, keep account.Identity, organizationID string, at time.Time) error {
	return s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		err := s.change(ctx, fault.NotFound.Errorf(noUser), `
			UPDATE person SET password_hash = '', password_used_at = NULL, password_used_ip = '', updated_at = $2
			WHERE id = $1 AND NOT address_proved`, userID, stamp(at))
		if err != nil {
			return err
		}
		for _, q := range []struct {
			query string
			args  []any
		}{
			{`DELETE FROM identity WHERE user_id = $1 AND NOT (method_id = $2 AND subject_kind = $3 AND subject = $4)`,
				[]any{keep.MethodID, keep.SubjectKind, keep.Subject}},
			// After the identities: a login through one of them that is under way
			// holds it until there is a token to see.
			{`DELETE FROM token WHERE user_id = $1`, nil},
			{`DELETE FROM member WHERE user_id = $1 AND organization_id <> $2`, []any{organizationID}},
			{`DELETE FROM recovery_link WHERE user_id = $1`, nil},
			{`DELETE FROM flow WHERE user_id = $1 AND NOT taken`, nil},
			{`UPDATE address_code SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL`, []any{stamp(at)}},
		} {
			if _, err := s.exec(ctx, q.query, append([]any{userID}, q.args...)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// FollowUser implements login.Store.
func (s *Store) FollowUser(ctx context.Context, u account.User) error {
	return s.noting(ctx, gate.UserKey(u.ID), func(ctx context.Context) error {
		changed, err := s.exec(ctx, `
			UPDATE person SET email = $2, real_name = $3, updated_at = $4
			WHERE id = $1 AND managing_organization_id = $5 AND NOT EXISTS (SELECT 1 FROM person o WHERE o.email = $2 AND o.id <> $1)`,
			u.ID, u.Email, u.RealName, stamp(u.UpdatedAt), u.ManagingOrganizationID)
		if err != nil || changed > 0 {
			return err
		}
		return fault.Exists.Errorf("There is an account with the address %s already.", u.Email).At("email")
	})
}

// DomainMethods implements login.Store.
func (s *Store) DomainMethods(ctx context.Context, domain string) ([]login.DomainMethod, error) {
	return all(ctx, s, func(r row) (m login.DomainMethod, err error) {
		return m, r.Scan(&m.ID, &m.Name, &m.OrganizationID, &m.Organization)
	}, `
		SELECT i.id, i.name, o.id, o.name
		FROM domain d
		JOIN domain_method l ON l.domain_id = d.id
		JOIN idp i ON i.id = l.method_id
		JOIN organization o ON o.id = d.organization_id
		WHERE d.name = $1 AND d.state = 'verified' AND i.enabled AND i.state = 'active' AND i.deleted_at IS NULL AND NOT o.suspended
		ORDER BY l.linked_at, i.id`, domain)
}

// IdPGroups implements login.Store.
func (s *Store) IdPGroups(ctx context.Context, organizationID string) (map[string]string, error) {
	ids := map[string]string{}
	_, err := all(ctx, s, func(r row) (struct{}, error) {
		var id, key string
		err := r.Scan(&id, &key)
		ids[key] = id
		return struct{}{}, err
	}, `SELECT id, name_key FROM user_group WHERE organization_id = $1 AND idp_managed`, organizationID)
	return ids, err
}

// SyncGroups implements login.Store.
func (s *Store) SyncGroups(ctx context.Context, organizationID, methodID, userID string, groupIDs []string, at time.Time) (joined, left []string, err error) {
	err = s.Tx(ctx, func(ctx context.Context) error {
		list, args := inList(groupIDs, organizationID, methodID, userID, stamp(at))
		joined, err = all(ctx, s, scanID, `
			INSERT INTO user_group_member (group_id, user_id, organization_id, added_at, method_id)
			SELECT g.id, m.user_id, m.organization_id, $4, $2
			FROM user_group g JOIN member m ON m.organization_id = g.organization_id
			WHERE g.organization_id = $1 AND m.user_id = $3 AND g.idp_managed AND g.id IN `+list+`
			ON CONFLICT DO NOTHING
			RETURNING group_id`, args...)
		if err != nil {
			return err
		}
		list, args = inList(groupIDs, organizationID, methodID, userID)
		left, err = all(ctx, s, scanID, `
			DELETE FROM user_group_member
			WHERE organization_id = $1 AND method_id = $2 AND user_id = $3 AND NOT COALESCE(group_id IN `+list+`, FALSE)
				AND group_id IN (SELECT id FROM user_group WHERE organization_id = $1 AND idp_managed)
			RETURNING group_id`, args...)
		if err == nil && len(joined)+len(left) > 0 {
			s.note(ctx, gate.OrganizationKey(organizationID))
		}
		return err
	})
	return joined, left, err
}
