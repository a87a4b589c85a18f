package sso

import "strings"

// What we write, we write in the form of Exclusive XML Canonicalization 1.0,
// by hand: attributes sorted, each prefix declared where it is first used,
// every element with an end tag. The bytes are then the same each time, and
// can be digested as they stand.

// The escapes of canonical XML (Canonical XML 1.0, 2.3) in texts and in
// attributes.
var (
	textEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	attrEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")
)

// The namespaces of what we write.
const (
	assertionNS = "urn:oasis:names:tc:SAML:2.0:assertion"
	signatureNS = "http://www.w3.org/2000/09/xmldsig#"
)

// An xmlWriter writes canonical XML.
type xmlWriter struct{ b []byte }

// open writes a start tag; attributes are names and values in turn, in
// canonical order.
func (w *xmlWriter) open(name string, attributes ...string) {
	w.b = append(append(w.b, '<'), name...)
	for n := 0; n+1 < len(attributes); n += 2 {
		w.b = append(append(w.b, ' '), attributes[n]...)
		w.b = append(append(append(w.b, `="`...), attrEscapes.Replace(attributes[n+1])...), '"')
	}
	w.b = append(w.b, '>')
}

func (w *xmlWriter) close(name string) {
	w.b = append(append(append(w.b, "</"...), name...), '>')
}

func (w *xmlWriter) text(s string) { w.b = append(w.b, textEscapes.Replace(s)...) }

// leaf writes an element that holds a text only.
func (w *xmlWriter) leaf(name, text string, attributes ...string) {
	w.open(name, attributes...)
	w.text(text)
	w.close(name)
}
