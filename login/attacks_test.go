package login_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"gatehouse/login"
	"gatehouse/sso"
)

// TestOneIdentityProviderOfTwoOrganizations has two organizations connect one
// identity provider, of one entity ID and one key, as Google's and Okta's
// shared issuers are: what it says to one of them counts there alone.
func TestOneIdentityProviderOfTwoOrganizations(t *testing.T) {
	w := newWorld(t)
	other, err := w.orgs.Add(context.Background(), w.admin, "Other", "")
	must(t, err)
	name, metadata := "The same", string(w.idp.Metadata())
	second, err := w.idps.Create(context.Background(), w.admin, other, sso.New{Type: "saml", Change: sso.Change{
		Name: &name, Metadata: &metadata, Mapping: &sso.Mapping{Identity: "username"},
	}})
	must(t, err)
	if second.EntityID != w.sso.EntityID {
		t.Fatalf("got the entity ids %q and %q, want one", second.EntityID, w.sso.EntityID)
	}
	form := w.answer(w.start(sso.ToLogin, browser()), w.alice)
	_, err = w.AnswerSAML(context.Background(), second.ID, form.Get("SAMLResponse"), form.Get("RelayState"), client)
	var r *sso.Rejection
	if !errors.As(err, &r) || !strings.HasSuffix(r.Code, "_mismatch") {
		t.Errorf("at the other organization: got %v, want a mismatch", err)
	}
	b := browser()
	if _, err := w.login(sso.ToLogin, w.alice, b); err != nil {
		t.Errorf("at their own: got %v, want a session", err)
	}
}

// FuzzRelayState looks for a relay state that is taken for a page of ours and
// leads a browser elsewhere, or to a page that does something.
func FuzzRelayState(f *testing.F) {
	for _, s := range []string{"", "/", "/profile", "//evil.example", `\\evil.example`, "javascript:alert(1)", "/a\r\nX: y",
		"http://127.0.0.1:8080/profile", "http://127.0.0.1:8080@evil.example/", strings.Repeat("a", 100), "ffffffffffffffffffffffffffffffff"} {
		f.Add(s)
	}
	l := &login.Login{Base: "https://sso.company.test"}
	base, err := url.Parse(l.Base)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("https://sso.company.test")
	f.Add("https://sso.company.test.evil.example/profile")
	f.Fuzz(func(t *testing.T, relay string) {
		path, ok := l.PageOfOurs(relay)
		if !ok && path != "/" {
			t.Errorf("got %q for %q, which names no page of ours", path, relay)
		}
		if login.SafeReturn(path) != path {
			t.Errorf("got %q for %q, which is no page to return to", path, relay)
		}
		to, err := base.Parse(relay)
		if ok && (err != nil || to.Host != base.Host || to.Scheme != base.Scheme || to.User != nil) {
			t.Errorf("got %q taken for the page %s", relay, path)
		}
	})
}
