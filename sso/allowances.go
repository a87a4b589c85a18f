package sso

import "slices"

// An Allowance is something that SAML or good sense forbids, and that a method
// can admit all the same, for an identity provider that cannot do better: the
// name of the setting, as the API has it.
type Allowance string

// The allowances.
const (
	SHA1           Allowance = "saml_allow_sha1"
	SmallKeys      Allowance = "saml_allow_small_keys"
	EmptyReference Allowance = "saml_allow_empty_reference"
	NoRecipient    Allowance = "saml_allow_no_recipient"
)

// Allowances lists all there are, with the risk of each in a sentence.
var Allowances = []struct {
	Name Allowance
	Risk string
}{
	{SHA1, "SHA-1 can be forged by those with means: who does can log in as anybody."},
	{SmallKeys, "An RSA key under 2048 bits can be factored by those with means: who does can log in as anybody."},
	{EmptyReference, "A signature that does not name what it covers can be mistaken by other programs for one of something else."},
	{NoRecipient, "A confirmation without Recipient may have been made for another service of the same audience."},
}

// Allowed lists the allowances that a method makes.
func (s *Settings) Allowed() []Allowance {
	var out []Allowance
	for _, a := range []struct {
		name Allowance
		on   bool
	}{
		{SHA1, s.AllowSHA1}, {SmallKeys, s.AllowSmallKeys}, {EmptyReference, s.AllowEmptyReference}, {NoRecipient, s.AllowNoRecipient},
	} {
		if a.on {
			out = append(out, a.name)
		}
	}
	return out
}

// use adds an allowance to those that were used.
func use(list []Allowance, a Allowance) []Allowance {
	if slices.Contains(list, a) {
		return list
	}
	return append(list, a)
}
