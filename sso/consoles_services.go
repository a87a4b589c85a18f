package sso

var oktaConsole = console{
	name: "Okta", hosted: true,
	places: map[topic]place{
		atAudience:      {`on the application's "General" tab under "SAML Settings"`, `"Audience URI (SP Entity ID)"`, ``},
		atACS:           {`on the application's "General" tab under "SAML Settings"`, `"Single sign-on URL" (and "Recipient URL" and "Destination URL", where they are set apart from it)`, ``},
		atIssuer:        {`on the application's "Sign On" tab under "More details"`, `"Issuer"`, ``},
		atCertificate:   {`on the application's "Sign On" tab under "SAML Signing Certificates"`, `the certificate whose status is "Active"`, ``},
		atNewKey:        {`on the application's "Sign On" tab under "SAML Signing Certificates"`, `"Generate new certificate"`, `choose "Generate new certificate" and then "Activate" in its "Actions"`},
		atAlgorithm:     {`on the application's "General" tab under "SAML Settings", "Show Advanced Settings"`, `"Signature Algorithm" and "Digest Algorithm"`, `set "Signature Algorithm" to "RSA-SHA256" and "Digest Algorithm" to "SHA256"`},
		atSignAssertion: {`on the application's "General" tab under "SAML Settings", "Show Advanced Settings"`, `"Assertion Signature"`, `set "Assertion Signature" to "Signed"`},
		atSignResponse:  {`on the application's "General" tab under "SAML Settings", "Show Advanced Settings"`, `"Response"`, `set "Response" to "Signed"`},
		atEncryption:    {`on the application's "General" tab under "SAML Settings", "Show Advanced Settings"`, `"Encryption Certificate"`, ``},
		atCipher:        {`on the application's "General" tab under "SAML Settings", "Show Advanced Settings"`, `"Encryption Algorithm" and "Key Transport Algorithm"`, `set "Encryption Algorithm" to "AES256-GCM" and "Key Transport Algorithm" to "RSA-OAEP"`},
		atNameID:        {`on the application's "General" tab under "SAML Settings"`, `"Name ID format" and "Application username"`, `set "Name ID format" to "Persistent", or to "EmailAddress" with "Application username" set to "Email"`},
		atEmail:         {`on the application's "General" tab under "SAML Settings"`, `"Attribute Statements"`, `add the name email with the value user.email to "Attribute Statements"`},
		atGroups:        {`on the application's "General" tab under "SAML Settings"`, `"Group Attribute Statements"`, `narrow the filter of "Group Attribute Statements"`},
		atPeople:        {`on the application's "Assignments" tab`, `"Assign"`, `assign the person or one of their groups by "Assign"`},
		atRelay:         {`on the application's "General" tab under "SAML Settings"`, `"Default RelayState"`, `leave "Default RelayState" empty`},
		atEvents:        {`under "Reports"`, `"System Log"`, ``},
	},
	special: map[string]string{
		"authn_not_fresh":            `In Okta, on the application's "General" tab under "SAML Settings", "Show Advanced Settings", set "Honor Force Authentication" to "Yes"; or switch off "Ask for a new login each time" here.`,
		"authn_context_insufficient": `In Okta, on the application's "General" tab under "SAML Settings", "Show Advanced Settings", set "Authentication context class" to "PasswordProtectedTransport"; or switch off "Ask for a login with a password or better" here.`,
	},
}

var auth0Console = console{
	name: "Auth0", hosted: true,
	places: map[topic]place{
		atAudience:      {`on the application's "Addons" tab, "SAML2 Web App", "Settings"`, `"audience" in the JSON`, ``},
		atACS:           {`on the application's "Addons" tab, "SAML2 Web App", "Settings"`, `"Application Callback URL" (and "recipient" and "destination" in the JSON, where they are there)`, ``},
		atIssuer:        {`on the application's "Addons" tab, "SAML2 Web App", "Usage"`, `"Issuer"`, ``},
		atCertificate:   {`on the application's "Addons" tab, "SAML2 Web App", "Usage"`, `"Identity Provider Certificate"`, ``},
		atNewKey:        {`in the tenant's "Settings", "Signing Keys"`, `"Rotate Signing Key"`, `choose "Rotate Signing Key", which changes the key for all applications of the tenant`},
		atAlgorithm:     {`on the application's "Addons" tab, "SAML2 Web App", "Settings"`, `"signatureAlgorithm" and "digestAlgorithm" in the JSON`, `set "signatureAlgorithm" to "rsa-sha256" and "digestAlgorithm" to "sha256" in the JSON; left out, they mean SHA-1`},
		atSignAssertion: {`on the application's "Addons" tab, "SAML2 Web App", "Settings"`, `"signResponse" in the JSON`, `set "signResponse" to false in the JSON, so that the assertion is signed`},
		atSignResponse:  {`on the application's "Addons" tab, "SAML2 Web App", "Settings"`, `"signResponse" in the JSON`, `set "signResponse" to true in the JSON`},
		atEncryption:    {`in the Action of the login flow that encrypts`, `the value of api.samlResponse.setEncryptionCert (and the key of setEncryptionPublicKey)`, ``},
		atCipher:        {`in the Action of the login flow that encrypts`, `api.samlResponse.setEncryptionAlgorithm`, `call api.samlResponse.setEncryptionAlgorithm with "aes256-gcm"`},
		atNameID:        {`on the application's "Addons" tab, "SAML2 Web App", "Settings"`, `"nameIdentifierFormat" and "nameIdentifierProbes" in the JSON`, `set "nameIdentifierFormat" to "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" in the JSON, and name in "nameIdentifierProbes" a claim that this person has`},
		atEmail:         {`on the application's "Addons" tab, "SAML2 Web App", "Settings"`, `"mappings" in the JSON`, `let "mappings" in the JSON say "email": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"`},
		atGroups:        {`on the application's "Addons" tab, "SAML2 Web App", "Settings"`, `"passthroughClaimsWithNoMapping" in the JSON`, `set "passthroughClaimsWithNoMapping" to false in the JSON, and map what is needed`},
		atPeople:        {`on the application's "Connections" tab`, `the connection in which the person is`, `switch on the connection in which the person is; see also that no Action of the login flow denies them`},
		atRelay:         {`in the link that people open`, `the parameter RelayState`, ``},
		atEvents:        {`under "Monitoring"`, `"Logs"`, ``},
	},
	special: map[string]string{
		"not_a_response":             `In Auth0, on the application's "Addons" tab, use the addon "SAML2 Web App" and not "WS-Fed Web App".`,
		"authn_context_insufficient": `In Auth0, on the application's "Addons" tab, "SAML2 Web App", "Settings", set "authnContextClassRef" in the JSON to "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"; or switch off "Ask for a login with a password or better" here.`,
	},
}

var entraConsole = console{
	name: "Microsoft Entra ID", hosted: true,
	places: map[topic]place{
		atAudience:      {`on the application's "Single sign-on" page under "Basic SAML Configuration"`, `"Identifier (Entity ID)"`, ``},
		atACS:           {`on the application's "Single sign-on" page under "Basic SAML Configuration"`, `"Reply URL (Assertion Consumer Service URL)"`, ``},
		atIssuer:        {`in the section "Set up" of the application's "Single sign-on" page`, `"Microsoft Entra Identifier"`, ``},
		atCertificate:   {`on the application's "Single sign-on" page under "SAML Certificates"`, `"Certificate (Base64)"`, ``},
		atNewKey:        {`on the application's "Single sign-on" page under "SAML Certificates", "Edit"`, `"New Certificate"`, `choose "New Certificate" and then "Make certificate active"`},
		atAlgorithm:     {`on the application's "Single sign-on" page under "SAML Certificates", "Edit"`, `"Signing Algorithm"`, `set "Signing Algorithm" to "SHA-256"`},
		atSignAssertion: {`on the application's "Single sign-on" page under "SAML Certificates", "Edit"`, `"Signing Option"`, `set "Signing Option" to "Sign SAML assertion" or "Sign SAML response and assertion"`},
		atSignResponse:  {`on the application's "Single sign-on" page under "SAML Certificates", "Edit"`, `"Signing Option"`, `set "Signing Option" to "Sign SAML response and assertion"`},
		atEncryption:    {`on the application's "Token encryption" page`, `the active certificate (by "Import Certificate" and "Activate token encryption certificate")`, ``},
		atNameID:        {`on the application's "Single sign-on" page under "Attributes & Claims"`, `"Unique User Identifier (Name ID)"`, `let "Unique User Identifier (Name ID)" have the source user.objectid and the format "Persistent", or the source user.userprincipalname`},
		atEmail:         {`on the application's "Single sign-on" page under "Attributes & Claims"`, `the claim emailaddress`, `let the claim emailaddress have the source user.mail, and see that this person has a mail address; where many have none, take user.userprincipalname`},
		atGroups:        {`on the application's "Single sign-on" page under "Attributes & Claims"`, `"Add a group claim"`, `let the group claim send "Groups assigned to the application" and not all groups`},
		atPeople:        {`on the application's "Users and groups" page`, `"Add user/group"`, `add the person or one of their groups by "Add user/group"; error AADSTS50105 says the same`},
		atRelay:         {`on the application's "Single sign-on" page under "Basic SAML Configuration"`, `"Relay State (Optional)"`, `leave "Relay State (Optional)" empty`},
		atEvents:        {`on the application's page`, `"Sign-in logs"`, ``},
	},
}

var googleConsole = console{
	name: "Google Workspace", hosted: true,
	places: map[topic]place{
		atAudience:      {`on the application's page under "Service provider details"`, `"Entity ID"`, ``},
		atACS:           {`on the application's page under "Service provider details"`, `"ACS URL"`, ``},
		atIssuer:        {`on the application's page under "Download metadata"`, `"Entity ID"`, ``},
		atCertificate:   {`on the application's page under "Service provider details"`, `"Certificate"`, ``},
		atNewKey:        {`under "Security", "Authentication", "SSO with SAML applications"`, `"Add certificate"`, `add another certificate, and choose it on the application's page under "Service provider details"`},
		atSignAssertion: {`on the application's page under "Service provider details"`, `"Signed response"`, `clear "Signed response", so that the assertion is signed`},
		atSignResponse:  {`on the application's page under "Service provider details"`, `"Signed response"`, `tick "Signed response"`},
		atNameID:        {`on the application's page under "Service provider details"`, `"Name ID format" and "Name ID"`, `set "Name ID format" to "EMAIL" or "PERSISTENT", and "Name ID" to "Basic Information > Primary email"`},
		atEmail:         {`on the application's page under "SAML attribute mapping"`, `"Primary email"`, `map "Primary email" to the attribute email`},
		atGroups:        {`on the application's page under "SAML attribute mapping"`, `"Group membership (optional)"`, `choose fewer groups under "Group membership (optional)"`},
		atPeople:        {`on the application's page under "User access"`, `"Service status"`, `switch the application on for the person's organizational unit or group; error app_not_configured_for_user says the same`},
		atRelay:         {`on the application's page under "Service provider details"`, `"Start URL (optional)"`, `leave "Start URL (optional)" empty`},
		atEvents:        {`under "Reporting", "Audit and investigation"`, `"SAML log events"`, ``},
	},
}

var jumpCloudConsole = console{
	name: "JumpCloud", hosted: true,
	places: map[topic]place{
		atAudience:      {`on the application's "SSO" tab`, `"SP Entity ID"`, ``},
		atACS:           {`on the application's "SSO" tab`, `"ACS URLs"`, ``},
		atIssuer:        {`on the application's "SSO" tab`, `"IdP Entity ID"`, ``},
		atCertificate:   {`beside the application's tabs`, `"Download Certificate" under "IDP Certificate"`, ``},
		atNewKey:        {`beside the application's tabs`, `"Regenerate certificate" under "IDP Certificate"`, `choose "Regenerate certificate" under "IDP Certificate"`},
		atAlgorithm:     {`on the application's "SSO" tab`, `"Signature Algorithm"`, `set "Signature Algorithm" to "RSA-SHA256"`},
		atSignAssertion: {`on the application's "SSO" tab`, `"Sign"`, `let "Sign" include the assertion (older consoles: tick "Sign Assertion")`},
		atSignResponse:  {`on the application's "SSO" tab`, `"Sign"`, `let "Sign" include the response (older consoles: clear "Sign Assertion")`},
		atNameID:        {`on the application's "SSO" tab`, `"SAMLSubject NameID" and "SAMLSubject NameID Format"`, `set "SAMLSubject NameID" to "email" and "SAMLSubject NameID Format" to the one that ends in emailAddress, or in persistent`},
		atEmail:         {`on the application's "SSO" tab under "Attributes"`, `"Service Provider Attribute Name"`, `add the "Service Provider Attribute Name" email with the "JumpCloud Attribute Name" email`},
		atGroups:        {`on the application's "SSO" tab under "Attributes"`, `"Include group attribute"`, `clear "Include group attribute", or assign the application to fewer groups`},
		atPeople:        {`on the application's "User Groups" tab`, `the list of groups`, `tick a group that the person is in`},
		atRelay:         {`on the application's "SSO" tab`, `"Default RelayState"`, `leave "Default RelayState" empty`},
		atEvents:        {`under "Insights"`, `"Directory Insights"`, ``},
	},
}

var oneLoginConsole = console{
	name: "OneLogin", hosted: true,
	places: map[topic]place{
		atAudience:      {`on the application's "Configuration" tab`, `"Audience (EntityID)"`, ``},
		atACS:           {`on the application's "Configuration" tab`, `"ACS (Consumer) URL" and "Recipient"`, ``},
		atIssuer:        {`on the application's "SSO" tab`, `"Issuer URL"`, ``},
		atCertificate:   {`on the application's "SSO" tab`, `"X.509 Certificate" ("View Details")`, ``},
		atNewKey:        {`under "Security", "Certificates"`, `"New"`, `make a certificate by "New", and choose it by "Change" on the application's "SSO" tab`},
		atAlgorithm:     {`on the application's "SSO" tab`, `"SAML Signature Algorithm"`, `set "SAML Signature Algorithm" to "SHA-256"`},
		atSignAssertion: {`on the application's "Configuration" tab`, `"SAML signature element"`, `set "SAML signature element" to "Assertion" or "Both"`},
		atSignResponse:  {`on the application's "Configuration" tab`, `"SAML signature element"`, `set "SAML signature element" to "Response" or "Both"`},
		atEncryption:    {`on the application's "Configuration" tab under "SAML Encryption"`, `"Public key"`, ``},
		atCipher:        {`on the application's "Configuration" tab`, `"SAML encryption method"`, `set "SAML encryption method" to an AES one, and "SAML signature element" to "Both"`},
		atNameID:        {`on the application's "Configuration" and "Parameters" tabs`, `"SAML nameID format" and "NameID value"`, `set "SAML nameID format" to "Persistent" or "Email", and give "NameID value" a field that this person has`},
		atEmail:         {`on the application's "Parameters" tab`, `the list of fields`, `add a field email with the value "Email", and tick "Include in SAML assertion"`},
		atGroups:        {`on the application's "Parameters" tab`, `the field with the groups`, `narrow the field that sends groups or roles (often memberOf), or clear its "Include in SAML assertion"`},
		atPeople:        {`on the person's "Applications" tab`, `the list of applications`, `add this application; or give one of their roles access to it on the application's "Access" tab`},
		atRelay:         {`on the application's "Configuration" tab`, `"RelayState"`, `leave "RelayState" empty`},
		atEvents:        {`under "Activity"`, `"Events"`, ``},
	},
}
