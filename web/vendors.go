package web

// A vendor is how one product calls what every SAML identity provider has.
type vendor struct {
	ID       string
	Name     string
	Where    string // how to come to a new application there
	ACS      string // its word for our ACS URL
	EntityID string // its word for our entity id
	NameID   string // what to choose as the subject
	Claims   string // how to send the attributes
	Sign     string // which of its options has the signature that we ask for
	Metadata string // where its metadata is
	Assign   string // how people get access to the application
}

// vendors has the products that the set-up knows by their words. The first
// stands for all others.
var vendors = []vendor{
	{
		ID: "other", Name: "Another product",
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
		ID: "okta", Name: "Okta",
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
		ID: "entra", Name: "Microsoft Entra ID",
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
		ID: "google", Name: "Google Workspace",
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
		ID: "keycloak", Name: "Keycloak",
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
		ID: "adfs", Name: "AD FS",
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
		if v.ID == id {
			return v
		}
	}
	return vendors[0]
}

// vendorOptions lists the vendors to choose from, the general one last.
func vendorOptions() []option {
	var out []option
	for _, v := range append(vendors[1:len(vendors):len(vendors)], vendors[0]) {
		out = append(out, option{v.ID, v.Name})
	}
	return out
}
