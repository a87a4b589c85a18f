package session

import (
	"encoding/base64"
	"strings"
)

// A Browser is what a browser keeps between logins: a secret that binds a
// login to the browser that started it, and, for convenience alone, where
// logins under way lead to, which ways in were used, and a proof that
// somebody logged in here before. Nothing but the secret and the proof, which
// authenticate themselves, is relied on for more than what a page asks.
type Browser struct {
	Secret  string   // 32 characters of base 62
	Returns []Return // logins under way, newest last
	Methods []string // identity providers used here, newest last
	Proof   string   // see login.Login: whom this browser has logged in as
	Bounced string   // see login.Login: a login that was started once more
}

// A Return is where a login leads to.
type Return struct {
	FlowID string
	Path   string
}

const (
	secretLength = 32
	mostReturns  = 6   // tabs that log in at once
	mostMethods  = 4   // ways in that are remembered
	mostPath     = 320 // bytes of a return path
)

// Remember notes where a login leads to. A path that is too long is forgotten:
// the login then ends at the home page.
func (b *Browser) Remember(flowID, path string) {
	if path == "" || path == "/" || len(path) > mostPath {
		return
	}
	b.Returns = append(b.Returns, Return{flowID, path})
	if n := len(b.Returns); n > mostReturns {
		b.Returns = b.Returns[n-mostReturns:]
	}
}

// Return takes out where a login leads to, or "".
func (b *Browser) Return(flowID string) string {
	for i, r := range b.Returns {
		if r.FlowID == flowID {
			b.Returns = append(b.Returns[:i:i], b.Returns[i+1:]...)
			return r.Path
		}
	}
	return ""
}

// Used notes a way in that led to a session.
func (b *Browser) Used(methodID string) {
	kept := make([]string, 0, mostMethods)
	for _, m := range b.Methods {
		if m != methodID {
			kept = append(kept, m)
		}
	}
	kept = append(kept, methodID)
	b.Methods = kept[max(0, len(kept)-mostMethods):]
}

// String is the cookie's value: fields separated by dots, lists by tildes;
// paths in base64url. All of it is cookie-octets (RFC 6265, 4.1.1).
func (b Browser) String() string {
	returns := make([]string, len(b.Returns))
	for i, r := range b.Returns {
		returns[i] = r.FlowID + "-" + base64.RawURLEncoding.EncodeToString([]byte(r.Path))
	}
	return strings.Join([]string{b.Secret, strings.Join(returns, "~"), strings.Join(b.Methods, "~"), b.Proof, b.Bounced}, ".")
}

// parseBrowser reads what String wrote, and refuses anything else.
func parseBrowser(s string) (Browser, bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 5 || len(parts[0]) != secretLength || !allOf(parts[0], isAlphanumeric) || len(parts[3]) > 200 || !allOf(parts[3], isURLSafe) || len(parts[4]) > 64 || !allOf(parts[4], isURLSafe) {
		return Browser{}, false
	}
	b := Browser{Secret: parts[0], Proof: parts[3], Bounced: parts[4]}
	for _, r := range list(parts[1], mostReturns) {
		id, encoded, found := strings.Cut(r, "-")
		path, err := base64.RawURLEncoding.DecodeString(encoded)
		if found && err == nil && id != "" && len(path) <= mostPath && allOf(id, isAlphanumeric) {
			b.Returns = append(b.Returns, Return{id, string(path)})
		}
	}
	for _, m := range list(parts[2], mostMethods) {
		if m != "" && len(m) <= 36 && allOf(m, isAlphanumeric) {
			b.Methods = append(b.Methods, m)
		}
	}
	return b, true
}

func list(s string, most int) []string {
	if s == "" {
		return nil
	}
	items := strings.Split(s, "~")
	return items[max(0, len(items)-most):]
}

func allOf(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isURLSafe(c byte) bool { return isAlphanumeric(c) || c == '-' || c == '_' }
