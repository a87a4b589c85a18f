package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// sayYes answers the question of a page as its button does.
func (b *tab) sayYes(asked *answer) *answer {
	b.t.Helper()
	form := asked.page().Find("form[action='/login/continue']")
	if form.Length() != 1 {
		b.t.Fatalf("got status %d and no question; the page says: %s", asked.StatusCode, asked.text())
	}
	var pairs []string
	form.Find("input[type=hidden]").Each(func(_ int, in *goquery.Selection) {
		pairs = append(pairs, in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	return b.post("/login/continue", pairs...)
}

// A page of another site can send a browser to the login of an identity
// provider whose owner decides who comes back.
func TestWhoIsAskedAfterALoginThatDidNotBeginHere(t *testing.T) {
	w := newWorld(t)
	admin, _, provider, method := w.acme()
	w.setStarts(admin, provider, "bounce")
	known := w.browser()
	known.get(known.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to()).to()

	for _, c := range []struct {
		name, site, referer string
		asked               bool // in a browser that does not know the provider
	}{
		{"our own page", "same-origin", "", false},
		{"a bookmark", "none", "", false},
		{"another site", "cross-site", "", true},
		{"another host of this site", "same-site", "", true},
		{"another site, with a referer of ours", "cross-site", w.site.URL + "/login", true},
		{"words that we do not know", "moon", "", true},
		{"an old browser, our own page", "", w.site.URL + "/login", false},
		{"an old browser, another site", "", "https://evil.example/", true},
		{"an old browser, a host that begins as ours does", "", w.site.URL + "1/", true},
		{"an old browser, nothing said", "", "", true},
	} {
		for _, query := range []string{"?return_to=%2Fprofile", "?bounce=1&return_to=%2Fprofile"} {
			t.Run(c.name+query[:4], func(t *testing.T) {
				start := func(b *tab) *answer {
					r, err := http.NewRequest("GET", w.site.URL+"/v1/sso/saml/login/"+method+query, nil)
					if err != nil {
						t.Fatal(err)
					}
					if c.site != "" {
						r.Header.Set("Sec-Fetch-Site", c.site)
					}
					r.Header.Set("Referer", c.referer)
					return b.get(b.answerAt(b.do(r).to(), "bob", "").to())
				}
				if got := start(known).to(); got != "/profile" {
					t.Errorf("in a browser that knows the provider: got sent to %s, want /profile", got)
				}
				b := w.browser()
				end := start(b)
				if !c.asked {
					if got := end.to(); got != "/profile" {
						t.Errorf("got sent to %s, want /profile", got)
					}
					return
				}
				end.wantStatus(http.StatusOK).wantText("Bob Brännström").wantText("bob@acme.test").wantText("Acme Okta").wantText("identity provider of Acme")
				if got := b.token(); got != "" {
					t.Fatalf("got the session %q before the person said yes", got)
				}
				if got := b.get("/").to(); !strings.HasPrefix(got, "/login") {
					t.Errorf("before the yes: the home page sends to %s, want the login page", got)
				}
				if got := b.sayYes(end).to(); got != "/profile" {
					t.Errorf("after the yes: got sent to %s, want /profile", got)
				}
				// One yes is enough.
				if got := start(b).to(); got != "/profile" {
					t.Errorf("the next time: got sent to %s, want /profile", got)
				}
			})
		}
	}
}

// The start says what is asked; no address and no form of the answer undoes it.
func TestAQuestionCannotBeGoneRound(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	known := w.browser()
	known.get(known.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to()).to()

	b := w.browser()
	next := b.answerAt(b.getFrom("cross-site", "/v1/sso/saml/login/"+method).to(), "bob", "").to()
	for _, address := range []string{next, next + "&confirmed=true", next + "&bounce=1"} {
		b.get(address).wantStatus(http.StatusOK).wantText("Go on only if this is you")
	}
	b.postFrom("cross-site", next, "flow", next[strings.Index(next, "flow=")+5:]).wantStatus(http.StatusForbidden)
	if got := b.token(); got != "" {
		t.Errorf("got the session %q, want none without a yes", got)
	}
}
