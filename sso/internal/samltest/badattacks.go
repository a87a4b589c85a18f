package samltest

import (
	"strings"
)

// attackRecipes are published attacks that the other recipes do not have: the
// names of their rows in docs/security.md stand in the tests.
func attackRecipes() []recipe {
	missing, address, ancestor := "#_nobody", "http://127.0.0.1:9/response.xml", "#_response-1"
	const opening = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`
	signed := func(name, code, why string, edit ...string) recipe {
		return recipe{name: name, code: code, why: why, sign: SignBoth, edit: edit}
	}
	after := func(name, code, why, sign string, pairs ...string) recipe {
		return recipe{name: name, code: code, why: why, sign: sign, after: replace(pairs...)}
	}
	return []recipe{
		after("signature-prefix-emptied", "xml_namespace", "A signature that stands in no namespace is looked for in vain.", SignAssertion, opening, `<ds:Signature xmlns:ds="">`),
		after("signature-renamed", "not_signed", "What looks like a signature is none, and nothing else is there.", SignAssertion, opening, `<ds:Signature xmlns:ds="urn:x">`),
		{name: "unsigned-assertion-before", code: "several_assertions", why: "An assertion without a signature beside a signed one (CVE-2022-41912).", sign: SignAssertion,
			after: replace("<saml:Assertion ID", secondAssertion+"<saml:Assertion ID")},
		{name: "unsigned-assertion-behind", code: "several_assertions", why: "An assertion without a signature beside a signed one (CVE-2022-41912).", sign: SignAssertion,
			after: replace("</samlp:Response>", secondAssertion+"</samlp:Response>")},
		signed("assertion-in-confirmation-data", "assertion_misplaced", "An assertion where anything may be.", `T12:05:00Z"/>`, `T12:05:00Z">`+secondAssertion+`</saml:SubjectConfirmationData>`),
		{name: "reference-to-nobody", code: "reference_invalid", why: "There is no such element.", sign: SignAssertion, by: Signer{URI: &missing}},
		{name: "reference-to-an-address", code: "reference_invalid", why: "It would be fetched.", sign: SignAssertion, by: Signer{URI: &address}},
		{name: "reference-to-an-ancestor", code: "signature_misplaced", why: "A signature deep inside that covers what is around it.", sign: SignResponse, by: Signer{URI: &ancestor}, after: moveSignature("</saml:Subject>")},
		{name: "response-behind-the-first", code: "xml_malformed", why: "A forged document follows the signed one (CVE-2022-39299).", sign: SignResponse,
			after: func(doc string) string { _, forged := takeSignature(body(doc)); return doc + forge(forged) }},
		{name: "response-before-the-signed", code: "xml_malformed", why: "A forged document precedes the signed one (CVE-2022-39299).", sign: SignResponse,
			after: func(doc string) string { _, forged := takeSignature(body(doc)); return forge(forged) + body(doc) }},
		{name: "digest-in-status-detail", code: "content_changed", why: "A digest that fits, where a careless search finds it first (CVE-2024-45409).", sign: SignAssertion,
			after: func(doc string) string {
				info := between(doc, "<ds:SignedInfo>", "</ds:SignedInfo>")
				detail := `<samlp:StatusDetail xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + info + `</samlp:StatusDetail></samlp:Status>`
				return Replace(doc, "</samlp:Status>", detail, ">alice@example.com</saml:NameID>", ">mallory@example.com</saml:NameID>")
			}},
		signed("signed-comment-in-name-id", "xml_comment", "The identity provider itself signs a name that two parsers read differently.", ">alice@example.com</saml:NameID>", ">alice@example.com<!---->.evil.example</saml:NameID>"),
		signed("signed-instruction-in-value", "xml_instruction", "The identity provider itself signs a value that two parsers read differently.", ">engineers<", ">engin<?x?>eers<"),
		{name: "comment-in-digest", code: "xml_comment", why: "Which text counts (CVE-2025-29775)?", sign: SignAssertion, after: replace("<ds:DigestValue>", "<ds:DigestValue><!--AAAA-->")},
		after("doctype-with-attributes", "xml_doctype", "A declared default of an attribute that one parser sees (CVE-2025-25291).", SignBoth, "<samlp:Response ", "<!DOCTYPE samlp:Response [<!ATTLIST samlp:Response xmlns:x CDATA 'urn:x'>]>\n<samlp:Response "),
		after("doctype-with-entities-of-entities", "xml_doctype", "A few bytes that grow to gigabytes.", SignBoth, "<samlp:Response ", `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>`+"\n<samlp:Response ", ">alice@example.com<", ">&c;<"),
		{name: "relative-namespace", code: "signature_malformed", why: "A canonical form that fails is empty, and so is what was digested (CVE-2025-66475).", sign: SignAssertion,
			edit: []string{"<samlp:Response ", `<samlp:Response xmlns:x="1" `},
			by:   Signer{Info: emptyDigest}},
		after("foreign-destination", "destination_mismatch", "Libraries that forget namespaces take it for the Destination.", SignAssertion, `Destination="`+ACS+`"`, `Destination="https://other.example/acs" xmlns:x="urn:x" x:Destination="`+ACS+`"`),
		after("declared-utf7", "xml_encoding", "Parsers that believe it read something else.", SignBoth, `encoding="UTF-8"`, `encoding="UTF-7"`),
		{name: "ed25519", code: "algorithm_refused", why: "Not admitted.", sign: SignAssertion,
			by: Signer{Info: replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519")}},
		{name: "removed-certificate", code: "wrong_key", why: "The certificate was taken out of the settings while the response was under way.", sign: SignBoth, trust: []string{"next"}},
	}
}

// emptyDigest has a SignedInfo say the digest of nothing.
func emptyDigest(info string) string {
	value := between(info, "<ds:DigestValue>", "</ds:DigestValue>")
	return strings.Replace(info, value, "<ds:DigestValue>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</ds:DigestValue>", 1)
}
