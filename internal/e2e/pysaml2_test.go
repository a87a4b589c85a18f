package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/parts"
)

// A pysaml2 is a running identity provider made with pysaml2, which knows
// everybody.
type pysaml2 struct {
	base string // http://localhost:port
	dir  string
}

// A pysaml2SP is a service provider as pysaml2 is told of it; testdata/pysaml2
// says what the fields do.
type pysaml2SP struct {
	EntityID      string         `json:"entity_id"`
	ACSURL        string         `json:"acs"`
	Metadata      string         `json:"metadata"`
	Options       map[string]any `json:"options,omitempty"`
	NameID        string         `json:"name_id,omitempty"`
	Names         string         `json:"names,omitempty"`
	CheckRequests bool           `json:"check_requests,omitempty"`
}

// needPySAML2 gives the running pysaml2, or skips the test.
func needPySAML2(t testing.TB) *pysaml2 {
	t.Helper()
	return &pysaml2{parts.Need(t, parts.PySAML2), parts.Need(t, parts.PySAML2Dir)}
}

func (s *pysaml2) origin() string           { return s.base }
func (s *pysaml2) person(testing.TB) string { return newUsername() }

func (s *pysaml2) startURL(_ testing.TB, p provider, relayState string) string {
	return s.base + "/start?" + url.Values{"sp": {p.Metadata}, "RelayState": {relayState}}.Encode()
}

func (s *pysaml2) connect(t testing.TB, b *broker, fields map[string]any) provider {
	t.Helper()
	return s.connectAs(t, b, pysaml2SP{Options: signing(true, true, "256")}, fields)
}

// connectAs is connect with a registration of one's own.
func (s *pysaml2) connectAs(t testing.TB, b *broker, sp pysaml2SP, fields map[string]any) provider {
	t.Helper()
	p := b.connect(b.account, "pysaml2", nil)
	p = b.complete(p, s.describe(t), fields)
	s.register(t, p, sp)
	return p
}

// describe fetches what it says of itself.
func (s *pysaml2) describe(t testing.TB) []byte {
	t.Helper()
	return fetch(t, s.base+"/metadata")
}

// register tells it of the broker until the test ends.
func (s *pysaml2) register(t testing.TB, p provider, sp pysaml2SP) {
	t.Helper()
	sp.EntityID, sp.ACSURL, sp.Metadata = p.Metadata, p.ACS, string(fetch(t, p.Metadata))
	registerAt(t, s.dir, sp.EntityID, sp)
}

// signing are the options to sign with RSA and SHA-256, SHA-384 or SHA-512, or
// with what pysaml2 takes by itself.
func signing(response, assertion bool, sha string) options {
	o := options{"sign_response": response, "sign_assertion": assertion}
	digests := map[string]string{"256": "2001/04/xmlenc#sha256", "384": "2001/04/xmldsig-more#sha384", "512": "2001/04/xmlenc#sha512"}
	if sha != "" {
		o["sign_alg"] = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha" + sha
		o["digest_alg"] = "http://www.w3.org/" + digests[sha]
	}
	return o
}

func TestLoginsThroughPySAML2(t *testing.T) {
	s := needPySAML2(t)
	b := startBroker(t, "")
	with := func(o options, more options) options {
		for k, v := range more {
			o[k] = v
		}
		return o
	}
	for _, c := range []struct {
		name   string
		sp     pysaml2SP
		fields map[string]any
		code   string // empty: accepted
	}{
		{"both signed", pysaml2SP{Options: signing(true, true, "256")}, nil, ""},
		{"response signed", pysaml2SP{Options: signing(true, false, "256")}, nil, ""},
		{"assertion signed", pysaml2SP{Options: signing(false, true, "256")}, nil, ""},
		{"sha384", pysaml2SP{Options: signing(true, true, "384")}, nil, ""},
		{"sha512", pysaml2SP{Options: signing(true, true, "512")}, nil, ""},
		{"basic attribute names", pysaml2SP{Options: signing(true, true, "256"), Names: "basic"}, nil, ""},
		{"persistent name", pysaml2SP{Options: signing(true, true, "256"), NameID: "persistent"}, nil, ""},
		{"unspecified name", pysaml2SP{Options: signing(true, true, "256"), NameID: "unspecified"}, nil, ""},
		{"transient name", pysaml2SP{Options: signing(true, true, "256"), NameID: "transient"}, nil, "no_identity"},
		{"requests by POST", pysaml2SP{Options: signing(true, true, "256")}, map[string]any{"saml_request_binding": "post"}, ""},
		{"requests signed", pysaml2SP{Options: signing(true, true, "256"), CheckRequests: true}, map[string]any{"saml_authn_requests_signed_enabled": true}, ""},
		{"requests signed, by POST", pysaml2SP{Options: signing(true, true, "256"), CheckRequests: true}, map[string]any{"saml_authn_requests_signed_enabled": true, "saml_request_binding": "post"}, ""},
		{"nothing signed", pysaml2SP{Options: signing(false, false, "")}, nil, "not_signed"},
		{"its default, which is sha1", pysaml2SP{Options: signing(true, true, "")}, nil, "sha1_refused"},
		{"its default, admitted", pysaml2SP{Options: signing(true, true, "")}, map[string]any{"saml_allow_sha1": true}, ""},
		{"its default, response signed, admitted", pysaml2SP{Options: signing(true, false, "")}, map[string]any{"saml_allow_sha1": true}, ""},
		{"its default, assertion signed, admitted", pysaml2SP{Options: signing(false, true, "")}, map[string]any{"saml_allow_sha1": true}, ""},
		// It encrypts with triple DES, whatever our metadata says.
		{"encrypted", pysaml2SP{Options: with(signing(true, true, "256"), options{"encrypt_assertion": true})}, nil, "encryption_refused"},
		{"encrypted, signed inside alone", pysaml2SP{Options: with(signing(false, true, "256"), options{"encrypt_assertion": true})}, nil, "encryption_refused"},
		{"encrypted, self-contained", pysaml2SP{Options: with(signing(true, true, "256"), options{"encrypt_assertion": true, "encrypt_assertion_self_contained": true})}, nil, "encryption_refused"},
		{"an assertion inside another's advice", pysaml2SP{Options: with(signing(true, true, "256"), options{"pefim": true})}, nil, "assertion_misplaced"},
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
			b.signUpAndLogIn(t, s, p, who, strings.ToUpper(who[:1])+who[1:]+" Ärlig")
		})
	}
	b.wantCleanLog(t)
}

// What pysaml2 is here for: prefixes that nobody else uses, and, encrypted, the
// same prefix bound to something else inside, which is one document with one
// meaning all the same.
func TestPySAML2BindsPrefixesOfItsOwn(t *testing.T) {
	s := needPySAML2(t)
	b := startBroker(t, "")
	encrypted := signing(true, true, "256")
	encrypted["encrypt_assertion"] = true
	for _, c := range []struct {
		name string
		sp   pysaml2SP
		want []string
	}{
		{"plain", pysaml2SP{Options: signing(true, true, "256")}, []string{"<ns0:Response", "urn:oid:0.9.2342.19200300.100.1.3", `FriendlyName="mail"`}},
		{"encrypted", pysaml2SP{Options: encrypted}, []string{"<ns0:Response", `<ns0:EncryptedData xmlns:ns0="http://www.w3.org/2001/04/xmlenc#"`}},
	} {
		p := s.connectAs(t, b, c.sp, nil)
		_, form, err := logInAt(newPerson(t).open(p.Login).onward(t), "alice", "alicepass")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if text := decoded(t, form); !strings.Contains(text, want) {
				t.Errorf("%s: got a response without %q:\n%s", c.name, want, text)
			}
		}
	}
}
