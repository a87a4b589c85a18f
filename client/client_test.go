package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// serve answers each request with the next of some answers, the last one for
// good, and counts them.
func serve(t *testing.T, answers ...func(http.ResponseWriter, *http.Request)) (*Client, *int) {
	t.Helper()
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := min(n, len(answers)-1)
		n++
		answers[i](w, r)
	}))
	t.Cleanup(s.Close)
	at := make(chan time.Time, 100)
	return &Client{URL: s.URL + "/", Token: "gts_secret", Agent: "test/1", Wait: func(time.Duration) <-chan time.Time {
		at <- time.Time{}
		return at
	}}, &n
}

func say(status int, kind, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestARequestCarriesTheTokenAndWhatIsSent(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var in map[string]string
		_ = json.NewDecoder(r.Body).Decode(&in)
		if r.URL.Path != "/v1/me" || r.Header.Get("Authorization") != "Bearer gts_secret" || r.UserAgent() != "test/1" || in["a"] != "b" {
			t.Errorf("got %s with %v and %v", r.URL, r.Header, in)
		}
		say(200, "application/json", `{"x":1}`)(w, r)
	})
	var out struct{ X int }
	if err := c.Do(t.Context(), "PATCH", "/v1/me", map[string]string{"a": "b"}, &out); err != nil || out.X != 1 {
		t.Errorf("got %+v and %v", out, err)
	}
	var raw json.RawMessage
	if err := c.Do(t.Context(), "PATCH", "/v1/me", map[string]string{"a": "b"}, &raw); err != nil || string(raw) != `{"x":1}` {
		t.Errorf("got %s and %v, want the answer as it is", raw, err)
	}
}

func TestWhatFailsSaysWhy(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		away   bool
		want   string
	}{
		{"refused", say(403, "application/json", `{"message":"No.","errors":[{"error_code":"x","more_info":"https://a"}]}`), false, "No."},
		{"a web page", say(200, "text/html", "<html>"), true, "something else (status 200, text/html)"},
		{"a web page that fails", say(502, "text/html", "<html>"), true, "something else (status 502"},
		{"JSON of another server", say(404, "application/json", `{"error":"not found"}`), true, "something else"},
		{"half an answer", say(200, "application/json", `{"x":`), false, "read answer"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		}, true, "something else (status 302"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, n := serve(t, c.answer)
			err := client.Do(t.Context(), "POST", "/v1/me", nil, &struct{ X int }{})
			if err == nil || errors.Is(err, ErrAway) != c.away || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if *n != 1 {
				t.Errorf("got %d requests, want one: it may have been done", *n)
			}
		})
	}
}

func TestOnlyReadingIsTriedAgainAndNotForEver(t *testing.T) {
	busy := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "2")
		say(503, "application/json", `{"message":"Busy."}`)(w, r)
	}
	c, n := serve(t, busy, busy, say(200, "application/json", `{}`))
	if err := c.Do(t.Context(), "GET", "/", nil, nil); err != nil || *n != 3 {
		t.Errorf("got %v after %d requests, want the third to succeed", err, *n)
	}
	c, n = serve(t, busy)
	var e *Error
	if err := c.Do(t.Context(), "GET", "/", nil, nil); !errors.As(err, &e) || e.RetryAfter != 2*time.Second || *n != 3 {
		t.Errorf("got %v after %d requests, want it refused after three", err, *n)
	}
	c, n = serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "600")
		say(429, "application/json", `{"message":"Later."}`)(w, r)
	})
	if err := c.Do(t.Context(), "GET", "/", nil, nil); err == nil || *n != 1 {
		t.Errorf("got %v after %d requests, want no waiting for ten minutes", err, *n)
	}
}

func TestAServerThatIsAwayIsSaidToBe(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c := &Client{URL: s.URL, Wait: func(time.Duration) <-chan time.Time { at := make(chan time.Time, 1); at <- time.Time{}; return at }}
	if err := c.Do(context.Background(), "GET", "/v1/me", nil, nil); !errors.Is(err, ErrAway) || !strings.Contains(err.Error(), s.URL) {
		t.Errorf("got %v, want the server away", err)
	}
}

// Some paths name a token by the whole of it.
func TestAServerThatIsAwayMakesNoTokenKnown(t *testing.T) {
	c, _ := serve(t, say(200, "application/json", `{}`))
	c.URL = "http://127.0.0.1:1"
	err := c.Do(t.Context(), "DELETE", "/v1/access_token/gts_secret", nil, nil)
	if !errors.Is(err, ErrAway) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want that no server answers, and no path", err)
	}
}

func TestAServerThatNeverAnswersIsAwayAndAskedOnce(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1); <-release }))
	defer s.Close()
	defer close(release)
	for i, method := range []string{http.MethodPost, http.MethodGet} {
		c := &Client{URL: s.URL, HTTP: &http.Client{Timeout: 200 * time.Millisecond}, Wait: func(time.Duration) <-chan time.Time { return time.After(0) }}
		if err := c.Do(t.Context(), method, "/v1/me", nil, nil); !errors.Is(err, ErrAway) {
			t.Errorf("%s: got %v, want the server to be away", method, err)
		}
		if got := int(asked.Load()); got > i+1 {
			t.Errorf("%s: got %d requests in all, want at most %d", method, got, i+1)
		}
	}
}
