package e2e_test

import (
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/mail/smtptest"
)

// received waits for the n-th mail, and gives its text.
func received(t testing.TB, s *smtptest.Server, n int) (smtptest.Mail, string) {
	t.Helper()
	for range 300 {
		if got := s.Mails(); len(got) >= n {
			return got[n-1], plainText(t, got[n-1])
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("got %d mails within 15 seconds, want %d", len(s.Mails()), n)
	return smtptest.Mail{}, ""
}

// plainText is the first part of a mail, as its reader sees it.
func plainText(t testing.TB, m smtptest.Mail) string {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(strings.NewReader(m.Body), params["boundary"]).NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(part))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// signUp makes an account through the API and gives its token.
func (b *broker) signUp(email string) string {
	b.t.Helper()
	var made struct{ Token string }
	b.call("POST", "/v1/user", map[string]any{"email": email, "password": "a password of theirs"}, http.StatusOK, &made)
	return made.Token
}

func (b *broker) proved(token string) bool {
	b.t.Helper()
	status, text := b.callAs(token, "GET", "/v1/me", nil)
	var me struct {
		User struct {
			Proved bool `json:"address_proved"`
		}
	}
	if err := json.Unmarshal(text, &me); err != nil || status != http.StatusOK {
		b.t.Fatalf("GET /v1/me: got %d %s, %v", status, text, err)
	}
	return me.User.Proved
}

func TestAnAddressIsProvedByMail(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, databaseURL string) {
		var busy atomic.Bool
		busy.Store(true)
		server := smtptest.Start(t, smtptest.Options{User: "broker", Password: "hunter2 hunter2", Rcpt: func(string) error {
			if busy.Swap(false) {
				return smtptest.Refuse(451, "try again later")
			}
			return nil
		}})
		t.Setenv("GATEHOUSE_SMTP_URL", "smtp://broker:hunter2%20hunter2@"+server.Addr)
		b := startBroker(t, databaseURL, "--mail-from", "Acme <no-reply@acme.test>")
		// The operator is proved, and the first mail of all waits half a minute.
		if !b.proved(b.token) {
			t.Error("the bootstrap operator is not proved")
		}
		b.signUp("early@acme.test")
		for busy.Load() {
			time.Sleep(20 * time.Millisecond)
		}
		ann := b.signUp("ann@acme.test")
		m, text := received(t, server, 1)
		if m.To[0] != "ann@acme.test" || m.User != "broker" || !strings.Contains(m.Header.Get("From"), "no-reply@acme.test") {
			t.Errorf("got a mail to %v, brought by %q, from %s", m.To, m.User, m.Header.Get("From"))
		}
		link := regexp.MustCompile(regexp.QuoteMeta(b.base) + `/verify/(\S+)`).FindStringSubmatch(text)
		if link == nil {
			t.Fatalf("got the text %q, want a link", text)
		}
		reader := newPerson(t)
		if page := reader.open(link[0]); page.status != http.StatusOK || !strings.Contains(page.text, "ann@acme.test") {
			t.Fatalf("got %d, want the page that asks:\n%s", page.status, page.text)
		}
		if b.proved(ann) {
			t.Error("looking at the page proved the address")
		}
		// Whoever only reads the mail proves nothing.
		if asked := reader.post(link[0], b.base, nil); asked.status != http.StatusBadRequest || b.proved(ann) {
			t.Errorf("got %d, want the account's password asked for:\n%s", asked.status, asked.text)
		}
		if done := reader.post(link[0], b.base, url.Values{"password": {"a password of theirs"}}); done.status != http.StatusSeeOther {
			t.Fatalf("got %d, want the address confirmed:\n%s", done.status, done.text)
		}
		if !b.proved(ann) {
			t.Error("the address is not proved")
		}
		wantCode(t, reader.post(link[0], b.base, nil), http.StatusConflict, "address_proved_already")
		wantCode(t, reader.post(link[0]+"/refuse", b.base, nil), http.StatusConflict, "address_proved_already")
		for _, secret := range []string{link[1], "hunter2"} {
			if strings.Contains(b.logged(), secret) {
				t.Errorf("the log holds %s", secret)
			}
		}
	})
}
