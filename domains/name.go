package domains

import (
	_ "embed"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

// ParseName gives the one form in which a domain is kept and compared: lower
// case, in A-labels (RFC 5890), without a final dot. It refuses, with
// fault.Invalid at domain_name, what belongs to everybody: public suffixes, and
// domains of free mail, where an address says nothing about an employer. A
// subdomain is a domain of its own.
func ParseName(typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	if _, after, address := strings.Cut(typed, "@"); address && after != "" {
		return "", invalid("Type the part after the @ alone: %s.", clip(after))
	}
	if strings.Contains(typed, "*") {
		return "", invalid("There are no wildcards: each subdomain is a domain of its own. Type a name such as company.com.")
	}
	name, err := account.NormalizeDomain(strings.TrimSuffix(typed, "."))
	if err != nil {
		return "", err
	}
	if suffix, _ := publicsuffix.PublicSuffix(name); name == suffix {
		return "", invalid("Anybody can have a domain below %s. Type your own.", name)
	}
	if isFreeMail(name) {
		return "", invalid("Anybody can have an address at %s. Type a domain that is your organization's alone.", name)
	}
	return name, nil
}

func invalid(format string, args ...any) *fault.Error {
	return fault.Invalid.Errorf(format, args...).At("domain_name").Coded("organization_domain_not_root")
}

// freeMail lists domains at which anybody can have an address, in order, a
// line each.
//
//go:embed freemail.txt
var freeMail string

// isFreeMail says whether anybody can have an address at a domain, or at the
// one above it.
func isFreeMail(name string) bool {
	apex, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return true
	}
	_, found := slices.BinarySearch(strings.Fields(freeMail), apex)
	return found
}

// clip keeps what somebody typed short enough to be repeated.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
