package mail

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// How a connection to the mail server is made private.
type security string

const (
	startTLS  security = "STARTTLS" // asked for before anything is said, and required (RFC 3207)
	wholeTLS  security = "TLS"      // from the first byte (RFC 8314, 3.3)
	plaintext security = "none"     // to this machine only
)

// SMTP is a Transport to a mail server, one connection for each mail.
type SMTP struct {
	From  netmail.Address // who the mails are from, and where bounces go
	Hello string          // how we call ourselves to the server

	// TLS has more to say of TLS, such as which authorities to trust; nil: the
	// system's. ServerName and MinVersion are set here.
	TLS *tls.Config

	// Dial opens connections; nil: as net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Timeout is how long the server may take for an answer; zero: 30 seconds.
	Timeout time.Duration

	host     string
	port     int
	security security
	user     string
	password string
}

// ParseSMTP reads where the mail server is:
//
//	smtp://user:password@host:587   with STARTTLS, which the server has to offer
//	smtps://user:password@host:465  with TLS from the first byte
//	smtp://127.0.0.1:25             in the clear, to this machine only
//
// The errors say nothing of what stands in the text, because a password may.
func ParseSMTP(text string) (*SMTP, error) {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("it is not an address such as smtp://user:password@mail.company.com:587 (in user and password, write @ : / ? # and % as %40 %3A %2F %3F %23 and %25)")
	}
	s := &SMTP{host: u.Hostname()}
	switch {
	case u.Scheme == "smtps":
		s.security, s.port = wholeTLS, 465
	case u.Scheme == "smtp" && isLoopback(s.host):
		s.security, s.port = plaintext, 25
	case u.Scheme == "smtp":
		s.security, s.port = startTLS, 587
	default:
		return nil, errors.New("it has to begin with smtp:// (STARTTLS) or smtps:// (TLS)")
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return nil, errors.New("its port is not a number from 1 to 65535")
		}
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
		if s.user == "" || s.password == "" {
			return nil, errors.New("a user and a password go together: write both, or none")
		}
	}
	return s, nil
}

// String says where the server is, and nothing secret.
func (s *SMTP) String() string {
	return fmt.Sprintf("%s (%s)", net.JoinHostPort(s.host, strconv.Itoa(s.port)), s.security)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// Send brings a mail to the server. What the server refuses of this mail with
// a 5xx answer (RFC 5321, 4.2.1) is a *Refusal. What it refuses before it knows
// the recipient, such as our password, is none: the operator can mend that.
func (s *SMTP) Send(ctx context.Context, m Outgoing) error {
	msg, err := s.message(m)
	if err != nil {
		// Nothing in it will be another time.
		return &Refusal{s.clean(err)}
	}
	client, leave, err := s.connect(ctx)
	defer leave()
	if err != nil {
		return errors.New(s.explain(err))
	}
	err = client.Send(msg)
	// What the server took is sent, whatever becomes of the connection.
	if msg.IsDelivered() {
		_ = client.Close()
		return nil
	}
	return s.verdict(err)
}

// connect greets the server, makes the connection private and logs in. Call
// leave in any case.
//
// The library leaves connections open where greeting, TLS or login fail, and
// knows no context beyond dialling.
func (s *SMTP) connect(ctx context.Context) (_ *gomail.Client, leave func(), _ error) {
	leave = func() {}
	client, err := s.client(func(dialling context.Context, network, address string) (net.Conn, error) {
		conn, err := s.dial(dialling, network, address)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		leave = func() {
			stop()
			conn.Close()
		}
		return conn, nil
	})
	if err != nil {
		return nil, leave, err
	}
	err = client.DialWithContext(ctx)
	return client, leave, err
}

// explain says for logs why there is no connection.
func (s *SMTP) explain(err error) string {
	return fmt.Sprintf("connect to %s: %s", s, s.clean(err))
}

// verdict tells what the server refuses for good from what may work later.
func (s *SMTP) verdict(err error) error {
	var sent *gomail.SendError
	if !errors.As(err, &sent) {
		return errors.New(s.clean(err))
	}
	// Whom it was for is in the queue, and need not be in the log.
	why, _, _ := strings.Cut(s.clean(err), ", affected ")
	switch sent.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		if code := sent.ErrorCode(); code >= 500 && code <= 599 {
			return &Refusal{why}
		}
	}
	return errors.New(why)
}

func (s *SMTP) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(timeout), gomail.WithHELO(s.Hello),
		gomail.WithDialContextFunc(dial), gomail.WithTLSConfig(s.tls()),
		gomail.WithoutNoop(), gomail.WithoutRset(), gomail.WithoutSMTPUTF8(),
	}
	switch s.security {
	case startTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case wholeTLS:
		options = append(options, gomail.WithSSL())
	case plaintext:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.user != "" {
		options = append(options, gomail.WithUsername(s.user), gomail.WithPassword(s.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(s.host, options...)
}

func (s *SMTP) tls() *tls.Config {
	c := &tls.Config{}
	if s.TLS != nil {
		c = s.TLS.Clone()
	}
	c.ServerName, c.MinVersion = s.host, tls.VersionTLS12
	return c
}

func (s *SMTP) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dial := s.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil || s.security != wholeTLS {
		return conn, err
	}
	private := tls.Client(conn, s.tls())
	if err := private.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return private, nil
}

// message writes a mail down. The text comes first and the HTML last, which is
// the one that readers prefer (RFC 2046, 5.1.4).
func (s *SMTP) message(m Outgoing) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(s.From.Name, s.From.Address); err != nil {
		return nil, fmt.Errorf("set sender: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("set recipient: %w", err)
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.ID)
	msg.SetDateWithValue(m.At)
	// Nobody's absence is worth an answer to this (RFC 3834, 5).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}

// secretLike is what a link's secret looks like: filters quote links.
var secretLike = regexp.MustCompile(`[A-Za-z0-9_-]{20,}`)

// clean makes an error fit for logs: one short line, without our password,
// in any of the forms in which a server may repeat it, and without anything
// that could be a link's secret.
func (s *SMTP) clean(err error) string {
	text := err.Error()
	if s.password != "" {
		for _, form := range []string{
			s.password, url.QueryEscape(s.password), url.PathEscape(s.password),
			base64.StdEncoding.EncodeToString([]byte(s.password)),
			base64.StdEncoding.EncodeToString([]byte("\x00" + s.user + "\x00" + s.password)),
		} {
			text = strings.ReplaceAll(text, form, "…")
		}
	}
	text = secretLike.ReplaceAllString(text, "…")
	text = strings.ToValidUTF8(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }), " "), "")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}
