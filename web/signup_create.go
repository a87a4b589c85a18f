package web

import (
	"errors"
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

// createAccount makes an account with a password; the browser goes on to where
// every login ends. Whoever has an address that identity providers speak for is
// led to them first, whether or not it has an account.
func (s *site) createAccount(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	if !s.Login.Open {
		return errByInvitation()
	}
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	n := account.NewUser{Email: form.Get("email"), RealName: form.Get("real_name"), Password: form.Get("password")}
	p := newSignupPage(n.RealName, n.Email, form.Get("return_to"))
	if problems := n.Problems(); len(problems) > 0 {
		for _, err := range problems {
			p.blame(err, &p.RealName, &p.Email, &p.Password)
		}
		return s.render(w, r, http.StatusBadRequest, "signup", p)
	}
	browser := s.Cookies.Browser(r)
	offer, err := s.Login.Offers(r.Context(), n.Email, s.client(r))
	if err != nil {
		return s.again(w, r, "signup", p, err, &p.RealName, &p.Email, &p.Password)
	}
	if len(offer.Methods) > 0 && form.Get("domain") != offer.Domain {
		p.Title, p.RealName.Focus = "Use single sign-on", false
		p.Ways, p.Domain = waysOfDomain(offer, browser, form.Get("return_to")), offer.Domain
		return s.render(w, r, http.StatusOK, "signup", p)
	}
	flow, err := s.Login.AnswerSignUp(r.Context(), n, &browser, form.Get("return_to"), s.client(r))
	if err != nil {
		if errors.Is(err, fault.Exists) {
			err = fault.Exists.Errorf("There is an account with this address already. Log in to it instead.").At("email").Because(err)
		}
		return s.again(w, r, "signup", p, err, &p.RealName, &p.Email, &p.Password)
	}
	return s.toContinue(w, r, browser, flow)
}
