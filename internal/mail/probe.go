package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// What a mail server can fail at before it is brought a mail.
var (
	ErrAway       = errors.New("it cannot be reached")
	ErrNotPrivate = errors.New("the connection cannot be made private")
	ErrNotLetIn   = errors.New("it refuses the user or the password")
)

// Probe connects to the server as Send does, logs in, and leaves without a
// mail. It gives when the server's certificate ends, or zero where there is
// none. Its errors wrap ErrAway, ErrNotPrivate or ErrNotLetIn, and hold nothing
// secret.
func (s *SMTP) Probe(ctx context.Context) (certificateEnds time.Time, err error) {
	probe := *s
	reached, private := false, false
	probe.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dial := s.Dial
		if dial == nil {
			dial = (&net.Dialer{}).DialContext
		}
		conn, err := dial(ctx, network, address)
		reached = err == nil
		return conn, err
	}
	probe.TLS = s.tls()
	probe.TLS.VerifyConnection = func(state tls.ConnectionState) error {
		private, certificateEnds = true, state.PeerCertificates[0].NotAfter
		return nil
	}
	client, leave, err := probe.connect(ctx)
	defer leave()
	if err == nil {
		_ = client.Close() // which says goodbye
		return certificateEnds, nil
	}
	if ctx.Err() != nil {
		return certificateEnds, fmt.Errorf("%w: it does not answer in time", ErrAway)
	}
	return certificateEnds, fmt.Errorf("%w: %s", s.failedAt(err, reached, private), s.clean(err))
}

// failedAt tells apart what is mended in different places.
func (s *SMTP) failedAt(err error, reached, private bool) error {
	if n := net.Error(nil); !reached || errors.As(err, &n) && n.Timeout() {
		return ErrAway
	}
	if s.security != plaintext && !private {
		certificate, alert, header := (*tls.CertificateVerificationError)(nil), tls.AlertError(0), tls.RecordHeaderError{}
		if errors.As(err, &certificate) || errors.As(err, &alert) || errors.As(err, &header) || strings.Contains(err.Error(), "STARTTLS") {
			return ErrNotPrivate
		}
		return ErrAway
	}
	if s.user != "" && (strings.Contains(err.Error(), "AUTH") || errors.Is(err, gomail.ErrNoSupportedAuthDiscovered)) {
		return ErrNotLetIn
	}
	return ErrAway
}
