package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
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
	address     func(http.Handler) http.Handler
	metricsFrom []netip.Prefix
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec
	seconds     *prometheus.HistogramVec
}

func newFront(c *serveCommand, log *slog.Logger) (*front, error) {
	f := &front{log: log, address: middleware.ClientIPFromRemoteAddr, registry: prometheus.NewRegistry()}
	if _, err := prefixes("--trusted-proxy", c.TrustedProxy); err != nil {
		return nil, err
	}
	if len(c.TrustedProxy) > 0 {
		f.address = middleware.ClientIPFromXFF(c.TrustedProxy...)
	}
	var err error
	if f.metricsFrom, err = prefixes("--metrics-from", c.MetricsFrom); err != nil {
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

func prefixes(flag string, texts []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(texts))
	for _, t := range texts {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			return nil, fmt.Errorf("%s %q is not a network such as 192.0.2.0/24", flag, t)
		}
		out = append(out, p)
	}
	return out, nil
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
		from := clientAddress(r)
		for _, p := range f.metricsFrom {
			if p.Contains(from) {
				next.ServeHTTP(w, r)
				return
			}
		}
		http.NotFound(w, r)
	})
}

// observe gives each request an id, and counts and logs it by the pattern of
// its route: a raw path could hold a secret.
func (f *front) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := ident.UUID(start)
		w.Header().Set("X-Request-Id", id)
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			if p := recover(); p != nil {
				f.log.Error("panic", "id", id, "route", route(r), "panic", fmt.Sprint(p))
				if !rec.wrote {
					http.Error(rec, "Something failed on our side. Quote this id: "+id, http.StatusInternalServerError)
				}
			}
			took := time.Since(start)
			f.requests.WithLabelValues(route(r), strconv.Itoa(rec.status)).Inc()
			f.seconds.WithLabelValues(route(r)).Observe(took.Seconds())
			f.log.Info("request", "id", id, "method", r.Method, "route", route(r), "status", rec.status,
				"ms", float64(took.Microseconds())/1000, "address", clientAddress(r).String())
		}()
		next.ServeHTTP(rec, r)
	})
}

// route is the pattern that a request matched, which the innermost mux wrote.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find the writer below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
