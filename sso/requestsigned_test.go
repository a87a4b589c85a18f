package sso

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"testing"
)

// fitKey gives an IdP of requestIdP an ECDSA key where an algorithm takes one,
// sealed by the same keys.
func (i *IdP) fitKey(t *testing.T, a algorithm) {
	t.Helper()
	if a.elliptic {
		i.SPCertificate, i.SPKey = makeKeys(t, requestRing, i.ID, ECDSAP256)
	}
}

// verifySignature verifies as XML Signature 1.1, 6.4, has it, by the
// certificate that the IdP is told of.
func verifySignature(t *testing.T, i *IdP, a algorithm, signed, signature []byte) error {
	t.Helper()
	certificate, err := x509.ParseCertificate(i.SigningCertificate())
	if err != nil {
		t.Fatal(err)
	}
	key, is := certificate.PublicKey.(*ecdsa.PublicKey)
	if !is {
		return rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), a.hash, a.sum(signed), signature)
	}
	half := len(signature) / 2
	r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	if len(signature) != 64 || !ecdsa.Verify(key, a.sum(signed), r, s) {
		return fmt.Errorf("a signature of %d bytes does not verify, want 64", len(signature))
	}
	return nil
}

// verifyByHand takes a request apart that is in its canonical form.
func verifyByHand(t *testing.T, i *IdP, document []byte) {
	t.Helper()
	between := func(begin, end string) []byte {
		_, after, found := bytes.Cut(document, []byte(begin))
		inner, _, closed := bytes.Cut(after, []byte(end))
		if !found || !closed {
			t.Fatalf("got %s, want %s and %s in it", document, begin, end)
		}
		return inner
	}
	value := func(name string) []byte {
		out, err := base64.StdEncoding.DecodeString(string(between("<ds:"+name+">", "</ds:"+name+">")))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	const head = `<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`
	info := append(append([]byte(head), between(head, "</ds:SignedInfo>")...), "</ds:SignedInfo>"...)
	if err := verifySignature(t, i, signatureAlgorithms[i.SignatureAlgorithm], info, value("SignatureValue")); err != nil {
		t.Error(err)
	}
	whole := between("<ds:Signature ", "</ds:Signature>")
	bare := bytes.Replace(document, append(append([]byte("<ds:Signature "), whole...), "</ds:Signature>"...), nil, 1)
	if !bytes.Equal(digestAlgorithms[i.DigestAlgorithm].sum(bare), value("DigestValue")) {
		t.Error("the digest is not of the request without its signature")
	}
}
