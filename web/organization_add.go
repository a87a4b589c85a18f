package web

import (
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
)

// A newOrganizationPage asks for a name.
type newOrganizationPage struct {
	page
	Name field
}

func organizationField(value string) field {
	return field{Name: "organization_name", Label: "Name of the organization", Hint: "People see it when they log in. You can change it later.", Value: value, Autocomplete: "organization", Most: 128}
}

func (s *site) newOrganizationPage(r *http.Request, v gate.Visit, name string) (*newOrganizationPage, error) {
	frame, err := s.console(r, v, "New organization", "home")
	return &newOrganizationPage{page: frame, Name: organizationField(name)}, err
}

func (s *site) showNewOrganization(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newOrganizationPage(r, v, "")
	if err != nil {
		return err
	}
	p.Name.Focus = true
	return s.render(w, r, http.StatusOK, "organization-new", p)
}

func (s *site) addOrganization(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	name := form.Get("organization_name")
	o, err := s.Organizations.Add(r.Context(), v.Actor, name, "")
	if err != nil {
		p, broken := s.newOrganizationPage(r, v, name)
		if broken != nil {
			return broken
		}
		return s.again(w, r, "organization-new", p, err, &p.Name)
	}
	return see(w, r, done(organizationURL(o), "organization-added"))
}

// organizationURL is an organization's page.
func organizationURL(o account.Organization) string { return "/organization/" + o.ID }
