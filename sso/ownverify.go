package sso

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// hashes are the functions of signatureMethods and emptyDigests, by what the
// names of the algorithms end with.
var hashes = []struct {
	suffix string
	hash   crypto.Hash
}{
	{"sha1", crypto.SHA1},
	{"sha256", crypto.SHA256},
	{"sha384", crypto.SHA384},
	{"sha512", crypto.SHA512},
}

// hashOf gives the function that an admitted algorithm uses.
func hashOf(algorithm string) crypto.Hash {
	for _, h := range hashes {
		if strings.HasSuffix(algorithm, h.suffix) {
			return h.hash
		}
	}
	return 0
}

// An ownProof is what our own verification needs of a signature, whatever the
// key: whether the content is what was signed, and the hash of SignedInfo.
type ownProof struct {
	unchanged bool
	info      []byte
	hash      crypto.Hash

	// alone says that the library does not know what this signature uses, so
	// that it has no say: a PrefixList with #default.
	alone bool
}

// own canonicalizes and hashes what a signature covers. It gives nil for what
// only the library judges: SignedInfo in an inclusive form, where attributes of
// what is around count (xml:lang and its kin); and what the library is known to
// write otherwise.
func (s *signature) own(el *etree.Element) *ownProof {
	everything := inclusive(s.infoForm)
	if everything && inheritsXML(s.el) {
		return nil
	}
	p := &ownProof{hash: hashOf(s.method)}
	digest := hashOf(s.digestMethod)
	if !p.hash.Available() || !digest.Available() {
		return nil
	}
	prefixes, byDefault := prefixList(s.contentPrefixes)
	infoPrefixes, infoByDefault := prefixList(s.infoPrefixes)
	p.alone = byDefault || infoByDefault
	want, err := base64.StdEncoding.DecodeString(s.digest)
	if err != nil {
		return p
	}
	c := canonicalizer{h: digest.New(), omit: s.el, everything: inclusive(s.contentForm), prefixes: prefixes, b: make([]byte, 0, 2*flushAt)}
	sum := c.canonical(el)
	if c.gap {
		return nil
	}
	if !slices.Equal(sum, want) {
		return p
	}
	p.unchanged = true
	info := canonicalizer{h: p.hash.New(), everything: everything, prefixes: infoPrefixes, b: c.b, scope: c.scope, written: c.written}
	p.info = info.canonical(s.info)
	return p
}

// inclusive says whether a canonicalization writes all namespaces in scope.
func inclusive(form string) bool { return !slices.Contains(contentForms, form) }

// inheritsXML says whether an element around a signature has an attribute of
// the xml prefix.
func inheritsXML(el *etree.Element) bool {
	for ; el != nil; el = el.Parent() {
		for i := range el.Attr {
			if el.Attr[i].Space == "xml" {
				return true
			}
		}
	}
	return false
}

// prefixList reads the prefixes of InclusiveNamespaces (Exclusive XML
// Canonicalization 1.0, 3), of which #default is that of no prefix.
func prefixList(text string) (prefixes []string, byDefault bool) {
	if text == "" {
		return nil, false
	}
	prefixes = strings.Fields(text)
	for i, p := range prefixes {
		if p == "#default" {
			prefixes[i], byDefault = "", true
		}
	}
	return prefixes, byDefault
}

// holds says whether a certificate's key made a signature over SignedInfo.
func (s *signature) holds(p *ownProof, cert *x509.Certificate) bool {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return s.key == rsaKey && rsa.VerifyPKCS1v15(key, p.hash, p.info, s.bytes) == nil
	case *ecdsa.PublicKey:
		return s.key == ecKey && ecdsa.VerifyASN1(key, p.info, derForm(s.bytes, cert))
	}
	return false
}

// derForm gives an ECDSA signature as ASN.1, which Go's library takes, if it
// comes as XML Signature 1.1 (6.4.3) says: r and s, each as long as the curve.
func derForm(sig []byte, cert *x509.Certificate) []byte {
	key, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return sig
	}
	half := (key.Curve.Params().BitSize + 7) / 8
	if len(sig) != 2*half {
		return sig
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(sig[:half]),
		new(big.Int).SetBytes(sig[half:]),
	})
	if err != nil {
		return sig
	}
	return der
}
