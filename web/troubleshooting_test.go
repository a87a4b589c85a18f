package web

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/policy"
)

// docs/tasks/troubleshooting.md has these six entries. Each page says why, what
// to do, whom to ask, and the code under which the page of the documentation
// has it.

// says fails unless a page has all of these, and is a good page.
func (a *answer) says(t *testing.T, texts ...string) *answer {
	a.t.Helper()
	for _, text := range texts {
		a.wantText(text)
	}
	checkPage(t, a.Request.URL.Path, a.page())
	checkHeadings(t, a.Request.URL.Path, a.page())
	return a
}

func TestCannotLogInAfterAPolicyChange(t *testing.T) {
	w := newWorld(t)
	admin, organization, _, method := w.acme()
	admin.link(method, "alice")
	olive := w.browser()
	olive.through("/v1/sso/saml/login/"+method, "alice")
	bob := w.managed(organization, "bob@acme.test")
	bob.get(organization).wantStatus(http.StatusOK)
	olive.setPolicy(organization, "now", "password_auth_enabled", "").to()

	page := bob.get(organization).wantStatus(http.StatusForbidden).says(t,
		"You logged in with a password, which this organization does not admit", // why
		"an identity provider of this organization", "Link your account",        // what to do
		"A super admin of Acme can change its authentication policy", // whom to ask
		"user_password_authentication_method_not_allowed")
	if page.ways()["/link/"+method] == "" {
		t.Errorf("got the ways %v, want the link of the account", page.ways())
	}
	// Whom the organization manages does not get as far as a session.
	again := w.browser()
	flow := again.post("/login/password", "email", "bob@acme.test", "password", goodPassword).to()
	again.get(flow).wantStatus(http.StatusForbidden).says(t, "Logins with a password are not admitted", "A super admin of Acme", "user_password_authentication_method_not_allowed")
	if again.token() != "" {
		t.Error("got a session by what is not admitted")
	}
}

func TestSAMLAuthenticationFailed(t *testing.T) {
	w := newWorld(t)
	admin, organization, _, method := w.acme()
	for _, c := range []struct{ mistake, code, why, what string }{
		{"wrong-recipient", "recipient_mismatch", "meant for another address", "ACS URL"},
		{"wrong-audience", "audience_mismatch", "meant for another service", "service provider entity ID"},
		{"wrong-key", "wrong_key", "not made with a key of this method's certificates", "signing certificate"},
		{"denied", "status_not_success", "did not log the person in", "not assigned to this application"},
	} {
		page := w.browser().throughIdP("/v1/sso/saml/login/"+method, "alice", c.mistake).wantStatus(http.StatusForbidden).says(t,
			c.why, c.what, "For the administrator of Acme", c.code, "Three words")
		words := page.page().Find("dl.quote .said dd").Text()
		admin.get(organization+"/login-traces/"+url.PathEscape(words)).wantStatus(http.StatusOK).says(t, c.why, c.what, c.code)
	}
}

func TestInvalidRelayState(t *testing.T) {
	w := newWorld(t)
	_, _, _, method := w.acme()
	_, form, err := w.idp.Start(w.site.URL+"/v1/sso/saml/metadata/"+method, "", w.idp.Users[0])
	if err != nil {
		t.Fatal(err)
	}
	page := w.browser().postFrom("cross-site", "/v1/sso/saml/acs/"+method, "SAMLResponse", form.Get("SAMLResponse")).wantStatus(http.StatusForbidden).says(t,
		"Invalid relay state",
		"started at the identity provider, and this provider's settings do not admit that",
		"Log in from the login page here instead", "allows logins that start at the identity provider", "default relay state (start URL)",
		"For the administrator of Acme", "invalid_relay_state")
	if start := page.ways()["/v1/sso/saml/login/"+method]; start != "Start again" {
		t.Errorf("got the ways %v, want a login that starts here", page.ways())
	}
	// What it says to do works.
	b := w.browser()
	b.through("/v1/sso/saml/login/"+method+"?intent=signup", "bob")
}

// A program is led to a page by more_info, which its person opens.
func TestTokenRefusedAfterEnforcement(t *testing.T) {
	w := newWorld(t)
	admin, organization, _, method := w.acme()
	token := admin.makeToken("token_description", "ci")
	admin.link(method, "alice")
	olive := w.browser()
	olive.through("/v1/sso/saml/login/"+method, "alice")
	if code := w.enters(token, organization); code != "" {
		t.Fatalf("before the change: got %s", code)
	}
	olive.setPolicy(organization, "now", "password_auth_enabled", "").to()
	if code := w.enters(token, organization); code != "user_password_authentication_method_not_allowed" {
		t.Fatalf("after it: got %q", code)
	}
	admin.get(organization).wantStatus(http.StatusForbidden).says(t,
		"You logged in with a password, which this organization does not admit", "Log in with Acme Okta", "A super admin of Acme", "user_password_authentication_method_not_allowed")
	// A token made after a login that is admitted works.
	if code := w.enters(olive.makeToken("token_description", "ci"), organization); code != "" {
		t.Errorf("a new token: got %s", code)
	}
}

func TestIdPPasswordDoesNotWork(t *testing.T) {
	w := newWorld(t)
	_, organization, _, method := w.acme()
	b := w.managed(organization, "ada@globex.test")
	w.browser().post("/login/password", "email", "ada@globex.test", "password", "that of the company").wantStatus(http.StatusForbidden).says(t,
		"The address or the password is not right",
		"That one works at your organization's identity provider alone", "open the account link",
		"An administrator of your organization has both", "authentication_failed")
	// Through the identity provider, where nobody is linked to the person.
	other := w.browser()
	start := other.throughIdP("/v1/sso/saml/login/"+method, "bob", "").to()
	other.get(start).wantStatus(http.StatusForbidden).says(t,
		"No account is linked to you yet", "An administrator of your organization has both links", "unknown_user_sso_login_attempt", "Three words")
	// The remedy works: log in here, open the account link.
	b.link(method, "bob")
	through := w.browser()
	through.through("/v1/sso/saml/login/"+method, "bob")
	through.get("/").wantText("ada@globex.test")
}

func TestLockedOutOfTheOrganization(t *testing.T) {
	w := newWorld(t)
	admin, organization, _, _ := w.acme()
	w.rules(organization, func(r *policy.Rules) { r.Ranges = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")} })
	page := admin.get(organization).wantStatus(http.StatusForbidden).says(t,
		"Not admitted from here", "192.0.2.7", "203.0.113.0/24", // why
		"Come from one of these addresses", "your company's network", // what to do
		"ask a super admin to add yours", "whoever operates this server can let one back in", // whom to ask
		"client_ip_address_policy_violation")
	if len(page.ways()) != 0 {
		t.Errorf("got the ways %v, want none: no login helps", page.ways())
	}
	// Who operates the server lets them in: the ranges hold for a recovery too.
	link := w.recovery(organization, "olive@acme.test")
	b := w.browser()
	b.get(b.post(link).to())
	b.get(organization).wantStatus(http.StatusForbidden).wantText("client_ip_address_policy_violation")
	if err := w.server.Policies.ClearRanges(t.Context(), idOf(organization)); err != nil {
		t.Fatal(err)
	}
	b.get(organization).wantStatus(http.StatusOK)
	admin.get(organization).wantStatus(http.StatusOK)

	// The same by a way to log in that nobody has any more.
	w.rules(organization, func(r *policy.Rules) { r.Password, r.SAML, r.Passkey, r.Freshness = false, false, false, time.Hour })
	out := admin.get(organization).wantStatus(http.StatusForbidden).says(t, "None that this server has", "whoever operates this server can let one back in")
	if !strings.Contains(out.text(), "user_password_authentication_method_not_allowed") {
		t.Errorf("got %q, want the code", out.text())
	}
	rescued := w.browser()
	rescued.get(rescued.post(w.recovery(organization, "olive@acme.test")).to())
	rescued.get(organization).wantStatus(http.StatusOK)
}
