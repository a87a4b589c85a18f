package remote

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/client"
)

func TestTheBrowserIsHeardOnlyWithOurStateAtOurAddress(t *testing.T) {
	const host = "127.0.0.1:51004"
	for _, c := range []struct {
		name, method, target, host string
		status                     int
		want                       string // the code; "refused"; empty: nothing was heard
	}{
		{"a code", "GET", "/callback?code=c1&state=right", host, 200, "c1"},
		{"a refusal", "GET", "/callback?error=access_denied&state=right", host, 200, "refused"},
		{"another state", "GET", "/callback?code=c1&state=wrong", host, 400, ""},
		{"no state", "GET", "/callback?code=c1", host, 400, ""},
		{"a refusal of another state", "GET", "/callback?error=access_denied&state=wrong", host, 400, ""},
		{"another page", "GET", "/?code=c1&state=right", host, 404, ""},
		{"another verb", "POST", "/callback?code=c1&state=right", host, 404, ""},
		{"another name for this machine", "GET", "/callback?code=c1&state=right", "evil.test:51004", 404, ""},
	} {
		w := &waiting{host: host, state: "right", handed: make(chan handed, 1)}
		r := httptest.NewRequest(c.method, c.target, nil)
		r.Host = c.host
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		got := ""
		select {
		case h := <-w.handed:
			got = h.code
			if h.refused {
				got = "refused"
			}
		default:
		}
		if rec.Code != c.status || got != c.want {
			t.Errorf("%s: got %d and %q, want %d and %q", c.name, rec.Code, got, c.status, c.want)
		}
		if strings.Contains(rec.Body.String(), "c1") {
			t.Errorf("%s: the page repeats the code", c.name)
		}
	}
}

func TestTheFirstAnswerOfABrowserCounts(t *testing.T) {
	w := &waiting{host: "h", state: "s", handed: make(chan handed, 1)}
	for _, code := range []string{"first", "second", "third"} {
		r := httptest.NewRequest("GET", "/callback?state=s&code="+code, nil)
		r.Host = "h"
		w.ServeHTTP(httptest.NewRecorder(), r)
	}
	if got := <-w.handed; got.code != "first" {
		t.Errorf("got %q, want the first code", got.code)
	}
}

func TestAProgramWaitsAsItIsTold(t *testing.T) {
	said := func(code string) error {
		return explain(&client.Error{Status: http.StatusBadRequest, Message: "No.", Code: code})
	}
	for _, c := range []struct {
		name string
		err  error
		from time.Duration
		want time.Duration // 0: it gives up
		exit int
	}{
		{"pending", said("authorization_pending"), 5 * time.Second, 5 * time.Second, 0},
		{"too fast", said("slow_down"), 5 * time.Second, 10 * time.Second, 0},
		{"too fast for long", said("slow_down"), time.Minute, time.Minute, 0},
		{"too many", &client.Error{Code: "too_many_requests", RetryAfter: 20 * time.Second}, 5 * time.Second, 20 * time.Second, 0},
		{"the server is away", explain(client.ErrAway), 5 * time.Second, 10 * time.Second, 0},
		{"refused", said("access_denied"), 5 * time.Second, 0, exitRefused},
		{"late", said("expired_token"), 5 * time.Second, 0, exitFailed},
		{"another program was first", said("invalid_grant"), 5 * time.Second, 0, exitFailed},
		{"the policy refuses", explain(&client.Error{Status: http.StatusForbidden, Code: "device_login_not_allowed"}), 5 * time.Second, 0, exitRefused},
	} {
		got, err := nextPause(c.from, c.err)
		if got != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%s: got %v, %v; want %v", c.name, got, err, c.want)
		}
		var f *Failure
		if err != nil && (!errors.As(err, &f) || f.Exit != c.exit) {
			t.Errorf("%s: got %+v, want exit status %d", c.name, f, c.exit)
		}
	}
}

func TestAProgramsNameIsShortAndPlain(t *testing.T) {
	if name := programName(); !strings.HasPrefix(name, "gatehouse") || len(name) > 40 {
		t.Errorf("got %q, want gatehouse and the machine's name, in 40 characters", name)
	}
}
