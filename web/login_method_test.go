package web

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWaysToLogInAreListedAndCut(t *testing.T) {
	w := newWorld(t)
	b, _, _, method := w.acme()
	only := b.get("/profile/login-methods").wantText("Password").wantText("This session").wantText("Usable")
	if n := only.page().Find("main tbody tr").Length(); n != 1 {
		t.Errorf("got %d ways, want the password alone", n)
	}
	last := b.post("/profile/login-methods/password/delete").wantStatus(http.StatusConflict).wantText("the last way to log in that you can use")
	checkPage(t, "last way", last.page())

	b.link(method, "alice")
	b.get("/profile/login-methods").wantText("Acme Okta").wantText("Identity provider of Acme").wantText("alice@acme.test")
	through := w.browser()
	through.through("/v1/sso/saml/login/"+method, "alice")
	token := through.makeToken("description", "By single sign-on")

	cut := "/profile/login-methods/" + method + "/delete"
	page := b.get(cut).wantStatus(http.StatusOK).wantText("no longer linked to").wantText("Acme Okta").wantText("end at once")
	checkPage(t, "cut", page.page())
	if page.page().Find("[name=password]").Length() != 0 {
		t.Error("a fresh login is asked for its password")
	}
	through.get(cut).wantText("logged in this way right now")
	if got := b.post(cut).to(); got != "/profile/login-methods?done=way-cut" {
		t.Errorf("got sent to %s, want the list", got)
	}
	b.get("/profile/login-methods?done=way-cut").wantText("You cannot log in that way any more")
	if _, err := w.bearer(token); err == nil {
		t.Error("a token that the cut way made still counts")
	}
	b.get(cut).wantStatus(http.StatusNotFound)
	b.get("/profile/login-methods/nope/delete").wantStatus(http.StatusNotFound)
}

func TestCuttingTheWayOfTheSessionLogsOut(t *testing.T) {
	w := newWorld(t)
	b, _, _, method := w.acme()
	b.link(method, "alice")
	if got := b.post("/profile/login-methods/password/delete").to(); got != "/login?done=way-cut-ended" || b.token() != "" {
		t.Errorf("got sent to %s with the cookie %q, want the login and no cookie", got, b.token())
	}
	b.post("/login/password", "email", "olive@acme.test", "password", goodPassword).wantStatus(http.StatusForbidden)
}

func TestAnOldLoginTakesThePasswordToCut(t *testing.T) {
	w := newWorld(t)
	b, _, _, method := w.acme()
	b.link(method, "alice")
	later := func() time.Time { return time.Now().Add(11 * time.Minute) }
	w.server.Now, w.server.Login.Now, w.server.Gate.Now = later, later, later
	cut := "/profile/login-methods/" + method + "/delete"
	b.get(cut).wantText("Type your password")
	for _, password := range []string{"", "wrong"} {
		a := b.post(cut, "password", password)
		if got := a.page().Find("[name=password]").AttrOr("aria-invalid", ""); got != "true" || a.StatusCode != http.StatusForbidden {
			t.Errorf("password %q: got status %d and aria-invalid %q, want a refusal at the field", password, a.StatusCode, got)
		}
		if strings.Contains(a.Body, `value="wrong"`) {
			t.Error("the password is on the page")
		}
	}
	b.post(cut, "password", goodPassword).to()
}
