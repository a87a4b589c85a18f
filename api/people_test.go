package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/session"
)

func TestMeSaysHowOneLoggedIn(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	_, accountID := w.organization(t, ann, "Acme")
	method := w.method(t, ann, accountID)
	target := "/v1/account/" + accountID + "/authentication/" + method
	w.as(t, ann, "PUT", target, `{"saml_entity_id":"idp","saml_idp_url":"https://idp.acme.example/","saml_certificate":"`+certificate(t)+`"}`).need(t, http.StatusOK)
	link := account.Identity{MethodID: method, SubjectKind: "nameid", Subject: "ann", UserID: "u00000000001", CreatedAt: w.now, LastUsedAt: w.now}
	if err := w.store.AddIdentity(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	var last string
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
	} {
		text, _, err := w.Tokens.Issue(t.Context(), session.Grant{UserID: "u00000000001", Method: c.method, TwoFactor: c.second, LoggedIn: w.now})
		if err != nil {
			t.Fatal(err)
		}
		last = text
		got := w.as(t, text, "GET", "/v1/me", "").need(t, http.StatusOK)["user"].(map[string]any)
		if diff := cmp.Diff(c.auth, got["auth"]); diff != "" {
			t.Errorf("%s: auth (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.want, got["login_method"]); diff != "" {
			t.Errorf("%s: login_method (-want +got):\n%s", c.name, diff)
		}
	}
	// What came from a method ends with it.
	w.as(t, ann, "PUT", target, `{"authentication_method_enabled":false}`).need(t, http.StatusOK)
	w.as(t, last, "GET", "/v1/me", "").needFailure(t, http.StatusUnauthorized)
}

// certificate makes one, in base64.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
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
