package login

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/policy"
)

func TestWhatIsOfferedFollowsFromTheDomain(t *testing.T) {
	okta := []DomainMethod{{ID: "am1", Name: "Okta"}, {ID: "am2", Name: "Entra"}}
	rules := func(edit ...func(*policy.Rules)) *policy.Rules {
		r := policy.Usual()
		for _, e := range edit {
			e(&r)
		}
		return &r
	}
	noPassword := func(r *policy.Rules) { r.Password = false }
	noSAML := func(r *policy.Rules) { r.SAML = false }
	for name, c := range map[string]struct {
		methods []DomainMethod
		rules   *policy.Rules
		want    Offer
	}{
		"a domain that nobody verified":         {nil, nil, Offer{Password: true}},
		"a domain with identity providers":      {okta, rules(), Offer{Methods: okta, Password: true}},
		"one whose policy admits no passwords":  {okta, rules(noPassword), Offer{Methods: okta}},
		"one whose policy admits no SAML":       {okta, rules(noSAML), Offer{Password: true}},
		"one whose policy admits neither":       {okta, rules(noSAML, noPassword), Offer{Password: true}},
		"passwords off, and no provider linked": {nil, rules(noPassword), Offer{Password: true}},
	} {
		c.want.Domain = "acme.test"
		if diff := cmp.Diff(c.want, offer("acme.test", c.methods, c.rules)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
