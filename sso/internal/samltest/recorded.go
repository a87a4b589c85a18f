package samltest

import (
	_ "embed" // for the recorded response
)

// defaultPrefix is what xmlsec1 made of Unsigned, with the key current.
//
//go:embed recorded/default-prefix.xml
var defaultPrefix string

// Unsigned is a response as xmlsec1 signs it: the signature of the assertion
// is there but for its values. Its canonical form keeps the default namespace
// (PrefixList="#default"), which the elements around nobody's name do not use.
// Neither our verifier nor our signer was asked how such a form looks.
func Unsigned() string {
	signature := Signer{Pair: Keys("current"), Prefixes: "#default xs"}
	info := signature.withDefaults().signedInfo(AssertionID, "")
	return Replace(Template,
		"<samlp:Response ", `<samlp:Response xmlns="urn:default:namespace" `,
		">engineers<", `><note>engineers</note><`,
		Place(ResponseID), "",
		Place(AssertionID), `<ds:Signature xmlns:ds="`+dsNamespace+`">`+info+"<ds:SignatureValue></ds:SignatureValue></ds:Signature>")
}

// recordedRecipes were signed by others.
func recordedRecipes() []recipe {
	return []recipe{
		{name: "inclusive-default-prefix", why: "xmlsec1 signed it, and kept the default namespace.",
			set: func(c *Case) { c.Response, c.Groups = defaultPrefix, []string{"everybody"} }},
		{name: "reissued-certificate", why: "KeyInfo has an older certificate of the same key.", sign: SignBoth, trust: []string{"reissued"}},
	}
}
