package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/session"
)

// A ruled world has an organization, Acme, with an identity provider, and Ann,
// its super admin, with a session by password and one through that.
type ruledWorld struct {
	*world
	password, idp string // Ann's sessions
	org, root     string
	method        string
	config        string // the path of the policy
}

func newRuledWorld(t *testing.T) *ruledWorld {
	t.Helper()
	w := &ruledWorld{world: newWorld(t)}
	w.password = w.signUp(t, "ann@acme.example")
	w.org, w.root = w.organization(t, w.password, "Acme")
	w.method = w.enabled(t, w.password, w.root)
	w.config = "/v1/organization/" + w.org + "/config/authentication"
	w.idp = w.through(t, w.method, "u00000000001")
	return w
}

// enabled makes an identity provider that people can log in through.
func (w *world) enabled(t *testing.T, token, accountID string) string {
	t.Helper()
	method := w.method(t, token, accountID)
	w.as(t, token, "PUT", "/v1/account/"+accountID+"/authentication/"+method,
		`{"saml_entity_id":"idp","saml_idp_url":"https://idp.acme.example/","saml_certificate":"`+certificate(t)+`"}`).need(t, http.StatusOK)
	return method
}

// through logs somebody in through an identity provider, and links them to it.
func (w *world) through(t *testing.T, method, userID string) string {
	t.Helper()
	ip := w.Address(nil)
	if err := w.store.AddIdentity(t.Context(), account.Identity{MethodID: method, SubjectKind: "nameid", Subject: userID, UserID: userID, CreatedAt: w.now, LastUsedAt: w.now, LastIP: ip}); err != nil {
		t.Fatal(err)
	}
	text, _, err := w.Tokens.Issue(t.Context(), session.Grant{UserID: userID, Method: session.Method{Kind: session.SAML, ID: method}, LoggedIn: w.now, IP: ip})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// change changes Acme's policy, through the identity provider.
func (w *ruledWorld) change(t *testing.T, body string) map[string]any {
	t.Helper()
	return w.as(t, w.idp, "PATCH", w.config, body).need(t, http.StatusOK)
}

// enter goes to Acme with a token.
func (w *ruledWorld) enter(t *testing.T, token string) reply {
	t.Helper()
	return w.as(t, token, "GET", "/v1/organization/"+w.org, "")
}

func TestScenario1ATokenOfADisabledMethodWorksWithoutEnforcement(t *testing.T) {
	w := newRuledWorld(t)
	w.change(t, `{"personal_tokens_require_allowed_auth_method":false}`)
	token := w.token(t, w.password, "")
	w.change(t, `{"password_auth_enabled":false,"oauth_enabled":false}`)
	w.enter(t, token).need(t, http.StatusOK)
	w.enter(t, w.password).needFailure(t, http.StatusForbidden)
}

func TestScenario2ATokenOfADisabledMethodStopsWithEnforcementAndANewOneWorks(t *testing.T) {
	w := newRuledWorld(t)
	w.change(t, `{"personal_tokens_require_allowed_auth_method":false}`)
	token := w.token(t, w.password, "")
	w.enter(t, token).need(t, http.StatusOK)
	w.change(t, `{"password_auth_enabled":false,"oauth_enabled":false,"personal_tokens_require_allowed_auth_method":true}`)
	item := w.enter(t, token).needFailure(t, http.StatusForbidden)
	want := map[string]any{"rule": "password_auth_enabled", "error_code": "user_password_authentication_method_not_allowed", "more_info": "https://gatehouse.example/organization/" + w.org}
	for name, value := range want {
		if item[name] != value {
			t.Errorf("got %s %v, want %v", name, item[name], value)
		}
	}
	w.enter(t, w.token(t, w.idp, "")).need(t, http.StatusOK)
	// It still works where nobody refuses it.
	w.as(t, token, "GET", "/v1/me", "").need(t, http.StatusOK)
}

func TestRangesOfAnOrganizationHoldForEverything(t *testing.T) {
	w := newRuledWorld(t)
	token := w.token(t, w.idp, "")
	w.change(t, `{"allowed_ip_ranges":["192.0.2.0/24","2001:db8::/32"]}`)
	for address, in := range map[string]bool{"192.0.2.9": true, "::ffff:192.0.2.9": true, "198.51.100.7": false, "::ffff:198.51.100.7": false, "2001:db8::7": true, "2001:db9::7": false, "": false} {
		w.from(address)
		for _, text := range []string{token, w.idp, w.password} {
			r := w.enter(t, text)
			if in {
				r.need(t, http.StatusOK)
				continue
			}
			item := r.needFailure(t, http.StatusForbidden)
			if item["error_code"] != "client_ip_address_policy_violation" || item["rule"] != "allowed_ip_ranges" {
				t.Errorf("from %q: got %v by %v", address, item["error_code"], item["rule"])
			}
			if shown := strings.TrimPrefix(address, "::ffff:"); !strings.Contains(item["message"].(string), shown) || !strings.Contains(item["message"].(string), "192.0.2.0/24") {
				t.Errorf("from %q: got %q, want both the address and the ranges", address, item["message"])
			}
		}
	}
	w.from("198.51.100.7")
	v := w.as(t, token, "GET", "/v1/organizations", "").need(t, http.StatusOK)
	if in, out := len(v["organizations"].([]any)), len(v["refused_organizations"].([]any)); in != 0 || out != 1 {
		t.Errorf("got %d organizations and %d refused ones, want it left out", in, out)
	}
}

func TestAPolicyIsChangedByFieldsThatAgree(t *testing.T) {
	w := newRuledWorld(t)
	before := w.as(t, w.idp, "GET", w.config, "").body
	for _, c := range []struct{ body, field, code string }{
		{`{"personal_tokens_enabled":false,"personal_tokens":"enabled"}`, "personal_tokens", "bad_request"},
		{`{"personal_tokens_enabled":true,"personal_tokens":"disabled"}`, "personal_tokens", "bad_request"},
		{`{"personal_tokens":"off"}`, "personal_tokens", "bad_request"},
		{`{"saml_enabled":false,"saml_allow_external":true}`, "saml_allow_external", "bad_request"},
		{`{"saml_enabled":false,"login_freshness_days":3}`, "login_freshness_days", "bad_request"},
		{`{"login_freshness_days":0}`, "login_freshness_days", "bad_request"},
		{`{"login_freshness_days":366}`, "login_freshness_days", "bad_request"},
		{`{"login_freshness_days":-9223372036854775808}`, "login_freshness_days", "bad_request"},
		{`{"login_freshness_days":1.5}`, "login_freshness_days", "bad_request"},
		{`{"oauth_enabled":false,"oauth_providers":["google"]}`, "oauth_providers", "bad_request"},
		{`{"oauth_providers":[]}`, "oauth_providers", "bad_request"},
		{`{"oauth_providers":["myspace"]}`, "oauth_providers", "bad_request"},
		{`{"saml_second_factor_contexts":["mfa"]}`, "saml_second_factor_contexts", "bad_request"},
		{`{"saml_second_factor_contexts":[` + strings.Repeat(`"urn:x:y",`, 20) + `"urn:x y"]}`, "saml_second_factor_contexts", "bad_request"},
		{`{"two_factor_required":true}`, "two_factor_required", "two_factor_not_available"},
		{`{"personal_token_max_age_seconds":599}`, "personal_token_max_age_seconds", "auth_token_max_age_too_low"},
		{`{"personal_token_max_age_seconds":315360001}`, "personal_token_max_age_seconds", "bad_request"},
		{`{"personal_token_max_age_seconds":9223372036854775807}`, "personal_token_max_age_seconds", "bad_request"},
		{`{"password_auth_enabled":false,"oauth_enabled":false,"saml_enabled":false}`, "saml_enabled", "no_authentication_method_left"},
		{`{"allowed_ip_ranges":["10.0.0.0/8","300.1.1.1"]}`, "allowed_ip_ranges", "bad_request"},
		{`{"allowed_ip_ranges":["fe80::1%eth0"]}`, "allowed_ip_ranges", "bad_request"},
		{`{"allowed_ip_ranges":["10.0.0.1/8"]}`, "allowed_ip_ranges", "bad_request"},
		{`{"allowed_ip_ranges":["::ffff:0:0/64"]}`, "allowed_ip_ranges", "bad_request"},
		{`{"allowed_ip_ranges":[""]}`, "allowed_ip_ranges", "bad_request"},
		{`{"allowed_ip_ranges":[` + strings.Repeat(`"10.0.0.0/8",`, 100) + `"10.0.0.0/8"]}`, "allowed_ip_ranges", "bad_request"},
		{`{"revert_after_seconds":59}`, "revert_after_seconds", "bad_request"},
		{`{"revert_after_seconds":9223372036854775807}`, "revert_after_seconds", "bad_request"},
		{`{"revert_after_seconds":-9223372036854775808}`, "revert_after_seconds", "bad_request"},
		{`{"report_only":true,"pilot_user_group_id":"ug1"}`, "report_only", "bad_request"},
		{`{"pilot_user_group_id":"ug1"}`, "pilot_user_group_id", "user_group_not_found"},
	} {
		for _, path := range []string{"", "/preview"} {
			verb := "PATCH"
			if path != "" {
				verb = "POST"
			}
			item := w.as(t, w.idp, verb, w.config+path, c.body).needFailure(t, http.StatusBadRequest)
			if item["field"] != c.field || item["error_code"] != c.code {
				t.Errorf("%s %s%s: got %v at %v, want %s at %s", verb, c.body, path, item["error_code"], item["field"], c.code, c.field)
			}
		}
	}
	if after := w.as(t, w.idp, "GET", w.config, "").body; after != before {
		t.Errorf("the policy changed from %s to %s", before, after)
	}
}

func TestASecondFactorIsAskedOfSessionsThroughTheOwnProvider(t *testing.T) {
	w := newRuledWorld(t)
	const rule = `{"saml_second_factor_contexts":["https://refeds.org/profile/mfa"]}`
	item := w.as(t, w.idp, "PATCH", w.config, rule).needFailure(t, http.StatusConflict)
	if item["error_code"] != "authentication_method_disable_current_not_allowed" || item["field"] != "saml_second_factor_contexts" {
		t.Errorf("got %v, want that it would refuse who asks", item)
	}
	preview := w.as(t, w.idp, "POST", w.config+"/preview", rule).need(t, http.StatusOK)
	if preview["caller_refused"] == nil {
		t.Errorf("got %v, want that it would refuse who asks", preview)
	}
	got := w.change(t, `{"force":true,`+rule[1:])
	if list := fmt.Sprint(got["saml_second_factor_contexts"]); list != "[https://refeds.org/profile/mfa]" {
		t.Errorf("got %s", list)
	}
	item = w.enter(t, w.idp).needFailure(t, http.StatusForbidden)
	if item["error_code"] != "mfa_required_by_organization" || item["rule"] != "saml_second_factor_contexts" || !strings.Contains(item["message"].(string), "Log in through the identity provider again") {
		t.Errorf("got %v, want the rule and how to log in", item)
	}
}

func TestNullTakesABoundAwayAndNothingLeavesIt(t *testing.T) {
	w := newRuledWorld(t)
	w.change(t, `{"personal_token_max_age_seconds":600,"login_freshness_days":365}`)
	for _, c := range []struct {
		body      string
		age, days any
	}{
		{`{"mcp_enabled":false}`, 600.0, 365.0},
		{`{"personal_token_max_age_seconds":null}`, nil, 365.0},
		{`{"personal_token_max_age_seconds":315360000}`, 315360000.0, 365.0},
		{`{"login_freshness_days":null}`, 315360000.0, nil},
		{`{"login_freshness_days":1,"personal_token_max_age_seconds":null}`, nil, 1.0},
	} {
		v := w.change(t, c.body)
		if v["personal_token_max_age_seconds"] != c.age || v["login_freshness_days"] != c.days {
			t.Errorf("%s: got %v and %v, want %v and %v", c.body, v["personal_token_max_age_seconds"], v["login_freshness_days"], c.age, c.days)
		}
	}
}

func TestAPilotHoldsForItsGroupUntilItIsConfirmed(t *testing.T) {
	w := newRuledWorld(t)
	bob := w.signUp(t, "bob@acme.example")
	const bobID = "u00000000002"
	if err := w.store.AddMember(t.Context(), account.Member{OrganizationID: w.org, UserID: bobID, JoinedAt: w.now}); err != nil {
		t.Fatal(err)
	}
	group := w.group(t, w.idp, w.org, "Pilots")
	w.as(t, w.idp, "PATCH", "/v1/organization/"+w.org+"/user-groups/"+group+"/members", `{"operation":"add_members","member_ids":["`+bobID+`"]}`).needEmpty(t)
	trial := w.change(t, `{"password_auth_enabled":false,"pilot_user_group_id":"`+group+`"}`)["trial"].(map[string]any)
	if trial["kind"] != "pilot" || trial["user_group_id"] != group || trial["until"] != nil || trial["rules"].(map[string]any)["password_auth_enabled"] != false {
		t.Errorf("got the trial %v", trial)
	}
	w.enter(t, bob).needFailure(t, http.StatusForbidden)
	w.enter(t, w.password).need(t, http.StatusOK)
	w.as(t, w.password, "POST", w.config+"/confirm", "").needFailure(t, http.StatusConflict)
	w.as(t, w.idp, "POST", w.config+"/confirm", "").need(t, http.StatusOK)
	w.enter(t, w.password).needFailure(t, http.StatusForbidden)
}

func TestWhoForcesMayShutThemselvesOut(t *testing.T) {
	w := newRuledWorld(t)
	w.change(t, `{"password_auth_enabled":false,"report_only":true}`)
	w.as(t, w.password, "POST", w.config+"/confirm", `{"force":false}`).needFailure(t, http.StatusConflict)
	w.as(t, w.password, "POST", w.config+"/confirm", `{"force":true}`).need(t, http.StatusOK)
	w.enter(t, w.password).needFailure(t, http.StatusForbidden)
}

func TestAChangeGoesBackUnlessAFreshLoginConfirmsIt(t *testing.T) {
	for _, confirmed := range []bool{false, true} {
		t.Run(fmt.Sprint("confirmed: ", confirmed), func(t *testing.T) {
			w := newRuledWorld(t)
			w.change(t, `{"password_auth_enabled":false,"revert_after_seconds":600}`)
			w.enter(t, w.password).needFailure(t, http.StatusForbidden)
			w.now = w.now.Add(time.Minute)
			if confirmed {
				w.as(t, w.idp, "POST", w.config+"/confirm", "").needFailure(t, http.StatusForbidden)
				fresh, _, err := w.Tokens.Issue(t.Context(), session.Grant{UserID: "u00000000001", Method: session.Method{Kind: session.SAML, ID: w.method}, LoggedIn: w.now})
				if err != nil {
					t.Fatal(err)
				}
				if v := w.as(t, fresh, "POST", w.config+"/confirm", "").need(t, http.StatusOK); v["trial"] != nil {
					t.Errorf("got the trial %v, want none", v["trial"])
				}
			}
			w.now = w.now.Add(10 * time.Minute)
			if confirmed {
				w.enter(t, w.password).needFailure(t, http.StatusForbidden)
				return
			}
			w.enter(t, w.password).need(t, http.StatusOK)
			if v := w.as(t, w.password, "GET", w.config, "").need(t, http.StatusOK); v["password_auth_enabled"] != true || v["trial"] != nil {
				t.Errorf("got %v, want the policy as it was", v)
			}
		})
	}
}

func TestAPreviewNamesWhomAndWhatAChangeStops(t *testing.T) {
	w := newRuledWorld(t)
	w.signUp(t, "bob@acme.example")
	if err := w.store.AddMember(t.Context(), account.Member{OrganizationID: w.org, UserID: "u00000000002", JoinedAt: w.now}); err != nil {
		t.Fatal(err)
	}
	token := w.token(t, w.password, "")
	w.token(t, w.idp, "")
	before := w.as(t, w.idp, "GET", w.config, "").body
	var got struct {
		CallerRefused   any `json:"caller_refused"`
		People          int `json:"people"`
		PeopleShutOut   int `json:"people_shut_out"`
		Tokens          int `json:"tokens"`
		TokensStopped   int `json:"tokens_stopped"`
		SuperAdmins     int `json:"super_admins"`
		SuperAdminsLeft int `json:"super_admins_left"`
		ShutOut         []struct {
			Email string `json:"user_email"`
			Rule  string `json:"rule"`
		} `json:"shut_out"`
		Stopped []struct {
			Prefix string `json:"token_prefix"`
			Rule   string `json:"rule"`
		} `json:"stopped"`
	}
	r := w.as(t, w.idp, "POST", w.config+"/preview", `{"password_auth_enabled":false}`)
	r.need(t, http.StatusOK)
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatal(err)
	}
	want := got
	want.CallerRefused, want.People, want.PeopleShutOut, want.Tokens, want.TokensStopped, want.SuperAdmins, want.SuperAdminsLeft = nil, 2, 1, 2, 1, 1, 1
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(got.ShutOut) != 1 || got.ShutOut[0].Email != "bob@acme.example" || got.ShutOut[0].Rule != "password_auth_enabled" {
		t.Errorf("got %v shut out, want Bob by password_auth_enabled", got.ShutOut)
	}
	if len(got.Stopped) != 1 || got.Stopped[0].Prefix != token[:12] || got.Stopped[0].Rule != "password_auth_enabled" {
		t.Errorf("got %v stopped, want the token by password", got.Stopped)
	}
	if refused := w.as(t, w.password, "POST", w.config+"/preview", `{"password_auth_enabled":false}`).need(t, http.StatusOK)["caller_refused"]; refused == nil {
		t.Error("a caller by password is not told that they would be refused")
	}
	if after := w.as(t, w.idp, "GET", w.config, "").body; after != before {
		t.Errorf("the preview changed the policy from %s to %s", before, after)
	}
}

func TestWaysAreCutThroughTheAPI(t *testing.T) {
	w := newRuledWorld(t)
	const list = "/v1/me/authentication_methods"
	token := w.token(t, w.idp, "")
	v := w.as(t, w.idp, "GET", list, "").need(t, http.StatusOK)["authentication_methods"].([]any)
	if len(v) != 2 || v[0].(map[string]any)["method_id"] != "password" || v[1].(map[string]any)["method_id"] != w.method || v[1].(map[string]any)["authentication_method_account_id"] != w.root || v[1].(map[string]any)["currently_active"] != true {
		t.Fatalf("got %v, want the password and the identity provider, which is the current one", v)
	}
	// Acme does not manage Ann: her session through it does not cut her password.
	if code := w.as(t, w.idp, "DELETE", list+"/password", "").needFailure(t, http.StatusForbidden)["error_code"]; code != "login_too_old" {
		t.Errorf("got code %v, want login_too_old", code)
	}
	said := w.as(t, w.idp, "DELETE", list+"/"+w.method, "").need(t, http.StatusOK)["message"].(string)
	if !strings.Contains(said, "that of this request too") {
		t.Errorf("got %q, want to be told that the session is over", said)
	}
	for _, text := range []string{w.idp, token} {
		w.as(t, text, "GET", "/v1/me", "").needFailure(t, http.StatusUnauthorized)
	}
	if code := w.as(t, w.password, "DELETE", list+"/password", "").needFailure(t, http.StatusConflict)["error_code"]; code != "last_authentication_method" {
		t.Errorf("got code %v, want last_authentication_method", code)
	}
}
