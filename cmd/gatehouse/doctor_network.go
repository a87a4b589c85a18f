package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"gatehouse/internal/mail"
)

// renewal is how long before its end a certificate should have been renewed.
const renewal = 14 * 24 * time.Hour

// mail logs in to the mail server, and sends nothing.
func (e *examination) mail(ctx context.Context, k *check) {
	k.LookedAt = "--smtp-url"
	public, err := publicURL(e.PublicURL, e.Listen)
	if err != nil {
		k.doubtful("mend --public-url first: it names the sender", "not looked at")
		return
	}
	transport, err := e.transport(public, e.Dev)
	if err != nil {
		k.wrong("mend --smtp-url (GATEHOUSE_SMTP_URL) or --mail-from (GATEHOUSE_MAIL_FROM); no server starts so", "%s", oneLine(err))
		return
	}
	switch t := transport.(type) {
	case nil:
		k.unset("set --smtp-url (GATEHOUSE_SMTP_URL)", "no mail is sent: nobody can confirm an email address, and nobody is told of changes to their account")
	case *mail.Kept:
		k.unset("", "--dev sends no mail: what would be is on the page /dev/mail")
	case *mail.SMTP:
		e.judgeMail(ctx, k, t)
	}
}

func (e *examination) judgeMail(ctx context.Context, k *check, t *mail.SMTP) {
	k.LookedAt = t.String() + ", from " + t.From.Address
	ends, err := t.Probe(ctx)
	switch {
	case errors.Is(err, mail.ErrNotPrivate):
		k.wrong("the server has to offer TLS as --smtp-url says it, with a certificate for that name that this machine trusts", "%s", oneLine(err))
	case errors.Is(err, mail.ErrNotLetIn):
		k.wrong("mend user and password in --smtp-url (GATEHOUSE_SMTP_URL), or at the mail server", "%s", oneLine(err))
	case err != nil:
		k.wrong("is the mail server there, and do --smtp-url and the firewalls say so?", "%s", oneLine(err))
	default:
		k.fine("it is there and lets us in; no mail was sent")
		judgeEnd(k, ends)
	}
	_, domain, _ := strings.Cut(t.From.Address, "@")
	if _, err := netip.ParseAddr(strings.Trim(domain, "[]")); err == nil || domain == "localhost" {
		k.doubtful("set --mail-from (GATEHOUSE_MAIL_FROM) to an address of a domain of yours", "mails from %s are refused by most servers", t.From.Address)
	}
}

// judgeEnd judges when a certificate ends; zero: there is none.
func judgeEnd(k *check, ends time.Time) {
	if ends.IsZero() {
		return
	}
	left := time.Until(ends)
	if left < renewal {
		k.doubtful("renew it, and see why nothing has yet", "its certificate ends in %s, on %s", days(left), ends.UTC().Format("2 January 2006"))
		return
	}
	k.fine("its certificate ends in %s", days(left))
}

func days(d time.Duration) string { return amount(int(d/(24*time.Hour)), "day") }

// resolver asks for a name. That there is nothing at it is an answer.
func (e *examination) resolver(ctx context.Context, k *check) {
	k.LookedAt = "the system's resolver (/etc/resolv.conf)"
	at := &net.Resolver{PreferGo: true}
	if e.DNSResolver != "" {
		k.LookedAt = e.DNSResolver
		if err := e.checkResolver(); err != nil {
			k.wrong("mend --dns-resolver (GATEHOUSE_DNS_RESOLVER)", "%s", oneLine(err))
			return
		}
		at.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, e.DNSResolver)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	name := e.askedName()
	start := time.Now()
	var err error
	if name == "." {
		_, err = at.LookupNS(ctx, name)
	} else {
		_, err = at.LookupTXT(ctx, name)
	}
	var none *net.DNSError
	if err == nil || errors.As(err, &none) && none.IsNotFound {
		k.fine("it answers, in %s, when asked for %s", time.Since(start).Round(100*time.Microsecond), name)
		return
	}
	// Who names a resolver means it; a machine without one may need none.
	found := k.doubtful
	if e.DNSResolver != "" {
		found = k.wrong
	}
	if none != nil {
		err = errors.New(none.Err) // the rest names the system's resolver, whoever was asked
	}
	found("name a resolver that this machine reaches with --dns-resolver, or mend /etc/resolv.conf: domains cannot be verified without one", "asked for %s, it gives no answer (%s)", name, oneLine(err))
}

// askedName is a name that a resolver should know: the public URL's, or, where
// that is no name of the DNS, the root.
func (e *examination) askedName() string {
	public, err := publicURL(e.PublicURL, e.Listen)
	if err != nil || isLoopback(public.Hostname()) || !strings.Contains(public.Hostname(), ".") {
		return "."
	}
	if _, err := netip.ParseAddr(public.Hostname()); err == nil {
		return "."
	}
	return strings.TrimSuffix(public.Hostname(), ".") + "."
}

// public goes to the public URL as a browser would.
func (e *examination) public(ctx context.Context, k *check) {
	k.LookedAt = "--public-url"
	public, err := publicURL(e.PublicURL, e.Listen)
	if err != nil {
		k.wrong("mend --public-url (GATEHOUSE_PUBLIC_URL)", "%s", oneLine(err))
		return
	}
	k.LookedAt = public.String()
	v := &visit{base: public.String(), client: &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: e.roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	health, err := v.get(ctx, "/healthz")
	if err != nil {
		judgeNobody(k, err)
		return
	}
	e.judgeAnswer(ctx, k, v, health)
	if health.TLS != nil {
		judgeEnd(k, health.TLS.PeerCertificates[0].NotAfter)
	}
}

// A visit goes to a server, and follows nobody elsewhere.
type visit struct {
	base   string
	client *http.Client
}

// An answer is what a server said, its beginning.
type answered struct {
	*http.Response
	text         []byte
	asked, ended time.Time // around the answer's head
}

func (v *visit) get(ctx context.Context, path string) (*answered, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "gatehouse-doctor/"+version())
	a := &answered{asked: time.Now()}
	if a.Response, err = v.client.Do(r); err != nil {
		return nil, err
	}
	defer a.Body.Close()
	a.ended = time.Now()
	a.text, err = io.ReadAll(io.LimitReader(a.Body, 4<<20))
	return a, err
}

// judgeNobody tells what is mended at the certificate from a server that does
// not run.
func judgeNobody(k *check, err error) {
	if certificate := (*tls.CertificateVerificationError)(nil); errors.As(err, &certificate) {
		k.wrong("give the proxy a certificate for that name, by an authority that browsers trust, with the certificates in between; or mend this machine's clock", "%s", oneLine(certificate.Err))
		if len(certificate.UnverifiedCertificates) > 0 {
			if left := time.Until(certificate.UnverifiedCertificates[0].NotAfter); left > 0 {
				k.fine("its certificate ends in %s", days(left))
			}
		}
		return
	}
	if header := (tls.RecordHeaderError{}); errors.As(err, &header) || errors.Is(err, http.ErrSchemeMismatch) {
		k.wrong("put a proxy that speaks TLS in front, or mend the port of --public-url", "what answers there speaks no TLS")
		return
	}
	var name *net.DNSError
	if errors.As(err, &name) && name.IsNotFound {
		k.wrong("publish the name, or mend --public-url", "there is no host %s", name.Name)
		return
	}
	k.doubtful("start the server and the proxy in front, and look again; or this machine cannot reach them by the name that others use", "nothing answers there: %s", oneLine(reasonOf(err)))
}

// reasonOf leaves out what the sentence around says: the request.
func reasonOf(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op
	}
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// judgeAnswer tells whether it is a Gatehouse that answered, and how it is.
func (e *examination) judgeAnswer(ctx context.Context, k *check, v *visit, health *answered) {
	ours := health.Header.Get("X-Request-Id") != ""
	switch {
	case health.StatusCode >= 502 && health.StatusCode <= 504 && !ours:
		k.doubtful("start the server, and look at where the proxy sends requests to: --listen is "+e.Listen, "something in front answers %d: Gatehouse does not run behind it", health.StatusCode)
		return
	case health.StatusCode >= 300 && health.StatusCode < 400:
		k.wrong("make --public-url the address that people end up at, or have the proxy pass everything on", "it leads elsewhere (%d)", health.StatusCode)
		return
	case health.StatusCode != http.StatusOK || strings.TrimSpace(string(health.text)) != "ok":
		k.wrong("mend --public-url, or have the proxy pass everything on", "something else answers there (%d to /healthz)", health.StatusCode)
		return
	}
	running, ok := v.version(ctx)
	if !ok {
		k.wrong("mend --public-url, or have the proxy pass everything on", "what answers there is no Gatehouse: it has no /openapi.json of one")
		return
	}
	if running == version() {
		k.fine("Gatehouse %s answers", running)
	} else {
		k.fine("Gatehouse %s answers, and this program is %s", running, version())
	}
	if date, err := http.ParseTime(health.Header.Get("Date")); err == nil {
		// It is cut to the second.
		middle := health.asked.Add(health.ended.Sub(health.asked) / 2)
		e.clocks = append(e.clocks, clock{"what answers at the public URL", date.Add(500 * time.Millisecond).Sub(middle), time.Second})
	}
	if ready, err := v.get(ctx, "/readyz"); err == nil && ready.StatusCode == http.StatusServiceUnavailable {
		k.wrong("look at its log, and at the database above", "it runs and is not ready (/readyz says 503)")
	}
	if health.TLS != nil && health.Header.Get("Strict-Transport-Security") == "" {
		k.doubtful("start it with this --public-url, and have the proxy leave its headers alone", "it answers as a server whose public URL is another: it does not ask for https to stay (Strict-Transport-Security)")
	}
}

// version asks a server which Gatehouse it is, if it is one.
func (v *visit) version(ctx context.Context) (string, bool) {
	a, err := v.get(ctx, "/openapi.json")
	if err != nil || a.StatusCode != http.StatusOK {
		return "", false
	}
	var document struct {
		Info struct{ Title, Version string } `json:"info"`
	}
	if json.Unmarshal(a.text, &document) != nil || document.Info.Title != "Gatehouse" || len(document.Info.Version) > 100 {
		return "", false
	}
	return document.Info.Version, true
}
