package e2e_test

import (
	"crypto/rand"
	"encoding/pem"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/internal/parts"
)

// A samlp is a running identity provider made with Auth0's samlp, which knows
// everybody.
type samlp struct {
	base string // http://localhost:port
	dir  string
}

// A samlpSP is a service provider as samlp is told of it; testdata/npm-idps
// says what the fields do.
type samlpSP struct {
	EntityID      string         `json:"entity_id"`
	ACSURL        string         `json:"acs"`
	Options       map[string]any `json:"options,omitempty"`
	Claims        map[string]any `json:"claims,omitempty"`
	Key           string         `json:"key,omitempty"`
	Encrypt       string         `json:"encrypt,omitempty"`
	Clock         int            `json:"clock,omitempty"` // seconds
	Fail          string         `json:"fail,omitempty"`
	CheckRequests string         `json:"check_requests,omitempty"`
}

// needSamlp gives the running samlp, or skips the test.
func needSamlp(t testing.TB) *samlp {
	t.Helper()
	return &samlp{parts.Need(t, parts.Samlp), parts.Need(t, parts.SamlpDir)}
}

func (s *samlp) origin() string { return s.base }

func (s *samlp) startURL(_ testing.TB, p provider, relayState string) string {
	return s.base + "/start?" + url.Values{"sp": {p.Metadata}, "RelayState": {relayState}}.Encode()
}

func (s *samlp) person(testing.TB) string { return newUsername() }

// newUsername is one that nobody has had.
func newUsername() string { return strings.ToLower(rand.Text()[:12]) }

func (s *samlp) connect(t testing.TB, b *broker, fields map[string]any) provider {
	t.Helper()
	return s.connectAs(t, b, samlpSP{Options: map[string]any{"signResponse": true}}, fields)
}

// connectAs is connect with a registration of one's own.
func (s *samlp) connectAs(t testing.TB, b *broker, sp samlpSP, fields map[string]any) provider {
	t.Helper()
	p := b.connect(b.account, "samlp", nil)
	s.register(t, p, sp)
	return b.complete(p, s.describe(t), fields)
}

// describe fetches what it says of itself.
func (s *samlp) describe(t testing.TB) []byte {
	t.Helper()
	return fetch(t, s.base+"/metadata")
}

// register tells it of the broker until the test ends.
func (s *samlp) register(t testing.TB, p provider, sp samlpSP) {
	t.Helper()
	sp.EntityID, sp.ACSURL = p.Metadata, p.ACS
	registerAt(t, s.dir, sp.EntityID, sp)
}

// byHand are the fields of a provider that is entered without metadata, with
// the certificates of the keys idp, small or stranger.
func (s *samlp) byHand(t testing.TB, keys ...string) map[string]any {
	t.Helper()
	certificates := ""
	for _, key := range keys {
		text, err := os.ReadFile(filepath.Join(s.dir, "cert", key+".crt"))
		if err != nil {
			t.Fatal(err)
		}
		certificates += string(text)
	}
	return map[string]any{"saml_idp_metadata": nil, "saml_entity_id": s.base + "/idp", "saml_idp_url": s.base + "/sso", "saml_certificate": certificates}
}

// complete gives a provider its metadata, and enables it. A field that is nil
// is left out.
func (b *broker) complete(p provider, metadata []byte, fields map[string]any) provider {
	b.t.Helper()
	all := map[string]any{"saml_idp_metadata": string(metadata), "authentication_method_enabled": true}
	for k, v := range fields {
		all[k] = v
		if v == nil {
			delete(all, k)
		}
	}
	p = b.configure(b.account, p, all)
	if p.State != "active" || !p.Enabled {
		b.t.Errorf("with its metadata: got %s, enabled %v, want active and enabled", p.State, p.Enabled)
	}
	return p
}

// spCertificatePEM is the broker's certificate for a provider.
func spCertificatePEM(t testing.TB, p provider) string {
	t.Helper()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: spCertificate(t, p)}))
}
