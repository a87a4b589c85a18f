package web

import (
	"net/http"
	"testing"
)

func TestAPasswordIsChangedOnItsPage(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	organization := b.addOrganization("Acme")
	before := b.token()
	b.get("/profile").wantText("Change password")
	b.get("/profile/password").wantStatus(http.StatusOK).wantText("Your present password").wantText("New password")

	b.post("/profile/password", "password", "wrong", "new_password", "another horse").wantStatus(http.StatusForbidden).wantText("The present password is not right")
	b.post("/profile/password", "password", goodPassword, "new_password", "short").wantStatus(http.StatusBadRequest).wantText("at least 8 characters")
	if b.token() != before || w.enters(before, organization) != "" {
		t.Error("a change that was refused ended the session")
	}

	if got := b.post("/profile/password", "password", goodPassword, "new_password", "another horse").to(); got != "/profile?done=password-changed" {
		t.Fatalf("got %s, want the profile", got)
	}
	if got := w.enters(before, organization); got != "authentication_failed" {
		t.Errorf("got %q for the session before, want it to have ended", got)
	}
	b.get("/profile?done=password-changed").wantStatus(http.StatusOK).wantText("Your password is changed")
}
