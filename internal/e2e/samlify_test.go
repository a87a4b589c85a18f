package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/parts"
)

// A samlify is a running identity provider made with samlify, which knows
// everybody.
type samlify struct {
	base string // http://localhost:port
	dir  string
}

// A samlifySP is a service provider as samlify is told of it; testdata/npm-idps
// says what the fields do.
type samlifySP struct {
	EntityID      string `json:"entity_id"`
	Metadata      string `json:"metadata"`
	Sign          string `json:"sign,omitempty"`
	Encrypt       string `json:"encrypt,omitempty"`
	Order         string `json:"order,omitempty"`
	NoStatement   bool   `json:"no_statement,omitempty"`
	CheckRequests bool   `json:"check_requests,omitempty"`
}

// needSamlify gives the running samlify, or skips the test.
func needSamlify(t testing.TB) *samlify {
	t.Helper()
	return &samlify{parts.Need(t, parts.Samlify), parts.Need(t, parts.SamlifyDir)}
}

func (s *samlify) origin() string           { return s.base }
func (s *samlify) person(testing.TB) string { return newUsername() }

func (s *samlify) startURL(_ testing.TB, p provider, relayState string) string {
	return s.base + "/start?" + url.Values{"sp": {p.Metadata}, "RelayState": {relayState}}.Encode()
}

func (s *samlify) connect(t testing.TB, b *broker, fields map[string]any) provider {
	t.Helper()
	return s.connectAs(t, b, samlifySP{}, fields)
}

// connectAs is connect with a registration of one's own.
func (s *samlify) connectAs(t testing.TB, b *broker, sp samlifySP, fields map[string]any) provider {
	t.Helper()
	p := b.connect(b.account, "samlify", nil)
	p = b.complete(p, s.describe(t), fields)
	s.register(t, p, sp)
	return p
}

// describe fetches what it says of itself.
func (s *samlify) describe(t testing.TB) []byte {
	t.Helper()
	return fetch(t, s.base+"/metadata")
}

// register tells it of the broker until the test ends.
func (s *samlify) register(t testing.TB, p provider, sp samlifySP) {
	t.Helper()
	sp.EntityID, sp.Metadata = p.Metadata, string(fetch(t, p.Metadata))
	registerAt(t, s.dir, sp.EntityID, sp)
}

func TestLoginsThroughSamlify(t *testing.T) {
	s := needSamlify(t)
	b := startBroker(t, "")
	const cbc, gcm = "http://www.w3.org/2001/04/xmlenc#aes256-cbc", "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	type fields = map[string]any
	for _, c := range []struct {
		name   string
		sp     samlifySP
		fields fields
		code   string // empty: accepted
	}{
		{"both signed", samlifySP{}, nil, ""},
		{"response signed", samlifySP{Sign: "response"}, nil, ""},
		{"assertion signed", samlifySP{Sign: "assertion"}, nil, ""},
		{"requests by POST", samlifySP{}, fields{"saml_request_binding": "post"}, ""},
		{"requests signed", samlifySP{CheckRequests: true}, fields{"saml_authn_requests_signed_enabled": true}, ""},
		{"requests signed, by POST", samlifySP{CheckRequests: true}, fields{"saml_authn_requests_signed_enabled": true, "saml_request_binding": "post"}, ""},
		{"AES-CBC", samlifySP{Encrypt: cbc}, nil, ""},
		{"AES-CBC, response signed", samlifySP{Encrypt: cbc, Sign: "response"}, nil, ""},
		{"AES-CBC, assertion signed", samlifySP{Encrypt: cbc, Sign: "assertion"}, nil, "encryption_unsigned"},
		{"AES-GCM, assertion signed", samlifySP{Encrypt: gcm, Sign: "assertion"}, nil, ""},
		// It encrypts what the response's signature was over already.
		{"encrypted after the response was signed", samlifySP{Encrypt: gcm, Order: "sign"}, nil, "content_changed"},
		{"its own template", samlifySP{NoStatement: true}, nil, "no_authn_statement"},
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
