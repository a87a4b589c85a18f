package api

import (
	"net/http"
	"strings"
	"testing"
)

// The entries of docs/tasks/troubleshooting.md as programs meet them: the code,
// why, what to do, and whom to ask.
func TestWhatIsRefusedSaysWhyWhatToDoAndWhomToAsk(t *testing.T) {
	w := newRuledWorld(t)
	w.change(t, `{"personal_tokens_require_allowed_auth_method":false}`)
	token := w.token(t, w.password, "")
	w.enter(t, token).need(t, http.StatusOK)
	w.change(t, `{"password_auth_enabled":false,"oauth_enabled":false,"personal_tokens_require_allowed_auth_method":true}`)
	page := "https://gatehouse.example/organization/" + w.org
	const ask = "A super admin of Acme can change its policy."
	for _, c := range []struct {
		name  string
		reply func() reply
		code  string
		says  []string
		page  string
	}{
		{"cannot log in after a policy change", func() reply { return w.enter(t, w.password) }, "user_password_authentication_method_not_allowed",
			[]string{"You logged in with a password, which this organization does not admit.", "It admits an identity provider of this organization", ask}, page},
		{"token refused after enforcement", func() reply { return w.enter(t, token) }, "user_password_authentication_method_not_allowed",
			[]string{"This token was made with a login that this organization does not admit.", "Log in by a way that it admits, and make a new token.", ask}, page},
		{"the identity provider's password", func() reply {
			return w.as(t, "", "POST", "/v1/userauth", `{"email":"ann@acme.example","password":"that of the company"}`)
		}, "authentication_failed",
			[]string{"The address or the password is not right.", "use its login link instead", "its administrators have it, and the account link"}, ""},
		{"locked out", func() reply {
			w.change(t, `{"allowed_ip_ranges":["192.0.2.0/24","2001:db8::/32"]}`)
			w.from("198.51.100.7")
			return w.enter(t, w.idp)
		}, "client_ip_address_policy_violation",
			[]string{"You come from 198.51.100.7", "admits 192.0.2.0/24", ask}, page},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := c.reply()
			item := r.needFailure(t, http.StatusForbidden)
			if item["error_code"] != c.code || c.page != "" && item["more_info"] != c.page {
				t.Errorf("got the code %v and the page %v, want %s and %s", item["error_code"], item["more_info"], c.code, c.page)
			}
			message, _ := item["message"].(string)
			for _, text := range c.says {
				if !strings.Contains(message, text) {
					t.Errorf("got %q, want it to say %q", message, text)
				}
			}
		})
	}
}

// What a person is told on a page an administrator finds through the API.
func TestALoginThatFailedIsExplained(t *testing.T) {
	w := newAuditedWorld(t)
	got := w.as(t, w.ann, "GET", "/v1/organization/"+w.org+"/login-traces/"+firstTrace, "").need(t, http.StatusOK)["login_trace"].(map[string]any)
	if got["error_code"] != "audience_mismatch" || got["message"] != "The assertion was meant for another service." {
		t.Errorf("got the code %v and the message %v, want why the audience was refused", got["error_code"], got["message"])
	}
	if remedy, _ := got["remedy"].(string); !strings.Contains(remedy, `"Audience URI (SP Entity ID)"`) {
		t.Errorf("got the remedy %q, want the field of Okta", got["remedy"])
	}
}
