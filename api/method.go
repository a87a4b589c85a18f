package api

import (
	"encoding/pem"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse/sso"
)

// A method is an authentication method as its organization's admins see it.
type method struct {
	ID             string `json:"authentication_method_id"`
	Name           string `json:"authentication_method_name"`
	Type           string `json:"authentication_method_type" enum:"saml"`
	Enabled        bool   `json:"authentication_method_enabled"`
	AccountID      string `json:"account_id"`
	OrganizationID string `json:"organization_id"`
	State          string `json:"state" enum:"pending_configuration,active,deleted"`

	CreateTime time.Time  `json:"create_time"`
	UpdateTime time.Time  `json:"update_time"`
	DeleteTime *time.Time `json:"delete_time"`

	TokenMaxAge         *int    `json:"auth_token_max_age_seconds" doc:"null: as long as sessions last."`
	TokenExtendWhenUsed bool    `json:"auth_token_extend_when_used"`
	AutoJoinGroupID     *string `json:"auto_join_user_group_id"`
	AutoJoinTeamID      *string `json:"auto_join_team_id" doc:"Always null: there are no teams."`

	IdPURL                 *string    `json:"saml_idp_url"`
	EntityID               *string    `json:"saml_entity_id"`
	Binding                string     `json:"saml_request_binding" enum:"redirect,post"`
	Certificate            *string    `json:"saml_certificate"`
	CertificateAgain       *string    `json:"saml_cert" doc:"The same."`
	CertificateIssuer      *string    `json:"saml_certificate_issuer" doc:"Of the first certificate, as the three that follow."`
	CertificateSubject     *string    `json:"saml_certificate_subject"`
	CertificateNotValidBef *time.Time `json:"saml_certificate_not_valid_before"`
	CertificateNotValidAft *time.Time `json:"saml_certificate_not_valid_after"`

	Certificates        []certificateInfo    `json:"saml_certificates" doc:"All of them, in their order."`
	CertificateWarnings []certificateWarning `json:"saml_certificate_warnings" doc:"Those that end within 30 days or have ended, ours among them. Logins work on: what is trusted is the key."`
	IdPMetadataURL      *string              `json:"saml_idp_metadata_url" doc:"Where the identity provider's metadata is fetched from each day; null: nowhere."`
	MetadataUpdates     string               `json:"saml_metadata_updates" enum:"approve,apply"`
	MetadataCertificate *string              `json:"saml_metadata_certificate" doc:"What fetched metadata has to be signed by; null: by nothing."`

	DigestAlgorithm     string        `json:"saml_digest_algorithm" enum:"sha1,sha256,sha384,sha512"`
	SignatureAlgorithm  string        `json:"saml_signature_algorithm" enum:"rsa-sha1,rsa-sha256,rsa-sha384,rsa-sha512,ecdsa-sha256"`
	Variant             *string       `json:"saml_variant" doc:"adfs or null."`
	FieldMapping        *fieldMapping `json:"saml_field_mapping" doc:"null where the defaults hold."`
	IdPLoginAllowed     bool          `json:"saml_idp_login_allowed"`
	IdPLoginMode        string        `json:"saml_idp_login_mode"`
	AssertionSigned     bool          `json:"saml_assertion_signed_enabled"`
	RequestsSigned      bool          `json:"saml_authn_requests_signed_enabled"`
	RequestAuthnContext bool          `json:"saml_requested_authn_context_enabled"`
	JoinGroups          bool          `json:"saml_join_groups"`
	AllowSHA1           bool          `json:"saml_allow_sha1"`
	AllowSmallKeys      bool          `json:"saml_allow_small_keys"`
	ForceAuthn          bool          `json:"saml_force_authn"`
	NameIDFormat        *string       `json:"saml_name_id_format" doc:"What requests ask for; null: nothing."`
	AllowEmptyReference bool          `json:"saml_allow_empty_reference"`
	AllowNoRecipient    bool          `json:"saml_allow_no_recipient"`
	Risks               []methodRisk  `json:"saml_risks" doc:"What the method admits though it should not, for the sake of its identity provider."`

	SLOURL          *string `json:"saml_idp_slo_url" doc:"Where the identity provider is told of logouts; null: it is told of none."`
	SLOResponseURL  *string `json:"saml_idp_slo_response_url" doc:"Where our answers to its logouts go; null: to the same."`
	SLOBinding      string  `json:"saml_slo_binding" enum:"redirect,post,soap"`
	SingleLogoutURL string  `json:"saml_slo_url" doc:"Where the identity provider sends logouts, by Redirect, POST or SOAP. It never changes."`

	ACSURL         string  `json:"saml_acs_url" doc:"Where the identity provider sends its answers. It never changes."`
	MetadataURL    string  `json:"saml_metadata_url" doc:"Our metadata, and our entity id. It never changes."`
	SPCertificate  *string `json:"saml_sp_certificate" doc:"Ours for this method: signs requests. It changes by a switch of keys."`
	LoginURL       string  `json:"saml_login_url" doc:"Starts a login through this method."`
	SignupURL      string  `json:"saml_signup_url" doc:"Makes a new account bound to this method."`
	AccountLinkURL string  `json:"saml_account_link_url" doc:"Binds an existing account to this method."`
	SCIMEnabled    bool    `json:"scim_enabled"`
	SCIMURL        *string `json:"scim_url"`
	InternalMCP    bool    `json:"internal_mcp_enabled"`
}

// A methodRisk is an allowance that a method makes.
type methodRisk struct {
	Setting string `json:"setting" doc:"The field that makes it."`
	Risk    string `json:"risk"`
}

func newRisks(i *sso.IdP) []methodRisk {
	out := []methodRisk{}
	allowed := i.Allowed()
	for _, a := range sso.Allowances {
		if slices.Contains(allowed, a.Name) {
			out = append(out, methodRisk{string(a.Name), a.Risk})
		}
	}
	return out
}

func (s *Server) newMethod(i *sso.IdP) method {
	m := method{
		ID: i.ID, Name: i.Name, Type: "saml", Enabled: i.Enabled,
		AccountID: i.AccountID, OrganizationID: i.OrganizationID, State: string(i.State),
		CreateTime: moment(i.CreatedAt), UpdateTime: moment(i.UpdatedAt),
		TokenExtendWhenUsed: i.TokenExtendWhenUsed,
		AutoJoinGroupID:     orNull(i.AutoJoinGroupID),
		IdPURL:              orNull(i.SSOURL),
		EntityID:            orNull(i.EntityID),
		Binding:             string(i.Binding),
		Certificate:         orNull(i.CertificatePEM),
		CertificateAgain:    orNull(i.CertificatePEM),
		Certificates:        newCertificateInfos(i),
		CertificateWarnings: newCertificateWarnings(i, s.Now()),
		IdPMetadataURL:      orNull(i.IdPMetadataURL),
		MetadataUpdates:     string(i.MetadataUpdates),
		MetadataCertificate: orNull(i.MetadataCertificatePEM),
		DigestAlgorithm:     i.DigestAlgorithm,
		SignatureAlgorithm:  i.SignatureAlgorithm,
		Variant:             orNull(i.Variant),
		FieldMapping:        newFieldMapping(i.Mapping),
		IdPLoginAllowed:     i.IdPLoginAllowed,
		IdPLoginMode:        string(i.IdPLoginMode),
		AssertionSigned:     i.WantAssertionSigned,
		RequestsSigned:      i.SignRequests,
		RequestAuthnContext: i.RequestAuthnContext,
		JoinGroups:          i.JoinGroups,
		AllowSHA1:           i.AllowSHA1,
		AllowSmallKeys:      i.AllowSmallKeys,
		ForceAuthn:          i.ForceAuthn,
		NameIDFormat:        orNull(i.NameIDFormat),
		AllowEmptyReference: i.AllowEmptyReference,
		AllowNoRecipient:    i.AllowNoRecipient,
		Risks:               newRisks(i),
		SLOURL:              orNull(i.IdPSLOURL),
		SLOResponseURL:      orNull(i.IdPSLOResponseURL),
		SLOBinding:          string(i.SLOBinding),
		SingleLogoutURL:     i.SLOURL(),
		ACSURL:              i.ACSURL(),
		MetadataURL:         i.MetadataURL(),
		LoginURL:            s.Base + "/v1/sso/saml/login/" + i.ID,
		SignupURL:           s.Base + "/signup/" + i.ID,
		AccountLinkURL:      s.Base + "/link/" + i.ID,
	}
	if i.DeletedAt != nil {
		m.DeleteTime = timeOrNull(*i.DeletedAt)
	}
	if age := int(i.TokenMaxAge / time.Second); age > 0 {
		m.TokenMaxAge = &age
	}
	if infos := i.CertificateInfos(); len(infos) > 0 {
		first := infos[0]
		m.CertificateIssuer, m.CertificateSubject = &first.Issuer, &first.Subject
		m.CertificateNotValidBef, m.CertificateNotValidAft = &first.NotBefore, &first.NotAfter
	}
	if der := i.SigningCertificate(); der != nil {
		m.SPCertificate = orNull(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	}
	return m
}

// A fieldMapping names the attributes that carry a person's particulars.
type fieldMapping struct {
	_         struct{} `nullable:"true"`
	Email     *string  `json:"email" required:"false" maxLength:"256"`
	FirstName *string  `json:"first_name" required:"false" maxLength:"256"`
	LastName  *string  `json:"last_name" required:"false" maxLength:"256"`
	RealName  *string  `json:"real_name" required:"false" maxLength:"256"`
	Identity  *string  `json:"identity" required:"false" maxLength:"256"`
	Groups    *string  `json:"groups" required:"false" maxLength:"256"`
}

func newFieldMapping(m sso.Mapping) *fieldMapping {
	if m == (sso.Mapping{}) {
		return nil
	}
	return &fieldMapping{
		Email: orNull(m.Email), FirstName: orNull(m.FirstName), LastName: orNull(m.LastName),
		RealName: orNull(m.RealName), Identity: orNull(m.Identity), Groups: orNull(m.Groups),
	}
}

// A looseBool is true or false, or the same as text: older command lines send
// every value as text.
type looseBool struct{ is, bad bool }

// Schema describes it. The forms stand among the extensions, so that Resolve,
// which says what is wrong, is what checks them.
func (*looseBool) Schema(huma.Registry) *huma.Schema {
	return looseSchema(huma.TypeBoolean, "^([Tt]rue|[Ff]alse|TRUE|FALSE)$")
}

// UnmarshalJSON reads either form.
func (b *looseBool) UnmarshalJSON(data []byte) error {
	switch strings.ToLower(strings.Trim(string(data), `"`)) {
	case "true":
		*b = looseBool{is: true}
	case "false":
		*b = looseBool{}
	default:
		*b = looseBool{bad: true}
	}
	return nil
}

// Resolve refuses what is neither.
func (b *looseBool) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	return refuseIf(b.bad, at, "This has to be true or false.")
}

func (b *looseBool) value() *bool {
	if b == nil {
		return nil
	}
	return &b.is
}

// A looseInt is a whole number, or the same as text.
type looseInt struct {
	is  int
	bad bool
}

// Schema describes it.
func (*looseInt) Schema(huma.Registry) *huma.Schema {
	return looseSchema(huma.TypeInteger, "^[0-9]+$")
}

// UnmarshalJSON reads either form. A float is read because 3e2 is a whole
// number too, and one beyond any limit of ours still has to be refused as such.
func (n *looseInt) UnmarshalJSON(data []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(data), `"`), 64)
	*n = looseInt{is: int(v), bad: err != nil || v != math.Trunc(v) || math.Abs(v) > math.MaxInt32}
	return nil
}

// Resolve refuses what is no whole number.
func (n *looseInt) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	return refuseIf(n.bad, at, "This has to be a whole number.")
}

func (n *looseInt) value() *int {
	if n == nil {
		return nil
	}
	return &n.is
}

func looseSchema(kind, pattern string) *huma.Schema {
	return &huma.Schema{Extensions: map[string]any{"anyOf": []map[string]any{
		{"type": []string{kind, "null"}},
		{"type": "string", "pattern": pattern},
	}}}
}

func refuseIf(bad bool, at *huma.PathBuffer, message string) []error {
	if !bad {
		return nil
	}
	return []error{&huma.ErrorDetail{Message: message, Location: at.String()}}
}
