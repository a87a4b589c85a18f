package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// A metadataPage shows how the metadata of an identity provider stands to what
// is set, and decides on what waits.
type metadataPage struct {
	page
	IdP       idpView
	Followed  bool // there is an address
	Checked   moment
	Succeeded moment
	Next      moment
	Since     moment // the first of the failures in a row; zero: the last fetch worked
	Failure   string
	Pending   *pendingView // nil: nothing waits

	URL         field
	Entity      field // to choose from several; without options where there is nothing to choose
	Updates     field
	Certificate field
}

// A pendingView is a change that waits for approval.
type pendingView struct {
	ID      string
	Found   moment
	Changes []differenceView
}

// A differenceView is one row of a difference.
type differenceView struct {
	What          string
	Before, After string // empty: nothing
	Fingerprint   string // of a certificate that comes or goes
}

// changeWords name what may change.
var changeWords = map[string]string{
	"saml_idp_url":              "SSO URL",
	"saml_request_binding":      "How requests travel",
	"saml_certificate":          "Certificate",
	"saml_idp_slo_url":          "Logout URL",
	"saml_idp_slo_response_url": "Logout response URL",
	"saml_slo_binding":          "How logout requests travel",
}

func (s *site) newMetadataPage(r *http.Request, v gate.Visit, form url.Values) (*metadataPage, error) {
	i, err := s.idp(r, v)
	if err != nil {
		return nil, err
	}
	if s.IdPs.Refreshes == nil {
		return nil, fault.NotFound.Errorf("This server fetches no metadata.")
	}
	frame, err := s.console(r, v, "Metadata of "+i.Name, "identity-providers")
	if err != nil {
		return nil, err
	}
	p := &metadataPage{page: frame, IdP: s.viewIdP(i), Followed: i.IdPMetadataURL != ""}
	if err := s.fillMetadata(r, p, i); err != nil {
		return nil, err
	}
	if form == nil {
		form = url.Values{"saml_idp_metadata_url": {i.IdPMetadataURL}, "saml_metadata_updates": {string(i.MetadataUpdates)}, "saml_metadata_certificate": {i.MetadataCertificatePEM}}
	}
	p.URL = field{Name: "saml_idp_metadata_url", Label: "Address of the metadata", Type: "url", Most: 2048, Machine: true, Optional: p.Followed, Value: form.Get("saml_idp_metadata_url"),
		Hint: "Begins with https://. It is fetched now, and its values replace those that are set; then once a day. Empty it to end that: what is set stays."}
	p.Entity = field{Name: "saml_entity_id", Label: "Identity provider", Value: form.Get("saml_entity_id"), Hint: "The metadata describes several. Choose yours."}
	p.Updates = field{Name: "saml_metadata_updates", Label: "When the metadata changes", Value: cmp.Or(form.Get("saml_metadata_updates"), string(sso.HoldUpdates)), Choices: []choice{
		{string(sso.HoldUpdates), "Wait for approval", "Super admins are mailed, and one of them looks at the change here. If nobody does before the provider uses a new certificate, its logins fail."},
		{string(sso.ApplyUpdates), "Apply it at once", "Logins never wait for anybody. Whoever can change what stands at the address can log in as anybody of your organization."},
	}}
	p.Certificate = field{Name: "saml_metadata_certificate", Label: "Certificate that signs the metadata", Optional: true, Rows: 6, Machine: true, Value: form.Get("saml_metadata_certificate"),
		Hint: "In PEM form. If it is given, metadata that is not signed by it is refused. It must come from another place than the metadata itself."}
	return p, nil
}

// fillMetadata shows what is known, and what waits.
func (s *site) fillMetadata(r *http.Request, p *metadataPage, i *sso.IdP) error {
	known, err := s.IdPs.Refreshes.State(r.Context(), i)
	if err != nil {
		return err
	}
	if !known.CheckedAt.IsZero() {
		p.Checked, p.Next = s.moment(known.CheckedAt), s.moment(known.DueAt)
	}
	if !known.SucceededAt.IsZero() {
		p.Succeeded = s.moment(known.SucceededAt)
	}
	if known.Failures > 0 {
		p.Since, p.Failure = s.moment(known.FailingSince), known.Failure
	}
	if known.Pending == nil {
		return nil
	}
	difference, err := i.Difference(known.Pending.To)
	if err != nil {
		return err
	}
	p.Pending = &pendingView{ID: known.Pending.ID, Found: s.moment(known.Pending.FoundAt)}
	for _, d := range difference {
		c := differenceView{What: cmp.Or(changeWords[d.Field], d.Field), Before: d.Before, After: d.After}
		if d.Certificate != nil {
			c.Fingerprint = d.Certificate.Fingerprint
			words := d.Certificate.Subject + ", valid from " + d.Certificate.NotBefore.Format("2 January 2006") + " to " + d.Certificate.NotAfter.Format("2 January 2006")
			if d.Before != "" {
				c.Before = words
			} else {
				c.After = words
			}
		}
		p.Pending.Changes = append(p.Pending.Changes, c)
	}
	return nil
}

func (s *site) showMetadataPage(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newMetadataPage(r, v, nil)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "idp-metadata", p)
}

// saveMetadata sets where the metadata is, and what becomes of its changes.
func (s *site) saveMetadata(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	text := func(name string) *string { value := form.Get(name); return &value }
	i, err := s.IdPs.Update(r.Context(), v.Actor, v.Organization, r.PathValue("method"), sso.Change{
		IdPMetadataURL: text("saml_idp_metadata_url"), MetadataUpdates: text("saml_metadata_updates"), MetadataCertificate: text("saml_metadata_certificate"),
		EntityID: filled(form, "saml_entity_id"),
	})
	if err == nil {
		return see(w, r, done(idpURL(i)+"/metadata", "metadata-saved"))
	}
	return s.metadataAgain(w, r, v, form, err)
}

// metadataAgain shows the page with what went wrong. Where the metadata holds
// several identity providers, it offers them.
func (s *site) metadataAgain(w http.ResponseWriter, r *http.Request, v gate.Visit, form url.Values, refusal error) error {
	p, err := s.newMetadataPage(r, v, form)
	if err != nil {
		return err
	}
	var several *sso.SeveralIdPs
	if errors.As(refusal, &several) {
		p.Entity.Options = []option{{"", "Choose one"}}
		for _, id := range several.EntityIDs {
			p.Entity.Options = append(p.Entity.Options, option{id, id})
		}
		refusal = fault.Invalid.Errorf("The metadata describes %d identity providers. Choose yours.", len(several.EntityIDs)+several.More).At("saml_entity_id").Because(refusal)
	}
	return s.again(w, r, "idp-metadata", p, refusal, &p.URL, &p.Entity, &p.Updates, &p.Certificate)
}

// outcomeFlashes name the message after a fetch.
var outcomeFlashes = map[sso.Outcome]string{
	sso.Unchanged: "metadata-unchanged", sso.Held: "metadata-held", sso.Applied: "metadata-applied", sso.Superseded: "metadata-superseded",
}

func (s *site) fetchMetadata(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	if s.IdPs.Refreshes == nil {
		return fault.NotFound.Errorf("This server fetches no metadata.")
	}
	_, outcome, err := s.IdPs.Refreshes.Refresh(r.Context(), v.Actor, i)
	if err != nil {
		return s.metadataAgain(w, r, v, nil, err)
	}
	if flash, known := outcomeFlashes[outcome]; known {
		return see(w, r, done(idpURL(i)+"/metadata", flash))
	}
	return see(w, r, idpURL(i)+"/metadata") // it failed: the page says why
}

func (s *site) applyMetadata(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.decideMetadata(w, r, v, "metadata-applied", func(i *sso.IdP, id string) error {
		_, err := s.IdPs.Refreshes.Apply(r.Context(), v.Actor, i, id)
		return err
	})
}

func (s *site) discardMetadata(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.decideMetadata(w, r, v, "metadata-discarded", func(i *sso.IdP, id string) error {
		return s.IdPs.Refreshes.Discard(r.Context(), v.Actor, i, id)
	})
}

// decideMetadata takes the decision on the change that the page showed, and on
// no other.
func (s *site) decideMetadata(w http.ResponseWriter, r *http.Request, v gate.Visit, message string, do func(i *sso.IdP, id string) error) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	if s.IdPs.Refreshes == nil {
		return fault.NotFound.Errorf("This server fetches no metadata.")
	}
	id := strings.TrimSpace(form.Get("pending_id"))
	if id == "" {
		return fault.Invalid.Errorf("The form does not say which change it is about.")
	}
	if err := do(i, id); err != nil {
		return s.metadataAgain(w, r, v, nil, err)
	}
	return see(w, r, done(idpURL(i)+"/metadata", message))
}
