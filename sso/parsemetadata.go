package sso

import (
	"bytes"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"gatehouse/internal/fault"
)

// The limits of metadata. A large federation's aggregate exceeds them: an
// administrator pastes the one IdP that they mean, or names where it stands.
const (
	MostMetadata         = 256 << 10 // bytes that are pasted
	MostFetched          = 1 << 20   // bytes that are fetched
	mostMetadataDepth    = 64
	mostMetadataElements = 30_000
)

// The names that metadata uses (SAML Metadata, 2; SAML Bindings, 3.4 and 3.5).
const (
	metadataNS      = "urn:oasis:names:tc:SAML:2.0:metadata"
	protocolNS      = "urn:oasis:names:tc:SAML:2.0:protocol"
	redirectBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	postBinding     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// An IdPMetadata is what an IdP's metadata says that we use.
type IdPMetadata struct {
	EntityID            string
	RedirectURL         string // where requests go by Redirect; may be empty if PostURL is not
	PostURL             string // where they go by Post; may be empty if RedirectURL is not
	Certificates        []*x509.Certificate
	WantsSignedRequests bool
	Logout              []LogoutSite // where it is told of logouts, in our order of preference; may be empty
}

// SSO gives where requests go, and how: by the wanted binding, or, if none is
// wanted, by Redirect where that is offered. The URL is empty if the IdP does
// not offer the wanted one.
func (m IdPMetadata) SSO(wanted Binding) (address string, b Binding) {
	switch {
	case wanted == Post, wanted == "" && m.RedirectURL == "":
		return m.PostURL, Post
	}
	return m.RedirectURL, Redirect
}

// entityXML is an EntityDescriptor, as far as it is read.
type entityXML struct {
	EntityID   string   `xml:"entityID,attr"`
	ValidUntil string   `xml:"validUntil,attr"`
	IdPs       []idpXML `xml:"urn:oasis:names:tc:SAML:2.0:metadata IDPSSODescriptor"`
}

type idpXML struct {
	ValidUntil  string    `xml:"validUntil,attr"`
	Protocols   string    `xml:"protocolSupportEnumeration,attr"`
	WantsSigned string    `xml:"WantAuthnRequestsSigned,attr"`
	Keys        []keyXML  `xml:"urn:oasis:names:tc:SAML:2.0:metadata KeyDescriptor"`
	SSO         []siteXML `xml:"urn:oasis:names:tc:SAML:2.0:metadata SingleSignOnService"`
	Logout      []siteXML `xml:"urn:oasis:names:tc:SAML:2.0:metadata SingleLogoutService"`
}

type keyXML struct {
	Use  string `xml:"use,attr"`
	Info struct {
		Data []struct {
			Certificates []string `xml:"http://www.w3.org/2000/09/xmldsig# X509Certificate"`
		} `xml:"http://www.w3.org/2000/09/xmldsig# X509Data"`
	} `xml:"http://www.w3.org/2000/09/xmldsig# KeyInfo"`
}

type siteXML struct {
	Binding  string `xml:"Binding,attr"`
	Location string `xml:"Location,attr"`
	Response string `xml:"ResponseLocation,attr"` // of SingleLogoutService
}

// ParseIdPMetadata reads the metadata of one IdP, which an administrator
// pasted: an EntityDescriptor, or an EntitiesDescriptor. Of several IdPs it
// takes the one with the entity id chosen, which may be empty where there is
// one. Its signature is not looked at, as nothing is known that it could be
// held against: the administrator vouches for it. It returns fault.Invalid at
// saml_idp_metadata, and, where there is something to choose, a fault caused by
// a *[SeveralIdPs].
func ParseIdPMetadata(text []byte, chosen string, now time.Time) (IdPMetadata, error) {
	return parseMetadata(text, MostMetadata, chosen, now)
}

func parseMetadata(text []byte, most int, chosen string, now time.Time) (IdPMetadata, error) {
	if len(text) > most {
		return IdPMetadata{}, badMetadata("The metadata has more than %d KiB. Paste that of the one identity provider.", most>>10)
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	if err := notXML(text); err != nil {
		return IdPMetadata{}, err
	}
	if err := boundMetadata(text); err != nil {
		return IdPMetadata{}, err
	}
	entities, err := readEntities(text, now)
	if err != nil {
		return IdPMetadata{}, err
	}
	e, err := theOneIdP(entities, strings.TrimSpace(chosen))
	if err != nil {
		return IdPMetadata{}, err
	}
	if err := stillValid(e.ValidUntil, now); err != nil {
		return IdPMetadata{}, err
	}
	return e.read(now)
}

// whatToPaste ends the errors about text that is something else.
const whatToPaste = "Paste the XML document that the identity provider offers as its metadata; it begins with EntityDescriptor."

// notXML says of text that cannot be XML what it seems to be instead.
func notXML(text []byte) error {
	begins := func(with ...string) bool {
		for _, w := range with {
			if len(text) >= len(w) && strings.EqualFold(string(text[:len(w)]), w) {
				return true
			}
		}
		return false
	}
	switch {
	case len(text) == 0:
		return badMetadata("There is nothing here. %s", whatToPaste)
	case begins("<!doctype html", "<html"):
		return badMetadata("This is a web page, not metadata. %s", whatToPaste)
	case begins("<"):
		return nil
	case begins("http://", "https://"):
		return badMetadata("This is an address, not what stands there. Open it and paste the XML document that it shows.")
	case begins("-----BEGIN"):
		return badMetadata("This is a certificate, not metadata. It can be given by itself, with the entity ID and the SSO URL, instead of metadata.")
	case begins("{", "["):
		return badMetadata("This is JSON, not XML. %s", whatToPaste)
	}
	return badMetadata("This is not XML: it does not begin with <. %s", whatToPaste)
}

// notWellFormed says where XML breaks.
func notWellFormed(err error) error {
	where := ""
	if at := (*xml.SyntaxError)(nil); errors.As(err, &at) {
		where = fmt.Sprintf(" at line %d", at.Line)
	}
	return badMetadata("This is XML that is cut off or damaged%s: it is not well-formed. Paste the whole document, as the identity provider gives it.", where).Because(err)
}

// badMetadata is a fault in pasted metadata.
func badMetadata(format string, args ...any) *fault.Error {
	return fault.Invalid.Errorf(format, args...).At("saml_idp_metadata")
}

// metadataDecoder reads XML whatever encoding it declares: it was pasted, so
// that it is UTF-8 now.
func metadataDecoder(text []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return d
}

// boundMetadata refuses what no honest metadata is, before anything is built
// from it.
func boundMetadata(text []byte) error {
	d := metadataDecoder(text)
	depth, elements, roots := 0, 0, 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return notWellFormed(err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return badMetadata("Metadata has no DOCTYPE.")
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
			elements++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return badMetadata("There is text beside the XML document. Paste the document alone.")
			}
		}
		if depth > mostMetadataDepth || elements > mostMetadataElements {
			return badMetadata("The metadata is too large: it has more than %d elements, or more than %d within each other.", mostMetadataElements, mostMetadataDepth)
		}
	}
	if roots != 1 {
		return badMetadata("This is not one XML document, but %d. Paste that of the one identity provider.", roots)
	}
	return nil
}

// readEntities gives the EntityDescriptors of a document.
func readEntities(text []byte, now time.Time) ([]entityXML, error) {
	d := metadataDecoder(text)
	var out []entityXML
	first := true
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, notWellFormed(err)
		}
		start, isStart := t.(xml.StartElement)
		if !isStart {
			continue
		}
		switch start.Name {
		case xml.Name{Space: metadataNS, Local: "EntitiesDescriptor"}:
			for _, a := range start.Attr {
				if a.Name.Local != "validUntil" {
					continue
				}
				if err := stillValid(a.Value, now); err != nil {
					return nil, err
				}
			}
		case xml.Name{Space: metadataNS, Local: "EntityDescriptor"}:
			var e entityXML
			if err := d.DecodeElement(&e, &start); err != nil {
				return nil, notWellFormed(err)
			}
			out = append(out, e)
		default:
			if first && start.Name.Space != metadataNS {
				return nil, badMetadata("This is XML, but no SAML metadata: it begins with %s%s. %s", clip(start.Name.Local), ofNamespace(start.Name.Space), whatToPaste)
			}
			if err := d.Skip(); err != nil {
				return nil, notWellFormed(err)
			}
		}
		first = false
	}
}

// ofNamespace names a namespace that is not the one of metadata.
func ofNamespace(space string) string {
	if space == "" {
		return ""
	}
	return " of the namespace " + clip(space)
}

// stillValid refuses metadata whose own end has come (SAML Metadata, 2.3.2).
func stillValid(until string, now time.Time) error {
	if until == "" {
		return nil
	}
	end, err := time.Parse(time.RFC3339, until)
	if err != nil {
		end, err = time.Parse("2006-01-02T15:04:05", until) // xs:dateTime without a zone
	}
	if err != nil {
		return badMetadata("The metadata's validUntil is not a time: %s.", clip(until))
	}
	if !now.Before(end) {
		return badMetadata("The metadata was valid until %s. Fetch it anew from the identity provider.", end.UTC().Format(time.RFC3339))
	}
	return nil
}

// read takes what we use of an entity, and judges it as if it had been typed.
func (e entityXML) read(now time.Time) (IdPMetadata, error) {
	m := IdPMetadata{EntityID: strings.TrimSpace(e.EntityID)}
	if m.EntityID == "" {
		return m, badMetadata("The metadata's EntityDescriptor has no entityID.")
	}
	if err := checkEntityID(m.EntityID); err != nil {
		return m, fault.Of(err).At("saml_idp_metadata")
	}
	role, found := e.saml2()
	if !found {
		return m, badMetadata("The metadata's identity provider does not speak SAML 2.0.")
	}
	if err := stillValid(role.ValidUntil, now); err != nil {
		return m, err
	}
	m.WantsSignedRequests = role.WantsSigned == "true" || role.WantsSigned == "1"
	for _, site := range role.SSO {
		address := strings.TrimSpace(site.Location)
		switch {
		case site.Binding == redirectBinding && m.RedirectURL == "":
			m.RedirectURL = address
		case site.Binding == postBinding && m.PostURL == "":
			m.PostURL = address
		default:
			continue
		}
		if _, err := parseSSOURL(address); err != nil {
			f := fault.Of(err)
			f.Message = fmt.Sprintf("The metadata's SingleSignOnService %q cannot be used. %s", clip(address), f.Message)
			return m, f.At("saml_idp_metadata")
		}
	}
	if m.RedirectURL == "" && m.PostURL == "" {
		return m, badMetadata("The metadata names no SingleSignOnService for the HTTP-Redirect or the HTTP-POST binding.")
	}
	m.Logout = role.logout()
	var err error
	m.Certificates, err = role.signing()
	return m, err
}

// saml2 gives the role that speaks SAML 2.0: older software describes one for
// SAML 1.1 beside it.
func (e entityXML) saml2() (idpXML, bool) {
	for _, role := range e.IdPs {
		if role.Protocols == "" || strings.Contains(" "+role.Protocols+" ", " "+protocolNS+" ") {
			return role, true
		}
	}
	return idpXML{}, false
}

// signing gives the certificates that the IdP may sign with: a key without a
// use is for both (SAML Metadata, 2.4.1.1). Of a chain the first counts, which
// holds the key; the rest are authorities, which sign no assertions.
func (r idpXML) signing() ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for _, k := range r.Keys {
		if k.Use != "" && k.Use != "signing" {
			continue
		}
		for _, d := range k.Info.Data {
			if len(d.Certificates) == 0 {
				continue
			}
			c, err := parseCertificate(d.Certificates[0])
			if err != nil {
				return nil, fault.Of(err).At("saml_idp_metadata")
			}
			out = addCertificate(out, c)
		}
	}
	if len(out) == 0 {
		return nil, badMetadata("The metadata holds no certificate that the identity provider signs with.")
	}
	if len(out) > mostCertificates {
		return nil, badMetadata("The metadata holds more than %d certificates to sign with.", mostCertificates)
	}
	if len(encodeCertificates(out)) > mostCertificateLen {
		return nil, badMetadata("The metadata's certificates have more than %d bytes together.", mostCertificateLen)
	}
	return out, nil
}
