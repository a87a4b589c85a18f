package web

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
)

// policyPath is where super admins say how people come in.
const policyPath = organizationPath + "/authentication-policy"

// A policyPage has an organization's authentication policy as a form; while a
// change is being tried, that change instead, and what is in force.
type policyPage struct {
	page
	URL     string
	Updated moment
	Changed bool // anybody ever changed it

	Trial *trialView
	Lines []ruleLine // what is in force for everybody; only with a trial

	Password       check
	TwoFactor      check
	Passkey        check
	ThirdParties   []check
	SAML           check
	ExternalSAML   check
	Contexts       field
	PersonalTokens field
	Enforce        check
	TokenAge       field
	MCP            check
	DeviceLogin    check
	Freshness      field
	Ranges         field
}

func (s *site) showPolicy(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	kept, err := s.Policies.Get(r.Context(), v.Organization.ID)
	if err != nil {
		return err
	}
	p, err := s.newPolicyPage(r, v, kept, policyForm(&kept.Rules))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "policy", p)
}

func (s *site) newPolicyPage(r *http.Request, v gate.Visit, kept policy.Policy, form url.Values) (*policyPage, error) {
	frame, err := s.console(r, v, "Authentication policy", "policy")
	if err != nil {
		return nil, err
	}
	p := &policyPage{page: frame, URL: policyURL(v.Organization), Updated: s.moment(kept.UpdatedAt), Changed: !kept.UpdatedAt.IsZero()}
	if kept.Trial != nil {
		p.Lines = ruleLines(&kept.Rules)
		p.Trial, err = s.viewTrial(r.Context(), v, &kept)
		return p, err
	}
	p.boxes(form)
	p.tokens(&kept.Rules, form)
	p.Freshness = field{Name: "login_freshness_days", Label: "Days between logins", Type: "number", Most: 3, Optional: true, Value: form.Get("login_freshness_days"),
		Hint: "1 to 365; empty for no bound. Holds for those whom " + v.Organization.Name + " manages: this long after a login through one of its identity providers, their sessions and tokens sleep until the next."}
	p.Contexts = field{Name: "saml_second_factor_contexts", Label: "Login contexts that count as a second factor", Rows: 3, Optional: true, Machine: true, Value: form.Get("saml_second_factor_contexts"),
		Hint: "One a line, as the provider writes it into AuthnContextClassRef. Common ones: urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken, https://refeds.org/profile/mfa, http://schemas.microsoft.com/claims/multipleauthn. Our requests ask for them, and sessions through identity providers of " + v.Organization.Name + " count only with one of them. Empty: whatever the provider says."}
	p.Ranges = field{Name: "allowed_ip_ranges", Label: "Admitted address ranges", Rows: 5, Optional: true, Machine: true, Value: form.Get("allowed_ip_ranges"),
		Hint: "One a line, such as 203.0.113.0/24 or 2001:db8::/32. Empty admits all. Holds for everything, tokens of application users included. " + whereYouAre(s.address(r), kept.Rules.Ranges)}
	return p, nil
}

// boxes makes what is ticked or not.
func (p *policyPage) boxes(form url.Values) {
	box := func(name, label, hint string) check {
		return check{Name: name, Label: label, Hint: hint, Checked: form.Has(name)}
	}
	p.Password = box("password_auth_enabled", "Logins with a password", "")
	p.TwoFactor = check{Name: "two_factor_required", Label: "A password needs a second factor", Hint: "Not available yet: nobody can have a second factor here.", Off: true}
	p.Passkey = box("passkey_enabled", "Logins with a passkey", "This server has no passkeys yet. What is set here holds once it has.")
	for _, w := range policy.ThirdParties {
		p.ThirdParties = append(p.ThirdParties, box(thirdPartyName(w), w.Words(), ""))
	}
	p.SAML = box("saml_enabled", "Logins through identity providers of "+p.Organization.Name, "")
	p.ExternalSAML = box("saml_allow_external", "And through those of another organization that the person belongs to", "Counts only if identity providers are admitted at all.")
	p.Enforce = box("personal_tokens_require_allowed_auth_method", "A token counts only if the login that made it is admitted", "Off, a token that was made with a password goes on working here after passwords are turned off.")
	p.MCP = box("mcp_enabled", "MCP clients", "Programs through which a language model works, as far as they say that they are such.")
	p.DeviceLogin = box("device_login_enabled", "Logins by a code that is typed in on another device", "For programs without a browser of their own.")
}

// tokens makes what is chosen of personal tokens.
func (p *policyPage) tokens(rules *policy.Rules, form url.Values) {
	p.PersonalTokens = field{Name: "personal_tokens", Label: "Personal tokens", Value: form.Get("personal_tokens"), Choices: []choice{
		{string(policy.TokensEnabled), "Admitted", "People use their own tokens for programs that work here."},
		{string(policy.TokensDisabled), "Not admitted", "Nobody's personal token works here. Programs use application users. Whoever belongs to such organizations only can make none."},
		{string(policy.TokensNotForManaged), "Not admitted, and managed people make none", "As above, and those whom " + p.Organization.Name + " manages can make none for anywhere else either."},
	}}
	p.TokenAge = field{Name: "personal_token_max_age_seconds", Label: "How old a personal token may be", Value: form.Get("personal_token_max_age_seconds"), Hint: "Since the login that it came from, whatever its own end is.",
		Options: []option{{"0", "As old as it is made to last"}}}
	const day = 24 * time.Hour
	ages := []time.Duration{time.Hour, day, 7 * day, 30 * day, 90 * day, 180 * day, 365 * day}
	if now := rules.PersonalTokenAge; now > 0 && !slices.Contains(ages, now) {
		ages = append(ages, now)
		slices.Sort(ages)
	}
	for _, d := range ages {
		p.TokenAge.Options = append(p.TokenAge.Options, option{seconds(d), lifetimeWords(d)})
	}
}

// inputs are what an error can stand at.
func (p *policyPage) inputs() []input {
	all := []input{&p.Password, &p.TwoFactor, &p.Passkey, &p.SAML, &p.ExternalSAML, &p.Contexts, &p.PersonalTokens, &p.Enforce, &p.TokenAge, &p.MCP, &p.DeviceLogin, &p.Freshness, &p.Ranges}
	for n := range p.ThirdParties {
		all = append(all, &p.ThirdParties[n])
	}
	return all
}

func thirdPartyName(w policy.Way) string { return "oauth_providers." + string(w) }

func whereYouAre(ip netip.Addr, admitted []netip.Prefix) string {
	where := "Your address is " + addressWords(ip)
	t := session.Token{Ranges: admitted}
	switch {
	case len(admitted) == 0:
		return where + "."
	case t.InRanges(ip):
		return where + ", which is in them."
	}
	return where + ", which is not in them."
}

// policyForm writes rules as the form that would make them.
func policyForm(r *policy.Rules) url.Values {
	form := url.Values{
		"personal_tokens":                {string(r.PersonalTokens)},
		"personal_token_max_age_seconds": {strconv.FormatInt(int64(r.PersonalTokenAge/time.Second), 10)},
	}
	if r.Freshness > 0 {
		form.Set("login_freshness_days", strconv.Itoa(int(r.Freshness/(24*time.Hour))))
	}
	var ranges []string
	for _, p := range r.Ranges {
		ranges = append(ranges, p.String())
	}
	form.Set("saml_second_factor_contexts", strings.Join(r.SecondFactorContexts, "\n"))
	form.Set("allowed_ip_ranges", strings.Join(ranges, "\n"))
	ticked := map[string]bool{
		"password_auth_enabled": r.Password, "passkey_enabled": r.Passkey,
		"saml_enabled": r.SAML, "saml_allow_external": r.ExternalSAML,
		"personal_tokens_require_allowed_auth_method": r.EnforceMethod,
		"mcp_enabled": r.MCP, "device_login_enabled": r.DeviceLogin,
	}
	for _, w := range r.Providers {
		ticked[thirdPartyName(w)] = r.ThirdParty
	}
	for name, on := range ticked {
		if on {
			form.Set(name, "on")
		}
	}
	return form
}

// policyChange reads the form. What depends on something that is off stays as
// it is, since it means nothing then.
func policyChange(form url.Values) (policy.Change, error) {
	ticked := func(name string) *bool { on := form.Has(name); return &on }
	tokens, ranges := form.Get("personal_tokens"), lines(form.Get("allowed_ip_ranges"))
	if ranges == nil {
		ranges = []string{}
	}
	contexts := lines(form.Get("saml_second_factor_contexts"))
	c := policy.Change{
		Password: ticked("password_auth_enabled"), Passkey: ticked("passkey_enabled"), SAML: ticked("saml_enabled"),
		PersonalTokens: &tokens, EnforceMethod: ticked("personal_tokens_require_allowed_auth_method"),
		MCP: ticked("mcp_enabled"), DeviceLogin: ticked("device_login_enabled"), Ranges: &ranges, SecondFactorContexts: &contexts,
	}
	if *c.SAML {
		c.ExternalSAML = ticked("saml_allow_external")
	}
	var parties []string
	for _, w := range policy.ThirdParties {
		if form.Has(thirdPartyName(w)) {
			parties = append(parties, string(w))
		}
	}
	some := len(parties) > 0
	if c.ThirdParty = &some; some {
		c.Providers = &parties
	}
	age, err := strconv.ParseInt(cmp.Or(form.Get("personal_token_max_age_seconds"), "0"), 10, 64)
	if err != nil || age < 0 {
		return policy.Change{}, fault.Invalid.Errorf("Choose one of these.").At("personal_token_max_age_seconds")
	}
	days, err := strconv.ParseInt(cmp.Or(strings.TrimSpace(form.Get("login_freshness_days")), "0"), 10, 64)
	if err != nil {
		return policy.Change{}, fault.Invalid.Errorf("Say a number of days, 1 to 365, or nothing for no bound.").At("login_freshness_days")
	}
	c.PersonalTokenSeconds, c.FreshnessDays = &age, &days
	return c, nil
}

// policyURL is an organization's authentication policy.
func policyURL(o account.Organization) string { return organizationURL(o) + "/authentication-policy" }

// groupName is what people call a group.
func (s *site) groupName(ctx context.Context, o account.Organization, id string) string {
	g, err := s.Groups.Get(ctx, o, id)
	if err != nil {
		return id
	}
	return g.Name
}
