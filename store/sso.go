package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// LockOrganization stands with the organizations.
var _ sso.IdPStore = (*Store)(nil)

const noIdP = "There is no such authentication method."

// idpColumns are what AddIdP writes and scanIdP reads, in this order.
const idpColumns = `id, organization_id, account_id, name, enabled, state, base,
	entity_id, sso_url, binding, certificate_pem,
	digest_algorithm, signature_algorithm, variant, sign_requests, want_assertion_signed, request_authn_context,
	idp_login_allowed, join_groups,
	map_email, map_first_name, map_last_name, map_real_name, map_identity, map_groups,
	allow_sha1, allow_small_keys, token_max_age, token_extend_when_used, auto_join_group_id, idp_login_mode,
	allow_empty_reference, allow_no_recipient, force_authn, name_id_format,
	metadata_url, metadata_updates, metadata_certificate, slo_url, slo_response_url, slo_binding,
	sp_certificate, sp_key, created_at, updated_at, deleted_at, ` + rolloverColumns

// settingsFields are where the columns from entity_id to slo_binding go.
func settingsFields(s *sso.Settings) []any {
	return []any{
		&s.EntityID, &s.SSOURL, &s.Binding, &s.CertificatePEM,
		&s.DigestAlgorithm, &s.SignatureAlgorithm, &s.Variant, &s.SignRequests, &s.WantAssertionSigned, &s.RequestAuthnContext,
		&s.IdPLoginAllowed, &s.JoinGroups,
		&s.Mapping.Email, &s.Mapping.FirstName, &s.Mapping.LastName, &s.Mapping.RealName, &s.Mapping.Identity, &s.Mapping.Groups,
		&s.AllowSHA1, &s.AllowSmallKeys, seconds{&s.TokenMaxAge}, &s.TokenExtendWhenUsed, &s.AutoJoinGroupID, &s.IdPLoginMode,
		&s.AllowEmptyReference, &s.AllowNoRecipient, &s.ForceAuthn, &s.NameIDFormat,
		&s.IdPMetadataURL, &s.MetadataUpdates, &s.MetadataCertificatePEM, &s.IdPSLOURL, &s.IdPSLOResponseURL, &s.SLOBinding,
	}
}

// settingsValues are what stands in those columns.
func settingsValues(s sso.Settings) []any {
	return []any{
		s.EntityID, s.SSOURL, string(s.Binding), s.CertificatePEM,
		s.DigestAlgorithm, s.SignatureAlgorithm, s.Variant, s.SignRequests, s.WantAssertionSigned, s.RequestAuthnContext,
		s.IdPLoginAllowed, s.JoinGroups,
		s.Mapping.Email, s.Mapping.FirstName, s.Mapping.LastName, s.Mapping.RealName, s.Mapping.Identity, s.Mapping.Groups,
		s.AllowSHA1, s.AllowSmallKeys, int64(s.TokenMaxAge / time.Second), s.TokenExtendWhenUsed, s.AutoJoinGroupID, string(s.IdPLoginMode),
		s.AllowEmptyReference, s.AllowNoRecipient, s.ForceAuthn, s.NameIDFormat,
		s.IdPMetadataURL, string(s.MetadataUpdates), s.MetadataCertificatePEM, s.IdPSLOURL, s.IdPSLOResponseURL, string(s.SLOBinding),
	}
}

// AddIdP implements sso.IdPStore.
func (s *Store) AddIdP(ctx context.Context, i *sso.IdP) error {
	args := []any{i.ID, i.OrganizationID, i.AccountID, i.Name, i.Enabled, string(i.State), i.Base}
	args = append(args, settingsValues(i.Settings)...)
	args = append(args, i.SPCertificate, i.SPKey, stamp(i.CreatedAt), stamp(i.UpdatedAt), deletion(i))
	args = append(args, rolloverValues(i.Rollover)...)
	_, err := s.exec(ctx, `INSERT INTO idp (`+idpColumns+`) VALUES (`+dollars(len(args))+`)`, args...)
	return err
}

// dollars are $1, $2 and so on, n of them.
func dollars(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "$" + strconv.Itoa(i+1)
	}
	return strings.Join(list, ", ")
}

// UpdateIdP implements sso.IdPStore.
func (s *Store) UpdateIdP(ctx context.Context, i *sso.IdP) error {
	args := []any{i.ID, i.Name, i.Enabled, string(i.State), stamp(i.UpdatedAt), deletion(i)}
	args = append(args, settingsValues(i.Settings)...)
	return s.noting(ctx, gate.MethodKey(i.ID), func(ctx context.Context) error {
		err := s.change(ctx, fault.NotFound.Errorf(noIdP), `
			UPDATE idp SET name = $2, enabled = $3, state = $4, updated_at = $5, deleted_at = $6,
				entity_id = $7, sso_url = $8, binding = $9, certificate_pem = $10,
				digest_algorithm = $11, signature_algorithm = $12, variant = $13,
				sign_requests = $14, want_assertion_signed = $15, request_authn_context = $16,
				idp_login_allowed = $17, join_groups = $18,
				map_email = $19, map_first_name = $20, map_last_name = $21,
				map_real_name = $22, map_identity = $23, map_groups = $24,
				allow_sha1 = $25, allow_small_keys = $26,
				token_max_age = $27, token_extend_when_used = $28, auto_join_group_id = $29,
				idp_login_mode = $30, allow_empty_reference = $31, allow_no_recipient = $32,
				force_authn = $33, name_id_format = $34,
				metadata_url = $35, metadata_updates = $36, metadata_certificate = $37,
				slo_url = $38, slo_response_url = $39, slo_binding = $40
			WHERE id = $1`, args...)
		if err != nil || i.DeletedAt == nil {
			return err
		}
		for _, table := range []string{"domain_method", "idp_metadata", "idp_certificate"} {
			if _, err := s.exec(ctx, `DELETE FROM `+table+` WHERE method_id = $1`, i.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

func deletion(i *sso.IdP) any {
	if i.DeletedAt == nil {
		return nil
	}
	return stamp(*i.DeletedAt)
}

func (s *Store) readIdP(r row) (*sso.IdP, error) { return s.scanIdP(r) }

// scanIdP reads idpColumns, and the columns after them into more.
func (s *Store) scanIdP(r row, more ...any) (*sso.IdP, error) {
	var i sso.IdP
	var deleted time.Time
	fields := []any{&i.ID, &i.OrganizationID, &i.AccountID, &i.Name, &i.Enabled, &i.State, &i.Base}
	fields = append(fields, settingsFields(&i.Settings)...)
	fields = append(fields, &i.SPCertificate, &i.SPKey, moment{&i.CreatedAt}, moment{&i.UpdatedAt}, moment{&deleted})
	fields = append(fields, rolloverFields(&i.Rollover)...)
	fields = append(fields, more...)
	if err := r.Scan(fields...); err != nil {
		return nil, err
	}
	if !deleted.IsZero() {
		i.DeletedAt = &deleted
	}
	if i.CertificatePEM == "" {
		return &i, nil
	}
	var err error
	if i.Certificates, err = s.parsed.parse(i.CertificatePEM); err != nil {
		// They were read when they were written. It is no fault of who asks.
		return nil, fmt.Errorf("read certificates of %s: %v", i.ID, err)
	}
	return &i, nil
}

// IdP implements sso.IdPStore.
func (s *Store) IdP(ctx context.Context, id string) (*sso.IdP, error) {
	i, err := one(ctx, s, s.readIdP, `SELECT `+idpColumns+` FROM idp WHERE id = $1`, id)
	return i, missing(err, noIdP)
}

// IdPOf implements sso.IdPStore.
func (s *Store) IdPOf(ctx context.Context, accountID, id string) (*sso.IdP, error) {
	i, err := one(ctx, s, s.readIdP,
		`SELECT `+idpColumns+` FROM idp WHERE id = $1 AND account_id = $2 AND deleted_at IS NULL`, id, accountID)
	return i, missing(err, noIdP)
}

// IdPsOf implements sso.IdPStore.
func (s *Store) IdPsOf(ctx context.Context, accountID string) ([]*sso.IdP, error) {
	return all(ctx, s, s.readIdP, `
		SELECT `+idpColumns+` FROM idp
		WHERE account_id = $1 AND deleted_at IS NULL
		ORDER BY created_at, id`, accountID)
}

// CountIdPs implements sso.IdPStore.
func (s *Store) CountIdPs(ctx context.Context, organizationID string) (live, ever int, err error) {
	_, err = one(ctx, s, func(r row) (struct{}, error) { return struct{}{}, r.Scan(&live, &ever) },
		`SELECT count(*) FILTER (WHERE deleted_at IS NULL), count(*) FROM idp WHERE organization_id = $1`, organizationID)
	return live, ever, err
}
