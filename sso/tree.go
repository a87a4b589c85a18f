package sso

import (
	"strings"

	"github.com/beevik/etree"
)

// is reports whether el has this name in this namespace.
func is(el *etree.Element, space, name string) bool {
	return el.Tag == name && el.NamespaceURI() == space
}

// children gives the child elements with this name in this namespace.
func children(el *etree.Element, space, name string) []*etree.Element {
	var out []*etree.Element
	for _, t := range el.Child {
		if c, ok := t.(*etree.Element); ok && is(c, space, name) {
			out = append(out, c)
		}
	}
	return out
}

// child gives the one child with this name in this namespace: nil if there is
// none, a rejection if there are several.
func child(el *etree.Element, space, name string) (*etree.Element, *Rejection) {
	var found *etree.Element
	for _, t := range el.Child {
		c, ok := t.(*etree.Element)
		if !ok || !is(c, space, name) {
			continue
		}
		if found != nil {
			return nil, reject("element_repeated", "one "+name+" in "+el.Tag, "several")
		}
		found = c
	}
	return found, nil
}

// attr gives the value of an attribute without prefix, and whether it is there.
func attr(el *etree.Element, name string) (string, bool) {
	for i := range el.Attr {
		if el.Attr[i].Space == "" && el.Attr[i].Key == name {
			return el.Attr[i].Value, true
		}
	}
	return "", false
}

// value gives the value of an attribute without prefix, or nothing.
func value(el *etree.Element, name string) string {
	v, _ := attr(el, name)
	return v
}

// text gives the whole text of an element that has nothing else inside, and
// whether that is so. etree's own Text stops at the first thing that is not
// text, which would let a name be cut short.
func text(el *etree.Element) (string, bool) {
	if len(el.Child) == 0 {
		return "", true
	}
	if t, ok := el.Child[0].(*etree.CharData); ok && len(el.Child) == 1 {
		return t.Data, true
	}
	var b strings.Builder
	for _, c := range el.Child {
		t, ok := c.(*etree.CharData)
		if !ok {
			return "", false
		}
		b.WriteString(t.Data)
	}
	return b.String(), true
}

// trim takes off the white space with which some identity providers lay out
// elements whose content never has any of its own: URIs, times, base64.
func trim(s string) string { return strings.Trim(s, " \t\r\n") }

// compact takes out all white space.
func compact(s string) string {
	if !strings.ContainsAny(s, " \t\r\n") {
		return s
	}
	return strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(s)
}
