// Package smtptest is a mail server for tests: it takes what it is brought, and
// misbehaves as it is told.
package smtptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Host is the name that the server's certificate is for.
const Host = "mail.acme.test"

// ErrDie is what a hook returns for the connection to break without an answer.
var ErrDie = errors.New("die")

// Refuse is an answer that a hook may return, such as 550.
func Refuse(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
}

// Options say how the server behaves. The hooks may be nil.
type Options struct {
	STARTTLS bool   // it offers STARTTLS
	TLS      bool   // it speaks TLS from the first byte
	User     string // who may send, with Password; empty: anybody
	Password string

	Auth func() error          // before a password is looked at
	From func() error          // at MAIL FROM
	Rcpt func(to string) error // at RCPT TO
	Data func(m Mail) error    // once a mail was read; with ErrDie it counts as taken
}

// A Mail is what the server took.
type Mail struct {
	From   string
	To     []string
	Header netmail.Header
	Body   string // as it came
	TLS    bool
	User   string // who brought it
}

// A Server takes mails until the test ends.
type Server struct {
	Addr  string // host:port, on loopback
	Roots *x509.CertPool

	options Options
	open    atomic.Int64
	mu      sync.Mutex
	mails   []Mail
}

// Start starts a server.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{options: o, Roots: x509.NewCertPool()}
	certificate := s.certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.open.Add(1)
		return &session{server: s, conn: c}, nil
	}))
	server.Domain, server.AllowInsecureAuth, server.ErrorLog = Host, true, log.New(io.Discard, "", 0)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	switch {
	case o.TLS:
		l = tls.NewListener(l, config)
	case o.STARTTLS:
		server.TLSConfig = config
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return s
}

// Port is the server's port.
func (s *Server) Port() string {
	_, port, _ := net.SplitHostPort(s.Addr)
	return port
}

// Open is how many connections there are.
func (s *Server) Open() int { return int(s.open.Load()) }

// Mails gives what was taken, oldest first.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

func (s *Server) certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{Host}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.Roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A session is one connection.
type session struct {
	server *Server
	conn   *smtp.Conn
	user   string
	mail   Mail
}

func (s *session) Reset() { s.mail = Mail{} }

func (s *session) Logout() error {
	s.server.open.Add(-1)
	return nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.options.User != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.mail.From = from
	return s.hook(func() error { return call(s.server.options.From) })
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = append(s.mail.To, to)
	if s.server.options.Rcpt == nil {
		return nil
	}
	return s.hook(func() error { return s.server.options.Rcpt(to) })
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := s.mail
	parsed, err := netmail.ReadMessage(strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(parsed.Body)
	if err != nil {
		return err
	}
	m.Header, m.Body, m.User = parsed.Header, string(body), s.user
	_, m.TLS = s.conn.TLSConnectionState()
	answer := error(nil)
	if s.server.options.Data != nil {
		answer = s.server.options.Data(m)
	}
	if answer == nil || errors.Is(answer, ErrDie) {
		s.server.mu.Lock()
		s.server.mails = append(s.server.mails, m)
		s.server.mu.Unlock()
	}
	return s.hook(func() error { return answer })
}

// hook breaks the connection where it is told to.
func (s *session) hook(do func() error) error {
	err := do()
	if errors.Is(err, ErrDie) {
		s.conn.Conn().Close()
	}
	return err
}

func call(hook func() error) error {
	if hook == nil {
		return nil
	}
	return hook()
}

// AuthMechanisms makes the session one that takes passwords.
func (s *session) AuthMechanisms() []string {
	if s.server.options.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth checks a password.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if err := call(s.server.options.Auth); err != nil {
			return err
		}
		if user != s.server.options.User || password != s.server.options.Password {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}
