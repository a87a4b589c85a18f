package remote

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

type accessToken struct {
	Create tokenCreate `cmd:"" help:"Make a personal token. It is shown once."`
	List   tokenList   `cmd:"" help:"List your tokens and sessions."`
	Update tokenUpdate `cmd:"" help:"Change what a token is called."`
	Revoke tokenRevoke `cmd:"" help:"End a token."`
}

type tokenCreate struct {
	Server
	Description    string   `help:"What the token is for." required:""`
	MaxAgeSeconds  *int64   `name:"max-age-seconds" help:"How long the token lasts; 30 days unless said." placeholder:"N"`
	ExtendWhenUsed bool     `name:"extend-when-used" help:"The token lasts that long from each use on. Needs --max-age-seconds."`
	IPAllowlist    []string `name:"ip-allowlist" help:"Address range from where alone the token counts. May be given several times." placeholder:"CIDR"`
	Scopes         []string `name:"scopes" help:"Scope to which the token is narrowed, such as projects:read. May be given several times." placeholder:"SCOPE"`
	AskPassword    bool     `name:"ask-password" help:"Type your password, which makes a login of longer ago than ten minutes enough."`
}

// Run makes a token.
func (t tokenCreate) Run(ctx context.Context, env *Env) error {
	c, err := t.open(env)
	if err != nil {
		return err
	}
	in := map[string]any{"description": t.Description, "max_age_seconds": t.MaxAgeSeconds, "extend_when_used": t.ExtendWhenUsed}
	if len(t.IPAllowlist) > 0 {
		in["ip_allowlist"] = t.IPAllowlist
	}
	if len(t.Scopes) > 0 {
		in["scopes"] = t.Scopes
	}
	if t.AskPassword {
		if in["password"], err = env.Terminal.secret(ctx, "password", "GATEHOUSE_PASSWORD", "AIVEN_PASSWORD"); err != nil {
			return err
		}
	}
	answer, err := c.do(ctx, http.MethodPost, "/v1/access_token", in)
	if err != nil {
		return err
	}
	return c.show(answer, "", "expiry_time", "description", "max_age_seconds", "extend_when_used", "full_token")
}

// tokenColumns are what is shown of a token that there is.
var tokenColumns = []string{"expiry_time", "token_prefix", "description", "max_age_seconds", "extend_when_used", "last_used_time", "last_ip", "last_user_agent"}

type tokenList struct{ Server }

// Run lists tokens.
func (t tokenList) Run(ctx context.Context, env *Env) error {
	c, err := t.open(env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, "/v1/access_token")
	if err != nil {
		return err
	}
	return c.show(answer, "tokens", tokenColumns...)
}

type tokenUpdate struct {
	Server
	Prefix      string `arg:"" name:"token_prefix" help:"The token, or what it begins with."`
	Description string `help:"What the token is for." required:""`
}

// Run renames a token.
func (t tokenUpdate) Run(ctx context.Context, env *Env) error {
	c, err := t.open(env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPut, "/v1/access_token/"+url.PathEscape(t.Prefix), map[string]string{"description": t.Description})
	if err != nil {
		return err
	}
	return c.show(answer, "", tokenColumns...)
}

type tokenRevoke struct {
	Server
	Prefix string `arg:"" name:"token_prefix" help:"The token, or what it begins with."`
}

// Run revokes a token.
func (t tokenRevoke) Run(ctx context.Context, env *Env) error {
	c, err := t.open(env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodDelete, "/v1/access_token/"+url.PathEscape(t.Prefix), nil)
	if err != nil {
		return err
	}
	return c.say(answer, "Revoked")
}

// Project is the group of commands about projects.
type Project struct {
	List projectList `cmd:"" help:"List your projects."`
}

type projectList struct{ Server }

// Run lists projects, and says to people whose were left out.
func (p projectList) Run(ctx context.Context, env *Env) error {
	c, err := p.open(env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, "/v1/project")
	if err != nil {
		return err
	}
	if err := c.show(answer, "projects", "project_name", "default_cloud"); err != nil {
		return err
	}
	return c.leftOut(answer)
}

// leftOut says which organizations do not admit this login, where a list
// leaves them out.
func (c *Call) leftOut(answer json.RawMessage) error {
	var list struct {
		Refused []struct {
			Message string `json:"message"`
		} `json:"refused_organizations"`
	}
	if c.json || json.Unmarshal(answer, &list) != nil {
		return nil
	}
	for _, r := range list.Refused {
		if _, err := c.Terminal.Err.Write([]byte("left out: " + plain(r.Message) + "\n")); err != nil {
			return err
		}
	}
	return nil
}
