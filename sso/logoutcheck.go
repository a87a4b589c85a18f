package sso

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// A LogoutRequest is what an identity provider verifiably asked for: that the
// sessions end that a person has through it.
type LogoutRequest struct {
	ID         string // to be used once
	RelayState string // to be given back with the response
	NameID     NameID
	Indexes    []string // of the sessions; none stands for all of the person's

	// UsableUntil is until when the id must be remembered.
	UsableUntil time.Time

	Allowances []Allowance // those of the method that were needed
	Warnings   []string    // what is admitted and should be mended
}

// SLOURL is where logout messages for this IdP arrive, by each binding.
func (i *IdP) SLOURL() string { return i.Base + "/v1/sso/saml/slo/" + i.ID }

// NameKey stands for a name in look-ups: two names have the same key if they
// mean the same person to this IdP. Qualifiers that say what goes without
// saying (SAML Core, 2.2.2 and 8.3.7), and the format that says nothing, make no
// difference; anything else does, byte for byte.
func (i *IdP) NameKey(n NameID) string {
	if n.Format == unspecifiedFormat {
		n.Format = ""
	}
	if n.NameQualifier == i.EntityID {
		n.NameQualifier = ""
	}
	if slices.Contains(i.Expect(time.Time{}).Audiences, n.SPNameQualifier) {
		n.SPNameQualifier = ""
	}
	sum := sha256.New()
	for _, part := range []string{n.Value, n.Format, n.NameQualifier, n.SPNameQualifier} {
		fmt.Fprintf(sum, "%d %s\n", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// CheckLogoutRequest judges a message that asks for a logout (SAML Core, 3.7.1;
// SAML Profiles, 4.4.4.1). It is pure, as Check is. Whether the request was used
// before is for the caller to find out, by its ID.
//
// An error is always a *Rejection. The request is given besides, with nothing
// but its ID and RelayState to be relied on, where it was verifiably sent to us
// by this identity provider and so may be answered with a refusal; else it is
// nil.
func (p *Provider) CheckLogoutRequest(idp *IdP, m *LogoutMessage, now time.Time) (*LogoutRequest, error) {
	l, r := p.proveLogout(idp, m, "LogoutRequest", now)
	if r != nil {
		return nil, r
	}
	out := &LogoutRequest{ID: value(l.root, "ID"), RelayState: m.RelayState, Allowances: l.allowances, Warnings: l.warnings}
	for _, rule := range []func(*logoutJudge) *Rejection{
		(*logoutJudge).checkTimes,
		func(l *logoutJudge) (r *Rejection) { out.NameID, r = l.nameID(); return r },
		func(l *logoutJudge) (r *Rejection) { out.Indexes, r = l.indexes(); return r },
	} {
		if r := rule(l); r != nil {
			return out, r
		}
	}
	out.UsableUntil = l.profile.out.UsableUntil
	return out, nil
}

// CheckLogoutResponse judges an answer to a logout of ours (SAML Core, 3.7.2).
// An error is a *Rejection; without one the identity provider says that the
// person's session there is over, as the request with this ticket asked.
func (p *Provider) CheckLogoutResponse(idp *IdP, m *LogoutMessage, now time.Time) (Ticket, error) {
	l, r := p.proveLogout(idp, m, "LogoutResponse", now)
	if r != nil {
		return Ticket{}, r
	}
	if r := l.checkTimes(); r != nil {
		return Ticket{}, r
	}
	t, ours := p.openTicketID("logout-request", idp.ID, value(l.root, "InResponseTo"))
	if !ours || t.Purpose != ToLogout || !now.Before(t.ExpiresAt) {
		return Ticket{}, reject("logout_unknown_request", "the id of a logout of the last ten minutes", value(l.root, "InResponseTo"))
	}
	if r := checkStatus(l.root); r != nil {
		return t, reject("logout_failed", r.Expected, r.Got)
	}
	return t, nil
}

// A logoutJudge holds a verified logout message to the rules.
type logoutJudge struct {
	profile *profile
	message *LogoutMessage
	root    *etree.Element // verified

	warnings   []string
	allowances []Allowance
}

// proveLogout verifies who sent a message, and that it was sent to us. Every
// message has to be signed, by whichever binding it came: the profile demands
// it of browsers' (SAML Profiles, 4.4.3.5), and of SOAP's nothing else says who
// sent them.
func (p *Provider) proveLogout(idp *IdP, m *LogoutMessage, name string, now time.Time) (*logoutJudge, *Rejection) {
	place := logoutRoot
	if m.Binding == SOAP {
		place = logoutBody
	}
	found, r := scanLogout(m.raw, place)
	if r != nil {
		return nil, r
	}
	if found.root.Tag != name || m.Binding != SOAP && m.Answer != (name == "LogoutResponse") {
		return nil, reject("not_a_logout", name, found.root.Tag)
	}
	if value(found.root, "ID") == "" {
		return nil, reject("id_invalid", "an ID", "none on "+name)
	}
	if len(idp.Certificates) == 0 {
		return nil, reject("no_certificate", "", "")
	}
	v := verifier{idp: idp, guard: p.Guard, now: now}
	root, r := v.verifyLogout(found, m)
	if r != nil {
		return nil, r
	}
	l := &logoutJudge{message: m, root: root, warnings: v.warnings, allowances: v.allowances}
	l.profile = &profile{
		idp: idp, want: idp.Expect(now), proof: &proven{assertion: root}, found: found, keys: p.decrypter(idp, now), response: root,
		out: &Assertion{UsableUntil: now.Add(maxAge + 2*skew)},
	}
	return l, l.checkSender()
}

// verifyLogout gives the message as its signature covers it.
func (v *verifier) verifyLogout(found *shape, m *LogoutMessage) (*etree.Element, *Rejection) {
	if m.Binding == Redirect {
		if found.rootSignature != nil {
			return nil, reject("signature_misplaced", "a signature in the query alone", "another in the message")
		}
		return found.root, v.verifyQuery(m.query)
	}
	if found.rootSignature == nil {
		return nil, reject("logout_not_signed", "a signature in the message", "none")
	}
	return v.verify(found.root, found.rootSignature, surroundings(found.root))
}

// verifyQuery verifies the signature of a query (SAML Bindings, 3.4.4.1).
func (v *verifier) verifyQuery(q *signedQuery) *Rejection {
	if q.signature == "" || q.algorithm == "" {
		return reject("logout_not_signed", "SigAlg and Signature in the query", "none")
	}
	m, known := signatureMethods[q.algorithm]
	if !known {
		return reject("algorithm_refused", "RSA or ECDSA with SHA-256, SHA-384 or SHA-512", q.algorithm)
	}
	s := &signature{key: m.key, sha1: m.sha1, method: q.algorithm}
	if s.sha1 && !v.idp.AllowSHA1 {
		return reject("sha1_refused", "SHA-256, SHA-384 or SHA-512", q.algorithm)
	}
	var err error
	if s.bytes, err = base64.StdEncoding.DecodeString(compact(q.signature)); err != nil || len(s.bytes) == 0 {
		return reject("signature_malformed", "base64 in Signature", "something else")
	}
	keys, r := v.keys(s)
	if r != nil {
		return r
	}
	h := hashOf(q.algorithm)
	sum := h.New()
	sum.Write([]byte(q.octets))
	made := (&ownProof{unchanged: true, info: sum.Sum(nil), hash: h}).madeBy(s, v.idp.Certificates, keys)
	if made < 0 {
		return reject("wrong_key", v.fingerprints(), "another key, or a changed query")
	}
	v.admit(s, made)
	return nil
}

// checkSender holds a message to its form, to who sent it, and to whom.
func (l *logoutJudge) checkSender() *Rejection {
	if r := onlyIn(l.root, protocolSpace, assertionSpace, signatureSpace); r != nil {
		return r
	}
	if v := value(l.root, "Version"); v != "2.0" {
		return reject("version_unsupported", "2.0", v)
	}
	issuer, r := child(l.root, assertionSpace, "Issuer")
	if r != nil {
		return r
	}
	if issuer == nil {
		return reject("element_missing", "Issuer in "+l.root.Tag, "none")
	}
	if r := l.profile.checkIssuerIs(issuer); r != nil {
		return r
	}
	idp := l.profile.idp
	ours := []string{idp.SLOURL(), idp.accountURL("slo")}
	destination, there := attr(l.root, "Destination")
	if !there && l.message.Binding == SOAP {
		return nil // it came by the address, and browsers carry nothing astray
	}
	if !slices.Contains(ours, trim(destination)) {
		return reject("logout_destination_mismatch", oneOf(ours), orNone(destination))
	}
	return nil
}

// checkTimes bounds when a message was made, and until when it counts.
func (l *logoutJudge) checkTimes() *Rejection {
	if r := l.profile.checkIssued(l.root, true); r != nil {
		return r
	}
	until, r := l.profile.time(l.root, "NotOnOrAfter")
	if r != nil {
		return r
	}
	if !until.IsZero() && !until.After(l.profile.want.Now.Add(-skew)) {
		return reject("logout_expired", "after "+l.profile.stamp(-skew), stamp(until))
	}
	return nil
}

// nameID reads whose sessions are meant.
func (l *logoutJudge) nameID() (NameID, *Rejection) {
	el, r := l.profile.name(l.root)
	if r == nil {
		r = l.profile.readNameID(el)
	}
	if r != nil && r.Code == "name_id_missing" {
		r = reject("logout_name_missing", r.Expected, r.Got)
	}
	return l.profile.out.NameID, r
}

// indexes reads which sessions are meant.
func (l *logoutJudge) indexes() ([]string, *Rejection) {
	var out []string
	for _, el := range children(l.root, protocolSpace, "SessionIndex") {
		index, plain := text(el)
		if index = trim(index); !plain || index == "" {
			return nil, reject("logout_session_invalid", "a name in each SessionIndex", "none")
		}
		out = append(out, index)
	}
	if len(out) > mostIndexes {
		return nil, reject("logout_session_invalid", "at most 100 of SessionIndex", fmt.Sprint(len(out)))
	}
	return out, nil
}

// Names says whether the request means a session of its person's with this
// SessionIndex. One whose index is not known may be any of them.
func (r *LogoutRequest) Names(index string) bool {
	return len(r.Indexes) == 0 || index == "" || slices.Contains(r.Indexes, strings.Trim(index, " \t\r\n"))
}

// LogoutReplayed is the rejection of a request whose id was used before.
func LogoutReplayed(id string) error {
	return reject("logout_replayed", "a request that was not used", id)
}
