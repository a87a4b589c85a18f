// Package sso speaks SAML 2.0 as a service provider: it publishes metadata,
// makes requests, and judges responses.
//
// Its one rule of thumb: read only what was signed. [Provider.Check] is pure;
// it takes bytes, an identity provider's settings, what is expected, and a
// clock, and gives back either an [Assertion] or a [Rejection] that says in an
// administrator's words what was wrong. Who the asserted person is, and
// whether anything was used before, is for package login to decide.
//
// crewjam/saml supplies types, metadata and requests; goxmldsig verifies
// signatures; etree parses. No other package imports them, but for the
// demonstration IdP.
package sso

import (
	"crypto/x509"
	"time"
)

// A State is where an identity provider is in its life.
type State string

// The states of an identity provider.
const (
	Pending State = "pending_configuration" // named, with URLs, but without the IdP's side yet
	Active  State = "active"                // configured completely
	Deleted State = "deleted"               // kept for what refers to it; admits nobody
)

// A Binding is how a request reaches an IdP (SAML Bindings, 3.4 and 3.5).
type Binding string

// The two bindings for requests. Responses always come by POST.
const (
	Redirect Binding = "redirect"
	Post     Binding = "post"
)

// A LoginMode is what becomes of a login that starts at the IdP.
type LoginMode string

// The two modes. A login that started here is bound to its browser, so that
// nobody can be logged in as somebody else; one that did not has to be asked
// about.
const (
	Bounce LoginMode = "bounce" // it is started once more, from here
	Accept LoginMode = "accept" // it goes on, once the person has confirmed it
)

// An IdP is one SAML identity provider of one organization, called an
// authentication method by the API.
type IdP struct {
	ID             string // am…
	OrganizationID string // org…
	AccountID      string // a…: the organization's root account
	Name           string // what people see, up to 128 characters
	Enabled        bool
	State          State
	Base           string // the public URL when it was created: its own URLs never change
	Settings

	Certificates  []*x509.Certificate // Settings.CertificatePEM, parsed: what the IdP signs with
	SPCertificate []byte              // our certificates for this IdP, as KeySet.Certificates
	SPKey         []byte              // their private keys, as KeySet.Sealed
	Rollover

	// AskContexts are the AuthnContextClassRef values that requests ask for,
	// exactly one of which is to be asserted, instead of what
	// RequestAuthnContext says. They are neither set nor kept here: whoever
	// makes a request says them, and judges the answer by them.
	AskContexts []string

	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt *time.Time
}

// Settings are what an administrator says of an identity provider.
type Settings struct {
	EntityID       string  // the IdP's entity id, up to 2048 characters
	SSOURL         string  // where requests go, http or https, up to 2048 characters
	Binding        Binding // how they go; Redirect unless said
	CertificatePEM string  // one or several certificates, up to 16384 characters

	IdPMetadataURL         string  // where the IdP's metadata is fetched from each day; empty: nowhere
	MetadataUpdates        Updates // what becomes of a change that it shows; HoldUpdates unless said
	MetadataCertificatePEM string  // what it has to be signed by; empty: a signature of it is not looked at

	DigestAlgorithm     string // sha1, sha256, sha384 or sha512: of our requests
	SignatureAlgorithm  string // rsa-sha1, rsa-sha256, rsa-sha384, rsa-sha512, or ecdsa-sha256 with an ECDSA key: of our requests
	Variant             string // "adfs" or empty: how our requests are written
	SignRequests        bool   // sign our requests
	WantAssertionSigned bool   // the assertion itself must be signed; a signed response is not enough
	RequestAuthnContext bool   // ask for a login with a password over TLS or better, and take no other
	ForceAuthn          bool   // ask for a login made for the request, not an older session, and take no other
	NameIDFormat        string // that requests ask for, one of NameIDFormats; empty: whatever is set at the IdP

	IdPLoginAllowed bool      // logins may start at the IdP
	IdPLoginMode    LoginMode // what becomes of one that does
	JoinGroups      bool      // follow the groups that it asserts

	Mapping Mapping

	// Logouts: IdPSLOURL is where the IdP is told of them, IdPSLOResponseURL
	// where answers to its own go, if that is elsewhere. Both as SSOURL; empty:
	// it is told of none. SLOBinding is how; Redirect unless said.
	IdPSLOURL         string
	IdPSLOResponseURL string
	SLOBinding        Binding

	AllowSHA1      bool // accept SHA-1 in signatures and digests: a risk
	AllowSmallKeys bool // accept RSA keys under 2048 bits (never under 1024): a risk

	// AllowEmptyReference accepts a signature of the whole response that refers
	// to it by URI="": a risk. AllowNoRecipient accepts a confirmation without
	// Recipient where a signed response has our address as Destination: a risk.
	AllowEmptyReference bool
	AllowNoRecipient    bool

	TokenMaxAge         time.Duration // how long sessions made here last; 0 means the default
	TokenExtendWhenUsed bool          // whether use prolongs them

	AutoJoinGroupID string // the group that new people join; may be empty
}

// A Mapping names the attributes that carry a person's particulars. An empty
// name means the defaults, which know what the common IdPs send. A mapped name
// is compared with Attribute Name, exactly.
type Mapping struct {
	Email     string
	FirstName string
	LastName  string
	RealName  string
	Identity  string
	Groups    string
}

// MetadataURL is where our metadata for this IdP is; it is also our entity id.
func (i *IdP) MetadataURL() string { return i.Base + "/v1/sso/saml/metadata/" + i.ID }

// ACSURL is our assertion consumer service for this IdP.
func (i *IdP) ACSURL() string { return i.Base + "/v1/sso/saml/acs/" + i.ID }

// accountURL is the other form of the two URLs, which older clients build.
func (i *IdP) accountURL(leaf string) string {
	return i.Base + "/v1/sso/saml/account/" + i.AccountID + "/method/" + i.ID + "/" + leaf
}

// Expect is what a response from this IdP must say at the moment now.
func (i *IdP) Expect(now time.Time) Expectation {
	return Expectation{
		Now:        now,
		Audiences:  []string{i.MetadataURL(), i.accountURL("metadata")},
		Recipients: []string{i.ACSURL(), i.accountURL("acs")},
	}
}
