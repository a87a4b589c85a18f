package api

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/session"
)

func TestMeSaysHowOneLoggedIn(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	_, accountID := w.organization(t, ann, "Acme")
	method := w.method(t, ann, accountID)
	for _, c := range []struct {
		name   string
		method session.Method
		second bool
		auth   []any
		want   map[string]any
	}{
		{"password", session.Method{Kind: session.Password}, false, []any{"password"},
			map[string]any{"type": "password", "id": nil, "name": nil, "logged_in_time": "2026-03-01T12:00:00Z", "two_factor": false}},
		{"password and second factor", session.Method{Kind: session.Password}, true, []any{"password", "otp"},
			map[string]any{"type": "password", "id": nil, "name": nil, "logged_in_time": "2026-03-01T12:00:00Z", "two_factor": true}},
		{"identity provider", session.Method{Kind: session.SAML, ID: method}, false, []any{"saml", method},
			map[string]any{"type": "saml", "id": method, "name": "Okta", "logged_in_time": "2026-03-01T12:00:00Z", "two_factor": false}},
		{"identity provider that is gone", session.Method{Kind: session.SAML, ID: "amgone"}, false, []any{"saml", "amgone"},
			map[string]any{"type": "saml", "id": "amgone", "name": nil, "logged_in_time": "2026-03-01T12:00:00Z", "two_factor": false}},
	} {
		text, _, err := w.Tokens.Issue(t.Context(), session.Grant{UserID: "u00000000001", Method: c.method, TwoFactor: c.second, LoggedIn: w.now})
		if err != nil {
			t.Fatal(err)
		}
		got := w.as(t, text, "GET", "/v1/me", "").need(t, http.StatusOK)["user"].(map[string]any)
		if diff := cmp.Diff(c.auth, got["auth"]); diff != "" {
			t.Errorf("%s: auth (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.want, got["login_method"]); diff != "" {
			t.Errorf("%s: login_method (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestLoggingOutEndsThatSessionAlone(t *testing.T) {
	w := newWorld(t)
	first := w.signUp(t, "ann@acme.example")
	second := w.do(t, "POST", "/v1/userauth", `{"email":"ann@acme.example","password":"correct horse"}`).need(t, http.StatusOK)["token"].(string)
	w.do(t, "POST", "/v1/me/logout", "", "Cookie: gatehouse="+first, "Sec-Fetch-Site: same-origin").need(t, http.StatusOK)
	w.as(t, first, "GET", "/v1/me", "").needFailure(t, http.StatusUnauthorized)
	w.as(t, second, "GET", "/v1/me", "").need(t, http.StatusOK)
}

func TestSignupClosedIsDenied(t *testing.T) {
	w := newWorld(t)
	w.Login.Open = false
	r := w.do(t, "POST", "/v1/user", `{"email":"ann@acme.example","password":"correct horse"}`)
	if code := r.needFailure(t, http.StatusForbidden)["error_code"]; code != "signup_by_invitation" {
		t.Errorf("got code %v", code)
	}
}
