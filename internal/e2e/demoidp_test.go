package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"gatehouse/internal/demoidp"
)

// onLocalhost serves h under the other name of the loopback interface.
func onLocalhost(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
}

// acs is a service provider's end that shows what it was posted.
func acs(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.Method != http.MethodPost || r.PostFormValue("SAMLResponse") == "" {
			http.Error(w, "no answer", http.StatusBadRequest)
			return
		}
		// Behind a redirect, as at the broker: form-action applies to it too.
		if r.URL.Path == "/acs" {
			http.Redirect(w, r, "/done", http.StatusTemporaryRedirect)
			return
		}
		w.Write([]byte("<title>Arrived</title><link rel=icon href=data:,><body><p id=arrived>" + r.PostFormValue("RelayState") + "</p>"))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/acs"
}

func TestDemonstrationLoginInABrowser(t *testing.T) {
	b := needBrowser(t)
	var h http.Handler
	base := onLocalhost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	p, err := demoidp.New(base)
	if err != nil {
		t.Fatal(err)
	}
	sp := demoidp.SP{EntityID: "urn:sp", ACSURL: acs(t), Name: "Gatehouse"}
	p.Register(sp)
	h = p.Handler()

	tab := b.tab(t)
	start := base + "/start?" + url.Values{"sp": {sp.EntityID}, "RelayState": {"flow-1"}}.Encode()
	tab.do(
		chromedp.EmulateViewport(360, 740),
		chromedp.Navigate(start),
		chromedp.WaitVisible(chromedp.CSS("button[value=bob]")),
	)
	tab.picture("login")
	if wide := get(tab, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
		t.Errorf("got a page %d pixels wide on a screen of 360, want it to fit", wide)
	}
	tab.do(chromedp.Click(chromedp.CSS("button[value=bob]")))
	if got := tab.text("#arrived"); got != "flow-1" {
		t.Errorf("got the relay state %q at the service provider, want flow-1", got)
	}
	if got := tab.complaints(); len(got) != 0 {
		t.Errorf("got complaints of the browser, want none:\n%s", strings.Join(got, "\n"))
	}
}
