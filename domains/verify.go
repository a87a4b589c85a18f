package domains

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// An Unproved is why a look proved nothing. Its text says what was looked for,
// what was asked of whom, and what came.
type Unproved struct {
	Where string // the name of the TXT record, or the address of the page
	Want  string // what should stand there
	Look  Look
	Why   string // in a sentence
}

func (u *Unproved) Error() string { return u.Why }

// judge says whether a look proves a claim: nil if it does.
func judge(d Domain, where string, l Look) *Unproved {
	if !l.Unsure && slices.ContainsFunc(l.Values, d.proves) {
		return nil
	}
	no := &Unproved{Where: where, Want: d.Value(), Look: l}
	switch {
	case l.Unsure:
		no.Why = fmt.Sprintf("Nobody could say what is published at %s: %s. Try again in a while; if it stays so, the servers of the domain or the resolver of this server need mending.", where, l.trail())
	case len(l.Values) == 0:
		no.Why = fmt.Sprintf("Nothing is published at %s: %s. Publish %q there. If you did, ask whether your DNS provider added the domain's name to the record's name once more.", where, l.trail(), no.Want)
	default:
		no.Why = fmt.Sprintf("What is published at %s is another value than the claim's: %s. Publish %q there, beside it or in its place.", where, quoted(l.Values), no.Want)
	}
	return no
}

// trail says what was asked of whom and what came, in one line.
func (l Look) trail() string {
	if len(l.Asked) == 0 {
		return "nobody was asked"
	}
	parts := make([]string, 0, len(l.Asked))
	for _, q := range l.Asked {
		parts = append(parts, fmt.Sprintf("%s (%s) said of %s %s: %s", q.Server, q.Network, q.Type, q.Name, q.Outcome))
	}
	const most = 6
	if len(parts) > most {
		parts = append(parts[:most-1], parts[len(parts)-1])
	}
	return strings.Join(parts, "; ")
}

// quoted lists what strangers published, as far as it is fit to be repeated.
func quoted(values []string) string {
	const most = 5
	var out []string
	for i, v := range values {
		if i == most {
			out = append(out, fmt.Sprintf("and %d more", len(values)-most))
			break
		}
		out = append(out, strconv.QuoteToASCII(clip(strings.ToValidUTF8(v, "�"))))
	}
	return strings.Join(out, ", ")
}

// look looks for the proof of a claim.
func (s *Domains) look(ctx context.Context, d Domain) *Unproved {
	if d.Proof == ByHTTP {
		if s.Pages == nil {
			return &Unproved{Where: s.Page(d), Want: d.Value(), Look: Look{Unsure: true}, Why: "This server does not take proofs by web page any more. Prove the domain by DNS."}
		}
		return judge(d, s.Page(d), s.Pages.TXT(ctx, d.Name))
	}
	return judge(d, s.Record(d), s.DNS.TXT(ctx, s.Record(d)))
}

// Verify looks for the proof of a claim now. Once it was seen the claim is
// verified, and the organization manages those of its members whose proved
// address is in the domain; see Store.AdoptMembers. A claim that is verified
// and not missing its record is given as it is.
//
// It returns fault.NotFound; fault.TooMany; fault.Conflict with code
// organization_domain_verification_failed, caused by an *Unproved; and
// fault.Conflict with code organization_domain_already_linked if the name is
// another organization's.
func (s *Domains) Verify(ctx context.Context, by account.Actor, o account.Organization, idOrName string) (Domain, error) {
	d, err := s.Get(ctx, o, idOrName)
	if err != nil {
		return Domain{}, err
	}
	if d.State == Verified && d.MissingSince.IsZero() {
		return d, nil
	}
	if err := s.Limits.Take(ctx, looks, o.ID); err != nil {
		return Domain{}, err
	}
	if no := s.look(ctx, d); no != nil {
		if err := s.noteFinding(ctx, o, d, no); err != nil {
			return Domain{}, err
		}
		return Domain{}, errUnproved(no)
	}
	return s.edit(ctx, o, d.ID, func(ctx context.Context, now *Domain) error {
		if now.Challenge != d.Challenge || now.Proof != d.Proof {
			return errChanged()
		}
		return s.verified(ctx, by, o, now)
	})
}

func errUnproved(no *Unproved) *fault.Error {
	return fault.Conflict.Errorf("%s", no.Why).Coded("organization_domain_verification_failed").Because(no)
}

func errChanged() *fault.Error {
	return fault.Conflict.Errorf("The claim was changed meanwhile. Try again.").Coded("organization_domain_verification_failed")
}

// noteFinding keeps what a look in vain found. It returns fault.NotFound if the
// claim is gone. Looks at a verified claim do not put off the daily one: whoever
// does not own the domain any more could keep the claim for good by asking.
func (s *Domains) noteFinding(ctx context.Context, o account.Organization, d Domain, no *Unproved) error {
	_, err := s.edit(ctx, o, d.ID, func(ctx context.Context, d *Domain) error {
		if d.State != Verified {
			d.CheckedAt = s.Now()
		}
		d.Finding = no.Why
		return s.Store.UpdateDomain(ctx, *d)
	})
	return err
}

// verified makes a claim whose proof was seen the organization's. Two who
// verify one claim at once both succeed; of two claims to one name, one does.
func (s *Domains) verified(ctx context.Context, by account.Actor, o account.Organization, d *Domain) error {
	now := s.Now()
	was := *d
	d.State, d.CheckedAt, d.Finding, d.MissingSince = Verified, now, "", time.Time{}
	if was.State != Verified {
		d.VerifiedAt = now
	}
	err := s.Store.UpdateDomain(ctx, *d)
	if errors.Is(err, fault.Exists) {
		return fault.Conflict.Errorf("Another organization has verified %s. It has to remove its claim first.", d.Name).Coded("organization_domain_already_linked")
	}
	if err != nil {
		return err
	}
	switch {
	case was.State != Verified:
		return s.adopt(ctx, by, o, d)
	case !was.MissingSince.IsZero():
		return s.Audit.Record(ctx, by.Did(audit.DomainFound, o.ID, d.Target(), nil))
	}
	return nil
}

// adopt has the organization manage its members in a domain that is its own
// from now on.
func (s *Domains) adopt(ctx context.Context, by account.Actor, o account.Organization, d *Domain) error {
	people, err := s.Store.AdoptMembers(ctx, o.ID, d.Name, s.Now())
	if err != nil {
		return err
	}
	details := audit.Details{"verification_type": string(d.Proof), "members": strconv.Itoa(len(people))}
	if err := s.Audit.Record(ctx, by.Did(audit.DomainVerify, o.ID, d.Target(), details)); err != nil {
		return err
	}
	for _, u := range people {
		if err := s.Audit.Record(ctx, by.Did(audit.UserManage, o.ID, u.Target(), audit.Details{"domain": d.Name})); err != nil {
			return err
		}
	}
	return nil
}

// Proved has an organization manage a member who has just proved an address in
// a domain of its, in the transaction of ctx, as Verify does with those who
// proved theirs before.
func (s *Domains) Proved(ctx context.Context, u account.User) error {
	_, name, _ := strings.Cut(u.Email, "@")
	organizationID, err := s.Store.DomainHolder(ctx, name)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	people, err := s.Store.AdoptMembers(ctx, organizationID, name, s.Now())
	if err != nil {
		return err
	}
	for _, p := range people {
		if err := s.Audit.Record(ctx, account.Actor{User: u}.Did(audit.UserManage, organizationID, p.Target(), audit.Details{"domain": name})); err != nil {
			return err
		}
	}
	return nil
}
