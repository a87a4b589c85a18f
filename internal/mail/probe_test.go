package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/mail/smtptest"
)

func TestProbe(t *testing.T) {
	const ann = "smtp://ann:hunter2hunter2@HOST"
	with := func(o smtptest.Options) smtptest.Options {
		o.User, o.Password = "ann", "hunter2hunter2"
		return o
	}
	for name, c := range map[string]struct {
		options   smtptest.Options
		address   string
		strangers bool // the certificate is not trusted
		want      error
	}{
		"STARTTLS and a password":     {with(smtptest.Options{STARTTLS: true}), ann, false, nil},
		"TLS and a password":          {with(smtptest.Options{TLS: true}), "smtps://ann:hunter2hunter2@HOST", false, nil},
		"no password":                 {smtptest.Options{STARTTLS: true}, "smtp://HOST", false, nil},
		"no STARTTLS":                 {with(smtptest.Options{}), ann, false, ErrNotPrivate},
		"a stranger's certificate":    {with(smtptest.Options{STARTTLS: true}), ann, true, ErrNotPrivate},
		"the same from the beginning": {with(smtptest.Options{TLS: true}), "smtps://ann:hunter2hunter2@HOST", true, ErrNotPrivate},
		"no TLS from the beginning":   {with(smtptest.Options{}), "smtps://ann:hunter2hunter2@HOST", false, ErrNotPrivate},
		"another password":            {smtptest.Options{STARTTLS: true, User: "ann", Password: "other"}, ann, false, ErrNotLetIn},
		"no passwords taken":          {smtptest.Options{STARTTLS: true}, ann, false, ErrNotLetIn},
		"password server not now":     {with(smtptest.Options{STARTTLS: true, Auth: func() error { return smtptest.Refuse(454, "later") }}), ann, false, ErrNotLetIn},
	} {
		t.Run(name, func(t *testing.T) {
			s := smtptest.Start(t, c.options)
			out := to(t, s, c.address)
			if c.strangers {
				out.TLS.RootCAs = x509.NewCertPool()
			}
			ends, err := out.Probe(t.Context())
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %q, which holds the password", err)
			}
			if err == nil && time.Until(ends) <= 0 {
				t.Errorf("got the certificate's end %s, want one to come", ends)
			}
			if got := s.Mails(); len(got) != 0 {
				t.Errorf("got %d mails, want none", len(got))
			}
			// It does not stay.
			for range 500 {
				if s.Open() == 0 {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Error("the connection was left open")
		})
	}
}

func TestProbeOfAServerThatIsAwayOrSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, silent := range []bool{true, false} {
		if !silent {
			l.Close()
		}
		out, err := ParseSMTP("smtp://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		out.Hello, out.Timeout = "sso.acme.test", 50*time.Millisecond
		if _, err := out.Probe(t.Context()); !errors.Is(err, ErrAway) {
			t.Errorf("silent %v: got %v, want ErrAway", silent, err)
		}
		out.Timeout = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := out.Probe(ctx); !errors.Is(err, ErrAway) {
			t.Errorf("silent %v, ended: got %v, want ErrAway", silent, err)
		}
		cancel()
	}
}
