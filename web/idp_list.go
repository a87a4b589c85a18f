package web

import (
	"net/http"
	"slices"

	"gatehouse/gate"
)

// An idpsPage lists an organization's identity providers, newest first.
type idpsPage struct {
	page
	IdPs []idpView
}

func (s *site) listIdPs(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	list, err := s.IdPs.List(r.Context(), v.Organization)
	if err != nil {
		return err
	}
	frame, err := s.console(r, v, "Identity providers", "identity-providers")
	if err != nil {
		return err
	}
	p := &idpsPage{page: frame}
	for _, i := range slices.Backward(list) {
		p.IdPs = append(p.IdPs, s.viewIdP(i))
	}
	return s.render(w, r, http.StatusOK, "idps", p)
}
