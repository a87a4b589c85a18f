package sso_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// TestRejectionsAreDocumented holds docs/security.md to the table of codes.
func TestRejectionsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for code, f := range sso.Codes() {
		row := "| `" + code + "` | " + f[0] + " | " + f[1] + " |\n"
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/security.md has no row\n%s", row)
		}
	}
}

// TestEveryRejectionHasACase holds the cases to the table of codes.
func TestEveryRejectionHasACase(t *testing.T) {
	met := map[string]bool{
		"response_too_large": true, // TestLimits, TestDecodeResponse
		"verifiers_disagree": true, // TestAGuard
		"verifier_failed":    true, // what the libraries do not say otherwise
	}
	for _, c := range samltest.Bad() {
		met[c.Code] = true
	}
	for _, code := range logoutCodes() {
		met[code] = true
	}
	for code := range sso.Codes() {
		if !met[code] {
			t.Errorf("no bad case is refused with %s", code)
		}
	}
}

// TestWhatIsShownIsBounded holds rejections to what a page and a log can take.
func TestWhatIsShownIsBounded(t *testing.T) {
	folders, _ := filepath.Glob(filepath.Join(cases, "bad", "*"))
	for _, folder := range folders {
		c, err := samltest.Read(folder)
		if err != nil {
			t.Fatal(err)
		}
		_, err = check(t, c)
		r, ok := err.(*sso.Rejection)
		if !ok {
			t.Fatalf("%s: got %v, want a rejection", c.Name, err)
		}
		if len(r.Got) > 210 || strings.ToValidUTF8(r.Got, "") != r.Got {
			t.Errorf("%s: got %d bytes of text shown: %q", c.Name, len(r.Got), r.Got)
		}
	}
}
