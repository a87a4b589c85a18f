package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestLoginsThroughKeycloak(t *testing.T) {
	k := needKeycloak(t)
	b := startBroker(t, "")
	type fields = map[string]any
	const nameID, algorithm, canonical = "saml_name_id_format", "saml.signature.algorithm", "saml_signature_canonicalization_method"
	const c14n, inclusive = "http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	checked := func(fields fields) fields {
		fields["saml_authn_requests_signed_enabled"] = true
		return fields
	}
	for _, c := range []struct {
		name   string
		client kcClient
		fields fields
		code   string // empty: accepted
	}{
		{"what it makes of our metadata by itself", nil, nil, ""},
		{"response signed", kcSigned("saml.assertion.signature", "false"), nil, ""},
		{"assertion signed", kcSigned("saml.server.signature", "false"), nil, ""},
		{"both signed", kcSigned(), nil, ""},
		{"requests by POST", kcSigned(), fields{"saml_request_binding": "post"}, ""},
		{"requests signed, by Redirect", kcSigned("saml.client.signature", "true"), checked(fields{}), ""},
		{"requests signed, by POST", kcSigned("saml.client.signature", "true"), checked(fields{"saml_request_binding": "post"}), ""},
		{"email name", kcSigned(nameID, "email"), nil, ""},
		{"persistent name", kcSigned(nameID, "persistent"), nil, ""},
		{"username", kcSigned(nameID, "username"), nil, ""},
		{"transient name", kcSigned(nameID, "transient"), nil, "no_identity"},
		{"transient name, an attribute mapped", kcSigned(nameID, "transient"), fields{"saml_field_mapping": map[string]any{"identity": "email"}}, ""},
		{"sha512", kcSigned(algorithm, "RSA_SHA512"), nil, ""},
		{"sha1", kcSigned(algorithm, "RSA_SHA1"), nil, "sha1_refused"},
		{"sha1, admitted", kcSigned(algorithm, "RSA_SHA1"), fields{"saml_allow_sha1": true}, ""},
		{"RSA-PSS", kcSigned(algorithm, "RSA_SHA256_MGF1"), nil, "algorithm_refused"},
		{"canonical form with comments", kcSigned(canonical, c14n+"WithComments"), nil, ""},
		{"inclusive canonical form, response signed", kcSigned(canonical, inclusive, "saml.assertion.signature", "false"), nil, ""},
		// Keycloak signs the assertion before the response is around it, whose
		// namespaces belong to this form. xmlsec1 cannot verify it either.
		{"inclusive canonical form, assertion signed", kcSigned(canonical, inclusive, "saml.server.signature", "false"), nil, "wrong_key"},
		{"one-time use", kcSigned("saml.onetimeuse.condition", "true"), nil, ""},
		{"key named in an extension", kcSigned("saml.server.signature.keyinfo.ext", "true"), nil, ""},
		{"key named by its subject", kcSigned("saml.server.signature.keyinfo.xmlSigKeyInfoKeyNameTransformer", "CERT_SUBJECT"), nil, ""},
		{"nothing signed", kcSigned("saml.server.signature", "false", "saml.assertion.signature", "false"), nil, "not_signed"},
		{"assertion unsigned, wanted signed", kcSigned("saml.assertion.signature", "false"), fields{"saml_assertion_signed_enabled": true}, "assertion_not_signed"},
		{"no statement of when", kcSigned("saml.authnstatement", "false"), nil, "no_authn_statement"},
		{"encrypted", kcSigned("saml.encrypt", "true", "saml.encryption.certificate", "OURS"), nil, ""},
		{"encrypted, assertion wanted signed", kcSigned("saml.encrypt", "true", "saml.encryption.certificate", "OURS"), fields{"saml_assertion_signed_enabled": true}, ""},
		{"encrypted, response signed alone", kcSigned("saml.encrypt", "true", "saml.encryption.certificate", "OURS", "saml.assertion.signature", "false"), nil, ""},
		{"encrypted, nothing signed", kcSigned("saml.encrypt", "true", "saml.encryption.certificate", "OURS", "saml.server.signature", "false", "saml.assertion.signature", "false"), nil, "not_signed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := k.connectAs(t, b, c.client, c.fields)
			who := k.person(t)
			if c.code != "" {
				one := newPerson(t)
				wantCode(t, one.logIn(k, one.open(p.Login+"?intent=signup").onward(t), who), http.StatusForbidden, c.code)
				b.wantNobody(t, who)
				return
			}
			b.signUpAndLogIn(t, k, p, who, "Some Body")
		})
	}
	b.wantCleanLog(t)
}

// Keycloak holds us to what it demands of requests.
func TestKeycloakRefusesAnUnsignedRequestWhereItWantsThemSigned(t *testing.T) {
	k := needKeycloak(t)
	b := startBroker(t, "")
	p := k.connectAs(t, b, kcSigned("saml.client.signature", "true"), map[string]any{"saml_authn_requests_signed_enabled": false})
	_, form, err := logInAt(newPerson(t).open(p.Login).onward(t), "alice", "alicepass")
	if err == nil || !strings.Contains(err.Error(), "Invalid requester") {
		t.Errorf("got an answer with %d fields, and %v; want none, since the request was not signed", len(form), err)
	}
}

// At a change of keys, the metadata has the one that was and the one that is.
func TestKeycloakChangesItsKey(t *testing.T) {
	k := needKeycloak(t).another(t)
	b := startBroker(t, "")
	p := k.connect(t, b, nil)
	who := k.person(t)
	b.signUpAndLogIn(t, k, p, who, "Some Body")
	_, old, err := logInAt(newPerson(t).open(p.Login).onward(t), who, who+"pass")
	if err != nil {
		t.Fatal(err)
	}

	k.make(t, "/realms/"+k.realm+"/components", map[string]any{
		"name": "next", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
		"config": map[string][]string{"priority": {"1000"}, "algorithm": {"RS256"}, "keySize": {"2048"}},
	})
	one := newPerson(t)
	wantCode(t, one.logIn(k, one.open(p.Login).onward(t), who), http.StatusForbidden, "wrong_key")

	b.configure(b.account, p, map[string]any{"saml_idp_metadata": string(fetch(t, k.realmURL()+"/protocol/saml/descriptor"))})
	two := newPerson(t)
	b.finish(t, two, two.logIn(k, two.open(p.Login).onward(t), who), "", "Some Body")
	if got := newPerson(t).post(p.ACS, k.origin(), old); got.status != http.StatusSeeOther {
		t.Errorf("an answer signed with the key before: got %d, want it taken:\n%s", got.status, got.doc.Find("main").Text())
	}
}

// Alice has a name that is not ASCII and a group that needs escaping.
func TestWhatKeycloakSaysOfAPersonArrives(t *testing.T) {
	k := needKeycloak(t)
	b := startBroker(t, "")
	p := k.connectAs(t, b, kcSigned("saml.encrypt", "false"), nil)
	b.signUpAndLogIn(t, k, p, "alice", "Alice Ärlig")
	_, form, err := logInAt(newPerson(t).open(p.Login).onward(t), "alice", "alicepass")
	if err != nil {
		t.Fatal(err)
	}
	if text := decoded(t, form); !strings.Contains(text, "R&amp;D &lt;core&gt;") && !strings.Contains(text, "R&amp;D &lt;core>") {
		t.Errorf("Keycloak sends no group that needs escaping:\n%s", text)
	}
}

// A browser that others wrote, too: it has its own opinion of cookies on
// localhost, and of forms that lead to another site.
func TestLoginThroughKeycloakInABrowser(t *testing.T) {
	k, chromium := needKeycloak(t), needBrowser(t)
	b := startBroker(t, "")
	for _, binding := range []string{"redirect", "post"} {
		t.Run(binding, func(t *testing.T) {
			p := k.connectAs(t, b, kcSigned("saml.client.signature", "true"), map[string]any{"saml_request_binding": binding, "saml_authn_requests_signed_enabled": true})
			who := k.person(t)
			tab := chromium.private(t)
			tab.do(
				chromedp.Navigate(p.Signup),
				chromedp.Click(chromedp.CSS("main a.button, main a[href*='intent=signup']")),
				chromedp.WaitVisible(chromedp.CSS("input[name=username]")),
			)
			tab.picture("login")
			tab.do(
				chromedp.SendKeys(chromedp.CSS("input[name=username]"), who),
				chromedp.SendKeys(chromedp.CSS("input[name=password]"), who+"pass\r"),
				chromedp.WaitVisible(chromedp.CSS("form[action='/logout']")),
			)
			if got := tab.text("main"); !strings.Contains(got, "Some Body") || !strings.Contains(got, "Keycloak") {
				t.Errorf("the home page shows:\n%s", got)
			}
			// Logged in there still, so nothing is asked.
			tab.do(chromedp.Navigate(k.startURL(t, b.configure(b.account, p, map[string]any{"saml_idp_login_allowed": true}), "/profile")), chromedp.WaitVisible(chromedp.CSS("form[action='/logout']")))
			if got := tab.location(); got != b.base+"/profile" {
				t.Errorf("a login that started at Keycloak led to %s, want the profile", got)
			}
		})
	}
}
