package samltest

import (
	"crypto"
	"regexp"
	"strings"
)

// wrapRecipes are the signature wrapping attacks XSW1 to XSW8 (Somorovsky and
// others, 2012): the signed element is kept somewhere, a forged one stands
// where it was.
func wrapRecipes() []recipe {
	wrap := func(name, code, sign string, f func(doc string) string) recipe {
		return recipe{name: name, code: code, sign: sign, after: f, why: "Signature wrapping: the signed element is not the one that is read."}
	}
	return []recipe{
		wrap("xsw1", "assertion_misplaced", SignResponse, func(doc string) string {
			sig, original := takeSignature(doc)
			return Replace(forge(original), "<samlp:Status>", Replace(sig, "</ds:Signature>", "<ds:Object>"+body(original)+"</ds:Object></ds:Signature>")+"<samlp:Status>")
		}),
		wrap("xsw2", "assertion_misplaced", SignResponse, func(doc string) string {
			sig, original := takeSignature(doc)
			return Replace(forge(original), "<samlp:Status>", body(original)+sig+"<samlp:Status>")
		}),
		wrap("xsw3", "several_assertions", SignAssertion, func(doc string) string {
			a := assertion(doc)
			_, unsigned := takeSignature(a)
			return Replace(doc, a, forge(unsigned)+a)
		}),
		wrap("xsw4", "assertion_misplaced", SignAssertion, func(doc string) string {
			a := assertion(doc)
			_, unsigned := takeSignature(a)
			return Replace(doc, a, Replace(forge(unsigned), "</saml:Assertion>", a+"</saml:Assertion>"))
		}),
		wrap("xsw5", "several_assertions", SignAssertion, func(doc string) string {
			a := assertion(doc)
			_, unsigned := takeSignature(a)
			return Replace(doc, a, forge(a)+unsigned)
		}),
		wrap("xsw6", "assertion_misplaced", SignAssertion, func(doc string) string {
			a := assertion(doc)
			_, unsigned := takeSignature(a)
			return Replace(doc, a, Replace(forge(a), "</ds:Signature>", unsigned+"</ds:Signature>"))
		}),
		wrap("xsw7", "assertion_misplaced", SignAssertion, func(doc string) string {
			a := assertion(doc)
			_, unsigned := takeSignature(a)
			return Replace(doc, a, "<samlp:Extensions>"+forge(unsigned)+"</samlp:Extensions>"+a)
		}),
		wrap("xsw8", "assertion_misplaced", SignAssertion, func(doc string) string {
			a := assertion(doc)
			_, unsigned := takeSignature(a)
			return Replace(doc, a, Replace(forge(a), "</ds:Signature>", "<ds:Object>"+unsigned+"</ds:Object></ds:Signature>"))
		}),
		wrap("signed-subject-only", "reference_invalid", SignNone, func(string) string {
			// The identity provider signed an element with another id, which
			// the forger put inside.
			doc := Replace(Template, "<saml:Subject>", `<saml:Subject xmlns:q="urn:q">`, Place(AssertionID), "", Place(ResponseID), "")
			uri := "#_somewhere-else"
			doc = Replace(doc, "<saml:Conditions ", Place(AssertionID)+"<saml:Conditions ")
			return Finish(doc, SignAssertion, Signer{Pair: Keys("current"), URI: &uri})
		}),
	}
}

func assertion(doc string) string { return between(doc, "<saml:Assertion ", "</saml:Assertion>") }

// takeSignature cuts the first signature out.
func takeSignature(doc string) (sig, rest string) {
	sig = between(doc, "<ds:Signature ", "</ds:Signature>")
	return sig, strings.Replace(doc, sig, "", 1)
}

// body is a document without its XML declaration.
func body(doc string) string { return doc[strings.Index(doc, "<samlp:Response"):] }

// forge names somebody else, under other ids.
func forge(doc string) string {
	doc = strings.ReplaceAll(doc, "alice@example.com", "mallory@example.com")
	doc = strings.Replace(doc, `ID="_response-1"`, `ID="_forged-response"`, 1)
	return strings.Replace(doc, `ID="_assertion-1"`, `ID="_forged-assertion"`, 1)
}

// signatureRecipes are signed wrongly, weakly, or by somebody else.
func signatureRecipes() []recipe {
	return append(append(foreignSignatures(), oddSignatures()...), attackRecipes()...)
}

func foreignSignatures() []recipe {
	attacker := Keys("attacker")
	return []recipe{
		{name: "unsigned", code: "not_signed", why: "Stripping leaves nothing to believe."},
		{name: "stripped", code: "not_signed", why: "The signatures were taken out.", sign: SignBoth, after: func(doc string) string {
			_, doc = takeSignature(doc)
			_, doc = takeSignature(doc)
			return doc
		}},
		{name: "signature-of-another-namespace", code: "element_unexpected", why: "Something that looks like a signature.", sign: SignAssertion,
			after: replace("<samlp:Status>", `<ds:Signature xmlns:ds="urn:x"/><samlp:Status>`)},
		{name: "response-signed-only", code: "assertion_not_signed", why: "The method demands a signature on the assertion.", sign: SignResponse, set: func(c *Case) { c.WantSigned = true }},
		{name: "attacker-key", code: "wrong_key", why: "Signed by somebody else, whose certificate stands in KeyInfo.", sign: SignBoth, by: Signer{Pair: attacker}},
		{name: "attacker-key-trusted-claim", code: "wrong_key", why: "Signed by somebody else; KeyInfo claims the trusted certificate.", sign: SignBoth, by: Signer{Pair: attacker, Claim: ptr(Keys("current"))}},
		{name: "attacker-assertion-in-signed-response", code: "wrong_key", why: "Every signature has to hold.", sign: SignNone, after: func(string) string {
			doc := Signer{Pair: attacker}.Sign(Template, AssertionID)
			return Signer{Pair: Keys("current")}.Sign(doc, ResponseID)
		}},
		{name: "attacker-response-around-signed-assertion", code: "wrong_key", why: "Every signature has to hold.", sign: SignNone, after: func(string) string {
			doc := Signer{Pair: Keys("current")}.Sign(Template, AssertionID)
			return Signer{Pair: attacker}.Sign(doc, ResponseID)
		}},
		{name: "changed-name-id", code: "content_changed", why: "The content is not what was signed.", sign: SignAssertion, after: replace(">alice@example.com</saml:NameID>", ">mallory@example.com</saml:NameID>")},
		{name: "changed-attribute-in-response", code: "content_changed", why: "The content is not what was signed.", sign: SignResponse, after: replace(">engineers<", ">admins<")},
		{name: "changed-signed-info", code: "wrong_key", why: "The digest was changed to fit.", sign: SignAssertion, after: changeDigest},
		{name: "hmac", code: "algorithm_refused", why: "The certificate, which everybody knows, as a secret key.", sign: SignAssertion,
			by: Signer{Info: replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#hmac-sha1")}},
		{name: "rsa-pss", code: "algorithm_refused", why: "Not admitted.", sign: SignAssertion,
			by: Signer{Info: replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1")}},
		{name: "rsa-md5", code: "algorithm_refused", why: "Broken long ago.", sign: SignAssertion,
			by: Signer{Info: replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5")}},
		{name: "sha1", code: "sha1_refused", why: "Broken, and this method does not admit it.", sign: SignAssertion, by: Signer{Hash: crypto.SHA1}},
		{name: "sha1-digest", code: "sha1_refused", why: "A strong signature of a weak digest.", sign: SignAssertion, by: Signer{Hash: crypto.SHA256, Digest: crypto.SHA1}},
		{name: "small-key", code: "key_too_small", why: "1024 bits, and this method does not admit it.", sign: SignAssertion, by: Signer{Pair: Keys("small")}, trust: []string{"small"}},
		{name: "other-key-type", code: "wrong_key", why: "An RSA signature where an EC key is trusted.", sign: SignAssertion, trust: []string{"p256"}},
		{name: "no-certificate", code: "no_certificate", why: "Nothing to verify with.", sign: SignAssertion, trust: []string{}},
	}
}

var digestValue = regexp.MustCompile(`<ds:DigestValue>....`)

func changeDigest(doc string) string {
	return digestValue.ReplaceAllString(doc, "<ds:DigestValue>AAAA")
}

// oddSignatures verify, but say something that is not admitted.
func oddSignatures() []recipe {
	info := func(name, code, why string, pairs ...string) recipe {
		return recipe{name: name, code: code, why: why, sign: SignAssertion, by: Signer{Info: replace(pairs...)}}
	}
	empty, other, pointer := "", "#_response-1", "#xpointer(id('_assertion-1'))"
	const second = `<ds:Reference URI="#_assertion-1"><ds:Transforms></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</ds:DigestValue></ds:Reference>`
	const exclusive = `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>`
	return []recipe{
		{name: "reference-to-document", code: "reference_invalid", why: "URI=\"\" covers whatever the document is.", sign: SignAssertion, by: Signer{URI: &empty}},
		{name: "empty-reference-of-assertion", code: "reference_invalid", why: "The method admits URI=\"\" for the whole response only.", sign: SignAssertion, by: Signer{URI: &empty}, set: func(c *Case) { c.AllowEmptyReference = true }},
		{name: "empty-reference-of-response", code: "reference_invalid", why: "URI=\"\" takes an allowance.", sign: SignResponse, by: Signer{URI: &empty}},
		{name: "reference-to-parent", code: "reference_invalid", why: "The reference is to another element.", sign: SignAssertion, by: Signer{URI: &other}},
		{name: "reference-by-xpointer", code: "reference_invalid", why: "A language to choose elements with.", sign: SignAssertion, by: Signer{URI: &pointer}},
		info("two-references", "reference_invalid", "Which of them counts (CVE-2026-33487)?", "</ds:SignedInfo>", second+"</ds:SignedInfo>"),
		info("no-reference-uri", "reference_invalid", "It refers to nothing.", ` URI="#_assertion-1"`, ""),
		info("xpath-transform", "transform_refused", "It chooses what is signed.", exclusive, `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>true()</ds:XPath></ds:Transform>`+exclusive),
		info("xslt-transform", "transform_refused", "It computes what is signed.", exclusive, `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"></ds:Transform>`),
		info("base64-transform", "transform_refused", "It changes what is signed.", exclusive, `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"></ds:Transform>`),
		info("no-enveloped-transform", "transform_refused", "The signature would cover itself.", `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>`, ""),
		{name: "no-reference-uri-of-response", code: "reference_invalid", why: "It takes an allowance, as URI=\"\" does.", sign: SignResponse, by: Signer{Info: replace(` URI="#_response-1"`, "")}},
		{name: "no-reference-uri-of-assertion", code: "reference_invalid", why: "The method admits it for the whole response only.", sign: SignAssertion, by: Signer{Info: replace(` URI="#_assertion-1"`, "")}, set: func(c *Case) { c.AllowEmptyReference = true }},
		{name: "inclusive-response-changed", code: "content_changed", why: "The content is not what was signed.", sign: SignResponse, by: Signer{Form: Inclusive}, after: replace(">engineers<", ">admins<")},
		{name: "inclusive-response-more-prefixes", code: "content_changed", why: "The inclusive form has every declaration in it.", sign: SignResponse, by: Signer{Form: Inclusive}, after: replace("<samlp:Status>", `<samlp:Status xmlns:unused="urn:unused">`)},
		{name: "inclusive-response-with-prefixes", code: "transform_refused", why: "The inclusive forms know no PrefixList.", sign: SignResponse, by: Signer{Form: Inclusive, Prefixes: "samlp"}},
		{name: "inclusive-response-with-comments", code: "transform_refused", why: "No comment gets so far; nobody sends this form.", sign: SignResponse, by: Signer{Form: Inclusive + "#WithComments"}},
		{name: "inclusive-assertion", code: "transform_refused", why: "It was right where it was signed; what is around may be another by now.", sign: SignBoth, by: Signer{Form: Inclusive}},
		info("inclusive-content", "transform_refused", "What is around would change what is signed.", exclusive, `<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"></ds:Transform>`),
		info("prefixed-algorithm", "signature_malformed", "Go's parser takes the last Algorithm, whatever its prefix.", `<ds:SignatureMethod `, `<ds:SignatureMethod xmlns:x="urn:x" x:Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" `),
		info("unknown-signed-info-form", "transform_refused", "Nobody knows what was signed.", `<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">`, `<ds:CanonicalizationMethod Algorithm="urn:x">`),
		{name: "empty-digest", code: "signature_malformed", why: "The digest of nothing fits everything (CVE-2025-66475).", sign: SignAssertion, by: Signer{Info: func(s string) string {
			return regexp.MustCompile(`<ds:DigestValue>[^<]*`).ReplaceAllString(s, "<ds:DigestValue>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
		}}},
		{name: "element-in-digest", code: "signature_malformed", why: "Which text counts (CVE-2025-29775)?", sign: SignAssertion, by: Signer{Info: replace("</ds:DigestValue>", "<ds:x></ds:x></ds:DigestValue>")}},
		{name: "two-signed-infos", code: "signature_malformed", why: "Which of them counts (CVE-2025-29774)?", sign: SignAssertion, after: func(doc string) string {
			i := between(doc, "<ds:SignedInfo>", "</ds:SignedInfo>")
			return Replace(doc, i, i+i)
		}},
		{name: "foreign-element-in-signature", code: "signature_malformed", why: "Something that looks like KeyInfo.", sign: SignAssertion, by: Signer{Bare: true}, after: replace("</ds:Signature>", `<x:KeyInfo xmlns:x="urn:x"/></ds:Signature>`)},
		{name: "object-in-signature", code: "signature_malformed", why: "A place to hide things in.", sign: SignAssertion, after: replace("</ds:Signature>", "<ds:Object></ds:Object></ds:Signature>")},
		{name: "no-signature-value", code: "signature_malformed", why: "Nothing to verify.", sign: SignAssertion, after: func(doc string) string {
			return strings.Replace(doc, between(doc, "<ds:SignatureValue>", "</ds:SignatureValue>"), "", 1)
		}},
		{name: "signature-value-not-base64", code: "signature_malformed", why: "Nothing to verify.", sign: SignAssertion, after: replace("<ds:SignatureValue>", "<ds:SignatureValue>%")},
		{name: "empty-signature", code: "signature_malformed", why: "Nothing to verify.", sign: SignNone, edit: []string{"<!--signature of _assertion-1-->", `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`}},
	}
}
