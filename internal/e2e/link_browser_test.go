package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"gatehouse/internal/demoidp"
)

// A person with a password links their account in a real browser, logs in
// through the provider, and starts a login there, by either binding.
func TestLinkingAndStartingElsewhereInABrowser(t *testing.T) {
	chromium := needBrowser(t)
	for _, binding := range []string{"redirect", "post"} {
		t.Run(binding, func(t *testing.T) {
			b := startBroker(t, "")
			var serve http.Handler
			idp, err := demoidp.New(onLocalhost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve.ServeHTTP(w, r) })))
			if err != nil {
				t.Fatal(err)
			}
			serve = idp.Handler()
			p := b.connect(b.account, "Acme IdP", map[string]any{
				"saml_idp_metadata": string(idp.Metadata()), "saml_request_binding": binding,
				"saml_field_mapping": map[string]string{"identity": "username"}, "saml_idp_login_allowed": true,
			})
			idp.Register(demoidp.SP{EntityID: p.Metadata, ACSURL: p.ACS, Name: "Gatehouse"})

			tab := chromium.private(t)
			tab.do(
				chromedp.Navigate(b.base+"/link/"+p.ID),
				chromedp.SendKeys(chromedp.CSS("input[name=email]"), operatorMail+"\r"),
				chromedp.WaitVisible(chromedp.CSS("input[name=password]")),
				chromedp.SendKeys(chromedp.CSS("input[name=password]"), operatorPassword+"\r"),
				chromedp.WaitVisible(chromedp.CSS("form[action='/link/"+p.ID+"'] button")),
			)
			tab.picture("link")
			tab.do(
				chromedp.Click(chromedp.CSS("form[action='/link/"+p.ID+"'] button")),
				chromedp.WaitVisible(chromedp.CSS("button[value=alice]")),
				chromedp.Click(chromedp.CSS("button[value=alice]")),
				chromedp.WaitVisible(chromedp.CSS("form[action='/login/continue'] button")),
			)
			tab.picture("link-confirm")
			if got := tab.text("main"); !strings.Contains(got, "Alice Archer") || !strings.Contains(got, operatorMail) || !strings.Contains(got, "Acme IdP") {
				t.Errorf("the page that asks shows:\n%s", got)
			}
			tab.do(
				chromedp.Click(chromedp.CSS("form[action='/login/continue'] button")),
				chromedp.WaitVisible(chromedp.CSS("form[action='/profile']")),
			)

			// A login that starts at the provider ends in the same account.
			elsewhere := chromium.private(t)
			elsewhere.do(
				chromedp.Navigate(strings.TrimSuffix(idp.SSOURL, "/sso")+"/start?sp="+p.Metadata),
				chromedp.WaitVisible(chromedp.CSS("button[value=alice]")),
				chromedp.Click(chromedp.CSS("button[value=alice]")),
			)
			// It is started once more from here, so the provider asks again.
			elsewhere.do(
				chromedp.WaitVisible(chromedp.CSS("form:has(input[name=request]:not([value=''])) button[value=alice]")),
				chromedp.Click(chromedp.CSS("button[value=alice]")),
				chromedp.WaitVisible(chromedp.CSS("form[action='/login/continue'] button")),
			)
			// This browser does not know the provider, so its person is asked.
			elsewhere.picture("bounce-confirm")
			if got := elsewhere.text("main"); !strings.Contains(got, operatorMail) || !strings.Contains(got, "Acme IdP") {
				t.Errorf("the page that asks shows:\n%s", got)
			}
			elsewhere.do(
				chromedp.Click(chromedp.CSS("form[action='/login/continue'] button")),
				chromedp.WaitVisible(chromedp.CSS("form[action='/logout']")),
			)
			if got := elsewhere.text("main"); !strings.Contains(got, operatorMail) {
				t.Errorf("the home page shows:\n%s", got)
			}
			for _, c := range append(tab.complaints(), elsewhere.complaints()...) {
				if strings.Contains(c, b.base) {
					t.Errorf("the browser complains: %s", c)
				}
			}
		})
	}
}
