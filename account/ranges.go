package account

import (
	"net/netip"
	"slices"
	"strings"

	"gatehouse/internal/fault"
)

// mostRanges is how many address ranges a policy or a token may name.
const mostRanges = 100

// ParseRanges reads up to 100 address ranges: CIDR notation (RFC 4632, RFC
// 4291), or one address. What is given twice counts once. It returns
// fault.Invalid at field, with the text that is no range.
func ParseRanges(texts []string, field string) ([]netip.Prefix, error) {
	if len(texts) > mostRanges {
		return nil, fault.Invalid.Errorf("Give %d ranges at most.", mostRanges).At(field)
	}
	var all []netip.Prefix
	for _, text := range texts {
		p, err := parseRange(strings.TrimSpace(text), field)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all, nil
}

func parseRange(text, field string) (netip.Prefix, error) {
	shown := text
	if len(shown) > 60 {
		shown = shown[:60] + "…"
	}
	wrong := fault.Invalid.Errorf("%q is no address range. Write it as 203.0.113.0/24, 2001:db8::/32, or one address.", strings.ToValidUTF8(shown, "?")).At(field)
	if len(text) > 60 {
		return netip.Prefix{}, wrong
	}
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, wrong
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, wrong
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fault.Invalid.Errorf("%q has bits set behind its length. Did you mean %s?", text, p.Masked()).At(field)
	}
	return p, nil
}
