package fetch

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestABodyIsPostedAndWhatIsAnsweredComesBack(t *testing.T) {
	c, _ := site(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "text/xml" || r.Header.Get("User-Agent") != "Gatehouse" {
			t.Errorf("got %s with %v", r.Method, r.Header)
		}
		w.WriteHeader(http.StatusInternalServerError) // what SOAP answers faults with
		io.WriteString(w, "heard: "+string(body))
	})
	got, err := c.Post(t.Context(), "https://example.com/slo", http.Header{"Content-Type": {"text/xml"}}, []byte("hello"))
	if err != nil || string(got) != "heard: hello" {
		t.Errorf("got %q and %v, want the answer", got, err)
	}
}

func TestAPostIsBoundedAndGoesNowhereElse(t *testing.T) {
	visits := 0
	c, _ := site(t, func(w http.ResponseWriter, r *http.Request) {
		visits++
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "https://example.com/", http.StatusTemporaryRedirect)
			return
		}
		io.WriteString(w, strings.Repeat("x", 101))
	})
	_, err := c.Post(t.Context(), "https://example.com/", nil, nil)
	fails(t, err, TooLarge)
	if _, err := c.Post(t.Context(), "https://example.com/away", nil, nil); err != nil || visits != 2 {
		t.Errorf("got %v after %d visits, want the redirect's own body, and nobody who follows it", err, visits)
	}
	_, err = c.Post(t.Context(), "http://example.com/", nil, nil)
	fails(t, err, NotHTTPS)
	private := &Client{Most: 100, Within: time.Second}
	_, err = private.Post(t.Context(), "https://127.0.0.1:1/", nil, nil)
	fails(t, err, Private)
	private.Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	_, err = private.Post(t.Context(), "https://127.0.0.1:1/", nil, nil)
	fails(t, err, Unreachable)
}
