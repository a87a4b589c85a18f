package web

import (
	"errors"
	"net/http"
	"net/url"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
)

// answerPassword checks a password and sends the browser on to where every
// login ends.
func (s *site) answerPassword(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
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
	flow, err := s.Login.AnswerPassword(r.Context(), email, form.Get("password"), &browser, form.Get("return_to"), s.client(r))
	if err != nil {
		return s.askForPassword(w, r, browser, email, form.Get("return_to"), err)
	}
	return s.toContinue(w, r, browser, flow)
}

// askForPassword shows the ways in once more, with what is wrong. A wrong
// password is told how the domain of the address logs in, whether or not it has
// an account.
func (s *site) askForPassword(w http.ResponseWriter, r *http.Request, b session.Browser, email, returnTo string, err error) error {
	var offer login.Offer
	wrong := (*login.WrongPassword)(nil)
	if errors.As(err, &wrong) {
		offer = wrong.Offer
	} else if found, broken := s.Login.Offers(r.Context(), email, s.client(r)); broken == nil {
		offer = found
	} else {
		offer.Password = true
	}
	p := s.newWaysPage(r.Context(), b, offer, email, returnTo)
	p.Password.Focus, p.Open = true, true
	if wrong != nil && len(offer.Methods) > 0 {
		err = fault.Denied.Errorf("The address or the password is not right. Addresses of %s log in through %s of %s.", offer.Domain, offer.Methods[0].Name, offer.Methods[0].Organization).Coded("authentication_failed").Because(err)
		for _, m := range offer.Methods {
			p.Links = append(p.Links, way{Provider: m.Name, Organization: m.Organization, URL: linkPath(m.ID)})
		}
	}
	if f := fault.Of(err); f.Code == "authentication_failed" {
		p.Wrong = f.Code
		err = f.At("password")
	}
	return s.again(w, r, "ways", p, err, &p.Password)
}

// toContinue sends the browser to finish a flow that it began.
func (s *site) toContinue(w http.ResponseWriter, r *http.Request, b session.Browser, flow string) error {
	if err := s.Cookies.SaveBrowser(w, r, b); err != nil {
		return err
	}
	return see(w, r, "/login/continue?flow="+url.QueryEscape(flow))
}
