package sso_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// wrapped puts content where the scanner takes it.
func wrapped(content string) string {
	return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="r">` + content + `</samlp:Response>`
}

func TestCanonicalForm(t *testing.T) {
	for _, tt := range []struct {
		name, content      string
		exclusive          string
		everything, prefix string // where they differ from exclusive; prefix is with PrefixList="p #default"
	}{
		{name: "an empty element gets an end tag", content: `<a/>`, exclusive: `<a></a>`, everything: `<a xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"></a>`},
		{name: "white space inside tags goes", content: "<a\n  b = 'c'  ></a >", exclusive: `<a b="c"></a>`, everything: `<a xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" b="c"></a>`},
		{name: "attributes are in order, those without prefix first", content: `<a xmlns:y="urn:1" xmlns:x="urn:2" x:b="4" y:c="3" z="2" a="1"/>`,
			exclusive:  `<a xmlns:x="urn:2" xmlns:y="urn:1" a="1" z="2" y:c="3" x:b="4"></a>`,
			everything: `<a xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:x="urn:2" xmlns:y="urn:1" a="1" z="2" y:c="3" x:b="4"></a>`},
		{name: "escapes of texts", content: "<a>&lt;&gt;&amp;&quot;&apos;\"'&#13;\r\n\t</a>", exclusive: "<a>&lt;&gt;&amp;\"'\"'&#xD;\n\t</a>", everything: "<a xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\">&lt;&gt;&amp;\"'\"'&#xD;\n\t</a>"},
		{name: "escapes of attributes", content: "<a b=\"&lt;>&amp;&quot;'&#9;&#10;&#13;\n\"/>", exclusive: `<a b="&lt;>&amp;&quot;'&#x9;&#xA;&#xD; "></a>`, everything: `<a xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" b="&lt;>&amp;&quot;'&#x9;&#xA;&#xD; "></a>`},
		{name: "a prefix is declared where it is used first", content: `<a xmlns:p="urn:p" xmlns:q="urn:q"><p:b><p:c/></p:b><p:d/></a>`,
			exclusive:  `<a><p:b xmlns:p="urn:p"><p:c></p:c></p:b><p:d xmlns:p="urn:p"></p:d></a>`,
			everything: `<a xmlns:p="urn:p" xmlns:q="urn:q" xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><p:b><p:c></p:c></p:b><p:d></p:d></a>`,
			prefix:     `<a xmlns:p="urn:p"><p:b><p:c></p:c></p:b><p:d></p:d></a>`},
		{name: "a prefix bound again is declared again", content: `<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"><p:c xmlns:p="urn:1"/></p:b></p:a>`,
			exclusive:  `<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"><p:c xmlns:p="urn:1"></p:c></p:b></p:a>`,
			everything: `<p:a xmlns:p="urn:1" xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><p:b xmlns:p="urn:2"><p:c xmlns:p="urn:1"></p:c></p:b></p:a>`},
		{name: "the default namespace ends where it is left", content: `<a xmlns="urn:d"><b xmlns=""><c/></b></a>`,
			exclusive:  `<a xmlns="urn:d"><b xmlns=""><c></c></b></a>`,
			everything: `<a xmlns="urn:d" xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><b xmlns=""><c></c></b></a>`},
		{name: "a default namespace that nobody uses", content: `<p:a xmlns="urn:d" xmlns:p="urn:p"><p:b/></p:a>`,
			exclusive:  `<p:a xmlns:p="urn:p"><p:b></p:b></p:a>`,
			everything: `<p:a xmlns="urn:d" xmlns:p="urn:p" xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><p:b></p:b></p:a>`,
			prefix:     `<p:a xmlns="urn:d" xmlns:p="urn:p"><p:b></p:b></p:a>`},
		{name: "xml:lang needs no declaration", content: `<a xml:lang="en" b="1"/>`, exclusive: `<a b="1" xml:lang="en"></a>`, everything: `<a xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" b="1" xml:lang="en"></a>`},
		{name: "characters beyond the first plane", content: `<a b="𝄞">&#x1D11E;</a>`, exclusive: `<a b="𝄞">𝄞</a>`, everything: `<a xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" b="𝄞">𝄞</a>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := sso.Scan([]byte(wrapped(tt.content)))
			if root == nil {
				t.Fatal("got it refused")
			}
			el := root.ChildElements()[0]
			withPrefix := tt.exclusive
			if tt.prefix != "" {
				withPrefix = tt.prefix
			}
			for form, c := range map[string]struct{ got, want string }{
				"exclusive":   {sso.Canonical(el, nil, false, ""), tt.exclusive},
				"inclusive":   {sso.Canonical(el, nil, true, ""), tt.everything},
				"with a list": {sso.Canonical(el, nil, false, "p #default none"), withPrefix},
			} {
				if c.got != c.want {
					t.Errorf("%s:\ngot  %s\nwant %s", form, c.got, c.want)
				}
			}
		})
	}
}

// TestCanonicalFormOmitsTheSignature is the enveloped-signature transform.
func TestCanonicalFormOmitsTheSignature(t *testing.T) {
	root := sso.Scan([]byte(wrapped(`<a>1<b>2</b>3</a>`)))
	a := root.ChildElements()[0]
	if got, want := sso.Canonical(a, a.ChildElements()[0], false, ""), `<a>13</a>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// byLibrary is goxmldsig's canonical form of a whole document.
func byLibrary(t testing.TB, root *etree.Element, list string) string {
	t.Helper()
	out, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(list).Canonicalize(root.Copy())
	if err != nil {
		return "error: " + err.Error()
	}
	return string(out)
}

// FuzzCanonicalForm holds our canonical form against the library's, on
// whatever the scanner takes.
func FuzzCanonicalForm(f *testing.F) {
	for _, kind := range []string{"good", "bad"} {
		folders, _ := filepath.Glob(filepath.Join(cases, kind, "*"))
		for _, folder := range folders {
			c, err := samltest.Read(folder)
			if err != nil {
				f.Fatal(err)
			}
			f.Add([]byte(c.Response), "")
		}
	}
	f.Add([]byte(wrapped(`<p:a xmlns="urn:d" xmlns:p="urn:p" xml:lang="en" p:x="&#9;"><b xmlns="">&#13;</b></p:a>`)), "p samlp")
	f.Fuzz(func(t *testing.T, raw []byte, list string) {
		root := sso.Scan(raw)
		if root == nil || strings.Contains(list, "#default") {
			return
		}
		if got, gap := sso.CanonicalGap(root, nil, true, ""); !gap {
			for _, form := range []dsig.Canonicalizer{dsig.MakeC14N10RecCanonicalizer(), dsig.MakeC14N11Canonicalizer()} {
				if want, err := form.Canonicalize(root.Copy()); err != nil || got != string(want) {
					t.Errorf("%s: got\n%s\nthe library says\n%s, %v", form.Algorithm(), got, want, err)
				}
			}
		}
		// What is inside has to bring what is declared around it.
		inside := root.Copy()
		for i, el := range append(root.ChildElements(), root) {
			apart := root
			if el != root {
				apart = inside.ChildElements()[i].Copy()
				apart.Attr = sso.WithScope(apart.Attr, root.Attr)
			}
			got, gap := sso.CanonicalGap(el, nil, false, list)
			if want := byLibrary(t, apart, list); got != want && !gap {
				t.Errorf("got\n%s\nthe library says\n%s", got, want)
			}
		}
	})
}

// TestCanonicalFormsAgainstLibxml holds them against libxml2's, of all three
// kinds; where xmllint is there.
func TestCanonicalFormsAgainstLibxml(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed")
	}
	n := 0
	for _, kind := range []string{"good", "bad"} {
		folders, _ := filepath.Glob(filepath.Join(cases, kind, "*"))
		for _, folder := range folders {
			c, err := samltest.Read(folder)
			if err != nil {
				t.Fatal(err)
			}
			root := sso.Scan([]byte(c.Response))
			if root == nil || c.Name == "relative-namespace" { // which libxml2 gives no form at all
				continue
			}
			n++
			for flag, everything := range map[string]bool{"--exc-c14n": false, "--c14n": true} {
				cmd := exec.Command(xmllint, flag, "-")
				cmd.Stdin = strings.NewReader(c.Response)
				want, err := cmd.Output()
				if err != nil {
					t.Fatalf("%s: %v", c.Name, err)
				}
				if got := sso.Canonical(root, nil, everything, ""); got != string(want) {
					t.Errorf("%s, %s:\ngot\n%s\nlibxml2 says\n%s", c.Name, flag, got, want)
				}
			}
		}
	}
	if n < 50 {
		t.Errorf("compared %d documents, want the cases", n)
	}
}
