package web

import (
	"net/http"
	"slices"

	"gatehouse/gate"
)

// A domainPage shows a domain: what proves it, and which identity providers
// speak for it.
type domainPage struct {
	page
	Domain domainView
	Look   *lookView // what a look for the proof has just found; nil: none was made
	Link   field     // identity providers that could speak for it too
	Proof  field     // without choices where there is but one
}

func (s *site) newDomainShowPage(r *http.Request, v gate.Visit) (*domainPage, error) {
	d, all, err := s.domain(r, v)
	if err != nil {
		return nil, err
	}
	frame, err := s.console(r, v, d.Name, "domains")
	p := &domainPage{page: frame, Domain: d, Proof: s.proofField(d.Proof)}
	p.csp.script = true
	p.Link = field{Name: "authentication_method_id", Label: "Identity provider", Hint: "One that is disabled speaks for the domain once it is enabled."}
	for _, i := range all {
		if !slices.Contains(d.Methods, i.ID) {
			p.Link.Options = append(p.Link.Options, option{i.ID, i.Name})
		}
	}
	return p, err
}

func (s *site) showDomain(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newDomainShowPage(r, v)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "domain", p)
}
