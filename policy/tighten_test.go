package policy

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// manyEntries is a wider product than the walk's: every address that the
// ranges of the dimensions tell apart, and a moment on either side of every
// bound.
func manyEntries() []Entry {
	ips := []netip.Addr{inside, netip.MustParseAddr("203.0.113.8"), netip.MustParseAddr("::ffff:203.0.113.7"), netip.MustParseAddr("2001:db8::1"), outside, {}}
	ago := []time.Duration{0, 10 * day, 40 * day}
	var out []Entry
	for _, k := range []Kind{Console, Session, Personal, Application, "robot"} {
		for _, l := range append(allLogins, login{"horse", ""}) {
			for _, ip := range ips {
				for i := range 16 {
					for _, made := range ago {
						for _, sso := range ago {
							out = append(out, Entry{
								Kind: k, Way: l.way, From: l.from, TwoFactor: i&1 == 1, Context: []string{"", refeds}[i&1], Managed: i&2 == 2, MCP: i&4 == 4, Device: i&8 == 8,
								MadeAt: now.Add(-made), SSO: now.Add(-sso), IP: ip, Now: now,
							})
						}
					}
				}
			}
		}
	}
	return out
}

// someRules draws rules from all values of all dimensions, always the same.
func someRules(all []dimension, n int) []Rules {
	chance := rand.New(rand.NewPCG(5, 4))
	out := []Rules{Usual()}
	for len(out) < n {
		var r Rules
		for _, d := range all {
			// Every second time as loose as can be: else hardly anything is
			// admitted, and nothing is learnt.
			i := 0
			if chance.IntN(2) == 0 {
				i = chance.IntN(len(d.values))
			}
			d.values[i](&r)
		}
		out = append(out, r)
	}
	return out
}

func TestTighteningAnyFieldLetsNobodyMoreIn(t *testing.T) {
	all, cases := dimensions(), manyEntries()
	bases := someRules(all, 24)
	for _, d := range all {
		t.Run(d.field, func(t *testing.T) {
			t.Parallel()
			stopped := 0
			for _, base := range bases {
				for _, s := range d.steps {
					before, after := base, base
					d.values[s[0]](&before)
					d.values[s[1]](&after)
					for _, e := range cases {
						was, is := before.Check(e), after.Check(e)
						if was != nil && is == nil {
							t.Fatalf("%+v\nis refused by %+v\nand admitted by %+v", e, before, after)
						}
						if was == nil && is != nil {
							stopped++
						}
					}
				}
			}
			if stopped == 0 {
				t.Error("tightening it refuses nobody: the walk shows nothing")
			}
		})
	}
}

func TestApplicationsAreTouchedByRangesAlone(t *testing.T) {
	cases := slices.DeleteFunc(manyEntries(), func(e Entry) bool { return e.Kind != Application })
	for _, r := range someRules(dimensions(), 50) {
		for _, e := range cases {
			only := Rules{Ranges: r.Ranges}
			if got, want := rule(r.Check(e)), rule(only.Check(e)); got != want {
				t.Fatalf("%+v of rules %+v: got %q, want %q", e, r, got, want)
			}
		}
	}
}

func TestAStrangersProviderIsNeverAdmitted(t *testing.T) {
	for _, r := range append(product(dimensions()), someRules(dimensions(), 500)...) {
		for _, k := range []Kind{Console, Session} {
			for _, from := range []Relation{Stranger, "", "cousin"} {
				e := Entry{Kind: k, Way: SAML, From: from, TwoFactor: true, SSO: now, MadeAt: now, IP: inside, Now: now}
				if r.Check(e) == nil {
					t.Fatalf("%+v is admitted by %+v", e, r)
				}
			}
		}
	}
}
