package sso_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/seal"
	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

const sloURL = samltest.Base + "/v1/sso/saml/slo/am0000000000b"

// logoutTemplate is an honest request without its signature.
const logoutTemplate = `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_logout-1" Version="2.0" IssueInstant="2026-03-01T12:00:00Z" NotOnOrAfter="2026-03-01T12:05:00Z" Destination="` + sloURL + `">
  <saml:Issuer>` + samltest.EntityID + `</saml:Issuer><!--signature of _logout-1-->
  <saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">alice@example.com</saml:NameID>
  <samlp:SessionIndex>_session-1</samlp:SessionIndex>
</samlp:LogoutRequest>`

// A logoutCase is a message as it arrives.
type logoutCase struct {
	binding sso.Binding
	edit    []string            // before signing: pairs for Replace
	by      samltest.Signer     // the key current unless said
	bare    bool                // nothing is signed
	after   func(string) string // the document once it is signed, or the query
	answer  bool                // it comes as a SAMLResponse
	set     func(*sso.IdP)
	now     time.Time // samltest.Now unless said
}

func (c logoutCase) idp(t testing.TB) *sso.IdP {
	idp := idpOf(t, samltest.Case{Pems: []string{samltest.Keys("current").PEM(), samltest.Keys("p256").PEM()}})
	idp.IdPSLOURL = "https://idp.example/slo"
	if c.set != nil {
		c.set(idp)
	}
	return idp
}

// message makes the message, and what is wrong with how it came.
func (c logoutCase) message(t testing.TB) (*sso.LogoutMessage, error) {
	t.Helper()
	if c.by.Key == nil {
		c.by.Pair = samltest.Keys("current")
	}
	doc := samltest.Replace(logoutTemplate, c.edit...)
	if c.binding == sso.Redirect {
		query := redirectQuery(t, c, strings.Replace(doc, samltest.Place("_logout-1"), "", 1))
		if c.after != nil {
			query = c.after(query)
		}
		return sso.ReadLogoutQuery(query)
	}
	if c.binding == sso.SOAP {
		doc = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + doc + `</s:Body></s:Envelope>`
	}
	if c.bare {
		doc = strings.Replace(doc, samltest.Place("_logout-1"), "", 1)
	} else {
		doc = c.by.Sign(doc, "_logout-1")
	}
	if c.after != nil {
		changed := c.after(doc)
		if changed == doc {
			t.Fatal("the case changes nothing")
		}
		doc = changed
	}
	if c.binding == sso.SOAP {
		return sso.ReadLogoutSOAP([]byte(doc))
	}
	name := "SAMLRequest"
	if c.answer {
		name = "SAMLResponse"
	}
	return sso.ReadLogoutForm(url.Values{name: {base64.StdEncoding.EncodeToString([]byte(doc))}, "RelayState": {"state"}})
}

// redirectQuery signs a query as SAML Bindings, 3.4.4.1, says, escaped as .NET
// does it: with small letters.
func redirectQuery(t testing.TB, c logoutCase, doc string) string {
	t.Helper()
	escape := func(s string) string {
		out := url.QueryEscape(s)
		for _, code := range []string{"%2B", "%2F", "%3A", "%3D"} {
			out = strings.ReplaceAll(out, code, strings.ToLower(code))
		}
		return out
	}
	name := "SAMLRequest"
	if c.answer {
		name = "SAMLResponse"
	}
	query := name + "=" + escape(packed(t, doc)) + "&RelayState=state"
	if c.bare {
		return query
	}
	hash, algorithm := crypto.SHA256, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	if c.by.Hash == crypto.SHA1 {
		hash, algorithm = crypto.SHA1, "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	}
	_, elliptic := c.by.Key.(*ecdsa.PrivateKey)
	if elliptic {
		algorithm = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	}
	query += "&SigAlg=" + escape(algorithm)
	h := hash.New()
	h.Write([]byte(query))
	var signature []byte
	var err error
	switch key := c.by.Key.(type) {
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(rand.Reader, key, hash, h.Sum(nil))
	case *ecdsa.PrivateKey:
		if c.by.ASN1 {
			signature, err = ecdsa.SignASN1(rand.Reader, key, h.Sum(nil))
			break
		}
		r, s, broken := ecdsa.Sign(rand.Reader, key, h.Sum(nil))
		signature, err = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), broken
	}
	if err != nil {
		t.Fatal(err)
	}
	return query + "&Signature=" + escape(base64.StdEncoding.EncodeToString(signature))
}

func packed(t testing.TB, doc string) string {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err == nil {
		_, err = w.Write([]byte(doc))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

func (c logoutCase) check(t testing.TB) (*sso.LogoutRequest, error) {
	t.Helper()
	m, err := c.message(t)
	if err != nil {
		return nil, err
	}
	if c.now.IsZero() {
		c.now = samltest.Now
	}
	return new(sso.Provider).CheckLogoutRequest(c.idp(t), m, c.now)
}

func TestHonestLogoutsAreTaken(t *testing.T) {
	sha1 := func(i *sso.IdP) { i.AllowSHA1 = true }
	for name, c := range map[string]logoutCase{
		"by redirect":                        {binding: sso.Redirect},
		"by redirect, ECDSA":                 {binding: sso.Redirect, by: samltest.Signer{Pair: samltest.Keys("p256")}},
		"by redirect, ECDSA in ASN.1":        {binding: sso.Redirect, by: samltest.Signer{Pair: samltest.Keys("p256"), ASN1: true}},
		"by redirect, SHA-1 where admitted":  {binding: sso.Redirect, by: samltest.Signer{Pair: samltest.Keys("current"), Hash: crypto.SHA1}, set: sha1},
		"by redirect, the parameters turned": {binding: sso.Redirect, after: turned},
		"by redirect, with others beside":    {binding: sso.Redirect, after: func(q string) string { return "lang=en&" + q }},
		"by post":                            {binding: sso.Post},
		"by post, ECDSA":                     {binding: sso.Post, by: samltest.Signer{Pair: samltest.Keys("p256")}},
		"by SOAP":                            {binding: sso.SOAP},
		"by SOAP, without Destination":       {binding: sso.SOAP, edit: []string{` Destination="` + sloURL + `"`, ""}},
		"by SOAP, with an empty header":      {binding: sso.SOAP, after: func(d string) string { return strings.Replace(d, "<s:Body>", "<s:Header/><s:Body>", 1) }},
		"to the other form of our URL":       {binding: sso.Post, edit: []string{sloURL, samltest.Base + "/v1/sso/saml/account/a00000000000/method/am0000000000b/slo"}},
		"without NotOnOrAfter":               {binding: sso.Post, edit: []string{` NotOnOrAfter="2026-03-01T12:05:00Z"`, ""}},
		"from a clock that is behind":        {binding: sso.Post, now: samltest.Now.Add(-50 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.check(t)
			if err != nil {
				t.Fatal(err)
			}
			if got.ID != "_logout-1" || got.NameID.Value != samltest.NameID || !slices.Equal(got.Indexes, []string{"_session-1"}) {
				t.Errorf("got %+v, want the session of %s", got, samltest.NameID)
			}
			if want := "state"; c.binding != sso.SOAP && got.RelayState != want {
				t.Errorf("got RelayState %q, want %q", got.RelayState, want)
			}
			if !got.Names("_session-1") || got.Names("_session-2") || !got.Names("") {
				t.Error("want it to name its session, one without a name, and no other")
			}
			// Its id may be forgotten once it is refused anyway.
			if c.now = got.UsableUntil; got.UsableUntil.After(samltest.Now.Add(time.Hour)) {
				t.Errorf("got usable until %v", got.UsableUntil)
			}
			if _, err := c.check(t); err == nil {
				t.Error("got it taken after its id is forgotten")
			}
		})
	}
}

// turned puts the parameters of a query in another order. What is signed has
// one order, whatever theirs is.
func turned(query string) string {
	parts := strings.Split(query, "&")
	slices.Reverse(parts)
	return strings.Join(parts, "&")
}

func TestALogoutWithoutIndexIsOfAllSessions(t *testing.T) {
	got, err := logoutCase{binding: sso.Post, edit: []string{"<samlp:SessionIndex>_session-1</samlp:SessionIndex>", ""}}.check(t)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Names("any") {
		t.Errorf("got %+v, want it to name every session", got)
	}
}

// badLogouts are refused by their codes. answered says that the sender is sure,
// so that the refusal may be sent back.
var badLogouts = map[string]struct {
	logoutCase
	code     string
	answered bool
}{
	"unsigned by redirect":           {logoutCase{binding: sso.Redirect, bare: true}, "logout_not_signed", false},
	"unsigned by post":               {logoutCase{binding: sso.Post, bare: true}, "logout_not_signed", false},
	"unsigned by SOAP":               {logoutCase{binding: sso.SOAP, bare: true}, "logout_not_signed", false},
	"signed by a stranger, redirect": {logoutCase{binding: sso.Redirect, by: samltest.Signer{Pair: samltest.Keys("attacker")}}, "wrong_key", false},
	"signed by a stranger, post":     {logoutCase{binding: sso.Post, by: samltest.Signer{Pair: samltest.Keys("attacker")}}, "wrong_key", false},
	"signed by a stranger, SOAP":     {logoutCase{binding: sso.SOAP, by: samltest.Signer{Pair: samltest.Keys("attacker")}}, "wrong_key", false},
	"signature cut, redirect":        {logoutCase{binding: sso.Redirect, after: func(q string) string { return q[:strings.Index(q, "&Signature=")] }}, "logout_not_signed", false},
	"algorithm cut, redirect":        {logoutCase{binding: sso.Redirect, after: func(q string) string { return cutParameter(q, "SigAlg") }}, "logout_not_signed", false},
	"RelayState changed, redirect":   {logoutCase{binding: sso.Redirect, after: func(q string) string { return strings.Replace(q, "=state", "=https://evil.example", 1) }}, "wrong_key", false},
	"RelayState cut, redirect":       {logoutCase{binding: sso.Redirect, after: func(q string) string { return cutParameter(q, "RelayState") }}, "wrong_key", false},
	"escaped anew, redirect":         {logoutCase{binding: sso.Redirect, after: func(q string) string { return strings.Replace(q, "%3a", "%3A", 1) }}, "wrong_key", false},
	"message exchanged, redirect": {logoutCase{binding: sso.Redirect, after: func(q string) string {
		return cutParameter(q, "SAMLRequest") + "&SAMLRequest=" + url.QueryEscape(otherMessage)
	}}, "wrong_key", false},
	"a second message, redirect":       {logoutCase{binding: sso.Redirect, after: func(q string) string { return q + "&SAMLRequest=" + url.QueryEscape(otherMessage) }}, "logout_parameters", false},
	"the name escaped, redirect":       {logoutCase{binding: sso.Redirect, after: func(q string) string { return q + "&%53AMLRequest=" + url.QueryEscape(otherMessage) }}, "logout_parameters", false},
	"request and response, redirect":   {logoutCase{binding: sso.Redirect, after: func(q string) string { return q + "&SAMLResponse=" + url.QueryEscape(otherMessage) }}, "logout_parameters", false},
	"another encoding, redirect":       {logoutCase{binding: sso.Redirect, after: func(q string) string { return q + "&SAMLEncoding=urn:none" }}, "logout_parameters", false},
	"SHA-1, redirect":                  {logoutCase{binding: sso.Redirect, by: samltest.Signer{Pair: samltest.Keys("current"), Hash: crypto.SHA1}}, "sha1_refused", false},
	"SHA-1, post":                      {logoutCase{binding: sso.Post, by: samltest.Signer{Pair: samltest.Keys("current"), Hash: crypto.SHA1}}, "sha1_refused", false},
	"HMAC, redirect":                   {logoutCase{binding: sso.Redirect, after: func(q string) string { return strings.Replace(q, "rsa-sha256", "hmac-sha256", 1) }}, "algorithm_refused", false},
	"a signature inside too, redirect": {logoutCase{binding: sso.Redirect, edit: []string{samltest.Place("_logout-1"), `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`}}, "signature_misplaced", false},
	"for another name, post":           {logoutCase{binding: sso.Post, after: func(d string) string { return strings.Replace(d, "alice@", "admin@", 1) }}, "content_changed", false},
	"for all sessions, post": {logoutCase{binding: sso.Post, after: func(d string) string {
		return strings.Replace(d, "<samlp:SessionIndex>_session-1</samlp:SessionIndex>", "", 1)
	}}, "content_changed", false},
	"XSW: wrapped, post":             {logoutCase{binding: sso.Post, after: wrapInside}, "element_unexpected", false},
	"XSW: in the signature's Object": {logoutCase{binding: sso.Post, after: wrapInObject}, "element_unexpected", false},
	"XSW: beside in the Body, SOAP":  {logoutCase{binding: sso.SOAP, after: wrapBeside}, "element_repeated", false},
	"XSW: in a header, SOAP":         {logoutCase{binding: sso.SOAP, after: wrapInHeader}, "not_a_logout", false},
	"an assertion inside, post":      {logoutCase{binding: sso.Post, edit: []string{"<samlp:SessionIndex>", `<samlp:Extensions><saml:Assertion ID="_a"/></samlp:Extensions><samlp:SessionIndex>`}}, "element_unexpected", false},
	"two signatures, post": {logoutCase{binding: sso.Post, after: func(d string) string {
		return strings.Replace(d, "</samlp:LogoutRequest>", signatureIn(d)+"</samlp:LogoutRequest>", 1)
	}}, "several_signatures", false},
	"a document type, post":             {logoutCase{binding: sso.Post, after: func(d string) string { return "<!DOCTYPE x>" + d }}, "xml_doctype", false},
	"a login request, post":             {logoutCase{binding: sso.Post, bare: true, edit: []string{"<samlp:LogoutRequest", "<samlp:AuthnRequest", "</samlp:LogoutRequest", "</samlp:AuthnRequest"}}, "not_a_logout", false},
	"a response as request, post":       {logoutCase{binding: sso.Post, edit: []string{"<samlp:LogoutRequest", "<samlp:LogoutResponse", "</samlp:LogoutRequest", "</samlp:LogoutResponse"}}, "not_a_logout", false},
	"without ID, post":                  {logoutCase{binding: sso.Post, bare: true, edit: []string{` ID="_logout-1"`, ""}}, "id_invalid", false},
	"SAML 1.1, post":                    {logoutCase{binding: sso.Post, edit: []string{`Version="2.0"`, `Version="1.1"`}}, "version_unsupported", false},
	"of another identity provider":      {logoutCase{binding: sso.Post, edit: []string{samltest.EntityID, "https://other.example/saml"}}, "issuer_mismatch", false},
	"without Issuer":                    {logoutCase{binding: sso.Post, edit: []string{"<saml:Issuer>" + samltest.EntityID + "</saml:Issuer>", ""}}, "element_missing", false},
	"to another method":                 {logoutCase{binding: sso.Post, edit: []string{sloURL, sloURL + "x"}}, "logout_destination_mismatch", false},
	"to nobody, redirect":               {logoutCase{binding: sso.Redirect, edit: []string{` Destination="` + sloURL + `"`, ""}}, "logout_destination_mismatch", false},
	"to another, SOAP":                  {logoutCase{binding: sso.SOAP, edit: []string{sloURL, "https://elsewhere.example"}}, "logout_destination_mismatch", false},
	"eleven minutes old":                {logoutCase{binding: sso.Redirect, now: samltest.Now.Add(11 * time.Minute)}, "issued_too_long_ago", true},
	"of the future":                     {logoutCase{binding: sso.Post, now: samltest.Now.Add(-61 * time.Second)}, "issued_in_future", true},
	"past its end":                      {logoutCase{binding: sso.SOAP, now: samltest.Now.Add(6 * time.Minute)}, "logout_expired", true},
	"of nobody":                         {logoutCase{binding: sso.Post, edit: []string{`<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">alice@example.com</saml:NameID>`, ""}}, "logout_name_missing", true},
	"of two":                            {logoutCase{binding: sso.Post, edit: []string{"<samlp:SessionIndex>", "<saml:NameID>bob@example.com</saml:NameID><samlp:SessionIndex>"}}, "element_repeated", true},
	"of an empty session":               {logoutCase{binding: sso.Post, edit: []string{"_session-1", " "}}, "logout_session_invalid", true},
	"of 101 sessions":                   {logoutCase{binding: sso.Post, edit: []string{"<samlp:SessionIndex>", strings.Repeat("<samlp:SessionIndex>x</samlp:SessionIndex>", 100) + "<samlp:SessionIndex>"}}, "logout_session_invalid", true},
	"of a name for another service":     {logoutCase{binding: sso.Post, edit: []string{"<saml:NameID ", `<saml:NameID SPNameQualifier="urn:other" `}}, "name_qualifier_mismatch", true},
	"no certificate":                    {logoutCase{binding: sso.Redirect, set: func(i *sso.IdP) { i.Certificates = nil }}, "no_certificate", false},
	"a header behind the body, SOAP":    {logoutCase{binding: sso.SOAP, after: func(d string) string { return strings.Replace(d, "</s:Body>", "</s:Body><s:Header/>", 1) }}, "element_repeated", false},
	"two bodies, SOAP":                  {logoutCase{binding: sso.SOAP, after: func(d string) string { return strings.Replace(d, "<s:Body>", "<s:Body/><s:Body>", 1) }}, "element_repeated", false},
	"no envelope, SOAP":                 {logoutCase{binding: sso.SOAP, after: func(d string) string { return strings.ReplaceAll(d, "s:Envelope", "s:Letter") }}, "not_a_logout", false},
	"an envelope without message, SOAP": {logoutCase{binding: sso.SOAP, after: func(string) string { return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>` }}, "not_a_logout", false},
	"an envelope in an envelope's place": {logoutCase{binding: sso.Post, after: func(d string) string {
		return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + d + `</s:Body></s:Envelope>`
	}}, "not_a_logout", false},
}

// otherMessage is one that nobody signed.
var otherMessage = base64.StdEncoding.EncodeToString(stored(strings.Replace(forged, "%s", "", 1)))

// stored is a stream of deflate that packs nothing (RFC 1951, 3.2.4).
func stored(doc string) []byte {
	n := uint16(len(doc))
	return append([]byte{1, byte(n), byte(n >> 8), byte(^n), byte(^n >> 8)}, doc...)
}

func cutParameter(query, name string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(query, "&"), func(p string) bool { return strings.HasPrefix(p, name+"=") }), "&")
}

func signatureIn(doc string) string {
	from, to := strings.Index(doc, "<ds:Signature "), strings.Index(doc, "</ds:Signature>")+len("</ds:Signature>")
	return doc[from:to]
}

// forged is a request for somebody else.
const forged = `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_forged" Version="2.0" IssueInstant="2026-03-01T12:00:00Z" Destination="` + sloURL + `"><saml:Issuer>` + samltest.EntityID + `</saml:Issuer>%s<saml:NameID>admin@example.com</saml:NameID></samlp:LogoutRequest>`

func wrapInside(doc string) string {
	return strings.Replace(forged, "%s", signatureIn(doc)+"<samlp:Extensions>"+doc+"</samlp:Extensions>", 1)
}

func wrapInObject(doc string) string {
	signature := signatureIn(doc)
	inner := strings.Replace(doc, signature, "", 1)
	return strings.Replace(forged, "%s", strings.Replace(signature, "</ds:Signature>", "<ds:Object>"+inner+"</ds:Object></ds:Signature>", 1), 1)
}

func wrapBeside(doc string) string {
	return strings.Replace(doc, "<s:Body>", "<s:Body>"+strings.Replace(forged, "%s", "", 1), 1)
}

func wrapInHeader(doc string) string {
	return strings.Replace(doc, "<s:Body>", "<s:Header>"+strings.Replace(forged, "%s", "", 1)+"</s:Header><s:Body>", 1)
}

func TestBadLogoutsAreRefused(t *testing.T) {
	for name, c := range badLogouts {
		t.Run(name, func(t *testing.T) {
			got, err := c.check(t)
			var r *sso.Rejection
			if !errors.As(err, &r) || r.Code != c.code {
				t.Fatalf("got %v, want rejection %s", err, c.code)
			}
			if answered := got != nil; answered != c.answered {
				t.Errorf("got answered: %v, want %v", answered, c.answered)
			}
		})
	}
}

func TestLogoutsThatCannotBeReadAreRefused(t *testing.T) {
	form := func(v string) func() (*sso.LogoutMessage, error) {
		return func() (*sso.LogoutMessage, error) { return sso.ReadLogoutForm(url.Values{"SAMLRequest": {v}}) }
	}
	query := func(q string) func() (*sso.LogoutMessage, error) {
		return func() (*sso.LogoutMessage, error) { return sso.ReadLogoutQuery(q) }
	}
	bomb := packed(t, strings.Repeat("a", 10<<20))
	for name, c := range map[string]struct {
		read func() (*sso.LogoutMessage, error)
		code string
	}{
		"nothing in a query":          {query(""), "logout_empty"},
		"nothing in a form":           {form(""), "logout_empty"},
		"nothing in an envelope":      {func() (*sso.LogoutMessage, error) { return sso.ReadLogoutSOAP([]byte(" \n")) }, "logout_empty"},
		"no base64":                   {form("***"), "logout_not_base64"},
		"nothing deflated":            {query("SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("<x/>")))), "logout_not_deflated"},
		"nothing inflated":            {query("SAMLRequest=AwA%3D"), "logout_empty"},
		"cut off":                     {query("SAMLRequest=" + url.QueryEscape(bomb[:8])), "logout_not_deflated"},
		"something behind the stream": {query("SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte{3, 0, 'x'}))), "logout_not_deflated"},
		"a bomb of 10 MiB":            {query("SAMLRequest=" + url.QueryEscape(bomb)), "logout_too_large"},
		"a long query":                {query("SAMLRequest=" + strings.Repeat("A", 33<<10)), "logout_too_large"},
		"a long form":                 {form(strings.Repeat("A", 128<<10)), "logout_too_large"},
		"a long envelope":             {func() (*sso.LogoutMessage, error) { return sso.ReadLogoutSOAP(make([]byte, 65<<10)) }, "logout_too_large"},
		"a long RelayState":           {query("SAMLRequest=" + url.QueryEscape(otherMessage) + "&RelayState=" + strings.Repeat("x", 1025)), "logout_parameters"},
		"a name escaped wrongly":      {query("SAMLRequest=AwA%3D&%zz=1"), "logout_parameters"},
		"two in a form": {func() (*sso.LogoutMessage, error) {
			return sso.ReadLogoutForm(url.Values{"SAMLRequest": {"PA==", "PA=="}})
		}, "logout_parameters"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.read()
			var r *sso.Rejection
			if !errors.As(err, &r) || r.Code != c.code {
				t.Errorf("got %v, want rejection %s", err, c.code)
			}
		})
	}
}

// logoutCodes are the rejections that the tables above meet, and TestLogout…
func logoutCodes() []string {
	out := []string{"logout_empty", "logout_not_base64", "logout_not_deflated", "logout_too_large", "logout_parameters", // TestLogoutsThatCannotBeReadAreRefused
		"logout_replayed",                         // login: TestALogoutRequestCountsOnce
		"logout_unknown_request", "logout_failed", // TestOnlyAnAnswerToALogoutConfirmsIt
	}
	for _, c := range badLogouts {
		out = append(out, c.code)
	}
	return out
}

// FuzzLogout looks for a request that is believed though nobody signed it.
func FuzzLogout(f *testing.F) {
	bindings := []sso.Binding{sso.Redirect, sso.Post, sso.SOAP}
	said := map[string]bool{}
	for n, b := range bindings {
		c := logoutCase{binding: b}
		if b == sso.Redirect {
			c.after = func(q string) string { f.Add(byte(n), []byte(q)); return q }
		} else {
			c.after = func(d string) string { f.Add(byte(n), []byte(d)); return d + " " }
		}
		got, err := c.check(f)
		if err != nil {
			f.Fatal(err)
		}
		said[statementOf(f, got)] = true
	}
	for n, b := range bindings {
		for _, bad := range badLogouts {
			if bad.binding == b && b != sso.Redirect && bad.logoutCase.after != nil {
				bad.by.Pair = samltest.Keys("current")
				f.Add(byte(n), []byte(bad.logoutCase.after(bad.by.Sign(logoutTemplate, "_logout-1"))))
			}
		}
	}
	idp := logoutCase{}.idp(f)
	f.Fuzz(func(t *testing.T, which byte, raw []byte) {
		m, err := readLogout(bindings[int(which)%len(bindings)], raw)
		if err != nil {
			return
		}
		got, err := new(sso.Provider).CheckLogoutRequest(idp, m, samltest.Now)
		if err != nil {
			if r := (*sso.Rejection)(nil); !errors.As(err, &r) || r.Code == "" || r.Message == "" || r.Remedy == "" {
				t.Fatalf("got the error %v, want a whole rejection", err)
			}
			return
		}
		if got.RelayState = "state"; !said[statementOf(t, got)] {
			t.Fatalf("got %+v, which nobody signed", got)
		}
	})
}

func readLogout(b sso.Binding, raw []byte) (*sso.LogoutMessage, error) {
	switch b {
	case sso.Redirect:
		return sso.ReadLogoutQuery(string(raw))
	case sso.Post:
		return sso.ReadLogoutForm(url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(raw)}})
	}
	return sso.ReadLogoutSOAP(raw)
}

func statementOf(t testing.TB, r *sso.LogoutRequest) string {
	t.Helper()
	text, err := json.Marshal([]any{r.ID, r.NameID, r.Indexes})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWhatWeWriteIsRead has one method's messages read by a mirror of it, whose
// identity provider we are.
func TestWhatWeWriteIsRead(t *testing.T) {
	ring := seal.New()
	for _, algorithm := range []string{"rsa-sha256", "rsa-sha512", "ecdsa-sha256"} {
		for _, binding := range []sso.Binding{sso.Redirect, sso.Post, sso.SOAP} {
			t.Run(algorithm+" by "+string(binding), func(t *testing.T) {
				p, ours, mirror := mirrored(t, ring, algorithm, binding)
				ticket := sso.NewTicket(sso.ToLogout, "", samltest.Now)
				name := sso.NameID{Value: "a<b>&\"c", Format: "urn:f", NameQualifier: "urn:q", SPNameQualifier: mirror.MetadataURL()}
				sent, err := p.LogoutRequest(ours, ticket, name, "index & 1", samltest.Now)
				if err != nil {
					t.Fatal(err)
				}
				got, err := p.CheckLogoutRequest(mirror, carried(t, sent), samltest.Now)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(name, got.NameID); diff != "" || !slices.Equal(got.Indexes, []string{"index & 1"}) || got.ID != sent.ID {
					t.Errorf("got %+v, name (-want +got):\n%s", got, diff)
				}
				for status, code := range map[string]string{sso.LogoutDone: "", sso.LogoutRefused: "logout_failed"} {
					answer, err := p.LogoutResponse(mirror, binding, got, status, samltest.Now)
					if err != nil {
						t.Fatal(err)
					}
					back, err := p.CheckLogoutResponse(ours, carried(t, answer), samltest.Now)
					if logoutCodeOf(err) != code || back.FlowID != ticket.FlowID {
						t.Errorf("got %v for ticket %q, want %q for %q", err, back.FlowID, code, ticket.FlowID)
					}
				}
			})
		}
	}
}

func TestOnlyAnAnswerToALogoutConfirmsIt(t *testing.T) {
	p, ours, mirror := mirrored(t, seal.New(), "rsa-sha256", sso.Redirect)
	login := sso.NewTicket(sso.ToLogin, "", samltest.Now)
	for name, id := range map[string]string{
		"a login's id":       p.RequestID(ours.ID, login),
		"a logout's of more": "_anything",
		"none":               "",
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := p.LogoutResponse(mirror, sso.Redirect, &sso.LogoutRequest{ID: id}, sso.LogoutDone, samltest.Now)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.CheckLogoutResponse(ours, carried(t, answer), samltest.Now); logoutCodeOf(err) != "logout_unknown_request" {
				t.Errorf("got %v, want rejection logout_unknown_request", err)
			}
		})
	}
	sent, err := p.LogoutRequest(ours, sso.NewTicket(sso.ToLogout, "", samltest.Now.Add(-11*time.Minute)), sso.NameID{Value: "x"}, "", samltest.Now)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := p.LogoutResponse(mirror, sso.Redirect, &sso.LogoutRequest{ID: sent.ID}, sso.LogoutDone, samltest.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.CheckLogoutResponse(ours, carried(t, answer), samltest.Now); logoutCodeOf(err) != "logout_unknown_request" {
		t.Errorf("got %v after the ticket's end, want rejection logout_unknown_request", err)
	}
	if _, err := p.Tickets(ours.ID, samltest.Now)(sent.ID); logoutCodeOf(err) != "unknown_request" {
		t.Errorf("got %v, want that no login answers a logout", err)
	}
}

// mirrored makes a method and one whose identity provider the first one is.
func mirrored(t *testing.T, ring *seal.Keyring, algorithm string, binding sso.Binding) (p *sso.Provider, ours, mirror *sso.IdP) {
	t.Helper()
	both := make([]*sso.IdP, 2)
	for n, id := range []string{"am-ours", "am-mirror"} {
		both[n] = &sso.IdP{ID: id, AccountID: "a1", Base: samltest.Base, Enabled: true, State: sso.Active,
			Settings: sso.Settings{SSOURL: "https://idp.example/sso", SLOBinding: binding, SignatureAlgorithm: algorithm, DigestAlgorithm: "sha256"}}
		both[n].SPCertificate, both[n].SPKey = sso.OurKeys(t, ring, id, algorithm)
	}
	for n := range both {
		i, other := both[n], both[1-n]
		i.Base = []string{"https://one.example", "https://two.example"}[n]
		other.Base = []string{"https://two.example", "https://one.example"}[n]
		i.EntityID, i.IdPSLOURL = other.MetadataURL(), other.SLOURL()
		i.Certificates = sso.CertificatesOf(t, other)
	}
	return &sso.Provider{Keys: ring}, both[0], both[1]
}

// carried brings a message of ours to where it goes.
func carried(t *testing.T, r *sso.Request) *sso.LogoutMessage {
	t.Helper()
	var m *sso.LogoutMessage
	var err error
	switch r.Binding {
	case sso.Redirect:
		u, broken := url.Parse(r.URL)
		if broken != nil {
			t.Fatal(broken)
		}
		m, err = sso.ReadLogoutQuery(u.RawQuery)
	case sso.Post:
		form := url.Values{}
		for _, f := range r.Form {
			form.Set(f.Name, f.Value)
		}
		m, err = sso.ReadLogoutForm(form)
	default:
		m, err = sso.ReadLogoutSOAP(r.Body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func logoutCodeOf(err error) string {
	if r := (*sso.Rejection)(nil); errors.As(err, &r) {
		return r.Code
	}
	return ""
}

func TestANameIsTheSameWhereItMeansTheSame(t *testing.T) {
	idp := logoutCase{}.idp(t)
	plain := sso.NameID{Value: "alice"}
	for name, c := range map[string]struct {
		n    sso.NameID
		same bool
	}{
		"with the format that says nothing":    {sso.NameID{Value: "alice", Format: "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"}, true},
		"qualified by who names it":            {sso.NameID{Value: "alice", NameQualifier: samltest.EntityID}, true},
		"qualified by whom it is for":          {sso.NameID{Value: "alice", SPNameQualifier: idp.MetadataURL()}, true},
		"of another format":                    {sso.NameID{Value: "alice", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}, false},
		"of another qualifier":                 {sso.NameID{Value: "alice", NameQualifier: "urn:other"}, false},
		"another name":                         {sso.NameID{Value: "Alice"}, false},
		"a name that runs into its qualifier":  {sso.NameID{Value: "alice\n0 ", NameQualifier: ""}, false},
		"a name for another service provider":  {sso.NameID{Value: "alice", SPNameQualifier: "urn:other"}, false},
		"a name with white space that differs": {sso.NameID{Value: "alice "}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if same := idp.NameKey(c.n) == idp.NameKey(plain); same != c.same {
				t.Errorf("got the same: %v, want %v", same, c.same)
			}
		})
	}
}
