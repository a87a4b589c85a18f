package demoidp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // the identity provider can be told to use it
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"fmt"
)

// A Signing says which parts of a response are signed.
type Signing string

// The ways to sign.
const (
	SignResponse  Signing = "response"
	SignAssertion Signing = "assertion"
	SignBoth      Signing = "both"
	SignNone      Signing = "none"
)

func (s Signing) response() bool  { return s == SignResponse || s == SignBoth }
func (s Signing) assertion() bool { return s == SignAssertion || s == SignBoth }

const (
	nsDS      = "http://www.w3.org/2000/09/xmldsig#"
	excC14N   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
)

// The names of the algorithms (RFC 9231, 2.1 and 2.3).
var signatureURI = map[crypto.Hash]string{
	crypto.SHA1:   "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
	crypto.SHA256: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
	crypto.SHA384: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
	crypto.SHA512: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
}

var digestURI = map[crypto.Hash]string{
	crypto.SHA1:   "http://www.w3.org/2000/09/xmldsig#sha1",
	crypto.SHA256: "http://www.w3.org/2001/04/xmlenc#sha256",
	crypto.SHA384: "http://www.w3.org/2001/04/xmldsig-more#sha384",
	crypto.SHA512: "http://www.w3.org/2001/04/xmlenc#sha512",
}

// A signer signs the elements of one response.
type signer struct {
	key       *rsa.PrivateKey
	cert      []byte // DER, for KeyInfo; nil leaves KeyInfo out
	signature crypto.Hash
	digest    crypto.Hash
}

// signerFor reads what r says of signing.
func (p *IdP) signerFor(r *Response) (*signer, error) {
	key := p.Key
	if r.Key != nil {
		key = r.Key
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key is a %T, not an RSA key", key)
	}
	s := &signer{key: private, signature: crypto.SHA256, digest: crypto.SHA256}
	if r.SignatureHash != 0 {
		s.signature = r.SignatureHash
	}
	if r.DigestHash != 0 {
		s.digest = r.DigestHash
	}
	if signatureURI[s.signature] == "" || digestURI[s.digest] == "" {
		return nil, fmt.Errorf("signature hash %v with digest hash %v has no name in XML", s.signature, s.digest)
	}
	if !r.OmitKeyInfo {
		s.cert = p.Certificate.Raw
	}
	return s, nil
}

// sign puts a signature into an element that is in canonical form and has
// this id, and gives the element back, again in canonical form.
func (s *signer) sign(id, element string) (string, error) {
	h := s.digest.New()
	h.Write([]byte(element))
	info := s.signedInfo(id, base64.StdEncoding.EncodeToString(h.Sum(nil)))

	// SignedInfo is canonicalized by itself, so it declares its namespace when
	// it is signed; in the document its parent does that.
	h = s.signature.New()
	h.Write([]byte(`<ds:SignedInfo xmlns:ds="` + nsDS + `">` + info))
	value, err := rsa.SignPKCS1v15(rand.Reader, s.key, s.signature, h.Sum(nil))
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", id, err)
	}
	head, tail := splitAfterIssuer(element)
	return head + s.markup(info, base64.StdEncoding.EncodeToString(value)) + tail, nil
}

// signedInfo is the element without its start tag.
func (s *signer) signedInfo(id, digest string) string {
	var c canon
	c.leaf("ds:CanonicalizationMethod", "", "Algorithm", excC14N)
	c.leaf("ds:SignatureMethod", "", "Algorithm", signatureURI[s.signature])
	c.open("ds:Reference", "URI", "#"+id)
	c.open("ds:Transforms")
	c.leaf("ds:Transform", "", "Algorithm", enveloped)
	c.leaf("ds:Transform", "", "Algorithm", excC14N)
	c.close("ds:Transforms")
	c.leaf("ds:DigestMethod", "", "Algorithm", digestURI[s.digest])
	c.leaf("ds:DigestValue", digest)
	c.close("ds:Reference")
	c.close("ds:SignedInfo")
	return string(c.b)
}

// markup is the whole Signature element.
func (s *signer) markup(info, value string) string {
	var c canon
	c.open("ds:Signature", "xmlns:ds", nsDS)
	c.open("ds:SignedInfo")
	c.b = append(c.b, info...)
	c.leaf("ds:SignatureValue", value)
	if s.cert != nil {
		c.open("ds:KeyInfo")
		c.open("ds:X509Data")
		c.leaf("ds:X509Certificate", base64.StdEncoding.EncodeToString(s.cert))
		c.close("ds:X509Data")
		c.close("ds:KeyInfo")
	}
	c.close("ds:Signature")
	return string(c.b)
}

// size is how long a signature of an element with this id is.
func (s *signer) size(id string) int {
	digest := base64.StdEncoding.EncodeToString(make([]byte, s.digest.Size()))
	value := base64.StdEncoding.EncodeToString(make([]byte, s.key.Size()))
	return len(s.markup(s.signedInfo(id, digest), value))
}
