package web

import "gatehouse/sso"

// A vendor is how to connect one product, in its words.
type vendor struct {
	ID       sso.Vendor
	Where    string // how to come to a new application there
	ACS      string // its word for our ACS URL
	EntityID string // its word for our entity id
	NameID   string // what to choose as the subject
	Claims   string // how to send the attributes
	Sign     string // which of its options has the signature that we ask for
	Metadata string // where its metadata is
	Assign   string // how people get access to the application
}

// vendors has the set-up of all vendors. The first stands for all others.
var vendors = []vendor{
	{
		ID:       sso.Generic,
		Where:    "Create a SAML 2.0 application. It may be called a service provider, a relying party or a connection.",
		ACS:      "ACS URL, reply URL or single sign-on URL",
		EntityID: "Entity ID, audience or SP issuer",
		NameID:   "A NameID that stays with a person: persistent is best, an email address will do. Never transient.",
		Claims:   "Send email, firstName and lastName as attributes. The usual names are recognised; others can be mapped later.",
		Sign:     "Sign the response, the assertion or both, with SHA-256. Assertions may be encrypted with AES-GCM; with AES-CBC if the response is signed.",
		Metadata: "Look for “metadata” or “federation metadata”, as a URL or an XML file. Open it and copy all of it.",
		Assign:   "Give the people, or a group of them, access to the application.",
	},
	{
		ID:       sso.Okta,
		Where:    "In the admin console, open Applications, choose “Create App Integration”, then “SAML 2.0”.",
		ACS:      "Single sign-on URL",
		EntityID: "Audience URI (SP Entity ID)",
		NameID:   "Name ID format “Persistent”, or “EmailAddress” with the application username “Email”.",
		Claims:   "Under attribute statements add email, firstName and lastName, with the values user.email, user.firstName and user.lastName.",
		Sign:     "Under “Show Advanced Settings” keep Response “Signed” and Assertion Signature “Signed”, with RSA-SHA256 and SHA256. If you encrypt assertions, Response has to stay “Signed”.",
		Metadata: "On the application's “Sign On” tab, open the metadata URL, and copy all of the page that it shows.",
		Assign:   "On the “Assignments” tab, assign people or groups.",
	},
	{
		ID:       sso.Auth0,
		Where:    "In the dashboard, open Applications and create a “Regular Web Application”. On its “Addons” tab, switch “SAML2 Web App” on: “Settings” takes the values.",
		ACS:      "Application Callback URL",
		EntityID: "“audience” in the JSON",
		NameID:   "The default, the user's id, stays with a person. Set “nameIdentifierFormat” to urn:oasis:names:tc:SAML:2.0:nameid-format:persistent.",
		Claims:   "The default claims (emailaddress, givenname, surname) are recognised as they are.",
		Sign:     "Set “signatureAlgorithm” to “rsa-sha256” and “digestAlgorithm” to “sha256” in the JSON: left out, they mean SHA-1. Assertions are signed; with “signResponse” true, the response is instead.",
		Metadata: "On the “Usage” tab of the addon, download “Identity Provider Metadata”. Open the file and copy all of it.",
		Assign:   "On the application's “Connections” tab, switch on the connections that the people are in.",
	},
	{
		ID:       sso.EntraID,
		Where:    "In the admin center, open Enterprise applications, “New application”, “Create your own application” (not in the gallery). Then open “Single sign-on” and choose SAML.",
		ACS:      "Reply URL (Assertion Consumer Service URL)",
		EntityID: "Identifier (Entity ID)",
		NameID:   "Unique User Identifier: user.objectid with the format “Persistent”, or the default, user.userprincipalname.",
		Claims:   "The default claims (emailaddress, givenname, surname) are recognised as they are.",
		Sign:     "Under SAML Certificates the default, “Sign SAML assertion” with SHA-256, is enough. If you switch token encryption on, choose the signing option “Sign SAML response and assertion”.",
		Metadata: "Under SAML Certificates, download “Federation Metadata XML”. Open the file and copy all of it.",
		Assign:   "Under “Users and groups”, assign people or groups.",
	},
	{
		ID:       sso.Google,
		Where:    "In the admin console, open Apps, “Web and mobile apps”, “Add app”, “Add custom SAML app”. Keep the metadata that the second page offers: step 3 needs it.",
		ACS:      "ACS URL",
		EntityID: "Entity ID",
		NameID:   "Name ID format “EMAIL”, Name ID “Basic Information > Primary email”.",
		Claims:   "Map Primary email to email, First name to firstName and Last name to lastName.",
		Sign:     "Its assertions are signed. “Signed response” may be ticked, and signs the response instead.",
		Metadata: "“Download metadata”, on the application's page. Open the file and copy all of it.",
		Assign:   "Under “User access”, switch the application on for everyone or for some organizational units.",
	},
	{
		ID:       sso.FusionAuth,
		Where:    "Open Applications and add one. On its “SAML” tab, switch “Enabled” on.",
		ACS:      "Authorized redirect URLs",
		EntityID: "Issuer (leave “Audience” empty)",
		NameID:   "NameID format “Persistent”, or “Email”.",
		Claims:   "Choose a “Populate lambda” that sends email, firstName and lastName.",
		Sign:     "Under “Authentication response”, choose a “Signing key” with RSA and SHA-256. If you encrypt assertions with CBC, set “Signature location” to “Response”.",
		Metadata: "In the application's “View” dialog, open the metadata URL under “SAML v2 Integration details”, and copy all of the page that it shows.",
		Assign:   "Register the people for the application, on the “Registrations” tab of each.",
	},
	{
		ID:       sso.JumpCloud,
		Where:    "In the admin portal, open SSO Applications, “Add New Application”, “Custom Application”, and choose “Configure SSO with SAML”. Its “SSO” tab takes the values.",
		ACS:      "ACS URLs",
		EntityID: "SP Entity ID",
		NameID:   "SAMLSubject NameID “email”, with the format that ends in emailAddress.",
		Claims:   "Under “Attributes” add email, firstName and lastName, with the JumpCloud attributes email, firstname and lastname.",
		Sign:     "Signature Algorithm “RSA-SHA256”. The response is signed, or the assertion, as “Sign” says: either will do.",
		Metadata: "On the “SSO” tab, choose “Export Metadata”. Open the file and copy all of it.",
		Assign:   "On the “User Groups” tab, tick the groups that the people are in.",
	},
	{
		ID:       sso.OneLogin,
		Where:    "Under Administration, open Applications, “Add App”, “SAML Custom Connector (Advanced)”. Its “Configuration” tab takes the values.",
		ACS:      "ACS (Consumer) URL, Recipient, and (as a regular expression) ACS (Consumer) URL Validator",
		EntityID: "Audience (EntityID)",
		NameID:   "SAML nameID format “Persistent”, or “Email” with the NameID value “Email”.",
		Claims:   "On the “Parameters” tab add email, firstName and lastName, each with “Include in SAML assertion”.",
		Sign:     "On the “SSO” tab, SAML Signature Algorithm “SHA-256”. On “Configuration”, SAML signature element “Response”, “Assertion” or “Both”; “Both” if you encrypt assertions.",
		Metadata: "Under “More Actions”, choose “SAML Metadata”. Open the file and copy all of it.",
		Assign:   "On the application's “Access” tab, choose roles; or add it on the “Applications” tab of a person.",
	},
	{
		ID:       sso.Keycloak,
		Where:    "In the realm, open Clients and choose “Import client”, with the metadata document from here; or “Create client” with the type SAML.",
		ACS:      "Valid redirect URIs, and the Assertion Consumer Service POST Binding URL",
		EntityID: "Client ID",
		NameID:   "Name ID format “persistent”, or “email”.",
		Claims:   "Add the predefined mappers for email, givenName and surname to the client's dedicated scope.",
		Sign:     "“Sign documents” on, which is enough; “Sign assertions” may be on as well. “Encrypt assertions” asks for “Sign documents”, or for AES-GCM. Canonicalization method EXCLUSIVE.",
		Metadata: "Under Realm settings, open “SAML 2.0 Identity Provider Metadata”. Copy all of the page that it shows.",
		Assign:   "Everybody in the realm has access, unless you restrict it.",
	},
	{
		ID:       sso.ADFS,
		Where:    "Open AD FS Management, “Add Relying Party Trust”, “Claims aware”, and let it read the metadata URL from here.",
		ACS:      "SAML Assertion Consumer Endpoint, binding POST",
		EntityID: "Relying party trust identifier",
		NameID:   "A claim rule that sends “Name ID”: from objectGUID or from E-Mail-Addresses.",
		Claims:   "A rule “Send LDAP Attributes as Claims”: E-Mail-Addresses as E-Mail Address, Given-Name as Given Name, Surname as Surname.",
		Sign:     "It encrypts with AES-CBC as soon as it has read our metadata, and signs the assertion only. Have it sign the response too, in PowerShell: Set-AdfsRelyingPartyTrust -TargetName NAME -SamlResponseSignature MessageAndAssertion. The secure hash algorithm, on the tab Advanced of the trust, is SHA-256.",
		Metadata: "Open /FederationMetadata/2007-06/FederationMetadata.xml on your AD FS host. Copy all of it.",
		Assign:   "Choose an access control policy that admits the people.",
	},
}

// vendorBy finds a vendor; the first stands for one that is not known.
func vendorBy(id string) vendor {
	for _, v := range vendors {
		if string(v.ID) == id {
			return v
		}
	}
	return vendors[0]
}

// vendorOf is the vendor that was chosen; else the one that an identity
// provider looks like.
func vendorOf(chosen string, i *sso.IdP) vendor {
	if chosen != "" {
		return vendorBy(chosen)
	}
	return vendorBy(string(sso.GuessVendor(sso.Hints{EntityID: i.EntityID, SSOURL: i.SSOURL})))
}

func (v vendor) name() string {
	if v.ID == sso.Generic {
		return "Another product"
	}
	return v.ID.Name()
}

// vendorOptions lists the vendors to choose from, the general one last.
func vendorOptions() []option {
	var out []option
	for _, v := range append(vendors[1:len(vendors):len(vendors)], vendors[0]) {
		out = append(out, option{string(v.ID), v.name()})
	}
	return out
}
