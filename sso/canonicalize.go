package sso

import (
	"hash"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// A canonicalizer writes elements of a scanned tree in canonical form into a
// hash: Exclusive XML Canonicalization 1.0, or, for SignedInfo and for the root
// of a document, Canonical XML 1.0 and 1.1. There are no comments, instructions and entities in such a tree,
// every text and attribute value is what the parser makes of it, and every
// prefix is declared; so what is left are namespaces, order and escapes.
//
// Two trees that are read differently have different canonical forms: what is
// not written is only how a namespace is declared, and the signature itself,
// which nobody reads.
type canonicalizer struct {
	h    hash.Hash
	b    []byte
	omit *etree.Element // the signature, for the enveloped-signature transform

	// everything says that all namespaces in scope are written where they
	// begin, as Canonical XML does; else those that an element or attribute
	// uses, and those of prefixes.
	everything bool
	prefixes   []string // of InclusiveNamespaces; "" is the default namespace

	scope   []namespace // declared around and at the present element, innermost last
	written []namespace // declared in what was written, innermost last

	// gap says that goxmldsig is known to have another form: where the default
	// namespace is ended that nothing written had begun, and where an element
	// has attributes of two prefixes, which it orders by their names.
	gap bool
}

type namespace struct{ prefix, space string }

// flushAt is how many bytes are gathered before they are hashed.
const flushAt = 4096

// canonical hashes one element. outer are its ancestors' declarations; see
// inScope.
func (c *canonicalizer) canonical(el *etree.Element) []byte {
	c.scope = inScope(c.scope[:0], el.Parent())
	c.written, c.gap = c.written[:0], false
	c.element(el)
	c.h.Write(c.b)
	c.b = c.b[:0]
	return c.h.Sum(nil)
}

// inScope adds the namespace declarations of an element and of what is around
// it, outermost first.
func inScope(list []namespace, el *etree.Element) []namespace {
	if el == nil {
		return list
	}
	return declarations(inScope(list, el.Parent()), el)
}

// declarations adds those that stand on an element.
func declarations(list []namespace, el *etree.Element) []namespace {
	for i := range el.Attr {
		if prefix, is := declares(&el.Attr[i]); is {
			list = append(list, namespace{prefix, el.Attr[i].Value})
		}
	}
	return list
}

// declares gives the prefix that an attribute declares, if it declares one.
func declares(a *etree.Attr) (prefix string, is bool) {
	switch {
	case a.Space == "xmlns":
		return a.Key, true
	case a.Space == "" && a.Key == "xmlns":
		return "", true
	}
	return "", false
}

// lookUp gives the namespace of a prefix; none is the empty one.
func lookUp(list []namespace, prefix string) (space string, declared bool) {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].prefix == prefix {
			return list[i].space, true
		}
	}
	return "", false
}

func (c *canonicalizer) element(el *etree.Element) {
	scope, written := len(c.scope), len(c.written)
	c.scope = declarations(c.scope, el)
	c.b = append(c.b, '<')
	c.name(el.Space, el.Tag)
	c.namespaces(el)
	c.attributes(el)
	c.b = append(c.b, '>')
	for _, t := range el.Child {
		switch t := t.(type) {
		case *etree.Element:
			if t != c.omit {
				c.element(t)
			}
		case *etree.CharData:
			c.b = appendEscaped(c.b, t.Data, false)
		}
		if len(c.b) >= flushAt {
			c.h.Write(c.b)
			c.b = c.b[:0]
		}
	}
	c.b = append(c.b, '<', '/')
	c.name(el.Space, el.Tag)
	c.b = append(c.b, '>')
	c.scope, c.written = c.scope[:scope], c.written[:written]
}

func (c *canonicalizer) name(prefix, local string) {
	if prefix != "" {
		c.b = append(append(c.b, prefix...), ':')
	}
	c.b = append(c.b, local...)
}

// namespaces writes the declarations that an element needs, in the order of
// their prefixes.
func (c *canonicalizer) namespaces(el *etree.Element) {
	first := len(c.written)
	if c.everything {
		for _, n := range c.scope {
			c.declare(n.prefix)
		}
	} else {
		c.declare(el.Space)
		for i := range el.Attr {
			if a := &el.Attr[i]; a.Space != "" && a.Space != "xmlns" {
				c.declare(a.Space)
			}
		}
		for _, prefix := range c.prefixes {
			if _, declared := lookUp(c.scope, prefix); declared {
				c.declare(prefix)
			}
		}
	}
	fresh := c.written[first:]
	if len(fresh) > 1 {
		slices.SortFunc(fresh, func(a, b namespace) int { return strings.Compare(a.prefix, b.prefix) })
	}
	for _, n := range fresh {
		c.b = append(c.b, " xmlns"...)
		if n.prefix != "" {
			c.b = append(append(c.b, ':'), n.prefix...)
		}
		c.b = append(c.b, '=', '"')
		c.b = appendEscaped(c.b, n.space, true)
		c.b = append(c.b, '"')
	}
}

// declare notes that a prefix is to be declared, unless what was written
// around declares it so already.
func (c *canonicalizer) declare(prefix string) {
	if prefix == "xml" {
		return
	}
	space, declared := lookUp(c.scope, prefix)
	if around, _ := lookUp(c.written, prefix); around != space {
		c.written = append(c.written, namespace{prefix, space})
	} else if space == "" && declared {
		c.gap = true
	}
}

// attributes writes those that declare nothing, ordered by namespace and name.
func (c *canonicalizer) attributes(el *etree.Element) {
	var few [8]*etree.Attr
	list := few[:0]
	for i := range el.Attr {
		if _, declaration := declares(&el.Attr[i]); !declaration {
			list = append(list, &el.Attr[i])
		}
	}
	if len(list) > 1 {
		slices.SortFunc(list, func(a, b *etree.Attr) int {
			if n := strings.Compare(c.spaceOf(a), c.spaceOf(b)); n != 0 {
				return n
			}
			return strings.Compare(a.Key, b.Key)
		})
	}
	one := ""
	for _, a := range list {
		if a.Space != "" {
			c.gap = c.gap || one != "" && one != a.Space
			one = a.Space
		}
		c.b = append(c.b, ' ')
		c.name(a.Space, a.Key)
		c.b = append(c.b, '=', '"')
		c.b = appendEscaped(c.b, a.Value, true)
		c.b = append(c.b, '"')
	}
}

func (c *canonicalizer) spaceOf(a *etree.Attr) string {
	switch a.Space {
	case "":
		return ""
	case "xml":
		return xmlSpace
	}
	space, _ := lookUp(c.scope, a.Space)
	return space
}

// appendEscaped writes a text or an attribute's value (Canonical XML 1.0, 2.3).
func appendEscaped(b []byte, s string, inAttribute bool) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		var to string
		switch s[i] {
		case '&':
			to = "&amp;"
		case '<':
			to = "&lt;"
		case '\r':
			to = "&#xD;"
		case '>':
			if !inAttribute {
				to = "&gt;"
			}
		case '"':
			if inAttribute {
				to = "&quot;"
			}
		case '\t':
			if inAttribute {
				to = "&#x9;"
			}
		case '\n':
			if inAttribute {
				to = "&#xA;"
			}
		}
		if to != "" {
			b = append(append(b, s[from:i]...), to...)
			from = i + 1
		}
	}
	return append(b, s[from:]...)
}
