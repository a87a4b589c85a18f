package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// behindTLS serves a handler with a certificate for 127.0.0.1 that ends after a
// while, and gives its URL, and who trusts it.
func behindTLS(t *testing.T, handler http.Handler, left time.Duration) (string, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(left)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: end.Add(-365 * 24 * time.Hour), NotAfter: end,
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	s := httptest.NewUnstartedServer(handler)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, roots
}

// A double answers as a Gatehouse does, but for what a test changes.
type double struct {
	healthz, readyz int    // statuses
	title           string // of its API
	https           bool   // it knows that its public URL is https
	date            string // of its clock; empty: ours
	elsewhere       string // where it leads
	text            string // of /healthz
}

func good() double { return double{200, 200, "Gatehouse", true, "", "", "ok\n"} }

func (d double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.title != "" {
		w.Header().Set("X-Request-Id", "018f")
	}
	if d.https {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	if d.date != "" {
		w.Header().Set("Date", d.date)
	}
	if d.elsewhere != "" {
		http.Redirect(w, r, d.elsewhere, http.StatusFound)
		return
	}
	switch r.URL.Path {
	case "/healthz":
		w.WriteHeader(d.healthz)
		io.WriteString(w, d.text)
	case "/readyz":
		w.WriteHeader(d.readyz)
	case "/openapi.json":
		fmt.Fprintf(w, `{"info":{"title":%q,"version":"v9"}}`, d.title)
	}
}

func TestDoctorGoesToThePublicURL(t *testing.T) {
	const year = 300 * 24 * time.Hour
	for name, c := range map[string]struct {
		change    func(*double)
		left      time.Duration
		strangers bool // nobody trusts the certificate
		want      state
		words     string
	}{
		"ours":                       {func(*double) {}, year, false, fine, "Gatehouse v9 answers"},
		"its certificate's days":     {func(*double) {}, year, false, fine, "ends in 299 days"},
		"a certificate that ends":    {func(*double) {}, 30 * time.Hour, false, doubtful, "ends in 1 day"},
		"a certificate that ended":   {func(*double) {}, -time.Hour, false, wrong, "expired"},
		"a stranger's certificate":   {func(*double) {}, year, true, wrong, "unknown authority"},
		"one that is not ready":      {func(d *double) { d.readyz = 503 }, year, false, wrong, "not ready"},
		"a proxy alone":              {func(d *double) { d.healthz, d.title = 502, "" }, year, false, doubtful, "does not run behind it"},
		"another site":               {func(d *double) { d.healthz, d.title = 404, "" }, year, false, wrong, "something else answers there (404"},
		"another that is well":       {func(d *double) { d.title = "Petstore" }, year, false, wrong, "no Gatehouse"},
		"a page at every path":       {func(d *double) { d.text = "<h1>Hello</h1>" }, year, false, wrong, "something else answers"},
		"an address that leads away": {func(d *double) { d.elsewhere = "https://other.test/?secret=hunter2" }, year, false, wrong, "leads elsewhere (302)"},
		"another public URL":         {func(d *double) { d.https = false }, year, false, doubtful, "Strict-Transport-Security"},
	} {
		t.Run(name, func(t *testing.T) {
			d := good()
			c.change(&d)
			url, roots := behindTLS(t, d, c.left)
			e := patient(t, func(s *serveCommand) { s.PublicURL = url })
			if e.roots = roots; c.strangers {
				e.roots = x509.NewCertPool()
			}
			wantFinding(t, look(t, e.public), c.want, c.words)
		})
	}
}

func TestDoctorGoesToAPublicURLWhereNobodyIs(t *testing.T) {
	plain := httptest.NewServer(good())
	defer plain.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, c := range map[string]struct {
		public string
		want   state
		words  string
	}{
		"nobody":            {"https://127.0.0.1:1", doubtful, "start the server"},
		"http on loopback":  {plain.URL, fine, "Gatehouse v9 answers"},
		"http, not https":   {"https://" + plain.Listener.Addr().String(), wrong, "speaks no TLS"},
		"http for everyone": {"http://sso.acme.test", wrong, "https://"},
		"no address":        {"https://a:hunter2@acme.test", wrong, "a user name or a password"},
		"silence":           {"https://" + silent.Addr().String(), doubtful, "nothing answers there"},
	} {
		t.Run(name, func(t *testing.T) {
			e := patient(t, func(s *serveCommand) { s.PublicURL = c.public })
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			k := &check{State: fine}
			e.public(ctx, k)
			wantFinding(t, k, c.want, c.words)
		})
	}
}

func TestDoctorReadsTheClockOfThePublicURL(t *testing.T) {
	d := good()
	d.date = time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	s := httptest.NewServer(d)
	defer s.Close()
	e := patient(t, func(c *serveCommand) { c.PublicURL = s.URL })
	look(t, e.public)
	wantFinding(t, look(t, e.clock), wrong, "ahead of what answers at the public URL")
}
