// Package domains proves who owns an email domain, and says which identity
// providers speak for the addresses in it.
//
// An organization claims a domain by its name and is given a challenge: a TXT
// record that only who runs the domain's DNS can publish. Once it has been
// seen, the claim is verified, and the organization's providers that are linked
// to the domain speak for its addresses: they log people in, and make accounts
// for them, without links to send. A name has one verified claim at most. The
// record is looked at again each day; one that stays away for a week ends the
// claim.
package domains

import (
	"time"

	"gatehouse/audit"
)

// A Domain is an organization's claim to an email domain.
type Domain struct {
	ID             string // dom…
	OrganizationID string
	Name           string // as ParseName gives it
	State          State
	Proof          Proof
	Challenge      string // the random part of what is published; no secret
	CreatedAt      time.Time
	VerifiedAt     time.Time // zero: never
	CheckedAt      time.Time // the last look at the record; zero: none. Of a verified one, the last that Recheck counts
	MissingSince   time.Time // verified: since when looks have not found the record; zero: it was there
	Finding        string    // what the last look found, in a sentence; empty: the record

	// Methods are the identity providers that speak for the domain's addresses
	// while it is verified: am…, in order.
	Methods []string
}

// A State is what a claim is worth.
type State string

// The states of a claim.
const (
	Unverified State = "unverified" // worth nothing yet
	Verified   State = "verified"   // the organization's, and nobody else's
	Lost       State = "lost"       // was verified, and its record stayed away: worth nothing any more
)

// A Proof is how a claim is proved.
type Proof string

// The proofs.
const (
	ByDNS  Proof = "dns"
	ByHTTP Proof = "http" // where the server allows it
)

// grace is how long a record may be missing before its claim ends.
const grace = 7 * 24 * time.Hour

// EndsAt is when the claim ends unless the record comes back; zero where it is
// there, or there is no claim to end.
func (d Domain) EndsAt() time.Time {
	if d.State != Verified || d.MissingSince.IsZero() {
		return time.Time{}
	}
	return d.MissingSince.Add(grace)
}

// Target is a domain to which something is done.
func (d Domain) Target() audit.Target {
	return audit.Target{Kind: "domain", ID: d.ID, Name: d.Name}
}

// Value is what the TXT record says; the challenge alone is taken too.
func (d Domain) Value() string { return "token=" + d.Challenge + ",expiry=never" }

// proves says whether one published value is the proof.
func (d Domain) proves(value string) bool {
	return value == d.Value() || value == d.Challenge
}
