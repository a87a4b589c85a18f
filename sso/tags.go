package sso

import (
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// startTag reads <name …> or <name …/>, enters the element into the tree, and
// has the shape look at it.
func (s *scanner) startTag() *Rejection {
	if s.root != nil && len(s.open) == 0 {
		return s.malformed("a second root element")
	}
	if len(s.open) == maxDepth {
		return tooComplex("depth", maxDepth)
	}
	if s.elements++; s.elements > maxElements {
		return tooComplex("elements", maxElements)
	}
	start := s.pos + 1
	s.pos = start
	prefix, local, r := s.name()
	if r != nil {
		return r
	}
	opened := openElement{raw: s.text[start:s.pos], scope: len(s.scope)}
	empty, r := s.attributeList()
	if r != nil {
		return r
	}
	if s.scopes += len(s.scope); s.scopes > maxScopes {
		return tooComplex("namespaces in scope, over all elements", maxScopes)
	}
	if r := s.checkAttributes(); r != nil {
		return r
	}
	in, r := s.lookup(prefix)
	if r != nil {
		return r
	}
	if prefix == "xmlns" || in.space == xmlSpace {
		return reject("xml_namespace", "", "an element in a reserved namespace")
	}
	opened.space = in.space
	opened.el = s.newElement(prefix, local, s.attributes)
	if r := s.enter(s.open, &opened, s.attributes); r != nil {
		return r
	}
	if len(s.open) > 0 {
		s.open[len(s.open)-1].el.AddChild(opened.el)
	}
	s.open = append(s.open, opened)
	if empty {
		s.leave()
	}
	return nil
}

// attributeList reads what stands between an element's name and its >, and
// puts the namespaces declared there into scope.
func (s *scanner) attributeList() (empty bool, r *Rejection) {
	s.attributes = s.attributes[:0]
	for {
		before := s.pos
		s.skipSpace()
		if s.pos >= len(s.text) {
			return false, s.malformed("a tag does not end")
		}
		switch s.text[s.pos] {
		case '>':
			s.pos++
			return false, nil
		case '/':
			if !strings.HasPrefix(s.text[s.pos:], "/>") {
				return false, s.malformed("a / inside a tag")
			}
			s.pos += 2
			return true, nil
		}
		if s.pos == before {
			return false, s.malformed("no blank before an attribute")
		}
		if r := s.attribute(); r != nil {
			return false, r
		}
	}
}

// attribute reads name="value".
func (s *scanner) attribute() *Rejection {
	if s.total++; s.total > maxAttributes {
		return tooComplex("attributes", maxAttributes)
	}
	if len(s.attributes) == maxOnElement {
		return tooComplex("attributes on an element", maxOnElement)
	}
	prefix, local, r := s.name()
	if r != nil {
		return r
	}
	value, tail, ok := quoted(s.text[s.pos:])
	if !ok {
		return s.malformed("an attribute without a quoted value")
	}
	s.pos = len(s.text) - len(tail)
	start := s.pos - 1 - len(value)
	if strings.IndexByte(value, '<') >= 0 {
		return s.malformed("a < in an attribute")
	}
	if prefix == "xmlns" || prefix == "" && local == "xmlns" {
		if r := s.declare(prefix, local, value); r != nil {
			return r
		}
	}
	value, bad := unescape(value, true)
	if bad >= 0 {
		return s.badReference(start + bad)
	}
	s.attributes = append(s.attributes, attribute{prefix: prefix, local: local, value: value})
	return nil
}

// declare puts a namespace into scope (Namespaces in XML 1.0, 3).
func (s *scanner) declare(prefix, local, space string) *Rejection {
	if prefix == "" {
		local = "" // the default namespace, which xmlns="" may end
	} else if space == "" || local == "xmlns" {
		return reject("xml_namespace", "", "an emptied or reserved prefix "+shortName(local))
	}
	// Nobody has use for references in namespace names; two parsers that
	// disagree on one would see different elements.
	if strings.IndexByte(space, '&') >= 0 || strings.ContainsAny(space, " \t\r\n") {
		return reject("xml_namespace", "", "a namespace name with references or blanks")
	}
	if (local == "xml") != (space == xmlSpace) || space == xmlnsSpace {
		return reject("xml_namespace", "", "a reserved namespace, bound to "+shortName(local))
	}
	if len(s.scope) == maxInScope {
		return tooComplex("namespaces in scope", maxInScope)
	}
	if s.numbers == nil {
		s.numbers = make(map[string]int, 16)
	}
	number, met := s.numbers[space]
	if !met {
		number = len(s.numbers) + 1
		s.numbers[space] = number
	}
	s.scope = append(s.scope, binding{local, space, number})
	return nil
}

// lookup gives the namespace that a prefix stands for.
func (s *scanner) lookup(prefix string) (binding, *Rejection) {
	for i := len(s.scope) - 1; i >= 0; i-- {
		if s.compared++; s.compared > maxCompared {
			return binding{}, tooComplex("names compared", maxCompared)
		}
		if s.scope[i].prefix == prefix {
			return s.scope[i], nil
		}
	}
	switch prefix {
	case "":
		return binding{}, nil
	case "xml":
		return binding{prefix, xmlSpace, xmlNumber}, nil
	}
	return binding{}, reject("xml_namespace", "", "an undeclared prefix "+shortName(prefix))
}

// checkAttributes refuses attributes that stand twice, as written or by
// namespace, and undeclared prefixes. Each prefix is looked up once, and
// namespaces are compared by number: a stranger may send as many prefixes for
// one local name as an element can have, for namespaces as long as a response.
func (s *scanner) checkAttributes() *Rejection {
	for i := range s.attributes {
		a := &s.attributes[i]
		// An attribute without prefix is in no namespace, and declarations are
		// in one that nothing else can be bound to.
		switch a.prefix {
		case "":
		case "xmlns":
			a.space = xmlnsNumber
		default:
			in, r := s.lookup(a.prefix)
			if r != nil {
				return r
			}
			a.space = in.number
		}
		for j := range s.attributes[:i] {
			if s.compared++; s.compared > maxCompared {
				return tooComplex("names compared", maxCompared)
			}
			if b := &s.attributes[j]; a.local == b.local && a.space == b.space {
				return reject("xml_attribute", "", shortName(a.local))
			}
		}
	}
	return nil
}

// name reads an element's or attribute's name: at most one colon, with a part
// on either side. XML would allow most letters of the world; SAML uses ASCII.
func (s *scanner) name() (prefix, local string, r *Rejection) {
	start, colon := s.pos, -1
	for ; s.pos < len(s.text); s.pos++ {
		c := s.text[s.pos]
		if c == ':' && colon < 0 && s.pos > start {
			colon = s.pos
			continue
		}
		if !isNameByte(c, s.pos == start || s.pos == colon+1) {
			break
		}
	}
	raw := s.text[start:s.pos]
	if raw == "" || colon == s.pos-1 || s.pos < len(s.text) && (s.text[s.pos] == ':' || s.text[s.pos] >= 0x80) {
		return "", "", reject("xml_name", "", "a name at "+s.place(start))
	}
	if colon < 0 {
		return "", raw, nil
	}
	return s.text[start:colon], s.text[colon+1 : s.pos], nil
}

func isNameByte(c byte, first bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
		return true
	case '0' <= c && c <= '9', c == '-', c == '.':
		return !first
	}
	return false
}

func (s *scanner) skipSpace() {
	for s.pos < len(s.text) && isSpace(s.text[s.pos]) {
		s.pos++
	}
}

func tooComplex(what string, most int) *Rejection {
	return reject("xml_too_complex", "at most "+strconv.Itoa(most)+" "+what, "more")
}

// unescape gives the value of text or of an attribute as XML parsers give it:
// references replaced (XML 1.0, 4.6), line ends normalised (2.11), white space
// in attributes made blanks (3.3.3). bad is where a reference begins that
// stands for nothing, or negative.
func unescape(text string, inAttribute bool) (value string, bad int) {
	special := "&\r"
	if inAttribute {
		special = "&\r\n\t"
	}
	at := strings.IndexAny(text, special)
	if at < 0 {
		return text, -1
	}
	var b strings.Builder
	whole := len(text)
	b.Grow(whole)
	for ; at >= 0; at = strings.IndexAny(text, special) {
		b.WriteString(text[:at])
		c := text[at]
		text = text[at+1:]
		if c == '&' {
			name, tail, ok := strings.Cut(text, ";")
			char, known := reference(name)
			if !ok || !known {
				return "", whole - len(text) - 1
			}
			b.WriteRune(char)
			text = tail
			continue
		}
		if c == '\r' {
			text = strings.TrimPrefix(text, "\n")
			c = '\n'
		}
		if inAttribute {
			c = ' '
		}
		b.WriteByte(c)
	}
	b.WriteString(text)
	return b.String(), -1
}

// reference gives the character that a reference stands for.
func reference(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok || digits == "" || len(digits) > 8 {
		return 0, false
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return 0, false
	}
	r := rune(n)
	legal := r == '\t' || r == '\n' || r == '\r' || 0x20 <= r && r <= 0xd7ff ||
		0xe000 <= r && r <= 0xfffd || 0x10000 <= r && r <= 0x10ffff
	return r, legal
}

// slabs hands out the parts of a tree from larger pieces, which spares an
// allocation for each.
type slabs struct {
	freeElements []etree.Element
	freeTexts    []etree.CharData
	freeAttrs    []etree.Attr
}

func (s *slabs) newElement(prefix, local string, attributes []attribute) *etree.Element {
	if len(s.freeElements) == 0 {
		s.freeElements = make([]etree.Element, 32)
	}
	el := &s.freeElements[0]
	s.freeElements = s.freeElements[1:]
	n := len(attributes)
	if len(s.freeAttrs) < n {
		s.freeAttrs = make([]etree.Attr, 64)
	}
	el.Space, el.Tag = prefix, local
	el.Attr = s.freeAttrs[:n:n]
	s.freeAttrs = s.freeAttrs[n:]
	for i, a := range attributes {
		el.Attr[i] = etree.Attr{Space: a.prefix, Key: a.local, Value: a.value}
	}
	return el
}

func (s *slabs) newText(text string) *etree.CharData {
	if len(s.freeTexts) == 0 {
		s.freeTexts = make([]etree.CharData, 32)
	}
	t := &s.freeTexts[0]
	s.freeTexts = s.freeTexts[1:]
	t.Data = text
	return t
}
