package e2e_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/demoidp"
)

// What comes in wrong is refused with the right status and a clear word, by
// the running binary; nothing changes; nothing secret is logged; nothing is
// ever the server's fault.
func TestBadAnswersAtTheACS(t *testing.T) {
	b := startBroker(t, "")
	idp, method := b.connectDemo(b.account, nil)
	_, account := b.organization("Other")
	otherIdP, other := b.connectDemo(account, nil)
	start := b.base + "/v1/sso/saml/login/" + method.ID + "?intent=signup"

	// good is an honest answer, for each case to spoil.
	good := func(p *person) (string, url.Values) {
		alice, _ := idp.User("alice")
		acs, form, err := idp.Answer(p.open(start).location, alice)
		if err != nil {
			t.Fatal(err)
		}
		return acs, form
	}
	xml := func(form url.Values, change func(string) string) url.Values {
		doc, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
		if err != nil {
			t.Fatal(err)
		}
		form.Set("SAMLResponse", base64.StdEncoding.EncodeToString([]byte(change(string(doc)))))
		return form
	}
	for _, c := range []struct {
		name   string
		change func(p *person, acs *string, form *url.Values)
		status int
		code   string
	}{
		{"empty", func(_ *person, _ *string, f *url.Values) { f.Set("SAMLResponse", "") }, 403, "response_empty"},
		{"no field at all", func(_ *person, _ *string, f *url.Values) { *f = url.Values{} }, 403, "response_empty"},
		{"twice", func(_ *person, _ *string, f *url.Values) { f.Add("SAMLResponse", "x") }, 400, "SAMLResponse"},
		{"not base64", func(_ *person, _ *string, f *url.Values) { f.Set("SAMLResponse", "%%%") }, 403, "response_not_base64"},
		{"truncated", func(_ *person, _ *string, f *url.Values) {
			xml(*f, func(s string) string { return s[:strings.LastIndex(s, "</")] })
		}, 403, "xml_malformed"},
		{"ten megabytes", func(_ *person, _ *string, f *url.Values) { f.Set("SAMLResponse", strings.Repeat("A", 10<<20)) }, 413, ""},
		{"deeply nested", func(_ *person, _ *string, f *url.Values) {
			xml(*f, func(string) string { return strings.Repeat("<a>", 20_000) + strings.Repeat("</a>", 20_000) })
		}, 403, ""},
		{"a document type", func(_ *person, _ *string, f *url.Values) {
			xml(*f, func(s string) string { return `<!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]>` + s })
		}, 403, "xml_doctype"},
		{"a second root", func(_ *person, _ *string, f *url.Values) { xml(*f, func(s string) string { return s + s }) }, 403, "xml_malformed"},
		{"NUL", func(_ *person, _ *string, f *url.Values) {
			xml(*f, func(s string) string { return strings.Replace(s, "alice", "al\x00ice", 1) })
		}, 403, ""},
		{"invalid UTF-8", func(_ *person, _ *string, f *url.Values) {
			xml(*f, func(s string) string { return strings.Replace(s, "alice", "al\xffice", 1) })
		}, 403, ""},
		{"one byte changed", func(_ *person, _ *string, f *url.Values) {
			xml(*f, func(s string) string { return strings.Replace(s, "alice@acme.test", "admin@acme.test", 1) })
		}, 403, "content_changed"},
		{"another flow's relay state", func(p *person, _ *string, f *url.Values) {
			_, theirs := good(newPerson(t))
			f.Set("RelayState", theirs.Get("RelayState"))
		}, 403, "relay_state_mismatch"},
		{"relay state of nonsense", func(_ *person, _ *string, f *url.Values) { f.Set("RelayState", "javascript:alert(1)\r\nX: y") }, 403, "relay_state_mismatch"},
		{"another organization's ACS", func(_ *person, acs *string, _ *url.Values) { *acs = other.ACS }, 403, ""},
		{"an unknown method", func(_ *person, acs *string, _ *url.Values) {
			*acs = strings.Replace(*acs, method.ID, "am00000000000", 1)
		}, 404, "authentication_method_not_found"},
		{"a method of nonsense", func(_ *person, acs *string, _ *url.Values) {
			*acs = strings.Replace(*acs, method.ID, "%00%ff'--", 1)
		}, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPerson(t)
			acs, form := good(p)
			c.change(p, &acs, &form)
			wantCode(t, p.post(acs, "https://idp.acme.test", form), c.status, c.code)
		})
	}
	for _, m := range demoidp.Mistakes {
		if m.Name == "used-id" {
			continue
		}
		t.Run("the IdP's mistake: "+m.Name, func(t *testing.T) {
			idp.Misbehave = m.Make
			defer func() { idp.Misbehave = nil }()
			p := newPerson(t)
			acs, form := good(p)
			if got := p.post(acs, "https://idp.acme.test", form); got.status != http.StatusForbidden || got.doc.Find("main").Text() == "" {
				t.Errorf("got %d:\n%s", got.status, got.text)
			}
		})
	}
	t.Run("replayed", func(t *testing.T) {
		p := newPerson(t)
		acs, form := good(p)
		if got := p.post(acs, "https://idp.acme.test", form); got.status != http.StatusSeeOther {
			t.Fatalf("the first time: got %d", got.status)
		}
		wantCode(t, p.post(acs, "https://idp.acme.test", form), http.StatusForbidden, "request_used")
	})
	t.Run("by GET", func(t *testing.T) {
		p := newPerson(t)
		acs, form := good(p)
		if got := p.open(acs + "?" + form.Encode()); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") == "" {
			t.Errorf("got %d, want 405 with Allow", got.status)
		}
	})
	t.Run("another organization's identity provider", func(t *testing.T) {
		p := newPerson(t)
		bob, _ := otherIdP.User("bob")
		_, form, err := otherIdP.Answer(p.open(b.base+"/v1/sso/saml/login/"+other.ID).location, bob)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, p.post(method.ACS, "https://idp.acme.test", form), http.StatusForbidden, "")
	})

	b.wantOnlyOperator(t)
	b.wantCleanLog(t)
}

func TestNonsenseAtEveryDoor(t *testing.T) {
	b := startBroker(t, "")
	_, method := b.connectDemo(b.account, nil)
	p := newPerson(t)
	for _, c := range []struct {
		name, address string
		want          int
	}{
		{"a flow of nonsense", "/login/continue?flow=%00%ff", 404},
		{"no flow", "/login/continue", 404},
		{"an expired flow", "/login/continue?flow=" + strings.Repeat("0", 32), 404},
		{"an unknown page", "/nothing/here", 404},
		{"an unknown organization", "/organization/org00000000000", 303},
		{"dots", "/static/../../etc/passwd", 404},
		{"an unknown intent", "/v1/sso/saml/login/" + method.ID + "?intent=admin", 400},
		{"an unknown method", "/v1/sso/saml/login/am00000000000", 404},
		{"metadata of nobody", "/v1/sso/saml/metadata/am00000000000", 404},
		{"signup of nobody", "/signup/am00000000000", 404},
		{"an API path", "/v1/nothing", 404},
		{"an API path with NUL", "/v1/account/%00", 401},
	} {
		if got := p.open(b.base + c.address); got.status != c.want && (c.name != "dots" || got.status >= 500 || strings.Contains(got.text, "root:")) {
			t.Errorf("%s: got %d, want %d", c.name, got.status, c.want)
		}
	}
	for _, to := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "/%2fevil.example", "javascript:alert(1)", "/login", "/v1/me"} {
		one := newPerson(t)
		form := url.Values{"email": {operatorMail}, "password": {operatorPassword}, "return_to": {to}}
		answered := one.post(b.base+"/login/password", b.base, form)
		finished := one.open(answered.location)
		if finished.status != http.StatusSeeOther || finished.location != b.base+"/" {
			t.Errorf("return_to=%s: got %d %s, want the home page", to, finished.status, finished.location)
		}
	}
	for _, path := range []string{"/login", "/login/password", "/signup", "/logout", "/organizations", "/profile"} {
		if got := p.post(b.base+path, "https://evil.example", url.Values{"email": {operatorMail}, "password": {operatorPassword}}); got.status != http.StatusForbidden {
			t.Errorf("POST %s from another site: got %d, want 403", path, got.status)
		}
	}
	b.wantOnlyOperator(t)
	b.wantCleanLog(t)
}

func TestTenThousandWrongPasswords(t *testing.T) {
	b := startBroker(t, "")
	counts := map[int]int{}
	for i := range 10_000 {
		status, _ := b.callAs("", "POST", "/v1/userauth", map[string]any{"email": operatorMail, "password": fmt.Sprint("wrong", i)})
		counts[status]++
	}
	if counts[http.StatusForbidden]+counts[http.StatusTooManyRequests] != 10_000 || counts[http.StatusForbidden] > 12 {
		t.Errorf("got %v, want at most a dozen tried and the rest limited", counts)
	}
	// The owner, who has logged in with this browser before or comes from
	// elsewhere, is not locked out; package login tests the first, this the
	// second.
	elsewhere := newPerson(t)
	elsewhere.client.Transport = from(t, "127.0.0.9")
	answered := elsewhere.post(b.base+"/login/password", b.base, url.Values{"email": {operatorMail}, "password": {operatorPassword}})
	if finished := elsewhere.open(answered.location); finished.status != http.StatusSeeOther {
		t.Errorf("the owner, from another address: got %d, want a session", finished.status)
	}
	b.wantCleanLog(t)
}

// wantOnlyOperator fails if anybody but the operator has an account.
func (b *broker) wantOnlyOperator(t *testing.T) {
	t.Helper()
	for _, who := range []string{"alice@acme.test", "bob@acme.test", "admin@acme.test"} {
		status, text := b.callAs("", "POST", "/v1/user", map[string]any{"email": who, "real_name": "x", "password": "long enough"})
		if status != http.StatusOK {
			t.Errorf("an account for %s was made by what was refused: %d %s", who, status, text)
		}
	}
}

// wantCleanLog fails if the log has a secret, or an answer that was the
// server's fault.
func (b *broker) wantCleanLog(t *testing.T) {
	t.Helper()
	log := b.logged()
	for _, secret := range []string{operatorPassword, "gts_", "SAMLResponse", "PHNhbWxw", "wrong1", b.token} {
		if strings.Contains(log, secret) {
			t.Errorf("the log contains %q", secret)
		}
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, "/readyz") {
			continue // it says 503 until the server is ready
		}
		if strings.Contains(line, "status=5") || strings.Contains(line, "level=ERROR") {
			t.Errorf("the server failed: %s", line)
		}
	}
}
