package sso

// A topic is something that is set or read at an identity provider, and that
// each product calls otherwise.
type topic int

const (
	atAudience      topic = iota // our entity ID
	atACS                        // our ACS URL
	atIssuer                     // its own entity ID
	atCertificate                // the certificate that it signs with now
	atNewKey                     // how it gets another one
	atAlgorithm                  // what it signs with
	atSignAssertion              // that it signs the assertion
	atSignResponse               // that it signs the response
	atEncryption                 // the certificate that it encrypts to
	atCipher                     // what it encrypts with
	atNameID                     // the subject's name
	atEmail                      // the attribute with the address
	atGroups                     // the attribute with the groups
	atPeople                     // who may log in
	atRelay                      // where a login that starts there leads
	atEvents                     // its log of logins
	atLogout                     // our single logout URL
)

// A place is a topic in the console of a product.
type place struct {
	where string // "on the General tab": follows "In Okta,"
	field string // what it is called there, in quotes where the console shows it so
	do    string // what to do about it, an imperative; for topics that are set, empty where the value is ours
}

// A console is how a product calls things, and where they are, as of 2026. A
// topic that is not in places has no setting there that we know of.
type console struct {
	name   string
	hosted bool // its vendor runs it, so that its clock is right
	places map[topic]place

	// special are whole remedies that fit this product better than the recipe
	// for the code.
	special map[string]string
}

// consoles has all products but Generic.
var consoles = map[Vendor]console{
	Okta:       oktaConsole,
	Auth0:      auth0Console,
	EntraID:    entraConsole,
	Google:     googleConsole,
	FusionAuth: fusionAuthConsole,
	JumpCloud:  jumpCloudConsole,
	OneLogin:   oneLoginConsole,
	Keycloak:   keycloakConsole,
	ADFS:       adfsConsole,
}
