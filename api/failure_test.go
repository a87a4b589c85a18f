package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

func TestFailuresSayWhatTheCallerMayKnow(t *testing.T) {
	const retry = "Retry-After"
	for name, c := range map[string]struct {
		err    error
		status int
		want   failureItem
		header http.Header
	}{
		"field": {fmt.Errorf("add: %w", fault.Invalid.Errorf("Too long.").At("city")), 400,
			failureItem{Message: "Too long.", Code: "bad_request", Field: "city"}, http.Header{}},
		"code": {fault.Denied.Errorf("No.").Coded("user_deactivated").Because(errors.New("secret")), 403,
			failureItem{Message: "No.", Code: "user_deactivated"}, http.Header{}},
		"kind alone": {fmt.Errorf("find secret: %w", fault.NotFound), 404,
			failureItem{Message: "The request failed: not found.", Code: "not_found"}, http.Header{}},
		"nobody": {fault.Unauthenticated.Errorf("Log in."), 401,
			failureItem{Message: "Log in.", Code: "authentication_failed"}, http.Header{"Www-Authenticate": {"Bearer"}}},
		"too many": {fault.TooMany.Errorf("Slow down.").After(1500 * time.Millisecond), 429,
			failureItem{Message: "Slow down.", Code: "too_many_requests"}, http.Header{retry: {"2"}}},
		"away": {fault.Unavailable.Errorf("Busy.").After(time.Second), 503,
			failureItem{Message: "Busy.", Code: "service_unavailable"}, http.Header{retry: {"1"}}},
		"away, not said for how long": {fault.Unavailable, 503,
			failureItem{Message: "The request failed: unavailable.", Code: "service_unavailable"}, http.Header{retry: {"1"}}},
		"exists":   {fault.Exists.Errorf("Taken."), 409, failureItem{Message: "Taken.", Code: "already_exists"}, http.Header{}},
		"too much": {fault.TooLarge.Errorf("Too much."), 413, failureItem{Message: "Too much.", Code: "request_too_large"}, http.Header{}},
		"our own": {errors.New("dial 10.0.0.5: password secret"), 500,
			failureItem{Message: "Something failed on our side. The request id leads to it in the server's log.", Code: "internal_server_error"}, http.Header{}},
	} {
		f := newFailure(c.err)
		c.want.Status = c.status
		if f.status != c.status || strings.Contains(f.Message, "secret") {
			t.Errorf("%s: got %d %q", name, f.status, f.Message)
		}
		if diff := cmp.Diff([]failureItem{c.want}, f.Errors); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(c.header, f.headers); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", name, diff)
		}
	}
}

func TestEveryKindHasACode(t *testing.T) {
	for _, k := range []fault.Kind{fault.Invalid, fault.Unauthenticated, fault.Denied, fault.NotFound, fault.MethodNotAllowed, fault.Exists,
		fault.Conflict, fault.TooLarge, fault.TooMany, fault.Unavailable, fault.Internal} {
		if codes[k] == "" {
			t.Errorf("%s has no code", k)
		}
	}
}

type panicInput struct {
	Body struct {
		How string `json:"how"`
	}
}

func TestPanicsAndOurMistakesTellNothing(t *testing.T) {
	w := newWorld(t)
	add(w.built, operation{"Fail", "POST", "/v1/fail", "Fail", account.ReadSelf}, func(ctx context.Context, _ gate.Visit, in *panicInput) (*said, error) {
		switch in.Body.How {
		case "panic":
			panic("secret of ours")
		case "nil":
			var none *said
			none.Message = "x"
		}
		return nil, errors.New("secret of ours")
	})
	ann := w.signUp(t, "ann@acme.example")
	for _, how := range []string{"panic", "nil", "error"} {
		rec := httptest.NewRecorder()
		rec.Header().Set(requestIDHeader, "request-"+how)
		r := httptest.NewRequest("POST", "/v1/fail?token=hidden", strings.NewReader(`{"how":"`+how+`"}`))
		r.Header.Set("Authorization", "Bearer "+ann)
		w.handler.ServeHTTP(rec, r)
		got := reply{rec.Code, rec.Header(), rec.Body.String()}
		got.needFailure(t, http.StatusInternalServerError)
		if strings.Contains(got.body, "secret") || strings.Contains(got.body, "nil pointer") {
			t.Errorf("%s: the answer tells: %s", how, got.body)
		}
		if log := w.log.String(); !strings.Contains(log, "request_id=request-"+how) || !strings.Contains(log, "level=ERROR") {
			t.Errorf("%s: the log does not say which request failed:\n%s", how, log)
		}
	}
	if strings.Contains(w.log.String(), ann) || strings.Contains(w.log.String(), "hidden") {
		t.Error("the log holds a token or a query")
	}
}

// away is a store of tokens that does not answer.
type away struct {
	gate.Store
	err error
}

func (a away) Pass(context.Context, [sha256.Size]byte, gate.Where) (gate.Pass, error) {
	return gate.Pass{}, a.err
}

func TestStorageThatIsAwayIsOurMistake(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	organization, accountID := w.organization(t, ann, "Acme")
	method := w.method(t, ann, accountID)
	try := func(name string, status int) {
		for _, op := range w.built.operations {
			body := `{}`
			if op.Need == account.Anyone {
				if name != "closed" {
					continue // they ask for no token
				}
				body = `{"email":"bob@acme.example","password":"correct horse","client_name":"robot","grant":"device_code"}`
			}
			r := w.as(t, ann, op.Method, fill(op.Path, organization, accountID, method), body)
			r.needFailure(t, status)
			if strings.Contains(r.body, "secret") || r.header.Get("Retry-After") == "" && status == http.StatusServiceUnavailable {
				t.Errorf("%s, %s: the answer tells too much, or not when to try again: %s", op.ID, name, r.body)
			}
		}
	}
	healthy := w.Gate.Store
	w.Gate.Store = away{err: errors.New("dial postgres://gatehouse:secret@db")}
	try("broken", http.StatusInternalServerError)
	w.Gate.Store = away{err: fault.Unavailable.Errorf("Try again.").After(time.Second).Because(errors.New("secret"))}
	try("away", http.StatusServiceUnavailable)
	w.Gate.Store = healthy
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	try("closed", http.StatusServiceUnavailable)
}

func TestCookieCountsForOwnPagesAlone(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	cookie := "Cookie: gatehouse=" + ann
	for _, c := range []struct {
		name   string
		verb   string
		header []string
		status int
	}{
		{"same origin", "PATCH", []string{cookie, "Sec-Fetch-Site: same-origin"}, 200},
		{"a program", "PATCH", []string{cookie}, 200},
		{"another site", "PATCH", []string{cookie, "Sec-Fetch-Site: cross-site"}, 403},
		{"another host of this site", "PATCH", []string{cookie, "Sec-Fetch-Site: same-site"}, 403},
		{"older browser, another site", "PATCH", []string{cookie, "Origin: https://evil.example"}, 403},
		{"older browser, behind a proxy", "PATCH", []string{cookie, "Origin: https://gatehouse.example"}, 200},
		{"opaque origin", "PATCH", []string{cookie, "Origin: null"}, 403},
		{"reading from another site", "GET", []string{cookie, "Sec-Fetch-Site: cross-site"}, 200},
		{"token from another site", "PATCH", []string{"Authorization: Bearer " + ann, "Sec-Fetch-Site: cross-site"}, 200},
		{"token and cookie", "PATCH", []string{"Authorization: Bearer nonsense", cookie}, 401},
		{"empty token and cookie, another site", "PATCH", []string{"Authorization: Bearer ", cookie, "Sec-Fetch-Site: cross-site"}, 403},
		{"another scheme and cookie", "PATCH", []string{"Authorization: Basic dTpw", cookie}, 200},
	} {
		if r := w.do(t, c.verb, "/v1/me", "", c.header...); r.status != c.status {
			t.Errorf("%s: got status %d, want %d: %s", c.name, r.status, c.status, r.body)
		}
	}
	// A form of another site must not make accounts or try passwords either.
	for _, path := range []string{"/v1/user", "/v1/userauth"} {
		r := w.do(t, "POST", path, `{"email":"bob@acme.example","password":"correct horse"}`, "Sec-Fetch-Site: cross-site", "Content-Type: text/plain")
		if code := r.needFailure(t, http.StatusForbidden)["error_code"]; code != "cross_origin_request" {
			t.Errorf("%s: got code %v", path, code)
		}
	}
}

func TestGuessingIsLimitedWithTheTimeToWait(t *testing.T) {
	w := newWorld(t)
	w.signUp(t, "ann@acme.example")
	limited := false
	for range 12 {
		r := w.do(t, "POST", "/v1/userauth", `{"email":"ann@acme.example","password":"wrong"}`)
		if r.status == http.StatusForbidden {
			continue
		}
		r.needFailure(t, http.StatusTooManyRequests)
		if r.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		limited = true
	}
	if !limited {
		t.Error("12 wrong passwords were not limited")
	}
}

func TestSecretsAreNotCached(t *testing.T) {
	w := newWorld(t)
	r := w.do(t, "POST", "/v1/user", `{"email":"ann@acme.example","password":"correct horse"}`)
	r.need(t, http.StatusOK)
	if got := r.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want no-store", got)
	}
	if strings.Contains(w.log.String(), "correct horse") {
		t.Error("the log holds a password")
	}
}
