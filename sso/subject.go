package sso

import (
	"slices"
	"time"

	"github.com/beevik/etree"
)

const encryptedFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"

// checkName reads whom the assertion is about.
func (p *profile) checkName() *Rejection {
	el, r := p.part("Subject")
	if r != nil {
		return r
	}
	if r := onlyIn(el, assertionSpace); r != nil {
		return r
	}
	name, r := p.name(el)
	if r != nil {
		return r
	}
	return p.readNameID(name)
}

// name gives the one NameID of a subject, decrypted if it is encrypted (SAML
// Core, 2.2.4). Its ciphertext was signed, so that nobody but the identity
// provider has a say in what is decrypted.
func (p *profile) name(subject *etree.Element) (*etree.Element, *Rejection) {
	name, r := child(subject, assertionSpace, "NameID")
	if r != nil {
		return nil, r
	}
	encrypted, r := child(subject, assertionSpace, "EncryptedID")
	switch {
	case r != nil:
		return nil, r
	case name != nil && encrypted != nil:
		return nil, reject("element_repeated", "NameID or EncryptedID in Subject", "both")
	case encrypted != nil:
		c, r := readCiphered(encrypted)
		if r != nil {
			return nil, r
		}
		inner, r := p.found.decrypted(p.keys, c, "NameID", carried(encrypted, p.proof.assertion))
		if r != nil {
			return nil, r
		}
		return inner.root, nil
	case name == nil:
		return nil, reject("name_id_missing", "NameID", "none")
	}
	return name, nil
}

// nameEncrypted says whether the subject has its name encrypted.
func (p *profile) nameEncrypted() bool {
	subject, _ := child(p.proof.assertion, assertionSpace, "Subject")
	return subject != nil && len(children(subject, assertionSpace, "EncryptedID")) > 0
}

func (p *profile) readNameID(el *etree.Element) *Rejection {
	v, ok := text(el)
	if !ok || trim(v) == "" {
		return reject("name_id_missing", "a name", "blanks, or elements inside")
	}
	n := NameID{
		Value:           v,
		Format:          value(el, "Format"),
		NameQualifier:   value(el, "NameQualifier"),
		SPNameQualifier: value(el, "SPNameQualifier"),
	}
	if n.Format == encryptedFormat {
		return reject("name_id_encrypted", "another format", n.Format)
	}
	if n.SPNameQualifier != "" && !slices.Contains(p.want.Audiences, n.SPNameQualifier) {
		return reject("name_qualifier_mismatch", oneOf(p.want.Audiences), n.SPNameQualifier)
	}
	p.out.NameID = n
	return nil
}

// checkConfirmations demands one bearer confirmation that holds, so that the
// assertion may be used for a login by whoever carries it (SAML Profiles,
// 4.1.4.2). Others may stand beside it, for other recipients or methods (SAML
// Core, 2.4.1.1): they say nothing for us.
func (p *profile) checkConfirmations() *Rejection {
	subject, r := p.part("Subject")
	if r != nil {
		return r
	}
	var first *Rejection
	var end time.Time
	held := false
	for _, c := range children(subject, assertionSpace, "SubjectConfirmation") {
		if value(c, "Method") != bearer {
			continue
		}
		until, r := p.checkConfirmation(c)
		if r != nil {
			if first == nil {
				first = r
			}
			continue
		}
		held = true
		if until.After(end) {
			end = until
		}
	}
	if held {
		p.endBy(end)
		return nil
	}
	if first == nil {
		return reject("no_bearer", bearer, "none")
	}
	return first
}

// confirmationRules are what one bearer confirmation is held to.
var confirmationRules = [...]struct {
	name  string
	check func(p *profile, data *etree.Element) *Rejection
	says  func(p *profile, data *etree.Element) (expected, got string) // as a rule's
}{
	{"recipient", (*profile).checkRecipient, saysRecipient},
	{"confirmation_validity", (*profile).checkConfirmationWindow, saysConfirmationWindow},
	{"in_response_to", (*profile).checkInResponseTo, saysInResponseTo},
}

// checkConfirmation applies one bearer confirmation and gives its end.
func (p *profile) checkConfirmation(el *etree.Element) (time.Time, *Rejection) {
	data, r := child(el, assertionSpace, "SubjectConfirmationData")
	if r != nil {
		return time.Time{}, r
	}
	if data == nil {
		return time.Time{}, reject("confirmation_invalid", "SubjectConfirmationData", "none")
	}
	for _, rule := range confirmationRules {
		if r := rule.check(p, data); r != nil {
			return time.Time{}, r
		}
	}
	until, r := p.time(data, "NotOnOrAfter")
	if _, there := attr(data, "Recipient"); r == nil && !there {
		p.out.Allowances = use(p.out.Allowances, NoRecipient)
		p.warn("The confirmation has no Recipient, which this method admits.")
	}
	return until, r
}

func (p *profile) checkRecipient(data *etree.Element) *Rejection {
	recipient, there := attr(data, "Recipient")
	if !there && !p.addressedInstead() {
		return reject("confirmation_invalid", "Recipient", "none")
	}
	if there && !slices.Contains(p.want.Recipients, trim(recipient)) {
		return reject("recipient_mismatch", oneOf(p.want.Recipients), recipient)
	}
	return nil
}

func (p *profile) checkConfirmationWindow(data *etree.Element) *Rejection {
	if _, there := attr(data, "NotBefore"); there {
		// The profile forbids it. Where it is sent nevertheless, it has to
		// have come, as in Conditions.
		p.warn("The confirmation has a NotBefore, which the Web Browser SSO profile forbids.")
	}
	return p.checkWindow(data, true)
}

// checkInResponseTo has the confirmation name the request that the response
// names. The response may be unsigned; the confirmation never is. So both have
// to name the same one, or neither any: an answer to somebody's request cannot
// be stripped down to look unsolicited.
func (p *profile) checkInResponseTo(data *etree.Element) *Rejection {
	if got := value(data, "InResponseTo"); got != p.inResponseTo {
		return reject("in_response_to_mismatch", orNone(p.inResponseTo), orNone(got))
	}
	return nil
}

// addressedInstead says whether a confirmation may do without Recipient: the
// method admits it, and a signed response is addressed to us.
func (p *profile) addressedInstead() bool {
	if !p.idp.AllowNoRecipient || p.proof.response == nil {
		return false
	}
	destination, there := attr(p.proof.response, "Destination")
	return there && slices.Contains(p.want.Recipients, trim(destination))
}

// openTicket finds the request that was answered.
func (p *profile) openTicket() *Rejection {
	if p.inResponseTo == "" {
		if !p.want.Unsolicited {
			return reject("unsolicited", "InResponseTo", "none")
		}
		return nil
	}
	ticket, err := p.want.Ticket(p.inResponseTo)
	if err != nil {
		if r, ok := err.(*Rejection); ok {
			return r
		}
		return reject("verifier_failed", "", err.Error())
	}
	p.out.InResponseTo, p.out.Ticket = p.inResponseTo, ticket
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
