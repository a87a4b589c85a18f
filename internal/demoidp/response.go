package demoidp

import (
	"crypto"
	"strconv"
	"strings"
	"time"
)

const (
	nsSAML   = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsSAMLP  = "urn:oasis:names:tc:SAML:2.0:protocol"
	bearer   = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	password = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"

	statusPrefix = "urn:oasis:names:tc:SAML:2.0:status:"
)

// Status codes of a response (SAML Core, 3.2.2.2).
const (
	Success     = statusPrefix + "Success"
	Responder   = statusPrefix + "Responder"
	AuthnFailed = statusPrefix + "AuthnFailed"
	NoPassive   = statusPrefix + "NoPassive"
)

// validity is how long a response is good for.
const validity = 5 * time.Minute

// A Response is all that a SAML response says. [IdP.Prepare] gives an honest
// one; a test changes what it is about and has it signed by [IdP.Respond]. A
// field that is empty is left out of the document, times included.
type Response struct {
	ID           string
	Issuer       string // of the response and the assertion
	Destination  string
	InResponseTo string // on the Response
	IssuedAt     time.Time

	Status        string // Success, or a failure, which carries no assertion
	SubStatus     string
	StatusMessage string

	AssertionID  string
	Assertions   int // how many; the second and further ones have ids of their own
	Subject      NameID
	Confirmation Confirmation
	NotBefore    time.Time // of Conditions
	NotOnOrAfter time.Time // of Conditions
	Audiences    []string  // in one restriction

	AuthnAt      time.Time
	AuthnContext string
	SessionIndex string
	SessionEnds  time.Time
	Attributes   []Attribute

	// Size pads the document with values of one more attribute to about this
	// many bytes. A document that is longer already stays as it is.
	Size int

	Sign          Signing
	Key           crypto.Signer // signs in place of the IdP's own; KeyInfo stays
	SignatureHash crypto.Hash   // SHA-256 if 0
	DigestHash    crypto.Hash   // SHA-256 if 0
	OmitKeyInfo   bool

	// Encrypt encrypts each assertion, once it is signed. It may be nil.
	Encrypt *Encryption

	// Alter changes the text of each assertion before it is signed. What it
	// gives has to be in canonical form again for its signature to hold.
	Alter func(assertion string) string

	// Tamper changes the finished document.
	Tamper func(document string) string
}

// A NameID names the subject. One without a value is left out.
type NameID struct {
	Value           string
	Format          string
	NameQualifier   string
	SPNameQualifier string
}

// A Confirmation ties an assertion to its delivery (SAML Core, 2.4.1).
type Confirmation struct {
	Method       string
	Recipient    string
	InResponseTo string
	NotBefore    time.Time // forbidden by SAML Profiles, 4.1.4.2
	NotOnOrAfter time.Time
}

// An Attribute is one statement about the subject.
type Attribute struct {
	Name         string
	FriendlyName string
	Values       []string
}

// A Request is what the IdP knows of a login that somebody asked for.
type Request struct {
	SP         SP
	ID         string // empty for a login that starts here
	RelayState string
	Format     string // of the NameID; empty for the default
	Passive    bool   // no page may be shown
}

// Prepare gives the honest answer that u gets to q.
func (p *IdP) Prepare(q Request, u User) Response {
	now := p.Now().UTC().Truncate(time.Millisecond)
	r := Response{
		ID:           p.NewID(),
		Issuer:       p.EntityID,
		Destination:  q.SP.ACSURL,
		InResponseTo: q.ID,
		IssuedAt:     now,
		Status:       Success,
		AssertionID:  p.NewID(),
		Assertions:   1,
		Subject:      p.nameID(u, q.SP, q.Format),
		Confirmation: Confirmation{
			Method:       bearer,
			Recipient:    q.SP.ACSURL,
			InResponseTo: q.ID,
			NotOnOrAfter: now.Add(validity),
		},
		NotBefore:    now.Add(-30 * time.Second),
		NotOnOrAfter: now.Add(validity),
		Audiences:    []string{q.SP.EntityID},
		AuthnAt:      now,
		AuthnContext: password,
		SessionIndex: p.NewID(),
		Sign:         p.Sign,
	}
	r.add("email", u.Email)
	r.add("firstName", u.FirstName)
	r.add("lastName", u.LastName)
	r.add("username", u.Username)
	r.add("groups", u.Groups...)
	return r
}

// add states an attribute, unless there is nothing to state.
func (r *Response) add(name string, values ...string) {
	if len(values) == 0 || values[0] == "" {
		return
	}
	r.Attributes = append(r.Attributes, Attribute{Name: name, Values: values})
}

// Refuse gives the answer to q that nobody logged in, and why.
func (p *IdP) Refuse(q Request, subStatus, message string) Response {
	return Response{
		ID:            p.NewID(),
		Issuer:        p.EntityID,
		Destination:   q.SP.ACSURL,
		InResponseTo:  q.ID,
		IssuedAt:      p.Now().UTC().Truncate(time.Millisecond),
		Status:        Responder,
		SubStatus:     subStatus,
		StatusMessage: message,
		Sign:          SignResponse,
	}
}

// Respond writes r and signs it. It applies no clock and no rule: what r says
// is what is written. It returns an error for a key that is not RSA, and for
// text that XML cannot carry.
func (p *IdP) Respond(r Response) ([]byte, error) {
	if p.Misbehave != nil {
		p.Misbehave(&r)
	}
	s, err := p.signerFor(&r)
	if err != nil {
		return nil, err
	}
	assertions, err := r.assertions(s, p.NewID)
	if err != nil {
		return nil, err
	}
	doc, err := r.document(assertions)
	if err != nil {
		return nil, err
	}
	if r.Sign.response() {
		if doc, err = s.sign(r.ID, doc); err != nil {
			return nil, err
		}
	}
	if r.Tamper != nil {
		doc = r.Tamper(doc)
	}
	return []byte(doc), nil
}

// assertions writes and signs them all.
func (r *Response) assertions(s *signer, newID func() string) (string, error) {
	if r.Status != Success {
		return "", nil
	}
	padding, err := r.padding(s)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for i := range r.Assertions {
		id := r.AssertionID
		if i > 0 {
			id = newID()
		}
		a, err := r.assertion(id, padding)
		if err != nil {
			return "", err
		}
		if r.Alter != nil {
			a = r.Alter(a)
		}
		if r.Sign.assertion() {
			if a, err = s.sign(id, a); err != nil {
				return "", err
			}
		}
		if r.Encrypt != nil {
			if a, err = r.Encrypt.encrypt(a); err != nil {
				return "", err
			}
		}
		all.WriteString(a)
	}
	return all.String(), nil
}

// padding gives values that bring the document to r.Size. They look like what
// makes responses of real IdPs long: memberships.
func (r *Response) padding(s *signer) ([]string, error) {
	if r.Size == 0 {
		return nil, nil
	}
	a, err := r.assertion(r.AssertionID, nil)
	if err != nil {
		return nil, err
	}
	doc, err := r.document(a)
	if err != nil {
		return nil, err
	}
	size := len(doc)
	if r.Sign.response() {
		size += s.size(r.ID)
	}
	if r.Sign.assertion() {
		size += s.size(r.AssertionID)
	}
	const around = len("<saml:AttributeValue></saml:AttributeValue>")
	var values []string
	for size < r.Size {
		v := "cn=team-" + strconv.Itoa(1000+len(values)) + ",ou=groups,dc=acme,dc=test"
		values = append(values, v)
		size += around + len(v)
	}
	return values, nil
}
