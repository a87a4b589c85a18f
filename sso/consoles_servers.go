package sso

var fusionAuthConsole = console{
	name: "FusionAuth",
	places: map[topic]place{
		atAudience:      {`on the application's "SAML" tab`, `"Audience" (if that is empty, "Issuer")`, ``},
		atACS:           {`on the application's "SAML" tab`, `"Authorized redirect URLs"`, ``},
		atIssuer:        {`in the application's "View" dialog under "SAML v2 Integration details"`, `"Entity Id"`, ``},
		atCertificate:   {`under "Settings", "Key Master"`, `the certificate of the key that the application's "SAML" tab has as "Signing key"`, ``},
		atNewKey:        {`under "Settings", "Key Master"`, `"Generate RSA"`, `generate an RSA key of 2048 bits, and choose it as "Signing key" on the application's "SAML" tab under "Authentication response"`},
		atAlgorithm:     {`on the application's "SAML" tab under "Authentication response"`, `"Signing key"`, `set "Signing key" to a key whose algorithm is RSA with SHA-256`},
		atSignAssertion: {`on the application's "SAML" tab under "Authentication response"`, `"Signature location"`, `set "Signature location" to "Assertion"`},
		atSignResponse:  {`on the application's "SAML" tab under "Authentication response"`, `"Signature location"`, `set "Signature location" to "Response"`},
		atEncryption:    {`on the application's "SAML" tab under "Assertion encryption"`, `"Key transport encryption certificate" (imported in "Key Master")`, ``},
		atCipher:        {`on the application's "SAML" tab under "Assertion encryption"`, `"Encryption algorithm" and "Key transport algorithm"`, `set "Encryption algorithm" to one with AES and GCM, and "Key transport algorithm" to one with RSA OAEP`},
		atNameID:        {`on the application's "SAML" tab under "Authentication response"`, `"NameID format"`, `set "NameID format" to "Persistent" or "Email"`},
		atEmail:         {`on the application's "SAML" tab under "Authentication response"`, `"Populate lambda"`, `choose a "Populate lambda" that sets assertion.attributes['email'] to [user.email]`},
		atGroups:        {`on the application's "SAML" tab under "Authentication response"`, `"Populate lambda"`, `let the "Populate lambda" send fewer roles and groups`},
		atPeople:        {`on the person's "Registrations" tab`, `"Add registration"`, `register the person for this application`},
		atRelay:         {`in the application's "View" dialog under "SAML v2 Integration details"`, `the parameter RelayState of "Initiate login URL"`, ``},
		atEvents:        {`under "System"`, `"Event Log" (with "Debug enabled" on the application's "SAML" tab)`, ``},
		atLogout:        {`on the application's "SAML" tab under "Logout request"`, `"Logout URL"`, ``},
	},
	special: map[string]string{
		"transform_refused": `In FusionAuth, on the application's "SAML" tab under "Authentication response", set "Signature canonicalization method" to "Exclusive".`,
	},
}

// The words are those of Keycloak 26.
var keycloakConsole = console{
	name: "Keycloak",
	places: map[topic]place{
		atAudience:      {`on the client's "Settings" tab`, `"Client ID"`, ``},
		atACS:           {`on the client's "Settings" and "Advanced" tabs`, `"Valid redirect URIs" and "Assertion Consumer Service POST Binding URL"`, ``},
		atIssuer:        {`under "Realm settings", "SAML 2.0 Identity Provider Metadata"`, `the entityID (the address of the realm, which follows the host name that Keycloak is reached by)`, ``},
		atCertificate:   {`under "Realm settings", "Keys"`, `"Certificate" of the active RSA key with the use "SIG"`, ``},
		atNewKey:        {`under "Realm settings", "Keys", "Add providers"`, `"Add provider"`, `add a provider "rsa-generated" with a key size of 2048 or more, and a higher priority than the present one`},
		atAlgorithm:     {`on the client's "Settings" tab under "Signature and Encryption"`, `"Signature algorithm"`, `set "Signature algorithm" to "RSA_SHA256"`},
		atSignAssertion: {`on the client's "Settings" tab under "Signature and Encryption"`, `"Sign assertions"`, `switch on "Sign assertions"`},
		atSignResponse:  {`on the client's "Settings" tab under "Signature and Encryption"`, `"Sign documents"`, `switch on "Sign documents"`},
		atEncryption:    {`on the client's "Keys" tab under "Encryption keys config"`, `the certificate (by "Import key")`, ``},
		atCipher:        {`on the client's "Settings" tab under "Signature and Encryption"`, `"Encryption Algorithm"`, `set "Encryption Algorithm" to one with AES and GCM`},
		atNameID:        {`on the client's "Settings" tab under "SAML capabilities"`, `"Name ID format" and "Force name ID format"`, `set "Name ID format" to "persistent" or "email", and switch on "Force name ID format"`},
		atEmail:         {`on the client's "Client scopes" tab, in its dedicated scope`, `"Mappers"`, `add the predefined mapper "X500 email", and see that this person has an email address in the realm`},
		atGroups:        {`on the client's "Client scopes" tab`, `"Mappers" of its scopes`, `take out mappers that send more than is needed: often "role list" or a list of groups`},
		atPeople:        {`under "Users"`, `the person's "Enabled"`, `see that the person is enabled; and on the client's "Advanced" tab, that no flow under "Authentication flow overrides" refuses them`},
		atRelay:         {`on the client's "Settings" tab under "Access settings"`, `"IDP Initiated SSO Relay State"`, `leave "IDP Initiated SSO Relay State" empty`},
		atEvents:        {`in the realm under "Events"`, `"User events"`, ``},
		atLogout:        {`on the client's "Advanced" tab`, `"Logout Service POST Binding URL" and "Logout Service Redirect Binding URL"`, ``},
	},
	special: map[string]string{
		"no_authn_statement": `In Keycloak, on the client's "Settings" tab under "SAML capabilities", switch on "Include AuthnStatement".`,
		"transform_refused":  `In Keycloak, on the client's "Settings" tab under "SAML capabilities", set "Canonicalization method" to "EXCLUSIVE".`,
	},
}

var adfsConsole = console{
	name: "AD FS",
	places: map[topic]place{
		atAudience:      {`on the "Identifiers" tab of the relying party trust's properties`, `"Relying party identifiers"`, ``},
		atACS:           {`on the "Endpoints" tab of the relying party trust's properties`, `"SAML Assertion Consumer Endpoints" (binding POST)`, ``},
		atIssuer:        {`under "Edit Federation Service Properties"`, `"Federation Service identifier"`, ``},
		atCertificate:   {`under "Service", "Certificates"`, `the primary certificate under "Token-signing"`, ``},
		atNewKey:        {`in PowerShell`, `Update-AdfsCertificate`, `run Update-AdfsCertificate -CertificateType Token-Signing, which changes the key for all relying parties`},
		atAlgorithm:     {`on the "Advanced" tab of the relying party trust's properties`, `"Secure hash algorithm"`, `set "Secure hash algorithm" to "SHA-256"`},
		atSignAssertion: {`in PowerShell`, `SamlResponseSignature`, `run Set-AdfsRelyingPartyTrust for this trust with -SamlResponseSignature AssertionOnly or MessageAndAssertion`},
		atSignResponse:  {`in PowerShell`, `SamlResponseSignature`, `run Set-AdfsRelyingPartyTrust for this trust with -SamlResponseSignature MessageAndAssertion`},
		atEncryption:    {`on the "Encryption" tab of the relying party trust's properties`, `"Encryption certificate"`, ``},
		atNameID:        {`under "Edit Claim Issuance Policy" of the relying party trust`, `the rule whose outgoing claim type is "Name ID"`, `let one rule have the outgoing claim type "Name ID", with the outgoing name ID format "Persistent Identifier" or "Email"`},
		atEmail:         {`under "Edit Claim Issuance Policy" of the relying party trust`, `the rule "Send LDAP Attributes as Claims"`, `let a rule "Send LDAP Attributes as Claims" send "E-Mail-Addresses" as "E-Mail Address", and see that this person has one in Active Directory`},
		atGroups:        {`under "Edit Claim Issuance Policy" of the relying party trust`, `the rule that sends groups`, `let no rule send all groups ("Token-Groups"); "Send Group Membership as a Claim" sends chosen ones`},
		atPeople:        {`under "Edit Access Control Policy" of the relying party trust`, `the policy`, `choose a policy that admits the person`},
		atRelay:         {`in the link that people open`, `the parameter RelayState`, ``},
		atEvents:        {`in the Event Viewer under "Applications and Services Logs", "AD FS"`, `"Admin"`, ``},
		atLogout:        {`on the "Endpoints" tab of the relying party trust's properties`, `"SAML Logout Endpoints"`, ``},
	},
	special: map[string]string{
		"not_a_response": `In AD FS, on the "Endpoints" tab of the relying party trust's properties, add this method's ACS URL as a SAML Assertion Consumer endpoint with the binding POST; a WS-Federation endpoint does not do.`,
		"not_yet_valid":  `Compare the clocks of the AD FS server and of this server; both should follow NTP. AD FS can also date its assertions back by some minutes: in PowerShell, run Set-AdfsRelyingPartyTrust for this trust with -NotBeforeSkew.`,
	},
}
