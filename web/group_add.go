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
	Managed     check
}

func groupNameField(value string) field {
	return field{Name: "user_group_name", Label: "Name", Value: value, Most: 128, Hint: "No other group of the organization has it; upper and lower case count as the same."}
}

func groupDescriptionField(value string) field {
	return field{Name: "description", Label: "Description", Value: value, Rows: 4, Optional: true, Hint: "What the group is for, so that others know whom to add."}
}

func groupManagedCheck(on bool) check {
	return check{Name: "idp_managed", Label: "Identity providers fill this group by its name", Checked: on, Hint: "Where a provider's settings say that its groups are followed, whoever it names this group for is put in at each login, and taken out once it does not. People can be added by hand as well; those stay."}
}

// groupForm reads what was typed. Browsers send line breaks as two characters.
func groupForm(form url.Values) account.Group {
	return account.Group{
		Name:        form.Get("user_group_name"),
		Description: strings.ReplaceAll(form.Get("description"), "\r\n", "\n"),
		IdPManaged:  form.Get("idp_managed") != "",
	}
}

func (s *site) newGroupPage(r *http.Request, v gate.Visit, g account.Group) (*newGroupPage, error) {
	frame, err := s.console(r, v, "New group", "groups")
	return &newGroupPage{page: frame, Name: groupNameField(g.Name), Description: groupDescriptionField(g.Description), Managed: groupManagedCheck(g.IdPManaged)}, err
}

func (s *site) showNewGroup(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newGroupPage(r, v, account.Group{})
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
	typed := groupForm(form)
	g, err := s.Groups.Add(r.Context(), v.Actor, v.Organization, typed)
	if err != nil {
		p, broken := s.newGroupPage(r, v, typed)
		if broken != nil {
			return broken
		}
		return s.again(w, r, "group-new", p, err, &p.Name, &p.Description, &p.Managed)
	}
	return see(w, r, done(groupURL(g), "group-added"))
}
