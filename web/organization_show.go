package web

import (
	"net/http"

	"gatehouse/gate"
)

// An organizationPage is an organization's overview.
type organizationPage struct {
	page
	Name    field // for super admins
	Created moment
	Notices []notice // for super admins: what there is to see to of identity providers
}

func (s *site) newOrganizationOverview(r *http.Request, v gate.Visit, name string) (*organizationPage, error) {
	frame, err := s.console(r, v, v.Organization.Name, "overview")
	p := &organizationPage{page: frame, Name: organizationField(name), Created: s.moment(v.Organization.CreatedAt)}
	if err == nil && p.SuperAdmin {
		p.Notices, err = s.allNotices(r, v)
	}
	return p, err
}

func (s *site) showOrganization(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newOrganizationOverview(r, v, v.Organization.Name)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "organization", p)
}

// renameOrganization gives an organization another name.
func (s *site) renameOrganization(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	name := form.Get("organization_name")
	o, err := s.Organizations.Update(r.Context(), v.Actor, v.Organization.ID, &name, nil)
	if err != nil {
		p, broken := s.newOrganizationOverview(r, v, name)
		if broken != nil {
			return broken
		}
		return s.again(w, r, "organization", p, err, &p.Name)
	}
	return see(w, r, done(organizationURL(o), "organization-renamed"))
}
