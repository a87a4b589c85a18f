package domains

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"gatehouse/internal/fetch"
)

// A zone is a part of the name space and who serves it.
type zone struct {
	name    string // in lower case, with its final dot
	servers []nameServer
}

// A nameServer serves a zone.
type nameServer struct {
	name string
	glue []netip.Addr // where it is, as the zone above it says; none: others know
}

// direct asks the servers of the zone that a name is in, starting from a zone
// above it if one is known, and follows them to zones below.
func (s *search) direct(ctx context.Context, name, hint string) finding {
	z, known := s.zoneOf(ctx, name, hint)
	for range mostReferrals {
		if !known {
			break
		}
		f, below := s.askZone(ctx, name, z)
		if below == nil {
			return f
		}
		z = *below
	}
	return finding{}
}

// zoneOf finds a zone that a name is in, and its servers, by the configured
// resolver: it need not be the lowest one.
func (s *search) zoneOf(ctx context.Context, name, hint string) (zone, bool) {
	at := name
	if hint != "" {
		at = hint
	}
	for at != "." && ctx.Err() == nil && s.left > 0 {
		m := s.recurse(ctx, at, dns.TypeNS, false)
		if m == nil {
			break
		}
		z := zone{name: at}
		for _, rr := range m.Answer {
			if ns, is := rr.(*dns.NS); is && owns(rr, at) {
				z.servers = append(z.servers, nameServer{name: dns.CanonicalName(ns.Ns)})
			}
		}
		if len(z.servers) > 0 {
			return z, true
		}
		above := apex(m, at)
		if above == "" || above == at {
			above = parent(at)
		}
		at = above
	}
	return zone{}, false
}

func parent(name string) string {
	i, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[i:]
}

// askZone asks servers of a zone until one has a record, two have none, or one
// refers to a zone below.
func (s *search) askZone(ctx context.Context, name string, z zone) (finding, *zone) {
	rand.Shuffle(len(z.servers), func(i, j int) { z.servers[i], z.servers[j] = z.servers[j], z.servers[i] })
	var best finding
	tried := map[netip.Addr]bool{}
	for _, ns := range z.servers[:min(len(z.servers), mostServers)] {
		for _, at := range s.addresses(ctx, ns) {
			if len(tried) == mostServers || tried[at] || ctx.Err() != nil || s.left == 0 {
				continue
			}
			tried[at] = true
			server := net.JoinHostPort(at.String(), "53")
			if !s.mayAsk(at) {
				s.asked = append(s.asked, Query{Server: server, Network: "udp", Name: shown(name), Type: "TXT", Outcome: "not asked: the address of " + clip(shown(ns.name)) + " is not a public one"})
				continue
			}
			m := s.ask(ctx, server, question{name: name, kind: dns.TypeTXT})
			if m == nil {
				continue
			}
			f, below := s.judge(m, name, z)
			switch {
			case below != nil:
				return finding{}, below
			case f.verdict == found, f.verdict == moved, f.final, f.verdict == absent && best.verdict == absent:
				return f, nil
			case f.verdict == absent:
				best = f
			}
		}
	}
	return best, nil
}

// judge says what an answer of a zone's server is worth: something only if the
// server speaks for the zone, or knows who speaks for a zone below.
func (s *search) judge(m *dns.Msg, name string, z zone) (finding, *zone) {
	if !sound(m) {
		return finding{}, nil
	}
	if below := referral(m, name, z.name); below != nil {
		s.remark("it refers to the servers of " + shown(below.name))
		return finding{}, below
	}
	if !m.Authoritative {
		s.remark("but it does not serve " + shown(z.name))
		return finding{}, nil
	}
	return s.read(m, name, z.name), nil
}

// referral gives the zone below that an answer refers to, if it does (RFC 1034,
// section 4.3.2). Where servers are is believed only of those within the zone
// that refers.
func referral(m *dns.Msg, name, from string) *zone {
	if m.Rcode != dns.RcodeSuccess || len(m.Answer) > 0 {
		return nil
	}
	var z zone
	for _, rr := range m.Ns {
		ns, is := rr.(*dns.NS)
		if !is || rr.Header().Class != dns.ClassINET {
			continue
		}
		cut := dns.CanonicalName(rr.Header().Name)
		if cut == from || !dns.IsSubDomain(from, cut) || !dns.IsSubDomain(cut, name) || z.name != "" && z.name != cut {
			continue
		}
		z.name = cut
		z.servers = append(z.servers, nameServer{name: dns.CanonicalName(ns.Ns)})
	}
	if z.name == "" {
		return nil
	}
	for i := range z.servers[:min(len(z.servers), 4*mostServers)] {
		if ns := &z.servers[i]; dns.IsSubDomain(from, ns.name) {
			ns.glue = hosts(m.Extra, ns.name)
		}
	}
	return &z
}

// addresses says where a server is: two addresses at most, of IPv4 if it has
// such.
func (s *search) addresses(ctx context.Context, ns nameServer) []netip.Addr {
	list := ns.glue
	for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA} {
		if len(list) > 0 || ctx.Err() != nil || s.left == 0 {
			break
		}
		if m := s.recurse(ctx, ns.name, kind, false); m != nil && sound(m) {
			list = hosts(m.Answer, ns.name)
		}
	}
	return list[:min(len(list), 2)]
}

// hosts gives the addresses of a name among records, those of IPv4 first.
func hosts(records []dns.RR, name string) []netip.Addr {
	var list []netip.Addr
	for _, rr := range records {
		if !owns(rr, name) {
			continue
		}
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if at, ok := netip.AddrFromSlice(ip); ok {
			list = append(list, at.Unmap())
		}
	}
	slices.SortStableFunc(list, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return list
}

// mayAsk says whether a question may be sent to an address that a stranger
// named.
func (s *search) mayAsk(at netip.Addr) bool {
	if fetch.Public(at) {
		return true
	}
	return s.r.AllowPrivate && s.local && (at.IsPrivate() || at.IsLoopback())
}
