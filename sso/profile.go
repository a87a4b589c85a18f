package sso

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// The times within which a response is believed.
const (
	skew        = time.Minute          // how far two clocks may be apart
	maxAge      = TicketLifetime       // from IssueInstant: the answer to a request cannot be older than the request
	maxValidity = 24 * time.Hour       // whatever NotOnOrAfter says
	maxAuthnAge = 366 * 24 * time.Hour // since AuthnInstant, without a warning
)

const (
	bearer        = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	statusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"
	entityFormat  = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
)

// A profile applies the rules of the Web Browser SSO profile (SAML Profiles,
// 4.1.4) to what was proven.
type profile struct {
	idp   *IdP
	want  Expectation
	proof *proven
	found *shape     // where the parts of the response are
	keys  *decrypter // for a name that is encrypted
	out   *Assertion

	// response is the proven Response, or else the one that came: what is not
	// signed of it is used for refusing alone.
	response     *etree.Element
	inResponseTo string // of the Response, signed or not
}

// newProfile is for a response of which proof holds. raw is the response as it
// came.
func newProfile(idp *IdP, want Expectation, proof *proven, found *shape, keys *decrypter) *profile {
	p := &profile{idp: idp, want: want, proof: proof, found: found, keys: keys, response: proof.response, out: &Assertion{
		Certificate: proof.certificate,
		Warnings:    proof.warnings,
		Allowances:  proof.allowances,
		UsableUntil: want.Now.Add(maxValidity + skew),
	}}
	if p.response == nil {
		p.response = found.root
	} else {
		p.out.ResponseID = value(p.response, "ID")
	}
	p.inResponseTo = value(p.response, "InResponseTo")
	return p
}

// checkResponse holds the Response to its form (SAML Core, 3.2.2).
func (p *profile) checkResponse() *Rejection {
	if r := onlyIn(p.response, protocolSpace, assertionSpace, signatureSpace); r != nil {
		return r
	}
	if v := value(p.response, "Version"); v != "2.0" {
		return reject("version_unsupported", "2.0", v)
	}
	return nil
}

func (p *profile) checkStatus() *Rejection { return checkStatus(p.response) }

// checkDestination looks where the response was meant to go. An honest one
// says so. One without is admitted all the same, signed or not: the Recipient
// inside the assertion, which is signed always and needed always, says it as
// well.
func (p *profile) checkDestination() *Rejection {
	if destination, there := attr(p.response, "Destination"); there && !slices.Contains(p.want.Recipients, trim(destination)) {
		return reject("destination_mismatch", oneOf(p.want.Recipients), destination)
	}
	return nil
}

func (p *profile) checkResponseIssuer() *Rejection {
	issuer, r := child(p.response, assertionSpace, "Issuer")
	if r != nil || issuer == nil {
		return r
	}
	return p.checkIssuerIs(issuer)
}

func (p *profile) checkResponseTime() *Rejection {
	return p.checkIssued(p.response, p.proof.response != nil)
}

// checkStatus demands top-level Success. A second-level code never makes up
// for it.
func checkStatus(response *etree.Element) *Rejection {
	status, r := child(response, protocolSpace, "Status")
	if r != nil {
		return r
	}
	if status == nil {
		return reject("element_missing", "Status", "none")
	}
	code, r := child(status, protocolSpace, "StatusCode")
	if r != nil {
		return r
	}
	if code == nil {
		return reject("element_missing", "StatusCode", "none")
	}
	got := value(code, "Value")
	if got == statusSuccess {
		return nil
	}
	for _, second := range children(code, protocolSpace, "StatusCode") {
		got += ", " + value(second, "Value")
	}
	for _, message := range children(status, protocolSpace, "StatusMessage") {
		if t, ok := text(message); ok {
			got += ": " + trim(t)
		}
	}
	return reject("status_not_success", statusSuccess, got)
}

func (p *profile) checkIssuerIs(el *etree.Element) *Rejection {
	// Format is not looked at: it could only say what is known, and some
	// products write nonsense there.
	got, ok := text(el)
	if !ok || trim(got) != p.idp.EntityID {
		return reject("issuer_mismatch", p.idp.EntityID, got)
	}
	return nil
}

// checkIssued bounds IssueInstant on both sides.
func (p *profile) checkIssued(el *etree.Element, signed bool) *Rejection {
	at, r := p.time(el, "IssueInstant")
	if r != nil {
		return r
	}
	if at.IsZero() {
		return reject("element_missing", "IssueInstant in "+el.Tag, "none")
	}
	if at.After(p.want.Now.Add(skew)) {
		return reject("issued_in_future", "at most "+p.stamp(skew), stamp(at))
	}
	if !at.After(p.want.Now.Add(-maxAge - skew)) {
		return reject("issued_too_long_ago", "after "+p.stamp(-maxAge-skew), stamp(at))
	}
	if signed {
		p.endBy(at.Add(maxAge))
	}
	return nil
}

// checkAssertion holds the assertion to its form (SAML Core, 2.3.3).
func (p *profile) checkAssertion() *Rejection {
	el := p.proof.assertion
	p.out.ID = value(el, "ID")
	if r := onlyIn(el, assertionSpace, signatureSpace); r != nil {
		return r
	}
	if v := value(el, "Version"); v != "2.0" {
		return reject("version_unsupported", "2.0", v)
	}
	return nil
}

func (p *profile) checkAssertionTime() *Rejection { return p.checkIssued(p.proof.assertion, true) }

func (p *profile) checkIssuer() *Rejection {
	issuer, r := p.part("Issuer")
	if r != nil {
		return r
	}
	return p.checkIssuerIs(issuer)
}

// part gives the one part of this name that an assertion has to have.
func (p *profile) part(name string) (*etree.Element, *Rejection) {
	found, r := child(p.proof.assertion, assertionSpace, name)
	if r == nil && found == nil {
		r = missing(name)
	}
	return found, r
}

func missing(name string) *Rejection {
	switch name {
	case "Conditions":
		return reject("conditions_missing", name, "none")
	case "Subject":
		return reject("name_id_missing", name, "none")
	}
	return reject("element_missing", name+" in Assertion", "none")
}

// checkValidity applies the window of the conditions.
func (p *profile) checkValidity() *Rejection {
	el, r := p.part("Conditions")
	if r != nil {
		return r
	}
	if r := p.checkWindow(el, false); r != nil {
		return r
	}
	if until, _ := p.time(el, "NotOnOrAfter"); !until.IsZero() {
		p.endBy(until)
	}
	return nil
}

// checkConditions applies every condition; one that is not understood makes
// the assertion's validity unknown (SAML Core, 2.5.1).
func (p *profile) checkConditions() *Rejection {
	el, r := p.part("Conditions")
	if r != nil {
		return r
	}
	audiences := 0
	for _, c := range el.ChildElements() {
		switch {
		case is(c, assertionSpace, "AudienceRestriction"):
			audiences++
			if r := p.checkAudience(c); r != nil {
				return r
			}
		case is(c, assertionSpace, "OneTimeUse"), is(c, assertionSpace, "ProxyRestriction"):
			// Nothing is used twice here, and nothing passed on.
		default:
			return reject("condition_unknown", "AudienceRestriction, OneTimeUse or ProxyRestriction", c.Tag)
		}
	}
	if audiences == 0 {
		return reject("audience_missing", oneOf(p.want.Audiences), "none")
	}
	return nil
}

func (p *profile) checkAudience(el *etree.Element) *Rejection {
	var got []string
	for _, a := range children(el, assertionSpace, "Audience") {
		t, ok := text(a)
		if ok && slices.Contains(p.want.Audiences, trim(t)) {
			return nil
		}
		got = append(got, trim(t))
	}
	return reject("audience_mismatch", oneOf(p.want.Audiences), strings.Join(got, ", "))
}

// checkWindow applies NotBefore and NotOnOrAfter, with skew on both sides.
func (p *profile) checkWindow(el *etree.Element, endNeeded bool) *Rejection {
	from, r := p.time(el, "NotBefore")
	if r != nil {
		return r
	}
	until, r := p.time(el, "NotOnOrAfter")
	if r != nil {
		return r
	}
	if !from.IsZero() && from.After(p.want.Now.Add(skew)) {
		return reject("not_yet_valid", "at most "+p.stamp(skew), stamp(from))
	}
	if until.IsZero() {
		if endNeeded {
			return reject("confirmation_invalid", "NotOnOrAfter in "+el.Tag, "none")
		}
		return nil
	}
	if !until.After(p.want.Now.Add(-skew)) {
		return reject("expired", "after "+p.stamp(-skew), stamp(until))
	}
	if until.After(p.want.Now.Add(maxValidity + skew)) {
		// Some products have decades as their default. IssueInstant bounds
		// the response all the same, and so do we: see UsableUntil.
		p.warn("The assertion says that it is valid until " + stamp(until) + "; more than 24 hours do not count.")
	}
	return nil
}

// checkAuthn reads the statements that the person proved who they are.
func (p *profile) checkAuthn() *Rejection {
	statements := children(p.proof.assertion, assertionSpace, "AuthnStatement")
	if len(statements) == 0 {
		return reject("no_authn_statement", "AuthnStatement", "none")
	}
	for _, s := range statements {
		at, r := p.time(s, "AuthnInstant")
		if r != nil {
			return r
		}
		if at.IsZero() {
			return reject("element_missing", "AuthnInstant in AuthnStatement", "none")
		}
		at = p.plausible(at)
		ends, r := p.time(s, "SessionNotOnOrAfter")
		if r != nil {
			return r
		}
		if !ends.IsZero() && !ends.After(p.want.Now.Add(-skew)) {
			return reject("session_ended", "after "+p.stamp(-skew), stamp(ends))
		}
		if !ends.IsZero() && (p.out.SessionEnds.IsZero() || ends.Before(p.out.SessionEnds)) {
			p.out.SessionEnds = ends
		}
		if p.out.AuthnAt.IsZero() {
			p.out.AuthnAt, p.out.SessionIndex = at, value(s, "SessionIndex")
			p.out.AuthnContext = contextClass(s)
		}
	}
	return nil
}

// weakContexts are the ones that are less than a password over TLS, of those
// that SAML names (SAML Authentication Context, 3.4); and unspecified, which may
// be anything.
var weakContexts = []string{
	"urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocol",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocolPassword",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession",
	"urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
}

// checkFresh holds the identity provider to a login made for the request, where
// the request asked for one: an answer that falls short may be one to another
// request, or the identity provider took no notice.
func (p *profile) checkFresh() *Rejection {
	if !p.idp.ForceAuthn {
		return nil
	}
	since := p.want.Now.Add(-maxAge)
	if p.out.InResponseTo != "" {
		since = p.out.Ticket.ExpiresAt.Add(-TicketLifetime)
	}
	if p.out.AuthnAt.Before(since.Add(-skew)) {
		return reject("authn_not_fresh", "after "+stamp(since.Add(-skew)), stamp(p.out.AuthnAt))
	}
	return nil
}

// checkContext holds it to the kind of login that the request asked for.
func (p *profile) checkContext() *Rejection {
	if !p.idp.RequestAuthnContext {
		return nil
	}
	got := p.out.AuthnContext
	if slices.Contains(p.idp.AskContexts, got) {
		return nil
	}
	if p.idp.Variant == "adfs" {
		if exact := []string{passwordContext, windowsContext}; !slices.Contains(exact, got) {
			return reject("authn_context_insufficient", oneOf(exact), orNone(got))
		}
		return nil
	}
	if got == "" || slices.Contains(weakContexts, got) {
		return reject("authn_context_insufficient", passwordContext+" or better", orNone(got))
	}
	return nil
}

// plausible gives when the person logged in at the identity provider: never in
// the future. SAML has no rule for AuthnInstant, and a wrong one admits nobody,
// so that it is a reason to warn only. Some sessions there last for months.
func (p *profile) plausible(at time.Time) time.Time {
	if at.After(p.want.Now.Add(skew)) {
		p.warn("The assertion says that the person logged in at " + stamp(at) + ", which is in the future.")
	}
	if at.Before(p.want.Now.Add(-maxAuthnAge)) {
		p.warn("The assertion says that the person logged in at " + stamp(at) + ", more than a year ago.")
	}
	if at.After(p.want.Now) {
		return p.want.Now
	}
	return at
}

// contextClass gives how the person proved it; empty if it is not said, or
// said with several voices.
func contextClass(statement *etree.Element) string {
	context, r := child(statement, assertionSpace, "AuthnContext")
	if r != nil || context == nil {
		return ""
	}
	class, r := child(context, assertionSpace, "AuthnContextClassRef")
	if r != nil || class == nil {
		return ""
	}
	t, _ := text(class)
	return trim(t)
}

// warn notes something that is admitted and should be mended.
func (p *profile) warn(what string) {
	if !slices.Contains(p.out.Warnings, what) {
		p.out.Warnings = append(p.out.Warnings, what)
	}
}

// endBy moves UsableUntil forward to t, skew included.
func (p *profile) endBy(t time.Time) {
	if t = t.Add(skew); t.Before(p.out.UsableUntil) {
		p.out.UsableUntil = t
	}
}

// time reads an attribute that is a time; zero if it is not there.
func (p *profile) time(el *etree.Element, name string) (time.Time, *Rejection) {
	v, there := attr(el, name)
	if !there {
		return time.Time{}, nil
	}
	t, err := parseTime(v)
	if err != nil {
		return time.Time{}, reject("time_invalid", name+" in UTC, such as "+stamp(p.want.Now), v)
	}
	return t, nil
}

var errTime = errors.New("not a time in UTC")

// parseTime reads an xs:dateTime in UTC (SAML Core, 1.3.3). An offset is
// understood too; a time without zone is not.
func parseTime(v string) (time.Time, error) {
	v = trim(v)
	if len(v) < len("2006-01-02T15:04:05Z") || len(v) > 64 || strings.Contains(v, ",") {
		return time.Time{}, errTime
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil || t.Year() < 1970 {
		return time.Time{}, errTime
	}
	return t.UTC(), nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return t.UTC().Format("2006-01-02T15:04:05.999Z")
}

func (p *profile) stamp(d time.Duration) string { return stamp(p.want.Now.Add(d)) }

func oneOf(all []string) string { return strings.Join(all, " or ") }

// onlyIn refuses children of an element whose content SAML fixes that are in
// other namespaces than these: they could only be look-alikes.
func onlyIn(el *etree.Element, spaces ...string) *Rejection {
	for _, t := range el.Child {
		c, ok := t.(*etree.Element)
		if ok && !slices.Contains(spaces, c.NamespaceURI()) {
			return reject("element_unexpected", "SAML's own elements in "+el.Tag, c.Tag+" in "+c.NamespaceURI())
		}
	}
	return nil
}
