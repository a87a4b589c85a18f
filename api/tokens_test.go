package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/session"
	"gatehouse/store"
)

// token makes a personal token of the fields given, and gives the whole of it.
func (w *world) token(t *testing.T, by, fields string) string {
	t.Helper()
	return w.as(t, by, "POST", "/v1/access_token", `{"description":"robot"`+fields+`}`).need(t, http.StatusOK)["full_token"].(string)
}

// from lets requests come from an address.
func (w *world) from(text string) {
	ip, _ := netip.ParseAddr(text) // "" is an address that is not known
	w.Address = func(*http.Request) netip.Addr { return ip }
}

func TestTokensOpenWhatTheirScopesSay(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	organization, _ := w.organization(t, ann, "Acme")
	const profile, own = `{"city":"Turku"}`, "/v1/organization/"
	for _, c := range []struct {
		scopes, method, path, body string
		status                     int
	}{
		{`["projects:read"]`, "GET", "/v1/project", "", 200},
		{`["projects:read"]`, "PATCH", "/v1/me", profile, 403},
		{`["projects:read"]`, "GET", "/v1/me", "", 403},
		{`["projects:read"]`, "POST", "/v1/me/logout", "", 200},
		{`["user:read"]`, "GET", "/v1/me", "", 200},
		{`["user:read"]`, "PATCH", "/v1/me", profile, 403},
		{`["user:write"]`, "PATCH", "/v1/me", profile, 200},
		{`["user:write"]`, "GET", "/v1/me", "", 403},
		{`["user"]`, "PATCH", "/v1/me", profile, 200},
		{`["all"]`, "PATCH", "/v1/me", profile, 200},
		{`[]`, "PATCH", "/v1/me", profile, 200},
		{`["authentication:read"]`, "GET", "/v1/access_token", "", 200},
		{`["authentication:read"]`, "POST", "/v1/me/expire_tokens", "", 403},
		{`["authentication:read"]`, "GET", own + organization + "/config/authentication", "", 200},
		{`["authentication:read"]`, "PATCH", own + organization + "/config/authentication", `{}`, 403},
		{`["accounts"]`, "GET", own + organization + "/config/authentication", "", 403},
	} {
		token := w.token(t, ann, `,"scopes":`+c.scopes)
		r := w.as(t, token, c.method, c.path, c.body)
		if r.status != c.status {
			t.Errorf("%s, %s %s: got status %d, want %d: %s", c.scopes, c.method, c.path, r.status, c.status, r.body)
		}
		if r.status == http.StatusForbidden && r.needFailure(t, r.status)["error_code"] != "token_scope_insufficient" {
			t.Errorf("%s, %s %s: got %s, want token_scope_insufficient", c.scopes, c.method, c.path, r.body)
		}
	}
	for _, scopes := range []string{`["projects:admin"]`, `["user:read:write"]`, `[""]`, `["ALL"]`, `["all:read"]`, `["user "]`} {
		item := w.as(t, ann, "POST", "/v1/access_token", `{"description":"x","scopes":`+scopes+`}`).needFailure(t, http.StatusBadRequest)
		if item["field"] != "scopes" {
			t.Errorf("%s: got field %v, want scopes", scopes, item["field"])
		}
	}
}

func TestATokenMakesNoWiderOne(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	parent := w.token(t, ann, `,"max_age_seconds":86400,"scopes":["authentication","projects:read"],"ip_allowlist":["192.0.2.0/24","2001:db8::/32"]`)
	for _, c := range []struct {
		name, fields, field string // no field: it is made
	}{
		{"nothing said inherits", ``, ""},
		{"the same", `,"scopes":["authentication","projects:read"],"ip_allowlist":["192.0.2.0/24"]`, ""},
		{"less", `,"scopes":["authentication:read"],"ip_allowlist":["192.0.2.1","2001:db8:1::/48"],"max_age_seconds":600`, ""},
		{"all", `,"scopes":["all"]`, "scopes"},
		{"another area", `,"scopes":["user:read"]`, "scopes"},
		{"more of an area", `,"scopes":["projects"]`, "scopes"},
		{"another range", `,"ip_allowlist":["198.51.100.0/24"]`, "ip_allowlist"},
		{"a wider range", `,"ip_allowlist":["192.0.0.0/16"]`, "ip_allowlist"},
		{"everywhere", `,"ip_allowlist":["0.0.0.0/0"]`, "ip_allowlist"},
		{"a later end", `,"max_age_seconds":86401`, "max_age_seconds"},
	} {
		r := w.as(t, parent, "POST", "/v1/access_token", `{"description":"child"`+c.fields+`}`)
		if c.field != "" {
			item := r.needFailure(t, http.StatusForbidden)
			if item["field"] != c.field || item["error_code"] != "token_wider_than_its_maker" {
				t.Errorf("%s: got %v at %v", c.name, item["error_code"], item["field"])
			}
			continue
		}
		v := r.need(t, http.StatusOK)
		if end, _ := time.Parse(time.RFC3339, v["expiry_time"].(string)); end.After(w.now.Add(24 * time.Hour)) {
			t.Errorf("%s: got a token that ends %s, later than its maker", c.name, end)
		}
		if len(v["scopes"].([]any)) == 0 || len(v["ip_allowlist"].([]any)) == 0 {
			t.Errorf("%s: got a token that nothing narrows: %s", c.name, r.body)
		}
	}
}

func TestATokenCountsFromItsRangesAlone(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	token := w.token(t, ann, `,"ip_allowlist":["192.0.2.0/24","2001:db8::/32","::ffff:203.0.113.0/120"]`)
	for address, in := range map[string]bool{
		"192.0.2.1": true, "::ffff:192.0.2.1": true, "192.0.3.1": false, "::ffff:192.0.3.1": false,
		"203.0.113.9": true, "::ffff:203.0.113.9": true, "203.0.114.9": false,
		"2001:db8::1": true, "2001:db9::1": false, "::192.0.2.1": false, "": false,
	} {
		w.from(address)
		r := w.as(t, token, "GET", "/v1/me", "")
		if in {
			r.need(t, http.StatusOK)
			continue
		}
		if code := r.needFailure(t, http.StatusForbidden)["error_code"]; code != "api_client_ip_allowlist_blocks_caller" {
			t.Errorf("from %q: got code %v", address, code)
		}
	}
}

// steps counts what is asked of the store of tokens.
type steps struct {
	session.Store
	did []string
}

func (s *steps) TokenOf(ctx context.Context, userID, prefix string, hash [sha256.Size]byte) (session.Token, error) {
	by := "prefix"
	if prefix == "" {
		by = "hash"
	}
	s.did = append(s.did, "TokenOf by "+by)
	return s.Store.TokenOf(ctx, userID, prefix, hash)
}

func (s *steps) DeleteToken(ctx context.Context, hash [sha256.Size]byte) (session.Deleted, error) {
	s.did = append(s.did, "DeleteToken")
	return s.Store.DeleteToken(ctx, hash)
}

func (s *steps) DescribeToken(ctx context.Context, hash [sha256.Size]byte, description string) error {
	s.did = append(s.did, "DescribeToken")
	return s.Store.DescribeToken(ctx, hash, description)
}

func TestSomebodyElsesTokenIsAsGoodAsNobodys(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.signUp(t, "ann@acme.example"), w.signUp(t, "bob@rival.example")
	theirs := w.token(t, bob, "")
	counted := &steps{Store: w.store}
	w.Tokens.Store = counted
	for _, pair := range [][2]string{{theirs[:12], "gtp_00000000"}, {theirs, "gtp_" + strings.Repeat("0", 46)}} {
		for _, verb := range []string{"PUT", "DELETE"} {
			var answers []string
			var did [][]string
			for _, name := range pair {
				counted.did = nil
				r := w.as(t, ann, verb, "/v1/access_token/"+name, `{"description":"mine"}`)
				r.needFailure(t, http.StatusNotFound)
				answers, did = append(answers, r.body), append(did, counted.did)
			}
			if answers[0] != answers[1] {
				t.Errorf("%s: got %s for somebody's and %s for nobody's", verb, answers[0], answers[1])
			}
			if diff := cmp.Diff(did[1], did[0]); diff != "" || len(did[0]) != 1 {
				t.Errorf("%s: got the steps %v, want the same one (-nobody's +somebody's):\n%s", verb, did, diff)
			}
		}
	}
	got := w.as(t, bob, "GET", "/v1/access_token", "").need(t, http.StatusOK)["tokens"].([]any)
	if len(got) != 2 || got[0].(map[string]any)["description"] == "mine" || got[1].(map[string]any)["description"] == "mine" {
		t.Errorf("got %v, want both of Bob's tokens as they were", got)
	}
}

func TestOfTwoWhoRevokeAtOnceOneDoes(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	token := w.token(t, ann, "")
	statuses := make([]int, 2)
	var done sync.WaitGroup
	for i := range statuses {
		done.Go(func() {
			r := httptest.NewRequest("DELETE", "/v1/access_token/"+token[:12], nil)
			r.Header.Set("Authorization", "Bearer "+ann)
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, r)
			statuses[i] = rec.Code
		})
	}
	done.Wait()
	if statuses[0]+statuses[1] != http.StatusOK+http.StatusNotFound {
		t.Errorf("got the statuses %v, want 200 and 404", statuses)
	}
	w.as(t, token, "GET", "/v1/me", "").needFailure(t, http.StatusUnauthorized)
}

func TestATokenEndsBetweenTwoRequests(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	plain, extended := w.token(t, ann, `,"max_age_seconds":600`), w.token(t, ann, `,"max_age_seconds":600,"extend_when_used":true`)
	for range 3 {
		w.now = w.now.Add(599 * time.Second)
		w.as(t, extended, "GET", "/v1/me", "").need(t, http.StatusOK)
	}
	w.as(t, plain, "GET", "/v1/me", "").needFailure(t, http.StatusUnauthorized)
	w.now = w.now.Add(600 * time.Second)
	w.as(t, extended, "GET", "/v1/me", "").needFailure(t, http.StatusUnauthorized)
	if err := w.Tokens.Uses.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.as(t, extended, "GET", "/v1/me", "").needFailure(t, http.StatusUnauthorized)
	if got := w.as(t, ann, "GET", "/v1/access_token", "").need(t, http.StatusOK)["tokens"].([]any); len(got) != 1 {
		t.Errorf("got %d tokens, want that of the login alone", len(got))
	}
}

// deactivated is a store in which everybody was deactivated.
type deactivated struct{ *store.Store }

func (d deactivated) Pass(ctx context.Context, hash [sha256.Size]byte, where gate.Where) (gate.Pass, error) {
	p, err := d.Store.Pass(ctx, hash, where)
	p.User.State = account.DeactivatedUser
	return p, err
}

func TestTokensOfADeactivatedPersonDoNotCount(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	token := w.token(t, ann, "")
	w.Gate.Store = deactivated{w.store}
	for _, text := range []string{ann, token} {
		w.as(t, text, "GET", "/v1/me", "").needFailure(t, http.StatusUnauthorized)
	}
}

func TestATokenInAPathIsNotLogged(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	token := w.token(t, ann, "")
	w.Audit.Store = failing{w.store}
	w.as(t, ann, "DELETE", "/v1/access_token/"+token, "").needFailure(t, http.StatusInternalServerError)
	w.Audit.Store = w.store
	for _, verb := range []string{"DELETE", "DELETE", "PUT", "PATCH"} {
		if r := w.as(t, ann, verb, "/v1/access_token/"+token, `{"description":"x"}`); strings.Contains(r.body, token) {
			t.Errorf("%s: the answer repeats the token", verb)
		}
	}
	if log := w.log.String(); !strings.Contains(log, "AccessTokenRevoke") || strings.Contains(log, token[4:12]) {
		t.Errorf("got a log without the operation, or with the token:\n%s", log)
	}
}

func TestNobodyHasMoreThanSoManyTokens(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	for range 100 {
		w.token(t, ann, "")
	}
	if code := w.as(t, ann, "POST", "/v1/access_token", `{"description":"one more"}`).needFailure(t, http.StatusForbidden)["error_code"]; code != "token_limit_reached" {
		t.Errorf("got code %v, want token_limit_reached", code)
	}
}

func TestAPasswordIsNotGuessedByMakingTokens(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	w.now = w.now.Add(time.Hour)
	tries := 0
	for range 20 {
		tries++
		if r := w.as(t, ann, "POST", "/v1/access_token", fmt.Sprintf(`{"description":"x","password":"wrong horse %d"}`, tries)); r.status == http.StatusTooManyRequests {
			return
		}
	}
	t.Errorf("got %d wrong passwords checked, want a limit", tries)
}
