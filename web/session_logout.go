package web

import (
	"crypto/sha256"
	"net/http"
	"net/url"

	"gatehouse/gate"
	"gatehouse/login"
	"gatehouse/session"
)

// A logoutPage has the button that logs out.
type logoutPage struct {
	page
	Told string // the identity provider that hears of it; empty for none
}

// showLogout is for links and bookmarks: it asks, since a GET changes nothing.
func (s *site) showLogout(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	p := &logoutPage{page: narrow("Log out")}
	v := s.visitor(r)
	p.User = v.User
	if v.Bearer.Method.Kind == session.SAML {
		if i, err := s.IdPs.Store.IdP(r.Context(), v.Bearer.Method.ID); err == nil && i.CanLogOut() {
			p.Told = i.Name
		}
	}
	return s.render(w, r, http.StatusOK, "logout", p)
}

// logOut ends the session on the server, then the cookie; then the identity
// provider that the session came from hears of it, where that is set up.
func (s *site) logOut(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	var out login.LoggedOut
	if token := s.Cookies.Token(r); token != "" {
		var err error
		out, err = s.Login.LogOut(r.Context(), sha256.Sum256([]byte(token)), session.End{Reason: "logged out", IP: s.address(r), UserAgent: r.UserAgent()})
		if err != nil {
			return err
		}
	}
	if err := s.Cookies.End(w, r); err != nil {
		return err
	}
	switch {
	case out.Request != nil:
		// A page and no redirect: Chromium applies the form-action of the page
		// that the form was on to where it leads.
		return s.carryLogout(w, r, out.Method, out.Request, "On to "+out.Method.Name)
	case out.Method.IdP != nil:
		return see(w, r, "/logout/done?"+url.Values{"told": {s.Login.Told(out.Method.ID, out.Confirmed)}}.Encode())
	}
	return see(w, r, done("/login", "logged-out"))
}
