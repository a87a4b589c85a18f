package login_test

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/gate"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

const aliceName = `<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">alice@acme.test</saml:NameID>`

// A logoutNote is a message of the identity provider's.
type logoutNote struct {
	id      string // of a request; a new one unless said
	name    string // the element; Alice unless said
	indexes []string
	answers string // the id of a request of ours: then it is a response
	status  string // of a response: the end of the status
	key     *rsa.PrivateKey
	to      *sso.IdP // the method; Acme's unless said
	from    *demoidp.IdP
	relay   string
}

// query signs a message as the identity provider does, for a redirect.
func (w *world) query(n logoutNote) string {
	w.t.Helper()
	if n.to == nil {
		n.to, n.from = w.sso, w.idp
	}
	if n.key == nil {
		n.key = n.from.Key.(*rsa.PrivateKey)
	}
	if n.id == "" {
		n.id = n.from.NewID()
	}
	if n.name == "" {
		n.name = aliceName
	}
	body, kind, parameter, attribute := n.name, "LogoutRequest", "SAMLRequest", ""
	for _, i := range n.indexes {
		body += "<samlp:SessionIndex>" + i + "</samlp:SessionIndex>"
	}
	if n.answers != "" {
		kind, parameter, attribute = "LogoutResponse", "SAMLResponse", ` InResponseTo="`+n.answers+`"`
		body = `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:` + n.status + `"/></samlp:Status>`
	}
	doc := `<samlp:` + kind + ` xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="` + n.id + `" Version="2.0" IssueInstant="` + w.now().Format(time.RFC3339) + `" Destination="` + n.to.SLOURL() + `"` + attribute + `>` +
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + n.from.EntityID + `</saml:Issuer>` + body + `</samlp:` + kind + `>`
	var packed bytes.Buffer
	deflater, err := flate.NewWriter(&packed, flate.BestSpeed)
	must(w.t, err)
	_, err = io.WriteString(deflater, doc)
	must(w.t, err)
	must(w.t, deflater.Close())
	query := parameter + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes()))
	if n.relay != "" {
		query += "&RelayState=" + url.QueryEscape(n.relay)
	}
	query += "&SigAlg=" + url.QueryEscape("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")
	sum := sha256.Sum256([]byte(query))
	signature, err := rsa.SignPKCS1v15(rand.Reader, n.key, crypto.SHA256, sum[:])
	must(w.t, err)
	return query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}

// logout brings a message to a method's logout URL.
func (w *world) logout(methodID, query string) (login.AnsweredLogout, error) {
	m, bad := sso.ReadLogoutQuery(query)
	return w.AnswerLogout(context.Background(), methodID, m, bad, client)
}

// indexed has the identity provider name its next sessions so.
func (w *world) indexed(index string) {
	w.idp.Misbehave = func(r *demoidp.Response) { r.SessionIndex = index }
}

func (w *world) counts(text string) bool {
	w.t.Helper()
	_, err := w.gate.Admit(context.Background(), gate.Request{Token: text, Need: account.ReadSelf})
	if err != nil && !errors.Is(err, fault.Unauthenticated) {
		w.t.Fatal(err)
	}
	return err == nil
}

// twoSessions logs Alice in twice, in the sessions one and two of her identity
// provider.
func (w *world) twoSessions() (one, two login.Outcome) {
	w.t.Helper()
	var err error
	w.indexed("one")
	one, err = w.login(sso.ToLogin, w.alice, browser())
	must(w.t, err)
	w.indexed("two")
	two, err = w.login(sso.ToLogin, w.alice, browser())
	must(w.t, err)
	return one, two
}

// withLogout tells Acme's identity provider of logouts.
func (w *world) withLogout(b sso.Binding) {
	w.t.Helper()
	address, binding := "https://idp.acme.test/slo?tenant=1", string(b)
	var err error
	w.sso, err = w.idps.Update(context.Background(), w.admin, w.acme, w.sso.ID, sso.Change{SLOURL: &address, SLOBinding: &binding})
	must(w.t, err)
}

func TestAnIdentityProviderEndsTheSessionsThatItNames(t *testing.T) {
	other := strings.Replace(aliceName, "alice@", "bob@", 1)
	for name, c := range map[string]struct {
		note     logoutNote
		one, two bool // which sessions go on
	}{
		"one by its index":            {logoutNote{indexes: []string{"one"}}, false, true},
		"both by their indexes":       {logoutNote{indexes: []string{"two", "one"}}, false, false},
		"all without an index":        {logoutNote{}, false, false},
		"none of another index":       {logoutNote{indexes: []string{"three"}}, true, true},
		"none of somebody else":       {logoutNote{name: other}, true, true},
		"none of a name that differs": {logoutNote{name: strings.Replace(aliceName, "emailAddress", "persistent", 1)}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.withLogout(sso.Redirect)
			one, two := w.twoSessions()
			c.note.relay = "their state"
			out, err := w.logout(w.sso.ID, w.query(c.note))
			must(t, err)
			if got := [2]bool{w.counts(one.Text), w.counts(two.Text)}; got != [2]bool{c.one, c.two} {
				t.Errorf("got sessions %v, want %v", got, [2]bool{c.one, c.two})
			}
			if out.Send == nil || !strings.HasPrefix(out.Send.URL, "https://idp.acme.test/slo?tenant=1&SAMLResponse=") || !strings.Contains(out.Send.URL, "RelayState=their+state") {
				t.Errorf("got the response %+v, want a redirect to the logout URL with their state", out.Send)
			}
			if got := sentStatus(t, out.Send); got != "Success" {
				t.Errorf("got status %s, want Success", got)
			}
			ended := w.eventsOf(audit.SessionEnd)
			if len(ended) != out.Sessions {
				t.Errorf("got %d events of %d sessions that ended", len(ended), out.Sessions)
			}
			for _, e := range ended {
				if e.OrganizationID != w.acme.ID || e.Details["authentication_method_id"] != w.sso.ID || e.Details["reason"] != "logged out at the identity provider" {
					t.Errorf("got the event %+v", e)
				}
			}
		})
	}
}

func (w *world) eventsOf(action string) []audit.Event {
	w.t.Helper()
	page, err := w.Audit.List(context.Background(), audit.Filter{OrganizationID: w.acme.ID, Action: action}, audit.Page{Size: 100})
	must(w.t, err)
	return page.Events
}

// sentStatus is what we say in a LogoutResponse by Redirect.
func sentStatus(t *testing.T, r *sso.Request) string {
	t.Helper()
	found := regexp.MustCompile(`<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:(\w+)"`).FindStringSubmatch(sentDocument(t, r))
	if found == nil {
		t.Fatal("the response has no status")
	}
	return found[1]
}

func sentDocument(t *testing.T, r *sso.Request) string {
	t.Helper()
	u, err := url.Parse(r.URL)
	must(t, err)
	text := u.Query().Get("SAMLRequest") + u.Query().Get("SAMLResponse")
	packed, err := base64.StdEncoding.DecodeString(text)
	must(t, err)
	doc, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	must(t, err)
	return string(doc)
}

func TestALogoutRequestCountsOnce(t *testing.T) {
	w := newWorld(t)
	w.withLogout(sso.Redirect)
	query := w.query(logoutNote{})
	_, err := w.logout(w.sso.ID, query)
	must(t, err)
	after, err := w.login(sso.ToLogin, w.alice, browser())
	must(t, err)
	out, err := w.logout(w.sso.ID, query)
	wantCode(t, err, fault.Denied, "logout_replayed")
	if !w.counts(after.Text) {
		t.Error("a request that was used ended a session")
	}
	if got := sentStatus(t, out.Send); got != "Requester" {
		t.Errorf("got status %s, want Requester", got)
	}
}

func TestALogoutThatIsNotTheirsEndsNothing(t *testing.T) {
	w := newWorld(t)
	w.withLogout(sso.Redirect)
	strange, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	otherOrg, err := w.orgs.Add(context.Background(), w.admin, "Other", "")
	must(t, err)
	otherIdP, otherMethod := w.connect("https://idp.other.test", otherOrg)
	one, two := w.twoSessions()
	honest := w.query(logoutNote{})
	for name, c := range map[string]struct {
		method, query, code string
	}{
		"signed by a stranger":              {w.sso.ID, w.query(logoutNote{key: strange}), "wrong_key"},
		"unsigned":                          {w.sso.ID, honest[:strings.Index(honest, "&SigAlg=")], "logout_not_signed"},
		"meant for another method":          {otherMethod.ID, honest, "wrong_key"},
		"of another organization's":         {w.sso.ID, w.query(logoutNote{to: otherMethod, from: otherIdP}), "wrong_key"},
		"no message":                        {w.sso.ID, "", "logout_empty"},
		"an answer to nothing":              {w.sso.ID, w.query(logoutNote{answers: "_x", status: "Success"}), "logout_unknown_request"},
		"an answer by a stranger":           {w.sso.ID, w.query(logoutNote{answers: "_x", status: "Success", key: strange}), "wrong_key"},
		"of another's entity, with its key": {w.sso.ID, w.query(logoutNote{to: w.sso, from: &demoidp.IdP{EntityID: "https://other", Key: w.idp.Key, NewID: w.idp.NewID}}), "issuer_mismatch"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := w.logout(c.method, c.query)
			wantCode(t, err, fault.Denied, c.code)
			if out.Send != nil {
				t.Errorf("got an answer to %s, want none: who sent it is not sure", out.Send.URL)
			}
			if !w.counts(one.Text) || !w.counts(two.Text) {
				t.Error("a session ended")
			}
		})
	}
	// The same name, by an identity provider of its own: their sessions alone.
	out, err := w.logout(otherMethod.ID, w.query(logoutNote{to: otherMethod, from: otherIdP}))
	must(t, err)
	if out.Sessions != 0 || !w.counts(one.Text) {
		t.Error("another organization's identity provider ended a session of Acme's")
	}
	if out.Send != nil {
		t.Error("got an answer where no address for it is set")
	}
}

func TestALogoutEndsOtherLoginsOfThePersonNot(t *testing.T) {
	w := newWorld(t)
	one, err := w.login(sso.ToLogin, w.alice, browser())
	must(t, err)
	byPassword, _, err := w.Tokens.Issue(context.Background(), session.Grant{UserID: one.User.ID, Method: session.Method{Kind: session.Password}, LoggedIn: w.now()})
	must(t, err)
	kept, _, err := w.Tokens.Create(context.Background(), session.Holder{Actor: account.Actor{User: one.User}, Token: one.Token}, session.New{Description: "for a program"})
	must(t, err)
	out, err := w.logout(w.sso.ID, w.query(logoutNote{}))
	must(t, err)
	if got, want := fmt.Sprint(out.Sessions, w.counts(one.Text), w.counts(byPassword), w.counts(kept)), "1 false true true"; got != want {
		t.Errorf("got ended, session, by password, personal token: %s; want %s", got, want)
	}
}

func TestALogoutEndsLoginsUnderWay(t *testing.T) {
	w, b := newWorld(t), browser()
	flow, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
	_, err = w.logout(w.sso.ID, w.query(logoutNote{}))
	must(t, err)
	_, err = w.finish(flow, b)
	wantCode(t, err, fault.NotFound, "login_expired")
}

func TestALogoutAndALoginAtOnceLeaveNoSession(t *testing.T) {
	for range 5 {
		w, b := newWorld(t), browser()
		flow, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
		must(t, err)
		query := w.query(logoutNote{})
		var step login.Step
		var wg sync.WaitGroup
		wg.Go(func() {
			step, _ = w.Finish(context.Background(), login.Finish{FlowID: flow, Browser: b, Client: client})
		})
		wg.Go(func() {
			if _, err := w.logout(w.sso.ID, query); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if step.Done != nil && w.counts(step.Done.Text) {
			t.Error("a session outlived the logout that came while it began")
		}
	}
}

func TestALogoutHereLeadsToTheIdentityProvider(t *testing.T) {
	w := newWorld(t)
	w.withLogout(sso.Redirect)
	one, two := w.twoSessions()
	out, err := w.LogOut(context.Background(), one.Token.Hash, session.End{Reason: "logged out"})
	must(t, err)
	if w.counts(one.Text) || !w.counts(two.Text) {
		t.Error("want this session over, and the other not")
	}
	if out.Method.ID != w.sso.ID || out.Request == nil {
		t.Fatalf("got %+v, want a request to the identity provider", out)
	}
	doc := html.UnescapeString(sentDocument(t, out.Request))
	for _, want := range []string{">alice@acme.test</saml:NameID>", "<samlp:SessionIndex>one</samlp:SessionIndex>", ` Destination="https://idp.acme.test/slo?tenant=1"`, "nameid-format:emailAddress"} {
		if !strings.Contains(doc, want) {
			t.Errorf("got the request %s, want %s in it", doc, want)
		}
	}
	for status, code := range map[string]string{"Success": "", "Responder": "logout_failed"} {
		answered, err := w.logout(w.sso.ID, w.query(logoutNote{answers: out.Request.ID, status: status}))
		if answered.Confirmed != (code == "") {
			t.Errorf("%s: got confirmed %v", status, answered.Confirmed)
		}
		if code != "" {
			wantCode(t, err, fault.Denied, code)
		} else if err != nil {
			t.Errorf("%s: got %v", status, err)
		}
	}
	again, err := w.LogOut(context.Background(), one.Token.Hash, session.End{Reason: "logged out"})
	must(t, err)
	if again.Request != nil {
		t.Error("got a request for a session that is over")
	}
}

func TestALogoutHereIsOfNoOneElsesBusinessWithoutALogoutURL(t *testing.T) {
	w := newWorld(t)
	one, err := w.login(sso.ToLogin, w.alice, browser())
	must(t, err)
	out, err := w.LogOut(context.Background(), one.Token.Hash, session.End{Reason: "logged out"})
	must(t, err)
	if out.Request != nil || out.Method.IdP != nil || w.counts(one.Text) {
		t.Errorf("got %+v, want a session that is over and nothing else", out)
	}
}

// A backStage answers what is posted to the identity provider.
type backStage func(ctx context.Context, address string, body []byte) ([]byte, error)

func (b backStage) PostSOAP(ctx context.Context, address string, body []byte) ([]byte, error) {
	return b(ctx, address, body)
}

func TestALogoutByBackchannelNeverKeepsTheSession(t *testing.T) {
	for name, c := range map[string]struct {
		answer []byte
		err    error
	}{
		"that cannot be reached":    {nil, errors.New("no route")},
		"that answers nonsense":     {[]byte("<html>"), nil},
		"that answers nothing":      {nil, nil},
		"that answers without name": {[]byte(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><p:LogoutResponse xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_a"/></s:Body></s:Envelope>`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.withLogout(sso.SOAP)
			one, err := w.login(sso.ToLogin, w.alice, browser())
			must(t, err)
			asked := 0
			w.Backchannel = backStage(func(ctx context.Context, address string, body []byte) ([]byte, error) {
				asked++
				if w.counts(one.Text) {
					t.Error("the identity provider is asked while the session counts")
				}
				if _, bounded := ctx.Deadline(); !bounded || address != "https://idp.acme.test/slo?tenant=1" || !bytes.Contains(body, []byte("<samlp:LogoutRequest ")) {
					t.Errorf("got %s posted to %s, bounded: %v", body, address, bounded)
				}
				return c.answer, c.err
			})
			out, err := w.LogOut(context.Background(), one.Token.Hash, session.End{Reason: "logged out"})
			must(t, err)
			if asked != 1 || out.Confirmed || out.Method.IdP == nil || w.counts(one.Text) {
				t.Errorf("got asked %d times, %+v; want once, and nothing confirmed by it", asked, out)
			}
		})
	}
}

func TestRefusedLogoutsAreLimited(t *testing.T) {
	w := newWorld(t)
	for range 100 {
		_, err := w.logout(w.sso.ID, "SAMLRequest=x")
		if errors.Is(err, fault.TooMany) {
			t.Fatal("got too many before 100")
		}
	}
	if _, err := w.logout(w.sso.ID, "SAMLRequest=x"); !errors.Is(err, fault.TooMany) {
		t.Errorf("got %v after 100 refusals, want TooMany", err)
	}
}
