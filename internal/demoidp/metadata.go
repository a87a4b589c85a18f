package demoidp

import (
	"encoding/base64"
	"encoding/pem"
)

const (
	nsMD         = "urn:oasis:names:tc:SAML:2.0:metadata"
	bindRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	bindPost     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// Metadata describes the identity provider to service providers (SAML
// Metadata, 2.4.3). It is not signed.
func (p *IdP) Metadata() []byte {
	var c canon
	c.open("md:EntityDescriptor", "xmlns:md", nsMD, "entityID", p.EntityID)
	c.open("md:IDPSSODescriptor", "WantAuthnRequestsSigned", "false", "protocolSupportEnumeration", nsSAMLP)
	c.open("md:KeyDescriptor", "use", "signing")
	c.open("ds:KeyInfo", "xmlns:ds", nsDS)
	c.open("ds:X509Data")
	c.leaf("ds:X509Certificate", base64.StdEncoding.EncodeToString(p.Certificate.Raw))
	c.close("ds:X509Data")
	c.close("ds:KeyInfo")
	c.close("md:KeyDescriptor")
	for _, f := range []string{EmailAddress, Persistent, Transient} {
		c.leaf("md:NameIDFormat", f)
	}
	c.leaf("md:SingleSignOnService", "", "Binding", bindRedirect, "Location", p.SSOURL)
	c.leaf("md:SingleSignOnService", "", "Binding", bindPost, "Location", p.SSOURL)
	c.close("md:IDPSSODescriptor")
	c.close("md:EntityDescriptor")
	return c.b
}

// CertificatePEM is the certificate as an administrator pastes it.
func (p *IdP) CertificatePEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw}))
}
