package demoidp

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"strings"

	"gatehouse/internal/fault"
)

// The bounds of what a stranger may send.
const (
	maxForm       = 128 << 10 // a whole form
	maxRequest    = 64 << 10  // a SAMLRequest, before and after inflating
	maxRelayState = 2 << 10   // SAML allows 80 bytes; real ones are longer
)

// authnRequest is the part of an AuthnRequest that is read here (SAML Core,
// 3.4.1). A signature is not looked at: the answer goes to a registered
// address whoever asks.
type authnRequest struct {
	XMLName xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:protocol AuthnRequest"`
	ID      string   `xml:"ID,attr"`
	Version string   `xml:"Version,attr"`
	ACSURL  string   `xml:"AssertionConsumerServiceURL,attr"`
	Passive string   `xml:"IsPassive,attr"`
	Issuer  string   `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	Policy  struct {
		Format string `xml:"Format,attr"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:protocol NameIDPolicy"`
}

// ReadRedirect reads the query of a request that came by the Redirect binding
// (SAML Bindings, 3.4). It returns fault.Invalid, with the parameter at fault,
// for one that cannot be read, and fault.Denied for a service provider or an
// address that is not registered.
func (p *IdP) ReadRedirect(query url.Values) (Request, error) {
	if e := query.Get("SAMLEncoding"); e != "" && e != "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE" {
		return Request{}, fault.Invalid.Errorf("The encoding is not DEFLATE").At("SAMLEncoding")
	}
	packed, err := unbase64(query.Get("SAMLRequest"))
	if err != nil {
		return Request{}, err
	}
	doc, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxRequest+1))
	if err != nil {
		return Request{}, fault.Invalid.Errorf("The request is not deflated").At("SAMLRequest").Because(err)
	}
	return p.read(doc, query.Get("RelayState"))
}

// ReadPost reads the form of a request that came by the POST binding (SAML
// Bindings, 3.5). Its errors are those of ReadRedirect.
func (p *IdP) ReadPost(form url.Values) (Request, error) {
	doc, err := unbase64(form.Get("SAMLRequest"))
	if err != nil {
		return Request{}, err
	}
	return p.read(doc, form.Get("RelayState"))
}

func unbase64(s string) ([]byte, error) {
	if s == "" {
		return nil, fault.Invalid.Errorf("There is no request").At("SAMLRequest")
	}
	if len(s) > maxRequest {
		return nil, fault.Invalid.Errorf("The request is longer than %d bytes", maxRequest).At("SAMLRequest")
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, fault.Invalid.Errorf("The request is not base64").At("SAMLRequest").Because(err)
	}
	return b, nil
}

// read takes a request apart and finds who sent it.
func (p *IdP) read(doc []byte, relayState string) (Request, error) {
	if len(doc) > maxRequest {
		return Request{}, fault.Invalid.Errorf("The request is longer than %d bytes", maxRequest).At("SAMLRequest")
	}
	if len(relayState) > maxRelayState {
		return Request{}, fault.Invalid.Errorf("RelayState is longer than %d bytes", maxRelayState).At("RelayState")
	}
	var a authnRequest
	if err := xml.Unmarshal(doc, &a); err != nil {
		return Request{}, fault.Invalid.Errorf("The request is not a SAML AuthnRequest").At("SAMLRequest").Because(err)
	}
	if a.ID == "" || a.Version != "2.0" {
		return Request{}, fault.Invalid.Errorf("The request needs an ID and the version 2.0").At("SAMLRequest")
	}
	sp, ok := p.SP(strings.TrimSpace(a.Issuer))
	if !ok {
		return Request{}, fault.Denied.Errorf("The service provider %q is not registered here", a.Issuer).At("SAMLRequest")
	}
	if a.ACSURL != "" && a.ACSURL != sp.ACSURL {
		return Request{}, fault.Denied.Errorf("The address %q is not registered for %s", a.ACSURL, sp.EntityID).At("SAMLRequest")
	}
	return Request{
		SP:         sp,
		ID:         a.ID,
		RelayState: relayState,
		Format:     a.Policy.Format,
		Passive:    a.Passive == "true" || a.Passive == "1",
	}, nil
}

// Unsolicited is a login that starts here, for a service provider that is
// registered. It returns fault.Denied for another one.
func (p *IdP) Unsolicited(entityID, relayState string) (Request, error) {
	sp, ok := p.SP(entityID)
	if !ok {
		return Request{}, fault.Denied.Errorf("The service provider %q is not registered here", entityID).At("sp")
	}
	if len(relayState) > maxRelayState {
		return Request{}, fault.Invalid.Errorf("RelayState is longer than %d bytes", maxRelayState).At("RelayState")
	}
	return Request{SP: sp, RelayState: relayState}, nil
}

// Answer does what a browser and a person do with a request that came by the
// Redirect binding: it reads the address, has user log in, and gives the form
// that the browser would post, and where to.
func (p *IdP) Answer(authnRequestURL string, user User) (acsURL string, form url.Values, err error) {
	u, err := url.Parse(authnRequestURL)
	if err != nil {
		return "", nil, fmt.Errorf("parse request URL: %w", err)
	}
	if at, _, _ := strings.Cut(authnRequestURL, "?"); at != p.SSOURL {
		return "", nil, fmt.Errorf("request goes to %s, not to %s", at, p.SSOURL)
	}
	q, err := p.ReadRedirect(u.Query())
	if err != nil {
		return "", nil, err
	}
	return p.Form(q, p.Prepare(q, user))
}

// AnswerPost is Answer for a request that came by the POST binding.
func (p *IdP) AnswerPost(request url.Values, user User) (acsURL string, form url.Values, err error) {
	q, err := p.ReadPost(request)
	if err != nil {
		return "", nil, err
	}
	return p.Form(q, p.Prepare(q, user))
}

// Start makes the form of a login that starts here.
func (p *IdP) Start(entityID, relayState string, user User) (acsURL string, form url.Values, err error) {
	q, err := p.Unsolicited(entityID, relayState)
	if err != nil {
		return "", nil, err
	}
	return p.Form(q, p.Prepare(q, user))
}

// Form signs r and makes the form that carries it to the service provider of
// q (SAML Bindings, 3.5.4). RelayState is there only if the request had one.
func (p *IdP) Form(q Request, r Response) (acsURL string, form url.Values, err error) {
	doc, err := p.Respond(r)
	if err != nil {
		return "", nil, err
	}
	form = url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(doc)}}
	if q.RelayState != "" {
		form.Set("RelayState", q.RelayState)
	}
	return q.SP.ACSURL, form, nil
}
