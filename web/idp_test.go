package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// formOn reads the page's form as a browser would send it.
func formOn(page *goquery.Document) map[string]string {
	form := map[string]string{}
	for _, in := range page.Find("main form.form input, main form.form textarea, main form.form select").EachIter() {
		name := in.AttrOr("name", "")
		switch {
		case in.AttrOr("type", "") == "checkbox":
			if _, ticked := in.Attr("checked"); ticked {
				form[name] = "on"
			}
		case in.AttrOr("type", "") == "radio":
			if _, chosen := in.Attr("checked"); chosen {
				form[name] = in.AttrOr("value", "")
			}
		case goquery.NodeName(in) == "textarea":
			form[name] = strings.TrimPrefix(in.Text(), "\n")
		case goquery.NodeName(in) == "select":
			form[name] = in.Find("option[selected]").AttrOr("value", in.Find("option").First().AttrOr("value", ""))
		default:
			form[name] = in.AttrOr("value", "")
		}
	}
	return form
}

func pairsOf(form map[string]string) []string {
	var pairs []string
	for name, value := range form {
		pairs = append(pairs, name, value)
	}
	return pairs
}

func TestAnIdentityProviderFromFirstToLast(t *testing.T) {
	w := newWorld(t)
	w.withIdP()
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	organization := b.addOrganization("Acme")
	list := organization + "/identity-providers"
	b.get(list).wantText("No identity provider is connected yet").wantText("SAML 2.0")
	provider := b.addIdP(organization, "Acme Okta")
	b.get(list).wantText("Set-up not finished")

	method := idOf(provider)
	b.get(provider + "/setup?step=2&vendor=adfs").wantText("-SamlResponseSignature MessageAndAssertion")
	b.get(provider + "/setup?step=2&vendor=entra_id").wantText("Sign SAML response and assertion")
	b.get(provider + "/setup?step=2").wantText("with AES-CBC if the response is signed")
	b.get(provider + "/setup?vendor=okta").wantText("Audience URI").
		wantText(w.site.URL + "/v1/sso/saml/acs/" + method).wantText(w.site.URL + "/v1/sso/saml/metadata/" + method)
	b.get(provider + "/setup?step=4").wantText("Add a domain")
	b.get(provider + "/setup?step=5").wantText("once step 3 is done")
	w.browser().get("/signup/" + method).wantStatus(http.StatusForbidden).wantText("not enabled")

	b.connect(provider)
	b.get(provider + "/setup").wantText("Signup link").wantText(w.site.URL + "/signup/" + method).
		wantText("Login link").wantText(w.site.URL + "/v1/sso/saml/login/" + method).
		wantText("Account link").wantText(w.site.URL + "/link/" + method)
	page := b.get(provider).wantText("Enabled").wantText(w.idpURL + "/sso").wantText(w.site.URL + "/v1/sso/saml/login/" + method)
	if n := page.page().Find("button[data-copy]:not([hidden])").Length(); n != 0 {
		t.Errorf("provider: got %d copy buttons without scripts, want them hidden", n)
	}

	b.get(provider + "/disable").wantText("stop counting at once")
	b.post(provider + "/disable").to()
	b.get(provider).wantText("Disabled")
	w.browser().get("/v1/sso/saml/login/" + method).wantStatus(http.StatusForbidden).wantText("not enabled").wantText("Acme Okta")
	b.post(provider + "/enable").to()
	w.browser().get("/v1/sso/saml/login/" + method).to()

	b.get(provider + "/delete").wantText("cannot be undone")
	if got := b.post(provider + "/delete").to(); got != list+"?done=idp-deleted" {
		t.Errorf("delete: got sent to %s, want the list", got)
	}
	b.get(provider).wantStatus(http.StatusNotFound)
	b.get(list).wantText("No identity provider is connected yet")
}

func TestSavingTheSettingsUnchangedChangesNothing(t *testing.T) {
	w := newWorld(t)
	b, _, provider, method := w.acme()
	before, err := w.store.IdP(context.Background(), method)
	if err != nil {
		t.Fatal(err)
	}
	// What has no input on the page stays as well.
	groups := sso.Mapping{Groups: "memberOf"}
	on, age := true, 4321
	o, err := w.store.Organization(context.Background(), before.OrganizationID)
	if err != nil {
		t.Fatal(err)
	}
	before, err = w.server.IdPs.Update(context.Background(), owner(w), o, method, sso.Change{Mapping: &groups, IdPLoginAllowed: &on, TokenMaxAge: &age, AllowSHA1: &on})
	if err != nil {
		t.Fatal(err)
	}
	b.post(provider, pairsOf(formOn(b.get(provider+"/edit").page()))...).to()
	after, err := w.store.IdP(context.Background(), method)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.Settings, after.Settings); diff != "" {
		t.Errorf("settings changed (-before +after):\n%s", diff)
	}
	if after.Name != before.Name || !after.Enabled {
		t.Errorf("got name %q, enabled %v, want %q and true", after.Name, after.Enabled, before.Name)
	}
}

func TestSettingsAreSaved(t *testing.T) {
	w := newWorld(t)
	b, _, provider, method := w.acme()
	form := formOn(b.get(provider + "/edit").page())
	form["authentication_method_name"] = "Acme Entra"
	form["saml_authn_requests_signed_enabled"] = "on"
	form["saml_allow_small_keys"] = "on"
	form["saml_field_mapping.identity"] = "employeeNumber"
	form["auth_token_max_age_seconds"] = "28800"
	form["saml_variant"] = "adfs"
	b.post(provider, pairsOf(form)...).to()
	got, err := w.store.IdP(context.Background(), method)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "Acme Entra" || !got.SignRequests || !got.AllowSmallKeys || got.AllowSHA1 || got.Mapping.Identity != "employeeNumber" || got.TokenMaxAge.Hours() != 8 || got.Variant != "adfs" {
		t.Errorf("got %q %+v, want what was typed", got.Name, got.Settings)
	}
	page := b.get(provider).wantText("Acme Entra").wantText("employeeNumber").wantText("8 hours").wantText("RSA keys under 2048 bits are accepted")
	if text := page.text(); strings.Contains(text, "SHA-1 is accepted") {
		t.Errorf("page: got %q, want no SHA-1 in it", text)
	}
}

func TestWhoCameThroughAProviderIsWarnedBeforeEndingIt(t *testing.T) {
	w := newWorld(t)
	b, _, provider, method := w.acme()
	if text := b.get(provider + "/disable").text(); strings.Contains(text, "Your own session") {
		t.Errorf("with a password: got %q, want no warning", text)
	}
	now := time.Now()
	err := w.store.AddIdentity(context.Background(), account.Identity{
		MethodID: method, SubjectKind: "nameid:" + demoidp.EmailAddress, Subject: "alice@acme.test",
		UserID: owner(w).User.ID, Email: "alice@acme.test", CreatedAt: now, LastUsedAt: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.get(b.throughIdP("/v1/sso/saml/login/"+method, "alice", "").to()).to()
	for _, verb := range []string{"/disable", "/delete"} {
		b.get(provider + verb).wantText("Your own session came from it")
	}
	next := b.get(b.post(provider + "/disable").to()).to()
	if !strings.HasPrefix(next, "/login?") {
		t.Errorf("after disabling one's own way in: got sent to %s, want the login", next)
	}
}

// owner is the actor who owns the organization in these tests.
func owner(w *world) account.Actor {
	w.t.Helper()
	u, err := w.store.UserByEmail(context.Background(), "olive@acme.test")
	if err != nil {
		w.t.Fatal(err)
	}
	return account.Actor{User: u}
}

// The form and the API take the same metadata: what the limit is, sso says.
func TestMetadataMayHaveAllItsBytes(t *testing.T) {
	w := newWorld(t)
	w.withIdP()
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	provider := b.addIdP(b.addOrganization("Acme"), "Acme Okta")
	metadata := b.get(w.idpURL + "/metadata").Body
	// Each of these takes three bytes in a form.
	fill := func(n int) string { return metadata + strings.Repeat("\n", n-len(metadata)) }
	b.post(provider+"/setup?step=3", "saml_idp_metadata", fill(sso.MostMetadata)).to()
	b.post(provider+"/setup?step=3", "saml_idp_metadata", fill(sso.MostMetadata+1)).wantStatus(http.StatusBadRequest).wantText("more than 256 KiB")
	b.post(provider+"/setup?step=3", "saml_idp_metadata", strings.Repeat("\n", 4*sso.MostMetadata)).wantStatus(http.StatusRequestEntityTooLarge)
}

func TestAProviderThatIsToBeKeptIsEndedOnlyByInsisting(t *testing.T) {
	w := newWorld(t)
	b, _, provider, _ := w.acme()
	b.connect(provider)
	w.server.IdPs.Keep = func(context.Context, bool, string, string) error {
		return fault.Conflict.Errorf("No super admin could come in.").Coded("policy_locks_out_admins")
	}
	for _, verb := range []string{"/disable", "/delete"} {
		if n := b.get(provider + verb).page().Find("input[name=force]").Length(); n != 0 {
			t.Errorf("%s: the first page offers to insist", verb)
		}
		a := b.post(provider + verb).wantStatus(http.StatusConflict).wantText("No super admin could come in").wantText("Do it even so")
		if n := a.page().Find("input[name=force]").Length(); n != 1 {
			t.Errorf("%s: got %d boxes to insist, want one", verb, n)
		}
		b.post(provider+verb, "force", "on").to()
		if verb == "/disable" {
			b.post(provider + "/enable").to()
		}
	}
	b.get(provider).wantStatus(http.StatusNotFound)
}
