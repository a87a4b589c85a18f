package web

import (
	"net/http"
	"testing"
)

func TestAnIdentityProviderFillsGroups(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, _ := w.acme()
	filled, plain := b.addGroup(organization, "admins"), b.addGroup(organization, "Everybody")
	b.post(filled, "user_group_name", "admins", "idp_managed", "on").to()
	b.get(filled).wantText("Identity providers fill this group")
	b.get(organization + "/groups").wantText("Filled by identity providers")

	edit := b.get(provider + "/edit").page()
	if edit.Find(`option[value="`+idOf(filled)+`"]`).Length() != 0 || edit.Find(`option[value="`+idOf(plain)+`"]`).Length() != 1 {
		t.Error("new people can be brought to a group that identity providers fill, or not to another")
	}
	form := formOn(edit)
	form["saml_join_groups"], form["auto_join_user_group_id"] = "on", idOf(plain)
	b.post(provider, pairsOf(form)...).to()
	b.get(provider).wantText("New people join Everybody").wantText("are followed")

	a := b.post(plain, "user_group_name", "Everybody", "idp_managed", "on").wantStatus(http.StatusConflict).wantText("Acme Okta")
	if got := a.page().Find("#in-idp_managed").AttrOr("aria-invalid", ""); got != "true" {
		t.Errorf("got aria-invalid %q at the box, want true", got)
	}
	form["auto_join_user_group_id"] = idOf(filled)
	b.post(provider, pairsOf(form)...).wantStatus(http.StatusBadRequest).wantText("put people into the group admins")
}
