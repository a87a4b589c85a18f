package web

import (
	"net/http"
	"net/url"
	"strings"

	"gatehouse/account"
	"gatehouse/gate"
)

// A newGroupPage asks for a name; people come afterwards.
type newGroupPage struct {
	page
	Name        field
	Description field
}

func groupNameField(value string) field {
	return field{Name: "user_group_name", Label: "Name", Value: value, Most: 128, Hint: "No other group of the organization has it; upper and lower case count as the same."}
}

func groupDescriptionField(value string) field {
	return field{Name: "description", Label: "Description", Value: value, Rows: 4, Optional: true, Hint: "What the group is for, so that others know whom to add."}
}

// groupForm reads what was typed. Browsers send line breaks as two characters.
func groupForm(form url.Values) (name, description string) {
	return form.Get("user_group_name"), strings.ReplaceAll(form.Get("description"), "\r\n", "\n")
}

func (s *site) newGroupPage(r *http.Request, v gate.Visit, name, description string) (*newGroupPage, error) {
	frame, err := s.console(r, v, "New group", "groups")
	return &newGroupPage{page: frame, Name: groupNameField(name), Description: groupDescriptionField(description)}, err
}

func (s *site) showNewGroup(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newGroupPage(r, v, "", "")
	if err != nil {
		return err
	}
	p.Name.Focus = true
	return s.render(w, r, http.StatusOK, "group-new", p)
}

func (s *site) addGroup(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	name, description := groupForm(form)
	g, err := s.Groups.Add(r.Context(), v.Actor, v.Organization, account.Group{Name: name, Description: description})
	if err != nil {
		p, broken := s.newGroupPage(r, v, name, description)
		if broken != nil {
			return broken
		}
		return s.again(w, r, "group-new", p, err, &p.Name, &p.Description)
	}
	return see(w, r, done(groupURL(g), "group-added"))
}
