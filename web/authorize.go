package web

import (
	"net/http"
	"net/url"
	"strings"

	"gatehouse/gate"
	"gatehouse/login"
)

// An authorizePage asks whether a program on this machine is to be logged in.
type authorizePage struct {
	page
	Asked   login.Authorization
	Address string // of the browser, as we see it
	Ends    moment // when the browser's session does
	Extends bool   // unless it is used
}

// showAuthorize says which program asks, and changes nothing.
func (s *site) showAuthorize(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	a, err := login.NewAuthorization(r.URL.Query())
	if err != nil {
		return err
	}
	p := &authorizePage{page: narrow("Log in a program"), Asked: a, Address: addressWords(s.address(r)), Ends: s.moment(v.Bearer.ExpiresAt), Extends: v.Bearer.ExtendWhenUsed}
	p.User = v.User
	p.csp.formTo = formTo(a)
	return s.render(w, r, http.StatusOK, "authorize", p)
}

// formTo is where the page's form may lead: to us, and from there to the
// program, as Chromium applies form-action to what a form is redirected to. A
// policy cannot name an IPv6 address (CSP 3, 2.3.1), so there it is any http.
func formTo(a login.Authorization) string {
	if strings.HasPrefix(a.Origin(), "http://[") {
		return "'self' http:"
	}
	return "'self' " + a.Origin()
}

// answerAuthorize hands the program a code, or tells it that there is none.
func (s *site) answerAuthorize(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	a, err := login.NewAuthorization(form)
	if err != nil {
		return err
	}
	if form.Get("answer") != "yes" {
		if err := s.Login.Refuse(r.Context(), a, v.Bearer, s.client(r)); err != nil {
			return err
		}
		return see(w, r, a.Refused())
	}
	code, err := s.Login.Authorize(r.Context(), a, v.Bearer, s.client(r))
	if err != nil {
		return err
	}
	return see(w, r, a.Approved(code))
}

// Fields are what the form sends back.
func (p *authorizePage) Fields() url.Values { return p.Asked.Values() }
