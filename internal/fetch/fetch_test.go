package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// host is the name that httptest's certificates are for.
const host = "example.com"

// site is a web server on loopback, and a client that reaches it by any name.
func site(t *testing.T, h http.HandlerFunc) (*Client, *httptest.Server) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &Client{Most: 100, Within: 5 * time.Second, UserAgent: "Gatehouse", Roots: roots, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
	}}, s
}

// fails checks for an error of a reason, that says something.
func fails(t *testing.T, err error, want Reason) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %s", err, want)
	}
	if e.Reason != want || e.Says == "" {
		t.Errorf("got %s (%s; %v), want %s", e.Reason, e.Says, e.Err, want)
	}
	return e
}

func TestAPageIsFetchedWithNothingOfOurs(t *testing.T) {
	var got http.Header
	c, _ := site(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "hello")
	})
	p, err := c.Get(t.Context(), "https://EXAMPLE.com:443/a?b=c#d")
	if err != nil {
		t.Fatalf("got %v", err)
	}
	if string(p.Body) != "hello" || p.Type != "text/plain" || p.URL != "https://example.com/a?b=c" {
		t.Errorf("got %q of type %q from %s", p.Body, p.Type, p.URL)
	}
	if len(p.Steps) != 1 || p.Steps[0].Outcome != "200 OK" || p.Steps[0].URL != "https://example.com/a?b=c" {
		t.Errorf("got the steps %+v, want one", p.Steps)
	}
	if len(got) != 2 || got.Get("User-Agent") != "Gatehouse" || got.Get("Connection") != "close" {
		t.Errorf("got the headers %v, want the agent, and that the connection ends", got)
	}
}

func TestWhatIsNoAddressToFetchFromIsRefusedUnasked(t *testing.T) {
	c := &Client{Most: 1, Within: time.Second, Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("somebody was asked")
		return nil, io.EOF
	}}
	for address, want := range map[string]Reason{
		"":                          NotHTTPS,
		"company.com":               NotHTTPS,
		"http://company.com/":       NotHTTPS,
		"file:///etc/passwd":        NotHTTPS,
		"gopher://company.com/":     NotHTTPS,
		"ftp://company.com/":        NotHTTPS,
		"//company.com/":            NotHTTPS,
		"https:company.com":         BadAddress,
		"https://":                  BadAddress,
		"https:///page":             BadAddress,
		"https://:443/":             BadAddress,
		"https://company.com:x/":    BadAddress,
		"https://u:p@company.com/":  BadAddress,
		"https://u@company.com/":    BadAddress,
		"https://a b/":              BadAddress,
		"https://company.com/\r\nX": BadAddress,
		"https://a/" + strings.Repeat("x", mostAddress): BadAddress,
	} {
		_, err := c.Get(t.Context(), address)
		if e := fails(t, err, want); strings.Contains(e.Says, "u:p") {
			t.Errorf("got %q, which repeats a password", e.Says)
		}
	}
}

func TestAddressesThatAreNotTheInternets(t *testing.T) {
	for _, ip := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
		"64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "64:ff9b::1:8.8.8.8",
		"100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1", "4000::1", "5f00::1",
		"fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2606:4700::1%eth0", "fec0::1", "ff02::1",
	} {
		if at := netip.AddrPortFrom(netip.MustParseAddr(ip), 443).String(); isPublic(at) {
			t.Errorf("%s: got a public address, want one to keep away from", at)
		}
	}
	for _, ip := range []string{"1.1.1.1", "9.9.9.9", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2003::1"} {
		if at := netip.AddrPortFrom(netip.MustParseAddr(ip), 443).String(); !isPublic(at) {
			t.Errorf("%s: got one to keep away from, want a public address", at)
		}
	}
	for _, no := range []string{"", "1.1.1.1", "company.com:443", "/run/socket"} {
		if isPublic(no) {
			t.Errorf("%q: got a public address, want none", no)
		}
	}
}

// names is a resolver of one server in this process, which answers each
// question for an address by what ask gives.
func names(t *testing.T, ask func(name string) []string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, peer, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if out, err := answer(buf[:n], ask); err == nil {
				conn.WriteTo(out, peer)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func answer(question []byte, ask func(name string) []string) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	q := m.Questions[0]
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	addresses := ask(strings.TrimSuffix(q.Name.String(), "."))
	if addresses == nil {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, text := range addresses {
		ip := netip.MustParseAddr(text)
		r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET}}
		switch {
		case ip.Is4() && q.Type == dnsmessage.TypeA:
			r.Body = &dnsmessage.AResource{A: ip.As4()}
		case ip.Is6() && q.Type == dnsmessage.TypeAAAA:
			r.Body = &dnsmessage.AAAAResource{AAAA: ip.As16()}
		default:
			continue
		}
		m.Answers = append(m.Answers, r)
	}
	return m.Pack()
}

// guarded is a client as servers have it, and a web server on loopback that it
// must not reach, on the port given.
func guarded(t *testing.T, ask func(name string) []string) (c *Client, port string, reached *atomic.Int64) {
	t.Helper()
	reached = &atomic.Int64{}
	c, s := site(t, func(http.ResponseWriter, *http.Request) {})
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			reached.Add(1)
		}
	}
	c.Dial, c.Resolver = nil, names(t, ask)
	return c, port, reached
}

func TestNoNameLeadsToThisMachineOrItsNetwork(t *testing.T) {
	addresses := map[string][]string{
		"four.test": {"127.0.0.1"}, "six.test": {"::1"}, "mapped.test": {"::ffff:127.0.0.1"}, "nat64.test": {"64:ff9b::127.0.0.1"},
		"both.test": {"127.0.0.1", "::1"}, "link.test": {"169.254.169.254"}, "net.test": {"10.0.0.1", "fd00::1"}, "localhost": {"127.0.0.1"}, "zero.test": {"0.0.0.0"}, "any.test": {"::"},
	}
	c, port, reached := guarded(t, func(name string) []string { return addresses[name] })
	for name := range addresses {
		_, err := c.Get(t.Context(), "https://"+net.JoinHostPort(name, port)+"/")
		fails(t, err, Private)
	}
	for _, literal := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0.0.0.0", "::"} {
		_, err := c.Get(t.Context(), "https://"+net.JoinHostPort(literal, port)+"/")
		fails(t, err, Private)
	}
	// Forms of 127.0.0.1 that some programs read: to us they are names.
	for _, odd := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1"} {
		p, err := c.Get(t.Context(), "https://"+net.JoinHostPort(odd, port)+"/")
		if err == nil {
			t.Errorf("%s: got %q, want an error", odd, p.Body)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("got %d connections to this machine, want none", n)
	}
}

func TestANameIsLookedUpOnceAndJudgedByWhatIsConnectedTo(t *testing.T) {
	// Whoever looks a name up to judge it, and once more to connect, can be
	// told two things.
	var asked atomic.Int64
	c, port, reached := guarded(t, func(string) []string {
		asked.Add(1)
		return []string{"127.0.0.1"}
	})
	for range 3 {
		asked.Store(0)
		_, err := c.Get(t.Context(), "https://"+net.JoinHostPort("rebind.test", port)+"/")
		fails(t, err, Private)
		if n := asked.Load(); n != 2 { // of IPv4 and of IPv6
			t.Errorf("got %d questions, want one of each kind", n)
		}
	}
	if reached.Load() != 0 {
		t.Error("this machine was reached")
	}
}

func TestRedirectsAreFollowedToTheSameHostAlone(t *testing.T) {
	to := ""
	asked := 0
	c, _ := site(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path == "/end" {
			if r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" {
				t.Errorf("got %v, want neither cookie nor referrer", r.Header)
			}
			io.WriteString(w, "end")
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b", Path: "/"})
		w.Header()["Location"] = []string{to}
		w.WriteHeader(http.StatusFound)
	})
	for _, to = range []string{"/end", "https://example.com/end", "https://example.com:443/end", "https://EXAMPLE.COM/end#x", "end"} {
		p, err := c.Get(t.Context(), "https://"+host+"/")
		if err != nil || string(p.Body) != "end" || p.URL != "https://example.com/end" {
			t.Errorf("to %s: got %q from %s, %v", to, p.Body, p.URL, err)
		}
		if len(p.Steps) != 2 || p.Steps[0].Outcome != "redirect to https://example.com/end" {
			t.Errorf("to %s: got the steps %+v", to, p.Steps)
		}
	}
	for _, to = range []string{
		"https://evil.test/end", "https://www.example.com/end", "https://example.com:8443/end", "http://example.com/end", "//evil.test/end",
		"https://u:p@example.com/end", "https://127.0.0.1/end", "file:///end", "javascript:alert(1)", "https://example.com.evil.test/",
	} {
		asked = 0
		p, err := c.Get(t.Context(), "https://"+host+"/")
		fails(t, err, Elsewhere)
		if asked != 1 || len(p.Steps) != 1 || p.Body != nil {
			t.Errorf("to %s: got %d requests and the steps %+v, want one", to, asked, p.Steps)
		}
		if strings.Contains(err.Error(), "u:p") || strings.Contains(fmt.Sprint(p.Steps), "u:p") {
			t.Errorf("to %s: got %v, which repeats a password", to, err)
		}
	}
	to, asked = "/loop", 0
	p, err := c.Get(t.Context(), "https://"+host+"/loop")
	fails(t, err, Elsewhere)
	if asked != mostRedirects+1 || len(p.Steps) != asked {
		t.Errorf("a loop: got %d requests and %d steps, want %d", asked, len(p.Steps), mostRedirects+1)
	}
	to = ""
	_, err = c.Get(t.Context(), "https://"+host+"/")
	fails(t, err, Status)
}

func TestABodyIsBounded(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 1<<20))
	z.Close()
	size := 0
	c, _ := site(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/zip":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb.Bytes())
		case "/header":
			w.Header().Set("X", strings.Repeat("x", 40<<10))
		default:
			w.Write(make([]byte, size))
		}
	})
	for _, size = range []int{99, 100} {
		if p, err := c.Get(t.Context(), "https://"+host+"/"); err != nil || len(p.Body) != size {
			t.Errorf("%d bytes: got %d, %v", size, len(p.Body), err)
		}
	}
	size = 101
	p, err := c.Get(t.Context(), "https://"+host+"/")
	fails(t, err, TooLarge)
	if p.Body != nil {
		t.Error("got a part of what is too large")
	}
	_, err = c.Get(t.Context(), "https://"+host+"/endless")
	fails(t, err, TooLarge)
	_, err = c.Get(t.Context(), "https://"+host+"/header")
	fails(t, err, Unreachable)
	c.Most = 4 << 10
	if p, err := c.Get(t.Context(), "https://"+host+"/zip"); err != nil || len(p.Body) != bomb.Len() {
		t.Errorf("packed: got %d bytes, %v, want the %d that were sent", len(p.Body), err, bomb.Len())
	}
}

func TestTimeIsBounded(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	c, _ := site(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/drip" {
			for range 1000 {
				w.Write([]byte("x"))
				if http.NewResponseController(w).Flush() != nil {
					return
				}
				select {
				case <-time.After(20 * time.Millisecond):
				case <-over:
					return
				}
			}
		}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	})
	c.Within = 150 * time.Millisecond
	for _, path := range []string{"/silent", "/drip"} {
		_, err := c.Get(t.Context(), "https://"+host+path)
		fails(t, err, TooLate)
	}
	c.Within = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.Get(ctx, "https://"+host+"/silent")
	if fails(t, err, TooLate); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the end of the caller's time among its causes", err)
	}
	// Somebody who takes the connection and never speaks TLS.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c.Within = 150 * time.Millisecond
	c.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, silent.Addr().String())
	}
	_, err = c.Get(t.Context(), "https://"+host+"/")
	fails(t, err, TooLate)
}

func TestWhoAnswersHasToShowWhoTheyAre(t *testing.T) {
	c, _ := site(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	_, err := c.Get(t.Context(), "https://company.test/")
	fails(t, err, BadCertificate)
	c.Roots = x509.NewCertPool()
	_, err = c.Get(t.Context(), "https://"+host+"/")
	fails(t, err, BadCertificate)
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	c.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, plain.Listener.Addr().String())
	}
	_, err = c.Get(t.Context(), "https://"+host+"/")
	fails(t, err, Unreachable)
}

func TestOtherStatusesAreNoPages(t *testing.T) {
	status := 0
	c, _ := site(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	for _, status = range []int{201, 204, 206, 304, 401, 403, 404, 410, 429, 500, 503} {
		_, err := c.Get(t.Context(), "https://"+host+"/")
		if e := fails(t, err, Status); e.Code != status {
			t.Errorf("got %d, want %d", e.Code, status)
		}
	}
}

func TestNoProxyOfTheEnvironmentIsAsked(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	c, _ := site(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	if _, err := c.Get(t.Context(), "https://"+host+"/"); err != nil {
		t.Errorf("got %v, want the page itself", err)
	}
	// The environment is read once, perhaps before this test.
	inner, done := c.client()
	defer done()
	if inner.Transport.(*http.Transport).Proxy != nil || inner.Jar != nil {
		t.Error("got a proxy or a jar for cookies, want neither")
	}
}

func TestNamesThatAreNotThereAreToldFromResolversThatFail(t *testing.T) {
	c, port, _ := guarded(t, func(string) []string { return nil })
	_, err := c.Get(t.Context(), "https://none.test:"+port+"/")
	fails(t, err, NoHost)
	c.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, io.EOF }}
	_, err = c.Get(t.Context(), "https://none.test:"+port+"/")
	fails(t, err, Unreachable)
}

func TestNetworksThatAreNamedAreReachedAndNoOthers(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "https://"+r.Host+"/", http.StatusFound)
			return
		}
		io.WriteString(w, "hello")
	}))
	defer s.Close()
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	office := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name     string
		networks []netip.Prefix
		address  string
		want     Reason
	}{
		{"this machine, named", here, "http://127.0.0.1:" + port + "/", ""},
		{"this machine by its name, named", here, "http://localhost:" + port + "/", ""},
		{"this machine, not named", nil, "http://127.0.0.1:" + port + "/", NotHTTPS},
		{"this machine, another named", office, "http://127.0.0.1:" + port + "/", NotHTTPS},
		{"this machine over TLS, another named", office, "https://127.0.0.1:" + port + "/", Private},
		{"http elsewhere in a named network", office, "http://10.0.0.1/", NotHTTPS},
		{"http on the internet", here, "http://example.com/", NotHTTPS},
		{"another scheme", here, "ftp://127.0.0.1:" + port + "/", NotHTTPS},
		{"a link of the cloud", here, "https://169.254.169.254/", Private},
		{"a redirect to another scheme", here, "http://127.0.0.1:" + port + "/away", Elsewhere},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := &Client{Most: 100, Within: 5 * time.Second, Networks: c.networks}
			p, err := client.Get(t.Context(), c.address)
			if c.want != "" {
				fails(t, err, c.want)
				return
			}
			if err != nil || string(p.Body) != "hello" {
				t.Errorf("got %q, %v, want hello", p.Body, err)
			}
		})
	}
}
