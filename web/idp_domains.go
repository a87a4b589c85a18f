package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/sso"
)

// mostLinked is how many domains one form links.
const mostLinked = 200

// domainsOf tells the claims that an identity provider is linked to from those
// that it could be linked to.
func (s *site) domainsOf(r *http.Request, v gate.Visit, i *sso.IdP) (linked, others []domainView, err error) {
	all, err := s.viewDomains(r.Context(), v.Organization)
	for _, d := range all {
		switch {
		case slices.Contains(d.Methods, i.ID):
			linked = append(linked, d)
		case d.State != domains.Lost:
			others = append(others, d)
		}
	}
	return linked, others, err
}

// linkDomains lets an identity provider speak for domains, from its own page
// or from a step of its set-up: for all of them, or for none.
func (s *site) linkDomains(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	ids := form["domain_id"]
	if len(ids) > mostLinked {
		ids = ids[:mostLinked]
	}
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	err = s.Domains.Store.Tx(r.Context(), func(ctx context.Context) error {
		return s.Domains.LinkAll(ctx, v.Actor, v.Organization, i.ID, ids)
	})
	if err != nil {
		return notLinked(v, err)
	}
	message := "domains-linked"
	if len(ids) == 0 {
		message = "domains-none"
	}
	if form.Get("vendor") == "" {
		return see(w, r, done(idpURL(i), message))
	}
	return see(w, r, withQuery(idpURL(i)+"/setup", url.Values{"step": {"5"}, "vendor": {string(vendorBy(form.Get("vendor")).ID)}, "done": {message}}))
}

// unlinkDomains ends that for one domain.
func (s *site) unlinkDomains(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	if err := s.Domains.Unlink(r.Context(), v.Actor, v.Organization, i.ID, form.Get("domain_id")); err != nil {
		return notLinked(v, err)
	}
	return see(w, r, done(idpURL(i), "domain-unlinked"))
}
