package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// noProxy is what --trusted-proxy says where there is none to believe.
const noProxy = "none"

// checkAddresses refuses what would let strangers read passwords, be somebody
// else, or use a demonstration. Each refusal names the flag to change.
func (c *serveCommand) checkAddresses() error {
	if err := listenAddress("--listen", c.Listen); err != nil {
		return err
	}
	public, err := publicURL(c.PublicURL, c.Listen)
	if err != nil {
		return err
	}
	if c.Dev {
		if err := c.confineDev(public); err != nil {
			return err
		}
	}
	if public.Scheme == "https" && len(c.TrustedProxy) == 0 {
		return errors.New("with an https --public-url a proxy stands in front: name the network that it connects from with --trusted-proxy, such as 127.0.0.1/32, or say --trusted-proxy none if it sends no X-Forwarded-For; everybody then has one address, and shares its limits")
	}
	return nil
}

// confineDev keeps the demonstration, whose passwords everybody knows, to this
// machine and to a database of its own.
func (c *serveCommand) confineDev(public *url.URL) error {
	if err := listenAddress("--dev-listen", c.DevListen); err != nil {
		return err
	}
	for _, l := range []struct{ flag, address string }{{"--listen", c.Listen}, {"--dev-listen", c.DevListen}} {
		if !loopbackOnly(l.address) {
			return fmt.Errorf("--dev is for trying things on this machine: %s %q has to be a loopback address such as 127.0.0.1:8080", l.flag, l.address)
		}
	}
	if !isLoopback(public.Hostname()) {
		return fmt.Errorf("--dev is for trying things on this machine: --public-url %q has to be a loopback address, or be left out", public)
	}
	if c.DatabaseURL != "" {
		return errors.New("--dev keeps its demonstration in the embedded database: leave --database-url out")
	}
	if c.BootstrapEmail != "" || c.BootstrapPassword != "" {
		return errors.New("--dev makes an operator of its own: leave GATEHOUSE_BOOTSTRAP_EMAIL and GATEHOUSE_BOOTSTRAP_PASSWORD out")
	}
	return nil
}

// listenAddress refuses what is no host and port.
func listenAddress(flag, listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s %q is not a host and a port such as 127.0.0.1:8080", flag, listen)
	}
	return nil
}

// publicURL reads the address under which browsers and IdPs reach us. Without
// https, passwords and assertions would travel in the clear, so that only a
// loopback address may do without, where nobody else can connect.
func publicURL(text, listen string) (*url.URL, error) {
	if text == "" {
		if !loopbackOnly(listen) {
			return nil, errors.New("set --public-url: the address under which browsers and identity providers reach this server, such as https://sso.company.com")
		}
		text = "http://" + listen
	}
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if strings.Contains(text, "@") {
		return nil, errors.New("--public-url holds a user name or a password; it takes an address such as https://sso.company.com")
	}
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("--public-url %q is not an address such as https://sso.company.com", text)
	}
	if u.Scheme == "https" {
		return u, nil
	}
	if u.Scheme != "http" || !isLoopback(u.Hostname()) {
		return nil, fmt.Errorf("--public-url %q has to begin with https:// (http:// is only for loopback addresses)", text)
	}
	if !loopbackOnly(listen) {
		return nil, fmt.Errorf("--listen %q lets others connect, and --public-url %q has them send passwords in the clear: listen on a loopback address such as 127.0.0.1:8080, or use an https:// URL", listen, text)
	}
	return u, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// loopbackOnly reports whether only this machine can reach an address.
func loopbackOnly(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return err == nil && isLoopback(host)
}

// proxies gives the networks of --trusted-proxy; nothing for "none".
func (c *serveCommand) proxies() ([]netip.Prefix, error) {
	if c.noProxies() {
		return nil, nil
	}
	return prefixes("--trusted-proxy", c.TrustedProxy)
}

func (c *serveCommand) noProxies() bool {
	return len(c.TrustedProxy) == 1 && c.TrustedProxy[0] == noProxy
}

func prefixes(flag string, texts []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(texts))
	for _, t := range texts {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			return nil, fmt.Errorf("%s %q is not a network such as 192.0.2.0/24", flag, t)
		}
		out = append(out, p)
	}
	return out, nil
}
