package sso

import (
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/fault"
)

const ssoService = `<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-%s" Location="%s"/>`

// described is minimal metadata: an entity, its keys and its services.
func described(entity, attributes, keys, services string) string {
	return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + entity + `"` + attributes + `>` +
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		keys + services + `</md:IDPSSODescriptor></md:EntityDescriptor>`
}

func keyDescriptor(use, certificate string) string {
	return `<md:KeyDescriptor` + use + `><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>` +
		certificate + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
}

// What products write differs in prefixes, line breaks, order, declared
// encodings, and in what stands beside the part that counts.
func TestParseIdPMetadataAsProductsWriteIt(t *testing.T) {
	one, two := certify(t, "one", idpRSAKey(t, 2048), 1), certify(t, "two", idpRSAKey(t, 2048), 2)
	flat := base64.StdEncoding.EncodeToString(one)
	flat2 := base64.StdEncoding.EncodeToString(two)
	for _, test := range []struct {
		name         string
		text         string
		want         IdPMetadata
		certificates [][]byte
	}{
		{
			"Okta",
			`<?xml version="1.0" encoding="UTF-8"?><md:EntityDescriptor entityID="http://www.okta.com/exk1" xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` +
				`<md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
				keyDescriptor(` use="signing"`, base64Lines(one)) +
				`<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>` +
				fmt.Sprintf(ssoService, "POST", "https://acme.okta.com/app/x/exk1/sso/saml") +
				fmt.Sprintf(ssoService, "Redirect", "https://acme.okta.com/app/x/exk1/sso/saml") +
				`</md:IDPSSODescriptor></md:EntityDescriptor>`,
			IdPMetadata{EntityID: "http://www.okta.com/exk1", RedirectURL: "https://acme.okta.com/app/x/exk1/sso/saml", PostURL: "https://acme.okta.com/app/x/exk1/sso/saml"},
			[][]byte{one},
		},
		{
			"Entra ID, with its signature and its WS-Federation roles",
			"\ufeff" + `<?xml version="1.0" encoding="utf-8"?><EntityDescriptor ID="_1" entityID="https://sts.windows.net/9188040d/" xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` +
				`<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/><SignatureValue>x</SignatureValue><KeyInfo><X509Data><X509Certificate>` + flat2 + `</X509Certificate></X509Data></KeyInfo></Signature>` +
				`<RoleDescriptor xsi:type="fed:SecurityTokenServiceType" protocolSupportEnumeration="http://docs.oasis-open.org/wsfed/federation/200706" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706">` +
				`<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + flat2 + `</X509Certificate></X509Data></KeyInfo></KeyDescriptor></RoleDescriptor>` +
				`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + flat + `</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
				`<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://login.microsoftonline.com/9188040d/saml2" />` +
				`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://login.microsoftonline.com/9188040d/saml2" />` +
				`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://login.microsoftonline.com/9188040d/saml2" />` +
				`</IDPSSODescriptor></EntityDescriptor>`,
			IdPMetadata{EntityID: "https://sts.windows.net/9188040d/", RedirectURL: "https://login.microsoftonline.com/9188040d/saml2", PostURL: "https://login.microsoftonline.com/9188040d/saml2",
				Logout: []LogoutSite{{Binding: Redirect, URL: "https://login.microsoftonline.com/9188040d/saml2"}}},
			[][]byte{one},
		},
		{
			"Keycloak, inside an EntitiesDescriptor, wanting signed requests",
			`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:dsig="http://www.w3.org/2000/09/xmldsig#" Name="urn:keycloak">` +
				`<EntityDescriptor entityID="https://kc.example.com/realms/acme"><IDPSSODescriptor WantAuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
				`<KeyDescriptor use="signing"><dsig:KeyInfo><dsig:KeyName>k1</dsig:KeyName><dsig:X509Data><dsig:X509Certificate>` + flat + `</dsig:X509Certificate></dsig:X509Data></dsig:KeyInfo></KeyDescriptor>` +
				`<ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://kc.example.com/realms/acme/protocol/saml/resolve" index="0"/>` +
				`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://kc.example.com/realms/acme/protocol/saml"/>` +
				`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://kc.example.com/realms/acme/protocol/saml"/>` +
				`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://kc.example.com/realms/acme/protocol/saml"/>` +
				`</IDPSSODescriptor></EntityDescriptor></EntitiesDescriptor>`,
			IdPMetadata{EntityID: "https://kc.example.com/realms/acme", RedirectURL: "https://kc.example.com/realms/acme/protocol/saml", PostURL: "https://kc.example.com/realms/acme/protocol/saml", WantsSignedRequests: true},
			[][]byte{one},
		},
		{
			"SimpleSAMLphp, with a key to encrypt for and Redirect alone",
			`<?xml version="1.0"?>` + "\n" + described("http://localhost:8080/simplesaml/saml2/idp/metadata.php", ` xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`,
				keyDescriptor(` use="signing"`, flat)+keyDescriptor(` use="encryption"`, flat2),
				fmt.Sprintf(ssoService, "Redirect", "http://localhost:8080/simplesaml/saml2/idp/SSOService.php")),
			IdPMetadata{EntityID: "http://localhost:8080/simplesaml/saml2/idp/metadata.php", RedirectURL: "http://localhost:8080/simplesaml/saml2/idp/SSOService.php"},
			[][]byte{one},
		},
		{
			"Google, with an end years ahead and a query in its URL",
			`<?xml version="1.0" encoding="UTF-8" standalone="no"?>` + described("https://accounts.google.com/o/saml2?idpid=C01", ` validUntil="2031-01-01T00:00:00.000Z"`,
				keyDescriptor(` use="signing"`, base64Lines(one)),
				fmt.Sprintf(ssoService, "Redirect", "https://accounts.google.com/o/saml2/idp?idpid=C01&amp;x=1")+fmt.Sprintf(ssoService, "POST", "https://accounts.google.com/o/saml2/idp?idpid=C01&amp;x=1")),
			IdPMetadata{EntityID: "https://accounts.google.com/o/saml2?idpid=C01", RedirectURL: "https://accounts.google.com/o/saml2/idp?idpid=C01&x=1", PostURL: "https://accounts.google.com/o/saml2/idp?idpid=C01&x=1"},
			[][]byte{one},
		},
		{
			"AD FS, rolling its key over, pasted from a file in UTF-16, service provider beside it",
			`<?xml version="1.0" encoding="utf-16"?><EntityDescriptor ID="_2" entityID="http://adfs.example.com/adfs/services/trust" xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` +
				`<SPSSODescriptor WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://adfs.example.com/adfs/ls/" index="0" isDefault="true"/></SPSSODescriptor>` +
				`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
				strings.ReplaceAll(keyDescriptor(` use="encryption"`, flat2)+keyDescriptor(` use="signing"`, flat)+keyDescriptor(` use="signing"`, flat2), "md:", "") +
				strings.ReplaceAll(fmt.Sprintf(ssoService, "Redirect", "https://adfs.example.com/adfs/ls/")+fmt.Sprintf(ssoService, "POST", "https://adfs.example.com/adfs/ls/"), "md:", "") +
				`<Attribute Name="http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress" FriendlyName="E-Mail Address" xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/>` +
				`</IDPSSODescriptor><ContactPerson contactType="support"/></EntityDescriptor>`,
			IdPMetadata{EntityID: "http://adfs.example.com/adfs/services/trust", RedirectURL: "https://adfs.example.com/adfs/ls/", PostURL: "https://adfs.example.com/adfs/ls/"},
			[][]byte{one, two},
		},
		{
			"Shibboleth, with SAML 1.1 first and a key without a use",
			`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://shib.example.com/idp"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol"/>` +
				`<md:IDPSSODescriptor protocolSupportEnumeration="urn:mace:shibboleth:1.0 urn:oasis:names:tc:SAML:2.0:protocol">` + keyDescriptor("", flat) +
				fmt.Sprintf(ssoService, "POST", "https://shib.example.com/idp/profile/SAML2/POST/SSO") + `</md:IDPSSODescriptor></md:EntityDescriptor>`,
			IdPMetadata{EntityID: "https://shib.example.com/idp", PostURL: "https://shib.example.com/idp/profile/SAML2/POST/SSO"},
			[][]byte{one},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseIdPMetadata([]byte(test.text), "", moment)
			if err != nil {
				t.Fatal(err)
			}
			var certificates [][]byte
			for _, c := range got.Certificates {
				certificates = append(certificates, c.Raw)
			}
			got.Certificates = nil
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.certificates, certificates); diff != "" {
				t.Errorf("certificates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseIdPMetadataRefuses(t *testing.T) {
	key := keyDescriptor(` use="signing"`, base64.StdEncoding.EncodeToString(certify(t, "one", idpRSAKey(t, 2048), 1)))
	site := fmt.Sprintf(ssoService, "Redirect", "https://idp.example.com/sso")
	good := described("urn:idp", "", key, site)
	group := func(attributes, inside string) string {
		return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"` + attributes + `>` + inside + `</md:EntitiesDescriptor>`
	}
	nested := strings.Repeat(`<md:Extensions xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">`, 70)
	var keys strings.Builder
	for n := range mostCertificates + 1 {
		keys.WriteString(keyDescriptor("", base64.StdEncoding.EncodeToString(certify(t, "many", idpECKey(t, elliptic.P256()), int64(n+1)))))
	}
	for _, test := range []struct {
		name, text, says string
	}{
		{"nothing", "", "nothing here"},
		{"a word", "hello", "not XML"},
		{"a word after an element", "<x/>hello", "text beside the XML"},
		{"an address", "https://idp.example.com/metadata", "an address"},
		{"a certificate", "-----BEGIN CERTIFICATE-----\nMIIB", "a certificate"},
		{"a comment", "<!-- metadata -->", "not one XML document"},
		{"a response", `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>`, "begins with Response of the namespace urn:oasis:names:tc:SAML:2.0:protocol"},
		{"JSON", `{"issuer":"https://idp.example.com"}`, "JSON"},
		{"a page", "<html><body>Log in</body></html>", "a web page"},
		{"a page with a DOCTYPE", "<!DOCTYPE html><html></html>", "a web page"},
		{"XML that does not end", good[:len(good)-5], "at line 1: it is not well-formed"},
		{"a second root", good + good, "not one XML document, but 2"},
		{"text after the root", good + "x", "text beside the XML"},
		{"a DOCTYPE", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + good, "no DOCTYPE"},
		{"an entity", strings.Replace(good, "urn:idp", "&e;", 1), "not well-formed"},
		{"invalid UTF-8", strings.Replace(good, "urn:idp", "urn:\xff", 1), "not well-formed"},
		{"a NUL", strings.Replace(good, "urn:idp", "urn:\x00", 1), "not well-formed"},
		{"too many bytes", good + strings.Repeat(" ", MostMetadata), "256 KiB"},
		{"too deep", nested + strings.Repeat("</md:Extensions>", 70), "too large"},
		{"too many elements", group("", strings.Repeat("<md:X/>", mostMetadataElements)), "too large"},
		{"another namespace", strings.ReplaceAll(good, "SAML:2.0:metadata", "SAML:2.0:metadatas"), "begins with EntityDescriptor"},
		{"an empty group", group("", ""), "no EntityDescriptor"},
		{"a service provider", `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="sp"><SPSSODescriptor/></EntityDescriptor>`, "metadata of a service provider, sp:"},
		{"two identity providers", group("", described("urn:one", "", key, site)+described("urn:two", "", key, site)), "urn:one, urn:two"},
		{"SAML 1.1 alone", strings.Replace(good, "SAML:2.0:protocol", "SAML:1.1:protocol", 1), "SAML 2.0"},
		{"an end in the past", described("urn:idp", ` validUntil="2026-03-04T05:06:07Z"`, key, site), "valid until 2026-03-04T05:06:07Z"},
		{"an end in the past without a zone", described("urn:idp", ` validUntil="2020-01-01T00:00:00"`, key, site), "valid until 2020"},
		{"a group whose end is past", group(` validUntil="2020-01-01T00:00:00Z"`, good), "valid until 2020"},
		{"an end that is no time", described("urn:idp", ` validUntil="soon"`, key, site), "not a time: soon"},
		{"no entity id", described("", "", key, site), "no entityID"},
		{"an entity id that is too long", described(strings.Repeat("x", 2049), "", key, site), "2048"},
		{"no certificate", described("urn:idp", "", "", site), "no certificate"},
		{"a certificate for encryption alone", described("urn:idp", "", strings.Replace(key, "signing", "encryption", 1), site), "no certificate"},
		{"a damaged certificate", described("urn:idp", "", keyDescriptor("", "MIIB"), site), "damaged"},
		{"more certificates than are tried", described("urn:idp", "", keys.String(), site), "more than 10"},
		{"no URL", described("urn:idp", "", key, ""), "no SingleSignOnService"},
		{"a URL for artifacts alone", described("urn:idp", "", key, fmt.Sprintf(ssoService, "Artifact", "https://idp.example.com/")), "no SingleSignOnService"},
		{"a script", described("urn:idp", "", key, fmt.Sprintf(ssoService, "Redirect", "javascript:alert(1)")), "cannot be used"},
		{"a script for the other binding", described("urn:idp", "", key, site+fmt.Sprintf(ssoService, "POST", "javascript:alert(1)")), "cannot be used"},
		{"plain http", described("urn:idp", "", key, fmt.Sprintf(ssoService, "Redirect", "http://idp.example.com/")), "https://"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseIdPMetadata([]byte(test.text), "", moment)
			wantFault(t, err, fault.Invalid, "saml_idp_metadata")
			if got := fault.Of(err).Message; !strings.Contains(got, test.says) {
				t.Errorf("got %q, want it to say %q", got, test.says)
			}
		})
	}
	if _, err := ParseIdPMetadata([]byte(group(` validUntil="2030-01-01T00:00:00Z"`, good)), "", moment); err != nil {
		t.Errorf("got %v for what the others deviate from, want none", err)
	}
}

func TestMetadataStandsForTheSingleFields(t *testing.T) {
	der := certify(t, "one", idpRSAKey(t, 2048), 1)
	text := described("urn:idp", "", keyDescriptor("", base64.StdEncoding.EncodeToString(der)),
		fmt.Sprintf(ssoService, "Redirect", "https://idp.example.com/r")+fmt.Sprintf(ssoService, "POST", "https://idp.example.com/p"))
	for _, test := range []struct {
		name    string
		change  Change
		field   string // empty: taken
		url     string
		binding Binding
	}{
		{"alone", Change{}, "", "https://idp.example.com/r", Redirect},
		{"with the other binding", Change{Binding: new("post")}, "", "https://idp.example.com/p", Post},
		{"with fields that agree", Change{EntityID: new("urn:idp"), SSOURL: new("https://idp.example.com/r"), Certificates: new(armour(der))}, "", "https://idp.example.com/r", Redirect},
		{"with empty fields", Change{EntityID: new(""), SSOURL: new(""), Certificates: new("")}, "", "https://idp.example.com/r", Redirect},
		{"with another entity id", Change{EntityID: new("urn:other")}, "saml_entity_id", "", ""},
		{"with another URL", Change{SSOURL: new("https://idp.example.com/p")}, "saml_idp_url", "", ""},
		{"with another certificate", Change{Certificates: new(armour(certify(t, "two", idpRSAKey(t, 2048), 2)))}, "saml_certificate", "", ""},
		{"with a certificate more", Change{Certificates: new(armour(der) + armour(certify(t, "two", idpRSAKey(t, 2048), 2)))}, "saml_certificate", "", ""},
		{"with no binding that exists", Change{Binding: new("soap")}, "saml_request_binding", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, _ := newIdPs()
			c := test.change
			c.Name, c.Metadata = new("IdP"), &text
			i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: c})
			if test.field != "" {
				wantFault(t, err, fault.Invalid, test.field)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !i.Admits() || i.EntityID != "urn:idp" || i.SSOURL != test.url || i.Binding != test.binding {
				t.Errorf("got admits %t, entity %s, %s by %s, want urn:idp, %s by %s", i.Admits(), i.EntityID, i.SSOURL, i.Binding, test.url, test.binding)
			}
			again, err := ParseCertificates(i.CertificatePEM)
			if err != nil || len(again) != 1 || !again[0].Equal(i.Certificates[0]) {
				t.Errorf("got %d certificates from what is stored (%v), want the one", len(again), err)
			}
		})
	}
}

func TestMetadataWithoutTheWantedBinding(t *testing.T) {
	s, _ := newIdPs()
	text := described("urn:idp", "", keyDescriptor("", base64.StdEncoding.EncodeToString(certify(t, "one", idpRSAKey(t, 2048), 1))),
		fmt.Sprintf(ssoService, "Redirect", "https://idp.example.com/r"))
	_, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: Change{Name: new("IdP"), Metadata: &text, Binding: new("post")}})
	wantFault(t, err, fault.Invalid, "saml_request_binding")
}

func TestMetadataThatWantsSignedRequestsGetsThem(t *testing.T) {
	text := strings.Replace(described("urn:idp", "", keyDescriptor("", base64.StdEncoding.EncodeToString(certify(t, "one", idpRSAKey(t, 2048), 1))),
		fmt.Sprintf(ssoService, "Redirect", "https://idp.example.com/r")), "<md:IDPSSODescriptor", `<md:IDPSSODescriptor WantAuthnRequestsSigned="1"`, 1)
	for _, test := range []struct {
		name string
		said *bool
		want bool
	}{{"nothing said", nil, true}, {"said no", new(false), false}} {
		s, _ := newIdPs()
		i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: Change{Name: new("IdP"), Metadata: &text, SignRequests: test.said}})
		if err != nil {
			t.Fatal(err)
		}
		if i.SignRequests != test.want {
			t.Errorf("%s: got requests signed %t, want %t", test.name, i.SignRequests, test.want)
		}
	}
}

// What may be pasted is bounded in what it costs, whatever it is.
func FuzzParseIdPMetadata(f *testing.F) {
	f.Add([]byte(described("urn:idp", "", "", fmt.Sprintf(ssoService, "Redirect", "https://idp.example.com/r"))))
	f.Add([]byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="x"/>`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseIdPMetadata(text, "", moment.Add(time.Hour))
		if err != nil {
			if k := fault.Of(err).Kind; k != fault.Invalid {
				t.Errorf("got %s (%v), want invalid", k, err)
			}
			return
		}
		address, _ := m.SSO("")
		if _, err := parseSSOURL(address); err != nil || m.EntityID == "" || len(m.Certificates) == 0 {
			t.Errorf("got %+v, want it complete", m)
		}
	})
}
