package web

import (
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
)

// A signupPage asks for what an account with a password needs.
type signupPage struct {
	page
	RealName field
	Email    field
	Password field
	ReturnTo string

	// Ways are the identity providers that speak for the address: they are
	// offered first, and make the account. Domain is the address', so that
	// whoever sends the form again means it.
	Ways   []way
	Domain string
}

func newSignupPage(name, email, returnTo string) *signupPage {
	return &signupPage{
		page:     narrow("Create an account"),
		RealName: field{Name: "real_name", Label: "Your name", Value: name, Autocomplete: "name", Most: 256, Focus: true},
		Email:    field{Name: "email", Label: "Email address", Type: "email", Value: email, Autocomplete: "username", Most: 319},
		Password: field{Name: "password", Label: "Password", Type: "password", Hint: "At least 8 characters. Long is good: a few unrelated words do well.", Autocomplete: "new-password"},
		ReturnTo: login.SafeReturn(returnTo),
	}
}

// errByInvitation is the page where signing up with a password is off.
func errByInvitation() error {
	return fault.Denied.Errorf("New accounts are made by invitation here. Ask an administrator of your organization.").Coded("signup_by_invitation")
}

func (s *site) showSignup(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	if !s.Login.Open {
		return errByInvitation()
	}
	return s.render(w, r, http.StatusOK, "signup", newSignupPage("", "", r.URL.Query().Get("return_to")))
}
