package api

import (
	"context"
	"net/http"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

func (b *builder) addGroups() {
	const list = "/v1/organization/{organization_id}/user-groups"
	const one = list + "/{user_group_id}"
	s := b.server
	add(b, operation{"UserGroupsList", http.MethodGet, list, "List the groups of an organization", account.ReadGroups}, s.listGroups)
	add(b, operation{"UserGroupCreate", http.MethodPost, list, "Make a group", account.WriteGroups}, s.createGroup)
	add(b, operation{"UserGroupGet", http.MethodGet, one, "Show a group", account.ReadGroups}, s.getGroup)
	add(b, operation{"UserGroupUpdate", http.MethodPatch, one, "Rename a group, describe it anew, or have identity providers fill it", account.WriteGroups}, s.updateGroup)
	add(b, operation{"UserGroupDelete", http.MethodDelete, one, "Delete a group", account.WriteGroups}, s.deleteGroup)
	add(b, operation{"UserGroupMemberList", http.MethodGet, one + "/members", "List who is in a group", account.ReadGroups}, s.listGroupMembers)
	add(b, operation{"UserGroupMembersUpdate", http.MethodPatch, one + "/members", "Add people to a group, or remove them", account.WriteGroups}, s.updateGroupMembers)
}

// GroupPath is the group of a path.
type GroupPath struct {
	OrganizationPath
	GroupID string `path:"user_group_id" maxLength:"36" example:"ug1a2b3c4d5e6"`
}

// A UserGroup is a group as every answer has it. It is exported for huma's
// sake.
type UserGroup struct {
	ID            string    `json:"user_group_id"`
	Name          string    `json:"user_group_name"`
	Description   string    `json:"description"`
	CreateTime    time.Time `json:"create_time"`
	UpdateTime    time.Time `json:"update_time"`
	ManagedBySCIM bool      `json:"managed_by_scim" doc:"Always false."`
	IdPManaged    bool      `json:"idp_managed" doc:"Identity providers put people into it and take them out, by its name, where their saml_join_groups is true; nobody else can."`
}

func newGroup(g account.Group) UserGroup {
	return UserGroup{ID: g.ID, Name: g.Name, Description: g.Description, CreateTime: moment(g.CreatedAt), UpdateTime: moment(g.UpdatedAt), IdPManaged: g.IdPManaged}
}

type listedGroup struct {
	UserGroup
	MemberCount int `json:"member_count"`
}

type groupsAnswer struct {
	Groups []listedGroup `json:"user_groups" doc:"By name."`
}

func (s *Server) listGroups(ctx context.Context, v gate.Visit, _ *struct{ OrganizationPath }) (*groupsAnswer, error) {
	list, err := s.Groups.List(ctx, v.Organization)
	if err != nil {
		return nil, err
	}
	out := &groupsAnswer{Groups: []listedGroup{}}
	for _, g := range list {
		out.Groups = append(out.Groups, listedGroup{newGroup(g.Group), g.Members})
	}
	return out, nil
}

type newGroupInput struct {
	OrganizationPath
	Body struct {
		Name        string  `json:"user_group_name" maxLength:"128" doc:"Unique in the organization; upper and lower case count as the same."`
		Description *string `json:"description,omitempty" nullable:"true" maxLength:"4096"`
		IdPManaged  *bool   `json:"idp_managed,omitempty" nullable:"true" doc:"Identity providers are to put people into it and take them out."`
	} `nameHint:"UserGroupCreateRequest"`
}

func (newGroupInput) mostBody() int { return mostGroupBody }

func (s *Server) createGroup(ctx context.Context, v gate.Visit, in *newGroupInput) (*UserGroup, error) {
	g, err := s.Groups.Add(ctx, v.Actor, v.Organization, account.Group{Name: in.Body.Name, Description: text(in.Body.Description), IdPManaged: isTrue(in.Body.IdPManaged)})
	if err != nil {
		return nil, err
	}
	out := newGroup(g)
	return &out, nil
}

func (s *Server) getGroup(ctx context.Context, v gate.Visit, in *struct{ GroupPath }) (*UserGroup, error) {
	g, err := s.Groups.Get(ctx, v.Organization, in.GroupID)
	if err != nil {
		return nil, err
	}
	out := newGroup(g.Group)
	return &out, nil
}

type updateGroupInput struct {
	GroupPath
	Body struct {
		Name        *string `json:"user_group_name,omitempty" nullable:"true" maxLength:"128"`
		Description *string `json:"description,omitempty" nullable:"true" maxLength:"4096"`
		IdPManaged  *bool   `json:"idp_managed,omitempty" nullable:"true" doc:"Identity providers are to put people into it and take them out."`
	} `nameHint:"UserGroupUpdateRequest"`
}

func (updateGroupInput) mostBody() int { return mostGroupBody }

func (s *Server) updateGroup(ctx context.Context, v gate.Visit, in *updateGroupInput) (*UserGroup, error) {
	g, err := s.Groups.Update(ctx, v.Actor, v.Organization, in.GroupID, account.GroupChange{Name: in.Body.Name, Description: in.Body.Description, IdPManaged: in.Body.IdPManaged})
	if err != nil {
		return nil, err
	}
	out := newGroup(g)
	return &out, nil
}

func (s *Server) deleteGroup(ctx context.Context, v gate.Visit, in *struct{ GroupPath }) (*empty, error) {
	return nil, s.Groups.Delete(ctx, v.Actor, v.Organization, in.GroupID)
}

// A groupMember is a person as a super admin of one of their organizations
// sees them. Every key is there: avn's tables fail without.
type groupMember struct {
	UserID           string     `json:"user_id"`
	LastActivityTime *time.Time `json:"last_activity_time" doc:"Always null: it is not kept."`
	UserInfo         userInfo   `json:"user_info"`
}

type userInfo struct {
	Email                  string    `json:"user_email"`
	RealName               string    `json:"real_name"`
	State                  string    `json:"state"`
	CreateTime             time.Time `json:"create_time"`
	IsApplicationUser      bool      `json:"is_application_user" doc:"Always false."`
	ManagedBySCIM          bool      `json:"managed_by_scim" doc:"Always false."`
	ManagingOrganizationID *string   `json:"managing_organization_id"`
	City                   string    `json:"city"`
	Country                string    `json:"country"`
	Department             string    `json:"department"`
	JobTitle               string    `json:"job_title"`
}

func newUserInfo(u account.User) userInfo {
	return userInfo{
		Email: u.Email, RealName: u.RealName, State: string(u.State), CreateTime: moment(u.CreatedAt),
		ManagingOrganizationID: orNull(u.ManagingOrganizationID),
		City:                   u.City, Country: u.Country, Department: u.Department, JobTitle: u.JobTitle,
	}
}

type groupMembersAnswer struct {
	Members []groupMember `json:"members" doc:"By address."`
}

func (s *Server) listGroupMembers(ctx context.Context, v gate.Visit, in *struct{ GroupPath }) (*groupMembersAnswer, error) {
	list, err := s.Groups.Members(ctx, v.Organization, in.GroupID)
	if err != nil {
		return nil, err
	}
	out := &groupMembersAnswer{Members: []groupMember{}}
	for _, m := range list {
		out.Members = append(out.Members, groupMember{UserID: m.ID, UserInfo: newUserInfo(m.User)})
	}
	return out, nil
}

type groupMembersInput struct {
	GroupPath
	Body struct {
		Operation string   `json:"operation" doc:"add_members, all or none; or remove_members, which passes over whoever is not in the group."`
		MemberIDs []string `json:"member_ids" maxItems:"1024" doc:"Users' ids; at least one. Members of the organization alone can be added."`
	} `nameHint:"UserGroupMembersUpdateRequest"`
}

func (groupMembersInput) mostBody() int { return mostGroupBody }

func (s *Server) updateGroupMembers(ctx context.Context, v gate.Visit, in *groupMembersInput) (*empty, error) {
	switch in.Body.Operation {
	case "add_members":
		return nil, s.Groups.AddMembers(ctx, v.Actor, v.Organization, in.GroupID, in.Body.MemberIDs)
	case "remove_members":
		return nil, s.Groups.RemoveMembers(ctx, v.Actor, v.Organization, in.GroupID, in.Body.MemberIDs)
	}
	return nil, fault.Invalid.Errorf("The operation is add_members or remove_members.").At("operation")
}
