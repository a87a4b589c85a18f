// Package gate decides who may come in: once, for every request, before its
// body is read.
//
// It asks, in this order: who is it (a token), where do they want to go (an
// organization, by its id or by an account's), and may they do there what the
// operation needs. Nothing behind the gate asks again. An organization that
// somebody does not belong to does not exist for them.
package gate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/session"
)

// Store is what Gate needs of storage.
type Store interface {
	// Organization and Account return fault.NotFound if there is none.
	Organization(ctx context.Context, id string) (account.Organization, error)
	Account(ctx context.Context, id string) (account.Account, error)

	// Member returns fault.NotFound if the user is not a member.
	Member(ctx context.Context, organizationID, userID string) (account.Member, error)
}

// A Gate admits visitors.
type Gate struct {
	Store  Store
	Tokens *session.Tokens
	Limits limit.Limiter // nil: nothing is counted
}

// unknownTokens bounds how many tokens that nobody has, or not any more, may be
// tried from one address. It is wide: the forgotten programs of an office, all
// behind one address, must not shut out those who work there.
var unknownTokens = limit.Rule{Name: "unknown token from address", Burst: 300, Every: 200 * time.Millisecond}

// A Request is what somebody brings, and what they ask for.
type Request struct {
	Token string     // the whole token, from a header or a cookie; may be empty
	IP    netip.Addr // zero if it is not known
	Agent string     // the browser's or program's name for itself; for the log alone

	Need           account.Permission // what the operation needs
	OrganizationID string             // where it happens; empty if nowhere
	AccountID      string             // or there, by an account; empty if nowhere
}

// A Visit is somebody who was let in. What the operation did not ask about is
// zero.
type Visit struct {
	account.Actor
	Token        session.Token
	Organization account.Organization
	Account      account.Account
	Member       account.Member
}

// LoggedIn reports whether the visitor is a person at all.
func (v Visit) LoggedIn() bool { return v.User.ID != "" }

// Admit lets a visitor in, or returns fault.Unauthenticated, fault.NotFound
// for a place that is not there for this visitor, fault.Denied, or
// fault.TooMany where many unknown tokens came from this address. Operations
// that need account.Anyone are open: a bad token is then no hindrance, and
// nobody is looked up.
func (g *Gate) Admit(ctx context.Context, r Request) (Visit, error) {
	v := Visit{Actor: account.Actor{IP: r.IP, UserAgent: r.Agent}}
	if r.Need == account.Anyone {
		return v, nil
	}
	if r.Token == "" {
		return Visit{}, fault.Unauthenticated.Errorf("Log in first: the request carries no token.").Coded("authentication_failed")
	}
	bearer, err := g.bearer(ctx, r)
	if err != nil {
		return Visit{}, err
	}
	v.User, v.Token = bearer.User, bearer.Token
	switch r.Need.Level() {
	case account.OfSelf:
		return v, g.self(v, r.Need)
	case account.OfOperators:
		return g.operate(v)
	}
	if err := g.enter(ctx, r, &v); err != nil {
		return Visit{}, err
	}
	if !v.Member.Grants(r.Need) {
		return Visit{}, fault.Denied.Errorf("Only a super admin of %s may do this.", v.Organization.Name).Coded("user_not_organization_admin")
	}
	return v, nil
}

// bearer gives who holds the token of a request. Tokens that nobody has are
// counted, and beyond the limit none from that address is looked up.
func (g *Gate) bearer(ctx context.Context, r Request) (session.Bearer, error) {
	if g.Limits == nil {
		return g.Tokens.Verify(ctx, r.Token)
	}
	address := limit.Address(r.IP)
	if err := g.Limits.Check(ctx, unknownTokens, address); err != nil {
		return session.Bearer{}, err
	}
	b, err := g.Tokens.Verify(ctx, r.Token)
	if errors.Is(err, session.ErrUnknown) {
		if limited := g.Limits.Take(ctx, unknownTokens, address); limited != nil {
			return session.Bearer{}, limited
		}
	}
	return b, err
}

// self refuses what a recovery is not for: it opens one organization, and
// changes nothing of what is the person's own.
func (g *Gate) self(v Visit, need account.Permission) error {
	if v.Token.Method.Kind == session.Recovery && need.Scope().Write {
		return fault.Denied.Errorf("You logged in by a recovery link, which is for one organization alone. Log in by a way of your own to do this.").Coded("recovery_elsewhere")
	}
	return nil
}

// operate lets operators in. A recovery is for one organization, and opens
// nothing else, whoever it logged in.
func (g *Gate) operate(v Visit) (Visit, error) {
	if !v.User.Operator || v.Token.Method.Kind == session.Recovery {
		return Visit{}, fault.Denied.Errorf("Only the operators of this server may do this.").Coded("user_not_operator")
	}
	return v, nil
}

// enter finds the place and the visitor's membership there. Whoever is not a
// member learns nothing, not even that the place exists.
func (g *Gate) enter(ctx context.Context, r Request, v *Visit) error {
	id := r.OrganizationID
	gone := fault.NotFound.Errorf("There is no organization %s, or you do not belong to it.", id).Coded("organization_not_found")
	if r.AccountID != "" {
		gone = fault.NotFound.Errorf("There is no account %s, or you do not belong to its organization.", r.AccountID).Coded("account_not_found")
		a, err := g.Store.Account(ctx, r.AccountID)
		if errors.Is(err, fault.NotFound) {
			return gone
		}
		if err != nil {
			return fmt.Errorf("find account: %w", err)
		}
		v.Account, id = a, a.OrganizationID
	}
	m, err := g.Store.Member(ctx, id, v.User.ID)
	if errors.Is(err, fault.NotFound) {
		return gone
	}
	if err != nil {
		return fmt.Errorf("find member: %w", err)
	}
	o, err := g.Store.Organization(ctx, id)
	if err != nil {
		return fmt.Errorf("find organization: %w", err)
	}
	if o.Suspended {
		return fault.Denied.Errorf("The organization %s is suspended. Ask the operator of this server.", o.Name).Coded("organization_suspended")
	}
	if !v.Token.Method.Opens(o.ID) {
		return fault.Denied.Errorf("You logged in by a recovery link, which opens the organization that it was made for and no other.").Coded("recovery_elsewhere")
	}
	v.Member, v.Organization = m, o
	return nil
}
