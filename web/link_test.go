package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"gatehouse/audit"
)

// atIdP goes on from a page that leads to the identity provider, logs in there
// as a person, and gives where the answer leads.
func (b *tab) atIdP(onward *goquery.Document, person string) string {
	b.t.Helper()
	to := onward.Find("a#onward").AttrOr("href", "")
	if to == "" {
		b.t.Fatal("the page has no way on to the identity provider")
	}
	return b.answerAt(to, person, "").to()
}

func TestAPersonLinksTheirAccountInTheConsole(t *testing.T) {
	w := newWorld(t)
	admin, _, _, method := w.acme()
	page := admin.get("/link/" + method).wantStatus(http.StatusOK).wantText("olive@acme.test").wantText("Acme Okta")
	if page.page().Find("input[name=password]").Length() != 0 {
		t.Error("a fresh login is asked for its password")
	}
	onward := admin.post("/link/" + method).wantStatus(http.StatusOK)
	csp := onward.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "form-action "+w.idpURL) {
		t.Errorf("got the policy %q, want form-action to name the identity provider", csp)
	}
	next := admin.atIdP(onward.page(), "bob")
	asked := admin.get(next).wantStatus(http.StatusOK).wantText("Link your account").wantText("Bob Brännström").wantText("olive@acme.test").wantText("Acme")
	flow := asked.page().Find("input[name=flow]").AttrOr("value", "")

	// Another site cannot say yes, nor can another browser.
	admin.postFrom("cross-site", w.site.URL+"/login/continue", "flow", flow).wantStatus(http.StatusForbidden)
	w.browser().post("/login/continue", "flow", flow).wantStatus(http.StatusForbidden).wantText("login_in_another_browser")

	before := admin.token()
	if got := admin.sayYes(asked).to(); got != "/profile?done=linked" {
		t.Errorf("got sent to %s, want the profile", got)
	}
	if admin.token() != before {
		t.Error("linking changed the session")
	}
	bob := w.browser()
	bob.get(bob.throughIdP("/v1/sso/saml/login/"+method, "bob", "").to()).to()
	bob.get("/").wantText("olive@acme.test").wantText("Acme Okta")
}

func TestAnAccountLinkIsForMembersWhoJustLoggedIn(t *testing.T) {
	w := newWorld(t)
	admin, _, _, method := w.acme()
	if got := w.browser().get("/link/" + method).to(); got != "/login?return_to=%2Flink%2F"+method {
		t.Errorf("a stranger: got sent to %s, want the login and back", got)
	}
	stranger := w.browser()
	stranger.signUp("Stranger", "stranger@other.test")
	stranger.post("/link/" + method).wantStatus(http.StatusForbidden).wantText("not_a_member")

	w.server.Login.Now = func() time.Time { return time.Now().Add(6 * time.Minute) }
	a := admin.post("/link/" + method).wantStatus(http.StatusBadRequest).wantText("five minutes")
	if a.page().Find("input[name=password]").Length() != 1 {
		t.Error("an old login is not asked for its password")
	}
	admin.post("/link/"+method, "password", "wrong").wantStatus(http.StatusBadRequest)
	admin.post("/link/"+method, "password", goodPassword).wantStatus(http.StatusOK).wantText("Continue to Acme Okta")
}

func TestNobodyBecomesSomebodyElseUnasked(t *testing.T) {
	w := newWorld(t)
	admin, _, _, method := w.acme()
	before := admin.token()
	next := admin.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to()
	asked := admin.get(next).wantStatus(http.StatusOK).wantText("Continue as somebody else").wantText("olive@acme.test").wantText("bob@acme.test")
	if admin.token() != before {
		t.Fatal("the session changed before the person said yes")
	}
	admin.get("/").wantText("olive@acme.test")
	// A yes that does not say what to is none, nor is one to another question.
	flow := asked.page().Find("input[name=flow]").AttrOr("value", "")
	admin.post("/login/continue", "flow", flow).wantStatus(http.StatusOK).wantText("Continue as somebody else")
	admin.post("/login/continue", "flow", flow, "question", "yes").wantStatus(http.StatusOK).wantText("Continue as somebody else")
	admin.get("/").wantText("olive@acme.test")
	if got := admin.sayYes(asked).to(); got != "/" {
		t.Errorf("got sent to %s, want /", got)
	}
	admin.get("/").wantText("bob@acme.test")
}

func TestAYesIsForTheSessionThatWasShown(t *testing.T) {
	w := newWorld(t)
	admin, _, _, method := w.acme()
	asked := admin.get(admin.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to()).wantText("olive@acme.test")
	// In another tab, somebody else logs in before the button is pressed.
	admin.post("/logout").to()
	admin.signUp("Eve", "eve@acme.test")
	admin.sayYes(asked).wantStatus(http.StatusOK).wantText("logged in as Eve").wantText("bob@acme.test")
	admin.get("/").wantText("eve@acme.test")
}

// unending is a log in which no end of a session can be written, so that none
// ends.
type unending struct{ audit.Store }

func (u unending) AddEvent(ctx context.Context, e audit.Event) error {
	if e.Action == audit.SessionEnd {
		return errors.New("the database is away")
	}
	return u.Store.AddEvent(ctx, e)
}

// The flow is used up when the session is there: its cookie must not depend on
// anything besides.
func TestALoginIsNotLostWhereTheOldSessionDoesNotEnd(t *testing.T) {
	w := newWorld(t)
	admin, _, _, method := w.acme()
	asked := admin.get(admin.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to())
	w.server.Audit.Store = unending{w.server.Audit.Store}
	admin.sayYes(asked).to()
	admin.get("/").wantText("bob@acme.test")
	if log := w.log.String(); !strings.Contains(log, "session before a login not ended") || !strings.Contains(log, requestID) {
		t.Errorf("got the log %q, want the failure with the request's id", log)
	}
}

func TestLoginsThatStartAtTheIdentityProvider(t *testing.T) {
	w := newWorld(t)
	admin, _, provider, method := w.acme()
	joined := w.browser()
	joined.get(joined.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to()).to()

	start := func(b *tab, relayState string) *answer {
		bob, _ := w.idp.User("bob")
		acs, form, err := w.idp.Start(w.site.URL+"/v1/sso/saml/metadata/"+method, relayState, bob)
		if err != nil {
			t.Fatal(err)
		}
		return b.postFrom("cross-site", acs, "SAMLResponse", form.Get("SAMLResponse"), "RelayState", form.Get("RelayState"))
	}

	t.Run("off: the page names three remedies", func(t *testing.T) {
		a := start(w.browser(), "").wantStatus(http.StatusForbidden).wantText("Invalid relay state").wantText("invalid_relay_state")
		a.wantText("login page here").wantText("allows logins that start at the identity provider").wantText("default relay state")
	})
	t.Run("off, with our console as relay state: once more from here", func(t *testing.T) {
		b := w.browser()
		again := start(b, w.site.URL+"/profile").to()
		next := b.throughIdP(again, "bob", "").to()
		if got := b.get(next).to(); got != "/profile" {
			t.Errorf("got sent to %s, want /profile", got)
		}
	})
	t.Run("bounce: an IdP that answers so again is refused, without a loop", func(t *testing.T) {
		w.setStarts(admin, provider, "bounce")
		b := w.browser()
		again := start(b, "").to()
		if to := b.get(again).to(); !strings.HasPrefix(to, w.idpURL) {
			t.Fatalf("got sent to %s, want the identity provider", to)
		}
		twice := start(b, "").to()
		b.get(twice).wantStatus(http.StatusForbidden).wantText("unsolicited_after_bounce").wantText("Acme Okta")
	})
	t.Run("accept: the person confirms", func(t *testing.T) {
		w.setStarts(admin, provider, "accept")
		b := w.browser()
		next := start(b, "/profile").to()
		asked := b.get(next).wantStatus(http.StatusOK).wantText("You come from Acme Okta").wantText("Bob Brännström")
		if b.token() != "" {
			t.Fatal("there is a session before the person said yes")
		}
		flow := asked.page().Find("input[name=flow]").AttrOr("value", "")
		w.browser().post("/login/continue", "flow", flow).wantStatus(http.StatusForbidden)
		if got := b.sayYes(asked).to(); got != "/profile" {
			t.Errorf("got sent to %s, want /profile", got)
		}
		b.get("/").wantText("bob@acme.test")
	})
}

// setStarts has the administrator admit logins that start at the identity
// provider, in the console.
func (w *world) setStarts(admin *tab, provider, mode string) {
	w.t.Helper()
	form := url.Values{}
	page := admin.get(provider + "/edit").page()
	page.Find("form[action='" + provider + "'] [name]").Each(func(_ int, in *goquery.Selection) {
		name := in.AttrOr("name", "")
		switch {
		case goquery.NodeName(in) == "select":
			form.Set(name, in.Find("option[selected]").AttrOr("value", ""))
		case goquery.NodeName(in) == "textarea":
			form.Set(name, in.Text())
		case in.AttrOr("type", "") == "checkbox":
			if _, on := in.Attr("checked"); on {
				form.Set(name, "on")
			}
		default:
			form.Set(name, in.AttrOr("value", ""))
		}
	})
	form.Set("saml_idp_login_allowed", "on")
	form.Set("saml_idp_login_mode", mode)
	var pairs []string
	for name := range form {
		pairs = append(pairs, name, form.Get(name))
	}
	if got := admin.post(provider, pairs...).to(); !strings.HasSuffix(got, "?done=idp-saved") {
		w.t.Fatalf("saving the settings: got sent to %s", got)
	}
}

func TestALoginBeginsWhereItEnds(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	r, err := http.NewRequest("GET", w.site.URL+"/v1/sso/saml/login/"+method+"?return_to=/profile", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "old.example"
	moved := w.browser().do(r).to()
	if want := w.site.URL + "/v1/sso/saml/login/" + method + "?moved=1&return_to=%2Fprofile"; moved != want {
		t.Fatalf("by an old name: got sent to %s, want %s", moved, want)
	}
	// A proxy that hides the name must not send people round in a circle.
	r, err = http.NewRequest("GET", moved, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "old.example"
	if to := w.browser().do(r).to(); !strings.HasPrefix(to, w.idpURL) {
		t.Errorf("once moved: got sent to %s, want the identity provider", to)
	}
}

// A page of another site can send a browser here, and the identity provider of
// whoever made that page can answer anything: an account takes a yes.
func TestNobodyIsSignedUpByAnotherSite(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	for _, c := range []struct{ from, want string }{
		{"cross-site", "/signup/" + method},
		{"same-site", "/signup/" + method},
		{"none", "/signup/" + method},
		{"same-origin", w.idpURL},
	} {
		r, err := http.NewRequest("GET", w.site.URL+"/v1/sso/saml/login/"+method+"?intent=signup", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", c.from)
		if got := w.browser().do(r).to(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got sent to %s, want %s", c.from, got, c.want)
		}
	}
}
