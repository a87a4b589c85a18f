package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// readAgain has Keycloak read our metadata again, as its administrator would:
// what it makes of it replaces what it knew of our keys.
func (k *keycloak) readAgain(t *testing.T, p provider) map[string]any {
	t.Helper()
	var known []map[string]any
	k.call(t, "GET", "/realms/"+k.realm+"/clients?clientId="+url.QueryEscape(p.Metadata), "", nil, http.StatusOK, &known)
	if len(known) != 1 {
		t.Fatalf("Keycloak knows %d clients for %s, want 1", len(known), p.Metadata)
	}
	var read map[string]any
	k.call(t, "POST", "/realms/"+k.realm+"/client-description-converter", "application/xml", fetch(t, p.Metadata), http.StatusOK, &read)
	client := known[0]
	attributes := client["attributes"].(map[string]any)
	fresh := read["attributes"].(map[string]any)
	for _, name := range []string{"saml.signing.certificate", "saml.encryption.certificate"} {
		attributes[name] = fresh[name]
	}
	js, err := json.Marshal(client)
	if err != nil {
		t.Fatal(err)
	}
	k.call(t, "PUT", "/realms/"+k.realm+"/clients/"+client["id"].(string), "application/json", js, http.StatusNoContent, nil)
	return attributes
}

// A rolling is a change of our keys under an identity provider that encrypts.
type rolling struct {
	*broker
	k    *keycloak
	p    provider
	who  string
	keys string // the path of our keys
}

func startRolling(t *testing.T, signed bool) rolling {
	k := needKeycloak(t)
	b := startBroker(t, "")
	p := k.connectAs(t, b, kcSigned("saml.encrypt", "true", "saml.encryption.certificate", "OURS", "saml.client.signature", fmt.Sprint(signed)), map[string]any{"saml_authn_requests_signed_enabled": signed})
	r := rolling{b, k, p, k.person(t), "/v1/account/" + b.account + "/authentication/" + p.ID + "/sp-keys"}
	b.signUpAndLogIn(t, k, p, r.who, "Some Body")
	return r
}

func (r rolling) logIn(t *testing.T, when string) {
	t.Helper()
	one := newPerson(t)
	answered := one.logIn(r.k, one.open(r.p.Login).onward(t), r.who)
	if answered.status != http.StatusSeeOther {
		t.Fatalf("%s: got %d, want the login taken:\n%s", when, answered.status, answered.doc.Find("main").Text())
	}
	r.finish(t, one, answered, "", "Some Body")
}

// answer is one of Keycloak's that is not posted yet: it is encrypted to the
// key that Keycloak knows now.
func (r rolling) answer() (url.Values, error) {
	_, form, err := logInAt(newPerson(r.t).open(r.p.Login).onward(r.t), r.who, r.who+"pass")
	return form, err
}

// TestOurKeysChangeUnderKeycloak holds that nobody is kept out in any step.
func TestOurKeysChangeUnderKeycloak(t *testing.T) {
	r := startRolling(t, false)
	var waiting []url.Values
	for range 2 {
		form, err := r.answer()
		if err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, form)
	}
	before := r.k.readAgain(t, r.p)["saml.encryption.certificate"]
	r.call("POST", r.keys, map[string]any{"key_type": "rsa-3072"}, http.StatusOK, nil)
	r.logIn(t, "prepared, and not known there")
	if after := r.k.readAgain(t, r.p)["saml.encryption.certificate"]; after != before {
		t.Error("Keycloak, which keeps one certificate, took the next one before it is in use")
	}
	r.logIn(t, "prepared, and read there")
	r.call("POST", r.keys+"/switch", nil, http.StatusOK, nil)
	r.logIn(t, "switched, and not known there")
	if after := r.k.readAgain(t, r.p)["saml.encryption.certificate"]; after == before {
		t.Error("Keycloak has the old certificate still, after reading our metadata again")
	}
	r.logIn(t, "switched, and known there")
	if got := newPerson(t).post(r.p.ACS, r.k.origin(), waiting[0]); got.status != http.StatusSeeOther {
		t.Errorf("encrypted to the previous key: got %d, want it taken:\n%s", got.status, got.doc.Find("main").Text())
	}
	r.call("DELETE", r.keys+"/previous", nil, http.StatusOK, nil)
	wantCode(t, newPerson(t).post(r.p.ACS, r.k.origin(), waiting[1]), http.StatusForbidden, "decryption_failed")
	r.logIn(t, "forgotten")
	r.wantCleanLog(t)
}

// Keycloak keeps one certificate to verify our requests with, so that a switch
// is known to it only once it has read our metadata again: as docs/tasks says.
func TestKeycloakVerifiesRequestsByOurNextKeyOnceItIsInUse(t *testing.T) {
	r := startRolling(t, true)
	r.call("POST", r.keys, nil, http.StatusOK, nil)
	r.k.readAgain(t, r.p)
	r.logIn(t, "prepared, and read there")
	r.call("POST", r.keys+"/switch", nil, http.StatusOK, nil)
	if _, err := r.answer(); err == nil || !strings.Contains(err.Error(), "Invalid requester") {
		t.Errorf("switched, and not known there: got %v, want a refusal of our request", err)
	}
	r.k.readAgain(t, r.p)
	r.logIn(t, "switched, and known there")
}
