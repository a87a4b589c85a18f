package sso

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// The limits of a response. An honest one of 8 KiB has some 60 elements, at
// most 10 levels, and under 10 namespaces in scope.
const (
	maxDepth      = 64
	maxElements   = 10_000
	maxAttributes = 20_000 // in the whole document
	maxOnElement  = 32     // attributes of one element, namespace declarations included
	maxInScope    = 64     // namespace declarations in scope at one element

	// maxScopes bounds the sum, over all elements, of the declarations in
	// scope at each: that is what canonicalization costs.
	maxScopes = 200_000

	// maxCompared bounds how often a name is compared with another: attributes
	// with the others of their element, prefixes with the declarations in
	// scope.
	maxCompared = 3 * maxResponse
)

const (
	xmlSpace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsSpace = "http://www.w3.org/2000/xmlns/"

	// The numbers of namespaces that nobody declares. 0 is none.
	xmlnsNumber = -1
	xmlNumber   = -2
)

// A scanner reads a response once, strictly: it refuses what is not well-formed
// XML 1.0 with namespaces, and what is but no honest identity provider sends.
// It builds the tree that signatures are verified on, so that no second,
// laxer parser ever sees the bytes as they came.
//
// Names and most values are pieces of text, without copies.
type scanner struct {
	text string
	pos  int

	open       []openElement
	scope      []binding      // namespace declarations in scope, innermost last
	numbers    map[string]int // of the namespaces declared so far
	attributes []attribute
	skipped    int // bytes before text

	shape
	slabs
}

type openElement struct {
	el    *etree.Element
	raw   string // the name as written, for the end tag
	space string // the namespace it is in
	scope int    // how much of scanner.scope was there before
}

type binding struct {
	prefix string
	space  string
	number int // of the namespace: 1 or more, the same for the same namespace
}

type attribute struct {
	prefix string
	local  string
	value  string
	space  int // the number of its namespace, once the element's declarations are known
}

// scan reads a response into a tree and notes where its parts are.
func scan(raw []byte) (*shape, *Rejection) {
	s, r := newScanner(raw)
	if r != nil {
		return nil, r
	}
	if r := s.document(); r != nil {
		return nil, r
	}
	if r := s.complete(); r != nil {
		return nil, r
	}
	return &s.shape, nil
}

// newScanner makes a scanner of what is not too long for a response, and text.
func newScanner(raw []byte) (*scanner, *Rejection) { return newBoundScanner(raw, maxResponse) }

// newBoundScanner makes a scanner of what has at most so many bytes, and is
// text.
func newBoundScanner(raw []byte, most int) (*scanner, *Rejection) {
	if len(raw) > most {
		return nil, reject("response_too_large", "at most "+strconv.Itoa(most)+" bytes", "")
	}
	// Some .NET programs begin UTF-8 with a byte order mark. It says nothing
	// that is not true already.
	received := len(raw)
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if r := checkCharacters(raw); r != nil {
		return nil, r
	}
	return &scanner{text: string(raw), open: make([]openElement, 0, 16), scope: make([]binding, 0, 16), skipped: received - len(raw)}, nil
}

// checkCharacters refuses what is not UTF-8 and what XML 1.0 (2.2) does not
// count as characters.
func checkCharacters(raw []byte) *Rejection {
	if len(raw) == 0 {
		return reject("response_empty", "", "")
	}
	for _, c := range raw {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' {
			if c == 0 && (raw[0] == 0 || raw[0] >= 0xfe || len(raw) > 1 && raw[1] == 0) {
				return reject("xml_encoding", "UTF-8", "UTF-16 or UTF-32")
			}
			return reject("xml_character", "", "a control character")
		}
	}
	if !utf8.Valid(raw) {
		return reject("xml_encoding", "UTF-8", "bytes that are not UTF-8")
	}
	if bytes.Contains(raw, []byte("\xef\xbf\xbe")) || bytes.Contains(raw, []byte("\xef\xbf\xbf")) {
		return reject("xml_character", "", "U+FFFE or U+FFFF")
	}
	return nil
}

// document reads everything: a declaration, one root, white space around.
func (s *scanner) document() *Rejection {
	if r := s.declaration(); r != nil {
		return r
	}
	for s.pos < len(s.text) {
		var r *Rejection
		rest := s.text[s.pos:]
		switch {
		case rest[0] != '<':
			r = s.characters()
		case strings.HasPrefix(rest, "</"):
			r = s.endTag()
		case strings.HasPrefix(rest, "<!--"):
			r = s.construct("xml_comment", "a comment")
		case strings.HasPrefix(rest, "<![CDATA["):
			r = s.construct("xml_cdata", "a CDATA section")
		case strings.HasPrefix(rest, "<!"):
			r = s.construct("xml_doctype", "a declaration")
		case strings.HasPrefix(rest, "<?"):
			r = s.construct("xml_instruction", "an instruction")
		default:
			r = s.startTag()
		}
		if r != nil {
			return r
		}
	}
	if len(s.open) > 0 {
		return s.malformed("the document ends inside an element")
	}
	return nil
}

// declaration reads an XML declaration at the very start, if there is one.
func (s *scanner) declaration() *Rejection {
	if !strings.HasPrefix(s.text, "<?xml") || len(s.text) < 6 || !isSpace(s.text[5]) {
		return nil
	}
	end := strings.Index(s.text, "?>")
	if end < 0 {
		return s.malformed("the XML declaration does not end")
	}
	rest := s.text[5:end]
	s.pos = end + 2
	for i, want := range []string{"version", "encoding", "standalone"} {
		trimmed := strings.TrimLeft(rest, " \t\r\n")
		after, found := strings.CutPrefix(trimmed, want)
		if !found || len(trimmed) == len(rest) {
			if i == 0 {
				return s.malformed("the XML declaration has no version")
			}
			continue
		}
		value, tail, ok := quoted(after)
		if !ok {
			return s.malformed("the XML declaration is malformed")
		}
		if r := checkDeclared(want, value); r != nil {
			return r
		}
		rest = tail
	}
	if strings.Trim(rest, " \t\r\n") != "" {
		return s.malformed("the XML declaration is malformed")
	}
	return nil
}

func checkDeclared(name, value string) *Rejection {
	switch {
	case name == "version" && value != "1.0":
		return reject("xml_malformed", "XML 1.0", "XML "+shortName(value))
	case name == "encoding" && !strings.EqualFold(value, "utf-8"):
		return reject("xml_encoding", "UTF-8", shortName(value))
	case name == "standalone" && value != "yes" && value != "no":
		return reject("xml_malformed", "", "standalone "+shortName(value))
	}
	return nil
}

// quoted cuts = and a quoted value off the front of text.
func quoted(text string) (value, tail string, ok bool) {
	text = strings.TrimLeft(text, " \t\r\n")
	text, ok = strings.CutPrefix(text, "=")
	text = strings.TrimLeft(text, " \t\r\n")
	if !ok || text == "" || (text[0] != '"' && text[0] != '\'') {
		return "", "", false
	}
	end := strings.IndexByte(text[1:], text[0])
	if end < 0 {
		return "", "", false
	}
	return text[1 : 1+end], text[end+2:], true
}

// characters reads text up to the next tag.
func (s *scanner) characters() *Rejection {
	end := strings.IndexByte(s.text[s.pos:], '<')
	if end < 0 {
		end = len(s.text) - s.pos
	}
	text := s.text[s.pos : s.pos+end]
	if len(s.open) == 0 {
		if strings.Trim(text, " \t\r\n") != "" {
			return s.malformed("text outside the root element")
		}
		s.pos += end
		return nil
	}
	if strings.Contains(text, "]]>") {
		return s.malformed("]]> in text")
	}
	text, bad := unescape(text, false)
	if bad >= 0 {
		return s.badReference(s.pos + bad)
	}
	s.pos += end
	s.open[len(s.open)-1].el.AddChild(s.newText(text))
	return nil
}

// endTag reads </name>.
func (s *scanner) endTag() *Rejection {
	if len(s.open) == 0 {
		return s.malformed("an end tag without a start")
	}
	top := &s.open[len(s.open)-1]
	rest, ok := strings.CutPrefix(s.text[s.pos+2:], top.raw)
	if !ok {
		return s.malformed("an end tag does not match its start")
	}
	rest = strings.TrimLeft(rest, " \t\r\n")
	if rest == "" || rest[0] != '>' {
		return s.malformed("an end tag does not match its start")
	}
	s.pos = len(s.text) - len(rest) + 1
	s.leave()
	return nil
}

// leave closes the innermost element.
func (s *scanner) leave() {
	s.scope = s.scope[:s.open[len(s.open)-1].scope]
	s.open = s.open[:len(s.open)-1]
}

func (s *scanner) malformed(what string) *Rejection {
	return reject("xml_malformed", "", what+", at "+s.place(s.pos))
}

// construct refuses what begins at the present position. What is inside, and
// what comes after it, may be about a person and is not repeated: rejections
// go to the log.
func (s *scanner) construct(code, what string) *Rejection {
	return reject(code, "", what+" at "+s.place(s.pos))
}

func (s *scanner) badReference(at int) *Rejection {
	return reject("xml_entity", "", "a reference at "+s.place(at))
}

// place says where in the response, as it came, something is.
func (s *scanner) place(at int) string { return "byte " + strconv.Itoa(s.skipped+at) }

// shortName is a name of an element or attribute, as a rejection shows it.
func shortName(name string) string {
	const most = 64
	if len(name) <= most {
		return name
	}
	return name[:most] + "…"
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
