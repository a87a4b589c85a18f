package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

func TestAnAttemptIsFoundByWhatThePersonReadsOut(t *testing.T) {
	w := newWorld(t)
	admin, organization, _, method := w.acme()
	refused := w.browser().throughIdP("/v1/sso/saml/login/"+method, "alice", "wrong-audience").wantStatus(http.StatusForbidden)
	words := refused.page().Find("dl.quote div").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return s.Find("dt").Text() == "Three words"
	}).Find("dd").Text()
	if strings.Count(words, "-") != 2 {
		t.Fatalf("got the words %q on the person's page", words)
	}
	list := admin.get(organization + "/login-traces?words=" + strings.ReplaceAll(strings.ToUpper(words), "-", "+")).wantStatus(http.StatusOK)
	checkPage(t, "attempts", list.page())
	trace := list.page().Find("tbody th a").AttrOr("href", "")
	page := admin.get(trace).wantStatus(http.StatusOK).wantText("The assertion was meant for another service").wantText("Audience").wantText("Failed")
	checkPage(t, "attempt", page.page())
	if strings.Contains(page.text(), "alice@acme.test") {
		t.Error("got the person's address before somebody asked for it")
	}
	admin.get(trace + "?show=attributes").wantText("alice@acme.test")
	admin.get(organization + "/audit-log?action=trace.").wantText("Looked at what a trace of a login says")
	admin.post(trace + "/recheck").wantStatus(http.StatusOK).wantText("It would be refused now")

	shared := admin.post(trace + "/share").wantStatus(http.StatusOK)
	link := shared.page().Find("#share").Text()
	elsewhere := w.browser()
	seen := elsewhere.get(strings.TrimPrefix(link, w.site.URL)).wantStatus(http.StatusOK).wantText("meant for another service")
	checkPage(t, "shared attempt", seen.page())
	if strings.Contains(seen.text(), "alice@acme.test") || seen.page().Find("dt:contains(From)").Length() > 0 {
		t.Error("a link without attributes shows the person")
	}
	elsewhere.get("/login-trace/" + strings.Repeat("x", 32)).wantStatus(http.StatusNotFound)

	if got := admin.post(trace + "/delete-response").to(); !strings.Contains(got, "done=response-deleted") {
		t.Errorf("got sent to %s", got)
	}
	admin.post(trace + "/recheck").wantStatus(http.StatusConflict).wantText("not kept")
	stranger := w.browser()
	stranger.signUp("Eve", "eve@elsewhere.test")
	stranger.get(trace).wantStatus(http.StatusNotFound)
}

func TestSettingsAreTriedBeforeTheyAreInForce(t *testing.T) {
	w := newWorld(t)
	admin, _, provider, method := w.acme()
	admin.post(provider + "/disable").to()
	form := formOn(admin.get(provider + "/edit").page())
	form["saml_entity_id"] = "https://wrong.example"
	for _, c := range []struct {
		name string
		form map[string]string
		want string
	}{{"a draft", form, "do not work yet"}, {"as they are", nil, "work"}} {
		page := admin.post(provider+"/test", pairsOf(c.form)...).to()
		b := w.browser()
		b.get(page).wantStatus(http.StatusOK).wantText("nobody is let in here")
		if got := b.getFrom("cross-site", page+"/start").to(); got != page {
			t.Errorf("%s: sent from another site: got sent to %s, want the page that asks", c.name, got)
		}
		if got := b.throughIdP(page+"/start", "bob", "").to(); !strings.HasSuffix(got, page) {
			t.Fatalf("%s: got sent to %s, want the test's page", c.name, got)
		}
		done := b.get(page).wantStatus(http.StatusOK).wantText(c.want).wantText("Nobody was let in").wantText("bob@acme.test")
		checkPage(t, "test of settings", done.page())
		if b.token() != "" {
			t.Errorf("%s: got a session of a test", c.name)
		}
		b.get(page + "/start").wantStatus(http.StatusConflict)
	}
	w.browser().get("/v1/sso/saml/login/" + method).wantStatus(http.StatusForbidden)
	admin.post(provider+"/test", "authentication_method_name", "x", "saml_idp_url", "javascript:alert(1)").wantStatus(http.StatusBadRequest)
}
