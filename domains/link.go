package domains

import (
	"context"
	"slices"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// Linked lists the claims that an identity provider of an organization is
// linked to, by name. It returns fault.NotFound with code
// authentication_method_not_found.
func (s *Domains) Linked(ctx context.Context, o account.Organization, methodID string) ([]Domain, error) {
	if err := s.hasMethod(ctx, o, methodID); err != nil {
		return nil, err
	}
	list, err := s.List(ctx, o)
	return slices.DeleteFunc(list, func(d Domain) bool { return !slices.Contains(d.Methods, methodID) }), err
}

// Link lets an identity provider speak for the addresses of a domain, once and
// as long as the claim is verified. Several may speak for one domain, and one
// for several. It returns fault.NotFound with the code of what is missing.
func (s *Domains) Link(ctx context.Context, by account.Actor, o account.Organization, methodID, idOrName string) error {
	return s.relink(ctx, by, o, methodID, idOrName, audit.DomainLink, func(ctx context.Context, d Domain) (bool, error) {
		return s.Store.LinkDomain(ctx, d.ID, methodID, s.Now())
	})
}

// LinkAll lets an identity provider speak for several domains, in the
// transaction of ctx, or for none of them. It returns what Link does.
func (s *Domains) LinkAll(ctx context.Context, by account.Actor, o account.Organization, methodID string, domainIDs []string) error {
	for _, id := range domainIDs {
		if err := s.Link(ctx, by, o, methodID, id); err != nil {
			return err
		}
	}
	return nil
}

// Unlink ends that. Whoever is linked to the identity provider by then stays
// so. It returns what Link does.
func (s *Domains) Unlink(ctx context.Context, by account.Actor, o account.Organization, methodID, idOrName string) error {
	return s.relink(ctx, by, o, methodID, idOrName, audit.DomainUnlink, func(ctx context.Context, d Domain) (bool, error) {
		return s.Store.UnlinkDomain(ctx, d.ID, methodID)
	})
}

func (s *Domains) relink(ctx context.Context, by account.Actor, o account.Organization, methodID, idOrName, action string, do func(context.Context, Domain) (bool, error)) error {
	_, err := s.edit(ctx, o, idOrName, func(ctx context.Context, d *Domain) error {
		if err := s.hasMethod(ctx, o, methodID); err != nil {
			return err
		}
		changed, err := do(ctx, *d)
		if err != nil || !changed {
			return err
		}
		return s.Audit.Record(ctx, by.Did(action, o.ID, d.Target(), audit.Details{"authentication_method_id": methodID}))
	})
	return err
}

func (s *Domains) hasMethod(ctx context.Context, o account.Organization, methodID string) error {
	has, err := s.Store.HasMethod(ctx, o.ID, methodID)
	if err == nil && !has {
		err = fault.NotFound.Errorf("The organization has no such authentication method.").Coded("authentication_method_not_found")
	}
	return err
}
