package sso

import (
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// The namespaces that the verifier reads. Names are always looked up together
// with one of them.
const (
	protocolSpace  = "urn:oasis:names:tc:SAML:2.0:protocol"
	assertionSpace = "urn:oasis:names:tc:SAML:2.0:assertion"
	signatureSpace = "http://www.w3.org/2000/09/xmldsig#"
	cipherSpace    = "http://www.w3.org/2001/04/xmlenc#"
	excC14NSpace   = "http://www.w3.org/2001/10/xml-exc-c14n#"
)

// A shape is where the parts of a response are. That there is one place for an
// assertion, one for each signature and one for each id is what leaves nothing
// to wrap around (Somorovsky and others, "On Breaking SAML", 2012).
type shape struct {
	root      *etree.Element // samlp:Response
	assertion *etree.Element // its one saml:Assertion; nil if there is none
	encrypted *etree.Element // the saml:EncryptedAssertion that it has instead

	rootSignature      *etree.Element // nil if there is none
	assertionSignature *etree.Element

	ids map[string]bool

	metadata bool // the root is an identity provider's metadata

	// wanted is what else the root is: the name of the SAML element that was
	// encrypted.
	wanted string

	// logout says where a logout message stands, in a document that is to be
	// one; around, what of the elements around it there was.
	logout logoutPlace
	around [3]bool

	spent
}

// What a document has used of its limits.
type spent struct {
	elements int
	total    int // attributes
	scopes   int // declarations in scope, element by element
	compared int // names
}

// enter looks at an element that begins inside the open ones.
func (s *shape) enter(open []openElement, e *openElement, attributes []attribute) *Rejection {
	if r := s.checkIDs(e, attributes); r != nil {
		return r
	}
	if s.logout != noLogout {
		return s.enterLogout(open, e)
	}
	name := e.el.Tag
	switch {
	case len(open) == 0 && s.wanted != "":
		if e.space != assertionSpace || name != s.wanted {
			return reject("element_unexpected", s.wanted, shortName(name))
		}
		s.root, s.assertion = e.el, e.el
	case len(open) == 0 && s.metadata:
		if e.space != metadataNS || name != "EntityDescriptor" && name != "EntitiesDescriptor" {
			return reject("element_unexpected", "EntityDescriptor in "+metadataNS, shortName(name)+" in "+e.space)
		}
		s.root = e.el
	case len(open) == 0:
		if e.space != protocolSpace || name != "Response" {
			return reject("not_a_response", "Response in "+protocolSpace, shortName(name)+" in "+e.space)
		}
		s.root = e.el
	case e.space == protocolSpace && name == "Response":
		return reject("assertion_misplaced", "", "a Response inside the response")
	case e.space == assertionSpace && (name == "Assertion" || name == "EncryptedAssertion"):
		return s.enterAssertion(open, e)
	case e.space == signatureSpace && name == "Signature":
		return s.enterSignature(open, e)
	}
	return nil
}

func (s *shape) enterAssertion(open []openElement, e *openElement) *Rejection {
	if len(open) != 1 {
		parent := open[len(open)-1].el.Tag
		return reject("assertion_misplaced", "a child of Response", e.el.Tag+" in "+shortName(parent))
	}
	if s.assertion != nil || s.encrypted != nil {
		return reject("several_assertions", "one", "a second "+e.el.Tag)
	}
	if e.el.Tag == "EncryptedAssertion" {
		s.encrypted = e.el
		return nil
	}
	s.assertion = e.el
	return nil
}

func (s *shape) enterSignature(open []openElement, e *openElement) *Rejection {
	parent := open[len(open)-1].el
	var place **etree.Element
	switch parent {
	case s.root:
		place = &s.rootSignature
	case s.assertion:
		place = &s.assertionSignature
	default:
		return reject("signature_misplaced", "a child of Response or Assertion", "a Signature in "+shortName(parent.Tag))
	}
	if *place != nil {
		return reject("several_signatures", "one", "a second one in "+shortName(parent.Tag))
	}
	*place = e.el
	return nil
}

// checkIDs refuses whatever one program might take for an id and another not.
// An attribute named id in an identity provider's own elements, inside an
// attribute's value, is left alone, but has to be unique with the others.
func (s *shape) checkIDs(e *openElement, attributes []attribute) *Rejection {
	found := false
	for _, a := range attributes {
		if len(a.local) != 2 || !strings.EqualFold(a.local, "id") || a.prefix == "xmlns" {
			continue
		}
		if a.prefix != "" {
			return reject("id_invalid", "an ID without prefix", shortName(a.prefix)+":"+a.local)
		}
		if want := idName(e.space); want != "" && a.local != want {
			return reject("id_invalid", want, a.local)
		}
		// What an identity provider calls id in elements of its own may be a
		// person's, so that no value is repeated.
		if found {
			return reject("id_invalid", "one XML id", "two on "+shortName(e.el.Tag))
		}
		if !isID(a.value) {
			return reject("id_invalid", "one XML id", strconv.Itoa(len(a.value))+" bytes on "+shortName(e.el.Tag)+" that are none")
		}
		if s.ids[a.value] {
			return reject("id_duplicate", "", "the second one on "+shortName(e.el.Tag))
		}
		if s.ids == nil {
			s.ids = make(map[string]bool, 4)
		}
		s.ids[a.value] = true
		found = true
	}
	needed := e.space == assertionSpace && e.el.Tag == "Assertion" || e.space == protocolSpace && e.el.Tag == "Response"
	if needed && !found {
		return reject("id_invalid", "an ID", "none on "+e.el.Tag)
	}
	return nil
}

// idName is how the schema of a namespace spells its id attribute; empty if
// the namespace is none of ours.
func idName(space string) string {
	switch space {
	case assertionSpace, protocolSpace, metadataNS:
		return "ID"
	case signatureSpace, cipherSpace:
		return "Id"
	}
	return ""
}

// isID reports whether a program would make this id: visible ASCII without
// what has a meaning in XML or in a URI reference. Ids that begin with a digit
// are no XML ids, but some identity providers make them.
func isID(v string) bool {
	if v == "" || len(v) > 256 {
		return false
	}
	for i := 0; i < len(v); i++ {
		if v[i] <= ' ' || v[i] >= 0x7f || strings.IndexByte("&<>\"'#%()/?\\", v[i]) >= 0 {
			return false
		}
	}
	return true
}

// complete looks at a document that has been read to its end.
func (s *shape) complete() *Rejection {
	if s.root == nil {
		return reject("xml_malformed", "", "no root element")
	}
	return nil
}
