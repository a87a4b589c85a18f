package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"gatehouse/account"
	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/sso"
)

// A domainView is a claim to a domain as its administrators see it.
type domainView struct {
	domains.Domain
	URL       string // of its page
	Record    string // the name of the TXT record that proves it
	Page      string // the address of the file that proves it
	Status    status
	Missing   bool // verified, and its record is not there any more
	Ends      moment
	EndsOn    string // the day on which the claim ends, where the record is missing
	Added     moment
	Verified  moment // zero: never
	Checked   moment // zero: never
	Providers []idpView
}

func (s *site) viewDomain(d domains.Domain, all []*sso.IdP) domainView {
	v := domainView{Domain: d, URL: domainURL(d), Record: s.Domains.Record(d), Page: s.Domains.Page(d), Added: s.moment(d.CreatedAt)}
	if ends := d.EndsAt(); !ends.IsZero() {
		v.Missing, v.Ends, v.EndsOn = true, s.moment(ends), dayWords(ends)
	}
	if !d.VerifiedAt.IsZero() {
		v.Verified = s.moment(d.VerifiedAt)
	}
	if !d.CheckedAt.IsZero() {
		v.Checked = s.moment(d.CheckedAt)
	}
	v.Status = statusOfDomain(v)
	for _, id := range d.Methods {
		if i := slices.IndexFunc(all, func(i *sso.IdP) bool { return i.ID == id }); i >= 0 {
			v.Providers = append(v.Providers, s.viewIdP(all[i]))
		}
	}
	return v
}

func statusOfDomain(v domainView) status {
	switch {
	case v.Missing:
		return status{"Verified, record missing", "wait"}
	case v.State == domains.Verified:
		return status{"Verified", "ok"}
	case v.State == domains.Lost:
		return status{"Lost", "bad"}
	}
	return status{"Not verified", "wait"}
}

// dayWords is a day as people write it.
func dayWords(t time.Time) string { return t.UTC().Format("2 January 2006") }

// Owned reports whether the claim is verified.
func (v domainView) Owned() bool { return v.State == domains.Verified }

// WasLost reports whether the claim was verified once, and ended.
func (v domainView) WasLost() bool { return v.State == domains.Lost }

// ByPage reports whether a web page proves the claim.
func (v domainView) ByPage() bool { return v.Proof == domains.ByHTTP }

// Copy makes a value to copy, for the part "copy".
func (v domainView) Copy(id, label, hint, value string) copyable {
	return copyable{"copy-" + id, label, hint, value}
}

// domain finds the claim that a console path names, in the visitor's
// organization alone, and the organization's identity providers.
func (s *site) domain(r *http.Request, v gate.Visit) (domainView, []*sso.IdP, error) {
	d, err := s.Domains.Get(r.Context(), v.Organization, r.PathValue("domain"))
	if err != nil {
		return domainView{}, nil, err
	}
	all, err := s.IdPs.List(r.Context(), v.Organization)
	if err != nil {
		return domainView{}, nil, err
	}
	return s.viewDomain(d, all), all, nil
}

// viewDomains lists an organization's claims, by name.
func (s *site) viewDomains(ctx context.Context, o account.Organization) ([]domainView, error) {
	list, err := s.Domains.List(ctx, o)
	if err != nil {
		return nil, err
	}
	all, err := s.IdPs.List(ctx, o)
	if err != nil {
		return nil, err
	}
	views := make([]domainView, len(list))
	for n, d := range list {
		views[n] = s.viewDomain(d, all)
	}
	return views, nil
}

// domainsURL is the list of an organization's domains.
func domainsURL(o account.Organization) string { return organizationURL(o) + "/domains" }

// domainURL is a domain's page.
func domainURL(d domains.Domain) string {
	return "/organization/" + d.OrganizationID + "/domains/" + d.ID
}
