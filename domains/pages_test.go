package domains_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/domains"
)

// pages looks at a web site of this process, whatever the name.
func pages(t *testing.T, h http.HandlerFunc) *domains.Pages {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	c := domains.NewPageClient("Gatehouse")
	c.Roots = x509.NewCertPool()
	c.Roots.AddCert(s.Certificate())
	c.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
	}
	return &domains.Pages{Client: c}
}

const proofPath = "/.well-known/aiven/challenge.txt"

func TestLinesOfAPageAreValues(t *testing.T) {
	p := pages(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != proofPath || r.Host != "example.com" {
			t.Errorf("got a request for %s%s", r.Host, r.URL.Path)
		}
		io.WriteString(w, "\xef\xbb\xbftoken=a,expiry=never \r\n\r\nb\n\xff")
	})
	got := p.TXT(t.Context(), "example.com")
	want(t, "values", got.Values, []string{"token=a,expiry=never", "b", "�"})
	if got.Unsure || len(got.Asked) != 1 || got.Asked[0].Took == 0 {
		t.Fatalf("got %+v, want one question", got)
	}
	got.Asked[0].Took = 0
	want(t, "asked", got.Asked[0], domains.Query{Server: "https://example.com" + proofPath, Network: "https", Name: "example.com", Type: "GET", Outcome: "200 OK", Records: 3})

	p = pages(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x\n", 1000)) })
	want(t, "values of many lines", len(p.TXT(t.Context(), "example.com").Values), 100)
}

func TestAPageIsAbsentForSureOrNobodyKnows(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	to := func(address string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, address, http.StatusFound) }
	}
	for name, c := range map[string]struct {
		page   http.HandlerFunc
		domain string
		unsure bool
		asked  int
		says   string
	}{
		"not there":       {page: status(404), asked: 1, says: "404"},
		"gone":            {page: status(410), asked: 1, says: "410"},
		"empty":           {page: status(200), asked: 1, says: "200 OK"},
		"elsewhere":       {page: to("https://www.example.com" + proofPath), asked: 1, says: "elsewhere"},
		"in the open":     {page: to("http://example.com" + proofPath), asked: 1, says: "elsewhere"},
		"round in a ring": {page: to(proofPath), asked: 4, says: "more than"},
		"too large": {page: func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "token=a\n"+strings.Repeat("x", 4<<10))
		}, asked: 1, says: "larger"},
		"refused":             {page: status(403), unsure: true, asked: 1, says: "403"},
		"for who is known":    {page: status(401), unsure: true, asked: 1, says: "401"},
		"too many":            {page: status(429), unsure: true, asked: 1, says: "429"},
		"broken":              {page: status(500), unsure: true, asked: 1, says: "500"},
		"away":                {page: status(503), unsure: true, asked: 1, says: "503"},
		"cut off":             {page: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, unsure: true, asked: 1, says: "cut off"},
		"of somebody else":    {page: status(200), domain: "company.test", unsure: true, asked: 1, says: "certificate"},
		"of no name that is":  {page: status(200), domain: "company test", unsure: true, asked: 1, says: "address"},
		"redirecting nowhere": {page: status(302), unsure: true, asked: 1, says: "where to"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.domain == "" {
				c.domain = "example.com"
			}
			got := pages(t, c.page).TXT(t.Context(), c.domain)
			if got.Unsure != c.unsure || len(got.Values) != 0 || len(got.Asked) != c.asked {
				t.Fatalf("got %+v, want unsure %v, nothing found, and %d questions", got, c.unsure, c.asked)
			}
			if last := got.Asked[len(got.Asked)-1]; !strings.Contains(last.Outcome, c.says) {
				t.Errorf("got the outcome %q, want %q in it", last.Outcome, c.says)
			}
		})
	}
}

func TestASiteThatCannotBeReachedProvesNothing(t *testing.T) {
	p := pages(t, nil)
	p.Client.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody is there") }
	if got := p.TXT(t.Context(), "example.com"); !got.Unsure || len(got.Asked) != 1 {
		t.Errorf("got %+v, want that nobody knows", got)
	}
	p.Client.Dial = nil
	if got := p.TXT(t.Context(), "127.0.0.1"); !got.Unsure || !strings.Contains(got.Asked[0].Outcome, "not a public one") {
		t.Errorf("got %+v, want that this machine is not asked", got)
	}
	p = pages(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p.Client.Within = 50 * time.Millisecond
	if got := p.TXT(t.Context(), "example.com"); !got.Unsure || !strings.Contains(got.Asked[0].Outcome, "within") {
		t.Errorf("got %+v, want that it was silent", got)
	}
}

func TestAPageProvesAClaimWhereTheServerTakesThat(t *testing.T) {
	w := newWorld(t)
	content := ""
	w.Pages = pages(t, func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, content) })
	d, err := w.Add(t.Context(), w.ada, w.acme, "company.test", domains.ByHTTP)
	w.do(err)
	if _, err := w.Verify(t.Context(), w.ada, w.acme, d.ID); err == nil {
		t.Error("got a claim proved by a site that cannot show whose it is")
	}
	// httptest's certificate is for this name.
	d, err = w.Add(t.Context(), w.ada, w.acme, "example.com", domains.ByHTTP)
	w.do(err)
	content = "token=another,expiry=never\n"
	if _, err := w.Verify(t.Context(), w.ada, w.acme, d.ID); err == nil || !strings.Contains(err.Error(), `"token=another,expiry=never"`) {
		t.Errorf("got %v, want what is there instead", err)
	}
	content = "first\n" + d.Value() + "\n"
	d, err = w.Verify(t.Context(), w.ada, w.acme, d.ID)
	w.do(err)
	want(t, "state", d.State, domains.Verified)
	content = ""
	w.recheck(day)
	want(t, "missing since", w.is(d).MissingSince, w.now)
	if len(w.mails) != 1 || !strings.Contains(w.mails[0].Text, "https://example.com"+proofPath) || !strings.Contains(w.mails[0].Text, "this page") {
		t.Errorf("got %+v, want a mail that names the page", w.mails)
	}
	w.Pages = nil // the server takes it no longer
	w.recheck(8 * day)
	want(t, "state where nobody looks", w.is(d).State, domains.Verified)
	if _, err := w.Add(t.Context(), w.ada, w.acme, "company2.test", domains.ByHTTP); err == nil {
		t.Error("got a claim to be proved in a way that is not offered")
	}
}
