package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// A between stands before the server of a script, and does what a server and
// its users rarely do: it ends no token, and whatever begins to wait for a
// typed code gets the same one, to ask for each second.
type between struct {
	http.Handler
	mu   sync.Mutex
	code []byte
}

// startBetween starts one, and sets $BETWEEN.
func startBetween(ts *testscript.TestScript, _ bool, _ []string) {
	to, err := url.Parse(ts.Getenv("URL"))
	ts.Check(err)
	b := &between{Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}}
	s := httptest.NewServer(b)
	ts.Defer(s.Close)
	ts.Setenv("BETWEEN", s.URL)
}

func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodDelete:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"message":"Not now."}`)
	case r.URL.Path == "/v1/login/device":
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.code == nil {
			rec := httptest.NewRecorder()
			b.Handler.ServeHTTP(rec, r)
			b.code = bytes.Replace(rec.Body.Bytes(), []byte(`"interval":5`), []byte(`"interval":1`), 1)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(b.code)))
		_, _ = w.Write(b.code)
	default:
		b.Handler.ServeHTTP(w, r)
	}
}
