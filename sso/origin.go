package sso

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

// checkTarget refuses an SSO URL that leads back to us. The page that sends a
// request by POST submits its form by itself: to our own origin that would be
// a form of our own console, filled in by whoever configured the method and
// sent with the session of whoever logs in. It returns fault.Invalid at
// saml_idp_url.
func checkTarget(target *url.URL, bases ...string) error {
	for _, base := range bases {
		u, err := url.Parse(base)
		if err != nil || base == "" {
			continue
		}
		if originOf(u) == originOf(target) {
			return fault.Invalid.Errorf("This URL leads to Gatehouse itself. Type the address where people log in at the identity provider.").At("saml_idp_url")
		}
	}
	return nil
}

// An origin is what browsers keep apart (RFC 6454, 4): they read scheme, host
// and port in one form, however they are written.
type origin struct {
	scheme string
	host   string
	port   int
}

// originOf gives the origin of a URL that has a host. Two addresses of one
// machine, such as localhost and 127.0.0.1, are two origins.
func originOf(u *url.URL) origin {
	o := origin{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(strings.TrimRight(u.Hostname(), "."))}
	if ip, err := netip.ParseAddr(o.host); err == nil {
		o.host = ip.String() // IPv6 has several forms of one address
	} else if domain, err := account.NormalizeDomain(o.host); err == nil {
		o.host = domain // in A-labels
	}
	switch port, err := strconv.Atoi(u.Port()); {
	case err == nil:
		o.port = port
	case o.scheme == "https":
		o.port = 443
	case o.scheme == "http":
		o.port = 80
	}
	return o
}

// isOddAddress reports whether browsers would take a host name for an IPv4
// address that is not written as four decimal numbers: 127.1 and 0x7f000001
// are 127.0.0.1 to them (WHATWG URL, 3.5).
func isOddAddress(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if digits, hex := strings.CutPrefix(last, "0x"); hex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
