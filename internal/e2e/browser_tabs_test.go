package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
)

// Later tests carry one person's answer into another person's browser: that
// says something only if the two browsers share nothing.
func TestTabsShareCookiesAndPrivateTabsDoNot(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := "nobody"
		if c, err := r.Cookie("who"); err == nil {
			who = c.Value
		}
		if r.URL.Path == "/set" {
			http.SetCookie(w, &http.Cookie{Name: "who", Value: "alice", Path: "/"})
			http.Redirect(w, r, "/home", http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<title>Who</title><link rel=icon href=data:,><p id=who>" + who + "</p>"))
	}))
	t.Cleanup(s.Close)
	b := needBrowser(t)
	first := b.tab(t)
	first.do(chromedp.Navigate(s.URL + "/set"))
	if got := first.location(); got != s.URL+"/home" {
		t.Errorf("got to %s, want %s", got, s.URL+"/home")
	}
	for _, tt := range []struct {
		name string
		tab  *tab
		want string
	}{
		{"another tab", b.tab(t), "alice"},
		{"a private tab", b.private(t), "nobody"},
	} {
		tt.tab.do(chromedp.Navigate(s.URL + "/home"))
		if got := tt.tab.text("#who"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
