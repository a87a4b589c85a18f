package samltest

import (
	"crypto"
	"strings"
)

// selfContained has the assertion declare its own namespace.
var selfContained = []string{`<saml:Assertion ID`, `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID`}

// encryptedRecipes are encrypted, wholly or the name alone. Where nothing is
// said, the plaintext uses the prefix saml, which is declared around it.
func encryptedRecipes() []recipe {
	const schema = ` xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`
	sealed := func(name, why, sign string, e Encrypter, edit ...string) recipe {
		return recipe{name: "encrypted-" + name, why: why, sign: sign, seal: &e, edit: edit}
	}
	all := []recipe{
		sealed("assertion-signed", "Signed, then encrypted; nothing outside is signed.", SignAssertion, Encrypter{}),
		sealed("response-signed", "The signature of the response covers the ciphertext, and so what is inside.", SignResponse, Encrypter{Data: "aes128-gcm"}),
		sealed("aes192-gcm", "The middle one.", SignBoth, Encrypter{Data: "aes192-gcm"}),
		sealed("aes128-cbc", "In a signed response.", SignBoth, Encrypter{Data: "aes128-cbc"}, selfContained...),
		sealed("aes192-cbc", "In a signed response.", SignResponse, Encrypter{Data: "aes192-cbc"}, selfContained...),
		sealed("aes256-cbc", "In a signed response.", SignResponse, Encrypter{Data: "aes256-cbc"}),
		sealed("self-contained", "The plaintext declares what it uses.", SignAssertion, Encrypter{Data: "aes128-gcm"}, selfContained...),
		sealed("oaep-sha256", "The mask is made with SHA-1 all the same.", SignAssertion, Encrypter{Digest: crypto.SHA256}),
		sealed("oaep11-sha256", "Both by SHA-256.", SignAssertion, Encrypter{OAEP11: true, Digest: crypto.SHA256, Mask: crypto.SHA256}),
		sealed("oaep11-sha1-mask-sha512", "Digest and mask may differ.", SignAssertion, Encrypter{OAEP11: true, Mask: crypto.SHA512}),
		sealed("oaep11-sha512-mask-sha384", "Digest and mask may differ.", SignAssertion, Encrypter{OAEP11: true, Digest: crypto.SHA512, Mask: crypto.SHA384}),
		sealed("oaep-without-digest-method", "SHA-1 is meant.", SignAssertion, Encrypter{Frame: func(s string) string {
			return strings.Replace(s, between(s, "<ds:DigestMethod ", "/>"), "", 1)
		}}),
		sealed("oaep-label", "It is known to everybody and has to agree.", SignAssertion, Encrypter{Label: "a label"}),
		sealed("key-beside", "EncryptedKey beside EncryptedData, with a pointer to it.", SignAssertion, Encrypter{Beside: true}),
		sealed("key-size", "Some say how long the key is.", SignAssertion, Encrypter{Frame: replace(`xmlenc11#aes256-gcm"/>`, `xmlenc11#aes256-gcm"><xenc:KeySize>256</xenc:KeySize></xenc:EncryptionMethod>`)}),
		sealed("blanks-in-base64", "Proxies and pretty-printers reflow ciphertexts.", SignBoth, Encrypter{Layout: "\n    "}),
		sealed("carriage-returns-in-base64", "Java programs write line ends as references.", SignBoth, Encrypter{Layout: "&#13;\n"}),
		sealed("schema-prefixes-outside", "The plaintext uses xs and xsi, which are declared around it.", SignResponse, Encrypter{},
			`<samlp:Response `, `<samlp:Response`+schema+` `, `<saml:AttributeStatement`+schema, `<saml:AttributeStatement`),
		sealed("signature-prefix-outside", "The plaintext uses ds, which is declared around it; its own signature covers it.", SignAssertion,
			Encrypter{Plain: replace(`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`, `<ds:Signature>`)},
			`<samlp:Response `, `<samlp:Response xmlns:ds="http://www.w3.org/2000/09/xmldsig#" `),
		sealed("rebound-prefix", "The prefix of XML Encryption stands for another namespace inside (pysaml2).", SignBoth,
			Encrypter{Frame: func(s string) string {
				return strings.NewReplacer("xenc:", "saml:", "xmlns:xenc=", "xmlns:saml=").Replace(s)
			}}),
		sealed("name-inside", "The name is encrypted once more inside.", SignAssertion, Encrypter{}, nameIDEl, Encrypter{Frame: replace("_key-1", "_key-2")}.ID(nameIDEl)),
		{name: "encrypted-id", why: "The name alone is encrypted.", sign: SignAssertion, edit: []string{nameIDEl, Encrypter{}.ID(nameIDEl)}},
		{name: "encrypted-id-aes128-cbc", why: "What is signed covers its ciphertext.", sign: SignResponse, edit: []string{nameIDEl, Encrypter{Data: "aes128-cbc"}.ID(nameIDEl)}},
		{name: "encrypted-default-namespace", why: "The assertion has no prefix; its namespace is the response's default.", sign: SignBoth,
			set: func(c *Case) { c.Response = encryptedDefaultNamespace() }},
	}
	prefixes := sealed("inclusive-prefixes-outside", "OpenSAML keeps prefixes that stand only in values; they are declared around.", SignBoth, Encrypter{},
		`<samlp:Response `, `<samlp:Response`+schema+` `, `<saml:AttributeStatement`+schema, `<saml:AttributeStatement`)
	prefixes.by = Signer{Prefixes: "xs xsi"}
	wanted := sealed("want-assertion-signed", "It is signed inside, as the method demands.", SignBoth, Encrypter{})
	wanted.set = func(c *Case) { c.WantSigned = true }
	return append(all, prefixes, wanted)
}

// encryptedDefaultNamespace has the assertion's namespace declared on the
// response, as its default, and nowhere in what is encrypted.
func encryptedDefaultNamespace() string {
	doc := strings.ReplaceAll(Template, "saml:", "")
	doc = strings.Replace(doc, "xmlns:saml=", "xmlns=", 1)
	s := Signer{Pair: Keys("current")}
	doc = s.Sign(doc, AssertionID)
	plain := between(doc, "<Assertion ", "</Assertion>")
	doc = Replace(doc, plain, "<EncryptedAssertion>"+Encrypter{}.Encrypt(plain)+"</EncryptedAssertion>")
	return s.Sign(doc, ResponseID)
}
