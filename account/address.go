package account

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"gatehouse/internal/fault"
)

// NormalizeEmail gives the one form in which an address is kept and compared:
// lower case, the domain in A-labels (RFC 5890), nothing around it.
//
// It refuses, with fault.Invalid at "email", what mail systems read in
// different ways and attackers therefore like: quoted or non-ASCII local
// parts, comments, address literals, more than one @. An address has at most
// 319 characters, its local part at most 64 (RFC 5321, 4.5.3.1).
func NormalizeEmail(address string) (string, error) {
	bad := fault.Invalid.Errorf("Type an email address such as name@company.com.").At("email").Coded("invalid_email_format")
	address = strings.TrimSpace(address)
	if address == "" || len(address) > 319 {
		return "", bad
	}
	local, domain, found := strings.Cut(address, "@")
	if !found || local == "" || len(local) > 64 || strings.Contains(domain, "@") {
		return "", bad
	}
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return "", bad
	}
	for _, c := range []byte(local) {
		if !isAtomByte(c) && c != '.' {
			return "", bad
		}
	}
	ascii, err := NormalizeDomain(domain)
	if err != nil || ascii == disownedDomain {
		return "", bad
	}
	return strings.ToLower(local) + "@" + ascii, nil
}

// disownedDomain is where addresses of accounts go that the owner of a mailbox
// did not want. Nobody can sign up with one, or take the place beforehand.
const disownedDomain = "disowned.invalid"

// NormalizeDomain gives a domain name in lower-case A-labels, without a final
// dot. It refuses single labels, addresses and names that IDNA does not allow,
// with fault.Invalid at "domain_name".
func NormalizeDomain(name string) (string, error) {
	bad := fault.Invalid.Errorf("Type a domain name such as company.com.").At("domain_name")
	// IDNA would take what is not UTF-8 for one and the same letter.
	if name == "" || len(name) > 253 || !utf8.ValidString(name) || strings.ContainsAny(name, "[]: \t\r\n") {
		return "", bad
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || len(ascii) > 253 {
		return "", bad
	}
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 {
		return "", bad
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 {
			return "", bad
		}
	}
	// A top-level domain is never all digits (RFC 3696, 2): that would be an
	// IPv4 address.
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", bad
	}
	return strings.ToLower(ascii), nil
}

// isAtomByte reports whether c may stand in an atom (RFC 5322, 3.2.3).
func isAtomByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}
