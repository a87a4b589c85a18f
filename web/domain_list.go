package web

import (
	"net/http"

	"gatehouse/gate"
)

// A domainsPage lists an organization's domains, by name.
type domainsPage struct {
	page
	Domains []domainView
}

func (s *site) listDomains(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	list, err := s.viewDomains(r.Context(), v.Organization)
	if err != nil {
		return err
	}
	frame, err := s.console(r, v, "Domains", "domains")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "domains", &domainsPage{page: frame, Domains: list})
}

// Missing are the domains whose record is not there any more.
func (p *domainsPage) Missing() []domainView {
	var out []domainView
	for _, d := range p.Domains {
		if d.Missing {
			out = append(out, d)
		}
	}
	return out
}
