package login

import (
	"context"
	"errors"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
)

// admitted asks the policy of the organization that manages a person whether
// they may log in this way at all. The policies of their other organizations
// are asked when they go there. organizationID is whose identity provider it
// was, if it was one.
func (l *Login) admitted(ctx context.Context, u account.User, g session.Grant, organizationID string) error {
	managing := u.ManagingOrganizationID
	if managing == "" || g.Method.Kind == session.Recovery {
		return nil
	}
	kept, err := l.Store.Policy(ctx, managing)
	if err != nil {
		return err
	}
	o, err := l.Store.Organization(ctx, managing)
	if err != nil {
		return err
	}
	now := l.Now()
	e := policy.Entry{Kind: policy.Console, Way: policy.Way(g.Method.Kind), TwoFactor: g.TwoFactor, Context: g.Context, Device: g.Device, Managed: true, MadeAt: now, IP: g.IP, Now: now}
	switch {
	case g.Method.Kind != session.SAML:
	case organizationID == managing:
		e.From = policy.Own
	default:
		if e.From, err = l.relation(ctx, organizationID, u.ID); err != nil {
			return err
		}
	}
	if e.SSO, err = l.Store.LastSSO(ctx, u.ID, managing); err != nil {
		return err
	}
	place := policy.Place{Organization: o, Policy: kept}
	if t := kept.Trial; t != nil && t.Kind == policy.ForGroup {
		if place.InGroup, err = l.Store.InGroup(ctx, t.GroupID, u.ID); err != nil {
			return err
		}
	}
	_, err = place.Check(e)
	return err
}

// relation says whether a person belongs to the organization of an identity
// provider.
func (l *Login) relation(ctx context.Context, organizationID, userID string) (policy.Relation, error) {
	_, err := l.Store.Member(ctx, organizationID, userID)
	if errors.Is(err, fault.NotFound) {
		return policy.Stranger, nil
	}
	return policy.Fellow, err
}
