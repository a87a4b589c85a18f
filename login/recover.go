package login

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/session"
	"gatehouse/sso"
)

// The bounds of a recovery: of its link, and of the session that it yields.
const (
	recoveryLinkLifetime    = 15 * time.Minute
	recoverySessionLifetime = time.Hour
	recoverySecretLength    = 32 // characters of base 62: 190 bits
)

// RecoveryStore is what Recovery needs of storage.
type RecoveryStore interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// Organization, User, UserByEmail and Member return fault.NotFound if
	// there is none.
	Organization(ctx context.Context, id string) (account.Organization, error)
	User(ctx context.Context, id string) (account.User, error)
	UserByEmail(ctx context.Context, email string) (account.User, error)
	Member(ctx context.Context, organizationID, userID string) (account.Member, error)

	LockOrganization(ctx context.Context, id string) error
	AddMember(ctx context.Context, m account.Member) error

	// SetSuperAdmin makes a member a super admin, or no longer one. It returns
	// fault.NotFound if there is no such member.
	SetSuperAdmin(ctx context.Context, organizationID, userID string, is bool) error

	// AddRecoveryLink keeps a link until it ends.
	AddRecoveryLink(ctx context.Context, hash [sha256.Size]byte, r RecoveryLink) error

	// RecoveryLink gives a link that was not used and ends after now, or
	// fault.NotFound.
	RecoveryLink(ctx context.Context, hash [sha256.Size]byte, now time.Time) (RecoveryLink, error)

	// TakeRecoveryLink gives such a link to one caller ever, for a flow, and
	// keeps it until then; else fault.NotFound.
	TakeRecoveryLink(ctx context.Context, hash [sha256.Size]byte, flowID string, now, until time.Time) (RecoveryLink, error)

	// TakenRecoveryLink gives the link that a flow came from, or
	// fault.NotFound.
	TakenRecoveryLink(ctx context.Context, flowID string) (RecoveryLink, error)
}

// A RecoveryLink lets one person into one organization, once.
type RecoveryLink struct {
	OrganizationID string
	UserID         string
	ExpiresAt      time.Time
}

// Recovery lets a super admin back into an organization that nobody can log in
// to any more. Whoever has access to the server makes a link; it is good once,
// for fifteen minutes, and what it yields opens that organization alone, for an
// hour.
type Recovery struct {
	Store RecoveryStore
	Now   func() time.Time
	Audit *audit.Log
}

// A Recoverable is who is to be let in, and where.
type Recoverable struct {
	Organization account.Organization
	User         account.User
	ExpiresAt    time.Time // of the link
}

// MakeLink makes a link that logs a super admin of an organization in to it,
// and gives its secret, which is kept nowhere. grantAdmin makes the person, who
// has an account already, a super admin first. It returns fault.NotFound if
// there is no such organization or person, and fault.Denied if the person may
// not be let in.
func (r *Recovery) MakeLink(ctx context.Context, organizationID, email string, grantAdmin bool) (secret string, to Recoverable, err error) {
	if email, err = account.NormalizeEmail(email); err != nil {
		return "", Recoverable{}, err
	}
	secret = ident.Secret(recoverySecretLength)
	err = r.Store.Tx(ctx, func(ctx context.Context) error {
		if to, err = r.find(ctx, organizationID, email); err != nil {
			return err
		}
		if err := r.admin(ctx, to, grantAdmin); err != nil {
			return err
		}
		to.ExpiresAt = r.Now().Add(recoveryLinkLifetime)
		link := RecoveryLink{OrganizationID: to.Organization.ID, UserID: to.User.ID, ExpiresAt: to.ExpiresAt}
		if err := r.Store.AddRecoveryLink(ctx, sha256.Sum256([]byte(secret)), link); err != nil {
			return err
		}
		return r.Audit.Record(ctx, audit.Event{
			OrganizationID: to.Organization.ID, Actor: audit.Operator(), Action: audit.RecoverLoginLink, Target: to.User.Target(),
			Details: audit.Details{"expires_at": to.ExpiresAt.UTC().Format(time.RFC3339)},
		})
	})
	if err != nil {
		return "", Recoverable{}, fmt.Errorf("make recovery link: %w", err)
	}
	return secret, to, nil
}

// find gives who is to be let in, if that is possible at all.
func (r *Recovery) find(ctx context.Context, organizationID, email string) (to Recoverable, err error) {
	to.Organization, err = r.Store.Organization(ctx, organizationID)
	if errors.Is(err, fault.NotFound) {
		return to, fault.NotFound.Errorf("There is no organization %s.", organizationID)
	}
	if err != nil {
		return to, err
	}
	if to.Organization.Suspended {
		return to, fault.Denied.Errorf("The organization %s is suspended: nobody comes in until it is resumed.", organizationID)
	}
	if err := r.Store.LockOrganization(ctx, organizationID); err != nil {
		return to, err
	}
	to.User, err = r.Store.UserByEmail(ctx, email)
	if errors.Is(err, fault.NotFound) {
		return to, fault.NotFound.Errorf("There is no account with the address %s.", email)
	}
	if err != nil {
		return to, err
	}
	if to.User.State != account.ActiveUser {
		return to, fault.Denied.Errorf("The account %s is %s.", email, to.User.State)
	}
	return to, nil
}

// admin checks that a person is a super admin, or makes them one.
func (r *Recovery) admin(ctx context.Context, to Recoverable, grant bool) error {
	m, err := r.Store.Member(ctx, to.Organization.ID, to.User.ID)
	member := err == nil
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	if m.SuperAdmin {
		return nil
	}
	if !grant {
		return fault.Denied.Errorf("%s is no super admin of %s (%s).", to.User.Email, to.Organization.Name, to.Organization.ID).Coded("not_super_admin")
	}
	if member {
		err = r.Store.SetSuperAdmin(ctx, to.Organization.ID, to.User.ID, true)
	} else {
		err = r.Store.AddMember(ctx, account.Member{OrganizationID: to.Organization.ID, UserID: to.User.ID, SuperAdmin: true, JoinedAt: r.Now()})
	}
	if err != nil {
		return err
	}
	return r.Audit.Record(ctx, audit.Event{
		OrganizationID: to.Organization.ID, Actor: audit.Operator(), Action: audit.RecoverGrantAdmin, Target: to.User.Target(),
	})
}

// errNoLink is the answer to every secret that opens nothing.
func errNoLink() *fault.Error {
	return fault.NotFound.Errorf("This recovery link opens nothing: it was used already, or its fifteen minutes have passed. Whoever made it on the server can make another.").Coded("recovery_link_over")
}

// Look says what a link does, to whoever holds it. It uses nothing up. It
// returns fault.NotFound with code recovery_link_over.
func (r *Recovery) Look(ctx context.Context, secret string) (Recoverable, error) {
	link, err := r.Store.RecoveryLink(ctx, sha256.Sum256([]byte(secret)), r.Now())
	if errors.Is(err, fault.NotFound) {
		return Recoverable{}, errNoLink()
	}
	if err != nil {
		return Recoverable{}, fmt.Errorf("find recovery link: %w", err)
	}
	return r.open(ctx, link)
}

// open asks once more whether a link's person may be let in: much can happen
// in fifteen minutes.
func (r *Recovery) open(ctx context.Context, link RecoveryLink) (to Recoverable, err error) {
	to.ExpiresAt = link.ExpiresAt
	if to.Organization, err = r.Store.Organization(ctx, link.OrganizationID); err != nil {
		return to, err
	}
	if to.User, err = r.Store.User(ctx, link.UserID); err != nil {
		return to, err
	}
	m, err := r.Store.Member(ctx, link.OrganizationID, link.UserID)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return to, err
	}
	if !m.SuperAdmin || to.Organization.Suspended || to.User.State != account.ActiveUser {
		return to, errNoLink()
	}
	return to, nil
}

// LookAtRecovery is Look for a client, whose guesses are counted: it returns
// fault.TooMany too.
func (l *Login) LookAtRecovery(ctx context.Context, secret string, c Client) (to Recoverable, err error) {
	err = l.guess(ctx, recoveriesByAddress, c, func() error {
		to, err = l.Recovery.Look(ctx, secret)
		return err
	}, "recovery_link_over")
	return to, err
}

// AnswerRecovery uses up a link, and keeps a flow for the same browser to
// finish. It returns what Look does, and fault.TooMany.
func (l *Login) AnswerRecovery(ctx context.Context, secret string, b *session.Browser, c Client) (flowID string, err error) {
	err = l.guess(ctx, recoveriesByAddress, c, func() error {
		flowID, err = l.answerRecovery(ctx, secret, b)
		return err
	}, "recovery_link_over")
	return flowID, err
}

func (l *Login) answerRecovery(ctx context.Context, secret string, b *session.Browser) (flowID string, err error) {
	now := l.Now()
	f := Flow{
		ID:         ident.Secret(32),
		Browser:    sso.BrowserHash(b.Secret),
		Method:     session.Method{Kind: session.Recovery},
		Purpose:    sso.ToLogin,
		AnsweredAt: now,
		ExpiresAt:  now.Add(sso.TicketLifetime),
	}
	organizationID := ""
	err = l.Store.Tx(ctx, func(ctx context.Context) error {
		link, err := l.Recovery.Store.TakeRecoveryLink(ctx, sha256.Sum256([]byte(secret)), f.ID, now, f.ExpiresAt)
		if errors.Is(err, fault.NotFound) {
			return errNoLink()
		}
		if err != nil {
			return err
		}
		to, err := l.Recovery.open(ctx, link)
		if err != nil {
			return err
		}
		f.UserID = to.User.ID
		organizationID = to.Organization.ID
		return l.Store.AddFlow(ctx, f)
	})
	if err != nil {
		return "", fmt.Errorf("answer recovery link: %w", err)
	}
	b.Remember(f.ID, "/organization/"+organizationID)
	return f.ID, nil
}

// grant gives what the flow of a link earns: its organization, for an hour.
func (r *Recovery) grant(ctx context.Context, f Flow, g session.Grant) (session.Grant, string, error) {
	link, err := r.Store.TakenRecoveryLink(ctx, f.ID)
	if errors.Is(err, fault.NotFound) {
		return g, "", errNoLink()
	}
	if err != nil {
		return g, "", err
	}
	if _, err := r.open(ctx, link); err != nil {
		return g, "", err
	}
	g.Method.ID, g.Lifetime = link.OrganizationID, recoverySessionLifetime
	return g, link.OrganizationID, nil
}
