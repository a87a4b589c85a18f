// Package policy keeps an organization's authentication policy and decides
// whether it lets somebody in.
//
// What decides is pure: [Rules.Check] says of one entry whether these rules
// admit it, [Preview] what a change of them would do to people and tokens.
// docs/policy.md holds the truth table, and a test walks all of it.
//
// A policy can be changed for good, or on trial: going back by itself unless
// confirmed, only noted down without refusing anybody, or for one group first.
package policy

import (
	"net/netip"
	"slices"
	"time"
)

// Rules are what an organization demands of whoever comes in. The zero value
// admits nobody but applications; Usual is what every organization begins with.
type Rules struct {
	Password  bool // logins by password
	TwoFactor bool // those need a second factor

	ThirdParty bool  // logins through Google, Microsoft or GitHub
	Providers  []Way // which of the three

	Passkey bool

	SAML         bool // logins through the organization's identity providers
	ExternalSAML bool // and through those of another organization of the person

	// SecondFactorContexts are the AuthnContextClassRef values that stand for a
	// second factor (SAML Core, 2.7.2.2): a session through one of the
	// organization's own identity providers needs a login that asserted one of
	// them. Empty: whatever was asserted will do.
	SecondFactorContexts []string

	PersonalTokens   PersonalTokens
	EnforceMethod    bool          // a personal token is admitted only if the login behind it is
	PersonalTokenAge time.Duration // how long ago the login behind a personal token may be; 0: any time

	MCP         bool // programs that call themselves MCP clients
	DeviceLogin bool // logins by a code that is typed in on another device

	// Freshness is how long ago a person whom the organization manages may
	// last have logged in through its identity providers; 0: any time.
	Freshness time.Duration

	Ranges []netip.Prefix // from where one may come; empty: from everywhere
}

// PersonalTokens says what personal tokens are worth in an organization.
type PersonalTokens string

// What an organization may say of personal tokens.
const (
	TokensEnabled PersonalTokens = "enabled"

	// TokensNotForManaged means that those whom the organization manages make
	// none, and that nobody's are admitted here.
	TokensNotForManaged PersonalTokens = "disabled_for_managed_users"

	// TokensDisabled means that nobody's are admitted here, and that whoever
	// is in such organizations only makes none.
	TokensDisabled PersonalTokens = "disabled"
)

// Usual is what an organization's policy is until somebody changes it: every
// way is open, and a token is worth what the login behind it is worth.
func Usual() Rules {
	return Rules{
		Password: true, ThirdParty: true, Providers: slices.Clone(ThirdParties), Passkey: true,
		SAML: true, ExternalSAML: true,
		PersonalTokens: TokensEnabled, EnforceMethod: true, MCP: true, DeviceLogin: true,
	}
}

// A Policy is the rules of one organization, and what is being tried.
type Policy struct {
	OrganizationID string
	Rules          Rules
	Trial          *Trial    // nil: nothing is
	UpdatedAt      time.Time // zero: nobody ever changed it
}

// A Trial is a change that is not for good, or not for everybody, yet.
type Trial struct {
	Kind    TrialKind
	Rules   Rules  // ToRevert: what it goes back to; else what is tried
	GroupID string // ForGroup: ug…
	Since   time.Time
	Until   time.Time // zero: until somebody ends it
}

// A TrialKind is a way to try a change.
type TrialKind string

// The ways to try a change.
const (
	ToRevert   TrialKind = "revert"      // in force, and goes back unless it is confirmed
	ReportOnly TrialKind = "report_only" // refuses nobody, and notes whom it would
	ForGroup   TrialKind = "pilot"       // in force for the members of one group
)

// over says whether the time of a trial has passed.
func (t *Trial) over(now time.Time) bool {
	return !t.Until.IsZero() && !now.Before(t.Until)
}

// InForce gives the rules for somebody at a moment; inGroup says that they
// are in the group of the trial.
func (p *Policy) InForce(now time.Time, inGroup bool) *Rules {
	switch t := p.Trial; {
	case t == nil:
	case t.Kind == ToRevert && t.over(now), t.Kind == ForGroup && inGroup:
		return &t.Rules
	}
	return &p.Rules
}

// Reported gives the rules whose refusals are noted only, or nil.
func (p *Policy) Reported(now time.Time) *Rules {
	if t := p.Trial; t != nil && t.Kind == ReportOnly && !t.over(now) {
		return &t.Rules
	}
	return nil
}
