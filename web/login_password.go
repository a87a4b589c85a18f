package web

import (
	"net/http"
	"net/url"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
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
		p := s.newWaysPage(r.Context(), browser, email, form.Get("return_to"))
		p.Password.Focus = true
		if f := fault.Of(err); f.Code == "authentication_failed" {
			err = f.At("password")
		}
		return s.again(w, r, "ways", p, err, &p.Password)
	}
	return s.toContinue(w, r, browser, flow)
}

// toContinue sends the browser to finish a flow that it began.
func (s *site) toContinue(w http.ResponseWriter, r *http.Request, b session.Browser, flow string) error {
	if err := s.Cookies.SaveBrowser(w, r, b); err != nil {
		return err
	}
	return see(w, r, "/login/continue?flow="+url.QueryEscape(flow))
}
