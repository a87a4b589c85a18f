package api

import (
	"context"
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
)

func (b *builder) addProjects() {
	add(b, operation{"ProjectList", http.MethodGet, "/v1/project", "List one's projects", account.ListProjects}, b.server.listProjects)
}

type projectsAnswer struct {
	Projects           []project           `json:"projects"`
	ProjectMembership  map[string]string   `json:"project_membership" doc:"One's role, by project."`
	ProjectMemberships map[string][]string `json:"project_memberships" doc:"All one's roles, by project."`
	Refused            []refused           `json:"refused_organizations" doc:"Those that do not admit this login, whose projects are left out."`
}

type project struct {
	Name string `json:"project_name"`
}

// listProjects answers that there are none: avn asks after every login, and
// the lists have to be there.
func (s *Server) listProjects(ctx context.Context, v gate.Visit, _ *nothing) (*projectsAnswer, error) {
	_, left, err := s.organizationsOf(ctx, v)
	if err != nil {
		return nil, err
	}
	return &projectsAnswer{
		Projects:           []project{},
		ProjectMembership:  map[string]string{},
		ProjectMemberships: map[string][]string{},
		Refused:            left,
	}, nil
}
