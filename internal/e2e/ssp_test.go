package e2e_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/internal/parts"
)

// An ssp is a running SimpleSAMLphp. Its people are alice (whose last name is
// not ASCII), bob, noemail and someone0 to someone9; a password is the username
// and "pass".
type ssp struct {
	base   string // http://localhost:port
	dir    string
	people int // how many of the ten were given to tests
}

// An sspSP is a service provider as SimpleSAMLphp is told of it.
type sspSP struct {
	EntityID      string `json:"entity_id"`
	ACSURL        string `json:"acs"`
	SignResponse  bool   `json:"sign_response"`
	SignAssertion bool   `json:"sign_assertion"`
	Algorithm     string `json:"algorithm,omitempty"`      // sha1, sha256 (unless said), sha384 or sha512
	NameID        string `json:"name_id,omitempty"`        // email (unless said), persistent or transient
	Certificate   []byte `json:"certificate,omitempty"`    // DER: of its key
	CheckRequests bool   `json:"check_requests,omitempty"` // answer signed requests only
	Encrypt       string `json:"encrypt,omitempty"`        // assertion or name: to the certificate
	SLO           string `json:"slo,omitempty"`            // where it is told of logouts
	SLOBinding    string `json:"slo_binding,omitempty"`    // redirect (unless said) or post
}

// needSSP gives the running SimpleSAMLphp, or skips the test.
func needSSP(t testing.TB) *ssp {
	t.Helper()
	return &ssp{base: parts.Need(t, parts.SSP), dir: parts.Need(t, parts.SSPDir)}
}

func (s *ssp) origin() string   { return s.base }
func (s *ssp) entityID() string { return s.base + "/idp" }
func (s *ssp) ssoURL() string   { return s.base + "/simplesamlphp/saml2/idp/SSOService.php" }

func (s *ssp) startURL(_ testing.TB, p provider, relayState string) string {
	return s.startFor(p.Metadata, relayState)
}

// startFor is where a login for a service provider starts without a request.
func (s *ssp) startFor(entityID, relayState string) string {
	return s.ssoURL() + "?" + url.Values{"spentityid": {entityID}, "RelayState": {relayState}}.Encode()
}

// person is the next of the ten, who are new to each broker but not to one
// another's.
func (s *ssp) person(t testing.TB) string {
	t.Helper()
	if s.people++; s.people > 10 {
		t.Fatal("SimpleSAMLphp knows no more people")
	}
	return fmt.Sprint("someone", s.people-1)
}

// certificatePEM is what it signs with.
func (s *ssp) certificatePEM(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "cert", "idp.crt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// metadata fetches what it says of itself.
func (s *ssp) metadata(t testing.TB) []byte {
	t.Helper()
	return fetch(t, s.base+"/simplesamlphp/saml2/idp/metadata.php")
}

// register tells it of sp until the test ends. Each provider has a file of its
// own, so that tests that run at once do not disturb one another.
func (s *ssp) register(t testing.TB, sp sspSP) {
	t.Helper()
	registerAt(t, s.dir, sp.EntityID, sp)
}

// login opens start, which is an AuthnRequest by the Redirect binding or a
// startURL, logs in as a browser would, and gives the form for the ACS and its
// address. The answer is not posted.
func (s *ssp) login(t testing.TB, start, username string) (acsURL string, form url.Values) {
	t.Helper()
	acs, form, err := s.tryLogin(start, username, username+"pass")
	if err != nil {
		t.Fatal(err)
	}
	return acs, form
}

func (s *ssp) tryLogin(start, username, password string) (string, url.Values, error) {
	return logInAt(step{address: start}, username, password)
}
