package web

import (
	"net/http"

	"gatehouse/gate"
	"gatehouse/login"
)

// A loginPage asks for the address.
type loginPage struct {
	page
	Email    field
	ReturnTo string // "/" for home
	Open     bool   // anybody may sign up
	Dev      *Dev
}

// A loggedInPage says who is logged in already.
type loggedInPage struct {
	page
	Continue string
}

func emailField(value string) field {
	return field{Name: "email", Label: "Email address", Type: "email", Value: value, Autocomplete: "username", Most: 319, Focus: true}
}

func (s *site) newLoginPage(email, returnTo string) *loginPage {
	return &loginPage{
		page:     narrow("Log in"),
		Email:    emailField(email),
		ReturnTo: login.SafeReturn(returnTo),
		Open:     s.Login.Open,
		Dev:      s.Dev,
	}
}

// showLogin asks for the address first, or says who is logged in already and
// does not want to log in again.
func (s *site) showLogin(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	returnTo := r.URL.Query().Get("return_to")
	v := s.visitor(r)
	if v.LoggedIn() && r.URL.Query().Has("again") {
		p := s.newLoginPage(v.User.Email, returnTo)
		p.Title, p.Open = "Log in again", false
		return s.render(w, r, http.StatusOK, "login", p)
	}
	if v.LoggedIn() {
		p := &loggedInPage{page: narrow("You are logged in"), Continue: login.SafeReturn(returnTo)}
		p.User = v.User
		return s.render(w, r, http.StatusOK, "logged-in", p)
	}
	return s.render(w, r, http.StatusOK, "login", s.newLoginPage("", returnTo))
}
