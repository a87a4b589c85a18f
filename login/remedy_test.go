package login_test

import (
	"os"
	"regexp"
	"testing"

	"gatehouse/sso"
)

// Whatever ends a login after its answer was accepted is told to an
// administrator with a remedy of its own.
func TestEveryWayThatALoginEndsHasARemedy(t *testing.T) {
	unknown, coded, found := sso.Remedy("no_such_code", sso.Generic), regexp.MustCompile(`Code(?:d\(|: +)"([a-z_]+)"`), 0
	for _, file := range []string{"finish.go", "saml.go", "link.go", "may_link.go", "domains.go", "managed.go", "discover.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range coded.FindAllSubmatch(source, -1) {
			found++
			if got := sso.Remedy(string(m[1]), sso.Okta); got == unknown {
				t.Errorf("%s: got the general remedy for %s, want one of its own", file, m[1])
			}
		}
	}
	if found < 15 {
		t.Errorf("found %d codes, want those of the files", found)
	}
}
