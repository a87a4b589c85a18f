package login

import (
	"context"
	"errors"
	"slices"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// follow brings what is known of a person whose subject is linked up to what
// the identity provider says of them now.
func (l *Login) follow(ctx context.Context, f Flow, standing Standing, u account.User, c Client) (account.User, error) {
	if u.State != account.ActiveUser {
		return u, nil
	}
	var err error
	if standing.Speaks && u.ManagingOrganizationID == "" && !u.Operator && isAddress(f.Claim.Email, u.Email) {
		if u, err = l.settle(ctx, f, standing, u, c); err != nil {
			return account.User{}, err
		}
	}
	if u.ManagingOrganizationID != standing.OrganizationID {
		return u, nil
	}
	return l.followProfile(ctx, f, standing, u, c)
}

// isAddress says whether an asserted address is the one that an account has.
func isAddress(asserted, email string) bool {
	normal, err := account.NormalizeEmail(asserted)
	return err == nil && normal == email
}

// settle has an organization manage a person who was linked to it before it
// spoke for their address, by the same rules by which it links accounts; but
// nobody is kept out, or asked.
func (l *Login) settle(ctx context.Context, f Flow, standing Standing, u account.User, c Client) (account.User, error) {
	h, err := l.holder(ctx, u.ID, standing.OrganizationID)
	if err != nil {
		return account.User{}, err
	}
	what, err := judgeHolder(h, standing.OrganizationID)
	if err != nil || what == askClaim {
		return u, nil
	}
	if what == claim {
		only, err := l.onlyWay(ctx, f, u)
		if err != nil {
			return account.User{}, err
		}
		if !only {
			if err := l.strip(ctx, f, standing, h, identityOf(f, u.ID, l.Now(), c), c); err != nil {
				return account.User{}, err
			}
		}
	}
	if err := l.join(ctx, standing, u, l.Now()); err != nil {
		return account.User{}, err
	}
	return l.manage(ctx, standing, u, c)
}

// onlyWay says whether the subject of a flow is all by which a person can log
// in, and ever could: there is nothing then that a stranger could have left.
func (l *Login) onlyWay(ctx context.Context, f Flow, u account.User) (bool, error) {
	password, err := l.Store.PasswordState(ctx, u.ID)
	if err != nil || password.Set {
		return false, err
	}
	links, err := l.Store.Links(ctx, u.ID)
	return len(links) == 1 && links[0].MethodID == f.Method.ID, err
}

// followProfile writes the name and the address of a managed person as their
// organization's identity provider has them. The address follows only where
// the provider speaks for it, and nobody else has it.
func (l *Login) followProfile(ctx context.Context, f Flow, standing Standing, u account.User, c Client) (account.User, error) {
	next := u
	if name := claimedName(f.Claim); name != "" {
		next.RealName = name
	}
	if email, err := account.NormalizeEmail(f.Claim.Email); err == nil && standing.Speaks {
		next.Email = email
	}
	if next == u {
		return u, nil
	}
	next.UpdatedAt = l.Now()
	details := audit.Details{"authentication_method_id": f.Method.ID}
	err := l.Store.FollowUser(ctx, next)
	if errors.Is(err, fault.Exists) {
		details["address_taken"] = next.Email
		next.Email = u.Email
		err = l.Store.FollowUser(ctx, next)
	}
	if err != nil {
		return account.User{}, err
	}
	details.Changed("user_email", u.Email, next.Email)
	details.Changed("real_name", u.RealName, next.RealName)
	if len(details) == 1 {
		return next, nil
	}
	return next, l.recordSubject(ctx, audit.UserFollow, next, standing.OrganizationID, c, details)
}

// followGroups puts a member into the groups that the identity provider named,
// and takes them out of those that it named before.
func (l *Login) followGroups(ctx context.Context, f Flow, standing Standing, u account.User, c Client) error {
	if !standing.JoinGroups {
		return nil
	}
	joined, left, err := l.Store.SyncGroups(ctx, standing.OrganizationID, f.Method.ID, u.ID, f.Claim.Groups, l.Now())
	if err != nil {
		return err
	}
	for _, change := range []struct {
		action string
		groups []string
	}{{audit.GroupAddMembers, joined}, {audit.GroupRemoveMembers, left}} {
		for _, id := range change.groups {
			target := audit.Target{Kind: "group", ID: id}
			if err := l.Audit.Record(ctx, c.actor(u).Did(change.action, standing.OrganizationID, target, audit.Details{
				"member_ids": u.ID, "authentication_method_id": f.Method.ID,
			})); err != nil {
				return err
			}
		}
	}
	return nil
}

// groupsOf picks, of the groups that an identity provider names, those that it
// may put people into. Others are nobody's business here.
func (l *Login) groupsOf(ctx context.Context, m Method, a *sso.Assertion) ([]string, error) {
	if !m.JoinGroups || len(a.Groups) == 0 {
		return nil, nil
	}
	ids, err := l.Store.IdPGroups(ctx, m.OrganizationID)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	var out []string
	for _, name := range a.Groups {
		if id, known := ids[account.Group{Name: name}.Key()]; known && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, nil
}
