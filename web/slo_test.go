package web

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/session"
	"gatehouse/sso"
)

// A logoutSide is the identity provider's side of logouts: a provider like ours,
// under another name, whose key the method trusts.
type logoutSide struct {
	*tab
	sso.Provider
	mirror *sso.IdP
	method *sso.IdP
}

const theirLogout = "https://idp.test/slo"

// withLogout logs Bob in through an identity provider that is told of logouts.
func withLogout(t *testing.T, w *world, binding sso.Binding) *logoutSide {
	t.Helper()
	ctx := context.Background()
	admin := w.browser()
	admin.signUp("Alice Archer", "alice@acme.test")
	organization := admin.addOrganization("Acme")
	by := account.Actor{User: account.User{ID: w.user(admin), Email: "alice@acme.test"}}
	org, err := w.server.Organizations.Store.Organization(ctx, idOf(organization))
	if err != nil {
		t.Fatal(err)
	}
	name := "Mirror"
	mirror, err := w.server.IdPs.Create(ctx, by, org, sso.New{Type: "saml", Change: sso.Change{Name: &name}})
	if err != nil {
		t.Fatal(err)
	}
	mirror.Base = "http://mirror.test"
	w.withIdP()
	w.idp.EntityID = mirror.MetadataURL()
	method := admin.connect(admin.addIdP(organization, "Acme Okta"))
	i, err := w.server.IdPs.Get(ctx, org, method)
	if err != nil {
		t.Fatal(err)
	}
	address, how, certificates := theirLogout, string(binding), i.CertificatePEM+"\n"+pemOf(mirror.SigningCertificate())
	if i, err = w.server.IdPs.Update(ctx, by, org, method, sso.Change{SLOURL: &address, SLOBinding: &how, Certificates: &certificates}); err != nil {
		t.Fatal(err)
	}
	mirror.IdPSLOURL, mirror.SLOBinding, mirror.State, mirror.Enabled, mirror.SSOURL = i.SLOURL(), binding, sso.Active, true, theirLogout
	mirror.EntityID, mirror.Certificates = i.MetadataURL(), nil
	b := w.browser()
	b.get(b.throughIdP("/v1/sso/saml/login/"+method+"?intent=signup", "bob", "").to())
	b.get("/").wantStatus(http.StatusOK).wantText("Bob")
	return &logoutSide{b, sso.Provider{Keys: w.server.Provider.Keys}, mirror, i}
}

func pemOf(der []byte) string {
	return "-----BEGIN CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString(der) + "\n-----END CERTIFICATE-----"
}

// asks is a request for the end of Bob's sessions.
func (l *logoutSide) asks(binding sso.Binding) *sso.Request {
	l.t.Helper()
	l.mirror.SLOBinding = binding
	r, err := l.LogoutRequest(l.mirror, sso.NewTicket(sso.ToLogout, "", time.Now()), sso.NameID{Value: "bob@acme.test", Format: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}, "", time.Now())
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// answers is an answer to what our page carries.
func (l *logoutSide) answers(id, status string) *sso.Request {
	l.t.Helper()
	r, err := l.LogoutResponse(l.mirror, sso.Redirect, &sso.LogoutRequest{ID: id}, status, time.Now())
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// soap posts a message as another server does.
func (l *logoutSide) soap(body []byte) *answer {
	l.t.Helper()
	r, err := http.NewRequest("POST", l.method.SLOURL(), strings.NewReader(string(body)))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	return l.world.browser().do(r)
}

func fields(r *sso.Request) (pairs []string) {
	for _, f := range r.Form {
		pairs = append(pairs, f.Name, f.Value)
	}
	return pairs
}

func TestAnIdentityProviderLogsSomebodyOut(t *testing.T) {
	for _, binding := range []sso.Binding{sso.Redirect, sso.Post, sso.SOAP} {
		t.Run("by "+string(binding), func(t *testing.T) {
			w := newWorld(t)
			l := withLogout(t, w, sso.Redirect)
			r := l.asks(binding)
			switch binding {
			case sso.Redirect:
				// In a frame of theirs: no cookie of ours comes along.
				to := w.browser().getFrom("cross-site", r.URL).to()
				if !strings.HasPrefix(to, theirLogout+"?SAMLResponse=") {
					t.Errorf("got sent to %s, want our response at %s", to, theirLogout)
				}
			case sso.Post:
				page := w.browser().postFrom("cross-site", r.URL, fields(r)...).wantStatus(http.StatusOK)
				form := page.page().Find("form#onward")
				if form.AttrOr("action", "") != theirLogout || form.Find("input[name=SAMLResponse]").Length() != 1 {
					t.Errorf("got the page %s, want our response for %s", page.Body, theirLogout)
				}
				if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors https://idp.test;") || page.Header.Get("X-Frame-Options") != "" {
					t.Errorf("got the policy %s and X-Frame-Options %q, want frames of the identity provider alone", csp, page.Header.Get("X-Frame-Options"))
				}
			case sso.SOAP:
				a := l.soap(r.Body).wantStatus(http.StatusOK)
				if !strings.Contains(a.Body, "status:Success") || !strings.Contains(a.Body, "<ds:Signature") || a.Header.Get("Content-Type") != "text/xml; charset=utf-8" {
					t.Errorf("got %s, want a signed Success", a.Body)
				}
			}
			if got := l.get("/").to(); !strings.HasPrefix(got, "/login") {
				t.Errorf("got sent to %s, want the session over", got)
			}
		})
	}
}

func TestALogoutRequestThatIsNotTheirsLogsNobodyOut(t *testing.T) {
	w := newWorld(t)
	l := withLogout(t, w, sso.Redirect)
	r := l.asks(sso.Redirect)
	unsigned := r.URL[:strings.Index(r.URL, "&SigAlg=")]
	l.getFrom("cross-site", unsigned).wantStatus(http.StatusForbidden).wantText("The logout was refused").wantText("not signed")
	l.getFrom("cross-site", l.method.SLOURL()).wantStatus(http.StatusForbidden)
	l.postFrom("cross-site", l.method.SLOURL(), "SAMLRequest", "x", "SAMLRequest", "y").wantStatus(http.StatusForbidden)
	l.postFrom("cross-site", l.method.SLOURL(), "SAMLRequest", strings.Repeat("x", 130<<10)).wantStatus(http.StatusRequestEntityTooLarge)
	a := l.soap([]byte("<nonsense/>")).wantStatus(http.StatusInternalServerError)
	if !strings.Contains(a.Body, "soap:Fault") {
		t.Errorf("got %s, want a fault", a.Body)
	}
	l.soap(make([]byte, 100<<10)).wantStatus(http.StatusInternalServerError)
	head, err := http.NewRequest("HEAD", r.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.do(head).wantStatus(http.StatusMethodNotAllowed)
	l.get("/").wantStatus(http.StatusOK).wantText("Bob")

	l.get(r.URL).to()
	if again := l.get(r.URL).to(); !strings.HasPrefix(again, theirLogout) {
		t.Errorf("a request that was used: got sent to %s, want the refusal at %s and nowhere else", again, theirLogout)
	}
}

func TestALogoutHereGoesOnToTheIdentityProvider(t *testing.T) {
	w := newWorld(t)
	l := withLogout(t, w, sso.Redirect)
	l.get("/logout").wantText("your browser goes on to Acme Okta")
	l.postFrom("cross-site", "/logout").wantStatus(http.StatusForbidden)
	l.get("/").wantText("Bob")
	page := l.post("/logout").wantStatus(http.StatusOK).wantText("You are logged out here")
	if got := l.get("/").to(); !strings.HasPrefix(got, "/login") {
		t.Errorf("got sent to %s, want the session over before the identity provider is asked", got)
	}
	onward := page.page().Find("a#onward").AttrOr("href", "")
	sent, err := url.Parse(onward)
	if err != nil || !strings.HasPrefix(onward, theirLogout+"?SAMLRequest=") {
		t.Fatalf("got the link %s, want a request at %s", onward, theirLogout)
	}
	message, err := sso.ReadLogoutQuery(sent.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	if l.mirror.Certificates, err = sso.ParseCertificates(pemOf(l.method.SigningCertificate())); err != nil {
		t.Fatal(err)
	}
	if _, err := l.CheckLogoutRequest(l.mirror, message, time.Now()); err == nil || !strings.Contains(err.Error(), "logout_destination_mismatch") {
		t.Errorf("got %v, want a signature that holds, and their address as the destination", err)
	}
}

func TestAnAnswerToALogoutIsTold(t *testing.T) {
	for status, text := range map[string]string{
		sso.LogoutDone:   "You are logged out here and at Acme Okta.",
		sso.LogoutFailed: "Acme Okta did not confirm that you are logged out there too.",
	} {
		w := newWorld(t)
		l := withLogout(t, w, sso.Post)
		page := l.post("/logout").wantStatus(http.StatusOK)
		raw, err := base64.StdEncoding.DecodeString(page.page().Find("input[name=SAMLRequest]").AttrOr("value", ""))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(raw), ` ID="`)
		id, _, _ := strings.Cut(rest, `"`)
		to := l.getFrom("cross-site", l.answers(id, status).URL).to()
		if !strings.HasPrefix(to, w.site.URL+"/logout/done?told=") {
			t.Fatalf("got sent to %s, want the page that tells it", to)
		}
		l.get(to).wantStatus(http.StatusOK).wantText(text)
		if got := l.get("/logout/done?told=" + strings.Repeat("A", 80)).to(); got != "/login" {
			t.Errorf("an outcome that we did not write: got sent to %s, want /login", got)
		}
	}
}

func TestAnAnswerThatNobodyAskedForDoesNotClaimALogout(t *testing.T) {
	w := newWorld(t)
	l := withLogout(t, w, sso.Redirect)
	to := l.getFrom("cross-site", l.answers("_none", sso.LogoutDone).URL).to()
	l.get(to).wantStatus(http.StatusOK).wantText("did not confirm a logout").wantText("In this browser you are logged in, as Bob")
}

func TestALinkCarriesAProgramsLogoutOn(t *testing.T) {
	w := newWorld(t)
	l := withLogout(t, w, sso.Post)
	bearer, err := w.bearer(l.token())
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.server.Login.LogOut(context.Background(), bearer.Hash, session.End{Reason: "logged out"})
	if err != nil {
		t.Fatal(err)
	}
	link := w.server.Login.LogoutURL(out)
	page := w.browser().get(link).wantStatus(http.StatusOK)
	if page.page().Find("form#onward input[name=SAMLRequest]").Length() != 1 {
		t.Errorf("got the page %s, want a request for the identity provider", page.Body)
	}
	w.browser().get(link[:len(link)-2]).wantStatus(http.StatusNotFound).wantText("This link is not good")
	w.browser().get("/logout/onward").wantStatus(http.StatusNotFound)
}
