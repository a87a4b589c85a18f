package web

import (
	"net/http"
	"net/url"
	"strings"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// A setupPage guides through connecting an identity provider: one step is
// open at a time, and each can be linked to.
type setupPage struct {
	page
	IdP     idpView
	Step    int
	Vendor  vendor
	Vendors []option

	Metadata     field
	EntityID     field
	SSOURL       field
	Certificates field
	ByHand       bool // the single fields are open

	Domains []domainView // that it speaks for, once they are verified
	Others  []domainView // that it could speak for too
}

// lastStep is the number of steps.
const lastStep = 5

func (s *site) newSetupPage(r *http.Request, v gate.Visit, i *sso.IdP) (*setupPage, error) {
	frame, err := s.console(r, v, "Set up "+i.Name, "identity-providers")
	p := &setupPage{
		page:         frame,
		IdP:          s.viewIdP(i),
		Step:         stepOf(r.URL.Query().Get("step"), i),
		Vendor:       vendorOf(r.URL.Query().Get("vendor"), i),
		Vendors:      vendorOptions(),
		Metadata:     field{Name: "saml_idp_metadata", Label: "Metadata of the identity provider", Hint: "The whole XML document, pasted.", Rows: 8, Machine: true},
		EntityID:     field{Name: "saml_entity_id", Label: "Entity ID", Hint: "Also called issuer.", Most: 2048, Machine: true},
		SSOURL:       field{Name: "saml_idp_url", Label: "SSO URL", Hint: "Where people log in. Also called login URL or single sign-on endpoint.", Type: "url", Most: 2048, Machine: true},
		Certificates: field{Name: "saml_certificate", Label: "Signing certificate", Hint: "In PEM form. During a change of certificates, paste both.", Rows: 8, Machine: true},
	}
	p.csp.script = true
	if err != nil {
		return nil, err
	}
	p.Domains, p.Others, err = s.domainsOf(r, v, i)
	return p, err
}

// stepOf is the step that is asked for; else the first that is not done.
func stepOf(asked string, i *sso.IdP) int {
	if len(asked) == 1 && asked >= "1" && asked <= "5" {
		return int(asked[0] - '0')
	}
	if i.State == sso.Active {
		return lastStep
	}
	return 1
}

// URL is where a step is.
func (p *setupPage) URL(step string) string {
	return withQuery(p.IdP.URL+"/setup", url.Values{"step": {step}, "vendor": {string(p.Vendor.ID)}})
}

func (s *site) showSetup(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	p, err := s.newSetupPage(r, v, i)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "idp-setup", p)
}

// saveSetup takes the identity provider's side: its metadata, or the single
// values where it has none to give.
func (s *site) saveSetup(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostMetadata)
	if err != nil {
		return err
	}
	before, err := s.idp(r, v)
	if err != nil {
		return err
	}
	i, err := before, missing(form)
	if err == nil {
		i, err = s.IdPs.Update(r.Context(), v.Actor, v.Organization, before.ID, setupChange(form))
	}
	if err != nil {
		return s.setupAgain(w, r, v, before, form, err)
	}
	message := "idp-updated"
	if before.State == sso.Pending {
		message = "idp-configured"
	}
	to := url.Values{"step": {"4"}, "vendor": {string(vendorBy(r.URL.Query().Get("vendor")).ID)}, "done": {message}}
	return see(w, r, withQuery(idpURL(i)+"/setup", to))
}

// setupChange reads the form of step 3.
func setupChange(form url.Values) sso.Change {
	return sso.Change{
		Metadata:     filled(form, "saml_idp_metadata"),
		EntityID:     filled(form, "saml_entity_id"),
		SSOURL:       filled(form, "saml_idp_url"),
		Certificates: filled(form, "saml_certificate"),
	}
}

// setupAgain shows step 3 as it was typed, with what is wrong.
func (s *site) setupAgain(w http.ResponseWriter, r *http.Request, v gate.Visit, i *sso.IdP, form url.Values, err error) error {
	p, broken := s.newSetupPage(r, v, i)
	if broken != nil {
		return broken
	}
	p.Step = 3
	p.Metadata.Value, p.EntityID.Value = form.Get("saml_idp_metadata"), form.Get("saml_entity_id")
	p.SSOURL.Value, p.Certificates.Value = form.Get("saml_idp_url"), form.Get("saml_certificate")
	p.ByHand = p.EntityID.Value+p.SSOURL.Value+p.Certificates.Value != ""
	return s.again(w, r, "idp-setup", p, err, &p.Metadata, &p.EntityID, &p.SSOURL, &p.Certificates)
}

// filled gives a field of a form, or nil where nothing was typed: in these
// forms that leaves what there is.
func filled(form url.Values, name string) *string {
	value := form.Get(name)
	if strings.TrimSpace(value) == "" {
		return nil
	}
	return &value
}

// missing says what a set-up form lacks, at the first field that it lacks.
func missing(form url.Values) error {
	empty := func(name string) bool { return strings.TrimSpace(form.Get(name)) == "" }
	if !empty("saml_idp_metadata") {
		return nil
	}
	single := []struct{ name, text string }{
		{"saml_entity_id", "Type the identity provider's entity ID."},
		{"saml_idp_url", "Type the URL where people log in."},
		{"saml_certificate", "Paste the certificate that the identity provider signs with."},
	}
	if empty(single[0].name) && empty(single[1].name) && empty(single[2].name) {
		return fault.Invalid.Errorf("Paste the metadata, or open “Type the values instead” and fill them in.").At("saml_idp_metadata")
	}
	for _, f := range single {
		if empty(f.name) {
			return fault.Invalid.Errorf("%s", f.text).At(f.name)
		}
	}
	return nil
}
