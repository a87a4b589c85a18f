package sso

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Vendor is a product that speaks SAML as an identity provider, as the wire
// has it. It chooses words for an administrator and nothing else: it is guessed
// from what anybody may have written.
type Vendor string

// The vendors whose words are known. Generic stands for all others.
const (
	Okta       Vendor = "okta"
	Auth0      Vendor = "auth0"
	EntraID    Vendor = "entra_id"
	Google     Vendor = "google"
	FusionAuth Vendor = "fusionauth"
	JumpCloud  Vendor = "jumpcloud"
	OneLogin   Vendor = "onelogin"
	Keycloak   Vendor = "keycloak"
	ADFS       Vendor = "adfs"
	Generic    Vendor = "generic"
)

// Vendors lists all vendors, the general one last.
var Vendors = []Vendor{Okta, Auth0, EntraID, Google, FusionAuth, JumpCloud, OneLogin, Keycloak, ADFS, Generic}

// Name is how the product is called in a sentence.
func (v Vendor) Name() string {
	if k, there := consoles[v]; there {
		return k.name
	}
	return "the identity provider"
}

// Hints are what a vendor is guessed from. Any may be empty.
type Hints struct {
	EntityID string // of the method's settings
	SSOURL   string // of the method's settings

	Issuer     string   // as the response says
	Attributes []string // the names of the attributes in it
	ID         string   // of the response or the assertion
}

// Vendor guesses who made the identity provider of a report, by its settings
// and by the response.
func (r *Report) Vendor(idp *IdP) Vendor {
	h := Hints{Issuer: r.Issuer}
	if idp != nil {
		h.EntityID, h.SSOURL = idp.EntityID, idp.SSOURL
	}
	for name := range r.Attributes {
		h.Attributes = append(h.Attributes, name)
	}
	return GuessVendor(h)
}

// GuessVendor says whose product the hints look like; Generic if they do not
// tell. The settings count before the response, and addresses before shapes.
func GuessVendor(h Hints) Vendor {
	for _, address := range []string{h.EntityID, h.SSOURL, h.Issuer} {
		if v := vendorOfAddress(address); v != Generic {
			return v
		}
	}
	return vendorOfShape(h.Attributes, h.ID)
}

// vendorHosts are where the services run: the host itself or one under it.
var vendorHosts = []struct {
	host   string
	vendor Vendor
}{
	{"okta.com", Okta}, {"oktapreview.com", Okta}, {"okta-emea.com", Okta}, {"okta-gov.com", Okta}, {"okta.mil", Okta},
	{"auth0.com", Auth0},
	{"sts.windows.net", EntraID}, {"login.windows.net", EntraID}, {"login.microsoftonline.com", EntraID}, {"login.microsoftonline.us", EntraID},
	{"microsoftonline.cn", EntraID}, {"login.chinacloudapi.cn", EntraID}, {"login.microsoft.com", EntraID}, {"ciamlogin.com", EntraID},
	{"accounts.google.com", Google},
	{"fusionauth.io", FusionAuth},
	{"jumpcloud.com", JumpCloud},
	{"onelogin.com", OneLogin},
}

// vendorPaths are the paths of products that run on hosts of their customers.
var vendorPaths = []struct {
	path   *regexp.Regexp
	vendor Vendor
}{
	{regexp.MustCompile(`^/app/.+/sso/saml$`), Okta}, // on a custom domain
	{regexp.MustCompile(`^/samlp/`), Auth0},          // the same
	{regexp.MustCompile(`^/samlv2/`), FusionAuth},
	{regexp.MustCompile(`/realms/[^/]+(/protocol/saml)?$`), Keycloak},
	{regexp.MustCompile(`(?i)^/adfs/(services/trust|ls)$`), ADFS},
	{regexp.MustCompile(`^/trust/saml2/`), OneLogin},
}

// vendorOfAddress knows the vendor of an entity ID or URL, or gives Generic.
func vendorOfAddress(address string) Vendor {
	if strings.EqualFold(address, "jumpcloud") {
		return JumpCloud // its entity IDs are free text, and this is what its guides propose
	}
	u, err := url.Parse(address)
	if err != nil || len(address) > 2048 {
		return Generic
	}
	host := strings.ToLower(u.Hostname())
	if u.Scheme == "urn" {
		host = strings.ToLower(u.Opaque) // urn:tenant.eu.auth0.com
	}
	for _, h := range vendorHosts {
		if host == h.host || strings.HasSuffix(host, "."+h.host) {
			return h.vendor
		}
	}
	if u.Host == "" {
		return Generic
	}
	path := strings.TrimSuffix(u.Path, "/")
	for _, p := range vendorPaths {
		if p.path.MatchString(path) {
			return p.vendor
		}
	}
	return Generic
}

// The shapes of IDs that tell a product.
var (
	keycloakID = regexp.MustCompile(`^ID_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	oktaID     = regexp.MustCompile(`^id[0-9]{15,30}$`)
	windowsID  = regexp.MustCompile(`^_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`) // AD FS and Entra ID
)

// vendorOfShape guesses by the names of attributes and by an ID.
func vendorOfShape(attributes []string, id string) Vendor {
	begins := func(prefix string) bool {
		return slices.ContainsFunc(attributes, func(name string) bool { return strings.HasPrefix(name, prefix) })
	}
	switch {
	case begins("http://schemas.microsoft.com/identity/claims/"):
		return EntraID
	case begins("http://schemas.auth0.com/"):
		return Auth0
	case keycloakID.MatchString(id):
		return Keycloak
	case oktaID.MatchString(id):
		return Okta
	case windowsID.MatchString(id) && (begins("http://schemas.microsoft.com/ws/2008/06/identity/claims/") || begins("http://schemas.xmlsoap.org/claims/")):
		return ADFS
	}
	return Generic
}
