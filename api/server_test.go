package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/internal/mail"
	"gatehouse/internal/seal"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/session"
	"gatehouse/sso"
	"gatehouse/store"
)

// A world is a whole server with a fixed clock and ids that count.
type world struct {
	*Server
	store   *store.Store
	built   *builder
	handler http.Handler
	now     time.Time
	log     *logBuffer
	sender  *mail.Sender
	mails   *mail.Kept
	zone    zone
	pages   pages

	published *openapi3.T
}

// A zone is what is published, by name.
type zone map[string][]string

// TXT makes a zone a domains.Looker.
func (z zone) TXT(_ context.Context, name string) domains.Look {
	values, outcome := z[name], "NOERROR"
	unsure := slices.Contains(values, silence)
	switch {
	case unsure:
		values, outcome = nil, "no answer"
	case len(values) == 0:
		outcome = "NXDOMAIN"
	}
	return domains.Look{
		Values: values, Unsure: unsure,
		Asked: []domains.Query{{Server: "192.0.2.53:53", Network: "udp", Name: name, Type: "TXT", Outcome: outcome, Records: len(values)}},
	}
}

// silence stands in a zone for a name that nobody answers of.
const silence = "silence"

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), log: &logBuffer{}, zone: zone{}, pages: published()}
	clock := func() time.Time { return w.now }
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	keys := seal.New()
	var err error
	w.store, err = store.Open(t.Context(), store.Config{Folder: t.TempDir(), Keys: keys, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	passwords := account.NewPasswords()
	events := &audit.Log{Store: w.store, Now: clock, NewID: countedUUID()}
	w.mails = &mail.Kept{}
	w.sender = &mail.Sender{Store: w.store, Transport: w.mails, Keys: keys, Domain: "gatehouse.example", NewID: ident.UUID, Now: clock, Log: log}
	addresses := &account.Addresses{Store: w.store, Mail: w.sender, Limits: &limit.Memory{Now: clock}, Base: "https://gatehouse.example", Now: clock, Audit: events}
	people := &account.People{Store: w.store, Passwords: passwords, NewID: counted("u"), Now: clock, Audit: events, Addresses: addresses}
	sightings := &policy.Sightings{Store: w.store}
	uses := &session.Uses{Store: w.store}
	door := &gate.Gate{Store: w.store, Uses: uses, Sightings: sightings, Now: clock}
	tokens := &session.Tokens{Store: w.store, Lifetime: 12 * time.Hour, Now: clock, Audit: events, Rules: door, Uses: uses}
	w.Server = &Server{
		Gate: door,
		Login: &login.Login{
			Store: w.store, Provider: &sso.Provider{Keys: keys}, Tokens: tokens, People: people, Passwords: passwords, Base: "https://gatehouse.example",
			Limits: &limit.Memory{Now: clock}, Checks: limit.NewSlots(4, time.Second), Keys: keys, Open: true, Now: clock, Log: log, Audit: events,
		},
		People:        people,
		Addresses:     addresses,
		Organizations: &account.Organizations{Store: w.store, NewID: counted("org"), NewAccountID: counted("a"), Now: clock, Audit: events},
		Groups:        &account.Groups{Store: w.store, NewID: counted("ug"), Now: clock, Audit: events},
		Members:       &account.Members{Store: w.store, Now: clock, Audit: events},
		IdPs:          &sso.IdPs{Store: w.store, Keys: keys, Base: "https://gatehouse.example", NewID: counted("am"), Now: clock, Audit: events},
		Tokens:        tokens,
		Domains:       &domains.Domains{Store: w.store, DNS: w.zone, Pages: w.zone, Label: "_aiven-challenge", NewID: counted("dom"), Now: clock, Limits: &limit.Memory{Now: clock}, Audit: events},
		Policies:      &policy.Policies{Store: w.store, Now: clock, Audit: events},
		Sightings:     sightings,
		Audit:         events,
		Cookies:       &session.CookieStore{},
		Base:          "https://gatehouse.example",
		Address:       func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
		Now:           clock,
		Log:           log,
		Version:       "test",
	}
	w.Login.Provider = &sso.Provider{Keys: keys}
	w.Traces = &login.Traces{
		Store: w.store, Provider: w.Login.Provider, IdPs: w.IdPs, Keys: keys, Limits: &limit.Memory{Now: clock}, Audit: events,
		NewID: countedUUID(), NewWords: func() string { return ident.Words(1) }, Now: clock, KeepFor: 336 * time.Hour, KeepResponses: true,
	}
	w.Login.Traces = w.Traces
	w.Groups.Keep, w.IdPs.Keep, w.IdPs.LinkDomains = w.Policies.KeepGroup, w.Policies.Keep, w.Domains.LinkAll
	w.Members.Keep = w.Policies.KeepAdmins
	w.IdPs.Refreshes = &sso.Refreshes{Store: w.store, Pages: w.pages, Limits: &limit.Memory{Now: clock}, Base: w.Base, Now: clock, Audit: events}
	w.built = w.build()
	w.handler = w.guard(w.built.mux)
	return w
}

// counted makes ids that say how many there were before.
func counted(prefix string) func() string {
	n := 0
	return func() string {
		n++
		return fmt.Sprintf("%s%011d", prefix, n)
	}
}

// countedUUID makes UUIDs that say how many there were before.
func countedUUID() func(time.Time) string {
	n := 0
	return func(at time.Time) string {
		n++
		return fmt.Sprintf("%08x-0000-7000-8000-%012d", at.Unix(), n)
	}
}

// A reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request; header lines are "Name: value".
func (w *world) do(t *testing.T, method, target, body string, header ...string) reply {
	t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, in)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	rec := httptest.NewRecorder()
	rec.Header().Set(requestIDHeader, "request-1")
	w.handler.ServeHTTP(rec, r)
	got := reply{rec.Code, rec.Header(), rec.Body.String()}
	w.checkSchema(t, r, got)
	return got
}

// plain sends a request of nobody, and checks nothing.
func (w *world) plain(method, target string) reply {
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest(method, target, nil))
	return reply{rec.Code, rec.Header(), rec.Body.String()}
}

// as sends a request with a token.
func (w *world) as(t *testing.T, token, method, target, body string) reply {
	t.Helper()
	return w.do(t, method, target, body, "Authorization: aivenv1 "+token)
}

// signUp makes a person and gives their token.
func (w *world) signUp(t *testing.T, email string) string {
	t.Helper()
	r := w.do(t, "POST", "/v1/user", `{"email":"`+email+`","password":"correct horse"}`)
	return r.need(t, http.StatusOK)["token"].(string)
}

// needEmpty fails unless the reply is a 204 that carries nothing.
func (r reply) needEmpty(t *testing.T) {
	t.Helper()
	_, typed := r.header["Content-Type"]
	if r.status != http.StatusNoContent || r.body != "" || typed {
		t.Fatalf("got status %d, Content-Type %q and body %q, want 204 and nothing else", r.status, r.header.Get("Content-Type"), r.body)
	}
}

// need fails unless the reply has a status and is a JSON object.
func (r reply) need(t *testing.T, status int) map[string]any {
	t.Helper()
	var v map[string]any
	if r.status != status {
		t.Fatalf("got status %d, want %d; body %s", r.status, status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("body is not a JSON object: %v\n%s", err, r.body)
	}
	return v
}

// needFailure fails unless the reply is a failure in the one shape, and gives
// its first item.
func (r reply) needFailure(t *testing.T, status int) map[string]any {
	t.Helper()
	v := r.need(t, status)
	items, _ := v["errors"].([]any)
	if v["message"] == "" || v["message"] == nil || len(items) == 0 || r.header.Get("Content-Type") != "application/json" {
		t.Fatalf("not a failure as promised: %s %s", r.header.Get("Content-Type"), r.body)
	}
	item := items[0].(map[string]any)
	if item["status"] != float64(status) || item["message"] == "" || item["error_code"] == "" {
		t.Fatalf("not an item as promised: %s", r.body)
	}
	return item
}

// organization makes one and gives its ids.
func (w *world) organization(t *testing.T, token, name string) (organizationID, accountID string) {
	t.Helper()
	v := w.as(t, token, "POST", "/v1/organizations", `{"organization_name":"`+name+`","tier":"business"}`).need(t, http.StatusOK)
	return v["organization_id"].(string), v["account_id"].(string)
}

// group makes a group and gives its id.
func (w *world) group(t *testing.T, token, organizationID, name string) string {
	t.Helper()
	v := w.as(t, token, "POST", "/v1/organization/"+organizationID+"/user-groups", `{"user_group_name":"`+name+`","description":""}`).need(t, http.StatusOK)
	return v["user_group_id"].(string)
}

// method makes an authentication method and gives its id.
func (w *world) method(t *testing.T, token, accountID string) string {
	t.Helper()
	v := w.as(t, token, "POST", "/v1/account/"+accountID+"/authentication", `{"authentication_method_name":"Okta","authentication_method_type":"saml"}`).need(t, http.StatusOK)
	return v["authentication_method"].(map[string]any)["authentication_method_id"].(string)
}

// domain claims a domain and gives its id.
func (w *world) domain(t *testing.T, token, organizationID, name string) string {
	t.Helper()
	v := w.as(t, token, "POST", "/v1/organization/"+organizationID+"/domains", `{"domain_name":"`+name+`"}`).need(t, http.StatusOK)
	return v["domain_id"].(string)
}

// verified claims a domain, publishes its record and has it verified.
func (w *world) verified(t *testing.T, token, organizationID, name string) string {
	t.Helper()
	id := w.domain(t, token, organizationID, name)
	path := "/v1/organization/" + organizationID + "/domains/" + id
	d := w.as(t, token, "GET", path, "").need(t, http.StatusOK)
	w.zone[d["txt_record_name"].(string)] = []string{d["txt_record_value"].(string)}
	w.as(t, token, "POST", path+"/verify", "").need(t, http.StatusOK)
	return id
}
