package account

import (
	"context"
	"fmt"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
)

// Limits on what one person can fill the database with. Operators are exempt.
const (
	mostOrganizations = 50  // that one person belongs to as super admin
	mostUnits         = 200 // of one organization
)

// OrganizationStore is what Organizations needs of storage.
type OrganizationStore interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// AddOrganization inserts an organization and its root account. It returns
	// fault.Exists if one of their ids is taken; so does AddAccount.
	AddOrganization(ctx context.Context, o Organization, root Account) error

	// Organization returns fault.NotFound if there is none.
	Organization(ctx context.Context, id string) (Organization, error)

	// UpdateOrganization writes Name, Tier and UpdatedAt, and gives the root
	// account the same name.
	UpdateOrganization(ctx context.Context, o Organization) error

	// LockOrganization makes this transaction the only one that changes what
	// the organization's checks depend on, until it ends. It returns
	// fault.NotFound if there is none.
	LockOrganization(ctx context.Context, id string) error

	// Memberships lists the organizations of a user, oldest first.
	Memberships(ctx context.Context, userID string) ([]Membership, error)

	// AddMember inserts a member, or fault.Exists.
	AddMember(ctx context.Context, m Member) error

	AddAccount(ctx context.Context, a Account) error

	// Account returns fault.NotFound if there is none.
	Account(ctx context.Context, id string) (Account, error)

	// AccountsOf lists the accounts of all organizations of a user, oldest
	// first; Units those of one organization that are not its root.
	AccountsOf(ctx context.Context, userID string) ([]Account, error)
	Units(ctx context.Context, organizationID string) ([]Account, error)

	// UpdateAccount writes Name and UpdatedAt of a unit.
	UpdateAccount(ctx context.Context, a Account) error
}

// Organizations keeps organizations and accounts.
type Organizations struct {
	Store        OrganizationStore
	NewID        func() string // org…
	NewAccountID func() string // a…
	Now          func() time.Time
	Audit        *audit.Log
}

// Add makes an organization with its root account; the actor becomes its super
// admin. tier is "business" or "personal"; empty means business. It returns
// fault.Invalid at organization_name or tier, and fault.Denied at the limit.
func (s *Organizations) Add(ctx context.Context, by Actor, name, tier string) (Organization, error) {
	name, err := organizationName(name)
	if err != nil {
		return Organization{}, err
	}
	if tier, err = checkTier(tier); err != nil {
		return Organization{}, err
	}
	now := s.Now()
	o := Organization{Name: name, Tier: tier, CreatedAt: now, UpdatedAt: now}
	err = ident.Retry(IDTaken, func() error {
		o.ID, o.AccountID = s.NewID(), s.NewAccountID()
		return s.add(ctx, by, o)
	})
	if err != nil {
		return Organization{}, fmt.Errorf("add organization: %w", err)
	}
	return o, nil
}

// add keeps a new organization, with its root account.
func (s *Organizations) add(ctx context.Context, by Actor, o Organization) error {
	root := Account{ID: o.AccountID, OrganizationID: o.ID, Name: o.Name, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt}
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.roomForOne(ctx, by); err != nil {
			return err
		}
		if err := s.Store.AddOrganization(ctx, o, root); err != nil {
			return err
		}
		if err := s.Store.AddMember(ctx, Member{OrganizationID: o.ID, UserID: by.User.ID, SuperAdmin: true, JoinedAt: o.CreatedAt}); err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(audit.OrganizationCreate, o.ID, o.Target(), audit.Details{"tier": o.Tier}))
	})
}

func (s *Organizations) roomForOne(ctx context.Context, by Actor) error {
	if by.User.Operator {
		return nil
	}
	mine, err := s.Store.Memberships(ctx, by.User.ID)
	if err != nil {
		return err
	}
	own := 0
	for _, m := range mine {
		if m.SuperAdmin {
			own++
		}
	}
	if own >= mostOrganizations {
		return fault.Denied.Errorf("You administer %d organizations, which is the most. Ask the operator of this server for more.", own).Coded("organization_limit_reached")
	}
	return nil
}

// AddUnit makes an account below another one of the same organization.
// parentID is an account, or an organization's id, which stands for its root
// account. It returns fault.Invalid at account_name or parent_account_id.
func (s *Organizations) AddUnit(ctx context.Context, by Actor, o Organization, parentID, name string) (Account, error) {
	name, err := organizationName(name)
	if err != nil {
		return Account{}, fault.Of(err).At("account_name")
	}
	if parentID == o.ID {
		parentID = o.AccountID
	}
	// Units of units are not offered: whoever administers the organization
	// administers each of them.
	if parentID != o.AccountID {
		return Account{}, fault.Invalid.Errorf("A unit stands directly below the organization: name %s as its parent.", o.AccountID).At("parent_account_id")
	}
	now := s.Now()
	unit := Account{OrganizationID: o.ID, ParentID: parentID, Name: name, CreatedAt: now, UpdatedAt: now}
	err = ident.Retry(IDTaken, func() error {
		unit.ID = s.NewAccountID()
		return s.addUnit(ctx, by, o, unit)
	})
	if err != nil {
		return Account{}, fmt.Errorf("add unit to %s: %w", o.ID, err)
	}
	return unit, nil
}

func (s *Organizations) addUnit(ctx context.Context, by Actor, o Organization, unit Account) error {
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockOrganization(ctx, o.ID); err != nil {
			return err
		}
		units, err := s.Store.Units(ctx, o.ID)
		if err != nil {
			return err
		}
		if len(units) >= mostUnits {
			return fault.Denied.Errorf("The organization has %d units, which is the most.", len(units)).Coded("organization_limit_reached")
		}
		if err := s.Store.AddAccount(ctx, unit); err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(audit.UnitCreate, o.ID, unit.Target(), nil))
	})
}

// Update renames an organization, changes its tier, or both; a nil field
// stays. It returns fault.Invalid at organization_name or tier.
func (s *Organizations) Update(ctx context.Context, by Actor, id string, name, tier *string) (Organization, error) {
	var out Organization
	err := s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockOrganization(ctx, id); err != nil {
			return err
		}
		o, err := s.Store.Organization(ctx, id)
		if err != nil {
			return err
		}
		before := o
		if name != nil {
			if o.Name, err = organizationName(*name); err != nil {
				return err
			}
		}
		if tier != nil {
			if o.Tier, err = checkTier(*tier); err != nil {
				return err
			}
		}
		o.UpdatedAt = s.Now()
		out = o
		if err := s.Store.UpdateOrganization(ctx, o); err != nil {
			return err
		}
		details := audit.Details{}
		details.Changed("organization_name", before.Name, o.Name)
		details.Changed("tier", before.Tier, o.Tier)
		return s.Audit.Record(ctx, by.Did(audit.OrganizationUpdate, o.ID, o.Target(), details))
	})
	if err != nil {
		return Organization{}, fmt.Errorf("update organization %s: %w", id, err)
	}
	return out, nil
}

// RenameAccount renames an account; a root account carries its organization's
// name, so both change. It returns fault.Invalid at account_name.
func (s *Organizations) RenameAccount(ctx context.Context, by Actor, a Account, name string) (Account, error) {
	name, err := organizationName(name)
	if err != nil {
		return Account{}, fault.Of(err).At("account_name")
	}
	if a.ParentID == "" {
		o, err := s.Update(ctx, by, a.OrganizationID, &name, nil)
		if err != nil {
			return Account{}, err
		}
		a.Name, a.UpdatedAt = o.Name, o.UpdatedAt
		return a, nil
	}
	details := audit.Details{}
	details.Changed("account_name", a.Name, name)
	a.Name, a.UpdatedAt = name, s.Now()
	err = s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.UpdateAccount(ctx, a); err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(audit.UnitUpdate, a.OrganizationID, a.Target(), details))
	})
	if err != nil {
		return Account{}, fmt.Errorf("rename account %s: %w", a.ID, err)
	}
	return a, nil
}

func organizationName(name string) (string, error) {
	name, err := CleanText(name, "organization_name", 128)
	if err == nil && name == "" {
		err = fault.Invalid.Errorf("Give the organization a name.").At("organization_name")
	}
	return name, err
}

func checkTier(tier string) (string, error) {
	switch tier {
	case "":
		return "business", nil
	case "business", "personal":
		return tier, nil
	}
	return "", fault.Invalid.Errorf("The tier is business or personal.").At("tier")
}
