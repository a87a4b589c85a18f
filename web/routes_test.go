package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"gatehouse/account"
)

// table is every route there is.
func table() []route { return (&site{}).routes() }

// fill puts values into a pattern's wildcards.
func fill(pattern string, values map[string]string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	for name, value := range values {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	return method, strings.ReplaceAll(path, "{$}", "")
}

func idOf(path string) string { return path[strings.LastIndex(path, "/")+1:] }

func TestStrangersAreSentToTheLoginAndComeBack(t *testing.T) {
	w := newWorld(t)
	for _, rt := range table() {
		if rt.need == account.Anyone {
			continue
		}
		method, path := fill(rt.pattern, map[string]string{"organization": "org0123456789a", "method": "am0123456789a", "group": "ug0123456789a", "domain": "dom0123456789a", "user": "u0123456789a", "token": "gtp_01234567", "way": "password", "trace": "00000000-0000-7000-8000-000000000001"})
		b := w.browser()
		if method == "POST" {
			b.post(path).wantStatus(http.StatusUnauthorized).wantText("nothing was saved")
			continue
		}
		want := "/login"
		// Nobody is led back to a page that asks whether to end something.
		asks := strings.HasSuffix(path, "/delete") || strings.HasSuffix(path, "/disable")
		if path != "/" && !asks {
			want += "?return_to=" + strings.ReplaceAll(path, "/", "%2F")
		}
		if got := b.get(path).to(); got != want {
			t.Errorf("GET %s: got sent to %s, want %s", path, got, want)
		}
	}
}

func TestOnlyTheWaysInAreOpenToAnyone(t *testing.T) {
	for _, rt := range table() {
		_, path, _ := strings.Cut(rt.pattern, " ")
		open := false
		for _, prefix := range []string{"/v1/sso/saml/", "/login", "/signup", "/recover/", "/verify/", "/logout", "/static/", "/favicon.ico"} {
			open = open || strings.HasPrefix(path, prefix)
		}
		if got := rt.need == account.Anyone; got != open {
			t.Errorf("%s: got open to anyone %v, want %v", rt.pattern, got, open)
		}
	}
}

func TestForeignOrganizationsDoNotExist(t *testing.T) {
	w := newWorld(t)
	owner, other := w.browser(), w.browser()
	owner.signUp("Olive Owner", "olive@acme.test")
	other.signUp("Otto Other", "otto@globex.test")
	organization := owner.addOrganization("Acme")
	provider, group := owner.addIdP(organization, "Acme Okta"), owner.addGroup(organization, "Testers")
	domain := owner.addDomain(organization, "acme.test")
	mine := other.addOrganization("Globex")
	for _, rt := range table() {
		if !strings.Contains(rt.pattern, "{organization}") {
			continue
		}
		method, path := fill(rt.pattern, map[string]string{"organization": idOf(organization), "method": idOf(provider), "group": idOf(group), "domain": idOf(domain), "user": "u0123456789a"})
		if method == "GET" {
			other.get(path).wantStatus(http.StatusNotFound)
		} else {
			other.post(path, "authentication_method_name", "Taken", "organization_name", "Taken", "user_group_name", "Taken").wantStatus(http.StatusNotFound)
		}
		if !strings.Contains(rt.pattern, "{method}") && !strings.Contains(rt.pattern, "{group}") && !strings.Contains(rt.pattern, "{domain}") {
			continue
		}
		// The right to one's own organization is none to what another has.
		method, path = fill(rt.pattern, map[string]string{"organization": idOf(mine), "method": idOf(provider), "group": idOf(group), "domain": idOf(domain), "user": "u0123456789a"})
		if method == "GET" {
			other.get(path).wantStatus(http.StatusNotFound)
		} else {
			other.post(path, "authentication_method_name", "Taken", "saml_idp_metadata", "x", "user_group_name", "Taken", "email", "otto@globex.test").wantStatus(http.StatusNotFound)
		}
	}
	owner.get(provider).wantStatus(http.StatusOK).wantText("Acme Okta")
	owner.get(domain).wantStatus(http.StatusOK).wantText("Not verified")
	owner.get(group).wantStatus(http.StatusOK).wantText("Testers").wantText("Nobody is in the group yet")
}

func TestMembersWithoutARoleOnlyRead(t *testing.T) {
	w := newWorld(t)
	w.withIdP()
	owner, member := w.browser(), w.browser()
	owner.signUp("Olive Owner", "olive@acme.test")
	organization := owner.addOrganization("Acme")
	provider, group := owner.addIdP(organization, "Acme Okta"), owner.addGroup(organization, "Testers")
	domain := owner.addDomain(organization, "acme.test")
	method := owner.connect(provider)
	member.get(member.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to()).to()

	page := member.get(organization).wantStatus(http.StatusOK).page()
	if n := page.Find("main form").Length(); n != 0 {
		t.Errorf("overview for a member: got %d forms, want none", n)
	}
	for _, rt := range table() {
		// Not by what the table says: that is what is tested.
		if !strings.Contains(rt.pattern, "/identity-providers") && !strings.Contains(rt.pattern, "/groups") && !strings.Contains(rt.pattern, "/domains") && !strings.Contains(rt.pattern, "/people") && !strings.Contains(rt.pattern, "/authentication-policy") && rt.pattern != "POST /organization/{organization}" {
			continue
		}
		verb, path := fill(rt.pattern, map[string]string{"organization": idOf(organization), "method": idOf(provider), "group": idOf(group), "domain": idOf(domain), "user": "u0123456789a"})
		if verb == "GET" {
			member.get(path).wantStatus(http.StatusForbidden).wantText("Only a super admin of Acme")
		} else {
			member.post(path, "organization_name", "Taken").wantStatus(http.StatusForbidden)
		}
	}
	owner.get(organization).wantText("Acme")
}

func TestNonsenseIsNotFound(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	organization := b.addOrganization("Acme")
	provider := b.addIdP(organization, "Acme Okta")
	for _, path := range []string{
		"/nope", "/organization", "/organization/", "/organization/nope", "/organization/%00", "/organization/" + strings.Repeat("x", 3000),
		"/organization/%3Cscript%3E", organization + "/nope", organization + "/identity-providers/nope", organization + "/groups/nope", organization + "/domains/nope", organization + "/domains/%00", organization + "/domains/other.test/delete", organization + "/groups/%00/edit", organization + "/identity-providers/%ff",
		provider + "/nope", "/signup/nope", "/signup/%00", "/static/style.css", "/static/nope", "/static/..%2frender.go",
		"/v1/sso/saml/metadata/nope", "/v1/sso/saml/login/nope", "/v1/sso/saml/login/%00%ff", "/v1/sso/saml/metadata/" + idOf(provider) + "x",
		"/v1/sso/saml/account/a0123456789a/method/" + idOf(provider) + "/metadata",
		"/v1/sso/saml/account/a0123456789a/method/" + idOf(provider) + "/login",
		"/v1/sso/saml/nope", "/link/nope", "/link/%00",
	} {
		a := b.get(path).wantStatus(http.StatusNotFound)
		if !strings.Contains(a.text(), requestID) {
			t.Errorf("GET %s: got %q, want the request id on the page", path, a.text())
		}
	}
	b.postFrom("cross-site", "/v1/sso/saml/acs/nope", "SAMLResponse", "x").wantStatus(http.StatusNotFound)
	b.postFrom("cross-site", "/v1/sso/saml/account/a0123456789a/method/"+idOf(provider)+"/acs", "SAMLResponse", "x").wantStatus(http.StatusNotFound)
	b.get("/login/continue?flow=nope").to()
	w.browser().get("/login/continue?flow=nope").wantStatus(http.StatusNotFound).wantText("This login is over")
}

func TestOtherVerbsAreNotAllowed(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ verb, path, allow, text string }{
		{"GET", "/v1/sso/saml/acs/am0123456789a", "POST", "answer of an identity provider"},
		{"GET", "/v1/sso/saml/account/a0123456789a/method/am0123456789a/acs", "POST", "answer of an identity provider"},
		{"GET", "/login/password", "POST", "POST"},
		{"POST", "/", "GET, HEAD", "GET"},
		{"PUT", "/profile", "GET, POST, HEAD", "GET"},
		{"DELETE", "/organization/org0123456789a", "GET, POST, HEAD", "GET"},
		{"POST", "/v1/sso/saml/metadata/am0123456789a", "GET, HEAD", "GET"},
	} {
		r, err := http.NewRequest(c.verb, w.at(c.path), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		a := w.browser().do(r).wantStatus(http.StatusMethodNotAllowed).wantText(c.text)
		if got := a.Header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: got Allow %q, want %q", c.verb, c.path, got, c.allow)
		}
	}
}

func TestNoOtherSiteMayPost(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	organization := b.addOrganization("Acme")
	provider := b.addIdP(organization, "Acme Okta")
	for _, rt := range table() {
		foreign := func(p string) bool { return rt.pattern == "POST "+p }
		if slices.ContainsFunc(slices.Concat(acsPatterns, sloPatterns), foreign) || !strings.HasPrefix(rt.pattern, "POST ") {
			continue
		}
		_, path := fill(rt.pattern, map[string]string{"organization": idOf(organization), "method": idOf(provider)})
		for _, from := range []string{"cross-site", "same-site"} {
			b.postFrom(from, path, "organization_name", "Taken", "real_name", "Taken", "email", "alice@acme.test", "password", goodPassword).
				wantStatus(http.StatusForbidden).wantText("came from a page of another site")
		}
	}
	b.get("/").wantStatus(http.StatusOK).wantText("Alice Archer").wantText("Acme")
	b.get(provider).wantText("Acme Okta")

	// Browsers without Sec-Fetch-Site say Origin.
	r, err := http.NewRequest("POST", w.at("/logout"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://evil.example")
	b.do(r).wantStatus(http.StatusForbidden)
}

func TestEveryAnswerHasItsHeaders(t *testing.T) {
	w := newWorld(t)
	w.withIdP()
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	provider := b.addIdP(b.addOrganization("Acme"), "Acme Okta")
	b.connect(provider)
	const strict = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	for path, csp := range map[string]string{
		"/":                     strict,
		"/login":                strict,
		"/nope":                 strict,
		"/logout":               strict,
		provider + "/edit":      strict,
		provider:                strict + "; script-src 'self'",
		provider + "/setup":     strict + "; script-src 'self'",
		"/organization/nope":    strict,
		"/login/continue?flow=": strict,
	} {
		h := b.get(path).Header
		for name, want := range map[string]string{
			"Content-Security-Policy": csp,
			"X-Content-Type-Options":  "nosniff",
			"X-Frame-Options":         "DENY",
			"Referrer-Policy":         "same-origin",
			"Cache-Control":           "no-store",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("GET %s: got %s %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestFilesAreKeptByTheirHash(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	style := b.get("/login").page().Find("link[rel=stylesheet]").AttrOr("href", "")
	a := b.get(style).wantStatus(http.StatusOK)
	if got, want := a.Header.Get("Cache-Control"), "public, max-age=31536000, immutable"; got != want {
		t.Errorf("style: got Cache-Control %q, want %q", got, want)
	}
	if got, want := a.Header.Get("Content-Type"), "text/css; charset=utf-8"; got != want {
		t.Errorf("style: got Content-Type %q, want %q", got, want)
	}
	icon := b.get("/favicon.ico").wantStatus(http.StatusOK)
	if got, want := icon.Header.Get("Content-Type"), "image/svg+xml"; got != want {
		t.Errorf("favicon: got Content-Type %q, want %q", got, want)
	}
}
