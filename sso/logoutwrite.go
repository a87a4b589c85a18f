package sso

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"gatehouse/internal/fault"
)

// The statuses of our answers to logouts (SAML Core, 3.2.2.2).
const (
	LogoutDone    = statusSuccess
	LogoutRefused = "urn:oasis:names:tc:SAML:2.0:status:Requester"
	LogoutFailed  = "urn:oasis:names:tc:SAML:2.0:status:Responder"
)

// CanLogOut reports whether an IdP is told of logouts.
func (i *IdP) CanLogOut() bool { return i.Admits() && i.IdPSLOURL != "" }

// sloTarget is where a message goes: the response URL, where the IdP has one of
// its own for responses. It returns fault.Conflict where there is none, and
// where it leads back to us.
func (p *Provider) sloTarget(i *IdP, isResponse bool) (string, *url.URL, error) {
	address := i.IdPSLOURL
	if isResponse && i.IdPSLOResponseURL != "" {
		address = i.IdPSLOResponseURL
	}
	if address == "" {
		return "", nil, fault.Conflict.Errorf("Single logout is not set up for this identity provider: it has no logout URL.").Coded("logout_not_configured")
	}
	target, err := parseSSOURL(address)
	if err != nil {
		return "", nil, err
	}
	if err := checkTarget(target, i.Base, p.Base); err != nil {
		return "", nil, fault.Conflict.Errorf("The logout URL of this identity provider leads to Gatehouse itself.").Because(err)
	}
	return address, target, nil
}

// LogoutRequest writes a LogoutRequest (SAML Core, 3.7.1) that asks the IdP to
// end the session of this name and index, signed always. Its ID carries the
// ticket. It returns fault.Conflict if the IdP is not told of logouts.
func (p *Provider) LogoutRequest(i *IdP, t Ticket, name NameID, index string, now time.Time) (*Request, error) {
	address, target, err := p.sloTarget(i, false)
	if err != nil {
		return nil, fmt.Errorf("write logout to %s: %w", i.ID, err)
	}
	id := p.ticketID("logout-request", i.ID, t)
	write := func(signature []byte) []byte {
		w := &xmlWriter{b: make([]byte, 0, 1024)}
		w.open("samlp:LogoutRequest", "xmlns:samlp", protocolNS, "Destination", address, "ID", id,
			"IssueInstant", now.UTC().Format("2006-01-02T15:04:05Z"), "NotOnOrAfter", t.ExpiresAt.UTC().Format("2006-01-02T15:04:05Z"), "Version", "2.0")
		w.leaf("saml:Issuer", i.MetadataURL(), "xmlns:saml", assertionNS)
		w.b = append(w.b, signature...)
		w.leaf("saml:NameID", name.Value, name.attributes()...)
		if index != "" {
			w.leaf("samlp:SessionIndex", index)
		}
		w.close("samlp:LogoutRequest")
		return w.b
	}
	r := &Request{ID: id, Binding: i.SLOBinding, URL: address, Origin: target.Scheme + "://" + target.Host}
	if err := p.dispatch(r, i, requestParameter, t.FlowID, write); err != nil {
		return nil, fmt.Errorf("write logout to %s: %w", i.ID, err)
	}
	return r, nil
}

// attributes are those of a NameID, in canonical order.
func (n NameID) attributes() []string {
	out := []string{"xmlns:saml", assertionNS}
	for _, a := range []Field{{"Format", n.Format}, {"NameQualifier", n.NameQualifier}, {"SPNameQualifier", n.SPNameQualifier}} {
		if a.Value != "" {
			out = append(out, a.Name, a.Value)
		}
	}
	return out
}

// LogoutResponse writes a LogoutResponse (SAML Core, 3.7.2) to a request that
// came by this binding, and goes back by it: to the URL that is set for the
// IdP, never to one of the request. It returns fault.Conflict if there is none.
func (p *Provider) LogoutResponse(i *IdP, binding Binding, to *LogoutRequest, status string, now time.Time) (*Request, error) {
	r := &Request{ID: newMessageID(), Binding: binding}
	if binding != SOAP {
		address, target, err := p.sloTarget(i, true)
		if err != nil {
			return nil, fmt.Errorf("write logout response to %s: %w", i.ID, err)
		}
		r.URL, r.Origin = address, target.Scheme+"://"+target.Host
	}
	write := func(signature []byte) []byte {
		w := &xmlWriter{b: make([]byte, 0, 1024)}
		attributes := []string{"xmlns:samlp", protocolNS}
		if r.URL != "" {
			attributes = append(attributes, "Destination", r.URL)
		}
		w.open("samlp:LogoutResponse", append(attributes, "ID", r.ID, "InResponseTo", to.ID,
			"IssueInstant", now.UTC().Format("2006-01-02T15:04:05Z"), "Version", "2.0")...)
		w.leaf("saml:Issuer", i.MetadataURL(), "xmlns:saml", assertionNS)
		w.b = append(w.b, signature...)
		w.open("samlp:Status")
		w.leaf("samlp:StatusCode", "", "Value", status)
		w.close("samlp:Status")
		w.close("samlp:LogoutResponse")
		return w.b
	}
	if err := p.dispatch(r, i, responseParameter, to.RelayState, write); err != nil {
		return nil, fmt.Errorf("write logout response to %s: %w", i.ID, err)
	}
	return r, nil
}

// dispatch signs a message and makes it ready for its binding. write gives it
// with this signature, or without one.
func (p *Provider) dispatch(r *Request, i *IdP, parameter, relay string, write func(signature []byte) []byte) (err error) {
	if r.Binding == Redirect {
		query := parameter + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflate(write(nil))))
		if relay != "" {
			query += "&" + relayParameter + "=" + url.QueryEscape(relay)
		}
		if query, err = p.signQuery(i, query); err != nil {
			return err
		}
		separator := "?"
		if strings.Contains(r.URL, "?") {
			separator = "&"
		}
		r.URL += separator + query
		return nil
	}
	signature, err := p.envelope(i, r.ID, write(nil))
	if err != nil {
		return err
	}
	document := write(signature)
	if r.Binding == SOAP {
		r.Body = []byte(`<soap:Envelope xmlns:soap="` + soapSpace + `"><soap:Body>` + string(document) + `</soap:Body></soap:Envelope>`)
		return nil
	}
	r.Form = []Field{{parameter, base64.StdEncoding.EncodeToString(document)}}
	if relay != "" {
		r.Form = append(r.Form, Field{relayParameter, relay})
	}
	return nil
}

// SOAPFault is the answer to what another server sent and nobody verifiably
// signed (SOAP 1.1, 4.4). It says no more than that.
func SOAPFault() []byte {
	return []byte(`<soap:Envelope xmlns:soap="` + soapSpace + `"><soap:Body><soap:Fault><faultcode>soap:Client</faultcode><faultstring>The message is no logout request of the identity provider.</faultstring></soap:Fault></soap:Body></soap:Envelope>`)
}

// newMessageID makes an id of a message that nobody has to find again.
func newMessageID() string {
	var b [20]byte
	rand.Read(b[:])
	return "_" + hex.EncodeToString(b[:])
}
