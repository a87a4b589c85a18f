package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/session"
)

const (
	programSecret   = "a-secret-that-the-program-alone-knows-and-nobody-else"
	programCallback = "http://127.0.0.1:51004/callback"
)

func programAsks(redirect string) url.Values {
	sum := sha256.Sum256([]byte(programSecret))
	return url.Values{
		"client_name": {"gatehouse on laptop-of-a-person-with-a-name"}, "redirect_uri": {redirect}, "state": {"0123456789abcdefghijkl"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

// hidden is what a page's form sends without anybody's doing.
func hidden(page *goquery.Document) map[string]string {
	out := map[string]string{}
	page.Find("main form input[type=hidden]").Each(func(_ int, in *goquery.Selection) {
		out[in.AttrOr("name", "")] = in.AttrOr("value", "")
	})
	return out
}

func TestAProgramIsApprovedByAButtonAndNothingElse(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := "/authorize?" + programAsks(programCallback).Encode()
	sent := b.get(page).to()
	if !strings.HasPrefix(sent, "/login?return_to=%2Fauthorize%3F") {
		t.Fatalf("got sent to %s, want to the login and back", sent)
	}
	// The way back through the login keeps all of it.
	if got := login.SafeReturn(page); got != page {
		t.Errorf("got the way back %q, want %q", got, page)
	}
	b.signUp("Olive Owner", "olive@acme.test")
	a := b.get(page).wantStatus(http.StatusOK).wantText("gatehouse on laptop").wantText("nobody has checked that").wantText("192.0.2.7").wantText("http://127.0.0.1:51004").wantText("olive@acme.test")
	checkPage(t, "authorize", a.page())
	if got := a.Header.Get("Content-Security-Policy"); !strings.Contains(got, "form-action 'self' http://127.0.0.1:51004;") {
		t.Errorf("got the policy %q, want the form to lead to us and to the program alone", got)
	}
	form := hidden(a.page())
	if to := b.post("/authorize", pairsOf(form)...).to(); to != programCallback+"?error=access_denied&state=0123456789abcdefghijkl" {
		t.Errorf("without a yes: got sent to %s, want a refusal for the program", to)
	}
	w.wantOnce(audit.ProgramRefuse)
	form["answer"] = "yes"
	to, err := url.Parse(b.post("/authorize", pairsOf(form)...).to())
	if err != nil || to.Host != "127.0.0.1:51004" || to.Path != "/callback" || to.Query().Get("state") != "0123456789abcdefghijkl" {
		t.Fatalf("got sent to %v, want to the program, with its state", to)
	}
	w.wantOnce(audit.ProgramApprove)
	out, err := w.server.Login.RedeemCode(t.Context(), to.Query().Get("code"), programSecret, programCallback, login.Client{})
	if err != nil || out.User.Email != "olive@acme.test" {
		t.Errorf("got %+v, %v; want a session of Olive's", out.User, err)
	}
	if strings.Contains(w.log.String(), to.Query().Get("code")) {
		t.Error("the code is in the log")
	}
}

// wantOnce fails unless an action happened once.
func (w *world) wantOnce(action string) {
	w.t.Helper()
	list, err := w.server.Audit.List(w.t.Context(), audit.Filter{Everywhere: true, Action: action}, audit.Page{Size: 10})
	if err != nil || len(list.Events) != 1 {
		w.t.Errorf("got the events %+v and %v, want one %s", list.Events, err, action)
	}
}

func TestAnAddressThatIsNoLoopbackOneGetsNothing(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	for _, address := range []string{"", "https://evil.test/callback", "http://localhost:51004/callback", "http://127.0.0.1:51004@evil.test/callback", "//evil.test/callback", "javascript:alert(1)"} {
		asked := programAsks(address)
		a := b.get("/authorize?" + asked.Encode()).wantStatus(http.StatusBadRequest).wantText("127.0.0.1")
		if a.page().Find("main form").Length() != 0 {
			t.Errorf("%q: got a form, want none", address)
		}
		pairs := []string{"answer", "yes"}
		for name := range asked {
			pairs = append(pairs, name, asked.Get(name))
		}
		if a := b.post("/authorize", pairs...).wantStatus(http.StatusBadRequest); a.Header.Get("Location") != "" {
			t.Errorf("%q: got sent to %s", address, a.Header.Get("Location"))
		}
	}
	b.get("/authorize").wantStatus(http.StatusBadRequest)
}

func TestATypedCodeIsShownWithBothAddressesAndApproved(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	start, err := w.server.Login.BeginDevice(t.Context(), "robot <b>", login.Client{IP: netip.MustParseAddr("198.51.100.20")})
	if err != nil {
		t.Fatal(err)
	}
	// Nothing is taken from an address.
	if form := formOn(b.get("/device?user_code=" + start.UserCode).wantStatus(http.StatusOK).page()); form["user_code"] != "" {
		t.Errorf("got the form %v, want the code to be typed", form)
	}
	a := b.post("/device", "user_code", strings.ToLower(start.UserCode)).wantStatus(http.StatusOK).wantText("robot <b>").wantText("198.51.100.20, which is another address than yours").wantText("192.0.2.7")
	checkPage(t, "device-confirm", a.page())
	form := hidden(a.page())
	form["answer"] = "yes"
	done := b.get(b.post("/device/answer", pairsOf(form)...).to()).wantText("The program is logged in.")
	checkPage(t, "device-done", done.page())
	out, err := w.server.Login.RedeemDevice(t.Context(), start.DeviceCode, login.Client{})
	if err != nil {
		t.Fatal(err)
	}
	if bearer, err := w.bearer(out.Text); err != nil || !bearer.Device || bearer.Method.Kind != session.Password {
		t.Errorf("got %+v, %v; want a session that is marked", bearer.Token, err)
	}
	list := b.get("/profile/tokens").wantText("robot <b>").page()
	if got := list.Find("td:contains('robot') .tag").Text(); got != "By a typed code" || list.Find(".tag:contains('typed')").Length() != 1 {
		t.Errorf("got the tag %q, want that session alone to say that a code was typed", got)
	}
	b.get(tokensPath + "/" + out.Text[:12]).wantText("handed to a program by a code that was typed in on another device")
	b.post("/device/answer", pairsOf(form)...).wantStatus(http.StatusBadRequest).wantText("No program waits with this code")
}

func TestACodeTypedTwentyTimes(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	checkPage(t, "device", b.get("/device").page())
	statuses := map[int]int{}
	for range 20 {
		a := b.post("/device", "user_code", "BBBB-BBBB")
		statuses[a.StatusCode]++
		if a.StatusCode == http.StatusTooManyRequests && a.Header.Get("Retry-After") == "" {
			t.Error("got no word on when to try again")
		}
	}
	if statuses[http.StatusBadRequest] != 5 || statuses[http.StatusTooManyRequests] != 15 {
		t.Errorf("got %v, want 5 tries and 15 refusals", statuses)
	}
	a := b.post("/device", "user_code", "not a code").wantStatus(http.StatusBadRequest)
	if a.page().Find(`[name=user_code][aria-invalid=true]`).Length() != 1 {
		t.Error("the field is not marked")
	}
}

func TestAProgramRefusedOnThePageIsToldSo(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	start, err := w.server.Login.BeginDevice(t.Context(), "robot", login.Client{})
	if err != nil {
		t.Fatal(err)
	}
	b.get(b.post("/device/answer", "user_code", start.UserCode, "answer", "no").to()).wantText("The program is not logged in.")
	if _, err = w.server.Login.RedeemDevice(t.Context(), start.DeviceCode, login.Client{}); fault.Of(err).Code != "access_denied" {
		t.Errorf("got %v, want access_denied", err)
	}
}

func TestNobodyWhoIsNotLoggedInAnswers(t *testing.T) {
	w := newWorld(t)
	w.browser().post("/device/answer", "user_code", "BBBB-BBBB", "answer", "yes").wantStatus(http.StatusUnauthorized)
	w.browser().post("/authorize", "answer", "yes").wantStatus(http.StatusUnauthorized)
}

func TestACodeBelongsToTheBrowserThatAnswersFirst(t *testing.T) {
	w := newWorld(t)
	olive, bob := w.browser(), w.browser()
	olive.signUp("Olive Owner", "olive@acme.test")
	bob.signUp("Bob Bystander", "bob@acme.test")
	start, err := w.server.Login.BeginDevice(t.Context(), "robot", login.Client{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*tab{olive, bob} {
		b.post("/device", "user_code", start.UserCode).wantStatus(http.StatusOK).wantText("robot")
	}
	olive.post("/device/answer", "user_code", start.UserCode, "answer", "yes").to()
	for _, answer := range []string{"yes", "no"} {
		bob.post("/device/answer", "user_code", start.UserCode, "answer", answer).wantStatus(http.StatusBadRequest).wantText("No program waits with this code")
	}
	out, err := w.server.Login.RedeemDevice(t.Context(), start.DeviceCode, login.Client{})
	if err != nil || out.User.Email != "olive@acme.test" {
		t.Errorf("got %+v, %v; want a session of Olive's", out.User, err)
	}
}

func TestAProgramIsNotApprovedByWhomThePolicyRefuses(t *testing.T) {
	w := newWorld(t)
	_, organization, _, _ := w.acme()
	mary := w.managed(organization, "mary@acme.test")
	start, err := w.server.Login.BeginDevice(t.Context(), "sewing machine", login.Client{IP: netip.MustParseAddr("198.51.100.20")})
	if err != nil {
		t.Fatal(err)
	}
	asked := programAsks(programCallback)
	authorize := []string{"answer", "yes"}
	for name := range asked {
		authorize = append(authorize, name, asked.Get(name))
	}
	ours, theirs := netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24")
	for name, change := range map[string]func(*policy.Rules){
		"typed codes are off":       func(r *policy.Rules) { r.DeviceLogin = false },
		"the program is elsewhere":  func(r *policy.Rules) { r.Ranges = []netip.Prefix{ours} },
		"they themselves elsewhere": func(r *policy.Rules) { r.Ranges = []netip.Prefix{theirs} },
	} {
		w.rules(organization, change)
		for _, page := range []string{"/device", "/device/answer"} {
			a := mary.post(page, "user_code", start.UserCode, "answer", "yes").wantStatus(http.StatusForbidden)
			if strings.Contains(a.Body, "sewing machine") {
				t.Errorf("%s: %s names the program, want it to say no more than why not", name, page)
			}
		}
		if name == "they themselves elsewhere" {
			if a := mary.post("/authorize", authorize...).wantStatus(http.StatusForbidden); a.Header.Get("Location") != "" {
				t.Errorf("%s: got sent to %s, want no code to go anywhere", name, a.Header.Get("Location"))
			}
		}
	}
	if _, err := w.server.Login.RedeemDevice(t.Context(), start.DeviceCode, login.Client{}); fault.Of(err).Code != "authorization_pending" {
		t.Errorf("got %v, want the program to wait on", err)
	}
}
