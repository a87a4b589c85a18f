package account

import (
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

func TestNormalizeEmail(t *testing.T) {
	for _, test := range []struct {
		name, address, want string // want empty: refused
	}{
		{"plain", "alice@example.com", "alice@example.com"},
		{"case", "Alice@EXAMPLE.Com", "alice@example.com"},
		{"where disowned addresses go", "u0123456789a@Disowned.INVALID", ""},
		{"blanks about it", "\t alice@example.com \n", "alice@example.com"},
		{"dots are another person", "a.lice@example.com", "a.lice@example.com"},
		{"a plus is another person", "alice+x@example.com", "alice+x@example.com"},
		{"atoms", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
		{"a domain in its own letters", "alice@bücher.example", "alice@xn--bcher-kva.example"},
		{"the same as A-label", "alice@XN--BCHER-KVA.example", "alice@xn--bcher-kva.example"},
		{"the same, decomposed", "alice@bu\u0308cher.example", "alice@xn--bcher-kva.example"},
		{"sharp s is not ss", "alice@faß.example", "alice@xn--fa-hia.example"},
		{"a Cyrillic look-alike is another domain", "alice@exаmple.com", "alice@xn--exmple-4nf.com"},
		{"full-width letters name the same domain", "alice@ｅxample.com", "alice@example.com"},
		{"an ideographic full stop names the same domain", "alice@example。com", "alice@example.com"},
		{"64 before the @", strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com"},

		{"nothing", "", ""},
		{"blanks", "  ", ""},
		{"no @", "alice.example.com", ""},
		{"two @", "alice@evil.com@example.com", ""},
		{"a full-width @", "alice＠example.com", ""},
		{"a full-width @ in the domain", "alice@evil.com＠example.com", ""},
		{"quoted", `"alice"@example.com`, ""},
		{"quoted with an @", `"a@b"@example.com`, ""},
		{"a comment", "alice(x)@example.com", ""},
		{"a comment in the domain", "alice@example.com(x)", ""},
		{"a name before it", "Alice <alice@example.com>", ""},
		{"two addresses", "alice@example.com,bob@example.com", ""},
		{"an address literal", "alice@[127.0.0.1]", ""},
		{"an IPv4 address", "alice@127.0.0.1", ""},
		{"one label", "alice@localhost", ""},
		{"nothing before the @", "@example.com", ""},
		{"nothing after the @", "alice@", ""},
		{"a dot first", ".alice@example.com", ""},
		{"a dot last", "alice.@example.com", ""},
		{"two dots", "a..lice@example.com", ""},
		{"a final dot", "alice@example.com.", ""},
		{"an empty label", "alice@example..com", ""},
		{"a blank inside", "alice @example.com", ""},
		{"a line break inside", "alice\r\nBcc: x@example.com", ""},
		{"a NUL", "alice\x00@example.com", ""},
		{"a NUL in the domain", "alice@exam\x00ple.com", ""},
		{"letters beyond ASCII before the @", "álice@example.com", ""},
		{"a full-width letter before the @", "ａlice@example.com", ""},
		{"a zero-width space", "alice\u200b@example.com", ""},
		{"turned text", "alice\u202e@example.com", ""},
		{"invalid UTF-8", "alice\xff@example.com", ""},
		{"invalid UTF-8 in the domain", "alice@ex\xffample.com", ""},
		{"an A-label that is none", "alice@xn--a.example", ""},
		{"an underscore in the domain", "alice@ex_ample.com", ""},
		{"a hyphen first in a label", "alice@-example.com", ""},
		{"a percent in the domain", "alice@example%2ecom", ""},
		{"a port", "alice@example.com:25", ""},
		{"65 before the @", strings.Repeat("a", 65) + "@example.com", ""},
		{"a label of 64", "alice@" + strings.Repeat("a", 64) + ".com", ""},
		{"too long", "alice@" + strings.Repeat("a.", 200) + "com", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := NormalizeEmail(test.address)
			if test.want == "" {
				wantInvalid(t, err, "email")
				return
			}
			if err != nil || got != test.want {
				t.Fatalf("got %q and %v, want %q", got, err, test.want)
			}
			if again, err := NormalizeEmail(got); err != nil || again != got {
				t.Errorf("got %q and %v for what was normalized, want the same", again, err)
			}
		})
	}
}

func TestNormalizeDomain(t *testing.T) {
	for _, test := range []struct{ name, domain, want string }{
		{"plain", "example.com", "example.com"},
		{"case", "EXAMPLE.Com", "example.com"},
		{"below another", "a.b.example.co.uk", "a.b.example.co.uk"},
		{"its own letters", "Bücher.example", "xn--bcher-kva.example"},
		{"digits", "1.2.3.4a", "1.2.3.4a"},
		{"nothing", "", ""},
		{"one label", "com", ""},
		{"a final dot", "example.com.", ""},
		{"a dot first", ".example.com", ""},
		{"a wildcard", "*.example.com", ""},
		{"a URL", "https://example.com", ""},
		{"a path", "example.com/x", ""},
		{"an address", "alice@example.com", ""},
		{"an IPv4 address", "192.0.2.1", ""},
		{"an IPv4 address in full-width digits", "１９２.０.２.１", ""},
		{"an IPv6 address", "2001:db8::1", ""},
		{"a blank", "example .com", ""},
		{"a blank last", "example.com ", ""},
		{"an A-label that is none", "xn--zzzzzz99999.com", ""},
		{"longer than a name may be", strings.Repeat("a.", 126) + "co", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := NormalizeDomain(test.domain)
			if test.want == "" {
				wantInvalid(t, err, "domain_name")
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %q and %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestCleanText(t *testing.T) {
	for _, test := range []struct {
		name, text, want string
		ok               bool
	}{
		{"plain", "Acme Inc.", "Acme Inc.", true},
		{"blanks about it", "  Acme\n", "Acme", true},
		{"nothing", "", "", true},
		{"as long as may be", "ééééé", "ééééé", true}, // characters, not bytes
		{"markup, which others escape", "<b>&", "<b>&", true},
		{"Arabic", "شركة", "شركة", true},
		{"too long", "ééééééééééééé", "", false},
		{"a line break inside", "a\nb", "", false},
		{"a tab inside", "a\tb", "", false},
		{"a NUL", "a\x00b", "", false},
		{"an escape", "a\x1b[31mb", "", false},
		{"a C1 control", "a\u0085b", "", false},
		{"turned text", "a\u202eb", "", false},
		{"isolated text", "a\u2066b", "", false},
		{"invalid UTF-8", "a\xffb", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := CleanText(test.text, "real_name", 10)
			if !test.ok {
				wantInvalid(t, err, "real_name")
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %q and %v, want %q", got, err, test.want)
			}
		})
	}
}

func FuzzNormalizeEmail(f *testing.F) {
	f.Add("alice@example.com")
	f.Add(`"a@b"@bücher.example`)
	f.Fuzz(func(t *testing.T, address string) {
		got, err := NormalizeEmail(address)
		if err != nil {
			wantInvalid(t, err, "email")
			return
		}
		if again, err := NormalizeEmail(got); err != nil || again != got {
			t.Errorf("got %q, then %q and %v, want the same twice", got, again, err)
		}
		if strings.Count(got, "@") != 1 || strings.Trim(got, "\x20\x7f") != got || strings.ToLower(got) != got {
			t.Errorf("got %q, want one @, lower case", got)
		}
	})
}

// wantInvalid fails unless err says that this field is wrong.
func wantInvalid(t *testing.T, err error, field string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want invalid at %s", field)
	}
	if f := fault.Of(err); f.Kind != fault.Invalid || f.Field != field {
		t.Errorf("got %s at %q, want invalid at %s", f.Kind, f.Field, field)
	}
}
