package demoidp

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"

	"gatehouse/internal/parts"
)

var testSP = SP{EntityID: "http://127.0.0.1:8080/metadata/a&b", ACSURL: "http://127.0.0.1:8080/acs?a=1&b=2", Name: "Broker"}

// sharedKey spares each test the making of a key.
var sharedKey = sync.OnceValue(func() *rsa.PrivateKey {
	p, err := New("http://localhost:8081")
	if err != nil {
		panic(err)
	}
	return p.Key.(*rsa.PrivateKey)
})

func newIdP(t testing.TB) *IdP {
	t.Helper()
	p, err := NewWithKey("http://localhost:8081/", sharedKey())
	if err != nil {
		t.Fatal(err)
	}
	p.Register(testSP)
	return p
}

func parse(t testing.TB, doc []byte) *etree.Element {
	t.Helper()
	d := etree.NewDocument()
	if err := d.ReadFromBytes(doc); err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

func child(e *etree.Element, tag string) *etree.Element {
	for _, c := range e.ChildElements() {
		if c.Tag == tag {
			return c
		}
	}
	return nil
}

// signatureHolds asks goxmldsig whether e carries a signature of p.
func signatureHolds(p *IdP, e *etree.Element) error {
	v := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{p.Certificate}})
	_, err := v.Validate(e)
	return err
}

func TestSignaturesHold(t *testing.T) {
	tests := []struct {
		name                string
		change              func(*Response)
		response, assertion bool
	}{
		{"both, as it comes", func(r *Response) {}, true, true},
		{"response", func(r *Response) { r.Sign = SignResponse }, true, false},
		{"assertion", func(r *Response) { r.Sign = SignAssertion }, false, true},
		{"none", func(r *Response) { r.Sign = SignNone }, false, false},
		{"SHA-1", func(r *Response) { r.SignatureHash, r.DigestHash = crypto.SHA1, crypto.SHA1 }, true, true},
		{"SHA-384", func(r *Response) { r.SignatureHash, r.DigestHash = crypto.SHA384, crypto.SHA384 }, true, true},
		{"SHA-512 over a SHA-256 digest", func(r *Response) { r.SignatureHash = crypto.SHA512 }, true, true},
		{"without KeyInfo", func(r *Response) { r.OmitKeyInfo = true }, true, true},
		{"a long one", func(r *Response) { r.Size = 30000 }, true, true},
		{"values that need escaping", func(r *Response) {
			r.add("odd", "a & b < c > d \"e\" 'f'", "line\nbreak\r\n\ttab", "Ärlig 日本 😀", " spaces ")
			r.Subject.NameQualifier = "a\"b\tc\nd\re<f>&"
		}, true, true},
		{"an altered assertion", func(r *Response) {
			r.Alter = func(a string) string { return strings.Replace(a, "alice@", "anna@", 1) }
		}, true, true},
		{"a failure", func(r *Response) { r.Status, r.SubStatus, r.StatusMessage = Responder, AuthnFailed, "No" }, true, false},
	}
	p := newIdP(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := p.Prepare(Request{SP: testSP, ID: "_request"}, p.Users[0])
			tt.change(&r)
			doc, err := p.Respond(r)
			if err != nil {
				t.Fatal(err)
			}
			root := parse(t, doc)
			if err := signatureHolds(p, root); (err == nil) != tt.response {
				t.Errorf("signature of the response: got %v, want one: %v", err, tt.response)
			}
			a := child(root, "Assertion")
			if a == nil {
				if tt.assertion {
					t.Error("got no assertion, want one")
				}
				return
			}
			if err := signatureHolds(p, a.Copy()); (err == nil) != tt.assertion {
				t.Errorf("signature of the assertion: got %v, want one: %v", err, tt.assertion)
			}
		})
	}
}

// What is signed as it stands has to be canonical as it stands.
func TestResponseIsItsOwnCanonicalForm(t *testing.T) {
	p := newIdP(t)
	r := p.Prepare(Request{SP: testSP, ID: "_request", Format: Persistent}, p.Users[1])
	r.add("odd", "a & b < c > d \"e\" 'f'", "tab\tand return\r")
	doc, err := p.Respond(r)
	if err != nil {
		t.Fatal(err)
	}
	c := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	got, err := c.Canonicalize(parse(t, doc))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(got), string(doc)); d != "" {
		t.Errorf("canonical form (-want +got):\n%s", d)
	}
}

// xmlsec1 is the verifier that shares no code with anything here.
func TestXMLSecAcceptsSignatures(t *testing.T) {
	xmlsec := parts.Program(t, "xmlsec1")
	p := newIdP(t)
	cert := filepath.Join(t.TempDir(), "idp.pem")
	if err := os.WriteFile(cert, []byte(p.CertificatePEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA512} {
		for _, sign := range []Signing{SignResponse, SignAssertion, SignBoth} {
			t.Run(hash.String()+" "+string(sign), func(t *testing.T) {
				r := p.Prepare(Request{SP: testSP, ID: "_request"}, p.Users[1])
				r.Sign, r.SignatureHash, r.DigestHash = sign, hash, hash
				doc, err := p.Respond(r)
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(t.TempDir(), "response.xml")
				if err := os.WriteFile(file, doc, 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.Command(xmlsec, "--verify", "--pubkey-cert-pem", cert, "--id-attr:ID", nsSAMLP+":Response", "--id-attr:ID", nsSAML+":Assertion", file).CombinedOutput()
				if err != nil {
					t.Errorf("xmlsec1: %v\n%s", err, out)
				}
			})
		}
	}
}

// crewjamSP is a service provider of the library that the broker builds on.
func crewjamSP(t testing.TB, p *IdP) *saml.ServiceProvider {
	t.Helper()
	var md saml.EntityDescriptor
	if err := xml.Unmarshal(p.Metadata(), &md); err != nil {
		t.Fatal(err)
	}
	acs, err := url.Parse(testSP.ACSURL)
	if err != nil {
		t.Fatal(err)
	}
	return &saml.ServiceProvider{EntityID: testSP.EntityID, AcsURL: *acs, IDPMetadata: &md}
}

func TestCrewjamJudgesResponses(t *testing.T) {
	p := newIdP(t)
	sp := crewjamSP(t, p)
	refused := func(change func(*Response)) error {
		r := p.Prepare(Request{SP: testSP, ID: "_request"}, p.Users[1])
		change(&r)
		doc, err := p.Respond(r)
		if err != nil {
			t.Fatal(err)
		}
		a, err := sp.ParseXMLResponse(doc, []string{"_request"}, sp.AcsURL)
		if err == nil && a.Subject.NameID.Value != "bob@acme.test" {
			t.Errorf("got the subject %q, want bob@acme.test", a.Subject.NameID.Value)
		}
		return err
	}
	if err := refused(func(r *Response) {}); err != nil {
		t.Errorf("honest response: got %v, want it accepted", err.(*saml.InvalidResponseError).PrivateErr)
	}
	// The library has gaps of its own; these mistakes it knows.
	for _, name := range []string{"wrong-audience", "wrong-recipient", "wrong-destination", "wrong-issuer", "wrong-request", "expired", "not-yet-valid", "unsigned", "wrong-key", "changed", "denied"} {
		m, ok := MistakeNamed(name)
		if !ok {
			t.Fatalf("there is no mistake %s", name)
		}
		if err := refused(m.Make); err == nil {
			t.Errorf("%s: got it accepted, want it refused", name)
		}
	}
}

func TestEachMistakeChangesTheResponse(t *testing.T) {
	p := newIdP(t)
	p.NewID = func() string { return "_id" }
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	p.Now = func() time.Time { return now }
	make := func(m Mistake) string {
		r := p.Prepare(Request{SP: testSP, ID: "_request"}, p.Users[0])
		m.Make(&r)
		doc, err := p.Respond(r)
		if err != nil {
			t.Fatalf("%s: %v", m.Name, err)
		}
		return string(doc)
	}
	seen := map[string]string{make(Mistake{Make: func(*Response) {}}): "honest"}
	for _, m := range Mistakes {
		doc := make(m)
		if other, ok := seen[doc]; ok {
			t.Errorf("%s says the same as %s", m.Name, other)
		}
		seen[doc] = m.Name
	}
}

func TestMisbehaveChangesEveryResponse(t *testing.T) {
	p := newIdP(t)
	p.Misbehave = func(r *Response) { r.Audiences = []string{"urn:other"} }
	_, form, err := p.Start(testSP.EntityID, "", p.Users[0])
	if err != nil {
		t.Fatal(err)
	}
	doc, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "<saml:Audience>urn:other</saml:Audience>") {
		t.Errorf("got %s, want the audience urn:other", doc)
	}
}

func TestSizeIsAbout(t *testing.T) {
	p := newIdP(t)
	for _, sign := range []Signing{SignBoth, SignResponse, SignAssertion, SignNone} {
		r := p.Prepare(Request{SP: testSP, ID: "_request"}, p.Users[0])
		r.Sign, r.Size = sign, 8<<10
		doc, err := p.Respond(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(doc) < 8<<10 || len(doc) > 8<<10+200 {
			t.Errorf("%s: got %d bytes, want 8192 to 8392", sign, len(doc))
		}
	}
}

func TestNameIDFormats(t *testing.T) {
	p := newIdP(t)
	p.NewID = func() string { return "_random" }
	nameless := User{Username: "noemail"}
	tests := []struct {
		name   string
		user   User
		format string
		want   NameID
	}{
		{"default", p.Users[0], "", NameID{Value: "alice@acme.test", Format: EmailAddress}},
		{"unspecified", p.Users[0], Unspecified, NameID{Value: "alice@acme.test", Format: EmailAddress}},
		{"transient", p.Users[0], Transient, NameID{Value: "_random", Format: Transient, SPNameQualifier: testSP.EntityID}},
		{"no address", nameless, "", NameID{Value: "noemail", Format: Unspecified}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, p.nameID(tt.user, testSP, tt.format)); d != "" {
				t.Errorf("name (-want +got):\n%s", d)
			}
		})
	}
	one, again := p.nameID(p.Users[0], testSP, Persistent), p.nameID(p.Users[0], testSP, Persistent)
	elsewhere, other := p.nameID(p.Users[0], SP{EntityID: "urn:x"}, Persistent), p.nameID(p.Users[1], testSP, Persistent)
	if one != again || one.Value == elsewhere.Value || one.Value == other.Value {
		t.Errorf("persistent names: got %q, %q, %q, %q, want the first two equal and the others different", one.Value, again.Value, elsewhere.Value, other.Value)
	}
}

func TestRespondRefusesWhatXMLCannotCarry(t *testing.T) {
	p := newIdP(t)
	for _, bad := range []string{"a\x00b", "a\x0bb", "a\xffb", "a\uffffb"} {
		r := p.Prepare(Request{SP: testSP}, p.Users[0])
		r.Subject.Value = bad
		if _, err := p.Respond(r); err == nil {
			t.Errorf("%q: got a response, want an error", bad)
		}
	}
}

func TestNewRefusesABaseThatIsNoURL(t *testing.T) {
	for _, base := range []string{"", "localhost:8081", "/idp", "ftp://localhost", "http://"} {
		if _, err := NewWithKey(base, sharedKey()); err == nil {
			t.Errorf("%q: got an identity provider, want an error", base)
		}
	}
}

func BenchmarkRespond(b *testing.B) {
	p := newIdP(b)
	r := p.Prepare(Request{SP: testSP, ID: "_request"}, p.Users[0])
	r.Size = 8 << 10
	for b.Loop() {
		if _, err := p.Respond(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignature is the floor of BenchmarkRespond: two of these.
func BenchmarkSignature(b *testing.B) {
	key, digest := sharedKey(), make([]byte, 32)
	for b.Loop() {
		if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest); err != nil {
			b.Fatal(err)
		}
	}
}
