package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
)

// join makes a person who belongs to an organization.
func (w *world) join(organization, name string) account.User {
	w.t.Helper()
	u := account.User{ID: "u-" + name, Email: name + "@acme.test", RealName: "Person " + name, State: account.ActiveUser}
	if err := w.store.AddUser(w.t.Context(), u, ""); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.AddMember(w.t.Context(), account.Member{OrganizationID: idOf(organization), UserID: u.ID}); err != nil {
		w.t.Fatal(err)
	}
	return u
}

// inGroup lists the addresses on a group's page.
func (a *answer) inGroup() []string {
	var out []string
	for _, row := range a.page().Find("main tbody tr th").EachIter() {
		out = append(out, strings.TrimSpace(row.Text()))
	}
	return out
}

func TestAGroupFromFirstToLast(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	organization := b.addOrganization("Acme")
	bob := w.join(organization, "bob")
	list := organization + "/groups"
	if href := b.get(organization).page().Find(`main a[href="` + list + `"]`); href.Length() != 1 {
		t.Errorf("got %d links to the groups on the overview, want 1", href.Length())
	}
	b.get(list).wantText("There are no groups yet")
	b.get(list + "/new").wantText("Name it first")

	made := b.post(list, "user_group_name", "Testers", "description", "Who tries it.\r\nOn weekdays.").to()
	group, _, _ := strings.Cut(made, "?")
	b.get(made).wantText("The group is made").wantText("Nobody is in the group yet").wantText("Who tries it. On weekdays.")
	kept, err := w.store.Group(t.Context(), idOf(organization), idOf(group))
	if err != nil || kept.Description != "Who tries it.\nOn weekdays." {
		t.Errorf("got the description %q, %v, want its lines as the API has them", kept.Description, err)
	}

	b.get(b.post(group+"/members", "email", " BOB@acme.test").to()).wantText("They are in the group")
	b.post(group+"/members", "email", "olive@acme.test").to()
	if diff := cmp.Diff([]string{"bob@acme.test", "olive@acme.test"}, b.get(group).inGroup()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.get(list).wantText("Testers").wantText("2 members")

	// As the page's own form sends it, without scripts.
	remove := b.get(group).page().Find("main tbody form").First()
	if got := remove.Find("[name=user_id]").AttrOr("value", ""); got != bob.ID {
		t.Errorf("got the id %q in the first row, want %q", got, bob.ID)
	}
	b.get(b.post(remove.AttrOr("action", ""), "user_id", bob.ID).to()).wantText("not in the group any more")
	if diff := cmp.Diff([]string{"olive@acme.test"}, b.get(group).inGroup()); diff != "" {
		t.Errorf("after removing (-want +got):\n%s", diff)
	}

	form := formOn(b.get(group + "/edit").page())
	form["user_group_name"] = "Trial"
	b.get(b.post(group, pairsOf(form)...).to()).wantText("The group is saved").wantText("Trial")
	kept, err = w.store.Group(t.Context(), idOf(organization), idOf(group))
	if err != nil || kept.Name != "Trial" || kept.Description != "Who tries it.\nOn weekdays." || kept.Members != 1 {
		t.Errorf("got %+v, %v, want the new name and all else as it was", kept, err)
	}

	b.get(group + "/delete").wantText("cannot be undone").wantText("1 member")
	if got := b.post(group + "/delete").to(); got != list+"?done=group-deleted" {
		t.Errorf("delete: got sent to %s, want the list", got)
	}
	b.get(group).wantStatus(http.StatusNotFound).wantText("Group not found")
	b.get(list).wantText("There are no groups yet")
}

func TestNobodyLearnsFromAGroupWhoHasAnAccountElsewhere(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	w.browser().signUp("Eve Elsewhere", "eve@globex.test")
	b.signUp("Olive Owner", "olive@acme.test")
	group := b.addGroup(b.addOrganization("Acme"), "Testers")
	there := b.post(group+"/members", "email", "eve@globex.test").wantStatus(http.StatusBadRequest).text()
	none := b.post(group+"/members", "email", "eva@globex.test").wantStatus(http.StatusBadRequest).text()
	if diff := cmp.Diff(strings.ReplaceAll(none, "eva@", "eve@"), there); diff != "" {
		t.Errorf("an account elsewhere shows (-none +there):\n%s", diff)
	}
}

func TestALargeGroupIsShownInPartAndSearched(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	organization := b.addOrganization("Acme")
	group := b.addGroup(organization, "Testers")
	var ids []string
	for i := range 203 {
		ids = append(ids, w.join(organization, fmt.Sprintf("p%03d", i)).ID)
	}
	if _, err := w.store.AddGroupMembers(t.Context(), idOf(group), ids[:200], w.server.Now()); err != nil {
		t.Fatal(err)
	}
	page := b.get(group)
	if n := len(page.inGroup()); n != 200 || page.page().Find("form.filter").Length() != 0 {
		t.Errorf("got %d people, want all 200 and nothing to search with", n)
	}
	if _, err := w.store.AddGroupMembers(t.Context(), idOf(group), ids, w.server.Now()); err != nil {
		t.Fatal(err)
	}
	page = b.get(group).wantText("3 more are not shown")
	if n := len(page.inGroup()); n != 200 {
		t.Errorf("got %d people, want 200", n)
	}
	found := b.get(group + "?find=P20")
	if diff := cmp.Diff([]string{"p200@acme.test", "p201@acme.test", "p202@acme.test"}, found.inGroup()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.get(group + "?find=q").wantText("Nobody in the group has an address that begins so")
}
