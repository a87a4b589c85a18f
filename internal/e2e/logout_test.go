package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// A logoutCase is how an identity provider and a broker tell each other of
// logouts.
type logoutCase struct {
	name    string
	idp     func(t *testing.T) realIdP
	connect func(t *testing.T, b *broker, binding string) provider
	binding string // how the broker tells it
	hears   bool   // the identity provider tells other brokers
	alone   bool   // there is no second broker
	second  func(t *testing.T, q provider)
}

// soapAlone is what metadata does without that names SOAP alone.
var soapAlone = regexp.MustCompile(`<SingleLogoutService[^>]*bindings:HTTP-(Redirect|POST)"[^>]*></SingleLogoutService>`)

// sloURL is where a provider's identity provider sends logouts.
func sloURL(p provider) string { return strings.Replace(p.ACS, "/saml/acs/", "/saml/slo/", 1) }

func logoutCases() []logoutCase {
	keycloakOf := func(t *testing.T) realIdP { return needKeycloak(t) }
	lemonOf := func(t *testing.T) realIdP { return needLemonLDAP(t) }
	viaKeycloak := func(more ...string) func(*testing.T, *broker, string) provider {
		return func(t *testing.T, b *broker, binding string) provider {
			return needKeycloak(t).connectAs(t, b, kcSigned(more...), map[string]any{"saml_slo_binding": binding})
		}
	}
	viaLemon := func(t *testing.T, b *broker, binding string) provider {
		return needLemonLDAP(t).connectAs(t, b, lemonldapSP{}, map[string]any{"saml_slo_binding": binding})
	}
	lemonBySOAP := func(t *testing.T, q provider) {
		alone := soapAlone.ReplaceAllString(string(fetch(t, q.Metadata)), "")
		registerAt(t, needLemonLDAP(t).dir, q.Metadata, lemonldapSP{EntityID: q.Metadata, Metadata: alone})
	}
	viaSSP := func(theirs string) func(*testing.T, *broker, string) provider {
		return func(t *testing.T, b *broker, binding string) provider {
			s := needSSP(t)
			sp := sspSP{SignResponse: true}
			p := b.connectSSP(s, sp, map[string]any{"saml_slo_binding": binding})
			sp.EntityID, sp.ACSURL, sp.Certificate, sp.SLO, sp.SLOBinding = p.Metadata, p.ACS, spCertificate(t, p), sloURL(p), theirs
			s.register(t, sp)
			return p
		}
	}
	shared := needSharedSSP()
	return []logoutCase{
		{name: "SimpleSAMLphp, redirect", idp: shared, connect: viaSSP("redirect"), binding: "redirect", hears: true},
		{name: "SimpleSAMLphp, post", idp: shared, connect: viaSSP("post"), binding: "post", hears: true},
		{name: "Keycloak, redirect", idp: keycloakOf, connect: viaKeycloak(), binding: "redirect", hears: true},
		{name: "Keycloak, post", idp: keycloakOf, connect: viaKeycloak("saml.force.post.binding", "true"), binding: "post", hears: true},
		{name: "Keycloak, SOAP", idp: keycloakOf, connect: viaKeycloak(), binding: "soap"},
		{name: "LemonLDAP::NG, redirect", idp: lemonOf, connect: viaLemon, binding: "redirect", hears: true},
		{name: "LemonLDAP::NG, post", idp: lemonOf, connect: viaLemon, binding: "post", hears: true},
		{name: "LemonLDAP::NG, redirect here and SOAP there", idp: lemonOf, connect: viaLemon, binding: "redirect", hears: true, second: lemonBySOAP},
		// Where somebody logged in elsewhere too, it answers SOAP with a page for
		// a browser.
		{name: "LemonLDAP::NG, SOAP", idp: lemonOf, connect: viaLemon, binding: "soap", alone: true},
	}
}

// needSharedSSP gives one SimpleSAMLphp to several tests, so that each gets
// people of its own.
func needSharedSSP() func(t *testing.T) realIdP {
	var one *ssp
	return func(t *testing.T) realIdP {
		if one == nil {
			one = needSSP(t)
		}
		return one
	}
}

// TestLogoutsGoBothWays has somebody log in to two brokers through one session
// at an identity provider, and log out at the first: that is over before anybody
// else is asked; the identity provider confirms it, and tells the second, whose
// session ends although its own browser is elsewhere.
func TestLogoutsGoBothWays(t *testing.T) {
	network := []string{"--metadata-network", "127.0.0.0/8", "--metadata-network", "::1/128"}
	for _, c := range logoutCases() {
		t.Run(c.name, func(t *testing.T) {
			idp := c.idp(t)
			first, second := startBroker(t, "", network...), startBroker(t, "", network...)
			p, q := c.connect(t, first, c.binding), c.connect(t, second, c.binding)
			who := idp.person(t)
			here, there := newPerson(t), newPerson(t)
			first.finish(t, here, here.logIn(idp, here.open(p.Login+"?intent=signup").onward(t), who), "", "Log out")
			there.atIdP = here.atIdP
			if c.second != nil {
				c.second(t, q)
			}
			if !c.alone {
				second.finish(t, there, there.logIn(idp, there.open(q.Login+"?intent=signup").onward(t), who), "", "Log out")
			}

			left := here.post(first.base+"/logout", first.base, url.Values{})
			if home := here.open(first.base + "/"); home.status != http.StatusSeeOther {
				t.Errorf("got %d, want the session over before the identity provider is asked", home.status)
			}
			// The browser that carries the logout has no cookies of the second.
			done := here.carry(left, first.base)
			if text := done.doc.Text(); !strings.Contains(text, "You are logged out here and at") {
				t.Errorf("got to a page that says:\n%s\n%s", text, first.logged())
			}
			if !c.hears {
				return
			}
			if home := there.open(second.base + "/"); home.status != http.StatusSeeOther {
				t.Errorf("got %d, want the session at the second over:\n%s", home.status, second.logged())
			}
		})
	}
}

// carry follows redirects, and forms that submit themselves, between a broker
// and an identity provider, frames too, up to a page of the broker that leads no
// further.
func (one *person) carry(at page, base string) page {
	one.t.Helper()
	for range 12 {
		next, frames := onwardFrom(at)
		for _, f := range frames {
			one.carryFrame(f)
		}
		if next.address == "" {
			return at
		}
		at = one.hop(next, base)
	}
	one.t.Fatal("the logout goes round and round")
	return page{}
}

// carryFrame goes where a frame leads.
func (one *person) carryFrame(address string) {
	one.t.Helper()
	at := one.hop(step{address: address}, "")
	for range 6 {
		next, _ := onwardFrom(at)
		if next.address == "" {
			return
		}
		at = one.hop(next, "")
	}
}

// hop goes to an address with the cookies of its site, in frames of another site
// without ours.
func (one *person) hop(next step, base string) page {
	one.t.Helper()
	client := *one.client
	if !strings.HasPrefix(next.address, base) || base == "" {
		client.Jar = nil
	}
	if strings.HasPrefix(next.address, "http://localhost") {
		client.Jar = one.atIdP
	}
	method, body := "GET", ""
	if next.form != nil {
		method, body = "POST", next.form.Encode()
	}
	r, err := http.NewRequest(method, next.address, strings.NewReader(body))
	if err != nil {
		one.t.Fatal(err)
	}
	if next.form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	return (&person{t: one.t, client: &client}).do(r)
}

// onwardFrom is where a page leads by itself: a redirect, a form with a message,
// or a link of ours; and what it has in frames.
func onwardFrom(at page) (next step, frames []string) {
	if at.location != "" {
		return step{address: at.location}, nil
	}
	if at.doc == nil {
		return step{}, nil
	}
	at.doc.Find("iframe[src], img[src*=saml]").Each(func(_ int, f *goquery.Selection) { frames = append(frames, f.AttrOr("src", "")) })
	if to, ok := at.doc.Find("a#onward").Attr("href"); ok {
		return step{address: to}, frames
	}
	at.doc.Find("form[action]").EachWithBreak(func(_ int, f *goquery.Selection) bool {
		form := url.Values{}
		f.Find("input[name]").Each(func(_ int, in *goquery.Selection) { form.Set(in.AttrOr("name", ""), in.AttrOr("value", "")) })
		switch {
		case form.Has("SAMLRequest"), form.Has("SAMLResponse"):
			next = step{f.AttrOr("action", ""), form}
		case f.HasClass("info") && form.Has("relay"): // LemonLDAP::NG, once its frames have loaded
			next = step{address: f.AttrOr("action", "") + "?" + form.Encode()}
		default:
			return true
		}
		return false
	})
	return next, frames
}
