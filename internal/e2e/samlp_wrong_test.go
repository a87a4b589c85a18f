package e2e_test

import (
	"maps"
	"net/http"
	"testing"
)

type options = map[string]any

// Auth0's samlp makes, by its own options, most of what an identity provider
// can get wrong. Each is refused with the reason that fits, and nothing changes.
func TestWhatSamlpGetsWrongIsRefused(t *testing.T) {
	s := needSamlp(t)
	b := startBroker(t, "")
	p := s.connect(t, b, nil)
	elsewhere := b.base + "/v1/sso/saml/acs/am00000000000"
	const tripleDES, cbc = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc", "http://www.w3.org/2001/04/xmlenc#"
	encrypted := func(algorithm string) samlpSP {
		return samlpSP{Encrypt: spCertificatePEM(t, p), Options: options{"signResponse": true, "encryptionAlgorithm": algorithm, "disallowEncryptionWithInsecureAlgorithm": false, "warnOnInsecureEncryptionAlgorithm": false}}
	}
	unsigned := func(sp samlpSP) samlpSP {
		sp.Options["signResponse"] = false
		return sp
	}
	of := func(o options) samlpSP { return samlpSP{Options: o} }
	const status = "urn:oasis:names:tc:SAML:2.0:status:"
	const format = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
	for _, c := range []struct {
		name string
		sp   samlpSP
		code string
	}{
		{"audience of another", of(options{"audience": "https://other.example/sp"}), "audience_mismatch"},
		{"audiences of others", of(options{"audience": []string{"https://other.example/sp", p.Metadata + "/"}}), "audience_mismatch"},
		{"audience in another case", of(options{"audience": "HTTP" + p.Metadata[4:]}), "audience_mismatch"},
		{"audience of nobody", of(options{"audience": []string{}}), "audience_mismatch"},
		{"recipient of another", of(options{"recipient": elsewhere}), "recipient_mismatch"},
		{"no recipient", of(options{"recipient": ""}), "confirmation_invalid"},
		{"destination of another", of(options{"destination": elsewhere, "signResponse": true}), "destination_mismatch"},
		{"no destination: samlp takes the audience", of(options{"destination": "", "signResponse": true}), "destination_mismatch"},
		{"issuer is another", of(options{"issuer": "https://evil.example/idp"}), "issuer_mismatch"},
		{"answer to another request", of(options{"inResponseTo": "_somebody-else"}), "unknown_request"},
		{"answer to another request, signed", of(options{"inResponseTo": "_somebody-else", "signResponse": true}), "unknown_request"},
		{"expired ten minutes ago", of(options{"lifetimeInSeconds": -600}), "expired"},
		{"clock ten minutes fast", samlpSP{Clock: 600}, "issued_in_future"},
		{"clock two days slow", samlpSP{Clock: -48 * 3600}, "issued_too_long_ago"},
		{"clock two hours slow, a day long", samlpSP{Clock: -2 * 3600, Options: options{"lifetimeInSeconds": 86400}}, "issued_too_long_ago"},
		{"nothing signed", of(options{"signAssertion": false}), "not_signed"},
		{"sha1", of(options{"signatureAlgorithm": "rsa-sha1", "digestAlgorithm": "sha1"}), "sha1_refused"},
		{"sha1 digest alone", of(options{"digestAlgorithm": "sha1"}), "sha1_refused"},
		{"sha1 signature alone", of(options{"signatureAlgorithm": "rsa-sha1", "signResponse": true}), "sha1_refused"},
		{"a stranger's key", samlpSP{Key: "stranger"}, "wrong_key"},
		{"a stranger's key, both signed", samlpSP{Key: "stranger", Options: options{"signResponse": true}}, "wrong_key"},
		{"a failure's status with an assertion", of(options{"samlStatusCode": status + "Responder"}), "status_not_success"},
		{"a failure", samlpSP{Fail: status + "AuthnFailed"}, "status_not_success"},
		{"a failure, signed", samlpSP{Fail: status + "RequestDenied", Options: options{"signResponse": true}}, "status_not_success"},
		{"a transient name", of(options{"nameIdentifierFormat": format + "transient"}), "no_identity"},
		{"a name said to be encrypted", of(options{"nameIdentifierFormat": format + "encrypted"}), "name_id_encrypted"},
		{"a blank name", of(options{"nameIdentifier": " "}), "name_id_missing"},
		{"two addresses", samlpSP{Claims: options{"email": []string{"one@company.test", "two@company.test"}}}, "attribute_conflict"},
		{"triple DES", encrypted(tripleDES), "encryption_refused"},
		{"triple DES, unsigned outside", unsigned(encrypted(tripleDES)), "encryption_refused"},
		{"AES-128-CBC, unsigned outside", unsigned(encrypted(cbc + "aes128-cbc")), "encryption_unsigned"},
		{"AES-256-CBC, unsigned outside", unsigned(encrypted(cbc + "aes256-cbc")), "encryption_unsigned"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.register(t, p, c.sp)
			one := newPerson(t)
			begun := one.open(p.Login + "?intent=signup")
			wantCode(t, one.logIn(s, begun.onward(t), "mallory"), http.StatusForbidden, c.code)
			if home := one.open(b.base + "/"); home.status != http.StatusSeeOther {
				t.Errorf("afterwards the home page answers %d, want the way to the login", home.status)
			}
		})
	}
	b.wantNobody(t, "mallory", "one", "two")
	b.wantCleanLog(t)
}

// What depends on the method's settings, and what is unusual but honest.
func TestWhatSamlpSendsIsJudgedByTheMethod(t *testing.T) {
	s := needSamlp(t)
	b := startBroker(t, "")
	const gcm, cbc = "http://www.w3.org/2009/xmlenc11#", "http://www.w3.org/2001/04/xmlenc#"
	encrypted := func(algorithm string, signed ...string) samlpSP {
		return samlpSP{Encrypt: "OURS", Options: options{
			"encryptionAlgorithm": algorithm, "disallowEncryptionWithInsecureAlgorithm": false, "warnOnInsecureEncryptionAlgorithm": false,
			"signResponse": len(signed) > 0, "signAssertion": len(signed) < 2,
		}}
	}
	for _, c := range []struct {
		name   string
		sp     samlpSP
		fields map[string]any
		code   string // empty: accepted
	}{
		{"assertion signed", samlpSP{}, nil, ""},
		{"response signed", samlpSP{Options: options{"signResponse": true, "signAssertion": false}}, nil, ""},
		{"both signed", samlpSP{Options: options{"signResponse": true}}, nil, ""},
		{"response signed, wanted assertion", samlpSP{Options: options{"signResponse": true, "signAssertion": false}}, map[string]any{"saml_assertion_signed_enabled": true}, "assertion_not_signed"},
		{"a prefix on the signatures", samlpSP{Options: options{"signResponse": true, "signatureNamespacePrefix": "ds"}}, nil, ""},
		{"untyped attributes without name formats", samlpSP{Options: options{"typedAttributes": false, "includeAttributeNameFormat": false}}, nil, ""},
		{"numbers and truth values", samlpSP{Claims: options{"level": 7, "admin": false}}, nil, ""},
		{"several audiences, ours among them", samlpSP{Options: options{"audience": []string{"https://other.example/sp", "OURS"}}}, nil, ""},
		{"no session index", samlpSP{Options: options{"sessionIndex": ""}}, nil, ""},
		{"an unspecified name", samlpSP{Options: options{"nameIdentifierFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"}}, nil, ""},
		{"a year long", samlpSP{Options: options{"lifetimeInSeconds": 365 * 86400}}, nil, ""},
		{"sha1, admitted", samlpSP{Options: options{"signatureAlgorithm": "rsa-sha1", "digestAlgorithm": "sha1"}}, map[string]any{"saml_allow_sha1": true}, ""},
		{"a small key, admitted", samlpSP{Key: "small"}, map[string]any{"keys": []string{"small"}, "saml_allow_small_keys": true}, ""},
		{"a change of keys, both pinned", samlpSP{Key: "stranger"}, map[string]any{"keys": []string{"idp", "stranger"}}, ""},
		{"AES-128-GCM", encrypted(gcm + "aes128-gcm"), nil, ""},
		{"AES-256-GCM, response signed", encrypted(gcm+"aes256-gcm", "response", "alone"), nil, ""},
		{"AES-256-GCM, both signed", encrypted(gcm+"aes256-gcm", "response"), nil, ""},
		{"AES-256-CBC, both signed", encrypted(cbc+"aes256-cbc", "response"), nil, ""},
		{"requests signed, by POST", samlpSP{}, map[string]any{"saml_authn_requests_signed_enabled": true, "saml_request_binding": "post"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields := maps.Clone(c.fields)
			if keys, ok := fields["keys"].([]string); ok {
				delete(fields, "keys")
				maps.Copy(fields, s.byHand(t, keys...))
			}
			p := s.connectAs(t, b, c.sp, fields)
			if c.sp.Encrypt != "" {
				c.sp.Encrypt = spCertificatePEM(t, p)
				s.register(t, p, c.sp)
			}
			if a, ok := c.sp.Options["audience"].([]string); ok {
				a[1] = p.Metadata
				s.register(t, p, c.sp)
			}
			who := s.person(t)
			if c.code != "" {
				one := newPerson(t)
				wantCode(t, one.logIn(s, one.open(p.Login+"?intent=signup").onward(t), who), http.StatusForbidden, c.code)
				b.wantNobody(t, who)
				return
			}
			b.signUpAndLogIn(t, s, p, who, "Ärlig & Söner <AB>")
		})
	}
}
