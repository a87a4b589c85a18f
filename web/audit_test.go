package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/audit"
)

func TestTheAuditLogTellsWhoChangedWhat(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	organization := b.addOrganization("Acme")
	b.post(organization, "organization_name", "Acme Ltd").to()
	doc := b.get(organization + "/audit-log").wantStatus(http.StatusOK).page()
	rows := doc.Find("table.log tbody tr")
	if rows.Length() != 2 {
		t.Fatalf("got %d rows, want 2", rows.Length())
	}
	newest := strings.Join(strings.Fields(rows.First().Text()), " ")
	for _, want := range []string{"just now", "alice@acme.test", "Changed the organization: Acme Ltd", "Acme became Acme Ltd", "192.0.2.7", audit.OrganizationUpdate} {
		if !strings.Contains(newest, want) {
			t.Errorf("got the newest row %q, want %q in it", newest, want)
		}
	}
	if exact := rows.First().Find("td time").AttrOr("title", ""); !strings.Contains(exact, "UTC") {
		t.Errorf("got the exact time %q, want one in UTC", exact)
	}
	if n := doc.Find("nav.pager").Length(); n != 0 {
		t.Errorf("got %d pagers on the only page, want none", n)
	}
	if n := doc.Find(`nav a[aria-current="page"][href$="/audit-log"]`).Length(); n != 2 { // rail and menu
		t.Errorf("got %d entries of the rail marked, want 2", n)
	}
}

func TestTheAuditLogIsFilteredAndPaged(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	organization := b.addOrganization("Acme")
	log := organization + "/audit-log"
	for n := range eventsOnPage {
		b.post(organization, "organization_name", "Acme "+strings.Repeat("x", n+1)).to()
	}
	first := b.get(log + "?actor=alice@").wantStatus(http.StatusOK).page()
	older, found := first.Find("nav.pager a").Attr("href")
	if n := first.Find("table.log tbody tr").Length(); n != eventsOnPage || !found || !strings.Contains(older, "actor=alice%40") {
		t.Fatalf("got %d rows, and on to %q; want %d and the same filter", n, older, eventsOnPage)
	}
	second := b.get(older).wantStatus(http.StatusOK)
	if n := second.page().Find("table.log tbody tr").Length(); n != 1 {
		t.Errorf("got %d rows on the second page, want 1", n)
	}
	second.wantText("Made the organization").wantText("Newest events")

	b.get(log + "?action=idp.").wantStatus(http.StatusOK).wantText("Nothing matches")
	b.get(log + "?action=organization.create").wantStatus(http.StatusOK).wantText("Made the organization")
	kept := b.get(log + "?action=organization.create&actor=alice").page()
	if got := kept.Find("select[name=action] option[selected]").AttrOr("value", ""); got != "organization.create" {
		t.Errorf("got the action %q chosen, want what was asked for", got)
	}
	if got := kept.Find("input[name=actor]").AttrOr("value", ""); got != "alice" {
		t.Errorf("got the person %q, want what was typed", got)
	}
	for _, q := range []string{"cursor=x", "action=" + strings.Repeat("a", 65), "actor=" + strings.Repeat("a", 321)} {
		b.get(log + "?" + q).wantStatus(http.StatusBadRequest).wantText("There is a problem")
	}
	b.get(log + "?actor=" + url.QueryEscape("\x00\xff<script>")).wantStatus(http.StatusOK).wantText("Nothing matches")
}

func TestTheAuditLogIsForSuperAdmins(t *testing.T) {
	w := newWorld(t)
	w.withIdP()
	owner, member := w.browser(), w.browser()
	owner.signUp("Olive Owner", "olive@acme.test")
	organization := owner.addOrganization("Acme")
	method := owner.connect(owner.addIdP(organization, "Acme Okta"))
	member.get(member.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to()).to()
	member.get(organization + "/audit-log").wantStatus(http.StatusForbidden)
	if n := member.get(organization).page().Find(`a[href$="/audit-log"]`).Length(); n != 0 {
		t.Errorf("got %d links to the log for a member, want none", n)
	}
	log := owner.get(organization + "/audit-log").wantStatus(http.StatusOK)
	log.wantText("bob@acme.test").wantText("Made an account for themselves").wantText("Logged in").wantText("Enabled an identity provider")
}

func TestAllActionsHaveAGroupInTheFilter(t *testing.T) {
	forOperators := []string{audit.BackupCreate, audit.KeysRotate, audit.KeysPrune}
	for _, action := range audit.Actions() {
		found := false
		for _, g := range auditGroups[1:] {
			found = found || strings.HasPrefix(action, g.Value)
		}
		for _, a := range forOperators {
			found = found || a == action
		}
		if !found {
			t.Errorf("no choice of the filter shows %s", action)
		}
	}
}
