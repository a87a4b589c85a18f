package e2e_test

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What an identity provider signs.
const (
	response  = "response signed"
	assertion = "assertion signed"
	both      = "both signed"
)

// A way is how an identity provider is told to answer the broker.
type way struct {
	signed  string // response, assertion or both
	sealed  string // what is encrypted: "assertion", "name" or nothing
	checked bool   // it answers signed requests alone
}

func (w way) name() string {
	out := w.signed
	if w.sealed != "" {
		out += ", " + w.sealed + " encrypted"
	}
	if w.checked {
		out += ", signed requests demanded"
	}
	return out
}

func (w way) signsResponse() bool  { return w.signed != assertion }
func (w way) signsAssertion() bool { return w.signed != response }

// A product is a real identity provider, with all the ways that it can answer.
type product struct {
	name   string
	plain  []string // what it can sign where nothing is encrypted
	sealed []string // and where the assertion is
	named  []string // and where the NameID is
	cipher string   // of what is encrypted
	checks bool     // it can demand signed requests
	need   func(t testing.TB) answering
}

// An answering is a realIdP that can be told how to answer.
type answering interface {
	realIdP

	// answerIn tells it of the broker until the test ends.
	answerIn(t testing.TB, p provider, w way)

	// describe fetches what it says of itself.
	describe(t testing.TB) []byte
}

// ways are all of a product's.
func (p product) ways() []way {
	var out []way
	for _, of := range []struct {
		sealed string
		signed []string
	}{{"", p.plain}, {"assertion", p.sealed}, {"name", p.named}} {
		for _, signed := range of.signed {
			out = append(out, way{signed, of.sealed, false})
			if p.checks {
				out = append(out, way{signed, of.sealed, true})
			}
		}
	}
	return out
}

// The products. What is not here they cannot do:
//
//   - SimpleSAMLphp and LemonLDAP::NG encrypt with AES-128-CBC alone (there is no
//     option for another), which is taken inside a signed response alone; the
//     tests of each see to that.
//   - LemonLDAP::NG signs each assertion (samlSPMetaDataOptionsSignSSOMessage
//     speaks of the response), and encrypts no name, although
//     samlSPMetaDataOptionsEncryptionMode has the word for it.
//   - pysaml2 encrypts with triple DES alone (there is no option for another),
//     which is refused; TestLoginsThroughPySAML2 sees to that.
//   - pysaml2, samlp, samlify and Keycloak encrypt no name by itself (there is no
//     option).
func products() []product {
	all := []string{response, assertion, both}
	return []product{
		{"SimpleSAMLphp", all, []string{response, both}, all, "aes128-cbc", true, func(t testing.TB) answering { return needSSP(t) }},
		{"LemonLDAP::NG", []string{assertion, both}, []string{both}, nil, "aes128-cbc", true, func(t testing.TB) answering { return needLemonLDAP(t) }},
		{"pysaml2", all, nil, nil, "", true, func(t testing.TB) answering { return needPySAML2(t) }},
		{"samlp", all, all, nil, "aes256-gcm", true, func(t testing.TB) answering { return needSamlp(t) }},
		{"samlify", all, all, nil, "aes256-gcm", true, func(t testing.TB) answering { return needSamlify(t) }},
		{"Keycloak", all, all, nil, "aes256-gcm", true, func(t testing.TB) answering { return needKeycloak(t) }},
	}
}

// Every identity provider, in every way that it can answer, by both bindings of
// our request, started on either side: all of it ends in a session of whoever
// logged in.
func TestEveryIdPLogsInInEveryWayThatItCan(t *testing.T) {
	b := startBroker(t, "")
	t.Run("products", func(t *testing.T) {
		for _, product := range products() {
			t.Run(product.name, func(t *testing.T) {
				i := product.need(t)
				own := *b
				own.t = t
				own.org, own.account = b.organization(product.name)
				t.Parallel()
				m := matrix{broker: &own, idp: i, cipher: product.cipher, username: i.person(t), metadata: i.describe(t)}
				m.method = own.complete(own.connect(own.account, product.name, nil), m.metadata, map[string]any{"saml_idp_login_allowed": true})
				m.signUp(t, product.ways()[0])
				for _, m.way = range product.ways() {
					t.Run(m.way.name(), m.logInFromEachSide)
				}
			})
		}
	})
	b.wantCleanLog(t)
}

// A matrix is one identity provider that answers in one way, and who logs in.
type matrix struct {
	broker   *broker
	idp      answering
	metadata []byte // the identity provider's
	method   provider
	username string
	way      way
	cipher   string
}

func (m matrix) mail() string { return m.username + "@company.test" }

// settle has the broker expect answers in a way, and ask for them by a binding.
// An address may be good for one binding alone, so the metadata comes along;
// and wanting assertions signed sees into encrypted ones.
func (m matrix) settle(t *testing.T, binding, mode string) {
	t.Helper()
	own := *m.broker
	own.t = t
	own.configure(own.account, m.method, map[string]any{
		"saml_idp_metadata": string(m.metadata), "saml_request_binding": binding, "saml_idp_login_mode": mode,
		"saml_assertion_signed_enabled": m.way.signsAssertion(), "saml_authn_requests_signed_enabled": m.way.checked,
	})
}

// signUp makes the account of who logs in from then on.
func (m matrix) signUp(t *testing.T, w way) {
	t.Run("signup", func(t *testing.T) {
		m.way = w
		m.settle(t, "redirect", "bounce")
		m.idp.answerIn(t, m.method, w)
		one := newPerson(t)
		m.broker.finish(t, one, m.answer(t, one, one.open(m.method.Login+"?intent=signup").onward(t), true), "", m.mail())
	})
}

// logInFromEachSide logs in from the broker and from the identity provider, by
// each binding.
func (m matrix) logInFromEachSide(t *testing.T) {
	m.settle(t, "redirect", "bounce")
	m.idp.answerIn(t, m.method, m.way)
	for _, binding := range []string{"redirect", "post"} {
		m.settle(t, binding, "bounce")
		by := ", request by " + map[string]string{"redirect": "Redirect", "post": "POST"}[binding]
		t.Run("from the login page"+by, func(t *testing.T) {
			one := newPerson(t)
			start := one.open(m.method.Login).onward(t)
			m.wantRequest(t, start, binding)
			m.broker.finish(t, one, m.answer(t, one, start, true), "", m.mail())
		})
		t.Run("from the identity provider"+by, func(t *testing.T) {
			one := newPerson(t)
			back := m.answer(t, one, step{address: m.idp.startURL(t, m.method, "/profile")}, false)
			if back.status != http.StatusSeeOther || !strings.HasPrefix(back.location, m.method.Login+"?") {
				t.Fatalf("got %d %s, want a login that starts here:\n%s", back.status, back.location, back.doc.Find("main").Text())
			}
			start := one.openFrom("cross-site", back.location).onward(t)
			m.wantRequest(t, start, binding)
			if got := m.broker.finish(t, one, m.answer(t, one, start, true), "You come from", m.mail()); got != "/profile" {
				t.Errorf("got led to %s, want /profile", got)
			}
		})
	}
	if m.way.checked {
		t.Run("refused there, request not signed", m.refusedUnsigned)
	}
	m.settle(t, "redirect", "accept")
	t.Run("from the identity provider, without a request", func(t *testing.T) {
		one := newPerson(t)
		m.broker.finish(t, one, m.answer(t, one, step{address: m.idp.startURL(t, m.method, "")}, false), "You come from", m.mail())
	})
}

// refusedUnsigned sees that an identity provider really demands signed requests.
func (m matrix) refusedUnsigned(t *testing.T) {
	m.way.checked = false
	for _, binding := range []string{"redirect", "post"} {
		m.settle(t, binding, "bounce")
		start := newPerson(t).open(m.method.Login).onward(t)
		m.wantRequest(t, start, binding)
		if _, _, err := logInAt(start, m.username, m.username+"pass"); err == nil {
			t.Errorf("got an answer to a request by %s that is not signed, want none", binding)
		}
	}
}

// answer goes through the identity provider, sees that it answered in the way
// that it should, to a request or to none, and gives the broker's answer.
func (m matrix) answer(t *testing.T, one *person, start step, asked bool) page {
	t.Helper()
	if one.atIdP == nil {
		one.atIdP = newLocalhostJar(t)
	}
	acs, form, err := logInWith(one.atIdP, start, m.username, m.username+"pass")
	if err != nil {
		t.Fatal(err)
	}
	m.wantSent(t, form, asked)
	return one.post(acs, m.idp.origin(), form)
}

// wantSent fails unless a response is signed and encrypted as it should be.
func (m matrix) wantSent(t *testing.T, form url.Values, asked bool) {
	t.Helper()
	type signature = *struct{}
	var sent struct {
		InResponseTo string    `xml:"InResponseTo,attr"`
		Signature    signature `xml:"http://www.w3.org/2000/09/xmldsig# Signature"`
		Assertion    *struct {
			Signature   signature `xml:"http://www.w3.org/2000/09/xmldsig# Signature"`
			NameID      *struct{} `xml:"Subject>NameID"`
			EncryptedID *struct{} `xml:"Subject>EncryptedID>EncryptedData"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:assertion Assertion"`
		Encrypted *struct{} `xml:"EncryptedAssertion>EncryptedData"`
	}
	doc := decoded(t, form)
	if err := xml.Unmarshal([]byte(doc), &sent); err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	got := sent.InResponseTo != "" == asked && sent.Signature != nil == m.way.signsResponse()
	if a := sent.Assertion; a == nil || m.way.sealed == "assertion" {
		got = got && a == nil && sent.Encrypted != nil && m.way.sealed == "assertion"
	} else {
		got = got && a.Signature != nil == m.way.signsAssertion() && a.EncryptedID != nil == (m.way.sealed == "name") && a.NameID != nil == (m.way.sealed != "name")
	}
	if m.way.sealed != "" {
		got = got && strings.Contains(doc, "#"+m.cipher)
	}
	if !got {
		t.Errorf("got a response that is not as told (%s; to a request: %v):\n%s", m.way.name(), asked, doc)
	}
}

// wantRequest fails unless a request goes by the binding, signed if it should
// be.
func (m matrix) wantRequest(t *testing.T, start step, binding string) {
	t.Helper()
	signed := false
	if start.form != nil {
		doc, err := base64.StdEncoding.DecodeString(start.form.Get("SAMLRequest"))
		if err != nil {
			t.Fatal(err)
		}
		signed = strings.Contains(string(doc), "SignatureValue>")
	} else {
		to, err := url.Parse(start.address)
		if err != nil {
			t.Fatal(err)
		}
		signed = to.Query().Has("Signature")
	}
	if (start.form != nil) != (binding == "post") || signed != m.way.checked {
		t.Errorf("got a request by a form %v, signed %v; want it by %s, signed %v", start.form != nil, signed, binding, m.way.checked)
	}
}
