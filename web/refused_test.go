package web

import (
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/policy"
)

// rules puts an organization under a policy, as if it had always been so.
func (w *world) rules(organization string, change func(*policy.Rules)) {
	w.t.Helper()
	rules := policy.Usual()
	change(&rules)
	if err := w.store.SavePolicy(w.t.Context(), policy.Policy{OrganizationID: idOf(organization), Rules: rules}); err != nil {
		w.t.Fatal(err)
	}
}

// managed makes a person whom an organization manages, and logs them in with
// their password.
func (w *world) managed(organization, email string) *tab {
	w.t.Helper()
	hash, err := w.server.People.Passwords.Hash(w.t.Context(), goodPassword)
	if err != nil {
		w.t.Fatal(err)
	}
	u := account.User{ID: "u-managed", Email: email, RealName: "Mary Managed", State: account.ActiveUser, ManagingOrganizationID: idOf(organization), CreatedAt: time.Now()}
	if err := w.store.AddUser(w.t.Context(), u, hash); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.AddMember(w.t.Context(), account.Member{OrganizationID: idOf(organization), UserID: u.ID, JoinedAt: time.Now()}); err != nil {
		w.t.Fatal(err)
	}
	b := w.browser()
	b.get(b.post("/login/password", "email", email, "password", goodPassword).to()).to()
	return b
}

// ways gives what a page of a refusal offers, by where it leads.
func (a *answer) ways() map[string]string {
	out := map[string]string{}
	for _, link := range a.page().Find("a.way, a.button").EachIter() {
		out[link.AttrOr("href", "")] = strings.Join(strings.Fields(link.Text()), " ")
	}
	return out
}

func TestARefusalSaysWhichRuleAndHowToComeIn(t *testing.T) {
	w := newWorld(t)
	b, organization, _, method := w.acme()
	b.link(method, "alice")
	login := "/v1/sso/saml/login/" + method
	back := "return_to=" + url.QueryEscape(organization+"/groups")
	for _, c := range []struct {
		name   string
		change func(*policy.Rules)
		says   []string
		offers []string // links, with where they lead back to
	}{
		{"no passwords", func(r *policy.Rules) { r.Password = false },
			[]string{"Acme does not let you in", "You logged in with a password", "Logins with a password are not admitted", "n identity provider of this organization", "user_password_authentication_method_not_allowed"},
			[]string{login + "?" + back}},
		{"a second factor", func(r *policy.Rules) { r.TwoFactor = true },
			[]string{"demands a second factor", "Nobody can have a second factor here yet", "mfa_required_by_organization"},
			[]string{login + "?" + back}},
		{"addresses", func(r *policy.Rules) { r.Ranges = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")} },
			[]string{"Not admitted from here", "192.0.2.7", "203.0.113.0/24", "Another login does not help", "client_ip_address_policy_violation"},
			nil},
		{"nothing but third parties", func(r *policy.Rules) { r.Password, r.SAML, r.Passkey = false, false, false },
			[]string{"None that this server has"},
			nil},
	} {
		w.rules(organization, c.change)
		a := b.get(organization + "/groups").wantStatus(http.StatusForbidden)
		for _, text := range c.says {
			a.wantText(text)
		}
		checkPage(t, c.name, a.page())
		checkHeadings(t, c.name, a.page())
		got := a.ways()
		if len(got) != len(c.offers) {
			t.Errorf("%s: got the ways %v, want %v", c.name, got, c.offers)
		}
		for _, link := range c.offers {
			if got[link] == "" {
				t.Errorf("%s: got the ways %v, want %s", c.name, got, link)
			}
		}
		home := b.get("/").wantStatus(http.StatusOK).wantText("Not open with this login").wantText("Acme")
		if n := home.page().Find("nav a[href='" + organization + "']").Length(); n != 0 {
			t.Errorf("%s: the rail leads to the organization that refuses", c.name)
		}
		if n := home.page().Find("main a[href='" + organization + "']").Length(); n != 1 {
			t.Errorf("%s: got %d links to it on the home page, want 1", c.name, n)
		}
	}
}

// Whoever came through the identity provider has a password as well.
func TestARefusalOffersThePasswordToWhoHasOne(t *testing.T) {
	w := newWorld(t)
	b, organization, _, method := w.acme()
	b.link(method, "alice")
	through, bob := w.browser(), w.browser()
	through.through("/v1/sso/saml/login/"+method, "alice")
	bob.through("/v1/sso/saml/login/"+method+"?intent=signup", "bob")
	w.rules(organization, func(r *policy.Rules) { r.SAML = false })
	want := "/login?again=yes&return_to=" + url.QueryEscape(organization)
	if got := through.get(organization).wantStatus(http.StatusForbidden).ways(); got[want] != "Log in with your password" || len(got) != 1 {
		t.Errorf("got the ways %v, want %s alone", got, want)
	}
	if got := bob.get(organization).wantStatus(http.StatusForbidden).ways(); len(got) != 0 {
		t.Errorf("without a password: got the ways %v, want none", got)
	}
	// It leads back, in another session.
	form := through.get(want).page()
	email, to := form.Find("[name=email]").AttrOr("value", ""), form.Find("[name=return_to]").AttrOr("value", "")
	next := through.get(through.post("/login/password", "email", email, "password", goodPassword, "return_to", to).to()).to()
	if next != organization {
		t.Errorf("after the login: got sent to %s, want %s", next, organization)
	}
	through.get(next).wantStatus(http.StatusOK)
}

func TestARefusalToWhoIsNotLinkedLeadsToTheLink(t *testing.T) {
	w := newWorld(t)
	b, organization, _, method := w.acme()
	w.rules(organization, func(r *policy.Rules) { r.Password = false })
	if got := b.get(organization).wantStatus(http.StatusForbidden).ways(); got["/link/"+method] == "" || len(got) != 1 {
		t.Errorf("got the ways %v, want the link of the account alone", got)
	}
	b.get("/link/" + method).wantStatus(http.StatusOK)
}

func TestAnotherOrganizationsProviderIsOfferedWhereItIsAdmitted(t *testing.T) {
	w := newWorld(t)
	b, _, _, method := w.acme()
	b.link(method, "alice")
	other := b.addOrganization("Globex")
	for external, want := range map[bool]int{true: 1, false: 0} {
		w.rules(other, func(r *policy.Rules) { r.Password, r.ExternalSAML = false, external })
		if got := b.get(other).wantStatus(http.StatusForbidden).ways(); len(got) != want {
			t.Errorf("external %t: got the ways %v, want %d", external, got, want)
		}
	}
}

func TestAStaleLoginIsToldToComeThroughTheProvider(t *testing.T) {
	w := newWorld(t)
	b, organization, _, method := w.acme()
	managed := w.managed(organization, "mary@acme.test")
	managed.link(method, "alice")
	managed.through("/v1/sso/saml/login/"+method, "alice")
	w.rules(organization, func(r *policy.Rules) { r.Freshness = 24 * time.Hour })
	managed.get(organization).wantStatus(http.StatusOK)
	later := func() time.Time { return time.Now().Add(23 * time.Hour) }
	w.rules(organization, func(r *policy.Rules) { r.Freshness = 22 * time.Hour })
	w.server.Now, w.server.Gate.Now, w.server.Login.Now = later, later, later
	a := managed.get(organization).wantStatus(http.StatusForbidden).wantText("too long ago").wantText("count again after it").wantText("sso_login_required")
	if got := a.ways(); len(got) != 1 || !strings.HasPrefix(first(got), "/v1/sso/saml/login/"+method) {
		t.Errorf("got the ways %v, want the identity provider alone", got)
	}
	b.get(organization).wantStatus(http.StatusOK)
}

func TestALoginWithoutASecondFactorIsToldToComeAgainWithOne(t *testing.T) {
	w := newWorld(t)
	b, organization, _, method := w.acme()
	managed := w.managed(organization, "mary@acme.test")
	managed.link(method, "alice")
	managed.through("/v1/sso/saml/login/"+method, "alice")
	w.rules(organization, func(r *policy.Rules) { r.SecondFactorContexts = []string{"https://refeds.org/profile/mfa"} })
	a := managed.get(organization).wantStatus(http.StatusForbidden).wantText("without a second factor, as far as it said").wantText("needs a second factor there").wantText("mfa_required_by_organization")
	if got := a.ways(); len(got) != 2 || !strings.HasPrefix(slices.Max(slices.Collect(maps.Keys(got))), "/v1/sso/saml/login/"+method) {
		t.Errorf("got the ways %v, want the password and the identity provider", got)
	}
	b.get(organization).wantStatus(http.StatusOK)
}

func first(ways map[string]string) string {
	for link := range ways {
		return link
	}
	return ""
}

// Whoever is refused learns the name, the rules and the ways; whoever does not
// belong there learns nothing.
func TestARefusalTellsNothingElse(t *testing.T) {
	w := newWorld(t)
	b, organization, _, _ := w.acme()
	b.addGroup(organization, "Secret squad")
	stranger := w.browser()
	stranger.signUp("Eve Elsewhere", "eve@globex.test")
	w.rules(organization, func(r *policy.Rules) { r.Password = false })
	values := map[string]string{"organization": idOf(organization)}
	for _, rt := range table() {
		if !strings.Contains(rt.pattern, "{organization}") {
			continue
		}
		verb, path := fill(rt.pattern, values)
		refused, hidden := b.get, stranger.get
		if verb == "POST" {
			refused = func(path string) *answer { return b.post(path) }
			hidden = func(path string) *answer { return stranger.post(path) }
		}
		a := refused(path).wantStatus(http.StatusForbidden).wantText("Not admitted this way")
		for _, secret := range []string{"Secret squad", "Acme Okta settings", "super admin here"} {
			if strings.Contains(a.Body, secret) {
				t.Errorf("%s: got %q on the page of a refusal", rt.pattern, secret)
			}
		}
		if strings.Contains(hidden(path).wantStatus(http.StatusNotFound).text(), "Acme") {
			t.Errorf("%s: a stranger reads the organization's name", rt.pattern)
		}
	}
}

func TestALoginThatTheManagingOrganizationRefuses(t *testing.T) {
	w := newWorld(t)
	_, organization, _, method := w.acme()
	login := "/v1/sso/saml/login/" + method
	w.managed(organization, "mary@acme.test").link(method, "bob")
	w.rules(organization, func(r *policy.Rules) { r.Ranges = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")} })
	again := w.browser()
	a := again.get(again.throughIdP(login, "bob", "").to()).wantStatus(http.StatusForbidden).wantText("Not admitted from here").wantText("192.0.2.7").wantText("203.0.113.0/24")
	if got := a.ways(); len(got) != 0 || again.token() != "" {
		t.Errorf("got the ways %v and the cookie %q, want none of both", got, again.token())
	}
}

// A form that is refused is answered with the page as well, and leads back to
// the overview.
func TestARefusedFormLeadsToTheOverview(t *testing.T) {
	w := newWorld(t)
	b, organization, _, method := w.acme()
	b.link(method, "alice")
	w.rules(organization, func(r *policy.Rules) { r.Password = false })
	a := b.post(organization, "organization_name", "Renamed").wantStatus(http.StatusForbidden)
	if want := "/v1/sso/saml/login/" + method + "?return_to=" + url.QueryEscape(organization); a.ways()[want] == "" {
		t.Errorf("got the ways %v, want %s", a.ways(), want)
	}
	o, err := w.store.Organization(t.Context(), idOf(organization))
	if err != nil || o.Name != "Acme" {
		t.Errorf("got the name %q, %v, want it as it was", o.Name, err)
	}
	// Not to the message of a form either.
	for link := range b.get(organization + "?done=organization-renamed").ways() {
		if strings.Contains(link, "done") {
			t.Errorf("got the link %s, want it without the message", link)
		}
	}
}

func TestASuspendedOrganizationStandsApart(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	o := account.Organization{ID: "org00000000sus", AccountID: "a00000000sus", Name: "Acme", Suspended: true, CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := w.store.AddOrganization(t.Context(), o, account.Account{ID: o.AccountID, OrganizationID: o.ID, Name: o.Name, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt}); err != nil {
		t.Fatal(err)
	}
	if err := w.store.AddMember(t.Context(), account.Member{OrganizationID: o.ID, UserID: w.user(b), SuperAdmin: true, JoinedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	b.get("/").wantText("Not open with this login").wantText("Suspended")
	b.get(organizationURL(o)).wantStatus(http.StatusForbidden).wantText("This organization is suspended")
}
