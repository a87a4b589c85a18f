package domains

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

const (
	challenge = "_aiven-challenge.company.test"
	resolver  = "10.0.0.2:53" // where the network of a test has its resolver
	ns1       = "9.0.0.1:53"  // and servers of zones
	ns2       = "9.0.0.2:53"
)

// A network leads addresses to servers of a test. Where there is none, nobody
// answers.
type network struct {
	t  *testing.T
	mu sync.Mutex
	at map[string]string // address → where its server listens
}

func newNetwork(t *testing.T) *network {
	return &network{t: t, at: map[string]string{}}
}

// serve puts a server at an address, over UDP and TCP.
func (n *network) serve(address string, h dns.HandlerFunc) {
	n.t.Helper()
	for range 20 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			n.t.Fatal(err)
		}
		streams, err := net.Listen("tcp", packets.LocalAddr().String())
		if err != nil {
			packets.Close()
			continue // somebody else has that port for TCP
		}
		n.run(&dns.Server{PacketConn: packets, Handler: h})
		n.run(&dns.Server{Listener: streams, Handler: h})
		n.at[address] = packets.LocalAddr().String()
		return
	}
	n.t.Fatal("found no port that is free for both UDP and TCP")
}

func (n *network) run(s *dns.Server) {
	up, down := make(chan struct{}), make(chan struct{})
	s.NotifyStartedFunc = func() { close(up) }
	go func() {
		defer close(down)
		_ = s.ActivateAndServe() // ends with Shutdown, below
	}()
	<-up
	n.t.Cleanup(func() {
		_ = s.Shutdown()
		<-down
	})
}

func (n *network) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	to, served := n.at[address]
	n.mu.Unlock()
	if !served {
		return nil, fmt.Errorf("dial %s: %w", address, context.DeadlineExceeded)
	}
	return (&net.Dialer{}).DialContext(ctx, network, to)
}

func (n *network) resolver() *Resolver {
	return &Resolver{Server: resolver, Timeout: 3 * time.Second, Dial: n.dial}
}

// records answers from lines of a zone file.
type records struct {
	authoritative bool
	stops         bool // at a CNAME, with nothing of where it leads
	lines         []string
	status        int // of every answer, unless 0
}

func rr(t testing.TB, line string) dns.RR {
	t.Helper()
	r, err := dns.NewRR(line)
	if err != nil {
		t.Fatalf("read %q: %v", line, err)
	}
	return r
}

func (z records) handler(t testing.TB) dns.HandlerFunc {
	var all []dns.RR
	for _, line := range z.lines {
		all = append(all, rr(t, line))
	}
	return func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Authoritative, m.Rcode = z.authoritative, z.status
		name, exists := dns.CanonicalName(q.Question[0].Name), false
		for range 12 {
			to := ""
			for _, r := range all {
				if dns.CanonicalName(r.Header().Name) != name {
					continue
				}
				exists = true
				c, alias := r.(*dns.CNAME)
				if alias {
					to = c.Target
				}
				if alias || r.Header().Rrtype == q.Question[0].Qtype {
					m.Answer = append(m.Answer, r)
				}
			}
			if to == "" || z.stops {
				break
			}
			name = to
		}
		for _, r := range all {
			if r.Header().Rrtype == dns.TypeSOA && dns.IsSubDomain(r.Header().Name, name) {
				m.Ns = []dns.RR{r}
			}
		}
		if len(m.Answer) > 0 {
			m.Ns = nil
		} else if !exists && z.status == 0 {
			m.Rcode = dns.RcodeNameError
		}
		size := dns.MinMsgSize
		if o := q.IsEdns0(); o != nil {
			size = int(o.UDPSize())
		}
		if w.LocalAddr().Network() == "udp" {
			m.Truncate(size)
		}
		_ = w.WriteMsg(m)
	}
}

// delegation is what a resolver knows of company.test: who serves it.
var delegation = []string{
	"company.test. 60 IN SOA ns1.host.test. admin.host.test. 1 60 60 60 60",
	"company.test. 60 IN NS ns1.host.test.", "company.test. 60 IN NS ns2.host.test.",
	"ns1.host.test. 60 IN A 9.0.0.1", "ns2.host.test. 60 IN A 9.0.0.2",
}

func with(lines ...string) []string {
	return append(append([]string{}, delegation...), lines...)
}

func txt(name, value string) string { return fmt.Sprintf("%s. 60 IN TXT %q", name, value) }

const soa = "company.test. 60 IN SOA ns1.host.test. admin.host.test. 2 60 60 60 60"

func TestWhatServersSayOfARecord(t *testing.T) {
	none := records{lines: delegation}
	failing, refusing := records{status: dns.RcodeServerFailure}, records{status: dns.RcodeRefused}
	has := func(lines ...string) *records { return &records{authoritative: true, lines: append(lines, soa)} }
	tests := map[string]struct {
		resolver records
		ns1, ns2 *records // nil: dead
		want     []string
		unsure   bool
		said     string // is among what was asked and came
	}{
		"the resolver has it":                              {resolver: records{lines: with(txt(challenge, "token=x"))}, want: []string{"token=x"}},
		"several strings are one value":                    {resolver: records{lines: []string{challenge + `. 60 IN TXT "token=" "x"`}}, want: []string{"token=x"}},
		"a value with quotes and other bytes":              {resolver: records{lines: []string{challenge + `. 60 IN TXT "a\"b\\c\200"`}}, want: []string{"a\"b\\c\xc8"}},
		"the zone has it, and the resolver not yet":        {resolver: none, ns1: has(txt(challenge, "new")), ns2: has(txt(challenge, "new")), want: []string{"new"}},
		"one server of the zone lags":                      {resolver: none, ns1: has(), ns2: has(txt(challenge, "new")), want: []string{"new"}},
		"one server of the zone is dead":                   {resolver: none, ns2: has(txt(challenge, "new")), want: []string{"new"}},
		"nobody has it":                                    {resolver: none, ns1: has(), ns2: has(), said: "NXDOMAIN"},
		"there is something else at the name":              {resolver: none, ns1: has(challenge + ". 60 IN A 9.9.9.9"), ns2: has(challenge + ". 60 IN A 9.9.9.9"), said: "NOERROR"},
		"the resolver alone can be heard":                  {resolver: none, said: "no answer within"},
		"the zone's servers do not serve it":               {resolver: none, ns1: &records{lines: []string{soa}}, ns2: &refusing, said: "but it does not serve company.test"},
		"the resolver fails altogether":                    {resolver: failing, unsure: true, said: "SERVFAIL"},
		"the resolver refuses":                             {resolver: refusing, unsure: true, said: "REFUSED"},
		"CNAME, whole":                                     {resolver: records{lines: with(challenge+". 60 IN CNAME v.dns.test.", txt("v.dns.test", "there"))}, want: []string{"there"}},
		"CNAME known to the zone's server":                 {resolver: records{lines: with(txt("v.dns.test", "there"))}, ns1: has(challenge + ". 60 IN CNAME v.dns.test."), ns2: has(challenge + ". 60 IN CNAME v.dns.test."), want: []string{"there"}},
		"a zone's server speaks for its zone alone":        {resolver: records{lines: with("dns.test. 60 IN SOA a. b. 1 1 1 1 1")}, ns1: has(challenge+". 60 IN CNAME v.dns.test.", txt("v.dns.test", "forged")), ns2: has(challenge+". 60 IN CNAME v.dns.test.", txt("v.dns.test", "forged")), said: "CNAME to v.dns.test"},
		"CNAME that the resolver does not follow":          {resolver: records{stops: true, lines: with(challenge+". 60 IN CNAME v.dns.test.", "v.dns.test. 60 IN CNAME w.dns.test.", txt("w.dns.test", "there"))}, want: []string{"there"}, said: "CNAME to w.dns.test"},
		"two CNAME that lead to each other, one at a time": {resolver: records{stops: true, lines: []string{challenge + ". 60 IN CNAME b.test.", "b.test. 60 IN CNAME " + challenge + "."}}, unsure: true, said: "in a circle"},
		"more CNAME than are followed, one at a time":      {resolver: records{stops: true, lines: chain(9)}, unsure: true, said: "too long"},
		"CNAME to itself":                                  {resolver: records{lines: []string{challenge + ". 60 IN CNAME " + challenge + "."}}, unsure: true, said: "in a circle"},
		"two CNAME that lead to each other":                {resolver: records{lines: []string{challenge + ". 60 IN CNAME b.test.", "b.test. 60 IN CNAME " + challenge + "."}}, unsure: true, said: "in a circle"},
		"more CNAME than are followed":                     {resolver: records{lines: chain(9)}, unsure: true, said: "too long"},
		"as many CNAME as are followed":                    {resolver: records{lines: chain(8)}, want: []string{"end"}},
		"more than one packet holds comes over TCP":        {resolver: records{lines: []string{long(4000)}}, want: []string{strings.Repeat("x", 4000)}, said: "truncated"},
		"a value is taken up to its bound":                 {resolver: records{lines: []string{long(5000)}}, want: []string{strings.Repeat("x", 4096)}},
		"what the resolver has is believed, though old":    {resolver: records{lines: with(txt(challenge, "old"))}, ns1: has(txt(challenge, "new")), want: []string{"old"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			n.serve(resolver, tt.resolver.handler(t))
			for at, z := range map[string]*records{ns1: tt.ns1, ns2: tt.ns2} {
				if z != nil {
					n.serve(at, z.handler(t))
				}
			}
			got := n.resolver().TXT(t.Context(), challenge)
			if diff := cmp.Diff(tt.want, got.Values); diff != "" || got.Unsure != tt.unsure {
				t.Errorf("got unsure=%v, want %v; values -want +got:\n%s\n%s", got.Unsure, tt.unsure, diff, saying(got))
			}
			if !strings.Contains(saying(got), tt.said) {
				t.Errorf("got %s, want %q in it", saying(got), tt.said)
			}
		})
	}
}

// saying writes all that was asked and came, a line each.
func saying(l Look) string {
	var b strings.Builder
	for _, q := range l.Asked {
		fmt.Fprintf(&b, "%s %s %s %s: %s\n", q.Server, q.Network, q.Type, q.Name, q.Outcome)
	}
	return b.String()
}

// chain is a chain of so many CNAME to a value.
func chain(links int) []string {
	var lines []string
	at := challenge
	for i := range links {
		next := fmt.Sprintf("c%d.test", i)
		lines = append(lines, at+". 60 IN CNAME "+next+".")
		at = next
	}
	return append(lines, txt(at, "end"))
}

// long is a record of so many bytes, which has to be a multiple of 250.
func long(size int) string {
	return challenge + ". 60 IN TXT" + strings.Repeat(` "`+strings.Repeat("x", 250)+`"`, size/250)
}

func TestRecordsAreTakenUpToABound(t *testing.T) {
	var lines []string
	for i := range 200 {
		lines = append(lines, txt(challenge, fmt.Sprint(i)))
	}
	n := newNetwork(t)
	n.serve(resolver, records{lines: lines}.handler(t))
	if got := n.resolver().TXT(t.Context(), challenge); len(got.Values) != 100 || got.Unsure {
		t.Errorf("got %d values, unsure %v; want 100", len(got.Values), got.Unsure)
	}
}

func TestAnswersToSomethingElseAreNoAnswers(t *testing.T) {
	good := func(q *dns.Msg) *dns.Msg {
		m := new(dns.Msg).SetReply(q)
		m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{"forged"}}}
		return m
	}
	bend := map[string]func(*dns.Msg){
		"another id":                            func(m *dns.Msg) { m.Id++ },
		"another name":                          func(m *dns.Msg) { m.Question[0].Name = "evil.test." },
		"another type":                          func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeA },
		"another class":                         func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS },
		"two questions":                         func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) },
		"no question":                           func(m *dns.Msg) { m.Question = nil },
		"a question of its own":                 func(m *dns.Msg) { m.Response = false },
		"a record at another name":              func(m *dns.Msg) { m.Answer[0].Header().Name = "evil.test." },
		"a record of another class":             func(m *dns.Msg) { m.Answer[0].Header().Class = dns.ClassCHAOS },
		"a value at a name that does not exist": func(m *dns.Msg) { m.Rcode = dns.RcodeNameError },
		"a value under a status of failure":     func(m *dns.Msg) { m.Rcode = dns.RcodeServerFailure },
	}
	for name, change := range bend {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			n.serve(resolver, func(w dns.ResponseWriter, q *dns.Msg) {
				m := good(q)
				change(m)
				_ = w.WriteMsg(m)
			})
			if got := n.resolver().TXT(t.Context(), challenge); len(got.Values) > 0 {
				t.Errorf("got %q believed\n%s", got.Values, saying(got))
			}
		})
	}
	t.Run("forged ones before the real one", func(t *testing.T) {
		n := newNetwork(t)
		n.serve(resolver, func(w dns.ResponseWriter, q *dns.Msg) {
			m := good(q)
			m.Id++
			_ = w.WriteMsg(m)
			_, _ = w.Write([]byte("garbage"))
			m = good(q)
			m.Answer[0].(*dns.TXT).Txt = []string{"real"}
			_ = w.WriteMsg(m)
		})
		if diff := cmp.Diff([]string{"real"}, n.resolver().TXT(t.Context(), challenge).Values); diff != "" {
			t.Errorf("values -want +got:\n%s", diff)
		}
	})
	t.Run("from another address", func(t *testing.T) {
		n := newNetwork(t)
		n.serve(resolver, func(w dns.ResponseWriter, q *dns.Msg) {
			if w.LocalAddr().Network() != "udp" {
				w.Close()
				return
			}
			other, err := net.Dial("udp", w.RemoteAddr().String())
			if err != nil {
				return
			}
			defer other.Close()
			b, _ := good(q).Pack()
			_, _ = other.Write(b)
		})
		if got := n.resolver().TXT(t.Context(), challenge); !got.Unsure {
			t.Errorf("got %q, want nothing known\n%s", got.Values, saying(got))
		}
	})
}

func TestServersThatAreOldOrOdd(t *testing.T) {
	plain := records{lines: []string{txt(challenge, "x")}}.handler(t)
	udp := func(w dns.ResponseWriter) bool { return w.LocalAddr().Network() == "udp" }
	said := map[string]string{
		"refuses EDNS":                         "FORMERR",
		"refuses EDNS, and repeats nothing":    "FORMERR",
		"repeats names in lower case over UDP": "does not repeat the question",
		"is silent over UDP":                   "no answer within",
	}
	tests := map[string]dns.HandlerFunc{
		"refuses EDNS": func(w dns.ResponseWriter, q *dns.Msg) {
			if q.IsEdns0() != nil {
				_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeFormatError))
				return
			}
			plain(w, q)
		},
		"refuses EDNS, and repeats nothing": func(w dns.ResponseWriter, q *dns.Msg) {
			if q.IsEdns0() != nil {
				m := new(dns.Msg).SetRcode(q, dns.RcodeFormatError)
				m.Question = nil
				_ = w.WriteMsg(m)
				return
			}
			plain(w, q)
		},
		"repeats names in lower case over UDP": func(w dns.ResponseWriter, q *dns.Msg) {
			if udp(w) {
				q.Question[0].Name = strings.ToLower(q.Question[0].Name)
			}
			plain(w, q)
		},
		"is silent over UDP": func(w dns.ResponseWriter, q *dns.Msg) {
			if !udp(w) {
				plain(w, q)
			}
		},
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			n.serve(resolver, h)
			got := n.resolver().TXT(t.Context(), challenge)
			if diff := cmp.Diff([]string{"x"}, got.Values); diff != "" || !strings.Contains(saying(got), said[name]) {
				t.Errorf("want %q said; values -want +got:\n%s\n%s", said[name], diff, saying(got))
			}
		})
	}
}

func TestWhatDNSSECRefusesIsNotAskedForElsewhere(t *testing.T) {
	n := newNetwork(t)
	bogus, fine := records{status: dns.RcodeServerFailure}.handler(t), records{lines: with(txt(challenge, "forged"))}.handler(t)
	n.serve(resolver, func(w dns.ResponseWriter, q *dns.Msg) {
		if q.Question[0].Qtype == dns.TypeTXT && !q.CheckingDisabled {
			bogus(w, q)
			return
		}
		fine(w, q)
	})
	n.serve(ns1, records{authoritative: true, lines: []string{soa, txt(challenge, "forged")}}.handler(t))
	n.at[ns2] = n.at[ns1]
	if got := n.resolver().TXT(t.Context(), challenge); !got.Unsure || len(got.Values) > 0 {
		t.Errorf("got %q, unsure %v; want nothing known\n%s", got.Values, got.Unsure, saying(got))
	}
}

func TestAFailingResolverDoesNotHideWhatTheZoneHas(t *testing.T) {
	n := newNetwork(t)
	fails, knows := records{status: dns.RcodeServerFailure}.handler(t), records{lines: delegation}.handler(t)
	n.serve(resolver, func(w dns.ResponseWriter, q *dns.Msg) {
		if q.Question[0].Qtype == dns.TypeTXT {
			fails(w, q)
			return
		}
		knows(w, q)
	})
	n.serve(ns1, records{authoritative: true, lines: []string{soa, txt(challenge, "x")}}.handler(t))
	n.at[ns2] = n.at[ns1]
	got := n.resolver().TXT(t.Context(), challenge)
	if diff := cmp.Diff([]string{"x"}, got.Values); diff != "" {
		t.Errorf("values -want +got:\n%s\n%s", diff, saying(got))
	}
}

func TestReferralsAreFollowedDownToTheZone(t *testing.T) {
	refer := func(records ...string) dns.HandlerFunc {
		return func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg).SetReply(q)
			for _, line := range records {
				if r := rr(t, line); r.Header().Rrtype == dns.TypeNS {
					m.Ns = append(m.Ns, r)
				} else {
					m.Extra = append(m.Extra, r)
				}
			}
			_ = w.WriteMsg(m)
		}
	}
	n := newNetwork(t)
	n.serve(resolver, records{lines: []string{
		"test. 60 IN SOA a. b. 1 1 1 1 1", "test. 60 IN NS ns1.test.", "ns1.test. 60 IN A 9.0.0.1",
	}}.handler(t))
	n.serve(ns1, refer("company.test. 60 IN NS ns2.company.test.", "ns2.company.test. 60 IN A 9.0.0.2"))
	n.serve(ns2, records{authoritative: true, lines: []string{soa, txt(challenge, "x")}}.handler(t))
	got := n.resolver().TXT(t.Context(), challenge)
	if diff := cmp.Diff([]string{"x"}, got.Values); diff != "" {
		t.Errorf("values -want +got:\n%s\n%s", diff, saying(got))
	}
}

func TestAZoneSaysOfItsOwnServersAloneWhereTheyAre(t *testing.T) {
	n := newNetwork(t)
	n.serve(resolver, records{lines: []string{
		"test. 60 IN SOA a. b. 1 1 1 1 1", "test. 60 IN NS ns1.test.", "ns1.test. 60 IN A 9.0.0.1", "ns.host.example. 60 IN A 9.0.0.3",
	}}.handler(t))
	n.serve(ns1, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Ns = []dns.RR{rr(t, "company.test. 60 IN NS ns.host.example.")}
		m.Extra = []dns.RR{rr(t, "ns.host.example. 60 IN A 9.0.0.2")}
		_ = w.WriteMsg(m)
	})
	n.serve(ns2, records{authoritative: true, lines: []string{soa, txt(challenge, "forged")}}.handler(t))
	n.serve("9.0.0.3:53", records{authoritative: true, lines: []string{soa, txt(challenge, "x")}}.handler(t))
	got := n.resolver().TXT(t.Context(), challenge)
	if diff := cmp.Diff([]string{"x"}, got.Values); diff != "" {
		t.Errorf("values -want +got:\n%s\n%s", diff, saying(got))
	}
}

// elsewhere is a connection that seems to lead to a public address.
type elsewhere struct{ *net.UDPConn }

func (elsewhere) RemoteAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(9, 9, 9, 9), Port: 53} }

func TestAPublicResolverLeadsToNoPrivateAddress(t *testing.T) {
	n := newNetwork(t)
	n.serve(resolver, records{lines: []string{soa, "company.test. 60 IN NS ns.host.test.", "ns.host.test. 60 IN A 10.1.2.3"}}.handler(t))
	n.serve("10.1.2.3:53", records{authoritative: true, lines: []string{soa, txt(challenge, "x")}}.handler(t))
	r := n.resolver()
	r.AllowPrivate = true
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := n.dial(ctx, network, address)
		if u, is := c.(*net.UDPConn); is && err == nil {
			return elsewhere{u}, nil
		}
		return c, err
	}
	if got := r.TXT(t.Context(), challenge); len(got.Values) > 0 || !strings.Contains(saying(got), "not asked") {
		t.Errorf("got %q, want the private address not asked\n%s", got.Values, saying(got))
	}
}

func TestServersOfZonesInOnesOwnNetworkAreNotAsked(t *testing.T) {
	addresses := []string{"127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"}
	for _, at := range addresses {
		for name, allowed := range map[string]bool{"not allowed": false, "allowed": true} {
			t.Run(at+" "+name, func(t *testing.T) {
				t.Parallel()
				n := newNetwork(t)
				n.serve(resolver, records{lines: []string{soa, "company.test. 60 IN NS ns.host.test.", "ns.host.test. 60 IN A " + at}}.handler(t))
				n.serve(at+":53", records{authoritative: true, lines: []string{soa, txt(challenge, "x")}}.handler(t))
				r := n.resolver()
				r.AllowPrivate = allowed
				got := r.TXT(t.Context(), challenge)
				want := allowed && (at == "127.0.0.1" || at == "10.1.2.3")
				if asked := len(got.Values) > 0; asked != want {
					t.Errorf("got asked %v, want %v\n%s", asked, want, saying(got))
				}
			})
		}
	}
}

func TestALookSendsABoundedNumberOfQuestions(t *testing.T) {
	var count atomic.Int64
	n := newNetwork(t)
	n.serve(resolver, func(w dns.ResponseWriter, q *dns.Msg) {
		count.Add(1)
		if q.IsEdns0() != nil {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeFormatError))
			return
		}
		m := new(dns.Msg).SetReply(q)
		name := q.Question[0].Name
		switch q.Question[0].Qtype {
		case dns.TypeTXT:
			m.Ns = []dns.RR{rr(t, soa)}
		case dns.TypeNS:
			for i := range 10 {
				m.Answer = append(m.Answer, rr(t, fmt.Sprintf("%s 60 IN NS n%d.test.", name, i)))
			}
		case dns.TypeAAAA:
			m.Answer = []dns.RR{rr(t, fmt.Sprintf("%s 60 IN AAAA 2600::%d", name, count.Load()))}
		}
		_ = w.WriteMsg(m)
	})
	r := n.resolver()
	r.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != resolver {
			count.Add(1)
		}
		return n.dial(ctx, network, address)
	}
	got := r.TXT(t.Context(), challenge)
	if sent := count.Load(); len(got.Asked) != mostQuestions || sent != mostQuestions {
		t.Errorf("got %d questions written down and %d sent, want %d\n%s", len(got.Asked), sent, mostQuestions, saying(got))
	}
}

func TestTheResolverIsCheckedByAskingForTheRoot(t *testing.T) {
	tests := map[string]struct {
		with *records
		fine bool
	}{
		"one that knows it": {&records{lines: []string{". 60 IN NS a.root.test."}}, true},
		"one that refuses":  {&records{status: dns.RcodeRefused}, false},
		"none":              {nil, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			if tt.with != nil {
				n.serve(resolver, tt.with.handler(t))
			}
			q, err := n.resolver().Check(t.Context())
			if (err == nil) != tt.fine || q.Server != resolver || q.Type != "NS" || q.Name != "." {
				t.Errorf("got %+v, %v; want fine %v", q, err, tt.fine)
			}
		})
	}
}

func TestTheSystemsResolversAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte("search x.test\nnameserver 10.0.0.1\nnameserver fd00::1\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"10.0.0.1:53", "[fd00::1]:53", "10.0.0.3:53"}, systemResolvers(path)); diff != "" {
		t.Errorf("resolvers -want +got:\n%s", diff)
	}
	if got := systemResolvers(path + ".none"); got != nil {
		t.Errorf("got %q of a file that is not there, want none", got)
	}
}
