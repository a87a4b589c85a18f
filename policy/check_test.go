package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

var (
	now     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	inside  = netip.MustParseAddr("203.0.113.7")
	outside = netip.MustParseAddr("198.51.100.7")
	office  = netip.MustParsePrefix("203.0.113.0/24")
	home    = netip.MustParsePrefix("2001:db8::/32")
)

// A dimension is a field with values of it. Values of which one is tighter
// than another are named by steps, from the looser one to the tighter one.
type dimension struct {
	field  string
	values []func(*Rules)
	steps  [][2]int
	walked int // how many of the values the table is walked with
}

// flag is a field that is tighter off, or tighter on.
func flag(field string, tight bool, of func(*Rules) *bool) dimension {
	return dimension{field, []func(*Rules){
		func(r *Rules) { *of(r) = !tight },
		func(r *Rules) { *of(r) = tight },
	}, [][2]int{{0, 1}}, 2}
}

func values[T any](of func(*Rules) *T, all ...T) []func(*Rules) {
	var out []func(*Rules)
	for _, v := range all {
		out = append(out, func(r *Rules) { *of(r) = v })
	}
	return out
}

// dimensions are all fields of Rules. The table is walked with two values of
// each, three where a word has three; with what is left out, the table cannot
// tell a difference, and the tests beside it ask for it.
func dimensions() []dimension {
	return []dimension{
		flag("password_auth_enabled", false, func(r *Rules) *bool { return &r.Password }),
		flag("two_factor_required", true, func(r *Rules) *bool { return &r.TwoFactor }),
		flag("oauth_enabled", false, func(r *Rules) *bool { return &r.ThirdParty }),
		{
			"oauth_providers",
			values(func(r *Rules) *[]Way { return &r.Providers }, ThirdParties, []Way{Google, GitHub}, []Way{Google}, []Way{GitHub}, nil),
			[][2]int{{0, 1}, {1, 2}, {1, 3}, {0, 2}, {2, 4}, {3, 4}}, 2,
		},
		flag("passkey_enabled", false, func(r *Rules) *bool { return &r.Passkey }),
		flag("saml_enabled", false, func(r *Rules) *bool { return &r.SAML }),
		flag("saml_allow_external", false, func(r *Rules) *bool { return &r.ExternalSAML }),
		{
			"saml_second_factor_contexts",
			values(func(r *Rules) *[]string { return &r.SecondFactorContexts }, nil, []string{refeds}, []string{"urn:x:other", refeds}, []string{"urn:x:other"}),
			[][2]int{{0, 1}, {0, 2}, {2, 1}, {2, 3}, {0, 3}}, 2,
		},
		{
			"personal_tokens",
			values(func(r *Rules) *PersonalTokens { return &r.PersonalTokens }, TokensEnabled, TokensNotForManaged, TokensDisabled),
			[][2]int{{0, 1}, {1, 2}, {0, 2}}, 3,
		},
		flag("personal_tokens_require_allowed_auth_method", true, func(r *Rules) *bool { return &r.EnforceMethod }),
		{
			"personal_token_max_age_seconds",
			values(func(r *Rules) *time.Duration { return &r.PersonalTokenAge }, 0, 30*day, 5*day),
			[][2]int{{0, 1}, {1, 2}, {0, 2}}, 2,
		},
		flag("mcp_enabled", false, func(r *Rules) *bool { return &r.MCP }),
		{
			"login_freshness_days",
			values(func(r *Rules) *time.Duration { return &r.Freshness }, 0, 30*day, 5*day),
			[][2]int{{0, 1}, {1, 2}, {0, 2}}, 2,
		},
		{
			"allowed_ip_ranges",
			values(func(r *Rules) *[]netip.Prefix { return &r.Ranges }, nil, []netip.Prefix{office}, []netip.Prefix{home, office}, []netip.Prefix{home}, []netip.Prefix{netip.PrefixFrom(inside, 32)}),
			[][2]int{{0, 1}, {0, 2}, {2, 1}, {2, 3}, {1, 4}, {2, 4}}, 2,
		},
		flag("device_login_enabled", false, func(r *Rules) *bool { return &r.DeviceLogin }),
	}
}

// refeds is a context that identity providers assert of a second factor.
const refeds = "https://refeds.org/profile/mfa"

// product gives all rules that the walked values make.
func product(all []dimension) []Rules {
	out := []Rules{{}}
	for _, d := range all {
		var next []Rules
		for _, r := range out {
			for _, set := range d.values[:d.walked] {
				set(&r)
				next = append(next, r)
			}
		}
		out = next
	}
	return out
}

// A case of the walk: an entry, and the table's words for it.
type walked struct {
	entry Entry
	facts facts
	rows  []*row
}

// entries gives the product of everything that the table knows of an entry.
// GitHub is left out, which is asked to be like Google by a test of its own;
// so are addresses and moments but one on either side of each bound.
func entries(table []row) []walked {
	var out []walked
	for _, k := range []Kind{Console, Session, Personal, Application} {
		for _, l := range allLogins {
			if l.way == GitHub {
				continue
			}
			rows := of(table, k, l)
			for i := range 128 {
				on := func(bit int) bool { return i>>bit&1 == 1 }
				f := facts{outside: on(0), mcp: on(1), second: on(2), managed: on(3), old: on(4), stale: on(5), device: on(6), login: l}
				if f.outside && f.device { // the address decides already
					continue
				}
				out = append(out, walked{f.entry(k), f, rows})
			}
		}
	}
	return out
}

// entry is one of which the facts hold, with the bounds of the walk.
func (f facts) entry(k Kind) Entry {
	e := Entry{
		Kind: k, Way: f.login.way, From: f.login.from, TwoFactor: f.second, Managed: f.managed, MCP: f.mcp, Device: f.device,
		MadeAt: now.Add(-10 * day), SSO: now.Add(-10 * day), IP: inside, Now: now,
	}
	if f.login.way == SAML {
		e.TwoFactor, e.Context = false, "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
		if f.second {
			e.Context = refeds
		}
	}
	if f.outside {
		e.IP = outside
	}
	if f.old {
		e.MadeAt = now.Add(-40 * day)
	}
	if f.stale {
		e.SSO = now.Add(-40 * day)
	}
	return e
}

// disagree compares Check with the table for one combination; it is empty if
// they say the same.
func (w *walked) disagree(r *Rules) string {
	want := decide(w.rows, r, &w.facts)
	got := r.Check(w.entry)
	switch {
	case want == nil:
		return fmt.Sprintf("%+v\nof rules %+v: no row matches", w.entry, *r)
	case got == nil && want.code == "":
		return ""
	case got != nil && want.code != "" && got.Code == want.code && got.Rule == want.rule && got.Why != "":
		return ""
	}
	return fmt.Sprintf("%+v\nof rules %+v: got %+v, want %s", w.entry, *r, got, want.text)
}

func TestCheckDecidesAsTheDocumentedTable(t *testing.T) {
	all, cases := product(dimensions()), entries(documented(t))
	if len(all)*len(cases) < 20_000_000 {
		t.Fatalf("got %d rules × %d entries, want all of them", len(all), len(cases))
	}
	const slices = 8
	for part := range slices {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for i := part; i < len(all); i += slices {
				for j := range cases {
					if no := cases[j].disagree(&all[i]); no != "" {
						t.Fatal(no)
					}
				}
			}
		})
	}
}

// Without any one of its rows, the table would say something else: none is
// there for nothing, and the walk above would notice the loss of each.
func TestEveryRowOfTheTableDecidesSomething(t *testing.T) {
	table, all := documented(t), product(dimensions())
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i := range table {
		cases := entries(slices.Concat(table[:i:i], table[i+1:]))
		noticed := slices.ContainsFunc(all, func(r Rules) bool {
			return slices.ContainsFunc(cases, func(w walked) bool { return w.disagree(&r) != "" })
		})
		if !noticed {
			t.Errorf("without row %s\nnothing is decided differently", table[i].text)
		}
	}
}

// The walk has Google in every list and leaves GitHub out; here each of the
// three is asked with each list.
func TestTheThirdPartiesAreDecidedAlike(t *testing.T) {
	table := documented(t)
	for i := range 16 {
		r := Usual()
		r.ThirdParty, r.Providers = i&8 == 0, nil
		for bit, w := range ThirdParties {
			if i>>bit&1 == 1 {
				r.Providers = append(r.Providers, w)
			}
		}
		for _, k := range []Kind{Console, Session, Personal, Application} {
			for _, w := range ThirdParties {
				f := facts{login: login{w, ""}}
				c := walked{f.entry(k), f, of(table, k, f.login)}
				if no := c.disagree(&r); no != "" {
					t.Error(no)
				}
			}
		}
	}
}

func TestWhatIsNotKnownIsNotAdmitted(t *testing.T) {
	for name, e := range map[string]Entry{
		"kind":                {Kind: "robot", Way: Password},
		"no kind":             {Way: Password},
		"way, in a browser":   {Kind: Console, Way: "horse"},
		"way, of a session":   {Kind: Session},
		"way, of a token":     {Kind: Personal, Way: "horse"},
		"identity provider":   {Kind: Console, Way: SAML},
		"recovery by a robot": {Kind: "robot", Way: Recovery},
	} {
		e.IP, e.Now, e.MadeAt = inside, now, now
		r := Usual()
		if got := r.Check(e); got == nil || got.Code == "" || got.Why == "" {
			t.Errorf("%s: got %+v, want a refusal", name, got)
		}
	}
}

func TestBoundsInTimeHoldToTheSecond(t *testing.T) {
	r := Usual()
	r.PersonalTokenAge, r.Freshness = 30*day, 7*day
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	token := Entry{Kind: Personal, Way: Password}
	for _, c := range []struct {
		name        string
		entry       Entry
		made, login time.Time
		managed     bool
		rule        string // empty: admitted
	}{
		{"a token at its age", token, at(30 * day), at(0), false, ""},
		{"a token beyond it", token, at(30*day + time.Nanosecond), at(0), false, "personal_token_max_age_seconds"},
		{"a token of a clock that is ahead", token, at(-time.Minute), at(0), false, ""},
		{"a token of no time", token, time.Time{}, at(0), false, "personal_token_max_age_seconds"},
		{"a session has no age", Entry{Kind: Session, Way: Password}, at(300 * day), at(0), false, ""},
		{"a login as old as may be", token, at(0), at(7 * day), true, ""},
		{"a login too old", token, at(0), at(7*day + time.Nanosecond), true, "login_freshness_days"},
		{"no login ever", token, at(0), time.Time{}, true, "login_freshness_days"},
		{"of somebody whom nobody manages", token, at(0), time.Time{}, false, ""},
		{"in a browser, too old", Entry{Kind: Console, Way: Password}, at(0), at(8 * day), true, "login_freshness_days"},
		{"in a browser, by a recovery", Entry{Kind: Console, Way: Recovery}, at(0), time.Time{}, true, ""},
		{"an application", Entry{Kind: Application}, at(300 * day), time.Time{}, true, ""},
	} {
		e := c.entry
		e.MadeAt, e.SSO, e.Managed, e.Now, e.IP = c.made, c.login, c.managed, now, inside
		if got := rule(r.Check(e)); got != c.rule {
			t.Errorf("%s: got %q, want %q", c.name, got, c.rule)
		}
	}
}

// rule names what refused.
func rule(no *Refusal) string {
	if no == nil {
		return ""
	}
	return no.Rule
}

func TestAddressesAreComparedAsWhatTheyAre(t *testing.T) {
	for _, c := range []struct {
		ranges, address string
		admitted        bool
	}{
		{"203.0.113.0/24", "203.0.113.7", true},
		{"203.0.113.0/24", "::ffff:203.0.113.7", true},
		{"203.0.113.0/24", "203.0.114.0", false},
		{"203.0.113.0/24", "::203.0.113.7", false},
		{"203.0.113.0/24", "64:ff9b::203.0.113.7", false},
		{"203.0.113.7/32", "::ffff:203.0.113.7", true},
		{"203.0.113.7/32", "203.0.113.8", false},
		{"0.0.0.0/0", "198.51.100.7", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "198.51.100.7", false},
		{"::/0", "::ffff:198.51.100.7", false},
		{"2001:db8::/32", "2001:db8:ffff::1", true},
		{"2001:db8::/32", "2001:db9::1", false},
		{"fe80::/10", "fe80::1%eth0", true},
		{"203.0.113.0/24 2001:db8::/32", "2001:db8::1", true},
		{"203.0.113.0/24", "", false},
		{"0.0.0.0/0 ::/0", "", false},
		{"", "", true},
	} {
		var ip netip.Addr
		if c.address != "" {
			ip = netip.MustParseAddr(c.address)
		}
		r := Usual()
		for _, text := range strings.Fields(c.ranges) {
			r.Ranges = append(r.Ranges, netip.MustParsePrefix(text))
		}
		for _, k := range []Kind{Console, Session, Personal, Application} {
			got := r.Check(Entry{Kind: k, Way: Password, IP: ip, Now: now, MadeAt: now})
			if (got == nil) != c.admitted {
				t.Errorf("%s from %q into %q: got %+v, want admitted %t", k, c.address, c.ranges, got, c.admitted)
			}
		}
	}
}

func TestARefusalNamesTheAddressAndTheRanges(t *testing.T) {
	many := make([]netip.Prefix, 12)
	for i := range many {
		many[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 32)
	}
	for _, c := range []struct {
		name   string
		ip     netip.Addr
		ranges []netip.Prefix
		want   string
	}{
		{"one's own", netip.MustParseAddr("::ffff:198.51.100.7"), []netip.Prefix{office, home}, "You come from 198.51.100.7, and this organization admits 203.0.113.0/24, 2001:db8::/32 only."},
		{"none", netip.Addr{}, []netip.Prefix{office}, "You come from an address that is not known, and this organization admits 203.0.113.0/24 only."},
		{"many ranges", outside, many, "You come from 198.51.100.7, and this organization admits 192.0.2.0/32, 192.0.2.1/32, 192.0.2.2/32, 192.0.2.3/32, 192.0.2.4/32, 192.0.2.5/32, 192.0.2.6/32, 192.0.2.7/32, 192.0.2.8/32, 192.0.2.9/32 and others only."},
	} {
		r := Rules{Ranges: c.ranges}
		got := r.Check(Entry{Kind: Application, IP: c.ip})
		if got == nil || got.Why != c.want {
			t.Errorf("%s: got %+v, want %s", c.name, got, c.want)
		}
	}
}

func TestWaysAreThoseThatAreAdmitted(t *testing.T) {
	for _, r := range product(dimensions()) {
		r.Ranges, r.Freshness = nil, 0
		some := slices.ContainsFunc(allLogins, func(l login) bool {
			return l.way != Recovery && r.Check(Entry{Kind: Console, Way: l.way, From: l.from, TwoFactor: true, Context: refeds, Now: now}) == nil
		})
		if got := len(r.Ways()) > 0; got != some {
			t.Fatalf("%+v: got ways %v, want some: %t", r, r.Ways(), some)
		}
	}
	r := Usual()
	r.TwoFactor, r.ExternalSAML, r.Providers = true, false, []Way{GitHub}
	want := []string{"an identity provider of this organization", "GitHub", "a passkey", "a password with a second factor"}
	if got := r.Ways(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r.SecondFactorContexts = []string{refeds}
	want[0] += ", with a second factor there"
	if got := r.Ways(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r.ExternalSAML = true
	want = slices.Insert(want, 1, "an identity provider of another organization of yours")
	if got := r.Ways(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
