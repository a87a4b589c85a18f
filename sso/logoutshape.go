package sso

import (
	"slices"

	"github.com/beevik/etree"
)

const soapSpace = "http://schemas.xmlsoap.org/soap/envelope/"

// A logoutPlace is where the shape of a document expects a logout message.
type logoutPlace int

// The places of a logout message.
const (
	noLogout   logoutPlace = iota // the document is no logout message
	logoutRoot                    // it is the root
	logoutBody                    // it is all that a SOAP Envelope's Body holds
)

// scanLogout reads a logout message into a tree.
func scanLogout(raw []byte, place logoutPlace) (*shape, *Rejection) {
	s, r := newScanner(raw)
	if r != nil {
		return nil, r
	}
	s.logout = place
	if r := s.document(); r != nil {
		return nil, r
	}
	if s.root == nil {
		return nil, reject("not_a_logout", "LogoutRequest or LogoutResponse", "none")
	}
	return &s.shape, nil
}

// enterLogout looks at an element of a logout message: it has one place, its
// signature another, and nothing that could be taken for either may be
// anywhere else.
func (s *shape) enterLogout(open []openElement, e *openElement) *Rejection {
	level, name := len(open), e.el.Tag
	if s.logout == logoutBody {
		if level < 2 {
			return s.enterEnvelope(level, e)
		}
		if open[1].el.Tag == "Header" {
			return reject("not_a_logout", "an empty Header", shortName(name)+" in it")
		}
		level -= 2
	}
	isMessage := e.space == protocolSpace && (name == "LogoutRequest" || name == "LogoutResponse")
	switch {
	case level == 0 && s.root != nil:
		return reject("element_repeated", "one message in Body", "several")
	case level == 0 && !isMessage:
		return reject("not_a_logout", "LogoutRequest or LogoutResponse in "+protocolSpace, shortName(name)+" in "+e.space)
	case level == 0:
		s.root = e.el
	case isMessage, e.space == protocolSpace && name == "Response",
		e.space == assertionSpace && (name == "Assertion" || name == "EncryptedAssertion"):
		return reject("element_unexpected", "one logout message alone", name+" inside it")
	case e.space == signatureSpace && name == "Signature":
		return s.enterSignature(open, e)
	}
	return nil
}

// The parts around a message in SOAP, each of which is there once, at a level.
var soapParts = []struct {
	name  string
	level int
}{{"Envelope", 0}, {"Header", 1}, {"Body", 1}}

// enterEnvelope looks at what is around a message: an Envelope that holds a
// Body, and perhaps an empty Header before it (SOAP 1.1, 4). What stands in one
// would ask for something that nobody here does.
func (s *shape) enterEnvelope(level int, e *openElement) *Rejection {
	for n, part := range soapParts {
		if part.level != level || e.space != soapSpace || e.el.Tag != part.name {
			continue
		}
		// Nothing comes twice, nor before what it comes behind.
		if slices.Contains(s.around[n:], true) {
			return reject("element_repeated", "Envelope, Header and Body once, in this order", "another "+part.name)
		}
		s.around[n] = true
		return nil
	}
	return reject("not_a_logout", "Envelope and Body in "+soapSpace, shortName(e.el.Tag)+" in "+e.space)
}

// surroundings gives an element that declares what is declared around el, or
// nil where el is the root.
func surroundings(el *etree.Element) *etree.Element {
	if el.Parent() == nil {
		return nil
	}
	out := &etree.Element{Tag: "context"}
	for _, n := range carried(el.Parent(), nil) {
		a := etree.Attr{Space: "xmlns", Key: n.prefix, Value: n.space}
		if n.prefix == "" {
			a.Space, a.Key = "", "xmlns"
		}
		out.Attr = append(out.Attr, a)
	}
	return out
}
