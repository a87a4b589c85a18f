package sso

import (
	"bytes"
	"crypto/x509"
	"strings"
	"time"

	"github.com/beevik/etree"

	"gatehouse/internal/fault"
)

// provenMetadata gives the canonical form of metadata that one of the
// certificates signed: of the whole document, by an enveloped signature of its
// root (SAML Metadata, 3). It is what was digested, so that nothing is read that
// the signature does not cover, and no parser decides what that is. The rules
// are those of signed responses, without their allowances. It returns
// fault.Invalid at saml_idp_metadata.
func provenMetadata(text []byte, certificates []*x509.Certificate, now time.Time) ([]byte, error) {
	s, r := newBoundScanner(text, MostFetched)
	if r != nil {
		return nil, unproven(r)
	}
	s.metadata = true
	if r := s.document(); r != nil {
		return nil, unproven(r)
	}
	if r := s.complete(); r != nil {
		return nil, unproven(r)
	}
	if s.rootSignature == nil {
		return nil, badMetadata("The metadata is not signed, and it has to be: a certificate is set that it is signed with.").Coded("metadata_not_signed")
	}
	if value(s.root, "ID") == "" {
		return nil, badMetadata("The metadata's root has no ID for its signature to refer to.").Coded("metadata_signature_invalid")
	}
	v := verifier{idp: &IdP{Certificates: certificates}, now: now}
	found, r := v.verify(s.root, s.rootSignature, nil)
	if r != nil {
		return nil, unproven(r)
	}
	return canonicalForm(found, s.rootSignature), nil
}

// unproven says in words of metadata what the verifier says of responses.
func unproven(r *Rejection) error {
	words := strings.NewReplacer("The SAML response", "The metadata", "The response", "The metadata").Replace(r.Message)
	return badMetadata("The metadata's signature does not hold. %s", words).Coded("metadata_signature_invalid").Because(r)
}

// canonicalForm writes an element as Exclusive XML Canonicalization does,
// without its signature.
func canonicalForm(el, signature *etree.Element) []byte {
	var kept recorder
	c := canonicalizer{h: &kept, omit: signature}
	return c.canonical(el)
}

// A recorder stands where a hash does, and keeps what it is given.
type recorder struct{ bytes.Buffer }

// Sum gives everything that was written.
func (r *recorder) Sum([]byte) []byte { return r.Bytes() }

// Size makes a recorder a hash.Hash.
func (r *recorder) Size() int { return r.Len() }

// BlockSize makes a recorder a hash.Hash.
func (r *recorder) BlockSize() int { return 1 }

// checkMetadataCertificates reads the certificates that metadata has to be
// signed with.
func checkMetadataCertificates(text string) ([]*x509.Certificate, error) {
	list, err := ParseCertificates(text)
	if err == nil {
		err = checkKeySizes(list, false)
	}
	if err != nil {
		return nil, fault.Of(err).At("saml_metadata_certificate")
	}
	return list, nil
}
