package web

import (
	"strings"
	"time"

	"gatehouse/policy"
)

// A ruleLine is one of the things that a policy says.
type ruleLine struct {
	Name  string
	Value string
}

// A ruleChange is one that becomes another.
type ruleChange struct {
	Name   string
	Before string
	After  string
}

// ruleLines puts a policy into words, always in the same order.
func ruleLines(r *policy.Rules) []ruleLine {
	return []ruleLine{
		{"Passwords", admittedWords(r.Password)},
		{"Second factor", map[bool]string{true: "Needed with a password", false: "Not needed"}[r.TwoFactor]},
		{"Passkeys", admittedWords(r.Passkey)},
		{"Third parties", thirdPartyWords(r)},
		{"Identity providers", providerWords(r)},
		{"Second factor at them", contextWords(r)},
		{"Personal tokens", map[policy.PersonalTokens]string{
			policy.TokensEnabled:       "Admitted",
			policy.TokensNotForManaged: "Not admitted, and managed people make none",
			policy.TokensDisabled:      "Not admitted",
		}[r.PersonalTokens]},
		{"Tokens by their login", map[bool]string{true: "Only if the login that made them is admitted", false: "Whatever login made them"}[r.EnforceMethod]},
		{"Age of personal tokens", boundWords(r.PersonalTokenAge, "Any")},
		{"MCP clients", admittedWords(r.MCP)},
		{"Logins by a code", admittedWords(r.DeviceLogin)},
		{"Between logins", boundWords(r.Freshness, "No bound")},
		{"Addresses", rangeWords(r)},
	}
}

// ruleChanges gives what differs between two policies, in words.
func ruleChanges(before, after *policy.Rules) []ruleChange {
	var out []ruleChange
	is := ruleLines(after)
	for n, was := range ruleLines(before) {
		if was != is[n] {
			out = append(out, ruleChange{was.Name, was.Value, is[n].Value})
		}
	}
	return out
}

func admittedWords(on bool) string {
	if on {
		return "Admitted"
	}
	return "Not admitted"
}

func thirdPartyWords(r *policy.Rules) string {
	if !r.ThirdParty || len(r.Providers) == 0 {
		return "None"
	}
	names := make([]string, len(r.Providers))
	for n, w := range r.Providers {
		names[n] = w.Words()
	}
	return strings.Join(names, ", ")
}

func providerWords(r *policy.Rules) string {
	switch {
	case !r.SAML:
		return "Not admitted"
	case r.ExternalSAML:
		return "This organization's, and those of people's other organizations"
	}
	return "This organization's"
}

func contextWords(r *policy.Rules) string {
	if len(r.SecondFactorContexts) == 0 {
		return "Not asked for"
	}
	return "Needed, shown by " + strings.Join(r.SecondFactorContexts, " or ")
}

func boundWords(d time.Duration, none string) string {
	if d == 0 {
		return none
	}
	return "At most " + lifetimeWords(d)
}

func rangeWords(r *policy.Rules) string {
	if len(r.Ranges) == 0 {
		return "All"
	}
	names := make([]string, len(r.Ranges))
	for n, p := range r.Ranges {
		names[n] = p.String()
	}
	return strings.Join(names, ", ")
}
