package web

import (
	"net/http"

	"gatehouse/gate"
)

// passwordPath is where people change their password.
const passwordPath = "/profile/password"

// A passwordPage asks for the present password and another one.
type passwordPage struct {
	page
	Has     bool // the visitor has a password
	Present field
	New     field
}

func (s *site) newPasswordPage(r *http.Request, v gate.Visit) (*passwordPage, error) {
	state, err := s.Login.Store.PasswordState(r.Context(), v.User.ID)
	if err != nil {
		return nil, err
	}
	frame, err := s.console(r, v, "Change your password", "profile")
	if err != nil {
		return nil, err
	}
	return &passwordPage{
		page: frame, Has: state.Set, Present: presentPassword(),
		New: field{Name: "new_password", Label: "New password", Type: "password", Autocomplete: "new-password", Hint: "8 characters or more."},
	}, nil
}

func (s *site) showPassword(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newPasswordPage(r, v)
	if err != nil {
		return err
	}
	p.Present.Focus = true
	return s.render(w, r, http.StatusOK, "profile-password", p)
}

// changePassword changes the password. The session of this browser ends with
// all others, and the cookie gets the one that began.
func (s *site) changePassword(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	browser := s.Cookies.Browser(r)
	text, t, err := s.Login.ChangePassword(r.Context(), v.Bearer, form.Get("password"), form.Get("new_password"), &browser, s.client(r))
	if err != nil {
		p, broken := s.newPasswordPage(r, v)
		if broken != nil {
			return broken
		}
		return s.again(w, r, "profile-password", p, err, &p.Present, &p.New)
	}
	if err := s.Cookies.Begin(w, r, text, t, s.Now()); err != nil {
		return err
	}
	return see(w, r, done("/profile", "password-changed"))
}
