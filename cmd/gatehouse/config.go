package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// configFile resolves flags from a JSON object whose keys are the names of
// flags. A key that is no flag is an error: a typing error in a security
// setting must not go unnoticed.
func configFile(r io.Reader) (kong.Resolver, error) {
	var values map[string]any
	if err := json.NewDecoder(io.LimitReader(r, 1<<20)).Decode(&values); err != nil {
		return nil, fmt.Errorf("the configuration file is not a JSON object: %w", err)
	}
	return fileResolver(values), nil
}

type fileResolver map[string]any

func (f fileResolver) Validate(app *kong.Application) error {
	known := map[string]bool{}
	_ = kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	for key := range f {
		if !known[key] {
			return fmt.Errorf("the configuration file has a key %q that is not the name of a flag", key)
		}
	}
	return nil
}

// Resolve gives a flag's value, unless the environment has one.
func (f fileResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	return f[flag.Name], nil
}

// publicURL reads the address under which browsers and IdPs reach us. Without
// https, passwords and assertions would travel in the clear, so that only a
// loopback address may do without.
func publicURL(text, listen string) (*url.URL, error) {
	if text == "" {
		if loopbackOnly(listen) != nil {
			return nil, fmt.Errorf("set --public-url: the address under which browsers and identity providers reach this server, such as https://sso.company.com")
		}
		text = "http://" + listen
	}
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("--public-url %q is not an address such as https://sso.company.com", text)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, fmt.Errorf("--public-url %q has to begin with https:// (http:// is only for loopback addresses)", text)
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

// loopbackOnly refuses an address that others could reach.
func loopbackOnly(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || !isLoopback(host) {
		return fmt.Errorf("--dev is for trying things on this machine: --listen %q has to be a loopback address such as 127.0.0.1:8080", listen)
	}
	return nil
}

// oneLine folds an error to a single line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
