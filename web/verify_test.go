package web

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
)

var verifyLink = regexp.MustCompile(`/verify/[0-9A-Za-z]{32}`)

// verifyPath is where the newest mail leads.
func (w *world) verifyPath() string {
	w.t.Helper()
	mails := w.mail()
	if len(mails) == 0 {
		w.t.Fatal("no mail was sent")
	}
	path := verifyLink.FindString(mails[0].Text)
	if path == "" || !strings.Contains(mails[0].HTML, w.site.URL+path) {
		w.t.Fatalf("got the mail %q and %q, want the same link in both", mails[0].Text, mails[0].HTML)
	}
	return path
}

func TestReaderOfTheMailConfirmsTheAddress(t *testing.T) {
	w := newWorld(t)
	b, reader := w.browser(), w.browser()
	b.signUp("Alice <Archer>", "alice@acme.test")
	b.get("/").wantText("Address not confirmed yet").wantText("alice@acme.test")
	b.addOrganization("Acme <Rockets>")
	path := w.verifyPath()
	// Looking changes nothing, however often: programs look, too.
	for range 3 {
		a := reader.get(path).wantStatus(http.StatusOK).wantText("I did not create this account").wantText("UTC").wantText("not logged in to this account")
		for _, fact := range []string{"alice@acme.test", "“Alice <Archer>”", "“Acme <Rockets>” as super admin", "A password"} {
			a.wantText(fact)
		}
		if got := a.Header.Get("Referrer-Policy"); got != "strict-origin" {
			t.Errorf("got Referrer-Policy %q, want strict-origin: the address is a secret", got)
		}
		checkPage(t, "verify", a.page())
	}
	b.get("/").wantText("Address not confirmed yet")
	if got := reader.post(path, "password", goodPassword).to(); got != "/login?done=address-confirmed" {
		t.Errorf("got sent to %s, want the login", got)
	}
	if text := b.get("/").text(); strings.Contains(text, "not confirmed") {
		t.Errorf("got %q, want nothing about the address", text)
	}
	for _, again := range []*answer{reader.get(path), reader.post(path), reader.post(path + "/refuse")} {
		again.wantStatus(http.StatusConflict).wantText("confirmed already")
	}
	b.get("/").wantStatus(http.StatusOK) // refusing too late took nothing
}

// Whoever reads the mail by mistake says yes to nothing: a stranger made the
// account, and has its password.
func TestAYesByMistakeProvesNothing(t *testing.T) {
	w := newWorld(t)
	thief, victim := w.browser(), w.browser()
	thief.signUp("Not Victor", "victor@acme.test")
	path := w.verifyPath()
	victim.post(path).wantStatus(http.StatusBadRequest).wantText("Give the account's password")
	victim.post(path, "password", "a password of mine").wantStatus(http.StatusBadRequest).wantText("not the password of this account")
	other := w.browser()
	other.signUp("Olive Other", "olive@acme.test")
	other.get(path).wantText("which is another account")
	other.post(path).wantStatus(http.StatusBadRequest)
	thief.get("/").wantText("Address not confirmed yet")
	// Nothing was used up.
	if got := victim.post(path + "/refuse").to(); got != "/login?done=account-closed" {
		t.Errorf("got sent to %s, want the login", got)
	}
}

// A recovery link is for an organization, and the operator who made it reads no
// mail of the person.
func TestARecoveryIsNoLoginToConfirmWith(t *testing.T) {
	w := newWorld(t)
	owner, recovered := w.browser(), w.browser()
	owner.signUp("Olive Owner", "olive@acme.test")
	organization := owner.addOrganization("Acme")
	path := w.verifyPath()
	recovered.get(recovered.post(w.recovery(organization, "olive@acme.test")).to()).to()
	recovered.get(path).wantText("not by a login of your own")
	recovered.post(path).wantStatus(http.StatusBadRequest).wantText("Give the account's password")
}

func TestBothAnswersStandOutAlike(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	for name, reader := range map[string]*tab{"in it": b, "not in it": w.browser()} {
		looks := map[string]bool{}
		buttons := reader.get(w.verifyPath()).page().Find("main button")
		for _, n := range buttons.EachIter() {
			looks[n.AttrOr("class", "")] = true
		}
		if buttons.Length() != 2 || len(looks) != 1 {
			t.Errorf("%s: got %d buttons that look like %v, want two alike", name, buttons.Length(), looks)
		}
	}
}

func TestTheirOwnBrowserComesBackHome(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	a := b.get(w.verifyPath()).wantText("This browser is logged in to this account.")
	if n := a.page().Find("input[type=password]").Length(); n != 0 {
		t.Error("the page asks for the password of who is logged in")
	}
	if got := b.post(w.verifyPath()).to(); got != "/?done=address-confirmed" {
		t.Errorf("got sent to %s, want the home page", got)
	}
}

func TestReaderOfTheMailRefusesTheAccount(t *testing.T) {
	w := newWorld(t)
	w.withIdP()
	owner, thief, victim := w.browser(), w.browser(), w.browser()
	owner.signUp("Olive Owner", "olive@acme.test")
	method := owner.connect(owner.addIdP(owner.addOrganization("Acme"), "Acme IdP"))
	thief.signUp("Not Victor", "victor@acme.test")
	path := w.verifyPath()
	// The thief's account is linked to an identity provider, too.
	u, err := w.store.UserByEmail(t.Context(), "victor@acme.test")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.AddIdentity(t.Context(), account.Identity{MethodID: method, SubjectKind: "nameid", Subject: "thief", UserID: u.ID, CreatedAt: u.CreatedAt, LastUsedAt: u.CreatedAt}); err != nil {
		t.Fatal(err)
	}
	if got := victim.post(path + "/refuse").to(); got != "/login?done=account-closed" {
		t.Fatalf("got sent to %s, want the login", got)
	}
	if got := thief.get("/").to(); !strings.HasPrefix(got, "/login") {
		t.Errorf("the thief: got sent to %s, want the login", got)
	}
	thief.post("/login/password", "email", "victor@acme.test", "password", goodPassword).wantStatus(http.StatusForbidden)
	if _, err := w.store.UserByIdentity(t.Context(), method, "nameid", "thief"); err == nil {
		t.Error("the link to the identity provider is still there")
	}
	for _, again := range []*answer{victim.get(path), victim.post(path), victim.post(path + "/refuse")} {
		again.wantStatus(http.StatusConflict).wantText("used already")
	}
	// The address is free, and its owner's.
	victim.signUp("Victor Victim", "victor@acme.test")
	victim.post(w.verifyPath()).to() // this browser is logged in to it
	owner.get("/").wantText("Olive Owner")
}

func TestLinksThatDoNotWorkSayWhy(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for _, path := range []string{"/verify/nope", "/verify/%00", "/verify/" + strings.Repeat("a", 32), "/verify/" + strings.Repeat("a", 3000)} {
		b.get(path).wantStatus(http.StatusNotFound).wantText("no link that we mailed")
		b.post(path).wantStatus(http.StatusNotFound)
		b.post(path + "/refuse").wantStatus(http.StatusNotFound)
	}
	b.signUp("Alice Archer", "alice@acme.test")
	path := w.verifyPath()
	now := w.server.Addresses.Now
	w.server.Addresses.Now = func() time.Time { return now().Add(25 * time.Hour) }
	b.get(path).wantStatus(http.StatusConflict).wantText("24 hours, which have passed")
	b.post(path).wantStatus(http.StatusConflict)
	b.post(path + "/refuse").wantStatus(http.StatusConflict)
	b.get("/").wantText("Address not confirmed yet")
	if log := w.log.String(); strings.Contains(log, strings.TrimPrefix(path, "/verify/")) {
		t.Error("the log holds the code of a link")
	}
}

func TestAnotherLinkIsMailedToWhoAsks(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	first := w.verifyPath()
	b.get(b.post("/profile/verify-email").to()).wantText("on its way")
	second := w.verifyPath()
	if second == first || len(w.mail()) != 2 {
		t.Fatalf("got %d mails, with %s and %s; want two links", len(w.mail()), first, second)
	}
	// Either works, and takes the other along.
	b.post(first).to()
	b.get(second).wantStatus(http.StatusConflict).wantText("confirmed already")
	b.post("/profile/verify-email").wantStatus(http.StatusConflict).wantText("confirmed already")
}

func TestHomeSaysWhereNoMailIsSent(t *testing.T) {
	w := newWorld(t)
	w.server.Addresses.Mail = nil
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	a := b.get("/").wantText("This server sends no mail")
	if n := a.page().Find(`form[action="/profile/verify-email"]`).Length(); n != 0 {
		t.Errorf("got %d buttons to mail a link, want none", n)
	}
	b.post("/profile/verify-email").wantStatus(http.StatusConflict).wantText("This server sends no mail")
}

func TestSigningUpThroughAnIdPAsksToo(t *testing.T) {
	w := newWorld(t)
	w.withIdP()
	owner, bob := w.browser(), w.browser()
	owner.signUp("Olive Owner", "olive@acme.test")
	method := owner.connect(owner.addIdP(owner.addOrganization("Acme"), "Acme IdP"))
	bob.get(bob.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to()).to()
	path := w.verifyPath()
	bob.get(path).wantText("bob@acme.test").wantText("“Acme IdP” of “Acme”")
	reader := w.browser()
	reader.get(path).wantText("This account has no password")
	reader.post(path, "password", goodPassword).wantStatus(http.StatusForbidden).wantText("login_required_to_verify")
	bob.post(w.verifyPath()).to()
	if text := bob.get("/").text(); strings.Contains(text, "not confirmed") {
		t.Errorf("got %q, want nothing about the address", text)
	}
}

func TestMailOfADemonstrationIsOnAPage(t *testing.T) {
	w := newWorld(t)
	w.browser().get("/dev/mail").wantStatus(http.StatusNotFound)

	w.server.DevMails = func() (out []DevMail) {
		for _, m := range w.mails.Mails() {
			out = append(out, DevMail{ID: m.ID, To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML, At: m.At})
		}
		return out
	}
	handler := w.server.Handler()
	get := func(path string) *answer {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		handler.ServeHTTP(rec, r)
		resp := rec.Result()
		resp.Request = r
		return &answer{resp, rec.Body.String(), t}
	}
	get("/dev/mail").wantStatus(http.StatusOK).wantText("Nothing yet")
	w.browser().signUp("Alice Archer", "alice@acme.test")
	w.browser().signUp("Bob Baker", "bob@acme.test")
	path := w.verifyPath()
	list := get("/dev/mail").wantStatus(http.StatusOK).page()
	checkPage(t, "mails", list)
	rows := list.Find("a.way")
	if rows.Length() != 2 || !strings.Contains(rows.First().Text(), "bob@acme.test") {
		t.Fatalf("got %q, want two mails, the newest first", rows.Text())
	}
	one := rows.First().AttrOr("href", "")
	a := get(one).wantStatus(http.StatusOK).wantText("Was it you?")
	checkPage(t, "mail", a.page())
	if got := a.page().Find(".plain-steps a").AttrOr("href", ""); got != w.site.URL+path {
		t.Errorf("got the link %q, want %q", got, w.site.URL+path)
	}
	if _, sandboxed := a.page().Find("iframe").Attr("sandbox"); !sandboxed {
		t.Error("the mail's HTML is in no sandbox")
	}
	rich := get(one + "/html").wantStatus(http.StatusOK)
	for header, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'; sandbox",
		"X-Frame-Options":         "SAMEORIGIN", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := rich.Header.Get(header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
	get("/dev/mail/nope").wantStatus(http.StatusNotFound)
	get("/dev/mail/nope/html").wantStatus(http.StatusNotFound)
}
