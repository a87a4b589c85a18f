package e2e_test

import (
	"net/http"
	"testing"
)

// metadataState is what these tests read of how metadata stands.
type metadataState struct {
	Outcome string `json:"outcome"`
	State   struct {
		State   string `json:"state"`
		Failure string `json:"failure"`
		Pending *struct {
			ID      string `json:"pending_id"`
			Changes []struct {
				Field  string  `json:"field"`
				Before *string `json:"before"`
			} `json:"changes"`
		} `json:"pending"`
	} `json:"metadata_refresh"`
}

// refresh has the metadata of a method fetched.
func (b *broker) refresh(p provider) (got metadataState) {
	b.t.Helper()
	b.call("POST", "/v1/account/"+b.account+"/authentication/"+p.ID+"/metadata-refresh", nil, http.StatusOK, &got)
	return got
}

// Keycloak changes its key: the metadata at its address shows both, a change
// waits, and once it is approved people log in by the new one and, as long as
// the metadata has it, by the old one.
func TestMetadataOfKeycloakIsFollowed(t *testing.T) {
	k := needKeycloak(t).another(t)
	b := startBroker(t, "", "--metadata-network", "127.0.0.0/8", "--metadata-network", "::1/128")
	where := k.realmURL() + "/protocol/saml/descriptor"
	held := b.connect(b.account, "Keycloak, held", map[string]any{"saml_idp_metadata_url": where})
	applied := b.connect(b.account, "Keycloak, applied", map[string]any{"saml_idp_metadata_url": where, "saml_metadata_updates": "apply"})
	k.register(t, held, nil)
	k.register(t, applied, nil)
	who, other := k.person(t), k.person(t)
	b.signUpAndLogIn(t, k, held, who, "Some Body")
	b.signUpAndLogIn(t, k, applied, other, "Some Body")
	_, old, err := logInAt(newPerson(t).open(held.Login).onward(t), who, who+"pass")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.refresh(held); got.Outcome != "unchanged" {
		t.Errorf("before anything changed: got %+v, want unchanged", got)
	}

	k.make(t, "/realms/"+k.realm+"/components", map[string]any{
		"name": "next", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
		"config": map[string][]string{"priority": {"1000"}, "algorithm": {"RS256"}, "keySize": {"2048"}},
	})
	got := b.refresh(held)
	if got.Outcome != "held" || got.State.Pending == nil || len(got.State.Pending.Changes) != 1 || got.State.Pending.Changes[0].Field != "saml_certificate" || got.State.Pending.Changes[0].Before != nil {
		t.Fatalf("got %+v, want one certificate that would come", got)
	}
	one := newPerson(t)
	wantCode(t, one.logIn(k, one.open(held.Login).onward(t), who), http.StatusForbidden, "wrong_key")
	b.call("POST", "/v1/account/"+b.account+"/authentication/"+held.ID+"/metadata-refresh/apply", map[string]any{"pending_id": got.State.Pending.ID}, http.StatusOK, nil)
	two := newPerson(t)
	b.finish(t, two, two.logIn(k, two.open(held.Login).onward(t), who), "", "Some Body")
	if got := newPerson(t).post(held.ACS, k.origin(), old); got.status != http.StatusSeeOther {
		t.Errorf("an answer signed with the key before: got %d, want it taken:\n%s", got.status, got.doc.Find("main").Text())
	}

	if got := b.refresh(applied); got.Outcome != "applied" {
		t.Errorf("got %+v, want it applied", got)
	}
	three := newPerson(t)
	b.finish(t, three, three.logIn(k, three.open(applied.Login).onward(t), other), "", "Some Body")

	var log struct {
		Events []struct {
			Action  string            `json:"action"`
			Details map[string]string `json:"details"`
		} `json:"events"`
	}
	b.call("GET", "/v1/organization/"+b.org+"/audit-events?action=idp.certificate_first_used", nil, http.StatusOK, &log)
	if len(log.Events) != 4 {
		t.Errorf("got %d first uses, want those of two certificates by two methods: %+v", len(log.Events), log.Events)
	}
}

// SimpleSAMLphp serves its metadata as it writes it.
func TestMetadataOfSimpleSAMLphpIsFollowed(t *testing.T) {
	s := needSSP(t)
	b := startBroker(t, "", "--metadata-network", "127.0.0.0/8", "--metadata-network", "::1/128")
	p := b.connect(b.account, "SimpleSAMLphp", map[string]any{"saml_idp_metadata_url": s.base + "/simplesamlphp/saml2/idp/metadata.php"})
	if got := b.refresh(p); got.Outcome != "unchanged" || got.State.State != "ok" {
		t.Errorf("got %+v, want unchanged", got)
	}
}

// A server that no operator told of this machine asks nothing there, whoever
// wants it to.
func TestMetadataOnThisMachineIsNotFetched(t *testing.T) {
	b := startBroker(t, "")
	reached := false
	canary := onLocalhost(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	for _, address := range []string{canary, "https" + canary[len("http"):], "https://169.254.169.254/", "https://[::1]/"} {
		b.call("POST", "/v1/account/"+b.account+"/authentication", map[string]any{
			"authentication_method_name": "Evil", "authentication_method_type": "saml", "saml_idp_metadata_url": address,
		}, http.StatusBadRequest, nil)
	}
	if reached {
		t.Error("this machine was asked")
	}
}
