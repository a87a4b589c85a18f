package api

import (
	"context"
	"net/http"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
)

func (b *builder) addMembers() {
	const list = "/v1/organization/{organization_id}/user"
	const one = list + "/{user_id}"
	s := b.server
	add(b, operation{"OrganizationUserList", http.MethodGet, list, "List the people of an organization", account.ReadPeople}, s.listMembers)
	add(b, operation{"OrganizationUserGet", http.MethodGet, one, "Show a person of an organization", account.ReadPeople}, s.getMember)
	add(b, operation{"OrganizationUserDelete", http.MethodDelete, one, "Remove a person from an organization", account.WritePeople}, s.removeMember)
	add(b, operation{"OrganizationUserRelease", http.MethodPost, one + "/release", "Manage a person no longer", account.WritePeople}, s.releaseMember)
	add(b, operation{"OrganizationLeave", http.MethodPost, "/v1/organization/{organization_id}/leave", "Leave an organization", account.LeaveOrganization}, s.leaveOrganization)
}

// A UserPath is the person of a path.
type UserPath struct {
	OrganizationPath
	UserID string `path:"user_id" maxLength:"36" example:"u1a2b3c4d5e6"`
}

// An orgUser is a person as a super admin of one of their organizations sees
// them. Every key is there: avn's tables fail without.
type orgUser struct {
	UserID           string     `json:"user_id"`
	SuperAdmin       bool       `json:"is_super_admin"`
	JoinTime         time.Time  `json:"join_time"`
	LastActivityTime *time.Time `json:"last_activity_time" doc:"Always null: it is not kept."`
	UserInfo         userInfo   `json:"user_info"`
}

func newOrgUser(m account.OrganizationMember) orgUser {
	return orgUser{UserID: m.ID, SuperAdmin: m.SuperAdmin, JoinTime: moment(m.JoinedAt), UserInfo: newUserInfo(m.User)}
}

type listMembersInput struct {
	OrganizationPath
	Applications bool `query:"include_application_users" default:"true" doc:"Changes nothing: there are none."`
}

type membersAnswer struct {
	Users []orgUser `json:"users" doc:"By address."`
}

func (s *Server) listMembers(ctx context.Context, v gate.Visit, _ *listMembersInput) (*membersAnswer, error) {
	list, err := s.Members.List(ctx, v.Organization)
	if err != nil {
		return nil, err
	}
	out := &membersAnswer{Users: []orgUser{}}
	for _, m := range list {
		out.Users = append(out.Users, newOrgUser(m))
	}
	return out, nil
}

func (s *Server) getMember(ctx context.Context, v gate.Visit, in *struct{ UserPath }) (*orgUser, error) {
	m, err := s.Members.Get(ctx, v.Organization, in.UserID)
	if err != nil {
		return nil, err
	}
	out := newOrgUser(m)
	return &out, nil
}

type removeMemberInput struct {
	UserPath
	Force bool `query:"force" doc:"Also if no super admin is left who ever logged in as the authentication policy wants."`
}

func (s *Server) removeMember(ctx context.Context, v gate.Visit, in *removeMemberInput) (*empty, error) {
	return nil, s.Members.Remove(ctx, v.Actor, v.Organization, in.UserID, account.Parting{Force: in.Force})
}

func (s *Server) releaseMember(ctx context.Context, v gate.Visit, in *struct{ UserPath }) (*orgUser, error) {
	m, err := s.Members.Release(ctx, v.Actor, v.Organization, in.UserID)
	if err != nil {
		return nil, err
	}
	out := newOrgUser(m)
	return &out, nil
}

type leaveInput struct {
	OrganizationPath
	Force bool `query:"force" doc:"Also if no super admin is left who ever logged in as the authentication policy wants."`
}

func (s *Server) leaveOrganization(ctx context.Context, v gate.Visit, in *leaveInput) (*empty, error) {
	return nil, s.Members.Leave(ctx, v.Actor, v.Organization, account.Parting{Force: in.Force})
}
