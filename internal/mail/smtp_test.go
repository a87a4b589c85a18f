package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/mail/smtptest"
)

// to gives a transport to a test server. The server's name is no loopback one,
// as far as the transport knows.
func to(t *testing.T, s *smtptest.Server, address string) *SMTP {
	t.Helper()
	out, err := ParseSMTP(strings.ReplaceAll(address, "HOST", smtptest.Host))
	if err != nil {
		t.Fatal(err)
	}
	out.From = netmail.Address{Name: "Gatehouse", Address: "no-reply@acme.test"}
	out.Hello = "sso.acme.test"
	out.TLS = &tls.Config{RootCAs: s.Roots}
	out.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Addr)
	}
	return out
}

var hello = Outgoing{
	Message: Message{Kind: Notice, To: "ann@acme.test", Subject: "Grüße, Ann", Text: "Hello Ann\n.\nBye — ok\n", HTML: "<p>Hello Ann</p>"},
	ID:      "0190-1@sso.acme.test", At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
}

func TestMailArrivesPrivately(t *testing.T) {
	for name, c := range map[string]struct {
		options smtptest.Options
		address string
	}{
		"STARTTLS":               {smtptest.Options{STARTTLS: true}, "smtp://HOST:587"},
		"STARTTLS with password": {smtptest.Options{STARTTLS: true, User: "ann", Password: "p@ss word"}, "smtp://ann:p%40ss%20word@HOST:587"},
		"TLS":                    {smtptest.Options{TLS: true}, "smtps://HOST:465"},
		"TLS with password":      {smtptest.Options{TLS: true, User: "ann", Password: "p@ss"}, "smtps://ann:p%40ss@HOST"},
	} {
		t.Run(name, func(t *testing.T) {
			s := smtptest.Start(t, c.options)
			if err := to(t, s, c.address).Send(t.Context(), hello); err != nil {
				t.Fatalf("got %v, want it sent", err)
			}
			got := s.Mails()
			if len(got) != 1 || !got[0].TLS || got[0].User != c.options.User {
				t.Fatalf("got %+v, want one mail, over TLS, from %q", got, c.options.User)
			}
			for header, want := range map[string]string{
				"From": `"Gatehouse" <no-reply@acme.test>`, "To": "<ann@acme.test>", "Message-Id": "<0190-1@sso.acme.test>",
				"Subject": "=?UTF-8?q?Gr=C3=BC=C3=9Fe,_Ann?=", "Date": "Wed, 04 Mar 2026 05:06:07 +0000",
				"Auto-Submitted": "auto-generated", "X-Mailer": "", "User-Agent": "",
			} {
				if got := got[0].Header.Get(header); got != want {
					t.Errorf("%s: got %q, want %q", header, got, want)
				}
			}
			text, html := strings.Index(got[0].Body, "Hello Ann\r\n.\r\nBye"), strings.Index(got[0].Body, "<p>Hello Ann</p>")
			if text < 0 || html < text {
				t.Errorf("got the body %q, want the text, then the HTML", got[0].Body)
			}
		})
	}
}

func TestMailToThisMachineMayTravelInTheClear(t *testing.T) {
	s := smtptest.Start(t, smtptest.Options{User: "ann", Password: "secret"})
	out, err := ParseSMTP("smtp://ann:secret@" + s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	out.From, out.Hello = netmail.Address{Address: "no-reply@acme.test"}, "sso.acme.test"
	if err := out.Send(t.Context(), hello); err != nil {
		t.Fatalf("got %v, want it sent", err)
	}
	if got := s.Mails(); len(got) != 1 || got[0].TLS || got[0].User != "ann" {
		t.Errorf("got %+v, want one mail of ann's in the clear", got)
	}
}

func TestNothingIsSaidInTheClearToOtherMachines(t *testing.T) {
	for _, address := range []string{"smtp://HOST:587", "smtp://ann:secret@HOST:587"} {
		s := smtptest.Start(t, smtptest.Options{
			Auth: func() error { t.Error("the password was sent"); return nil },
			From: func() error { t.Error("the sender was named"); return nil },
		})
		err := to(t, s, address).Send(t.Context(), hello)
		if err == nil || !strings.Contains(err.Error(), "does not support STARTTLS") || errors.As(err, new(*Refusal)) {
			t.Errorf("%s: got %v, want an error for now that names STARTTLS", address, err)
		}
		if got := s.Mails(); len(got) != 0 {
			t.Errorf("%s: got %d mails taken, want none", address, len(got))
		}
	}
}

func TestServerThatIsAnotherIsNotTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		options smtptest.Options
		address string
	}{
		"STARTTLS": {smtptest.Options{STARTTLS: true}, "smtp://u:p@other.acme.test"},
		"TLS":      {smtptest.Options{TLS: true}, "smtps://u:p@other.acme.test"},
	} {
		s := smtptest.Start(t, c.options)
		err := to(t, s, c.address).Send(t.Context(), hello)
		if err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: got %v, want an error about the certificate", name, err)
		}
		out := to(t, s, strings.Replace(c.address, "other.acme.test", "HOST", 1))
		out.TLS = nil // the system does not know who signed it
		if err := out.Send(t.Context(), hello); err == nil {
			t.Errorf("%s: a certificate that nobody vouches for was trusted", name)
		}
	}
}

// always gives a hook that refuses.
func always(code int) func() error {
	return func() error {
		return smtptest.Refuse(code, "no, not https://sso.acme.test/verify/abcdefghijklmnopqrstuvwxyz012345")
	}
}

func TestOnlyWhatTheServerRefusesOfThisMailEndsIt(t *testing.T) {
	for name, c := range map[string]struct {
		options smtptest.Options
		forGood bool
	}{
		"recipient unknown":   {smtptest.Options{Rcpt: func(string) error { return smtptest.Refuse(550, "no such user") }}, true},
		"text refused":        {smtptest.Options{Data: func(smtptest.Mail) error { return always(554)() }}, true},
		"mailbox busy":        {smtptest.Options{Rcpt: func(string) error { return smtptest.Refuse(450, "greylisted") }}, false},
		"text not taken now":  {smtptest.Options{Data: func(smtptest.Mail) error { return always(451)() }}, false},
		"sender refused":      {smtptest.Options{From: always(550)}, false},
		"sender not now":      {smtptest.Options{From: always(451)}, false},
		"dies at recipient":   {smtptest.Options{Rcpt: func(string) error { return smtptest.ErrDie }}, false},
		"dies after the text": {smtptest.Options{Data: func(smtptest.Mail) error { return smtptest.ErrDie }}, false},
		"password refused":    {smtptest.Options{User: "ann", Password: "other"}, false},
		"password not needed": {smtptest.Options{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.STARTTLS = true
			address := "smtp://HOST"
			if strings.HasPrefix(name, "password") {
				address = "smtp://ann:hunter2hunter2@HOST"
			}
			s := smtptest.Start(t, c.options)
			err := to(t, s, address).Send(t.Context(), hello)
			if err == nil {
				t.Fatal("got no error, want one")
			}
			if got := errors.As(err, new(*Refusal)); got != c.forGood {
				t.Errorf("got %v, for good %v; want %v", err, got, c.forGood)
			}
			for _, secret := range []string{"abcdefghijklmnop", "hunter2"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("got %q, which holds a secret", err)
				}
			}
		})
	}
}

func TestNoConnectionIsLeftOpen(t *testing.T) {
	s := smtptest.Start(t, smtptest.Options{}) // without STARTTLS: it is left after its greeting
	for range 3 {
		if err := to(t, s, "smtp://HOST").Send(t.Context(), hello); err == nil {
			t.Fatal("got no error, want the server left")
		}
	}
	for range 500 {
		if s.Open() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("got %d connections open, want none", s.Open())
}

func TestServersThatKeepSilentAreLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	closed := make(chan error, 2)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, err := c.Read(make([]byte, 1))
				closed <- err
				c.Close()
			}()
		}
	}()
	out, err := ParseSMTP("smtp://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	out.From, out.Hello, out.Timeout = netmail.Address{Address: "no-reply@acme.test"}, "sso.acme.test", 50*time.Millisecond
	if err := out.Send(t.Context(), hello); err == nil || errors.As(err, new(*Refusal)) {
		t.Errorf("got %v, want an error for now", err)
	}
	// Its connection is not left open.
	if err := <-closed; err == nil {
		t.Error("the silent server was told something")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	out.Timeout = time.Hour
	if err := out.Send(ctx, hello); err == nil {
		t.Error("got no error, want one once the context ended")
	}
}

func TestMailServerThatIsAwayIsAnErrorForNow(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	out, err := ParseSMTP("smtp://ann:secret-word@" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	out.From, out.Hello = netmail.Address{Address: "no-reply@acme.test"}, "sso.acme.test"
	err = out.Send(t.Context(), hello)
	if err == nil || errors.As(err, new(*Refusal)) || !strings.Contains(err.Error(), l.Addr().String()) || strings.Contains(err.Error(), "secret-word") {
		t.Errorf("got %v, want an error for now that names the address and no password", err)
	}
}

func TestSMTPAddresses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"smtp://mail.acme.test", "mail.acme.test:587 (STARTTLS)"},
		{"smtp://ann:pw@mail.acme.test:2525", "mail.acme.test:2525 (STARTTLS)"},
		{"smtps://mail.acme.test/", "mail.acme.test:465 (TLS)"},
		{"smtps://127.0.0.1", "127.0.0.1:465 (TLS)"},
		{"smtp://127.0.0.1", "127.0.0.1:25 (none)"},
		{"smtp://localhost:1025", "localhost:1025 (none)"},
		{"smtp://[::1]:1025", "[::1]:1025 (none)"},
		{"smtp://127.0.0.1.evil.test", "127.0.0.1.evil.test:587 (STARTTLS)"},
		{"smtp://10.0.0.1:25", "10.0.0.1:25 (STARTTLS)"},
	} {
		s, err := ParseSMTP(c.text)
		if err != nil {
			t.Errorf("%s: got %v, want no error", c.text, err)
			continue
		}
		if got := s.String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got, c.want)
		}
	}
	for _, text := range []string{
		"", "mail.acme.test", "mail.acme.test:587", "http://mail.acme.test", "smtp://", "smtp://:587", "smtp://host:0", "smtp://host:65536",
		"smtp://host:port", "smtp://user:hunter2@", "smtp://user:hunter2", "smtp://user@host", "smtp://:hunter2@host", "smtp://u:hun#ter2@host",
		"smtp://u:hun/ter2@host", "smtp://u:hun%ter2@host", "smtp://u:hunter2@host/path", "smtp://u:hunter2@host?x=y", "smtp:u:hunter2@host", "smtp://u:hun ter2@host",
	} {
		_, err := ParseSMTP(text)
		if err == nil {
			t.Errorf("%q: got no error, want one", text)
		} else if strings.Contains(err.Error(), "hun") {
			t.Errorf("%q: got %q, which holds the password", text, err)
		}
	}
}
