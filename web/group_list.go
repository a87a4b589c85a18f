package web

import (
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
)

// A groupsPage lists an organization's groups, by name.
type groupsPage struct {
	page
	Groups []groupView
}

// A groupView is a group as pages show it.
type groupView struct {
	account.Group
	URL     string
	Members string // how many, in words
	Updated moment
}

func (s *site) viewGroup(g account.GroupSize) groupView {
	return groupView{Group: g.Group, URL: groupURL(g.Group), Members: count(g.Members, "member"), Updated: s.moment(g.UpdatedAt)}
}

func (s *site) listGroups(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	list, err := s.Groups.List(r.Context(), v.Organization)
	if err != nil {
		return err
	}
	frame, err := s.console(r, v, "Groups", "groups")
	if err != nil {
		return err
	}
	p := &groupsPage{page: frame}
	for _, g := range list {
		p.Groups = append(p.Groups, s.viewGroup(g))
	}
	return s.render(w, r, http.StatusOK, "groups", p)
}

// groupsURL is the list of an organization's groups.
func groupsURL(o account.Organization) string { return organizationURL(o) + "/groups" }

// groupURL is a group's page.
func groupURL(g account.Group) string {
	return "/organization/" + g.OrganizationID + "/groups/" + g.ID
}
