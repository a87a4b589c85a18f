package e2e_test

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"gatehouse/internal/demoidp"
)

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// connectDemo introduces the demonstration IdP to an organization.
func (b *broker) connectDemo(account string, fields map[string]any) (*demoidp.IdP, provider) {
	b.t.Helper()
	idp, err := demoidp.New("https://idp.acme.test")
	if err != nil {
		b.t.Fatal(err)
	}
	all := map[string]any{"saml_idp_metadata": string(idp.Metadata()), "saml_field_mapping": map[string]string{"identity": "username"}}
	for k, v := range fields {
		all[k] = v
	}
	p := b.connect(account, "Acme IdP", all)
	idp.Register(demoidp.SP{EntityID: p.Metadata, ACSURL: p.ACS})
	return idp, p
}

// through takes a person from a login or signup address through an IdP to
// where the answer leads; it is not finished.
func (p *person) through(idp *demoidp.IdP, start, username string) page {
	p.t.Helper()
	u, ok := idp.User(username)
	if !ok {
		p.t.Fatalf("the identity provider does not know %s", username)
	}
	begun := p.open(start)
	if begun.status != http.StatusSeeOther {
		p.t.Fatalf("start at %s: got %d, want a redirect:\n%s", start, begun.status, begun.text)
	}
	acs, form, err := idp.Answer(begun.location, u)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.post(acs, "https://idp.acme.test", form)
}

func TestAWholeLoginOverHTTP(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, databaseURL string) {
		b := startBroker(t, databaseURL)
		idp, method := b.connectDemo(b.account, nil)
		alice := newPerson(t)

		// Nobody is linked yet: the login link says whom to ask.
		answered := alice.through(idp, method.Login, "alice")
		if answered.status != http.StatusSeeOther || !strings.HasPrefix(answered.location, b.base+"/login/continue?flow=") {
			t.Fatalf("the ACS answered %d %s, want a redirect to /login/continue:\n%s", answered.status, answered.location, answered.text)
		}
		wantCode(t, alice.open(answered.location), http.StatusForbidden, "unknown_user_sso_login_attempt")

		// The signup link makes the account, once.
		signup := b.base + "/v1/sso/saml/login/" + method.ID + "?intent=signup"
		finished := alice.open(alice.through(idp, signup, "alice").location)
		if finished.status != http.StatusSeeOther || finished.location != b.base+"/" {
			t.Fatalf("got %d %s, want the home page:\n%s", finished.status, finished.location, finished.text)
		}
		home := alice.open(finished.location)
		for _, want := range []string{"Alice Archer", "Acme IdP", "Acme"} {
			if !strings.Contains(home.doc.Find("main").Text(), want) {
				t.Errorf("the home page does not say %q:\n%s", want, home.doc.Find("main").Text())
			}
		}

		// A later login leads where it was asked to.
		elsewhere := newPerson(t)
		finished = elsewhere.open(elsewhere.through(idp, method.Login+"?return_to=/profile", "alice").location)
		if finished.location != b.base+"/profile" {
			t.Errorf("got to %s, want /profile", finished.location)
		}

		// The cookie is good for the API too, until logging out ends it there.
		if me := alice.open(b.base + "/v1/me"); me.status != http.StatusOK || !strings.Contains(me.text, `"auth":["saml"`) {
			t.Errorf("GET /v1/me: got %d %s, want auth saml", me.status, me.text)
		}
		before := alice.client.Jar
		if out := alice.post(b.base+"/logout", b.base, nil); out.status != http.StatusSeeOther {
			t.Errorf("logging out: got %d, want a redirect", out.status)
		}
		alice.client.Jar = before
		if me := alice.open(b.base + "/v1/me"); me.status != http.StatusUnauthorized {
			t.Errorf("after logging out: got %d, want 401", me.status)
		}
	})
}

func TestAnAnswerIsGoodForItsOwnBrowserAlone(t *testing.T) {
	b := startBroker(t, "")
	idp, method := b.connectDemo(b.account, nil)
	attacker, victim := newPerson(t), newPerson(t)
	victim.open(b.base + "/login")
	answered := attacker.through(idp, b.base+"/v1/sso/saml/login/"+method.ID+"?intent=signup", "bob")
	wantCode(t, victim.open(answered.location), http.StatusForbidden, "login_in_another_browser")
	if me := victim.open(b.base + "/v1/me"); me.status != http.StatusUnauthorized {
		t.Errorf("the victim's browser: got %d, want no session", me.status)
	}
	if finished := attacker.open(answered.location); finished.status != http.StatusSeeOther {
		t.Errorf("the browser that began it: got %d, want a session", finished.status)
	}
}

func TestEverySessionHasATokenOfItsOwn(t *testing.T) {
	b := startBroker(t, "")
	idp, method := b.connectDemo(b.account, nil)
	alice := newPerson(t)
	finished := alice.open(alice.through(idp, b.base+"/v1/sso/saml/login/"+method.ID+"?intent=signup", "alice").location)
	first := cookieOf(finished, "gatehouse")
	finished = alice.open(alice.through(idp, method.Login, "alice").location)
	second := cookieOf(finished, "gatehouse")
	if first == nil || second == nil || first.Value == second.Value {
		t.Fatalf("got %v, then %v; want two sessions", first, second)
	}
	if !second.HttpOnly || second.SameSite != http.SameSiteLaxMode || second.Path != "/" || second.Domain != "" {
		t.Errorf("got cookie %v, want HttpOnly, Lax, for this host alone", second)
	}
	if status, _ := b.callAs(first.Value, "GET", "/v1/me", nil); status != http.StatusUnauthorized {
		t.Errorf("the session before: got %d, want 401", status)
	}
	b.configure(b.account, method, map[string]any{"authentication_method_enabled": false})
	if status, _ := b.callAs(second.Value, "GET", "/v1/me", nil); status != http.StatusUnauthorized {
		t.Errorf("after the provider was disabled: got %d, want 401", status)
	}
}

func cookieOf(p page, name string) *http.Cookie {
	for _, c := range (&http.Response{Header: p.header}).Cookies() {
		if c.Name == name && c.Value != "" {
			return c
		}
	}
	return nil
}

func TestEntityIDsOutliveTheOldForm(t *testing.T) {
	b := startBroker(t, "")
	_, method := b.connectDemo(b.account, nil)
	old := b.base + "/v1/sso/saml/account/" + b.account + "/method/" + method.ID
	new, same := newPerson(t).open(method.Metadata), newPerson(t).open(old+"/metadata")
	if new.status != http.StatusOK || new.text != same.text {
		t.Errorf("got %d and %d, want the same metadata at both addresses", new.status, same.status)
	}
	if got := newPerson(t).open(strings.Replace(old, b.account, "a00000000000", 1) + "/metadata"); got.status != http.StatusNotFound {
		t.Errorf("with another account: got %d, want 404", got.status)
	}
}

// from sends requests from another loopback address.
func from(t testing.TB, address string) *http.Transport {
	t.Helper()
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Transport{DialContext: d.DialContext}
}
