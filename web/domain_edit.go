package web

import (
	"context"
	"net/http"
	"net/url"

	"gatehouse/account"
	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

// saveProof changes how a domain is to be proved.
func (s *site) saveProof(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	proof := domains.Proof(form.Get("verification_type"))
	d, err := s.Domains.Update(r.Context(), v.Actor, v.Organization, r.PathValue("domain"), proof)
	if err != nil {
		p, broken := s.newDomainShowPage(r, v)
		if broken != nil {
			return broken
		}
		return s.again(w, r, "domain", p, err, &p.Proof)
	}
	return see(w, r, done(domainURL(d), "domain-saved"))
}

// A relinking links an identity provider to a domain, or ends that.
type relinking func(ctx context.Context, by account.Actor, o account.Organization, methodID, idOrName string) error

// linkDomain lets an identity provider speak for a domain, from the domain's
// page.
func (s *site) linkDomain(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.relinkDomain(w, r, v, s.Domains.Link, "domain-linked")
}

// unlinkDomain ends that.
func (s *site) unlinkDomain(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.relinkDomain(w, r, v, s.Domains.Unlink, "domain-unlinked")
}

func (s *site) relinkDomain(w http.ResponseWriter, r *http.Request, v gate.Visit, do relinking, message string) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	id := r.PathValue("domain")
	if err := do(r.Context(), v.Actor, v.Organization, form.Get("authentication_method_id"), id); err != nil {
		return notLinked(v, err)
	}
	return see(w, r, done(domainsURL(v.Organization)+"/"+url.PathEscape(id), message))
}

// notLinked says what of a link is not there.
func notLinked(v gate.Visit, err error) error {
	if fault.Of(err).Code == "authentication_method_not_found" {
		return notHere(v, err)
	}
	return err
}
