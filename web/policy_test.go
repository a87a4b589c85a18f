package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/policy"
)

// The first scenario of the documentation: passwords are turned off, and tokens
// are not tied to the login that made them.
func TestATokenThatIsNotTiedToItsLoginOutlivesThePolicy(t *testing.T) {
	w := newWorld(t)
	b, organization, _, method := w.acme()
	b.link(method, "alice")
	old := b.makeToken("description", "By password")
	to := b.setPolicy(organization, "now", "password_auth_enabled", "", "personal_tokens_require_allowed_auth_method", "").to()
	if want := organization + "/authentication-policy?done=policy-saved"; to != want {
		t.Errorf("got sent to %s, want %s", to, want)
	}
	if got := w.enters(old, organization); got != "" {
		t.Errorf("the token by password is refused with %s, want it to enter", got)
	}
	b.get(organization).wantStatus(http.StatusForbidden).wantText("You logged in with a password")
}

// The second: they are tied. The token stops, and a new one by single sign-on
// counts.
func TestATokenThatIsTiedToItsLoginStopsWithIt(t *testing.T) {
	w := newWorld(t)
	b, organization, _, method := w.acme()
	b.link(method, "alice")
	old := b.makeToken("description", "By password")
	if got := w.enters(old, organization); got != "" {
		t.Fatalf("before: the token is refused with %s", got)
	}
	b.setPolicy(organization, "now", "password_auth_enabled", "", "passkey_enabled", "").to()
	if got := w.enters(old, organization); got != "user_password_authentication_method_not_allowed" {
		t.Errorf("the token by password: got %q, want the code of its login", got)
	}
	refused := b.get(organization).wantStatus(http.StatusForbidden)
	start := "/v1/sso/saml/login/" + method + "?return_to=" + strings.ReplaceAll(organization, "/", "%2F")
	if refused.ways()[start] == "" {
		t.Fatalf("got the ways %v, want %s", refused.ways(), start)
	}
	if got := b.through(start, "alice"); got != organization {
		t.Errorf("after the login: got sent to %s, want %s", got, organization)
	}
	b.get(organization).wantStatus(http.StatusOK)
	if got := w.enters(b.makeToken("description", "By single sign-on"), organization); got != "" {
		t.Errorf("the token by single sign-on is refused with %s, want it to enter", got)
	}
}

func TestThePolicyIsPreviewedAndSaved(t *testing.T) {
	w := newWorld(t)
	b, organization, provider, method := w.acme()
	page := organization + "/authentication-policy"
	b.link(method, "alice")
	token := b.makeToken("description", "Nightly report")
	b.get(provider).wantText("To admit this way alone")
	b.get(organization).wantText("Authentication policy")

	form := formOn(b.get(page).wantText("Your address is 192.0.2.7").page())
	if _, there := form["two_factor_required"]; there || b.get(page).page().Find("#in-two_factor_required[disabled]").Length() != 1 {
		t.Error("the second factor can be ticked, want it not to be available")
	}
	b.post(page+"/preview", pairsOf(form)...).wantStatus(http.StatusOK).wantText("Nothing would change")

	delete(form, "password_auth_enabled")
	form["login_freshness_days"], form["allowed_ip_ranges"] = "30", "192.0.2.0/24\n2001:db8::/32"
	preview := b.post(page+"/preview", pairsOf(form)...).wantStatus(http.StatusOK)
	for _, text := range []string{"It would refuse you yourself", "Shut out0 of 1 person", "Tokens that stop1 of 1 personal token", "Super admins who still come in1 of 1 super admin", "Nightly report", token[:12], "192.0.2.0/24, 2001:db8::/32", "At most 30 days"} {
		preview.wantText(text)
	}
	checkPage(t, "preview", preview.page())
	checkHeadings(t, "preview", preview.page())
	if w.enters(token, organization) != "" {
		t.Error("the preview changed something")
	}

	// What shuts the visitor out takes a tick, and begins on trial unless said.
	save := formOn(preview.page())
	if save["how"] != "3600" {
		t.Errorf("got %q chosen, want an hour on trial", save["how"])
	}
	save["how"] = "now"
	again := b.post(page, pairsOf(save)...).wantStatus(http.StatusConflict).wantText("This would refuse you yourself")
	if again.page().Find("#in-force[aria-invalid=true]").Length() != 1 {
		t.Error("the refusal does not stand at the box that forces it")
	}
	checkPage(t, "refused save", again.page())

	// Going back to the form keeps what was chosen.
	save["edit"] = "yes"
	back := formOn(b.post(page+"/preview", pairsOf(save)...).wantStatus(http.StatusOK).page())
	if _, on := back["password_auth_enabled"]; on || back["login_freshness_days"] != "30" || back["allowed_ip_ranges"] != form["allowed_ip_ranges"] {
		t.Errorf("got the form %v, want what was typed", back)
	}
	delete(save, "edit")
	save["force"] = "on"
	b.post(page, pairsOf(save)...).to()
	b.through("/v1/sso/saml/login/"+method, "alice")
	saved := formOn(b.get(page).wantStatus(http.StatusOK).wantText("which is in them").page())
	if _, on := saved["password_auth_enabled"]; on || saved["login_freshness_days"] != "30" || saved["saml_enabled"] != "on" {
		t.Errorf("got the form %v, want what was saved", saved)
	}
}

// Saving the form as it is shown changes nothing, whatever the policy is.
func TestTheFormSaysWhatThePolicyIs(t *testing.T) {
	w := newWorld(t)
	b, organization, _, _ := w.acme()
	for name, change := range map[string]func(*policy.Rules){
		"usual":           func(*policy.Rules) {},
		"one third party": func(r *policy.Rules) { r.Providers = []policy.Way{policy.GitHub} },
		"no providers":    func(r *policy.Rules) { r.SAML = false },
		"bounds":          func(r *policy.Rules) { r.PersonalTokenAge, r.Freshness = 1234*time.Second, 9*24*time.Hour },
		"programs":        func(r *policy.Rules) { r.MCP, r.DeviceLogin, r.EnforceMethod = false, false, false },
		"contexts":        func(r *policy.Rules) { r.SecondFactorContexts = []string{"https://refeds.org/profile/mfa", "urn:x:y"} },
		"tokens":          func(r *policy.Rules) { r.PersonalTokens = policy.TokensNotForManaged },
	} {
		w.rules(organization, change)
		page := organization + "/authentication-policy"
		form := formOn(b.get(page).wantStatus(http.StatusOK).page())
		if got := b.post(page+"/preview", pairsOf(form)...).wantStatus(http.StatusOK).text(); !strings.Contains(got, "Nothing would change") {
			t.Errorf("%s: the form as it is shown changes something: %s", name, got)
		}
	}
}

func TestErrorsOfThePolicyStandAtTheirFields(t *testing.T) {
	w := newWorld(t)
	b, organization, _, _ := w.acme()
	page := organization + "/authentication-policy"
	for _, c := range []struct {
		name, field string
		changes     map[string]string // an empty value unticks
	}{
		{"days that are none", "login_freshness_days", map[string]string{"login_freshness_days": "often"}},
		{"too many days", "login_freshness_days", map[string]string{"login_freshness_days": "366"}},
		{"days without identity providers", "login_freshness_days", map[string]string{"login_freshness_days": "30", "saml_enabled": ""}},
		{"a range that is none", "allowed_ip_ranges", map[string]string{"allowed_ip_ranges": "192.0.2.0/24\nthe office"}},
		{"too young a token", "personal_token_max_age_seconds", map[string]string{"personal_token_max_age_seconds": "599"}},
		{"an age that is none", "personal_token_max_age_seconds", map[string]string{"personal_token_max_age_seconds": "x"}},
		{"tokens that are nothing known", "personal_tokens", map[string]string{"personal_tokens": "sometimes"}},
		{"no way at all", "saml_enabled", map[string]string{"password_auth_enabled": "", "saml_enabled": "", "passkey_enabled": "", "oauth_providers.google": "", "oauth_providers.github": "", "oauth_providers.microsoft": ""}},
	} {
		for _, action := range []string{"/preview", ""} {
			form := formOn(b.get(page).page())
			for name, value := range c.changes {
				if form[name] = value; value == "" {
					delete(form, name)
				}
			}
			form["how"] = "now"
			a := b.post(page+action, pairsOf(form)...).wantStatus(http.StatusBadRequest)
			doc := a.page()
			if got := doc.Find(`main [name="`+c.field+`"]`).First().AttrOr("aria-invalid", ""); got != "true" {
				t.Errorf("%s: got aria-invalid %q at %s, want the error there; the page says: %s", c.name, got, c.field, a.text())
			}
			if n := doc.Find(`.problems a[href="#in-` + c.field + `"]`).Length(); n != 1 {
				t.Errorf("%s: got %d links to the field in the summary, want 1", c.name, n)
			}
			for name := range form {
				if text := doc.Find(".problems").Text(); strings.Contains(text, name) {
					t.Errorf("%s: the summary says %q, want no names of programs", c.name, text)
				}
			}
			checkPage(t, c.name, doc)
		}
	}
	if kept, err := w.server.Policies.Get(t.Context(), idOf(organization)); err != nil || !kept.UpdatedAt.IsZero() {
		t.Errorf("got %+v, %v, want nothing saved", kept, err)
	}
}

func TestHowAChangeBeginsIsSaidWhole(t *testing.T) {
	w := newWorld(t)
	b, organization, _, _ := w.acme()
	page := organization + "/authentication-policy"
	b.addGroup(organization, "Testers")
	for _, c := range []struct{ how, field string }{{"", "how"}, {"never", "how"}, {"-5", "how"}, {"group", "pilot_user_group_id"}} {
		form := formOn(b.get(page).page())
		delete(form, "mcp_enabled")
		form["how"] = c.how
		a := b.post(page, pairsOf(form)...).wantStatus(http.StatusBadRequest)
		if got := a.page().Find(`main [name="`+c.field+`"]`).First().AttrOr("aria-invalid", ""); got != "true" {
			t.Errorf("how %q: got aria-invalid %q at %s, want the error there", c.how, got, c.field)
		}
	}
}

func TestATrialThatGoesBackIsConfirmedByANewLogin(t *testing.T) {
	w := newWorld(t)
	b, organization, _, _ := w.acme()
	page := organization + "/authentication-policy"
	if got := b.setPolicy(organization, "600", "mcp_enabled", "").to(); got != page+"?done=policy-tried" {
		t.Errorf("got sent to %s, want the policy", got)
	}
	trial := b.get(page).wantText("A change is being tried").wantText("goes back").wantText("MCP clients").wantText("log in once more")
	checkPage(t, "trial", trial.page())
	if trial.page().Find("form[action$='/confirm'], form[action$='/preview']").Length() != 0 {
		t.Error("an old login is offered to confirm, or the form")
	}
	again := trial.page().Find("main a.primary").AttrOr("href", "")
	refused := b.post(page + "/confirm").wantStatus(http.StatusForbidden).wantText("log in again, and confirm then")
	checkPage(t, "not confirmed", refused.page())
	// Nothing else can be changed meanwhile.
	for _, action := range []string{"", "/preview"} {
		if got := b.post(page+action, "how", "now", "saml_enabled", "on", "personal_tokens", "enabled").to(); got != page+"?done=policy-trial-pending" {
			t.Errorf("got sent to %s, want to be told that a change is being tried", got)
		}
	}

	login := b.get(again).wantText("Log in again").page()
	back := login.Find("[name=return_to]").AttrOr("value", "")
	if back != page {
		t.Errorf("the login leads to %q, want %s", back, page)
	}
	b.get(b.post("/login/password", "email", "olive@acme.test", "password", goodPassword, "return_to", back).to()).to()
	if n := b.get(page).page().Find("form[action$='/confirm'] button.primary").Length(); n != 1 {
		t.Errorf("after the login: got %d buttons that confirm, want 1", n)
	}
	b.get(b.post(page + "/confirm").to()).wantText("The change is confirmed")
	if _, on := formOn(b.get(page).page())["mcp_enabled"]; on {
		t.Error("the change is not the policy, want it confirmed")
	}
	if got := b.post(page + "/confirm").to(); got != page+"?done=policy-trial-over" {
		t.Errorf("a second time: got sent to %s, want to be told that it is over", got)
	}
}

func TestATrialIsDiscarded(t *testing.T) {
	w := newWorld(t)
	b, organization, _, _ := w.acme()
	page := organization + "/authentication-policy"
	b.setPolicy(organization, "86400", "mcp_enabled", "").to()
	b.get(b.post(page + "/discard").to()).wantText("as it was before")
	if form := formOn(b.get(page).page()); form["mcp_enabled"] != "on" {
		t.Error("the change holds still, want it discarded")
	}
}

func TestAReportNamesWhomItWouldHaveRefused(t *testing.T) {
	w := newWorld(t)
	b, organization, _, method := w.acme()
	page := organization + "/authentication-policy"
	b.link(method, "alice")
	b.setPolicy(organization, "report", "password_auth_enabled", "").to()
	token := b.makeToken()
	if got := w.enters(token, organization); got != "" {
		t.Errorf("a token is refused with %s, want it only reported", got)
	}
	report := b.get(page).wantStatus(http.StatusOK).wantText("refuses nobody yet").wantText("olive@acme.test").wantText("With a personal token").wantText("In the console").wantText("You logged in with a password")
	checkPage(t, "report", report.page())
	// Confirming it would shut out whoever confirms: that takes a tick.
	refused := b.post(page + "/confirm").wantStatus(http.StatusConflict).wantText("This would refuse you yourself")
	if refused.page().Find("form[action$='/confirm'] #in-force").Length() != 1 {
		t.Error("there is no box that forces it")
	}
	checkPage(t, "refused confirmation", refused.page())
	b.post(page+"/confirm", "force", "on").to()
	b.get(page).wantStatus(http.StatusForbidden)
}

func TestAPilotHoldsForItsGroupAlone(t *testing.T) {
	w := newWorld(t)
	b, organization, _, method := w.acme()
	page := organization + "/authentication-policy"
	b.link(method, "alice")
	if n := b.post(page+"/preview", "saml_enabled", "on", "personal_tokens", "enabled").page().Find("[name=pilot_user_group_id]").Length(); n != 0 {
		t.Error("a group can be chosen, and there is none")
	}
	group := b.addGroup(organization, "Testers")
	w.join(organization, "bob")
	b.post(group+"/members", "email", "bob@acme.test").to()
	form := formOn(b.get(page).page())
	delete(form, "password_auth_enabled")
	save := formOn(b.post(page+"/preview", pairsOf(form)...).wantText("Testers, 1 member").page())
	save["how"], save["pilot_user_group_id"] = "group", idOf(group)
	b.post(page, pairsOf(save)...).to()
	b.get(page).wantStatus(http.StatusOK).wantText("the members of the group Testers").wantText("In force for everybody")
	b.get(b.post(page + "/discard").to()).wantText("The change is discarded")
}

func TestThePolicyIsForSuperAdmins(t *testing.T) {
	w := newWorld(t)
	_, organization, _, method := w.acme()
	member := w.browser()
	member.through("/v1/sso/saml/login/"+method+"?intent=signup", "bob")
	page := organization + "/authentication-policy"
	member.get(page).wantStatus(http.StatusForbidden).wantText("Only a super admin of Acme")
	for _, action := range []string{"", "/preview", "/confirm", "/discard"} {
		member.post(page+action, "how", "now").wantStatus(http.StatusForbidden).wantText("Only a super admin of Acme")
	}
	if n := member.get(organization).page().Find("a[href='" + page + "']").Length(); n != 0 {
		t.Errorf("got %d links to the policy for a member, want none", n)
	}
}

func TestPoliciesAreInWords(t *testing.T) {
	usual := policy.Usual()
	strict := policy.Rules{TwoFactor: true, SecondFactorContexts: []string{"urn:x:y"}, PersonalTokens: policy.TokensDisabled, PersonalTokenAge: time.Hour, Freshness: 48 * time.Hour}
	for _, rules := range []policy.Rules{usual, strict} {
		for _, line := range ruleLines(&rules) {
			if line.Name == "" || line.Value == "" {
				t.Errorf("got the line %+v, want words", line)
			}
		}
	}
	if got := ruleChanges(&usual, &usual); len(got) != 0 {
		t.Errorf("got %v between a policy and itself, want nothing", got)
	}
	if got, want := len(ruleChanges(&usual, &strict)), len(ruleLines(&usual))-1; got != want {
		t.Errorf("got %d changes, want %d: all but the addresses", got, want)
	}
}
