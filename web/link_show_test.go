package web

import (
	"net/http"
	"testing"
)

func TestWhoDoesNotBelongLearnsItBeforeAnythingIsAsked(t *testing.T) {
	w := newWorld(t)
	admin, _, _, method := w.acme()
	if n := admin.get("/link/" + method).wantStatus(http.StatusOK).page().Find("main form button").Length(); n != 1 {
		t.Errorf("as a member: got %d buttons, want one", n)
	}
	stranger := w.browser()
	stranger.signUp("Stranger", "stranger@other.test")
	a := stranger.get("/link/" + method).wantStatus(http.StatusForbidden).wantText("not_a_member").wantText("Only members").wantText("Acme Okta")
	if a.page().Find("main form").Length() != 0 {
		t.Error("as a stranger: got a form, want none")
	}
}
