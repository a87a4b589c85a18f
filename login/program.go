package login

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/mail"
	"gatehouse/session"
)

// A program is logged in by a session in a browser, whose owner approves it. It
// gets a session token of its own, which goes back to the same login: to its
// method, its second factor and its time, and never lasts longer than these
// admit. There are two ways: the browser hands a code to a program on the same
// machine (authorize.go), or the person types a code that the program shows
// (device.go).

// ProgramStore is what logins of programs need of storage.
type ProgramStore interface {
	// Bearer gives a token with what decides whether it still counts. It
	// returns fault.NotFound if there is none.
	Bearer(ctx context.Context, hash [sha256.Size]byte) (session.Bearer, error)

	// AddLoginCode keeps a code until it ends. TakeLoginCode gives it to one
	// caller ever, if it ends after now; else fault.NotFound.
	AddLoginCode(ctx context.Context, hash [sha256.Size]byte, c LoginCode) error
	TakeLoginCode(ctx context.Context, hash [sha256.Size]byte, now time.Time) (LoginCode, error)

	// AddDevice keeps a program that waits. It returns fault.Exists if its
	// user code is another one's at the moment.
	AddDevice(ctx context.Context, d Device) error

	// DeviceByUserCode finds one that waits for an answer and ends after now,
	// DeviceByHash any; both return fault.NotFound if there is none.
	DeviceByUserCode(ctx context.Context, userCode [sha256.Size]byte, now time.Time) (Device, error)
	DeviceByHash(ctx context.Context, hash [sha256.Size]byte) (Device, error)

	// AnswerDevice notes the state, and the approval, of one that waits for an
	// answer and ends after now. Only one caller succeeds; the others get
	// fault.NotFound.
	AnswerDevice(ctx context.Context, userCode [sha256.Size]byte, state DeviceState, a Approval, now time.Time) error

	// PaceDevice notes when the program may ask next.
	PaceDevice(ctx context.Context, hash [sha256.Size]byte, due time.Time, pause time.Duration) error

	// TakeDevice gives an approved one to one caller ever, if it ends after
	// now; else fault.NotFound.
	TakeDevice(ctx context.Context, hash [sha256.Size]byte, now time.Time) (Device, error)
}

// An Approval is who approved a program's login.
type Approval struct {
	UserID    string
	Session   [sha256.Size]byte // the hash of the token that approved it
	BrowserIP netip.Addr        // zero if it is not known
}

// mostProgram bounds what a program calls itself, in characters.
const mostProgram = 60

// programName checks what a program calls itself. It is the program's word
// alone, and pages say so.
func programName(text string) (string, error) {
	name, err := account.CleanText(text, "client_name", mostProgram)
	if err == nil && name == "" {
		err = fault.Invalid.Errorf("Say what the program is called.").At("client_name")
	}
	return name, err
}

// A Redeemed is what a program earned.
type Redeemed struct {
	User account.User
	Text string // the session token, whole; given once
}

// waysIn are the words of the audit log for how a program was logged in.
const (
	byLoopback = "loopback"
	byDevice   = "device"
)

// mayApprove says whether a session may log programs in. Tokens that were made
// for programs may not, nor may a session by a typed code, nor a recovery: it is
// for one organization alone.
func mayApprove(by session.Bearer) error {
	if by.Kind != session.SessionToken || by.Device {
		return fault.Denied.Errorf("A program is logged in by a person who is logged in, and not with a token.").Coded("login_required")
	}
	if by.Method.Kind == session.Recovery {
		return fault.Denied.Errorf("You logged in by a recovery link, which logs no programs in. Log in by a way of your own.").Coded("recovery_elsewhere")
	}
	return nil
}

// from asks the policy of the organization that manages a person whether a
// login like theirs is admitted for a program, from each of some addresses.
func (l *Login) from(ctx context.Context, b session.Bearer, device bool, ips ...netip.Addr) error {
	g := session.Grant{Method: b.Method, TwoFactor: b.TwoFactor, Context: b.Context, Device: device || b.Device}
	for _, ip := range ips {
		g.IP = ip
		if err := l.admitted(ctx, b.User, g, b.MethodOrganizationID); err != nil {
			return err
		}
	}
	return nil
}

// issue logs a program in, if the session that approved it still counts.
func (l *Login) issue(ctx context.Context, a Approval, way, program string, c Client) (out Redeemed, err error) {
	err = l.Store.Tx(ctx, func(ctx context.Context) error {
		// Whoever ends the person's tokens meanwhile waits, or was first.
		if err := l.Store.LockUser(ctx, a.UserID); err != nil {
			return err
		}
		b, err := l.approver(ctx, a)
		if err != nil {
			return err
		}
		if err := l.from(ctx, b, way == byDevice, a.BrowserIP, c.IP); err != nil {
			return err
		}
		g, err := l.inherit(ctx, b, c)
		if err != nil {
			return err
		}
		g.Device, g.Description = g.Device || way == byDevice, program
		var t session.Token
		if out.Text, t, err = l.Tokens.Issue(ctx, g); err != nil {
			return err
		}
		out.User = b.User
		details := audit.Details{"program": program, "way": way, "browser_ip": addressText(a.BrowserIP), "program_ip": addressText(c.IP)}
		if way == byDevice {
			unsent, err := l.tellDevice(ctx, b.User, program, a, c)
			if err != nil {
				return err
			}
			if unsent {
				details["notice"] = "not_sent"
			}
		}
		return l.recordProgram(ctx, b, t, c, details)
	})
	if err != nil {
		return Redeemed{}, fmt.Errorf("log program in: %w", err)
	}
	return out, nil
}

// approver gives the session that approved a login, if it still counts.
func (l *Login) approver(ctx context.Context, a Approval) (session.Bearer, error) {
	b, err := l.Store.Bearer(ctx, a.Session)
	if errors.Is(err, fault.NotFound) {
		return session.Bearer{}, errApproverOver(errors.New("its session is gone"))
	}
	if err != nil {
		return session.Bearer{}, err
	}
	if why := b.Refusal(l.Now()); why != "" {
		return session.Bearer{}, errApproverOver(errors.New(why))
	}
	return b, mayApprove(b)
}

func errApproverOver(why error) error {
	return fault.Denied.Errorf("The session that approved this login is over by now. Log in again.").Coded("session_ended").Because(why)
}

// inherit gives a program what the session that approved it has, and no more:
// where uses do not extend sessions, the program's ends with the browser's.
func (l *Login) inherit(ctx context.Context, b session.Bearer, c Client) (session.Grant, error) {
	g := session.Grant{
		UserID: b.User.ID, Method: b.Method, TwoFactor: b.TwoFactor, Context: b.Context, Device: b.Device, LoggedIn: b.LoggedIn,
		Ends: b.EndsAt, UserAgent: c.UserAgent, IP: c.IP,
	}
	if b.Method.Kind == session.SAML {
		standing, err := l.standing(ctx, b.Method.ID, "")
		if err != nil {
			return session.Grant{}, err
		}
		g.Lifetime, g.Extend = standing.TokenLifetime, standing.ExtendTokens && b.ExtendWhenUsed
		if g.IdP, _, err = l.principal(ctx, b.Hash); err != nil {
			return session.Grant{}, err
		}
	}
	if g.Extend {
		return g, nil
	}
	bounds := []time.Time{b.ExpiresAt}
	if g.Lifetime > 0 {
		bounds = append(bounds, b.LoggedIn.Add(g.Lifetime))
	}
	for _, end := range bounds {
		if g.Ends.IsZero() || end.Before(g.Ends) {
			g.Ends = end
		}
	}
	return g, nil
}

// recordProgram writes that a program was logged in, in the session's
// transaction.
func (l *Login) recordProgram(ctx context.Context, b session.Bearer, t session.Token, c Client, details audit.Details) error {
	organizationID := b.MethodOrganizationID
	if organizationID == "" {
		organizationID = b.User.ManagingOrganizationID
	}
	details["method"], details["session"] = string(t.Method.Kind), t.Prefix
	if t.Method.Kind == session.SAML {
		details["authentication_method_id"] = t.Method.ID
	}
	return l.Audit.Record(ctx, c.actor(b.User).Did(audit.LoginSuccess, organizationID, b.User.Target(), details))
}

// tellDevice mails a person that a program was logged in by a typed code, as
// tellLinked does of a link.
func (l *Login) tellDevice(ctx context.Context, u account.User, program string, a Approval, c Client) (unsent bool, err error) {
	if l.Mail == nil || !u.AddressProved {
		return false, nil
	}
	message, err := mail.ProgramLoggedIn{
		Host: hostOf(l.Base), Address: u.Email, Program: program, At: l.Now(),
		ProgramIP: addressText(c.IP), BrowserIP: addressText(a.BrowserIP), Tokens: l.Base + "/profile/tokens",
	}.Message()
	if err != nil {
		return false, err
	}
	return l.queue(ctx, message)
}

// addressText writes an address; one that is not known is empty.
func addressText(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.Unmap().String()
}
