package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/session"
)

var _ session.Store = (*Store)(nil)

// tokenColumns are what tokenFields read, of a token t.
const tokenColumns = `t.hash, t.user_id, t.prefix, t.kind, t.method_kind, COALESCE(t.method_id, t.recovers), t.two_factor, t.device,
	t.logged_in_at, t.created_at, t.expires_at, t.max_age, t.extend_when_used, t.ends_at, t.ip_ranges, t.scopes,
	t.description, t.user_agent, t.ip, t.last_used_at, t.last_ip, t.last_agent, t.authn_context`

// tokenFields are where tokenColumns go.
func tokenFields(t *session.Token) []any {
	return []any{
		fixed{t.Hash[:]}, &t.UserID, &t.Prefix, &t.Kind, &t.Method.Kind, text{&t.Method.ID}, &t.TwoFactor, &t.Device,
		moment{&t.LoggedIn}, moment{&t.CreatedAt}, moment{&t.ExpiresAt}, seconds{&t.MaxAge}, &t.ExtendWhenUsed, moment{&t.EndsAt},
		ranges{&t.Ranges}, words{(*[]string)(&t.Scopes)},
		&t.Description, &t.UserAgent, address{&t.IP}, moment{&t.LastUse.At}, address{&t.LastUse.IP}, &t.LastUse.UserAgent, &t.Context,
	}
}

func scanToken(r row) (t session.Token, err error) { return t, r.Scan(tokenFields(&t)...) }

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
			logged_in_at, created_at, expires_at, description, user_agent, ip, recovers,
			max_age, extend_when_used, ends_at, ip_ranges, scopes, device, idp_name, idp_name_key, idp_session, authn_context)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
		ON CONFLICT DO NOTHING`,
		t.Hash[:], t.UserID, t.Prefix, string(t.Kind), string(t.Method.Kind), textOrNull(methodID), t.TwoFactor,
		stamp(t.LoggedIn), stamp(t.CreatedAt), stamp(t.ExpiresAt), t.Description, t.UserAgent, addressText(t.IP), textOrNull(recovers),
		int64(t.MaxAge/time.Second), t.ExtendWhenUsed, stampOrNull(t.EndsAt), rangesText(t.Ranges), strings.Join(t.Scopes, " "), t.Device, t.IdP.Name, t.IdP.Key, t.IdP.Index, t.Context)
}

// TokensOf implements session.Store.
func (s *Store) TokensOf(ctx context.Context, userID string, now time.Time) ([]session.Token, error) {
	return all(ctx, s, scanToken, `
		SELECT `+tokenColumns+` FROM token t
		WHERE t.user_id = $1 AND t.expires_at > $2
		ORDER BY t.created_at, t.prefix`, userID, stamp(now))
}

// TokenOf implements session.Store: the same look-up, whoever's token it is.
func (s *Store) TokenOf(ctx context.Context, userID, prefix string, hash [sha256.Size]byte) (session.Token, error) {
	column, value := `t.prefix`, any(prefix)
	if prefix == "" {
		column, value = `t.hash`, hash[:]
	}
	t, err := one(ctx, s, scanToken, `SELECT `+tokenColumns+` FROM token t WHERE t.user_id = $1 AND `+column+` = $2`, userID, value)
	return t, missing(err, noToken)
}

const noToken = "You have no such token."

// CountTokens implements session.Store.
func (s *Store) CountTokens(ctx context.Context, userID string, kind session.Kind, now time.Time) (int, error) {
	return s.count(ctx, `SELECT count(*) FROM token WHERE user_id = $1 AND kind = $2 AND expires_at > $3`, userID, string(kind), stamp(now))
}

// LockUser implements session.Store: a changed row is a lock that both
// databases know.
func (s *Store) LockUser(ctx context.Context, userID string) error {
	if s.current(ctx) == nil {
		return fmt.Errorf("lock user: there is no transaction to hold the lock")
	}
	return s.change(ctx, fault.NotFound.Errorf(noUser), `UPDATE person SET updated_at = updated_at WHERE id = $1`, userID)
}

// DescribeToken implements session.Store.
func (s *Store) DescribeToken(ctx context.Context, hash [sha256.Size]byte, description string) error {
	return s.noting(ctx, gate.TokenKey(hash), func(ctx context.Context) error {
		return s.change(ctx, fault.NotFound.Errorf(noToken), `UPDATE token SET description = $2 WHERE hash = $1`, hash[:], description)
	})
}

// ExpireTokens implements session.Store.
func (s *Store) ExpireTokens(ctx context.Context, userID string, now time.Time) (n int, err error) {
	err = s.noting(ctx, gate.UserKey(userID), func(ctx context.Context) error {
		err := s.change(ctx, fault.NotFound.Errorf(noUser), `UPDATE person SET tokens_valid_from = $2, updated_at = $2 WHERE id = $1`, userID, stamp(now))
		if err != nil {
			return err
		}
		gone, err := s.exec(ctx, `DELETE FROM token WHERE user_id = $1`, userID)
		n = int(gone)
		return err
	})
	return n, err
}

// NoteUses implements session.Store. All who write many rows do so in one
// order, so that none waits for another who waits for it.
func (s *Store) NoteUses(ctx context.Context, uses []session.Used) error {
	uses = slices.SortedFunc(slices.Values(uses), func(a, b session.Used) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	return s.Tx(ctx, func(ctx context.Context) error {
		for _, u := range uses {
			_, err := s.exec(ctx, `
				UPDATE token SET last_used_at = $2, last_ip = $3, last_agent = $4,
					expires_at = CASE WHEN $5 > expires_at THEN $5 ELSE expires_at END
				WHERE hash = $1 AND (last_used_at IS NULL OR last_used_at <= $2)`,
				u.Hash[:], stamp(u.Use.At), addressText(u.Use.IP), u.Use.UserAgent, stamp(u.ExpiresAt))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteToken implements session.Store.
func (s *Store) DeleteToken(ctx context.Context, hash [sha256.Size]byte) (d session.Deleted, err error) {
	err = s.noting(ctx, gate.TokenKey(hash), func(ctx context.Context) error {
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

// ranges reads address ranges that are separated by spaces.
type ranges struct{ to *[]netip.Prefix }

// Scan makes ranges a sql.Scanner.
func (a ranges) Scan(value any) error {
	var all []string
	if err := (words{&all}).Scan(value); err != nil {
		return err
	}
	*a.to = nil
	for _, text := range all {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("read address range: %w", err)
		}
		*a.to = append(*a.to, p)
	}
	return nil
}

// rangesText is how address ranges are written.
func rangesText(all []netip.Prefix) string {
	texts := make([]string, len(all))
	for i, p := range all {
		texts[i] = p.String()
	}
	return strings.Join(texts, " ")
}

// words reads texts that are separated by spaces.
type words struct{ to *[]string }

// Scan makes words a sql.Scanner.
func (w words) Scan(value any) error {
	var s string
	if err := (text{&s}).Scan(value); err != nil {
		return err
	}
	*w.to = nil
	if s != "" {
		*w.to = strings.Split(s, " ")
	}
	return nil
}
