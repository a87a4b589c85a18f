package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// idpColumns are what is shown of an identity provider.
var idpColumns = []string{
	"account_id", "authentication_method_enabled", "authentication_method_id", "authentication_method_name", "authentication_method_type",
	"state", "create_time", "update_time",
}

type idpList struct{ Place }

// Run lists identity providers.
func (i idpList) Run(ctx context.Context, env *Env) error {
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, o.accountPath("authentication"))
	if err != nil {
		return err
	}
	return c.show(answer, "authentication_methods", idpColumns...)
}

// idpSettings is what can be said of an identity provider. What is not named
// stays.
type idpSettings struct {
	Metadata     string            `help:"File with the identity provider's metadata; - reads it from the standard input. It says the URL, the entity id and the certificates at once." placeholder:"FILE"`
	URL          *string           `name:"idp-url" help:"Where logins are sent to." placeholder:"URL"`
	EntityID     *string           `name:"entity-id" help:"The identity provider's entity id." placeholder:"ID"`
	Certificate  string            `help:"File with the certificates that it signs with, in PEM; - reads it from the standard input." placeholder:"FILE"`
	MetadataURL  *string           `name:"metadata-url" help:"Address of its metadata instead: fetched now, and once a day from then on; none ends that. Of several identity providers there, --entity-id chooses one." placeholder:"URL|none"`
	Updates      string            `name:"metadata-updates" help:"What becomes of a change that the metadata shows: approve holds it for an administrator, apply sets it at once." enum:",approve,apply" default:"" placeholder:"approve|apply"`
	MetadataKey  string            `name:"metadata-certificate" help:"File with what fetched metadata has to be signed by, in PEM; - reads it from the standard input." placeholder:"FILE"`
	Binding      string            `name:"request-binding" help:"How requests go: redirect or post." enum:",redirect,post" default:"" placeholder:"redirect|post"`
	SLOURL       *string           `name:"slo-url" help:"Where it is told of logouts; none for nowhere." placeholder:"URL|none"`
	SLOResponse  *string           `name:"slo-response-url" help:"Where our answers to its logouts go, if that is elsewhere; none for the same." placeholder:"URL|none"`
	SLOBinding   string            `name:"slo-binding" help:"How it is told of logouts: redirect, post or soap." enum:",redirect,post,soap" default:"" placeholder:"redirect|post|soap"`
	Mapping      map[string]string `name:"field-mapping" help:"Attribute that carries a particular (email, first_name, last_name, real_name, identity, groups); replaces the whole mapping." placeholder:"FIELD=ATTRIBUTE" mapsep:"none"`
	IdPLogin     *bool             `name:"idp-login-allowed" help:"Whether logins may start at the identity provider." placeholder:"true|false"`
	SignedOnly   *bool             `name:"assertion-signed" help:"Whether the assertion itself has to be signed." placeholder:"true|false"`
	SignRequests *bool             `name:"requests-signed" help:"Whether our requests are signed." placeholder:"true|false"`
	JoinGroups   *bool             `name:"join-groups" help:"Whether people follow the groups that it names, into those that identity providers fill." placeholder:"true|false"`
	AutoJoin     *string           `name:"auto-join-user-group-id" help:"The group that new people join; none for no group." placeholder:"ID|none"`
	TokenMaxAge  *int64            `name:"auth-token-max-age-seconds" help:"How long a session that it yields lasts." placeholder:"N"`
	TokenExtend  *bool             `name:"auth-token-extend-when-used" help:"Whether using a session prolongs it." placeholder:"true|false"`
}

// mostFile bounds what is read of a file, as the server does.
const mostFile = 256 << 10

// body is settings as a request says them; they name what was named.
func (s idpSettings) body(in io.Reader) (map[string]any, error) {
	out := map[string]any{}
	piped := 0
	for _, file := range []string{s.Metadata, s.Certificate, s.MetadataKey} {
		if file == "-" {
			piped++
		}
	}
	if piped > 1 {
		return nil, usage("only one of --metadata, --certificate and --metadata-certificate can be read from the standard input")
	}
	for name, file := range map[string]string{"saml_idp_metadata": s.Metadata, "saml_certificate": s.Certificate, "saml_metadata_certificate": s.MetadataKey} {
		if file == "" {
			continue
		}
		text, err := readFile(file, in)
		if err != nil {
			return nil, err
		}
		out[name] = text
	}
	for name, value := range map[string]*string{"saml_idp_url": s.URL, "saml_entity_id": s.EntityID} {
		if value != nil {
			out[name] = *value
		}
	}
	for name, value := range map[string]*bool{
		"saml_idp_login_allowed": s.IdPLogin, "saml_assertion_signed_enabled": s.SignedOnly,
		"saml_authn_requests_signed_enabled": s.SignRequests, "auth_token_extend_when_used": s.TokenExtend,
		"saml_join_groups": s.JoinGroups,
	} {
		if value != nil {
			out[name] = *value
		}
	}
	for name, value := range map[string]*string{
		"auto_join_user_group_id": s.AutoJoin, "saml_idp_metadata_url": s.MetadataURL,
		"saml_idp_slo_url": s.SLOURL, "saml_idp_slo_response_url": s.SLOResponse,
	} {
		if value == nil {
			continue
		}
		if out[name] = *value; *value == "none" {
			out[name] = ""
		}
	}
	if s.SLOBinding != "" {
		out["saml_slo_binding"] = s.SLOBinding
	}
	if s.Updates != "" {
		out["saml_metadata_updates"] = s.Updates
	}
	if s.Binding != "" {
		out["saml_request_binding"] = s.Binding
	}
	if s.TokenMaxAge != nil {
		out["auth_token_max_age_seconds"] = *s.TokenMaxAge
	}
	if len(s.Mapping) > 0 {
		out["saml_field_mapping"] = s.Mapping
	}
	return out, nil
}

// readFile reads a text, of the standard input where the name is -.
func readFile(name string, in io.Reader) (string, error) {
	from := in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", fmt.Errorf("the file cannot be read: %w", err)
		}
		defer f.Close()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, mostFile+1))
	if err != nil {
		return "", fmt.Errorf("the file cannot be read: %w", err)
	}
	if len(text) > mostFile {
		return "", fmt.Errorf("the file %s has more than %d KiB", name, mostFile>>10)
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", fmt.Errorf("the file %s is empty", name)
	}
	return string(text), nil
}

type idpCreate struct {
	Place
	Name string `required:"" help:"What people see when they log in."`
	idpSettings
	Disable bool `help:"Do not enable it, even if it is complete."`
}

// Run adds an identity provider, and says what the other side has to know.
func (i idpCreate) Run(ctx context.Context, env *Env) error {
	in, err := i.body(env.Terminal.In)
	if err != nil {
		return err
	}
	in["authentication_method_name"], in["authentication_method_type"] = i.Name, "saml"
	if i.Disable {
		in["authentication_method_enabled"] = false
	}
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, o.accountPath("authentication"), in)
	if err != nil {
		return err
	}
	if err := c.show(answer, "authentication_method", idpColumns...); err != nil || c.json {
		return err
	}
	return c.showOurSide(answer)
}

// showOurSide prints what is typed in at the identity provider.
func (c *Call) showOurSide(answer json.RawMessage) error {
	rows, err := rowsOf(answer, "authentication_method")
	if err != nil {
		return err
	}
	for _, line := range []struct{ label, key string }{
		{"Metadata URL and entity id", "saml_metadata_url"},
		{"ACS URL", "saml_acs_url"},
		{"Login URL", "saml_login_url"},
		{"Sign-up URL", "saml_signup_url"},
		{"Account link URL", "saml_account_link_url"},
	} {
		if err := c.Terminal.line("%s: %s", line.label, rows[0].cell(line.key)); err != nil {
			return err
		}
	}
	return nil
}

type idpUpdate struct {
	Place
	ID   string  `arg:"" name:"authentication_method_id" help:"The identity provider."`
	Name *string `help:"What people see when they log in."`
	idpSettings
	Enable  bool `help:"Let people log in through it." xor:"enabled"`
	Disable bool `help:"Let nobody log in through it any more." xor:"enabled"`
	Force   bool `help:"Disable it also if nobody could administer the organization any more."`
}

// Run changes an identity provider.
func (i idpUpdate) Run(ctx context.Context, env *Env) error {
	in, err := i.body(env.Terminal.In)
	if err != nil {
		return err
	}
	if i.Name != nil {
		in["authentication_method_name"] = *i.Name
	}
	if i.Enable || i.Disable {
		in["authentication_method_enabled"] = i.Enable
	}
	if len(in) == 0 {
		return usage("say what to change, such as --name, --metadata or --disable")
	}
	if i.Force {
		in["force"] = true
	}
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPut, o.accountPath("authentication", i.ID), in)
	if err != nil {
		return forced(err, "--force disables it all the same")
	}
	return c.show(answer, "authentication_method", idpColumns...)
}

type idpDelete struct {
	Place
	ID    string `arg:"" name:"authentication_method_id" help:"The identity provider."`
	Force bool   `help:"Also if nobody could administer the organization any more."`
}

// Run deletes an identity provider.
func (i idpDelete) Run(ctx context.Context, env *Env) error {
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodDelete, forcing(o.accountPath("authentication", i.ID), i.Force), nil)
	if err != nil {
		return forced(err, "--force deletes it all the same")
	}
	return c.say(answer, "Deleted")
}
