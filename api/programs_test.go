package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestAProgramWaitsForItsTypedCode(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	start := w.do(t, "POST", "/v1/login/device", `{"client_name":"robot"}`).need(t, http.StatusOK)
	if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(start["user_code"].(string)) ||
		start["verification_uri"] != "https://gatehouse.example/device" || start["expires_in"] != 600.0 || start["interval"] != 5.0 {
		t.Errorf("got %v, want a code to type, where, and for how long", start)
	}
	ask := func(code string) reply {
		return w.do(t, "POST", "/v1/login/token", `{"grant":"device_code","device_code":"`+code+`"}`)
	}
	code := start["device_code"].(string)
	for _, want := range []string{"authorization_pending", "slow_down"} {
		if got := ask(code).needFailure(t, http.StatusBadRequest)["error_code"]; got != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	w.now = w.now.Add(10 * time.Second)
	if got := ask(code).needFailure(t, http.StatusBadRequest)["error_code"]; got != "authorization_pending" {
		t.Errorf("in time again: got %v, want authorization_pending", got)
	}
	w.now = w.now.Add(10 * time.Minute)
	if got := ask(code).needFailure(t, http.StatusBadRequest)["error_code"]; got != "expired_token" {
		t.Errorf("late: got %v, want expired_token", got)
	}

	answer := ask(w.approved(t, ann)).need(t, http.StatusOK)
	token := answer["token"].(string)
	if !strings.HasPrefix(token, "gts_") || answer["user_email"] != "ann@acme.example" || answer["state"] != "active" {
		t.Errorf("got %v, want a session of Ann's", answer)
	}
	w.as(t, token, "GET", "/v1/me", "").need(t, http.StatusOK)
	list := w.as(t, ann, "GET", "/v1/access_token", "").need(t, http.StatusOK)["tokens"].([]any)
	for i, want := range []struct {
		description any
		device      bool
	}{{nil, false}, {"robot", true}} {
		one := list[i].(map[string]any)
		if got := one["login_method"].(map[string]any)["device_login"]; got != want.device || one["description"] != want.description || len(list) != 2 {
			t.Errorf("token %d of %d: got %v described as %v, want %+v", i+1, len(list), got, one["description"], want)
		}
	}
	organization, _ := w.organization(t, ann, "Acme")
	w.as(t, token, "GET", "/v1/organization/"+organization, "").need(t, http.StatusOK)
	w.as(t, ann, "PATCH", "/v1/organization/"+organization+"/config/authentication", `{"device_login_enabled":false}`).need(t, http.StatusOK)
	got := w.as(t, token, "GET", "/v1/organization/"+organization, "").needFailure(t, http.StatusForbidden)
	if got["error_code"] != "device_login_not_allowed" || got["rule"] != "device_login_enabled" {
		t.Errorf("got %v, want the policy to refuse what a typed code logged in", got)
	}
	w.as(t, ann, "GET", "/v1/organization/"+organization, "").need(t, http.StatusOK)
}
