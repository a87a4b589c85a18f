package api

import (
	"context"
	"net/http"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/policy"
)

func (b *builder) addPolicy() {
	const config = "/v1/organization/{organization_id}/config/authentication"
	s := b.server
	add(b, operation{"OrganizationAuthenticationConfigGet", http.MethodGet, config, "Show the authentication policy", account.ReadPolicy}, s.getPolicy)
	add(b, operation{"OrganizationAuthenticationConfigUpdate", http.MethodPatch, config, "Change the authentication policy, for good or on trial", account.WritePolicy}, s.updatePolicy)
	add(b, operation{"OrganizationAuthenticationConfigPreview", http.MethodPost, config + "/preview", "Say whom a change of the authentication policy would shut out, and change nothing", account.WritePolicy}, s.previewPolicy)
	add(b, operation{"OrganizationAuthenticationConfigConfirm", http.MethodPost, config + "/confirm", "Make the change on trial the authentication policy", account.WritePolicy}, s.confirmPolicy)
	add(b, operation{"OrganizationAuthenticationConfigDiscard", http.MethodPost, config + "/discard", "End the trial, and leave the authentication policy as it was before", account.WritePolicy}, s.discardPolicy)
	add(b, operation{"OrganizationAuthenticationConfigReport", http.MethodGet, config + "/report", "List whom the change on trial would have refused", account.ReadPolicy}, s.reportPolicy)
}

// PolicyRules are what an organization demands of whoever comes in. It is
// exported for huma's sake.
type PolicyRules struct {
	Password          bool     `json:"password_auth_enabled"`
	TwoFactor         bool     `json:"two_factor_required" doc:"Of logins by password."`
	ThirdParty        bool     `json:"oauth_enabled"`
	SAML              bool     `json:"saml_enabled"`
	ExternalSAML      bool     `json:"saml_allow_external" doc:"Identity providers of another organization of the person as well."`
	Contexts          []string `json:"saml_second_factor_contexts" doc:"Sessions through the organization's own identity providers need a login that asserted one of these AuthnContextClassRef values; empty: whatever was asserted."`
	TokensOn          bool     `json:"personal_tokens_enabled" doc:"Whether personal_tokens is enabled."`
	EnforceMethod     bool     `json:"personal_tokens_require_allowed_auth_method" doc:"A personal token is admitted only if the login behind it is."`
	MCP               bool     `json:"mcp_enabled"`
	Ranges            []string `json:"allowed_ip_ranges" doc:"From where alone one may come; empty: from everywhere."`
	PersonalTokens    string   `json:"personal_tokens" enum:"enabled,disabled_for_managed_users,disabled"`
	PersonalTokensAge *int64   `json:"personal_token_max_age_seconds" doc:"How long ago the login behind a personal token may be; null: any time."`
	Providers         []string `json:"oauth_providers" doc:"Which third parties, where oauth_enabled is true."`
	Passkey           bool     `json:"passkey_enabled"`
	DeviceLogin       bool     `json:"device_login_enabled" doc:"Logins of programs by a code that is typed in on another device."`
	FreshnessDays     *int64   `json:"login_freshness_days" doc:"How long ago those whom the organization manages may last have logged in through its identity providers; null: any time."`
}

func newPolicyRules(r *policy.Rules) PolicyRules {
	out := PolicyRules{
		Password: r.Password, TwoFactor: r.TwoFactor, ThirdParty: r.ThirdParty, SAML: r.SAML, ExternalSAML: r.ExternalSAML,
		TokensOn: r.PersonalTokens == policy.TokensEnabled, EnforceMethod: r.EnforceMethod, MCP: r.MCP,
		Ranges: rangeTexts(r.Ranges), PersonalTokens: string(r.PersonalTokens), PersonalTokensAge: secondsOrNull(r.PersonalTokenAge),
		Contexts:  append([]string{}, r.SecondFactorContexts...),
		Providers: []string{}, Passkey: r.Passkey, DeviceLogin: r.DeviceLogin,
	}
	for _, way := range r.Providers {
		out.Providers = append(out.Providers, string(way))
	}
	if r.Freshness > 0 {
		days := int64(r.Freshness / (24 * time.Hour))
		out.FreshnessDays = &days
	}
	return out
}

type policyAnswer struct {
	PolicyRules
	Trial      *policyTrial `json:"trial" doc:"The change that is being tried; null: none is."`
	UpdateTime *time.Time   `json:"update_time" doc:"null: nobody ever changed it."`
}

type policyTrial struct {
	_       struct{}    `nullable:"true"`
	Kind    string      `json:"kind" enum:"revert,report_only,pilot" doc:"revert: it is in force and goes back. report_only: it refuses nobody. pilot: it is in force for one group."`
	Since   time.Time   `json:"since"`
	Until   *time.Time  `json:"until" doc:"null: until it is confirmed or discarded."`
	GroupID *string     `json:"user_group_id" doc:"The group of a pilot."`
	Rules   PolicyRules `json:"rules" doc:"What is being tried; of kind revert, what it goes back to."`
}

func newPolicy(p policy.Policy) *policyAnswer {
	out := &policyAnswer{PolicyRules: newPolicyRules(&p.Rules), UpdateTime: timeOrNull(p.UpdatedAt)}
	if t := p.Trial; t != nil {
		out.Trial = &policyTrial{
			Kind: string(t.Kind), Since: moment(t.Since), Until: timeOrNull(t.Until), GroupID: orNull(t.GroupID), Rules: newPolicyRules(&t.Rules),
		}
	}
	return out
}

func (s *Server) getPolicy(ctx context.Context, v gate.Visit, _ *struct{ OrganizationPath }) (*policyAnswer, error) {
	p, err := s.Policies.Get(ctx, v.Organization.ID)
	if err != nil {
		return nil, err
	}
	return newPolicy(p), nil
}

// policyChangeInput is a change, and how to make it.
type policyChangeInput struct {
	OrganizationPath
	Body policyChange `nameHint:"OrganizationAuthenticationConfigUpdateRequest"`
}

// policyChange says what is to change: what it does not name, or names with
// null and could not be without, stays.
type policyChange struct {
	Password          *bool           `json:"password_auth_enabled,omitempty" nullable:"true" doc:"Turned off, passkey_enabled goes off with it, unless said."`
	TwoFactor         *bool           `json:"two_factor_required,omitempty" nullable:"true" doc:"true is refused: nobody can have a second factor yet."`
	ThirdParty        *bool           `json:"oauth_enabled,omitempty" nullable:"true"`
	SAML              *bool           `json:"saml_enabled,omitempty" nullable:"true"`
	ExternalSAML      *bool           `json:"saml_allow_external,omitempty" nullable:"true"`
	Contexts          *[]string       `json:"saml_second_factor_contexts,omitempty" nullable:"true" doc:"Up to 20 absolute URIs of up to 256 bytes, such as https://refeds.org/profile/mfa; requests to the organization's identity providers ask for them. Empty: whatever is asserted."`
	TokensOn          *bool           `json:"personal_tokens_enabled,omitempty" nullable:"true" doc:"false leaves personal_tokens as it is where that is off already, and turns it to disabled else."`
	EnforceMethod     *bool           `json:"personal_tokens_require_allowed_auth_method,omitempty" nullable:"true"`
	MCP               *bool           `json:"mcp_enabled,omitempty" nullable:"true"`
	Ranges            *[]string       `json:"allowed_ip_ranges,omitempty" nullable:"true" doc:"Up to 100 ranges such as 203.0.113.0/24 and 2001:db8::/32, or addresses; empty: everywhere."`
	PersonalTokens    *string         `json:"personal_tokens,omitempty" nullable:"true" doc:"enabled, disabled_for_managed_users or disabled."`
	PersonalTokensAge Nullable[int64] `json:"personal_token_max_age_seconds,omitempty" doc:"600 to 315360000; null: no bound."`
	Providers         *[]string       `json:"oauth_providers,omitempty" nullable:"true" doc:"Of google, microsoft and github."`
	Passkey           *bool           `json:"passkey_enabled,omitempty" nullable:"true"`
	DeviceLogin       *bool           `json:"device_login_enabled,omitempty" nullable:"true"`
	FreshnessDays     Nullable[int64] `json:"login_freshness_days,omitempty" doc:"1 to 365; null: no bound."`

	Force        *bool   `json:"force,omitempty" nullable:"true" doc:"Also if it shuts out the caller, or leaves no super admin."`
	RevertAfter  *int64  `json:"revert_after_seconds,omitempty" nullable:"true" doc:"60 to 604800: it goes back after that, unless it is confirmed."`
	ReportOnly   *bool   `json:"report_only,omitempty" nullable:"true" doc:"Refuse nobody, and note for a week whom it would refuse."`
	PilotGroupID *string `json:"pilot_user_group_id,omitempty" nullable:"true" maxLength:"36" doc:"In force for the members of this group alone, until it is confirmed."`
}

// rules is what a request wants of the policy.
func (c *policyChange) rules() policy.Change {
	return policy.Change{
		Password: c.Password, TwoFactor: c.TwoFactor, ThirdParty: c.ThirdParty, Providers: c.Providers, Passkey: c.Passkey,
		SAML: c.SAML, ExternalSAML: c.ExternalSAML, SecondFactorContexts: c.Contexts, PersonalTokensOn: c.TokensOn, PersonalTokens: c.PersonalTokens, EnforceMethod: c.EnforceMethod,
		PersonalTokenSeconds: bound(c.PersonalTokensAge), MCP: c.MCP, DeviceLogin: c.DeviceLogin, FreshnessDays: bound(c.FreshnessDays), Ranges: c.Ranges,
	}
}

// options is how a request wants it.
func (c *policyChange) options() policy.Options {
	o := policy.Options{Force: isTrue(c.Force), ReportOnly: isTrue(c.ReportOnly), PilotGroupID: text(c.PilotGroupID)}
	if c.RevertAfter != nil {
		// 0 stands for nothing said, and what is out of every bound is
		// brought near enough to be refused by one.
		seconds := max(-1, min(*c.RevertAfter, 1e9))
		if seconds == 0 {
			seconds = -1
		}
		o.RevertAfter = time.Duration(seconds) * time.Second
	}
	return o
}

// bound is a number as policy.Change wants it: 0 for no bound, which a request
// says with null. 0 itself is below every bound.
func bound(n Nullable[int64]) *int64 {
	if !n.Sent {
		return nil
	}
	value := n.Value
	if !n.Null && value == 0 {
		value = -1
	}
	return &value
}

func isTrue(b *bool) bool { return b != nil && *b }

func (s *Server) updatePolicy(ctx context.Context, v gate.Visit, in *policyChangeInput) (*policyAnswer, error) {
	p, err := s.Policies.Change(ctx, v.By(), v.Organization.ID, in.Body.rules(), in.Body.options())
	if err != nil {
		return nil, err
	}
	return newPolicy(p), nil
}

type confirmPolicyInput struct {
	OrganizationPath
	Body *struct {
		Force *bool `json:"force,omitempty" nullable:"true" doc:"Also if it shuts out the caller, or leaves no super admin."`
	} `nameHint:"OrganizationAuthenticationConfigConfirmRequest"`
}

func (s *Server) confirmPolicy(ctx context.Context, v gate.Visit, in *confirmPolicyInput) (*policyAnswer, error) {
	p, err := s.Policies.Confirm(ctx, v.By(), v.Organization.ID, in.Body != nil && isTrue(in.Body.Force))
	if err != nil {
		return nil, err
	}
	return newPolicy(p), nil
}

func (s *Server) discardPolicy(ctx context.Context, v gate.Visit, in *confirmPolicyInput) (*policyAnswer, error) {
	p, err := s.Policies.Discard(ctx, v.By(), v.Organization.ID, in.Body != nil && isTrue(in.Body.Force))
	if err != nil {
		return nil, err
	}
	return newPolicy(p), nil
}
