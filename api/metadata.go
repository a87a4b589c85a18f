package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

func (b *builder) addMetadata() {
	const one = "/v1/account/{account_id}/authentication/{method_id}/metadata-refresh"
	s := b.server
	add(b, operation{"AccountAuthenticationMethodMetadataGet", http.MethodGet, one, "Show how an identity provider's metadata stands to what is set", account.ReadIdPs}, s.getMetadata)
	add(b, operation{"AccountAuthenticationMethodMetadataRefresh", http.MethodPost, one, "Fetch an identity provider's metadata now", account.WriteIdPs}, s.refreshMetadata)
	add(b, operation{"AccountAuthenticationMethodMetadataApply", http.MethodPost, one + "/apply", "Take over the change that waits for approval", account.WriteIdPs}, s.applyMetadata)
	add(b, operation{"AccountAuthenticationMethodMetadataDiscard", http.MethodDelete, one, "Discard the change that waits for approval", account.WriteIdPs}, s.discardMetadata)
}

// A certificateInfo is what people want to know of a certificate.
type certificateInfo struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Fingerprint string    `json:"fingerprint_sha256" doc:"In hexadecimal."`
	NotBefore   time.Time `json:"not_valid_before"`
	NotAfter    time.Time `json:"not_valid_after"`
}

func newCertificateInfo(c sso.CertificateInfo) certificateInfo {
	return certificateInfo{c.Subject, c.Issuer, c.Fingerprint, c.NotBefore, c.NotAfter}
}

func newCertificateInfos(i *sso.IdP) []certificateInfo {
	out := []certificateInfo{}
	for _, c := range i.CertificateInfos() {
		out = append(out, newCertificateInfo(c))
	}
	return out
}

// A certificateWarning says that a certificate ends soon, or has ended.
type certificateWarning struct {
	Side  string `json:"certificate" enum:"identity_provider,service_provider" doc:"Whose it is: the identity provider's, which signs logins, or ours towards it."`
	Stage string `json:"within" enum:"30_days,7_days,1_day,expired"`

	Subject     string    `json:"subject"`
	Fingerprint string    `json:"fingerprint_sha256" doc:"In hexadecimal."`
	NotAfter    time.Time `json:"not_valid_after"`

	Until *time.Time `json:"another_valid_until" doc:"When another certificate of the same side ends that is set as well and lasts longer; null: there is none."`
}

func newCertificateWarnings(i *sso.IdP, now time.Time) []certificateWarning {
	out := []certificateWarning{}
	for _, w := range i.CertificateWarnings(now) {
		out = append(out, certificateWarning{
			Side: string(w.Side), Stage: string(w.Stage), Subject: w.Subject, Fingerprint: w.Fingerprint, NotAfter: w.NotAfter, Until: timeOrNull(w.Until),
		})
	}
	return out
}

// A metadataState is how the metadata of an identity provider stands.
type metadataState struct {
	URL         *string           `json:"saml_idp_metadata_url" doc:"null: none is fetched."`
	Updates     string            `json:"saml_metadata_updates" enum:"approve,apply"`
	State       string            `json:"state" enum:"off,never_fetched,ok,failing" doc:"off: there is no address."`
	CheckedAt   *time.Time        `json:"checked_at" doc:"When a fetch ended last."`
	SucceededAt *time.Time        `json:"succeeded_at" doc:"When one worked last."`
	NextAt      *time.Time        `json:"next_at" doc:"When it is fetched next."`
	Since       *time.Time        `json:"failing_since"`
	Failure     *string           `json:"failure" doc:"Why the last fetch failed; null: it worked. What is set stays."`
	Code        *string           `json:"failure_code" doc:"The same for programs."`
	Pending     *metadataProposal `json:"pending" doc:"The change that waits for approval; null: none does."`
}

type metadataProposal struct {
	_       struct{}         `nullable:"true"`
	ID      string           `json:"pending_id" doc:"Of this very change: naming it keeps another one from being approved."`
	FoundAt time.Time        `json:"found_at"`
	Changes []metadataChange `json:"changes"`
}

type metadataChange struct {
	Field       string           `json:"field" enum:"saml_idp_url,saml_request_binding,saml_certificate,saml_idp_slo_url,saml_idp_slo_response_url,saml_slo_binding" doc:"Of certificates, one entry for each that comes or goes."`
	Before      *string          `json:"before" doc:"In words; null: there is nothing."`
	After       *string          `json:"after" doc:"In words; null: there will be nothing."`
	Certificate *certificateInfo `json:"certificate,omitempty" doc:"The one that comes or goes."`
}

type metadataAnswer struct {
	Metadata metadataState `json:"metadata_refresh"`
}

type fetchedMetadataAnswer struct {
	Outcome  string        `json:"outcome" enum:"unchanged,held,applied,failed,superseded" doc:"unchanged: the metadata says what is set. held: it says something else, which waits for approval. applied: it said something else, which is set now. failed: nothing was learned, and nothing changes. superseded: somebody changed the settings meanwhile."`
	Metadata metadataState `json:"metadata_refresh"`
}

// newMetadataState shows what is known of an identity provider's metadata.
func newMetadataState(i *sso.IdP, r sso.Refresh) (metadataState, error) {
	m := metadataState{
		URL: orNull(i.IdPMetadataURL), Updates: string(i.MetadataUpdates), State: "ok",
		CheckedAt: timeOrNull(r.CheckedAt), SucceededAt: timeOrNull(r.SucceededAt), NextAt: timeOrNull(r.DueAt), Since: timeOrNull(r.FailingSince),
		Failure: orNull(r.Failure), Code: orNull(r.FailureCode),
	}
	switch {
	case i.IdPMetadataURL == "":
		return metadataState{Updates: m.Updates, State: "off"}, nil
	case r.CheckedAt.IsZero():
		m.State = "never_fetched"
	case r.Failures > 0:
		m.State = "failing"
	}
	if r.Pending == nil {
		return m, nil
	}
	difference, err := i.Difference(r.Pending.To)
	if err != nil {
		return m, err
	}
	m.Pending = &metadataProposal{ID: r.Pending.ID, FoundAt: moment(r.Pending.FoundAt), Changes: []metadataChange{}}
	for _, d := range difference {
		c := metadataChange{Field: d.Field, Before: orNull(d.Before), After: orNull(d.After)}
		if d.Certificate != nil {
			info := newCertificateInfo(*d.Certificate)
			c.Certificate = &info
		}
		m.Pending.Changes = append(m.Pending.Changes, c)
	}
	return m, nil
}

// followed finds an authentication method for an operation on its metadata.
func (s *Server) followed(ctx context.Context, v gate.Visit, id string) (*sso.IdP, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	i, err := s.IdPs.Get(ctx, v.Organization, id)
	if err == nil && s.IdPs.Refreshes == nil {
		err = fault.NotFound.Errorf("This server fetches no metadata.")
	}
	return i, err
}

// stateOf gives how the metadata stands.
func (s *Server) stateOf(ctx context.Context, i *sso.IdP) (*metadataAnswer, error) {
	r, err := s.IdPs.Refreshes.State(ctx, i)
	if err != nil {
		return nil, err
	}
	m, err := newMetadataState(i, r)
	return &metadataAnswer{m}, err
}

func (s *Server) getMetadata(ctx context.Context, v gate.Visit, in *struct{ MethodPath }) (*metadataAnswer, error) {
	i, err := s.followed(ctx, v, in.MethodID)
	if err != nil {
		return nil, err
	}
	return s.stateOf(ctx, i)
}

func (s *Server) refreshMetadata(ctx context.Context, v gate.Visit, in *struct{ MethodPath }) (*fetchedMetadataAnswer, error) {
	i, err := s.followed(ctx, v, in.MethodID)
	if err != nil {
		return nil, err
	}
	_, outcome, err := s.IdPs.Refreshes.Refresh(ctx, v.Actor, i)
	if err != nil {
		return nil, err
	}
	if i, err = s.followed(ctx, v, in.MethodID); err != nil {
		return nil, err
	}
	now, err := s.stateOf(ctx, i)
	if err != nil {
		return nil, err
	}
	return &fetchedMetadataAnswer{string(outcome), now.Metadata}, nil
}

type applyMetadataInput struct {
	MethodPath
	Body struct {
		ID *string `json:"pending_id,omitempty" nullable:"true" maxLength:"64" doc:"The change that was looked at; left out: whichever waits."`
	} `nameHint:"AuthenticationMethodMetadataApplyRequest"`
}

func (s *Server) applyMetadata(ctx context.Context, v gate.Visit, in *applyMetadataInput) (*methodAnswer, error) {
	i, err := s.followed(ctx, v, in.MethodID)
	if err != nil {
		return nil, err
	}
	if i, err = s.IdPs.Refreshes.Apply(ctx, v.Actor, i, text(in.Body.ID)); err != nil {
		return nil, err
	}
	return &methodAnswer{s.newMethod(i)}, nil
}

type discardMetadataInput struct {
	MethodPath
	ID string `query:"pending_id" maxLength:"64" doc:"The change that was looked at; left out: whichever waits."`
}

func (s *Server) discardMetadata(ctx context.Context, v gate.Visit, in *discardMetadataInput) (*said, error) {
	i, err := s.followed(ctx, v, in.MethodID)
	if err != nil {
		return nil, err
	}
	if err := s.IdPs.Refreshes.Discard(ctx, v.Actor, i, in.ID); err != nil {
		return nil, err
	}
	return &said{"The change is discarded. It is brought again only if the metadata changes once more, or somebody fetches it by hand."}, nil
}

// sayChoices lists the identity providers of metadata that holds several.
func (f *failureItem) sayChoices(err error) {
	var several *sso.SeveralIdPs
	if errors.As(err, &several) {
		f.EntityIDs = several.EntityIDs
	}
}
