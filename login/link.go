package login

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/session"
	"gatehouse/sso"
)

// linkFreshness is how old an own login may be for an account to be linked.
const linkFreshness = 5 * time.Minute

// errLinkLogin asks for a login of one's own.
func errLinkLogin() *fault.Error {
	return fault.Denied.Errorf("Linking an account takes a login of your own that is at most five minutes old. Type your present password, or log in again.").Coded("login_too_old").At("password")
}

// BeginLink starts the linking of the account whose session is open to a
// subject of an identity provider. It is for members of the provider's
// organization, and takes a login of one's own: at most five minutes old, or
// the present password with the request; a session that another organization's
// provider made never counts. The flow is bound to the session.
//
// It returns fault.Denied with code not_a_member, login_too_old, or those of
// Begin and Password.
func (l *Login) BeginLink(ctx context.Context, methodID string, present session.Bearer, password string, b *session.Browser, c Client) (Method, *sso.Request, error) {
	if err := l.Limits.Take(ctx, startsByAddress, limit.Address(c.IP)); err != nil {
		return Method{}, nil, err
	}
	m, err := l.usable(ctx, methodID)
	if err != nil {
		return Method{}, nil, err
	}
	standing, err := l.standing(ctx, m.ID, domainOf(present.User.Email))
	if err != nil {
		return Method{}, nil, err
	}
	if _, err := l.mayLink(ctx, standing, present.User); err != nil {
		return Method{}, nil, err
	}
	if password != "" {
		if _, err := l.Password(ctx, present.User.Email, password, b, c); err != nil {
			return Method{}, nil, err
		}
	} else if err := l.ownLogin(ctx, present); err != nil {
		return Method{}, nil, err
	}
	now := l.Now()
	ticket := sso.NewTicket(sso.ToLink, b.Secret, now)
	copy(ticket.Session[:], present.Hash[:])
	request, err := l.Provider.Request(m.IdP, ticket, now)
	if err != nil {
		return Method{}, nil, fmt.Errorf("make request to %s: %w", m.ID, err)
	}
	b.Remember(ticket.FlowID, "/profile")
	return m, request, nil
}

// mayLink refuses whoever does not belong to the provider's organization, by
// membership or by a proved address that the provider speaks for.
func (l *Login) mayLink(ctx context.Context, standing Standing, u account.User) (member bool, err error) {
	_, err = l.Store.Member(ctx, standing.OrganizationID, u.ID)
	if errors.Is(err, fault.NotFound) {
		if standing.Speaks && u.AddressProved {
			return false, nil
		}
		return false, fault.Denied.Errorf("Only members of the organization can link their accounts to its identity provider. Ask its administrator to add you first.").Coded("not_a_member")
	}
	return err == nil, err
}

// ownLogin refuses a session that does not show, right now, that the person is
// who they are: one that is older, and one that another organization's
// identity provider made.
func (l *Login) ownLogin(ctx context.Context, present session.Bearer) error {
	if l.Now().Sub(present.LoggedIn) > linkFreshness {
		return errLinkLogin()
	}
	if present.Kind != session.SessionToken || present.Device {
		return errLinkLogin() // a token of any age shows nothing, nor does a typed code
	}
	if present.Method.Kind == session.Password {
		return nil
	}
	if present.Method.Kind != session.SAML || present.User.ManagingOrganizationID == "" {
		return errLinkLogin()
	}
	standing, err := l.standing(ctx, present.Method.ID, "")
	if err != nil {
		return err
	}
	if standing.OrganizationID != present.User.ManagingOrganizationID {
		return errLinkLogin()
	}
	return nil
}

// link binds the subject of a flow to the account whose session asked for it:
// in that session and no other, once its person has seen both and said yes.
func (l *Login) link(ctx context.Context, f Flow, in Finish) (Outcome, error) {
	u, err := l.linker(ctx, f, in)
	if err != nil {
		return Outcome{}, err
	}
	standing, err := l.standing(ctx, f.Method.ID, domainOf(u.Email))
	if err != nil {
		return Outcome{}, err
	}
	member, err := l.mayLink(ctx, standing, u)
	if err != nil {
		return Outcome{}, err
	}
	if !member && !isAddress(f.Claim.Email, u.Email) {
		return Outcome{}, fault.Denied.Errorf("The identity provider says that you are %s, and this account has the address %s. Log in to the account of that address, or ask the organization's administrator to add this one.", subjectName(f.Claim), u.Email).Coded("not_a_member")
	}
	holder, err := l.Store.UserByIdentity(ctx, f.Method.ID, f.Claim.SubjectKind, f.Claim.Subject)
	switch {
	case err == nil && holder.ID == u.ID:
		return Outcome{User: u, Linked: true}, nil
	case err == nil:
		return Outcome{}, errLinkedElsewhere()
	case !errors.Is(err, fault.NotFound):
		return Outcome{}, err
	}
	q := Question{Kind: AskLink, MethodID: f.Method.ID, As: subjectName(f.Claim), Subject: f.Claim.Subject, Present: u}
	if in.Yes != q.Key() {
		return Outcome{}, asked{q}
	}
	if err := l.bind(ctx, f, standing, u, in.Client); errors.Is(err, fault.Exists) {
		return Outcome{}, errLinkedElsewhere()
	} else if err != nil {
		return Outcome{}, err
	}
	details := subjectOf(f)
	unsent, err := l.tellLinked(ctx, u, f.Method.ID, in.Client)
	if err != nil {
		return Outcome{}, err
	}
	if unsent {
		details["notice"] = "not_sent"
	}
	return Outcome{User: u, Linked: true}, l.recordSubject(ctx, audit.IdentityLink, u, standing.OrganizationID, in.Client, details)
}

// linker gives the person whose session asked for a link, if it is the one that
// is open in the browser, and still counts.
func (l *Login) linker(ctx context.Context, f Flow, in Finish) (account.User, error) {
	over := fault.Denied.Errorf("The session that asked for this link is not open in this browser any more. Open the account link again.").Coded("link_in_another_session")
	if in.Present.User.ID == "" || subtle.ConstantTimeCompare(f.Session[:], in.Present.Hash[:len(f.Session)]) != 1 {
		return account.User{}, over
	}
	// Whoever takes the account from this person meanwhile waits, or was first.
	if err := l.Store.LockUser(ctx, in.Present.User.ID); err != nil {
		return account.User{}, err
	}
	b, err := l.Store.Bearer(ctx, in.Present.Hash)
	switch {
	case errors.Is(err, fault.NotFound):
		return account.User{}, over.Because(err)
	case err != nil:
		return account.User{}, err
	case b.User.ID != in.Present.User.ID || b.Refusal(l.Now()) != "":
		return account.User{}, over
	}
	return b.User, nil
}

func errLinkedElsewhere() *fault.Error {
	return fault.Denied.Errorf("Another account is linked to this person of the identity provider already. Log in to that account, or ask the organization's administrator.").Coded("identity_linked_elsewhere")
}

// subjectName is how an IdP calls somebody, for people to read.
func subjectName(c Claim) string {
	name := displayName(c, c.Email)
	switch {
	case c.Email != "" && name != "":
		return name + " (" + c.Email + ")"
	case c.Email != "":
		return c.Email
	case name != "":
		return name
	}
	return c.Subject
}
