package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gatehouse/client"
)

type authPolicy struct {
	Get     policyGet     `cmd:"" help:"Show the authentication policy."`
	Update  policyUpdate  `cmd:"" help:"Change what is named of the authentication policy."`
	Preview policyPreview `cmd:"" help:"Say whom a change would shut out, and change nothing."`
	Confirm policyConfirm `cmd:"" help:"Make the change on trial the policy."`
	Discard policyDiscard `cmd:"" help:"End the trial, and leave the policy as it was."`
}

// policyFields are the fields of a policy, in the order in which people think
// of them.
var policyFields = []string{
	"password_auth_enabled", "two_factor_required", "passkey_enabled", "oauth_enabled", "oauth_providers", "saml_enabled", "saml_allow_external", "saml_second_factor_contexts",
	"login_freshness_days", "personal_tokens_enabled", "personal_tokens", "personal_tokens_require_allowed_auth_method",
	"personal_token_max_age_seconds", "device_login_enabled", "mcp_enabled", "allowed_ip_ranges", "update_time",
}

// showPolicy prints a policy, and what is being tried.
func (c *Call) showPolicy(answer json.RawMessage) error {
	if c.json {
		return c.Terminal.json(answer)
	}
	var p map[string]any
	if json.Unmarshal(answer, &p) != nil || p[policyFields[0]] == nil {
		return errShape
	}
	rows := []row{}
	add := func(name string, value any) { rows = append(rows, row{"setting": name, "value": value}) }
	for _, name := range policyFields {
		add(name, asText(p[name], name))
	}
	if trial, is := p["trial"].(map[string]any); is {
		times := map[string]string{"since": "since_time", "until": "until_time"} // as tables know times
		for _, name := range []string{"kind", "since", "until", "user_group_id"} {
			if trial[name] != nil {
				add("trial."+name, asText(trial[name], times[name]))
			}
		}
		rules, _ := trial["rules"].(map[string]any)
		for _, name := range policyFields {
			if now, then := asText(p[name], name), asText(rules[name], name); now != then && rules[name] != nil {
				add("trial."+name, then)
			}
		}
	}
	return c.Terminal.table(rows, []string{"setting", "value"})
}

// asText is a setting as people read it: a list of nothing is none.
func asText(value any, name string) string {
	if list, is := value.([]any); is && len(list) == 0 {
		return "none"
	}
	return shown(value, name)
}

type policyGet struct{ Place }

// Run shows the policy.
func (p policyGet) Run(ctx context.Context, env *Env) error {
	c, o, err := p.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, o.path("config", "authentication"))
	if err != nil {
		return err
	}
	return c.showPolicy(answer)
}

// policyChange is what can be said of a policy. What is not named stays.
type policyChange struct {
	Password      *bool    `name:"password-auth-enabled" help:"Whether one may log in with a password." placeholder:"true|false"`
	TwoFactor     *bool    `name:"two-factor-required" help:"Whether a login by password takes a second factor." placeholder:"true|false"`
	Passkey       *bool    `name:"passkey-enabled" help:"Whether one may log in with a passkey." placeholder:"true|false"`
	ThirdParty    *bool    `name:"oauth-enabled" help:"Whether one may log in through third parties." placeholder:"true|false"`
	Providers     []string `name:"oauth-providers" help:"Through which third parties; may be given several times, none for no one." placeholder:"google|microsoft|github|none"`
	SAML          *bool    `name:"saml-enabled" help:"Whether one may log in through identity providers." placeholder:"true|false"`
	External      *bool    `name:"saml-allow-external" help:"Whether identity providers of a person's other organizations will do." placeholder:"true|false"`
	Contexts      *string  `name:"saml-second-factor-contexts" help:"Which asserted login contexts count as a second factor, separated by commas; sessions through the organization's identity providers need one of them. none: whatever is asserted." placeholder:"URI,...|none"`
	Freshness     string   `name:"login-freshness-days" help:"How long ago managed people may have logged in through the organization's identity providers; none: any time." placeholder:"DAYS|none"`
	TokensOn      *bool    `name:"personal-tokens-enabled" help:"Whether personal tokens count; --personal-tokens says it more finely." placeholder:"true|false"`
	Tokens        string   `name:"personal-tokens" help:"Whose personal tokens count." enum:",enabled,disabled_for_managed_users,disabled" default:"" placeholder:"enabled|disabled_for_managed_users|disabled"`
	EnforceMethod *bool    `name:"personal-tokens-require-allowed-auth-method" help:"Whether a personal token counts only if the login behind it is admitted." placeholder:"true|false"`
	TokenAge      string   `name:"personal-token-max-age-seconds" help:"How old a personal token may be; none: any age." placeholder:"N|none"`
	DeviceLogin   *bool    `name:"device-login-enabled" help:"Whether programs may log in by a code that is typed elsewhere." placeholder:"true|false"`
	MCP           *bool    `name:"mcp-enabled" help:"Whether MCP clients are admitted." placeholder:"true|false"`
	Ranges        []string `name:"allowed-ip-ranges" help:"From where alone one may come; may be given several times, none for everywhere." placeholder:"CIDR|none"`

	Force       bool   `help:"Also if it shuts you out, or leaves no super admin."`
	RevertAfter *int64 `name:"revert-after-seconds" help:"Go back after this time, unless it is confirmed." placeholder:"N" xor:"trial"`
	ReportOnly  bool   `name:"report-only" help:"Refuse nobody, and note for a week whom it would refuse." xor:"trial"`
	Pilot       string `name:"pilot-user-group-id" help:"In force for the members of this group alone." placeholder:"GROUP" xor:"trial"`
}

// body is a change as a request says it; it names what was named.
func (p policyChange) body() (map[string]any, error) {
	in := map[string]any{}
	for name, value := range map[string]*bool{
		"password_auth_enabled": p.Password, "two_factor_required": p.TwoFactor, "passkey_enabled": p.Passkey, "oauth_enabled": p.ThirdParty,
		"saml_enabled": p.SAML, "saml_allow_external": p.External, "personal_tokens_enabled": p.TokensOn,
		"personal_tokens_require_allowed_auth_method": p.EnforceMethod, "device_login_enabled": p.DeviceLogin, "mcp_enabled": p.MCP,
	} {
		if value != nil {
			in[name] = *value
		}
	}
	for name, list := range map[string][]string{"oauth_providers": p.Providers, "allowed_ip_ranges": p.Ranges} {
		if err := putList(in, name, list); err != nil {
			return nil, err
		}
	}
	if p.Contexts != nil {
		list := []string{}
		if text := *p.Contexts; text != "" && text != none {
			list = strings.Split(text, ",")
		}
		in["saml_second_factor_contexts"] = list
	}
	for name, text := range map[string]string{"login_freshness_days": p.Freshness, "personal_token_max_age_seconds": p.TokenAge} {
		if err := putBound(in, name, text); err != nil {
			return nil, err
		}
	}
	if p.Tokens != "" {
		in["personal_tokens"] = p.Tokens
	}
	if len(in) == 0 {
		return nil, usage("say what to change, such as --password-auth-enabled=false")
	}
	if p.Force {
		in["force"] = true
	}
	if p.RevertAfter != nil {
		in["revert_after_seconds"] = *p.RevertAfter
	}
	if p.ReportOnly {
		in["report_only"] = true
	}
	if p.Pilot != "" {
		in["pilot_user_group_id"] = p.Pilot
	}
	return in, nil
}

// none stands for an empty list and for no bound.
const none = "none"

func putList(in map[string]any, name string, list []string) error {
	if len(list) == 1 && list[0] == none {
		list = []string{}
	}
	for _, one := range list {
		if one == none {
			return usage("--%s: none stands alone", strings.ReplaceAll(name, "_", "-"))
		}
	}
	if list != nil {
		in[name] = list
	}
	return nil
}

func putBound(in map[string]any, name, text string) error {
	if text == "" {
		return nil
	}
	if text == none {
		in[name] = nil
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return usage("--%s: %q is neither a whole number nor none", strings.ReplaceAll(name, "_", "-"), text)
	}
	in[name] = n
	return nil
}

type policyUpdate struct {
	Place
	policyChange
}

// Run changes the policy.
func (p policyUpdate) Run(ctx context.Context, env *Env) error {
	in, err := p.body()
	if err != nil {
		return err
	}
	c, o, err := p.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPatch, o.path("config", "authentication"), in)
	if err != nil {
		return forced(err, "gatehouse organization auth-policy preview says who it is; --force makes the change all the same")
	}
	if err := c.showPolicy(answer); err != nil || c.json {
		return err
	}
	if said := p.afterwards(); said != "" {
		c.note("\n%s", said)
	}
	return nil
}

// afterwards says what is left to do where a change is only tried; empty: nothing.
func (p policyChange) afterwards() string {
	switch {
	case p.RevertAfter != nil:
		return "This holds now, and goes back by itself to what stands under trial. To keep it, log in again, and then: gatehouse organization auth-policy confirm"
	case p.ReportOnly, p.Pilot != "":
		return "What stands under trial is tried. To make it the policy: gatehouse organization auth-policy confirm; to end it: discard"
	}
	return ""
}

// overcome are the refusals that keep people from being locked out.
var overcome = []string{"authentication_method_disable_current_not_allowed", "policy_locks_out_admins"}

// forced gives a refusal that force overcomes its hint.
func forced(err error, hint string) error {
	var f *Failure
	var e *client.Error
	if errors.As(err, &f) && errors.As(err, &e) && slices.Contains(overcome, e.Code) {
		f.Hint = hint
	}
	return err
}

type policyPreview struct {
	Place
	policyChange
}

// Run says what a change would do.
func (p policyPreview) Run(ctx context.Context, env *Env) error {
	in, err := p.body()
	if err != nil {
		return err
	}
	c, o, err := p.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, o.path("config", "authentication", "preview"), in)
	if err != nil {
		return err
	}
	return c.showPreview(answer)
}

// A preview is whom a change shuts out.
type preview struct {
	Caller          *struct{ Message string } `json:"caller_refused"`
	People          int                       `json:"people"`
	PeopleShutOut   int                       `json:"people_shut_out"`
	Tokens          int                       `json:"tokens"`
	TokensStopped   int                       `json:"tokens_stopped"`
	SuperAdmins     int                       `json:"super_admins"`
	SuperAdminsLeft int                       `json:"super_admins_left"`
	ShutOut         []row                     `json:"shut_out"`
	Stopped         []row                     `json:"stopped"`
}

func (c *Call) showPreview(answer json.RawMessage) error {
	if c.json {
		return c.Terminal.json(answer)
	}
	var p preview
	if json.Unmarshal(answer, &p) != nil {
		return errShape
	}
	lines := []string{
		fmt.Sprintf("%d of %d people would be shut out.", p.PeopleShutOut, p.People),
		fmt.Sprintf("%d of %d personal tokens would stop.", p.TokensStopped, p.Tokens),
		fmt.Sprintf("%d of %d super admins could still come in, by what they have logged in with.", p.SuperAdminsLeft, p.SuperAdmins),
	}
	if p.Caller != nil {
		lines = append(lines, "You would be refused yourself: "+plain(p.Caller.Message))
	}
	for _, line := range lines {
		if err := c.Terminal.line("%s", line); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		rows    []row
		columns []string
	}{
		{p.ShutOut, []string{"user_email", "real_name", "is_super_admin", "message"}},
		{p.Stopped, []string{"user_email", "token_prefix", "description", "message"}},
	} {
		if len(part.rows) == 0 {
			continue
		}
		if err := c.Terminal.line(""); err != nil {
			return err
		}
		if err := c.Terminal.table(part.rows, part.columns); err != nil {
			return err
		}
	}
	return nil
}

type policyConfirm struct {
	Place
	Force bool `help:"Also if it shuts you out, or leaves no super admin."`
}

// Run confirms what is on trial.
func (p policyConfirm) Run(ctx context.Context, env *Env) error {
	c, o, err := p.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, o.path("config", "authentication", "confirm"), map[string]bool{"force": p.Force})
	if err != nil {
		return err
	}
	return c.showPolicy(answer)
}

type policyDiscard struct{ Place }

// Run discards what is on trial.
func (p policyDiscard) Run(ctx context.Context, env *Env) error {
	c, o, err := p.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, o.path("config", "authentication", "discard"), nil)
	if err != nil {
		return err
	}
	return c.showPolicy(answer)
}
