package sso

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/internal/seal"
)

// mostIdPs is how many identity providers one organization may have. Each
// costs a key, and a check that lists them all must stay cheap.
const mostIdPs = 50

// mostIdPsEver bounds them together with the deleted ones, whose rows and keys
// stay: making and deleting in turn must not fill the database.
const mostIdPsEver = 500

// IdPStore is what IdPs needs of storage. What it gives back belongs to the
// caller, who may change it; IdP.Certificates is parsed from
// Settings.CertificatePEM with [ParseCertificates].
type IdPStore interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// LockOrganization makes this transaction the only one that changes what
	// the organization's checks depend on, until it ends. It returns
	// fault.NotFound if there is none.
	LockOrganization(ctx context.Context, id string) error

	// AddIdP inserts an identity provider. It returns fault.Exists if its id
	// is taken.
	AddIdP(ctx context.Context, i *IdP) error

	// IdP gives an identity provider of any organization, deleted ones too:
	// ask [IdP.Admits] before letting anybody through it. It returns
	// fault.NotFound if there is none.
	IdP(ctx context.Context, id string) (*IdP, error)

	// IdPOf gives an identity provider of one root account. It returns
	// fault.NotFound if there is none, if it is deleted, and if it belongs to
	// another account.
	IdPOf(ctx context.Context, accountID, id string) (*IdP, error)

	// IdPsOf lists those of one root account that are not deleted, oldest
	// first.
	IdPsOf(ctx context.Context, accountID string) ([]*IdP, error)

	// CountIdPs counts those of one organization: the ones that are not
	// deleted, and all that there ever were.
	CountIdPs(ctx context.Context, organizationID string) (live, ever int, err error)

	// Group returns fault.NotFound if the organization has no such group.
	Group(ctx context.Context, organizationID, id string) (account.GroupSize, error)

	// UpdateIdP writes Name, Enabled, State, Settings, UpdatedAt and
	// DeletedAt.
	UpdateIdP(ctx context.Context, i *IdP) error

	// SaveKeys writes SPCertificate, SPKey, Rollover, SignatureAlgorithm and
	// UpdatedAt.
	SaveKeys(ctx context.Context, i *IdP) error

	// KeysDue gives the ids of up to most identity providers of whose keys
	// something is due: a switch, of those that are not deleted, or the end of
	// the previous ones.
	KeysDue(ctx context.Context, now time.Time, most int) ([]string, error)
}

// IdPs keeps the identity providers of organizations.
type IdPs struct {
	Store IdPStore
	Keys  *seal.Keyring // seals the keys that are made for new ones
	Base  string        // the public URL, without a slash at the end
	NewID func() string // am…
	Now   func() time.Time
	Audit *audit.Log

	// Allow counts each one made, by organization and by person. It returns
	// fault.TooMany if too many were made in a short time. Nil allows all.
	Allow func(ctx context.Context, key string) error

	// Keep refuses to lose an identity provider without which nobody could
	// administer its organization; inUse says that whoever ends it is logged in
	// through it. It is asked in the transaction. nil: none is kept.
	Keep func(ctx context.Context, inUse bool, organizationID, methodID string) error

	// LinkDomains has an identity provider speak for domains of its
	// organization, in the transaction of ctx. It returns fault.NotFound for one
	// that the organization has not. nil: there are no domains.
	LinkDomains func(ctx context.Context, by account.Actor, org account.Organization, methodID string, domainIDs []string) error

	// Refreshes fetch metadata from the addresses that people name; nil: there
	// is only pasted metadata.
	Refreshes *Refreshes

	// Making lets one at a time make a key, which takes a core for a tenth of a
	// second and more: else a few requests at once would take them all.
	Making limit.Slots
}

// A New is what somebody says of an identity provider that does not exist yet.
type New struct {
	Type   string // "saml"
	Change        // Name is required
}

// CheckOwner says whether an account may own identity providers: root accounts
// may, units use those of their organization. It returns fault.Invalid.
func CheckOwner(a account.Account) error {
	if a.ParentID == "" {
		return nil
	}
	return fault.Invalid.Errorf("An organizational unit cannot have authentication methods of its own: it uses those of its organization.").
		Coded("nested_account_cannot_have_authentication_method")
}

// Admits reports whether people may come in through the identity provider:
// it is configured, enabled and not deleted.
func (i *IdP) Admits() bool { return i.Enabled && i.State == Active }

// Create adds an identity provider to an organization. With a name and a type
// alone it is pending and disabled, and has its URLs already, for the other
// side to be configured with; with an entity id, an SSO URL and a certificate
// it is active, and enabled unless asked otherwise. It returns fault.Invalid
// at the field, fault.Conflict if it should be enabled and is incomplete,
// fault.Denied at the limit, fault.TooMany from Allow, and fault.Unavailable if
// there was no turn to make a key.
func (s *IdPs) Create(ctx context.Context, by account.Actor, org account.Organization, n New) (*IdP, error) {
	if n.Type != "saml" {
		return nil, fault.Invalid.Errorf("The type of an authentication method that you add is saml.").At("authentication_method_type")
	}
	if n.Name == nil {
		return nil, fault.Invalid.Errorf("Give the authentication method a name.").At("authentication_method_name")
	}
	now := s.Now()
	i := &IdP{
		OrganizationID: org.ID,
		AccountID:      org.AccountID,
		State:          Pending,
		Base:           s.Base,
		Settings: Settings{
			Binding:            Redirect,
			SLOBinding:         Redirect,
			IdPLoginMode:       Bounce,
			DigestAlgorithm:    "sha256",
			SignatureAlgorithm: "rsa-sha256",
			MetadataUpdates:    HoldUpdates,
		},
		CreatedAt: now,
		UpdatedAt: now,
	}
	change, fresh, err := s.fetched(ctx, org, i, n.Change)
	if err != nil {
		return nil, err
	}
	if change, err = change.withMetadata(now); err != nil {
		return nil, err
	}
	if err := s.apply(change, i); err != nil {
		return nil, err
	}
	// Making an RSA key takes long enough to be done before the transaction,
	// and only for a request that is right and has room.
	if err := s.roomForOne(ctx, org.ID); err != nil {
		return nil, err
	}
	if err := s.allow(ctx, by, org); err != nil {
		return nil, err
	}
	err = ident.Retry(isTaken, func() error {
		i.ID = s.NewID() // the key is sealed for it
		keys, err := s.makeKey(ctx, i.ID, i.typeFor(), now)
		if err != nil {
			return err
		}
		i.SPCertificate, i.SPKey = keys.Certificates, keys.Sealed
		return s.add(ctx, by, org, i, fresh, n.LinkedDomains)
	})
	if err != nil {
		return nil, fmt.Errorf("add IdP to %s: %w", org.ID, err)
	}
	return i, nil
}

// isTaken reports whether an id was not new: it is all that is unique of an
// identity provider.
func isTaken(err error) bool { return errors.Is(err, fault.Exists) }

// add keeps a new identity provider.
func (s *IdPs) add(ctx context.Context, by account.Actor, org account.Organization, i *IdP, fresh *Refresh, domainIDs []string) error {
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockOrganization(ctx, i.OrganizationID); err != nil {
			return err
		}
		if err := s.roomForOne(ctx, i.OrganizationID); err != nil {
			return err
		}
		if err := s.checkGroup(ctx, i); err != nil {
			return err
		}
		if err := s.Store.AddIdP(ctx, i); err != nil {
			return err
		}
		if err := s.keepFetched(ctx, i, fresh); err != nil {
			return err
		}
		details := audit.Details{}
		for name, value := range settingsTexts(i) {
			if value != "" && value != "false" {
				details[name] = value
			}
		}
		if err := s.Audit.Record(ctx, by.Did(audit.IdPCreate, i.OrganizationID, i.Target(), details)); err != nil {
			return err
		}
		return s.linkDomains(ctx, by, org, i.ID, domainIDs)
	})
}

// linkDomains has an identity provider speak for domains.
func (s *IdPs) linkDomains(ctx context.Context, by account.Actor, org account.Organization, methodID string, domainIDs []string) error {
	switch {
	case len(domainIDs) == 0:
		return nil
	case s.LinkDomains == nil:
		return fault.NotFound.Errorf("The organization has no such domain.").At("linked_domains").Coded("organization_domain_not_found")
	}
	err := s.LinkDomains(ctx, by, org, methodID, domainIDs)
	if errors.Is(err, fault.NotFound) {
		return fault.Of(err).At("linked_domains")
	}
	return err
}

// checkGroup says whether people can be brought to the group that an identity
// provider brings them to.
func (s *IdPs) checkGroup(ctx context.Context, i *IdP) error {
	if i.AutoJoinGroupID == "" {
		return nil
	}
	g, err := s.Store.Group(ctx, i.OrganizationID, i.AutoJoinGroupID)
	switch {
	case errors.Is(err, fault.NotFound):
		return fault.Invalid.Errorf("The organization has no such group.").At("auto_join_user_group_id").Coded("user_group_not_found")
	case err != nil:
		return err
	case g.IdPManaged:
		return fault.Invalid.Errorf("Identity providers put people into the group %s by its name. Choose one that they do not.", g.Name).At("auto_join_user_group_id").Coded("cannot_set_groups_managed_by_scim_as_auto_join_group")
	}
	return nil
}

// roomForOne returns fault.Denied at the limit. It is asked twice: before a
// key is made, which is dear, and while nobody else can add one.
func (s *IdPs) roomForOne(ctx context.Context, organizationID string) error {
	live, ever, err := s.Store.CountIdPs(ctx, organizationID)
	switch {
	case err != nil:
		return err
	case live >= mostIdPs:
		return fault.Denied.Errorf("The organization has %d authentication methods, which is the most. Delete one that is not used.", live).
			Coded("authentication_method_limit_reached")
	case ever >= mostIdPsEver:
		return fault.Denied.Errorf("The organization has had %d authentication methods, deleted ones among them, which is the most. Ask the operator of this server.", ever).
			Coded("authentication_method_limit_reached")
	}
	return nil
}

// allow asks whether an organization, and a person, may make one more now.
func (s *IdPs) allow(ctx context.Context, by account.Actor, org account.Organization) error {
	if s.Allow == nil {
		return nil
	}
	if err := s.Allow(ctx, "organization "+org.ID); err != nil || by.User.ID == "" {
		return err
	}
	return s.Allow(ctx, "person "+by.User.ID)
}

// makeKey makes keys of an identity provider when it is its turn. It returns
// fault.Unavailable if that did not come.
func (s *IdPs) makeKey(ctx context.Context, id string, kind KeyType, now time.Time) (KeySet, error) {
	leave, err := s.Making.Enter(ctx)
	if errors.Is(err, fault.Unavailable) {
		return KeySet{}, fault.Unavailable.Errorf("Keys for other authentication methods are being made. Try again in a few seconds.").After(fault.Of(err).RetryAfter)
	}
	if err != nil {
		return KeySet{}, err
	}
	defer leave()
	keys, err := makeKeySet(s.Keys, id, kind, now)
	if err != nil {
		return KeySet{}, fmt.Errorf("make key of %s: %w", id, err)
	}
	return keys, nil
}

// apply makes a change that may name an SSO URL.
func (s *IdPs) apply(c Change, i *IdP) error {
	if err := c.apply(i); err != nil {
		return err
	}
	if err := c.checkLogoutTargets(i, s.Base); err != nil {
		return err
	}
	if c.SSOURL == nil || i.SSOURL == "" {
		return nil
	}
	target, err := parseSSOURL(i.SSOURL)
	if err == nil {
		err = checkTarget(target, s.Base, i.Base)
	}
	if err != nil && c.Metadata != nil && strings.TrimSpace(*c.Metadata) != "" {
		return fault.Of(err).At("saml_idp_metadata")
	}
	return err
}

// List gives an organization's identity providers, oldest first, without
// deleted ones.
func (s *IdPs) List(ctx context.Context, org account.Organization) ([]*IdP, error) {
	return s.Store.IdPsOf(ctx, org.AccountID)
}

// Get gives one identity provider of an organization. It returns
// fault.NotFound if the organization has none with this id.
func (s *IdPs) Get(ctx context.Context, org account.Organization, id string) (*IdP, error) {
	i, err := s.Store.IdPOf(ctx, org.AccountID, id)
	if errors.Is(err, fault.NotFound) {
		return nil, fault.NotFound.Errorf("The organization has no such authentication method.").
			Coded("authentication_method_not_found").Because(err)
	}
	return i, err
}

// Update changes what the change says and leaves the rest. Metadata at an
// address that is new is fetched before anything is locked. It returns
// fault.NotFound as Get does, fault.Invalid at the field, fault.Conflict if it
// should be enabled and is incomplete, and, of a change that disables it, what
// Keep does unless forced.
func (s *IdPs) Update(ctx context.Context, by account.Actor, org account.Organization, id string, c Change) (*IdP, error) {
	before, err := s.Get(ctx, org, id)
	if err != nil {
		return nil, err
	}
	c, fresh, err := s.fetched(ctx, org, before, c)
	if err != nil {
		return nil, err
	}
	if c, err = c.withMetadata(s.Now()); err != nil {
		return nil, err
	}
	var out *IdP
	err = s.Store.Tx(ctx, func(ctx context.Context) error {
		if out, err = s.change(ctx, by, org, id, c.Ending, c.LinkedDomains, func(i *IdP) error { return s.apply(c, i) }); err != nil {
			return err
		}
		return s.keepFetched(ctx, out, fresh)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Delete ends an identity provider: nobody comes in through it any more. It
// stays in storage for what refers to it. It returns fault.NotFound as Get
// does, and, unless forced, what Keep does.
func (s *IdPs) Delete(ctx context.Context, by account.Actor, org account.Organization, id string, how Ending) error {
	_, err := s.change(ctx, by, org, id, how, nil, func(i *IdP) error {
		now := s.Now()
		i.State, i.Enabled, i.DeletedAt = Deleted, false, &now
		return nil
	})
	return err
}

// change edits one identity provider while nobody else changes anything of the
// organization.
func (s *IdPs) change(ctx context.Context, by account.Actor, org account.Organization, id string, how Ending, domainIDs []string, edit func(*IdP) error) (*IdP, error) {
	var out *IdP
	err := s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockOrganization(ctx, org.ID); err != nil {
			return err
		}
		i, err := s.Get(ctx, org, id)
		if err != nil {
			return err
		}
		before := *i
		if err := edit(i); err != nil {
			return err
		}
		if i.AutoJoinGroupID != before.AutoJoinGroupID {
			if err := s.checkGroup(ctx, i); err != nil {
				return err
			}
		}
		i.UpdatedAt = s.Now()
		out = i
		if before.Admits() && !i.Admits() && s.Keep != nil && !how.Force {
			if err := s.Keep(ctx, how.Through == i.ID, org.ID, i.ID); err != nil {
				return err
			}
		}
		if err := s.Store.UpdateIdP(ctx, i); err != nil {
			return err
		}
		for _, e := range changes(by, &before, i) {
			if err := s.Audit.Record(ctx, e); err != nil {
				return err
			}
		}
		return s.linkDomains(ctx, by, org, i.ID, domainIDs)
	})
	if err != nil {
		return nil, fmt.Errorf("change IdP %s: %w", id, err)
	}
	return out, nil
}
