package web

import (
	"context"
	"net/http"
	"slices"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/login"
	"gatehouse/session"
)

// A waysPage offers the ways in.
type waysPage struct {
	page
	Ways     []way // identity providers that this browser knows, last used first
	Email    string
	Password field
	ReturnTo string
}

// showWays takes an address and offers the ways in: the identity providers
// that this browser was used with, then the password. It looks nobody up, so
// that it says nothing of who has an account: the page is the same for every
// address.
func (s *site) showWays(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	email, err := account.NormalizeEmail(form.Get("email"))
	if err != nil {
		p := s.newLoginPage(form.Get("email"), form.Get("return_to"))
		return s.again(w, r, "login", p, err, &p.Email)
	}
	browser := s.Cookies.Browser(r)
	return s.render(w, r, http.StatusOK, "ways", s.newWaysPage(r.Context(), browser, email, form.Get("return_to")))
}

func (s *site) newWaysPage(ctx context.Context, b session.Browser, email, returnTo string) *waysPage {
	p := &waysPage{
		page:     narrow("Choose how to log in"),
		Email:    email,
		Password: field{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password"},
		ReturnTo: login.SafeReturn(returnTo),
	}
	for _, id := range slices.Backward(b.Methods) {
		if known, ok := s.wayOf(ctx, id, returnTo); ok {
			p.Ways = append(p.Ways, known)
		}
	}
	if len(p.Ways) == 0 {
		p.Title = "Type your password"
		p.Password.Focus = true
	}
	return p
}
