package domains

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
	"gatehouse/internal/mail"
)

// mostDomains is how many domains one organization may claim.
const mostDomains = 200

// challengeLength is the length of a challenge, in base 62: 190 bits.
const challengeLength = 32

// Store is what Domains needs of storage.
type Store interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// LockOrganization makes this transaction the only one that changes what
	// the organization's checks depend on, until it ends.
	LockOrganization(ctx context.Context, id string) error

	// AddDomain inserts a claim. It returns fault.Exists at "domain_name" if
	// the organization claims the name already, and without a field if the id
	// is taken; neither ends a transaction.
	AddDomain(ctx context.Context, d Domain) error

	// Domains lists an organization's claims by name. Domain finds one by its
	// id or by its name, or returns fault.NotFound.
	Domains(ctx context.Context, organizationID string) ([]Domain, error)
	Domain(ctx context.Context, organizationID, idOrName string) (Domain, error)

	// UpdateDomain writes State, Proof, VerifiedAt, CheckedAt, MissingSince and
	// Finding. It returns fault.NotFound if there is no such claim, and
	// fault.Exists if it is to be verified and another claim to the name is;
	// neither ends a transaction. A claim that is lost is linked to nothing any
	// more.
	UpdateDomain(ctx context.Context, d Domain) error

	// DomainHolder gives the organization that verified a name, or returns
	// fault.NotFound.
	DomainHolder(ctx context.Context, name string) (organizationID string, err error)

	// DueDomains gives up to most verified claims whose record was last looked
	// at no later than before, or never, in the order of that.
	DueDomains(ctx context.Context, before time.Time, most int) ([]Domain, error)

	// Administrators gives an organization's name, and the proved addresses of
	// up to most of its super admins who are active, in order. It returns
	// fault.NotFound if there is no such organization.
	Administrators(ctx context.Context, organizationID string, most int) (name string, addresses []string, err error)

	// DeleteDomain removes a claim and its links, or returns fault.NotFound.
	DeleteDomain(ctx context.Context, id string) error

	// HasMethod says whether an organization has an identity provider, which
	// is not deleted.
	HasMethod(ctx context.Context, organizationID, methodID string) (bool, error)

	// LinkDomain links a claim to an identity provider of the same
	// organization, UnlinkDomain ends that. Each says whether anything changed.
	LinkDomain(ctx context.Context, domainID, methodID string, at time.Time) (bool, error)
	UnlinkDomain(ctx context.Context, domainID, methodID string) (bool, error)

	// AdoptMembers has an organization manage those of its members whose
	// proved address is in a domain, whom nobody manages yet, who administer no
	// other organization and are no operators; and gives them.
	AdoptMembers(ctx context.Context, organizationID, domain string, at time.Time) ([]account.User, error)
}

// Domains keeps the claims of organizations to email domains.
type Domains struct {
	Store  Store
	DNS    Looker
	Pages  Looker // looks at web sites, for ByHTTP; nil: that is not offered
	Label  string // before the domain, where the TXT record is; such as _aiven-challenge
	NewID  func() string
	Now    func() time.Time
	Limits limit.Limiter // of looks, which go out to strangers' servers
	Audit  *audit.Log
	Mail   Mailer // nil: nobody is told
	Base   string // the public URL, of links in mails
}

// A Mailer sends mails.
type Mailer interface {
	// Queue has a mail sent once the transaction of ctx is kept. It returns
	// fault.TooMany, which leaves the transaction as it was, where the mailbox
	// was sent enough.
	Queue(ctx context.Context, m mail.Message) error
}

// looks bounds how often an organization has others asked.
var looks = limit.Rule{Name: "domain verification", Burst: 60, Every: 5 * time.Second}

// Record is the name of the TXT record that proves a claim.
func (s *Domains) Record(d Domain) string { return s.Label + "." + d.Name }

// Page is the address of the file that proves a claim to be proved ByHTTP.
func (s *Domains) Page(d Domain) string { return pageOf(d.Name) }

// pagePath is where the file is. It is below the folder that Aiven's
// documentation names.
const pagePath = "/.well-known/aiven/challenge.txt"

// Offers says whether a proof is one that this server takes.
func (s *Domains) Offers(p Proof) bool { return p == ByDNS || p == ByHTTP && s.Pages != nil }

// List gives an organization's claims, by name.
func (s *Domains) List(ctx context.Context, o account.Organization) ([]Domain, error) {
	list, err := s.Store.Domains(ctx, o.ID)
	if err != nil {
		return nil, fmt.Errorf("list domains of %s: %w", o.ID, err)
	}
	return list, nil
}

// Get finds a claim of an organization by its id or by its name, in any form.
// It returns fault.NotFound with code organization_domain_not_found.
func (s *Domains) Get(ctx context.Context, o account.Organization, idOrName string) (Domain, error) {
	if strings.Contains(idOrName, ".") {
		name, err := account.NormalizeDomain(strings.TrimSuffix(strings.TrimSpace(idOrName), "."))
		if err != nil {
			return Domain{}, errNoDomain()
		}
		idOrName = name
	}
	d, err := s.Store.Domain(ctx, o.ID, idOrName)
	if errors.Is(err, fault.NotFound) {
		return Domain{}, errNoDomain()
	}
	if err != nil {
		return Domain{}, fmt.Errorf("find domain: %w", err)
	}
	return d, nil
}

func errNoDomain() *fault.Error {
	return fault.NotFound.Errorf("The organization has no such domain.").Coded("organization_domain_not_found")
}

// Add claims a domain. The claim is worth nothing until it is verified, and
// others may claim the same name. It returns fault.Invalid at domain_name or
// verification_type, fault.Exists at domain_name, and fault.Denied at the
// limit.
func (s *Domains) Add(ctx context.Context, by account.Actor, o account.Organization, typed string, proof Proof) (Domain, error) {
	name, err := ParseName(typed)
	if err != nil {
		return Domain{}, err
	}
	if proof, err = s.proof(proof); err != nil {
		return Domain{}, err
	}
	d := Domain{
		OrganizationID: o.ID, Name: name, State: Unverified, Proof: proof,
		Challenge: ident.Secret(challengeLength), CreatedAt: s.Now(),
	}
	err = ident.Retry(account.IDTaken, func() error {
		d.ID = s.NewID()
		return s.add(ctx, by, d)
	})
	if err != nil {
		return Domain{}, fmt.Errorf("add domain to %s: %w", o.ID, err)
	}
	return d, nil
}

func (s *Domains) add(ctx context.Context, by account.Actor, d Domain) error {
	return s.change(ctx, d.OrganizationID, func(ctx context.Context) error {
		list, err := s.Store.Domains(ctx, d.OrganizationID)
		if err != nil {
			return err
		}
		if len(list) >= mostDomains {
			return fault.Denied.Errorf("The organization has %d domains, which is the most.", len(list)).Coded("organization_limit_reached")
		}
		if err := s.Store.AddDomain(ctx, d); err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(audit.DomainAdd, d.OrganizationID, d.Target(), audit.Details{"verification_type": string(d.Proof)}))
	})
}

// proof takes a way to prove a claim; none is ByDNS.
func (s *Domains) proof(p Proof) (Proof, error) {
	switch {
	case p == "":
		return ByDNS, nil
	case s.Offers(p):
		return p, nil
	case p == ByHTTP:
		return "", fault.Invalid.Errorf("This server takes proofs by DNS only. Its operator can allow proofs by web page.").At("verification_type")
	}
	return "", fault.Invalid.Errorf("Say %s or %s, or leave it out.", ByDNS, ByHTTP).At("verification_type")
}

// Update changes how a claim is to be proved: the next look is of that kind.
// One that is verified changes once the other proof is there: who has lost the
// domain could else have it looked for where nobody answers, which ends no
// claim.
//
// It returns fault.NotFound, fault.Invalid at verification_type, and what Verify
// does where the other proof is not there.
func (s *Domains) Update(ctx context.Context, by account.Actor, o account.Organization, idOrName string, proof Proof) (Domain, error) {
	proof, err := s.proof(proof)
	if err != nil {
		return Domain{}, err
	}
	was, err := s.Get(ctx, o, idOrName)
	if err != nil || was.Proof == proof {
		return was, err
	}
	if was.State == Verified {
		if err := s.Limits.Take(ctx, looks, o.ID); err != nil {
			return Domain{}, err
		}
		other := was
		other.Proof = proof
		if no := s.look(ctx, other); no != nil {
			return Domain{}, errUnproved(no)
		}
	}
	return s.edit(ctx, o, was.ID, func(ctx context.Context, d *Domain) error {
		switch {
		case d.Proof == proof:
			return nil
		case d.State == Verified && was.State != Verified:
			return errChanged()
		}
		details := audit.Details{}
		details.Changed("verification_type", string(d.Proof), string(proof))
		d.Proof = proof
		if err := s.Store.UpdateDomain(ctx, *d); err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(audit.DomainUpdate, o.ID, d.Target(), details))
	})
}

// Remove ends a claim, with its links to identity providers. Whom the
// organization manages it manages still, until they are released. It returns
// fault.NotFound.
func (s *Domains) Remove(ctx context.Context, by account.Actor, o account.Organization, idOrName string) error {
	_, err := s.edit(ctx, o, idOrName, func(ctx context.Context, d *Domain) error {
		if err := s.Store.DeleteDomain(ctx, d.ID); err != nil {
			return err
		}
		return s.Audit.Record(ctx, by.Did(audit.DomainRemove, o.ID, d.Target(), audit.Details{"state": string(d.State)}))
	})
	return err
}

// edit changes one claim while nobody else changes anything of the
// organization.
func (s *Domains) edit(ctx context.Context, o account.Organization, idOrName string, fn func(ctx context.Context, d *Domain) error) (Domain, error) {
	var out Domain
	err := s.change(ctx, o.ID, func(ctx context.Context) (err error) {
		if out, err = s.Get(ctx, o, idOrName); err != nil {
			return err
		}
		return fn(ctx, &out)
	})
	if err != nil {
		return Domain{}, fmt.Errorf("change domain %s: %w", clip(idOrName), err)
	}
	return out, nil
}

// change runs a transaction that nobody else runs on the organization.
func (s *Domains) change(ctx context.Context, organizationID string, fn func(ctx context.Context) error) error {
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockOrganization(ctx, organizationID); err != nil {
			return err
		}
		return fn(ctx)
	})
}
