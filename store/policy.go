package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/gate"
	"gatehouse/policy"
)

var (
	_ policy.Store         = (*Store)(nil)
	_ policy.SightingStore = (*Store)(nil)
)

// readPolicy reads a policy as it is stored; no rules are the usual ones.
func readPolicy(organizationID, rules, trial string, changed time.Time) (policy.Policy, error) {
	p := policy.Policy{OrganizationID: organizationID, UpdatedAt: changed}
	if rules == "" {
		p.Rules = policy.Usual()
		return p, nil
	}
	if err := json.Unmarshal([]byte(rules), &p.Rules); err != nil {
		return policy.Policy{}, fmt.Errorf("read policy of %s: %w", organizationID, err)
	}
	if trial == "" {
		return p, nil
	}
	p.Trial = new(policy.Trial)
	if err := json.Unmarshal([]byte(trial), p.Trial); err != nil {
		return policy.Policy{}, fmt.Errorf("read trial of %s: %w", organizationID, err)
	}
	return p, nil
}

// Policy implements policy.Store.
func (s *Store) Policy(ctx context.Context, organizationID string) (policy.Policy, error) {
	type stored struct {
		rules, trial string
		changed      time.Time
	}
	found, err := all(ctx, s, func(r row) (st stored, err error) { return st, r.Scan(&st.rules, &st.trial, moment{&st.changed}) },
		`SELECT rules, trial, updated_at FROM policy WHERE organization_id = $1`, organizationID)
	if err != nil {
		return policy.Policy{}, err
	}
	if len(found) == 0 {
		return readPolicy(organizationID, "", "", time.Time{})
	}
	return readPolicy(organizationID, found[0].rules, found[0].trial, found[0].changed)
}

// SavePolicy implements policy.Store.
func (s *Store) SavePolicy(ctx context.Context, p policy.Policy) error {
	rules, err := json.Marshal(p.Rules)
	if err != nil {
		return fmt.Errorf("write policy: %w", err)
	}
	trial, group, ends := []byte(nil), "", time.Time{}
	if t := p.Trial; t != nil {
		if trial, err = json.Marshal(t); err != nil {
			return fmt.Errorf("write trial: %w", err)
		}
		group, ends = t.GroupID, t.Until
	}
	return s.noting(ctx, gate.OrganizationKey(p.OrganizationID), func(ctx context.Context) error {
		_, err := s.exec(ctx, `
			INSERT INTO policy (organization_id, rules, trial, group_id, trial_ends_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (organization_id) DO UPDATE SET rules = excluded.rules, trial = excluded.trial,
				group_id = excluded.group_id, trial_ends_at = excluded.trial_ends_at, updated_at = excluded.updated_at`,
			p.OrganizationID, string(rules), string(trial), textOrNull(group), stampOrNull(ends), stamp(p.UpdatedAt))
		return err
	})
}

// TrialsOver implements policy.Store.
func (s *Store) TrialsOver(ctx context.Context, now time.Time) ([]string, error) {
	return all(ctx, s, func(r row) (id string, err error) { return id, r.Scan(&id) },
		`SELECT organization_id FROM policy WHERE trial_ends_at <= $1 ORDER BY organization_id LIMIT 100`, stamp(now))
}

// HasGroup implements policy.Store.
func (s *Store) HasGroup(ctx context.Context, organizationID, groupID string) (bool, error) {
	n, err := s.count(ctx, `SELECT count(*) FROM user_group WHERE id = $1 AND organization_id = $2`, groupID, organizationID)
	return n > 0, err
}

// InGroup implements login.Store.
func (s *Store) InGroup(ctx context.Context, groupID, userID string) (bool, error) {
	n, err := s.count(ctx, `SELECT count(*) FROM user_group_member WHERE group_id = $1 AND user_id = $2`, groupID, userID)
	return n > 0, err
}

// personColumns are what scanPolicyPerson reads, of a member m, their person p
// and their row g in the group $2.
const personColumns = `p.id, p.email, p.real_name, m.super_admin, p.state = 'active',
	COALESCE(p.managing_organization_id = m.organization_id, FALSE), g.user_id IS NOT NULL,
	p.password_used_at, p.password_used_ip`

const personTables = `member m
	JOIN person p ON p.id = m.user_id
	LEFT JOIN user_group_member g ON g.group_id = $2 AND g.user_id = m.user_id`

func scanPolicyPerson(r row) (p policy.Person, err error) {
	past := policy.Past{Way: policy.Password}
	err = r.Scan(&p.ID, &p.Email, &p.Name, &p.SuperAdmin, &p.Active, &p.Managed, &p.InGroup, moment{&past.At}, address{&past.IP})
	if err == nil && !past.At.IsZero() {
		p.Logins = []policy.Past{past}
	}
	return p, err
}

// Admins implements policy.Store.
func (s *Store) Admins(ctx context.Context, organizationID, groupID string) ([]policy.Person, error) {
	people, err := all(ctx, s, scanPolicyPerson, `
		SELECT `+personColumns+` FROM `+personTables+`
		WHERE m.organization_id = $1 AND m.super_admin
		ORDER BY p.id`, organizationID, groupID)
	if err != nil {
		return nil, err
	}
	return people, s.addLogins(ctx, organizationID, people, `m.super_admin AND m.user_id >= $2 AND m.user_id <= $3`)
}

// People implements policy.Store: three queries a page, whatever its size.
func (s *Store) People(ctx context.Context, organizationID, groupID, after string, most int) ([]policy.Person, error) {
	people, err := all(ctx, s, scanPolicyPerson, `
		SELECT `+personColumns+` FROM `+personTables+`
		WHERE m.organization_id = $1 AND m.user_id > $3
		ORDER BY m.user_id LIMIT $4`, organizationID, groupID, after, most)
	if err != nil {
		return nil, err
	}
	if err := s.addLogins(ctx, organizationID, people, `m.user_id >= $2 AND m.user_id <= $3`); err != nil {
		return nil, err
	}
	return people, s.addMade(ctx, organizationID, people)
}

// relation says whose an identity provider i is to an organization $1 and a
// member m of it.
const relation = `CASE WHEN i.organization_id = $1 THEN 'own'
	WHEN EXISTS (SELECT 1 FROM member f WHERE f.organization_id = i.organization_id AND f.user_id = m.user_id) THEN 'fellow'
	ELSE 'stranger' END`

// usable says that an identity provider i, of an organization io, may be used.
const usable = `i.enabled AND i.state = 'active' AND i.deleted_at IS NULL AND NOT io.suspended`

// addLogins adds what people logged in with, through identity providers that
// may be used still. people are sorted by id.
func (s *Store) addLogins(ctx context.Context, organizationID string, people []policy.Person, which string) error {
	if len(people) == 0 {
		return nil
	}
	at := places(people)
	_, err := all(ctx, s, func(r row) (struct{}, error) {
		var userID string
		past := policy.Past{Way: policy.SAML}
		if err := r.Scan(&userID, &past.MethodID, &past.From, moment{&past.At}, address{&past.IP}, &past.Context); err != nil {
			return struct{}{}, err
		}
		p, known := at[userID]
		if !known {
			return struct{}{}, nil
		}
		p.Logins = append(p.Logins, past)
		if past.From == policy.Own && past.At.After(p.SSO) {
			p.SSO = past.At
		}
		return struct{}{}, nil
	}, `
		SELECT l.user_id, l.method_id, `+relation+`, l.last_used_at, l.last_ip, l.last_context
		FROM member m
		JOIN identity l ON l.user_id = m.user_id
		JOIN idp i ON i.id = l.method_id
		JOIN organization io ON io.id = i.organization_id
		WHERE m.organization_id = $1 AND `+which+` AND `+usable+`
		ORDER BY l.user_id, l.last_used_at`, organizationID, people[0].ID, people[len(people)-1].ID)
	return err
}

// addMade adds people's personal tokens.
func (s *Store) addMade(ctx context.Context, organizationID string, people []policy.Person) error {
	if len(people) == 0 {
		return nil
	}
	at := places(people)
	_, err := all(ctx, s, func(r row) (struct{}, error) {
		var userID string
		var made policy.Made
		err := r.Scan(&userID, &made.Prefix, &made.Description, &made.Way, text{(*string)(&made.From)}, &made.TwoFactor, &made.Device, moment{&made.MadeAt}, moment{&made.ExpiresAt}, address{&made.IP})
		if p, known := at[userID]; known {
			p.Tokens = append(p.Tokens, made)
		}
		return struct{}{}, err
	}, `
		SELECT t.user_id, t.prefix, t.description, t.method_kind, CASE WHEN t.method_id IS NULL THEN NULL ELSE `+relation+` END, t.two_factor, t.device, t.logged_in_at, t.expires_at, t.last_ip
		FROM member m
		JOIN token t ON t.user_id = m.user_id
		LEFT JOIN idp i ON i.id = t.method_id
		WHERE m.organization_id = $1 AND m.user_id >= $2 AND m.user_id <= $3 AND t.kind = 'personal'
		ORDER BY t.user_id, t.created_at`, organizationID, people[0].ID, people[len(people)-1].ID)
	return err
}

func places(people []policy.Person) map[string]*policy.Person {
	at := make(map[string]*policy.Person, len(people))
	for i := range people {
		at[people[i].ID] = &people[i]
	}
	return at
}

// mostSeen is how many people the report of one organization names.
const mostSeen = 1000

// AddSightings implements policy.SightingStore.
func (s *Store) AddSightings(ctx context.Context, all []policy.Sighting) error {
	return s.Tx(ctx, func(ctx context.Context) error {
		for _, one := range all {
			room, err := s.count(ctx, `
				SELECT count(*) FROM policy pol, person p
				WHERE pol.organization_id = $1 AND p.id = $2 AND pol.trial <> '' AND pol.updated_at <= $3
					AND (EXISTS (SELECT 1 FROM policy_sighting s WHERE s.organization_id = $1 AND s.user_id = $2 AND s.kind = $5 AND s.rule = $6)
						OR (SELECT count(*) FROM policy_sighting c WHERE c.organization_id = $1) < $4)`,
				one.OrganizationID, one.UserID, stamp(one.First), mostSeen, string(one.Kind), one.Rule)
			if err != nil {
				return err
			}
			if room == 0 {
				continue
			}
			_, err = s.exec(ctx, `
				INSERT INTO policy_sighting (organization_id, user_id, kind, rule, code, why, times, first_at, last_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
				ON CONFLICT (organization_id, user_id, kind, rule) DO UPDATE SET
					code = excluded.code, why = excluded.why, times = policy_sighting.times + excluded.times, last_at = excluded.last_at`,
				one.OrganizationID, one.UserID, string(one.Kind), one.Rule, one.Code, one.Why, one.Times, stamp(one.First), stamp(one.Last))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Sightings implements policy.SightingStore.
func (s *Store) Sightings(ctx context.Context, organizationID string) ([]policy.Sighting, error) {
	return all(ctx, s, func(r row) (o policy.Sighting, err error) {
		return o, r.Scan(&o.OrganizationID, &o.UserID, &o.Email, &o.Kind, &o.Rule, &o.Code, &o.Why, &o.Times, moment{&o.First}, moment{&o.Last})
	}, `
		SELECT s.organization_id, s.user_id, p.email, s.kind, s.rule, s.code, s.why, s.times, s.first_at, s.last_at
		FROM policy_sighting s JOIN person p ON p.id = s.user_id
		WHERE s.organization_id = $1
		ORDER BY s.last_at DESC, s.user_id, s.rule LIMIT $2`, organizationID, mostSeen)
}

// ClearSightings implements policy.Store.
func (s *Store) ClearSightings(ctx context.Context, organizationID string) error {
	_, err := s.exec(ctx, `DELETE FROM policy_sighting WHERE organization_id = $1`, organizationID)
	return err
}
