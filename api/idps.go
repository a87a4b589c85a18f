package api

import (
	"context"
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/session"
	"gatehouse/sso"
)

func (b *builder) addIdPs() {
	const list = "/v1/account/{account_id}/authentication"
	const one = list + "/{method_id}"
	s := b.server
	add(b, operation{"AccountAuthenticationMethodCreate", http.MethodPost, list, "Add an authentication method", account.WriteIdPs}, s.createIdP)
	add(b, operation{"AccountAuthenticationMethodsList", http.MethodGet, list, "List authentication methods", account.ReadIdPs}, s.listIdPs)
	add(b, operation{"AccountAuthenticationMethodGet", http.MethodGet, one, "Show an authentication method", account.ReadIdPs}, s.getIdP)
	add(b, operation{"AccountAuthenticationMethodUpdate", http.MethodPut, one, "Change what is named of an authentication method", account.WriteIdPs}, s.updateIdP)
	add(b, operation{"AccountAuthenticationMethodDelete", http.MethodDelete, one, "Delete an authentication method", account.WriteIdPs}, s.deleteIdP)
}

// MethodPath is the authentication method of a path.
type MethodPath struct {
	AccountPath
	MethodID string `path:"method_id" maxLength:"36" example:"am1a2b3c4d5e6"`
}

// The bodies embed what they share, in an exported type for huma's sake.
type newMethod struct {
	Name string `json:"authentication_method_name" maxLength:"128" doc:"What people see when they log in."`
	Type string `json:"authentication_method_type" doc:"saml. The type internal, logging in with a password, is there by itself."`
	MethodFields
}

type changedMethod struct {
	Name *string `json:"authentication_method_name,omitempty" nullable:"true" maxLength:"128" doc:"What people see when they log in."`
	MethodFields
	Force *looseBool `json:"force,omitempty" doc:"Disable it also if nobody could administer the organization any more, or one's own session came through it."`
}

// ending is what the body says to change, by whom.
func (m changedMethod) ending(v gate.Visit) sso.Change {
	c := m.change(m.Name)
	c.Ending = endingOf(v, m.Force != nil && m.Force.is)
	return c
}

// endingOf says through which identity provider a visitor came.
func endingOf(v gate.Visit, force bool) sso.Ending {
	e := sso.Ending{Force: force}
	if v.Bearer.Method.Kind == session.SAML {
		e.Through = v.Bearer.Method.ID
	}
	return e
}

// MethodFields is what may be said of an authentication method when it is made
// and later.
type MethodFields struct {
	Enabled             *looseBool     `json:"authentication_method_enabled,omitempty" doc:"Whether people may log in through it. A method that becomes complete is enabled unless this says otherwise."`
	TokenMaxAge         *looseInt      `json:"auth_token_max_age_seconds,omitempty" doc:"How long a session that it yields lasts, 300 to 1296000."`
	TokenExtendWhenUsed *looseBool     `json:"auth_token_extend_when_used,omitempty" doc:"Whether using a session prolongs it."`
	AutoJoinGroupID     *string        `json:"auto_join_user_group_id,omitempty" nullable:"true" maxLength:"36" doc:"The group that new people join; none that identity providers fill. Empty: none."`
	LinkedDomains       []linkedDomain `json:"linked_domains,omitempty" maxItems:"100" doc:"The domains that it speaks for, besides those that it speaks for already."`
	SCIMEnabled         *looseBool     `json:"scim_enabled,omitempty" doc:"Only false is offered."`

	IdPURL      *string `json:"saml_idp_url,omitempty" nullable:"true" maxLength:"2048" doc:"Where logins are sent to: https, or http on this machine."`
	EntityID    *string `json:"saml_entity_id,omitempty" nullable:"true" maxLength:"2048" doc:"The identity provider's entity id."`
	Certificate *string `json:"saml_certificate,omitempty" nullable:"true" maxLength:"16384" doc:"What the identity provider signs with: one or several certificates in PEM."`
	Metadata    *string `json:"saml_idp_metadata,omitempty" nullable:"true" maxLength:"262144" doc:"The identity provider's metadata, as XML: says the URL, the entity id, the certificates and the binding at once."`
	MetadataURL *string `json:"saml_idp_metadata_url,omitempty" nullable:"true" maxLength:"2048" doc:"The address of the identity provider's metadata, https: fetched now, and once a day from then on. Of several identity providers there, saml_entity_id chooses one. Empty: it is fetched no longer."`
	Updates     *string `json:"saml_metadata_updates,omitempty" nullable:"true" doc:"What becomes of a change that the metadata shows: approve, which is the default, holds it for an administrator; apply sets it at once."`
	MetadataKey *string `json:"saml_metadata_certificate,omitempty" nullable:"true" maxLength:"16384" doc:"What fetched metadata has to be signed by: one or several certificates in PEM. Empty: a signature of it is not looked at."`
	Binding     *string `json:"saml_request_binding,omitempty" nullable:"true" doc:"How requests go: redirect, which is the default, or post."`

	SLOURL         *string `json:"saml_idp_slo_url,omitempty" nullable:"true" maxLength:"2048" doc:"Where the identity provider is told of logouts: https, or http on this machine. Empty: it is told of none. Taken from metadata unless said."`
	SLOResponseURL *string `json:"saml_idp_slo_response_url,omitempty" nullable:"true" maxLength:"2048" doc:"Where our answers to its logouts go, if that is elsewhere."`
	SLOBinding     *string `json:"saml_slo_binding,omitempty" nullable:"true" doc:"How it is told: redirect, which is the default, post, or soap."`

	DigestAlgorithm     *string       `json:"saml_digest_algorithm,omitempty" nullable:"true" doc:"Of our requests: sha1, sha256, sha384 or sha512."`
	SignatureAlgorithm  *string       `json:"saml_signature_algorithm,omitempty" nullable:"true" doc:"Of our requests: rsa-sha1, rsa-sha256, rsa-sha384 or rsa-sha512; ecdsa-sha256 where our key is an ECDSA key, which a new method gets that names it."`
	Variant             *string       `json:"saml_variant,omitempty" nullable:"true" doc:"adfs, or nothing: how our requests are written."`
	FieldMapping        *fieldMapping `json:"saml_field_mapping,omitempty" doc:"The attributes that carry a person's particulars; replaces the whole mapping."`
	IdPLoginAllowed     *looseBool    `json:"saml_idp_login_allowed,omitempty" doc:"Whether logins may start at the identity provider."`
	IdPLoginMode        *string       `json:"saml_idp_login_mode,omitempty" doc:"What becomes of them (ours): bounce starts the login once more from here; accept goes on with what came, once the person has confirmed it."`
	AssertionSigned     *looseBool    `json:"saml_assertion_signed_enabled,omitempty" doc:"Whether the assertion itself must be signed; otherwise a signed response is enough."`
	RequestsSigned      *looseBool    `json:"saml_authn_requests_signed_enabled,omitempty" doc:"Whether our requests are signed."`
	RequestAuthnContext *looseBool    `json:"saml_requested_authn_context_enabled,omitempty" doc:"Whether our requests ask for a login with a password over TLS, or better."`
	JoinGroups          *looseBool    `json:"saml_join_groups,omitempty" doc:"Whether people join, at each login, the groups that the identity provider names and that are idp_managed, and leave those that it names no more."`
	AllowSHA1           *looseBool    `json:"saml_allow_sha1,omitempty" doc:"Accept signatures with SHA-1. A risk."`
	AllowSmallKeys      *looseBool    `json:"saml_allow_small_keys,omitempty" doc:"Accept RSA keys under 2048 bits. A risk."`
	ForceAuthn          *looseBool    `json:"saml_force_authn,omitempty" doc:"Ask for a login made for the request, and take no older one."`
	NameIDFormat        *string       `json:"saml_name_id_format,omitempty" doc:"The format of NameID that requests ask for; empty: whatever is set at the identity provider."`
	AllowEmptyReference *looseBool    `json:"saml_allow_empty_reference,omitempty" doc:"Accept a signature of the whole response that refers to it by an empty URI, or by none. A risk."`
	AllowNoRecipient    *looseBool    `json:"saml_allow_no_recipient,omitempty" doc:"Accept a confirmation without Recipient in a signed response with Destination. A risk."`
}

type linkedDomain struct {
	ID string `json:"domain_id" maxLength:"36"`
}

// change says what the fields say in the domain's words.
func (f MethodFields) change(name *string) sso.Change {
	c := sso.Change{
		Name:                name,
		Enabled:             f.Enabled.value(),
		EntityID:            f.EntityID,
		SSOURL:              f.IdPURL,
		Certificates:        f.Certificate,
		Binding:             f.Binding,
		Metadata:            f.Metadata,
		IdPMetadataURL:      f.MetadataURL,
		MetadataUpdates:     f.Updates,
		MetadataCertificate: f.MetadataKey,
		SLOURL:              f.SLOURL,
		SLOResponseURL:      f.SLOResponseURL,
		SLOBinding:          f.SLOBinding,
		DigestAlgorithm:     f.DigestAlgorithm,
		SignatureAlgorithm:  f.SignatureAlgorithm,
		Variant:             f.Variant,
		SignRequests:        f.RequestsSigned.value(),
		WantAssertionSigned: f.AssertionSigned.value(),
		RequestAuthnContext: f.RequestAuthnContext.value(),
		IdPLoginAllowed:     f.IdPLoginAllowed.value(),
		IdPLoginMode:        f.IdPLoginMode,
		JoinGroups:          f.JoinGroups.value(),
		AllowSHA1:           f.AllowSHA1.value(),
		AllowSmallKeys:      f.AllowSmallKeys.value(),
		ForceAuthn:          f.ForceAuthn.value(),
		NameIDFormat:        f.NameIDFormat,
		AllowEmptyReference: f.AllowEmptyReference.value(),
		AllowNoRecipient:    f.AllowNoRecipient.value(),
		TokenMaxAge:         f.TokenMaxAge.value(),
		TokenExtendWhenUsed: f.TokenExtendWhenUsed.value(),
		AutoJoinGroupID:     f.AutoJoinGroupID,
		SCIMEnabled:         f.SCIMEnabled.value(),
	}
	for _, d := range f.LinkedDomains {
		c.LinkedDomains = append(c.LinkedDomains, d.ID)
	}
	if m := f.FieldMapping; m != nil {
		c.Mapping = &sso.Mapping{
			Email: text(m.Email), FirstName: text(m.FirstName), LastName: text(m.LastName),
			RealName: text(m.RealName), Identity: text(m.Identity), Groups: text(m.Groups),
		}
	}
	return c
}

type methodAnswer struct {
	Method method `json:"authentication_method"`
}

type createIdPInput struct {
	AccountPath
	Body newMethod `nameHint:"AuthenticationMethodCreateRequest"`
}

func (createIdPInput) mostBody() int { return mostMethodBody }

func (s *Server) createIdP(ctx context.Context, v gate.Visit, in *createIdPInput) (*methodAnswer, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	idp, err := s.IdPs.Create(ctx, v.Actor, v.Organization, sso.New{Type: in.Body.Type, Change: in.Body.change(&in.Body.Name)})
	if err != nil {
		return nil, err
	}
	return &methodAnswer{s.newMethod(idp)}, nil
}

type methodsAnswer struct {
	Methods []method `json:"authentication_methods" doc:"Oldest first."`
}

func (s *Server) listIdPs(ctx context.Context, v gate.Visit, _ *struct{ AccountPath }) (*methodsAnswer, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	idps, err := s.IdPs.List(ctx, v.Organization)
	if err != nil {
		return nil, err
	}
	out := &methodsAnswer{Methods: []method{}}
	for _, idp := range idps {
		out.Methods = append(out.Methods, s.newMethod(idp))
	}
	return out, nil
}

func (s *Server) getIdP(ctx context.Context, v gate.Visit, in *struct{ MethodPath }) (*methodAnswer, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	idp, err := s.IdPs.Get(ctx, v.Organization, in.MethodID)
	if err != nil {
		return nil, err
	}
	return &methodAnswer{s.newMethod(idp)}, nil
}

type updateIdPInput struct {
	MethodPath
	Body changedMethod `nameHint:"AuthenticationMethodUpdateRequest"`
}

func (updateIdPInput) mostBody() int { return mostMethodBody }

func (s *Server) updateIdP(ctx context.Context, v gate.Visit, in *updateIdPInput) (*methodAnswer, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	idp, err := s.IdPs.Update(ctx, v.Actor, v.Organization, in.MethodID, in.Body.ending(v))
	if err != nil {
		return nil, err
	}
	return &methodAnswer{s.newMethod(idp)}, nil
}

type deleteIdPInput struct {
	MethodPath
	Force bool `query:"force" doc:"Also if nobody could administer the organization any more, or one's own session came through it."`
}

func (s *Server) deleteIdP(ctx context.Context, v gate.Visit, in *deleteIdPInput) (*said, error) {
	if err := sso.CheckOwner(v.Account); err != nil {
		return nil, err
	}
	if err := s.IdPs.Delete(ctx, v.Actor, v.Organization, in.MethodID, endingOf(v, in.Force)); err != nil {
		return nil, err
	}
	return &said{"The authentication method is deleted. Nobody can log in through it any more."}, nil
}
