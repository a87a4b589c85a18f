package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	_ "github.com/jackc/pgx/v5/stdlib" // databases for the broker

	"gatehouse/internal/parts"
)

// build makes the binary once, in a folder that outlives the tests of this
// package.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gatehouse")
	if out, err := exec.Command("go", "build", "-o", path, "gatehouse/cmd/gatehouse").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %v\n%s", err, out)
	}
	return path, nil
})

// The operator that each broker is started with.
const operatorMail, operatorPassword = "operator@acme.test", "a password of the operator"

// A broker is a running gatehouse, with an organization that its operator
// administers.
type broker struct {
	t       testing.TB
	base    string
	log     string // its file
	token   string // the operator's
	org     string
	account string
}

// startBroker runs a broker until the test ends; with an empty databaseURL, on
// an embedded database of its own.
func startBroker(t testing.TB, databaseURL string, flags ...string) *broker {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	b := &broker{t: t, log: filepath.Join(dir, "log")}
	log, err := os.Create(b.log)
	if err != nil {
		t.Fatal(err)
	}
	// A port of its own that is known beforehand: the public URL names it.
	port := freePort(t)
	b.base = "http://" + port
	cmd := exec.Command(path, append([]string{"serve", "--listen", port, "--data", filepath.Join(dir, "data")}, flags...)...)
	cmd.Env = append(os.Environ(), "GATEHOUSE_BOOTSTRAP_EMAIL="+operatorMail, "GATEHOUSE_BOOTSTRAP_PASSWORD="+operatorPassword)
	if databaseURL != "" {
		cmd.Env = append(cmd.Env, "GATEHOUSE_DATABASE_URL="+databaseURL)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.stop(cmd) })
	b.waitReady()
	b.setUp()
	return b
}

// stop ends the broker, and fails the test if it did not end well.
func (b *broker) stop(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		b.t.Errorf("the broker ended badly: %v\n%s", err, b.logged())
	}
}

func (b *broker) waitReady() {
	b.t.Helper()
	for range 200 {
		if r, err := http.Get(b.base + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("the broker was not ready within ten seconds:\n%s", b.logged())
}

func (b *broker) setUp() {
	b.t.Helper()
	var login struct{ Token string }
	b.call("POST", "/v1/userauth", map[string]any{"email": operatorMail, "password": operatorPassword}, http.StatusOK, &login)
	b.token = login.Token
	b.org, b.account = b.organization("Acme")
}

func (b *broker) organization(name string) (org, account string) {
	b.t.Helper()
	var made struct {
		ID      string `json:"organization_id"`
		Account string `json:"account_id"`
	}
	b.call("POST", "/v1/organizations", map[string]any{"organization_name": name, "tier": "business"}, http.StatusOK, &made)
	return made.ID, made.Account
}

// call calls the API as the operator, and fails the test for another status.
func (b *broker) call(method, path string, in any, status int, out any) {
	b.t.Helper()
	got, text := b.callAs(b.token, method, path, in)
	if got != status {
		b.t.Fatalf("%s %s: got %d, want %d: %s", method, path, got, status, text)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(text, out); err != nil {
		b.t.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
}

func (b *broker) callAs(token, method, path string, in any) (status int, text []byte) {
	b.t.Helper()
	var body io.Reader
	if in != nil {
		js, err := json.Marshal(in)
		if err != nil {
			b.t.Fatal(err)
		}
		body = bytes.NewReader(js)
	}
	r, err := http.NewRequest(method, b.base+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "aivenv1 "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, text
}

// A provider is an identity provider as the API describes it.
type provider struct {
	ID       string `json:"authentication_method_id"`
	Enabled  bool   `json:"authentication_method_enabled"`
	State    string `json:"state"`
	Metadata string `json:"saml_metadata_url"`
	ACS      string `json:"saml_acs_url"`
	Login    string `json:"saml_login_url"`
	Signup   string `json:"saml_signup_url"`
}

// connect adds an identity provider to an account, with what fields say of it.
func (b *broker) connect(account, name string, fields map[string]any) provider {
	b.t.Helper()
	in := map[string]any{"authentication_method_name": name, "authentication_method_type": "saml"}
	for k, v := range fields {
		in[k] = v
	}
	var made struct {
		Method provider `json:"authentication_method"`
	}
	b.call("POST", "/v1/account/"+account+"/authentication", in, http.StatusOK, &made)
	return made.Method
}

// configure changes an identity provider.
func (b *broker) configure(account string, p provider, fields map[string]any) provider {
	b.t.Helper()
	var made struct {
		Method provider `json:"authentication_method"`
	}
	b.call("PUT", "/v1/account/"+account+"/authentication/"+p.ID, fields, http.StatusOK, &made)
	return made.Method
}

// logged is what the broker wrote to its log.
func (b *broker) logged() string {
	text, err := os.ReadFile(b.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// A person is a browser without a screen: it keeps cookies and follows
// redirects only as it is told.
type person struct {
	t      testing.TB
	client *http.Client
	atIdP  http.CookieJar // at a real identity provider; nil where never there
}

func newPerson(t testing.TB) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, client: &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// A page is what a browser shows, or where it is sent.
type page struct {
	status   int
	location string // absolute; empty if the answer is no redirect
	header   http.Header
	text     string
	doc      *goquery.Document
}

func (p *person) do(r *http.Request) page {
	p.t.Helper()
	answer, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	out := page{status: answer.StatusCode, header: answer.Header, text: string(text)}
	if to, err := answer.Location(); err == nil {
		out.location = to.String()
	}
	if out.doc, err = goquery.NewDocumentFromReader(bytes.NewReader(text)); err != nil {
		p.t.Fatal(err)
	}
	return out
}

// open opens an address as a link on a page of the same origin does.
func (p *person) open(address string) page {
	p.t.Helper()
	return p.openFrom("same-origin", address)
}

// openFrom opens an address from where site says, in the words of
// Sec-Fetch-Site.
func (p *person) openFrom(site, address string) page {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", site)
	return p.do(r)
}

// post sends a form, as a page of the site from would have it sent.
func (p *person) post(address, from string, form url.Values) page {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodPost, address, bytes.NewBufferString(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", from)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if from == r.URL.Scheme+"://"+r.URL.Host {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return p.do(r)
}

// wantCode fails unless a page has the status and names the code.
func wantCode(t testing.TB, got page, status int, code string) {
	t.Helper()
	if got.status != status || !regexp.MustCompile(`\b`+regexp.QuoteMeta(code)+`\b`).MatchString(got.text) {
		t.Errorf("got %d %s, want %d with %s:\n%s", got.status, got.location, status, code, got.doc.Find("main").Text())
	}
}

// onEachDatabase runs a test on the embedded database and on PostgreSQL.
func onEachDatabase(t *testing.T, test func(t *testing.T, databaseURL string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, newSchema(t)) })
}

// newSchema makes a PostgreSQL schema until the test ends, or skips the test.
func newSchema(t testing.TB) string {
	t.Helper()
	address := parts.Need(t, parts.Postgres)
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	name := "e2e_" + rand.Text()[:10]
	name = string(bytes.ToLower([]byte(name)))
	if _, err := db.ExecContext(context.Background(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Errorf("drop schema: %v", err)
		}
		db.Close()
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}
