package web

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
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

// A world is a whole server with an identity provider beside it, on two
// origins, and a log to read.
type world struct {
	t      testing.TB
	server *Server
	site   *httptest.Server
	idp    *demoidp.IdP
	idpURL string
	log    *lockedBuffer
	store  *store.Store
	sender *mail.Sender
	mails  *mail.Kept
	zone   zone
	pages  pages
}

// A zone is what is published: TXT values by name. It counts as a resolver.
type zone map[string][]string

func (z zone) TXT(_ context.Context, name string) domains.Look {
	outcome, records := "NOERROR", len(z[name])
	if records == 0 {
		outcome = "NXDOMAIN"
	}
	return domains.Look{Values: z[name], Asked: []domains.Query{{Server: "192.0.2.53:53", Network: "udp", Name: name, Type: "TXT", Outcome: outcome, Records: records}}}
}

// A lockedBuffer is a log that tests read while servers write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// requestID is the id that every request of a test has.
const requestID = "019-test-request"

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, log: &lockedBuffer{}, zone: zone{}, pages: pages{}}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	keys := seal.New()
	now := time.Now
	db, err := store.Open(context.Background(), store.Config{Folder: t.TempDir(), Keys: keys, Log: log})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() { db.Close() })
	w.store = db

	var handler http.Handler
	w.site = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Request-Id", requestID)
		handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.site.Close)

	passwords := account.NewPasswords()
	events := &audit.Log{Store: db, Now: now, NewID: ident.UUID}
	limits := &limit.Memory{Now: now}
	w.mails = &mail.Kept{}
	w.sender = &mail.Sender{Store: db, Transport: w.mails, Keys: keys, Domain: "sso.acme.test", NewID: ident.UUID, Now: now, Log: log}
	addresses := &account.Addresses{Store: db, Mail: w.sender, Limits: limits, Base: w.site.URL, Now: now, Audit: events}
	people := &account.People{Store: db, Passwords: passwords, NewID: ident.Source("u"), Now: now, Audit: events, Addresses: addresses}
	tokens := &session.Tokens{Store: db, Lifetime: 24 * time.Hour, Now: now, Audit: events}
	provider := &sso.Provider{Keys: keys}
	sightings := &policy.Sightings{Store: db}
	door := &gate.Gate{Store: db, Sightings: sightings, Now: now}
	tokens.Rules = door
	idps := &sso.IdPs{Store: db, Keys: keys, Base: w.site.URL, NewID: ident.Source("am"), Now: now, Audit: events}
	traces := &login.Traces{
		Store: db, Provider: provider, IdPs: idps, Keys: keys, Limits: limits, Audit: events,
		NewID: ident.UUID, NewWords: ident.RandomWords, Now: now, KeepFor: 336 * time.Hour, KeepResponses: true,
	}
	w.server = &Server{
		Gate: door, Traces: traces,
		Login: &login.Login{
			Store: db, Provider: provider, Tokens: tokens, People: people, Passwords: passwords,
			Limits: limits, Checks: limit.NewSlots(4, time.Second), Keys: keys, Base: w.site.URL, Open: true, NewUserID: ident.Source("u"), Now: now, Log: log, Audit: events,
			Recovery: &login.Recovery{Store: db, Now: now, Audit: events}, Addresses: addresses, Mail: w.sender, Traces: traces,
		},
		People:        people,
		Addresses:     addresses,
		Organizations: &account.Organizations{Store: db, NewID: ident.Source("org"), NewAccountID: ident.Source("a"), Now: now, Audit: events},
		Groups:        &account.Groups{Store: db, NewID: ident.Source("ug"), Now: now, Audit: events},
		Members:       &account.Members{Store: db, Now: now, Audit: events},
		IdPs:          idps,
		Policies:      &policy.Policies{Store: db, Now: now, Audit: events},
		Sightings:     sightings,
		Provider:      provider,
		Domains:       &domains.Domains{Store: db, DNS: w.zone, Label: "_aiven-challenge", NewID: ident.Source("dom"), Now: now, Limits: limits, Audit: events},
		Tokens:        tokens,
		Audit:         events,
		Cookies:       &session.CookieStore{},
		Base:          w.site.URL,
		Address:       func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.7") },
		Now:           now,
		Log:           log,
	}
	idps.Refreshes = &sso.Refreshes{Store: db, Pages: w.pages, Limits: limits, Base: w.site.URL, Now: now, Audit: events}
	w.server.IdPs.LinkDomains, addresses.Proved = w.server.Domains.LinkAll, w.server.Domains.Proved
	handler = w.server.Handler()
	return w
}

// addDomain claims a domain and gives the path of its page.
func (b *tab) addDomain(organization, name string) string {
	b.t.Helper()
	path, _, _ := strings.Cut(b.post(organization+"/domains", "domain_name", name).to(), "?")
	return path
}

// speaks has an organization claim a domain, publish the record, verify it and
// link it to identity providers; and gives the path of its page.
func (b *tab) speaks(organization, name string, providers ...string) (path string) {
	b.t.Helper()
	path = b.addDomain(organization, name)
	b.zone["_aiven-challenge."+name] = []string{b.get(path).page().Find("#copy-value").Text()}
	b.post(path + "/verify").to()
	for _, p := range providers {
		b.post(path+"/link", "authentication_method_id", idOf(p)).to()
	}
	return path
}

// mail sends what waits, and gives all that was sent, newest first.
func (w *world) mail() []mail.Outgoing {
	w.t.Helper()
	for {
		more, err := w.sender.Deliver(w.t.Context())
		if err != nil {
			w.t.Fatalf("deliver: %v", err)
		}
		if !more {
			return w.mails.Mails()
		}
	}
}

// withIdP starts the identity provider, on another host name.
func (w *world) withIdP() {
	w.t.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	w.t.Cleanup(server.Close)
	w.idpURL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	idp, err := demoidp.New(w.idpURL)
	if err != nil {
		w.t.Fatalf("make identity provider: %v", err)
	}
	w.idp, handler = idp, idp.Handler()
}

// A tab is a browser: it keeps cookies, follows no redirect by itself, and
// says where requests come from as browsers do.
type tab struct {
	*world
	client *http.Client
}

func (w *world) browser() *tab {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &tab{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// An answer is a response with its body read.
type answer struct {
	*http.Response
	Body string
	t    testing.TB
}

func (b *tab) do(r *http.Request) *answer {
	b.t.Helper()
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return &answer{resp, string(body), b.t}
}

// at makes a path an address here; addresses stay.
func (w *world) at(path string) string {
	if strings.HasPrefix(path, "http") {
		return path
	}
	return w.site.URL + path
}

// get opens an address as a link on a page of the same origin does.
func (b *tab) get(path string) *answer {
	b.t.Helper()
	return b.getFrom("same-origin", path)
}

// getFrom opens an address; site is what the browser says of where the link
// stood, in the words of Sec-Fetch-Site, and empty if it says nothing.
func (b *tab) getFrom(site, path string) *answer {
	b.t.Helper()
	r, err := http.NewRequest("GET", b.at(path), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if site != "" {
		r.Header.Set("Sec-Fetch-Site", site)
	}
	return b.do(r)
}

// post sends a form from a page of the same origin.
func (b *tab) post(path string, pairs ...string) *answer {
	b.t.Helper()
	return b.postFrom("same-origin", path, pairs...)
}

func (b *tab) postFrom(site, path string, pairs ...string) *answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequest("POST", b.at(path), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", site)
	return b.do(r)
}

// to checks a redirect and gives where it leads, relative to the server.
func (a *answer) to() string {
	a.t.Helper()
	if a.StatusCode != http.StatusSeeOther {
		a.t.Fatalf("%s %s: got status %d, want 303; the page says:\n%s", a.Request.Method, a.Request.URL, a.StatusCode, a.text())
	}
	return a.Header.Get("Location")
}

func (a *answer) page() *goquery.Document {
	a.t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.Body))
	if err != nil {
		a.t.Fatalf("parse page: %v", err)
	}
	return doc
}

// text is what a person reads on the page.
func (a *answer) text() string {
	return strings.Join(strings.Fields(a.page().Find("main").Text()), " ")
}

func (a *answer) wantStatus(want int) *answer {
	a.t.Helper()
	if a.StatusCode != want {
		a.t.Errorf("%s %s: got status %d, want %d; the page says: %s", a.Request.Method, a.Request.URL, a.StatusCode, want, a.text())
	}
	return a
}

func (a *answer) wantText(want string) *answer {
	a.t.Helper()
	if !strings.Contains(a.text(), want) {
		a.t.Errorf("%s %s: got the text %q, want %q in it", a.Request.Method, a.Request.URL, a.text(), want)
	}
	return a
}

const goodPassword = "correct horse battery"

// signUp makes an account and logs it in.
func (b *tab) signUp(name, email string) {
	b.t.Helper()
	next := b.post("/signup", "real_name", name, "email", email, "password", goodPassword).to()
	if got := b.get(next).to(); got != "/" {
		b.t.Fatalf("after signing up: got sent to %s, want /", got)
	}
}

// addOrganization adds one and gives its path.
func (b *tab) addOrganization(name string) string {
	b.t.Helper()
	path, _, _ := strings.Cut(b.post("/organizations", "organization_name", name).to(), "?")
	return path
}

// addGroup adds a group and gives its path.
func (b *tab) addGroup(organization, name string) string {
	b.t.Helper()
	path, _, _ := strings.Cut(b.post(organization+"/groups", "user_group_name", name).to(), "?")
	return path
}

// addIdP adds an identity provider that is pending and gives its path.
func (b *tab) addIdP(organization, name string) string {
	b.t.Helper()
	path, _, found := strings.Cut(b.post(organization+"/identity-providers", "authentication_method_name", name).to(), "/setup")
	if !found {
		b.t.Fatalf("after adding a provider: got sent to %s, want its set-up", path)
	}
	return path
}

// connect configures an identity provider with the demonstration's metadata.
func (b *tab) connect(provider string) (methodID string) {
	b.t.Helper()
	metadata := b.get(b.idpURL + "/metadata").Body
	b.post(provider+"/setup?step=3", "saml_idp_metadata", metadata).to()
	methodID = provider[strings.LastIndex(provider, "/")+1:]
	b.idp.Register(demoidp.SP{
		EntityID: b.site.URL + "/v1/sso/saml/metadata/" + methodID,
		ACSURL:   b.site.URL + "/v1/sso/saml/acs/" + methodID,
		Name:     "Gatehouse",
	})
	return methodID
}

// throughIdP follows a login at the identity provider as a person there, up to
// the answer of the assertion consumer service. mistake may be empty.
func (b *tab) throughIdP(start, person, mistake string) *answer {
	b.t.Helper()
	return b.answerAt(b.get(start).to(), person, mistake)
}

// answerAt logs in at the identity provider, where address leads, and brings
// the answer to the assertion consumer service.
func (b *tab) answerAt(address, person, mistake string) *answer {
	b.t.Helper()
	choose := b.get(address).page()
	form := url.Values{"user": {person}, "mistake": {mistake}}
	choose.Find("form input[type=hidden]").Each(func(_ int, in *goquery.Selection) {
		form.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
	})
	r, err := http.NewRequest("POST", b.idpURL+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	onward := b.do(r).page().Find("form")
	return b.postFrom("cross-site", onward.AttrOr("action", ""),
		"SAMLResponse", onward.Find("[name=SAMLResponse]").AttrOr("value", ""),
		"RelayState", onward.Find("[name=RelayState]").AttrOr("value", ""))
}

// link links the account of a fresh session to somebody at the identity
// provider.
func (b *tab) link(method, person string) {
	b.t.Helper()
	b.sayYes(b.get(b.atIdP(b.post("/link/"+method).page(), person))).to()
}

// through logs in through an identity provider, to the page that is meant.
func (b *tab) through(start, person string) string {
	b.t.Helper()
	return b.get(b.throughIdP(start, person, "").to()).to()
}

// makeToken makes a personal token by the form, and gives its text.
func (b *tab) makeToken(pairs ...string) string {
	b.t.Helper()
	a := b.post("/profile/tokens", append([]string{"life", "3600"}, pairs...)...).wantStatus(http.StatusOK)
	return a.page().Find("#copy-token").Text()
}

// enters says with which code an organization refuses a program's token, or
// nothing where it lets it in.
func (w *world) enters(token, organization string) string {
	w.t.Helper()
	_, err := w.server.Gate.Admit(w.t.Context(), gate.Request{Token: token, IP: netip.MustParseAddr("192.0.2.7"), Agent: "curl/8.5.0", Need: account.ReadOrganization, OrganizationID: idOf(organization)})
	if err == nil {
		return ""
	}
	return fault.Of(err).Code
}

// setPolicy changes an organization's policy as its pages do: the form, the
// preview, and the button there. An empty value unticks.
func (b *tab) setPolicy(organization, how string, changes ...string) *answer {
	b.t.Helper()
	policy := organization + "/authentication-policy"
	form := formOn(b.get(policy).wantStatus(http.StatusOK).page())
	for i := 0; i+1 < len(changes); i += 2 {
		if form[changes[i]] = changes[i+1]; changes[i+1] == "" {
			delete(form, changes[i])
		}
	}
	preview := b.post(policy+"/preview", pairsOf(form)...).wantStatus(http.StatusOK).wantText("What changes")
	save := formOn(preview.page())
	save["how"] = how
	if preview.page().Find("#in-force").Length() == 1 {
		save["force"] = "on"
	}
	return b.post(policy, pairsOf(save)...)
}

// bearer gives who holds a token, as a request with it is judged.
func (w *world) bearer(token string) (session.Bearer, error) {
	v, err := w.server.Gate.Admit(context.Background(), gate.Request{Token: token, Need: account.ReadSelf})
	return v.Bearer, err
}
