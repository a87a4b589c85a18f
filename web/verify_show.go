package web

import (
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
)

// A verifyPage asks the reader of a mailbox whose an account is.
type verifyPage struct {
	page
	Code  string
	Email string
	Made  moment
	Until moment
}

// showVerify is where the link leads that was mailed to an address. Looking
// uses nothing up: programs that read mail open links, too.
func (s *site) showVerify(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	// The code stands in the address: no page that this one leads to is told.
	w.Header().Set("Referrer-Policy", "strict-origin")
	code := r.PathValue("code")
	c, err := s.Addresses.Look(r.Context(), code, s.address(r))
	if err != nil {
		return err
	}
	p := &verifyPage{page: narrow("Is this account yours?"), Code: code, Email: c.User.Email, Made: s.moment(c.User.CreatedAt), Until: s.moment(c.ExpiresAt)}
	p.User = s.visitor(r).User
	return s.render(w, r, http.StatusOK, "verify", p)
}

// from is somebody of whom only the place is known.
func (s *site) from(r *http.Request) account.Actor {
	return account.Actor{IP: s.address(r), UserAgent: r.UserAgent()}
}
