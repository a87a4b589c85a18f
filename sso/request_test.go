package sso

import (
	"bytes"
	"compress/flate"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"

	"gatehouse/internal/fault"
	"gatehouse/internal/seal"
)

// requestRing seals the keys of requestIdP.
var requestRing = seal.New()

// requestIdP is a configured IdP and the provider that can open its key.
func requestIdP(t testing.TB, change func(*IdP)) (*Provider, *IdP) {
	t.Helper()
	ring := requestRing
	i := &IdP{
		ID: "am12345678901", AccountID: "a1", Enabled: true, State: Active, Base: "https://sso.example.com",
		Settings: Settings{
			EntityID: "urn:idp", SSOURL: "https://idp.example.com/sso", Binding: Redirect,
			DigestAlgorithm: "sha256", SignatureAlgorithm: "rsa-sha256",
		},
	}
	i.SPCertificate, i.SPKey = makeKeys(t, ring, i.ID, RSA2048)
	if change != nil {
		change(i)
	}
	return &Provider{Keys: ring}, i
}

func mustRequest(t *testing.T, p *Provider, i *IdP) (*Request, Ticket) {
	t.Helper()
	ticket := NewTicket(ToLogin, "secret", moment)
	r, err := p.Request(i, ticket, moment)
	if err != nil {
		t.Fatal(err)
	}
	return r, ticket
}

// inflate gives the document of a redirect.
func inflate(t *testing.T, address string) []byte {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := base64.StdEncoding.DecodeString(u.Query().Get("SAMLRequest"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// formDocument gives the document of a form.
func formDocument(t *testing.T, r *Request) []byte {
	t.Helper()
	document, err := base64.StdEncoding.DecodeString(r.Form[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestRequestByRedirect(t *testing.T) {
	p, i := requestIdP(t, nil)
	r, ticket := mustRequest(t, p, i)
	document := string(inflate(t, r.URL))
	want := `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"` +
		` AssertionConsumerServiceURL="https://sso.example.com/v1/sso/saml/acs/am12345678901"` +
		` Destination="https://idp.example.com/sso" ID="` + p.RequestID(i.ID, ticket) + `"` +
		` IssueInstant="2026-03-04T05:06:07Z"` +
		` ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Version="2.0">` +
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://sso.example.com/v1/sso/saml/metadata/am12345678901</saml:Issuer>` +
		`<samlp:NameIDPolicy AllowCreate="true"></samlp:NameIDPolicy></samlp:AuthnRequest>`
	if diff := cmp.Diff(want, document); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	u, _ := url.Parse(r.URL)
	if got, want := u.Query().Get("RelayState"), ticket.FlowID; got != want {
		t.Errorf("got RelayState %s, want the flow %s", got, want)
	}
	if u.Query().Has("Signature") || u.Query().Has("SigAlg") {
		t.Error("it is signed, and nobody asked for that")
	}
	if r.Origin != "https://idp.example.com" || r.Binding != Redirect || r.Form != nil || r.ID != p.RequestID(i.ID, ticket) {
		t.Errorf("got %+v, want a redirect to https://idp.example.com", r)
	}
	opened, err := p.Tickets(i.ID, moment)(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ticket, opened); diff != "" {
		t.Errorf("ticket in the request's ID (-want +got):\n%s", diff)
	}
}

func TestRequestKeepsTheQueryOfTheSSOURL(t *testing.T) {
	for _, test := range []struct{ address, begins, origin string }{
		{"https://accounts.google.com/o/saml2/idp?idpid=C0%2f1&x=a+b", "https://accounts.google.com/o/saml2/idp?idpid=C0%2f1&x=a+b&SAMLRequest=", "https://accounts.google.com"},
		{"https://idp.example.com/sso?", "https://idp.example.com/sso?&SAMLRequest=", "https://idp.example.com"},
		{"http://localhost:8081/sso", "http://localhost:8081/sso?SAMLRequest=", "http://localhost:8081"},
	} {
		p, i := requestIdP(t, func(i *IdP) { i.SSOURL = test.address })
		r, _ := mustRequest(t, p, i)
		if !strings.HasPrefix(r.URL, test.begins) || r.Origin != test.origin {
			t.Errorf("got %s with origin %s, want %s… with %s", r.URL, r.Origin, test.begins, test.origin)
		}
		var request saml.AuthnRequest
		if err := xml.Unmarshal(inflate(t, r.URL), &request); err != nil {
			t.Fatal(err)
		}
		if request.Destination != test.address {
			t.Errorf("got Destination %s, want %s", request.Destination, test.address)
		}
	}
}

// The signature is over the query as it was sent, not over what it decodes to
// (SAML Bindings, 3.4.4.1).
func TestRedirectIsSignedOverItsQuery(t *testing.T) {
	for name, a := range signatureAlgorithms {
		t.Run(name, func(t *testing.T) {
			p, i := requestIdP(t, func(i *IdP) {
				i.SignRequests, i.SignatureAlgorithm = true, name
				i.fitKey(t, a)
				i.SSOURL = "https://idp.example.com/sso?tenant=1"
			})
			r, _ := mustRequest(t, p, i)
			_, query, _ := strings.Cut(r.URL, "tenant=1&")
			signed, encoded, found := strings.Cut(query, "&Signature=")
			if !found {
				t.Fatalf("got %s, want a signature at its end", r.URL)
			}
			escaped, _ := url.QueryUnescape(encoded)
			signature, err := base64.StdEncoding.DecodeString(escaped)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(signed, "SAMLRequest=") || !strings.HasSuffix(signed, "&SigAlg="+url.QueryEscape(a.uri)) {
				t.Errorf("got %s signed, want SAMLRequest, RelayState, SigAlg", signed)
			}
			if err := verifySignature(t, i, a, []byte(signed), signature); err != nil {
				t.Errorf("the signature does not verify: %v", err)
			}
			changed := strings.Replace(signed, "RelayState=", "RelayState=0", 1)
			if verifySignature(t, i, a, []byte(changed), signature) == nil {
				t.Error("the signature does not cover RelayState")
			}
		})
	}
}

func TestRequestByPostIsSignedInside(t *testing.T) {
	for _, test := range []struct{ signature, digest string }{
		{"rsa-sha256", "sha256"},
		{"rsa-sha512", "sha256"},
		{"rsa-sha384", "sha384"},
		{"rsa-sha256", "sha512"},
		{"rsa-sha1", "sha1"},
		{"ecdsa-sha256", "sha256"},
		{"ecdsa-sha256", "sha384"},
	} {
		t.Run(test.signature+" over "+test.digest, func(t *testing.T) {
			p, i := requestIdP(t, func(i *IdP) {
				i.Binding, i.SignRequests = Post, true
				i.SignatureAlgorithm, i.DigestAlgorithm = test.signature, test.digest
				i.fitKey(t, signatureAlgorithms[test.signature])
				i.RequestAuthnContext = true
				i.SSOURL = "https://idp.example.com/sso?a=1&b=2" // an ampersand to be escaped
			})
			r, _ := mustRequest(t, p, i)
			document := formDocument(t, r)
			if signatureAlgorithms[test.signature].elliptic {
				verifyByHand(t, i, document) // goxmldsig knows no standard ECDSA signatures
			} else {
				verifyWithGoxmldsig(t, i, document)
			}
			verifyWithXMLSec(t, i, document)
		})
	}
}

// verifyWithGoxmldsig also sees that what was signed is the whole request, and
// that a change of it is noticed.
func verifyWithGoxmldsig(t *testing.T, i *IdP, document []byte) {
	t.Helper()
	certificate, err := x509.ParseCertificate(i.SigningCertificate())
	if err != nil {
		t.Fatal(err)
	}
	verify := func(document []byte) (*etree.Element, error) {
		parsed := etree.NewDocument()
		if err := parsed.ReadFromBytes(document); err != nil {
			t.Fatal(err)
		}
		ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{certificate}})
		ctx.IdAttribute = "ID"
		ctx.Clock = dsig.NewFakeClockAt(moment)
		return ctx.Validate(parsed.Root())
	}
	signed, err := verify(document)
	if err != nil {
		t.Fatalf("goxmldsig: %v", err)
	}
	if got, want := signed.SelectAttrValue("Destination", ""), i.SSOURL; got != want {
		t.Errorf("got Destination %s, want %s", got, want)
	}
	if children := signed.ChildElements(); len(children) == 0 || children[0].Tag != "Issuer" {
		t.Error("got no Issuer first among what was signed")
	}
	if _, err := verify(bytes.Replace(document, []byte("a=1"), []byte("a=2"), 1)); err == nil {
		t.Error("goxmldsig: a changed request verifies")
	}
}

func verifyWithXMLSec(t *testing.T, i *IdP, document []byte) {
	t.Helper()
	program, err := exec.LookPath("xmlsec1")
	if err != nil {
		t.Log("skipped the second opinion: xmlsec1 is not installed")
		return
	}
	dir := t.TempDir()
	file, certificate := filepath.Join(dir, "request.xml"), filepath.Join(dir, "sp.pem")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.SigningCertificate()}), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "--verify", "--pubkey-cert-pem", certificate,
		"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest", file).CombinedOutput()
	if err != nil {
		t.Errorf("xmlsec1: %v\n%s", err, out)
	}
}

func TestRequestAsksForWhatIsDemanded(t *testing.T) {
	for _, variant := range []string{"", "adfs"} {
		p, i := requestIdP(t, func(i *IdP) { i.ForceAuthn, i.NameIDFormat, i.Variant = true, NameIDFormats[0], variant })
		r, _ := mustRequest(t, p, i)
		document := string(inflate(t, r.URL))
		for _, want := range []string{
			` Destination="https://idp.example.com/sso" ForceAuthn="true" ID="`,
			`<samlp:NameIDPolicy AllowCreate="true" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"></samlp:NameIDPolicy>`,
		} {
			if !strings.Contains(document, want) {
				t.Errorf("variant %q: got %s, want %s in it", variant, document, want)
			}
		}
	}
}

func TestRequestByPostUnsigned(t *testing.T) {
	p, i := requestIdP(t, func(i *IdP) { i.Binding = Post })
	r, ticket := mustRequest(t, p, i)
	if r.URL != i.SSOURL || len(r.Form) != 2 || r.Form[0].Name != "SAMLRequest" {
		t.Fatalf("got %+v, want a form for %s", r, i.SSOURL)
	}
	if got, want := r.Form[1], (Field{"RelayState", ticket.FlowID}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if bytes.Contains(formDocument(t, r), []byte("Signature")) {
		t.Error("it is signed, and nobody asked for that")
	}
}

// crewjam's IdP reads both bindings as a stranger's IdP would.
func TestRequestIsReadByAnIdP(t *testing.T) {
	for _, binding := range []Binding{Redirect, Post} {
		for _, variant := range []string{"", "adfs"} {
			t.Run(string(binding)+" "+variant, func(t *testing.T) {
				p, i := requestIdP(t, func(i *IdP) {
					i.Binding, i.Variant, i.SignRequests, i.RequestAuthnContext = binding, variant, true, true
				})
				r, ticket := mustRequest(t, p, i)
				incoming := httptest.NewRequest("GET", r.URL, nil)
				if binding == Post {
					form := url.Values{}
					for _, f := range r.Form {
						form.Set(f.Name, f.Value)
					}
					incoming = httptest.NewRequest("POST", r.URL, strings.NewReader(form.Encode()))
					incoming.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
				got, err := saml.NewIdpAuthnRequest(&saml.IdentityProvider{}, incoming)
				if err != nil {
					t.Fatal(err)
				}
				if got.RelayState != ticket.FlowID {
					t.Errorf("got RelayState %s, want %s", got.RelayState, ticket.FlowID)
				}
				var request saml.AuthnRequest
				if err := xml.Unmarshal(got.RequestBuffer, &request); err != nil {
					t.Fatal(err)
				}
				if request.ID != r.ID || request.Issuer.Value != i.MetadataURL() || request.AssertionConsumerServiceURL != i.ACSURL() {
					t.Errorf("got ID %s, Issuer %s, ACS %s", request.ID, request.Issuer.Value, request.AssertionConsumerServiceURL)
				}
				if got, want := request.NameIDPolicy != nil, variant == ""; got != want {
					t.Errorf("got a NameIDPolicy: %t, want %t", got, want)
				}
				wantComparison := map[string]string{"": "minimum", "adfs": "exact"}[variant]
				if request.RequestedAuthnContext == nil || request.RequestedAuthnContext.Comparison != wantComparison {
					t.Errorf("got %+v, want a context with Comparison %s", request.RequestedAuthnContext, wantComparison)
				}
			})
		}
	}
}

func TestRequestIsNotMadeForAnIdPOutOfUse(t *testing.T) {
	for name, change := range map[string]func(*IdP){
		"disabled": func(i *IdP) { i.Enabled = false },
		"pending":  func(i *IdP) { i.State = Pending },
		"deleted":  func(i *IdP) { i.State = Deleted },
	} {
		t.Run(name, func(t *testing.T) {
			p, i := requestIdP(t, change)
			_, err := p.Request(i, NewTicket(ToLogin, "secret", moment), moment)
			wantFault(t, err, fault.Conflict, "")
		})
	}
}

func TestRequestGoesOnlyWhereSettingsMayPoint(t *testing.T) {
	p, i := requestIdP(t, func(i *IdP) { i.SSOURL = "javascript:alert(1)" })
	if r, err := p.Request(i, NewTicket(ToLogin, "secret", moment), moment); err == nil {
		t.Errorf("got %+v, want an error", r)
	}
}

func TestRequestSaysWhenItsKeyWasSealedOtherwise(t *testing.T) {
	_, i := requestIdP(t, func(i *IdP) { i.SignRequests = true })
	_, err := (&Provider{Keys: seal.New()}).Request(i, NewTicket(ToLogin, "secret", moment), moment)
	if f := fault.Of(err); err == nil || f.Kind != fault.Internal || strings.Contains(f.Message, "key") {
		t.Errorf("got %v, want an internal error that tells the caller nothing", err)
	}
}

func BenchmarkRequest(b *testing.B) {
	for _, test := range []struct {
		name   string
		change func(*IdP)
	}{
		{"redirect", nil},
		{"redirect, signed", func(i *IdP) { i.SignRequests = true }},
		{"post", func(i *IdP) { i.Binding = Post }},
		{"post, signed", func(i *IdP) { i.Binding, i.SignRequests = Post, true }},
	} {
		b.Run(test.name, func(b *testing.B) {
			p, i := requestIdP(b, test.change)
			t := NewTicket(ToLogin, "secret", moment)
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				r, err := p.Request(i, t, moment)
				if err != nil {
					b.Fatal(err)
				}
				size = len(r.URL)
			}
			b.ReportMetric(float64(size), "URL-bytes")
		})
	}
}

func TestARequestAsksForTheContextsThatItIsToldTo(t *testing.T) {
	const mfa, other = "https://refeds.org/profile/mfa", "urn:x:y?a&b"
	for _, variant := range []string{"", "adfs"} {
		p, i := requestIdP(t, func(i *IdP) {
			i.Binding, i.Variant, i.RequestAuthnContext, i.AskContexts = Post, variant, true, []string{mfa, other}
		})
		r, _ := mustRequest(t, p, i)
		parsed := etree.NewDocument()
		if err := parsed.ReadFromBytes(formDocument(t, r)); err != nil {
			t.Fatal(err)
		}
		asked := parsed.FindElements("//RequestedAuthnContext")
		if len(asked) != 1 || asked[0].SelectAttrValue("Comparison", "") != "exact" {
			t.Fatalf("variant %q: got %d demands, want an exact one", variant, len(asked))
		}
		var got []string
		for _, c := range asked[0].ChildElements() {
			got = append(got, c.Text())
		}
		if !slices.Equal(got, i.AskContexts) {
			t.Errorf("variant %q: got %q, want %q", variant, got, i.AskContexts)
		}
	}
}

// What was asked for is not refused for not being a password; who asked judges
// the rest.
func TestAContextThatWasAskedForIsNoWeakOne(t *testing.T) {
	for _, c := range []struct {
		variant, got string
		refused      bool
	}{
		{"adfs", "http://schemas.microsoft.com/claims/multipleauthn", false},
		{"adfs", "urn:x:y", true},
		{"adfs", passwordContext, false},
		{"", "http://schemas.microsoft.com/claims/multipleauthn", false},
		{"", "", true},
	} {
		i := &IdP{Settings: Settings{RequestAuthnContext: true, Variant: c.variant}, AskContexts: []string{"http://schemas.microsoft.com/claims/multipleauthn"}}
		p := &profile{idp: i, out: &Assertion{AuthnContext: c.got}}
		if no := p.checkContext(); (no != nil) != c.refused {
			t.Errorf("variant %q, %q: got %v, want a refusal: %t", c.variant, c.got, no, c.refused)
		}
	}
}
