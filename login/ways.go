package login

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
)

// PasswordWay is the id of a person's password among their ways to log in. The
// others are identity providers, am….
const PasswordWay = string(session.Password)

// cutFreshness is how old an own login may be for a way to log in to be cut.
const cutFreshness = 10 * time.Minute

// A Way is one way by which a person can log in. Somebody linked to several
// subjects of one identity provider has one Way for each, of one ID: they are
// cut together.
type Way struct {
	ID             string // am…, or PasswordWay
	Kind           session.MethodKind
	Name           string // of the identity provider; empty for a password
	Organization   string // the name of whose it is; empty for a password
	OrganizationID string
	AccountID      string // its root account
	Email          string // as the identity provider last gave it; of a password, the account's
	Subject        string // whom the identity provider says that the person is

	// Usable says that a login by it succeeds: it is enabled, and the
	// organization that manages the person admits it. From which address, and
	// with which second factor there, is not asked.
	Usable  bool
	Current bool // the login behind the session that asks used it

	CreatedAt  time.Time
	LastUsedAt time.Time  // zero: never, as far as is known
	LastIP     netip.Addr // zero if it was not known
}

// A Link is an identity of a person, with whose it is.
type Link struct {
	account.Identity
	Name           string // of the identity provider
	Organization   string // the name of its organization
	OrganizationID string
	AccountID      string // the organization's root account
	Usable         bool   // active, enabled, its organization not suspended
}

// A PasswordState is what is known of a person's password.
type PasswordState struct {
	Set    bool
	UsedAt time.Time  // the last login by it; zero: none is known
	IP     netip.Addr // from where; zero if it was not known
}

// Ways lists how the person who holds a session can log in: their password
// first, if they have one, then what they are linked to, oldest first.
func (l *Login) Ways(ctx context.Context, present session.Bearer) ([]Way, error) {
	ways, err := l.waysOf(ctx, present)
	if err == nil {
		err = l.judge(ctx, present.User, ways)
	}
	if err != nil {
		return nil, fmt.Errorf("list login methods: %w", err)
	}
	return ways, nil
}

// waysOf lists ways; Usable says no more than that they are enabled.
func (l *Login) waysOf(ctx context.Context, present session.Bearer) ([]Way, error) {
	u, used := present.User, present.Method
	password, err := l.Store.PasswordState(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	links, err := l.Store.Links(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	var out []Way
	if password.Set {
		out = append(out, Way{
			ID: PasswordWay, Kind: session.Password, Email: u.Email, Usable: true, Current: used.Kind == session.Password,
			CreatedAt: u.CreatedAt, LastUsedAt: password.UsedAt, LastIP: password.IP,
		})
	}
	for _, i := range links {
		out = append(out, Way{
			ID: i.MethodID, Kind: session.SAML, Name: i.Name, Organization: i.Organization, OrganizationID: i.OrganizationID, AccountID: i.AccountID,
			Email: i.Email, Subject: i.Subject, Usable: i.Usable, Current: used.Kind == session.SAML && used.ID == i.MethodID,
			CreatedAt: i.CreatedAt, LastUsedAt: i.LastUsedAt, LastIP: i.LastIP,
		})
	}
	return out, nil
}

// judge takes Usable from the ways that the organization that manages a person
// does not admit, if they have these ways and no others.
func (l *Login) judge(ctx context.Context, u account.User, ways []Way) error {
	managing := u.ManagingOrganizationID
	if managing == "" {
		return nil
	}
	rules, err := l.rulesFor(ctx, managing, u.ID)
	if err != nil {
		return err
	}
	// Where one comes from, and what is asserted then, is for when one comes.
	rules.Ranges, rules.SecondFactorContexts = nil, nil
	now := l.Now()
	var sso time.Time
	for _, w := range ways {
		if w.OrganizationID == managing && w.LastUsedAt.After(sso) {
			sso = w.LastUsedAt
		}
	}
	for i := range ways {
		w := &ways[i]
		e := policy.Entry{Kind: policy.Console, Way: policy.Way(w.Kind), Managed: true, MadeAt: now, SSO: sso, Now: now}
		switch {
		case w.Kind != session.SAML:
		case w.OrganizationID == managing:
			e.From, e.SSO = policy.Own, now
		default:
			if e.From, err = l.relation(ctx, w.OrganizationID, u.ID); err != nil {
				return err
			}
		}
		w.Usable = w.Usable && rules.Check(e) == nil
	}
	return nil
}

// rulesFor gives the rules of an organization that are in force for a person.
func (l *Login) rulesFor(ctx context.Context, organizationID, userID string) (policy.Rules, error) {
	kept, err := l.Store.Policy(ctx, organizationID)
	if err != nil {
		return policy.Rules{}, err
	}
	inGroup := false
	if t := kept.Trial; t != nil && t.Kind == policy.ForGroup {
		if inGroup, err = l.Store.InGroup(ctx, t.GroupID, userID); err != nil {
			return policy.Rules{}, err
		}
	}
	return *kept.InForce(l.Now(), inGroup), nil
}

// Unlink cuts a way to log in: the person's links to an identity provider, or
// their password, for which the id is PasswordWay. Every token that was made by
// it ends at once; ended says that the session which asks is among them.
//
// It takes a login of one's own that is at most ten minutes old, or the present
// password with the request, which is checked in browser; that may be nil. A
// session that the identity provider of another organization made cuts that
// organization's links and no others. The last way that can be used stays.
//
// It returns fault.NotFound with code authentication_method_not_found,
// fault.Denied with code login_too_old, fault.Conflict with code
// last_authentication_method, or those of Password.
func (l *Login) Unlink(ctx context.Context, present session.Bearer, wayID, password string, browser *session.Browser, c Client) (ended bool, err error) {
	if password != "" {
		if _, err := l.Password(ctx, present.User.Email, password, browser, c); err != nil {
			return false, err
		}
	}
	err = l.Store.Tx(ctx, func(ctx context.Context) error {
		if err := l.Store.LockUser(ctx, present.User.ID); err != nil {
			return err
		}
		all, err := l.waysOf(ctx, present)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(w Way) bool { return w.ID == wayID })
		if at < 0 {
			return fault.NotFound.Errorf("You have no such login method.").Coded("authentication_method_not_found")
		}
		w := all[at]
		if password == "" {
			if err := l.mayCut(present, w); err != nil {
				return err
			}
		}
		if err := l.leavesOne(ctx, present.User, all, w); err != nil {
			return err
		}
		ended = w.Current
		return l.cut(ctx, present.User, w, c)
	})
	if err != nil {
		return false, fmt.Errorf("cut login method: %w", err)
	}
	return ended, nil
}

// mayCut refuses a session that does not show, right now, that the person is
// who they are. What another organization's identity provider made shows it to
// that organization.
func (l *Login) mayCut(present session.Bearer, w Way) error {
	if present.Kind != session.SessionToken || present.Device || l.Now().Sub(present.LoggedIn) > cutFreshness {
		return errCutLogin()
	}
	switch present.Method.Kind {
	case session.Password:
		return nil
	case session.SAML:
		from := present.MethodOrganizationID
		if from != "" && (from == present.User.ManagingOrganizationID || from == w.OrganizationID) {
			return nil
		}
	}
	return errCutLogin()
}

// errCutLogin asks for a login of one's own.
func errCutLogin() *fault.Error {
	return fault.Denied.Errorf("Cutting a login method takes a login of your own that is at most ten minutes old. Type your present password, or log in again.").Coded("login_too_old").At("password")
}

// leavesOne refuses to cut the last way that can be used. What cannot be used
// may go, but for the very last way: it may be enabled again.
func (l *Login) leavesOne(ctx context.Context, u account.User, all []Way, w Way) error {
	before := slices.Clone(all)
	after := slices.DeleteFunc(slices.Clone(all), func(other Way) bool { return other.ID == w.ID })
	if err := l.judge(ctx, u, before); err != nil {
		return err
	}
	if err := l.judge(ctx, u, after); err != nil {
		return err
	}
	usable := func(w Way) bool { return w.Usable }
	had := slices.ContainsFunc(before, usable)
	if len(after) > 0 && (!had || slices.ContainsFunc(after, usable)) {
		return nil
	}
	return fault.Conflict.Errorf("This is the last login method that you can use. Link another one first.").Coded("last_authentication_method")
}

// cut removes a way and what was made by it, and tells the person by mail, and
// those organizations that it concerns: whose it is, and who manages the
// person.
func (l *Login) cut(ctx context.Context, u account.User, w Way, c Client) error {
	what, remove := providerCut, func() (int, error) { return l.Store.CutIdentities(ctx, u.ID, w.ID) }
	if w.Kind == session.Password {
		what, remove = passwordCut, func() (int, error) { return l.Store.CutPassword(ctx, u.ID) }
	}
	tokens, err := remove()
	if err != nil {
		return err
	}
	details := audit.Details{"method": string(w.Kind), "tokens": strconv.Itoa(tokens)}
	if w.Kind == session.SAML {
		details["authentication_method_id"] = w.ID
	}
	unsent, err := l.tellChanged(ctx, u, what, w, c)
	if err != nil {
		return err
	}
	if unsent {
		details["notice"] = "not_sent"
	}
	for _, id := range concerned(w.OrganizationID, u.ManagingOrganizationID) {
		if err := l.recordSubject(ctx, audit.IdentityUnlink, u, id, c, details); err != nil {
			return err
		}
	}
	return nil
}

// concerned gives each organization once. Where there is none, the event is
// nobody's but the person's.
func concerned(owner, managing string) []string {
	switch {
	case owner == "":
		return []string{managing}
	case managing == "" || managing == owner:
		return []string{owner}
	}
	return []string{owner, managing}
}
