package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/domains"
	"gatehouse/policy"
)

// proved makes an account with a password and a proved address.
func (w *world) proved(name, email string, edit ...func(*account.User)) account.User {
	w.t.Helper()
	hash, err := w.server.People.Passwords.Hash(w.t.Context(), goodPassword)
	if err != nil {
		w.t.Fatal(err)
	}
	u := account.User{ID: "u-" + name, Email: email, RealName: name, State: account.ActiveUser, AddressProved: true, CreatedAt: time.Now()}
	for _, e := range edit {
		e(&u)
	}
	if err := w.store.AddUser(w.t.Context(), u, hash); err != nil {
		w.t.Fatal(err)
	}
	return u
}

// Nobody who is new needs a link: the address is enough.
func TestAnAddressIsEnoughToComeIn(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, method := w.acme()
	b.speaks(organization, "acme.test", provider)
	bob := w.browser()
	link := bob.post("/login", "email", "bob@acme.test").page().Find("a.way.first").AttrOr("href", "")
	if link != "/v1/sso/saml/login/"+method {
		t.Fatalf("got the way %q, want through the domain's identity provider", link)
	}
	if to := bob.through(link, "bob"); to != "/" {
		t.Fatalf("got sent to %s, want the home page", to)
	}
	bob.get("/").wantText("Acme")
	bob.get("/profile").wantText("Managed by Acme").wantText("follow its identity provider").wantText("Change password")
	w.rules(organization, func(r *policy.Rules) { r.Password = false })
	if page := bob.get("/profile").wantText("It admits no passwords").page(); page.Find("a[href='/profile/password']").Length() != 0 {
		t.Error("a password that is not admitted can be changed")
	}
}

func TestWhoeverIsNotLetInIsToldWhy(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, method := w.acme()
	start := "/v1/sso/saml/login/" + method
	refusal := func() *answer {
		who := w.browser()
		return who.get(who.throughIdP(start, "bob", "").to()).wantStatus(http.StatusForbidden)
	}
	refusal().wantText("No account is linked to you yet").wantText("For the administrator of Acme").wantText("add the domain acme.test")
	domain := b.addDomain(organization, "acme.test")
	refusal().wantText("not proved it yet")
	w.zone["_aiven-challenge.acme.test"] = []string{b.get(domain).page().Find("#copy-value").Text()}
	b.post(domain + "/verify").to()
	refusal().wantText("not linked it to this identity provider")
	d, err := w.store.Domain(t.Context(), idOf(organization), "acme.test")
	if err != nil {
		t.Fatal(err)
	}
	d.State = domains.Lost
	if err := w.store.UpdateDomain(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	refusal().wantText("has ended")
	b.post(domain + "/verify").to()
	b.post(domain+"/link", "authentication_method_id", idOf(provider)).to()
	w.browser().through(start, "bob")
}

func TestAnAccountThatAnotherOrganizationManagesIsNotTaken(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, method := w.acme()
	globex := w.browser()
	globex.signUp("Otto Other", "otto@globex.test")
	other := globex.addOrganization("Globex")
	w.proved("Bob", "bob@acme.test", func(u *account.User) { u.ManagingOrganizationID = idOf(other) })
	b.speaks(organization, "acme.test", provider)
	who := w.browser()
	a := who.get(who.throughIdP("/v1/sso/saml/login/"+method, "bob", "").to()).wantStatus(http.StatusForbidden).
		wantText("Another organization manages this account").wantText("ask its administrator to release").wantText("The next login through this identity provider takes it in")
	if strings.Contains(a.text(), "Globex") {
		t.Error("the page names the organization that manages the account")
	}
}

// Whoever has more to lose than the organization gave logs in their own way
// once, and is led to the page that links the two.
func TestAnAccountWithRightsElsewhereIsLinkedByItsPerson(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, method := w.acme()
	w.proved("Bob", "bob@acme.test", func(u *account.User) { u.Operator = true })
	b.speaks(organization, "acme.test", provider)
	who := w.browser()
	page := who.get(who.throughIdP("/v1/sso/saml/login/"+method, "bob", "").to()).wantStatus(http.StatusForbidden).
		wantText("Log in your own way first").wantText("operates this server").page()
	next := page.Find("a.primary").AttrOr("href", "")
	if next != "/link/"+method {
		t.Fatalf("got the button to %q, want the account link", next)
	}
	to := who.get(next).to()
	if !strings.HasPrefix(to, "/login?return_to=%2Flink%2F") {
		t.Fatalf("got sent to %s, want the login", to)
	}
	flow := who.post("/login/password", "email", "bob@acme.test", "password", goodPassword, "return_to", next).to()
	if got := who.get(flow).to(); got != next {
		t.Fatalf("got sent to %s, want the account link", got)
	}
	who.link(method, "bob")
	w.browser().through("/v1/sso/saml/login/"+method, "bob")
}

// A stranger made an account with Bob's address, and filled it.
func TestAnEarlierSignupIsTakenOverOnceThePersonSaysSo(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, method := w.acme()
	attacker := w.browser()
	attacker.signUp("Mallory", "bob@acme.test")
	attacker.addOrganization("Trap")
	b.speaks(organization, "acme.test", provider)
	bob := w.browser()
	asked := bob.get(bob.throughIdP("/v1/sso/saml/login/"+method, "bob", "").to()).wantStatus(http.StatusOK).
		wantText("Take over the account with your address?").wantText("If that was you").wantText("It leaves Trap").wantText("Acme manages it")
	checkPage(t, "claim", asked.page())
	checkHeadings(t, "claim", asked.page())
	attacker.get("/").wantStatus(http.StatusOK).wantText("Trap")

	if got := bob.sayYes(asked).to(); got != "/" {
		t.Fatalf("got sent to %s, want the home page", got)
	}
	home := bob.get("/").wantText("Acme")
	if got := bob.get("/profile").page().Find("#in-real_name").AttrOr("value", ""); !strings.HasPrefix(got, "Bob") {
		t.Errorf("got the name %q, want the one that the identity provider gives", got)
	}
	if strings.Contains(home.text(), "Trap") {
		t.Error("the account is still in what the stranger made")
	}
	if got := attacker.get("/").to(); !strings.HasPrefix(got, "/login") {
		t.Errorf("the stranger: got %s, want the login", got)
	}
	w.browser().post("/login/password", "email", "bob@acme.test", "password", goodPassword).wantStatus(http.StatusForbidden)
}
