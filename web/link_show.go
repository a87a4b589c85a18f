package web

import (
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
)

// A linkPage offers to link the visitor's account to an identity provider.
type linkPage struct {
	page
	Way      way
	MethodID string
	Password field
	Ask      bool // the login is not fresh enough: a password is asked for
}

// showLink says what an account link leads to.
func (s *site) showLink(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newLinkPage(r, v)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "link", p)
}

func (s *site) newLinkPage(r *http.Request, v gate.Visit) (*linkPage, error) {
	i, err := s.method(r)
	if err != nil {
		return nil, err
	}
	known, ok := s.wayOf(r.Context(), i.ID, "")
	if !ok {
		return nil, s.at(r.Context(), i, fault.Denied.Errorf("This identity provider is not enabled. An administrator of the organization can complete its settings and enable it.").Coded("authentication_method_disabled"))
	}
	if err := s.Login.MayLink(r.Context(), i.ID, v.User); err != nil {
		return nil, s.at(r.Context(), i, err)
	}
	p := &linkPage{
		page:     narrow("Link your account"),
		Way:      known,
		MethodID: i.ID,
		Password: field{Name: "password", Label: "Your present password", Type: "password", Autocomplete: "current-password"},
	}
	p.User = v.User
	return p, nil
}
