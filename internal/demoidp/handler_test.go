package demoidp

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/jba/templatecheck"
)

func request(h http.Handler, method, target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:8081"+target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func document(t testing.TB, w *httptest.ResponseRecorder) *goquery.Document {
	t.Helper()
	d, err := goquery.NewDocumentFromReader(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// fields reads the form of a page as a browser does, without its buttons.
func fields(d *goquery.Document) url.Values {
	form := url.Values{}
	d.Find("main form input").Each(func(_ int, s *goquery.Selection) {
		form.Add(s.AttrOr("name", ""), s.AttrOr("value", ""))
	})
	return form
}

func TestTemplateFits(t *testing.T) {
	if err := templatecheck.CheckHTML(template.Must(template.New("page").Parse(pageSource)), page{}); err != nil {
		t.Error(err)
	}
}

func TestBrowserLogsIn(t *testing.T) {
	p := newIdP(t)
	h := p.Handler()
	query := url.Values{"SAMLRequest": {deflated(t, honestRequest)}, "RelayState": {`flow "1" & more`}}
	posted := url.Values{"SAMLRequest": {plain(honestRequest)}, "RelayState": {`flow "1" & more`}}
	pages := map[string]*httptest.ResponseRecorder{
		"redirect": request(h, "GET", "/sso?"+query.Encode(), nil),
		"post":     request(h, "POST", "/sso", posted, "Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "cross-site"),
		"start":    request(h, "GET", "/start?"+url.Values{"sp": {testSP.EntityID}, "RelayState": {`flow "1" & more`}}.Encode(), nil),
	}
	for name, w := range pages {
		t.Run(name, func(t *testing.T) {
			if w.Code != http.StatusOK {
				t.Fatalf("got status %d, want 200: %s", w.Code, w.Body)
			}
			login := document(t, w)
			if got := login.Find("button[name=user]").Length(); got != len(p.Users) {
				t.Errorf("got %d people to choose from, want %d", got, len(p.Users))
			}
			form := fields(login)
			form.Set("user", "bob")
			w := request(h, "POST", "/login", form, "Sec-Fetch-Site", "same-origin")
			answer := document(t, w)
			if got := answer.Find("main form").AttrOr("action", ""); got != testSP.ACSURL {
				t.Errorf("got the form for %q, want %q", got, testSP.ACSURL)
			}
			got := fields(answer)
			if got.Get("RelayState") != `flow "1" & more` {
				t.Errorf("got the relay state %q, want what was sent", got.Get("RelayState"))
			}
			doc, err := base64.StdEncoding.DecodeString(got.Get("SAMLResponse"))
			if err != nil {
				t.Fatal(err)
			}
			root := parse(t, doc)
			wantRequest := "_request"
			if name == "start" {
				wantRequest = ""
			}
			if id := root.SelectAttrValue("InResponseTo", ""); id != wantRequest {
				t.Errorf("got an answer to %q, want %q", id, wantRequest)
			}
			if v := root.FindElement("//Attribute[@Name='email']/AttributeValue").Text(); v != "bob@acme.test" {
				t.Errorf("got the address %q, want bob@acme.test", v)
			}
		})
	}
}

// The policy admits just the style and the script that the page has, and just
// the service provider's site beside its own.
func TestPolicyFitsThePage(t *testing.T) {
	h := newIdP(t).Handler()
	w := request(h, "POST", "/login", url.Values{"sp": {testSP.EntityID}, "user": {"alice"}})
	d := document(t, w)
	policy := w.Header().Get("Content-Security-Policy")
	for _, tag := range []string{"style", "script"} {
		sum := sha256.Sum256([]byte(d.Find(tag).Text()))
		want := tag + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		if !strings.Contains(policy, want) {
			t.Errorf("got %q, want it to contain %q", policy, want)
		}
	}
	if want := "form-action 'self' http://127.0.0.1:8080"; !strings.HasSuffix(policy, want) {
		t.Errorf("got %q, want it to end in %q", policy, want)
	}
	w = request(h, "GET", "/start?sp="+url.QueryEscape(testSP.EntityID), nil)
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, "form-action 'self'") {
		t.Errorf("login page: got %q, want forms for this site alone", policy)
	}
}

func TestChosenMistakeIsMade(t *testing.T) {
	h := newIdP(t).Handler()
	w := request(h, "POST", "/login", url.Values{"sp": {testSP.EntityID}, "user": {"alice"}, "mistake": {"wrong-audience"}})
	doc, err := base64.StdEncoding.DecodeString(fields(document(t, w)).Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "https://other.test/metadata") {
		t.Errorf("got %s, want another audience", doc)
	}
}

func TestRefusalsAreSignedFailures(t *testing.T) {
	p := newIdP(t)
	h := p.Handler()
	passive := strings.Replace(honestRequest, ` Version=`, ` IsPassive="true" Version=`, 1)
	tests := []struct {
		name string
		page *httptest.ResponseRecorder
		want string
	}{
		{"cancelled", request(h, "POST", "/login", url.Values{"sp": {testSP.EntityID}, "cancel": {"1"}}), AuthnFailed},
		{"no page allowed", request(h, "GET", "/sso?"+url.Values{"SAMLRequest": {deflated(t, passive)}}.Encode(), nil), NoPassive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := base64.StdEncoding.DecodeString(fields(document(t, tt.page)).Get("SAMLResponse"))
			if err != nil {
				t.Fatal(err)
			}
			root := parse(t, doc)
			if got := root.FindElement("//StatusCode/StatusCode").SelectAttrValue("Value", ""); got != tt.want {
				t.Errorf("got the status %s, want %s", got, tt.want)
			}
			if err := signatureHolds(p, root); err != nil {
				t.Errorf("got %v, want the failure signed", err)
			}
		})
	}
}

func TestProblemsHaveAPage(t *testing.T) {
	h := newIdP(t).Handler()
	tests := []struct {
		name           string
		method, target string
		form           url.Values
		headers        []string
		status         int
		text           string
	}{
		{"no request", "GET", "/sso", nil, nil, 400, "There is no request"},
		{"unknown provider", "GET", "/start?sp=urn:x", nil, nil, 403, "not registered"},
		{"markup in the provider", "GET", "/start?sp=%3Cscript%3E", nil, nil, 403, "not registered"},
		{"unknown person", "POST", "/login", url.Values{"sp": {testSP.EntityID}, "user": {"eve"}}, nil, 400, "Nobody here"},
		{"nobody chosen", "POST", "/login", url.Values{"sp": {testSP.EntityID}}, nil, 400, "Nobody here"},
		{"unknown mistake", "POST", "/login", url.Values{"sp": {testSP.EntityID}, "user": {"bob"}, "mistake": {"x"}}, nil, 400, "no mistake"},
		{"login from another site", "POST", "/login", url.Values{"sp": {testSP.EntityID}, "user": {"bob"}}, []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross-origin"},
		{"a long form", "POST", "/sso", url.Values{"SAMLRequest": {strings.Repeat("A", maxForm)}}, nil, 413, "longer than"},
		{"another verb", "PUT", "/sso", nil, nil, 405, ""},
		{"another page", "GET", "/admin", nil, nil, 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := request(h, tt.method, tt.target, tt.form, tt.headers...)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.text) {
				t.Errorf("got %d with %q, want %d with %q", w.Code, w.Body, tt.status, tt.text)
			}
			if document(t, w).Find("main script").Length() != 0 {
				t.Error("got a script in the page, want none")
			}
		})
	}
}

func TestHomeListsWhatIsRegistered(t *testing.T) {
	w := request(newIdP(t).Handler(), "GET", "/", nil)
	if got := fields(document(t, w))["sp"]; len(got) != 1 || got[0] != testSP.EntityID {
		t.Errorf("got the applications %q, want %q alone", got, testSP.EntityID)
	}
}
