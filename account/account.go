// Package account knows people, organizations, what each may do, and how a
// person proves who they are by a password.
//
// An organization and its root account are a pair, made together; units are
// accounts below it. An address is unproved until something has shown that it
// is its owner's: see User.AddressProved. Nothing here trusts an address to
// say who somebody is.
package account

import (
	"net/netip"
	"time"
)

// A UserState is whether a person may come in at all.
type UserState string

// The states of a user.
const (
	ActiveUser      UserState = "active"
	DeactivatedUser UserState = "deactivated"
)

// A User is a person.
type User struct {
	ID         string // u…
	Email      string // as NormalizeEmail gives it; unique
	RealName   string // up to 256 characters
	State      UserState
	Operator   bool // may operate this installation
	CreatedAt  time.Time
	UpdatedAt  time.Time
	City       string
	Country    string
	Department string
	JobTitle   string

	// AddressProved says that somebody with access to the address has shown
	// it, by a mailed link or through an IdP that speaks for its domain. An
	// unproved address earns its account nothing.
	AddressProved bool

	// ManagingOrganizationID is the organization that manages this person;
	// empty for most.
	ManagingOrganizationID string

	// TokensValidFrom is when all earlier tokens were expired; zero if never.
	TokensValidFrom time.Time
}

// An Organization is a customer of the platform.
type Organization struct {
	ID        string // org…
	AccountID string // a…: its root account
	Name      string // up to 128 characters
	Tier      string // business or personal
	Suspended bool   // an operator stopped it: nobody comes in
	CreatedAt time.Time
	UpdatedAt time.Time
}

// An Account is an organization's root, or a unit below it.
type Account struct {
	ID             string // a…
	OrganizationID string
	ParentID       string // empty for the root account
	Name           string // up to 128 characters
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// A Member is a person's place in an organization.
type Member struct {
	OrganizationID string
	UserID         string
	SuperAdmin     bool
	JoinedAt       time.Time
}

// A Membership is an organization as one of its members sees it.
type Membership struct {
	Organization
	SuperAdmin bool
}

// An Actor is somebody who does something: the person, and from where.
type Actor struct {
	User      User
	IP        netip.Addr // zero if it is not known
	UserAgent string     // may be empty
}

// An Identity binds a subject of an IdP to a user. The same subject is bound
// to at most one user.
type Identity struct {
	MethodID    string // am…
	SubjectKind string // as sso.Subject.Kind
	Subject     string // as sso.Subject.Value
	UserID      string
	Email       string // what the IdP last asserted; for people to recognise it by
	CreatedAt   time.Time
	LastUsedAt  time.Time
	LastIP      netip.Addr // from where; zero if it was not known
	LastContext string     // AuthnContextClassRef that was asserted at the last login; may be empty
}
