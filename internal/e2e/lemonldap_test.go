package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/parts"
)

// A lemonldap is a running LemonLDAP::NG, which knows everybody.
type lemonldap struct {
	base string // http://localhost:port
	dir  string
}

// A lemonldapSP is a service provider as LemonLDAP::NG is told of it;
// testdata/lemonldap says what the fields do.
type lemonldapSP struct {
	EntityID      string `json:"entity_id"`
	Metadata      string `json:"metadata"`
	Sign          *int   `json:"sign,omitempty"`
	Encrypt       string `json:"encrypt,omitempty"`
	Algorithm     string `json:"algorithm,omitempty"`
	NameID        string `json:"name_id,omitempty"`
	CheckRequests bool   `json:"check_requests,omitempty"`
}

// needLemonLDAP gives the running LemonLDAP::NG, or skips the test.
func needLemonLDAP(t testing.TB) *lemonldap {
	t.Helper()
	return &lemonldap{parts.Need(t, parts.LemonLDAP), parts.Need(t, parts.LemonLDAPDir)}
}

func (s *lemonldap) origin() string           { return s.base }
func (s *lemonldap) person(testing.TB) string { return newUsername() }

func (s *lemonldap) startURL(_ testing.TB, p provider, relayState string) string {
	return s.base + "/saml/singleSignOn?" + url.Values{"IDPInitiated": {"1"}, "sp": {p.Metadata}, "RelayState": {relayState}}.Encode()
}

func (s *lemonldap) connect(t testing.TB, b *broker, fields map[string]any) provider {
	t.Helper()
	return s.connectAs(t, b, lemonldapSP{}, fields)
}

// connectAs is connect with a registration of one's own. It reads our metadata
// and we read its.
func (s *lemonldap) connectAs(t testing.TB, b *broker, sp lemonldapSP, fields map[string]any) provider {
	t.Helper()
	p := b.connect(b.account, "LemonLDAP::NG", nil)
	p = b.complete(p, s.describe(t), fields)
	s.register(t, p, sp)
	return p
}

// describe fetches what it says of itself.
func (s *lemonldap) describe(t testing.TB) []byte {
	t.Helper()
	return fetch(t, s.base+"/saml/metadata")
}

// register tells it of the broker until the test ends.
func (s *lemonldap) register(t testing.TB, p provider, sp lemonldapSP) {
	t.Helper()
	sp.EntityID, sp.Metadata = p.Metadata, string(fetch(t, p.Metadata))
	registerAt(t, s.dir, sp.EntityID, sp)
}

func TestLoginsThroughLemonLDAP(t *testing.T) {
	s := needLemonLDAP(t)
	b := startBroker(t, "")
	assertionAlone, asItLikes := 0, -1
	type fields = map[string]any
	for _, c := range []struct {
		name   string
		sp     lemonldapSP
		fields fields
		code   string // empty: accepted
	}{
		{"both signed", lemonldapSP{}, nil, ""},
		{"assertion signed", lemonldapSP{Sign: &assertionAlone}, nil, ""},
		{"signed as it likes", lemonldapSP{Sign: &asItLikes}, nil, ""},
		{"sha512", lemonldapSP{Algorithm: "RSA_SHA512"}, nil, ""},
		{"persistent name", lemonldapSP{NameID: "persistent"}, nil, ""},
		{"requests by POST", lemonldapSP{}, fields{"saml_request_binding": "post"}, ""},
		{"requests signed", lemonldapSP{CheckRequests: true}, fields{"saml_authn_requests_signed_enabled": true}, ""},
		{"requests signed, by POST", lemonldapSP{CheckRequests: true}, fields{"saml_authn_requests_signed_enabled": true, "saml_request_binding": "post"}, ""},
		{"assertion encrypted", lemonldapSP{Encrypt: "assertion"}, nil, ""},
		{"transient name", lemonldapSP{NameID: "transient"}, nil, "no_identity"},
		// It encrypts with AES-CBC, which a signature around it has to protect.
		{"assertion encrypted, signed inside alone", lemonldapSP{Encrypt: "assertion", Sign: &assertionAlone}, nil, "encryption_unsigned"},
		{"sha1", lemonldapSP{Algorithm: "RSA_SHA1"}, nil, "sha1_refused"},
		{"sha1, admitted", lemonldapSP{Algorithm: "RSA_SHA1"}, fields{"saml_allow_sha1": true}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := s.connectAs(t, b, c.sp, c.fields)
			who := s.person(t)
			if c.code != "" {
				one := newPerson(t)
				wantCode(t, one.logIn(s, one.open(p.Login+"?intent=signup").onward(t), who), http.StatusForbidden, c.code)
				b.wantNobody(t, who)
				return
			}
			b.signUpAndLogIn(t, s, p, who, strings.ToUpper(who[:1])+who[1:]+" Ärlig & Söner <AB>")
		})
	}
	b.wantCleanLog(t)
}
