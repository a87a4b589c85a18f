package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"gatehouse/internal/fetch"
	"gatehouse/sso"
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

func TestMetadataIsFollowedInTheConsole(t *testing.T) {
	const where = "https://idp.acme.test/metadata"
	w := newWorld(t)
	b, organization, provider, method := w.acme()
	page := provider + "/metadata"
	text := b.get(w.idpURL + "/metadata").Body
	i, err := w.store.IdP(t.Context(), method)
	if err != nil {
		t.Fatal(err)
	}
	b.get(provider).wantText("follow its metadata")
	b.get(page).wantText("Follow the metadata").wantNoText("Fetch now")

	// What cannot be fetched, or is no choice, is said at the field.
	b.post(page, "saml_idp_metadata_url", where).wantStatus(http.StatusBadRequest).wantText("it answers 404 Not Found")
	b.post(page, "saml_idp_metadata_url", "javascript:alert(1)").wantStatus(http.StatusBadRequest).wantText("begins with https://")
	b.post(page, "saml_idp_metadata_url", "http://company.test/").wantStatus(http.StatusBadRequest)
	b.post(page, "saml_metadata_updates", "sometimes").wantStatus(http.StatusBadRequest)
	b.post(page, "saml_metadata_certificate", "nonsense").wantStatus(http.StatusBadRequest)
	b.post(page + "/fetch").wantStatus(http.StatusConflict)
	b.post(page + "/apply").wantStatus(http.StatusBadRequest)

	// Of several, one is chosen.
	entity := text[strings.Index(text, "<md:EntityDescriptor"):]
	if !strings.HasPrefix(entity, "<md:EntityDescriptor") {
		entity = text[strings.Index(text, "<EntityDescriptor"):]
	}
	w.pages[where] = `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + strings.ReplaceAll(entity, i.EntityID, "urn:another") + strings.ReplaceAll(entity, i.EntityID, "urn:third") + `</EntitiesDescriptor>`
	several := b.post(page, "saml_idp_metadata_url", where).wantStatus(http.StatusBadRequest).wantText("describes 2 identity providers")
	if n := several.page().Find("select[name=saml_entity_id] option").Length(); n != 3 {
		t.Errorf("got %d choices, want one to be made of two", n)
	}

	// Followed, changed, discarded, approved.
	w.pages[where] = text
	if got := b.post(page, "saml_idp_metadata_url", where, "saml_metadata_updates", "approve").to(); got != page+"?done=metadata-saved" {
		t.Errorf("got sent to %s", got)
	}
	b.get(page).wantText("says what is set").wantText("Fetch now").wantNoText("Approve change")
	if got := b.post(page + "/fetch").to(); got != page+"?done=metadata-unchanged" {
		t.Errorf("got sent to %s", got)
	}
	w.pages[where] = strings.ReplaceAll(text, i.SSOURL, "https://idp.acme.test/new")
	if got := b.post(page + "/fetch").to(); got != page+"?done=metadata-held" {
		t.Errorf("got sent to %s", got)
	}
	b.get(provider).wantText("The change waits for approval")
	b.get(organization).wantText("To see to").wantText("The change waits for approval")
	held := b.get(page).wantText("Approve change").wantText("SSO URL").wantText("https://idp.acme.test/new")
	checkPage(t, "held", held.page())
	checkHeadings(t, "held", held.page())
	id := held.page().Find("input[name=pending_id]").AttrOr("value", "")
	b.post(page+"/apply", "pending_id", "other").wantStatus(http.StatusConflict).wantText("Another change waits")
	b.post(page+"/discard", "pending_id", id).to()
	b.get(page).wantNoText("Approve change")
	b.post(page+"/apply", "pending_id", id).wantStatus(http.StatusConflict).wantText("No change waits")
	b.post(page + "/fetch").to()
	if got := b.post(page+"/apply", "pending_id", id).to(); got != page+"?done=metadata-applied" {
		t.Errorf("got sent to %s", got)
	}
	if i, err = w.store.IdP(t.Context(), method); err != nil || i.SSOURL != "https://idp.acme.test/new" {
		t.Errorf("got %s, %v, want the new SSO URL", i.SSOURL, err)
	}

	// A failure is said, and takes nothing away.
	delete(w.pages, where)
	b.post(page + "/fetch").to()
	failed := b.get(page).wantText("it answers 404 Not Found").wantText("What is set stays")
	checkPage(t, "failed", failed.page())
	b.get(organization).wantText("cannot be fetched")
	b.post(page, "saml_idp_metadata_url", "").to()
	b.get(page).wantNoText("Fetch now")
	b.get(organization).wantNoText("To see to")
}

func TestMetadataOfAnotherOrganizationIsNotThere(t *testing.T) {
	w := newWorld(t)
	_, _, provider, method := w.acme()
	b := w.browser()
	b.signUp("Eve Else", "eve@other.test")
	other := b.addOrganization("Other")
	for _, place := range []string{provider, other + "/identity-providers/" + method} {
		b.get(place + "/metadata").wantStatus(http.StatusNotFound)
		for _, step := range []string{"", "/fetch", "/apply", "/discard"} {
			b.post(place+"/metadata"+step, "saml_idp_metadata_url", "https://evil.test/", "pending_id", "x").wantStatus(http.StatusNotFound)
		}
	}
	i, err := w.store.IdP(context.Background(), method)
	if err != nil || i.IdPMetadataURL != "" || i.MetadataUpdates != sso.HoldUpdates {
		t.Errorf("got %+v, %v, want nothing changed", i.Settings, err)
	}
}
