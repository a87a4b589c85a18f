package e2e_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheMatrixIsDocumented holds docs/identity-providers.md to the products
// that are tried here: their rows, but for the versions.
func TestTheMatrixIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/identity-providers.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want [][]string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| identity provider |") {
			continue
		}
		var row []string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "| "), " | ") {
			row = append(row, cell)
		}
		name, _, _ := strings.Cut(row[0], " (")
		got = append(got, append([]string{name}, row[2:]...))
	}
	words := func(signed []string) string {
		if len(signed) == 0 {
			return "–"
		}
		return strings.ReplaceAll(strings.Join(signed, ", "), " signed", "")
	}
	for _, p := range products() {
		checks := map[bool]string{false: "–", true: "yes"}[p.checks]
		sealed := words(p.sealed)
		if p.cipher != "" {
			sealed += ": AES-" + strings.ToUpper(strings.TrimPrefix(p.cipher, "aes"))
		}
		want = append(want, []string{p.name, words(p.plain), sealed, words(p.named), checks})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/identity-providers.md (-want +got):\n%s", diff)
	}
}
