package api

import (
	"crypto/sha256"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/limit"
	"gatehouse/session"
)

func TestATokenIsNotMadeYoungByMakingAnother(t *testing.T) {
	w := newWorld(t)
	s := w.signUp(t, "ada@acme.example")
	org, _ := w.organization(t, s, "Acme")
	old := w.as(t, s, "POST", "/v1/access_token", `{"description":"ci","max_age_seconds":31536000}`).need(t, http.StatusOK)["full_token"].(string)
	w.as(t, s, "PATCH", "/v1/organization/"+org+"/config/authentication", `{"personal_token_max_age_seconds":86400}`).need(t, http.StatusOK)
	w.now = w.now.Add(100 * 24 * time.Hour)
	w.as(t, old, "GET", "/v1/organization/"+org, "").needFailure(t, http.StatusForbidden)
	young := w.as(t, old, "POST", "/v1/access_token", `{"description":"young"}`).need(t, http.StatusOK)["full_token"].(string)
	w.as(t, young, "GET", "/v1/organization/"+org, "").needFailure(t, http.StatusForbidden)
}

func TestAPreviewTellsNothingOfWhatMembersDoElsewhere(t *testing.T) {
	w := newWorld(t)
	ip := netip.MustParseAddr("192.0.2.1")
	w.Address = func(*http.Request) netip.Addr { return ip }
	spy := w.signUp(t, "spy@acme.example")
	org, _ := w.organization(t, spy, "Acme")
	bob := w.signUp(t, "bob@rival.example")
	me := w.as(t, bob, "GET", "/v1/me", "").need(t, 200)["user"].(map[string]any)["user_id"].(string)
	other, _ := w.organization(t, bob, "Rival")
	// bob becomes a member of Acme, and never goes there
	w.join(t, org, me)
	tok := w.as(t, bob, "POST", "/v1/access_token", `{"description":"rival: prod payroll db deploy"}`).need(t, http.StatusOK)["full_token"].(string)
	ip = netip.MustParseAddr("198.51.100.77")
	w.as(t, tok, "GET", "/v1/organization/"+other, "").need(t, 200)
	w.do(t, "POST", "/v1/userauth", `{"email":"bob@rival.example","password":"correct horse"}`).need(t, 200)
	if err := w.Tokens.Uses.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	ip = netip.MustParseAddr("192.0.2.1")
	r := w.as(t, spy, "POST", "/v1/organization/"+org+"/config/authentication/preview", `{"allowed_ip_ranges":["192.0.2.1"]}`)
	if r.status != http.StatusOK || !strings.Contains(r.body, `"tokens_stopped":1`) {
		t.Errorf("got %d %s, want bob's token counted", r.status, r.body)
	}
	if strings.Contains(r.body, "198.51.100.77") || strings.Contains(r.body, "payroll") {
		t.Error("the preview tells Acme's admin bob's address and tokens at Rival")
	}
}

func (w *world) join(t *testing.T, org, user string) {
	t.Helper()
	if err := w.store.AddMember(t.Context(), account.Member{OrganizationID: org, UserID: user, JoinedAt: w.now}); err != nil {
		t.Fatal(err)
	}
}

func TestNobodyIsShutOutByComingIntoAPilotsGroup(t *testing.T) {
	w := newWorld(t)
	s := w.signUp(t, "ada@acme.example")
	me := w.as(t, s, "GET", "/v1/me", "").need(t, 200)["user"].(map[string]any)["user_id"].(string)
	org, _ := w.organization(t, s, "Acme")
	g := w.group(t, s, org, "pilots")
	w.as(t, s, "PATCH", "/v1/organization/"+org+"/config/authentication", `{"password_auth_enabled":false,"pilot_user_group_id":"`+g+`"}`).need(t, 200)
	r := w.as(t, s, "PATCH", "/v1/organization/"+org+"/user-groups/"+g+"/members", `{"operation":"add_members","member_ids":["`+me+`"]}`)
	if code := r.needFailure(t, http.StatusConflict)["error_code"]; code != "policy_locks_out_admins" {
		t.Errorf("got code %v", code)
	}
	w.as(t, s, "POST", "/v1/organization/"+org+"/config/authentication/discard", "").need(t, http.StatusOK)
}

func TestAStrangersGuessesDoNotTurnAwayTheirNeighbours(t *testing.T) {
	w := newWorld(t)
	s := w.signUp(t, "ada@acme.example")
	w.Gate.Limits = &limit.Memory{Now: w.Now}
	for range 300 {
		_ = w.Gate.Limits.Take(t.Context(), limit.Rule{Name: "unknown token from address", Burst: 300, Every: 200 * time.Millisecond}, limit.Address(netip.MustParseAddr("192.0.2.1")))
	}
	w.as(t, s, "GET", "/v1/me", "").need(t, http.StatusOK)
	unknown, _, err := w.Tokens.Issue(t.Context(), session.Grant{UserID: "u00000000001", Method: session.Method{Kind: session.Password}, LoggedIn: w.now})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Tokens.Revoke(t.Context(), sha256.Sum256([]byte(unknown)), session.End{Reason: "over"}); err != nil {
		t.Fatal(err)
	}
	w.as(t, unknown, "GET", "/v1/me", "").needFailure(t, http.StatusTooManyRequests)
}
