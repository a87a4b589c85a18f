package sso

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"

	"github.com/crewjam/saml"
)

// The name identifiers that we take, the best first: one that stays with the
// person; an address, which may pass to somebody else; whatever the IdP has.
var nameIDFormats = []saml.NameIDFormat{
	saml.PersistentNameIDFormat,
	saml.EmailAddressNameIDFormat,
	saml.UnspecifiedNameIDFormat,
}

// encryptionMethods are what Check takes, the best first: identity providers
// choose the first that they know.
func encryptionMethods() []saml.EncryptionMethod {
	var out []saml.EncryptionMethod
	for _, name := range []string{
		cipher11Space + "aes256-gcm",
		cipher11Space + "aes192-gcm",
		cipher11Space + "aes128-gcm",
		cipherSpace + "aes256-cbc",
		cipherSpace + "aes192-cbc",
		cipherSpace + "aes128-cbc",
		oaep11,
		oaep,
	} {
		out = append(out, saml.EncryptionMethod{Algorithm: name})
	}
	return out
}

// ourEntity is an EntityDescriptor of one service provider. crewjam's own type
// would write an end of validity in the year 1.
type ourEntity struct {
	XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	EntityID string   `xml:"entityID,attr"`
	Role     saml.SPSSODescriptor
}

// Metadata is our metadata for one IdP: an EntityDescriptor (SAML Metadata,
// 2.3.2) whose bytes change only with the IdP's settings. It is not signed and
// has no end: whoever fetched it over https once may keep it.
func (p *Provider) Metadata(i *IdP) ([]byte, error) {
	if len(i.SPCertificate) == 0 {
		return nil, fmt.Errorf("write metadata of %s: it has no certificate", i.ID)
	}
	yes := true
	role := saml.SPSSODescriptor{
		AuthnRequestsSigned:  &i.SignRequests,
		WantAssertionsSigned: &i.WantAssertionSigned,
		AssertionConsumerServices: []saml.IndexedEndpoint{
			{Binding: saml.HTTPPostBinding, Location: i.ACSURL(), Index: 0, IsDefault: &yes},
		},
	}
	role.ProtocolSupportEnumeration = protocolNS
	role.NameIDFormats = nameIDFormats
	data := saml.X509Data{X509Certificates: []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(i.SPCertificate)}}}
	// One key for both, and a descriptor for each: some products take a
	// descriptor without use for one of the two only.
	info := saml.KeyInfo{X509Data: data}
	role.KeyDescriptors = []saml.KeyDescriptor{
		{Use: "signing", KeyInfo: info},
		{Use: "encryption", KeyInfo: info, EncryptionMethods: encryptionMethods()},
	}
	text, err := xml.MarshalIndent(ourEntity{EntityID: i.MetadataURL(), Role: role}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write metadata of %s: %w", i.ID, err)
	}
	return text, nil
}
