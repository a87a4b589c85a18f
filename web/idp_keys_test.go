package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/sso"
)

func TestOurKeyIsChangedInTheConsole(t *testing.T) {
	w := newWorld(t)
	b, _, provider, method := w.acme()
	keys := provider + "/keys"
	b.get(provider).wantText("Our keys")
	b.get(keys).wantText("In use").wantText("RSA, 2048 bits").wantText("-----BEGIN CERTIFICATE-----").wantText("Prepare next key").wantNoText("Switch now")

	// Out of turn, and nonsense.
	b.post(keys+"/switch", "keep_previous_days", "7").wantStatus(http.StatusConflict).wantText("No next key is prepared")
	b.post(keys + "/forget").wantStatus(http.StatusNotFound)
	b.post(keys, "key_type", "rsa-3072", "switch_at", "31.1.2030").wantStatus(http.StatusBadRequest).wantText("Write the day as 2030-01-31")
	b.post(keys, "key_type", "rsa-3072", "switch_at", "2001-01-31").wantStatus(http.StatusBadRequest).wantText("moment in the future")
	b.post(keys, "key_type", "rsa-1024").wantStatus(http.StatusBadRequest).wantText("rsa-2048")

	if got := b.post(keys, "key_type", "rsa-3072").to(); got != keys+"?done=key-prepared" {
		t.Errorf("prepare: got sent to %s", got)
	}
	b.get(keys).wantText("Next").wantText("RSA, 3072 bits").wantText("Switch now").wantText("Cancel next key").wantNoText("Prepare next key")
	b.post(keys, "key_type", "rsa-2048").wantStatus(http.StatusConflict).wantText("prepared already")
	b.post(keys+"/switch", "keep_previous_days", "many").wantStatus(http.StatusBadRequest).wantText("number of days from 0 to 90")
	b.post(keys + "/cancel").to()
	b.get(keys).wantNoText("Cancel next key").wantText("Prepare next key")

	day := w.server.Now().Add(48 * time.Hour).UTC().Format(time.DateOnly)
	b.post(keys, "key_type", "ecdsa-p256", "switch_at", day).to()
	b.get(keys).wantText("taken into use by itself")
	b.post(keys+"/switch", "keep_previous_days", "2").to()
	b.get(keys).wantText("ECDSA, P-256").wantText("Decrypts").wantText("Previous").wantText("Forget previous key")
	b.get(provider + "/edit").wantText("ECDSA with SHA-256").wantNoText("RSA with SHA-512")
	b.post(keys + "/forget").to()
	b.get(keys).wantNoText("Forget previous key")
	i, err := w.store.IdP(context.Background(), method)
	if err != nil || i.SignatureAlgorithm != "ecdsa-sha256" || !i.PreviousKeys.Empty() {
		t.Errorf("got %s, %+v, %v, want ecdsa-sha256 and no previous keys", i.SignatureAlgorithm, i.Rollover, err)
	}
	if n := len(i.SPCertificates(w.server.Now())); n != 2 {
		t.Errorf("got %d certificates, want that which signs and that to encrypt to", n)
	}
}

func TestKeysOfAnotherOrganizationAreNotThere(t *testing.T) {
	w := newWorld(t)
	_, _, provider, method := w.acme()
	b := w.browser()
	b.signUp("Eve Else", "eve@other.test")
	other := b.addOrganization("Other")
	for _, place := range []string{provider, other + "/identity-providers/" + method} {
		b.get(place + "/keys").wantStatus(http.StatusNotFound)
		for _, step := range []string{"", "/switch", "/cancel", "/forget"} {
			b.post(place+"/keys"+step, "keep_previous_days", "7").wantStatus(http.StatusNotFound)
		}
	}
	i, err := w.store.IdP(context.Background(), method)
	if err != nil || i.Rollover.NextKeys.Certificates != nil || i.SPCertificates(w.server.Now())[0].State != sso.KeyPresent {
		t.Errorf("got %+v, %v, want nothing changed", i.Rollover, err)
	}
}

// wantNoText fails if the page shows a text.
func (a *answer) wantNoText(text string) *answer {
	a.t.Helper()
	if strings.Contains(a.text(), text) {
		a.t.Errorf("%s %s: got %q in the text, want it not there", a.Request.Method, a.Request.URL, text)
	}
	return a
}
