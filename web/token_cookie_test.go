package web

import (
	"net/http"
	"net/url"
	"testing"
)

func TestATokenThatNoLoginMadeIsNoSessionOfABrowser(t *testing.T) {
	w := newWorld(t)
	admin, _, _, method := w.acme()
	text := admin.makeToken("life", "3600", "scope.authentication:write", "on", "scope.user:read", "on")
	thief := w.browser()
	at, _ := url.Parse(w.site.URL)
	thief.client.Jar.SetCookies(at, []*http.Cookie{{Name: "gatehouse", Value: text}})
	thief.get("/profile").wantStatus(http.StatusSeeOther)
	thief.post("/link/" + method).wantStatus(http.StatusUnauthorized)
}
