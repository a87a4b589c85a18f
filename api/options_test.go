package api

import (
	"net/http"
	"strings"
	"testing"

	"gatehouse/domains"
)

// speakingMethod has an organization verify a domain that is linked to a method of its,
// which is configured and enabled.
func (w *world) speakingMethod(t *testing.T, token, domain string) (methodID string) {
	t.Helper()
	organizationID, accountID := w.organization(t, token, "Acme")
	methodID = w.method(t, token, accountID)
	w.as(t, token, "PUT", "/v1/account/"+accountID+"/authentication/"+methodID, `{"saml_entity_id":"urn:okta","saml_idp_url":"https://okta.example/sso","saml_certificate":`+quoted(t, testCertificate)+`}`).need(t, http.StatusOK)
	d := domains.Domain{ID: "dom00000000001", OrganizationID: organizationID, Name: domain, State: domains.Verified, Proof: domains.ByDNS, CreatedAt: w.now, VerifiedAt: w.now}
	if err := w.store.AddDomain(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.LinkDomain(t.Context(), d.ID, methodID, w.now); err != nil {
		t.Fatal(err)
	}
	return methodID
}

func TestLoginOptionsFollowFromTheDomainAlone(t *testing.T) {
	w := newWorld(t)
	admin := w.signUp(t, "ann@acme.example")
	method := w.speakingMethod(t, admin, "acme.example")
	options := func(email string) string {
		r := w.do(t, "POST", "/v1/userauth/login_options", `{"email":"`+email+`"}`)
		r.need(t, http.StatusOK)
		return r.body
	}
	there, nobody := options("ann@acme.example"), options("nobody@acme.example")
	if there != nobody {
		t.Errorf("got %s for an account and %s for nobody, want the same", there, nobody)
	}
	if !strings.HasPrefix(there, `{"options":[{"action":"saml","method":"GET","name":"Okta","redirect_url":"https://gatehouse.example/v1/sso/saml/login/`+method+`"`) {
		t.Errorf("got %s, want the domain's method first", there)
	}
	if got := options("ann@other.example"); strings.Contains(got, "saml") || !strings.Contains(got, `"password":true`) || !strings.Contains(got, "/signup") {
		t.Errorf("a domain of nobody: got %s, want a password and signing up", got)
	}
	if got := w.do(t, "POST", "/v1/userauth/login_options", `{"email":"nobody"}`).needFailure(t, http.StatusBadRequest); !strings.Contains(got["message"].(string), "email") {
		t.Errorf("no address: got %v, want the field named", got)
	}
}

func TestAWrongPasswordNamesTheDomainsIdentityProvider(t *testing.T) {
	w := newWorld(t)
	admin := w.signUp(t, "ann@acme.example")
	method := w.speakingMethod(t, admin, "acme.example")
	wrong := func(email string) string {
		return w.do(t, "POST", "/v1/userauth", `{"email":"`+email+`","password":"not this one"}`).needFailure(t, http.StatusForbidden)["message"].(string)
	}
	there, nobody := wrong("ann@acme.example"), wrong("nobody@acme.example")
	if there != nobody || !strings.Contains(there, "Okta") || !strings.Contains(there, "/link/"+method) {
		t.Errorf("got %q for an account and %q for nobody, want the same, with the method and its account link", there, nobody)
	}
	if other := wrong("ann@other.example"); strings.Contains(other, "Okta") {
		t.Errorf("another domain: got %q", other)
	}
}
