package main

import (
	"context"
	"net/netip"
	"slices"
)

// configuration judges what can be judged without asking anybody.
func (e *examination) configuration(_ context.Context, k *check) {
	k.LookedAt = e.from
	for _, err := range e.problems() {
		k.wrong("change that flag, or its variable GATEHOUSE_…; no server starts so", "%s", oneLine(err))
	}
	if k.State == wrong {
		return
	}
	k.fine("data in %s, listening on %s", e.Data, e.Listen)
	if e.Dev {
		k.fine("--dev: a demonstration, for this machine alone")
	}
	e.judgeProxies(k)
	if from, err := prefixes("--metrics-from", e.MetricsFrom); err == nil && slices.ContainsFunc(from, isWide) {
		k.doubtful("name the collector's own network", "--metrics-from lets nearly everybody read how many people log in")
	}
	if e.BootstrapPassword != "" {
		k.doubtful("once the operator is there, take GATEHOUSE_BOOTSTRAP_PASSWORD out of the environment", "the operator's first password stands in the configuration")
	}
}

// judgeProxies says whose word about addresses would be believed.
func (e *examination) judgeProxies(k *check) {
	public, err := publicURL(e.PublicURL, e.Listen)
	if err != nil {
		return // said above
	}
	if e.noProxies() && public.Scheme == "https" {
		k.doubtful("have the proxy send X-Forwarded-For, and name its network with --trusted-proxy",
			"with --trusted-proxy none everybody has the proxy's address: they share its limits, and policies cannot tell addresses apart")
		return
	}
	networks, err := e.proxies()
	if err != nil {
		return // said above
	}
	for _, p := range networks {
		switch {
		case isWide(p):
			k.wrong("name the network that the proxy connects from, such as 10.0.0.0/24",
				"--trusted-proxy %s believes nearly everybody: whoever writes an X-Forwarded-For chooses their address", p)
		case !isPrivateNetwork(p):
			k.doubtful("if the proxy is nearer than that, name its own network",
				"--trusted-proxy %s is no private network: everybody in it can choose their address", p)
		}
	}
	ofThisMachine := func(p netip.Prefix) bool { return p.Addr().IsLoopback() || p.Bits() == 0 }
	if len(networks) > 0 && loopbackOnly(e.Listen) && !slices.ContainsFunc(networks, ofThisMachine) {
		k.doubtful("name 127.0.0.1/32 with --trusted-proxy as well, or listen on an address that the proxy reaches",
			"only this machine can connect to --listen %s, and --trusted-proxy names none of its addresses", e.Listen)
	}
}

// isWide reports whether a network holds so much of the world that it names
// nobody.
func isWide(p netip.Prefix) bool {
	switch {
	case isPrivateNetwork(p):
		return false
	case p.Addr().Is4In6():
		return p.Bits() < 96+8
	case p.Addr().Is4():
		return p.Bits() < 8
	}
	return p.Bits() < 16
}

// privateNetworks are those of one's own: this machine's, the private ones
// (RFC 1918, RFC 4193), those of one link, and the one that providers share
// with their customers (RFC 6598).
var privateNetworks = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
}

func isPrivateNetwork(p netip.Prefix) bool {
	return slices.ContainsFunc(privateNetworks, func(own netip.Prefix) bool { return own.Bits() <= p.Bits() && own.Contains(p.Addr()) })
}
