package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/session"
)

func TestATokenFromFirstToLast(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	organization := b.addOrganization("Acme")
	b.get("/profile/tokens").wantText("You have no personal token").wantText("This session")

	form := formOn(b.get("/profile/tokens/new").wantText("You come from 192.0.2.7").page())
	if _, asked := form["password"]; asked || form["life"] != "2592000" {
		t.Errorf("got the form %v, want no password and 30 days", form)
	}
	form["description"], form["ip_allowlist"], form["scope.accounts:read"] = "Nightly report", "192.0.2.0/24\n\n 2001:db8::/32 ", "on"
	made := b.post("/profile/tokens", pairsOf(form)...).wantStatus(http.StatusOK).wantText("shown this one time").wantText("make a second token")
	token := made.page().Find("#copy-token").Text()
	if got := made.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q for the page with the token, want no-store", got)
	}
	if got := made.Header.Get("Content-Security-Policy"); !strings.Contains(got, "script-src 'self'") {
		t.Errorf("got the policy %q, want our script for the copy button", got)
	}
	if made.page().Find("button[data-copy=copy-token][hidden]").Length() != 1 {
		t.Error("the copy button has to be there, hidden until the script runs")
	}
	if got := w.enters(token, organization); got != "" {
		t.Errorf("the new token is refused with %s, want it to enter", got)
	}
	list := b.get("/profile/tokens").wantText("Nightly report").wantText("accounts:read").wantText("192.0.2.0/24, 2001:db8::/32").wantText(token[:12])
	page := tokensPath + "/" + token[:12]
	about := b.get(page).wantStatus(http.StatusOK).wantText("Begins with").wantText("Never")
	for name, a := range map[string]*answer{"list": list, "page": about, "home": b.get("/")} {
		if strings.Contains(a.Body, token) {
			t.Errorf("%s: the whole token is shown again", name)
		}
	}

	b.get(b.post(page, "description", "Weekly report").to()).wantText("Weekly report").wantText("The description is saved")
	b.post(page, "description", strings.Repeat("x", 1001)).wantStatus(http.StatusBadRequest).wantText("1000 characters")
	b.get(page + "/delete").wantText("Weekly report").wantText("cannot be undone").wantText("It was never used")
	b.get(b.post(page + "/delete").to()).wantText("It is revoked").wantText("You have no personal token")
	if got := w.enters(token, organization); got != "authentication_failed" {
		t.Errorf("once revoked: got %q, want the token not to count", got)
	}
	b.get(page).wantStatus(http.StatusNotFound).wantText("Token not found")
	b.post(page + "/delete").wantStatus(http.StatusNotFound)
	if strings.Contains(w.log.String(), token) {
		t.Error("the token is in the log")
	}
}

func TestNobodySeesOrEndsWhatIsSomebodyElses(t *testing.T) {
	w := newWorld(t)
	b, other := w.browser(), w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	other.signUp("Eve Elsewhere", "eve@globex.test")
	token := b.makeToken("description", "Mine")
	page := tokensPath + "/" + token[:12]
	for _, path := range []string{page, page + "/delete", tokensPath + "/" + token, tokensPath + "/" + token + "/delete"} {
		other.get(path).wantStatus(http.StatusNotFound)
		other.post(strings.TrimSuffix(path, "/delete") + "/delete").wantStatus(http.StatusNotFound)
	}
	// Not even its owner has a whole token in an address.
	b.get(tokensPath + "/" + token).wantStatus(http.StatusNotFound)
	if _, err := w.bearer(token); err != nil {
		t.Errorf("the token does not count any more: %v", err)
	}
}

func TestFormErrorsOfATokenStandAtTheirFields(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	for _, c := range []struct {
		name, field string
		form        []string
	}{
		{"a description of two lines", "description", []string{"description", "a\nb", "life", "3600"}},
		{"no life", "life", []string{"description", "x"}},
		{"a life that is none", "life", []string{"life", "-5"}},
		{"a short life of one's own", "max_age_seconds", []string{"life", "seconds", "max_age_seconds", "599"}},
		{"a long life of one's own", "max_age_seconds", []string{"life", "seconds", "max_age_seconds", "315360001"}},
		{"a huge number", "max_age_seconds", []string{"life", "seconds", "max_age_seconds", "99999999999999999999"}},
		{"no number", "max_age_seconds", []string{"life", "seconds", "max_age_seconds", "soon"}},
		{"a range that is none", "ip_allowlist", []string{"life", "3600", "ip_allowlist", "10.0.0.0/33"}},
		{"a password that is wrong", "password", []string{"life", "3600", "password", "not this one"}},
	} {
		a := b.post("/profile/tokens", c.form...)
		doc := a.page()
		if got := doc.Find(`main [name="`+c.field+`"]`).AttrOr("aria-invalid", ""); got != "true" || a.StatusCode < 400 {
			t.Errorf("%s: got status %d and aria-invalid %q at %s, want the error there; the page says: %s", c.name, a.StatusCode, got, c.field, a.text())
		}
		checkPage(t, c.name, doc)
	}
	if all, err := w.server.Tokens.List(t.Context(), w.user(b)); err != nil || len(all) != 1 {
		t.Errorf("got %d tokens, %v, want the session alone", len(all), err)
	}
}

// user is who is logged in in a browser.
func (w *world) user(b *tab) string {
	w.t.Helper()
	bearer, err := w.bearer(b.token())
	if err != nil {
		w.t.Fatal(err)
	}
	return bearer.User.ID
}

func TestAnOldLoginTakesThePasswordToMakeAToken(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	later := func() time.Time { return time.Now().Add(11 * time.Minute) }
	w.server.Now, w.server.Tokens.Now, w.server.Gate.Now = later, later, later
	page := b.get("/profile/tokens/new").wantText("more than ten minutes old")
	if got := page.page().Find("a[href^='/login?again']").AttrOr("href", ""); got != "/login?again=yes&return_to=%2Fprofile%2Ftokens%2Fnew" {
		t.Errorf("got the link %q, want the login and back", got)
	}
	for password, status := range map[string]int{"": 403, "wrong": 403} {
		a := b.post("/profile/tokens", "life", "3600", "password", password).wantStatus(status)
		if got := a.page().Find("[name=password]").AttrOr("aria-invalid", ""); got != "true" {
			t.Errorf("password %q: got aria-invalid %q, want the error at the field", password, got)
		}
	}
	if token := b.makeToken("password", goodPassword); !strings.HasPrefix(token, "gtp_") {
		t.Errorf("with the password: got %q, want a token", token)
	}
}

func TestALoginAgainIsOfferedToWhoIsLoggedIn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	b.get("/login").wantText("You are logged in")
	form := b.get("/login?again=yes&return_to=/profile").wantText("Log in again").page()
	if got := form.Find("[name=email]").AttrOr("value", ""); got != "alice@acme.test" {
		t.Errorf("got the address %q in the form, want that of who is logged in", got)
	}
	w.browser().get("/login?again=yes").wantText("Log in")
}

func TestWhatTicksMakeOfScopes(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	for _, c := range []struct {
		name  string
		ticks []string
		want  string
	}{
		{"none", nil, ""},
		{"one to read", []string{"scope.projects:read", "on"}, "projects:read"},
		{"both of one", []string{"scope.user:read", "on", "scope.user:write", "on"}, "user"},
		{"two areas", []string{"scope.accounts:write", "on", "scope.user:read", "on"}, "user:read,accounts:write"},
	} {
		bearer, err := w.bearer(b.makeToken(c.ticks...))
		if err != nil && c.want == "" {
			t.Fatal(err)
		}
		got := strings.Join(bearer.Scopes, ",")
		if err != nil { // a token without its owner's profile cannot read it
			got = w.scopesOfLast(b)
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func (w *world) scopesOfLast(b *tab) string {
	w.t.Helper()
	all, err := w.server.Tokens.List(w.t.Context(), w.user(b))
	if err != nil {
		w.t.Fatal(err)
	}
	last := session.Token{}
	for _, one := range all {
		if !one.CreatedAt.Before(last.CreatedAt) {
			last = one
		}
	}
	return strings.Join(last.Scopes, ",")
}

func TestEveryAreaWithAPageCanBeTicked(t *testing.T) {
	known := map[string]bool{}
	for _, area := range tokenAreas {
		known[area.Value] = true
	}
	for _, rt := range table() {
		if area := rt.need.Scope().Area; area != "" && !known[area] {
			t.Errorf("%s lies in the area %s, which has no box", rt.pattern, area)
		}
	}
	for area := range known {
		if !strings.Contains(strings.Join(account.Areas, " "), area) {
			t.Errorf("there is no area %s", area)
		}
	}
}

func TestEndingTheOwnSessionAndEverything(t *testing.T) {
	w := newWorld(t)
	b, elsewhere := w.browser(), w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	own := tokensPath + "/" + b.token()[:12]
	b.get(own + "/delete").wantText("so you are logged out")
	if got := b.post(own + "/delete").to(); got != "/login?done=logged-out" || b.token() != "" {
		t.Errorf("got sent to %s with the cookie %q, want the login and no cookie", got, b.token())
	}

	for _, who := range []*tab{b, elsewhere} {
		who.get(who.post("/login/password", "email", "alice@acme.test", "password", goodPassword).to()).to()
	}
	token := b.makeToken()
	b.get(tokensPath + "/all/delete").wantText("1 personal token and 2 sessions").wantText("logged out here too")
	if got := b.post(tokensPath + "/all/delete").to(); got != "/login?done=tokens-ended" {
		t.Errorf("got sent to %s, want the login", got)
	}
	b.get("/login?done=tokens-ended").wantText("All your tokens and sessions have ended")
	if _, err := w.bearer(token); err == nil {
		t.Error("the personal token still counts")
	}
	if got := elsewhere.get("/profile/tokens").to(); !strings.HasPrefix(got, "/login") {
		t.Errorf("the other session: got sent to %s, want the login", got)
	}
}
