package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gatehouse/internal/fault"
)

var comparable = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
	cmpopts.EquateEmpty(),
}

// with is the usual rules, changed.
func with(change func(*Rules)) Rules {
	r := Usual()
	change(&r)
	return r
}

func TestAChangeChangesWhatItNames(t *testing.T) {
	closed := with(func(r *Rules) {
		r.Password, r.TwoFactor, r.ThirdParty, r.Passkey, r.ExternalSAML = false, true, false, false, false
		r.Providers, r.PersonalTokens, r.EnforceMethod, r.MCP, r.DeviceLogin = []Way{GitHub}, TokensNotForManaged, false, false, false
		r.PersonalTokenAge, r.Freshness, r.Ranges = 10*day, 7*day, []netip.Prefix{office}
	})
	but := func(change func(*Rules)) Rules {
		r := closed
		change(&r)
		return r
	}
	for _, c := range []struct {
		name   string
		before Rules
		change Change
		want   Rules
	}{
		{"nothing", closed, Change{}, closed},
		{"password_auth_enabled on", closed, Change{Password: new(true)}, but(func(r *Rules) { r.Password = true })},
		{"password_auth_enabled off takes passkeys along", Usual(), Change{Password: new(false)}, with(func(r *Rules) { r.Password, r.Passkey = false, false })},
		{"unless said", Usual(), Change{Password: new(false), Passkey: new(true)}, with(func(r *Rules) { r.Password = false })},
		{
			"and not where it was off",
			with(func(r *Rules) { r.Password = false }), Change{Password: new(false)},
			with(func(r *Rules) { r.Password = false }),
		},
		{"password_auth_enabled on does not bring them back", closed, Change{Password: new(true)}, but(func(r *Rules) { r.Password = true })},
		{"two_factor_required off", closed, Change{TwoFactor: new(false)}, but(func(r *Rules) { r.TwoFactor = false })},
		{
			"saml_second_factor_contexts, each once", Usual(), Change{SecondFactorContexts: &[]string{refeds, "urn:x:y", refeds}},
			with(func(r *Rules) { r.SecondFactorContexts = []string{refeds, "urn:x:y"} }),
		},
		{
			"no saml_second_factor_contexts any more",
			with(func(r *Rules) { r.SecondFactorContexts = []string{refeds} }), Change{SecondFactorContexts: &[]string{}},
			Usual(),
		},
		{
			"saml_second_factor_contexts of the greatest length", Usual(), Change{SecondFactorContexts: &[]string{"urn:x:" + strings.Repeat("y", 250)}},
			with(func(r *Rules) { r.SecondFactorContexts = []string{"urn:x:" + strings.Repeat("y", 250)} }),
		},
		{"passkey_enabled on", closed, Change{Passkey: new(true)}, but(func(r *Rules) { r.Passkey = true })},
		{"passkey_enabled off", Usual(), Change{Passkey: new(false)}, with(func(r *Rules) { r.Passkey = false })},
		{"oauth_enabled on", closed, Change{ThirdParty: new(true)}, but(func(r *Rules) { r.ThirdParty = true })},
		{"oauth_enabled off keeps the list", Usual(), Change{ThirdParty: new(false)}, with(func(r *Rules) { r.ThirdParty = false })},
		{"oauth_providers", Usual(), Change{Providers: &[]string{"github", "google", "github"}}, with(func(r *Rules) { r.Providers = []Way{Google, GitHub} })},
		{"oauth_providers while they are off", closed, Change{Providers: &[]string{"microsoft"}}, but(func(r *Rules) { r.Providers = []Way{Microsoft} })},
		{"none, and oauth_enabled off", Usual(), Change{ThirdParty: new(false), Providers: &[]string{}}, with(func(r *Rules) { r.ThirdParty = false })},
		{"saml_enabled off", Usual(), Change{SAML: new(false)}, with(func(r *Rules) { r.SAML = false })},
		{
			"saml_enabled off together with the freshness", but(func(r *Rules) { r.Password = true }),
			Change{SAML: new(false), FreshnessDays: new(int64(0))},
			but(func(r *Rules) { r.Password, r.SAML, r.Freshness = true, false, 0 }),
		},
		{"saml_allow_external on", closed, Change{ExternalSAML: new(true)}, but(func(r *Rules) { r.ExternalSAML = true })},
		{"login_freshness_days", Usual(), Change{FreshnessDays: new(int64(365))}, with(func(r *Rules) { r.Freshness = 365 * day })},
		{"login_freshness_days none", closed, Change{FreshnessDays: new(int64(0))}, but(func(r *Rules) { r.Freshness = 0 })},
		{"personal_tokens_enabled off", Usual(), Change{PersonalTokensOn: new(false)}, with(func(r *Rules) { r.PersonalTokens = TokensDisabled })},
		{"personal_tokens_enabled off keeps the narrower word", closed, Change{PersonalTokensOn: new(false)}, closed},
		{"personal_tokens_enabled on", closed, Change{PersonalTokensOn: new(true)}, but(func(r *Rules) { r.PersonalTokens = TokensEnabled })},
		{"personal_tokens", closed, Change{PersonalTokens: new("disabled")}, but(func(r *Rules) { r.PersonalTokens = TokensDisabled })},
		{
			"both words that agree", Usual(), Change{PersonalTokensOn: new(false), PersonalTokens: new("disabled_for_managed_users")},
			with(func(r *Rules) { r.PersonalTokens = TokensNotForManaged }),
		},
		{"personal_tokens_require_allowed_auth_method on", closed, Change{EnforceMethod: new(true)}, but(func(r *Rules) { r.EnforceMethod = true })},
		{"the shortest age", Usual(), Change{PersonalTokenSeconds: new(int64(600))}, with(func(r *Rules) { r.PersonalTokenAge = 10 * time.Minute })},
		{"the longest age", Usual(), Change{PersonalTokenSeconds: new(int64(315_360_000))}, with(func(r *Rules) { r.PersonalTokenAge = 3650 * day })},
		{"any age", closed, Change{PersonalTokenSeconds: new(int64(0))}, but(func(r *Rules) { r.PersonalTokenAge = 0 })},
		{"mcp_enabled on", closed, Change{MCP: new(true)}, but(func(r *Rules) { r.MCP = true })},
		{"device_login_enabled on", closed, Change{DeviceLogin: new(true)}, but(func(r *Rules) { r.DeviceLogin = true })},
		{"allowed_ip_ranges", Usual(), Change{Ranges: &[]string{"2001:db8::/32", "203.0.113.0/24"}}, with(func(r *Rules) { r.Ranges = []netip.Prefix{home, office} })},
		{"allowed_ip_ranges none", closed, Change{Ranges: &[]string{}}, but(func(r *Rules) { r.Ranges = nil })},
	} {
		got, err := c.change.Apply(c.before)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, got, comparable); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestAChangeThatContradictsItselfIsRefusedAtItsField(t *testing.T) {
	onlySAML := with(func(r *Rules) { r.Password, r.Passkey, r.ThirdParty = false, false, false })
	fresh := with(func(r *Rules) { r.Freshness = day })
	noParties := with(func(r *Rules) { r.ThirdParty = false })
	noSAML := with(func(r *Rules) { r.SAML = false })
	const none = "no_authentication_method_left"
	for _, c := range []struct {
		name        string
		before      Rules
		change      Change
		field, code string
	}{
		{"a context that is no URI", Usual(), Change{SecondFactorContexts: &[]string{"mfa"}}, "saml_second_factor_contexts", ""},
		{"a context that is a path", Usual(), Change{SecondFactorContexts: &[]string{"/profile/mfa"}}, "saml_second_factor_contexts", ""},
		{"a context with a blank", Usual(), Change{SecondFactorContexts: &[]string{refeds, "urn:x: y"}}, "saml_second_factor_contexts", ""},
		{"an empty context", Usual(), Change{SecondFactorContexts: &[]string{""}}, "saml_second_factor_contexts", ""},
		{"a context that is too long", Usual(), Change{SecondFactorContexts: &[]string{"urn:x:" + strings.Repeat("y", 251)}}, "saml_second_factor_contexts", ""},
		{"too many contexts", Usual(), Change{SecondFactorContexts: contexts(21)}, "saml_second_factor_contexts", ""},
		{"a second factor", Usual(), Change{TwoFactor: new(true)}, "two_factor_required", "two_factor_not_available"},
		{"an unknown third party", Usual(), Change{Providers: &[]string{"google", "facebook"}}, "oauth_providers", ""},
		{"a third party that is none", Usual(), Change{Providers: &[]string{"password"}}, "oauth_providers", ""},
		{"a third party in capitals", Usual(), Change{Providers: &[]string{"Google"}}, "oauth_providers", ""},
		{"no third party while they are on", Usual(), Change{Providers: &[]string{}}, "oauth_providers", ""},
		{"no third party while they go on", noParties, Change{ThirdParty: new(true), Providers: &[]string{}}, "oauth_providers", ""},
		{"third parties while they go off", Usual(), Change{ThirdParty: new(false), Providers: &[]string{"google"}}, "oauth_providers", ""},
		{"others' providers while none is admitted", Usual(), Change{SAML: new(false), ExternalSAML: new(true)}, "saml_allow_external", ""},
		{"freshness without SAML", noSAML, Change{FreshnessDays: new(int64(7))}, "login_freshness_days", ""},
		{"freshness while SAML goes off", Usual(), Change{SAML: new(false), FreshnessDays: new(int64(7))}, "login_freshness_days", ""},
		{"SAML off while freshness stays", fresh, Change{SAML: new(false)}, "saml_enabled", ""},
		{"freshness of less than nothing", Usual(), Change{FreshnessDays: new(int64(-1))}, "login_freshness_days", ""},
		{"freshness beyond a year", Usual(), Change{FreshnessDays: new(int64(366))}, "login_freshness_days", ""},
		{"freshness that would overflow", Usual(), Change{FreshnessDays: new(int64(1 << 62))}, "login_freshness_days", ""},
		{"an unknown word for tokens", Usual(), Change{PersonalTokens: new("sometimes")}, "personal_tokens", ""},
		{"no word for tokens", Usual(), Change{PersonalTokens: new("")}, "personal_tokens", ""},
		{"two words for tokens that differ", Usual(), Change{PersonalTokensOn: new(true), PersonalTokens: new("disabled")}, "personal_tokens", ""},
		{"two words the other way round", Usual(), Change{PersonalTokensOn: new(false), PersonalTokens: new("enabled")}, "personal_tokens", ""},
		{"too low an age", Usual(), Change{PersonalTokenSeconds: new(int64(599))}, "personal_token_max_age_seconds", "auth_token_max_age_too_low"},
		{"an age below nothing", Usual(), Change{PersonalTokenSeconds: new(int64(-1))}, "personal_token_max_age_seconds", "auth_token_max_age_too_low"},
		{"too high an age", Usual(), Change{PersonalTokenSeconds: new(int64(315_360_001))}, "personal_token_max_age_seconds", ""},
		{"an age that would overflow", Usual(), Change{PersonalTokenSeconds: new(int64(1 << 62))}, "personal_token_max_age_seconds", ""},
		{"no way left, by SAML", onlySAML, Change{SAML: new(false)}, "saml_enabled", none},
		{
			"no way left, all at once", Usual(),
			Change{Password: new(false), SAML: new(false), ThirdParty: new(false)}, "saml_enabled", none,
		},
		{
			"no way left, by passwords that take passkeys along",
			with(func(r *Rules) { r.SAML, r.ThirdParty = false, false }), Change{Password: new(false)}, "password_auth_enabled", none,
		},
		{
			"no way left, by third parties",
			with(func(r *Rules) { r.SAML, r.Password, r.Passkey = false, false, false }), Change{ThirdParty: new(false)}, "oauth_enabled", none,
		},
		{
			"no way left, by passkeys",
			with(func(r *Rules) { r.SAML, r.Password, r.ThirdParty = false, false, false }), Change{Passkey: new(false)}, "passkey_enabled", none,
		},
	} {
		got, err := c.change.Apply(c.before)
		wantFault(t, c.name, err, fault.Invalid, c.code, c.field)
		if diff := cmp.Diff(Rules{}, got, comparable); diff != "" {
			t.Errorf("%s: got rules beside the error (-want +got):\n%s", c.name, diff)
		}
	}
}

// wantFault fails the test unless err is a fault of a kind, with a code and at
// a field, and with a sentence.
func wantFault(t *testing.T, name string, err error, kind fault.Kind, code, field string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Code != code || f.Field != field || !strings.ContainsAny(f.Message[max(0, len(f.Message)-1):], ".?") {
		t.Errorf("%s: got %#v, want %s with code %q at %q", name, err, kind, code, field)
	}
}

func TestRangesThatAreNoneAreRefused(t *testing.T) {
	hundredAndOne := make([]string, 101)
	for i := range hundredAndOne {
		hundredAndOne[i] = "203.0.113.7"
	}
	for _, c := range []struct {
		name string
		text []string
		says string
	}{
		{"nothing", []string{""}, `"" is no address range`},
		{"white space", []string{" \t\n"}, `"" is no address range`},
		{"bits behind the length", []string{"203.0.113.7/24"}, "Did you mean 203.0.113.0/24?"},
		{"bits behind the length, IPv6", []string{"2001:db8::1/32"}, "Did you mean 2001:db8::/32?"},
		{"bits behind the length, IPv4 in IPv6", []string{"::ffff:203.0.113.7/120"}, "Did you mean 203.0.113.0/24?"},
		{"too long a length", []string{"203.0.113.0/33"}, "no address range"},
		{"too long a length, IPv6", []string{"2001:db8::/129"}, "no address range"},
		{"a length below nothing", []string{"203.0.113.0/-1"}, "no address range"},
		{"a length with a sign", []string{"203.0.113.0/+24"}, "no address range"},
		{"a length with a zero before it", []string{"203.0.113.0/024"}, "no address range"},
		{"no length", []string{"203.0.113.0/"}, "no address range"},
		{"two lengths", []string{"203.0.113.0/24/24"}, "no address range"},
		{"a netmask", []string{"203.0.113.0/255.255.255.0"}, "no address range"},
		{"a zero before a number", []string{"203.000.113.0/24"}, "no address range"},
		{"an octal number", []string{"0313.0.0161.7"}, "no address range"},
		{"three numbers", []string{"203.0.113/24"}, "no address range"},
		{"a number that is none", []string{"203.0.256.0/24"}, "no address range"},
		{"a zone", []string{"fe80::1%eth0"}, "no address range"},
		{"a zone with a length", []string{"fe80::%eth0/10"}, "no address range"},
		{"IPv4 in IPv6, shorter than IPv4", []string{"::ffff:0:0/95"}, "no address range"},
		{"IPv4 in IPv6, of everything", []string{"::ffff:0:0/0"}, "no address range"},
		{"a comment", []string{"203.0.113.0/24 # office"}, "no address range"},
		{"two in one", []string{"203.0.113.0/24, 198.51.100.0/24"}, "no address range"},
		{"from and to", []string{"203.0.113.0-203.0.113.255"}, "no address range"},
		{"a name", []string{"office.example.com"}, "no address range"},
		{"a port", []string{"203.0.113.7:443"}, "no address range"},
		{"brackets", []string{"[2001:db8::1]"}, "no address range"},
		{"a NUL", []string{"203.0.113.0/24\x00"}, `\x00`},
		{"what is no text", []string{"\xff\xfe"}, "no address range"},
		{"200 characters", []string{strings.Repeat("2", 200)}, `2…" is no address range`},
		{"200 characters of several bytes", []string{strings.Repeat("ä", 100)}, "no address range"},
		{"one wrong among right ones", []string{"203.0.113.0/24", "x"}, `"x" is no address range`},
		{"more than a hundred", hundredAndOne, "100 ranges at most"},
	} {
		_, err := Change{Ranges: &c.text}.Apply(Usual())
		wantFault(t, c.name, err, fault.Invalid, "", "allowed_ip_ranges")
		if err == nil || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 300 {
			t.Errorf("%s: got %v, want it to say %s", c.name, err, c.says)
		}
	}
}

func TestRangesAreReadAsWhatTheyMean(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.0/24":            "203.0.113.0/24",
		"  203.0.113.0/24\n":        "203.0.113.0/24",
		"203.0.113.7":               "203.0.113.7/32",
		"2001:db8::1":               "2001:db8::1/128",
		"2001:DB8:0:0::/32":         "2001:db8::/32",
		"::ffff:203.0.113.7":        "203.0.113.7/32",
		"::ffff:203.0.113.0/120":    "203.0.113.0/24",
		"::ffff:0:0/96":             "0.0.0.0/0",
		"0.0.0.0/0":                 "0.0.0.0/0",
		"::/0":                      "::/0",
		"0:0:0:0:0:ffff:cb00:7107":  "203.0.113.7/32",
		"2001:db8::203.0.113.0/128": "2001:db8::cb00:7100/128",
	} {
		got, err := Change{Ranges: &[]string{text, text}}.Apply(Usual())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff([]netip.Prefix{netip.MustParsePrefix(want)}, got.Ranges, comparable); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func FuzzRanges(f *testing.F) {
	for _, text := range []string{"203.0.113.0/24", "2001:db8::/32", "::ffff:203.0.113.0/120", "::ffff:0:0/95", "203.0.113.7/24", "fe80::1%eth0", "203.0.113.0/024", "x\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Change{Ranges: &[]string{text}}.Apply(Usual())
		if err != nil {
			wantFault(t, text, err, fault.Invalid, "", "allowed_ip_ranges")
			return
		}
		if len(r.Ranges) != 1 {
			t.Fatalf("%q: got %v, want one range", text, r.Ranges)
		}
		p := r.Ranges[0]
		if !p.IsValid() || p != p.Masked() || p.Addr().Zone() != "" || p.Addr().Is4In6() {
			t.Errorf("%q: got %v, which is not in its plainest form", text, p)
		}
		again, err := Change{Ranges: &[]string{p.String()}}.Apply(Usual())
		if err != nil || !slices.Equal(again.Ranges, r.Ranges) {
			t.Errorf("%q: got %v and %v from what was written of %v", text, again.Ranges, err, p)
		}
		if r.Check(Entry{Kind: Application, IP: p.Addr()}) != nil {
			t.Errorf("%q: its first address is not admitted by %v", text, p)
		}
	})
}

func TestAChangeSharesNothingWithWhatItIsMadeOf(t *testing.T) {
	before := with(func(r *Rules) { r.Ranges = []netip.Prefix{office, home} })
	given := []string{"google", "github"}
	texts := []string{"203.0.113.0/24"}
	for name, c := range map[string]Change{
		"nothing":    {},
		"other":      {MCP: new(false)},
		"providers":  {Providers: &given},
		"the ranges": {Ranges: &texts},
	} {
		after, err := c.Apply(before)
		if err != nil {
			t.Fatal(err)
		}
		for i := range after.Providers {
			after.Providers[i] = "horse"
		}
		for i := range after.Ranges {
			after.Ranges[i] = netip.Prefix{}
		}
		want := with(func(r *Rules) { r.Ranges = []netip.Prefix{office, home} })
		if diff := cmp.Diff(want, before, comparable); diff != "" {
			t.Errorf("%s: the rules before changed (-want +got):\n%s", name, diff)
		}
	}
	if !slices.Equal(given, []string{"google", "github"}) || !slices.Equal(texts, []string{"203.0.113.0/24"}) {
		t.Errorf("the change itself changed: %v, %v", given, texts)
	}
	if !slices.Equal(ThirdParties, []Way{Google, Microsoft, GitHub}) {
		t.Errorf("the table of third parties changed: %v", ThirdParties)
	}
}

// A change says the same whether it is made once or twice.
func TestAChangeMadeTwiceIsMadeOnce(t *testing.T) {
	for _, c := range []Change{
		{Password: new(false)},
		{Password: new(false), Passkey: new(true)},
		{PersonalTokensOn: new(false)},
		{Providers: &[]string{"github"}},
		{Ranges: &[]string{"203.0.113.0/24"}, FreshnessDays: new(int64(7))},
	} {
		once, err := c.Apply(Usual())
		if err != nil {
			t.Fatal(err)
		}
		twice, err := c.Apply(once)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(once, twice, comparable); diff != "" {
			t.Errorf("(-once +twice):\n%s", diff)
		}
	}
}

// contexts are so many that differ.
func contexts(n int) *[]string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("urn:x:%d", i))
	}
	return &all
}

func TestTwentyContextsAreNotTooMany(t *testing.T) {
	got, err := Change{SecondFactorContexts: contexts(20)}.Apply(Usual())
	if err != nil || len(got.SecondFactorContexts) != 20 {
		t.Errorf("got %d contexts and %v, want 20", len(got.SecondFactorContexts), err)
	}
}
