package sso

import (
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// A rule is one thing that a verified response is held to.
type rule struct {
	name  string // stable: reports show it
	check func(*profile) *Rejection

	// says gives, of a response that has passed, what would have been right
	// and what there was.
	says func(*profile) (expected, got string)

	assertion bool   // it is about the assertion
	personal  bool   // what there was may name the person
	needs     string // the rule whose failing leaves nothing to judge here; may be empty
}

// rules are the rules of the Web Browser SSO profile (SAML Profiles, 4.1.4) in
// their order. Check refuses by the first that does not hold; a report goes
// through all of them.
var rules = [...]rule{
	{name: "response", check: (*profile).checkResponse, says: saysVersion},
	{name: "status", check: (*profile).checkStatus, says: saysStatus},
	{name: "destination", check: (*profile).checkDestination, says: saysDestination},
	{name: "response_issuer", check: (*profile).checkResponseIssuer, says: saysResponseIssuer},
	{name: "response_time", check: (*profile).checkResponseTime, says: saysResponseTime},
	{name: "assertion", check: (*profile).checkAssertion, says: saysVersion, assertion: true},
	{name: "assertion_time", check: (*profile).checkAssertionTime, says: saysAssertionTime, assertion: true},
	{name: "issuer", check: (*profile).checkIssuer, says: saysIssuer, assertion: true},
	{name: "validity", check: (*profile).checkValidity, says: saysValidity, assertion: true},
	{name: "audience", check: (*profile).checkConditions, says: saysAudience, assertion: true},
	{name: "name_id", check: (*profile).checkName, says: saysName, assertion: true, personal: true},
	{name: "confirmation", check: (*profile).checkConfirmations, assertion: true},
	{name: "request", check: (*profile).openTicket, says: saysRequest},
	{name: "authentication", check: (*profile).checkAuthn, says: saysAuthn, assertion: true},
	{name: "fresh_login", check: (*profile).checkFresh, says: saysFresh, assertion: true, needs: "authentication"},
	{name: "login_context", check: (*profile).checkContext, says: saysContext, assertion: true, needs: "authentication"},
	{name: "attributes", check: (*profile).mapAttributes, says: saysAttributes, assertion: true, personal: true, needs: "name_id"},
}

func saysVersion(*profile) (expected, got string) { return "SAML 2.0", "SAML 2.0" }

func saysStatus(*profile) (expected, got string) { return "Success", "Success" }

func saysDestination(p *profile) (expected, got string) {
	return oneOf(p.want.Recipients), orNone(trim(value(p.response, "Destination")))
}

func saysResponseIssuer(p *profile) (expected, got string) {
	if issuer, _ := child(p.response, assertionSpace, "Issuer"); issuer != nil {
		return p.idp.EntityID, p.idp.EntityID
	}
	return p.idp.EntityID, "none"
}

func saysResponseTime(p *profile) (expected, got string) { return p.saysTime(p.response) }

func saysAssertionTime(p *profile) (expected, got string) { return p.saysTime(p.proof.assertion) }

func (p *profile) saysTime(el *etree.Element) (expected, got string) {
	return "from " + p.stamp(-maxAge-skew) + " to " + p.stamp(skew), value(el, "IssueInstant")
}

func saysIssuer(p *profile) (expected, got string) { return p.idp.EntityID, p.idp.EntityID }

func saysValidity(p *profile) (expected, got string) {
	el, _ := child(p.proof.assertion, assertionSpace, "Conditions")
	return "valid at " + stamp(p.want.Now), window(el)
}

// window words the times within which something holds.
func window(el *etree.Element) string {
	if el == nil {
		return "none"
	}
	return "from " + orNone(value(el, "NotBefore")) + " to " + orNone(value(el, "NotOnOrAfter"))
}

func saysAudience(p *profile) (expected, got string) {
	var all []string
	el, _ := child(p.proof.assertion, assertionSpace, "Conditions")
	for _, restriction := range children(el, assertionSpace, "AudienceRestriction") {
		for _, a := range children(restriction, assertionSpace, "Audience") {
			t, _ := text(a)
			all = append(all, trim(t))
		}
	}
	return oneOf(p.want.Audiences), strings.Join(all, ", ")
}

func saysName(p *profile) (expected, got string) {
	format := p.out.NameID.Format
	if format == "" {
		format = unspecifiedFormat
	}
	return "a NameID", p.out.NameID.Value + " (" + format + ")"
}

func saysRequest(p *profile) (expected, got string) {
	expected = "a login that was started here"
	if p.want.Unsolicited {
		expected += ", or one that started at the identity provider"
	}
	if p.inResponseTo == "" {
		return expected, "one that started at the identity provider"
	}
	return expected, "the one started here at " + stamp(p.out.Ticket.ExpiresAt.Add(-TicketLifetime))
}

func saysAuthn(p *profile) (expected, got string) {
	got = "at " + stamp(p.out.AuthnAt)
	if !p.out.SessionEnds.IsZero() {
		got += ", until " + stamp(p.out.SessionEnds)
	}
	return "that the person logged in", got
}

func saysFresh(p *profile) (expected, got string) {
	if !p.idp.ForceAuthn {
		return "not asked for", stamp(p.out.AuthnAt)
	}
	return "a login made for this request", stamp(p.out.AuthnAt)
}

func saysContext(p *profile) (expected, got string) {
	if asked := p.idp.AskContexts; len(asked) > 0 {
		return "asked for, and judged by the authentication policy: " + oneOf(asked), orNone(p.out.AuthnContext)
	}
	if !p.idp.RequestAuthnContext {
		return "not asked for", orNone(p.out.AuthnContext)
	}
	return passwordContext + " or better", orNone(p.out.AuthnContext)
}

func saysAttributes(p *profile) (expected, got string) {
	kind := p.out.Subject.Kind
	return "what names the person, the same at each login", strconv.Itoa(len(p.out.Attributes)) + " attributes; the person is known by " + kind
}

func saysRecipient(p *profile, data *etree.Element) (expected, got string) {
	return oneOf(p.want.Recipients), orNone(trim(value(data, "Recipient")))
}

func saysConfirmationWindow(p *profile, data *etree.Element) (expected, got string) {
	return "valid at " + stamp(p.want.Now), window(data)
}

func saysInResponseTo(p *profile, data *etree.Element) (expected, got string) {
	return orNone(p.inResponseTo), orNone(value(data, "InResponseTo"))
}
