package samltest

import (
	"fmt"
	"strings"
)

// xmlRecipes are documents that no honest identity provider sends, whatever
// they say. Where it can be, they are signed in this form, so that nothing but
// the rule under test stands in the way.
func xmlRecipes() []recipe {
	plain := func(name, code, why string, edit ...string) recipe {
		return recipe{name: name, code: code, why: why, sign: SignBoth, after: replace(edit...)}
	}
	return []recipe{
		plain("doctype", "xml_doctype", "A document type can redefine what follows.", "<samlp:Response ", "<!DOCTYPE Response [<!ENTITY a \"b\">]>\n<samlp:Response "),
		plain("doctype-external", "xml_doctype", "An external entity would be fetched.", "<samlp:Response ", "<!DOCTYPE r SYSTEM \"http://127.0.0.1:9/x.dtd\"><samlp:Response "),
		plain("comment-in-name-id", "xml_comment", "Two parsers read two names (CVE-2017-11427).", ">alice@example.com<", ">alice@example.com<!---->.evil.example<"),
		plain("comment-after-root", "xml_comment", "Nothing but white space stands outside.", "</samlp:Response>", "</samlp:Response><!-- x -->"),
		plain("instruction-in-name-id", "xml_instruction", "Two parsers read two names.", ">alice@example.com<", ">alice@example.com<?x?>.evil.example<"),
		plain("instruction-before-root", "xml_instruction", "Only an XML declaration stands there.", "<samlp:Response ", "<?xml-stylesheet href=\"x\"?><samlp:Response "),
		plain("second-declaration", "xml_instruction", "An XML declaration stands first or not at all.", "<samlp:Response ", "<?xml version=\"1.0\"?><samlp:Response "),
		plain("cdata-in-name-id", "xml_cdata", "Parsers join what is around it differently.", ">alice@example.com<", "><![CDATA[alice@example.com]]><"),
		plain("unknown-entity", "xml_entity", "Only five entities are defined without a document type.", ">alice@example.com<", ">&alice;<"),
		plain("reference-to-nul", "xml_entity", "XML has no such character.", ">alice@example.com<", ">alice&#0;@example.com<"),
		plain("reference-to-surrogate", "xml_entity", "XML has no such character.", ">alice@example.com<", ">alice&#xD800;@example.com<"),
		plain("unfinished-reference", "xml_entity", "A reference ends in a semicolon.", ">alice@example.com<", ">alice&amp@example.com<"),
		plain("nul-byte", "xml_character", "XML has no such character.", ">alice@example.com<", ">alice\x00@example.com<"),
		plain("escape-character", "xml_character", "XML has no such character.", ">alice@example.com<", ">alice\x1b@example.com<"),
		plain("noncharacter", "xml_character", "XML has no such character.", ">alice@example.com<", ">alice\uffff@example.com<"),
		plain("invalid-utf8", "xml_encoding", "The bytes are not UTF-8.", ">alice@example.com<", ">alice\xff@example.com<"),
		plain("overlong-utf8", "xml_encoding", "An overlong form of an ASCII character.", ">alice@example.com<", ">alice\xc1\x80example.com<"),
		plain("declared-utf16", "xml_encoding", "Parsers that believe it read something else.", `encoding="UTF-8"`, `encoding="UTF-16"`),
		plain("declared-latin1", "xml_encoding", "Parsers that believe it read something else.", `encoding="UTF-8"`, `encoding="ISO-8859-1"`),
		plain("xml-1.1", "xml_malformed", "Other characters are legal there.", `version="1.0"`, `version="1.1"`),
		plain("second-root", "xml_malformed", "Another document follows (CVE-2022-39299).", "</samlp:Response>", "</samlp:Response><samlp:Response/>"),
		plain("text-after-root", "xml_malformed", "Nothing but white space stands outside.", "</samlp:Response>", "</samlp:Response>x"),
		plain("truncated", "xml_malformed", "The end is missing.", "</samlp:Response>", ""),
		plain("crossed-tags", "xml_malformed", "Tags that do not nest.", "</saml:Subject>\n", "</saml:Conditions>\n"),
		plain("attribute-without-quotes", "xml_malformed", "HTML, not XML.", `Version="2.0"`, `Version=2.0`),
		plain("attributes-without-blank", "xml_malformed", "No blank between attributes.", `Version="2.0" `, `Version="2.0"`),
		plain("angle-in-attribute", "xml_malformed", "A < in an attribute.", `SessionIndex="_session-1"`, `SessionIndex="<"`),
		plain("section-end-in-text", "xml_malformed", "]]> may not stand in text.", ">alice@example.com<", ">alice]]&gt;]]>@example.com<"),
		plain("duplicate-attribute", "xml_attribute", "Parsers choose differently.", `Version="2.0"`, `Version="2.0" Version="2.0"`),
		plain("duplicate-attribute-by-namespace", "xml_attribute", "Two prefixes for one namespace.", `Version="2.0"`, `Version="2.0" xmlns:a="urn:a" xmlns:b="urn:a" a:x="1" b:x="2"`),
		plain("undeclared-prefix", "xml_namespace", "A prefix that stands for nothing.", "<samlp:Status>", "<x:y/><samlp:Status>"),
		plain("undeclared-attribute-prefix", "xml_namespace", "A prefix that stands for nothing.", `Version="2.0"`, `Version="2.0" x:y="1"`),
		plain("emptied-prefix", "xml_namespace", "A declared prefix cannot be taken back.", "<samlp:Status>", `<samlp:Status xmlns:saml="">`),
		plain("rebound-xml", "xml_namespace", "The prefix xml is reserved.", `Version="2.0"`, `Version="2.0" xmlns:xml="urn:x"`),
		plain("element-in-reserved-namespace", "xml_namespace", "xml has attributes only.", "<samlp:Status>", "<samlp:Extensions><xml:a/></samlp:Extensions><samlp:Status>"),
		plain("rebound-xmlns", "xml_namespace", "The prefix xmlns is reserved.", `Version="2.0"`, `Version="2.0" xmlns:xmlns="urn:x"`),
		plain("reference-in-namespace", "xml_namespace", "Parsers that forget to resolve it see another element.", `xmlns:saml="urn:oasis`, `xmlns:saml="urn:&#111;asis`),
		plain("double-colon", "xml_name", "Go's parser rewrites it (CVE-2020-29511).", "<samlp:Status>", "<a:b:c/><samlp:Status>"),
		plain("leading-colon", "xml_name", "Go's parser rewrites it (CVE-2020-29509).", "<samlp:Status>", "<:a/><samlp:Status>"),
		plain("non-ascii-name", "xml_name", "Letters that look alike.", "<samlp:Status>", "<samlp:Ѕtatus/><samlp:Status>"),
		plain("too-deep", "xml_too_complex", "65 levels.", "<samlp:Status>", strings.Repeat("<x>", 64)+strings.Repeat("</x>", 64)+"<samlp:Status>"),
		plain("too-many-attributes", "xml_too_complex", "On one element.", `Version="2.0"`, `Version="2.0"`+numbered(` a%d=""`, 32)),
		plain("too-many-namespaces", "xml_too_complex", "In scope, though on three elements.", "<samlp:Status>", "<x"+numbered(` xmlns:a%d="urn:a"`, 30)+"><x"+numbered(` xmlns:b%d="urn:a"`, 30)+"><x"+numbered(` xmlns:c%d="urn:a"`, 30)+"/></x></x><samlp:Status>"),
		{name: "empty", code: "response_empty", why: "Nothing at all.", after: func(string) string { return "" }},
		{name: "not-xml", code: "xml_malformed", why: "Something else.", after: func(string) string { return "Internal Server Error" }},
		{name: "utf16", code: "xml_encoding", why: "Another encoding.", after: utf16},
		{name: "not-base64", code: "response_not_base64", why: "Characters that base64 has not.", after: func(string) string { return "PHNhbWxwOlJlc3BvbnNl%%%" },
			set: func(c *Case) { c.Base64 = true }},
		{name: "blank-field", code: "response_empty", why: "A form without an answer.", after: func(string) string { return " \r\n" },
			set: func(c *Case) { c.Base64 = true }},
	}
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func utf16(doc string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, c := range []byte(doc) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}

// shapeRecipes have something where it has no place.
func shapeRecipes() []recipe {
	return []recipe{
		{name: "not-a-response", code: "not_a_response", why: "An assertion by itself.", sign: SignAssertion, after: func(doc string) string {
			return strings.Replace(between(doc, "<saml:Assertion ", "</saml:Assertion>"), "<saml:Assertion ", `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" `, 1)
		}},
		{name: "response-of-another-namespace", code: "not_a_response", why: "SAML 1.1.", sign: SignBoth, after: replace("urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.0:protocol")},
		{name: "two-assertions", code: "several_assertions", why: "Only one can be meant (CVE-2022-41912).", sign: SignResponse, edit: []string{"</samlp:Response>", secondAssertion + "</samlp:Response>"}},
		{name: "assertion-in-advice", code: "assertion_misplaced", why: "An assertion inside the assertion.", sign: SignBoth, edit: []string{"<saml:AuthnStatement ", "<saml:Advice>" + secondAssertion + "</saml:Advice><saml:AuthnStatement "}},
		{name: "assertion-in-extensions", code: "assertion_misplaced", why: "An assertion where anything may be.", sign: SignBoth, edit: []string{"<samlp:Status>", "<samlp:Extensions>" + secondAssertion + "</samlp:Extensions><samlp:Status>"}},
		{name: "assertion-in-status-detail", code: "assertion_misplaced", why: "An assertion where anything may be.", sign: SignBoth, edit: []string{"</samlp:Status>", "<samlp:StatusDetail>" + secondAssertion + "</samlp:StatusDetail></samlp:Status>"}},
		{name: "assertion-in-attribute-value", code: "assertion_misplaced", why: "An assertion where anything may be.", sign: SignBoth, edit: []string{">Liddell<", ">" + secondAssertion + "<"}},
		{name: "encrypted-assertion", code: "encryption_malformed", why: "Nothing inside.", sign: SignResponse, edit: []string{
			between(Template, "<saml:Assertion ", "</saml:Assertion>"), `<saml:EncryptedAssertion><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"/></saml:EncryptedAssertion><!--signature of _assertion-1-->`}},
		{name: "assertion-and-encrypted-assertion", code: "several_assertions", why: "Only one can be meant.", sign: SignAssertion, after: replace("</samlp:Response>", "<saml:EncryptedAssertion/></samlp:Response>")},
		{name: "no-assertion", code: "no_assertion", why: "Success, but nobody.", sign: SignResponse, edit: []string{between(Template, "<saml:Assertion ", "</saml:Assertion>"), ""}},
		{name: "signature-in-subject", code: "signature_misplaced", why: "A signature where anything may be.", sign: SignAssertion, after: moveSignature("</saml:Subject>")},
		{name: "signature-in-attribute-value", code: "signature_misplaced", why: "A signature where anything may be.", sign: SignAssertion, after: replace(">Liddell<", `><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/><`)},
		{name: "two-signatures", code: "several_signatures", why: "Which of them counts?", sign: SignAssertion, after: func(doc string) string {
			s := between(doc, "<ds:Signature ", "</ds:Signature>")
			return Replace(doc, s, s+s)
		}},
		{name: "foreign-id", code: "id_invalid", why: "Libraries that forget namespaces take it for the ID.", sign: SignAssertion, after: replace(`<saml:Assertion ID`, `<saml:Assertion xmlns:x="urn:x" x:ID="_other" ID`)},
		{name: "foreign-id-only", code: "id_invalid", why: "Libraries that forget namespaces take it for the ID.", sign: SignAssertion, after: replace(`<saml:Assertion ID`, `<saml:Assertion xmlns:x="urn:x" x:ID`)},
		{name: "xml-id", code: "id_invalid", why: "Libraries that know xml:id take it for the ID.", sign: SignAssertion, after: replace(`<saml:Assertion ID`, `<saml:Assertion xml:id="_other" ID`)},
		{name: "lower-case-id", code: "id_invalid", why: "Libraries that ignore case take it for the ID.", sign: SignAssertion, after: replace(`<saml:Assertion ID`, `<saml:Assertion Id="_other" ID`)},
		{name: "id-with-reference", code: "id_invalid", why: "Compared as written it is another (CVE-2025-23369).", sign: SignAssertion, after: replace(`ID="_assertion-1"`, `ID="_assertion-1&amp;"`)},
		{name: "no-assertion-id", code: "id_invalid", why: "A signature could refer to nothing.", sign: SignResponse, edit: []string{`<saml:Assertion ID="_assertion-1"`, `<saml:Assertion`, `<!--signature of _assertion-1-->`, ``}},
		{name: "empty-id", code: "id_invalid", why: "A signature could refer to nothing.", sign: SignAssertion, after: replace(`ID="_response-1"`, `ID=""`)},
		{name: "duplicate-id", code: "id_duplicate", why: "Which of them is signed?", sign: SignAssertion, after: replace(`ID="_response-1"`, `ID="_assertion-1"`)},
		{name: "duplicate-id-elsewhere", code: "id_duplicate", why: "Which of them is signed?", sign: SignAssertion, after: replace("<samlp:Status>", `<samlp:Extensions><x id="_assertion-1"/></samlp:Extensions><samlp:Status>`)},
		{name: "response-in-response", code: "assertion_misplaced", why: "Which of them is meant?", sign: SignAssertion, after: replace("<samlp:Status>", `<samlp:Extensions><samlp:Response ID="_x"/></samlp:Extensions><samlp:Status>`)},
	}
}

// secondAssertion names somebody else.
const secondAssertion = `<saml:Assertion ID="_second" Version="2.0" IssueInstant="2026-03-01T12:00:00Z"><saml:Issuer>` + EntityID + `</saml:Issuer><saml:Subject><saml:NameID>mallory@example.com</saml:NameID></saml:Subject></saml:Assertion>`

// moveSignature puts the signature before what it is given.
func moveSignature(before string) func(string) string {
	return func(doc string) string {
		s := between(doc, "<ds:Signature ", "</ds:Signature>")
		return Replace(Replace(doc, s, ""), before, s+before)
	}
}
