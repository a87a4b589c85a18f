package e2e_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// connectSSP introduces SimpleSAMLphp and the broker to one another, as an
// administrator would: the name first, its URLs over there, its metadata here.
func (b *broker) connectSSP(s *ssp, sp sspSP, fields map[string]any) provider {
	b.t.Helper()
	p := b.connect(b.account, "SimpleSAMLphp", nil)
	if p.State != "pending_configuration" || p.Enabled {
		b.t.Errorf("with a name alone: got %s, enabled %v, want pending and disabled", p.State, p.Enabled)
	}
	sp.EntityID, sp.ACSURL = p.Metadata, p.ACS
	s.register(b.t, sp)
	all := map[string]any{"saml_idp_metadata": string(s.metadata(b.t)), "authentication_method_enabled": true}
	for k, v := range fields {
		all[k] = v
	}
	p = b.configure(b.account, p, all)
	if p.State != "active" || !p.Enabled {
		b.t.Errorf("with its metadata: got %s, enabled %v, want active and enabled", p.State, p.Enabled)
	}
	return p
}

func (s *ssp) connect(t testing.TB, b *broker, fields map[string]any) provider {
	t.Helper()
	return b.connectSSP(s, sspSP{SignResponse: true, SignAssertion: true}, fields)
}

func TestLoginsThroughSimpleSAMLphp(t *testing.T) {
	s := needSSP(t)
	b := startBroker(t, "")
	for _, c := range []struct {
		name     string
		sp       sspSP
		fields   map[string]any
		username string
		want     string // of the home page, or the code of a refusal
		refused  bool
	}{
		{"both signed", sspSP{SignResponse: true, SignAssertion: true}, nil, "alice", "Alice Ärlig", false},
		{"response signed", sspSP{SignResponse: true}, nil, "bob", "Bob Builder", false},
		{"assertion signed", sspSP{SignAssertion: true}, nil, "alice", "", false},
		{"sha512", sspSP{SignResponse: true, Algorithm: "sha512"}, nil, "bob", "", false},
		{"persistent name", sspSP{SignResponse: true, NameID: "persistent"}, nil, "alice", "", false},
		{"nothing signed", sspSP{}, nil, "alice", "not_signed", true},
		{"sha1", sspSP{SignResponse: true, Algorithm: "sha1"}, nil, "alice", "sha1_refused", true},
		{"sha1, admitted", sspSP{SignResponse: true, Algorithm: "sha1"}, map[string]any{"saml_allow_sha1": true}, "alice", "", false},
		{"assertion unsigned, wanted signed", sspSP{SignResponse: true}, map[string]any{"saml_assertion_signed_enabled": true}, "alice", "assertion_not_signed", true},
		{"transient name", sspSP{SignResponse: true, NameID: "transient"}, nil, "noemail", "no_identity", true},
		{"name encrypted", sspSP{SignResponse: true, Encrypt: "name"}, nil, "alice", "", false},
		// It encrypts with AES-CBC, which a signature around it has to protect.
		{"assertion encrypted, signed inside alone", sspSP{SignAssertion: true, Encrypt: "assertion"}, nil, "alice", "encryption_unsigned", true},
		{"requests signed", sspSP{SignResponse: true, CheckRequests: true}, map[string]any{"saml_authn_requests_signed_enabled": true}, "alice", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := b.connectSSP(s, c.sp, c.fields)
			if c.sp.CheckRequests || c.sp.Encrypt != "" {
				c.sp.EntityID, c.sp.ACSURL, c.sp.Certificate = p.Metadata, p.ACS, spCertificate(t, p)
				s.register(t, c.sp)
			}
			one := newPerson(t)
			begun := one.open(p.Login + "?intent=signup")
			acs, form := s.login(t, begun.location, c.username)
			answered := one.post(acs, s.base, form)
			if c.refused {
				wantCode(t, answered, http.StatusForbidden, c.want)
				return
			}
			finished := one.open(answered.location)
			// Each provider makes an account, but an address has only one.
			if finished.status == http.StatusForbidden && strings.Contains(finished.text, "email_taken") {
				return
			}
			if finished.status != http.StatusSeeOther {
				t.Fatalf("got %d, want a session:\n%s", finished.status, finished.doc.Find("main").Text())
			}
			if home := one.open(finished.location); !strings.Contains(home.text, c.want) {
				t.Errorf("the home page does not say %q:\n%s", c.want, home.doc.Find("main").Text())
			}
		})
	}
}

// A person, a browser, an identity provider that others wrote, two sites.
func TestLoginThroughSimpleSAMLphpInABrowser(t *testing.T) {
	s, chromium := needSSP(t), needBrowser(t)
	for _, binding := range []string{"redirect", "post"} {
		t.Run(binding, func(t *testing.T) {
			b := startBroker(t, "")
			p := b.connectSSP(s, sspSP{SignResponse: true, SignAssertion: true}, map[string]any{"saml_request_binding": binding})
			tab := chromium.private(t)
			tab.do(chromedp.Navigate(p.Signup))
			tab.picture("signup")
			tab.do(
				chromedp.Click(chromedp.CSS("main a.button, main a[href*='intent=signup']")),
				chromedp.WaitVisible(chromedp.CSS("input[name=username]")),
				// Not typed: the page moves the focus once it is loaded, and with it
				// what is being typed.
				chromedp.SetValue(chromedp.CSS("input[name=username]"), "alice"),
				chromedp.SetValue(chromedp.CSS("input[name=password]"), "alicepass"),
				chromedp.Submit(chromedp.CSS("input[name=password]")),
				chromedp.WaitVisible(chromedp.CSS("form[action='/logout']")),
			)
			tab.picture("home")
			if got := tab.location(); got != b.base+"/" {
				t.Errorf("got to %s, want the home page", got)
			}
			if got := tab.text("main"); !strings.Contains(got, "Alice Ärlig") || !strings.Contains(got, "SimpleSAMLphp") {
				t.Errorf("the home page shows:\n%s", got)
			}
			for _, c := range tab.complaints() {
				if strings.Contains(c, b.base) {
					t.Errorf("the browser complains: %s", c)
				}
			}
		})
	}
}

// spCertificate is what the broker signs requests to a provider with, as its
// metadata says.
func spCertificate(t testing.TB, p provider) []byte {
	t.Helper()
	md := newPerson(t).open(p.Metadata)
	text := md.doc.Find("X509Certificate").First().Text()
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(der) == 0 {
		t.Fatalf("the metadata has no certificate: %v\n%s", err, md.text)
	}
	return der
}
