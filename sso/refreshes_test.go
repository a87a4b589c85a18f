package sso_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// refused checks an error's kind and code.
func refused(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if f := fault.Of(err); f == nil || f.Kind != kind || f.Code != code {
		t.Errorf("got %v (code %q), want %s with the code %s", err, fault.Of(err).Code, kind, code)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMetadataIsFetchedWhenItsAddressIsNamed(t *testing.T) {
	w, one := newWorld(t), newSigner(t, "one", 1000*time.Hour)
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
	i := w.fetched(sso.Change{})
	same(t, []any{i.State, i.EntityID, i.SSOURL, i.CertificatePEM, i.MetadataUpdates}, []any{sso.Active, entity, "https://idp.example.com/sso", one.pem(), sso.HoldUpdates})
	_, r := w.is(i.ID)
	same(t, []any{r.CheckedAt, r.SucceededAt, r.DueAt.Sub(w.now) >= 24*time.Hour, r.Pending == nil}, []any{w.now, w.now, true, true})

	// What does not change the address fetches nothing.
	_, err := w.idps.Update(t.Context(), w.ada, w.acme, i.ID, sso.Change{Name: new("Other"), IdPMetadataURL: new(where)})
	w.do(err)
	same(t, w.site.asked, 1)
}

func TestMetadataThatCannotBeUsedLeavesNothing(t *testing.T) {
	one := newSigner(t, "one", 1000*time.Hour)
	group := func(inside ...string) string {
		return `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + strings.Join(inside, "") + `</EntitiesDescriptor>`
	}
	for _, c := range []struct {
		name, page, code, says string
		change                 sso.Change
	}{
		{"nothing there", "", "metadata_not_fetched", "it answers 404 Not Found", sso.Change{}},
		{"a page", "<!doctype html><p>Log in", "metadata_not_usable", "This is a web page, not metadata.", sso.Change{}},
		{"a script", describes(entity, "javascript:alert(1)", one), "metadata_not_usable", "cannot be used", sso.Change{}},
		{"http", describes(entity, "http://idp.example.com/sso", one), "metadata_not_usable", "https://", sso.Change{}},
		{"our own address", describes(entity, "https://sso.acme.test/x", one), "", "", sso.Change{}},
		{"no certificate", describes(entity, "https://idp.example.com/sso"), "metadata_not_usable", "no certificate", sso.Change{}},
		{"past its end", strings.Replace(describes(entity, "https://idp.example.com/sso", one), ` ID="_1"`, ` validUntil="2026-01-02T03:04:05Z"`, 1), "metadata_not_usable", "was valid until 2026-01-02T03:04:05Z.", sso.Change{}},
		{"two providers", group(describes("urn:a", "https://a.example.com/", one), describes("urn:b", "https://b.example.com/", one)), "entity_id_needed", "urn:a, urn:b", sso.Change{}},
		{"two providers, another chosen", group(describes("urn:a", "https://a.example.com/", one), describes("urn:b", "https://b.example.com/", one)), "entity_id_not_in_metadata", "urn:a, urn:b", sso.Change{EntityID: new("urn:c")}},
		{"pasted metadata beside the address", describes(entity, "https://idp.example.com/sso", one), "", "not both", sso.Change{Metadata: new("<x/>")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.page != "" {
				w.site.pages[where] = c.page
			}
			c.change.Name, c.change.IdPMetadataURL = new("Okta"), new(where)
			_, err := w.idps.Create(t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: c.change})
			refused(t, err, fault.Invalid, c.code)
			if got := fault.Of(err).Message; !strings.Contains(got, c.says) || strings.Contains(got, "Paste ") {
				t.Errorf("got %q, want it to say %q, and nothing of pasting", got, c.says)
			}
			list, err := w.idps.List(t.Context(), w.acme)
			w.do(err)
			same(t, len(list), 0)
			var several *sso.SeveralIdPs
			_, err = w.idps.Create(t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: c.change})
			if strings.HasPrefix(c.name, "two") && (!errors.As(err, &several) || len(several.EntityIDs) != 2) {
				t.Errorf("got %v, want one that lists two to choose from", err)
			}
		})
	}
}

func TestOfSeveralProvidersTheChosenOneIsTakenAndStays(t *testing.T) {
	w, one, two := newWorld(t), newSigner(t, "one", 1000*time.Hour), newSigner(t, "two", 1000*time.Hour)
	file := func(s signer) string {
		return `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>` +
			describes("urn:a", "https://a.example.com/", one) + describes("urn:b", "https://b.example.com/", s) + `</EntitiesDescriptor>`
	}
	w.site.pages[where] = file(one)
	i := w.fetched(sso.Change{EntityID: new("urn:b"), MetadataUpdates: new("apply")})
	same(t, []string{i.EntityID, i.SSOURL}, []string{"urn:b", "https://b.example.com/"})
	w.site.pages[where] = file(two)
	w.later(25 * time.Hour)
	i, _ = w.is(i.ID)
	same(t, []string{i.EntityID, i.CertificatePEM}, []string{"urn:b", two.pem()})
}

func TestAChangeIsHeldUntilSomebodyApproves(t *testing.T) {
	w, one, two := newWorld(t), newSigner(t, "one", 1000*time.Hour), newSigner(t, "two", 2000*time.Hour)
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
	i := w.fetched(sso.Change{})
	w.later(25 * time.Hour)
	same(t, w.did(), []string(nil))

	w.site.pages[where] = describes(entity, "https://idp.example.com/new", two)
	w.later(25 * time.Hour)
	i, r := w.is(i.ID)
	same(t, []string{i.SSOURL, i.CertificatePEM}, []string{"https://idp.example.com/sso", one.pem()})
	if r.Pending == nil {
		t.Fatal("got nothing that waits, want the change")
	}
	difference, err := i.Difference(r.Pending.To)
	w.do(err)
	var fields []string
	for _, d := range difference {
		fields = append(fields, d.Field)
	}
	same(t, fields, []string{"saml_idp_url", "saml_certificate", "saml_certificate"})
	if !strings.Contains(difference[1].Before, "CN=one") || difference[1].After != "" || !strings.Contains(difference[2].After, "CN=two") || difference[2].Before != "" {
		t.Errorf("got %+v, want the one certificate to go and the other to come", difference)
	}
	same(t, len(w.mails), 1)

	w.later(25 * time.Hour) // the same again is no news
	_, again := w.is(i.ID)
	same(t, []any{again.Pending.ID, again.Pending.FoundAt, len(w.mails)}, []any{r.Pending.ID, r.Pending.FoundAt, 1})

	_, err = w.Apply(t.Context(), w.ada, i, "other")
	refused(t, err, fault.Conflict, "metadata_other_pending_change")
	_, err = w.Apply(t.Context(), w.ada, i, r.Pending.ID)
	w.do(err)
	i, r = w.is(i.ID)
	same(t, []any{i.SSOURL, i.CertificatePEM, r.Pending == nil}, []any{"https://idp.example.com/new", two.pem(), true})
	_, err = w.Apply(t.Context(), w.ada, i, "")
	refused(t, err, fault.Conflict, "metadata_no_pending_change")
	same(t, w.did(), []string{"idp.metadata_hold on time", "idp.metadata_apply by ada"})
	w.later(25 * time.Hour)
	same(t, len(w.did()), 2)
}

func TestAddressesForLogoutsAreFollowedOnceTheyAreSet(t *testing.T) {
	w, one := newWorld(t), newSigner(t, "one", 1000*time.Hour)
	withLogout := func(address string) string {
		return strings.Replace(describes(entity, "https://idp.example.com/sso", one), "<md:SingleSignOnService", `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="`+address+`"/><md:SingleSignOnService`, 1)
	}
	w.site.pages[where] = withLogout("https://idp.example.com/slo")
	i := w.fetched(sso.Change{})
	same(t, []any{i.IdPSLOURL, i.SLOBinding}, []any{"https://idp.example.com/slo", sso.Post})
	w.site.pages[where] = withLogout("https://idp.example.com/new")
	w.later(25 * time.Hour)
	_, r := w.is(i.ID)
	difference, err := i.Difference(r.Pending.To)
	w.do(err)
	same(t, difference, []sso.FieldChange{{Field: "saml_idp_slo_url", Before: "https://idp.example.com/slo", After: "https://idp.example.com/new"}})
	i, err = w.Apply(t.Context(), w.ada, i, r.Pending.ID)
	w.do(err)
	same(t, i.IdPSLOURL, "https://idp.example.com/new")

	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one) // offered no longer
	_, outcome, err := w.Refresh(t.Context(), w.ada, i)
	w.do(err)
	same(t, outcome, sso.Unchanged)
	i, err = w.idps.Update(t.Context(), w.ada, w.acme, i.ID, sso.Change{SLOURL: new("")})
	w.do(err)
	w.site.pages[where] = withLogout("https://idp.example.com/slo") // and not wanted
	_, outcome, err = w.Refresh(t.Context(), w.ada, i)
	w.do(err)
	same(t, outcome, sso.Unchanged)
	w.site.pages[where] = withLogout("javascript:alert(1)")
	_, outcome, err = w.Refresh(t.Context(), w.ada, i)
	w.do(err)
	same(t, outcome, sso.Unchanged)
}

func TestWhatIsDiscardedIsNotBroughtAgain(t *testing.T) {
	w, one, two, three := newWorld(t), newSigner(t, "one", 1000*time.Hour), newSigner(t, "two", 1000*time.Hour), newSigner(t, "three", 1000*time.Hour)
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
	i := w.fetched(sso.Change{})
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", two)
	w.later(25 * time.Hour)
	w.do(w.Discard(t.Context(), w.ada, i, ""))
	w.later(25 * time.Hour)
	_, r := w.is(i.ID)
	same(t, r.Pending == nil, true)
	_, outcome, err := w.Refresh(t.Context(), w.ada, i) // who asks gets it again
	w.do(err)
	same(t, outcome, sso.Held)
	w.do(w.Discard(t.Context(), w.ada, i, ""))
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", three)
	w.later(25 * time.Hour)
	_, r = w.is(i.ID)
	same(t, r.Pending != nil, true)
	refused(t, w.Discard(t.Context(), w.ada, i, "other"), fault.Conflict, "metadata_other_pending_change")
}

func TestAChangeIsAppliedAtOnceWhereTheMethodSaysSo(t *testing.T) {
	w, one, two := newWorld(t), newSigner(t, "one", 1000*time.Hour), newSigner(t, "two", 1000*time.Hour)
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
	i := w.fetched(sso.Change{MetadataUpdates: new("apply")})
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one, two)
	w.later(25 * time.Hour)
	i, r := w.is(i.ID)
	same(t, []any{len(i.Certificates), r.Pending == nil, len(w.mails)}, []any{2, true, 1})
	same(t, w.did(), []string{"idp.metadata_apply on time"})
}

func TestAnEntityIDNeverChangesByItself(t *testing.T) {
	w, one := newWorld(t), newSigner(t, "one", 1000*time.Hour)
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
	i := w.fetched(sso.Change{MetadataUpdates: new("apply")})
	w.site.pages[where] = describes("urn:evil", "https://evil.example.com/sso", newSigner(t, "evil", time.Hour))
	w.later(25 * time.Hour)
	after, r := w.is(i.ID)
	same(t, []any{after.Settings, r.FailureCode, strings.Contains(r.Failure, "urn:evil")}, []any{i.Settings, "entity_id_changed", true})

	_, err := w.idps.Update(t.Context(), w.ada, w.acme, i.ID, sso.Change{IdPMetadataURL: new(where + "?new")})
	refused(t, err, fault.Invalid, "metadata_not_fetched")
	w.site.pages[where+"?new"] = w.site.pages[where]
	_, err = w.idps.Update(t.Context(), w.ada, w.acme, i.ID, sso.Change{IdPMetadataURL: new(where + "?new")})
	refused(t, err, fault.Conflict, "entity_id_changed")
	after, err = w.idps.Update(t.Context(), w.ada, w.acme, i.ID, sso.Change{IdPMetadataURL: new(where + "?new"), EntityID: new("urn:evil")})
	w.do(err)
	same(t, after.EntityID, "urn:evil")
}

func TestAFailedFetchTakesNothingAwayAndIsToldOnceAfterThreeDays(t *testing.T) {
	w, one := newWorld(t), newSigner(t, "one", 1000*time.Hour)
	good := describes(entity, "https://idp.example.com/sso", one)
	w.site.pages[where] = good
	i := w.fetched(sso.Change{MetadataUpdates: new("apply")})
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso") // no certificate
	w.later(25 * time.Hour)
	var pauses []time.Duration
	for range 12 {
		_, r := w.is(i.ID)
		pauses = append(pauses, r.DueAt.Sub(w.now))
		w.later(r.DueAt.Sub(w.now))
	}
	same(t, pauses[:8], []time.Duration{time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour})
	after, r := w.is(i.ID)
	same(t, []any{after.Settings, r.Failures, r.Warned, len(w.mails)}, []any{i.Settings, 13, true, 1})
	same(t, w.did(), []string{"idp.metadata_fetch on time", "idp.metadata_fetch on time"}) // it began, and was mailed
	w.site.pages[where] = good
	w.later(24 * time.Hour)
	_, r = w.is(i.ID)
	same(t, []any{r.Failures, r.Failure, r.Warned, r.FailingSince.IsZero()}, []any{0, "", false, true})
	same(t, len(w.did()), 3)
}

func TestWhatWasChangedMeanwhileIsNotOverwritten(t *testing.T) {
	one, two, three := newSigner(t, "one", 1000*time.Hour), newSigner(t, "two", 1000*time.Hour), newSigner(t, "three", 1000*time.Hour)
	setting := func(w *world, id string) func() {
		return func() {
			w.site.during = nil
			_, err := w.idps.Update(t.Context(), w.ada, w.acme, id, sso.Change{Certificates: new(three.pem())})
			w.do(err)
		}
	}
	t.Run("while it is fetched", func(t *testing.T) {
		w := newWorld(t)
		w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
		i := w.fetched(sso.Change{MetadataUpdates: new("apply")})
		w.site.pages[where] = describes(entity, "https://idp.example.com/sso", two)
		w.site.during = setting(w, i.ID)
		_, outcome, err := w.Refresh(t.Context(), w.ada, i)
		w.do(err)
		after, _ := w.is(i.ID)
		same(t, []any{outcome, after.CertificatePEM}, []any{sso.Superseded, three.pem()})
	})
	t.Run("while it waits", func(t *testing.T) {
		w := newWorld(t)
		w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
		i := w.fetched(sso.Change{})
		w.site.pages[where] = describes(entity, "https://idp.example.com/sso", two)
		w.later(25 * time.Hour)
		_, r := w.is(i.ID)
		setting(w, i.ID)()
		_, err := w.Apply(t.Context(), w.ada, i, r.Pending.ID)
		refused(t, err, fault.Conflict, "metadata_no_pending_change")
		after, r := w.is(i.ID)
		same(t, []any{after.CertificatePEM, r.Pending == nil}, []any{three.pem(), true})
	})
	t.Run("by another fetch", func(t *testing.T) {
		w := newWorld(t)
		w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
		i := w.fetched(sso.Change{MetadataUpdates: new("apply")})
		w.now = w.now.Add(time.Hour)
		w.site.during = func() {
			w.site.during = nil
			_, outcome, err := w.Refresh(t.Context(), w.ada, i)
			w.do(err)
			same(t, outcome, sso.Unchanged)
			w.site.pages[where] = describes(entity, "https://idp.example.com/sso", two)
		}
		_, outcome, err := w.Refresh(t.Context(), w.ada, i)
		w.do(err)
		same(t, outcome, sso.Superseded)
	})
	t.Run("by deleting it", func(t *testing.T) {
		w := newWorld(t)
		w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
		i := w.fetched(sso.Change{})
		w.site.during = func() {
			w.site.during = nil
			w.do(w.idps.Delete(t.Context(), w.ada, w.acme, i.ID, sso.Ending{}))
		}
		_, outcome, err := w.Refresh(t.Context(), w.ada, i)
		w.do(err)
		same(t, outcome, sso.Superseded)
		due, err := w.db.DueRefreshes(t.Context(), w.now.Add(1000*time.Hour), 10)
		w.do(err)
		same(t, len(due), 0)
	})
}

func TestAFetchThatOurEndCutOffShowsNothing(t *testing.T) {
	w, one := newWorld(t), newSigner(t, "one", 1000*time.Hour)
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
	i := w.fetched(sso.Change{})
	_, before := w.is(i.ID)
	w.now = w.now.Add(25 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	w.site.during = cancel
	delete(w.site.pages, where)
	w.do(w.Due(ctx))
	_, after := w.is(i.ID)
	same(t, after, before)
}

func TestAPageThatBreaksTheReaderLeavesTheOthers(t *testing.T) {
	w, one := newWorld(t), newSigner(t, "one", 1000*time.Hour)
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
	w.fetched(sso.Change{})
	w.now = w.now.Add(25 * time.Hour)
	w.site.during = func() { panic("a bug") }
	if err := w.Due(t.Context()); err == nil || !strings.Contains(err.Error(), "it panicked: a bug") {
		t.Errorf("got %v, want the panic as an error", err)
	}
}

func TestFetchesByHandAreBounded(t *testing.T) {
	w, one := newWorld(t), newSigner(t, "one", 1000*time.Hour)
	w.site.pages[where] = describes(entity, "https://idp.example.com/sso", one)
	i := w.fetched(sso.Change{})
	var err error
	for range 25 {
		if _, _, err = w.Refresh(t.Context(), w.ada, i); err != nil {
			break
		}
	}
	if !errors.Is(err, fault.TooMany) || w.site.asked > 21 {
		t.Errorf("got %v after %d fetches, want too many after 20", err, w.site.asked)
	}
	plain := storeIdP(w)
	_, _, err = w.Refresh(t.Context(), w.ada, plain)
	refused(t, err, fault.Conflict, "metadata_url_not_set")
}

// storeIdP makes an identity provider without an address of metadata.
func storeIdP(w *world) *sso.IdP {
	w.t.Helper()
	i, err := w.idps.Create(w.t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: sso.Change{Name: new("Plain")}})
	w.do(err)
	return i
}
