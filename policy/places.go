package policy

import (
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
)

// A Place is an organization as somebody meets it who belongs to it, or wants
// to: what decides whether it lets them in.
type Place struct {
	Organization account.Organization
	Policy       Policy
	InGroup      bool // they are in the group of the policy's trial
}

// Check says whether the organization admits an entry, and, where it does,
// whether the rules that are only being reported would have refused it. It
// returns fault.Denied, caused by a *Refused, which tells what is admitted.
func (p *Place) Check(e Entry) (reported *Refusal, err error) {
	rules := p.Policy.InForce(e.Now, p.InGroup)
	if no := rules.Check(e); no != nil {
		return nil, refuse(p.Organization, rules, *no)
	}
	if tried := p.Policy.Reported(e.Now); tried != nil {
		return tried.Check(e), nil
	}
	return nil, nil
}

// Refused is why an organization did not let somebody in.
type Refused struct {
	Organization account.Organization
	Refusal
	Admitted []string // ways to log in that it admits, in words
	Rules    *Rules   // that refused, to be asked of another way
}

// Error says it whole, for the log.
func (r *Refused) Error() string { return r.Organization.ID + " refuses by " + r.Rule }

func refuse(o account.Organization, rules *Rules, no Refusal) error {
	r := &Refused{Organization: o, Refusal: no, Admitted: rules.Offered(), Rules: rules}
	text := o.Name + " does not let you in this way. " + no.Why
	if strings.HasSuffix(no.Code, "_method_not_allowed") || no.Code == "mfa_required_by_organization" {
		text += " It admits " + strings.Join(r.Admitted, ", and ") + "."
	}
	if no.Rule == secondFactorField {
		text += " Log in through the identity provider again, with a second factor."
	}
	text += " A super admin of " + o.Name + " can change its policy."
	return fault.Denied.Errorf("%s", text).Coded(no.Code).Because(r)
}

// MayMakeTokens says whether a person may make personal tokens, given the
// organizations that they belong to, and how long those may last; 0: as long as
// they like. It returns fault.Denied with code user_personal_token_not_allowed.
func MayMakeTokens(managedBy string, places []Place, now time.Time) (most time.Duration, err error) {
	disabled := 0
	for i := range places {
		p := &places[i]
		rules := p.Policy.InForce(now, p.InGroup)
		managed := p.Organization.ID == managedBy
		if managed && rules.PersonalTokens != TokensEnabled {
			return 0, fault.Denied.Errorf("%s manages your account and lets you make no personal tokens. Programs use the token of an application user instead.", p.Organization.Name).Coded("user_personal_token_not_allowed")
		}
		if managed {
			most = rules.PersonalTokenAge
		}
		if rules.PersonalTokens == TokensDisabled {
			disabled++
		}
	}
	if len(places) > 0 && disabled == len(places) {
		return 0, fault.Denied.Errorf("No organization of yours admits personal tokens. Programs use the token of an application user instead.").Coded("user_personal_token_not_allowed")
	}
	return most, nil
}
