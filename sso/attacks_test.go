package sso_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// TestAttacks runs the cases of each row of the catalogue, and holds a row
// whose tests are elsewhere to there being such tests.
func TestAttacks(t *testing.T) {
	for _, a := range slices.Concat(attacks...) {
		t.Run(a.row+" "+a.tried, func(t *testing.T) {
			if a.later != "" {
				if a.outcome != "" || len(a.refused)+len(a.taken)+len(a.tests) > 0 {
					t.Error("got a row that is for later and for now")
				}
				return
			}
			if a.outcome == "" || len(a.refused)+len(a.taken)+len(a.tests) == 0 {
				t.Error("got neither a case nor a test, want a row that something holds to")
			}
			for _, name := range a.refused {
				c, err := samltest.Read(filepath.Join(cases, "bad", name))
				if err != nil {
					t.Fatal(err)
				}
				_, err = check(t, c)
				var r *sso.Rejection
				if !errors.As(err, &r) || r.Code != c.Code {
					t.Errorf("%s: got %v, want rejection %s", name, err, c.Code)
				}
			}
			for _, name := range a.taken {
				c, err := samltest.Read(filepath.Join(cases, "good", name))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := check(t, c); err != nil {
					t.Errorf("%s: got %v, want an assertion", name, err)
				}
			}
			for _, name := range a.tests {
				if !isThere(t, name) {
					t.Errorf("there is no test %s", name)
				}
			}
		})
	}
}

// TestTheCatalogueIsWhole holds the rows to their numbers: 24, 11, 9, 11, 18
// and 22, none left out.
func TestTheCatalogueIsWhole(t *testing.T) {
	for i, most := range []int{24, 11, 9, 11, 18, 22} {
		var got, want []string
		for _, a := range attacks[i] {
			got = append(got, a.row)
		}
		for n := range most {
			want = append(want, string(rune('A'+i))+strconv.Itoa(n+1))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	}
}

// TestEveryAttackCaseStandsInARow holds the cases that are named after
// attacks to standing in a row.
func TestEveryAttackCaseStandsInARow(t *testing.T) {
	inARow := map[string]bool{}
	for _, a := range slices.Concat(attacks...) {
		for _, name := range a.refused {
			inARow[name] = true
		}
	}
	for _, c := range samltest.Bad() {
		named := strings.HasPrefix(c.Name, "xsw") || strings.Contains(c.Why, "CVE-")
		if named && !inARow[c.Name] {
			t.Errorf("the case %s stands in no row", c.Name)
		}
	}
}

// isThere says whether a folder has a test function, or a promise of the
// storage, of this name.
func isThere(t *testing.T, ref string) bool {
	t.Helper()
	folder, name, _ := strings.Cut(ref, " ")
	files, _ := filepath.Glob(filepath.Join("..", filepath.FromSlash(folder), "*.go"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		function := strings.HasSuffix(file, "_test.go") && strings.Contains(string(text), "\nfunc "+name+"(")
		promise := folder == "store/storetest" && strings.Contains(string(text), `{"`+name+`", func(`)
		if function || promise {
			return true
		}
	}
	return false
}

// attackTable is the catalogue as docs/security.md has it.
func attackTable() string {
	var b strings.Builder
	b.WriteString("| row | what is tried | tests | outcome |\n|---|---|---|---|\n")
	for _, a := range slices.Concat(attacks...) {
		var by []string
		quoted := func(kind string, names []string) {
			if len(names) > 0 {
				by = append(by, kind+" `"+strings.Join(names, "`, `")+"`")
			}
		}
		quoted("bad", a.refused)
		quoted("good", a.taken)
		for _, ref := range a.tests {
			folder, name, _ := strings.Cut(ref, " ")
			by = append(by, fmt.Sprintf("`%s`: %s", folder, strings.ReplaceAll(name, "|", "\\|")))
		}
		outcome := a.outcome
		if a.later != "" {
			by, outcome = []string{"none"}, a.later
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", a.row, a.tried, strings.Join(by, "; "), outcome)
	}
	return b.String()
}

// TestTheCatalogueIsDocumented holds docs/security.md to the table here.
func TestTheCatalogueIsDocumented(t *testing.T) {
	const file = "../docs/security.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?s)\n## Attacks, one by one\n.*?\n(\| row \|.*?\n)\n`).FindSubmatchIndex(text)
	if section == nil {
		t.Fatal("docs/security.md has no table of attacks")
	}
	if *record {
		out := string(text[:section[2]]) + attackTable() + string(text[section[3]:])
		if err := os.WriteFile(file, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(attackTable(), string(text[section[2]:section[3]])); diff != "" {
		t.Errorf("docs/security.md (-want +got); go test ./sso -run Catalogue -record writes it:\n%s", diff)
	}
}

// TestNothingThatAResponseNamesIsFetched has responses name an address of this
// machine wherever XML and signatures know addresses, and waits there.
func TestNothingThatAResponseNamesIsFetched(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	visits := make(chan struct{}, 100)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				close(visits)
				return
			}
			c.Close()
			visits <- struct{}{}
		}
	}()
	at := "http://" + listener.Addr().String() + "/"
	whole := bothSigned(t)
	bare := samltest.Finish(samltest.Template, samltest.SignBoth, samltest.Signer{Pair: samltest.Keys("current"), Bare: true})
	retrieval := `<ds:KeyInfo><ds:RetrievalMethod URI="` + at + `" Type="http://www.w3.org/2000/09/xmldsig#X509Data"/></ds:KeyInfo></ds:Signature>`
	for _, c := range []struct {
		name, doc string
		taken     bool
	}{
		{"an external document type", samltest.Replace(whole.Response, "<samlp:Response ", `<!DOCTYPE r SYSTEM "`+at+`"><samlp:Response `), false},
		{"an external entity", samltest.Replace(whole.Response, "<samlp:Response ", `<!DOCTYPE r [<!ENTITY x SYSTEM "`+at+`">]><samlp:Response `, ">alice@example.com<", ">&x;<"), false},
		{"a parameter entity", samltest.Replace(whole.Response, "<samlp:Response ", `<!DOCTYPE r [<!ENTITY % x SYSTEM "`+at+`">%x;]><samlp:Response `), false},
		{"a style sheet", samltest.Replace(whole.Response, "<samlp:Response ", `<?xml-stylesheet href="`+at+`"?><samlp:Response `), false},
		{"a schema", samltest.Replace(whole.Response, `Version="2.0"`, `xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x `+at+`" Version="2.0"`), false},
		{"a reference", strings.ReplaceAll(whole.Response, `URI="#_assertion-1"`, `URI="`+at+`"`), false},
		{"an XInclude", samltest.Replace(whole.Response, "<samlp:Status>", `<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="`+at+`"/><samlp:Status>`), false},
		{"a RetrievalMethod", strings.ReplaceAll(bare, "</ds:Signature>", retrieval), true},
	} {
		c2 := whole
		c2.Response = c.doc
		if _, err := check(t, c2); (err == nil) != c.taken {
			// What stands in KeyInfo of the assertion is signed by the
			// response, so that putting it there changes that.
			if r := (*sso.Rejection)(nil); !c.taken || !errors.As(err, &r) || r.Code != "content_changed" {
				t.Errorf("%s: got %v, want it taken: %v", c.name, err, c.taken)
			}
		}
	}
	listener.Close()
	for range visits {
		t.Error("somebody came for what a response names")
	}
}

// TestNothingThatStrangersSendIsInflated holds the program to having no code
// for it but at one place, which stops at 64 KiB: the query of a logout is
// deflated. Besides, the identity provider of demonstrations inflates the
// requests that come to it.
func TestNothingThatStrangersSendIsInflated(t *testing.T) {
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != ".." {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(filepath.ToSlash(path), "../internal/demoidp/") || filepath.ToSlash(path) == "../sso/logout.go" {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, inflater := range []string{"flate.NewReader", "gzip.NewReader", "zlib.NewReader"} {
			if strings.Contains(string(text), inflater) {
				t.Errorf("%s inflates with %s", path, inflater)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
