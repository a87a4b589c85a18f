package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"gatehouse/internal/fetch"
)

// pages is what stands at addresses.
type pages map[string]string

// Get makes pages a sso.Pages.
func (p pages) Get(_ context.Context, address string) (fetch.Page, error) {
	text, there := p[address]
	if !there {
		return fetch.Page{}, &fetch.Error{Reason: fetch.Status, Code: http.StatusNotFound, Says: "it answers 404 Not Found"}
	}
	return fetch.Page{URL: address, Body: []byte(text)}, nil
}

// idpMetadata describes an identity provider that signs with testCertificate.
func idpMetadata(entity, ssoURL string) string {
	_, rest, _ := strings.Cut(testCertificate, "-----BEGIN CERTIFICATE-----")
	packed, _, _ := strings.Cut(rest, "-----END")
	return `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + entity + `"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		`<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + packed + `</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="` + ssoURL + `"/></IDPSSODescriptor></EntityDescriptor>`
}

const testMetadata = "https://idp.acme.example/metadata"

// published is what these tests find.
func published() pages {
	return pages{
		testMetadata: idpMetadata("https://idp.acme.example/", "https://idp.acme.example/sso"),
		"https://federation.example/metadata": `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` +
			idpMetadata("urn:one", "https://one.example/sso") + idpMetadata("urn:two", "https://two.example/sso") + `</EntitiesDescriptor>`,
	}
}

// held has a change of the method's metadata wait for approval.
func (w auditedWorld) held(t *testing.T) {
	t.Helper()
	method := "/v1/account/" + w.root + "/authentication/" + w.method
	w.as(t, w.ann, "PUT", method, `{"saml_idp_metadata_url":"`+testMetadata+`"}`).need(t, http.StatusOK)
	w.pages[testMetadata] = idpMetadata("https://idp.acme.example/", "https://idp.acme.example/new")
	w.as(t, w.ann, "POST", method+"/metadata-refresh", "").need(t, http.StatusOK)
}

func TestAMethodSaysWhichCertificatesEnd(t *testing.T) {
	w := newAuditedWorld(t)
	w.held(t)
	w.now = w.now.AddDate(9, 9, 25) // five days before the end of the certificate, and of ours, which is younger
	token := w.do(t, "POST", "/v1/userauth", `{"email":"ann@acme.example","password":"correct horse"}`).need(t, http.StatusOK)["token"].(string)
	m := w.as(t, token, "GET", "/v1/account/"+w.root+"/authentication/"+w.method, "").need(t, http.StatusOK)["authentication_method"].(map[string]any)
	warnings := m["saml_certificate_warnings"].([]any)
	if len(warnings) != 1 {
		t.Fatalf("got %v, want one warning", warnings)
	}
	got := warnings[0].(map[string]any)
	if got["certificate"] != "identity_provider" || got["within"] != "7_days" || got["another_valid_until"] != nil || "sha256 "+got["fingerprint_sha256"].(string) != testFingerprint {
		t.Errorf("got %v, want the identity provider's certificate, which ends within 7 days", got)
	}
}
