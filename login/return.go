package login

import (
	"net/url"
	"path"
	"strings"
)

// mostReturn bounds a return path, in bytes: the request of a program that
// logs in is the longest.
const mostReturn = 320

// SafeReturn gives the path that a login may lead to: a page of ours that only
// reads, or "/" for anything else. It never gives another site, whatever
// browsers make of backslashes, double slashes and control characters, nor a
// page that does something, asks for a login or ends one.
func SafeReturn(to string) string {
	const home = "/"
	if len(to) > mostReturn || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
		return home
	}
	for _, c := range []byte(to) {
		// Browsers read \ as / and drop tabs and line ends inside a URL.
		if c <= ' ' || c >= 0x7f || c == '\\' {
			return home
		}
	}
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || u.Opaque != "" || u.User != nil {
		return home
	}
	// The decoded path decides: %2e%2e and %2f must not lead elsewhere.
	clean := path.Clean(u.Path)
	if clean != u.Path && clean+"/" != u.Path || strings.ContainsAny(u.Path, "\\\x00\r\n") || strings.HasPrefix(u.Path, "//") {
		return home
	}
	first, _, _ := strings.Cut(clean[1:], "/")
	switch first {
	case "login", "logout", "signup", "recover", "verify", "dev", "v1", "confirm", "static", "healthz", "readyz", "metrics":
		return home
	}
	switch path.Base(clean) {
	case "delete", "disable": // pages that ask whether to do something
		return home
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}

// pageOfOurs reads a RelayState that an IdP was given as the place where its
// logins lead: a path of ours, or our own address. It reports false for
// anything else, which is not worth an error: IdPs send all sorts of things.
func (l *Login) pageOfOurs(relayState string) (path string, ok bool) {
	to := relayState
	if rest, found := strings.CutPrefix(relayState, l.Base); found && l.Base != "" {
		if rest == "" {
			return "/", true
		}
		to = rest
	}
	path = SafeReturn(to)
	return path, path != "/" || to == "/"
}
