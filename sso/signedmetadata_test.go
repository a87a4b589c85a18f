package sso_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/sso"
	"gatehouse/store/storetest"
)

func TestMetadataHasToBeSignedWhereACertificateIsSet(t *testing.T) {
	idp, federation, evil := newSigner(t, "idp", 1000*time.Hour), newSigner(t, "federation", -30*time.Minute), newSigner(t, "evil", 1000*time.Hour)
	plain := describes(entity, "https://idp.example.com/sso", idp)
	poisoned := describes(entity, "https://evil.example.com/sso", evil)
	good := federation.signed(t, plain)
	group := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_g">` + strings.Replace(plain, ` ID="_1"`, "", 1) + `</md:EntitiesDescriptor>`
	signature := good[strings.Index(good, "<ds:Signature"):strings.Index(good, "</ds:Signature>")] + "</ds:Signature>"
	keyInfo := strings.LastIndex(good, "<ds:X509Data>")
	for _, c := range []struct{ name, page, code string }{
		{"signed, by a certificate that has ended", good, ""},
		{"a group, signed", federation.signed(t, group), ""},
		{"with a declaration and blanks around", `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + good + "\n", ""},
		{"not signed", plain, "metadata_not_signed"},
		{"signed by another", evil.signed(t, plain), "metadata_signature_invalid"},
		{"changed after it was signed", strings.Replace(good, "https://idp.example.com/sso", "https://evil.example.com/sso", 1), "metadata_signature_invalid"},
		{"another signed one inside", strings.Replace(poisoned, "</md:EntityDescriptor>", "<md:Extensions>"+good+"</md:Extensions></md:EntityDescriptor>", 1), "metadata_not_usable"},
		{"its signature on another document", strings.Replace(poisoned, "<md:IDPSSODescriptor", signature+"<md:IDPSSODescriptor", 1), "metadata_signature_invalid"},
		{"the signed one in the signature of another", strings.Replace(poisoned, "<md:IDPSSODescriptor", strings.Replace(signature, "<ds:KeyInfo>", "<ds:Object>"+good+"</ds:Object><ds:KeyInfo>", 1)+"<md:IDPSSODescriptor", 1), "metadata_signature_invalid"},
		{"a comment", strings.Replace(good, "<md:IDPSSODescriptor", "<!-- x --><md:IDPSSODescriptor", 1), "metadata_signature_invalid"},
		{"an entity", `<!DOCTYPE x [<!ENTITY e "x">]>` + good, "metadata_signature_invalid"},
		{"without an ID", federation.signed(t, strings.Replace(plain, ` ID="_1"`, "", 1)), "metadata_signature_invalid"},
		{"no metadata", federation.signed(t, `<x ID="_1"/>`), "metadata_signature_invalid"},
		{"another in KeyInfo, which is not signed and not read", good[:keyInfo] + strings.Replace(poisoned, "_1", "_2", 1) + good[keyInfo:], ""},
		{"another with the same ID in KeyInfo", good[:keyInfo] + poisoned + good[keyInfo:], "metadata_signature_invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.site.pages[where] = c.page
			i, err := w.idps.Create(t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: sso.Change{
				Name: new("Okta"), IdPMetadataURL: new(where), MetadataCertificate: new(federation.pem()),
			}})
			if c.code == "" {
				w.do(err)
				same(t, []string{i.EntityID, i.SSOURL, i.CertificatePEM}, []string{entity, "https://idp.example.com/sso", idp.pem()})
				return
			}
			if c.code == "metadata_not_usable" {
				c.code = fault.Of(err).Code // whichever of the two says it
			}
			refused(t, err, fault.Invalid, c.code)
		})
	}
}

func TestASignatureIsHeldAgainstTheCertificateFromThenOn(t *testing.T) {
	w, idp, federation := newWorld(t), newSigner(t, "idp", 1000*time.Hour), newSigner(t, "federation", 1000*time.Hour)
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", idp)
	i := w.fetched(sso.Change{MetadataUpdates: new("apply")})
	_, err := w.idps.Update(t.Context(), w.ada, w.acme, i.ID, sso.Change{MetadataCertificate: new(federation.pem())})
	refused(t, err, fault.Invalid, "metadata_not_signed")
	w.site.pages[where] = federation.signed(t, w.site.pages[where])
	_, err = w.idps.Update(t.Context(), w.ada, w.acme, i.ID, sso.Change{MetadataCertificate: new(federation.pem())})
	w.do(err)
	w.site.pages[where] = describes(entity, "https://evil.example.com/sso", newSigner(t, "evil", time.Hour))
	w.later(25 * time.Hour)
	after, r := w.is(i.ID)
	same(t, []any{after.CertificatePEM, after.SSOURL, r.FailureCode}, []any{idp.pem(), "https://idp.example.com/sso", "metadata_not_signed"})
}

func TestASignatureThatNothingIsHeldAgainstCountsForNothing(t *testing.T) {
	w, idp, evil := newWorld(t), newSigner(t, "idp", 1000*time.Hour), newSigner(t, "evil", 1000*time.Hour)
	w.site.pages[where] = strings.Replace(evil.signed(t, describes(entity, "https://idp.example.com/sso", idp)), "idp.example.com/sso", "idp.example.com/other", 1)
	i := w.fetched(sso.Change{})
	same(t, []string{i.SSOURL, i.CertificatePEM}, []string{"https://idp.example.com/other", idp.pem()})
}

// Whatever is made of signed metadata: if it is believed, it says what was
// signed.
func FuzzSignedMetadata(f *testing.F) {
	// Each worker is a process: they need to have one key.
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	idp, federation := certified(f, key, "idp", 1000*time.Hour), certified(f, key, "federation", 1000*time.Hour)
	good := federation.signed(f, describes(entity, "https://idp.example.com/sso", idp))
	for _, seed := range []string{good, strings.Replace(good, "idp.example.com/sso", "evil.example.com/sso", 1), strings.Replace(good, "<md:IDPSSODescriptor", "<!-- x --><md:IDPSSODescriptor", 1), good[:len(good)/2], ""} {
		f.Add(seed)
	}
	want, err := sso.ParseSignedMetadata([]byte(good), federation.pem(), storetest.Then)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := sso.ParseSignedMetadata([]byte(text), federation.pem(), storetest.Then)
		if err != nil {
			return
		}
		if got.EntityID != want.EntityID || got.RedirectURL != want.RedirectURL || got.PostURL != want.PostURL ||
			!slices.EqualFunc(got.Certificates, want.Certificates, func(a, _ *x509.Certificate) bool { return key.PublicKey.Equal(a.PublicKey) }) || len(got.Logout) != 0 {
			t.Errorf("got %+v, want what was signed: %+v", got, want)
		}
	})
}
