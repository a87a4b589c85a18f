// Package session issues, checks and revokes what a login yields: tokens, each
// tied to the login method that made it, and the browser's cookies.
//
// A token is a prefix that names its kind, 40 random characters of base 62 and
// a checksum of 6. Only its SHA-256 is stored. The checksum spares look-ups of
// typing errors and lets secret scanners recognise a leaked token; it proves
// nothing.
package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
)

// A Kind is what a token is for.
type Kind string

// The kinds of token.
const (
	SessionToken Kind = "session" // made by a login, lasts hours
)

// lead is what the text of a token of each kind begins with.
var lead = map[Kind]string{SessionToken: "gts_"}

const (
	randomLength   = 40
	checksumLength = 6
	prefixLength   = 12
)

// A MethodKind is a way to prove who one is.
type MethodKind string

// The ways to log in.
const (
	Password MethodKind = "password"
	SAML     MethodKind = "saml"
	Recovery MethodKind = "recovery" // a link that the server's operator made
)

// A Method is how somebody logged in.
type Method struct {
	Kind MethodKind

	// ID is for SAML the identity provider, am…; for a recovery the
	// organization, org…; empty for a password.
	ID string
}

// Opens reports whether a login of this kind may enter an organization at all:
// a recovery enters the one that it is for, and no other.
func (m Method) Opens(organizationID string) bool {
	return m.Kind != Recovery || m.ID == organizationID
}

// A Token is what stands for a login afterwards.
type Token struct {
	Hash      [sha256.Size]byte // of the whole token: what is stored of it
	Prefix    string            // its first 12 characters, to name it by
	UserID    string
	Kind      Kind
	Method    Method
	TwoFactor bool      // a second factor was given
	LoggedIn  time.Time // when the login behind it happened
	CreatedAt time.Time
	ExpiresAt time.Time

	Description string     // of a token that a person made; empty for a login
	UserAgent   string     // that logged in, up to 256 bytes
	IP          netip.Addr // that logged in; zero if not known
}

// A Bearer is a token together with what decides whether it still counts.
type Bearer struct {
	Token
	User account.User

	// MethodUsable says that the login method is still there, enabled, and of
	// an organization that is not suspended. True for those that are none.
	MethodUsable bool

	// Linked says that the person is still linked to the IdP that the token
	// came from. True where it came from none.
	Linked bool
}

// Store is what Tokens needs of storage.
type Store interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// AddToken inserts a token. It returns fault.Exists if the user has one of
	// the same prefix already.
	AddToken(ctx context.Context, t Token) error

	// Bearer finds a token by its hash. It returns fault.NotFound if there is
	// none.
	Bearer(ctx context.Context, hash [sha256.Size]byte) (Bearer, error)

	// DeleteToken removes a token and says whose it was. It returns
	// fault.NotFound if there is none.
	DeleteToken(ctx context.Context, hash [sha256.Size]byte) (Deleted, error)
}

// A Deleted is what is left to say of a token that was removed.
type Deleted struct {
	Prefix         string
	User           audit.Actor
	OrganizationID string // its login method's, else the one that manages the person; may be empty
}

// Tokens issues, checks and revokes tokens.
type Tokens struct {
	Store    Store
	Lifetime time.Duration // of a session, where its method says nothing
	Now      func() time.Time
	Audit    *audit.Log
}

// A Grant is what a login earned.
type Grant struct {
	UserID    string
	Method    Method
	TwoFactor bool
	LoggedIn  time.Time     // when the person proved who they are to us
	Lifetime  time.Duration // 0: as long as sessions last
	Ends      time.Time     // never later than this; zero: no such bound
	UserAgent string
	IP        netip.Addr
}

// Issue makes a session token. The text is given once and never again.
func (s *Tokens) Issue(ctx context.Context, g Grant) (text string, t Token, err error) {
	now := s.Now()
	lifetime := g.Lifetime
	if lifetime <= 0 {
		lifetime = s.Lifetime
	}
	expires := now.Add(lifetime)
	if !g.Ends.IsZero() && g.Ends.Before(expires) {
		expires = g.Ends
	}
	if !expires.After(now) {
		return "", Token{}, fault.Denied.Errorf("Your session at the identity provider is over already. Log in there again.").Coded("session_ended")
	}
	t = Token{
		UserID: g.UserID, Kind: SessionToken, Method: g.Method, TwoFactor: g.TwoFactor,
		LoggedIn: g.LoggedIn, CreatedAt: now, ExpiresAt: expires,
		UserAgent: clip(g.UserAgent, 256), IP: g.IP,
	}
	// A prefix is short enough to be taken: try again, do not fail a login.
	for range 3 {
		text = newText(SessionToken)
		t.Hash, t.Prefix = sha256.Sum256([]byte(text)), text[:prefixLength]
		if err = s.Store.AddToken(ctx, t); !errors.Is(err, fault.Exists) {
			break
		}
	}
	if err != nil {
		return "", Token{}, fmt.Errorf("add token: %w", err)
	}
	return text, t, nil
}

// ErrUnknown is the cause, for the gate to count, where a token that could be
// one is nobody's.
var ErrUnknown = errors.New("no such token")

// errNotValid is the one answer to every token that does not count, so that it
// tells nobody why.
func errNotValid() *fault.Error {
	return fault.Unauthenticated.Errorf("The token is not valid, or not any more. Log in again.").Coded("authentication_failed")
}

// Verify gives the person that a token stands for. A token does not count
// once it expired, its person was deactivated or expired all tokens, its login
// method was disabled or deleted, or the person's link to it was cut. It
// returns fault.Unauthenticated, caused by ErrUnknown where there is none.
func (s *Tokens) Verify(ctx context.Context, text string) (Bearer, error) {
	if !wellFormed(text) {
		return Bearer{}, errNotValid()
	}
	b, err := s.Store.Bearer(ctx, sha256.Sum256([]byte(text)))
	if errors.Is(err, fault.NotFound) {
		return Bearer{}, errNotValid().Because(ErrUnknown)
	}
	if err != nil {
		return Bearer{}, fmt.Errorf("find token: %w", err)
	}
	if why := b.refusal(s.Now()); why != "" {
		return Bearer{}, errNotValid().Because(errors.New(why))
	}
	return b, nil
}

// refusal says why b does not count at the moment now, or nothing.
func (b Bearer) refusal(now time.Time) string {
	switch {
	case !now.Before(b.ExpiresAt):
		return "token expired"
	case b.User.State != account.ActiveUser:
		return "user is " + string(b.User.State)
	case b.CreatedAt.Before(b.User.TokensValidFrom):
		return "user expired all tokens"
	case !b.MethodUsable:
		return "login method " + b.Method.ID + " is not usable any more"
	case !b.Linked:
		return "user is not linked to login method " + b.Method.ID + " any more"
	}
	return ""
}

// An End is how, and from where, whoever holds a token ends it.
type End struct {
	Reason    string // for the audit log, such as "logged out"
	IP        netip.Addr
	UserAgent string
}

// Revoke ends a token. Revoking one that is not there is no error.
func (s *Tokens) Revoke(ctx context.Context, hash [sha256.Size]byte, how End) error {
	err := s.Store.Tx(ctx, func(ctx context.Context) error {
		gone, err := s.Store.DeleteToken(ctx, hash)
		if errors.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Event{
			OrganizationID: gone.OrganizationID, Actor: gone.User, Action: audit.SessionEnd,
			Target: audit.Target{Kind: "session", ID: gone.Prefix}, IP: how.IP, UserAgent: how.UserAgent,
			Details: audit.Details{"reason": how.Reason},
		})
	})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}

// newText makes the text of a token.
func newText(k Kind) string {
	body := lead[k] + ident.Secret(randomLength)
	return body + checksum(body)
}

// wellFormed reports whether text could be a token: right length, known kind,
// right checksum.
func wellFormed(text string) bool {
	if len(text) != 4+randomLength+checksumLength {
		return false
	}
	known := false
	for _, l := range lead {
		known = known || strings.HasPrefix(text, l)
	}
	body := text[:len(text)-checksumLength]
	return known && text[len(body):] == checksum(body)
}

// checksum is the CRC-32 (IEEE) of body in six digits of base 62.
func checksum(body string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	n := crc32.ChecksumIEEE([]byte(body))
	var out [checksumLength]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = digits[n%62]
		n /= 62
	}
	return string(out[:])
}

func clip(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}
