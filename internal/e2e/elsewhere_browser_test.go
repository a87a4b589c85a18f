package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"gatehouse/internal/demoidp"
)

// An attacker is a member of an organization here with an identity provider of
// his own, which answers as him whoever comes. A page of his sends a browser
// there, in which nobody is logged in.
func TestAnotherSiteLogsNobodyInUnasked(t *testing.T) {
	chromium := needBrowser(t)
	b := startBroker(t, "")
	var idp *demoidp.IdP
	var p provider
	var site string
	site = onLocalhost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path != "/sso" {
			// Once the page is there: before, the tab would say that it was not.
			fmt.Fprintf(w, `<script>onload = () => setTimeout(() => { location.href = %q })</script>`, p.Login)
			return
		}
		attacker, _ := idp.User("bob")
		acs, form, err := idp.Answer(site+r.URL.String(), attacker)
		if err != nil {
			t.Errorf("answer as the attacker: %v", err)
			return
		}
		fmt.Fprintf(w, `<form method="post" action="%s"><input name="SAMLResponse" value="%s"><input name="RelayState" value="%s"></form><script>document.forms[0].submit()</script>`,
			acs, form.Get("SAMLResponse"), form.Get("RelayState"))
	}))
	idp, err := demoidp.New(site)
	if err != nil {
		t.Fatal(err)
	}
	p = b.connect(b.account, "Evil IdP", map[string]any{
		"saml_idp_metadata": string(idp.Metadata()), "saml_field_mapping": map[string]string{"identity": "username"},
	})
	idp.Register(demoidp.SP{EntityID: p.Metadata, ACSURL: p.ACS})
	attacker := newPerson(t)
	if in := attacker.open(attacker.through(idp, p.Login+"?intent=signup", "bob").location); in.status != http.StatusSeeOther {
		t.Fatalf("the attacker's account: got %d, want it made", in.status)
	}

	yes := chromedp.CSS("form[action='/login/continue'] button")
	tab := chromium.private(t)
	tab.do(chromedp.Navigate(site+"/attack"), chromedp.WaitVisible(yes))
	tab.picture("asked")
	if got := tab.text("main"); !strings.Contains(got, "Bob") || !strings.Contains(got, "Evil IdP") || !strings.Contains(got, "Acme") {
		t.Errorf("the page that asks shows:\n%s", got)
	}
	// Without a click, nobody is logged in.
	tab.do(chromedp.Navigate(b.base+"/"), chromedp.WaitVisible(chromedp.CSS("input[name=email]")))
	if got := tab.location(); !strings.HasPrefix(got, b.base+"/login") {
		t.Errorf("got to %s, want the login page", got)
	}

	// Whoever means it says so once.
	home := chromedp.WaitVisible(chromedp.CSS("form[action='/logout']"))
	tab.do(chromedp.Navigate(site+"/attack"), chromedp.WaitVisible(yes), chromedp.Click(yes), home)
	tab.do(chromedp.Click(chromedp.CSS("form[action='/logout'] button")), chromedp.WaitVisible(chromedp.CSS("input[name=email]")))
	tab.do(chromedp.Navigate(site+"/again"), home)
}
