package sso

import (
	"crypto/rsa"
	"crypto/x509"
	"testing"
	"time"

	"github.com/beevik/etree"

	"gatehouse/internal/seal"
)

// Scan gives the tree that the scanner builds; nil if it refuses.
func Scan(raw []byte) *etree.Element {
	s, r := scan(raw)
	if r != nil {
		return nil
	}
	return s.root
}

// ScanWork says how often the scanner compared names, and why it refused.
func ScanWork(raw []byte) (compared int, refused string) {
	s, r := newScanner(raw)
	if r == nil {
		r = s.document()
	}
	if s != nil {
		compared = s.compared
	}
	if r != nil {
		refused = r.Code
	}
	return compared, refused
}

// Codes gives every rejection code with its message and remedy.
func Codes() map[string][2]string {
	out := map[string][2]string{}
	for code, f := range findings {
		out[code] = [2]string{f.message, f.remedy}
	}
	return out
}

// gathered is a hash that keeps what it is given.
type gathered struct{ b []byte }

func (g *gathered) Write(b []byte) (int, error) { g.b = append(g.b, b...); return len(b), nil }
func (g *gathered) Sum(b []byte) []byte         { return append(b, g.b...) }
func (g *gathered) Reset()                      { g.b = nil }
func (g *gathered) Size() int                   { return len(g.b) }
func (g *gathered) BlockSize() int              { return 1 }

// Canonical gives the canonical form of an element of a scanned tree.
func Canonical(el, omit *etree.Element, everything bool, list string) string {
	form, _ := CanonicalGap(el, omit, everything, list)
	return form
}

// CanonicalGap says too whether the library is known to have another form.
func CanonicalGap(el, omit *etree.Element, everything bool, list string) (string, bool) {
	prefixes, _ := prefixList(list)
	c := canonicalizer{h: &gathered{}, omit: omit, everything: everything, prefixes: prefixes}
	form := string(c.canonical(el))
	return form, c.gap
}

// WithScope adds what an element's surroundings declare.
var WithScope = withScope

// Judges counts how often a Guard asks the library, and has it say something
// else than it would: err, where that is not nil, or that everything is right.
func (g *Guard) Judges(asked *int, err error, blind bool) {
	g.library = func(el *etree.Element, cert *x509.Certificate) (*etree.Element, error) {
		*asked++
		switch {
		case err != nil:
			return nil, err
		case blind:
			return el, nil
		}
		return validate(el, cert)
	}
}

// Work is what decrypting cost.
type Work struct{ RSA, Bytes int }

// CheckCounting is Check with these keys, and says what decrypting cost.
func (p *Provider) CheckCounting(idp *IdP, raw []byte, want Expectation, keys ...*rsa.PrivateKey) (*Assertion, Work, error) {
	d := &decrypter{open: func() ([]*rsa.PrivateKey, error) { return keys, nil }}
	judged, r := p.check(idp, raw, want, d)
	work := Work{d.unwrapped, d.deciphered}
	if r != nil {
		return nil, work, r
	}
	return judged.out, work, nil
}

// OurKeys makes keys of ours towards an identity provider, for an algorithm.
func OurKeys(t testing.TB, ring *seal.Keyring, id, algorithm string) (certificates, sealed []byte) {
	t.Helper()
	s := Settings{SignatureAlgorithm: algorithm}
	return makeKeys(t, ring, id, s.typeFor())
}

// CertificatesOf gives the certificate that we sign with towards an identity
// provider.
func CertificatesOf(t testing.TB, i *IdP) []*x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(i.SigningCertificate())
	if err != nil {
		t.Fatal(err)
	}
	return []*x509.Certificate{c}
}

// ParseSignedMetadata reads metadata that has to be signed by a certificate.
func ParseSignedMetadata(text []byte, certificate string, now time.Time) (IdPMetadata, error) {
	list, err := ParseCertificates(certificate)
	if err != nil {
		return IdPMetadata{}, err
	}
	proven, err := provenMetadata(text, list, now)
	if err != nil {
		return IdPMetadata{}, err
	}
	return parseMetadata(proven, MostFetched, "", now)
}
