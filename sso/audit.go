package sso

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strconv"
	"strings"

	"gatehouse/account"
	"gatehouse/audit"
)

// Target is an identity provider to which something is done.
func (i *IdP) Target() audit.Target {
	return audit.Target{Kind: "authentication_method", ID: i.ID, Name: i.Name}
}

// changes gives the events of what became of an identity provider: what was
// set, and, by an action of its own, whether it lets people in. Whatever
// somebody asked for leaves one event at least.
func changes(by account.Actor, before, after *IdP) []audit.Event {
	did := func(action string, d audit.Details) audit.Event {
		return by.Did(action, after.OrganizationID, after.Target(), d)
	}
	if after.State == Deleted {
		return []audit.Event{did(audit.IdPDelete, nil)}
	}
	details := audit.Details{}
	old := settingsTexts(before)
	for name, value := range settingsTexts(after) {
		details.Changed(name, old[name], value)
	}
	var events []audit.Event
	if len(details) > 0 || before.Enabled == after.Enabled {
		events = append(events, did(audit.IdPUpdate, details))
	}
	if !before.Enabled && after.Enabled {
		events = append(events, did(audit.IdPEnable, nil))
	}
	if before.Enabled && !after.Enabled {
		events = append(events, did(audit.IdPDisable, nil))
	}
	return events
}

// fingerprintsOf names certificates as events do.
func fingerprintsOf(list []*x509.Certificate) string {
	fingerprints := make([]string, len(list))
	for n, c := range list {
		sum := sha256.Sum256(c.Raw)
		fingerprints[n] = "sha256 " + hex.EncodeToString(sum[:])
	}
	return strings.Join(fingerprints, ", ")
}

// metadataCertificates are what an IdP's metadata has to be signed by; they
// were read before they were set.
func metadataCertificates(i *IdP) []*x509.Certificate {
	list, err := ParseCertificates(i.MetadataCertificatePEM)
	if err != nil {
		return nil
	}
	return list
}

// settingsTexts says what is set of an identity provider, by the API's names.
func settingsTexts(i *IdP) map[string]string {
	return map[string]string{
		"authentication_method_name":           i.Name,
		"state":                                string(i.State),
		"saml_entity_id":                       i.EntityID,
		"saml_idp_url":                         i.SSOURL,
		"saml_request_binding":                 string(i.Binding),
		"saml_certificate":                     fingerprintsOf(i.Certificates),
		"saml_idp_metadata_url":                i.IdPMetadataURL,
		"saml_metadata_updates":                string(i.MetadataUpdates),
		"saml_metadata_certificate":            fingerprintsOf(metadataCertificates(i)),
		"saml_digest_algorithm":                i.DigestAlgorithm,
		"saml_signature_algorithm":             i.SignatureAlgorithm,
		"saml_variant":                         i.Variant,
		"saml_idp_slo_url":                     i.IdPSLOURL,
		"saml_idp_slo_response_url":            i.IdPSLOResponseURL,
		"saml_slo_binding":                     string(i.SLOBinding),
		"saml_authn_requests_signed_enabled":   strconv.FormatBool(i.SignRequests),
		"saml_assertion_signed_enabled":        strconv.FormatBool(i.WantAssertionSigned),
		"saml_requested_authn_context_enabled": strconv.FormatBool(i.RequestAuthnContext),
		"saml_idp_login_allowed":               strconv.FormatBool(i.IdPLoginAllowed),
		"saml_idp_login_mode":                  string(i.IdPLoginMode),
		"saml_join_groups":                     strconv.FormatBool(i.JoinGroups),
		"saml_field_mapping.email":             i.Mapping.Email,
		"saml_field_mapping.first_name":        i.Mapping.FirstName,
		"saml_field_mapping.last_name":         i.Mapping.LastName,
		"saml_field_mapping.real_name":         i.Mapping.RealName,
		"saml_field_mapping.identity":          i.Mapping.Identity,
		"saml_field_mapping.groups":            i.Mapping.Groups,
		"saml_force_authn":                     strconv.FormatBool(i.ForceAuthn),
		"saml_name_id_format":                  i.NameIDFormat,
		"saml_allow_empty_reference":           strconv.FormatBool(i.AllowEmptyReference),
		"saml_allow_no_recipient":              strconv.FormatBool(i.AllowNoRecipient),
		"saml_allow_sha1":                      strconv.FormatBool(i.AllowSHA1),
		"saml_allow_small_keys":                strconv.FormatBool(i.AllowSmallKeys),
		"auth_token_max_age_seconds":           strconv.FormatInt(int64(i.TokenMaxAge.Seconds()), 10),
		"auth_token_extend_when_used":          strconv.FormatBool(i.TokenExtendWhenUsed),
		"auto_join_user_group_id":              i.AutoJoinGroupID,
	}
}
