package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// An editIdPPage has the settings of an identity provider as a form.
type editIdPPage struct {
	page
	IdP idpView

	Name         field
	EntityID     field
	SSOURL       field
	Certificates field

	Binding      field
	NameIDFormat field
	Signature    field
	Digest       field
	Variant      field
	Requests     []check

	Mapping []field

	AutoJoin field
	Follow   check

	Lifetime field
	Starts   []check
	Mode     field
	Demands  []check
	Risks    []check

	Logout []field
}

func (s *site) showEditIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	p, err := s.newEditIdPPage(r, v, i, formOf(i))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "idp-edit", p)
}

func (s *site) saveIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	change, err := changeOf(form, i)
	if err == nil {
		_, err = s.IdPs.Update(r.Context(), v.Actor, v.Organization, i.ID, change)
	}
	if err != nil {
		return s.editAgain(w, r, v, i, form, err)
	}
	return see(w, r, done(idpURL(i), "idp-saved"))
}

// editAgain shows the form as it was typed, with what is wrong.
func (s *site) editAgain(w http.ResponseWriter, r *http.Request, v gate.Visit, i *sso.IdP, form url.Values, err error) error {
	p, broken := s.newEditIdPPage(r, v, i, form)
	if broken != nil {
		return broken
	}
	return s.again(w, r, "idp-edit", p, err, inputs(p.fields())...)
}

// fields are those that an error can stand at.
func (p *editIdPPage) fields() []*field {
	all := []*field{&p.Name, &p.EntityID, &p.SSOURL, &p.Certificates, &p.Binding, &p.NameIDFormat, &p.Signature, &p.Digest, &p.Variant, &p.Mode, &p.Lifetime, &p.AutoJoin}
	for n := range p.Mapping {
		all = append(all, &p.Mapping[n])
	}
	for n := range p.Logout {
		all = append(all, &p.Logout[n])
	}
	return all
}

// formOf writes settings as the form that would make them.
func formOf(i *sso.IdP) url.Values {
	form := url.Values{
		"authentication_method_name": {i.Name},
		"saml_entity_id":             {i.EntityID},
		"saml_idp_url":               {i.SSOURL},
		"saml_certificate":           {i.CertificatePEM},
		"saml_request_binding":       {string(i.Binding)},
		"saml_signature_algorithm":   {i.SignatureAlgorithm},
		"saml_digest_algorithm":      {i.DigestAlgorithm},
		"saml_variant":               {i.Variant},
		"saml_idp_login_mode":        {string(i.IdPLoginMode)},
		"auth_token_max_age_seconds": {seconds(i.TokenMaxAge)},
		"auto_join_user_group_id":    {i.AutoJoinGroupID},
		"saml_name_id_format":        {i.NameIDFormat},
		"saml_idp_slo_url":           {i.IdPSLOURL},
		"saml_idp_slo_response_url":  {i.IdPSLOResponseURL},
		"saml_slo_binding":           {string(i.SLOBinding)},

		"saml_field_mapping.email":      {i.Mapping.Email},
		"saml_field_mapping.first_name": {i.Mapping.FirstName},
		"saml_field_mapping.last_name":  {i.Mapping.LastName},
		"saml_field_mapping.real_name":  {i.Mapping.RealName},
		"saml_field_mapping.identity":   {i.Mapping.Identity},
		"saml_field_mapping.groups":     {i.Mapping.Groups},
	}
	for name, on := range map[string]bool{
		"saml_authn_requests_signed_enabled":   i.SignRequests,
		"saml_requested_authn_context_enabled": i.RequestAuthnContext,
		"saml_force_authn":                     i.ForceAuthn,
		"saml_assertion_signed_enabled":        i.WantAssertionSigned,
		"saml_idp_login_allowed":               i.IdPLoginAllowed,
		"saml_join_groups":                     i.JoinGroups,
		"saml_allow_sha1":                      i.AllowSHA1,
		"saml_allow_small_keys":                i.AllowSmallKeys,
		"saml_allow_empty_reference":           i.AllowEmptyReference,
		"saml_allow_no_recipient":              i.AllowNoRecipient,
	} {
		if on {
			form.Set(name, "on")
		}
	}
	return form
}

// changeOf reads the form. What has no input here stays as it is.
func changeOf(form url.Values, i *sso.IdP) (sso.Change, error) {
	text := func(name string) *string { v := form.Get(name); return &v }
	ticked := func(name string) *bool { v := form.Get(name) != ""; return &v }
	mapping := i.Mapping
	mapping.Email = form.Get("saml_field_mapping.email")
	mapping.FirstName = form.Get("saml_field_mapping.first_name")
	mapping.LastName = form.Get("saml_field_mapping.last_name")
	mapping.RealName = form.Get("saml_field_mapping.real_name")
	mapping.Identity = form.Get("saml_field_mapping.identity")
	mapping.Groups = form.Get("saml_field_mapping.groups")
	change := sso.Change{
		Name:                text("authentication_method_name"),
		EntityID:            text("saml_entity_id"),
		SSOURL:              text("saml_idp_url"),
		Certificates:        text("saml_certificate"),
		Binding:             text("saml_request_binding"),
		SignatureAlgorithm:  text("saml_signature_algorithm"),
		DigestAlgorithm:     text("saml_digest_algorithm"),
		Variant:             text("saml_variant"),
		SignRequests:        ticked("saml_authn_requests_signed_enabled"),
		RequestAuthnContext: ticked("saml_requested_authn_context_enabled"),
		ForceAuthn:          ticked("saml_force_authn"),
		NameIDFormat:        text("saml_name_id_format"),
		WantAssertionSigned: ticked("saml_assertion_signed_enabled"),
		IdPLoginAllowed:     ticked("saml_idp_login_allowed"),
		IdPLoginMode:        text("saml_idp_login_mode"),
		JoinGroups:          ticked("saml_join_groups"),
		AutoJoinGroupID:     text("auto_join_user_group_id"),
		AllowSHA1:           ticked("saml_allow_sha1"),
		AllowSmallKeys:      ticked("saml_allow_small_keys"),
		AllowEmptyReference: ticked("saml_allow_empty_reference"),
		AllowNoRecipient:    ticked("saml_allow_no_recipient"),
		SLOURL:              text("saml_idp_slo_url"),
		SLOResponseURL:      text("saml_idp_slo_response_url"),
		SLOBinding:          text("saml_slo_binding"),
		Mapping:             &mapping,
	}
	age := form.Get("auth_token_max_age_seconds")
	if age == seconds(i.TokenMaxAge) {
		return change, nil
	}
	n, err := strconv.Atoi(age)
	if err != nil {
		return change, fault.Invalid.Errorf("Choose one of these.").At("auth_token_max_age_seconds")
	}
	change.TokenMaxAge = &n
	return change, nil
}

// seconds is a lifetime as the form has it; empty is the default.
func seconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.Itoa(int(d / time.Second))
}

func (s *site) newEditIdPPage(r *http.Request, v gate.Visit, i *sso.IdP, form url.Values) (*editIdPPage, error) {
	frame, err := s.console(r, v, "Settings of "+i.Name, "identity-providers")
	p := &editIdPPage{page: frame, IdP: s.viewIdP(i)}
	p.Name = idpNameField("")
	p.EntityID = field{Name: "saml_entity_id", Label: "Entity ID", Hint: "Also called issuer. It has to match what the identity provider sends, character by character.", Most: 2048, Machine: true}
	p.SSOURL = field{Name: "saml_idp_url", Label: "SSO URL", Hint: "Where people log in.", Type: "url", Most: 2048, Machine: true}
	p.Certificates = field{Name: "saml_certificate", Label: "Signing certificates", Hint: "In PEM form, one or several: each may have signed. During a change of certificates, keep both.", Rows: 8, Machine: true}
	if i.State == sso.Pending {
		p.EntityID.Optional, p.SSOURL.Optional, p.Certificates.Optional = true, true, true
	}
	p.NameIDFormat = field{Name: "saml_name_id_format", Label: "What name to ask for", Hint: "Many identity providers refuse to give another name than the one that is set there. Leave it open unless yours wants to be asked.",
		Options: []option{{"", "Whatever is set at the identity provider"}, {sso.NameIDFormats[0], "Persistent"}, {sso.NameIDFormats[1], "Email address"}, {sso.NameIDFormats[2], "Unspecified"}}}
	p.Binding = field{Name: "saml_request_binding", Label: "How the request travels", Hint: "Redirect suits nearly all. Take POST only if the identity provider asks for it.",
		Options: []option{{"redirect", "HTTP-Redirect"}, {"post", "HTTP-POST"}}}
	p.Signature = field{Name: "saml_signature_algorithm", Label: "Signature algorithm", Hint: "Of our requests, where they are signed.",
		Options: algorithmOptions(i)}
	p.Digest = field{Name: "saml_digest_algorithm", Label: "Digest algorithm",
		Options: []option{{"sha256", "SHA-256"}, {"sha384", "SHA-384"}, {"sha512", "SHA-512"}, {"sha1", "SHA-1 (outdated)"}}}
	p.Variant = field{Name: "saml_variant", Label: "How requests are written",
		Options: []option{{"", "By the standard"}, {"adfs", "As AD FS wants them"}}}
	p.Requests = []check{
		{Name: "saml_authn_requests_signed_enabled", Label: "Sign requests", Hint: "Needed where the identity provider refuses unsigned ones."},
		{Name: "saml_requested_authn_context_enabled", Label: "Ask for a login with a password or better", Hint: "Whoever logged in by less is refused. Some identity providers refuse people who logged in otherwise, such as with a security key. Leave it off unless you need it."},
		{Name: "saml_force_authn", Label: "Ask for a new login each time", Hint: "People log in at the identity provider even if they have a session there. Whoever did not is refused."},
	}
	p.Starts = []check{
		{Name: "saml_idp_login_allowed", Label: "Logins may start at the identity provider", Hint: "For people who open this service from the identity provider's own page. Off, they are told to log in here."},
	}
	p.Mode = field{Name: "saml_idp_login_mode", Label: "What becomes of them", Hint: "Starting them once more is safer: then a login is bound to the browser that asked for it.",
		Options: []option{{"bounce", "They are started once more from here"}, {"accept", "They are taken as they come, and the person confirms"}}}
	p.Demands = []check{
		{Name: "saml_assertion_signed_enabled", Label: "The assertion itself must be signed", Hint: "Otherwise a signature around the whole response is enough, which is as good."},
	}
	p.Risks = []check{
		{Name: "saml_allow_sha1", Label: "Accept SHA-1 in signatures", Hint: "SHA-1 can be forged by those with means. Only until the identity provider signs with SHA-256.", Risk: true},
		{Name: "saml_allow_small_keys", Label: "Accept RSA keys under 2048 bits", Hint: "Short keys can be broken, and whoever breaks one can be anybody. Only until the identity provider has a new key.", Risk: true},
		{Name: "saml_allow_empty_reference", Label: "Accept signatures that do not name what they cover", Hint: "Of the whole response only, by URI=\"\" or none. Other programs can mistake such a signature for one of something else.", Risk: true},
		{Name: "saml_allow_no_recipient", Label: "Accept confirmations without Recipient", Hint: "Only in a signed response that has our ACS URL as Destination.", Risk: true},
	}
	p.Mapping, p.Logout = mappingFields(), logoutFields()
	p.Lifetime = lifetimeField(i)
	p.Follow = check{Name: "saml_join_groups", Label: "Follow the groups that it names", Hint: "At each login the person is put into the groups of those names here, and taken out of those that it named before: only of groups that are marked as filled by identity providers."}
	if err != nil {
		return nil, err
	}
	if p.AutoJoin, err = s.autoJoinField(r, v); err != nil {
		return nil, err
	}
	for _, f := range p.fields() {
		f.Value = form.Get(f.Name)
	}
	p.Follow.Checked = form.Get(p.Follow.Name) != ""
	for _, checks := range [][]check{p.Requests, p.Starts, p.Demands, p.Risks} {
		for n := range checks {
			checks[n].Checked = form.Get(checks[n].Name) != ""
		}
	}
	return p, err
}

// autoJoinField offers the groups that new people can be brought to: all but
// those that identity providers fill.
func (s *site) autoJoinField(r *http.Request, v gate.Visit) (field, error) {
	f := field{Name: "auto_join_user_group_id", Label: "New people join", Hint: "Once, when the provider brings them. They can be taken out of the group by hand.", Options: []option{{"", "No group"}}}
	list, err := s.Groups.List(r.Context(), v.Organization)
	for _, g := range list {
		if !g.IdPManaged {
			f.Options = append(f.Options, option{g.ID, g.Name})
		}
	}
	return f, err
}

func logoutFields() []field {
	return []field{
		{Name: "saml_idp_slo_url", Label: "Logout URL", Hint: "Where the identity provider is told that somebody logged out here. Empty: it is not told.", Type: "url", Most: 2048, Machine: true, Optional: true},
		{Name: "saml_idp_slo_response_url", Label: "Logout response URL", Hint: "Where our answers to its own logouts go, if that is another address.", Type: "url", Most: 2048, Machine: true, Optional: true},
		{Name: "saml_slo_binding", Label: "How it is told",
			Options: []option{{"redirect", "By the browser, HTTP-Redirect"}, {"post", "By the browser, HTTP-POST"}, {"soap", "By this server, SOAP"}}},
	}
}

func mappingFields() []field {
	list := []field{
		{Name: "saml_field_mapping.email", Label: "Email address"},
		{Name: "saml_field_mapping.first_name", Label: "First name"},
		{Name: "saml_field_mapping.last_name", Label: "Last name"},
		{Name: "saml_field_mapping.real_name", Label: "Full name"},
		{Name: "saml_field_mapping.identity", Label: "Identity", Hint: "What stays with a person for good. If this is empty, the NameID is used. People who logged in before a change are not recognised after it."},
		{Name: "saml_field_mapping.groups", Label: "Groups", Hint: "Counts where the groups that it names are followed."},
	}
	for n := range list {
		list[n].Optional, list[n].Machine, list[n].Most = true, true, 256
	}
	return list
}

// lifetimeField offers the usual lifetimes, and the present one.
func lifetimeField(i *sso.IdP) field {
	f := field{Name: "auth_token_max_age_seconds", Label: "Sessions last", Hint: "From the login. The identity provider may end them earlier."}
	ages := []time.Duration{time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 15 * 24 * time.Hour}
	if i.TokenMaxAge == 0 {
		f.Options = append(f.Options, option{"", "As long as the server's default"})
	} else if !slices.Contains(ages, i.TokenMaxAge) {
		ages = append(ages, i.TokenMaxAge)
		slices.Sort(ages)
	}
	for _, d := range ages {
		f.Options = append(f.Options, option{seconds(d), lifetimeWords(d)})
	}
	return f
}

// algorithmOptions are what our requests can be signed by with the key that
// there is.
func algorithmOptions(i *sso.IdP) []option {
	var out []option
	for _, o := range []option{{"rsa-sha256", "RSA with SHA-256"}, {"rsa-sha384", "RSA with SHA-384"}, {"rsa-sha512", "RSA with SHA-512"}, {"rsa-sha1", "RSA with SHA-1 (outdated)"}, {"ecdsa-sha256", "ECDSA with SHA-256"}} {
		if slices.Contains(i.Algorithms(), o.Value) {
			out = append(out, o)
		}
	}
	return out
}
