package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// A realIdP is an identity provider that others wrote. All of them know
// whoever is registered with them under a username, and take the username and
// "pass" for the password.
type realIdP interface {
	// origin is its scheme, host and port.
	origin() string

	// connect introduces it and the broker to one another, with everything
	// signed, and fields set besides.
	connect(t testing.TB, b *broker, fields map[string]any) provider

	// person makes sure that it knows somebody new, with the address that is
	// the username at company.test, and gives the username.
	person(t testing.TB) string

	// startURL is where a login for the broker starts without a request.
	startURL(t testing.TB, p provider, relayState string) string
}

// logIn goes from a page of the broker, or a startURL, through an identity
// provider, and gives the broker's answer at the ACS. Who is logged in there
// already stays so, as in a browser.
func (one *person) logIn(i realIdP, start step, username string) page {
	one.t.Helper()
	if one.atIdP == nil {
		one.atIdP = newLocalhostJar(one.t)
	}
	acs, form, err := logInWith(one.atIdP, start, username, username+"pass")
	if err != nil {
		one.t.Fatal(err)
	}
	return one.post(acs, i.origin(), form)
}

// A step is where a browser goes next: a form to post, if there is one, or an
// address to open.
type step struct {
	address string
	form    url.Values
}

// onward is where a page sends the browser by itself.
func (p page) onward(t testing.TB) step {
	t.Helper()
	if p.location != "" {
		return step{address: p.location}
	}
	if to, ok := p.doc.Find("a#onward").Attr("href"); ok {
		return step{address: to}
	}
	f := p.doc.Find("form#onward")
	if f.Length() == 0 {
		t.Fatalf("got %d, want a page that leads on:\n%s", p.status, p.doc.Find("main").Text())
	}
	form := url.Values{}
	f.Find("input[name]").Each(func(_ int, in *goquery.Selection) { form.Set(in.AttrOr("name", ""), in.AttrOr("value", "")) })
	return step{f.AttrOr("action", ""), form}
}

// A localhostJar keeps cookies as browsers do on localhost, which they hold to
// be as good as https: Secure ones come back.
type localhostJar struct{ *cookiejar.Jar }

func newLocalhostJar(t testing.TB) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return localhostJar{jar}
}

func asHTTPS(u *url.URL) *url.URL {
	secure := *u
	secure.Scheme = "https"
	return &secure
}

func (j localhostJar) SetCookies(u *url.URL, c []*http.Cookie) { j.Jar.SetCookies(asHTTPS(u), c) }
func (j localhostJar) Cookies(u *url.URL) []*http.Cookie       { return j.Jar.Cookies(asHTTPS(u)) }

// logInAt goes to an identity provider, logs in as a browser would, and gives
// the form for the ACS and its address. The answer is not posted.
func logInAt(start step, username, password string) (acsURL string, form url.Values, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", nil, err
	}
	return logInWith(localhostJar{jar}, start, username, password)
}

// logInWith is logInAt in a browser that may have been there before.
func logInWith(jar http.CookieJar, start step, username, password string) (acsURL string, form url.Values, err error) {
	c := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	var page *http.Response
	if start.form != nil {
		page, err = c.PostForm(start.address, start.form)
	} else {
		page, err = c.Get(start.address)
	}
	if err != nil {
		return "", nil, fmt.Errorf("open the identity provider: %w", err)
	}
	// The login page, then the answer; a further page would be a surprise.
	for range 2 {
		action, form, err := readPage(page)
		if err != nil {
			return "", nil, err
		}
		if form.Has("SAMLResponse") {
			return action, form, nil
		}
		if !form.Has("password") {
			return "", nil, fmt.Errorf("the page at %s (%s) asks for no password", page.Request.URL.Path, page.Status)
		}
		name := "username"
		if form.Has("user") { // LemonLDAP::NG
			name = "user"
		}
		form.Set(name, username)
		form.Set("password", password)
		if page, err = c.PostForm(action, form); err != nil {
			return "", nil, fmt.Errorf("log in: %w", err)
		}
	}
	action, form, err := readPage(page)
	if err == nil && !form.Has("SAMLResponse") {
		err = fmt.Errorf("the identity provider refused %s: no answer at %s (%s)", username, page.Request.URL.Path, page.Status)
	}
	return action, form, err
}

// readPage takes the form out of a page: the one that holds an answer or asks
// for a password, if there is one. A page that says what went wrong instead is
// an error that quotes it.
func readPage(page *http.Response) (action string, form url.Values, err error) {
	defer page.Body.Close()
	d, err := goquery.NewDocumentFromReader(io.LimitReader(page.Body, 1<<20))
	if err != nil {
		return "", nil, fmt.Errorf("read page: %w", err)
	}
	if page.StatusCode >= 400 {
		return "", nil, fmt.Errorf("the page at %s (%s) says: %s", page.Request.URL.Path, page.Status, strings.Join(strings.Fields(d.Find("body").Text()), " "))
	}
	f := d.Find("form:has([name=SAMLResponse]), form:has([name=password])").First()
	form = url.Values{}
	f.Find("input[name]").Each(func(_ int, in *goquery.Selection) {
		if kind := in.AttrOr("type", "text"); kind == "submit" || kind == "checkbox" {
			return
		}
		form.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	u, err := page.Request.URL.Parse(f.AttrOr("action", ""))
	if err != nil {
		return "", nil, fmt.Errorf("read the address of a form: %w", err)
	}
	return u.String(), form, nil
}

// registerAt tells an identity provider of a service provider until the test
// ends, in a file in the folder sps. Each has a file of its own, so that tests
// that run at once do not disturb one another.
func registerAt(t testing.TB, dir, entityID string, sp any) {
	t.Helper()
	b, err := json.Marshal(sp)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(entityID))
	file := filepath.Join(dir, "sps", hex.EncodeToString(sum[:8])+".json")
	if err := os.WriteFile(file+".new", b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(file) })
}

// fetch gets a document.
func fetch(t testing.TB, address string) []byte {
	t.Helper()
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusOK {
		t.Fatalf("get %s: got %s: %s", address, r.Status, b)
	}
	return b
}

// wantNobody fails if any of the people has an account.
func (b *broker) wantNobody(t *testing.T, usernames ...string) {
	t.Helper()
	for _, who := range usernames {
		status, text := b.callAs("", "POST", "/v1/user", map[string]any{"email": who + "@company.test", "real_name": "x", "password": "long enough for anybody"})
		if status != http.StatusOK {
			t.Errorf("an account for %s was made by what was refused: %d %s", who, status, text)
		}
	}
}
