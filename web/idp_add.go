package web

import (
	"net/http"

	"gatehouse/gate"
	"gatehouse/sso"
)

// A newIdPPage asks for a name; the rest follows, guided.
type newIdPPage struct {
	page
	Name   field
	Vendor field
}

func idpNameField(value string) field {
	return field{
		Name: "authentication_method_name", Label: "Name", Value: value, Most: 128,
		Hint: "People see it on the login page. Call it what they call it, such as “Acme Okta”.",
	}
}

func (s *site) newIdPPage(r *http.Request, v gate.Visit, name, vendor string) (*newIdPPage, error) {
	frame, err := s.console(r, v, "Add identity provider", "identity-providers")
	p := &newIdPPage{page: frame, Name: idpNameField(name), Vendor: field{
		Name: "vendor", Label: "Product", Value: vendor, Options: vendorOptions(),
		Hint: "So that the next steps can use its words. Any SAML 2.0 product works.",
	}}
	return p, err
}

func (s *site) showNewIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newIdPPage(r, v, "", "")
	if err != nil {
		return err
	}
	p.Name.Focus = true
	return s.render(w, r, http.StatusOK, "idp-new", p)
}

// addIdP makes an identity provider that is pending, with its URLs: they are
// what the other side is configured with next.
func (s *site) addIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	name, vendor := form.Get("authentication_method_name"), string(vendorBy(form.Get("vendor")).ID)
	i, err := s.IdPs.Create(r.Context(), v.Actor, v.Organization, sso.New{Type: "saml", Change: sso.Change{Name: &name}})
	if err != nil {
		p, broken := s.newIdPPage(r, v, name, vendor)
		if broken != nil {
			return broken
		}
		return s.again(w, r, "idp-new", p, err, &p.Name)
	}
	return see(w, r, done(idpURL(i)+"/setup", "idp-added")+"&vendor="+vendor)
}
