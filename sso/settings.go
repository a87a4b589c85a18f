package sso

import (
	"slices"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

// The limits of settings, as the API promises them.
const (
	mostName         = 128 // characters
	mostMapped       = 256 // characters of an attribute's name
	leastTokenMaxAge = 300
	mostTokenMaxAge  = 1296000 // seconds: 15 days
)

// NameIDFormats are the formats that requests can ask for (SAML Core, 8.3). A
// transient name is none of them: it identifies nobody the next time.
var NameIDFormats = []string{
	"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
	"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
	"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
}

// A Change says what to set of an identity provider. A nil field stays. The
// API's name of each field, which errors use, stands beside it.
type Change struct {
	Name    *string // authentication_method_name, 1 to 128 characters
	Enabled *bool   // authentication_method_enabled

	EntityID     *string // saml_entity_id
	SSOURL       *string // saml_idp_url: https, or http on a loopback host
	Certificates *string // saml_certificate: as ParseCertificates takes it
	Binding      *string // saml_request_binding: redirect or post
	Metadata     *string // saml_idp_metadata: says these four at once, and the next three where it can

	SLOURL         *string // saml_idp_slo_url: as saml_idp_url, or empty
	SLOResponseURL *string // saml_idp_slo_response_url: as saml_idp_url, or empty
	SLOBinding     *string // saml_slo_binding: redirect, post or soap

	DigestAlgorithm     *string // saml_digest_algorithm
	SignatureAlgorithm  *string // saml_signature_algorithm
	Variant             *string // saml_variant
	SignRequests        *bool   // saml_authn_requests_signed_enabled
	WantAssertionSigned *bool   // saml_assertion_signed_enabled
	RequestAuthnContext *bool   // saml_requested_authn_context_enabled
	ForceAuthn          *bool   // saml_force_authn
	NameIDFormat        *string // saml_name_id_format: one of NameIDFormats, or empty

	IdPLoginAllowed *bool    // saml_idp_login_allowed
	IdPLoginMode    *string  // saml_idp_login_mode: bounce or accept
	JoinGroups      *bool    // saml_join_groups
	Mapping         *Mapping // saml_field_mapping: the whole mapping anew
	AllowSHA1       *bool    // saml_allow_sha1
	AllowSmallKeys  *bool    // saml_allow_small_keys

	AllowEmptyReference *bool // saml_allow_empty_reference
	AllowNoRecipient    *bool // saml_allow_no_recipient

	IdPMetadataURL      *string // saml_idp_metadata_url: where it is fetched from, now and each day; empty: nowhere
	MetadataUpdates     *string // saml_metadata_updates: apply or approve
	MetadataCertificate *string // saml_metadata_certificate: that fetched metadata has to be signed by; empty: by none

	TokenMaxAge         *int     // auth_token_max_age_seconds, 300 to 1296000
	TokenExtendWhenUsed *bool    // auth_token_extend_when_used
	AutoJoinGroupID     *string  // auto_join_user_group_id
	LinkedDomains       []string // linked_domains: ids
	SCIMEnabled         *bool    // scim_enabled

	Ending Ending // of a change that disables it
}

// An Ending says who lets nobody in through an identity provider any more.
type Ending struct {
	Through string // am…: the identity provider of their own session; empty for none
	Force   bool   // also if nobody could administer the organization any more
}

// withMetadata writes what pasted metadata says into the single fields, which
// must not say otherwise; of several identity providers EntityID chooses one.
// It touches no storage, so that long metadata is read before anything is
// locked.
func (c Change) withMetadata(now time.Time) (Change, error) {
	if c.Metadata == nil || strings.TrimSpace(*c.Metadata) == "" {
		return c, nil
	}
	chosen := ""
	if c.EntityID != nil {
		chosen = *c.EntityID
	}
	m, err := ParseIdPMetadata([]byte(*c.Metadata), chosen, now)
	if err != nil {
		return c, err
	}
	return c.saying(m)
}

// saying writes what metadata says into the single fields.
func (c Change) saying(m IdPMetadata) (Change, error) {
	address, binding, err := c.chooseSSO(m)
	if err != nil {
		return c, err
	}
	for _, f := range []struct {
		field string
		typed *string
		says  string
	}{{"saml_entity_id", c.EntityID, m.EntityID}, {"saml_idp_url", c.SSOURL, address}} {
		if f.typed != nil && strings.TrimSpace(*f.typed) != "" && strings.TrimSpace(*f.typed) != f.says {
			return c, disagrees(f.field, f.says)
		}
	}
	if c.Certificates != nil && strings.TrimSpace(*c.Certificates) != "" {
		typed, err := ParseCertificates(*c.Certificates)
		if err != nil {
			return c, err
		}
		if !sameCertificates(typed, m.Certificates) {
			return c, disagrees("saml_certificate", "other certificates")
		}
	}
	certificates, b := encodeCertificates(m.Certificates), string(binding)
	c.EntityID, c.SSOURL, c.Binding, c.Certificates = &m.EntityID, &address, &b, &certificates
	c = c.withLogout(m)
	if c.SignRequests == nil && m.WantsSignedRequests {
		c.SignRequests = &m.WantsSignedRequests
	}
	return c, nil
}

// chooseSSO gives where requests go by the metadata and by the binding that
// the change asks for, if it asks for one.
func (c Change) chooseSSO(m IdPMetadata) (string, Binding, error) {
	wanted := Binding("")
	if c.Binding != nil {
		wanted = Binding(*c.Binding)
	}
	switch wanted {
	case "", Redirect, Post:
	default:
		return "", "", fault.Invalid.Errorf("Say %s or %s, or leave it out.", Redirect, Post).At("saml_request_binding")
	}
	address, binding := m.SSO(wanted)
	if address == "" {
		return "", "", disagrees("saml_request_binding", "that the identity provider does not offer it")
	}
	return address, binding, nil
}

func disagrees(field, says string) error {
	return fault.Invalid.Errorf("The metadata says %s. Leave this field out, or make the two agree.", clip(says)).At(field)
}

// apply makes the change. After an error i is neither the old one nor the new.
func (c Change) apply(i *IdP) error {
	if err := c.applyRefreshes(i); err != nil {
		return err
	}
	for _, f := range []struct{ from, to *bool }{
		{c.SignRequests, &i.SignRequests},
		{c.WantAssertionSigned, &i.WantAssertionSigned},
		{c.RequestAuthnContext, &i.RequestAuthnContext},
		{c.ForceAuthn, &i.ForceAuthn},
		{c.IdPLoginAllowed, &i.IdPLoginAllowed},
		{c.JoinGroups, &i.JoinGroups},
		{c.AllowSHA1, &i.AllowSHA1},
		{c.AllowSmallKeys, &i.AllowSmallKeys},
		{c.AllowEmptyReference, &i.AllowEmptyReference},
		{c.AllowNoRecipient, &i.AllowNoRecipient},
		{c.TokenExtendWhenUsed, &i.TokenExtendWhenUsed},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	for _, step := range []func(*IdP) error{c.applyName, c.applyTrust, c.applyLogout, c.applyRequests, c.applyMapping, c.applyTokens, c.applyState} {
		if err := step(i); err != nil {
			return err
		}
	}
	return nil
}

func (c Change) applyName(i *IdP) error {
	if c.Name == nil {
		return nil
	}
	name, err := account.CleanText(*c.Name, "authentication_method_name", mostName)
	if err == nil && name == "" {
		err = fault.Invalid.Errorf("Give the authentication method a name.").At("authentication_method_name")
	}
	i.Name = name
	return err
}

// applyTrust sets who the IdP is and how it is known.
func (c Change) applyTrust(i *IdP) error {
	for _, f := range []struct {
		field string
		from  *string
		to    *string
		check func(string) error
	}{
		{"saml_entity_id", c.EntityID, &i.EntityID, checkEntityID},
		{"saml_idp_url", c.SSOURL, &i.SSOURL, func(s string) error { _, err := parseSSOURL(s); return err }},
		{"saml_certificate", c.Certificates, &i.CertificatePEM, func(s string) (err error) {
			i.Certificates, err = ParseCertificates(s)
			return err
		}},
	} {
		if f.from == nil {
			continue
		}
		value := strings.TrimSpace(*f.from)
		*f.to = value
		if value == "" {
			// A method that works would stop to without anybody having said so.
			if i.State == Active {
				return fault.Invalid.Errorf("A configured authentication method needs this. Replace it, or disable the method.").At(f.field)
			}
			continue
		}
		if err := f.check(value); err != nil {
			return fault.Of(err).At(f.field)
		}
	}
	if i.CertificatePEM == "" {
		i.Certificates = nil
	}
	return checkKeySizes(i.Certificates, i.AllowSmallKeys)
}

// applyRequests sets how our requests are written. An empty text means the
// default, which is first in each list.
func (c Change) applyRequests(i *IdP) error {
	binding, mode := string(i.Binding), string(i.IdPLoginMode)
	for _, f := range []struct {
		field   string
		from    *string
		to      *string
		allowed []string
	}{
		{"saml_request_binding", c.Binding, &binding, []string{string(Redirect), string(Post)}},
		{"saml_idp_login_mode", c.IdPLoginMode, &mode, []string{string(Bounce), string(Accept)}},
		{"saml_digest_algorithm", c.DigestAlgorithm, &i.DigestAlgorithm, []string{"sha256", "sha1", "sha384", "sha512"}},
		{"saml_signature_algorithm", c.SignatureAlgorithm, &i.SignatureAlgorithm, i.Algorithms()},
		{"saml_variant", c.Variant, &i.Variant, []string{"", "adfs"}},
		{"saml_name_id_format", c.NameIDFormat, &i.NameIDFormat, append([]string{""}, NameIDFormats...)},
	} {
		if f.from == nil {
			continue
		}
		switch {
		case *f.from == "":
			*f.to = f.allowed[0]
		case slices.Contains(f.allowed, *f.from):
			*f.to = *f.from
		case f.to == &i.SignatureAlgorithm && signatureAlgorithms[*f.from].uri != "":
			return i.misfit().At(f.field)
		case *f.from == "dsa-sha1":
			return fault.Invalid.Errorf("DSA is not offered: our keys are RSA or ECDSA keys.").At(f.field)
		default:
			return fault.Invalid.Errorf("Say %s, or leave it out.", strings.Join(slices.DeleteFunc(f.allowed, func(s string) bool { return s == "" }), ", ")).At(f.field)
		}
	}
	i.Binding, i.IdPLoginMode = Binding(binding), LoginMode(mode)
	return nil
}

func (c Change) applyMapping(i *IdP) error {
	if c.Mapping == nil {
		return nil
	}
	m := *c.Mapping
	for _, f := range []struct {
		field string
		name  *string
	}{
		{"email", &m.Email},
		{"first_name", &m.FirstName},
		{"last_name", &m.LastName},
		{"real_name", &m.RealName},
		{"identity", &m.Identity},
		{"groups", &m.Groups},
	} {
		clean, err := account.CleanText(*f.name, "saml_field_mapping."+f.field, mostMapped)
		if err != nil {
			return err
		}
		*f.name = clean
	}
	i.Mapping = m
	return nil
}

// applyTokens sets what a login through the IdP yields, and refuses what there
// is nothing for: provisioning.
func (c Change) applyTokens(i *IdP) error {
	switch {
	case c.TokenMaxAge != nil && (*c.TokenMaxAge < leastTokenMaxAge || *c.TokenMaxAge > mostTokenMaxAge):
		return fault.Invalid.Errorf("Say a number of seconds from %d to %d.", leastTokenMaxAge, mostTokenMaxAge).At("auth_token_max_age_seconds")
	case c.SCIMEnabled != nil && *c.SCIMEnabled:
		return fault.Invalid.Errorf("Provisioning by SCIM is not offered. Say false, or leave it out.").At("scim_enabled")
	}
	if c.AutoJoinGroupID != nil {
		i.AutoJoinGroupID = *c.AutoJoinGroupID
	}
	if c.TokenMaxAge != nil {
		i.TokenMaxAge = time.Duration(*c.TokenMaxAge) * time.Second
	}
	return nil
}

// applyState follows from the rest: a method becomes active when it is
// complete, and is enabled then unless the same change says otherwise.
func (c Change) applyState(i *IdP) error {
	var missing []string
	if i.EntityID == "" {
		missing = append(missing, "saml_entity_id")
	}
	if i.SSOURL == "" {
		missing = append(missing, "saml_idp_url")
	}
	if len(i.Certificates) == 0 {
		missing = append(missing, "saml_certificate")
	}
	if len(missing) > 0 {
		if c.Enabled != nil && *c.Enabled {
			return fault.Conflict.Errorf("Before it can be enabled, the authentication method needs %s.", strings.Join(missing, ", ")).
				At("authentication_method_enabled").Coded("authentication_method_not_configured")
		}
		return nil
	}
	if i.State == Pending {
		i.State, i.Enabled = Active, true
	}
	if c.Enabled != nil {
		i.Enabled = *c.Enabled
	}
	return nil
}
