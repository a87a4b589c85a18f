package web

import (
	"fmt"
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
)

// A profilePage lets people say who they are.
type profilePage struct {
	page
	RealName field
	Managed  *managedView // nil: nobody manages the visitor
}

// A managedView says who manages a person, and what they leave to them.
type managedView struct {
	Organization account.Organization
	Member       bool // the person can open the organization's page
	NoPassword   bool // its policy admits no passwords
}

func nameField(value string) field {
	return field{Name: "real_name", Label: "Your name", Hint: "As others in your organizations see it.", Value: value, Autocomplete: "name", Most: 256}
}

func (s *site) newProfilePage(r *http.Request, v gate.Visit, name string) (*profilePage, error) {
	frame, err := s.console(r, v, "Your profile", "profile")
	if err != nil {
		return nil, err
	}
	p := &profilePage{page: frame, RealName: nameField(name)}
	id := v.User.ManagingOrganizationID
	if id == "" {
		return p, nil
	}
	kept, err := s.Login.Store.Policy(r.Context(), id)
	if err != nil {
		return nil, fmt.Errorf("find policy of the managing organization: %w", err)
	}
	p.Managed = &managedView{Organization: s.nameOf(r.Context(), id), NoPassword: !kept.InForce(s.Now(), false).Password}
	for _, m := range frame.Memberships {
		p.Managed.Member = p.Managed.Member || m.ID == id
	}
	p.RealName.Hint += " It follows your organization's identity provider at each login through it."
	return p, nil
}

func (s *site) showProfile(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newProfilePage(r, v, v.User.RealName)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "profile", p)
}
