package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Organization is the group of commands about organizations.
type Organization struct {
	Create organizationCreate `cmd:"" help:"Make an organization. You become its super admin."`
	List   organizationList   `cmd:"" help:"List your organizations."`
	Update organizationUpdate `cmd:"" help:"Rename an organization."`

	AuthPolicy authPolicy `cmd:"" help:"Show, change and try the authentication policy: who may come in, and how."`

	IdPCreate idpCreate `cmd:"" name:"idp-create" help:"Add an identity provider."`
	IdPList   idpList   `cmd:"" name:"idp-list" help:"List identity providers."`
	IdPUpdate idpUpdate `cmd:"" name:"idp-update" help:"Change an identity provider, enable it, or disable it."`
	IdPDelete idpDelete `cmd:"" name:"idp-delete" help:"Delete an identity provider. Sessions that came from it end."`
	IdPLink   idpLink   `cmd:"" name:"idp-link-domain" help:"Let an identity provider speak for the addresses of a domain."`
	IdPUnlink idpUnlink `cmd:"" name:"idp-unlink-domain" help:"Let an identity provider speak for a domain no longer."`

	IdPKeys       idpKeys       `cmd:"" name:"idp-keys" help:"List our keys towards an identity provider, or print their certificates."`
	IdPKeyPrepare idpKeyPrepare `cmd:"" name:"idp-key-prepare" help:"Make our next key, and publish it in our metadata."`
	IdPKeySwitch  idpKeySwitch  `cmd:"" name:"idp-key-switch" help:"Take our next key into use."`
	IdPKeyCancel  idpKeyCancel  `cmd:"" name:"idp-key-cancel" help:"Drop our next key."`
	IdPKeyForget  idpKeyForget  `cmd:"" name:"idp-key-forget" help:"Accept our previous key no longer."`

	IdPMetadata        idpMetadata        `cmd:"" name:"idp-metadata" help:"Show how the metadata of an identity provider stands to what is set."`
	IdPMetadataRefresh idpMetadataRefresh `cmd:"" name:"idp-metadata-refresh" help:"Fetch the metadata of an identity provider now."`
	IdPMetadataApply   idpMetadataApply   `cmd:"" name:"idp-metadata-apply" help:"Take over the change of the metadata that waits for approval."`
	IdPMetadataDiscard idpMetadataDiscard `cmd:"" name:"idp-metadata-discard" help:"Discard the change of the metadata that waits for approval."`

	IdPTest           idpTest           `cmd:"" name:"idp-test" help:"Try settings of an identity provider out with a real login, before they are in force, and wait for the outcome."`
	LoginTraces       loginTraces       `cmd:"" name:"login-traces" help:"List what became of attempts to log in."`
	LoginTrace        loginTrace        `cmd:"" name:"login-trace" help:"Show an attempt to log in, check by check."`
	LoginTraceRecheck loginTraceRecheck `cmd:"" name:"login-trace-recheck" help:"Judge the response of an attempt by the settings as they are now, or would be."`
	LoginTraceShare   loginTraceShare   `cmd:"" name:"login-trace-share" help:"Make a link that shows an attempt to the identity provider's administrator."`
	LoginTraceForget  loginTraceForget  `cmd:"" name:"login-trace-delete-response" help:"Delete what the identity provider sent in an attempt."`

	DomainAdd    domainAdd    `cmd:"" help:"Claim an email domain, and say what to publish to prove it."`
	DomainList   domainList   `cmd:"" help:"List domains."`
	DomainGet    domainGet    `cmd:"" help:"Show a domain, and what to publish to prove it."`
	DomainVerify domainVerify `cmd:"" help:"Look for the proof of a domain now."`
	DomainRemove domainRemove `cmd:"" help:"Remove a domain. Whom the organization manages it manages still."`

	UserList    userList    `cmd:"" help:"List people."`
	UserRemove  userRemove  `cmd:"" help:"Remove a person from the organization."`
	UserRelease userRelease `cmd:"" help:"Manage a person no longer."`
	Leave       leave       `cmd:"" help:"Leave the organization."`

	GroupCreate groupCreate `cmd:"" help:"Make a group."`
	GroupList   groupList   `cmd:"" help:"List groups."`
	GroupShow   groupShow   `cmd:"" help:"List who is in a group."`
	GroupUpdate groupUpdate `cmd:"" help:"Rename a group, describe it anew, or have identity providers fill it."`
	GroupDelete groupDelete `cmd:"" help:"Delete a group."`
	GroupAdd    groupAdd    `cmd:"" name:"group-add-members" help:"Add people to a group."`
	GroupRemove groupRemove `cmd:"" name:"group-remove-members" help:"Remove people from a group."`
}

type organizationCreate struct {
	Server
	Name string `arg:"" help:"What the organization is called."`
}

// organizationColumns are what is shown of an organization that was changed.
var organizationColumns = []string{"organization_name", "organization_id", "account_id", "create_time", "update_time"}

// Run makes an organization with its account.
func (o organizationCreate) Run(ctx context.Context, env *Env) error {
	c, err := o.open(env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, "/v1/account", map[string]string{"account_name": o.Name})
	if err != nil {
		return err
	}
	return c.show(answer, "account", "organization_id", "account_id", "create_time", "update_time")
}

type organizationList struct{ Server }

// Run lists organizations, and says to people which were left out.
func (o organizationList) Run(ctx context.Context, env *Env) error {
	c, err := o.open(env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, "/v1/organizations")
	if err != nil {
		return err
	}
	if err := c.show(answer, "organizations", "organization_name", "organization_id", "account_id", "create_time", "update_time", "tier"); err != nil {
		return err
	}
	return c.leftOut(answer)
}

type organizationUpdate struct {
	Server
	ID   string `arg:"" optional:"" name:"organization_id" help:"The organization; may be left out by whoever has only one."`
	Name string `short:"n" required:"" help:"What it is called from now on."`
}

// Run renames an organization.
func (o organizationUpdate) Run(ctx context.Context, env *Env) error {
	c, in, err := Place{o.Server, o.ID}.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPatch, "/v1/organization/"+url.PathEscape(in.ID), map[string]string{"name": o.Name})
	if err != nil {
		return err
	}
	return c.show(answer, "", organizationColumns...)
}

// A Place is a server, and an organization there.
type Place struct {
	Server
	Organization string `name:"organization-id" help:"The organization; may be left out by whoever has only one." placeholder:"ORG" aliases:"organization" env:"GATEHOUSE_ORGANIZATION"`
}

// An organization is what commands need to know of one.
type organization struct {
	ID        string `json:"organization_id"`
	AccountID string `json:"account_id"`
	Name      string `json:"organization_name"`
}

// path is an address below an organization.
func (o organization) path(parts ...string) string {
	return "/v1/organization/" + escaped(o.ID, parts)
}

// accountPath is an address below its root account.
func (o organization) accountPath(parts ...string) string {
	return "/v1/account/" + escaped(o.AccountID, parts)
}

func escaped(first string, rest []string) string {
	out := url.PathEscape(first)
	for _, part := range rest {
		out += "/" + url.PathEscape(part)
	}
	return out
}

// open gives a call, and the organization that it is about: the one that was
// named, or the only one that there is.
func (p Place) open(ctx context.Context, env *Env) (*Call, organization, error) {
	c, err := p.Server.open(env)
	if err != nil {
		return nil, organization{}, err
	}
	if p.Organization != "" {
		return c, organization{ID: p.Organization}, nil
	}
	o, err := c.onlyOrganization(ctx)
	return c, o, err
}

// openAccount is open for what has the account in its address.
func (p Place) openAccount(ctx context.Context, env *Env) (*Call, organization, error) {
	c, o, err := p.open(ctx, env)
	if err != nil || o.AccountID != "" {
		return c, o, err
	}
	answer, err := c.get(ctx, o.path())
	if err != nil {
		return nil, organization{}, err
	}
	if json.Unmarshal(answer, &o) != nil || o.AccountID == "" {
		return nil, organization{}, errShape
	}
	return c, o, nil
}

// mostNamed is how many organizations a hint names.
const mostNamed = 5

// onlyOrganization gives the one organization that somebody has. One that does
// not admit this login counts too: nobody is to change another one by it.
func (c *Call) onlyOrganization(ctx context.Context) (organization, error) {
	answer, err := c.get(ctx, "/v1/organizations")
	if err != nil {
		return organization{}, err
	}
	var list struct {
		Organizations []organization `json:"organizations"`
		Refused       []organization `json:"refused_organizations"`
	}
	if json.Unmarshal(answer, &list) != nil {
		return organization{}, errShape
	}
	all := append(list.Organizations, list.Refused...)
	switch len(all) {
	case 0:
		return organization{}, withHint(errors.New("you belong to no organization"), "gatehouse organization create NAME").exits(exitNotFound)
	case 1:
		return all[0], nil
	}
	var names []string
	for _, o := range all[:min(len(all), mostNamed)] {
		names = append(names, fmt.Sprintf("%s (%s)", plain(o.ID), plain(o.Name)))
	}
	if len(all) > mostNamed {
		names = append(names, "…")
	}
	return organization{}, withHint(usage("you have %d organizations: say which with --organization-id", len(all)), strings.Join(names, ", ")).exits(exitUsage)
}
