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
	Ways     []way  // identity providers: the domain's, then those that this browser knows
	Domain   string // of the address, where identity providers speak for it
	Email    string
	Password field
	Behind   bool   // the password is behind another way: the domain's organization admits none
	Open     bool   // it is shown all the same
	Links    []way  // after a wrong password: where an account is linked to the domain's identity providers
	Wrong    string // the code of an error, after a wrong password
	ReturnTo string
}

// showWays takes an address and offers the ways in: the identity providers
// that speak for its domain, those that this browser was used with, and the
// password. It asks of the domain alone, so that it says nothing of who has an
// account: the page is the same for every address of a domain.
func (s *site) showWays(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	email, err := account.NormalizeEmail(form.Get("email"))
	var offer login.Offer
	if err == nil {
		offer, err = s.Login.Offers(r.Context(), email, s.client(r))
	}
	if err != nil {
		p := s.newLoginPage(form.Get("email"), form.Get("return_to"))
		return s.again(w, r, "login", p, err, &p.Email)
	}
	browser := s.Cookies.Browser(r)
	return s.render(w, r, http.StatusOK, "ways", s.newWaysPage(r.Context(), browser, offer, email, form.Get("return_to")))
}

func (s *site) newWaysPage(ctx context.Context, b session.Browser, o login.Offer, email, returnTo string) *waysPage {
	p := &waysPage{
		page:     narrow("Choose how to log in"),
		Email:    email,
		Password: field{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password"},
		Behind:   !o.Password,
		ReturnTo: login.SafeReturn(returnTo),
	}
	p.Ways = waysOfDomain(o, b, returnTo)
	if len(p.Ways) > 0 {
		p.Domain = o.Domain
	}
	for _, id := range slices.Backward(b.Methods) {
		if slices.ContainsFunc(o.Methods, func(m login.DomainMethod) bool { return m.ID == id }) {
			continue
		}
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

// waysOfDomain are the identity providers that speak for a domain: those that
// this browser was used with first, the last one at the head, and the others as
// they were linked.
func waysOfDomain(o login.Offer, b session.Browser, returnTo string) []way {
	methods := slices.Clone(o.Methods)
	slices.SortStableFunc(methods, func(a, c login.DomainMethod) int {
		return slices.Index(b.Methods, c.ID) - slices.Index(b.Methods, a.ID)
	})
	var ways []way
	for _, m := range methods {
		ways = append(ways, way{Provider: m.Name, Organization: m.Organization, URL: startOf(m.ID, returnTo)})
	}
	return ways
}
