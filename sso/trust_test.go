package sso

import (
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/fault"
)

func TestParseCertificates(t *testing.T) {
	one := certify(t, "one", idpRSAKey(t, 2048), 1)
	two := certify(t, "two", idpRSAKey(t, 2048), 2)
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	var eleven strings.Builder
	for n := range 11 {
		eleven.WriteString(armour(certify(t, "ca", idpECKey(t, elliptic.P256()), int64(n+1))))
	}
	damaged := strings.Replace(armour(one), "\n", "\n!!!!", 1)
	for _, test := range []struct {
		name string
		text string
		want int // certificates; -1: refused
	}{
		{"nothing", "", 0},
		{"blanks", " \r\n\t", 0},
		{"one", armour(one), 1},
		{"two", armour(one) + armour(two), 2},
		{"the same twice", armour(one) + armour(one), 1},
		{"with Windows line ends", strings.ReplaceAll(armour(one), "\n", "\r\n"), 1},
		{"with the line breaks lost", strings.ReplaceAll(armour(one), "\n", " "), 1},
		{"with text about it", "Bag Attributes\n  friendlyName: idp\n" + armour(one) + "end\n", 1},
		{"base64 without armour", base64.StdEncoding.EncodeToString(one), 1},
		{"base64 in lines", base64Lines(one), 1},
		{"P-256", armour(certify(t, "ec", idpECKey(t, elliptic.P256()), 1)), 1},
		{"P-384", armour(certify(t, "ec", idpECKey(t, elliptic.P384()), 1)), 1},
		{"P-521", armour(certify(t, "ec", idpECKey(t, elliptic.P521()), 1)), 1},
		{"1024 bits, for those who allow it", armour(certify(t, "small", idpRSAKey(t, 1024), 1)), 1},

		{"P-224", armour(certify(t, "ec", idpECKey(t, elliptic.P224()), 1)), -1},
		{"Ed25519", armour(certify(t, "ed", edKey, 1)), -1},
		{"a private key", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{1}})), -1},
		{"a private key beside a certificate", armour(one) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}})), -1},
		{"a public key", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}})), -1},
		{"a damaged block before a good one", damaged + armour(two), -1},
		{"a block that does not end", armour(one) + "-----BEGIN CERTIFICATE-----\nMIIB", -1},
		{"a block cut short", armour(one[:200]), -1},
		{"a certificate with more behind it", armour(append(one[:len(one):len(one)], 0)), -1},
		{"a word", "certificate", -1},
		{"a NUL", armour(one) + "\x00", -1},
		{"invalid UTF-8", armour(one) + "\xff", -1},
		{"eleven", eleven.String(), -1},
		{"too many bytes", armour(one) + strings.Repeat("\n", mostCertificateLen), -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseCertificates(test.text)
			if test.want < 0 {
				wantFault(t, err, fault.Invalid, "saml_certificate")
				return
			}
			if err != nil || len(got) != test.want {
				t.Errorf("got %d certificates and %v, want %d", len(got), err, test.want)
			}
		})
	}
}

func TestParseCertificatesDoesNotRepeatAPrivateKey(t *testing.T) {
	_, err := ParseCertificates("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----")
	if strings.Contains(err.Error(), "c2VjcmV0") {
		t.Errorf("got %v, which holds the key", err)
	}
}

func TestCertificateInfos(t *testing.T) {
	list, err := ParseCertificates(idpCertificate(t))
	if err != nil {
		t.Fatal(err)
	}
	got := (&IdP{Certificates: list}).CertificateInfos()
	want := []CertificateInfo{{
		Issuer: "CN=idp.example.com,O=Example", Subject: "CN=idp.example.com,O=Example",
		Fingerprint: strings.ToLower(fingerprint(list[0].Raw)),
		NotBefore:   moment.Add(-time.Hour), NotAfter: moment.Add(time.Hour),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("certificate (-want +got):\n%s", diff)
	}
}

func TestParseSSOURL(t *testing.T) {
	for _, test := range []struct {
		address string
		ok      bool
	}{
		{"https://idp.example.com/sso", true},
		{"https://idp.example.com", true},
		{"HTTPS://IDP.example.com/sso", true},
		{"https://idp.example.com:8443/sso?tenant=a%20b&x=1", true},
		{"https://accounts.google.com/o/saml2/idp?idpid=C01abcdef", true},
		{"https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/saml2", true},
		{"https://[2001:db8::1]/sso", true},
		{"http://localhost:8081/sso", true},
		{"http://idp.localhost/sso", true},
		{"http://127.0.0.1:8081/sso", true},
		{"http://[::1]:8081/sso", true},

		{"http://idp.example.com/sso", false},
		{"http://localhost.example.com/sso", false},
		{"http://127.0.0.1.example.com/sso", false},
		{"http://0x7f.1/sso", false},
		{"javascript:alert(1)", false},
		{"javascript://idp.example.com/%0aalert(1)", false},
		{"data:text/html,x", false},
		{"file:///etc/passwd", false},
		{"//idp.example.com/sso", false},
		{"/sso", false},
		{"idp.example.com/sso", false},
		{"https:///sso", false},
		{"https://:443/sso", false},
		{"https:idp.example.com", false},
		{"https://user@idp.example.com/", false},
		{"https://user:secret@idp.example.com/", false},
		{"https://idp.example.com/sso#top", false},
		{"https://idp.example.com/sso#", false},
		{"https://idp.example.com/s so", false},
		{"https://idp.example.com/\r\nX: y", false},
		{"https://idp.example.com/\\evil", false},
		{"https://idp.example.com/\"><script>", false},
		{"https://ｉdp.example.com/", false},
		{"https://idp.example.com;script-src/", false},
		{"https://*.example.com/", false},
		{"https://a,b/", false},
		{"https://idp.example.com/?SAMLRequest=x", false},
		{"https://idp.example.com/?a=1&RelayState=x", false},
		{"https://idp.example.com/?Sig%4Elg=x&SigAl%67=y", false},
		{"https://idp.example.com/?a=%zz", false},
		{"https://idp.example.com/?a;b", false},
		{"https://idp.example.com:port/", false},
		{"https://idp.example.com/" + strings.Repeat("x", 2024), true},
		{"https://idp.example.com/" + strings.Repeat("x", 2025), false},
	} {
		t.Run(fmt.Sprintf("%.60q", test.address), func(t *testing.T) {
			_, err := parseSSOURL(test.address)
			if test.ok && err != nil {
				t.Errorf("got %v, want it taken", err)
			}
			if !test.ok {
				wantFault(t, err, fault.Invalid, "saml_idp_url")
			}
		})
	}
}
