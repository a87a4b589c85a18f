package store

import (
	"context"
	"slices"
	"time"

	"gatehouse/sso"
)

var (
	_ sso.RefreshStore = (*Store)(nil)
	_ sso.EndingStore  = (*Store)(nil)
	_ sso.UseStore     = (*Store)(nil)
)

const refreshColumns = `method_id, url, due_at, checked_at, succeeded_at, failing_since, failures, warned, failure, failure_code,
	pending_id, pending_at, pending_basis, pending_sso_url, pending_binding, pending_certificates, discarded_id,
	pending_slo_url, pending_slo_response_url, pending_slo_binding`

func scanRefresh(r row) (f sso.Refresh, err error) {
	var p sso.Proposal
	err = r.Scan(&f.MethodID, &f.URL, moment{&f.DueAt}, moment{&f.CheckedAt}, moment{&f.SucceededAt}, moment{&f.FailingSince}, &f.Failures, &f.Warned, &f.Failure, &f.FailureCode,
		&p.ID, moment{&p.FoundAt}, &p.Basis, &p.To.SSOURL, &p.To.Binding, &p.To.CertificatePEM, &f.Discarded,
		&p.To.SLOURL, &p.To.SLOResponseURL, &p.To.SLOBinding)
	if p.ID != "" {
		f.Pending = &p
	}
	return f, err
}

// Refresh implements sso.RefreshStore.
func (s *Store) Refresh(ctx context.Context, methodID string) (sso.Refresh, error) {
	list, err := all(ctx, s, scanRefresh, `SELECT `+refreshColumns+` FROM idp_metadata WHERE method_id = $1`, methodID)
	if err != nil || len(list) == 0 {
		return sso.Refresh{MethodID: methodID}, err
	}
	return list[0], nil
}

// SaveRefresh implements sso.RefreshStore.
func (s *Store) SaveRefresh(ctx context.Context, r sso.Refresh) error {
	var p sso.Proposal
	if r.Pending != nil {
		p = *r.Pending
	}
	_, err := s.exec(ctx, `
		INSERT INTO idp_metadata (`+refreshColumns+`) VALUES (`+dollars(20)+`)
		ON CONFLICT (method_id) DO UPDATE SET url = excluded.url, due_at = excluded.due_at, checked_at = excluded.checked_at,
			succeeded_at = excluded.succeeded_at, failing_since = excluded.failing_since, failures = excluded.failures,
			warned = excluded.warned, failure = excluded.failure, failure_code = excluded.failure_code,
			pending_id = excluded.pending_id, pending_at = excluded.pending_at, pending_basis = excluded.pending_basis,
			pending_sso_url = excluded.pending_sso_url, pending_binding = excluded.pending_binding,
			pending_certificates = excluded.pending_certificates, discarded_id = excluded.discarded_id,
			pending_slo_url = excluded.pending_slo_url, pending_slo_response_url = excluded.pending_slo_response_url,
			pending_slo_binding = excluded.pending_slo_binding`,
		r.MethodID, r.URL, stamp(r.DueAt), stampOrNull(r.CheckedAt), stampOrNull(r.SucceededAt), stampOrNull(r.FailingSince), r.Failures, r.Warned, r.Failure, r.FailureCode,
		p.ID, stampOrNull(p.FoundAt), p.Basis, p.To.SSOURL, string(p.To.Binding), p.To.CertificatePEM, r.Discarded,
		p.To.SLOURL, p.To.SLOResponseURL, string(p.To.SLOBinding))
	return err
}

// DueRefreshes implements sso.RefreshStore.
func (s *Store) DueRefreshes(ctx context.Context, now time.Time, most int) ([]string, error) {
	return all(ctx, s, scanID, `
		SELECT i.id FROM idp i LEFT JOIN idp_metadata m ON m.method_id = i.id AND m.url = i.metadata_url
		WHERE i.metadata_url <> '' AND i.deleted_at IS NULL AND (m.due_at IS NULL OR m.due_at <= $1)
		ORDER BY COALESCE(m.due_at, i.created_at), i.id LIMIT $2`, stamp(now), most)
}

// AdmittingIdPs implements sso.EndingStore.
func (s *Store) AdmittingIdPs(ctx context.Context, after string, most int) ([]*sso.IdP, error) {
	return all(ctx, s, s.readIdP, `
		SELECT `+idpColumns+` FROM idp
		WHERE id > $1 AND enabled AND state = 'active' AND deleted_at IS NULL
		ORDER BY id LIMIT $2`, after, most)
}

// KnownCertificates implements sso.EndingStore.
func (s *Store) KnownCertificates(ctx context.Context, methodID string) ([]sso.KnownCertificate, error) {
	return all(ctx, s, func(r row) (k sso.KnownCertificate, err error) {
		return k, r.Scan(&k.Side, &k.Fingerprint, moment{&k.EndsAt}, moment{&k.FirstUsedAt}, &k.Told)
	}, `
		SELECT side, fingerprint, ends_at, first_used_at, told FROM idp_certificate
		WHERE method_id = $1 ORDER BY side, fingerprint`, methodID)
}

// SaveCertificates implements sso.EndingStore.
func (s *Store) SaveCertificates(ctx context.Context, methodID string, list []sso.KnownCertificate) error {
	return s.Tx(ctx, func(ctx context.Context) error {
		known, err := s.KnownCertificates(ctx, methodID)
		if err != nil {
			return err
		}
		for _, k := range known {
			if slices.ContainsFunc(list, func(o sso.KnownCertificate) bool { return o.Side == k.Side && o.Fingerprint == k.Fingerprint }) {
				continue
			}
			if _, err := s.exec(ctx, `DELETE FROM idp_certificate WHERE method_id = $1 AND side = $2 AND fingerprint = $3`, methodID, string(k.Side), k.Fingerprint); err != nil {
				return err
			}
		}
		for _, k := range list {
			if _, err := s.exec(ctx, `
				INSERT INTO idp_certificate (method_id, side, fingerprint, ends_at, first_used_at, told) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (method_id, side, fingerprint) DO UPDATE SET told = excluded.told`,
				methodID, string(k.Side), k.Fingerprint, stamp(k.EndsAt), stampOrNull(k.FirstUsedAt), string(k.Told)); err != nil {
				return err
			}
		}
		return nil
	})
}

// UseCertificate implements sso.UseStore.
func (s *Store) UseCertificate(ctx context.Context, methodID string, k sso.KnownCertificate) (bool, error) {
	n, err := s.exec(ctx, `
		INSERT INTO idp_certificate (method_id, side, fingerprint, ends_at, first_used_at, told) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (method_id, side, fingerprint) DO UPDATE SET first_used_at = excluded.first_used_at
			WHERE idp_certificate.first_used_at IS NULL`,
		methodID, string(k.Side), k.Fingerprint, stamp(k.EndsAt), stamp(k.FirstUsedAt), string(k.Told))
	return n > 0, err
}

// EndingCertificates counts the known certificates that end after one moment,
// and at another or before.
func (s *Store) EndingCertificates(ctx context.Context, after, until time.Time) (int, error) {
	return s.count(ctx, `SELECT count(*) FROM idp_certificate WHERE ends_at > $1 AND ends_at <= $2`, stamp(after), stamp(until))
}

// MetadataStates counts the identity providers whose metadata cannot be
// fetched, and those of which a change waits for approval.
func (s *Store) MetadataStates(ctx context.Context) (failing, held int, err error) {
	_, err = one(ctx, s, func(r row) (struct{}, error) { return struct{}{}, r.Scan(&failing, &held) },
		`SELECT count(*) FILTER (WHERE failing_since IS NOT NULL), count(*) FILTER (WHERE pending_id <> '') FROM idp_metadata`)
	return failing, held, err
}
