package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

func (b *builder) addOrganizations() {
	s := b.server
	add(b, operation{"UserOrganizationsList", http.MethodGet, "/v1/organizations", "List one's organizations", account.ListOrganizations}, s.listOrganizations)
	add(b, operation{"UserOrganizationCreate", http.MethodPost, "/v1/organizations", "Make an organization", account.MakeOrganizations}, s.createOrganization)
	add(b, operation{"OrganizationGet", http.MethodGet, "/v1/organization/{organization_id}", "Show an organization", account.ReadOrganization}, s.getOrganization)
	add(b, operation{"OrganizationUpdate", http.MethodPatch, "/v1/organization/{organization_id}", "Rename an organization, or change its tier", account.WriteOrganization}, s.updateOrganization)

	add(b, operation{"AccountList", http.MethodGet, "/v1/account", "List the accounts of one's organizations", account.ListOrganizations}, s.listAccounts)
	add(b, operation{"AccountCreate", http.MethodPost, "/v1/account", "Make an organization with its account, or a unit of one", account.MakeOrganizations}, s.createAccount)
	add(b, operation{"AccountGet", http.MethodGet, "/v1/account/{account_id}", "Show an account", account.ReadOrganization}, s.getAccount)
	add(b, operation{"AccountUpdate", http.MethodPut, "/v1/account/{account_id}", "Rename an account", account.WriteOrganization}, s.updateAccount)
}

// OrganizationPath is the organization of a path. It is exported for huma,
// which does not fill embedded types that are not.
type OrganizationPath struct {
	OrganizationID string `path:"organization_id" maxLength:"36" example:"org1a2b3c4d5e6"`
}

// AccountPath is the account of a path.
type AccountPath struct {
	AccountID string `path:"account_id" maxLength:"36" example:"a1a2b3c4d5e6"`
}

type organization struct {
	ID           string    `json:"organization_id"`
	Name         string    `json:"organization_name"`
	AccountID    string    `json:"account_id" doc:"The organization's root account."`
	Tier         string    `json:"tier" enum:"business,personal"`
	CreateTime   time.Time `json:"create_time"`
	UpdateTime   time.Time `json:"update_time"`
	DefaultGroup *string   `json:"default_governance_user_group_id"`
}

func newOrganization(o account.Organization) organization {
	return organization{ID: o.ID, Name: o.Name, AccountID: o.AccountID, Tier: o.Tier, CreateTime: moment(o.CreatedAt), UpdateTime: moment(o.UpdatedAt)}
}

type organizationsAnswer struct {
	Organizations []organization `json:"organizations" doc:"Oldest first."`
	Refused       []refused      `json:"refused_organizations" doc:"Those that do not admit this login, which are left out."`
}

// A refused is an organization that lists leave out.
type refused struct {
	OrganizationID   string `json:"organization_id"`
	OrganizationName string `json:"organization_name"`
	Code             string `json:"error_code"`
	Message          string `json:"message"`
}

// organizationsOf lists the visitor's organizations, and apart those that do
// not admit what they came with.
func (s *Server) organizationsOf(ctx context.Context, v gate.Visit) (in []account.Membership, out []refused, err error) {
	in, left, err := s.Gate.Organizations(ctx, v)
	out = []refused{}
	for _, r := range left {
		out = append(out, refused{OrganizationID: r.Organization.ID, OrganizationName: r.Organization.Name, Code: r.Code, Message: r.Why})
	}
	return in, out, err
}

func (s *Server) listOrganizations(ctx context.Context, v gate.Visit, _ *nothing) (*organizationsAnswer, error) {
	memberships, left, err := s.organizationsOf(ctx, v)
	if err != nil {
		return nil, err
	}
	out := &organizationsAnswer{Organizations: []organization{}, Refused: left}
	for _, m := range memberships {
		out.Organizations = append(out.Organizations, newOrganization(m.Organization))
	}
	return out, nil
}

type newOrganizationInput struct {
	Body struct {
		Name string  `json:"organization_name" maxLength:"128"`
		Tier *string `json:"tier,omitempty" nullable:"true" doc:"business, which is the default, or personal."`
	} `nameHint:"OrganizationCreateRequest"`
}

func (s *Server) createOrganization(ctx context.Context, v gate.Visit, in *newOrganizationInput) (*organization, error) {
	o, err := s.Organizations.Add(ctx, v.Actor, in.Body.Name, text(in.Body.Tier))
	if err != nil {
		return nil, err
	}
	out := newOrganization(o)
	return &out, nil
}

func (s *Server) getOrganization(_ context.Context, v gate.Visit, _ *struct{ OrganizationPath }) (*organization, error) {
	out := newOrganization(v.Organization)
	return &out, nil
}

type updateOrganizationInput struct {
	OrganizationPath
	Body struct {
		Name *string `json:"name,omitempty" nullable:"true" maxLength:"128"`
		Tier *string `json:"tier,omitempty" nullable:"true" doc:"business or personal."`
	} `nameHint:"OrganizationUpdateRequest"`
}

func (s *Server) updateOrganization(ctx context.Context, v gate.Visit, in *updateOrganizationInput) (*organization, error) {
	o, err := s.Organizations.Update(ctx, v.Actor, v.Organization.ID, in.Body.Name, in.Body.Tier)
	if err != nil {
		return nil, rename(err, "organization_name", "name")
	}
	out := newOrganization(o)
	return &out, nil
}

// An accountObject is an account as one of its members sees it.
type accountObject struct {
	ID                    string          `json:"account_id"`
	Name                  string          `json:"account_name"`
	OrganizationID        string          `json:"organization_id"`
	ParentAccountID       *string         `json:"parent_account_id" doc:"null for the root account."`
	RootAccountID         string          `json:"root_account_id"`
	CreateTime            time.Time       `json:"create_time"`
	UpdateTime            time.Time       `json:"update_time"`
	IsAccountOwner        bool            `json:"is_account_owner" doc:"One is a super admin of the organization."`
	IsAccountMember       bool            `json:"is_account_member"`
	AccessSource          string          `json:"access_source" enum:"organization_membership"`
	AccountOwnerTeamID    string          `json:"account_owner_team_id" doc:"Always empty: there are no teams."`
	PrimaryBillingGroupID *string         `json:"primary_billing_group_id" doc:"Always null."`
	TenantID              *string         `json:"tenant_id"`
	Features              map[string]bool `json:"features"`
}

func newAccount(a account.Account, o account.Organization, superAdmin bool) accountObject {
	return accountObject{
		ID: a.ID, Name: a.Name, OrganizationID: o.ID,
		ParentAccountID: orNull(a.ParentID), RootAccountID: o.AccountID,
		CreateTime: moment(a.CreatedAt), UpdateTime: moment(a.UpdatedAt),
		IsAccountOwner: superAdmin, IsAccountMember: true, AccessSource: "organization_membership",
		Features: map[string]bool{},
	}
}

type accountsAnswer struct {
	Accounts []accountObject `json:"accounts" doc:"Oldest first."`
	Refused  []refused       `json:"refused_organizations" doc:"Those that do not admit this login, whose accounts are left out."`
}

func (s *Server) listAccounts(ctx context.Context, v gate.Visit, _ *nothing) (*accountsAnswer, error) {
	memberships, left, err := s.organizationsOf(ctx, v)
	if err != nil {
		return nil, err
	}
	byID := map[string]account.Membership{}
	for _, m := range memberships {
		byID[m.ID] = m
	}
	accounts, err := s.Organizations.Store.AccountsOf(ctx, v.User.ID)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	out := &accountsAnswer{Accounts: []accountObject{}, Refused: left}
	for _, a := range accounts {
		if m, open := byID[a.OrganizationID]; open {
			out.Accounts = append(out.Accounts, newAccount(a, m.Organization, m.SuperAdmin))
		}
	}
	return out, nil
}

type accountAnswer struct {
	Account accountObject `json:"account"`
}

type newAccountInput struct {
	Body struct {
		Name            string  `json:"account_name" maxLength:"128"`
		ParentAccountID *string `json:"parent_account_id,omitempty" nullable:"true" maxLength:"36" doc:"Makes a unit of an organization: its root account, or its own id."`
	} `nameHint:"AccountCreateRequest"`
}

func (s *Server) createAccount(ctx context.Context, v gate.Visit, in *newAccountInput) (*accountAnswer, error) {
	if parent := text(in.Body.ParentAccountID); parent != "" {
		return s.createUnit(ctx, parent, in.Body.Name)
	}
	o, err := s.Organizations.Add(ctx, v.Actor, in.Body.Name, "")
	if err != nil {
		return nil, rename(err, "organization_name", "account_name")
	}
	root := account.Account{ID: o.AccountID, OrganizationID: o.ID, Name: o.Name, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt}
	return &accountAnswer{newAccount(root, o, true)}, nil
}

func (s *Server) createUnit(ctx context.Context, parentID, name string) (*accountAnswer, error) {
	v, err := s.admitTo(ctx, account.WriteOrganization, parentID)
	if err != nil {
		return nil, rename(err, "", "parent_account_id")
	}
	a, err := s.Organizations.AddUnit(ctx, v.Actor, v.Organization, parentID, name)
	if err != nil {
		return nil, err
	}
	return &accountAnswer{newAccount(a, v.Organization, v.Member.SuperAdmin)}, nil
}

func (s *Server) getAccount(_ context.Context, v gate.Visit, _ *struct{ AccountPath }) (*accountAnswer, error) {
	return &accountAnswer{newAccount(v.Account, v.Organization, v.Member.SuperAdmin)}, nil
}

type updateAccountInput struct {
	AccountPath
	Body struct {
		Name *string `json:"account_name,omitempty" nullable:"true" maxLength:"128"`
	} `nameHint:"AccountUpdateRequest"`
}

func (s *Server) updateAccount(ctx context.Context, v gate.Visit, in *updateAccountInput) (*accountAnswer, error) {
	a := v.Account
	if in.Body.Name != nil {
		var err error
		if a, err = s.Organizations.RenameAccount(ctx, v.Actor, v.Account, *in.Body.Name); err != nil {
			return nil, rename(err, "organization_name", "account_name")
		}
	}
	return &accountAnswer{newAccount(a, v.Organization, v.Member.SuperAdmin)}, nil
}

// rename names the field at fault as this operation's input does.
func rename(err error, from, to string) error {
	var e *fault.Error
	if !errors.As(err, &e) || e.Field != from {
		return err
	}
	renamed := *e
	return renamed.At(to)
}
