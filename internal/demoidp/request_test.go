package demoidp

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/fault"
)

const honestRequest = `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_request" Version="2.0" IssueInstant="2030-01-01T00:00:00Z" AssertionConsumerServiceURL="http://127.0.0.1:8080/acs?a=1&amp;b=2">` +
	`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">http://127.0.0.1:8080/metadata/a&amp;b</saml:Issuer>` +
	`<samlp:NameIDPolicy Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"/></samlp:AuthnRequest>`

func deflated(t testing.TB, doc string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(doc)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func plain(doc string) string { return base64.StdEncoding.EncodeToString([]byte(doc)) }

func TestBothBindingsReadARequest(t *testing.T) {
	p := newIdP(t)
	want := Request{SP: testSP, ID: "_request", RelayState: "flow", Format: Transient}
	got, err := p.ReadRedirect(url.Values{"SAMLRequest": {deflated(t, honestRequest)}, "RelayState": {"flow"}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("redirect (-want +got):\n%s", d)
	}
	got, err = p.ReadPost(url.Values{"SAMLRequest": {plain(honestRequest)}, "RelayState": {"flow"}})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("post (-want +got):\n%s", d)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	edit := func(old, with string) string {
		doc := strings.Replace(honestRequest, old, with, 1)
		if doc == honestRequest {
			t.Fatalf("%q is not in the request", old)
		}
		return doc
	}
	tests := []struct {
		name  string
		query url.Values
		kind  fault.Kind
		field string
	}{
		{"nothing", url.Values{}, fault.Invalid, "SAMLRequest"},
		{"not base64", url.Values{"SAMLRequest": {"%%%"}}, fault.Invalid, "SAMLRequest"},
		{"not deflated", url.Values{"SAMLRequest": {plain(honestRequest)}}, fault.Invalid, "SAMLRequest"},
		{"too long to inflate", url.Values{"SAMLRequest": {deflated(t, strings.Repeat(" ", 10<<20)+honestRequest)}}, fault.Invalid, "SAMLRequest"},
		{"too long to read", url.Values{"SAMLRequest": {strings.Repeat("A", maxRequest+4)}}, fault.Invalid, "SAMLRequest"},
		{"not XML", url.Values{"SAMLRequest": {deflated(t, "hello")}}, fault.Invalid, "SAMLRequest"},
		{"another document", url.Values{"SAMLRequest": {deflated(t, "<LogoutRequest/>")}}, fault.Invalid, "SAMLRequest"},
		{"no id", url.Values{"SAMLRequest": {deflated(t, edit(` ID="_request"`, ""))}}, fault.Invalid, "SAMLRequest"},
		{"version 1.1", url.Values{"SAMLRequest": {deflated(t, edit(`"2.0"`, `"1.1"`))}}, fault.Invalid, "SAMLRequest"},
		{"unknown provider", url.Values{"SAMLRequest": {deflated(t, edit("metadata/a", "metadata/z"))}}, fault.Denied, "SAMLRequest"},
		{"unregistered address", url.Values{"SAMLRequest": {deflated(t, edit("acs?a=1", "acs?a=2"))}}, fault.Denied, "SAMLRequest"},
		{"another encoding", url.Values{"SAMLRequest": {deflated(t, honestRequest)}, "SAMLEncoding": {"urn:gzip"}}, fault.Invalid, "SAMLEncoding"},
		{"long relay state", url.Values{"SAMLRequest": {deflated(t, honestRequest)}, "RelayState": {strings.Repeat("x", maxRelayState+1)}}, fault.Invalid, "RelayState"},
	}
	p := newIdP(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := p.ReadRedirect(tt.query)
			if !errors.Is(err, tt.kind) {
				t.Fatalf("got %v, want a fault that is %s", err, tt.kind)
			}
			if got := fault.Of(err).Field; got != tt.field {
				t.Errorf("got the field %q, want %q", got, tt.field)
			}
		})
	}
}

// The library that the broker builds on makes the request and judges the
// answer; only the browser between them is left out.
func TestAnswerToCrewjam(t *testing.T) {
	p := newIdP(t)
	sp := crewjamSP(t, p)
	request, err := sp.MakeAuthenticationRequest(p.SSOURL, "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect", bindPost)
	if err != nil {
		t.Fatal(err)
	}
	u, err := request.Redirect("flow-1", sp)
	if err != nil {
		t.Fatal(err)
	}
	acs, form, err := p.Answer(u.String(), p.Users[0])
	if err != nil {
		t.Fatal(err)
	}
	if acs != testSP.ACSURL || form.Get("RelayState") != "flow-1" {
		t.Errorf("got %s with the relay state %q, want %s with flow-1", acs, form.Get("RelayState"), testSP.ACSURL)
	}
	doc, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sp.ParseXMLResponse(doc, []string{request.ID}, sp.AcsURL); err != nil {
		t.Errorf("got %v, want the answer accepted", err)
	}
}

func TestAnswerKeepsToItsAddress(t *testing.T) {
	p := newIdP(t)
	if _, _, err := p.Answer("http://localhost:8081/other?SAMLRequest=x", p.Users[0]); err == nil {
		t.Error("got an answer to a request for another address, want an error")
	}
}

func TestLookupIsAskedForUnknownProviders(t *testing.T) {
	p := newIdP(t)
	late := SP{EntityID: "urn:late", ACSURL: "http://127.0.0.1:1/acs"}
	p.Lookup = func(id string) (SP, bool) { return late, id == late.EntityID }
	acs, form, err := p.Start("urn:late", "", p.Users[0])
	if err != nil {
		t.Fatal(err)
	}
	if acs != late.ACSURL || form.Has("RelayState") {
		t.Errorf("got %s and relay state %v, want %s and none", acs, form.Has("RelayState"), late.ACSURL)
	}
	if _, _, err := p.Start("urn:never", "", p.Users[0]); !errors.Is(err, fault.Denied) {
		t.Errorf("unknown provider: got %v, want it denied", err)
	}
}
