package demoidp

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A canon writes XML that is its own exclusive canonical form (Exclusive XML
// Canonicalization 1.0, section 3), so that it can be signed as it stands. Its
// caller keeps three rules: a namespace is declared on each outermost element
// that uses its prefix and not above; declarations come first; then attributes
// in the order of their names.
type canon struct {
	b   []byte
	err error // the first character that XML cannot carry
}

// open starts an element with pairs of attribute names and values. A pair
// whose value is empty is left out.
func (c *canon) open(name string, attrs ...string) {
	c.b = append(c.b, '<')
	c.b = append(c.b, name...)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] == "" {
			continue
		}
		c.b = append(c.b, ' ')
		c.b = append(c.b, attrs[i]...)
		c.b = append(c.b, `="`...)
		c.escape(attrs[i+1], true)
		c.b = append(c.b, '"')
	}
	c.b = append(c.b, '>')
}

func (c *canon) close(name string) {
	c.b = append(c.b, "</"...)
	c.b = append(c.b, name...)
	c.b = append(c.b, '>')
}

// leaf writes an element with nothing but text in it.
func (c *canon) leaf(name, text string, attrs ...string) {
	c.open(name, attrs...)
	c.escape(text, false)
	c.close(name)
}

// escape follows Canonical XML 1.0, section 2.3: other characters are escaped
// in a value than in text.
func (c *canon) escape(s string, attr bool) {
	for _, r := range s {
		switch {
		case r == '&':
			c.b = append(c.b, "&amp;"...)
		case r == '<':
			c.b = append(c.b, "&lt;"...)
		case r == '>' && !attr:
			c.b = append(c.b, "&gt;"...)
		case r == '"' && attr:
			c.b = append(c.b, "&quot;"...)
		case r == '\r' || attr && (r == '\t' || r == '\n'):
			c.b = fmt.Appendf(c.b, "&#x%X;", r)
		case r < 0x20 && r != '\t' && r != '\n', r == utf8.RuneError, r == 0xFFFE, r == 0xFFFF:
			if c.err == nil {
				c.err = fmt.Errorf("character %U in %q cannot be written in XML", r, s)
			}
		default:
			c.b = utf8.AppendRune(c.b, r)
		}
	}
}

// splitAfterIssuer cuts an element where its signature belongs: behind the
// Issuer, or behind the start tag where there is none (SAML Core, 5.4.1).
func splitAfterIssuer(element string) (head, tail string) {
	const end = "</saml:Issuer>"
	if i := strings.Index(element, end); i >= 0 {
		return element[:i+len(end)], element[i+len(end):]
	}
	i := strings.IndexByte(element, '>')
	return element[:i+1], element[i+1:]
}
