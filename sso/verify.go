package sso

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// minKeyBits is how long an RSA key has to be; with IdP.AllowSmallKeys,
// smallKeyBits. Shorter ones can be factored by anybody with patience.
const (
	minKeyBits   = 2048
	smallKeyBits = 1024
)

// proven is what signatures say for certain.
type proven struct {
	// response is the element that the response's signature covers. It is
	// nil if the response is not signed.
	response *etree.Element

	// assertion is always covered by a signature: its own, or the response's.
	assertion *etree.Element

	certificate int // index in IdP.Certificates of the one that signed the assertion
	warnings    []string
	allowances  []Allowance
}

// prove verifies every signature there is and gives what they cover: the
// scanned elements, whose canonical form was what was digested, or as goxmldsig
// parsed it from the very bytes that were. What came as raw bytes is not read
// any more after it, except to find further reasons to refuse.
//
// What is encrypted is decrypted only when the response's signature, if it has
// one, holds.
func (s *shape) prove(idp *IdP, guard *Guard, now time.Time, keys *decrypter) (*proven, *Rejection) {
	if r := s.provable(idp); r != nil {
		return nil, r
	}
	if len(idp.Certificates) == 0 {
		return nil, reject("no_certificate", "", "")
	}
	v := verifier{idp: idp, guard: guard, now: now}
	p := &proven{}
	if s.assertionSignature != nil {
		found, r := v.verify(s.assertion, s.assertionSignature, s.root)
		if r != nil {
			return nil, r
		}
		p.assertion, p.certificate = found, v.last
	}
	if s.rootSignature != nil {
		found, r := v.verify(s.root, s.rootSignature, nil)
		if r != nil {
			return nil, r
		}
		p.response = found
		if s.encrypted == nil {
			if r := p.assertionOf(found, v.last); r != nil {
				return nil, r
			}
		}
	}
	if s.encrypted != nil {
		if r := s.unseal(&v, p, keys); r != nil {
			return nil, r
		}
	}
	p.warnings, p.allowances = v.warnings, v.allowances
	return p, nil
}

// provable refuses what no key has to be asked about: what lacks a signature,
// and what is encrypted in a way that is not admitted.
func (s *shape) provable(idp *IdP) *Rejection {
	if s.encrypted != nil {
		c, r := readCiphered(s.encrypted)
		if r != nil {
			return r
		}
		if c.method.cbc && s.rootSignature == nil {
			return reject("encryption_unsigned", "AES-GCM, or a signed response", "AES-CBC in a response that is not signed")
		}
		return nil
	}
	if s.rootSignature == nil && s.assertionSignature == nil {
		return reject("not_signed", "a signature", "none")
	}
	if idp.WantAssertionSigned && s.assertionSignature == nil {
		return reject("assertion_not_signed", "a signature in the assertion", "one of the response only")
	}
	return nil
}

// assertionOf takes the assertion out of a verified response, unless one was
// verified by its own signature: then the two have to be one.
func (p *proven) assertionOf(response *etree.Element, certificate int) *Rejection {
	inside, r := child(response, assertionSpace, "Assertion")
	if r != nil {
		return r
	}
	if inside == nil {
		return reject("no_assertion", "one in what is signed", "none")
	}
	if p.assertion == nil {
		p.assertion, p.certificate = inside, certificate
		return nil
	}
	if value(inside, "ID") != value(p.assertion, "ID") {
		return reject("verifier_failed", value(p.assertion, "ID"), value(inside, "ID"))
	}
	return nil
}

// A verifier verifies the signatures of one response.
type verifier struct {
	idp      *IdP
	guard    *Guard
	now      time.Time
	last     int // the certificate that the last signature was made with
	warnings []string

	allowances []Allowance
}

// verify gives el as its signature covers it: as it was scanned, where our own
// verification admits it and is believed; else as goxmldsig reads it. The
// namespaces of parent, which may be nil, are in scope at el.
func (v *verifier) verify(el, sig, parent *etree.Element) (*etree.Element, *Rejection) {
	root := parent == nil && el.Parent() == nil
	s, r := readSignature(sig, value(el, "ID"), root, v.idp.AllowEmptyReference)
	if r != nil {
		return nil, r
	}
	if s.sha1 && !v.idp.AllowSHA1 {
		return nil, reject("sha1_refused", "SHA-256, SHA-384 or SHA-512", s.method)
	}
	keys, r := v.keys(s)
	if r != nil {
		return nil, r
	}
	var own *ownProof
	if !v.guard.Off() {
		own = s.own(el)
	}
	mine := own.madeBy(s, v.idp.Certificates, keys)
	if mine >= 0 && (own.alone || v.guard.trusts(v.idp.Certificates[mine])) {
		v.admit(s, mine)
		return el, nil
	}
	if own != nil && own.alone {
		return nil, v.refuse(s, own)
	}
	found, theirs, r := v.byLibrary(s, el, parent, keys)
	if own == nil {
		if r == nil {
			v.admit(s, theirs)
		}
		return found, r
	}
	if mine != theirs {
		v.guard.differed(v.idp.ID, mine >= 0)
		return nil, reject("verifiers_disagree", "", "")
	}
	if r != nil {
		return nil, r
	}
	v.guard.agreed(v.idp.Certificates[mine])
	v.admit(s, mine)
	return el, nil
}

// keys gives the indexes of the certificates whose keys are of the kind that a
// signature needs, and long enough.
func (v *verifier) keys(s *signature) ([]int, *Rejection) {
	var out []int
	small := 0
	for i, cert := range v.idp.Certificates {
		bits, ok := fits(cert, s.key)
		if !ok {
			continue
		}
		if s.key == rsaKey && (bits < smallKeyBits || bits < minKeyBits && !v.idp.AllowSmallKeys) {
			small = bits
			continue
		}
		out = append(out, i)
	}
	if len(out) == 0 && small != 0 {
		return nil, reject("key_too_small", "at least 2048 bits", fmt.Sprintf("%d bits", small))
	}
	return out, nil
}

// madeBy gives the index of the certificate whose key made a signature over
// what it covers, or -1.
func (p *ownProof) madeBy(s *signature, certificates []*x509.Certificate, keys []int) int {
	if p == nil || !p.unchanged {
		return -1
	}
	for _, i := range keys {
		if s.holds(p, certificates[i]) {
			return i
		}
	}
	return -1
}

// refuse says why our own verification does not admit a signature.
func (v *verifier) refuse(s *signature, own *ownProof) *Rejection {
	if !own.unchanged {
		return reject("content_changed", "", "")
	}
	return reject("wrong_key", v.fingerprints(), s.claimed(v.idp.Certificates))
}

// admit notes with which certificate a signature was made.
func (v *verifier) admit(s *signature, i int) {
	bits, _ := fits(v.idp.Certificates[i], s.key)
	v.last = i
	v.warn(v.idp.Certificates[i], s, bits)
}

// byLibrary has goxmldsig verify a signature. It gives el as that read it, and
// the index of the certificate, or -1.
func (v *verifier) byLibrary(s *signature, el, parent *etree.Element, keys []int) (*etree.Element, int, *Rejection) {
	for _, i := range keys {
		found, err := v.guard.second(s.prepare(el, parent, v.idp.Certificates[i]), v.idp.Certificates[i])
		if isWrongKey(err) {
			continue
		}
		if err != nil {
			return nil, -1, explain(err)
		}
		if !is(found, el.NamespaceURI(), el.Tag) || value(found, "ID") != value(el, "ID") {
			return nil, -1, reject("verifier_failed", el.Tag, found.Tag)
		}
		return found, i, nil
	}
	return nil, -1, reject("wrong_key", v.fingerprints(), s.claimed(v.idp.Certificates))
}

// warn notes what is admitted and should be mended.
func (v *verifier) warn(cert *x509.Certificate, s *signature, bits int) {
	add := func(format string, args ...any) {
		w := fmt.Sprintf(format, args...)
		for _, have := range v.warnings {
			if have == w {
				return
			}
		}
		v.warnings = append(v.warnings, w)
	}
	// The certificate is a container for a key that an administrator trusts
	// (SAML Metadata Interoperability, 2.6.1): its dates are good for a
	// reminder, not for locking a company out.
	if v.now.After(cert.NotAfter) {
		add("The identity provider's certificate expired on %s.", cert.NotAfter.UTC().Format(time.DateOnly))
	}
	if v.now.Before(cert.NotBefore) {
		add("The identity provider's certificate is not valid before %s.", cert.NotBefore.UTC().Format(time.DateOnly))
	}
	if s.sha1 {
		v.allowances = use(v.allowances, SHA1)
		add("The response is signed with SHA-1, which this method admits.")
	}
	if s.whole {
		v.allowances = use(v.allowances, EmptyReference)
		add("The response's signature refers to it by no id, which this method admits.")
	}
	if s.key == rsaKey && bits < minKeyBits {
		v.allowances = use(v.allowances, SmallKeys)
		add("The response is signed with a key of %d bits, which this method admits.", bits)
	}
}

// fits reports whether a certificate's key is of the kind that an algorithm
// takes, and its length in bits.
func fits(cert *x509.Certificate, key keyType) (bits int, ok bool) {
	switch k := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen(), key == rsaKey
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return k.Curve.Params().BitSize, key == ecKey
		}
	}
	return 0, false
}

// prepare gives el as goxmldsig needs it. None of this touches what is signed:
//   - the namespaces in scope stand on el itself;
//   - the signature comes first, so that it is found at once, however many
//     elements there are (goxmldsig gives up after a thousand);
//   - KeyInfo is gone: it would have a say in which certificate is taken;
//   - the signature's value is plain base64, and for ECDSA in the form that
//     Go's library takes.
func (s *signature) prepare(el, parent *etree.Element, cert *x509.Certificate) *etree.Element {
	val := &etree.Element{Space: s.value.Space, Tag: s.value.Tag, Attr: s.value.Attr}
	val.Child = []etree.Token{etree.NewText(base64.StdEncoding.EncodeToString(derForm(s.bytes, cert)))}
	sig := &etree.Element{Space: s.el.Space, Tag: s.el.Tag, Attr: s.el.Attr}
	sig.Child = []etree.Token{s.info, val}
	sig.ReindexChildren()

	out := &etree.Element{Space: el.Space, Tag: el.Tag, Attr: el.Attr}
	if parent != nil {
		out.Attr = withScope(el.Attr, parent.Attr)
	}
	out.Child = make([]etree.Token, 0, len(el.Child))
	out.Child = append(out.Child, sig)
	for _, c := range el.Child {
		if c != etree.Token(s.el) {
			out.Child = append(out.Child, c)
		}
	}
	out.ReindexChildren()
	return out
}

// withScope adds the namespace declarations among outer that own does not
// override.
func withScope(own, outer []etree.Attr) []etree.Attr {
	out := append([]etree.Attr(nil), own...)
next:
	for _, a := range outer {
		if a.Space != "xmlns" && (a.Space != "" || a.Key != "xmlns") {
			continue
		}
		for _, b := range own {
			if a.Space == b.Space && a.Key == b.Key {
				continue next
			}
		}
		out = append(out, etree.Attr{Space: a.Space, Key: a.Key, Value: a.Value})
	}
	return out
}

var errPanic = errors.New("the XML signature library gave up")

// validate verifies with one certificate, whatever its dates. A panic of the
// libraries is an error like others.
func validate(el *etree.Element, cert *x509.Certificate) (found *etree.Element, err error) {
	defer func() {
		if p := recover(); p != nil {
			found, err = nil, fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	ctx := &dsig.ValidationContext{
		CertificateStore: &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}},
		IdAttribute:      "ID",
		Clock:            dsig.NewFakeClockAt(cert.NotBefore),
	}
	found, err = ctx.Validate(el)
	if err == nil && found == nil {
		return nil, errPanic
	}
	return found, err
}

// isWrongKey reports whether a signature was made with another key.
func isWrongKey(err error) bool {
	return err != nil && (errors.Is(err, rsa.ErrVerification) || strings.Contains(err.Error(), "verification failure"))
}

// explain turns goxmldsig's other errors into rejections. It has no types for
// them; the text below is that of its digest comparison.
func explain(err error) *Rejection {
	if err.Error() == "Signature could not be verified" {
		return reject("content_changed", "", "")
	}
	return reject("verifier_failed", "", err.Error())
}

// fingerprints names the certificates that would have been right.
func (v *verifier) fingerprints() string {
	var all []string
	for _, c := range v.idp.Certificates {
		all = append(all, fingerprint(c.Raw))
	}
	return "a key of certificate " + strings.Join(all, " or ")
}

// claimed names the certificate that a signature says it was made with.
func (s *signature) claimed(trusted []*x509.Certificate) string {
	der, err := base64.StdEncoding.DecodeString(s.claim)
	if err != nil || len(der) == 0 {
		return "a key that the response does not name"
	}
	for _, c := range trusted {
		if bytes.Equal(c.Raw, der) {
			return "another key, or a changed signature, though it names a certificate that is trusted"
		}
	}
	return "by its own account, the key of certificate " + fingerprint(der)
}

// fingerprint is the SHA-256 of a certificate, as browsers and identity
// providers show it.
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
