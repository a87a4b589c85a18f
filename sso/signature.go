package sso

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// A keyType is what kind of key an algorithm takes.
type keyType string

const (
	rsaKey keyType = "RSA"
	ecKey  keyType = "ECDSA"
)

// signatureMethods are the admitted ones. HMAC is not among them and never may
// be: its key would be the certificate, which everybody knows.
var signatureMethods = map[string]struct {
	key  keyType
	sha1 bool
}{
	"http://www.w3.org/2000/09/xmldsig#rsa-sha1":          {rsaKey, true},
	"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256":   {rsaKey, false},
	"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384":   {rsaKey, false},
	"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512":   {rsaKey, false},
	"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1":   {ecKey, true},
	"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": {ecKey, false},
	"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": {ecKey, false},
	"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": {ecKey, false},
}

const sha1Digest = "http://www.w3.org/2000/09/xmldsig#sha1"

// emptyDigests are the admitted digests, each with its value for no bytes at
// all. A canonicalizer that gives up silently yields that value, and then the
// signature holds for any content (CVE-2025-66475 and its kin).
var emptyDigests = map[string]string{
	sha1Digest: digest64(sha1.New().Sum(nil)),
	"http://www.w3.org/2001/04/xmlenc#sha256":       digest64(sha256.New().Sum(nil)),
	"http://www.w3.org/2001/04/xmldsig-more#sha384": digest64(sha512.New384().Sum(nil)),
	"http://www.w3.org/2001/04/xmlenc#sha512":       digest64(sha512.New().Sum(nil)),
}

func digest64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

const enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

// contentForms are the canonicalizations admitted for whatever is signed.
// Comments do not matter, as none gets this far.
var contentForms = []string{
	"http://www.w3.org/2001/10/xml-exc-c14n#",
	"http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
}

// infoForms are those admitted for SignedInfo, and for the root of a document.
// The inclusive ones, which some older products use, write what is declared
// around an element as well. SignedInfo has one known form, so that this is
// safe there; around a root is nothing.
var infoForms = append([]string{
	"http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
	"http://www.w3.org/2006/12/xml-c14n11",
}, contentForms...)

// A signature is a ds:Signature whose form has been checked (SAML Core, 5.4).
// Its content is not believed yet.
type signature struct {
	el     *etree.Element
	info   *etree.Element // SignedInfo
	value  *etree.Element // SignatureValue
	bytes  []byte         // SignatureValue, decoded
	claim  string         // the certificate in KeyInfo, base64: for messages only
	key    keyType
	sha1   bool // in the signature or the digest
	whole  bool // it refers to the whole document, by an empty URI or none
	method string

	infoForm        string // the canonicalization of SignedInfo
	infoPrefixes    string // its PrefixList
	contentForm     string // the canonicalization of what is signed
	contentPrefixes string // its PrefixList
	digestMethod    string
	digest          string // base64, without blanks
}

// readSignature checks the form of a signature that stands in the element with
// this id: one reference, to that element, by admitted transforms and
// algorithms, and nothing that is not prescribed. root says that the element is
// the root of a document; then empty admits a reference without id.
func readSignature(el *etree.Element, id string, root, empty bool) (*signature, *Rejection) {
	parts, r := only(el, "SignedInfo", "SignatureValue", "KeyInfo")
	if r != nil {
		return nil, r
	}
	s := &signature{el: el, info: parts[0], value: parts[1]}
	if s.info == nil || s.value == nil {
		return nil, reject("signature_malformed", "SignedInfo and SignatureValue", "one is missing")
	}
	v, ok := text(s.value)
	if !ok {
		return nil, reject("signature_malformed", "base64 in SignatureValue", "elements")
	}
	var err error
	if s.bytes, err = base64.StdEncoding.DecodeString(compact(v)); err != nil || len(s.bytes) == 0 {
		return nil, reject("signature_malformed", "base64 in SignatureValue", strconv.Itoa(len(v))+" bytes that are none")
	}
	if parts[2] != nil {
		s.claim = certificateIn(parts[2])
	}
	return s, s.readInfo(id, root, empty)
}

// readInfo checks SignedInfo.
func (s *signature) readInfo(id string, root, empty bool) *Rejection {
	if r := checkPlain(s.info); r != nil {
		return r
	}
	parts, r := only(s.info, "CanonicalizationMethod", "SignatureMethod", "Reference")
	if r != nil {
		return r
	}
	if parts[0] == nil || parts[1] == nil || parts[2] == nil {
		return reject("signature_malformed", "CanonicalizationMethod, SignatureMethod and one Reference", "one is missing")
	}
	s.infoForm = value(parts[0], "Algorithm")
	if !slices.Contains(infoForms, s.infoForm) {
		return reject("transform_refused", strings.Join(infoForms, " or "), s.infoForm)
	}
	if s.infoPrefixes, r = prefixesIn(parts[0], slices.Contains(contentForms, s.infoForm)); r != nil {
		return r
	}
	s.method = value(parts[1], "Algorithm")
	m, ok := signatureMethods[s.method]
	if !ok || len(parts[1].ChildElements()) > 0 {
		return reject("algorithm_refused", "RSA or ECDSA with SHA-256, SHA-384 or SHA-512", s.method)
	}
	s.key, s.sha1 = m.key, m.sha1
	return s.readReference(parts[2], id, root, empty)
}

// checkPlain refuses attributes with prefixes. The library that verifies reads
// SignedInfo with encoding/xml, to which x:Algorithm is an Algorithm, too.
func checkPlain(el *etree.Element) *Rejection {
	for _, a := range el.Attr {
		if a.Space != "" && a.Space != "xmlns" {
			return reject("signature_malformed", "attributes without prefixes in "+el.Tag, a.FullKey())
		}
	}
	for _, t := range el.Child {
		if c, ok := t.(*etree.Element); ok {
			if r := checkPlain(c); r != nil {
				return r
			}
		}
	}
	return nil
}

// readReference checks the one Reference. Where it has no URI, it is left to
// the application what is meant (XML Signature, 4.4.3.1): here, as with an empty
// one, the whole document.
func (s *signature) readReference(ref *etree.Element, id string, root, empty bool) *Rejection {
	uri := value(ref, "URI")
	s.whole = root && empty && uri == ""
	if uri != "#"+id && !s.whole {
		return reject("reference_invalid", "#"+id, uri)
	}
	parts, r := only(ref, "Transforms", "DigestMethod", "DigestValue")
	if r != nil {
		return r
	}
	if parts[0] == nil || parts[1] == nil || parts[2] == nil {
		return reject("signature_malformed", "Transforms, DigestMethod and DigestValue", "one is missing")
	}
	forms := contentForms
	if root {
		forms = infoForms
	}
	if s.contentForm, s.contentPrefixes, r = checkTransforms(parts[0], forms); r != nil {
		return r
	}
	method := value(parts[1], "Algorithm")
	nothing, ok := emptyDigests[method]
	if !ok || len(parts[1].ChildElements()) > 0 {
		return reject("algorithm_refused", "SHA-256, SHA-384 or SHA-512", method)
	}
	s.sha1 = s.sha1 || method == sha1Digest
	digest, ok := text(parts[2])
	s.digestMethod, s.digest = method, compact(digest)
	if !ok || s.digest == nothing {
		return reject("signature_malformed", "a digest of something", digest)
	}
	return nil
}

// prefixesIn gives the PrefixList of the InclusiveNamespaces in a transform or
// in CanonicalizationMethod, which may have one where the form is exclusive,
// and nothing else.
func prefixesIn(el *etree.Element, exclusive bool) (string, *Rejection) {
	inside := el.ChildElements()
	switch {
	case len(inside) == 0:
		return "", nil
	case len(inside) == 1 && exclusive && is(inside[0], excC14NSpace, "InclusiveNamespaces") && len(inside[0].ChildElements()) == 0:
		return value(inside[0], "PrefixList"), nil
	}
	return "", reject("transform_refused", "nothing inside "+el.Tag, inside[0].Tag)
}

// checkTransforms admits enveloped-signature and one of these
// canonicalizations, once each. Anything more could choose what is signed
// (XPath) or compute it (XSLT).
func checkTransforms(list *etree.Element, forms []string) (form, prefixes string, r *Rejection) {
	seen := ""
	for _, t := range list.ChildElements() {
		if !is(t, signatureSpace, "Transform") {
			return "", "", reject("transform_refused", "Transform", t.Tag)
		}
		algorithm := value(t, "Algorithm")
		isEnveloped := algorithm == enveloped
		if !isEnveloped && !slices.Contains(forms, algorithm) {
			return "", "", reject("transform_refused", enveloped+" and "+contentForms[0], algorithm)
		}
		found, r := prefixesIn(t, slices.Contains(contentForms, algorithm))
		if r != nil {
			return "", "", r
		}
		if isEnveloped {
			seen += "e"
		} else {
			seen, form, prefixes = seen+"c", algorithm, found
		}
	}
	if seen != "ec" && seen != "ce" {
		return "", "", reject("transform_refused", enveloped+" and "+contentForms[0], "others, or not each once")
	}
	return form, prefixes, nil
}

// only gives the children of a signature's element, one for each name, nil for
// one that is missing. It refuses any other content.
func only(el *etree.Element, names ...string) ([]*etree.Element, *Rejection) {
	found := make([]*etree.Element, len(names))
	for _, t := range el.Child {
		c, ok := t.(*etree.Element)
		if !ok {
			if d, ok := t.(*etree.CharData); !ok || trim(d.Data) != "" {
				return nil, reject("signature_malformed", "elements only in "+el.Tag, "text")
			}
			continue
		}
		i := slices.Index(names, c.Tag)
		if i < 0 || c.NamespaceURI() != signatureSpace {
			return nil, reject("signature_malformed", strings.Join(names, ", ")+" in "+el.Tag, c.Tag)
		}
		if found[i] != nil {
			if c.Tag == "Reference" {
				return nil, reject("reference_invalid", "one Reference", "several")
			}
			return nil, reject("signature_malformed", "one "+c.Tag+" in "+el.Tag, "several")
		}
		found[i] = c
	}
	return found, nil
}

// certificateIn gives the first certificate that a KeyInfo claims, as base64.
// Nobody may believe it: anyone can put one there.
func certificateIn(keyInfo *etree.Element) string {
	for _, data := range children(keyInfo, signatureSpace, "X509Data") {
		for _, c := range children(data, signatureSpace, "X509Certificate") {
			if v, ok := text(c); ok {
				return compact(v)
			}
		}
	}
	return ""
}
