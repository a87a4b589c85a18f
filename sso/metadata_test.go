package sso

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"testing"
	"time"

	"github.com/crewjam/saml"
	"github.com/google/go-cmp/cmp"
)

// asCrewjamReads gives our metadata as another implementation understands it.
func asCrewjamReads(t *testing.T, text []byte) saml.EntityDescriptor {
	t.Helper()
	var out saml.EntityDescriptor
	if err := xml.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMetadataSaysWhatTheSettingsSay(t *testing.T) {
	for _, test := range []struct {
		name         string
		sign, signed bool
	}{
		{"nothing signed", false, false},
		{"requests signed", true, false},
		{"signed assertions wanted", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, i := requestIdP(t, func(i *IdP) { i.SignRequests, i.WantAssertionSigned = test.sign, test.signed })
			text, err := p.Metadata(i)
			if err != nil {
				t.Fatal(err)
			}
			got := asCrewjamReads(t, text)
			if got.EntityID != i.MetadataURL() || !got.ValidUntil.IsZero() || len(got.SPSSODescriptors) != 1 {
				t.Fatalf("got entity %s until %s with %d roles, want %s without end, 1", got.EntityID, got.ValidUntil, len(got.SPSSODescriptors), i.MetadataURL())
			}
			role := got.SPSSODescriptors[0]
			if *role.AuthnRequestsSigned != test.sign || *role.WantAssertionsSigned != test.signed {
				t.Errorf("got %t and %t, want %t and %t", *role.AuthnRequestsSigned, *role.WantAssertionsSigned, test.sign, test.signed)
			}
			var uses []string
			for _, k := range role.KeyDescriptors {
				uses = append(uses, k.Use)
				der, err := base64.StdEncoding.DecodeString(k.KeyInfo.X509Data.X509Certificates[0].Data)
				if err != nil || !bytes.Equal(der, i.SPCertificate) {
					t.Errorf("got another certificate for %s (%v)", k.Use, err)
				}
			}
			if diff := cmp.Diff([]string{"signing", "encryption"}, uses); diff != "" {
				t.Errorf("uses of keys (-want +got):\n%s", diff)
			}
			if m := role.KeyDescriptors[1].EncryptionMethods; len(m) != 8 || m[0].Algorithm != "http://www.w3.org/2009/xmlenc11#aes256-gcm" {
				t.Errorf("got the methods %+v, want 8, AES-256-GCM first", m)
			}
			if len(role.AssertionConsumerServices) != 1 {
				t.Fatalf("got %d ACS, want 1", len(role.AssertionConsumerServices))
			}
			acs := role.AssertionConsumerServices[0]
			if acs.Location != i.ACSURL() || acs.Binding != postBinding || acs.Index != 0 || acs.IsDefault == nil || !*acs.IsDefault {
				t.Errorf("got ACS %+v, want %s by POST, index 0, the default", acs, i.ACSURL())
			}
			if len(role.SingleLogoutServices) != 3 || role.SingleLogoutServices[2].Location != i.SLOURL() || len(role.NameIDFormats) != 3 {
				t.Errorf("got %d logout services and %d formats, want 3, at our logout URL, and 3", len(role.SingleLogoutServices), len(role.NameIDFormats))
			}
		})
	}
}

// The next keys stand in it before they are used, between the present ones:
// some identity providers keep the first alone, and some the last. Of an ECDSA
// key comes the RSA key to encrypt to.
func TestMetadataHasTheNextKeysBetweenThePresent(t *testing.T) {
	p, i := requestIdP(t, nil)
	i.NextKeys.Certificates, i.NextKeys.Sealed = makeKeys(t, p.Keys, i.ID, ECDSAP256)
	i.PreviousKeys.Certificates, i.PreviousKeys.Sealed = makeKeys(t, p.Keys, i.ID, RSA3072)
	i.PreviousUntil = moment.Add(time.Hour)
	text, err := p.Metadata(i)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range asCrewjamReads(t, text).SPSSODescriptors[0].KeyDescriptors {
		der, err := base64.StdEncoding.DecodeString(k.KeyInfo.X509Data.X509Certificates[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %x %d", k.Use, typeOf(certificate), certificate.SerialNumber, len(k.EncryptionMethods)))
	}
	var want []string
	for _, c := range i.SPCertificates(moment)[:3] {
		certificate, err := x509.ParseCertificate(c.DER)
		if err != nil {
			t.Fatal(err)
		}
		if c.Signs {
			want = append(want, fmt.Sprintf("signing %s %x 0", c.Type, certificate.SerialNumber))
		}
		if c.Encrypts {
			want = append(want, fmt.Sprintf("encryption %s %x 8", c.Type, certificate.SerialNumber))
		}
	}
	if len(want) != 4 {
		t.Fatalf("got the certificates %v, want two uses of two", want)
	}
	want = append(want, want[:2]...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestMetadataIsTheSameEachTime(t *testing.T) {
	p, i := requestIdP(t, nil)
	one, err := p.Metadata(i)
	if err != nil {
		t.Fatal(err)
	}
	i.Name, i.Enabled, i.State = "renamed", false, Pending
	two, err := p.Metadata(i)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(one), string(two)); diff != "" {
		t.Errorf("metadata changed with what it does not say:\n%s", diff)
	}
}

func TestMetadataEscapesWhatItWrites(t *testing.T) {
	p, i := requestIdP(t, func(i *IdP) { i.Base = `https://sso.example.com/a"b<c&d` })
	text, err := p.Metadata(i)
	if err != nil {
		t.Fatal(err)
	}
	got := asCrewjamReads(t, text)
	if got.EntityID != i.MetadataURL() {
		t.Errorf("got entity %s, want %s", got.EntityID, i.MetadataURL())
	}
}

func TestMetadataNeedsACertificate(t *testing.T) {
	if _, err := (&Provider{}).Metadata(&IdP{ID: "am1"}); err == nil {
		t.Error("got metadata without a certificate, want an error")
	}
}
