package sso

import (
	"fmt"
	"time"

	"gatehouse/internal/seal"
)

//go:generate go run ./internal/samltest/gen ../testdata/saml

// Check judges a decoded response of one identity provider: see
// docs/security.md for what it looks at, in order. It is pure: the same input
// gives the same answer, and nothing is written or asked of the network.
//
// An error is always a *Rejection. An assertion that comes back was signed
// with one of idp's certificates, for us, now, and each of its fields was
// covered by that signature. Whether it was used before is for the caller to
// find out, by Assertion.ID and Assertion.Ticket.
func (p *Provider) Check(idp *IdP, raw []byte, want Expectation) (*Assertion, error) {
	judged, r := p.check(idp, raw, want, p.decrypter(idp, want.Now))
	if r != nil {
		return nil, r
	}
	return judged.out, nil
}

// check gives the profile of a response that holds.
func (p *Provider) check(idp *IdP, raw []byte, want Expectation, keys *decrypter) (*profile, *Rejection) {
	found, r := scan(raw)
	if r != nil {
		return nil, r
	}
	if found.assertion == nil {
		// A refusal of the identity provider has no assertion and often no
		// signature. It admits nobody, so it may speak for itself.
		if r := checkStatus(found.root); r != nil {
			return nil, r
		}
		if found.encrypted == nil {
			return nil, reject("no_assertion", "one", "none")
		}
	}
	proof, r := found.prove(idp, p.Guard, want.Now, keys)
	if r != nil {
		return nil, r
	}
	if want.Ticket == nil {
		want.Ticket = p.Tickets(idp.ID, want.Now)
	}
	judged := newProfile(idp, want, proof, found, keys)
	for i := range rules {
		if r := rules[i].check(judged); r != nil {
			return nil, r
		}
	}
	return judged, nil
}

// A Provider is us, as a service provider, towards all identity providers.
type Provider struct {
	Keys *seal.Keyring // authenticates request ids, opens the keys that sign requests
	Base string        // the public URL, without a slash at the end: no request goes there

	opened openedKeys

	// Guard says when our own verification of signatures is believed without
	// goxmldsig's; nil: never.
	Guard *Guard
}

// An Expectation is what a response has to agree with.
type Expectation struct {
	Now        time.Time
	Audiences  []string // our entity ids; each AudienceRestriction must name one
	Recipients []string // our ACS URLs; Recipient, and Destination where present, must be one

	// Unsolicited admits a response that answers no request of ours.
	Unsolicited bool

	// Ticket opens the id of a request of ours, or says why it does not count
	// (a *Rejection). It is asked about every InResponseTo.
	Ticket func(requestID string) (Ticket, error)
}

// An Assertion is what an identity provider verifiably said of a person.
type Assertion struct {
	ID           string // of the assertion: to be used once
	ResponseID   string // empty if the response itself is not signed
	InResponseTo string // the id of our request; empty if unsolicited
	Ticket       Ticket // what that request was; zero if unsolicited

	Subject    Subject             // who it is about, for this IdP
	NameID     NameID              // as asserted
	Attributes map[string][]string // by Attribute Name, each value whole

	Email     string // as account.NormalizeEmail gives it; empty if none was asserted
	FirstName string
	LastName  string
	RealName  string
	Groups    []string

	AuthnAt      time.Time // when the person proved who they are (AuthnInstant)
	AuthnContext string    // AuthnContextClassRef; may be empty
	SessionIndex string    // the IdP's name for its session; may be empty
	SessionEnds  time.Time // SessionNotOnOrAfter; zero if none was asserted

	// UsableUntil is when nothing about this response can be valid any more,
	// skew included: until then its id must be remembered.
	UsableUntil time.Time

	// Certificate is the index in IdP.Certificates of the one that signed.
	Certificate int

	// Allowances are those of the method that were needed.
	Allowances []Allowance

	// Warnings are things that are admitted and should be mended, in words for
	// an administrator: an expired certificate, a used allowance.
	Warnings []string
}

// A Subject is a person's identity at one IdP. Two subjects are the same
// person only if both fields are equal, byte for byte.
type Subject struct {
	Kind  string // "attribute:<Name>" or "nameid:<Format>"
	Value string // the value; for a NameID with qualifiers, these too, unambiguously
}

// A NameID is the name that an assertion gives its subject (SAML Core, 2.2.3).
type NameID struct {
	Value           string
	Format          string
	NameQualifier   string
	SPNameQualifier string
}

// A Rejection says why a response is not believed. It is an error.
type Rejection struct {
	Code     string // stable, snake_case: "audience_mismatch"
	Message  string // what is wrong, one sentence
	Expected string // what would have been right; may be empty
	Got      string // what there was, cut to 200 characters; may be empty
	Remedy   string // what an administrator does about it
}

// Error gives the whole story, for logs.
func (r *Rejection) Error() string {
	s := r.Code + ": " + r.Message
	if r.Expected != "" || r.Got != "" {
		s += fmt.Sprintf(" (expected %q, got %q)", r.Expected, r.Got)
	}
	return s
}
