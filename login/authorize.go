package login

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/session"
)

// An Authorization is what a program asks of a browser: that a code be handed
// to it at a loopback address (RFC 8252, 7.3), bound to a secret that the
// program alone knows (RFC 7636).
type Authorization struct {
	Program     string // what it calls itself
	RedirectURI string // http://127.0.0.1:PORT/callback, or with [::1]
	State       string // handed back as it is
	Challenge   string // the SHA-256 of the program's secret, in base64url
}

// A LoginCode is an approved login that its program has yet to take.
type LoginCode struct {
	Approval
	Program     string
	Challenge   string
	RedirectURI string
	ExpiresAt   time.Time
}

const (
	codeLifetime = time.Minute
	codeLength   = 43 // characters of base 62: 256 bits
	mostState    = 128
)

// NewAuthorization reads the parameters of a program's request. It returns
// fault.Invalid at the one that is wrong; nothing is sent to an address that is
// not known to be a loopback one.
func NewAuthorization(q url.Values) (Authorization, error) {
	a := Authorization{RedirectURI: q.Get("redirect_uri"), State: q.Get("state"), Challenge: q.Get("code_challenge")}
	var err error
	if a.Program, err = programName(q.Get("client_name")); err != nil {
		return Authorization{}, err
	}
	if !isLoopback(a.RedirectURI) {
		return Authorization{}, fault.Invalid.Errorf("This has to be http://127.0.0.1:PORT/callback or http://[::1]:PORT/callback, of a program on this machine. Nothing was sent there.").At("redirect_uri")
	}
	if a.State == "" || len(a.State) > mostState || strings.ContainsFunc(a.State, func(r rune) bool { return !isUnreserved(r) }) {
		return Authorization{}, fault.Invalid.Errorf("This has to be 1 to %d letters, digits and -._~.", mostState).At("state")
	}
	if q.Get("code_challenge_method") != "S256" {
		return Authorization{}, fault.Invalid.Errorf("This has to be S256.").At("code_challenge_method")
	}
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(a.Challenge); err != nil || len(raw) != sha256.Size {
		return Authorization{}, fault.Invalid.Errorf("This has to be a SHA-256 in base64url: 43 characters.").At("code_challenge")
	}
	return a, nil
}

// isLoopback reports whether a text is the address of a program on the machine
// of the browser: letter for letter, so that nobody who reads it otherwise is
// led elsewhere. Names are none: what localhost means, others may decide (RFC
// 8252, 8.3).
func isLoopback(text string) bool {
	for _, lead := range []string{"http://127.0.0.1:", "http://[::1]:"} {
		rest, found := strings.CutPrefix(text, lead)
		port, isCallback := strings.CutSuffix(rest, "/callback")
		if !found || !isCallback {
			continue
		}
		n, err := strconv.ParseUint(port, 10, 16)
		return err == nil && n > 0 && strconv.FormatUint(n, 10) == port
	}
	return false
}

// isUnreserved is RFC 3986, 2.3.
func isUnreserved(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~", r)
}

// Origin is where the program listens.
func (a Authorization) Origin() string { return strings.TrimSuffix(a.RedirectURI, "/callback") }

// Approved is where the browser goes with a code, and Refused without one.
func (a Authorization) Approved(code string) string {
	return a.RedirectURI + "?" + url.Values{"code": {code}, "state": {a.State}}.Encode()
}

// Refused tells the program that the person said no (RFC 6749, 4.1.2.1).
func (a Authorization) Refused() string {
	return a.RedirectURI + "?" + url.Values{"error": {"access_denied"}, "state": {a.State}}.Encode()
}

// Values are the parameters that NewAuthorization reads.
func (a Authorization) Values() url.Values {
	return url.Values{
		"redirect_uri": {a.RedirectURI}, "state": {a.State}, "code_challenge": {a.Challenge},
		"code_challenge_method": {"S256"}, "client_name": {a.Program},
	}
}

// Authorize gives a code that is good once, for a minute, for whoever knows the
// secret of the program. It returns fault.Denied where the session may log no
// programs in, or the organization that manages the person refuses it.
func (l *Login) Authorize(ctx context.Context, a Authorization, by session.Bearer, c Client) (code string, err error) {
	if err := mayApprove(by); err != nil {
		return "", err
	}
	if err := l.Limits.Take(ctx, approvalsByPerson, by.User.ID); err != nil {
		return "", err
	}
	if err := l.from(ctx, by, false, c.IP); err != nil {
		return "", err
	}
	code = ident.Secret(codeLength)
	err = l.Store.Tx(ctx, func(ctx context.Context) error {
		err := l.Store.AddLoginCode(ctx, sha256.Sum256([]byte(code)), LoginCode{
			Approval: Approval{UserID: by.User.ID, Session: by.Hash, BrowserIP: c.IP},
			Program:  a.Program, Challenge: a.Challenge, RedirectURI: a.RedirectURI, ExpiresAt: l.Now().Add(codeLifetime),
		})
		if err != nil {
			return err
		}
		return l.recordAnswer(ctx, true, by, byLoopback, a.Program, netip.Addr{}, c)
	})
	if err != nil {
		return "", fmt.Errorf("keep login code: %w", err)
	}
	return code, nil
}

// Refuse notes that somebody let a program on their machine not log in; there
// is nothing else to do about it. It returns fault.TooMany.
func (l *Login) Refuse(ctx context.Context, a Authorization, by session.Bearer, c Client) error {
	if err := l.Limits.Take(ctx, approvalsByPerson, by.User.ID); err != nil {
		return err
	}
	if err := l.recordAnswer(ctx, false, by, byLoopback, a.Program, netip.Addr{}, c); err != nil {
		return fmt.Errorf("refuse program: %w", err)
	}
	return nil
}

// RedeemCode gives a program its session token for a code. A code that was
// shown once is used up, whatever came of it. It returns fault.Invalid with
// code invalid_grant where code, secret and address do not belong together,
// fault.Denied where the session that approved it is over or a policy refuses,
// and fault.TooMany.
func (l *Login) RedeemCode(ctx context.Context, code, verifier, redirectURI string, c Client) (out Redeemed, err error) {
	err = l.guess(ctx, grantsByAddress, c, func() error {
		kept, err := l.Store.TakeLoginCode(ctx, sha256.Sum256([]byte(code)), l.Now())
		if errors.Is(err, fault.NotFound) {
			return fault.Invalid.Errorf("This code is not one, was used, or is older than a minute. Log in again.").At("code").Coded("invalid_grant")
		}
		if err != nil {
			return fmt.Errorf("take login code: %w", err)
		}
		sum := sha256.Sum256([]byte(verifier))
		if subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(kept.Challenge)) != 1 {
			return fault.Invalid.Errorf("This is not the secret that the login began with. The code is used up: log in again.").At("code_verifier").Coded("invalid_grant")
		}
		if redirectURI != kept.RedirectURI {
			return fault.Invalid.Errorf("This is not the address that the login began with. The code is used up: log in again.").At("redirect_uri").Coded("invalid_grant")
		}
		out, err = l.issue(ctx, kept.Approval, byLoopback, kept.Program, c)
		return err
	}, "invalid_grant")
	return out, err
}
