package web

import (
	"net/http"

	"gatehouse/gate"
)

// A profilePage lets people say who they are.
type profilePage struct {
	page
	RealName field
}

func nameField(value string) field {
	return field{Name: "real_name", Label: "Your name", Hint: "As others in your organizations see it.", Value: value, Autocomplete: "name", Most: 256}
}

func (s *site) showProfile(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	frame, err := s.console(r, v, "Your profile", "profile")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "profile", &profilePage{page: frame, RealName: nameField(v.User.RealName)})
}
