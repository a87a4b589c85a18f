package e2e_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// authnRequestURL makes a request by hand, so that the identity provider is
// tried without anything of ours.
func authnRequestURL(t testing.TB, ssoURL string, sp sspSP, id, relayState string) string {
	t.Helper()
	doc := fmt.Sprintf(`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`+
		` ID="%s" Version="2.0" IssueInstant="2030-01-01T00:00:00Z" Destination="%s" AssertionConsumerServiceURL="%s"><saml:Issuer>%s</saml:Issuer></samlp:AuthnRequest>`,
		id, ssoURL, sp.ACSURL, sp.EntityID)
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(doc)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	query := url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(b.Bytes())}, "RelayState": {relayState}}
	return ssoURL + "?" + query.Encode()
}

// An answer is what these tests read of a response.
type answer struct {
	InResponseTo string    `xml:"InResponseTo,attr"`
	Signature    *struct{} `xml:"http://www.w3.org/2000/09/xmldsig# Signature"`
	Assertion    struct {
		Signature *struct {
			Method struct {
				Algorithm string `xml:"Algorithm,attr"`
			} `xml:"SignedInfo>SignatureMethod"`
		} `xml:"http://www.w3.org/2000/09/xmldsig# Signature"`
		NameID struct {
			Value  string `xml:",chardata"`
			Format string `xml:"Format,attr"`
		} `xml:"Subject>NameID"`
		Attributes []struct {
			Name   string   `xml:"Name,attr"`
			Values []string `xml:"AttributeValue"`
		} `xml:"AttributeStatement>Attribute"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:assertion Assertion"`
}

func readAnswer(t testing.TB, form url.Values) answer {
	t.Helper()
	doc, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := xml.Unmarshal(doc, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSimpleSAMLphpAnswersAsItIsTold(t *testing.T) {
	s := needSSP(t)
	tests := []struct {
		name, username string
		sp             sspSP
		format, value  string // of the NameID; an empty value is not compared
	}{
		{"both signed", "alice", sspSP{SignResponse: true, SignAssertion: true}, "emailAddress", "alice@company.test"},
		{"response signed", "bob", sspSP{SignResponse: true}, "emailAddress", "bob@company.test"},
		{"assertion signed", "alice", sspSP{SignAssertion: true}, "emailAddress", "alice@company.test"},
		{"nothing signed", "alice", sspSP{}, "emailAddress", "alice@company.test"},
		{"sha512", "alice", sspSP{SignAssertion: true, Algorithm: "sha512"}, "emailAddress", "alice@company.test"},
		{"persistent name", "alice", sspSP{SignResponse: true, NameID: "persistent"}, "persistent", ""},
		{"transient name", "noemail", sspSP{SignResponse: true, NameID: "transient"}, "transient", ""},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sp := tt.sp
			sp.EntityID = fmt.Sprintf("http://127.0.0.1:9/%s/%d", t.Name(), i)
			sp.ACSURL = fmt.Sprintf("http://127.0.0.1:9/acs/%d", i)
			s.register(t, sp)
			acs, form := s.login(t, authnRequestURL(t, s.ssoURL(), sp, "_request", "flow-1"), tt.username)
			if acs != sp.ACSURL || form.Get("RelayState") != "flow-1" {
				t.Errorf("got the answer for %s with the relay state %q, want %s with flow-1", acs, form.Get("RelayState"), sp.ACSURL)
			}
			a := readAnswer(t, form)
			if a.InResponseTo != "_request" {
				t.Errorf("got an answer to %q, want _request", a.InResponseTo)
			}
			if got := a.Signature != nil; got != sp.SignResponse {
				t.Errorf("response signed: got %v, want %v", got, sp.SignResponse)
			}
			if got := a.Assertion.Signature != nil; got != sp.SignAssertion {
				t.Errorf("assertion signed: got %v, want %v", got, sp.SignAssertion)
			}
			if g := a.Assertion.Signature; g != nil && sp.Algorithm != "" && !strings.HasSuffix(g.Method.Algorithm, sp.Algorithm) {
				t.Errorf("got the algorithm %s, want %s", g.Method.Algorithm, sp.Algorithm)
			}
			name := a.Assertion.NameID
			if !strings.HasSuffix(name.Format, ":"+tt.format) || name.Value == "" || tt.value != "" && name.Value != tt.value {
				t.Errorf("got the name %q (%s), want %q (%s)", name.Value, name.Format, tt.value, tt.format)
			}
		})
	}
}

func TestSimpleSAMLphpStartsALogin(t *testing.T) {
	s := needSSP(t)
	sp := sspSP{EntityID: "http://127.0.0.1:9/" + t.Name(), ACSURL: "http://127.0.0.1:9/acs", SignResponse: true}
	s.register(t, sp)
	acs, form := s.login(t, s.startFor(sp.EntityID, "/projects"), "alice")
	a := readAnswer(t, form)
	if acs != sp.ACSURL || a.InResponseTo != "" || form.Get("RelayState") != "/projects" {
		t.Errorf("got an answer to %q for %s with the relay state %q, want one to nothing for %s with /projects", a.InResponseTo, acs, form.Get("RelayState"), sp.ACSURL)
	}
	found := false
	for _, attr := range a.Assertion.Attributes {
		found = found || attr.Name == "lastName" && len(attr.Values) == 1 && attr.Values[0] == "Ärlig"
	}
	if !found {
		t.Errorf("got the attributes %v, want the last name Ärlig", a.Assertion.Attributes)
	}
}

func TestSimpleSAMLphpRefusesAWrongPassword(t *testing.T) {
	s := needSSP(t)
	sp := sspSP{EntityID: "http://127.0.0.1:9/" + t.Name(), ACSURL: "http://127.0.0.1:9/acs"}
	s.register(t, sp)
	if _, form, err := s.tryLogin(s.startFor(sp.EntityID, ""), "alice", "wrong"); err == nil {
		t.Errorf("got an answer with %d fields, want an error", len(form))
	}
}

func TestSimpleSAMLphpDescribesItself(t *testing.T) {
	s := needSSP(t)
	md := string(s.metadata(t))
	block, _ := pem.Decode([]byte(s.certificatePEM(t)))
	if block == nil {
		t.Fatal("the certificate is not PEM")
	}
	for _, want := range []string{s.entityID(), s.ssoURL(), base64.StdEncoding.EncodeToString(block.Bytes)} {
		if !strings.Contains(strings.Join(strings.Fields(md), " "), want) {
			t.Errorf("got metadata without %q", want)
		}
	}
}
