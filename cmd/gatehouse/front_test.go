package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// newTestFront gives a front and what it logs.
func newTestFront(t *testing.T, c serveCommand, secure bool) (*front, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	f, err := newFront(&c, secure, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return f, &log
}

// counted gives the labels under which requests were counted.
func counted(t *testing.T, f *front) []string {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, family := range families {
		if family.GetName() != "gatehouse_http_requests_total" {
			continue
		}
		for _, m := range family.Metric {
			out = append(out, m.Label[0].GetValue()+" "+m.Label[1].GetValue())
		}
	}
	return out
}

func TestMetricsAreForThoseWhoMayReadThem(t *testing.T) {
	xff := []string{"X-Forwarded-For", "198.51.100.7"}
	for _, c := range []struct {
		name    string
		command serveCommand
		peer    string
		header  []string
		want    int
	}{
		{"this machine", serveCommand{}, "127.0.0.1:5", nil, 200},
		{"this machine, IPv6", serveCommand{}, "[::1]:5", nil, 200},
		{"this machine, on a socket for both", serveCommand{}, "[::ffff:127.0.0.1]:5", nil, 200},
		{"another machine", serveCommand{}, "198.51.100.7:5", nil, 404},
		{"another one that is named", serveCommand{MetricsFrom: []string{"198.51.100.0/24"}}, "198.51.100.7:5", nil, 200},
		{"a proxy that is not trusted", serveCommand{}, "127.0.0.1:5", xff, 404},
		{"a proxy that is not trusted, in the words of RFC 7239", serveCommand{}, "127.0.0.1:5", []string{"Forwarded", "for=198.51.100.7"}, 404},
		{"a proxy that is not trusted, in nginx's words", serveCommand{}, "127.0.0.1:5", []string{"X-Real-IP", "127.0.0.1"}, 404},
		{"a proxy of which nothing is believed", serveCommand{TrustedProxy: []string{"none"}}, "127.0.0.1:5", nil, 404},
		{"the same, where the operator says so", serveCommand{TrustedProxy: []string{"none"}, MetricsFrom: thisMachine}, "127.0.0.1:5", nil, 200},
		{"a trusted proxy, for a stranger", serveCommand{TrustedProxy: []string{"127.0.0.1/32"}}, "127.0.0.1:5", xff, 404},
		{"a trusted proxy that does not say for whom", serveCommand{TrustedProxy: []string{"127.0.0.1/32"}}, "127.0.0.1:5", nil, 404},
		{"a trusted proxy, for who may", serveCommand{TrustedProxy: []string{"127.0.0.1/32"}, MetricsFrom: []string{"198.51.100.0/24"}}, "127.0.0.1:5", xff, 200},
		{"a stranger who says to be this machine", serveCommand{TrustedProxy: []string{"127.0.0.1/32"}}, "198.51.100.7:5", []string{"X-Forwarded-For", "127.0.0.2"}, 404},
		{"who may, claiming to be a proxy that is not trusted", serveCommand{TrustedProxy: []string{"10.0.0.0/8"}}, "127.0.0.1:5", xff, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, _ := newTestFront(t, c.command, false)
			r := httptest.NewRequest("GET", "/metrics", nil)
			r.RemoteAddr = c.peer
			if c.header != nil {
				r.Header.Set(c.header[0], c.header[1])
			}
			w := httptest.NewRecorder()
			f.address(f.guardMetrics(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))).ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("got %d, want %d", w.Code, c.want)
			}
		})
	}
}

func TestAPanicIsLoggedWithItsStackAndNeverLooksLikeAnAnswer(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		cut     bool   // the client sees the connection break
		counted string // route and status
		logged  bool   // as a panic
	}{
		{"before the answer", func(http.ResponseWriter, *http.Request) { panic("a bug") }, false, "none 500", true},
		{"in the middle of the answer", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<p>half")
			panic("a bug")
		}, true, "none 200", true},
		{"to abort an answer that has begun", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<p>half")
			panic(http.ErrAbortHandler)
		}, true, "none 200", false},
		{"to abort before the answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true, "none 500", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, log := newTestFront(t, serveCommand{}, false)
			server := httptest.NewUnstartedServer(f.observe(c.handler))
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.Start()
			answer, err := http.Get(server.URL)
			if err == nil {
				_, err = io.ReadAll(answer.Body)
				answer.Body.Close()
			}
			server.Close() // waits for the handler
			if cut := err != nil; cut != c.cut {
				t.Errorf("the connection broke: got %v (%v), want %v", cut, err, c.cut)
			}
			if !c.cut && answer.StatusCode != http.StatusInternalServerError {
				t.Errorf("got %d, want 500", answer.StatusCode)
			}
			if diff := cmp.Diff([]string{c.counted}, counted(t, f)); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
			if got := strings.Contains(log.String(), `msg=panic`); got != c.logged {
				t.Errorf("a panic in the log: got %v, want %v:\n%s", got, c.logged, log)
			}
			if c.logged && !strings.Contains(log.String(), "front_test.go") {
				t.Errorf("the log does not say where:\n%s", log)
			}
			if got := strings.Count(log.String(), "msg=request"); got != 1 {
				t.Errorf("got %d lines of the request, want 1:\n%s", got, log)
			}
		})
	}
}

func TestAClientThatGoesAwayIsNoFailureOfOurs(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	slow, stop := context.WithTimeout(t.Context(), time.Nanosecond)
	defer stop()
	<-slow.Done()
	fails := func(w http.ResponseWriter, r *http.Request) { http.Error(w, "away", http.StatusInternalServerError) }
	for _, c := range []struct {
		name    string
		ctx     context.Context
		handler http.HandlerFunc
		want    string
	}{
		{"it went, so that the database said no", gone, fails, "none 499"},
		{"it went, and nothing was written", gone, func(http.ResponseWriter, *http.Request) {}, "none 499"},
		{"it is there", t.Context(), fails, "none 500"},
		{"time ran out, which is ours", slow, fails, "none 500"},
		{"it went, and we have a bug", gone, func(http.ResponseWriter, *http.Request) { panic("a bug") }, "none 500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, log := newTestFront(t, serveCommand{}, false)
			f.observe(c.handler).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(c.ctx, "GET", "/", nil))
			if diff := cmp.Diff([]string{c.want}, counted(t, f)); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
			if status := strings.TrimPrefix(c.want, "none "); !strings.Contains(log.String(), "status="+status+" ") {
				t.Errorf("logged other than %s:\n%s", status, log)
			}
		})
	}
}

func TestBrowsersAreToldToStayWithHTTPS(t *testing.T) {
	for secure, want := range map[bool]string{true: "max-age=31536000", false: ""} {
		f, _ := newTestFront(t, serveCommand{}, secure)
		for _, h := range []http.HandlerFunc{http.NotFound, func(http.ResponseWriter, *http.Request) { panic("a bug") }} {
			w := httptest.NewRecorder()
			f.observe(h).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			if got := w.Header().Get("Strict-Transport-Security"); got != want {
				t.Errorf("https %v: got %q, want %q", secure, got, want)
			}
		}
	}
}

// What a stranger writes in a request must not fill logs, nor make new labels.
func TestLogsAndLabelsHoldNothingOfARequestsOwnWords(t *testing.T) {
	long := strings.Repeat("x", 30<<10)
	mux := http.NewServeMux()
	mux.HandleFunc("/people/{id}/", http.NotFound)
	mux.HandleFunc("/{$}", http.NotFound)
	for _, c := range []struct{ name, method, path, want string }{
		{"a long path", "GET", "/" + long, "none 404"},
		{"a long part of a path", "GET", "/people/" + long + "/", "/people/{id}/ 404"},
		{"a long path that is sent on", "GET", "/people/" + long, "/people/{id}/ 307"},
		{"CONNECT with a long path that is sent on", "CONNECT", "/people/" + long, "none 307"},
		{"a long method", long, "/", "/{$} 404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, log := newTestFront(t, serveCommand{}, false)
			r := httptest.NewRequest("GET", c.path, nil)
			r.Method = c.method
			f.observe(mux).ServeHTTP(httptest.NewRecorder(), r)
			if diff := cmp.Diff([]string{c.want}, counted(t, f)); diff != "" {
				t.Errorf("counted (-want +got):\n%.500s", diff)
			}
			if log.Len() > 500 {
				t.Errorf("got a line of %d bytes, want a short one", log.Len())
			}
		})
	}
}
