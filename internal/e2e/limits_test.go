package e2e_test

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"gatehouse/internal/ident"
)

// Whatever can be guessed is limited by address: with 429, Retry-After, and a
// word for programs or a page for people. Each kind has an address of its own.
func TestGuessesAreLimited(t *testing.T) {
	b := startBroker(t, "")
	_, method := b.connectDemo(b.account, nil)
	for i, c := range []struct {
		name  string
		page  bool
		most  int
		guess func(n int) *http.Request
	}{
		{"tokens at the API", false, 400, func(int) *http.Request {
			r := request(t, "GET", b.base+"/v1/me", "")
			r.Header.Set("Authorization", "aivenv1 "+guessed())
			return r
		}},
		{"tokens at the console", true, 400, func(int) *http.Request {
			r := request(t, "GET", b.base+"/profile", "")
			r.AddCookie(&http.Cookie{Name: "gatehouse", Value: guessed()})
			return r
		}},
		{"logins under way", true, 150, func(n int) *http.Request {
			return request(t, "GET", fmt.Sprintf("%s/login/continue?flow=%032d", b.base, n), "")
		}},
		{"recovery links", true, 50, func(n int) *http.Request {
			return request(t, []string{"GET", "POST"}[n%2], fmt.Sprintf("%s/recover/%032d", b.base, n), "")
		}},
		{"answers of identity providers", true, 150, func(n int) *http.Request {
			return request(t, "POST", method.ACS, url.Values{"SAMLResponse": {fmt.Sprint("nonsense", n)}}.Encode())
		}},
		{"passwords at the API", false, 20, func(n int) *http.Request {
			return request(t, "POST", b.base+"/v1/userauth", fmt.Sprintf(`{"email":%q,"password":"wrong %d"}`, operatorMail, n))
		}},
		{"passwords at the login page", true, 20, func(n int) *http.Request {
			return request(t, "POST", b.base+"/login/password", url.Values{"email": {operatorMail}, "password": {fmt.Sprint("wrong ", n)}}.Encode())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPerson(t)
			p.client.Transport, p.client.Jar = from(t, fmt.Sprintf("127.0.1.%d", i+1)), nil
			for n := range c.most {
				got := p.do(c.guess(n))
				if got.status >= 500 {
					t.Fatalf("guess %d: got %d", n+1, got.status)
				}
				if got.status == http.StatusTooManyRequests {
					t.Logf("limited at guess %d", n+1)
					wantLimited(t, got, c.page)
					return
				}
			}
			t.Errorf("got no limit within %d guesses", c.most)
		})
	}
	wantMe(t, newPerson(t).with(b.token), b.base, operatorMail)
	b.wantCleanLog(t)
}

func request(t *testing.T, method, address, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// wantLimited fails unless an answer says when to come back, to whom it is for.
func wantLimited(t *testing.T, got page, isPage bool) {
	t.Helper()
	if wait, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || wait < 1 || wait > 3600 {
		t.Errorf("got Retry-After %q, want seconds", got.header.Get("Retry-After"))
	}
	if isPage {
		if got.doc.Find("main h1").Text() == "" || !strings.Contains(got.header.Get("Content-Type"), "text/html") {
			t.Errorf("got %s, want a page:\n%s", got.header.Get("Content-Type"), got.text)
		}
		return
	}
	var body struct {
		Message string
		Errors  []struct {
			Status int
			Code   string `json:"error_code"`
		}
	}
	if err := json.Unmarshal([]byte(got.text), &body); err != nil || body.Message == "" || len(body.Errors) != 1 ||
		body.Errors[0].Status != http.StatusTooManyRequests || body.Errors[0].Code != "too_many_requests" {
		t.Errorf("got %s (%v), want the envelope", got.text, err)
	}
}

// with gives a person's browser a session.
func (p *person) with(token string) *person {
	p.client.Transport = withCookie{token}
	return p
}

type withCookie struct{ token string }

func (w withCookie) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.AddCookie(&http.Cookie{Name: "gatehouse", Value: w.token})
	return http.DefaultTransport.RoundTrip(r)
}

// guessed is what could be a token, and is nobody's.
func guessed() string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	body := "gts_" + ident.Secret(40)
	n := crc32.ChecksumIEEE([]byte(body))
	var sum [6]byte
	for i := range sum {
		sum[len(sum)-1-i] = digits[n%62]
		n /= 62
	}
	return body + string(sum[:])
}
