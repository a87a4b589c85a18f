package sso

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// A Purpose is what a login is for.
type Purpose byte

// The purposes of a login.
const (
	ToLogin  Purpose = 1 // log in as who one is
	ToSignup Purpose = 2 // create an account bound to the IdP
	ToLink   Purpose = 3 // bind an existing account to the IdP

	// ToLoginAsked is a login that did not begin on a page of ours: its
	// person is asked before it ends.
	ToLoginAsked Purpose = 4

	// ToTest tries settings out: it ends in a trace and lets nobody in.
	ToTest Purpose = 5

	// ToLogout is no login: the person's session ended here, and is to end at
	// the IdP.
	ToLogout Purpose = 6
)

// TicketLifetime is how long a person may take at the IdP.
const TicketLifetime = 10 * time.Minute

// A Ticket is what the id of an AuthnRequest of ours says. The id carries it
// whole, authenticated, so that a flood of started logins stores nothing.
type Ticket struct {
	FlowID    string // 128 bits, hexadecimal: the login under way; also RelayState
	Purpose   Purpose
	Browser   [16]byte // the beginning of the SHA-256 of the browser's secret
	Session   [16]byte // ToLink: the beginning of the hash of the session that asked for it; else zero
	ExpiresAt time.Time
}

// BrowserHash is how a browser's secret stands in a ticket.
func BrowserHash(secret string) (h [16]byte) {
	sum := sha256.Sum256([]byte(secret))
	copy(h[:], sum[:])
	return h
}

// ticketSize: version 1, purpose 1, expiry 4, flow 16, browser 16, session 16,
// MAC 16.
const ticketSize = 70

// NewTicket makes a ticket that ends TicketLifetime from now.
func NewTicket(purpose Purpose, browserSecret string, now time.Time) Ticket {
	var flow [16]byte
	rand.Read(flow[:])
	return Ticket{
		FlowID:    hex.EncodeToString(flow[:]),
		Purpose:   purpose,
		Browser:   BrowserHash(browserSecret),
		ExpiresAt: now.Add(TicketLifetime).Truncate(time.Second),
	}
}

// RequestID is the AuthnRequest id that carries t to the IdP with this id and
// back. It is an NCName of 95 characters (XML Schema, 3.3.8).
func (p *Provider) RequestID(idpID string, t Ticket) string {
	return p.ticketID("authn-request", idpID, t)
}

// ticketID writes a ticket for one kind of request. It is good for no other.
func (p *Provider) ticketID(kind, idpID string, t Ticket) string {
	b := make([]byte, 0, ticketSize)
	b = append(b, 1, byte(t.Purpose))
	b = binary.BigEndian.AppendUint32(b, uint32(t.ExpiresAt.Unix()))
	flow, _ := hex.DecodeString(t.FlowID)
	b = append(b, flow...)
	b = append(b, t.Browser[:]...)
	b = append(b, t.Session[:]...)
	b = append(b, p.Keys.MAC(kind+" "+idpID, b)[:16]...)
	return "_" + base64.RawURLEncoding.EncodeToString(b)
}

// TicketOf gives the ticket of the request that a response says to answer, if
// we made that for the IdP with this id. Nothing else of the response is
// looked at, nor is any of it believed.
func (p *Provider) TicketOf(idpID string, raw []byte, now time.Time) (Ticket, bool) {
	found, r := scan(raw)
	if r != nil {
		return Ticket{}, false
	}
	t, err := p.Tickets(idpID, now)(value(found.root, "InResponseTo"))
	return t, err == nil
}

// Tickets gives the function that opens the request ids sent to one IdP, for
// Expectation.Ticket. It returns a *Rejection for an id that we did not make
// for this IdP, and for one whose time is over.
func (p *Provider) Tickets(idpID string, now time.Time) func(requestID string) (Ticket, error) {
	return func(id string) (Ticket, error) {
		t, ours := p.openTicketID("authn-request", idpID, id)
		if !ours {
			return Ticket{}, &Rejection{
				Code:    "unknown_request",
				Message: "The response answers a login that was not started here for this identity provider.",
				Got:     clip(id),
				Remedy:  generalRemedy("unknown_request"),
			}
		}
		if !now.Before(t.ExpiresAt) {
			return Ticket{}, &Rejection{
				Code:     "request_expired",
				Message:  "The login took too long: its ten minutes are over.",
				Expected: "an answer before " + t.ExpiresAt.Format(time.RFC3339),
				Got:      now.UTC().Format(time.RFC3339),
				Remedy:   generalRemedy("request_expired"),
			}
		}
		return t, nil
	}
}

// openTicketID reads a ticket that was written for a kind of request, and says
// whether it was written here. Its time may be over.
func (p *Provider) openTicketID(kind, idpID, id string) (t Ticket, ours bool) {
	b := []byte{}
	if len(id) == 1+base64.RawURLEncoding.EncodedLen(ticketSize) && id[0] == '_' {
		b, _ = base64.RawURLEncoding.Strict().DecodeString(id[1:])
	}
	if len(b) != ticketSize || b[0] != 1 || !p.Keys.CheckMAC(kind+" "+idpID, b[:ticketSize-16], b[ticketSize-16:]) {
		return Ticket{}, false
	}
	return Ticket{
		FlowID:    hex.EncodeToString(b[6:22]),
		Purpose:   Purpose(b[1]),
		Browser:   [16]byte(b[22:38]),
		Session:   [16]byte(b[38:54]),
		ExpiresAt: time.Unix(int64(binary.BigEndian.Uint32(b[2:6])), 0).UTC(),
	}, true
}

// clip bounds what of a stranger's text is kept.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
