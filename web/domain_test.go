package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/domains"
	"gatehouse/policy"
)

func TestADomainFromFirstToLast(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	organization := b.addOrganization("Acme")
	list := organization + "/domains"
	b.get(list).wantText("No domain is claimed yet").wantText("Add the first one")
	provider := b.addIdP(organization, "Acme Okta")

	domain := b.addDomain(organization, " ACME.test. ")
	page := b.get(domain).wantText("Not verified").wantText("_aiven-challenge.acme.test").page()
	value := page.Find("#copy-value").Text()
	if got := page.Find("#copy-type").Text(); got != "TXT" || !strings.HasPrefix(value, "token=") {
		t.Errorf("got a record of type %q and value %q", got, value)
	}

	w.zone["_aiven-challenge.acme.test"] = []string{"v=spf1 -all", "token=other,expiry=never"}
	failed := b.post(domain + "/verify").wantStatus(http.StatusConflict).wantText("is another value").
		wantText("192.0.2.53:53").wantText("token=other,expiry=never").wantText(value).page()
	if n := failed.Find("section.look table tbody tr").Length(); n != 1 {
		t.Errorf("got %d rows of questions, want 1", n)
	}
	delete(w.zone, "_aiven-challenge.acme.test")
	b.post(domain + "/verify").wantStatus(http.StatusConflict).wantText("Nothing is published at _aiven-challenge.acme.test").wantText("NXDOMAIN")
	b.get(domain).wantText("in vain")

	w.zone["_aiven-challenge.acme.test"] = []string{value}
	if got := b.post(domain + "/verify").to(); got != domain+"?done=domain-verified" {
		t.Fatalf("got sent to %s, want the domain", got)
	}
	if n := b.get(domain).wantText("Verified").page().Find("form[action$='/verify']").Length(); n != 0 {
		t.Error("a verified domain still has the button that verifies")
	}
	b.get(list).wantText("acme.test").wantText("Verified").wantText("None")

	b.post(domain+"/link", "authentication_method_id", idOf(provider)).to()
	b.get(domain).wantText("Acme Okta")
	b.get(provider).wantText("acme.test")
	b.get(list).wantText("Acme Okta")
	b.post(provider+"/domains/remove", "domain_id", idOf(domain)).to()
	b.get(provider).wantText("None, so people need the links")
	b.post(domain+"/link", "authentication_method_id", "am0123456789a").wantStatus(http.StatusNotFound).wantText("no identity provider")

	b.get(domain + "/delete").wantText("manages it manages still").wantText("Another organization can prove")
	if got := b.post(domain + "/delete").to(); got != list+"?done=domain-removed" {
		t.Errorf("got sent to %s, want the list", got)
	}
	b.get(domain).wantStatus(http.StatusNotFound).wantText("Domain not found")
}

func TestTheSetUpOffersToLinkDomains(t *testing.T) {
	w := newWorld(t)
	w.withIdP()
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	organization := b.addOrganization("Acme")
	first, second := b.speaks(organization, "acme.test"), b.addDomain(organization, "other.test")
	provider := b.addIdP(organization, "Acme Okta")
	metadata := b.get(w.idpURL + "/metadata").Body
	step := b.post(provider+"/setup?step=3&vendor=okta", "saml_idp_metadata", metadata).to()
	if !strings.Contains(step, "step=4") {
		t.Fatalf("after the metadata: got sent to %s, want the step of domains", step)
	}
	form := formOn(b.get(step).wantText("acme.test").wantText("Not verified yet").page())
	got := b.post(provider+"/domains", "vendor", form["vendor"], "domain_id", idOf(first), "domain_id", idOf(second)).to()
	if !strings.Contains(got, "step=5") || !strings.Contains(got, "vendor=okta") || !strings.Contains(got, "domains-linked") {
		t.Errorf("got sent to %s, want the last step", got)
	}
	b.get(got).wantText("Signup link").wantText("Done")

	third := b.addDomain(organization, "third.test")
	b.post(provider+"/domains", "domain_id", idOf(third), "domain_id", "dom0123456789a").wantStatus(http.StatusNotFound)
	if strings.Contains(b.get(third).text(), "Unlink") {
		t.Error("a domain was linked by a form that was refused")
	}
}

func TestAMissingRecordIsSeen(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	organization := b.addOrganization("Acme")
	domain := b.speaks(organization, "acme.test")
	d, err := w.store.Domain(t.Context(), idOf(organization), "acme.test")
	if err != nil {
		t.Fatal(err)
	}
	d.MissingSince = time.Now().Add(-24 * time.Hour)
	if err := w.store.UpdateDomain(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	ends := d.EndsAt().UTC().Format("2 January 2006")
	for _, path := range []string{organization + "/domains", domain} {
		b.get(path).wantText("record missing").wantText(ends)
	}
	b.post(domain + "/verify").to()
	if strings.Contains(b.get(domain).text(), ends) {
		t.Error("the record was seen again, and the page still says that the claim ends")
	}
	d.State, d.MissingSince = domains.Lost, time.Time{}
	if err := w.store.UpdateDomain(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	b.get(domain).wantText("Lost").wantText("so the claim has ended")
}

func TestAnotherOrganizationsDomainIsNotVerified(t *testing.T) {
	w := newWorld(t)
	b, other := w.browser(), w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	other.signUp("Otto Other", "otto@globex.test")
	b.speaks(b.addOrganization("Acme"), "acme.test")
	domain := other.addDomain(other.addOrganization("Globex"), "acme.test")
	w.zone["_aiven-challenge.acme.test"] = append(w.zone["_aiven-challenge.acme.test"], other.get(domain).page().Find("#copy-value").Text())
	a := other.post(domain + "/verify").wantStatus(http.StatusConflict).wantText("Another organization has verified acme.test")
	if strings.Contains(a.text(), "Acme ") {
		t.Error("the page names the organization that has the domain")
	}
}

func TestAWebPageProvesWhereTheServerTakesIt(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Olive Owner", "olive@acme.test")
	organization := b.addOrganization("Acme")
	domain := b.addDomain(organization, "acme.test")
	if n := b.get(domain).page().Find("input[name=verification_type]").Length(); n != 0 {
		t.Error("another proof is offered on a server that takes none")
	}
	b.post(domain, "verification_type", "http").wantStatus(http.StatusBadRequest)
	w.server.Domains.Pages = w.zone
	if got := b.post(domain, "verification_type", "http").to(); got != domain+"?done=domain-saved" {
		t.Fatalf("got sent to %s, want the domain", got)
	}
	page := b.get(domain).wantText("https://acme.test/").page()
	w.zone["acme.test"] = []string{page.Find("#copy-value").Text()}
	b.post(domain + "/verify").to()
	b.get(domain).wantText("Verified")
}

// The login pages answer the same for every address of a domain.
func TestTheLoginPagesTellNobodyWhoHasAnAccount(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, method := w.acme()
	w.browser().signUp("Una Unproved", "una@acme.test")
	b.speaks(organization, "acme.test", provider)
	w.proved("Paul", "proved@acme.test")
	for _, c := range []struct {
		path string
		form []string
		want string
	}{
		{"/login", nil, "log in with single sign-on"},
		{"/login/password", []string{"password", "not this one"}, "account link of"},
		{"/signup", []string{"real_name", "X", "password", goodPassword}, "makes your account at your first login"},
	} {
		pages := map[string]string{}
		for _, who := range []string{"una", "proved", "nobody"} {
			email := who + "@acme.test"
			a := w.browser().post(c.path, append([]string{"email", email}, c.form...)...).wantText(c.want)
			if n := a.page().Find(`a.way.first[href="/v1/sso/saml/login/` + method + `"]`).Length(); n != 1 {
				t.Errorf("%s for %s: got %d first ways through the domain's identity provider, want 1", c.path, who, n)
			}
			pages[who] = strings.ReplaceAll(a.Body, email, "")
		}
		if pages["una"] != pages["nobody"] || pages["proved"] != pages["nobody"] {
			t.Errorf("%s: the page for an address with an account differs from that for one without", c.path)
		}
	}
}

func TestAPasswordStaysOfferedBehindAnotherWay(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, _ := w.acme()
	b.speaks(organization, "acme.test", provider)
	page := w.browser().post("/login", "email", "x@acme.test").page()
	if page.Find("details").Length() != 0 || page.Find("form[action='/login/password']").Length() != 1 {
		t.Error("where passwords are admitted, one is not offered at once")
	}
	w.rules(organization, func(r *policy.Rules) { r.Password = false })
	page = w.browser().post("/login", "email", "x@acme.test").page()
	if page.Find("details:not([open]) form[action='/login/password']").Length() != 1 {
		t.Error("where passwords are not admitted, one is not behind another way")
	}
	again := w.browser().post("/login/password", "email", "x@acme.test", "password", "wrong").page()
	if again.Find("details[open] form[action='/login/password']").Length() != 1 {
		t.Error("after a wrong password the form is hidden")
	}
}

func TestSigningUpWithAPasswordIsPossibleAllTheSame(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, _ := w.acme()
	b.speaks(organization, "acme.test", provider)
	ann := w.browser()
	asked := ann.post("/signup", "real_name", "Ann", "email", "ann@acme.test", "password", goodPassword).wantStatus(http.StatusOK).page()
	domain := asked.Find("input[name=domain]").AttrOr("value", "")
	if domain != "acme.test" {
		t.Fatalf("got the domain %q in the form, want acme.test", domain)
	}
	ann.post("/signup", "real_name", "Ann", "email", "ann@acme.test", "domain", domain, "password", goodPassword).to()
}
