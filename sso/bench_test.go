package sso_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/xml"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// response8KB is a response with two RSA-2048 signatures and 8 KiB.
func response8KB(tb testing.TB) samltest.Case {
	tb.Helper()
	c, err := samltest.Read(cases + "/good/both-signed")
	if err != nil {
		tb.Fatal(err)
	}
	signer := samltest.Signer{Pair: samltest.Keys("current")}
	// An honest response grows by its attributes.
	var more strings.Builder
	build := func() string {
		doc := samltest.Replace(samltest.Template, "    </saml:AttributeStatement>", more.String()+"    </saml:AttributeStatement>")
		return samltest.Finish(doc, samltest.SignBoth, signer)
	}
	for c.Response = build(); len(c.Response) < 8<<10; c.Response = build() {
		more.WriteString(`      <saml:Attribute Name="department" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic"><saml:AttributeValue xsi:type="xs:string">Research &amp; Development</saml:AttributeValue></saml:Attribute>` + "\n")
	}
	return c
}

// BenchmarkCheck8KB is what a login costs here, after base64.
func BenchmarkCheck8KB(b *testing.B) {
	c := response8KB(b)
	idp, raw := idpOf(b, c), []byte(c.Response)
	want := expectation(idp, moment(b, c), false)
	// As a server runs it, once it knows the certificate: one in a hundred is
	// judged by the library too.
	n := 0
	provider := &sso.Provider{Guard: &sso.Guard{Sample: func() bool { n++; return n%100 == 0 }}}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := provider.Check(idp, raw, want); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheckTwice8KB is what a login costs that both verifiers judge.
func BenchmarkCheckTwice8KB(b *testing.B) {
	c := response8KB(b)
	idp, raw := idpOf(b, c), []byte(c.Response)
	want := expectation(idp, moment(b, c), false)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := new(sso.Provider).Check(idp, raw, want); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCrewjam8KB is crewjam/saml on the same bytes.
func BenchmarkCrewjam8KB(b *testing.B) {
	c := response8KB(b)
	raw := []byte(c.Response)
	sp := crewjamSP(b, idpOf(b, c), moment(b, c))
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sp.ParseXMLResponse(raw, []string{samltest.RequestID}, sp.AcsURL); err != nil {
			b.Fatal(err.(*saml.InvalidResponseError).PrivateErr)
		}
	}
}

// BenchmarkFloor8KB is what cannot be saved: two bare RSA verifications and
// one look at every token by the standard library.
func BenchmarkFloor8KB(b *testing.B) {
	c := response8KB(b)
	raw := []byte(c.Response)
	key := samltest.Keys("current")
	sum := sha256.Sum256(raw)
	sig, err := rsa.SignPKCS1v15(nil, key.Key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	public := key.Cert.PublicKey.(*rsa.PublicKey)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		for range 2 {
			if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], sig); err != nil {
				b.Fatal(err)
			}
		}
		tokenize(b, raw)
	}
}

// BenchmarkScan8KB is the first of Check's passes alone.
func BenchmarkScan8KB(b *testing.B) {
	raw := []byte(response8KB(b).Response)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if sso.Scan(raw) == nil {
			b.Fatal("got refused")
		}
	}
}

func tokenize(b *testing.B, raw []byte) {
	d := xml.NewDecoder(bytes.NewReader(raw))
	for {
		_, err := d.RawToken()
		if err == io.EOF {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// crewjamSP is crewjam's service provider, as it would be set up for the same
// identity provider. Its clocks are variables of its package.
func crewjamSP(tb testing.TB, idp *sso.IdP, now time.Time) *saml.ServiceProvider {
	tb.Helper()
	saml.TimeNow = func() time.Time { return now }
	saml.Clock = dsig.NewFakeClockAt(now)
	var keys []saml.KeyDescriptor
	for _, c := range idp.Certificates {
		keys = append(keys, saml.KeyDescriptor{Use: "signing", KeyInfo: saml.KeyInfo{X509Data: saml.X509Data{
			X509Certificates: []saml.X509Certificate{{Data: base64Of(c.Raw)}}}}})
	}
	descriptor := saml.IDPSSODescriptor{}
	descriptor.KeyDescriptors = keys
	return &saml.ServiceProvider{
		Key:         samltest.Keys("sp").Key.(*rsa.PrivateKey),
		EntityID:    idp.MetadataURL(),
		MetadataURL: parseURL(tb, idp.MetadataURL()),
		AcsURL:      parseURL(tb, idp.ACSURL()),
		IDPMetadata: &saml.EntityDescriptor{EntityID: idp.EntityID, IDPSSODescriptors: []saml.IDPSSODescriptor{descriptor}},
	}
}

func parseURL(tb testing.TB, text string) url.URL {
	tb.Helper()
	u, err := url.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return *u
}
