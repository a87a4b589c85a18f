package mail

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/seal"
)

func TestMailsThatCannotBeSentAreOurMistake(t *testing.T) {
	good := Message{Kind: Notice, To: "ann@acme.test", Subject: "Hello", Text: "Hello"}
	if err := good.check(); err != nil {
		t.Fatalf("a good mail: got %v", err)
	}
	for name, change := range map[string]func(m *Message){
		"no kind":                func(m *Message) { m.Kind = "" },
		"header in the subject":  func(m *Message) { m.Subject = "Hello\r\nBcc: eve@evil.test" },
		"no subject":             func(m *Message) { m.Subject = "" },
		"long subject":           func(m *Message) { m.Subject = strings.Repeat("x", 201) },
		"subject that is binary": func(m *Message) { m.Subject = "\xff" },
		"no recipient":           func(m *Message) { m.To = "" },
		"two recipients":         func(m *Message) { m.To = "ann@acme.test,eve@evil.test" },
		"recipient with a name":  func(m *Message) { m.To = "Ann <ann@acme.test>" },
		"header in recipient":    func(m *Message) { m.To = "ann@acme.test\r\nBcc:eve@evil.test" },
		"two ats":                func(m *Message) { m.To = "ann@acme.test@evil.test" },
		"no text":                func(m *Message) { m.Text = "" },
		"too long":               func(m *Message) { m.HTML = strings.Repeat("x", mostBody) },
	} {
		m := good
		change(&m)
		if m.check() == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
}

func TestATagOfAnAddressIsTheSameMailbox(t *testing.T) {
	for address, want := range map[string]string{
		"ann@acme.test": "ann@acme.test", "ann+x@acme.test": "ann@acme.test", "ann+x+y@acme.test": "ann@acme.test", "+x@acme.test": "+x@acme.test",
	} {
		if got := mailbox(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func TestATextIsSealedForItsRow(t *testing.T) {
	s := &Sender{Keys: seal.New()}
	sealed := s.Keys.Seal(Purpose("m1"), []byte(`{"Text":"hello","HTML":"<p>"}`))
	m, err := s.open(Queued{ID: "m1", Body: sealed})
	if err != nil || m.Text != "hello" || m.HTML != "<p>" {
		t.Errorf("got %+v, %v; want the text", m, err)
	}
	if _, err := s.open(Queued{ID: "m2", Body: sealed}); !errors.Is(err, seal.ErrKey) {
		t.Errorf("in another row: got %v, want ErrKey", err)
	}
}

func TestDelaysGrow(t *testing.T) {
	last := time.Duration(0)
	for n := 1; n < 20; n++ {
		d := delay(n)
		if d < last || d < 30*time.Second || d > 6*time.Hour {
			t.Errorf("after %d attempts: got %v, after %v before", n, d, last)
		}
		last = d
	}
	if last != 6*time.Hour {
		t.Errorf("got %v at last, want 6h", last)
	}
}

func TestTemplatesSayEverythingTwice(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		write func() (Message, error)
		want  []string
	}{
		"verify": {VerifyAddress{Host: "sso.acme.test", Address: "ann@acme.test", Name: "Ann Archer", Made: at, IP: "192.0.2.1", Organizations: []string{"Acme", "Bolt", "Cog", "Dyn", "Eon"}, Providers: []string{"Acme IdP"}, Link: "https://sso.acme.test/verify/x1", Until: at.Add(24 * time.Hour)}.Message,
			[]string{"Ann Archer", "Acme", "Bolt", "Cog", "and 2 more organizations", "Acme IdP", "sso.acme.test", "ann@acme.test", "4 March 2026, 05:06 UTC", "5 March 2026, 05:06 UTC", "192.0.2.1", "https://sso.acme.test/verify/x1", "not you?"}},
		"verify from nowhere": {VerifyAddress{Host: "sso.acme.test", Address: "ann@acme.test", Made: at, Link: "https://sso.acme.test/verify/x1", Until: at}.Message,
			[]string{"4 March 2026, 05:06 UTC"}},
		"linked": {AccountLinked{Host: "sso.acme.test", Address: "ann@acme.test", Provider: "Okta", Organization: "Acme", At: at, IP: "192.0.2.1", Profile: "https://sso.acme.test/profile"}.Message,
			[]string{"sso.acme.test", "ann@acme.test", "Okta", "Acme", "4 March 2026, 05:06 UTC", "192.0.2.1", "https://sso.acme.test/profile", "not you?"}},
		"program": {ProgramLoggedIn{Host: "sso.acme.test", Address: "ann@acme.test", Program: "robot", At: at, ProgramIP: "192.0.2.1", BrowserIP: "192.0.2.2", Tokens: "https://sso.acme.test/profile/tokens"}.Message,
			[]string{"sso.acme.test", "ann@acme.test", "robot", "4 March 2026, 05:06 UTC", "192.0.2.1", "192.0.2.2", "https://sso.acme.test/profile/tokens", "not you"}},
		"changed": {CredentialChanged{Host: "sso.acme.test", Address: "ann@acme.test", What: "The password was changed.", At: at, Profile: "https://sso.acme.test/profile"}.Message,
			[]string{"sso.acme.test", "ann@acme.test", "The password was changed.", "4 March 2026, 05:06 UTC", "https://sso.acme.test/profile", "not you?"}},
		"cut": {CredentialChanged{Host: "sso.acme.test", Address: "ann@acme.test", What: "A way to log in was cut.", Provider: "Okta", Organization: "Acme", At: at, IP: "192.0.2.1", Profile: "https://sso.acme.test/profile"}.Message,
			[]string{"A way to log in was cut.", "Okta", "Acme", "192.0.2.1"}},
		"domain missing": {DomainMissing{Host: "sso.acme.test", Address: "ann@acme.test", Organization: "Acme", Domain: "company.test", Where: "_aiven-challenge.company.test", Value: "token=x1,expiry=never", At: at, Since: at.Add(-24 * time.Hour), Ends: at.Add(6 * 24 * time.Hour), Link: "https://sso.acme.test/organization/o1/domains"}.Message,
			[]string{"sso.acme.test", "Acme", "company.test", "this TXT record", "_aiven-challenge.company.test", "token=x1,expiry=never", "4 March 2026, 05:06 UTC", "3 March 2026, 05:06 UTC", "10 March 2026, 05:06 UTC", "https://sso.acme.test/organization/o1/domains"}},
		"domain missing its page": {DomainMissing{Host: "sso.acme.test", Address: "ann@acme.test", Organization: "Acme", Domain: "company.test", Where: "https://company.test/x", Page: true, Value: "token=x1,expiry=never", Link: "https://sso.acme.test/organization/o1/domains"}.Message,
			[]string{"this page", "https://company.test/x"}},
		"domain lost": {DomainLost{Host: "sso.acme.test", Address: "ann@acme.test", Organization: "Acme", Domain: "company.test", Where: "_aiven-challenge.company.test", Value: "token=x1,expiry=never", At: at, Since: at.Add(-7 * 24 * time.Hour), Link: "https://sso.acme.test/organization/o1/domains"}.Message,
			[]string{"sso.acme.test", "Acme", "company.test", "lost", "manages still", "this TXT record", "_aiven-challenge.company.test", "token=x1,expiry=never", "4 March 2026, 05:06 UTC", "25 February 2026, 05:06 UTC", "https://sso.acme.test/organization/o1/domains"}},
		"metadata changed": {MetadataChanged{Host: "sso.acme.test", Address: "ann@acme.test", Organization: "Acme", Provider: "Okta", Held: true, At: at, Changes: []string{"another SSO URL", "a certificate comes: SHA-256 AB12…"}, Link: "https://sso.acme.test/organization/o1/identity-providers/am1/metadata"}.Message,
			[]string{"sso.acme.test", "Acme", "Okta", "another SSO URL", "a certificate comes: SHA-256 AB12…", "until a super admin approves", "4 March 2026, 05:06 UTC", "https://sso.acme.test/organization/o1/identity-providers/am1/metadata"}},
		"metadata applied": {MetadataChanged{Host: "sso.acme.test", Address: "ann@acme.test", Organization: "Acme", Provider: "Okta", At: at, Link: "https://sso.acme.test/x"}.Message,
			[]string{"This was applied", "https://sso.acme.test/x"}},
		"metadata failing": {MetadataFailing{Host: "sso.acme.test", Address: "ann@acme.test", Organization: "Acme", Provider: "Okta", Since: at, Link: "https://sso.acme.test/x"}.Message,
			[]string{"sso.acme.test", "Acme", "Okta", "4 March 2026, 05:06 UTC", "What is set stays", "https://sso.acme.test/x"}},
		"certificate ending": {CertificateEnding{Host: "sso.acme.test", Address: "ann@acme.test", Organization: "Acme", Provider: "Okta", Fingerprint: strings.Repeat("AB", 32), Ends: at, Link: "https://sso.acme.test/x"}.Message,
			[]string{"sso.acme.test", "Acme", "Okta", "ends soon", strings.Repeat("AB", 32), "4 March 2026, 05:06 UTC", "No other certificate", "it signs logins with it", "https://sso.acme.test/x"}},
		"certificate ending, with another": {CertificateEnding{Host: "sso.acme.test", Address: "ann@acme.test", Fingerprint: "AB", Ends: at, Until: at.Add(48 * time.Hour), Link: "https://sso.acme.test/x"}.Message,
			[]string{"is set already", "6 March 2026, 05:06 UTC"}},
		"certificate of ours over": {CertificateEnding{Host: "sso.acme.test", Address: "ann@acme.test", Ours: true, Fingerprint: "AB", Ends: at, Over: true, Link: "https://sso.acme.test/x"}.Message,
			[]string{"has ended", "Ours: it signs requests", "the new metadata first"}},
	} {
		m, err := c.write()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := m.check(); err != nil || m.To != "ann@acme.test" {
			t.Errorf("%s: got %v to %s, want one that can be queued for ann", name, err, m.To)
		}
		for _, want := range c.want {
			if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
				t.Errorf("%s: %q is not in the text, or not in the HTML:\n%s\n%s", name, want, m.Text, m.HTML)
			}
		}
		for _, never := range []string{"<img", "<script", "src=", "@import", "url(", "<link"} {
			if strings.Contains(m.HTML, never) {
				t.Errorf("%s: the HTML has %s, which loads something", name, never)
			}
		}
		for line := range strings.Lines(m.Text) {
			if len(line) > 81 && !strings.Contains(line, "http") {
				t.Errorf("%s: the line %q is long", name, line)
			}
		}
	}
}

func TestNamesAreOnlyTextInMails(t *testing.T) {
	m, err := AccountLinked{Host: "sso.acme.test", Address: "ann@acme.test", Provider: `<a href="https://evil.test">x</a>`, Organization: "Acme", At: time.Now(), Profile: "https://sso.acme.test/profile"}.Message()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.HTML, `<a href="https://evil.test"`) {
		t.Errorf("a name became a link:\n%s", m.HTML)
	}
}

func TestNoNameCarriesAnAdvertisement(t *testing.T) {
	for name, want := range map[string]string{
		"Ann Archer":                         "Ann Archer",
		"J.R. Smith":                         "J.R. Smith",
		"Visit evil.test now":                "Visit (left out) now",
		"Visit HTTPS://192.0.2.1/x now":      "Visit (left out) now",
		"Www.evil":                           "(left out)",
		"write to eve@evil.test":             "write to (left out)",
		"evil\u3002test":                     "(left out)",
		"evil\uff0etest":                     "(left out)",
		"evil.\u200btest":                    "(left out)",
		"evil.xn--p1ai":                      "(left out)",
		"Ann\r\nBcc: eve\u2028x":             "Ann Bcc: eve x",
		"Ann\" of \u201cus\u201d":            "Ann' of 'us'",
		"\xff\x00Ann":                        "Ann",
		strings.Repeat("é", 60):              strings.Repeat("é", 60),
		strings.Repeat("é", 61):              strings.Repeat("é", 59) + "…",
		strings.Repeat("x ", 29) + "evil.tt": strings.Repeat("x ", 29) + "(…",
	} {
		if got := plainName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestWhatStrangersChooseStandsInNoSubjectAndMakesNoLink(t *testing.T) {
	bait := `Win <a href="https://evil.test">here</a> at www.evil.test`
	at := time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC)
	for name, write := range map[string]func() (Message, error){
		"verify":  VerifyAddress{Host: "sso.acme.test", Address: "ann@acme.test", Name: bait, Made: at, Organizations: []string{bait}, Providers: []string{bait}, Link: "https://sso.acme.test/verify/x1", Until: at}.Message,
		"linked":  AccountLinked{Host: "sso.acme.test", Address: "ann@acme.test", Provider: bait, Organization: bait, At: at, Profile: "https://sso.acme.test/profile"}.Message,
		"missing": DomainMissing{Host: "sso.acme.test", Address: "ann@acme.test", Organization: bait, Domain: "company.test", Link: "https://sso.acme.test/organization/o1/domains"}.Message,
		"changed": MetadataChanged{Host: "sso.acme.test", Address: "ann@acme.test", Organization: bait, Provider: bait, Link: "https://sso.acme.test/x"}.Message,
		"failing": MetadataFailing{Host: "sso.acme.test", Address: "ann@acme.test", Organization: bait, Provider: bait, Link: "https://sso.acme.test/x"}.Message,
		"ending":  CertificateEnding{Host: "sso.acme.test", Address: "ann@acme.test", Organization: bait, Provider: bait, Link: "https://sso.acme.test/x"}.Message,
		"lost":    DomainLost{Host: "sso.acme.test", Address: "ann@acme.test", Organization: bait, Domain: "company.test", Link: "https://sso.acme.test/organization/o1/domains"}.Message,
	} {
		m, err := write()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(m.Subject, "Win") {
			t.Errorf("%s: got the subject %q, want nothing of the name", name, m.Subject)
		}
		for _, text := range []string{m.Text, m.HTML} {
			if strings.Contains(text, "evil") || !strings.Contains(text, "Win") {
				t.Errorf("%s: got %s, want the name without its addresses", name, text)
			}
		}
	}
}
