package sso

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

func TestSSOURLsLeadElsewhere(t *testing.T) {
	for _, tt := range []struct {
		base, target string
		ours         bool
	}{
		{"https://sso.example.com", "https://sso.example.com/v1/organization", true},
		{"https://sso.example.com", "HTTPS://SSO.Example.COM/x", true},
		{"https://sso.example.com", "https://sso.example.com:443/x", true},
		{"https://sso.example.com", "https://sso.example.com:0443/x", true},
		{"https://sso.example.com", "https://sso.example.com:/x", true},
		{"https://sso.example.com", "https://sso.example.com./x", true},
		{"https://sso.example.com:443", "https://sso.example.com/x", true},
		{"https://SSO.example.com", "https://sso.example.com/x", true},
		{"https://sso.example.com:8443", "https://sso.example.com:08443", true},
		{"https://größe.example.com", "https://xn--gre-6ka8i.example.com/x", true},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/x", true},
		{"http://localhost:8080", "http://LOCALHOST:8080?x=y", true},
		{"https://[2001:db8::1]", "https://[2001:DB8:0:0:0:0:0:1]/x", true},
		{"http://[::1]:8080", "http://[0:0::0:1]:8080/x", true},
		{"https://sso.example.com", "https://sso.example.com:8443/x", false},
		{"https://sso.example.com", "https://idp.sso.example.com/x", false},
		{"https://sso.example.com", "https://example.com/sso.example.com", false},
		{"http://127.0.0.1:8080", "http://localhost:8080/x", false},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8081/x", false},
		{"http://127.0.0.1", "https://127.0.0.1/x", false},
		{"", "https://sso.example.com/x", false},
	} {
		u, err := parseSSOURL(tt.target)
		if err != nil {
			t.Errorf("%s: %v", tt.target, err)
			continue
		}
		if err := checkTarget(u, tt.base); (err != nil) != tt.ours {
			t.Errorf("%s at %s: got %v, want refused %v", tt.target, tt.base, err, tt.ours)
		}
	}
}

// TestSSOURLsHaveNoOddAddresses refuses what browsers alone take for an
// address of ours.
func TestSSOURLsHaveNoOddAddresses(t *testing.T) {
	for _, host := range []string{"127.1", "2130706433", "0x7f.0.0.1", "127.0.0.0x1", "0177.0.0.1", "0x7f000001", "127.0.0.1.", "127.0.0.01", "1.2.3.4.5", "0x"} {
		_, err := parseSSOURL("https://" + host + "/sso")
		if host == "127.0.0.1." {
			continue // one dot at the end is left to the comparison
		}
		if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || f.Field != "saml_idp_url" {
			t.Errorf("%s: got %v, want it refused at saml_idp_url", host, err)
		}
	}
	for _, host := range []string{"1.example.com", "127.0.0.1", "[::1]", "face.0xg", "1password.example"} {
		if _, err := parseSSOURL("https://" + host + "/sso"); err != nil {
			t.Errorf("%s: got %v, want it taken", host, err)
		}
	}
	u, err := url.Parse("https://127.0.0.1./sso")
	if err != nil || checkTarget(u, "https://127.0.0.1") == nil {
		t.Errorf("127.0.0.1. is not taken for 127.0.0.1 (%v)", err)
	}
}

func TestNoMethodSendsToUs(t *testing.T) {
	const ours = "https://SSO.example.com.:443/v1/account/a1/authentication/am1"
	s, _ := newIdPs()
	bad := configured(t)
	bad.SSOURL, bad.Binding = new(ours), new("post")
	_, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: bad})
	wantFault(t, err, fault.Invalid, "saml_idp_url")

	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: configured(t)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Update(t.Context(), admin, acme, i.ID, Change{SSOURL: new(ours)})
	wantFault(t, err, fault.Invalid, "saml_idp_url")

	// The method's own URLs stay at the address that we had when it was made.
	s.Base = "https://new.example.com"
	_, err = s.Update(t.Context(), admin, acme, i.ID, Change{SSOURL: new(ours)})
	wantFault(t, err, fault.Invalid, "saml_idp_url")
	_, err = s.Update(t.Context(), admin, acme, i.ID, Change{SSOURL: new("https://new.example.com/x")})
	wantFault(t, err, fault.Invalid, "saml_idp_url")

	metadata := described("https://idp.example.com/entity", "", keyDescriptor(` use="signing"`, base64Lines(certify(t, "idp", idpRSAKey(t, 2048), 1))),
		`<md:SingleSignOnService Binding="`+postBinding+`" Location="https://new.example.com/sso"/>`)
	_, err = s.Update(t.Context(), admin, acme, i.ID, Change{Metadata: &metadata})
	wantFault(t, err, fault.Invalid, "saml_idp_metadata")
	_, err = s.Create(t.Context(), admin, acme, New{Type: "saml", Change: Change{Name: new("Okta"), Metadata: &metadata}})
	wantFault(t, err, fault.Invalid, "saml_idp_metadata")
	if want := "leads to Gatehouse itself"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want that it %s", err, want)
	}
}

func TestNoRequestGoesToUs(t *testing.T) {
	s, _ := newIdPs()
	p := &Provider{Keys: s.Keys, Base: "https://new.example.com"}
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: configured(t)})
	if err != nil {
		t.Fatal(err)
	}
	for _, binding := range []Binding{Redirect, Post} {
		for address, want := range map[string]bool{
			"https://idp.example.com/sso": true,
			"https://sso.example.com/x":   false, // the method's own base
			"https://NEW.example.com:443": false,
		} {
			i.Binding, i.SSOURL = binding, address
			r, err := p.Request(i, NewTicket(ToLogin, "secret", moment), moment)
			if (err == nil) != want {
				t.Errorf("%s by %s: got %v, %v, want a request %v", address, binding, r, err, want)
			}
			if !want && !errors.Is(err, fault.Conflict) {
				t.Errorf("%s by %s: got %v, want fault.Conflict", address, binding, err)
			}
		}
	}
}

// TestABadTargetCanStillBeLeft lets an administrator switch a method off, or
// mend it, whose SSO URL was taken before.
func TestABadTargetCanStillBeLeft(t *testing.T) {
	s, store := newIdPs()
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: configured(t)})
	if err != nil {
		t.Fatal(err)
	}
	i.SSOURL = "https://sso.example.com/x"
	store.idps[i.ID] = *i
	for _, c := range []Change{{Enabled: new(false)}, {SSOURL: new("https://idp.example.com/sso")}} {
		if _, err := s.Update(t.Context(), admin, acme, i.ID, c); err != nil {
			t.Errorf("got %v, want it changed", err)
		}
	}
}
