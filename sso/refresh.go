package sso

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"gatehouse/internal/fault"
)

// An Updates says what becomes of a change that an IdP's metadata shows.
type Updates string

// The two ways. Whoever can write at the address of the metadata decides whom
// an IdP lets in where changes are applied by themselves.
const (
	HoldUpdates  Updates = "approve" // an administrator looks at it first
	ApplyUpdates Updates = "apply"   // it is applied at once
)

// The bounds of looking again.
const (
	refreshEvery = 24 * time.Hour
	firstRetry   = time.Hour          // doubled after each failure, up to refreshEvery
	failsTooLong = 3 * 24 * time.Hour // until it is mailed
)

// A Trust is what of an IdP's settings its metadata may change. Its entity id
// is no part of it: that never changes by itself. Where an IdP is told of
// logouts is followed once it is set.
type Trust struct {
	SSOURL         string
	Binding        Binding
	CertificatePEM string

	SLOURL         string
	SLOResponseURL string
	SLOBinding     Binding
}

// texts are all of it, in order.
func (t Trust) texts() []string {
	return []string{t.SSOURL, string(t.Binding), t.CertificatePEM, t.SLOURL, t.SLOResponseURL, string(t.SLOBinding)}
}

// trusted is what is set.
func (i *IdP) trusted() Trust {
	return Trust{i.SSOURL, i.Binding, i.CertificatePEM, i.IdPSLOURL, i.IdPSLOResponseURL, i.SLOBinding}
}

// A Proposal is a change that metadata shows and that waits for somebody's yes.
type Proposal struct {
	ID      string // of this very change of these very settings
	FoundAt time.Time
	Basis   string // of the settings that it would change
	To      Trust
}

// A Refresh is what is known of the metadata of one IdP at one address.
type Refresh struct {
	MethodID string
	URL      string    // that it was fetched from: of another one it says nothing
	DueAt    time.Time // when it is fetched next

	CheckedAt    time.Time // when a fetch ended last; zero: never
	SucceededAt  time.Time // when one worked last
	FailingSince time.Time // the first of the failures in a row; zero: the last one worked
	Failures     int       // in a row
	Warned       bool      // administrators were mailed about them
	Failure      string    // why the last one failed, a sentence; empty if it worked
	FailureCode  string    // the same for programs

	Pending   *Proposal // nil: none
	Discarded string    // the id of the proposal that an administrator refused
}

// An Outcome is what came of a fetch.
type Outcome string

// The outcomes.
const (
	Unchanged  Outcome = "unchanged"  // the metadata says what is set
	Held       Outcome = "held"       // it says something else, which waits for a yes
	Applied    Outcome = "applied"    // it said something else, which is set now
	Discarded  Outcome = "discarded"  // it says what somebody refused before
	Failed     Outcome = "failed"     // nothing was learned
	Superseded Outcome = "superseded" // somebody changed the settings meanwhile, or another fetch was faster
)

// basis names the settings that metadata is compared with, and where it comes
// from: a proposal that was made against others must not be applied.
func (i *IdP) basis() string {
	h := sha256.New()
	for _, part := range append([]string{i.IdPMetadataURL, i.MetadataCertificatePEM, i.EntityID}, i.trusted().texts()...) {
		fmt.Fprintf(h, "%d %s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// propose makes a proposal of what was found.
func (i *IdP) propose(to Trust, now time.Time) *Proposal {
	p := &Proposal{FoundAt: now, Basis: i.basis(), To: to}
	h := sha256.New()
	for _, part := range append([]string{p.Basis}, to.texts()...) {
		fmt.Fprintf(h, "%d %s", len(part), part)
	}
	p.ID = hex.EncodeToString(h.Sum(nil)[:8])
	return p
}

// trustIn takes what metadata says of this IdP. The binding stays as long as it
// is offered. It returns fault.Conflict if the metadata is another IdP's, and
// fault.Invalid for what cannot be set.
func (i *IdP) trustIn(m IdPMetadata, base string) (Trust, error) {
	if m.EntityID != i.EntityID {
		return Trust{}, entityChanged(i, m)
	}
	address, binding := m.SSO(i.Binding)
	if address == "" {
		address, binding = m.SSO("")
	}
	t := i.logoutIn(m)
	t.SSOURL, t.Binding, t.CertificatePEM = address, binding, encodeCertificates(m.Certificates)
	for _, address := range []string{t.SSOURL, t.SLOURL, t.SLOResponseURL} {
		if address == "" {
			continue
		}
		target, err := parseSSOURL(address)
		if err == nil {
			err = checkTarget(target, base, i.Base)
		}
		if err != nil {
			return Trust{}, err
		}
	}
	return t, checkKeySizes(m.Certificates, i.AllowSmallKeys)
}

// logoutIn takes where this IdP is told of logouts, by the binding that is set
// as long as it is offered. Where none is set, somebody may have wanted it so;
// where none is offered, what is set stays.
func (i *IdP) logoutIn(m IdPMetadata) Trust {
	t := Trust{SLOURL: i.IdPSLOURL, SLOResponseURL: i.IdPSLOResponseURL, SLOBinding: i.SLOBinding}
	if i.IdPSLOURL == "" || len(m.Logout) == 0 {
		return t
	}
	site := m.Logout[0]
	for _, other := range m.Logout {
		if other.Binding == i.SLOBinding {
			site = other
			break
		}
	}
	t.SLOURL, t.SLOResponseURL, t.SLOBinding = site.URL, site.ResponseURL, site.Binding
	return t
}

func entityChanged(i *IdP, m IdPMetadata) error {
	return fault.Conflict.Errorf("The metadata is that of another identity provider: its entity ID is %s, and this one's is %s. It never changes by itself: if the provider has a new one, set it by hand.", clip(m.EntityID), clip(i.EntityID)).
		At("saml_entity_id").Coded("entity_id_changed")
}

// trust sets what metadata says.
func (i *IdP) trust(t Trust) error {
	certificates, err := ParseCertificates(t.CertificatePEM)
	if err != nil {
		return err
	}
	if err := checkKeySizes(certificates, i.AllowSmallKeys); err != nil {
		return err
	}
	if len(certificates) == 0 || t.SSOURL == "" {
		return fault.Conflict.Errorf("A configured authentication method needs a certificate and an SSO URL.")
	}
	i.SSOURL, i.Binding, i.CertificatePEM, i.Certificates = t.SSOURL, t.Binding, t.CertificatePEM, certificates
	i.IdPSLOURL, i.IdPSLOResponseURL, i.SLOBinding = t.SLOURL, t.SLOResponseURL, t.SLOBinding
	return nil
}

// A FieldChange is one difference between what is set and what metadata says.
type FieldChange struct {
	Field         string // as the API names it
	Before, After string // in words; empty: there was, or will be, nothing

	// Certificate is the one that comes or goes, where that is the difference.
	Certificate *CertificateInfo
}

// Difference says what would change: addresses, the binding, and each
// certificate that comes or goes.
func (i *IdP) Difference(to Trust) ([]FieldChange, error) {
	certificates, err := ParseCertificates(to.CertificatePEM)
	if err != nil {
		return nil, err
	}
	var out []FieldChange
	for _, f := range []FieldChange{
		{Field: "saml_idp_url", Before: i.SSOURL, After: to.SSOURL},
		{Field: "saml_request_binding", Before: string(i.Binding), After: string(to.Binding)},
		{Field: "saml_idp_slo_url", Before: i.IdPSLOURL, After: to.SLOURL},
		{Field: "saml_idp_slo_response_url", Before: i.IdPSLOResponseURL, After: to.SLOResponseURL},
		{Field: "saml_slo_binding", Before: string(i.SLOBinding), After: string(to.SLOBinding)},
	} {
		if f.Before != f.After {
			out = append(out, f)
		}
	}
	for _, c := range without(i.Certificates, certificates) {
		info := infoOf(c)
		out = append(out, FieldChange{Field: "saml_certificate", Before: info.String(), Certificate: &info})
	}
	for _, c := range without(certificates, i.Certificates) {
		info := infoOf(c)
		out = append(out, FieldChange{Field: "saml_certificate", After: info.String(), Certificate: &info})
	}
	return out, nil
}

// after says what is known after a fetch, and what came of it. Where it is
// Applied, the caller sets what was found.
func (r Refresh) after(i *IdP, found Trust, failed error, now time.Time, byHand bool) (Refresh, Outcome, error) {
	r.MethodID, r.URL, r.CheckedAt = i.ID, i.IdPMetadataURL, now
	if failed != nil {
		return r.afterFailure(failed, now), Failed, nil
	}
	r.SucceededAt, r.DueAt = now, now.Add(refreshEvery+spread(i.ID))
	r.FailingSince, r.Failures, r.Warned, r.Failure, r.FailureCode = time.Time{}, 0, false, "", ""
	difference, err := i.Difference(found)
	if err != nil {
		return r, Failed, err
	}
	was := r.Pending
	r.Pending = nil
	if len(difference) == 0 {
		r.Discarded = ""
		return r, Unchanged, nil
	}
	p := i.propose(found, now)
	switch {
	case i.MetadataUpdates == ApplyUpdates:
		r.Discarded = ""
		return r, Applied, nil
	case p.ID == r.Discarded && !byHand:
		return r, Discarded, nil
	case was != nil && was.ID == p.ID:
		p.FoundAt = was.FoundAt
	}
	r.Pending, r.Discarded = p, ""
	return r, Held, nil
}

// afterFailure keeps what is there: silence takes nothing away.
func (r Refresh) afterFailure(failed error, now time.Time) Refresh {
	f := fault.Of(failed)
	r.Failure, r.FailureCode = f.Message, f.Code
	if f.Kind == fault.Internal {
		r.FailureCode = "internal_server_error"
	}
	if r.FailingSince.IsZero() {
		r.FailingSince = now
	}
	r.Failures++
	pause := refreshEvery
	if r.Failures < 6 {
		pause = firstRetry << (r.Failures - 1)
	}
	r.DueAt = now.Add(pause)
	return r
}

// tooLong says whether administrators are to be mailed that fetches fail.
func (r Refresh) tooLong(now time.Time) bool {
	return !r.Warned && !r.FailingSince.IsZero() && now.Sub(r.FailingSince) >= failsTooLong
}

// of gives what is known of an IdP as it is set now: what was learned of
// another address, or proposed for other settings, is left out.
func (r Refresh) of(i *IdP) Refresh {
	if r.URL != i.IdPMetadataURL {
		return Refresh{MethodID: i.ID, URL: i.IdPMetadataURL}
	}
	if r.Pending != nil && r.Pending.Basis != i.basis() {
		r.Pending = nil
	}
	return r
}

// spread moves the fetches of many IdPs, made in one go, apart: by up to half
// an hour, always the same for one.
func spread(id string) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(id))
	return time.Duration(h.Sum32()%1800) * time.Second
}

// applyRefreshes sets where metadata is fetched from, and what becomes of it.
func (c Change) applyRefreshes(i *IdP) error {
	if c.IdPMetadataURL != nil {
		i.IdPMetadataURL = strings.TrimSpace(*c.IdPMetadataURL)
		if i.IdPMetadataURL != "" {
			if _, err := parseSSOURL(i.IdPMetadataURL); err != nil {
				return fault.Of(err).At("saml_idp_metadata_url")
			}
		}
	}
	if c.MetadataUpdates != nil {
		switch u := Updates(*c.MetadataUpdates); u {
		case "":
			i.MetadataUpdates = HoldUpdates
		case HoldUpdates, ApplyUpdates:
			i.MetadataUpdates = u
		default:
			return fault.Invalid.Errorf("Say %s or %s, or leave it out.", HoldUpdates, ApplyUpdates).At("saml_metadata_updates")
		}
	}
	if c.MetadataCertificate != nil {
		i.MetadataCertificatePEM = strings.TrimSpace(*c.MetadataCertificate)
		if _, err := checkMetadataCertificates(i.MetadataCertificatePEM); err != nil {
			return err
		}
	}
	return nil
}
