package e2e_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// onEachIdP runs a test against every identity provider that others wrote.
func onEachIdP(t *testing.T, test func(t *testing.T, i realIdP)) {
	t.Run("SimpleSAMLphp", func(t *testing.T) { test(t, needSSP(t)) })
	t.Run("samlp", func(t *testing.T) { test(t, needSamlp(t)) })
	t.Run("pysaml2", func(t *testing.T) { test(t, needPySAML2(t)) })
	t.Run("Keycloak", func(t *testing.T) { test(t, needKeycloak(t)) })
}

// decoded is the document of an answer.
func decoded(t testing.TB, form url.Values) string {
	t.Helper()
	doc, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// signUpAndLogIn makes an account through the signup link, sees that the home
// page says want, and then logs the same person in through the login link, in
// another browser.
func (b *broker) signUpAndLogIn(t *testing.T, i realIdP, p provider, who, want string) {
	t.Helper()
	for _, start := range []string{p.Login + "?intent=signup", p.Login} {
		one := newPerson(t)
		answered := one.logIn(i, one.open(start).onward(t), who)
		if answered.status != http.StatusSeeOther {
			t.Fatalf("%s: got %d, want the answer to be taken:\n%s", start, answered.status, answered.doc.Find("main").Text())
		}
		finished := one.open(answered.location)
		if finished.status != http.StatusSeeOther {
			t.Fatalf("%s: got %d, want a session:\n%s", start, finished.status, finished.doc.Find("main").Text())
		}
		if home := one.open(finished.location); !strings.Contains(home.doc.Text(), want) {
			t.Errorf("%s: the home page does not say %q:\n%s", start, want, home.doc.Find("main").Text())
		}
	}
}
