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
	SessionToken     Kind = "session"     // made by a login, lasts hours
	PersonalToken    Kind = "personal"    // made by a person, for their programs
	ApplicationToken Kind = "application" // of an application user
)

// lead is what the text of a token of each kind begins with.
var lead = map[Kind]string{SessionToken: "gts_", PersonalToken: "gtp_", ApplicationToken: "gta_"}

const (
	randomLength   = 40
	checksumLength = 6
	prefixLength   = 12
	textLength     = 4 + randomLength + checksumLength
)

// A MethodKind is a way to prove who one is.
type MethodKind string

// The ways to log in.
const (
	Password  MethodKind = "password"
	Google    MethodKind = "google"
	Microsoft MethodKind = "microsoft"
	GitHub    MethodKind = "github"
	Passkey   MethodKind = "passkey"
	SAML      MethodKind = "saml"
	Recovery  MethodKind = "recovery" // a link that the server's operator made
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
	Device    bool      // of a program that was let in by a code typed in on another device
	Context   string    // AuthnContextClassRef that the identity provider asserted; empty: none
	LoggedIn  time.Time // when the login behind it happened
	CreatedAt time.Time
	ExpiresAt time.Time

	// MaxAge is how long the token was made to last, in whole seconds. With
	// ExtendWhenUsed it lasts that long from each use on, but never beyond
	// EndsAt; zero there is no such bound.
	MaxAge         time.Duration
	ExtendWhenUsed bool
	EndsAt         time.Time

	Ranges []netip.Prefix // from where alone it counts; empty: from everywhere
	Scopes Scopes         // to what it is narrowed; empty: to nothing

	Description string     // by the person; of a program's login, what the program calls itself until they say otherwise
	UserAgent   string     // that logged in, up to 256 bytes
	IP          netip.Addr // that logged in; zero if not known
	LastUse     Use        // zero: never

	// IdP is what the identity provider calls the login. It is written, and
	// not read with the rest: requests have no use for it.
	IdP Principal
}

// A Use is when, from where and by what a token was used.
type Use struct {
	At        time.Time
	IP        netip.Addr // zero if not known
	UserAgent string     // up to 256 bytes
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

	MethodOrganizationID string    // whose IdP it came from; else empty
	Fellow               bool      // the person belongs to that organization
	SSO                  time.Time // last login through an IdP of who manages the person; zero: none, or nobody does
}

// Store is what Tokens needs of storage.
type Store interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// AddToken inserts a token. It returns fault.Exists if the user has one of
	// the same prefix already.
	AddToken(ctx context.Context, t Token) error

	// DeleteToken removes a token and says whose it was. It returns
	// fault.NotFound if there is none.
	DeleteToken(ctx context.Context, hash [sha256.Size]byte) (Deleted, error)

	// TokensOf lists a person's tokens that expire after now, oldest first.
	// TokenOf finds one of them by its whole prefix, or by its hash where
	// prefix is empty; it returns fault.NotFound if the person has none such.
	TokensOf(ctx context.Context, userID string, now time.Time) ([]Token, error)
	TokenOf(ctx context.Context, userID, prefix string, hash [sha256.Size]byte) (Token, error)

	// CountTokens counts a person's tokens of a kind that expire after now.
	// With the user locked, no other transaction adds one meanwhile.
	CountTokens(ctx context.Context, userID string, kind Kind, now time.Time) (int, error)
	LockUser(ctx context.Context, userID string) error

	// DescribeToken changes what a person calls a token.
	DescribeToken(ctx context.Context, hash [sha256.Size]byte, description string) error

	// ExpireTokens removes all tokens of a person, and lets none count that
	// was made before now. It says how many there were.
	ExpireTokens(ctx context.Context, userID string, now time.Time) (int, error)

	// NoteUses writes down uses of tokens, and until when they last by that.
	// Tokens that are gone are left out.
	NoteUses(ctx context.Context, uses []Used) error
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
	Rules    Rules // nil: whoever may come in may make tokens
	Uses     *Uses // nil: what the store says is all
}

// A Grant is what a login earned.
type Grant struct {
	UserID    string
	Method    Method
	TwoFactor bool
	Device    bool          // it is for a program, by a code typed in on another device
	Context   string        // AuthnContextClassRef that the identity provider asserted; empty: none
	LoggedIn  time.Time     // when the person proved who they are to us
	Lifetime  time.Duration // 0: as long as sessions last
	Extend    bool          // it lasts that long from each use on
	Ends      time.Time     // never later than this; zero: no such bound
	IdP       Principal     // what the identity provider calls it
	UserAgent string
	IP        netip.Addr

	// Description is what the program calls itself that it is for; empty: it
	// is for a browser.
	Description string
}

// Issue makes a session token. The text is given once and never again.
func (s *Tokens) Issue(ctx context.Context, g Grant) (text string, t Token, err error) {
	now := s.Now().Truncate(time.Microsecond) // as it is kept
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
		UserID: g.UserID, Kind: SessionToken, Method: g.Method, TwoFactor: g.TwoFactor, Device: g.Device, Context: g.Context,
		LoggedIn: g.LoggedIn, CreatedAt: now, ExpiresAt: expires,
		MaxAge: lifetime.Truncate(time.Second), ExtendWhenUsed: g.Extend, EndsAt: g.Ends,
		Description: g.Description, UserAgent: clip(g.UserAgent, mostAgent), IP: g.IP, IdP: g.IdP,
	}
	text, err = s.add(ctx, &t)
	return text, t, err
}

// add gives a token its text, and keeps it.
func (s *Tokens) add(ctx context.Context, t *Token) (text string, err error) {
	// A prefix is short enough to be taken: try again, do not fail a login.
	for range 3 {
		text = newText(t.Kind)
		t.Hash, t.Prefix = sha256.Sum256([]byte(text)), text[:prefixLength]
		if err = s.Store.AddToken(ctx, *t); !errors.Is(err, fault.Exists) {
			break
		}
	}
	if err != nil {
		return "", fmt.Errorf("add token: %w", err)
	}
	return text, nil
}

// mostAgent bounds what is kept of a program's name for itself, in bytes.
const mostAgent = 256

// ErrNotValid is the one answer to every token that does not count, so that it
// tells nobody why.
func ErrNotValid() *fault.Error {
	return fault.Unauthenticated.Errorf("The token is not valid, or not any more. Log in again.").Coded("authentication_failed")
}

// Hash gives what a token is stored under, if a text could be one at all.
func Hash(text string) (hash [sha256.Size]byte, ok bool) {
	if !wellFormed(text) {
		return hash, false
	}
	return sha256.Sum256([]byte(text)), true
}

// Refusal says, for the log, why b does not count at the moment now, or
// nothing. A token does not count once it expired, its person was deactivated
// or expired all tokens, its login method was disabled or deleted, or the
// person's link to it was cut.
func (b *Bearer) Refusal(now time.Time) string {
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
	if len(text) != textLength {
		return false
	}
	switch text[:4] {
	case "gts_", "gtp_", "gta_":
	default:
		return false
	}
	body := text[:len(text)-checksumLength]
	return text[len(body):] == checksum(body)
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
