package fetch

import (
	"net/netip"
	"slices"
)

// internet6 is what of IPv6 is given out for use on the internet; all else is
// of one machine, one link, one site, or nobody's (RFC 4291).
var internet6 = netip.MustParsePrefix("2000::/3")

// nat64 is where IPv6 networks find addresses of IPv4 (RFC 6052): the last four
// bytes are what is reached.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// special are networks that are not the internet's, though they look so: of the
// registries of special-purpose addresses (RFC 6890 and its successors). A
// cloud's own services stand in some of them.
var special = prefixes(
	"0.0.0.0/8",         // this network
	"10.0.0.0/8",        // private (RFC 1918)
	"100.64.0.0/10",     // between providers and their customers (RFC 6598)
	"127.0.0.0/8",       // this machine
	"168.63.129.16/32",  // a cloud's services for its machines, on a public address
	"169.254.0.0/16",    // one link (RFC 3927), and the metadata of clouds
	"172.16.0.0/12",     // private
	"192.0.0.0/24",      // protocols (RFC 6890)
	"192.0.2.0/24",      // documentation
	"192.88.99.0/24",    // relays of 6to4, given up (RFC 7526)
	"192.168.0.0/16",    // private
	"198.18.0.0/15",     // measurements (RFC 2544)
	"198.51.100.0/24",   // documentation
	"203.0.113.0/24",    // documentation
	"224.0.0.0/4",       // multicast
	"240.0.0.0/4",       // nobody's, and broadcast
	"2001::/23",         // protocols, such as Teredo, which holds addresses of IPv4
	"2001:db8::/32",     // documentation
	"2002::/16",         // 6to4, which holds addresses of IPv4
	"2620:4f:8000::/48", // reverse names of private addresses (RFC 7534)
	"3fff::/20",         // documentation (RFC 9637)
)

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// isPublic says whether an address with its port, as a dialer gives it, is one
// that everybody on the internet could reach. What cannot be read is not.
func isPublic(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && Public(at.Addr())
}

// Public says whether an address is one that everybody on the internet could
// reach. Servers at other addresses are asked nothing that a stranger wants.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	// No prefix contains an address with a zone, which is of one link.
	if ip.Is6() && !internet6.Contains(ip) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}
