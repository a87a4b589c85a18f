package login_test

import (
	"net/url"
	"strings"
	"testing"

	"gatehouse/login"
)

func TestALoginLeadsOnlyToPagesOfOurs(t *testing.T) {
	for _, c := range []struct{ name, to, want string }{
		{"a page", "/profile", "/profile"},
		{"a page with a query", "/organization/org1?tab=members", "/organization/org1?tab=members"},
		{"nothing", "", "/"},
		{"another site", "https://evil.example/", "/"},
		{"without a scheme", "//evil.example/", "/"},
		{"three slashes", "///evil.example", "/"},
		{"backslash", `/\evil.example`, "/"},
		{"two backslashes", `\\evil.example`, "/"},
		{"encoded backslash", "/%5cevil.example", "/"},
		{"encoded slash first", "/%2fevil.example", "/"},
		{"dots to the root", "/a/..//evil.example", "/"},
		{"an encoded slash alone", "/%2f", "/"},
		{"an encoded slash and a query", "/%2f?evil.example", "/"},
		{"encoded dots", "/a/%2e%2e/%2fevil.example", "/"},
		{"a tab inside", "/\t/evil.example", "/"},
		{"a line end", "/\r\nSet-Cookie:x=y", "/"},
		{"an encoded line end", "/%0d%0aSet-Cookie:x=y", "/"},
		{"NUL", "/\x00", "/"},
		{"script", "javascript:alert(1)", "/"},
		{"our origin and an at sign", "http://127.0.0.1:8080@evil.example/", "/"},
		{"not ASCII", "/ｅvil", "/"},
		{"the login page", "/login", "/"},
		{"below it", "/login/continue?flow=x", "/"},
		{"logout", "/logout", "/"},
		{"the API", "/v1/me", "/"},
		{"the API by way of dots", "/x/../v1/me", "/"},
		{"the API encoded", "/%76%31/me", "/"},
		{"a signup link", "/signup/am1", "/"},
		{"an account link, which only reads", "/link/am1", "/link/am1"},
		{"a page that asks whether to delete", "/organization/org1/identity-providers/am1/delete", "/"},
		{"the same with a slash", "/organization/org1/identity-providers/am1/disable/", "/"},
		{"too long", "/" + strings.Repeat("a", 320), "/"},
	} {
		if got := login.SafeReturn(c.to); got != c.want {
			t.Errorf("%s: got %q for %q, want %q", c.name, got, c.to, c.want)
		}
	}
}

func FuzzALoginLeadsOnlyToPagesOfOurs(f *testing.F) {
	for _, s := range []string{"/profile", "//x", `/\x`, "/%2f/x", "/a?b#c", "/..//x"} {
		f.Add(s)
	}
	base, _ := url.Parse("https://sso.company.test/login/continue")
	f.Fuzz(func(t *testing.T, to string) {
		got := login.SafeReturn(to)
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme {
			t.Fatalf("SafeReturn(%q) = %q, which leads to %v", to, got, u)
		}
		if strings.ContainsAny(got, "\\\r\n\t\x00") || strings.HasPrefix(u.Path, "/v1/") || strings.HasPrefix(u.Path, "/login") {
			t.Fatalf("SafeReturn(%q) = %q", to, got)
		}
	})
}
