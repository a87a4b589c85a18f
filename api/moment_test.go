package api

import (
	"net/http"
	"regexp"
	"testing"
	"time"
)

// TestWhatMakesSomethingAnswersTheTimesThatAreKept runs on a clock that is
// finer than what is kept, and that is not in UTC.
func TestWhatMakesSomethingAnswersTheTimesThatAreKept(t *testing.T) {
	w := newWorld(t)
	w.now = time.Date(2026, 3, 1, 17, 30, 0, 123456789, time.FixedZone("", 5*3600+1800))
	const want = "2026-03-01T12:00:00.123456Z"
	ann := w.signUp(t, "ann@acme.example")
	organization, account := w.organization(t, ann, "Acme")
	group := w.group(t, ann, organization, "Testers")
	method := w.method(t, ann, account)
	of, in := "/v1/organization/"+organization, "/v1/account/"+account
	for _, c := range []struct{ name, method, path, body string }{
		{"sign up", "POST", "/v1/user", `{"email":"bob@acme.example","password":"correct horse"}`},
		{"read oneself", "GET", "/v1/me", ""},
		{"change oneself", "PATCH", "/v1/me", `{"real_name":"Ann"}`},
		{"make an organization", "POST", "/v1/organizations", `{"organization_name":"Beta","tier":"business"}`},
		{"read an organization", "GET", of, ""},
		{"change an organization", "PATCH", of, `{"name":"Acme Ltd"}`},
		{"make an account", "POST", "/v1/account", `{"account_name":"Gamma"}`},
		{"change an account", "PUT", in, `{"account_name":"Acme AG"}`},
		{"read an account", "GET", in, ""},
		{"make a group", "POST", of + "/user-groups", `{"user_group_name":"Others","description":""}`},
		{"change a group", "PATCH", of + "/user-groups/" + group, `{"description":"changed"}`},
		{"read a group", "GET", of + "/user-groups/" + group, ""},
		{"make a method", "POST", in + "/authentication", `{"authentication_method_name":"Entra","authentication_method_type":"saml"}`},
		{"change a method", "PUT", in + "/authentication/" + method, `{"authentication_method_name":"Okta 2"}`},
		{"read a method", "GET", in + "/authentication/" + method, ""},
		{"make a token", "POST", "/v1/access_token", `{"description":"ci"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := w.as(t, ann, c.method, c.path, c.body)
			got.need(t, http.StatusOK)
			times := regexp.MustCompile(`"(?:create|update)_time":"([^"]*)"`).FindAllStringSubmatch(got.body, -1)
			if len(times) == 0 {
				t.Errorf("got no times in %s", got.body)
			}
			for _, one := range times {
				if one[1] != want {
					t.Errorf("got %s, want %s", one[0], want)
				}
			}
		})
	}
}
