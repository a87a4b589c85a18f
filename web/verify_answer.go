package web

import (
	"net/http"

	"gatehouse/gate"
)

// confirmAddress takes the answer that the account is the reader's.
func (s *site) confirmAddress(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	w.Header().Set("Referrer-Policy", "strict-origin")
	u, err := s.Addresses.Prove(r.Context(), r.PathValue("code"), s.from(r))
	if err != nil {
		return err
	}
	if s.visitor(r).User.ID == u.ID {
		return see(w, r, done("/", "address-confirmed"))
	}
	return see(w, r, done("/login", "address-confirmed"))
}

// refuseAccount takes the answer that it is not.
func (s *site) refuseAccount(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	w.Header().Set("Referrer-Policy", "strict-origin")
	if err := s.Addresses.Disown(r.Context(), r.PathValue("code"), s.from(r)); err != nil {
		return err
	}
	return see(w, r, done("/login", "account-closed"))
}

// mailAgain has another link mailed to the visitor.
func (s *site) mailAgain(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	if err := s.Addresses.AskAgain(r.Context(), v.Actor); err != nil {
		return err
	}
	return see(w, r, done("/", "verification-mailed"))
}
