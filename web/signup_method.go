package web

import (
	"net/http"
	"net/url"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
)

// A signupMethodPage invites to make an account through an identity provider.
type signupMethodPage struct {
	page
	Way   way
	Start string
}

// showSignupMethod says whose signup link this is and what it leads to. The
// step to the identity provider is a link, as startSAML explains.
func (s *site) showSignupMethod(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	i, err := s.method(r)
	if err != nil {
		return err
	}
	known, ok := s.wayOf(r.Context(), i.ID, "")
	if !ok {
		return s.at(r.Context(), i, fault.Denied.Errorf("This identity provider is not enabled. An administrator of the organization can complete its settings and enable it.").Coded("authentication_method_disabled"))
	}
	start := url.Values{"intent": {"signup"}}
	if to := login.SafeReturn(r.URL.Query().Get("return_to")); to != "/" {
		start.Set("return_to", to)
	}
	p := &signupMethodPage{
		page:  narrow("Join " + known.Organization),
		Way:   known,
		Start: withQuery(loginPath(i.ID), start),
	}
	p.User = s.visitor(r).User
	return s.render(w, r, http.StatusOK, "signup-method", p)
}
