package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"gatehouse/internal/demoidp"
)

// A super admin makes a token, lets single sign-on alone in on trial, is
// refused at once, comes back through the identity provider and confirms.
func TestTokensAndAPolicyOnTrialInABrowser(t *testing.T) {
	chromium := needBrowser(t)
	b := startBroker(t, "")
	p := b.connectServed()
	tab := chromium.private(t)
	policy := b.base + "/organization/" + b.org + "/authentication-policy"
	linkByHand(b, tab, p.ID)

	tab.do(
		chromedp.Navigate(b.base+"/profile/tokens/new"),
		chromedp.SendKeys(chromedp.CSS("#in-description"), "Nightly report"),
		chromedp.Click(chromedp.CSS("[id='in-scope.projects:read']")),
	)
	tab.looks("token-new")
	tab.do(chromedp.Click(chromedp.CSS("form[action='/profile/tokens'] button.primary")), chromedp.WaitVisible(chromedp.CSS("#copy-token")), chromedp.WaitVisible(chromedp.CSS("[data-copy=copy-token]")))
	tab.looks("token-made")
	token := tab.text("#copy-token")
	if got := tab.location(); strings.Contains(got, token[:12]) || got != b.base+"/profile/tokens" {
		t.Errorf("the new token is shown at %s, want the address of the form", got)
	}
	if status, text := b.callAs(token, "GET", "/v1/organization/"+b.org, nil); status != 403 || !strings.Contains(string(text), "token_scope_insufficient") {
		t.Errorf("beyond its scopes the token gets %d %s, want 403", status, text)
	}
	if status, text := b.callAs(token, "GET", "/v1/project", nil); status != 200 {
		t.Errorf("within its scopes the token gets %d %s, want 200", status, text)
	}
	tab.do(chromedp.Navigate(b.base+"/profile/tokens"), chromedp.WaitVisible(chromedp.CSS("table.log")))
	tab.looks("tokens")
	if got := tab.text("main"); !strings.Contains(got, "Nightly report") || !strings.Contains(got, "This session") || strings.Contains(got, token) {
		t.Errorf("the list of tokens shows:\n%s", got)
	}
	tab.do(chromedp.Navigate(b.base+"/profile/login-methods"), chromedp.WaitVisible(chromedp.CSS("table.log")))
	tab.looks("login-methods")

	tab.do(chromedp.Navigate(policy), chromedp.WaitVisible(chromedp.CSS("#in-password_auth_enabled")))
	tab.looks("policy")
	tab.do(
		chromedp.Click(chromedp.CSS("#in-password_auth_enabled")),
		chromedp.Click(chromedp.CSS("#in-passkey_enabled")),
		chromedp.Click(chromedp.CSS("#in-saml_allow_external")),
		chromedp.Click(chromedp.CSS("form[action$='/preview'] button.primary")),
		chromedp.WaitVisible(chromedp.CSS("#in-how")),
	)
	tab.looks("policy-preview")
	if got := tab.text("main"); !strings.Contains(got, "It would refuse you yourself") || !strings.Contains(got, "Nightly report") {
		t.Errorf("the preview shows:\n%s", got)
	}
	tab.do(
		chromedp.Click(chromedp.CSS("input[name=how][value='600']")),
		chromedp.Click(chromedp.CSS("#in-force")),
		chromedp.Click(chromedp.CSS("form.save button.primary")),
		chromedp.WaitVisible(chromedp.CSS("a.way.first")),
	)
	tab.looks("refused")
	if got := tab.text("main"); !strings.Contains(got, "You logged in with a password") {
		t.Errorf("the refusal shows:\n%s", got)
	}
	tab.do(chromedp.Navigate(b.base+"/"), chromedp.WaitVisible(chromedp.CSS("#refused-title")))
	tab.looks("home")
	tab.do(
		chromedp.Navigate(policy),
		chromedp.WaitVisible(chromedp.CSS("a.way.first")),
		chromedp.Click(chromedp.CSS("a.way.first")),
		chromedp.WaitVisible(chromedp.CSS("button[value=alice]")),
		chromedp.Click(chromedp.CSS("button[value=alice]")),
		chromedp.WaitVisible(chromedp.CSS("form[action$='/confirm'] button")),
	)
	tab.looks("trial")
	tab.do(chromedp.Click(chromedp.CSS("form[action$='/confirm'] button")), chromedp.WaitVisible(chromedp.CSS("#in-password_auth_enabled")))
	if got := tab.text("main"); !strings.Contains(got, "The change is confirmed") {
		t.Errorf("after confirming the page shows:\n%s", got)
	}
	if get(tab, chromedp.Evaluate[bool](`document.querySelector('#in-password_auth_enabled').checked`)) {
		t.Error("passwords are admitted once the change is confirmed, want them not to be")
	}
	for _, c := range tab.complaints() {
		if !strings.Contains(c, "403") {
			t.Errorf("the browser complains: %s", c)
		}
	}
}

// connectServed connects an identity provider that a browser can open.
func (b *broker) connectServed() provider {
	b.t.Helper()
	var serve http.Handler
	idp, err := demoidp.New(onLocalhost(b.t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve.ServeHTTP(w, r) })))
	if err != nil {
		b.t.Fatal(err)
	}
	serve = idp.Handler()
	p := b.connect(b.account, "Acme IdP", map[string]any{
		"saml_idp_metadata": string(idp.Metadata()), "saml_field_mapping": map[string]string{"identity": "username"},
	})
	idp.Register(demoidp.SP{EntityID: p.Metadata, ACSURL: p.ACS, Name: "Gatehouse"})
	return p
}

// linkByHand logs the operator in with a password, and links them to Alice.
func linkByHand(b *broker, tab *tab, method string) {
	b.t.Helper()
	tab.do(
		chromedp.Navigate(b.base+"/link/"+method),
		chromedp.SendKeys(chromedp.CSS("input[name=email]"), operatorMail+"\r"),
		chromedp.WaitVisible(chromedp.CSS("input[name=password]")),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), operatorPassword+"\r"),
		chromedp.WaitVisible(chromedp.CSS("form[action='/link/"+method+"'] button")),
		chromedp.Click(chromedp.CSS("form[action='/link/"+method+"'] button")),
		chromedp.WaitVisible(chromedp.CSS("button[value=alice]")),
		chromedp.Click(chromedp.CSS("button[value=alice]")),
		chromedp.WaitVisible(chromedp.CSS("form[action='/login/continue'] button")),
		chromedp.Click(chromedp.CSS("form[action='/login/continue'] button")),
		chromedp.WaitVisible(chromedp.CSS("form[action='/profile']")),
	)
}

// looks takes pictures of a page on a phone and on a desk, light and dark, and
// fails where it is wider than the phone.
func (b *tab) looks(name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.do(prefer(scheme), chromedp.EmulateViewport(360, 740))
		if wide := get(b, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
			b.t.Errorf("%s: got a page %d pixels wide on a screen of 360, want it to fit", name, wide)
		}
		b.picture(name + "-360-" + scheme)
		b.do(chromedp.EmulateViewport(1280, 900))
		b.picture(name + "-1280-" + scheme)
	}
}
