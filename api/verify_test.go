package api

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/mail"
	"gatehouse/session"
)

var mailedCode = regexp.MustCompile(`https://gatehouse\.example/verify/([0-9A-Za-z]{32})\n`)

// code sends what waits, and gives the code in the newest mail to an address;
// there have to be n mails in all. Mails of one moment are sent in any order.
func (w *world) code(t *testing.T, n int, email string) string {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = w.sender.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mails := w.mails.Mails()
	at := slices.IndexFunc(mails, func(m mail.Outgoing) bool { return m.To == email })
	if len(mails) != n || at < 0 {
		t.Fatalf("got %d mails, %+v; want %d, one of them to %s", len(mails), mails, n, email)
	}
	m := mailedCode.FindStringSubmatch(mails[at].Text)
	if m == nil {
		t.Fatalf("got the mail %q, want a link in it", mails[at].Text)
	}
	return m[1]
}

func (w *world) proved(t *testing.T, token string) bool {
	t.Helper()
	return w.as(t, token, "GET", "/v1/me", "").need(t, http.StatusOK)["user"].(map[string]any)["address_proved"].(bool)
}

func TestAddressIsProvedByTheMailedCode(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.signUp(t, "ann@acme.example"), w.signUp(t, "bob@acme.example")
	code := w.code(t, 2, "bob@acme.example")
	if w.proved(t, ann) || w.proved(t, bob) {
		t.Fatal("an address is proved before anybody opened a link")
	}
	v := w.as(t, bob, "POST", "/v1/user/verify_email/"+code, "").need(t, http.StatusOK)
	if got := v["invite_details"].(map[string]any)["user_email"]; got != "bob@acme.example" {
		t.Errorf("got %v, want the address", got)
	}
	if w.proved(t, ann) || !w.proved(t, bob) {
		t.Errorf("got ann %v, bob %v; want bob alone proved", w.proved(t, ann), w.proved(t, bob))
	}
	item := w.do(t, "POST", "/v1/user/verify_email/"+code, "").needFailure(t, http.StatusConflict)
	if item["error_code"] != "address_proved_already" {
		t.Errorf("twice: got code %v", item["error_code"])
	}
	item = w.as(t, bob, "POST", "/v1/me/verify_email", "").needFailure(t, http.StatusConflict)
	if item["error_code"] != "address_proved_already" {
		t.Errorf("another link for a proved address: got code %v", item["error_code"])
	}
}

// Anybody can make an account with an address, and hope that its owner confirms
// it: the code alone shows only who reads the mail.
func TestTheCodeAloneProvesNothing(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.signUp(t, "ann@acme.example"), w.signUp(t, "bob@acme.example")
	path := "/v1/user/verify_email/" + w.code(t, 2, "bob@acme.example")
	for name, r := range map[string]reply{
		"nobody":                          w.do(t, "POST", path, ""),
		"nobody, with an empty password":  w.do(t, "POST", path, `{"password":""}`),
		"somebody else":                   w.as(t, ann, "POST", path, ""),
		"a token that is nobody's":        w.as(t, "gts_nobody", "POST", path, ""),
		"a password that is not bob's":    w.do(t, "POST", path, `{"password":"not the password"}`),
		"somebody else, with a wrong one": w.as(t, ann, "POST", path, `{"password":"not the password"}`),
	} {
		want := "login_required_to_verify"
		if strings.HasSuffix(name, "bob's") || strings.HasSuffix(name, "wrong one") {
			want = "authentication_failed"
		}
		if item := r.needFailure(t, http.StatusForbidden); item["error_code"] != want {
			t.Errorf("%s: got code %v, want %s", name, item["error_code"], want)
		}
	}
	// A recovery link is for an organization alone.
	organization, _ := w.organization(t, bob, "Acme")
	u, err := w.store.UserByEmail(t.Context(), "bob@acme.example")
	if err != nil {
		t.Fatal(err)
	}
	recovered, _, err := w.Tokens.Issue(t.Context(), session.Grant{UserID: u.ID, Method: session.Method{Kind: session.Recovery, ID: organization}, LoggedIn: w.now})
	if err != nil {
		t.Fatal(err)
	}
	w.as(t, recovered, "GET", "/v1/me", "").need(t, http.StatusOK)
	if item := w.as(t, recovered, "POST", path, "").needFailure(t, http.StatusForbidden); item["error_code"] != "login_required_to_verify" {
		t.Errorf("by a recovery link: got code %v", item["error_code"])
	}
	if w.proved(t, bob) {
		t.Fatal("the address is proved")
	}
	w.do(t, "POST", path, `{"password":"correct horse"}`).need(t, http.StatusOK)
	if !w.proved(t, bob) {
		t.Error("the address is not proved")
	}
}

func TestCodesThatDoNotWorkSayWhy(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	code := w.code(t, 1, "ann@acme.example")
	for name, wrong := range map[string]string{"unknown": noCode, "cut off": code[:31], "nonsense": "%00", "long": code + code} {
		item := w.do(t, "POST", "/v1/user/verify_email/"+wrong, "").needFailure(t, http.StatusNotFound)
		if item["message"] == "" {
			t.Errorf("%s: got %v, want a sentence", name, item)
		}
	}
	w.now = w.now.Add(11 * time.Hour)
	w.as(t, ann, "POST", "/v1/me/verify_email", "").need(t, http.StatusOK)
	second := w.code(t, 2, "ann@acme.example")
	w.now = w.now.Add(13 * time.Hour)
	item := w.do(t, "POST", "/v1/user/verify_email/"+code, "").needFailure(t, http.StatusConflict)
	if item["error_code"] != "user_weblink_action_expired" {
		t.Errorf("late: got code %v", item["error_code"])
	}
	w.do(t, "POST", "/v1/user/verify_email/"+second, `{"password":"correct horse"}`).need(t, http.StatusOK)
}

func TestAskingAndGuessingAreLimited(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	for range 3 {
		w.as(t, ann, "POST", "/v1/me/verify_email", "").need(t, http.StatusOK)
	}
	r := w.as(t, ann, "POST", "/v1/me/verify_email", "")
	r.needFailure(t, http.StatusTooManyRequests)
	if r.header.Get("Retry-After") == "" {
		t.Error("got no Retry-After")
	}
	for range 30 {
		w.do(t, "POST", "/v1/user/verify_email/"+noCode, "").needFailure(t, http.StatusNotFound)
	}
	w.do(t, "POST", "/v1/user/verify_email/"+noCode, "").needFailure(t, http.StatusTooManyRequests)
}

func TestServerWithoutMailSaysSo(t *testing.T) {
	w := newWorld(t)
	w.Addresses.Mail = nil
	ann := w.signUp(t, "ann@acme.example")
	item := w.as(t, ann, "POST", "/v1/me/verify_email", "").needFailure(t, http.StatusConflict)
	if item["error_code"] != "mail_not_sent_here" {
		t.Errorf("got code %v", item["error_code"])
	}
}
