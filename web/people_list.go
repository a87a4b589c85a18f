package web

import (
	"net/http"
	"strings"

	"gatehouse/account"
	"gatehouse/gate"
)

// peopleOnPage is how many people one page shows. Whoever is looked for among
// more is found by address.
const peopleOnPage = 200

// A peoplePage lists who belongs to an organization, by address.
type peoplePage struct {
	page
	Find   field
	People []personView
	Hidden int // people who are not shown
}

// A personView is a member of an organization as its administrators see them.
type personView struct {
	account.OrganizationMember
	URL     string
	Joined  moment
	Managed string // by whom: the organization, another one, nobody
	Ours    bool   // this organization manages them
	Self    bool   // it is the visitor
}

func (s *site) viewPerson(v gate.Visit, m account.OrganizationMember) personView {
	p := personView{
		OrganizationMember: m, URL: peopleURL(v.Organization) + "/" + m.ID, Joined: s.moment(m.JoinedAt),
		Managed: "Nobody", Ours: m.ManagingOrganizationID == v.Organization.ID, Self: m.ID == v.User.ID,
	}
	switch {
	case p.Ours:
		p.Managed = v.Organization.Name
	case m.ManagingOrganizationID != "":
		p.Managed = "Another organization"
	}
	return p
}

// Deactivated reports whether the person cannot come in at all.
func (p personView) Deactivated() bool { return p.State != account.ActiveUser }

// Role is what the person may do in the organization, in words.
func (p personView) Role() string {
	if p.SuperAdmin {
		return "Super admin"
	}
	return "Member"
}

func (s *site) listPeople(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	list, err := s.Members.List(r.Context(), v.Organization)
	if err != nil {
		return err
	}
	frame, err := s.console(r, v, "People", "people")
	if err != nil {
		return err
	}
	find := strings.ToLower(strings.TrimSpace(r.URL.Query().Get("find")))
	p := &peoplePage{page: frame, Find: field{Name: "find", Label: "Find", Value: find, Most: 319, Optional: true, Machine: true, Hint: "An address, or what it begins with."}}
	for _, m := range list {
		switch {
		case !strings.HasPrefix(m.Email, find):
		case len(p.People) == peopleOnPage:
			p.Hidden++
		default:
			p.People = append(p.People, s.viewPerson(v, m))
		}
	}
	return s.render(w, r, http.StatusOK, "people", p)
}

// Filtered reports whether somebody is looked for.
func (p *peoplePage) Filtered() bool { return p.Find.Value != "" }

// Searchable reports whether there are more people than one page shows.
func (p *peoplePage) Searchable() bool { return p.Hidden > 0 || p.Filtered() }

// peopleURL is the list of an organization's people.
func peopleURL(o account.Organization) string { return organizationURL(o) + "/people" }
