package main

import "testing"

func TestTheDemonstrationKnowsEveryProviderOfThisServer(t *testing.T) {
	d := &dev{base: "http://127.0.0.1:8080"}
	sp, ok := d.lookup("http://127.0.0.1:8080/v1/sso/saml/metadata/am0123456789a")
	if want := "http://127.0.0.1:8080/v1/sso/saml/acs/am0123456789a"; !ok || sp.ACSURL != want {
		t.Errorf("got %v, %s; want %s", ok, sp.ACSURL, want)
	}
	for _, id := range []string{
		"http://127.0.0.1:8080@evil.example/v1/sso/saml/metadata/am1",
		"http://evil.example/v1/sso/saml/metadata/am1",
		"http://127.0.0.1:8080/v1/sso/saml/metadata/../../x",
		"",
	} {
		if sp, ok := d.lookup(id); ok {
			t.Errorf("%q: got %s, want nothing", id, sp.ACSURL)
		}
	}
}
