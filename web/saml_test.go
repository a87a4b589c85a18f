package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"gatehouse/session"
)

// acme makes an administrator with an organization and a connected identity
// provider.
func (w *world) acme() (admin *tab, organization, provider, method string) {
	w.t.Helper()
	w.withIdP()
	admin = w.browser()
	admin.signUp("Olive Owner", "olive@acme.test")
	organization = admin.addOrganization("Acme")
	provider = admin.addIdP(organization, "Acme Okta")
	return admin, organization, provider, admin.connect(provider)
}

func TestSingleSignOn(t *testing.T) {
	w := newWorld(t)
	_, organization, _, method := w.acme()
	b := w.browser()

	invitation := b.get("/signup/" + method).wantStatus(http.StatusOK).wantText("Join Acme").wantText("Acme Okta")
	start := invitation.page().Find("main a.primary").AttrOr("href", "")
	next := b.throughIdP(start, "bob", "").to()
	if !strings.HasPrefix(next, w.site.URL+"/login/continue?flow=") {
		t.Fatalf("after the answer: got sent to %s, want /login/continue", next)
	}
	if got := b.get(next).to(); got != "/" {
		t.Errorf("after signing up: got sent to %s, want /", got)
	}
	b.get("/").wantText("Bob Brännström").wantText("Acme Okta").wantText("identity provider of Acme").wantText("Member")
	b.post("/logout").to()

	// The browser remembers the way in, and offers it before the password.
	ways := b.post("/login", "email", "bob@acme.test", "return_to", organization).wantStatus(http.StatusOK)
	first := ways.page().Find("a.way.first")
	if text := first.Text(); !strings.Contains(text, "Acme") || !strings.Contains(text, "Acme Okta") {
		t.Errorf("first way: got %q, want organization and provider", text)
	}
	finished := b.get(b.throughIdP(first.AttrOr("href", ""), "bob", "").to())
	if got := finished.to(); got != organization {
		t.Errorf("after the login: got sent to %s, want %s", got, organization)
	}
	for _, c := range finished.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
			t.Errorf("cookie %s: got %v, want HttpOnly, Lax, for all of the site", c.Name, c)
		}
	}
}

func TestCookiesAreHostOnlyOverTLS(t *testing.T) {
	w := newWorld(t)
	w.server.Cookies = &session.CookieStore{Secure: true}
	a := w.browser().post("/signup", "real_name", "Alice", "email", "alice@acme.test", "password", goodPassword)
	for _, c := range a.Cookies() {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || c.Domain != "" {
			t.Errorf("cookie %s: got %v, want __Host-, Secure and no Domain", c.Name, c)
		}
	}
	if len(a.Cookies()) == 0 {
		t.Error("got no cookie, want the browser's secret")
	}
}

func TestRefusalsLeadToALineInTheLog(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	b := w.browser()
	a := b.throughIdP("/v1/sso/saml/login/"+method, "alice", "wrong-audience").wantStatus(http.StatusForbidden)
	for _, want := range []string{"audience_mismatch", "administrator of Acme", "Acme Okta", requestID, "Set the audience"} {
		a.wantText(want)
	}
	if got, want := a.page().Find("main a.primary").AttrOr("href", ""), "/v1/sso/saml/login/"+method; got != want {
		t.Errorf("next step: got %q, want %q", got, want)
	}
	var lines []string
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "saml response refused") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 {
		t.Fatalf("log: got %d lines of the refusal, want 1: %q", len(lines), lines)
	}
	for _, want := range []string{"level=WARN", "request_id=" + requestID, "method=" + method, "code=audience_mismatch", "expected=", "got="} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("log: got %q, want %q in it", lines[0], want)
		}
	}
	if strings.Contains(w.log.String(), "alice@acme.test") {
		t.Error("log: got the person's address, want no word of the response")
	}
	b.get("/").to()
}

func TestPeopleWithoutAnAccountLearnWhatToAskFor(t *testing.T) {
	w := newWorld(t)
	admin, _, _, method := w.acme()
	b := w.browser()
	next := b.throughIdP("/v1/sso/saml/login/"+method, "bob", "").to()
	if text := w.browser().get(next).wantStatus(http.StatusForbidden).text(); strings.Contains(text, "Acme") {
		t.Errorf("in another browser: got %q, want no word of whose login it is", text)
	}
	a := b.get(next).wantStatus(http.StatusForbidden)
	a.wantText("No account is linked to you yet").wantText("signup link").wantText("Acme").wantText("unknown_user_sso_login_attempt")

	admin.post("/logout").to()
	taken := w.browser()
	taken.signUp("Another Alice", "alice@acme.test")
	late := w.browser()
	a = late.get(late.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "alice", "").to()).wantStatus(http.StatusForbidden)
	a.wantText("account link").wantText("administrator").wantText("email_taken")
	if got := late.token(); got != "" {
		t.Errorf("got the session %q for a taken address, want none", got)
	}
}

func TestAnAnswerIsGoodOnceAndForItsOwnLogin(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	b := w.browser()
	start := b.get("/v1/sso/saml/login/" + method + "?intent=signup").to()
	bob, _ := w.idp.User("bob")
	acs, form, err := w.idp.Answer(start, bob)
	if err != nil {
		t.Fatal(err)
	}
	response, relay := form.Get("SAMLResponse"), form.Get("RelayState")
	b.postFrom("cross-site", acs, "SAMLResponse", response, "RelayState", "ffffffffffffffffffffffffffffffff").wantStatus(http.StatusForbidden).wantText("relay_state_mismatch")
	// An artifact is not fetched; nor does anything in the query count.
	next := b.postFrom("cross-site", acs+"?SAMLResponse=x&RelayState=y", "SAMLResponse", response, "RelayState", relay, "SAMLart", "AAQAAA").to()
	b.postFrom("cross-site", acs, "SAMLResponse", response, "RelayState", relay).wantStatus(http.StatusForbidden).wantText("answered already")
	w.browser().get(next).wantStatus(http.StatusForbidden).wantText("another browser")
	if got := b.get(next).to(); got != "/" {
		t.Errorf("in the browser that began it: got sent to %s, want /", got)
	}
}

func TestTheACSTakesOnlyAFormOfItsSize(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	acs := "/v1/sso/saml/acs/" + method
	for _, c := range []struct {
		name, kind, body string
		status           int
		text             string
	}{
		{"no type", "", "SAMLResponse=x", 400, "application/x-www-form-urlencoded"},
		{"multipart", "multipart/form-data; boundary=x", "--x--", 400, "application/x-www-form-urlencoded"},
		{"JSON", "application/json", "{}", 400, "application/x-www-form-urlencoded"},
		{"broken escapes", "application/x-www-form-urlencoded", "SAMLResponse=%zz", 400, "cannot be read"},
		{"twice", "application/x-www-form-urlencoded", "SAMLResponse=x&SAMLResponse=y", 400, "more than once"},
		{"two relay states", "application/x-www-form-urlencoded", "SAMLResponse=x&RelayState=a&RelayState=b", 400, "more than once"},
		{"nothing", "application/x-www-form-urlencoded", "", 403, "response_empty"},
		{"not base64", "application/x-www-form-urlencoded", "SAMLResponse=%00%ff", 403, "response_not_base64"},
		{"10 MB", "application/x-www-form-urlencoded", "SAMLResponse=" + strings.Repeat("A", 10<<20), 413, "400 KiB"},
	} {
		r, err := http.NewRequest("POST", w.at(acs), strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		a := w.browser().do(r)
		if a.StatusCode != c.status || !strings.Contains(a.text(), c.text) {
			t.Errorf("%s: got %d %q, want %d and %q", c.name, a.StatusCode, a.text(), c.status, c.text)
		}
	}
}

func TestRequestsByPOSTHaveAPageOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	admin, _, provider, method := w.acme()
	form := formOn(admin.get(provider + "/edit").page())
	form["saml_request_binding"] = "post"
	admin.post(provider, pairsOf(form)...).to()

	a := w.browser().get("/v1/sso/saml/login/" + method).wantStatus(http.StatusOK).wantText("Acme Okta")
	want := "form-action " + w.idpURL + ";"
	if got := a.Header.Get("Content-Security-Policy"); !strings.Contains(got, want) || !strings.Contains(got, "script-src 'self'") {
		t.Errorf("policy: got %q, want %q and our scripts in it", got, want)
	}
	page := a.page()
	checkPage(t, "step to the identity provider", page)
	onward := page.Find("form#onward")
	if got := onward.AttrOr("action", ""); got != w.idpURL+"/sso" {
		t.Errorf("form: got it sent to %q, want %s/sso", got, w.idpURL)
	}
	if onward.Find("[name=SAMLRequest]").AttrOr("value", "") == "" || onward.Find("button").Length() != 1 {
		t.Error("form: want a request in it, and a button for browsers without scripts")
	}
}

func TestMetadataIsPublicAndCanBeKept(t *testing.T) {
	w := newWorld(t)
	admin, _, provider, method := w.acme()
	found, err := w.store.IdP(context.Background(), method)
	if err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	for _, path := range []string{"/v1/sso/saml/metadata/" + method, "/v1/sso/saml/account/" + found.AccountID + "/method/" + method + "/metadata"} {
		a := b.get(path).wantStatus(http.StatusOK)
		if got := a.Header.Get("Content-Type"); got != "application/samlmetadata+xml" {
			t.Errorf("%s: got the type %q, want application/samlmetadata+xml", path, got)
		}
		if !strings.Contains(a.Body, w.site.URL+"/v1/sso/saml/acs/"+method) {
			t.Errorf("%s: got %q, want the ACS URL in it", path, a.Body)
		}
		r, err := http.NewRequest("GET", w.at(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("If-None-Match", a.Header.Get("ETag"))
		if got := b.do(r).StatusCode; got != http.StatusNotModified {
			t.Errorf("%s again: got status %d, want 304", path, got)
		}
	}
	admin.post(provider + "/delete").to()
	b.get("/v1/sso/saml/metadata/" + method).wantStatus(http.StatusNotFound)
	b.get("/v1/sso/saml/login/" + method).wantStatus(http.StatusNotFound)
}

func TestTheAccountFormDoesTheSame(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	found, err := w.store.IdP(context.Background(), method)
	if err != nil {
		t.Fatal(err)
	}
	long := "/v1/sso/saml/account/" + found.AccountID + "/method/" + method
	b := w.browser()
	start := b.get(long + "/login?intent=signup").to()
	bob, _ := w.idp.User("bob")
	_, form, err := w.idp.Answer(start, bob)
	if err != nil {
		t.Fatal(err)
	}
	next := b.postFrom("cross-site", long+"/acs", "SAMLResponse", form.Get("SAMLResponse"), "RelayState", form.Get("RelayState")).to()
	if got := b.get(next).to(); got != "/" {
		t.Errorf("after the login: got sent to %s, want /", got)
	}
}

func TestAnIntentIsKnownOrRefused(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	w.browser().get("/v1/sso/saml/login/" + method + "?intent=link").wantStatus(http.StatusBadRequest)
}
