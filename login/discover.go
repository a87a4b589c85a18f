package login

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/policy"
)

// mostNamed is how many identity providers one sentence names.
const mostNamed = 3

// An Offer is how somebody with an address in a domain may log in. It follows
// from the domain alone: whether anybody has the address, and what account that
// is, changes nothing of it.
type Offer struct {
	Domain string // of the address

	// Methods are the identity providers that speak for the domain, the one
	// that was linked first first. Where there are several, the person chooses.
	Methods []DomainMethod

	// Password says that a password is as good a way. Where it is not, one
	// still may be typed: the address may be in an account that the domain's
	// organization does not manage.
	Password bool
}

// offer decides what is offered in a domain. methods speak for it, and rules
// are those in force in their organization; nil where there are no methods.
func offer(domain string, methods []DomainMethod, rules *policy.Rules) Offer {
	if len(methods) == 0 || !rules.SAML {
		return Offer{Domain: domain, Password: true}
	}
	return Offer{Domain: domain, Methods: methods, Password: rules.Password}
}

// Offers says how somebody with an address may log in. It asks the same of
// storage for every address of a domain. It returns fault.Invalid at "email",
// and fault.TooMany where the client has asked about too many.
func (l *Login) Offers(ctx context.Context, address string, c Client) (Offer, error) {
	email, err := account.NormalizeEmail(address)
	if err != nil {
		return Offer{}, err
	}
	if err := l.Limits.Take(ctx, offersByAddress, limit.Address(c.IP)); err != nil {
		return Offer{}, err
	}
	return l.offers(ctx, email)
}

// offersByAddress bounds how fast a list of domains can be tried.
var offersByAddress = limit.Rule{Name: "ways in for an address", Burst: 300, Every: time.Second}

// offers is Offers, and counts nothing.
func (l *Login) offers(ctx context.Context, email string) (Offer, error) {
	domain := domainOf(email)
	methods, err := l.Store.DomainMethods(ctx, domain)
	if err != nil {
		return Offer{}, fmt.Errorf("find methods of domain: %w", err)
	}
	if len(methods) == 0 {
		return offer(domain, nil, nil), nil
	}
	// A name has one verified claim: all methods are one organization's.
	p, err := l.Store.Policy(ctx, methods[0].OrganizationID)
	if err != nil {
		return Offer{}, fmt.Errorf("find policy of domain: %w", err)
	}
	return offer(domain, methods, p.InForce(l.Now(), false)), nil
}

// A WrongPassword is the cause of the answer to a wrong password: how the
// domain of the address logs in, for pages that have better than a sentence.
type WrongPassword struct{ Offer }

func (*WrongPassword) Error() string { return "wrong password" }

// errWrongPassword is the answer to a wrong password, an account without one,
// and an address without an account: one answer for all addresses of a domain.
// base is our public URL.
func errWrongPassword(o Offer, base string) *fault.Error {
	text := "The address or the password is not right."
	if len(o.Methods) == 0 {
		text += " If your organization uses single sign-on, use its login link instead: its administrators have it, and the account link."
	} else {
		text += " " + o.sentence(base)
	}
	return fault.Denied.Errorf("%s", text).Coded("authentication_failed").Because(&WrongPassword{o})
}

// sentence says in words how the domain logs in, and what to do with an account
// that has another way in.
func (o Offer) sentence(base string) string {
	var names, logins, links []string
	for _, m := range o.Methods[:min(len(o.Methods), mostNamed)] {
		names = append(names, m.Name)
		logins = append(logins, base+"/v1/sso/saml/login/"+m.ID)
		links = append(links, base+"/link/"+m.ID)
	}
	return fmt.Sprintf("Addresses of %s log in through %s of %s: open %s. If you have an account here with another way in, log in to it that way and open its account link once: %s. If that does not help, ask an administrator of %s.",
		o.Domain, strings.Join(names, " or "), o.Methods[0].Organization, strings.Join(logins, " or "), strings.Join(links, " or "), o.Methods[0].Organization)
}
