// Package parts gives tests the real servers and programs that they run
// against: a database, an identity provider, a browser.
//
// Nothing here starts anything. scripts/parts.sh does, and says in environment
// variables where each part is. A test that needs a part which is not there is
// skipped with a line that names it, so that "go test ./..." needs nothing but
// Go; where GATEHOUSE_TEST_STRICT is set, as in CI, that test fails instead.
package parts

import (
	"os"
	"os/exec"
	"testing"
)

// The variables that scripts/parts.sh prints.
const (
	Postgres = "GATEHOUSE_TEST_POSTGRES" // URL of a database that the user owns
	Redis    = "GATEHOUSE_TEST_REDIS"    // URL of a Redis
	SSP      = "GATEHOUSE_TEST_SSP"      // base URL of SimpleSAMLphp, without a path
	SSPDir   = "GATEHOUSE_TEST_SSP_DIR"  // its folder: sps/ is where service providers are registered

	// Identity providers as SimpleSAMLphp is: a base URL, and a folder with sps/
	// and cert/.
	LemonLDAP    = "GATEHOUSE_TEST_LEMONLDAP"
	LemonLDAPDir = "GATEHOUSE_TEST_LEMONLDAP_DIR"

	Samlp      = "GATEHOUSE_TEST_SAMLP"
	SamlpDir   = "GATEHOUSE_TEST_SAMLP_DIR"
	Samlify    = "GATEHOUSE_TEST_SAMLIFY"
	SamlifyDir = "GATEHOUSE_TEST_SAMLIFY_DIR"
	PySAML2    = "GATEHOUSE_TEST_PYSAML2"
	PySAML2Dir = "GATEHOUSE_TEST_PYSAML2_DIR"

	Keycloak         = "GATEHOUSE_TEST_KEYCLOAK"          // base URL; the realm is gatehouse
	KeycloakPassword = "GATEHOUSE_TEST_KEYCLOAK_PASSWORD" // of its administrator, admin

	Chromium = "GATEHOUSE_TEST_CHROMIUM" // path of the browser
	Avn      = "GATEHOUSE_TEST_AVN"      // path of avn, the command line of aiven-client

	Strict = "GATEHOUSE_TEST_STRICT" // not empty: a missing part fails the test
)

var names = map[string]string{
	Postgres: "a PostgreSQL server",
	Redis:    "Redis",
	SSP:      "SimpleSAMLphp",
	SSPDir:   "SimpleSAMLphp's folder",

	LemonLDAP:    "LemonLDAP::NG",
	LemonLDAPDir: "LemonLDAP::NG's folder",

	Samlp:      "Auth0's samlp",
	SamlpDir:   "samlp's folder",
	Samlify:    "samlify",
	SamlifyDir: "samlify's folder",
	PySAML2:    "pysaml2",
	PySAML2Dir: "pysaml2's folder",

	Keycloak:         "Keycloak",
	KeycloakPassword: "the password of Keycloak's administrator",

	Chromium: "Chromium",
	Avn:      "avn",
}

// Need gives the value of the environment variable env, which says where a
// part is. Without it the test is skipped, or fails where Strict is set.
func Need(t testing.TB, env string) string {
	t.Helper()
	if v := os.Getenv(env); v != "" {
		return v
	}
	name := names[env]
	if name == "" {
		name = "a part"
	}
	missing(t, name+" ("+env+" is not set; scripts/parts.sh starts it)")
	return ""
}

// Program gives the path of a program, as Need does for a server.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, "the program "+name+" (scripts/setup.sh installs it)")
	}
	return path
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(Strict) != "" {
		t.Fatalf("this test needs %s, and %s forbids skipping it", what, Strict)
		return
	}
	t.Skipf("this test needs %s", what)
}
