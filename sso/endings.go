package sso

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/mail"
)

// A Side is whose certificate one is.
type Side string

// The two sides.
const (
	TheirSide Side = "identity_provider" // it signs assertions
	OurSide   Side = "service_provider"  // ours towards the IdP
)

// A Stage is how near the end of a certificate is.
type Stage string

// The stages, in their order. A certificate that lasts longer is at none.
const (
	Within30 Stage = "30_days"
	Within7  Stage = "7_days"
	Within1  Stage = "1_day"
	Over     Stage = "expired"
)

const day = 24 * time.Hour

// stageOf gives the stage of what ends at a moment; empty: at none.
func stageOf(end, now time.Time) Stage {
	switch left := end.Sub(now); {
	case left <= 0:
		return Over
	case left <= day:
		return Within1
	case left <= 7*day:
		return Within7
	case left <= 30*day:
		return Within30
	}
	return ""
}

// A CertificateWarning says that a certificate ends soon, or has ended. An
// assertion that its key signed is believed all the same: what is trusted is
// the key. But whoever runs the IdP is about to change it.
type CertificateWarning struct {
	Side Side
	CertificateInfo
	Stage Stage
	Until time.Time // when the one of that side ends that lasts longest, if it outlasts this one; else zero
}

// CertificateWarnings gives those of an IdP: of its certificates, and of ours
// for it.
func (i *IdP) CertificateWarnings(now time.Time) []CertificateWarning {
	var out []CertificateWarning
	for _, side := range []Side{TheirSide, OurSide} {
		list := i.certificatesOf(side)
		for _, c := range list {
			stage := stageOf(c.NotAfter, now)
			if stage == "" {
				continue
			}
			w := CertificateWarning{Side: side, CertificateInfo: infoOf(c), Stage: stage}
			if last := slices.MaxFunc(list, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) }); last.NotAfter.After(c.NotAfter) && last.NotAfter.After(now) {
				w.Until = last.NotAfter.UTC()
			}
			out = append(out, w)
		}
	}
	return out
}

// certificatesOf gives the certificates of a side that matter from now on: of
// ours not the previous ones, which go by themselves.
func (i *IdP) certificatesOf(side Side) []*x509.Certificate {
	if side == TheirSide {
		return i.Certificates
	}
	var out []*x509.Certificate
	for _, set := range []KeySet{i.present(), i.NextKeys} {
		if list, err := x509.ParseCertificates(set.Certificates); err == nil {
			out = append(out, list...)
		}
	}
	return out
}

// A KnownCertificate is what is remembered of a certificate of an IdP.
type KnownCertificate struct {
	Side        Side
	Fingerprint string    // SHA-256, in hexadecimal
	EndsAt      time.Time // UTC
	FirstUsedAt time.Time // when it signed an assertion first; zero: it has not
	Told        Stage     // of which administrators were told last; empty: of none
}

// EndingStore is what Endings needs of storage.
type EndingStore interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// LockOrganization and IdP are as in IdPStore.
	LockOrganization(ctx context.Context, id string) error
	IdP(ctx context.Context, id string) (*IdP, error)

	// AdmittingIdPs gives up to most identity providers of all organizations
	// that are enabled, active and not deleted, in the order of their ids, from
	// the one after an id on.
	AdmittingIdPs(ctx context.Context, after string, most int) ([]*IdP, error)

	// KnownCertificates lists what is remembered of an identity provider's
	// certificates, by side and fingerprint.
	KnownCertificates(ctx context.Context, methodID string) ([]KnownCertificate, error)

	// SaveCertificates remembers these in their place, and forgets others. It
	// leaves FirstUsedAt of one that is known as it is.
	SaveCertificates(ctx context.Context, methodID string, list []KnownCertificate) error

	AdministratorStore
}

// Endings warn of certificates that end.
type Endings struct {
	Store EndingStore
	Mail  Mailer // nil: no mail is sent
	Base  string // the public URL, without a slash at the end
	Now   func() time.Time
	Audit *audit.Log
}

// mostAtOnce is how many identity providers are read at a time.
const mostAtOnce = 200

// Check looks at the certificates of every identity provider that people come
// in through, and warns the administrators of its organization 30, 7 and 1 day
// before one ends, and once it has: once each. What was not looked at in time
// is warned of by what holds now.
func (s *Endings) Check(ctx context.Context) error {
	var failures []error
	after := ""
	for {
		list, err := s.Store.AdmittingIdPs(ctx, after, mostAtOnce)
		if err != nil {
			return fmt.Errorf("list identity providers: %w", err)
		}
		for _, i := range list {
			if err := s.check(ctx, i); err != nil && len(failures) < 5 {
				failures = append(failures, fmt.Errorf("look at certificates of %s: %w", i.ID, err))
			}
			after = i.ID
		}
		if len(list) < mostAtOnce || ctx.Err() != nil {
			return errors.Join(failures...)
		}
	}
}

// check looks at one identity provider. Most have nothing new: they are only
// read.
func (s *Endings) check(ctx context.Context, i *IdP) error {
	known, err := s.Store.KnownCertificates(ctx, i.ID)
	if err != nil {
		return err
	}
	if list, _ := remember(i, known, s.Now()); slices.Equal(list, known) {
		return nil
	}
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockOrganization(ctx, i.OrganizationID); err != nil {
			return err
		}
		i, err := s.Store.IdP(ctx, i.ID)
		if err != nil || !i.Admits() {
			return err
		}
		known, err := s.Store.KnownCertificates(ctx, i.ID)
		if err != nil {
			return err
		}
		list, news := remember(i, known, s.Now())
		if err := s.Store.SaveCertificates(ctx, i.ID, list); err != nil {
			return err
		}
		for _, w := range news {
			if err := s.warn(ctx, i, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// remember gives what is to be remembered of an IdP's certificates now, and
// what is to be told.
func remember(i *IdP, known []KnownCertificate, now time.Time) (list []KnownCertificate, news []CertificateWarning) {
	warnings := i.CertificateWarnings(now)
	for _, side := range []Side{TheirSide, OurSide} {
		for _, c := range i.certificatesOf(side) {
			k := KnownCertificate{Side: side, Fingerprint: infoOf(c).Fingerprint, EndsAt: c.NotAfter.UTC()}
			if n := slices.IndexFunc(known, func(o KnownCertificate) bool { return o.Side == side && o.Fingerprint == k.Fingerprint }); n >= 0 {
				k = known[n]
			}
			for _, w := range warnings {
				if w.Side == side && w.Fingerprint == k.Fingerprint && w.Stage != k.Told {
					k.Told = w.Stage
					news = append(news, w)
				}
			}
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b KnownCertificate) int {
		return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return list, news
}

// warn tells of one certificate.
func (s *Endings) warn(ctx context.Context, i *IdP, w CertificateWarning) error {
	told, err := tell(ctx, s.Store, s.Mail, i.OrganizationID, func(address, organization string) (mail.Message, error) {
		return mail.CertificateEnding{
			Host: hostOf(s.Base), Address: address, Organization: organization, Provider: i.Name,
			Ours: w.Side == OurSide, Fingerprint: w.Fingerprint, Ends: w.NotAfter, Over: w.Stage == Over, Until: w.Until, Link: pageOf(s.Base, i),
		}.Message()
	})
	if err != nil {
		return err
	}
	return s.Audit.Record(ctx, event(nil, audit.IdPCertificateEnding, i, audit.Details{
		"certificate": string(w.Side), "sha256": w.Fingerprint, "not_valid_after": w.NotAfter.Format(time.RFC3339),
		"stage": string(w.Stage), "mails": fmt.Sprint(told),
	}))
}
