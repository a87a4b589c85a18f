package web

import (
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
)

func (s *site) saveProfile(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	name := form.Get("real_name")
	if _, err := s.People.Update(r.Context(), v.Actor, account.Profile{RealName: &name}); err != nil {
		p, broken := s.newProfilePage(r, v, name)
		if broken != nil {
			return broken
		}
		return s.again(w, r, "profile", p, err, &p.RealName)
	}
	return see(w, r, done("/profile", "profile-saved"))
}
