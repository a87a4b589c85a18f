package sso

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/fetch"
	"gatehouse/internal/limit"
	"gatehouse/internal/mail"
)

// RefreshStore is what Refreshes needs of storage.
type RefreshStore interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// LockOrganization, IdP and UpdateIdP are as in IdPStore.
	LockOrganization(ctx context.Context, id string) error
	IdP(ctx context.Context, id string) (*IdP, error)
	UpdateIdP(ctx context.Context, i *IdP) error

	// Refresh gives what is known of an identity provider's metadata; of one
	// that nothing is known of, a Refresh with its id alone.
	Refresh(ctx context.Context, methodID string) (Refresh, error)

	// SaveRefresh keeps it in place of what was known.
	SaveRefresh(ctx context.Context, r Refresh) error

	// DueRefreshes gives the ids of up to most identity providers that are not
	// deleted and whose metadata is to be fetched at now, those first that
	// waited longest: those never fetched from their present address among
	// them.
	DueRefreshes(ctx context.Context, now time.Time, most int) ([]string, error)

	AdministratorStore
}

// AdministratorStore finds who is mailed about an organization.
type AdministratorStore interface {
	// Administrators gives an organization's name, and the proved addresses of
	// up to most of its active super admins. It returns fault.NotFound if there
	// is no such organization.
	Administrators(ctx context.Context, organizationID string, most int) (name string, addresses []string, err error)
}

// Pages fetch what stands at an address, as fetch.Client does.
type Pages interface {
	Get(ctx context.Context, address string) (fetch.Page, error)
}

// Mailer queues mail, in the transaction of the context if there is one.
type Mailer interface {
	Queue(ctx context.Context, m mail.Message) error
}

// NewMetadataClient makes what metadata is fetched with.
func NewMetadataClient(userAgent string) *fetch.Client {
	return &fetch.Client{Most: MostFetched, Within: fetchWithin, UserAgent: userAgent}
}

const fetchWithin = 10 * time.Second

// fetches bounds what an organization can have this server ask of others.
var fetches = limit.Rule{Name: "fetches of metadata", Burst: 20, Every: 30 * time.Second}

// Refreshes keep the settings of identity providers as their metadata says.
//
// What is fetched is compared with what is set. A change of certificates, of
// the addresses for logins and logouts or of their bindings waits for an administrator's yes, or is applied
// at once, as the method says. A fetch that fails takes nothing away; a last
// certificate never goes; the entity id stays.
type Refreshes struct {
	Store  RefreshStore
	Pages  Pages
	Limits limit.Limiter
	Mail   Mailer // nil: no mail is sent
	Base   string // the public URL, without a slash at the end
	Now    func() time.Time
	Audit  *audit.Log
}

// State gives what is known of an identity provider's metadata.
func (s *Refreshes) State(ctx context.Context, i *IdP) (Refresh, error) {
	r, err := s.Store.Refresh(ctx, i.ID)
	if err != nil {
		return r, fmt.Errorf("find refresh of %s: %w", i.ID, err)
	}
	return r.of(i), nil
}

// fetch reads the metadata of an IdP at its address, and proves it where it has
// to be signed. Of several IdPs it takes the one with the entity id chosen. It
// returns fault.Invalid at saml_idp_metadata_url.
func (s *Refreshes) fetch(ctx context.Context, i *IdP, chosen string) (IdPMetadata, error) {
	page, err := s.Pages.Get(ctx, i.IdPMetadataURL)
	if err != nil {
		if ctx.Err() != nil {
			return IdPMetadata{}, ctx.Err()
		}
		return IdPMetadata{}, notFetched(err)
	}
	now := s.Now()
	text := page.Body
	if i.MetadataCertificatePEM != "" {
		certificates, err := checkMetadataCertificates(i.MetadataCertificatePEM)
		if err != nil {
			return IdPMetadata{}, err
		}
		if text, err = provenMetadata(text, certificates, now); err != nil {
			return IdPMetadata{}, asFetched(err)
		}
	}
	m, err := parseMetadata(text, MostFetched, chosen, now)
	return m, asFetched(err)
}

// notFetched says why nothing was fetched.
func notFetched(err error) error {
	says := "it cannot be fetched"
	var failed *fetch.Error
	if errors.As(err, &failed) {
		says = failed.Says
	}
	return fault.Invalid.Errorf("The metadata cannot be fetched: %s.", says).At("saml_idp_metadata_url").Coded("metadata_not_fetched").Because(err)
}

// Refresh fetches the metadata of an identity provider now, because somebody
// asks for it. It returns fault.Conflict if there is no address, and
// fault.TooMany; that the fetch fails is an outcome, and no error.
func (s *Refreshes) Refresh(ctx context.Context, by account.Actor, i *IdP) (Refresh, Outcome, error) {
	if i.IdPMetadataURL == "" {
		return Refresh{}, "", fault.Conflict.Errorf("The authentication method has no address that its metadata is fetched from: set saml_idp_metadata_url.").Coded("metadata_url_not_set")
	}
	if err := s.Limits.Take(ctx, fetches, i.OrganizationID); err != nil {
		return Refresh{}, "", err
	}
	return s.refresh(ctx, i, &by)
}

// refresh fetches, and keeps what came of it unless it was overtaken. by is who
// asked for it; nil: its time had come.
func (s *Refreshes) refresh(ctx context.Context, i *IdP, by *account.Actor) (Refresh, Outcome, error) {
	known, err := s.State(ctx, i)
	if err != nil {
		return known, "", err
	}
	var found Trust
	m, failed := s.fetch(ctx, i, i.EntityID)
	if ctx.Err() != nil {
		return known, "", ctx.Err() // a fetch that our own end cut off shows nothing
	}
	if failed == nil {
		found, failed = i.trustIn(m, s.Base)
		failed = asFetched(failed)
	}
	var out Refresh
	var outcome Outcome
	err = s.Store.Tx(ctx, func(ctx context.Context) error {
		now, was, err := s.locked(ctx, i)
		if err != nil {
			return err
		}
		if now.State == Deleted || now.basis() != i.basis() || !was.CheckedAt.Equal(known.CheckedAt) {
			out, outcome = was, Superseded
			return nil
		}
		if out, outcome, err = was.after(now, found, failed, s.Now(), by != nil); err != nil {
			return err
		}
		return s.keep(ctx, now, found, was, &out, outcome, by)
	})
	if err != nil {
		return Refresh{}, "", fmt.Errorf("refresh %s: %w", i.ID, err)
	}
	return out, outcome, nil
}

// locked reads an identity provider, and what is known of its metadata, while
// nobody else changes anything of the organization.
func (s *Refreshes) locked(ctx context.Context, i *IdP) (*IdP, Refresh, error) {
	if err := s.Store.LockOrganization(ctx, i.OrganizationID); err != nil {
		return nil, Refresh{}, err
	}
	now, err := s.Store.IdP(ctx, i.ID)
	if err != nil {
		return nil, Refresh{}, err
	}
	r, err := s.State(ctx, now)
	return now, r, err
}

// keep keeps what came of a fetch, and tells of it.
func (s *Refreshes) keep(ctx context.Context, i *IdP, found Trust, was Refresh, r *Refresh, outcome Outcome, by *account.Actor) error {
	details := audit.Details{"url": i.IdPMetadataURL, "outcome": string(outcome)}
	if outcome == Failed {
		details["why"] = r.Failure
	}
	told, err := s.tellOf(ctx, i, found, was, r, outcome)
	if err != nil {
		return err
	}
	if told > 0 {
		details["mails"] = fmt.Sprint(told)
	}
	if err := s.Store.SaveRefresh(ctx, *r); err != nil {
		return err
	}
	failingAnew := (was.Failures == 0) != (r.Failures == 0)
	if by != nil || failingAnew || told > 0 && outcome == Failed {
		if err := s.Audit.Record(ctx, event(by, audit.IdPMetadataFetch, i, details)); err != nil {
			return err
		}
	}
	switch {
	case outcome == Applied:
		return s.set(ctx, i, found, by)
	case outcome == Held && (was.Pending == nil || was.Pending.ID != r.Pending.ID):
		return s.Audit.Record(ctx, event(by, audit.IdPMetadataHold, i, trustDetails(i, found)))
	}
	return nil
}

// set sets what metadata says, and records it.
func (s *Refreshes) set(ctx context.Context, i *IdP, to Trust, by *account.Actor) error {
	details := trustDetails(i, to)
	if err := i.trust(to); err != nil {
		return err
	}
	i.UpdatedAt = s.Now()
	if err := s.Store.UpdateIdP(ctx, i); err != nil {
		return err
	}
	return s.Audit.Record(ctx, event(by, audit.IdPMetadataApply, i, details))
}

// trustDetails say what changes, before and after, as idp.update does.
func trustDetails(i *IdP, to Trust) audit.Details {
	details := audit.Details{}
	after := *i
	after.SSOURL, after.Binding = to.SSOURL, to.Binding
	after.IdPSLOURL, after.IdPSLOResponseURL, after.SLOBinding = to.SLOURL, to.SLOResponseURL, to.SLOBinding
	if list, err := ParseCertificates(to.CertificatePEM); err == nil {
		after.Certificates = list
	}
	old := settingsTexts(i)
	for name, value := range settingsTexts(&after) {
		details.Changed(name, old[name], value)
	}
	return details
}

// event begins the event of something that somebody did, or that was done
// because its time had come.
func event(by *account.Actor, action string, i *IdP, details audit.Details) audit.Event {
	if by != nil {
		return by.Did(action, i.OrganizationID, i.Target(), details)
	}
	return audit.Event{OrganizationID: i.OrganizationID, Actor: audit.Actor{Name: audit.BySchedule}, Action: action, Target: i.Target(), Details: details}
}

// Apply sets what waits for a yes. id is that of the proposal which was looked
// at; empty: whichever there is. It returns fault.Conflict if there is none, if
// it is another one, or if the settings were changed since.
func (s *Refreshes) Apply(ctx context.Context, by account.Actor, i *IdP, id string) (*IdP, error) {
	var out *IdP
	err := s.decide(ctx, i, id, func(ctx context.Context, now *IdP, r Refresh) error {
		out = now
		return s.set(ctx, now, r.Pending.To, &by)
	})
	return out, err
}

// Discard refuses what waits for a yes: the daily look does not bring the same
// again. id and errors are as with Apply.
func (s *Refreshes) Discard(ctx context.Context, by account.Actor, i *IdP, id string) error {
	return s.decide(ctx, i, id, func(ctx context.Context, now *IdP, r Refresh) error {
		return s.Audit.Record(ctx, event(&by, audit.IdPMetadataDiscard, now, trustDetails(now, r.Pending.To)))
	})
}

// decide takes the proposal away and does with it what somebody decided.
func (s *Refreshes) decide(ctx context.Context, i *IdP, id string, do func(ctx context.Context, now *IdP, r Refresh) error) error {
	err := s.Store.Tx(ctx, func(ctx context.Context) error {
		now, r, err := s.locked(ctx, i)
		switch {
		case err != nil:
			return err
		case r.Pending == nil:
			return fault.Conflict.Errorf("No change waits for approval. It may have been approved or discarded, or the settings were changed since: fetch the metadata again.").Coded("metadata_no_pending_change")
		case id != "" && id != r.Pending.ID:
			return fault.Conflict.Errorf("Another change waits for approval than the one that you looked at. Look at it first.").At("pending_id").Coded("metadata_other_pending_change")
		}
		after := r
		after.Pending, after.Discarded = nil, r.Pending.ID
		if err := s.Store.SaveRefresh(ctx, after); err != nil {
			return err
		}
		return do(ctx, now, r)
	})
	if err != nil {
		return fmt.Errorf("decide on metadata of %s: %w", i.ID, err)
	}
	return nil
}
