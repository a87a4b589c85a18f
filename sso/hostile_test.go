package sso_test

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/sso"
)

// A costly document is what a stranger could send to make the scanner work: as
// long as a response may be, and complete if its part is repeated often enough.
type costly struct {
	name    string
	head    string
	part    func(n int) string
	tail    string
	refused string // the code, if it has to be refused
}

func costlies() []costly {
	const open = `<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="a"`
	const shut = `</p:Response>`
	same := func(text string) func(int) string { return func(int) string { return text } }
	// prefixes gives n prefixes of one letter and a number of two digits.
	prefixes := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("n%02d", i))
		}
		return list
	}
	declare := func(list []string, space string) string {
		var b strings.Builder
		for _, p := range list {
			fmt.Fprintf(&b, ` xmlns:%s="%s%s"`, p, space, p)
		}
		return b.String()
	}
	use := func(list []string) string {
		var b strings.Builder
		for _, p := range list {
			fmt.Fprintf(&b, ` %s:a=""`, p)
		}
		return b.String()
	}
	most, few := prefixes(30), prefixes(16)
	long := strings.Repeat("x", 4000)
	var longer []string
	for _, p := range few {
		longer = append(longer, long+p)
	}
	nested := ">" + strings.Repeat("<x>", 60)
	unnest := strings.Repeat("</x>", 60)
	return []costly{
		{"one local name, many prefixes", open + declare(most, "urn:"), same("<x" + use(most) + "/>"), shut, "xml_too_complex"},
		{"one local name, many prefixes, less often", open + declare(most, "urn:"), func(n int) string {
			if n > 600 {
				return strings.Repeat("x", 100)
			}
			return "<x" + use(most) + "/>"
		}, shut, ""},
		{"one local name, long namespaces", open + declare(few, long), func(n int) string {
			if n > 1200 {
				return strings.Repeat("x", 100)
			}
			return "<x" + use(few) + "/>"
		}, shut, ""},
		{"long prefixes", open + declare(longer, "urn:"), same("<x " + longer[0] + `:a=""/>`), shut, ""},
		{"long local names", open, same("<x " + long + `a="" ` + long + `b="" ` + long + `c=""/>`), shut, ""},
		{"prefixes of attributes that stand far out", open + declare(most, "urn:") + "><x" + declare(prefixes(30), "u:"), func(int) string {
			return "<x" + strings.ReplaceAll(strings.ReplaceAll(use(prefixes(32)), ":a", ""), " n", " p:n") + "/>"
		}, "</x>" + shut, "xml_too_complex"},
		{"32 attributes", open, same("<x" + strings.ReplaceAll(use(prefixes(32)), ":a", "") + "/>"), shut, "xml_too_complex"},
		{"31 attributes, each of another namespace", open, same("<x" + declare(few, "u:") + use(few[:15]) + "/>"), shut, ""},
		{"declarations on each element", open, same("<x" + declare(few, "u:") + "/>"), shut, ""},
		{"prefixes that stand far out", open + ` xmlns:far="urn:far"` + declare(prefixes(16), "urn:"), same("<far:x/>"), shut, "xml_too_complex"},
		{"prefixes that nobody declared", open + declare(most, "urn:"), same(`<x xml:a=""/>`), shut, "xml_too_complex"},
		{"elements", open, same("<x/>"), shut, "xml_too_complex"},
		{"elements, and text between", open, same("<x>aaaaaaaaaaaaaaaaa</x>a&lt;"), shut, ""},
		{"elements, deep down", open + nested, same("<xxxxxxxxxxxxxxxxxxxxxxxxx/>"), unnest + shut, ""},
		{"deeper and deeper", open + ">", same("<x>"), "", "xml_too_complex"},
		{"ids", open, func(n int) string { return fmt.Sprintf(`<xxxxxxx id="_%012d"/>`, n) }, shut, ""},
		{"references", open, same("&amp;"), shut, ""},
		{"references in attributes", open, same(`<x a="&#x00041;&#x00041;&#x00041;"/>`), shut, ""},
		{"line ends", open, same("\r\n"), shut, ""},
		{"blanks in tags", open, same("<x" + strings.Repeat(" ", 1000) + "/>"), shut, ""},
		{"a reference without end", open, same("&aaaaaaaa"), shut, "xml_entity"},
		{"an attribute without end", open, same(`<x a="`), shut, "xml_malformed"},
	}
}

// document writes it out, to 256 KiB.
func (c costly) document() []byte {
	var b strings.Builder
	b.WriteString(c.head)
	if !strings.HasSuffix(c.head, ">") {
		b.WriteString(">")
	}
	for n := 0; ; n++ {
		part := c.part(n)
		if b.Len()+len(part)+len(c.tail) > 256<<10 {
			break
		}
		b.WriteString(part)
	}
	b.WriteString(c.tail)
	return []byte(b.String())
}

// TestTheScannersWorkIsBounded holds the scanner to work that grows with what
// it reads and not with its square: 256 KiB cost at most three comparisons of
// names a byte, and whatever would cost more is refused.
func TestTheScannersWorkIsBounded(t *testing.T) {
	for _, c := range costlies() {
		t.Run(c.name, func(t *testing.T) {
			raw := c.document()
			compared, refused := sso.ScanWork(raw)
			if refused != c.refused {
				t.Errorf("got refused with %q, want %q", refused, c.refused)
			}
			if most := 3*256<<10 + 1; compared > most {
				t.Errorf("got %d comparisons in %d bytes, want at most %d", compared, len(raw), most)
			}
		})
	}
}

// BenchmarkScanCostly is what the most expensive documents cost.
func BenchmarkScanCostly(b *testing.B) {
	for _, c := range costlies() {
		b.Run(c.name, func(b *testing.B) {
			raw := c.document()
			b.ReportAllocs()
			for b.Loop() {
				sso.ScanWork(raw)
			}
			compared, _ := sso.ScanWork(raw)
			b.ReportMetric(float64(compared), "names/op")
		})
	}
}
