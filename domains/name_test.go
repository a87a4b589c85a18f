package domains

import (
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

func TestADomainIsKeptInOneForm(t *testing.T) {
	for _, test := range []struct{ name, typed, want string }{
		{"as it is", "company.com", "company.com"},
		{"mixed case", "ComPany.COM", "company.com"},
		{"a final dot", "company.com.", "company.com"},
		{"blanks around", " company.com\n", "company.com"},
		{"a subdomain", "mail.company.com", "mail.company.com"},
		{"an ideographic dot", "company。com", "company.com"},
		{"letters beyond ASCII", "exämple.com", "xn--exmple-cua.com"},
		{"a Cyrillic o shows as what it is", "c\u043empany.com", "xn--cmpany-wqf.com"},
		{"below a private suffix", "company.github.io", "company.github.io"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := ParseName(test.typed); err != nil || got != test.want {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestWhatIsNoDomainOfOneOrganizationIsRefusedWithWhatToType(t *testing.T) {
	const such = "Type a domain name such as company.com."
	for _, test := range []struct{ name, typed, want string }{
		{"nothing", "", such},
		{"one label", "localhost", such},
		{"a top-level domain", "com", such},
		{"a public suffix", "co.uk", "Anybody can have a domain below co.uk. Type your own."},
		{"a private suffix", "github.io", "Anybody can have a domain below github.io. Type your own."},
		{"free mail", "GMail.com.", "Anybody can have an address at gmail.com. Type a domain that is your organization's alone."},
		{"a wildcard", "*.company.com", "There are no wildcards: each subdomain is a domain of its own. Type a name such as company.com."},
		{"an IPv4 address", "192.0.2.1", such},
		{"an IPv6 address", "2001:db8::1", such},
		{"an address of a person", "ada@company.com", "Type the part after the @ alone: company.com."},
		{"an address without a domain", "ada@", such},
		{"a URL", "https://company.com", such},
		{"a path", "company.com/x", such},
		{"two dots", "company..com", such},
		{"two final dots", "company.com..", such},
		{"an underscore", "_aiven-challenge.company.com", such},
		{"an A-label that is none", "xn--zzzz.com", such},
		{"a NUL", "company.com\x00", such},
		{"a label of 64", strings.Repeat("a", 64) + ".com", such},
		{"255 characters", strings.Repeat(strings.Repeat("a", 62)+".", 4) + "com", such},
		{"a megabyte", strings.Repeat("a.", 1<<19) + "com", such},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseName(test.typed)
			f := fault.Of(err)
			if err == nil || f.Kind != fault.Invalid || f.Field != "domain_name" || f.Message != test.want {
				t.Errorf("got %q, %v, want a refusal at domain_name: %s", got, err, test.want)
			}
		})
	}
}
