package sso

import (
	"crypto/x509"
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
	keys, err := i.keyDescriptors()
	if err != nil {
		return nil, fmt.Errorf("write metadata of %s: %w", i.ID, err)
	}
	yes := true
	role := saml.SPSSODescriptor{
		AuthnRequestsSigned:  &i.SignRequests,
		WantAssertionsSigned: &i.WantAssertionSigned,
		AssertionConsumerServices: []saml.IndexedEndpoint{
			{Binding: saml.HTTPPostBinding, Location: i.ACSURL(), Index: 0, IsDefault: &yes},
		},
	}
	// What is posted there is told apart by its Content-Type.
	for _, binding := range []string{redirectBinding, postBinding, soapBinding} {
		role.SingleLogoutServices = append(role.SingleLogoutServices, saml.Endpoint{Binding: binding, Location: i.SLOURL()})
	}
	role.ProtocolSupportEnumeration = protocolNS
	role.NameIDFormats = nameIDFormats
	role.KeyDescriptors = keys
	text, err := xml.MarshalIndent(ourEntity{EntityID: i.MetadataURL(), Role: role}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write metadata of %s: %w", i.ID, err)
	}
	return text, nil
}

// keyDescriptors are our keys as the IdP is told of them: the present ones,
// then the next, then the present ones again. Whoever takes all has the next
// before it is used; whoever keeps one, be it the first or, as Keycloak does,
// the last, keeps what is in use. Each key has a descriptor for each use: some
// products take one without use for one of the two only.
func (i *IdP) keyDescriptors() ([]saml.KeyDescriptor, error) {
	sets := []KeySet{i.present()}
	if !i.NextKeys.Empty() {
		sets = append(sets, i.NextKeys, i.present())
	}
	info := func(c *x509.Certificate) saml.KeyInfo {
		text := base64.StdEncoding.EncodeToString(c.Raw)
		return saml.KeyInfo{X509Data: saml.X509Data{X509Certificates: []saml.X509Certificate{{Data: text}}}}
	}
	var out []saml.KeyDescriptor
	for _, set := range sets {
		signs, encrypts, err := set.parse()
		if err != nil {
			return nil, err
		}
		out = append(out,
			saml.KeyDescriptor{Use: "signing", KeyInfo: info(signs)},
			saml.KeyDescriptor{Use: "encryption", KeyInfo: info(encrypts), EncryptionMethods: encryptionMethods()})
	}
	return out, nil
}
