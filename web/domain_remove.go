package web

import (
	"net/http"

	"gatehouse/gate"
)

// A removeDomainPage says what happens before a domain is removed.
type removeDomainPage struct {
	page
	Domain domainView
}

func (s *site) confirmRemoveDomain(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	d, _, err := s.domain(r, v)
	if err != nil {
		return err
	}
	frame, err := s.console(r, v, "Remove "+d.Name, "domains")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "domain-remove", &removeDomainPage{page: frame, Domain: d})
}

func (s *site) removeDomain(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	if err := s.Domains.Remove(r.Context(), v.Actor, v.Organization, r.PathValue("domain")); err != nil {
		return err
	}
	return see(w, r, done(domainsURL(v.Organization), "domain-removed"))
}
