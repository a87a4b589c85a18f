package web

import (
	"net/http"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

func TestSigningUpNamesEveryFieldAtFault(t *testing.T) {
	w := newWorld(t)
	taken := w.browser()
	taken.signUp("Ann", "ann@acme.test")
	for _, c := range []struct {
		name                  string
		real, email, password string
		status                int
		want                  []string // the inputs that the summary leads to, in order
	}{
		{"nothing", "", "", "", 400, []string{"#in-real_name", "#in-email", "#in-password"}},
		{"an address that is none, and a short password", "Bob", "bob", "short", 400, []string{"#in-email", "#in-password"}},
		{"a name of line breaks alone", "\n\n", "bob@acme.test", goodPassword, 400, []string{"#in-real_name"}},
		{"the address as the password", "Bob", "bob@acme.test", "bob@acme.test", 400, []string{"#in-password"}},
		{"an address that is taken", "Bob", "ann@acme.test", goodPassword, 409, []string{"#in-email"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.browser().post("/signup", "real_name", c.real, "email", c.email, "password", c.password).wantStatus(c.status)
			page := a.page()
			var got []string
			page.Find("[role=alert] a, .problems a").Each(func(_ int, link *goquery.Selection) {
				got = append(got, link.AttrOr("href", ""))
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("summary (-want +got):\n%s\n%s", diff, a.text())
			}
			for _, id := range c.want {
				if page.Find(id+"[aria-invalid=true]").Length() != 1 {
					t.Errorf("%s is not marked as wrong", id)
				}
			}
			if page.Find("#in-email").AttrOr("value", "") != c.email || page.Find("#in-password").AttrOr("value", "") != "" {
				t.Error("the address is not kept, or the password is")
			}
		})
	}
	if got := w.browser().post("/signup", "real_name", "Bob", "email", "bob@acme.test", "password", goodPassword).StatusCode; got != http.StatusSeeOther {
		t.Errorf("with all mended: got status %d, want 303", got)
	}
}
