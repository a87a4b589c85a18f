package sso

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/audit"
)

// Whatever can be set of an identity provider shows in the log when it
// changes: also what is added to Settings later.
func TestEverySettingThatChangesIsInTheLog(t *testing.T) {
	before := &IdP{ID: "am1", OrganizationID: "org1"}
	before.Certificates, _ = ParseCertificates(idpCertificate(t))
	settings := reflect.TypeFor[Settings]()
	for n := range settings.NumField() {
		field := settings.Field(n)
		after := *before
		value := reflect.ValueOf(&after.Settings).Elem().Field(n)
		switch value.Kind() {
		case reflect.Bool:
			value.SetBool(true)
		case reflect.String:
			value.SetString("other")
		case reflect.Int64:
			value.SetInt(int64(time.Hour))
		case reflect.Struct:
			for m := range value.NumField() {
				value.Field(m).SetString("other")
			}
		default:
			t.Fatalf("%s is a %s, which this test has no other value for", field.Name, value.Kind())
		}
		want := 2
		if field.Name == "CertificatePEM" {
			after.Certificates = nil // parsed from it, and named by fingerprint
		}
		if field.Name == "MetadataCertificatePEM" {
			after.MetadataCertificatePEM = idpCertificate(t)
		}
		if field.Name == "Mapping" {
			want = 2 * value.NumField()
		}
		events := changes(admin, before, &after)
		if len(events) != 1 || events[0].Action != audit.IdPUpdate || len(events[0].Details) != want {
			t.Errorf("%s: got %+v, want one update with %d details", field.Name, events, want)
		}
	}
}

func TestNoKeyAndNoCertificateIsInTheLog(t *testing.T) {
	s, store := newIdPs()
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: configured(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), admin, acme, i.ID, Change{Certificates: new(armour(certify(t, "idp.example.com", idpRSAKey(t, 2048), 2)))}); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), admin, acme, i.ID, Ending{}); err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, e := range store.events {
		actions = append(actions, e.Action)
		for name, value := range e.Details {
			if strings.Contains(value, "CERTIFICATE") || strings.Contains(value, "PRIVATE") || len(value) > 100 {
				t.Errorf("%s: got %s: %q, want no more than a fingerprint", e.Action, name, value)
			}
		}
	}
	if got, want := strings.Join(actions, " "), "idp.create idp.update idp.delete"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := store.events[1].Details["saml_certificate.after"]; !strings.HasPrefix(got, "sha256 ") {
		t.Errorf("got the certificate as %q, want its fingerprint", got)
	}
}
