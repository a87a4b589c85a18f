// Package fetch fetches from addresses that strangers name.
//
// Whoever names an address may mean one that they cannot reach and we can: a
// service of this machine, of the network around it, or of the cloud that it
// runs in. So the address to which a connection really goes is looked at, after
// its name was resolved and right before connecting: what a name says a moment
// later, or in an address of another form, helps nobody. Nothing is sent but a
// GET, or what is to be posted, over TLS; nothing of ours goes along, and what
// comes back is bounded in size and time.
//
// Networks that an operator names are reached besides: those of an intranet.
// On this machine itself, where it is among them, http does as well.
package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A Client fetches. Its fields are not changed once it is used.
type Client struct {
	Most      int64         // bytes of a body; more is TooLarge
	Within    time.Duration // for the whole: names, connections, redirects, body
	UserAgent string        // who asks; may be empty

	Networks []netip.Prefix // reached besides public addresses; usually none

	Resolver *net.Resolver  // of names; nil: the system's
	Roots    *x509.CertPool // that certificates go back to; nil: the system's

	// Dial connects in place of a dialer that reaches public addresses alone.
	// It is for tests: with it, every address can be reached.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// mostRedirects is how many redirects are followed.
const mostRedirects = 3

// mostAddress bounds the address of a page.
const mostAddress = 2048

// A Page is what was fetched.
type Page struct {
	URL   string // that it was fetched from in the end
	Type  string // its Content-Type, as it was sent
	Body  []byte
	Steps []Step // in order, also of what failed
}

// A Step is one request.
type Step struct {
	URL     string
	Outcome string // a status such as 200 OK, or what went wrong, in words
	Took    time.Duration
}

// Get fetches a page. What fails it says as an *Error; the steps are given all
// the same. Redirects are followed to the same scheme, host and port, three at
// most.
func (c *Client) Get(ctx context.Context, address string) (Page, error) {
	u, err := c.check(address)
	if err != nil {
		return Page{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Within)
	defer cancel()
	client, idle := c.client()
	defer idle()
	var p Page
	for first := u; ; {
		start := time.Now()
		next, err := c.step(ctx, client, u, &p)
		step := Step{URL: u.String(), Took: time.Since(start), Outcome: "200 OK"}
		if next != nil {
			step.Outcome = "redirect to " + clip(next.String())
			err = follow(first, next, len(p.Steps))
		}
		if err != nil {
			step.Outcome = err.Error()
		}
		p.Steps = append(p.Steps, step)
		if err != nil || next == nil {
			return p, err
		}
		u = next
	}
}

// check refuses what no stranger may name.
func (c *Client) check(address string) (*url.URL, error) {
	if len(address) > mostAddress {
		return nil, &Error{Reason: BadAddress, Says: fmt.Sprintf("the address is longer than %d characters", mostAddress)}
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Opaque != "" || u.Host == "" && u.Scheme == "https":
		return nil, &Error{Reason: BadAddress, Says: "this is no address such as https://company.com/page"}
	case u.Scheme != "https" && !c.isHere(u):
		return nil, &Error{Reason: NotHTTPS, Says: "the address does not begin with https://"}
	case u.User != nil:
		return nil, &Error{Reason: BadAddress, Says: "the address holds a user or a password"}
	case u.Hostname() == "":
		return nil, &Error{Reason: BadAddress, Says: "the address names no host"}
	}
	u.Fragment, u.RawFragment = "", ""
	u.Host = strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	return u, nil
}

// isHere says whether an address is one of this machine itself, over http, and
// this machine is among the networks: nobody stands on the way there.
func (c *Client) isHere(u *url.URL) bool {
	if u.Scheme != "http" {
		return false
	}
	if strings.EqualFold(u.Hostname(), "localhost") {
		return c.reaches(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback() && c.reaches(ip)
}

// reaches says whether an address is in one of the networks.
func (c *Client) reaches(ip netip.Addr) bool {
	ip = ip.Unmap()
	return slices.ContainsFunc(c.Networks, func(n netip.Prefix) bool { return n.Contains(ip) })
}

// follow says whether a redirect may be followed.
func follow(first, next *url.URL, before int) error {
	switch {
	case next.Scheme != first.Scheme || next.User != nil || next.Host != first.Host:
		return &Error{Reason: Elsewhere, Says: "it redirects to " + clip(next.Redacted()) + ", which is not followed: it is elsewhere"}
	case before >= mostRedirects:
		return &Error{Reason: Elsewhere, Says: fmt.Sprintf("it redirects more than %d times", mostRedirects)}
	}
	return nil
}

// client makes what asks, for one fetch: no connection outlives it, so that no
// later fetch finds one to an address which it would not have reached itself.
func (c *Client) client() (_ *http.Client, idle func()) {
	dial := c.Dial
	if dial == nil {
		dialer := &net.Dialer{Resolver: c.Resolver, ControlContext: c.publicOnly}
		dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, whole(address))
		}
	}
	t := &http.Transport{
		Proxy:                  nil, // it would look at names, not at addresses
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
		MaxResponseHeaderBytes: 32 << 10,
		DisableCompression:     true,
		DisableKeepAlives:      true,
	}
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, t.CloseIdleConnections
}

// whole makes a name in host:port one that has no more to it, so that no search
// list of this machine makes it another. Resolvers know localhost as it stands.
func whole(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || strings.HasSuffix(host, ".") || strings.EqualFold(host, "localhost") {
		return address
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return address
	}
	return net.JoinHostPort(host+".", port)
}

// publicOnly refuses an address right before connecting to it.
func (c *Client) publicOnly(_ context.Context, _, address string, _ syscall.RawConn) error {
	if isPublic(address) {
		return nil
	}
	if at, err := netip.ParseAddrPort(address); err == nil && c.reaches(at.Addr()) {
		return nil
	}
	return errPrivate
}

// step asks once, and gives where it is sent on to, or the page.
func (c *Client) step(ctx context.Context, client *http.Client, u *url.URL, p *Page) (next *url.URL, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, &Error{Reason: BadAddress, Says: "this is no address such as https://company.com/page", Err: err}
	}
	r.Header.Set("User-Agent", c.UserAgent) // empty: none is sent
	answer, err := client.Do(r)
	if err != nil {
		return nil, c.why(ctx, err)
	}
	defer answer.Body.Close()
	if slices.Contains([]int{301, 302, 303, 307, 308}, answer.StatusCode) {
		next, err := answer.Location()
		if err != nil {
			return nil, &Error{Reason: Status, Code: answer.StatusCode, Says: "it redirects, and does not say where to"}
		}
		next.Host = strings.TrimSuffix(strings.ToLower(next.Host), ":443")
		next.Fragment, next.RawFragment = "", ""
		return next, nil
	}
	if answer.StatusCode != http.StatusOK {
		return nil, &Error{Reason: Status, Code: answer.StatusCode, Says: fmt.Sprintf("it answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))}
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, c.Most+1))
	if err != nil {
		return nil, c.why(ctx, err)
	}
	if int64(len(body)) > c.Most {
		return nil, &Error{Reason: TooLarge, Says: fmt.Sprintf("it is larger than %d bytes", c.Most)}
	}
	p.URL, p.Type, p.Body = u.String(), answer.Header.Get("Content-Type"), body
	return nil, nil
}

// why finds what an error of the connection comes of.
func (c *Client) why(ctx context.Context, err error) *Error {
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		header      tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, errPrivate):
		return &Error{Reason: Private, Says: "its name leads to an address that is not a public one", Err: err}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Error{Reason: TooLate, Says: fmt.Sprintf("it did not answer in full within %s", c.Within), Err: err}
	case ctx.Err() != nil:
		return &Error{Reason: Unreachable, Says: "the fetch was broken off", Err: ctx.Err()}
	case errors.As(err, &name):
		if name.IsNotFound {
			return &Error{Reason: NoHost, Says: "its name has no address", Err: err}
		}
		return &Error{Reason: Unreachable, Says: "its name could not be looked up", Err: err}
	case errors.As(err, &certificate):
		return &Error{Reason: BadCertificate, Says: "its certificate is not one for that name by an authority that this server trusts", Err: err}
	case errors.As(err, &header) || errors.Is(err, http.ErrSchemeMismatch):
		return &Error{Reason: Unreachable, Says: "what answers there speaks no TLS", Err: err}
	}
	return &Error{Reason: Unreachable, Says: "it cannot be reached, or its answer was cut off or is no HTTP", Err: err}
}

// clip keeps what a stranger wrote short enough to be repeated.
func clip(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
