package web

import (
	"context"
	"net/http"
	"net/netip"

	"gatehouse/gate"
	"gatehouse/session"
)

// A homePage answers: who am I, how did I log in, where do I belong.
type homePage struct {
	page
	Session   sessionView
	SendsMail bool // another link can be mailed to an address that is not confirmed
}

// A sessionView is a session as its own person sees it.
type sessionView struct {
	Method       string // "Password", or the identity provider's name
	Organization string // what that is of it, such as "identity provider of Acme"; empty for a password
	TwoFactor    bool
	LoggedIn     moment
	Ends         moment
	From         string // the browser
	Address      string // may be empty
}

func (s *site) showHome(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	frame, err := s.console(r, v, "Home", "home")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "home", &homePage{page: frame, Session: s.viewSession(r.Context(), v.Bearer.Token), SendsMail: s.Addresses.Sends()})
}

func (s *site) viewSession(ctx context.Context, t session.Token) sessionView {
	view := sessionView{
		Method:    "Password",
		TwoFactor: t.TwoFactor,
		LoggedIn:  s.moment(t.LoggedIn),
		Ends:      s.moment(t.ExpiresAt),
		From:      browserName(t.UserAgent),
	}
	if t.IP != (netip.Addr{}) {
		view.Address = t.IP.Unmap().String()
	}
	switch t.Method.Kind {
	case session.Password:
		return view
	case session.Recovery:
		view.Method, view.Organization = "Recovery link", "for "+s.nameOf(ctx, t.Method.ID).Name+" alone"
		return view
	}
	view.Method = "Single sign-on"
	if i, err := s.IdPs.Store.IdP(ctx, t.Method.ID); err == nil {
		view.Method, view.Organization = i.Name, "identity provider of "+s.nameOf(ctx, i.OrganizationID).Name
	}
	return view
}
