package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
)

var _ login.Store = (*Store)(nil)

// Method implements login.Store: one look-up for what every login asks first.
func (s *Store) Method(ctx context.Context, id string) (login.Method, error) {
	m, err := one(ctx, s, s.scanMethod, `
		SELECT `+idpColumns+`,
			(SELECT o.name FROM organization o WHERE o.id = idp.organization_id),
			(SELECT o.suspended FROM organization o WHERE o.id = idp.organization_id),
			policy_rules, policy_trial, policy_changed
		FROM idp LEFT JOIN (SELECT organization_id AS policy_of, rules AS policy_rules, trial AS policy_trial, updated_at AS policy_changed FROM policy) pol
			ON policy_of = organization_id
		WHERE id = $1`, id)
	return m, missing(err, noIdP)
}

func (s *Store) scanMethod(r row) (m login.Method, err error) {
	var (
		suspended    bool
		rules, trial string
		changed      time.Time
	)
	m.IdP, err = s.scanIdP(r, &m.Organization, &suspended, text{&rules}, text{&trial}, moment{&changed})
	if err == nil {
		m.Policy, err = readPolicy(m.OrganizationID, rules, trial, changed)
	}
	if err != nil {
		return login.Method{}, err
	}
	m.Usable = m.Admits() && m.DeletedAt == nil && !suspended
	return m, nil
}

// Standing implements login.Store.
func (s *Store) Standing(ctx context.Context, methodID, domain string) (login.Standing, error) {
	standing, err := one(ctx, s, scanStanding, `
		SELECT i.enabled AND i.state = 'active' AND i.deleted_at IS NULL AND NOT o.suspended,
			i.organization_id, i.token_max_age, i.token_extend_when_used, i.auto_join_group_id, i.join_groups,
			EXISTS (SELECT 1 FROM domain_method l JOIN domain d ON d.id = l.domain_id
				WHERE l.method_id = i.id AND d.name = $2 AND d.state = 'verified')
		FROM idp i JOIN organization o ON o.id = i.organization_id
		WHERE i.id = $1`, methodID, domain)
	return standing, missing(err, noIdP)
}

func scanStanding(r row) (st login.Standing, err error) {
	return st, r.Scan(&st.Usable, &st.OrganizationID, seconds{&st.TokenLifetime}, &st.ExtendTokens,
		&st.AutoJoinGroupID, &st.JoinGroups, &st.Speaks)
}

// UseOnce implements login.Store. What is kept is a hash, so that a stranger's
// key takes no more room than any other.
func (s *Store) UseOnce(ctx context.Context, kind, key string, until time.Time) error {
	// The length keeps ("a", "bc") apart from ("ab", "c").
	hash := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", len(kind), kind, key))
	return s.change(ctx, fault.Exists.Errorf("This was used before."),
		`INSERT INTO used_key (hash, expires_at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`,
		hash[:], stamp(until))
}

const (
	flowColumns = `id, browser, method_kind, method_id, purpose, user_id, claim, answered_at, expires_at, session, return_to, confirm, trace_id`
	noFlow      = "There is no such login under way."
)

// AddFlow implements login.Store.
func (s *Store) AddFlow(ctx context.Context, f login.Flow) error {
	claim, err := json.Marshal(f.Claim)
	if err != nil {
		return fmt.Errorf("write claim: %w", err)
	}
	return s.change(ctx, fault.Exists.Errorf("This login was answered already."), `
		INSERT INTO flow (`+flowColumns+`, idp_name_key, taken) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, FALSE)
		ON CONFLICT (id) DO NOTHING`,
		f.ID, f.Browser[:], string(f.Method.Kind), textOrNull(f.Method.ID), int64(f.Purpose), textOrNull(f.UserID),
		string(claim), stamp(f.AnsweredAt), stamp(f.ExpiresAt), f.Session[:], f.ReturnTo, f.Confirm, textOrNull(f.TraceID), f.Claim.NameKey)
}

// Flow implements login.Store.
func (s *Store) Flow(ctx context.Context, id string, now time.Time) (login.Flow, error) {
	f, err := one(ctx, s, scanFlow, `SELECT `+flowColumns+` FROM flow WHERE id = $1 AND NOT taken AND expires_at > $2`, id, stamp(now))
	return f, missing(err, noFlow)
}

// TakeFlow implements login.Store: who marks the row has it.
func (s *Store) TakeFlow(ctx context.Context, id string, browser [16]byte, now time.Time) (f login.Flow, err error) {
	err = s.Tx(ctx, func(ctx context.Context) error {
		f, err = one(ctx, s, scanFlow, `
			UPDATE flow SET taken = TRUE
			WHERE id = $1 AND browser = $2 AND NOT taken AND expires_at > $3
			RETURNING `+flowColumns, id, browser[:], stamp(now))
		return err
	})
	return f, missing(err, noFlow)
}

// BindFlow implements login.Store: the first browser has it.
func (s *Store) BindFlow(ctx context.Context, id string, browser [16]byte, now time.Time) error {
	var nobody [16]byte
	_, err := s.exec(ctx, `
		UPDATE flow SET browser = $2 WHERE id = $1 AND browser = $3 AND confirm AND NOT taken AND expires_at > $4`,
		id, browser[:], nobody[:], stamp(now))
	return err
}

func scanFlow(r row) (f login.Flow, err error) {
	var claim []byte
	err = r.Scan(&f.ID, fixed{f.Browser[:]}, &f.Method.Kind, text{&f.Method.ID}, &f.Purpose, text{&f.UserID},
		&claim, moment{&f.AnsweredAt}, moment{&f.ExpiresAt}, fixed{f.Session[:]}, &f.ReturnTo, &f.Confirm, text{&f.TraceID})
	if err != nil {
		return login.Flow{}, err
	}
	if err := json.Unmarshal(claim, &f.Claim); err != nil {
		return login.Flow{}, fmt.Errorf("read claim: %w", err)
	}
	return f, nil
}

// UserWithPassword implements login.Store.
func (s *Store) UserWithPassword(ctx context.Context, email string) (account.User, string, error) {
	type found struct {
		user account.User
		hash string
	}
	f, err := one(ctx, s, func(r row) (f found, err error) {
		return f, r.Scan(append(userFields(&f.user), &f.hash)...)
	}, `SELECT `+userColumns+`, p.password_hash FROM person p WHERE p.email = $1`, email)
	return f.user, f.hash, missing(err, noUser)
}

// UserByIdentity implements login.Store.
func (s *Store) UserByIdentity(ctx context.Context, methodID, subjectKind, subject string) (account.User, error) {
	u, err := one(ctx, s, scanUser, `
		SELECT `+userColumns+`
		FROM identity l JOIN person p ON p.id = l.user_id
		WHERE l.method_id = $1 AND l.subject_kind = $2 AND l.subject = $3`, methodID, subjectKind, subject)
	return u, missing(err, "Nobody is linked to this subject.")
}

// AddIdentity implements login.Store. Tokens of the person may have waited for
// this login too.
func (s *Store) AddIdentity(ctx context.Context, i account.Identity) error {
	return s.noting(ctx, gate.UserKey(i.UserID), func(ctx context.Context) error {
		return s.change(ctx, fault.Exists.Errorf("Somebody is linked to this subject already."), `
			INSERT INTO identity (method_id, subject_kind, subject, user_id, email, created_at, last_used_at, last_ip, last_context)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (method_id, subject_kind, subject) DO NOTHING`,
			i.MethodID, i.SubjectKind, i.Subject, i.UserID, i.Email, stamp(i.CreatedAt), stamp(i.LastUsedAt), addressText(i.LastIP), i.LastContext)
	})
}

// TouchIdentity implements login.Store. The tokens of a managed person may have
// waited for this login.
func (s *Store) TouchIdentity(ctx context.Context, i account.Identity) error {
	return s.Tx(ctx, func(ctx context.Context) error {
		managed, err := one(ctx, s, func(r row) (id string, err error) { return id, r.Scan(text{&id}) }, `
			UPDATE identity SET email = $4, last_used_at = $5, last_ip = $6, last_context = $7
			WHERE method_id = $1 AND subject_kind = $2 AND subject = $3
			RETURNING (SELECT p.id FROM person p WHERE p.id = identity.user_id AND p.managing_organization_id IS NOT NULL)`,
			i.MethodID, i.SubjectKind, i.Subject, i.Email, stamp(i.LastUsedAt), addressText(i.LastIP), i.LastContext)
		if managed != "" {
			s.note(ctx, gate.UserKey(managed))
		}
		return missing(err, "Nobody is linked to this subject.")
	})
}

// TouchPassword implements login.Store.
func (s *Store) TouchPassword(ctx context.Context, userID string, at time.Time, ip netip.Addr) error {
	return s.change(ctx, fault.NotFound.Errorf(noUser),
		`UPDATE person SET password_used_at = $2, password_used_ip = $3 WHERE id = $1 AND password_hash <> ''`, userID, stamp(at), addressText(ip))
}

// LastSSO implements login.Store.
func (s *Store) LastSSO(ctx context.Context, userID, organizationID string) (time.Time, error) {
	found, err := all(ctx, s, func(r row) (at time.Time, err error) { return at, r.Scan(moment{&at}) }, `
		SELECT l.last_used_at FROM identity l JOIN idp i ON i.id = l.method_id
		WHERE l.user_id = $1 AND i.organization_id = $2
		ORDER BY l.last_used_at DESC LIMIT 1`, userID, organizationID)
	if err != nil || len(found) == 0 {
		return time.Time{}, err
	}
	return found[0], nil
}

// PasswordState implements login.Store.
func (s *Store) PasswordState(ctx context.Context, userID string) (login.PasswordState, error) {
	p, err := one(ctx, s, func(r row) (p login.PasswordState, err error) {
		return p, r.Scan(maybe[bool]{&p.Set}, moment{&p.UsedAt}, address{&p.IP})
	}, `SELECT password_hash <> '', password_used_at, password_used_ip FROM person WHERE id = $1`, userID)
	return p, missing(err, noUser)
}

// Links implements login.Store.
func (s *Store) Links(ctx context.Context, userID string) ([]login.Link, error) {
	return all(ctx, s, func(r row) (l login.Link, err error) {
		l.UserID = userID
		return l, r.Scan(&l.MethodID, &l.SubjectKind, &l.Subject, &l.Email, moment{&l.CreatedAt}, moment{&l.LastUsedAt}, address{&l.LastIP}, &l.LastContext,
			&l.Name, &l.OrganizationID, &l.AccountID, &l.Organization, maybe[bool]{&l.Usable})
	}, `
		SELECT l.method_id, l.subject_kind, l.subject, l.email, l.created_at, l.last_used_at, l.last_ip, l.last_context,
			i.name, o.id, o.account_id, o.name, i.enabled AND i.state = 'active' AND i.deleted_at IS NULL AND NOT o.suspended
		FROM identity l JOIN idp i ON i.id = l.method_id JOIN organization o ON o.id = i.organization_id
		WHERE l.user_id = $1
		ORDER BY l.created_at, l.method_id, l.subject_kind, l.subject`, userID)
}

// CutIdentities implements login.Store.
func (s *Store) CutIdentities(ctx context.Context, userID, methodID string) (tokens int, err error) {
	err = s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		cut, err := s.exec(ctx, `DELETE FROM identity WHERE user_id = $1 AND method_id = $2`, userID, methodID)
		if err != nil {
			return err
		}
		if cut == 0 {
			return fault.NotFound.Errorf("The person is not linked to this identity provider.")
		}
		gone, err := s.exec(ctx, `DELETE FROM token WHERE user_id = $1 AND method_id = $2`, userID, methodID)
		tokens = int(gone)
		return err
	})
	return tokens, err
}

// ChangePassword implements login.Store. When it was last used is of the one
// before.
func (s *Store) ChangePassword(ctx context.Context, userID, old, hash string) error {
	return s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		err := s.change(ctx, fault.Conflict.Errorf("The password was changed meanwhile."), `
			UPDATE person SET password_hash = $3, password_used_at = NULL, password_used_ip = ''
			WHERE id = $1 AND password_hash = $2 AND password_hash <> ''`, userID, old, hash)
		if err != nil {
			return err
		}
		_, err = s.exec(ctx, `DELETE FROM flow WHERE user_id = $1 AND method_kind = 'password' AND NOT taken`, userID)
		return err
	})
}

// CutPassword implements login.Store. A login by password that is under way
// ends with it.
func (s *Store) CutPassword(ctx context.Context, userID string) (tokens int, err error) {
	err = s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		err := s.change(ctx, fault.NotFound.Errorf("The person has no password."), `
			UPDATE person SET password_hash = '', password_used_at = NULL, password_used_ip = ''
			WHERE id = $1 AND password_hash <> ''`, userID)
		if err != nil {
			return err
		}
		if _, err := s.exec(ctx, `DELETE FROM flow WHERE user_id = $1 AND method_kind = 'password' AND NOT taken`, userID); err != nil {
			return err
		}
		gone, err := s.exec(ctx, `DELETE FROM token WHERE user_id = $1 AND method_kind = 'password'`, userID)
		tokens = int(gone)
		return err
	})
	return tokens, err
}
