package login

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// A DomainMethod is an identity provider that speaks for the addresses of a
// domain, and may be used.
type DomainMethod struct {
	ID             string // am…
	Name           string
	OrganizationID string
	Organization   string // its name
}

// LinkingStore is what Login needs of storage where an identity provider
// speaks for an address.
type LinkingStore interface {
	// UserByEmail returns fault.NotFound if nobody has the address.
	// Memberships lists the organizations of a user.
	UserByEmail(ctx context.Context, email string) (account.User, error)
	Memberships(ctx context.Context, userID string) ([]account.Membership, error)

	// LockOrganization and SuperAdmins are those of account.AddressStore.
	LockOrganization(ctx context.Context, id string) error
	SuperAdmins(ctx context.Context, organizationID string) (int, error)

	// Manage has an organization manage a user, whose address is proved by
	// that. It returns fault.Conflict if another manages them.
	Manage(ctx context.Context, userID, organizationID string, at time.Time) error

	// Strip takes every way in from the user of an unproved address, but for
	// one identity, and every place to come in to but for one organization:
	// password, tokens, other identities, logins under way, recovery links,
	// mailed codes, other memberships. It returns fault.NotFound unless there
	// is such a user and the address is unproved.
	Strip(ctx context.Context, userID string, keep account.Identity, organizationID string, at time.Time) error

	// FollowUser writes Email, RealName and UpdatedAt of a user whom the
	// organization in u manages. It returns fault.Exists at "email" if the
	// address is taken, which does not end a transaction.
	FollowUser(ctx context.Context, u account.User) error

	// DomainMethods lists the identity providers that speak for a domain and
	// may be used, the one that was linked first first.
	DomainMethods(ctx context.Context, domain string) ([]DomainMethod, error)

	// IdPGroups gives the groups of an organization into which identity
	// providers put people: ids by Group.Key. SyncGroups puts a member into
	// those of the groups, and takes them out of all others of the kind that the
	// same method put them into; and says which.
	IdPGroups(ctx context.Context, organizationID string) (map[string]string, error)
	SyncGroups(ctx context.Context, organizationID, methodID, userID string, groupIDs []string, at time.Time) (joined, left []string, err error)

	// AddGroupMembers is that of account.GroupStore.
	AddGroupMembers(ctx context.Context, groupID string, userIDs []string, at time.Time) ([]string, error)
}

// domainOf gives the domain of an address as it is kept, or nothing.
func domainOf(address string) string {
	email, err := account.NormalizeEmail(address)
	if err != nil {
		return ""
	}
	_, domain, _ := strings.Cut(email, "@")
	return domain
}

// A verdict is what becomes of a subject that no account is linked to, where
// its identity provider speaks for its address.
type verdict int

// The verdicts.
const (
	provision verdict = iota // nobody has the address: make an account
	take                     // link the account that has it
	claim                    // take the account from whoever made it, then link it
	askClaim                 // the same, once the person said yes
)

// A holder is who has the address that a subject is asserted with.
type holder struct {
	User      account.User
	Elsewhere []account.Membership // other organizations than the identity provider's
}

// judgeHolder decides whether an identity provider may log somebody in to the
// account that has the address which it asserts, and speaks for: the whole of
// automatic linking. h is nil where nobody has the address.
//
// An account whose address nobody proved belongs to whoever the domain's own
// identity provider names; what a stranger left in it goes first. One whose
// address is proved has an owner, who is asked to log in by their own way where
// there is more to lose than the organization could have given: another
// organization to administer, or this installation to operate.
//
// It returns fault.Denied with code user_deactivated, managed_elsewhere or
// own_login_required.
func judgeHolder(h *holder, organizationID string) (verdict, error) {
	switch {
	case h == nil:
		return provision, nil
	case h.User.State != account.ActiveUser:
		return 0, errDeactivated()
	case h.User.ManagingOrganizationID != "" && h.User.ManagingOrganizationID != organizationID:
		return 0, fault.Denied.Errorf("The account with the address %s is managed by another organization, whose login it needs. Ask the administrators of both.", h.User.Email).Coded("managed_elsewhere")
	case h.User.Operator:
		return 0, errOwnLogin(h.User.Email, "operates this server")
	case !h.User.AddressProved && len(h.Elsewhere) > 0:
		return askClaim, nil
	case !h.User.AddressProved:
		return claim, nil
	case h.administers():
		return 0, errOwnLogin(h.User.Email, "administers another organization")
	}
	return take, nil
}

// administers says whether the holder is an admin of another organization.
func (h *holder) administers() bool {
	return slices.ContainsFunc(h.Elsewhere, func(m account.Membership) bool { return m.SuperAdmin })
}

func errOwnLogin(email, why string) *fault.Error {
	return fault.Denied.Errorf("The account with the address %s %s, so it is not linked by itself. Log in to it the way you did until now, and open the account link of this identity provider then.", email, why).Coded("own_login_required")
}

// belongs gives the account of a subject that none is linked to, where the
// identity provider speaks for its address. answered says that the person was
// asked what becomes of the account, and said yes.
func (l *Login) belongs(ctx context.Context, f Flow, standing Standing, in Finish) (u account.User, answered bool, err error) {
	email, err := account.NormalizeEmail(f.Claim.Email)
	if err != nil {
		return account.User{}, false, err
	}
	h, err := l.holderOf(ctx, email, standing.OrganizationID)
	if err != nil {
		return account.User{}, false, err
	}
	what, err := judgeHolder(h, standing.OrganizationID)
	if err != nil {
		return account.User{}, false, err
	}
	switch what {
	case provision:
		u, err = l.provision(ctx, f, standing, email, in.Client)
		return u, false, err
	case askClaim:
		q := Question{Kind: AskClaim, MethodID: f.Method.ID, As: email, Loses: namesOf(h.Elsewhere), Present: in.Present.User}
		if in.Yes != q.Key() {
			return account.User{}, false, asked{q}
		}
		answered = true
	}
	if what == take {
		err = l.succeed(ctx, f, standing, h.User, in.Client)
	} else {
		err = l.strip(ctx, f, standing, h, account.Identity{}, in.Client)
	}
	if err != nil {
		return account.User{}, false, err
	}
	u, err = l.takeIn(ctx, f, standing, h.User, in.Client)
	return u, answered, err
}

// succeed takes every way in from who had an account before, where it is linked
// to another subject of the same identity provider: that speaks for the address,
// and says now that somebody else has it. Two people never share an account.
// Where the account belongs stays: that came with the address.
func (l *Login) succeed(ctx context.Context, f Flow, standing Standing, u account.User, c Client) error {
	links, err := l.Store.Links(ctx, u.ID)
	if err != nil || !slices.ContainsFunc(links, func(i Link) bool { return i.MethodID == f.Method.ID }) {
		return err
	}
	tokens, err := l.Store.CutPassword(ctx, u.ID)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	var cut []string
	for _, i := range links {
		if slices.Contains(cut, i.MethodID) {
			continue
		}
		n, err := l.Store.CutIdentities(ctx, u.ID, i.MethodID)
		if err != nil {
			return err
		}
		tokens += n
		cut = append(cut, i.MethodID)
	}
	details := subjectOf(f)
	details["reason"], details["tokens"] = "succeeded", strconv.Itoa(tokens)
	return l.recordSubject(ctx, audit.IdentityUnlink, u, standing.OrganizationID, c, details)
}

// holderOf finds who has an address; nil: nobody.
func (l *Login) holderOf(ctx context.Context, email, organizationID string) (*holder, error) {
	u, err := l.Store.UserByEmail(ctx, email)
	if errors.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	h, err := l.holder(ctx, u.ID, organizationID)
	if err == nil && h.User.Email != email {
		return nil, nil // they had it until a moment ago
	}
	return h, err
}

// holder locks a person, and looks at who they are and what else they have.
func (l *Login) holder(ctx context.Context, userID, organizationID string) (*holder, error) {
	if err := l.Store.LockUser(ctx, userID); err != nil {
		return nil, err
	}
	u, err := l.Store.User(ctx, userID)
	if err != nil {
		return nil, err
	}
	all, err := l.Store.Memberships(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	return &holder{u, slices.DeleteFunc(all, func(m account.Membership) bool { return m.ID == organizationID })}, nil
}

func namesOf(all []account.Membership) []string {
	var out []string
	for _, m := range all {
		out = append(out, m.Name)
	}
	return out
}

// provision makes the account of a person whom nobody here knew: managed by
// the organization that speaks for the address, which is proved by that.
func (l *Login) provision(ctx context.Context, f Flow, standing Standing, email string, c Client) (account.User, error) {
	if err := l.Limits.Take(ctx, signupsByMethod, f.Method.ID); err != nil {
		return account.User{}, err
	}
	now := l.Now()
	u := account.User{
		Email: email, RealName: displayName(f.Claim, email), State: account.ActiveUser, AddressProved: true,
		ManagingOrganizationID: standing.OrganizationID, CreatedAt: now, UpdatedAt: now,
	}
	if err := l.addPerson(ctx, &u); err != nil {
		return account.User{}, err
	}
	if err := l.bind(ctx, f, standing, u, c); err != nil {
		return account.User{}, err
	}
	return u, l.recordSubject(ctx, audit.UserProvision, u, standing.OrganizationID, c, subjectOf(f))
}

// takeIn links the account of a person to the subject that speaks for its
// address, and has the organization manage it.
func (l *Login) takeIn(ctx context.Context, f Flow, standing Standing, u account.User, c Client) (account.User, error) {
	if err := l.bind(ctx, f, standing, u, c); err != nil {
		return account.User{}, err
	}
	details := subjectOf(f)
	details["domain"] = domainOf(f.Claim.Email)
	// The notice goes to a proved address: it is one from here on.
	u, err := l.manage(ctx, standing, u, c)
	if err != nil {
		return account.User{}, err
	}
	unsent, err := l.tellLinked(ctx, u, f.Method.ID, c)
	if err != nil {
		return account.User{}, err
	}
	if unsent {
		details["notice"] = "not_sent"
	}
	if err := l.recordSubject(ctx, audit.IdentityLink, u, standing.OrganizationID, c, details); err != nil {
		return account.User{}, err
	}
	// What a stranger called the account is nobody's name.
	return l.followProfile(ctx, f, standing, u, c)
}

// manage has an organization manage a person, whose address is proved by that.
func (l *Login) manage(ctx context.Context, standing Standing, u account.User, c Client) (account.User, error) {
	had := u.ManagingOrganizationID
	if had != "" && u.AddressProved {
		return u, nil
	}
	if err := l.Store.Manage(ctx, u.ID, standing.OrganizationID, l.Now()); err != nil {
		return account.User{}, err
	}
	u.ManagingOrganizationID, u.AddressProved = standing.OrganizationID, true
	if had != "" {
		return u, nil
	}
	_, domain, _ := strings.Cut(u.Email, "@")
	return u, l.recordSubject(ctx, audit.UserManage, u, standing.OrganizationID, c, audit.Details{"domain": domain})
}

// bind links a person to a subject, and has them join the organization, and
// the group that the method brings people to.
func (l *Login) bind(ctx context.Context, f Flow, standing Standing, u account.User, c Client) error {
	now := l.Now()
	if err := l.Store.AddIdentity(ctx, identityOf(f, u.ID, now, c)); err != nil {
		return err
	}
	return l.join(ctx, standing, u, now)
}

// join has somebody join an organization, if they have not, and the group that
// the method brings people to.
func (l *Login) join(ctx context.Context, standing Standing, u account.User, now time.Time) error {
	err := l.Store.AddMember(ctx, account.Member{OrganizationID: standing.OrganizationID, UserID: u.ID, JoinedAt: now})
	if err != nil && !errors.Is(err, fault.Exists) {
		return err
	}
	if standing.AutoJoinGroupID == "" {
		return nil
	}
	_, err = l.Store.AddGroupMembers(ctx, standing.AutoJoinGroupID, []string{u.ID}, now)
	return err
}

// strip takes an account whose address nobody proved from whoever made it, and
// says so wherever it belonged.
func (l *Login) strip(ctx context.Context, f Flow, standing Standing, h *holder, keep account.Identity, c Client) error {
	if err := l.Store.Strip(ctx, h.User.ID, keep, standing.OrganizationID, l.Now()); err != nil {
		return err
	}
	by := c.actor(account.User{Email: h.User.Email}) // not the user: whom the identity provider names
	for _, m := range h.Elsewhere {
		details, err := account.Departed(ctx, l.Store, m)
		if err != nil {
			return err
		}
		if err := l.Audit.Record(ctx, by.Did(audit.UserClaim, m.ID, h.User.Target(), details)); err != nil {
			return err
		}
	}
	return l.Audit.Record(ctx, by.Did(audit.UserClaim, standing.OrganizationID, h.User.Target(), subjectOf(f)))
}
