package sso_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// FuzzCheck looks for a response that is believed though nobody signed it. The
// trusted key signed the seeds, and nothing else: so whatever is admitted has
// to say what one of them said.
func FuzzCheck(f *testing.F) {
	c, err := samltest.Read(cases + "/good/both-signed")
	if err != nil {
		f.Fatal(err)
	}
	c.WantSigned = false
	said := map[string]bool{}
	for _, kind := range []string{"good", "bad"} {
		folders, _ := filepath.Glob(filepath.Join(cases, kind, "*"))
		for _, folder := range folders {
			seed, err := samltest.Read(folder)
			if err != nil {
				f.Fatal(err)
			}
			if seed.Base64 {
				continue
			}
			f.Add([]byte(seed.Response))
			// Some bad seeds are admitted here, where nothing is demanded
			// beyond the common rules; what they say was signed, too.
			if a, err := check(f, samltest.Case{Response: seed.Response, Pems: c.Pems, Clock: c.Clock}); err == nil {
				said[statement(a)] = true
			}
		}
	}
	idp := idpOf(f, c)
	want := expectation(idp, moment(f, c), false)
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := new(sso.Provider).Check(idp, raw, want)
		var r *sso.Rejection
		// A report tells the same, and never has more from nobody than it says.
		report := new(sso.Provider).Explain(idp, raw, want)
		if report.Accepted != (err == nil) || report.Accepted && len(report.Failures()) > 0 || !report.Accepted && len(report.Failures()) == 0 {
			t.Fatalf("got the verdict %v and the report %+v", err, report)
		}
		if err != nil {
			if !errors.As(err, &r) || r.Code == "" || r.Message == "" || r.Remedy == "" && r.Code != "unknown_request" {
				t.Fatalf("got the error %v, want a whole rejection", err)
			}
			if r.Code == "verifier_failed" && strings.Contains(r.Got, "gave up") {
				t.Fatalf("got a panic inside: %v", r)
			}
			return
		}
		if !said[statement(a)] {
			t.Fatalf("got %s, which nobody signed", statement(a))
		}
	})
}

// statement is what an assertion says of a person.
func statement(a *sso.Assertion) string {
	return strings.Join(append([]string{a.ID, a.Subject.Kind, a.Subject.Value, a.NameID.Value, a.Email, a.FirstName, a.LastName,
		a.SessionIndex, a.AuthnContext, a.AuthnAt.String()}, a.Groups...), "|")
}

// FuzzScan holds the scanner against the parser that it spares: what it admits,
// etree has to read, and the two have to see the same tree. Its work is bounded,
// whatever it reads.
func FuzzScan(f *testing.F) {
	for _, kind := range []string{"good", "bad"} {
		files, _ := filepath.Glob(filepath.Join(cases, kind, "*", "response.xml"))
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte(`<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="a" x=' &#10;&quot;` + "\t\r\n" + `'>` + "\r\n&amp;\r" + `<a xmlns="urn:a"><b xmlns=""/></a></p:Response>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if compared, _ := sso.ScanWork(raw); compared > 3*256<<10+64 {
			t.Fatalf("got %d comparisons of names for %d bytes", compared, len(raw))
		}
		ours := sso.Scan(raw)
		if ours == nil {
			return
		}
		theirs := etree.NewDocument()
		if err := theirs.ReadFromBytes(raw); err != nil {
			t.Fatalf("got a tree, where etree has the error %v", err)
		}
		if got, want := written(ours), written(theirs.Root()); got != want {
			t.Fatalf("got the tree\n%q, etree has\n%q", got, want)
		}
	})
}

// written writes a tree with what white space in attributes is normalised to,
// which encoding/xml leaves alone (XML 1.0, 3.3.3).
func written(root *etree.Element) string {
	el := root.Copy()
	flatten(el)
	doc := etree.NewDocumentWithRoot(el)
	doc.WriteSettings.CanonicalText = true
	doc.WriteSettings.CanonicalAttrVal = true
	text, err := doc.WriteToString()
	if err != nil {
		return err.Error()
	}
	return text
}

func flatten(el *etree.Element) {
	for i := range el.Attr {
		el.Attr[i].Value = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(el.Attr[i].Value)
	}
	for _, c := range el.ChildElements() {
		flatten(c)
	}
}
