package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gatehouse/internal/ident"
)

// front is what every request passes before the console or the API: its
// address, its id, the log and the metrics.
type front struct {
	log         *slog.Logger
	secure      bool // people come by https alone
	address     func(http.Handler) http.Handler
	proxies     []netip.Prefix // whose word about addresses is believed
	metricsFrom []netip.Prefix
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec
	seconds     *prometheus.HistogramVec
}

// thisMachine may read /metrics unless said otherwise.
var thisMachine = []string{"127.0.0.0/8", "::1/128"}

func newFront(c *serveCommand, secure bool, log *slog.Logger) (*front, error) {
	f := &front{log: log, secure: secure, address: middleware.ClientIPFromRemoteAddr, registry: prometheus.NewRegistry()}
	var err error
	if f.proxies, err = c.proxies(); err != nil {
		return nil, err
	}
	if len(f.proxies) > 0 {
		f.address = middleware.ClientIPFromXFF(c.TrustedProxy...)
	}
	from := c.MetricsFrom
	// A proxy on this machine that says nothing of its clients would make
	// everybody this machine.
	if len(from) == 0 && !c.noProxies() {
		from = thisMachine
	}
	if f.metricsFrom, err = prefixes("--metrics-from", from); err != nil {
		return nil, err
	}
	f.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gatehouse_http_requests_total", Help: "Requests, by route pattern and status.",
	}, []string{"route", "status"})
	f.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "gatehouse_http_request_seconds", Help: "Duration of requests, by route pattern.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"route"})
	f.registry.MustRegister(f.requests, f.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return f, nil
}

// clientAddress is where a request comes from; zero if a proxy left it open.
func clientAddress(r *http.Request) netip.Addr { return middleware.GetClientIPAddr(r.Context()) }

// handler is the whole server.
func (f *front) handler(w *wired, api, console http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", console)
	mux.Handle("/v1/sso/", console)
	mux.Handle("/v1/", api)
	mux.Handle("GET /openapi.json", api)
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "ok\n") })
	mux.HandleFunc("GET /readyz", w.readyz)
	mux.Handle("GET /metrics", f.guardMetrics(promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{})))
	return f.address(f.observe(mux))
}

// readyz says whether requests can be served: started, not stopping, and the
// database there.
func (w *wired) readyz(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	err := errors.New("starting or stopping")
	if w.ready.Load() {
		err = w.store.Ping(ctx)
	}
	if err != nil {
		http.Error(rw, "not ready: the database is away, or the server starts or stops", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(rw, "ready\n")
}

// guardMetrics keeps counts from strangers: they tell how many people log in.
func (f *front) guardMetrics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !within(f.metricsFrom, clientAddress(r)) || f.hiddenByProxy(r) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hiddenByProxy reports whether somebody says that a request is another's,
// whose word is not believed: a proxy that --trusted-proxy does not name. Where
// the request is from nobody knows.
func (f *front) hiddenByProxy(r *http.Request) bool {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	if within(f.proxies, peer.Addr().Unmap()) {
		return false
	}
	for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip"} {
		if len(r.Header[name]) > 0 {
			return true
		}
	}
	return false
}

func within(networks []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// observe gives each request an id, and counts and logs it by the pattern of
// its route: a raw path could hold a secret, or be as long as a stranger likes.
func (f *front) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := ident.UUID(start)
		w.Header().Set("X-Request-Id", id)
		if f.secure {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000") // RFC 6797
		}
		rec := &recorder{ResponseWriter: w, ctx: r.Context(), status: http.StatusOK}
		defer func() {
			cut := f.recovered(rec, r, id, recover())
			took := time.Since(start)
			f.requests.WithLabelValues(route(r), strconv.Itoa(rec.status)).Inc()
			f.seconds.WithLabelValues(route(r)).Observe(took.Seconds())
			f.log.Info("request", "id", id, "method", method(r), "route", route(r), "status", rec.status,
				"ms", float64(took.Microseconds())/1000, "address", clientAddress(r).String())
			if cut {
				panic(http.ErrAbortHandler) // which net/http takes for what it is
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// recovered answers for a handler that panicked with v, if it did. It reports
// whether the connection has to be cut, since half an answer must not look
// whole.
func (f *front) recovered(rec *recorder, r *http.Request, id string, v any) (cut bool) {
	if v == nil {
		if !rec.wrote {
			rec.note(rec.status) // net/http writes this status now
		}
		return false
	}
	if v == http.ErrAbortHandler {
		if !rec.wrote {
			rec.note(http.StatusInternalServerError)
		}
		return true
	}
	f.log.Error("panic", "id", id, "route", route(r), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if rec.wrote {
		return true
	}
	http.Error(rec, "Something failed on our side. Quote this id: "+id, http.StatusInternalServerError)
	rec.status = http.StatusInternalServerError // whether or not somebody was there to read it
	return false
}

// route is the pattern that a request matched, which the innermost mux wrote.
// For CONNECT, http.ServeMux writes the path instead where it redirects.
func route(r *http.Request) string {
	if r.Pattern == "" || r.Method == http.MethodConnect {
		return "none"
	}
	return r.Pattern
}

// method is a request's method if it is one that HTTP knows, since any token
// can come, of any length.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return r.Method
	}
	return "other"
}

// statusClientGone stands in logs and metrics for a request whose client went
// away before the answer: a failure that follows is not ours. Nobody is sent it;
// nginx uses the same number.
const statusClientGone = 499

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	ctx    context.Context // the connection's: net/http ends it when the client goes
	status int
	wrote  bool
}

// note keeps the first status.
func (r *recorder) note(status int) {
	if r.wrote {
		return
	}
	r.status, r.wrote = status, true
	if errors.Is(r.ctx.Err(), context.Canceled) {
		r.status = statusClientGone
	}
}

func (r *recorder) WriteHeader(status int) {
	r.note(status)
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.note(http.StatusOK)
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find the writer below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
