package web

import (
	"reflect"
	"testing"

	"gatehouse/sso"
)

func TestEveryVendorHasASetUpGuide(t *testing.T) {
	if len(vendors) != len(sso.Vendors) {
		t.Errorf("got %d guides, want one for each of %d vendors", len(vendors), len(sso.Vendors))
	}
	for _, id := range sso.Vendors {
		v := reflect.ValueOf(vendorBy(string(id)))
		if got := v.FieldByName("ID").String(); got != string(id) {
			t.Errorf("got the guide of %s, want that of %s", got, id)
		}
		for n := range v.NumField() {
			if v.Field(n).String() == "" {
				t.Errorf("%s: got nothing for %s, want words", id, v.Type().Field(n).Name)
			}
		}
	}
}

func TestTheGuideIsTheChosenOneOrThatOfWhatTheProviderLooksLike(t *testing.T) {
	i := &sso.IdP{}
	i.EntityID = "https://sts.windows.net/0f7b1f0e-4d5c-4f1e-9d2c-9f3f0a1b2c3d/"
	for _, tt := range []struct {
		name, chosen string
		i            *sso.IdP
		want         sso.Vendor
	}{
		{"chosen", "okta", i, sso.Okta},
		{"chosen, and unknown", "nobody", i, sso.Generic},
		{"guessed", "", i, sso.EntraID},
		{"nothing to guess from", "", &sso.IdP{}, sso.Generic},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := vendorOf(tt.chosen, tt.i).ID; got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
