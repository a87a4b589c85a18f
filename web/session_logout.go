package web

import (
	"net/http"

	"gatehouse/gate"
)

// A logoutPage has the button that logs out.
type logoutPage struct{ page }

// showLogout is for links and bookmarks: it asks, since a GET changes nothing.
func (s *site) showLogout(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	p := &logoutPage{narrow("Log out")}
	p.User = s.visitor(r).User
	return s.render(w, r, http.StatusOK, "logout", p)
}

// logOut ends the session on the server, then the cookie.
func (s *site) logOut(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	if err := s.revoke(r, s.Cookies.Token(r), "logged out"); err != nil {
		return err
	}
	if err := s.Cookies.End(w, r); err != nil {
		return err
	}
	return see(w, r, done("/login", "logged-out"))
}
