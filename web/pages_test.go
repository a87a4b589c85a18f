package web

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"

	"gatehouse/account"
)

// checkPage holds what every page promises to keyboards and screen readers,
// and to its Content-Security-Policy.
func checkPage(t *testing.T, name string, doc *goquery.Document) {
	t.Helper()
	if got := doc.Find("html").AttrOr("lang", ""); got != "en" {
		t.Errorf("%s: got the language %q, want en", name, got)
	}
	for _, one := range []string{"h1", "main", "title", "a.skip"} {
		if n := doc.Find(one).Length(); n != 1 {
			t.Errorf("%s: got %d of %s, want 1", name, n, one)
		}
	}
	if title, h1 := doc.Find("title").Text(), strings.TrimSpace(doc.Find("h1").Text()); !strings.Contains(title, h1) || h1 == "" {
		t.Errorf("%s: got the title %q, want the heading %q in it", name, title, h1)
	}
	ids := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if ids[id] {
			t.Errorf("%s: the id %s is there twice", name, id)
		}
		ids[id] = true
	})
	doc.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if id == "" || doc.Find(`label[for="`+id+`"]`).Length() != 1 {
			t.Errorf("%s: the input %s has no label", name, s.AttrOr("name", "?"))
		}
	})
	for _, attribute := range []string{"aria-describedby", "aria-labelledby"} {
		doc.Find("[" + attribute + "]").Each(func(_ int, s *goquery.Selection) {
			for _, id := range strings.Fields(s.AttrOr(attribute, "")) {
				if !ids[id] {
					t.Errorf("%s: %s names %s, which is not there", name, attribute, id)
				}
			}
		})
	}
	doc.Find("button, a[href]").Each(func(_ int, s *goquery.Selection) {
		if strings.TrimSpace(s.Text()) == "" {
			t.Errorf("%s: a button or link without words", name)
		}
	})
	doc.Find(`a[href^="#"]`).Each(func(_ int, s *goquery.Selection) {
		if id := s.AttrOr("href", "#")[1:]; !ids[id] {
			t.Errorf("%s: a link leads to #%s, which is not there", name, id)
		}
	})
	doc.Find("script").Each(func(_ int, s *goquery.Selection) {
		if !strings.HasPrefix(s.AttrOr("src", ""), "/static/") || s.Text() != "" {
			t.Errorf("%s: a script that is not a file of ours", name)
		}
	})
	doc.Find("*").Each(func(_ int, s *goquery.Selection) {
		for _, a := range s.Nodes[0].Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: <%s> has the attribute %s, which the policy forbids", name, s.Nodes[0].Data, a.Key)
			}
		}
	})
	if html, _ := doc.Html(); strings.Contains(html, "ZgotmplZ") {
		t.Errorf("%s: a value was refused by its context", name)
	}
}

// levels checks that no heading leaves out a level.
func checkHeadings(t *testing.T, name string, doc *goquery.Document) {
	t.Helper()
	last := 0
	doc.Find("main h1, main h2, main h3").Each(func(_ int, s *goquery.Selection) {
		level := int(s.Nodes[0].Data[1] - '0')
		if last > 0 && level > last+1 {
			t.Errorf("%s: heading %q is of level %d after level %d", name, s.Text(), level, last)
		}
		last = level
	})
}

func TestEveryPageIsForEverybody(t *testing.T) {
	w := newWorld(t)
	w.withIdP()
	b, stranger := w.browser(), w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	b.addOrganization("Globex")
	organization := b.addOrganization("Acme")
	pending := b.addIdP(organization, "Acme Okta")
	active := b.addIdP(organization, "Acme Entra")
	method := b.connect(active)
	group := b.addGroup(organization, "Testers")
	b.post(group+"/members", "email", "alice@acme.test").to()
	domain, unproved := b.speaks(organization, "acme.example", active), b.addDomain(organization, "other.example")
	w.server.Dev = &Dev{Organization: "Acme", LoginURL: "/v1/sso/saml/login/" + method, People: []DevPerson{{"Alice", "alice@acme.test", "secret"}}}

	token := b.makeToken("description", "Nightly report", "ip_allowlist", "192.0.2.0/24", "scope.user:read", "on")[:12]
	answers := map[string]*answer{}
	for _, rt := range table() {
		verb, path := fill(rt.pattern, map[string]string{"organization": idOf(organization), "method": idOf(active), "group": idOf(group), "domain": idOf(domain), "user": userOf(b.get(organization + "/people").page()), "account": "a0123456789a", "token": token, "way": "password"})
		if verb != "GET" || strings.HasPrefix(path, "/static") || strings.HasPrefix(path, "/favicon") || strings.HasPrefix(path, "/v1/sso/saml/metadata") {
			continue
		}
		for name, who := range map[string]*tab{"admin": b, "stranger": stranger} {
			if a := who.get(path); a.StatusCode != http.StatusSeeOther {
				answers[path+" as "+name] = a
			}
		}
	}
	for _, path := range []string{pending, pending + "/setup?step=1&vendor=okta", pending + "/setup?step=2", pending + "/setup?step=3", pending + "/setup?step=4", pending + "/setup?step=5", active + "/setup?step=4", unproved, unproved + "/delete", active + "/setup?step=3", pending + "/edit", group + "?find=nobody", "/?done=profile-saved"} {
		answers[path] = b.get(path).wantStatus(http.StatusOK)
	}
	for name, a := range map[string]*answer{
		"bad address":      stranger.post("/login", "email", "nobody"),
		"ways":             stranger.post("/login", "email", "alice@acme.test"),
		"ways of a domain": stranger.post("/login", "email", "alice@acme.example"),
		"wrong there":      stranger.post("/login/password", "email", "alice@acme.example", "password", "not this one"),
		"signup there":     stranger.post("/signup", "real_name", "Ann", "email", "ann@acme.example", "password", goodPassword),
		"bad domain":       b.post(organization+"/domains", "domain_name", "gmail.com"),
		"not verified":     b.post(unproved + "/verify"),
		"wrong password":   stranger.post("/login/password", "email", "alice@acme.test", "password", "not this one"),
		"bad signup":       stranger.post("/signup", "email", "x"),
		"bad organization": b.post("/organizations", "organization_name", ""),
		"bad rename":       b.post(organization, "organization_name", strings.Repeat("x", 200)),
		"bad profile":      b.post("/profile", "real_name", ""),
		"bad token":        b.post("/profile/tokens", "life", "seconds"),
		"bad description":  b.post("/profile/tokens/"+token, "description", strings.Repeat("x", 2000)),
		"last way":         b.post("/profile/login-methods/password/delete"),
		"bad policy":       b.post(organization+"/authentication-policy/preview", "allowed_ip_ranges", "x", "personal_tokens", "enabled"),
		"no trial begun":   b.post(organization+"/authentication-policy", "saml_enabled", "on", "personal_tokens", "enabled"),
		"bad provider":     b.post(organization+"/identity-providers", "authentication_method_name", ""),
		"bad group":        b.post(organization+"/groups", "user_group_name", ""),
		"bad member":       b.post(group+"/members", "email", "bob@acme.test"),
		"bad name":         b.post(group, "user_group_name", ""),
		"bad set-up":       b.post(pending+"/setup", "saml_entity_id", "x", "saml_idp_url", "http://evil.example", "saml_certificate", "x"),
		"bad settings":     b.post(active, "authentication_method_name", "", "saml_request_binding", "pigeon"),
		"refused":          stranger.throughIdP("/v1/sso/saml/login/"+method, "alice", "wrong-key"),
	} {
		if a.StatusCode < 400 && name != "ways" && name != "ways of a domain" && name != "signup there" {
			t.Errorf("%s: got status %d, want a refusal", name, a.StatusCode)
		}
		answers[name] = a
	}
	if len(answers) < 30 {
		t.Fatalf("got %d pages to look at, want at least 30", len(answers))
	}
	for name, a := range answers {
		checkPage(t, name, a.page())
		checkHeadings(t, name, a.page())
	}
}

func TestWhatWasTypedStaysAndTheErrorStandsAtTheField(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signUp("Alice Archer", "alice@acme.test")
	organization := b.addOrganization("Acme")
	provider, group := b.addIdP(organization, "Acme Okta"), b.addGroup(organization, "Testers")
	b.addGroup(organization, "Others")
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		path   string
		form   []string
		field  string
		status int
	}{
		{"/login", []string{"email", "nobody at all"}, "email", 400},
		{"/signup", []string{"real_name", "Bob", "email", "nobody", "password", goodPassword}, "email", 400},
		{"/signup", []string{"real_name", "", "email", "bob@acme.test", "password", goodPassword}, "real_name", 400},
		{"/signup", []string{"real_name", "Bob", "email", "bob@acme.test", "password", "short"}, "password", 400},
		{"/signup", []string{"real_name", "Bob", "email", "alice@acme.test", "password", goodPassword}, "email", 409},
		{"/login/password", []string{"email", "alice@acme.test", "password", "not this one"}, "password", 403},
		{"/login/password", []string{"email", "alice@acme.test", "password", ""}, "password", 400},
		{"/profile", []string{"real_name", long}, "real_name", 400},
		{"/profile", []string{"real_name", "a\x00b"}, "real_name", 400},
		{"/organizations", []string{"organization_name", long}, "organization_name", 400},
		{"/organizations", []string{"organization_name", "\xff\xfe"}, "organization_name", 400},
		{organization, []string{"organization_name", "  "}, "organization_name", 400},
		{organization + "/identity-providers", []string{"authentication_method_name", long}, "authentication_method_name", 400},
		{organization + "/groups", []string{"user_group_name", " ", "description", "For\ntrials"}, "user_group_name", 400},
		{organization + "/groups", []string{"user_group_name", "TESTERS", "description", ""}, "user_group_name", 409},
		{organization + "/groups", []string{"user_group_name", "Fresh", "description", strings.Repeat("x", 4097)}, "description", 400},
		{group, []string{"user_group_name", "others", "description", "New"}, "user_group_name", 409},
		{group, []string{"user_group_name", long, "description", "New"}, "user_group_name", 400},
		{group + "/members", []string{"email", "nobody at all"}, "email", 400},
		{group + "/members", []string{"email", "bob@acme.test"}, "email", 400},
		{organization + "/domains", []string{"domain_name", "someone@acme.test"}, "domain_name", 400},
		{organization + "/domains", []string{"domain_name", "gmail.com"}, "domain_name", 400},
		{provider + "/setup", []string{"saml_idp_metadata", "<nonsense/>"}, "saml_idp_metadata", 400},
		{provider + "/setup", []string{}, "saml_idp_metadata", 400},
		{provider + "/setup", []string{"saml_entity_id", "urn:x", "saml_certificate", "x"}, "saml_idp_url", 400},
		{provider, []string{"authentication_method_name", "Acme", "saml_idp_url", "javascript:alert(1)"}, "saml_idp_url", 400},
		{provider, []string{"authentication_method_name", "Acme", "auth_token_max_age_seconds", "7"}, "auth_token_max_age_seconds", 400},
		{provider, []string{"authentication_method_name", "Acme", "saml_field_mapping.email", long}, "saml_field_mapping.email", 400},
	} {
		a := b.post(c.path, c.form...).wantStatus(c.status)
		doc := a.page()
		in := doc.Find(`main [name="` + c.field + `"]`)
		if got := in.AttrOr("aria-invalid", ""); got != "true" {
			t.Errorf("POST %s %q: got aria-invalid %q at %s, want true", c.path, c.form, got, c.field)
		}
		if n := doc.Find(`.problems a[href="#in-` + c.field + `"]`).Length(); n != 1 {
			t.Errorf("POST %s %q: got %d links to the field in the summary, want 1", c.path, c.form, n)
		}
		for i := 0; i+1 < len(c.form); i += 2 {
			in := doc.Find(`main [name="` + c.form[i] + `"]:not([type=hidden])`)
			got, _ := in.Attr("value")
			if goquery.NodeName(in) == "textarea" {
				got = in.Text()
			}
			if want := c.form[i+1]; c.form[i] == "password" {
				if got != "" {
					t.Errorf("POST %s: got the password back on the page", c.path)
				}
			} else if in.Length() == 1 && goquery.NodeName(in) != "select" && got != want && utf8.ValidString(want) && !strings.Contains(want, "\x00") {
				t.Errorf("POST %s: got %q in %s, want what was typed, %q", c.path, got, c.form[i], want)
			}
		}
	}
	if account.CheckNewPassword(goodPassword, "") != nil {
		t.Error("the password of these tests is not one that may be chosen")
	}
}

func TestNamesAreOnlyText(t *testing.T) {
	const attack = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	w := newWorld(t)
	w.withIdP()
	b := w.browser()
	b.signUp(attack, "alice@acme.test")
	organization := b.addOrganization(attack)
	provider := b.addIdP(organization, attack)
	method := b.connect(provider)
	group := b.addGroup(organization, attack)
	b.post(group, "user_group_name", attack, "description", attack).to()
	b.post(group+"/members", "email", "alice@acme.test").to()
	b.link(method, "alice")
	domain := b.addDomain(organization, "acme.example")
	w.zone["_aiven-challenge.acme.example"] = []string{attack}
	token := b.makeToken("description", attack)[:12]
	policy := organization + "/authentication-policy"
	pages := map[string]*answer{
		"preview": b.post(policy+"/preview", "saml_enabled", "on", "personal_tokens", "enabled", attack, attack),
		"range":   b.post(policy+"/preview", "saml_enabled", "on", "personal_tokens", "enabled", "allowed_ip_ranges", attack),
		"ways":    b.post("/login", "email", "alice@acme.test", "return_to", "/"+attack),
		"look":    b.post(domain + "/verify").wantText(attack),
		"refused": w.browser().throughIdP("/v1/sso/saml/login/"+method, "alice", "wrong-key"),
		"typed":   b.post("/login", "email", attack),
		"again":   b.post(provider+"/setup", "saml_idp_metadata", "</textarea>"+attack),
	}
	for _, path := range []string{"/", "/profile", "/profile/password", "/profile/tokens", "/profile/tokens/" + token, "/profile/tokens/" + token + "/delete", "/profile/login-methods", "/profile/login-methods/" + method + "/delete", policy, "/login?again=1", "/login", "/logout", organization, organization + "/identity-providers", organization + "/domains", domain, domain + "/delete", organization + "/groups", group, group + "/edit", group + "/delete", group + "?find=%22%3E%3Cscript%3E", provider, provider + "/edit", provider + "/setup", provider + "/delete", provider + "/disable", "/signup/" + method, "/login?return_to=/%22%3E%3Cscript%3E", "/?done=%3Cscript%3E", provider + "/setup?vendor=%22%3E%3Cscript%3E&step=%3Cscript%3E"} {
		pages[path] = b.get(path).wantStatus(http.StatusOK)
	}
	for name, a := range pages {
		doc := a.page()
		if n := doc.Find("img").Length(); n != 0 {
			t.Errorf("%s: got %d images from a name", name, n)
		}
		checkPage(t, name, doc)
	}
	pages["/"].wantText(attack)
	pages["refused"].wantText(attack)
}
