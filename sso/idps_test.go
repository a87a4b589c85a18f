package sso

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/internal/seal"
)

func TestCreateWithNameAndTypeAloneIsPending(t *testing.T) {
	s, store := newIdPs()
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: Change{Name: new("  Okta ")}})
	if err != nil {
		t.Fatal(err)
	}
	got := *i
	got.SPCertificate, got.SPKey = nil, nil
	want := IdP{
		ID: "am1", OrganizationID: "org1", AccountID: "a1", Name: "Okta", State: Pending, Base: "https://sso.example.com",
		Settings:  Settings{Binding: Redirect, SLOBinding: Redirect, IdPLoginMode: Bounce, DigestAlgorithm: "sha256", SignatureAlgorithm: "rsa-sha256", MetadataUpdates: HoldUpdates},
		CreatedAt: moment, UpdatedAt: moment,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("new IdP (-want +got):\n%s", diff)
	}
	if got, want := i.MetadataURL(), "https://sso.example.com/v1/sso/saml/metadata/am1"; got != want {
		t.Errorf("got metadata URL %s, want %s", got, want)
	}
	if got, want := i.ACSURL(), "https://sso.example.com/v1/sso/saml/acs/am1"; got != want {
		t.Errorf("got ACS URL %s, want %s", got, want)
	}
	if i.Admits() {
		t.Error("a pending IdP admits people")
	}
	if diff := cmp.Diff(*i, store.idps["am1"]); diff != "" {
		t.Errorf("stored IdP (-returned +stored):\n%s", diff)
	}
}

func TestCreateMakesAKeyOfItsOwn(t *testing.T) {
	s, _ := newIdPs()
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: Change{Name: new("Okta")}})
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(i.SPCertificate)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := (&Provider{Keys: s.Keys}).openKeys(i.ID, i.present())
	if err != nil {
		t.Fatal(err)
	}
	key := keys.decrypts
	if keys.signs != key {
		t.Error("got two keys, want one that signs and decrypts")
	}
	if !key.PublicKey.Equal(certificate.PublicKey) || key.N.BitLen() != 2048 {
		t.Errorf("got an RSA key of %d bits that is not the certificate's, or too small", key.N.BitLen())
	}
	if err := certificate.CheckSignatureFrom(certificate); err == nil {
		t.Error("the certificate may issue others")
	}
	if certificate.NotAfter.Before(moment.Add(9 * 365 * 24 * time.Hour)) {
		t.Errorf("got a certificate until %s, want about ten years", certificate.NotAfter)
	}
	moved := *i
	moved.ID = "am2"
	if _, err := (&Provider{Keys: s.Keys}).openKeys(moved.ID, moved.present()); !errors.Is(err, seal.ErrKey) {
		t.Errorf("got %v for a key in another IdP's place, want seal.ErrKey", err)
	}
}

func TestCreateCompleteIsActive(t *testing.T) {
	for _, test := range []struct {
		name    string
		enabled *bool
		want    bool
	}{
		{"unless asked otherwise, enabled", nil, true},
		{"asked to be enabled", new(true), true},
		{"asked to be disabled", new(false), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, _ := newIdPs()
			c := configured(t)
			c.Enabled = test.enabled
			i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: c})
			if err != nil {
				t.Fatal(err)
			}
			if i.State != Active || i.Enabled != test.want || i.Admits() != test.want || len(i.Certificates) != 1 {
				t.Errorf("got %s, enabled %t, %d certificates, want active, %t, 1", i.State, i.Enabled, len(i.Certificates), test.want)
			}
		})
	}
}

func TestCreateRefusesOtherTypes(t *testing.T) {
	for _, kind := range []string{"", "internal", "SAML", "oidc"} {
		s, _ := newIdPs()
		_, err := s.Create(t.Context(), admin, acme, New{Type: kind, Change: configured(t)})
		wantFault(t, err, fault.Invalid, "authentication_method_type")
	}
}

func TestCreateNeedsAName(t *testing.T) {
	s, _ := newIdPs()
	_, err := s.Create(t.Context(), admin, acme, New{Type: "saml"})
	wantFault(t, err, fault.Invalid, "authentication_method_name")
}

func TestCreateStopsAtTheLimit(t *testing.T) {
	s, store := newIdPs()
	for n := range mostIdPs {
		id := fmt.Sprintf("amx%d", n)
		store.idps[id] = IdP{ID: id, OrganizationID: acme.ID, AccountID: acme.AccountID}
	}
	_, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: Change{Name: new("Okta")}})
	wantFault(t, err, fault.Denied, "")
	if got, want := fault.Of(err).Code, "authentication_method_limit_reached"; got != want {
		t.Errorf("got code %s, want %s", got, want)
	}
	gone := store.idps["amx0"]
	gone.State = Deleted
	store.idps["amx0"] = gone
	if _, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: Change{Name: new("Okta")}}); err != nil {
		t.Errorf("got %v after one was deleted, want none", err)
	}
}

func TestUpdateCompletesAPendingMethod(t *testing.T) {
	s, _ := newIdPs()
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: Change{Name: new("Okta"), SSOURL: new("https://idp.example.com/sso")}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Update(t.Context(), admin, acme, i.ID, Change{Enabled: new(true)})
	wantFault(t, err, fault.Conflict, "authentication_method_enabled")
	if got, want := fault.Of(err).Message, "Before it can be enabled, the authentication method needs saml_entity_id, saml_certificate."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Base = "https://moved.example.com"
	s.Now = func() time.Time { return moment.Add(time.Hour) }
	got, err := s.Update(t.Context(), admin, acme, i.ID, Change{EntityID: new("urn:idp"), Certificates: new(idpCertificate(t))})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Admits() || got.SSOURL != "https://idp.example.com/sso" || got.EntityID != "urn:idp" {
		t.Errorf("got admits %t, URL %s, entity %s, want what was said before and now", got.Admits(), got.SSOURL, got.EntityID)
	}
	if got.MetadataURL() != i.MetadataURL() || got.ACSURL() != i.ACSURL() || string(got.SPKey) != string(i.SPKey) {
		t.Error("its URLs or its key changed")
	}
	if !got.UpdatedAt.Equal(moment.Add(time.Hour)) || !got.CreatedAt.Equal(moment) {
		t.Errorf("got created %s and updated %s, want an hour between", got.CreatedAt, got.UpdatedAt)
	}
}

func TestUpdateLeavesTheRest(t *testing.T) {
	s, _ := newIdPs()
	c := configured(t)
	c.Mapping = &Mapping{Email: "mail"}
	c.TokenMaxAge = new(300)
	c.SignRequests = new(true)
	before, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: c})
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.Update(t.Context(), admin, acme, before.ID, Change{IdPLoginAllowed: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	want := *before
	want.IdPLoginAllowed = true
	if diff := cmp.Diff(want, *after); diff != "" {
		t.Errorf("after a change of one field (-want +got):\n%s", diff)
	}
}

func TestUpdateDisablesAndEnables(t *testing.T) {
	s, _ := newIdPs()
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: configured(t)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change Change
		want   bool
	}{
		{Change{Enabled: new(false)}, false},
		{Change{EntityID: new("urn:other")}, false},
		{Change{Enabled: new(true)}, true},
	} {
		i, err = s.Update(t.Context(), admin, acme, i.ID, c.change)
		if err != nil {
			t.Fatal(err)
		}
		if i.Admits() != c.want || i.State != Active {
			t.Errorf("got admits %t in state %s, want %t, active", i.Admits(), i.State, c.want)
		}
	}
}

func TestAnActiveMethodIsNotEmptied(t *testing.T) {
	s, store := newIdPs()
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: configured(t)})
	if err != nil {
		t.Fatal(err)
	}
	before := store.idps[i.ID]
	for field, c := range map[string]Change{
		"saml_entity_id":   {EntityID: new(" ")},
		"saml_idp_url":     {SSOURL: new("")},
		"saml_certificate": {Certificates: new("\n")},
	} {
		_, err := s.Update(t.Context(), admin, acme, i.ID, c)
		wantFault(t, err, fault.Invalid, field)
	}
	if diff := cmp.Diff(before, store.idps[i.ID]); diff != "" {
		t.Errorf("a refused change was stored (-before +after):\n%s", diff)
	}
}

func TestAPendingMethodMayBeEmptied(t *testing.T) {
	s, _ := newIdPs()
	c := configured(t)
	c.EntityID = nil
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: c})
	if err != nil {
		t.Fatal(err)
	}
	i, err = s.Update(t.Context(), admin, acme, i.ID, Change{SSOURL: new(""), Certificates: new("")})
	if err != nil {
		t.Fatal(err)
	}
	if i.State != Pending || i.SSOURL != "" || i.CertificatePEM != "" || i.Certificates != nil {
		t.Errorf("got %s with URL %q and %d certificates, want it pending without", i.State, i.SSOURL, len(i.Certificates))
	}
	i, err = s.Update(t.Context(), admin, acme, i.ID, Change{EntityID: new("urn:idp")})
	if err != nil || i.Admits() {
		t.Errorf("got admits %t and %v, want it pending still", i.Admits(), err)
	}
}

func TestAnotherOrganizationsMethodDoesNotExist(t *testing.T) {
	s, _ := newIdPs()
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: configured(t)})
	if err != nil {
		t.Fatal(err)
	}
	_, getErr := s.Get(t.Context(), globex, i.ID)
	_, updateErr := s.Update(t.Context(), admin, globex, i.ID, Change{Enabled: new(false)})
	deleteErr := s.Delete(t.Context(), admin, globex, i.ID, Ending{})
	for name, err := range map[string]error{"get": getErr, "update": updateErr, "delete": deleteErr} {
		wantFault(t, err, fault.NotFound, "")
		if got, want := fault.Of(err).Code, "authentication_method_not_found"; got != want {
			t.Errorf("%s: got code %s, want %s", name, got, want)
		}
	}
	if list, err := s.List(t.Context(), globex); err != nil || len(list) != 0 {
		t.Errorf("got %d of them and %v, want none", len(list), err)
	}
	if got, err := s.Get(t.Context(), acme, i.ID); err != nil || !got.Admits() {
		t.Errorf("got %v, want its own organization to have it untouched", err)
	}
}

func TestDeleteAdmitsNobody(t *testing.T) {
	s, store := newIdPs()
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: configured(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), admin, acme, i.ID, Ending{}); err != nil {
		t.Fatal(err)
	}
	kept := store.idps[i.ID]
	if kept.Admits() || kept.Enabled || kept.State != Deleted || kept.DeletedAt == nil || !kept.DeletedAt.Equal(moment) {
		t.Errorf("got %+v, want it deleted and disabled", kept)
	}
	_, err = s.Update(t.Context(), admin, acme, i.ID, Change{Enabled: new(true)})
	wantFault(t, err, fault.NotFound, "")
	if err := s.Delete(t.Context(), admin, acme, i.ID, Ending{}); !errors.Is(err, fault.NotFound) {
		t.Errorf("got %v for the second time, want not found", err)
	}
}

func TestUnitsOwnNoMethods(t *testing.T) {
	if err := CheckOwner(account.Account{ID: "a1", OrganizationID: "org1"}); err != nil {
		t.Errorf("got %v for a root account, want none", err)
	}
	err := CheckOwner(account.Account{ID: "a9", OrganizationID: "org1", ParentID: "a1"})
	wantFault(t, err, fault.Invalid, "")
	if got, want := fault.Of(err).Code, "nested_account_cannot_have_authentication_method"; got != want {
		t.Errorf("got code %s, want %s", got, want)
	}
}

func TestChangesAreJudgedFieldByField(t *testing.T) {
	small := armour(certify(t, "small", idpRSAKey(t, 1024), 1))
	long := func(n int) *string { return new(strings.Repeat("x", n)) }
	for _, test := range []struct {
		name   string
		change Change
		kind   fault.Kind // empty: the change is made
		field  string
	}{
		{"name of 128 characters", Change{Name: new(strings.Repeat("é", 128))}, "", ""},
		{"name of 129 characters", Change{Name: long(129)}, fault.Invalid, "authentication_method_name"},
		{"empty name", Change{Name: new(" ")}, fault.Invalid, "authentication_method_name"},
		{"name with a line break", Change{Name: new("a\nb")}, fault.Invalid, "authentication_method_name"},

		{"entity id as a URN", Change{EntityID: new("urn:example.eu.auth0.com")}, "", ""},
		{"entity id as a plain name", Change{EntityID: new("JumpCloud")}, "", ""},
		{"entity id of 2048", Change{EntityID: long(2048)}, "", ""},
		{"entity id of 2049", Change{EntityID: long(2049)}, fault.Invalid, "saml_entity_id"},
		{"entity id with a blank", Change{EntityID: new("a b")}, fault.Invalid, "saml_entity_id"},
		{"entity id with a NUL", Change{EntityID: new("a\x00b")}, fault.Invalid, "saml_entity_id"},
		{"entity id of invalid UTF-8", Change{EntityID: new("a\xffb")}, fault.Invalid, "saml_entity_id"},
		{"entity id with a zero-width space", Change{EntityID: new("a\u200bb")}, fault.Invalid, "saml_entity_id"},

		{"script as SSO URL", Change{SSOURL: new("javascript:alert(1)")}, fault.Invalid, "saml_idp_url"},
		{"SSO URL trimmed", Change{SSOURL: new(" https://idp.example.com/sso ")}, "", ""},

		{"small key", Change{Certificates: &small}, fault.Invalid, "saml_certificate"},
		{"small key, allowed", Change{Certificates: &small, AllowSmallKeys: new(true)}, "", ""},
		{"something else as certificate", Change{Certificates: new("hello")}, fault.Invalid, "saml_certificate"},

		{"binding post", Change{Binding: new("post")}, "", ""},
		{"binding artifact", Change{Binding: new("artifact")}, fault.Invalid, "saml_request_binding"},
		{"digest sha512", Change{DigestAlgorithm: new("sha512")}, "", ""},
		{"digest empty", Change{DigestAlgorithm: new("")}, "", ""},
		{"digest md5", Change{DigestAlgorithm: new("md5")}, fault.Invalid, "saml_digest_algorithm"},
		{"signature rsa-sha1", Change{SignatureAlgorithm: new("rsa-sha1")}, "", ""},
		{"signature dsa-sha1", Change{SignatureAlgorithm: new("dsa-sha1")}, fault.Invalid, "saml_signature_algorithm"},
		{"signature none", Change{SignatureAlgorithm: new("none")}, fault.Invalid, "saml_signature_algorithm"},
		{"variant adfs", Change{Variant: new("adfs")}, "", ""},
		{"variant empty", Change{Variant: new("")}, "", ""},
		{"variant okta", Change{Variant: new("okta")}, fault.Invalid, "saml_variant"},

		{"mapping of 256 characters", Change{Mapping: &Mapping{Groups: strings.Repeat("x", 256)}}, "", ""},
		{"mapping of 257 characters", Change{Mapping: &Mapping{RealName: strings.Repeat("x", 257)}}, fault.Invalid, "saml_field_mapping.real_name"},
		{"mapping with a control character", Change{Mapping: &Mapping{Email: "a\tb"}}, fault.Invalid, "saml_field_mapping.email"},

		{"sessions of 300 s", Change{TokenMaxAge: new(300)}, "", ""},
		{"sessions of 1296000 s", Change{TokenMaxAge: new(1296000)}, "", ""},
		{"sessions of 299 s", Change{TokenMaxAge: new(299)}, fault.Invalid, "auth_token_max_age_seconds"},
		{"sessions of 1296001 s", Change{TokenMaxAge: new(1296001)}, fault.Invalid, "auth_token_max_age_seconds"},
		{"sessions of a negative time", Change{TokenMaxAge: new(-1)}, fault.Invalid, "auth_token_max_age_seconds"},

		{"no group", Change{AutoJoinGroupID: new("")}, "", ""},
		{"a group", Change{AutoJoinGroupID: new("ug-people")}, "", ""},
		{"a group that is not there", Change{AutoJoinGroupID: new("ug12345678901")}, fault.Invalid, "auto_join_user_group_id"},
		{"a group that identity providers fill by its name", Change{AutoJoinGroupID: new("ug-followed")}, fault.Invalid, "auto_join_user_group_id"},
		{"no domains", Change{LinkedDomains: []string{}}, "", ""},
		{"a domain", Change{LinkedDomains: []string{"dom12345678901"}}, fault.NotFound, "linked_domains"},
		{"no SCIM", Change{SCIMEnabled: new(false)}, "", ""},
		{"SCIM", Change{SCIMEnabled: new(true)}, fault.Invalid, "scim_enabled"},

		{"metadata that is none", Change{Metadata: new("hello")}, fault.Invalid, "saml_idp_metadata"},
		{"enabling what is incomplete", Change{Enabled: new(true)}, fault.Conflict, "authentication_method_enabled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, store := newIdPs()
			i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: Change{Name: new("Okta")}})
			if err != nil {
				t.Fatal(err)
			}
			before := store.idps[i.ID]
			_, err = s.Update(t.Context(), admin, acme, i.ID, test.change)
			if test.kind == "" {
				if err != nil {
					t.Errorf("got %v, want it done", err)
				}
				return
			}
			wantFault(t, err, test.kind, test.field)
			if diff := cmp.Diff(before, store.idps[i.ID]); diff != "" {
				t.Errorf("a refused change was stored (-before +after):\n%s", diff)
			}
		})
	}
}

func TestSettingsAreKeptAsSaid(t *testing.T) {
	s, _ := newIdPs()
	c := configured(t)
	c.Binding, c.DigestAlgorithm, c.SignatureAlgorithm, c.Variant = new("post"), new("sha1"), new("rsa-sha512"), new("adfs")
	yes := new(true)
	c.SignRequests, c.WantAssertionSigned, c.RequestAuthnContext, c.IdPLoginAllowed = yes, yes, yes, yes
	c.JoinGroups, c.AllowSHA1, c.AllowSmallKeys, c.TokenExtendWhenUsed = yes, yes, yes, yes
	c.AllowEmptyReference, c.AllowNoRecipient, c.ForceAuthn, c.NameIDFormat = yes, yes, yes, &NameIDFormats[1]
	c.IdPLoginMode, c.MetadataUpdates, c.MetadataCertificate = new("accept"), new("apply"), new("\n"+*c.Certificates)
	c.Mapping = &Mapping{"mail", "given", "family", "full", "id", "roles"}
	c.TokenMaxAge = new(600)
	c.SLOURL, c.SLOResponseURL, c.SLOBinding = new(" https://idp.example.com/slo "), new("https://idp.example.com/slo/answer"), new("soap")
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: c})
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{
		EntityID: "https://idp.example.com/entity", SSOURL: "https://idp.example.com/sso", Binding: Post,
		CertificatePEM: strings.TrimSpace(*c.Certificates), DigestAlgorithm: "sha1", SignatureAlgorithm: "rsa-sha512", Variant: "adfs",
		SignRequests: true, WantAssertionSigned: true, RequestAuthnContext: true, IdPLoginAllowed: true, IdPLoginMode: Accept, JoinGroups: true,
		Mapping:   Mapping{"mail", "given", "family", "full", "id", "roles"},
		AllowSHA1: true, AllowSmallKeys: true, AllowEmptyReference: true, AllowNoRecipient: true, ForceAuthn: true, NameIDFormat: NameIDFormats[1], TokenMaxAge: 10 * time.Minute, TokenExtendWhenUsed: true,
		IdPSLOURL: "https://idp.example.com/slo", IdPSLOResponseURL: "https://idp.example.com/slo/answer", SLOBinding: SOAP,
		MetadataUpdates: ApplyUpdates, MetadataCertificatePEM: strings.TrimSpace(*c.Certificates),
	}
	if diff := cmp.Diff(want, i.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	block, _ := pem.Decode([]byte(i.CertificatePEM))
	if block == nil || string(block.Bytes) != string(i.Certificates[0].Raw) {
		t.Error("the parsed certificate is not the stored one")
	}
}

func TestForbiddingSmallKeysNeedsABetterCertificate(t *testing.T) {
	s, _ := newIdPs()
	c := configured(t)
	c.Certificates, c.AllowSmallKeys = new(armour(certify(t, "small", idpRSAKey(t, 1024), 1))), new(true)
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: c})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Update(t.Context(), admin, acme, i.ID, Change{AllowSmallKeys: new(false)})
	wantFault(t, err, fault.Invalid, "saml_certificate")
	if _, err := s.Update(t.Context(), admin, acme, i.ID, Change{AllowSmallKeys: new(false), Certificates: new(idpCertificate(t))}); err != nil {
		t.Errorf("got %v with a better certificate, want none", err)
	}
}

func TestAMethodThatIsToBeKeptIsEndedByForceAlone(t *testing.T) {
	s, store := newIdPs()
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: configured(t)})
	if err != nil {
		t.Fatal(err)
	}
	var asked []bool
	s.Keep = func(_ context.Context, inUse bool, organizationID, methodID string) error {
		asked = append(asked, inUse)
		if organizationID != acme.ID || methodID != i.ID {
			t.Errorf("asked of %s in %s", methodID, organizationID)
		}
		return fault.Conflict.Errorf("Nobody could come in.")
	}
	off := Change{Enabled: new(false), Ending: Ending{Through: i.ID}}
	_, disabled := s.Update(t.Context(), admin, acme, i.ID, off)
	deleted := s.Delete(t.Context(), admin, acme, i.ID, Ending{Through: "am2"})
	if !errors.Is(disabled, fault.Conflict) || !errors.Is(deleted, fault.Conflict) || !store.idps[i.ID].Enabled {
		t.Errorf("got %v and %v, want both refused and nothing changed", disabled, deleted)
	}
	if diff := cmp.Diff([]bool{true, false}, asked); diff != "" {
		t.Errorf("whether one's own session came through it (-want +got):\n%s", diff)
	}
	if _, err := s.Update(t.Context(), admin, acme, i.ID, Change{Name: new("Okta 2")}); err != nil {
		t.Errorf("a change that ends nothing: %v", err)
	}
	off.Ending.Force = true
	if _, err := s.Update(t.Context(), admin, acme, i.ID, off); err != nil || len(asked) != 2 {
		t.Errorf("by force: got %v, asked %d times", err, len(asked))
	}
	// Nobody comes in through it any more: there is nothing to keep.
	if err := s.Delete(t.Context(), admin, acme, i.ID, Ending{}); err != nil || len(asked) != 2 {
		t.Errorf("deleting what is disabled: got %v, asked %d times", err, len(asked))
	}
}
