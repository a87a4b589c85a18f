package domains

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// The bounds of one look, which goes to servers that strangers name.
const (
	wholeLook     = 10 * time.Second // Resolver.Timeout, unless said
	mostQuestions = 30               // sent, those sent again among them
	mostResolvers = 3                // of those that the system names
	mostServers   = 6                // of one zone
	mostReferrals = 8                // from zone to zone
	mostLinks     = 8                // of CNAME
	mostRecords   = 100
	mostValue     = 4096 // bytes of one TXT record, its strings joined
)

// resolvConf says which resolvers the system has.
const resolvConf = "/etc/resolv.conf"

// A Resolver looks TXT records up. It asks the configured resolver; where that
// one finds none, or fails, it asks the servers of the zone itself: a resolver
// remembers for up to hours that there was no record, and somebody who has just
// published one does not want to wait.
//
// A record that the configured resolver has is believed as it is. That there is
// none is believed of a server of the zone; and of the configured resolver only
// if no server of the zone can be heard, as where a firewall lets nobody but
// the resolver out. Everything else is no knowledge: Look.Unsure. Two servers
// of a zone are asked before it is believed that there is none, if there are
// two, since one may lag behind.
//
// What the configured resolver refuses because its DNSSEC signatures are wrong
// is not asked for elsewhere. Otherwise the servers of a zone are believed
// without signatures: an attacker on the way to them can forge an answer, one
// beside it cannot, who would have to guess an id, a port and the case of
// the letters of the name (draft-vixie-dnsext-dns0x20).
type Resolver struct {
	Server string // host:port of the configured resolver; empty: the system's, of /etc/resolv.conf

	// Timeout is how long a whole look may take, 10 s if zero. A question that
	// nobody answers within a tenth of it is asked again, and then over TCP.
	Timeout time.Duration

	// AllowPrivate lets servers of a zone be asked at loopback and private
	// addresses, if the configured resolver is at such an address too: for an
	// intranet. Otherwise a stranger could have a question sent into it.
	AllowPrivate bool

	Now func() time.Time // for Query.Took; nil: the clock is not asked

	// Dial connects to a server; nil is net.Dialer. Tests lead the addresses
	// of zones' servers, whose port is always 53, to servers of their own. What
	// it gives for udp has to take answers from the address asked alone.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// TXT implements Looker. It takes 10 s at most, or what Timeout says, and sends
// 30 questions at most.
func (r *Resolver) TXT(ctx context.Context, name string) Look {
	ctx, cancel := context.WithTimeout(ctx, r.whole())
	defer cancel()
	name = dns.CanonicalName(name)
	s := &search{r: r, left: mostQuestions, seen: map[string]bool{name: true}}
	if _, ok := dns.IsDomainName(name); !ok {
		return Look{Unsure: true}
	}
	for {
		f := s.step(ctx, name)
		if f.verdict == moved {
			name = f.to
			continue
		}
		return Look{Values: f.values, Asked: s.asked, Unsure: f.verdict == unknown}
	}
}

// Check asks the configured resolver for the servers of the root, which every
// resolver knows. It takes 3 s at most. The error says what is wrong.
func (r *Resolver) Check(ctx context.Context) (Query, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	s := &search{r: r, left: mostQuestions}
	m := s.recurse(ctx, ".", dns.TypeNS, false)
	var last Query
	if len(s.asked) > 0 {
		last = s.asked[len(s.asked)-1]
	}
	if m == nil || m.Rcode != dns.RcodeSuccess || last.Records == 0 {
		return last, &UselessResolver{Query: last}
	}
	return last, nil
}

// A UselessResolver is a configured resolver that does not know the root.
type UselessResolver struct {
	Query Query // the last one; without a Server if no resolver is configured
}

func (e *UselessResolver) Error() string {
	if e.Query.Server == "" {
		return "no resolver is configured: " + resolvConf + " names none"
	}
	return "the resolver " + e.Query.Server + " does not say who serves the root: " + e.Query.Outcome
}

func (r *Resolver) whole() time.Duration {
	if r.Timeout > 0 {
		return r.Timeout
	}
	return wholeLook
}

// servers are the configured resolvers.
func (r *Resolver) servers() []string {
	if r.Server != "" {
		return []string{r.Server}
	}
	return systemResolvers(resolvConf)
}

func systemResolvers(path string) []string {
	c, err := dns.ClientConfigFromFile(path)
	if err != nil {
		return nil
	}
	var list []string
	for _, host := range c.Servers[:min(len(c.Servers), mostResolvers)] {
		list = append(list, net.JoinHostPort(host, c.Port))
	}
	return list
}

// A search is one look under way.
type search struct {
	r     *Resolver
	asked []Query
	left  int             // questions that may still be sent
	seen  map[string]bool // names on the chain of CNAME, in lower case
	local bool            // a configured resolver that answered is at an address that is not public
}

// A verdict is what an answer says.
type verdict int

const (
	unknown verdict = iota // nothing that could be believed
	absent                 // there is no record
	found                  // values
	moved                  // the records are at another name
)

// A finding is what is known of one name.
type finding struct {
	verdict verdict
	values  []string
	to      string // moved: where
	zone    string // absent: the zone that has no such record, if it was said
	final   bool   // unknown: nobody else is to be asked
}

// remark adds words to the last question's outcome.
func (s *search) remark(words string) {
	if n := len(s.asked); n > 0 {
		s.asked[n-1].Outcome += ", " + words
	}
}

// step looks at one name of the chain.
func (s *search) step(ctx context.Context, name string) finding {
	cached := s.cached(ctx, name)
	if cached.verdict == found || cached.verdict == moved || cached.final {
		return cached
	}
	if direct := s.direct(ctx, name, cached.zone); direct.verdict != unknown || direct.final {
		return direct
	}
	return cached
}

// cached asks the configured resolver.
func (s *search) cached(ctx context.Context, name string) finding {
	m := s.recurse(ctx, name, dns.TypeTXT, false)
	if m == nil {
		return finding{final: true}
	}
	switch m.Rcode {
	case dns.RcodeSuccess, dns.RcodeNameError:
		return s.read(m, name, ".")
	case dns.RcodeServerFailure:
		// With checking disabled (RFC 4035, section 3.2.2) it gives what it
		// would not vouch for.
		if m := s.recurse(ctx, name, dns.TypeTXT, true); m != nil && sound(m) {
			s.remark("which it gives only without checking DNSSEC signatures, so that it is not believed")
			return finding{final: true}
		}
		return finding{}
	}
	return finding{final: true}
}

// recurse asks the configured resolvers in turn until one gives a sound answer.
// It returns the last answer, or nil if there was none.
func (s *search) recurse(ctx context.Context, name string, kind uint16, unchecked bool) *dns.Msg {
	var last *dns.Msg
	for _, server := range s.r.servers() {
		m := s.ask(ctx, server, question{name: name, kind: kind, recurse: true, unchecked: unchecked})
		if m != nil {
			last = m
		}
		if m != nil && sound(m) {
			break
		}
	}
	return last
}

// sound says whether a message answers its question, be it with none.
func sound(m *dns.Msg) bool {
	return m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError
}

// read reads a sound answer from a server that may speak for a zone; what it
// says of names elsewhere is left alone.
func (s *search) read(m *dns.Msg, name, zone string) finding {
	at := name
	for {
		if values := texts(m, at); len(values) > 0 && m.Rcode == dns.RcodeSuccess {
			return finding{verdict: found, values: values}
		}
		to := alias(m, at)
		if to == "" {
			break
		}
		if s.seen[to] {
			s.remark("whose CNAME leads in a circle")
			return finding{final: true}
		}
		if len(s.seen) > mostLinks {
			s.remark("whose chain of CNAME is too long")
			return finding{final: true}
		}
		s.seen[to] = true
		at = to
		if !dns.IsSubDomain(zone, at) {
			break
		}
	}
	if at != name {
		s.remark("CNAME to " + shown(at))
		return finding{verdict: moved, to: at}
	}
	return finding{verdict: absent, zone: apex(m, name)}
}

// texts gives the TXT records at a name, within the bounds.
func texts(m *dns.Msg, name string) []string {
	var values []string
	for _, rr := range m.Answer {
		t, is := rr.(*dns.TXT)
		if !is || !owns(rr, name) {
			continue
		}
		if len(values) == mostRecords {
			break
		}
		v := joined(t.Txt)
		values = append(values, v[:min(len(v), mostValue)])
	}
	return values
}

// joined puts the strings of one record together, and takes back how the
// library writes bytes that are not printable: \DDD, and \ before " and \.
func joined(parts []string) string {
	in := strings.Join(parts, "")
	if !strings.Contains(in, `\`) {
		return in
	}
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		switch {
		case in[i] != '\\' || i+1 == len(in):
			out = append(out, in[i])
		case i+3 < len(in) && digits(in[i+1:i+4]):
			out = append(out, (in[i+1]-'0')*100+(in[i+2]-'0')*10+in[i+3]-'0')
			i += 3
		default:
			i++
			out = append(out, in[i])
		}
	}
	return string(out)
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// alias gives the target of the CNAME at a name, if there is one.
func alias(m *dns.Msg, name string) string {
	for _, rr := range m.Answer {
		if c, is := rr.(*dns.CNAME); is && owns(rr, name) {
			return dns.CanonicalName(c.Target)
		}
	}
	return ""
}

// apex gives the zone that an answer of none comes from, if it says so.
func apex(m *dns.Msg, name string) string {
	for _, rr := range m.Ns {
		if _, is := rr.(*dns.SOA); is {
			if zone := dns.CanonicalName(rr.Header().Name); dns.IsSubDomain(zone, name) {
				return zone
			}
		}
	}
	return ""
}

// owns says whether a record is at a name, which is in lower case.
func owns(rr dns.RR, name string) bool {
	h := rr.Header()
	return h.Class == dns.ClassINET && dns.CanonicalName(h.Name) == name
}

// shown writes a name as people do.
func shown(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}
