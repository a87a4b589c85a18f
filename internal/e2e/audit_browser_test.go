package e2e_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestRecoveryAndTheAuditLogOnAPhone(t *testing.T) {
	chromium := needBrowser(t)
	s := site{address: freePort(t), data: filepath.Join(t.TempDir(), "data")}
	b, _ := s.start(t)
	b.setUp()
	_, method := b.connectDemo(b.account, nil)
	b.configure(b.account, method, map[string]any{"saml_idp_login_allowed": true})
	text, errs, err := s.gatehouse(t, "recover", "--organization", b.org, "--login-link", operatorMail, "--json")
	var made struct {
		Link string `json:"login_link"`
	}
	if err != nil || json.Unmarshal([]byte(text), &made) != nil {
		t.Fatalf("got %v: %s%s, want a link", err, text, errs)
	}
	tab := chromium.private(t)
	fits := func(page string) {
		t.Helper()
		if wide := get(tab, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
			t.Errorf("%s: got a page %d pixels wide on a screen of 360, want it to fit", page, wide)
		}
	}
	tab.do(chromedp.EmulateViewport(360, 740), chromedp.Navigate(made.Link), chromedp.WaitVisible(chromedp.CSS("form button.primary")))
	tab.picture("recover")
	fits("recovery link")
	tab.do(chromedp.Click(chromedp.CSS("form button.primary")), chromedp.WaitVisible(chromedp.CSS(".console main")))
	tab.do(chromedp.Navigate(b.base+"/organization/"+b.org+"/audit-log"), chromedp.WaitVisible(chromedp.CSS("table.log")))
	tab.picture("audit-log")
	fits("audit log")
	tab.do(chromedp.Click(chromedp.CSS("table.log tbody tr:nth-child(3) summary")))
	tab.picture("audit-log-details")
	fits("audit log with details")
	if got := tab.text("table.log tbody tr:nth-child(3)"); !strings.Contains(got, "saml_idp_login_allowed") {
		t.Errorf("got the third event %q, want the change of the identity provider with its details", got)
	}
	tab.do(chromedp.EmulateViewport(1280, 800))
	tab.picture("audit-log-wide")
	if got := tab.complaints(); len(got) != 0 {
		t.Errorf("got complaints of the browser, want none:\n%s", strings.Join(got, "\n"))
	}
}
