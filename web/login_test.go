package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/gate"
	"gatehouse/session"
)

func TestAPasswordLeadsHome(t *testing.T) {
	w := newWorld(t)
	w.browser().signUp("Alice Archer", "alice@acme.test")
	b := w.browser()
	ways := b.post("/login", "email", " Alice@Acme.test ", "return_to", "/profile").wantStatus(http.StatusOK)
	if got := ways.page().Find("[name=email]").AttrOr("value", ""); got != "alice@acme.test" {
		t.Errorf("ways: got the address %q, want alice@acme.test", got)
	}
	next := b.post("/login/password", "email", "alice@acme.test", "password", goodPassword, "return_to", "/profile").to()
	if got := b.get(next).to(); got != "/profile" {
		t.Errorf("after the login: got sent to %s, want /profile", got)
	}
	b.get("/").wantStatus(http.StatusOK).wantText("Alice Archer").wantText("Password")
	b.get("/login").wantText("Continue as Alice Archer")

	// The same link again, as by the back button, is no error.
	if got := b.get(next).to(); got != "/" {
		t.Errorf("the finished login again: got sent to %s, want /", got)
	}
}

func TestTheLoginPageSaysNothingOfWhoHasAnAccount(t *testing.T) {
	w := newWorld(t)
	w.browser().signUp("Alice Archer", "alice@acme.test")
	page := func(email, path string, more ...string) string {
		a := w.browser().post(path, append([]string{"email", email}, more...)...)
		return strings.ReplaceAll(a.Body, email, "ADDRESS")
	}
	if diff := cmp.Diff(page("alice@acme.test", "/login"), page("nobody@acme.test", "/login")); diff != "" {
		t.Errorf("ways for an address with and without an account differ:\n%s", diff)
	}
	if diff := cmp.Diff(page("alice@acme.test", "/login/password", "password", "not this one"), page("nobody@acme.test", "/login/password", "password", "not this one")); diff != "" {
		t.Errorf("a wrong password and no account differ:\n%s", diff)
	}
}

func TestLoginsLeadOnlyToPagesOfOurs(t *testing.T) {
	w := newWorld(t)
	w.withIdP()
	admin := w.browser()
	admin.signUp("Alice Archer", "alice@acme.test")
	method := admin.connect(admin.addIdP(admin.addOrganization("Acme"), "Acme Okta"))
	bob := w.browser()
	bob.get(bob.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to()).to()

	for to, want := range map[string]string{
		"":                             "/",
		"/profile":                     "/profile",
		"/organizations/new?x=1":       "/organizations/new?x=1",
		"//evil.example":               "/",
		"///evil.example":              "/",
		`/\evil.example`:               "/",
		`\\evil.example`:               "/",
		"https://evil.example/":        "/",
		"http:evil.example":            "/",
		"javascript:alert(1)":          "/",
		"/login":                       "/",
		"/login/continue?flow=x":       "/",
		"/logout":                      "/",
		"/v1/me":                       "/",
		"/v1/sso/saml/login/am1":       "/",
		"/%2f%2fevil.example":          "/",
		"%2f%2fevil.example":           "/",
		"/%5cevil.example":             "/",
		"/.//evil.example":             "/",
		"/x/..//evil.example":          "/",
		"/a\tb":                        "/",
		"/\nSet-Cookie: x=y":           "/",
		"/\x00":                        "/",
		"/" + strings.Repeat("x", 500): "/",
	} {
		b := w.browser()
		next := b.post("/login/password", "email", "alice@acme.test", "password", goodPassword, "return_to", to).to()
		if got := b.get(next).to(); got != want {
			t.Errorf("password login with return_to %q: got sent to %q, want %q", to, got, want)
		}
		page := admin.get("/login?return_to=" + url.QueryEscape(to)).page()
		if got := page.Find("main a.primary").AttrOr("href", ""); got != want {
			t.Errorf("page for those logged in, return_to %q: got a link to %q, want %q", to, got, want)
		}
	}
	for to, want := range map[string]string{"/profile": "/profile", "//evil.example": "/", "/\\evil.example": "/", "/login": "/"} {
		b := w.browser()
		finished := b.get(b.throughIdP("/v1/sso/saml/login/"+method+"?return_to="+url.QueryEscape(to), "bob", "").to())
		if got := finished.to(); got != want {
			t.Errorf("SAML login with return_to %q: got sent to %q, want %q", to, got, want)
		}
	}
}

func (b *tab) token() string {
	u, _ := url.Parse(b.site.URL)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "gatehouse" {
			return c.Value
		}
	}
	return ""
}

func TestEveryLoginHasANewTokenAndEndsTheOldOne(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	first := b.token()
	b.get(b.post("/login/password", "email", "alice@acme.test", "password", goodPassword).to()).to()
	second := b.token()
	if first == second || second == "" {
		t.Fatalf("second login: got the token %q after %q, want another", second, first)
	}
	if _, err := w.bearer(first); err == nil {
		t.Error("the old token still counts, want it revoked")
	}
	if _, err := w.bearer(second); err != nil {
		t.Errorf("the new token does not count: %v", err)
	}
	b.get("/logout").wantText("Alice Archer")
	if _, err := w.bearer(second); err != nil {
		t.Errorf("after GET /logout, which only asks, the token does not count: %v", err)
	}
	if got := b.post("/logout").to(); got != "/login?done=logged-out" {
		t.Errorf("logout: got sent to %s, want /login?done=logged-out", got)
	}
	if got := b.token(); got != "" {
		t.Errorf("after the logout: got the cookie %q, want none", got)
	}
	if _, err := w.bearer(second); err == nil {
		t.Error("after the logout the token still counts, want it revoked")
	}
}

func TestALoginEndsWhereItBegan(t *testing.T) {
	w := newWorld(t)
	w.browser().signUp("Alice Archer", "alice@acme.test")
	b, thief := w.browser(), w.browser()
	next := b.post("/login/password", "email", "alice@acme.test", "password", goodPassword).to()
	thief.get(next).wantStatus(http.StatusForbidden).wantText("another browser")
	if got := thief.token(); got != "" {
		t.Errorf("in another browser: got the session %q, want none", got)
	}
	r, err := http.NewRequest("HEAD", w.at(next), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.do(r).StatusCode; got != http.StatusMethodNotAllowed {
		t.Errorf("HEAD of the login's end: got status %d, want 405", got)
	}
	if got := b.get(next).to(); got != "/" {
		t.Errorf("in its own browser: got sent to %s, want /", got)
	}
}

func TestAnEndedSessionAsksForALoginAndComesBack(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	organization := b.addOrganization("Acme")
	bearer, err := w.bearer(b.token())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.server.Tokens.Revoke(context.Background(), bearer.Hash, session.End{Reason: "test"}); err != nil {
		t.Fatal(err)
	}
	next := b.get(organization + "?x=1").to()
	b.get(next).wantText("Your session is over").wantText("Log in")
	u, err := url.Parse(next)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := u.Query().Get("return_to"), organization+"?x=1"; got != want {
		t.Errorf("return_to: got %q, want %q", got, want)
	}
	b.post("/profile", "real_name", "Eve").wantStatus(http.StatusUnauthorized).wantText("nothing was saved")
}

func TestManyWrongPasswordsAreTurnedAway(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for range 40 {
		a := b.post("/login/password", "email", "alice@acme.test", "password", "wrong password")
		if a.StatusCode != http.StatusTooManyRequests {
			a.wantStatus(http.StatusForbidden)
			continue
		}
		if got := a.Header.Get("Retry-After"); got == "" || got == "0" {
			t.Errorf("too many: got Retry-After %q, want some seconds", got)
		}
		checkPage(t, "too many", a.page())
		return
	}
	t.Error("40 wrong passwords: got none turned away")
}

func TestSigningUpByInvitation(t *testing.T) {
	w := newWorld(t)
	w.server.Login.Open = false
	b := w.browser()
	b.get("/signup").wantStatus(http.StatusForbidden).wantText("by invitation")
	b.post("/signup", "real_name", "Bob", "email", "bob@acme.test", "password", goodPassword).wantStatus(http.StatusForbidden)
	if text := b.get("/login").text(); strings.Contains(text, "Create an account") {
		t.Errorf("login page: got %q, want no way to sign up", text)
	}
	if has, err := w.store.HasUsers(context.Background()); err != nil || has {
		t.Errorf("users: got %v, %v, want none", has, err)
	}
}

func TestDemonstrationsSayWhomToLogInAs(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if n := b.get("/login").page().Find(".dev").Length(); n != 0 {
		t.Fatalf("without --dev: got %d hints, want none", n)
	}
	w.server.Dev = &Dev{Organization: "Acme", LoginURL: w.site.URL + "/v1/sso/saml/login/am1", People: []DevPerson{{"The operator", "admin@acme.test", "open sesame"}}}
	hint := b.get("/login").page().Find(".dev")
	if got := hint.Find("a").AttrOr("href", ""); got != w.server.Dev.LoginURL {
		t.Errorf("hint: got a link to %q, want %q", got, w.server.Dev.LoginURL)
	}
	if text := hint.Text(); !strings.Contains(text, "open sesame") {
		t.Errorf("hint: got %q, want the password in it", text)
	}
}

// broken is storage that fails in a way that nobody foresaw.
type broken struct{ gate.Store }

func (broken) Places(context.Context, string) ([]gate.Belonging, error) {
	return nil, errors.New("sql: no such column: secret")
}

func TestAFaultOfOursSaysOnlyTheID(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	w.server.Gate.Store = broken{w.store}
	a := b.get("/profile").wantStatus(http.StatusInternalServerError).wantText(requestID)
	for _, word := range []string{"sql", "column", "secret"} {
		if strings.Contains(strings.ToLower(a.text()), word) {
			t.Errorf("page: got %q, want no %q in it", a.text(), word)
		}
	}
	if log := w.log.String(); !strings.Contains(log, "request_id="+requestID) || !strings.Contains(log, "level=ERROR") {
		t.Errorf("log: got %q, want an error with the id", log)
	}
}

func TestABusyServerSaysWhenToComeBack(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	w.store.Close()
	b.get("/profile").wantStatus(http.StatusServiceUnavailable).wantText("Busy right now").wantText(requestID)
	b.get("/login").wantStatus(http.StatusOK)
}
