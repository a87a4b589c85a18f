// Package gate decides who may come in: once, for every request, before its
// body is read.
//
// It asks, in this order: who is it (a token), where do they want to go (an
// organization, by its id or by an account's), does that organization's policy
// admit them, and may they do there what the operation needs. Nothing behind
// the gate asks again. An organization that somebody does not belong to does
// not exist for them.
//
// What it learns from storage, in one query, it remembers for a moment; see
// [Cache].
package gate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/policy"
	"gatehouse/session"
)

// Store is what Gate needs of storage.
type Store interface {
	// Pass gives a token with its person and, where a place is asked for, what
	// decides whether they may enter it, in one query. It returns
	// fault.NotFound if there is no such token.
	Pass(ctx context.Context, hash [sha256.Size]byte, where Where) (Pass, error)

	// Places gives all organizations of a person, oldest first, with what
	// decides whether these let them in.
	Places(ctx context.Context, userID string) ([]Belonging, error)
}

// Where is a place as a request names it: by an organization, by an account,
// or not at all.
type Where struct {
	OrganizationID string
	AccountID      string
}

// A Pass is a token together with what decides whether it opens a place.
type Pass struct {
	session.Bearer
	Place   policy.Place // zero if there is none such, or the person does not belong there
	Account account.Account
	Member  account.Member
}

// A Belonging is an organization of somebody.
type Belonging struct {
	policy.Place
	Member  account.Member
	Managed bool // the organization manages the person
}

// A Gate admits visitors.
type Gate struct {
	Store     Store
	Limits    limit.Limiter     // nil: nothing is counted
	Cache     *Cache            // nil: everything is asked of the store
	Uses      *session.Uses     // nil: uses of tokens are not noted
	Sightings *policy.Sightings // nil: nor are refusals that are only reported
	Now       func() time.Time

	// Beyond is the turn of tokens from addresses that tried too many unknown
	// ones. The zero value is one at a time.
	Beyond limit.Slots
}

// unknownTokens bounds how many tokens that nobody has, or not any more, may be
// tried from one address. It is wide: the forgotten programs of an office, all
// behind one address, must not shut out those who work there.
var unknownTokens = limit.Rule{Name: "unknown token from address", Burst: 300, Every: 200 * time.Millisecond}

// A Request is what somebody brings, and what they ask for.
type Request struct {
	Token   string     // the whole token, from a header or a cookie; may be empty
	IP      netip.Addr // zero if it is not known
	Agent   string     // the browser's or program's name for itself
	Browser bool       // the token came as the console's cookie

	Need           account.Permission // what the operation needs
	OrganizationID string             // where it happens; empty if nowhere
	AccountID      string             // or there, by an account; empty if nowhere
}

// A Visit is somebody who was let in. What the operation did not ask about is
// zero.
type Visit struct {
	account.Actor
	Bearer       session.Bearer
	Browser      bool         // the token came as the console's cookie
	Entry        policy.Entry // as the organization's policy saw it
	Organization account.Organization
	Account      account.Account
	Member       account.Member
}

// LoggedIn reports whether the visitor is a person at all.
func (v Visit) LoggedIn() bool { return v.User.ID != "" }

// Holder is the visitor, with the token that they came with.
func (v Visit) Holder() session.Holder {
	return session.Holder{Actor: v.Actor, Token: v.Bearer.Token}
}

// By is the visitor, as a policy is changed by them.
func (v Visit) By() policy.By {
	return policy.By{Actor: v.Actor, Entry: v.Entry, LoggedIn: v.Bearer.LoggedIn}
}

// Admit lets a visitor in, or returns fault.Unauthenticated, fault.NotFound
// for a place that is not there for this visitor, fault.Denied, or
// fault.TooMany where many unknown tokens came from this address. Operations
// that need account.Anyone are open: a bad token is then no hindrance, and
// nobody is looked up.
func (g *Gate) Admit(ctx context.Context, r Request) (Visit, error) {
	v := Visit{Actor: account.Actor{IP: r.IP, UserAgent: r.Agent}, Browser: r.Browser}
	if r.Need == account.Anyone {
		return v, nil
	}
	if r.Token == "" {
		return Visit{}, fault.Unauthenticated.Errorf("Log in first: the request carries no token.").Coded("authentication_failed")
	}
	now := g.Now()
	pass, err := g.pass(ctx, r, now)
	if err != nil {
		return Visit{}, err
	}
	if r.Browser && pass.Kind != session.SessionToken {
		// Only logins make cookies: whoever puts another token there gets
		// nothing that the console has and the token's scopes have not.
		return Visit{}, session.ErrNotValid().Because(errors.New("a " + string(pass.Kind) + " token came as a cookie"))
	}
	v.User, v.Bearer = pass.User, pass.Bearer
	if !pass.InRanges(r.IP) {
		return Visit{}, errOutsideToken(r.IP)
	}
	switch r.Need.Level() {
	case account.OfSelf:
		err = g.self(&v, r.Need)
	case account.OfOperators:
		err = g.operate(&v)
	default:
		err = g.enter(r, pass, &v, now)
	}
	if err == nil {
		err = scoped(pass.Scopes, r.Need)
	}
	if err != nil {
		return Visit{}, err
	}
	g.Uses.Note(&pass.Token, r.IP, r.Agent, now)
	return v, nil
}

func errOutsideToken(ip netip.Addr) error {
	from := "an address that is not known"
	if ip.IsValid() {
		from = ip.Unmap().String()
	}
	return fault.Denied.Errorf("This token does not count from %s: it was made for other addresses alone.", from).Coded("api_client_ip_allowlist_blocks_caller")
}

func scoped(s session.Scopes, need account.Permission) error {
	if s.Allow(need) {
		return nil
	}
	in := need.Scope()
	missing := "all"
	if in.Area != "" {
		missing = in.Area + ":read"
		if in.Write {
			missing = in.Area + ":write"
		}
	}
	return fault.Denied.Errorf("This token is narrowed to other scopes. This operation takes %s.", missing).Coded("token_scope_insufficient")
}

// pass finds what a request's token is worth, in the cache or in the store.
func (g *Gate) pass(ctx context.Context, r Request, now time.Time) (*Pass, error) {
	hash, could := session.Hash(r.Token)
	if !could {
		return nil, session.ErrNotValid()
	}
	where := whereOf(r)
	if cached := g.Cache.get(hash, where); cached != nil {
		switch why := g.refusal(cached, now); {
		case why == "":
			return cached, nil
		case !g.mayHaveChanged(cached):
			return nil, session.ErrNotValid().Because(errors.New(why))
		}
	}
	pass, err := g.read(ctx, r, hash, where)
	if err != nil {
		return nil, err
	}
	if why := g.refusal(pass, now); why != "" {
		return nil, session.ErrNotValid().Because(errors.New(why))
	}
	return pass, nil
}

// whereOf is the place that a request names. What cannot be one is no place:
// it is not looked up anywhere.
func whereOf(r Request) Where {
	for _, id := range []string{r.OrganizationID, r.AccountID} {
		if len(id) > mostID || strings.ContainsFunc(id, func(c rune) bool { return c < '!' || c > '~' }) {
			return Where{}
		}
	}
	return Where{r.OrganizationID, r.AccountID}
}

// mostID is how long an id can be.
const mostID = 36

// refusal says why a token does not count, or nothing. It brings the token up
// to its latest use first, on a copy: a cached pass is everybody's.
func (g *Gate) refusal(p *Pass, now time.Time) string {
	if why := p.Refusal(now); why == "" || !p.ExtendWhenUsed || g.Uses == nil {
		return why
	}
	extended := p.Bearer
	g.Uses.Overlay(&extended.Token)
	return extended.Refusal(now)
}

// mayHaveChanged says whether a refusal may be over although nothing told the
// cache: another node may have been used to extend the token.
func (g *Gate) mayHaveChanged(p *Pass) bool { return p.ExtendWhenUsed }

// read asks the store. Tokens that nobody has are counted, and beyond the limit
// those of that address are looked up one after the other.
func (g *Gate) read(ctx context.Context, r Request, hash [sha256.Size]byte, where Where) (*Pass, error) {
	// The same one again is no guess, and costs nothing: a forgotten program
	// does not use up what its whole office has.
	if g.Cache.unknown(hash) {
		return nil, errUnknown()
	}
	address := limit.Address(r.IP)
	var limited error
	if g.Limits != nil {
		limited = g.Limits.Check(ctx, unknownTokens, address)
	}
	if limited != nil {
		// A stranger behind the same address must not turn away whoever has a
		// token that counts: these are looked up still, one after the other.
		leave, err := g.Beyond.Enter(ctx)
		if err != nil {
			return nil, limited
		}
		defer leave()
	}
	began := g.Cache.begin()
	pass, err := g.ask(ctx, hash, where)
	if errors.Is(err, fault.NotFound) {
		g.Cache.putUnknown(hash)
		if limited != nil {
			return nil, limited
		}
		return nil, g.count(ctx, address)
	}
	if err != nil {
		return nil, fmt.Errorf("find token: %w", err)
	}
	g.Cache.put(hash, where, &pass, began)
	return &pass, nil
}

// count counts a token that nobody has.
func (g *Gate) count(ctx context.Context, address string) error {
	if g.Limits != nil {
		if err := g.Limits.Take(ctx, unknownTokens, address); err != nil {
			return err
		}
	}
	return errUnknown()
}

func errUnknown() error { return session.ErrNotValid().Because(errors.New("no such token")) }

// ask asks the store, and waits for a moment only: whoever comes in is not to
// hang while the database is away.
func (g *Gate) ask(ctx context.Context, hash [sha256.Size]byte, where Where) (Pass, error) {
	patience := patience
	if g.Cache.away() {
		patience = patienceAway
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pass, err := g.Store.Pass(bounded, hash, where)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return Pass{}, fault.Unavailable.Errorf("The database does not answer. Try again in a moment.").Because(err)
	}
	return pass, err
}

// How long the database may take to say what a token is worth: usually a
// millisecond, and longer where it is busy.
const (
	patience     = 2 * time.Second
	patienceAway = 500 * time.Millisecond // when it is known not to answer
)

// self refuses what a recovery is not for: it opens one organization, and
// changes nothing of what is the person's own.
func (g *Gate) self(v *Visit, need account.Permission) error {
	if v.Bearer.Method.Kind == session.Recovery && need.Scope().Write {
		return fault.Denied.Errorf("You logged in by a recovery link, which is for one organization alone. Log in by a way of your own to do this.").Coded("recovery_elsewhere")
	}
	return nil
}

// operate lets operators in. A recovery is for one organization, and opens
// nothing else, whoever it logged in.
func (g *Gate) operate(v *Visit) error {
	if !v.User.Operator || v.Bearer.Method.Kind == session.Recovery {
		return fault.Denied.Errorf("Only the operators of this server may do this.").Coded("user_not_operator")
	}
	return nil
}

// enter lets a visitor into a place. Whoever is not a member learns nothing,
// not even that the place exists.
func (g *Gate) enter(r Request, pass *Pass, v *Visit, now time.Time) error {
	o := &pass.Place.Organization
	if r.OrganizationID != "" && r.AccountID != "" && o.ID != r.OrganizationID {
		return fault.NotFound.Errorf("There is no account %s in organization %s, or you do not belong there.", r.AccountID, r.OrganizationID).Coded("account_not_found")
	}
	if o.ID == "" && r.AccountID != "" {
		return fault.NotFound.Errorf("There is no account %s, or you do not belong to its organization.", r.AccountID).Coded("account_not_found")
	}
	if o.ID == "" {
		return fault.NotFound.Errorf("There is no organization %s, or you do not belong to it.", r.OrganizationID).Coded("organization_not_found")
	}
	if o.Suspended {
		return errSuspended(o)
	}
	if !v.Bearer.Method.Opens(o.ID) {
		return fault.Denied.Errorf("You logged in by a recovery link, which opens the organization that it was made for and no other.").Coded("recovery_elsewhere")
	}
	v.Entry = entryOf(&pass.Bearer, o.ID, r, now)
	reported, err := pass.Place.Check(v.Entry)
	if err != nil {
		return err
	}
	g.Sightings.Note(o.ID, v.User.ID, v.Entry.Kind, reported, now)
	if !pass.Member.Grants(r.Need) {
		return fault.Denied.Errorf("Only a super admin of %s may do this.", o.Name).Coded("user_not_organization_admin")
	}
	v.Member, v.Organization, v.Account = pass.Member, *o, pass.Account
	return nil
}

func errSuspended(o *account.Organization) error {
	return fault.Denied.Errorf("The organization %s is suspended. Ask the operator of this server.", o.Name).Coded("organization_suspended")
}
