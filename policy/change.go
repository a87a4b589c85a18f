package policy

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

// A Change is what somebody wants of a policy. Fields that are nil stay, but
// where another field speaks of the same thing.
type Change struct {
	Password             *bool
	TwoFactor            *bool
	ThirdParty           *bool
	Providers            *[]string
	Passkey              *bool
	SAML                 *bool
	ExternalSAML         *bool
	SecondFactorContexts *[]string
	PersonalTokensOn     *bool // the two words of the API for one setting
	PersonalTokens       *string
	EnforceMethod        *bool
	PersonalTokenSeconds *int64 // 0: no bound
	MCP                  *bool
	DeviceLogin          *bool
	FreshnessDays        *int64 // 0: no bound
	Ranges               *[]string
}

// Limits of what a policy may say.
const (
	shortestTokenAge = 10 * time.Minute
	longestTokenAge  = 3650 * 24 * time.Hour
	longestFreshness = 365

	mostContexts   = 20
	longestContext = 256 // bytes
)

// secondFactorField is what the API calls Rules.SecondFactorContexts.
const secondFactorField = "saml_second_factor_contexts"

// Apply gives the rules that a change makes of r. It returns fault.Invalid at
// the field that is wrong, or that contradicts another one of the change.
func (c Change) Apply(r Rules) (Rules, error) {
	r.Providers, r.Ranges, r.SecondFactorContexts = slices.Clone(r.Providers), slices.Clone(r.Ranges), slices.Clone(r.SecondFactorContexts)
	for _, step := range []func(*Rules) error{c.applyPassword, c.applyThirdParty, c.applySAML, c.applyContexts, c.applyTokens, c.applyPrograms, c.applyRanges} {
		if err := step(&r); err != nil {
			return Rules{}, err
		}
	}
	if len(r.Offered()) == 0 {
		return Rules{}, fault.Invalid.Errorf("These rules admit no way to log in at all. Leave one on.").At(c.offField()).Coded("no_authentication_method_left")
	}
	return r, nil
}

// offField names a field of the change that turned a way off.
func (c Change) offField() string {
	for _, f := range []struct {
		name string
		set  bool
	}{{"saml_enabled", c.SAML != nil}, {"oauth_enabled", c.ThirdParty != nil}, {"passkey_enabled", c.Passkey != nil}} {
		if f.set {
			return f.name
		}
	}
	return "password_auth_enabled"
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (c Change) applyPassword(r *Rules) error {
	if c.TwoFactor != nil && *c.TwoFactor {
		return fault.Invalid.Errorf("Nobody can have a second factor here yet, so that demanding one would shut out everybody who logs in with a password.").At("two_factor_required").Coded("two_factor_not_available")
	}
	set(&r.TwoFactor, c.TwoFactor)
	// Whoever turns passwords off wants their identity provider to decide:
	// what else people hold by themselves goes with it, unless said. Saying
	// once more that they are off changes nothing.
	if r.Password && c.Password != nil && !*c.Password {
		r.Passkey = false
	}
	set(&r.Password, c.Password)
	set(&r.Passkey, c.Passkey)
	return nil
}

func (c Change) applyThirdParty(r *Rules) error {
	set(&r.ThirdParty, c.ThirdParty)
	if c.Providers == nil {
		return nil
	}
	const field = "oauth_providers"
	var chosen []Way
	for _, name := range *c.Providers {
		if !slices.Contains(ThirdParties, Way(name)) {
			return fault.Invalid.Errorf("The third parties are google, microsoft and github.").At(field)
		}
		if !slices.Contains(chosen, Way(name)) {
			chosen = append(chosen, Way(name))
		}
	}
	slices.SortFunc(chosen, func(a, b Way) int { return slices.Index(ThirdParties, a) - slices.Index(ThirdParties, b) })
	switch {
	case len(chosen) == 0 && r.ThirdParty:
		return fault.Invalid.Errorf("With oauth_enabled on, name one third party at least. To admit none, turn oauth_enabled off.").At(field)
	case len(chosen) > 0 && c.ThirdParty != nil && !*c.ThirdParty:
		return fault.Invalid.Errorf("This names third parties to admit, and oauth_enabled admits none.").At(field)
	case len(chosen) > 0:
		r.Providers = chosen
	}
	return nil
}

func (c Change) applySAML(r *Rules) error {
	set(&r.SAML, c.SAML)
	set(&r.ExternalSAML, c.ExternalSAML)
	if c.SAML != nil && !*c.SAML && c.ExternalSAML != nil && *c.ExternalSAML {
		return fault.Invalid.Errorf("This admits identity providers of other organizations, and saml_enabled admits none.").At("saml_allow_external")
	}
	if c.FreshnessDays == nil {
		if r.Freshness > 0 && !r.SAML {
			return fault.Invalid.Errorf("login_freshness_days asks for a login through an identity provider now and then, which saml_enabled would not admit. Set it to null as well.").At("saml_enabled")
		}
		return nil
	}
	days := *c.FreshnessDays
	if days < 0 || days > longestFreshness {
		return fault.Invalid.Errorf("Say 1 to %d days, or null for no bound.", longestFreshness).At("login_freshness_days")
	}
	if days > 0 && !r.SAML {
		return fault.Invalid.Errorf("This asks for a login through an identity provider now and then, which saml_enabled does not admit.").At("login_freshness_days")
	}
	r.Freshness = time.Duration(days) * 24 * time.Hour
	return nil
}

func (c Change) applyContexts(r *Rules) error {
	if c.SecondFactorContexts == nil {
		return nil
	}
	var all []string
	for _, one := range *c.SecondFactorContexts {
		if !isContext(one) {
			return fault.Invalid.Errorf("Each is an absolute URI without blanks, of up to %d bytes, such as https://refeds.org/profile/mfa.", longestContext).At(secondFactorField)
		}
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	if len(all) > mostContexts {
		return fault.Invalid.Errorf("Name %d at most.", mostContexts).At(secondFactorField)
	}
	r.SecondFactorContexts = all
	return nil
}

// isContext says whether a text can be an AuthnContextClassRef, which is an
// absolute URI (SAML Core, 1.3.2). It is compared as it stands, so that nothing
// is mended.
func isContext(text string) bool {
	if len(text) > longestContext || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Opaque != "")
}

func (c Change) applyTokens(r *Rules) error {
	if on := c.PersonalTokensOn; on != nil && *on {
		r.PersonalTokens = TokensEnabled
	} else if on != nil && r.PersonalTokens == TokensEnabled {
		r.PersonalTokens = TokensDisabled
	}
	if c.PersonalTokens != nil {
		const field = "personal_tokens"
		to := PersonalTokens(*c.PersonalTokens)
		if to != TokensEnabled && to != TokensNotForManaged && to != TokensDisabled {
			return fault.Invalid.Errorf("This is enabled, disabled_for_managed_users or disabled.").At(field)
		}
		if c.PersonalTokensOn != nil && *c.PersonalTokensOn != (to == TokensEnabled) {
			return fault.Invalid.Errorf("This contradicts personal_tokens_enabled, which speaks of the same.").At(field)
		}
		r.PersonalTokens = to
	}
	set(&r.EnforceMethod, c.EnforceMethod)
	if c.PersonalTokenSeconds == nil {
		return nil
	}
	const field = "personal_token_max_age_seconds"
	age := *c.PersonalTokenSeconds
	switch {
	case age == 0:
	case age < int64(shortestTokenAge/time.Second):
		return fault.Invalid.Errorf("Say %d seconds at least, or null for no bound.", shortestTokenAge/time.Second).At(field).Coded("auth_token_max_age_too_low")
	case age > int64(longestTokenAge/time.Second):
		return fault.Invalid.Errorf("Say %d seconds at most, or null for no bound.", longestTokenAge/time.Second).At(field)
	}
	r.PersonalTokenAge = time.Duration(age) * time.Second
	return nil
}

func (c Change) applyPrograms(r *Rules) error {
	set(&r.MCP, c.MCP)
	set(&r.DeviceLogin, c.DeviceLogin)
	return nil
}

func (c Change) applyRanges(r *Rules) error {
	if c.Ranges == nil {
		return nil
	}
	all, err := account.ParseRanges(*c.Ranges, "allowed_ip_ranges")
	if err != nil {
		return err
	}
	r.Ranges = all
	return nil
}
