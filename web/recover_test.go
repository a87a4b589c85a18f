package web

import (
	"net/http"
	"strings"
	"testing"
)

// recovery makes a link for a super admin and gives its path.
func (w *world) recovery(organization, email string) string {
	w.t.Helper()
	secret, _, err := w.server.Login.Recovery.MakeLink(w.t.Context(), idOf(organization), email, false)
	if err != nil {
		w.t.Fatal(err)
	}
	return "/recover/" + secret
}

func TestARecoveryLinkLogsInOnceAndOpensItsOrganizationAlone(t *testing.T) {
	w := newWorld(t)
	owner := w.browser()
	owner.signUp("Olive Owner", "olive@acme.test")
	organization, other := owner.addOrganization("Acme"), owner.addOrganization("Globex")
	link := w.recovery(organization, "olive@acme.test")

	b := w.browser()
	for range 2 { // looking uses nothing up
		page := b.get(link).wantStatus(http.StatusOK)
		page.wantText("olive@acme.test").wantText("Acme").wantText("an hour")
		checkPage(t, "recover", page.page())
	}
	home := b.get(b.post(link).to()).to()
	if home != organization {
		t.Errorf("got sent to %s, want %s", home, organization)
	}
	b.get(organization).wantStatus(http.StatusOK).wantText("super admin")
	b.get(organization + "/identity-providers").wantStatus(http.StatusOK)
	b.get(other).wantStatus(http.StatusForbidden).wantText("recovery link")
	b.get("/").wantText("Recovery link for Acme alone")
	b.get(organization + "/audit-log").wantText("Made a recovery link").wantText("operator on the server").wantText("Logged in").wantText("recovery")

	// Neither its holder nor anybody else uses it again.
	for _, who := range []*tab{b, w.browser()} {
		who.get(link).wantStatus(http.StatusNotFound).wantText("opens nothing")
		who.post(link).wantStatus(http.StatusNotFound)
	}
	if strings.Contains(w.log.String(), strings.TrimPrefix(link, "/recover/")) {
		t.Error("the secret is in the log")
	}
}

func TestARecoveryIsFinishedInTheBrowserThatUsedTheLink(t *testing.T) {
	w := newWorld(t)
	owner := w.browser()
	owner.signUp("Olive Owner", "olive@acme.test")
	organization := owner.addOrganization("Acme")
	next := w.browser().post(w.recovery(organization, "olive@acme.test")).to()
	w.browser().get(next).wantStatus(http.StatusForbidden).wantText("another browser")
}

func TestNonsenseIsNoRecoveryLink(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/recover/x", "/recover/" + strings.Repeat("a", 32), "/recover/%00%ff", "/recover/" + strings.Repeat("a", 5000)} {
		w.browser().get(path).wantStatus(http.StatusNotFound).wantText("opens nothing")
		w.browser().post(path).wantStatus(http.StatusNotFound)
	}
}
