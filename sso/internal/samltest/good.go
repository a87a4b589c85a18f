package samltest

import (
	"crypto"
	"encoding/base64"
	"strings"
)

// scd is the end of the template's confirmation; recipes change it.
const (
	scdEnd   = `NotOnOrAfter="2026-03-01T12:05:00Z"/>`
	condEnd  = `NotBefore="2026-03-01T11:59:30Z" NotOnOrAfter="2026-03-01T12:05:00Z"`
	nameIDEl = `<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">alice@example.com</saml:NameID>`
	audience = `<saml:Audience>` + Audience + `</saml:Audience>`
	statusEl = `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>`
	emailEl  = `<saml:AttributeValue xsi:type="xs:string">alice@example.com</saml:AttributeValue>`
)

// goodRecipes are what honest identity providers send.
func goodRecipes() []recipe {
	return append(goodSignatures(), goodContents()...)
}

func goodSignatures() []recipe {
	return []recipe{
		{name: "assertion-signed", why: "The most common form.", sign: SignAssertion},
		{name: "response-signed", why: "The signature of the response covers the assertion.", sign: SignResponse},
		{name: "both-signed", why: "Both signatures are verified.", sign: SignBoth,
			set: func(c *Case) { c.WantSigned = true }},
		{name: "no-key-info", why: "KeyInfo is not needed.", sign: SignBoth, by: Signer{Bare: true}},
		{name: "rollover-without-key-info", why: "At a change of certificates each is tried.", sign: SignBoth,
			by: Signer{Pair: Keys("next"), Bare: true}, trust: []string{"small", "p256", "current", "next"}},
		{name: "foreign-key-info", why: "KeyInfo is ignored, even where it names somebody else.", sign: SignBoth,
			by: Signer{Claim: ptr(Keys("attacker"))}},
		{name: "sha512-over-sha384", why: "Signature and digest may differ.", sign: SignBoth,
			by: Signer{Hash: crypto.SHA512, Digest: crypto.SHA384}},
		{name: "ecdsa-p256", why: "r and s side by side, as the standard says.", sign: SignBoth,
			by: Signer{Pair: Keys("p256")}, trust: []string{"p256"}},
		{name: "ecdsa-p521", why: "A curve whose size is no multiple of eight bits.", sign: SignAssertion,
			by: Signer{Pair: Keys("p521"), Hash: crypto.SHA512}, trust: []string{"current", "p521"}},
		{name: "ecdsa-asn1", why: "Some write r and s in ASN.1.", sign: SignAssertion,
			by: Signer{Pair: Keys("p256"), ASN1: true}, trust: []string{"p256"}},
		{name: "inclusive-prefixes", why: "OpenSAML keeps prefixes that stand only in values.", sign: SignBoth,
			by: Signer{Prefixes: "xs"}},
		{name: "inclusive-prefixes-assertion-only", why: "The response's canonical form drops a prefix that the assertion's keeps.",
			sign: SignBoth, edit: []string{`<saml:Assertion ID`, `<saml:Assertion xmlns:xs="http://www.w3.org/2001/XMLSchema" ID`,
				`<saml:AttributeStatement xmlns:xs="http://www.w3.org/2001/XMLSchema"`, `<saml:AttributeStatement`},
			by: Signer{Prefixes: "xs"}},
		{name: "blanks-in-base64", why: "Proxies and pretty-printers reflow signatures.", sign: SignBoth,
			by: Signer{Layout: "\n      "}},
		{name: "line-break-in-digest", why: "Base64 with a line break, signed so.", sign: SignBoth,
			by: Signer{Info: func(info string) string {
				return Replace(info, "</ds:DigestValue>", "\n</ds:DigestValue>")
			}}},
		{name: "carriage-returns-in-base64", why: "Java programs write line ends as references.", sign: SignBoth,
			by: Signer{Layout: "&#13;\n"}},
		{name: "signature-prefix-of-response", why: "The prefix ds is declared outside the assertion.", sign: SignAssertion,
			edit:  []string{`<samlp:Response `, `<samlp:Response xmlns:ds="http://www.w3.org/2000/09/xmldsig#" `},
			after: replace(`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`, `<ds:Signature>`)},
		{name: "expired-certificate", why: "A certificate's dates are a reminder.", sign: SignBoth,
			trust: []string{"expired"}, set: func(c *Case) { c.Warnings = 1 }},
		{name: "sha1-allowed", why: "The method admits SHA-1.", sign: SignBoth, by: Signer{Hash: crypto.SHA1},
			set: func(c *Case) { c.AllowSHA1, c.Warnings = true, 1 }},
		{name: "small-key-allowed", why: "The method admits short keys.", sign: SignAssertion,
			by: Signer{Pair: Keys("small")}, trust: []string{"small"},
			set: func(c *Case) { c.AllowSmallKeys, c.Warnings = true, 1 }},
		{name: "forced-authn", why: "The person logged in for this request.", sign: SignBoth,
			edit: []string{`AuthnInstant="2026-03-01T11:58:00Z"`, `AuthnInstant="2026-03-01T11:59:30Z"`}, set: func(c *Case) { c.ForceAuthn = true }},
		{name: "forced-authn-other-clock", why: "Their clock is a minute behind.", sign: SignBoth, set: func(c *Case) { c.ForceAuthn = true }},
		{name: "context-as-asked", why: "A password over TLS was asked for.", sign: SignBoth, set: func(c *Case) { c.WantContext = true }},
		{name: "context-better-than-asked", why: "A second factor is better than a password.", sign: SignBoth,
			edit: []string{`:classes:PasswordProtectedTransport`, `:classes:TimeSyncToken`}, set: func(c *Case) { c.WantContext = true }},
		{name: "context-windows", why: "AD FS says that the person is logged in to Windows.", sign: SignBoth,
			edit: []string{`urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport`, `urn:federation:authentication:windows`}, set: func(c *Case) { c.WantContext, c.Variant = true, "adfs" }},
		{name: "empty-reference-allowed", why: "The method admits a signature of the whole document.", sign: SignResponse,
			by: Signer{URI: new(string)}, set: func(c *Case) { c.AllowEmptyReference, c.Warnings = true, 1 }},
		{name: "no-reference-allowed", why: "The method admits a signature of the whole document, and the reference has no URI.", sign: SignResponse,
			by: Signer{Info: replace(` URI="#_response-1"`, "")}, set: func(c *Case) { c.AllowEmptyReference, c.Warnings = true, 1 }},
		{name: "inclusive-response", why: "Around a response is nothing that its canonical form could include.", sign: SignResponse,
			by: Signer{Form: Inclusive}},
		{name: "inclusive11-response", why: "As some demonstrations sign: the whole document, and SignedInfo, in the inclusive form.", sign: SignResponse,
			edit: []string{"<samlp:Response ", `<samlp:Response xmlns="urn:nobody" xmlns:unused="urn:unused" `},
			by:   Signer{Form: Inclusive11, URI: new(string)}, set: func(c *Case) { c.AllowEmptyReference, c.Warnings = true, 1 }},
		{name: "no-recipient-allowed", why: "The method admits it, where the signed response says where it goes.", sign: SignBoth,
			edit: []string{` Recipient="` + ACS + `"`, ``}, set: func(c *Case) { c.AllowNoRecipient, c.Warnings = true, 1 }},
		{name: "line-broken-base64", why: "The form field has line breaks and blanks.", sign: SignBoth,
			set: func(c *Case) {
				text := base64.StdEncoding.EncodeToString([]byte(c.Response))
				var b strings.Builder
				for len(text) > 76 {
					b.WriteString(text[:76] + "\r\n ")
					text = text[76:]
				}
				c.Response, c.Base64 = b.String()+text, true
			}},
	}
}

func ptr(p Pair) *Pair { return &p }

func goodContents() []recipe {
	return []recipe{
		{name: "unsolicited", why: "The login began at the identity provider, which is admitted here.", sign: SignBoth,
			edit: []string{` InResponseTo="_request-1">`, `>`, ` InResponseTo="_request-1" Recipient`, ` Recipient`},
			set:  func(c *Case) { c.Unsolicited = true }},
		{name: "solicited-where-unsolicited-may-be", why: "An answer is an answer there too.", sign: SignBoth,
			set: func(c *Case) { c.Unsolicited = true }},
		{name: "byte-order-mark", why: "Some .NET programs begin with one.", sign: SignBoth,
			after: func(doc string) string { return "\xef\xbb\xbf" + doc }},
		{name: "no-declaration", why: "XML needs none.", sign: SignBoth,
			after: replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "")},
		{name: "single-quotes", why: "Attributes in the other quotes.", sign: SignBoth,
			edit: []string{`SessionIndex="_session-1"`, `SessionIndex='_session-"1"'`}},
		{name: "default-namespace-on-response", why: "The assertion has no prefix; its namespace is the response's default.",
			sign: SignBoth, edit: nil, after: nil, set: func(c *Case) { c.Response = defaultNamespace() }},
		{name: "rebound-prefixes", why: "The same prefix stands for another namespace inside (pysaml2).",
			sign: SignBoth, set: func(c *Case) { c.Response = reboundPrefixes() }},
		{name: "two-audiences", why: "We are one of two.", sign: SignBoth,
			edit: []string{audience, audience + `<saml:Audience>https://other.example/</saml:Audience>`}},
		{name: "two-audience-restrictions", why: "Each of them names us.", sign: SignBoth,
			edit: []string{`<saml:AudienceRestriction>`, `<saml:AudienceRestriction><saml:Audience>` + Audience + `</saml:Audience></saml:AudienceRestriction><saml:AudienceRestriction>`}},
		{name: "account-urls", why: "The other form of our URLs counts too.", sign: SignBoth,
			edit: []string{`Destination="` + ACS, `Destination="` + AccountACS, `Recipient="` + ACS, `Recipient="` + AccountACS,
				audience, `<saml:Audience>` + AccountAudience + `</saml:Audience>`}},
		{name: "one-time-use", why: "Nothing is used twice anyway.", sign: SignBoth,
			edit: []string{`</saml:Conditions>`, `<saml:OneTimeUse/><saml:ProxyRestriction Count="0"/></saml:Conditions>`}},
		{name: "conditions-without-bounds", why: "The confirmation's end holds.", sign: SignBoth,
			edit: []string{` ` + condEnd, ``}},
		{name: "no-destination", why: "Recipient says the same.", sign: SignBoth,
			edit: []string{` Destination="` + ACS + `"`, ``}},
		{name: "no-response-issuer", why: "Only the assertion's Issuer is prescribed.", sign: SignBoth,
			edit: []string{`<saml:Issuer>` + EntityID + `</saml:Issuer><!--signature of _response-1-->`, `<!--signature of _response-1-->`}},
		{name: "signature-last", why: "Some put the signature after everything else.", sign: SignBoth,
			edit: []string{`<!--signature of _response-1-->`, ``, `</samlp:Response>`, `<!--signature of _response-1--></samlp:Response>`}},
		{name: "holder-of-key-beside-bearer", why: "One good confirmation suffices.", sign: SignBoth,
			edit: []string{`<saml:SubjectConfirmation Method`, `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"/><saml:SubjectConfirmation Method`}},
		{name: "other-recipient-beside-ours", why: "One good confirmation suffices.", sign: SignBoth,
			edit: []string{`<saml:SubjectConfirmation Method`, `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData Recipient="https://other.example/acs" NotOnOrAfter="2026-03-01T12:05:00Z"/></saml:SubjectConfirmation><saml:SubjectConfirmation Method`}},
		{name: "skew-59s-ahead", why: "Their clock is 59 seconds fast.", sign: SignBoth, set: clock("2026-03-01T11:59:01Z"),
			edit: []string{`NotBefore="2026-03-01T11:59:30Z"`, `NotBefore="2026-03-01T12:00:00Z"`}},
		{name: "skew-59s-behind", why: "The end was 59 seconds ago.", sign: SignBoth, set: clock("2026-03-01T12:05:59Z")},
		{name: "validity-24h", why: "As long as is admitted.", sign: SignBoth,
			edit: []string{condEnd, `NotOnOrAfter="2026-03-02T12:00:00Z"`, scdEnd, `NotOnOrAfter="2026-03-02T12:00:00Z"/>`}},
		{name: "validity-for-ever", why: "Capped; some products have decades as their default.", sign: SignBoth, set: func(c *Case) { c.Warnings = 2 },
			edit: []string{condEnd, `NotOnOrAfter="9999-12-31T23:59:59Z"`, scdEnd, `NotOnOrAfter="2027-03-01T12:00:00Z"/>`}},
		{name: "confirmation-not-before", why: "The profile forbids it, but it has come.", sign: SignBoth, set: warned,
			edit: []string{scdEnd, `NotBefore="2026-03-01T11:00:00Z" ` + scdEnd}},
		{name: "authn-instant-tomorrow", why: "It admits nobody, and is taken for now.", sign: SignBoth, set: warned,
			edit: []string{`AuthnInstant="2026-03-01T11:58:00Z"`, `AuthnInstant="2026-03-02T11:58:00Z"`}},
		{name: "authn-instant-long-ago", why: "It admits nobody.", sign: SignBoth, set: warned,
			edit: []string{`AuthnInstant="2026-03-01T11:58:00Z"`, `AuthnInstant="2016-03-01T11:58:00Z"`}},
		{name: "issuer-with-odd-format", why: "Mock SAML sends one.", sign: SignBoth,
			edit: []string{`<saml:Issuer>`, `<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:assertion">`}},
		{name: "fractional-times", why: "Microseconds are common.", sign: SignBoth,
			edit: []string{`AuthnInstant="2026-03-01T11:58:00Z"`, `AuthnInstant="2026-03-01T11:58:00.1234567Z"`}},
		{name: "references-in-name-id", why: "Character references stand for their characters, and all of them count.", sign: SignBoth,
			edit: []string{`>alice@example.com</saml:NameID>`, `>al&#105;ce@&amp;&lt;&#x20AC;&#13;</saml:NameID>`},
			set: func(c *Case) {
				c.NameID = "alice@&<€\r"
				c.Subject = "nameid:urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress alice@&<€\r"
			}},
		{name: "mapped-identity", why: "The mapped attribute names the person.", sign: SignBoth,
			edit: []string{`Name="lastName"`, `Name="employee"`},
			set:  func(c *Case) { c.IdentityName, c.Subject = "employee", "attribute:employee Liddell" }},
		{name: "transient-with-object-id", why: "Entra ID's object id never changes.", sign: SignBoth,
			edit: []string{`:1.1:nameid-format:emailAddress`, `:2.0:nameid-format:transient`, `Name="lastName"`, `Name="http://schemas.microsoft.com/identity/claims/objectidentifier"`},
			set: func(c *Case) {
				c.Subject = "attribute:http://schemas.microsoft.com/identity/claims/objectidentifier Liddell"
			}},
		{name: "persistent-with-qualifiers", why: "Qualifiers that say the default change nothing.", sign: SignBoth,
			edit: []string{`Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"`, `Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" NameQualifier="` + EntityID + `" SPNameQualifier="` + Audience + `"`},
			set: func(c *Case) {
				c.Subject = "nameid:urn:oasis:names:tc:SAML:2.0:nameid-format:persistent alice@example.com"
			}},
		{name: "oid-attributes", why: "Names are OIDs, as Shibboleth and SimpleSAMLphp send them.", sign: SignBoth,
			edit: []string{`Name="email"`, `Name="urn:oid:0.9.2342.19200300.100.1.3" FriendlyName="mail"`, `Name="groups"`, `Name="urn:oid:1.3.6.1.4.1.5923.1.5.1.1"`}},
		{name: "unknown-oid-with-friendly-name", why: "FriendlyName helps where no Name is known.", sign: SignBoth,
			edit: []string{`Name="email"`, `Name="urn:oid:1.2.3.4" FriendlyName="mail"`}},
		{name: "non-ascii-names", why: "Names of people.", sign: SignBoth, edit: []string{`>Liddell<`, `>Łüdell 李<`}},
	}
}

// The other form of our URLs.
const (
	AccountAudience = Base + "/v1/sso/saml/account/a00000000000/method/am0000000000b/metadata"
	AccountACS      = Base + "/v1/sso/saml/account/a00000000000/method/am0000000000b/acs"
)

func clock(at string) func(*Case) { return func(c *Case) { c.Clock = at } }

func warned(c *Case) { c.Warnings++ }

// defaultNamespace has the assertion's namespace declared on the response, as
// its default.
func defaultNamespace() string {
	doc := strings.ReplaceAll(Template, "saml:", "")
	doc = strings.Replace(doc, "xmlns:saml=", "xmlns=", 1)
	return Finish(doc, SignBoth, Signer{Pair: Keys("current")})
}

// reboundPrefixes binds ns0 to the protocol outside and to the assertion
// inside.
func reboundPrefixes() string {
	doc := strings.ReplaceAll(Template, "samlp:", "ns0:")
	doc = strings.Replace(doc, "xmlns:samlp=", "xmlns:ns0=", 1)
	head, rest, _ := strings.Cut(doc, "<saml:Assertion ")
	inside, tail, _ := strings.Cut(rest, "</saml:Assertion>")
	inside = strings.ReplaceAll(inside, "saml:", "ns0:")
	doc = head + `<ns0:Assertion xmlns:ns0="urn:oasis:names:tc:SAML:2.0:assertion" ` + inside + "</ns0:Assertion>" + tail
	return Finish(doc, SignBoth, Signer{Pair: Keys("current")})
}
