package web

import (
	"net/http"
	"strings"

	"gatehouse/account"
	"gatehouse/gate"
)

// membersOnPage is how many people a group's page shows. Whoever is looked for
// among more is found by address.
const membersOnPage = 200

// A groupPage shows a group and who is in it.
type groupPage struct {
	page
	Group   groupView
	Add     field // the address of who is to be added
	Find    field // an address, or what it begins with; where there are many
	Members []groupMemberView
	Hidden  int // people who are not shown
}

// A groupMemberView is a person in a group.
type groupMemberView struct {
	account.User
	Added moment
}

// Deactivated reports whether the person cannot come in at all.
func (m groupMemberView) Deactivated() bool { return m.State != account.ActiveUser }

func (s *site) showGroup(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newGroupShowPage(r, v, "")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "group", p)
}

func (s *site) newGroupShowPage(r *http.Request, v gate.Visit, address string) (*groupPage, error) {
	g, err := s.Groups.Get(r.Context(), v.Organization, r.PathValue("group"))
	if err != nil {
		return nil, err
	}
	members, err := s.Groups.Members(r.Context(), v.Organization, g.ID)
	if err != nil {
		return nil, err
	}
	frame, err := s.console(r, v, g.Name, "groups")
	if err != nil {
		return nil, err
	}
	find := strings.ToLower(strings.TrimSpace(r.URL.Query().Get("find")))
	p := &groupPage{page: frame, Group: s.viewGroup(g)}
	p.Add = field{Name: "email", Label: "Email address", Type: "email", Most: 319, Value: address, Hint: "Of a member of " + v.Organization.Name + "."}
	p.Find = field{Name: "find", Label: "Find", Value: find, Most: 319, Optional: true, Machine: true, Hint: "An address, or what it begins with."}
	for _, m := range members {
		switch {
		case !strings.HasPrefix(m.Email, find):
		case len(p.Members) == membersOnPage:
			p.Hidden++
		default:
			p.Members = append(p.Members, groupMemberView{m.User, s.moment(m.AddedAt)})
		}
	}
	return p, nil
}

// Filtered reports whether somebody is looked for.
func (p *groupPage) Filtered() bool { return p.Find.Value != "" }

// Searchable reports whether there are more people than one page shows.
func (p *groupPage) Searchable() bool { return p.Hidden > 0 || p.Filtered() }

// addGroupMember adds a member of the organization by their address.
func (s *site) addGroupMember(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	id, address := r.PathValue("group"), form.Get("email")
	if err := s.Groups.AddByAddress(r.Context(), v.Actor, v.Organization, id, address); err != nil {
		p, broken := s.newGroupShowPage(r, v, address)
		if broken != nil {
			return broken
		}
		return s.again(w, r, "group", p, err, &p.Add)
	}
	return see(w, r, done(groupsURL(v.Organization)+"/"+id, "group-member-added"))
}

// removeGroupMember takes a person out of a group.
func (s *site) removeGroupMember(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	id := r.PathValue("group")
	if err := s.Groups.RemoveMembers(r.Context(), v.Actor, v.Organization, id, []string{form.Get("user_id")}); err != nil {
		return err
	}
	return see(w, r, done(groupsURL(v.Organization)+"/"+id, "group-member-removed"))
}
