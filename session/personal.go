package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// Limits of personal tokens.
const (
	mostPersonal    = 100 // that one person has at once
	mostDescription = 1000
	shortestMaxAge  = 10 * time.Minute
	longestMaxAge   = 315_360_000 * time.Second
	usualMaxAge     = 30 * 24 * time.Hour

	// freshLogin is how old the login may be with which somebody makes a
	// token that outlives their session.
	freshLogin = 10 * time.Minute
)

// Rules say who may make personal tokens.
type Rules interface {
	// MayMakeTokens gives how long a token of this person may last; 0: as long
	// as they like. It returns fault.Denied with code
	// user_personal_token_not_allowed where their organizations let them make
	// none.
	MayMakeTokens(ctx context.Context, userID string) (most time.Duration, err error)
}

// A Holder is somebody with the token that they came with.
type Holder struct {
	account.Actor
	Token Token

	// Proved says that they typed their present password with this request.
	Proved bool
}

// A New is a personal token as somebody asks for it.
type New struct {
	Description    string
	MaxAge         time.Duration // 0: 30 days
	ExtendWhenUsed bool          // needs a MaxAge
	Ranges         []string
	Scopes         []string
}

// Create makes a personal token, whose text is given once. It remembers the
// login behind the token that it is made with, and is never worth more: it has
// no wider ranges or scopes, and, made with a personal token, ends no later.
// Made with a session it outlives that, which takes a login at most ten minutes
// old, or the password; a session by a code that was typed elsewhere always takes
// the password, as somebody may have been talked into typing it.
//
// It returns fault.Invalid at description, max_age_seconds, extend_when_used,
// ip_allowlist or scopes; fault.Denied with code login_too_old,
// token_limit_reached, or as Rules say; fault.Unauthenticated where the token
// that it is made with is not there any more.
func (s *Tokens) Create(ctx context.Context, by Holder, n New) (text string, t Token, err error) {
	now := s.Now()
	if t, err = by.token(n, now); err != nil {
		return "", Token{}, err
	}
	if s.Rules != nil {
		most, err := s.Rules.MayMakeTokens(ctx, by.User.ID)
		if err != nil {
			return "", Token{}, err
		}
		if err := t.bound(n, most, now); err != nil {
			return "", Token{}, err
		}
	}
	err = s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockUser(ctx, by.User.ID); err != nil {
			return err
		}
		// Whoever ended it since it was let in has ended what it makes, too.
		if _, err := s.Store.TokenOf(ctx, by.User.ID, "", by.Token.Hash); errors.Is(err, fault.NotFound) {
			return ErrNotValid()
		} else if err != nil {
			return err
		}
		have, err := s.Store.CountTokens(ctx, by.User.ID, PersonalToken, now)
		if err != nil {
			return err
		}
		if have >= mostPersonal {
			return fault.Denied.Errorf("You have %d personal tokens, which is the most. Revoke some that you do not use.", have).Coded("token_limit_reached")
		}
		if text, err = s.add(ctx, &t); err != nil {
			return err
		}
		details := audit.Details{"method": string(t.Method.Kind), "expires_at": t.ExpiresAt.UTC().Format(time.RFC3339)}
		if t.Method.ID != "" {
			details["authentication_method_id"] = t.Method.ID
		}
		return s.Audit.Record(ctx, by.Did(audit.TokenCreate, by.User.ManagingOrganizationID, t.target(), details))
	})
	if err != nil {
		return "", Token{}, fmt.Errorf("create token: %w", err)
	}
	return text, t, nil
}

// token makes of a wish what its holder may have.
func (h Holder) token(n New, now time.Time) (Token, error) {
	from := h.Token
	if from.Method.Kind == Recovery {
		return Token{}, fault.Denied.Errorf("A login by a recovery link makes no tokens. Log in by a way of your own.").Coded("recovery_elsewhere")
	}
	if from.Kind != SessionToken && from.Kind != PersonalToken {
		return Token{}, fault.Denied.Errorf("This token makes no others. A person who is logged in makes them.").Coded("user_personal_token_not_allowed")
	}
	if from.Kind == SessionToken && !h.Proved && (from.Device || now.Sub(from.LoggedIn) > freshLogin) {
		return Token{}, fault.Denied.Errorf("A token outlives this session, so that making one takes a login that is at most ten minutes old, or your password. Log in again, or type your password.").At("password").Coded("login_too_old")
	}
	description, err := account.CleanText(n.Description, "description", mostDescription)
	if err != nil {
		return Token{}, err
	}
	now = now.Truncate(time.Microsecond) // as it is kept
	t := Token{
		UserID: h.User.ID, Kind: PersonalToken, Method: from.Method, TwoFactor: from.TwoFactor, Device: from.Device, Context: from.Context, LoggedIn: from.LoggedIn,
		CreatedAt: now, MaxAge: n.MaxAge, ExtendWhenUsed: n.ExtendWhenUsed,
		Description: description, UserAgent: clip(h.UserAgent, mostAgent), IP: h.IP,
	}
	if err := t.last(n, from, now); err != nil {
		return Token{}, err
	}
	if t.Ranges, err = narrowed(n.Ranges, from.Ranges); err != nil {
		return Token{}, err
	}
	if t.Scopes, err = ParseScopes(n.Scopes); err != nil {
		return Token{}, err
	}
	if len(t.Scopes) == 0 {
		t.Scopes = slices.Clone(from.Scopes)
	}
	if !t.Scopes.within(from.Scopes) {
		return Token{}, fault.Denied.Errorf("The token that you make this with is narrowed to %s, and a new one cannot be wider.", strings.Join(from.Scopes, ", ")).At("scopes").Coded("token_wider_than_its_maker")
	}
	return t, nil
}

// last decides how long a token lasts.
func (t *Token) last(n New, from Token, now time.Time) error {
	switch {
	case n.MaxAge == 0 && n.ExtendWhenUsed:
		return fault.Invalid.Errorf("Say with max_age_seconds by how much each use extends the token.").At("extend_when_used")
	case n.MaxAge == 0:
		t.MaxAge = usualMaxAge
	case n.MaxAge < shortestMaxAge:
		return fault.Invalid.Errorf("Say %d seconds at least.", shortestMaxAge/time.Second).At("max_age_seconds").Coded("auth_token_max_age_too_low")
	case n.MaxAge > longestMaxAge:
		return fault.Invalid.Errorf("Say %d seconds at most.", longestMaxAge/time.Second).At("max_age_seconds")
	}
	t.ExpiresAt = now.Add(t.MaxAge)
	if from.Kind == SessionToken {
		return nil
	}
	t.EndsAt = from.ExpiresAt
	if n.MaxAge > 0 && t.ExpiresAt.After(t.EndsAt) {
		return fault.Denied.Errorf("The token that you make this with ends on %s, and a new one cannot outlive it. Log in to make one that lasts longer.", t.EndsAt.UTC().Format("2 January 2006, 15:04 UTC")).At("max_age_seconds").Coded("token_wider_than_its_maker")
	}
	t.clip()
	return nil
}

// clip lets a token not last beyond its end.
func (t *Token) clip() {
	if !t.EndsAt.IsZero() && t.ExpiresAt.After(t.EndsAt) {
		t.ExpiresAt = t.EndsAt
	}
}

// bound holds a token to the longest life that its person's organization lets
// it have.
func (t *Token) bound(n New, most time.Duration, now time.Time) error {
	if most <= 0 {
		return nil
	}
	if n.MaxAge > most {
		return fault.Invalid.Errorf("The organization that manages you lets a personal token last %d seconds at most.", most/time.Second).At("max_age_seconds").Coded("auth_token_max_age_too_high")
	}
	// From the login on, which what tokens make inherits: otherwise they would
	// make one another young again.
	end := t.LoggedIn.Add(most)
	if !end.After(now) {
		return fault.Denied.Errorf("The organization that manages you lets a personal token last %d seconds from the login on, which are over. Log in again first.", most/time.Second).Coded("login_too_old")
	}
	if t.EndsAt.IsZero() || t.EndsAt.After(end) {
		t.EndsAt = end
	}
	t.clip()
	return nil
}

// narrowed reads the ranges of a token, which must lie in those of the token
// that it is made with; none stand for all of these.
func narrowed(texts []string, parent []netip.Prefix) ([]netip.Prefix, error) {
	all, err := account.ParseRanges(texts, "ip_allowlist")
	if err != nil || len(parent) == 0 {
		return all, err
	}
	if len(all) == 0 {
		return slices.Clone(parent), nil
	}
	for _, p := range all {
		inside := slices.ContainsFunc(parent, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) })
		if !inside {
			return nil, fault.Denied.Errorf("The token that you make this with does not count from %s, and a new one cannot be wider.", p).At("ip_allowlist").Coded("token_wider_than_its_maker")
		}
	}
	return all, nil
}

// InRanges reports whether a token counts from an address.
func (t *Token) InRanges(ip netip.Addr) bool {
	if len(t.Ranges) == 0 {
		return true
	}
	ip = ip.Unmap().WithZone("")
	return ip.IsValid() && slices.ContainsFunc(t.Ranges, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func (t *Token) target() audit.Target {
	return audit.Target{Kind: "token", ID: t.Prefix, Name: t.Description}
}

// List gives a person's tokens that count, oldest first, with their last use.
func (s *Tokens) List(ctx context.Context, userID string) ([]Token, error) {
	all, err := s.Store.TokensOf(ctx, userID, s.Now())
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	for i := range all {
		s.Uses.Overlay(&all[i])
	}
	return all, nil
}

// find gives one of a person's tokens, by its prefix or its whole text.
func (s *Tokens) find(ctx context.Context, userID, name string) (Token, error) {
	var hash [sha256.Size]byte
	prefix := name
	if len(name) == textLength {
		prefix, hash = "", sha256.Sum256([]byte(name))
	}
	t, err := s.Store.TokenOf(ctx, userID, prefix, hash)
	if err != nil {
		return Token{}, err
	}
	s.Uses.Overlay(&t)
	return t, nil
}

// Describe changes what a person calls one of their tokens, named by its
// prefix or its text. It returns fault.Invalid at description, and
// fault.NotFound.
func (s *Tokens) Describe(ctx context.Context, by Holder, name, description string) (t Token, err error) {
	description, err = account.CleanText(description, "description", mostDescription)
	if err != nil {
		return Token{}, err
	}
	err = s.Store.Tx(ctx, func(ctx context.Context) error {
		if t, err = s.find(ctx, by.User.ID, name); err != nil {
			return err
		}
		details := audit.Details{}
		details.Changed("description", t.Description, description)
		t.Description = description
		if err := s.Store.DescribeToken(ctx, t.Hash, description); err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(audit.TokenUpdate, by.User.ManagingOrganizationID, t.target(), details))
	})
	if err != nil {
		return Token{}, fmt.Errorf("describe token: %w", err)
	}
	return t, nil
}

// RevokeNamed ends one of a person's tokens, named by its prefix or its text.
// It returns fault.NotFound where they have none such, and so to the second of
// two that revoke the same.
func (s *Tokens) RevokeNamed(ctx context.Context, by Holder, name string) error {
	err := s.Store.Tx(ctx, func(ctx context.Context) error {
		t, err := s.find(ctx, by.User.ID, name)
		if err != nil {
			return err
		}
		if _, err := s.Store.DeleteToken(ctx, t.Hash); err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(audit.TokenRevoke, by.User.ManagingOrganizationID, t.target(), audit.Details{"kind": string(t.Kind)}))
	})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}

// ExpireAll ends every token of a person, the one that they came with
// included, and says how many there were.
func (s *Tokens) ExpireAll(ctx context.Context, by Holder) (n int, err error) {
	err = s.Store.Tx(ctx, func(ctx context.Context) error {
		if n, err = s.Store.ExpireTokens(ctx, by.User.ID, s.Now()); err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(audit.TokenExpire, by.User.ManagingOrganizationID, by.User.Target(), audit.Details{"tokens": fmt.Sprint(n)}))
	})
	if err != nil {
		return 0, fmt.Errorf("expire tokens: %w", err)
	}
	return n, nil
}
