package sso

import (
	"encoding/base64"
	"fmt"
	"strconv"
)

// The name identifiers that we take, the best first: one that stays with the
// person; an address, which may pass to somebody else; whatever the IdP has.
var nameIDFormats = []string{
	"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
	"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
	"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
}

// Metadata is our metadata for one IdP: an EntityDescriptor (SAML Metadata,
// 2.3.2) whose bytes change only with the IdP's settings. It is not signed and
// has no end: whoever fetched it over https once may keep it.
func (p *Provider) Metadata(i *IdP) ([]byte, error) {
	if len(i.SPCertificate) == 0 {
		return nil, fmt.Errorf("write metadata of %s: it has no certificate", i.ID)
	}
	certificate := base64.StdEncoding.EncodeToString(i.SPCertificate)
	w := &xmlWriter{b: make([]byte, 0, 4096)}
	w.open("md:EntityDescriptor", "xmlns:md", metadataNS, "entityID", i.MetadataURL())
	w.open("md:SPSSODescriptor",
		"AuthnRequestsSigned", strconv.FormatBool(i.SignRequests),
		"WantAssertionsSigned", strconv.FormatBool(i.WantAssertionSigned),
		"protocolSupportEnumeration", protocolNS)
	for _, use := range []string{"signing", "encryption"} {
		w.open("md:KeyDescriptor", "use", use)
		w.open("ds:KeyInfo", "xmlns:ds", signatureNS)
		w.open("ds:X509Data")
		w.leaf("ds:X509Certificate", certificate)
		w.close("ds:X509Data")
		w.close("ds:KeyInfo")
		w.close("md:KeyDescriptor")
	}
	for _, format := range nameIDFormats {
		w.leaf("md:NameIDFormat", format)
	}
	w.leaf("md:AssertionConsumerService", "", "Binding", postBinding, "Location", i.ACSURL(), "index", "0", "isDefault", "true")
	w.close("md:SPSSODescriptor")
	w.close("md:EntityDescriptor")
	return w.b, nil
}
