package policy

import (
	"net/netip"
	"slices"
	"time"
)

// A Kind is what somebody comes in with.
type Kind string

// The kinds of entry.
const (
	Console     Kind = "console"     // a session, in a browser
	Session     Kind = "session"     // a session, of a program
	Personal    Kind = "personal"    // a personal token
	Application Kind = "application" // an application user's token
)

// A Way is how somebody once showed who they are.
type Way string

// The ways to log in. Their names are those of session.MethodKind.
const (
	Password  Way = "password"
	Google    Way = "google"
	Microsoft Way = "microsoft"
	GitHub    Way = "github"
	Passkey   Way = "passkey"
	SAML      Way = "saml"
	Recovery  Way = "recovery"
)

// ThirdParties are the ways that Rules.Providers chooses from.
var ThirdParties = []Way{Google, Microsoft, GitHub}

// A Relation is whose identity provider made a login by SAML.
type Relation string

// The relations. An identity provider that is none of the first two is a
// stranger's.
const (
	Own      Relation = "own"      // this organization's
	Fellow   Relation = "fellow"   // of another organization that the person belongs to
	Stranger Relation = "stranger" // of anybody else
)

// An Entry is somebody who wants to come in, as far as a policy cares.
type Entry struct {
	Kind      Kind
	Way       Way
	From      Relation  // of a login by SAML
	TwoFactor bool      // the login had a second factor
	Context   string    // of a login by SAML: the AuthnContextClassRef that was asserted; may be empty
	Managed   bool      // this organization manages the person
	MadeAt    time.Time // the login behind the token
	SSO       time.Time // last login through this organization's identity providers, of a managed person
	MCP       bool      // the program calls itself an MCP client
	Device    bool      // the login was confirmed by a code that was typed in on another device
	IP        netip.Addr
	Now       time.Time
}

// A Refusal is why rules do not admit an entry.
type Refusal struct {
	Code string // the API's error_code
	Rule string // the field of the policy that refuses, in the API's words
	Why  string // a sentence for whoever was refused
}

// Check says whether the rules admit an entry: nil if they do, else the first
// rule that does not. Address ranges hold for everybody; of the rest nothing
// holds for applications, and of the ways to log in nothing for the session of
// a recovery, which is how a locked organization is opened again.
func (r *Rules) Check(e Entry) *Refusal {
	if no := r.checkAddress(e); no != nil {
		return no
	}
	return r.checkAnywhere(e)
}

// checkAnywhere is Check without the address.
func (r *Rules) checkAnywhere(e Entry) *Refusal {
	if e.Kind == Application {
		return nil
	}
	if no := r.checkProgram(e); no != nil {
		return no
	}
	switch e.Kind {
	case Console, Session:
		if e.Way == Recovery {
			return nil
		}
		if no := r.checkWay(e); no != nil {
			return no
		}
		if no := r.checkSecond(e); no != nil {
			return no
		}
	case Personal:
		if no := r.checkPersonal(e); no != nil {
			return no
		}
	default:
		return &Refusal{"authentication_failed", "", "Nothing is known of this kind of token."}
	}
	return r.checkFresh(e)
}

func (r *Rules) checkAddress(e Entry) *Refusal {
	if len(r.Ranges) == 0 {
		return nil
	}
	if ip := e.IP.Unmap(); ip.IsValid() && slices.ContainsFunc(r.Ranges, func(p netip.Prefix) bool { return p.Contains(ip.WithZone("")) }) {
		return nil
	}
	from := "an address that is not known"
	if e.IP.IsValid() {
		from = e.IP.Unmap().String()
	}
	return &Refusal{
		"client_ip_address_policy_violation", "allowed_ip_ranges",
		"You come from " + from + ", and this organization admits " + ranges(r.Ranges) + " only.",
	}
}

func (r *Rules) checkProgram(e Entry) *Refusal {
	if e.MCP && !r.MCP {
		return &Refusal{"mcp_not_allowed", "mcp_enabled", "This organization admits no MCP clients."}
	}
	if e.Device && !r.DeviceLogin {
		return &Refusal{"device_login_not_allowed", "device_login_enabled", "The program was logged in by a code that was typed in on another device, which this organization does not admit."}
	}
	return nil
}

// checkWay asks how the login behind an entry was made.
func (r *Rules) checkWay(e Entry) *Refusal {
	switch e.Way {
	case Password:
		if !r.Password {
			return &Refusal{"user_password_authentication_method_not_allowed", "password_auth_enabled", "You logged in with a password, which this organization does not admit."}
		}
	case Google, Microsoft, GitHub:
		if !r.ThirdParty {
			return &Refusal{"user_oauth_authentication_method_not_allowed", "oauth_enabled", "You logged in with " + e.Way.Words() + ", and this organization admits no third party."}
		}
		if !slices.Contains(r.Providers, e.Way) {
			return &Refusal{"user_oauth_authentication_method_not_allowed", "oauth_providers", "You logged in with " + e.Way.Words() + ", which this organization does not admit."}
		}
	case Passkey:
		if !r.Passkey {
			return &Refusal{"user_passkey_authentication_method_not_allowed", "passkey_enabled", "You logged in with a passkey, which this organization does not admit."}
		}
	case SAML:
		return r.checkProvider(e)
	default:
		return &Refusal{"authentication_failed", "", "Nothing is known of this way to log in."}
	}
	return nil
}

func (r *Rules) checkProvider(e Entry) *Refusal {
	const code = "user_saml_authentication_method_not_allowed"
	switch {
	case !r.SAML:
		return &Refusal{code, "saml_enabled", "You logged in through an identity provider, which this organization does not admit."}
	case e.From == Own:
		return nil
	case e.From == Fellow && r.ExternalSAML:
		return nil
	case e.From == Fellow:
		return &Refusal{code, "saml_allow_external", "You logged in through another organization's identity provider, and this organization admits its own only."}
	}
	return &Refusal{code, "saml_allow_external", "You logged in through the identity provider of an organization that you do not belong to, which no organization admits."}
}

// checkSecond asks for the second factor: of a password, and of the
// organization's own identity providers where the rules say how those assert
// one. The other ways have theirs at the other end.
func (r *Rules) checkSecond(e Entry) *Refusal {
	const code = "mfa_required_by_organization"
	if r.TwoFactor && e.Way == Password && !e.TwoFactor {
		return &Refusal{code, "two_factor_required", "You logged in with a password alone, and this organization demands a second factor."}
	}
	if e.Way == SAML && e.From == Own && len(r.SecondFactorContexts) > 0 && !slices.Contains(r.SecondFactorContexts, e.Context) {
		return &Refusal{code, secondFactorField, "You logged in through this organization's identity provider without a second factor, as far as it said, and this organization demands one."}
	}
	return nil
}

func (r *Rules) checkPersonal(e Entry) *Refusal {
	const code = "user_personal_token_not_allowed"
	if e.Way == Recovery {
		return &Refusal{code, "", "A recovery makes no personal tokens."}
	}
	if r.PersonalTokens != TokensEnabled {
		return &Refusal{code, "personal_tokens", "This organization admits no personal tokens. Programs use the token of an application user instead."}
	}
	if r.PersonalTokenAge > 0 && e.Now.Sub(e.MadeAt) > r.PersonalTokenAge {
		return &Refusal{code, "personal_token_max_age_seconds", "The login that this personal token came from is longer ago than this organization admits. Log in, and make a new one."}
	}
	// An identity provider of strangers is never admitted, whoever carries what
	// it made.
	if r.EnforceMethod || (e.Way == SAML && e.From != Own && e.From != Fellow) {
		if no := r.checkWay(e); no != nil {
			no.Why = "This token was made with a login that this organization does not admit. " + no.Why + " Log in by a way that it admits, and make a new token."
			return no
		}
	}
	return nil
}

// checkFresh asks when a managed person last logged in here.
func (r *Rules) checkFresh(e Entry) *Refusal {
	if r.Freshness > 0 && e.Managed && e.Now.Sub(e.SSO) > r.Freshness {
		return &Refusal{"sso_login_required", "login_freshness_days", "Your last login through this organization's identity provider is too long ago. Log in through it once, and your tokens work again."}
	}
	return nil
}

// Words gives what people call a way to log in.
func (w Way) Words() string {
	switch w {
	case Password:
		return "a password"
	case Google:
		return "Google"
	case Microsoft:
		return "Microsoft"
	case GitHub:
		return "GitHub"
	case Passkey:
		return "a passkey"
	case SAML:
		return "an identity provider"
	case Recovery:
		return "a recovery link"
	}
	return string(w)
}

// Ways lists what the rules admit at a login, in words for people.
func (r *Rules) Ways() []string {
	var out []string
	switch {
	case r.SAML && r.ExternalSAML && len(r.SecondFactorContexts) > 0:
		out = append(out, "an identity provider of this organization, with a second factor there", "an identity provider of another organization of yours")
	case r.SAML && r.ExternalSAML:
		out = append(out, "an identity provider of this organization, or of another one of yours")
	case r.SAML && len(r.SecondFactorContexts) > 0:
		out = append(out, "an identity provider of this organization, with a second factor there")
	case r.SAML:
		out = append(out, "an identity provider of this organization")
	}
	if r.ThirdParty {
		for _, w := range r.Providers {
			out = append(out, w.Words())
		}
	}
	if r.Passkey {
		out = append(out, Passkey.Words())
	}
	switch {
	case r.Password && r.TwoFactor:
		out = append(out, "a password with a second factor")
	case r.Password:
		out = append(out, Password.Words())
	}
	return out
}

// Offered lists, of what the rules admit, what this program offers at all:
// there are no logins through third parties and no passkeys yet.
func (r *Rules) Offered() []string {
	there := *r
	there.ThirdParty, there.Passkey = false, false
	return there.Ways()
}

// mostRangesShown bounds a sentence.
const mostRangesShown = 10

func ranges(all []netip.Prefix) string {
	text := ""
	for i, p := range all {
		if i == mostRangesShown {
			return text + " and others"
		}
		if i > 0 {
			text += ", "
		}
		text += p.String()
	}
	return text
}
