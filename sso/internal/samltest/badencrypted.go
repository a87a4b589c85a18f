package samltest

import (
	"crypto"
	"strings"
)

// cipherRecipes are encrypted in a way that is not admitted, whatever is
// inside, or cannot be decrypted. What cannot is answered alike.
func cipherRecipes() []recipe {
	sealed := func(name, code, why string, e Encrypter) recipe {
		return recipe{name: "encrypted-" + name, code: code, why: why, sign: SignBoth, seal: &e}
	}
	frame := func(name, code, why string, pairs ...string) recipe {
		return sealed(name, code, why, Encrypter{Frame: replace(pairs...)})
	}
	content := func(name, data, why string, f func([]byte) []byte) recipe {
		return sealed(name, "decryption_failed", why, Encrypter{Data: data, Content: f})
	}
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b }
	}
	const oaepMethod = `Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"`
	return []recipe{
		frame("triple-des", "encryption_refused", "Its blocks are too short.", `xmlenc11#aes256-gcm`, `xmlenc11#tripledes-cbc`),
		frame("rsa-1-5", "encryption_refused", "Its padding tells what is inside.", oaepMethod, `Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-1_5"`),
		frame("oaep-md5", "encryption_refused", "Nobody needs it.", `xmldsig#sha1`, `xmldsig-more#md5`),
		sealed("oaep-sha512", "encryption_refused", "Not by this name.", Encrypter{Digest: crypto.SHA512}),
		frame("oaep-other-mask", "encryption_refused", "This name says what the mask is made with.", `</xenc:EncryptionMethod><xenc:CipherData>`,
			`<xenc11:MGF xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" Algorithm="http://www.w3.org/2009/xmlenc11#mgf1sha256"/></xenc:EncryptionMethod><xenc:CipherData>`),
		frame("oaep-odd-parameter", "encryption_refused", "What is not understood may not be ignored.", `<ds:DigestMethod`, `<xenc:Odd/><ds:DigestMethod`),
		{name: "encrypted-aes128-cbc-unsigned", code: "encryption_unsigned", why: "Anybody could change it and see what comes of it.", sign: SignAssertion, seal: &Encrypter{Data: "aes128-cbc"}},
		{name: "encrypted-aes256-cbc-unsigned", code: "encryption_unsigned", why: "Anybody could change it and see what comes of it.", sign: SignAssertion, seal: &Encrypter{Data: "aes256-cbc"}},

		sealed("content-not-element", "encryption_malformed", "SAML encrypts elements.", Encrypter{Frame: replace(`xmlenc#Element`, `xmlenc#Content`)}),
		sealed("no-key", "encryption_malformed", "Nothing to decrypt with.", Encrypter{Frame: func(s string) string {
			return strings.Replace(s, between(s, "<xenc:EncryptedKey ", "</xenc:EncryptedKey>"), "", 1)
		}}),
		sealed("two-keys", "encryption_malformed", "Each would cost an RSA operation.", Encrypter{Frame: func(s string) string {
			key := between(s, "<xenc:EncryptedKey ", "</xenc:EncryptedKey>")
			return strings.Replace(s, key, key+strings.Replace(key, "_key-1", "_key-2", 1), 1)
		}}),
		sealed("key-inside-and-beside", "encryption_malformed", "Which of them counts?", Encrypter{Frame: func(s string) string {
			key := between(s, "<xenc:EncryptedKey ", "</xenc:EncryptedKey>")
			return s + strings.Replace(key, ` Id="_key-1"`, ` xmlns:xenc="`+xencNamespace+`"`, 1)
		}}),
		sealed("key-elsewhere", "encryption_malformed", "Nothing is fetched.", Encrypter{Frame: func(s string) string {
			return strings.Replace(s, "<xenc:EncryptedKey ", `<ds:RetrievalMethod URI="http://127.0.0.1:9/key"/><xenc:EncryptedKey `, 1)
		}}),
		frame("content-elsewhere", "encryption_malformed", "Nothing is fetched.", `<xenc:CipherData><xenc:CipherValue>`, `<xenc:CipherData><xenc:CipherReference URI="http://127.0.0.1:9/data"/><xenc:CipherValue>`),
		frame("two-contents", "encryption_malformed", "Which of them counts?", `<xenc:CipherData><xenc:CipherValue>`, `<xenc:CipherData><xenc:CipherValue></xenc:CipherValue><xenc:CipherValue>`),
		frame("not-base64", "encryption_malformed", "Nothing to decrypt.", `<xenc:CipherValue>`, `<xenc:CipherValue>%`),
		frame("element-in-base64", "encryption_malformed", "Nothing to decrypt.", `</xenc:CipherValue>`, `<x/></xenc:CipherValue>`),
		frame("text-between", "encryption_malformed", "It has no place there.", `<xenc:CipherData>`, `x<xenc:CipherData>`),
		frame("foreign-element", "encryption_malformed", "Something that looks like an EncryptionMethod.", `<ds:KeyInfo `, `<x:EncryptionMethod xmlns:x="urn:x"/><ds:KeyInfo `),
		frame("wrong-key-size", "encryption_malformed", "It does not agree with its algorithm.", `xmlenc11#aes256-gcm"/>`, `xmlenc11#aes256-gcm"><xenc:KeySize>128</xenc:KeySize></xenc:EncryptionMethod>`),
		frame("two-digests", "encryption_malformed", "Which of them counts?", `<ds:DigestMethod `, `<ds:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/><ds:DigestMethod `),

		sealed("for-somebody-else", "decryption_failed", "Not for us.", Encrypter{To: ptr(Keys("attacker"))}),
		sealed("key-changed", "decryption_failed", "Its padding does not fit.", Encrypter{Wrapped: flip(-1)}),
		sealed("key-too-short", "decryption_failed", "No ciphertext of RSA.", Encrypter{Wrapped: cut(16)}),
		sealed("no-wrapped-key", "decryption_failed", "No ciphertext of RSA.", Encrypter{Wrapped: cut(0)}),
		sealed("key-changed-content-by-zeros", "decryption_failed", "Encrypted with a key that everybody can guess, in case that it takes the place of one that does not fit.",
			Encrypter{Wrapped: flip(-1), ContentKey: make([]byte, 32)}),
		sealed("key-of-other-size", "decryption_failed", "No key of this cipher.", Encrypter{Key: cut(16)}),
		sealed("other-label", "decryption_failed", "It was encrypted with another.", Encrypter{Label: "a label", Frame: replace("YSBsYWJlbA==", "YSBsYWJlYQ==")}),
		content("gcm-tag-changed", "aes256-gcm", "Somebody changed it.", flip(-1)),
		content("gcm-changed", "aes128-gcm", "Somebody changed it.", flip(40)),
		content("gcm-nonce-changed", "aes128-gcm", "Somebody changed it.", flip(0)),
		content("gcm-11-bytes", "aes256-gcm", "Less than a nonce (a panic elsewhere).", cut(11)),
		content("gcm-27-bytes", "aes256-gcm", "Less than a nonce and a tag.", cut(27)),
		content("gcm-nothing", "aes256-gcm", "Nothing at all.", cut(0)),
		content("cbc-17-bytes", "aes128-cbc", "No multiple of a block (a panic elsewhere).", cut(17)),
		content("cbc-one-block", "aes128-cbc", "A first vector alone.", cut(16)),
		content("cbc-nothing", "aes256-cbc", "Nothing at all.", cut(0)),
		content("cbc-bad-padding", "aes256-cbc", "The last byte says more than a block.", func(b []byte) []byte { b[len(b)-17] ^= 0xf0; return b }),
		sealed("cbc-long-padding", "decryption_failed", "More padding than a block.", Encrypter{Data: "aes128-cbc", LongPadding: true}),
		content("cbc-changed", "aes256-cbc", "The identity provider signed what somebody had changed.", flip(40)),
		{name: "encrypted-without-our-key", code: "decryption_key_missing", why: "The server has lost the key that its key is sealed with.", sign: SignBoth, seal: &Encrypter{}, set: func(c *Case) { c.NoKey = true }},
	}
}

// plaintextRecipes decrypt to what does not belong there, or to what nobody
// signed: a key to encrypt with is public, so that encryption proves nothing.
func plaintextRecipes() []recipe {
	plain := func(name, why string, f func(string) string) recipe {
		return recipe{name: "encrypted-" + name, code: "decryption_failed", why: why, sign: SignBoth, seal: &Encrypter{Plain: f}}
	}
	is := func(s string) func(string) string { return func(string) string { return s } }
	const uncovered = `<samlp:Response xmlns:late="urn:oasis:names:tc:SAML:2.0:assertion" `
	return []recipe{
		plain("nothing", "No plaintext.", is("")),
		plain("comment-alone", "A plaintext without an element (a panic elsewhere).", is("<!-- x -->")),
		plain("blanks-alone", "A plaintext without an element.", is(" \n")),
		plain("text", "Not XML.", is("alice@example.com")),
		plain("doctype", "A document type can redefine what follows.", func(s string) string { return `<!DOCTYPE a [<!ENTITY b "c">]>` + s }),
		plain("comment-in-name-id", "Two parsers read two names.", replace(">alice@example.com<", ">alice@example.com<!---->.evil.example<")),
		plain("two-roots", "Which of them counts?", func(s string) string { return s + forge(s) }),
		plain("text-after-root", "Nothing but white space stands outside.", func(s string) string { return s + "x" }),
		plain("nested", "Encrypted once more.", func(s string) string {
			return `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + Encrypter{}.Encrypt(s) + `</saml:EncryptedAssertion>`
		}),
		plain("nested-in-assertion", "An encrypted assertion inside the assertion.", replace("</saml:Assertion>", "<saml:EncryptedAssertion/></saml:Assertion>")),
		plain("assertion-in-assertion", "An assertion inside the assertion.", func(s string) string { return Replace(s, "</saml:Assertion>", forge(s)+"</saml:Assertion>") }),
		plain("response", "A response is no assertion.", func(s string) string {
			return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_inner">` + s + `</samlp:Response>`
		}),
		plain("name-id", "A name is no assertion.", is(nameIDEl)),
		plain("foreign-assertion", "Something that looks like an assertion.", replace(`<saml:Assertion `, `<saml:Assertion xmlns:saml="urn:x" `)),
		plain("id-of-response", "The id is the response's.", replace(`ID="_assertion-1"`, `ID="_response-1"`)),
		plain("id-of-key", "The id is that of the encrypted key.", replace(`ID="_assertion-1"`, `ID="_key-1"`)),
		plain("undeclared-prefix", "Neither inside nor around.", replace("<saml:Subject>", "<nobody:x/><saml:Subject>")),
		plain("not-utf8", "The bytes are not UTF-8.", replace(">alice@example.com<", ">alice\xff@example.com<")),
		plain("deep", "Deeper than any honest one.", func(s string) string {
			return Replace(s, "<saml:Subject>", strings.Repeat("<saml:x>", 64)+strings.Repeat("</saml:x>", 64)+"<saml:Subject>")
		}),
		{name: "encrypted-uncovered-prefix", code: "decryption_failed", why: "The response's signature does not cover what this prefix stands for, so that anybody could say.", sign: SignResponse,
			seal: &Encrypter{Plain: func(s string) string { return strings.ReplaceAll(s, "saml:", "late:") }}, edit: []string{`<samlp:Response `, uncovered}},
		{name: "encrypted-uncovered-default", code: "decryption_failed", why: "The response's signature does not cover the default namespace, so that anybody could say.", sign: SignResponse,
			seal: &Encrypter{Plain: func(s string) string { return strings.ReplaceAll(s, "saml:", "") }}, edit: []string{`<samlp:Response `, strings.Replace(uncovered, "xmlns:late", "xmlns", 1)}},

		{name: "encrypted-rebound-on-the-way", code: "decryption_failed", why: "The response's signature covers a prefix, and not that somebody bound it again where nothing uses it.", sign: SignResponse,
			seal: &Encrypter{Plain: func(s string) string { return strings.ReplaceAll(s, "saml:", "samlp:") }}, after: replace(`<saml:EncryptedAssertion>`, `<saml:EncryptedAssertion xmlns:samlp="urn:oasis:names:tc:SAML:2.0:assertion">`)},
		{name: "encrypted-unsigned", code: "not_signed", why: "Anybody can encrypt to a public key.", seal: &Encrypter{}},
		{name: "encrypted-response-signed-only", code: "assertion_not_signed", why: "The method demands a signature on the assertion.", sign: SignResponse, seal: &Encrypter{}, set: func(c *Case) { c.WantSigned = true }},
		{name: "encrypted-attacker-key", code: "wrong_key", why: "Signed by somebody else.", sign: SignAssertion, by: Signer{Pair: Keys("attacker")}, seal: &Encrypter{}},
		{name: "encrypted-attacker-response", code: "wrong_key", why: "Signed by somebody else, so that nothing is decrypted.", sign: SignResponse, by: Signer{Pair: Keys("attacker")}, seal: &Encrypter{Data: "aes128-cbc"}},
		{name: "encrypted-changed-name-id", code: "content_changed", why: "The content is not what was signed.", sign: SignAssertion,
			seal: &Encrypter{Plain: replace(">alice@example.com</saml:NameID>", ">mallory@example.com</saml:NameID>")}},
		{name: "encrypted-ciphertext-exchanged", code: "content_changed", why: "A signed response with another ciphertext.", sign: SignResponse, seal: &Encrypter{}, after: exchangeCiphertext},
		{name: "encrypted-cbc-bit-flipped", code: "content_changed", why: "The first step of a padding oracle: it ends at the signature.", sign: SignResponse, seal: &Encrypter{Data: "aes128-cbc"}, after: exchangeCiphertext},
		{name: "encrypted-after-signing", code: "content_changed", why: "The response was signed before, which covers no ciphertext.", sign: SignResponse, after: Encrypter{}.Assertion},
	}
}

// exchangeCiphertext changes the beginning of the content.
func exchangeCiphertext(doc string) string {
	at := strings.LastIndex(doc, "<xenc:CipherValue>") + len("<xenc:CipherValue>")
	return doc[:at] + "AAAAAAAA" + doc[at+8:]
}

// encryptedNameRecipes have an EncryptedID that names nobody, or an attribute
// that is encrypted.
func encryptedNameRecipes() []recipe {
	id := func(name, code, why, plain string, e Encrypter) recipe {
		return recipe{name: "encrypted-id-" + name, code: code, why: why, sign: SignAssertion, edit: []string{nameIDEl, e.ID(plain)}}
	}
	confirmation := between(Template, "<saml:SubjectConfirmation ", "</saml:SubjectConfirmation>")
	return []recipe{
		{name: "encrypted-id-empty", code: "encryption_malformed", why: "Nothing inside.", sign: SignBoth, edit: []string{nameIDEl, `<saml:EncryptedID/>`}},
		{name: "encrypted-id-and-name-id", code: "element_repeated", why: "About whom?", sign: SignBoth, edit: []string{nameIDEl, nameIDEl + Encrypter{}.ID(nameIDEl)}},
		{name: "two-encrypted-ids", code: "element_repeated", why: "About whom?", sign: SignBoth, edit: []string{nameIDEl, Encrypter{}.ID(nameIDEl) + Encrypter{Frame: replace("_key-1", "_key-2")}.ID(nameIDEl)}},
		id("confirmation", "decryption_failed", "It decrypts to something else.", confirmation, Encrypter{}),
		{name: "encrypted-id-uncovered-prefix", code: "decryption_failed", why: "The assertion's signature does not cover what this prefix stands for.", sign: SignAssertion,
			edit: []string{`<samlp:Response `, `<samlp:Response xmlns:late="urn:oasis:names:tc:SAML:2.0:assertion" `, nameIDEl, Encrypter{}.ID(strings.ReplaceAll(nameIDEl, "saml:", "late:"))}},
		id("two-names", "decryption_failed", "About whom?", nameIDEl+nameIDEl, Encrypter{}),
		id("nested", "decryption_failed", "Encrypted once more.", Encrypter{}.ID(nameIDEl), Encrypter{}),
		id("empty-name", "name_id_missing", "About nobody.", `<saml:NameID></saml:NameID>`, Encrypter{}),
		id("comment", "decryption_failed", "Two parsers read two names.", strings.Replace(nameIDEl, "alice", "alice<!---->", 1), Encrypter{}),
		id("other-qualifier", "name_qualifier_mismatch", "Named for another service.", `<saml:NameID SPNameQualifier="https://other.example/">alice</saml:NameID>`, Encrypter{}),
		id("for-somebody-else", "decryption_failed", "Not for us.", nameIDEl, Encrypter{To: ptr(Keys("attacker"))}),
		id("rsa-1-5", "encryption_refused", "Its padding tells what is inside.", nameIDEl, Encrypter{Frame: replace("rsa-oaep-mgf1p", "rsa-1_5")}),
		{name: "encrypted-format", code: "name_id_encrypted", why: "A ciphertext that says it is a name.", sign: SignBoth, edit: []string{`:1.1:nameid-format:emailAddress`, `:2.0:nameid-format:encrypted`}},
		{name: "encrypted-attribute", code: "attribute_encrypted", why: "Not supported.", sign: SignBoth, edit: []string{`</saml:AttributeStatement>`, `<saml:EncryptedAttribute/></saml:AttributeStatement>`}},
	}
}
