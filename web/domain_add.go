package web

import (
	"net/http"

	"gatehouse/domains"
	"gatehouse/gate"
)

// A newDomainPage asks for the name of a domain, and how it is to be proved
// where there is a choice.
type newDomainPage struct {
	page
	Name  field
	Proof field // without choices where there is but one
}

// proofField offers the proofs that this server takes.
func (s *site) proofField(value domains.Proof) field {
	f := field{Name: "verification_type", Label: "How you prove it", Value: string(value)}
	if s.Domains.Offers(domains.ByHTTP) {
		f.Choices = []choice{
			{string(domains.ByDNS), "With a record in its DNS", "Whoever runs the domain's DNS can add it. Best for nearly all."},
			{string(domains.ByHTTP), "With a file on its web site", "At https and the domain itself. For those who cannot change the DNS."},
		}
	}
	return f
}

func (s *site) newDomainPage(r *http.Request, v gate.Visit, name string, proof domains.Proof) (*newDomainPage, error) {
	frame, err := s.console(r, v, "Add domain", "domains")
	return &newDomainPage{
		page:  frame,
		Name:  field{Name: "domain_name", Label: "Domain", Value: name, Most: 253, Machine: true, Hint: "What stands after the @ in the addresses of your organization, such as company.com. A subdomain is a domain of its own."},
		Proof: s.proofField(proof),
	}, err
}

func (s *site) showNewDomain(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newDomainPage(r, v, "", domains.ByDNS)
	if err != nil {
		return err
	}
	p.Name.Focus = true
	return s.render(w, r, http.StatusOK, "domain-new", p)
}

// addDomain claims a domain. What proves it stands on its page.
func (s *site) addDomain(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	name, proof := form.Get("domain_name"), domains.Proof(form.Get("verification_type"))
	d, err := s.Domains.Add(r.Context(), v.Actor, v.Organization, name, proof)
	if err != nil {
		p, broken := s.newDomainPage(r, v, name, proof)
		if broken != nil {
			return broken
		}
		return s.again(w, r, "domain-new", p, err, &p.Name, &p.Proof)
	}
	return see(w, r, done(domainURL(d), "domain-added"))
}
