package sso_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// grown is the template with text put before the end of an attribute's values.
func grown(values string) string {
	doc := samltest.Replace(samltest.Template, ">everybody</saml:AttributeValue>", ">everybody</saml:AttributeValue>"+values)
	return samltest.Finish(doc, samltest.SignBoth, samltest.Signer{Pair: samltest.Keys("current")})
}

// TestThousandsOfGroups holds Check to people who are in many groups: the
// signature library by itself gives up at a thousand elements.
func TestThousandsOfGroups(t *testing.T) {
	var b strings.Builder
	for i := range 4998 {
		fmt.Fprintf(&b, "<saml:AttributeValue>g%d</saml:AttributeValue>", i)
	}
	c := bothSigned(t)
	c.Response = grown(b.String())
	a, err := check(t, c)
	if err != nil {
		t.Fatalf("got %v, want an assertion", err)
	}
	if len(a.Groups) != 5000 || a.Groups[4999] != "g4997" {
		t.Errorf("got %d groups, want 5000", len(a.Groups))
	}
}

func TestLimits(t *testing.T) {
	open := strings.Repeat("<x>", 64-6) // what is inside a value stands at depth 6
	shut := strings.Repeat("</x>", 64-6)
	value := func(inside string) string {
		return "<saml:AttributeValue>" + inside + "</saml:AttributeValue>"
	}
	filler := func(n int) string { return strings.Repeat("<x/>", n) }
	base := strings.Count(grown(""), "<") - strings.Count(grown(""), "</") - 1 // elements, without the XML declaration
	for _, tt := range []struct {
		name, values, code string
	}{
		{"depth, all of it", value("<x>" + open + shut + "</x>"), ""},
		{"depth, one more", value("<x><x>" + open + shut + "</x></x>"), "xml_too_complex"},
		{"elements, all of them", value(filler(10_000 - base - 1)), ""},
		{"elements, one more", value(filler(10_000 - base)), "xml_too_complex"},
		{"bytes", value(strings.Repeat("x", 256<<10)), "response_too_large"},
		{"namespaces, all of them", `<saml:AttributeValue` + declarations(30) + `><x` + declarations(30) + `/></saml:AttributeValue>`, ""},
		{"namespaces, one more", `<saml:AttributeValue` + declarations(30) + `><x` + declarations(31) + `/></saml:AttributeValue>`, "xml_too_complex"},
		{"namespaces of many elements", `<saml:AttributeValue` + declarations(30) + `>` + filler(6_000) + `</saml:AttributeValue>`, "xml_too_complex"},
		{"attributes of one element", `<saml:AttributeValue` + strings.ReplaceAll(declarations(32), "xmlns:", "") + `/>`, ""},
		{"attributes of one element, one more", `<saml:AttributeValue` + strings.ReplaceAll(declarations(33), "xmlns:", "") + `/>`, "xml_too_complex"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := bothSigned(t)
			c.Response = grown(tt.values)
			_, err := check(t, c)
			var r *sso.Rejection
			if errors.As(err, &r); (r == nil) != (tt.code == "") || r != nil && r.Code != tt.code {
				t.Fatalf("got %v, want code %q", err, tt.code)
			}
		})
	}
}

// declarations declares n namespaces. Around a value there are four already.
func declarations(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` xmlns:n%d="urn:n"`, i)
	}
	return b.String()
}

func bothSigned(tb testing.TB) samltest.Case {
	tb.Helper()
	c, err := samltest.Read(cases + "/good/both-signed")
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// BenchmarkHostile is what the most expensive strangers cost. Each has a
// signature that was honest once, so that the libraries get to work.
func BenchmarkHostile(b *testing.B) {
	late := samltest.Replace(bothSigned(b).Response, ">everybody</saml:AttributeValue>", ">everybody</saml:AttributeValue><saml:AttributeValue"+declarations(32)+">"+strings.Repeat("<x/>", 5300)+"</saml:AttributeValue>")
	for _, tt := range []struct{ name, doc string }{
		{"100,000 namespaces", "<a" + declarations(10_000) + ">"},
		{"100,000 elements", "<p:Response xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol' ID='a'>" + strings.Repeat("<x/>", 50_000)},
		{"deep", strings.Repeat("<x>", 80_000)},
		{"references", "<p:Response xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol' ID='a'>" + strings.Repeat("&amp;", 50_000)},
		{"attributes", "<p:Response xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol' ID='a'>" + strings.Repeat("<x a='' b='' c='' d='' e='' f='' g=''/>", 6_000)},
		{"5,300 more elements under 36 namespaces after signing", late},
	} {
		b.Run(tt.name, func(b *testing.B) {
			c := bothSigned(b)
			idp := idpOf(b, c)
			want := expectation(idp, moment(b, c), false)
			raw := []byte(tt.doc)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := new(sso.Provider).Check(idp, raw, want); err == nil {
					b.Fatal("got admitted")
				}
			}
		})
	}
}
