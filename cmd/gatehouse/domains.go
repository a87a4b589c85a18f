package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/domains"
	"gatehouse/store"
)

// domainFlags say how organizations prove their domains.
type domainFlags struct {
	DNSResolver     string `name:"dns-resolver" help:"DNS resolver that is asked what is published of a domain; the system's unless said." placeholder:"HOST:PORT" env:"GATEHOUSE_DNS_RESOLVER"`
	DNSAllowPrivate bool   `name:"dns-allow-private" help:"Ask DNS servers of domains at private addresses too, where the resolver has one itself: for an intranet." env:"GATEHOUSE_DNS_ALLOW_PRIVATE"`
	ChallengeLabel  string `name:"domain-challenge-label" help:"What stands before a domain in the name of the TXT record that proves it; _aiven-challenge unless said." placeholder:"LABEL" env:"GATEHOUSE_DOMAIN_CHALLENGE_LABEL"`
	AllowHTTPProof  bool   `name:"allow-http-domain-proof" help:"Let domains be proved by a page of their web site as well." env:"GATEHOUSE_ALLOW_HTTP_DOMAIN_PROOF"`
}

func (f domainFlags) checkResolver() error {
	if f.DNSResolver == "" {
		return nil
	}
	if host, _, err := net.SplitHostPort(f.DNSResolver); err != nil || host == "" || listenAddress("", f.DNSResolver) != nil {
		return fmt.Errorf("--dns-resolver %q is not a host and a port such as 10.0.0.2:53", f.DNSResolver)
	}
	return nil
}

// label is what may stand before a domain: one label of the DNS, in the form in
// which names are compared.
var label = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)

func (f domainFlags) checkLabel() error {
	if f.ChallengeLabel != "" && !label.MatchString(f.ChallengeLabel) {
		return fmt.Errorf("--domain-challenge-label %q is not one label such as _aiven-challenge: up to 63 lower-case letters, digits, _ and - inside", f.ChallengeLabel)
	}
	return nil
}

// proveBy sets what looks for the proofs of domains.
func (f domainFlags) proveBy(d *domains.Domains) {
	d.Label = cmp.Or(f.ChallengeLabel, "_aiven-challenge")
	d.DNS = &domains.Resolver{Server: f.DNSResolver, AllowPrivate: f.DNSAllowPrivate, Now: time.Now}
	if !f.AllowHTTPProof {
		return
	}
	client := domains.NewPageClient("gatehouse/" + version())
	if f.DNSResolver != "" {
		client.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, f.DNSResolver)
		}}
	}
	d.Pages = &domains.Pages{Client: client}
}

// countMissing shows how many claims are about to end.
func (f *front) countMissing(db *store.Store) {
	f.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gatehouse_domains_missing_record", Help: "Verified domains whose record was not found at the last look, on all nodes; NaN where the database is away.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		n, err := db.MissingDomains(ctx)
		if err != nil {
			return math.NaN()
		}
		return float64(n)
	}))
}
