package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// userOf is the first person on a list of people.
func userOf(page *goquery.Document) string {
	return idOf(page.Find("tbody a").AttrOr("href", ""))
}

func TestPeopleAreReleasedAndRemoved(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, _ := w.acme()
	list := organization + "/people"
	b.get(list).wantText("olive@acme.test").wantText("Super admin").wantText("Nobody")
	b.speaks(organization, "acme.test", provider)
	bob := w.browser()
	bob.through(bob.post("/login", "email", "bob@acme.test").page().Find("a.way.first").AttrOr("href", ""), "bob")
	page := b.get(list).wantText("bob@acme.test").page()
	person := page.Find("tbody a:contains('bob@')").AttrOr("href", "")
	b.get(list + "?find=olive").wantText("olive@acme.test")
	if got := b.get(list + "?find=olive").text(); strings.Contains(got, "bob@") {
		t.Error("somebody is shown who is not looked for")
	}

	b.get(person).wantText("Managed by Acme").wantText("Release account")
	b.post(person + "/delete").wantStatus(http.StatusBadRequest).wantText("Release them first")
	b.post(person + "/release").wantStatus(http.StatusConflict).wantText("Remove the domain first")
	b.post(organization + "/domains/acme.test/delete").to()
	if got := b.post(person + "/release").to(); got != person+"?done=person-released" {
		t.Fatalf("got sent to %s, want the person", got)
	}
	b.get(person + "/delete").wantText("Their account stays theirs")
	if got := b.post(person + "/delete").to(); got != list+"?done=person-removed" {
		t.Fatalf("got sent to %s, want the list", got)
	}
	b.get(person).wantStatus(http.StatusNotFound).wantText("No such member")
	bob.get(organization).wantStatus(http.StatusNotFound)

	// The last super admin stays.
	own := list + "/" + userOf(b.get(list).page())
	b.get(own + "/delete").wantText("Leave organization")
	b.post(own + "/delete").wantStatus(http.StatusBadRequest).wantText("no super admin any more")
}
