package sso

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// A Report says how a response stands to each rule, for people who have to find
// out why a login fails. Nothing may be believed for standing in one: unless
// Signed says otherwise, it repeats what anybody may have written.
type Report struct {
	Judgements []Judgement `json:"judgements"`

	Accepted bool   `json:"accepted"`       // by Check, of the same input
	Code     string `json:"code,omitempty"` // of the rejection otherwise

	Signed    bool `json:"signed"`    // by a key of the method: what follows is the identity provider's word
	Encrypted bool `json:"encrypted"` // the assertion was
	Ours      bool `json:"ours"`      // it names a request that was made here for this method

	Issuer   string   `json:"issuer,omitempty"` // as it says
	Signer   string   `json:"signer,omitempty"` // SHA-256 of the certificate whose key signed, hexadecimal
	Warnings []string `json:"warnings,omitempty"`

	NameID     NameID              `json:"name_id"`
	Attributes map[string][]string `json:"attributes,omitempty"`
	Email      string              `json:"email,omitempty"`
	FirstName  string              `json:"first_name,omitempty"`
	LastName   string              `json:"last_name,omitempty"`
	RealName   string              `json:"real_name,omitempty"`
	Groups     []string            `json:"groups,omitempty"`
}

// A Judgement is how a response stands to one rule.
type Judgement struct {
	Rule     string `json:"rule"` // stable, snake_case: "audience"
	Result   Result `json:"result"`
	Expected string `json:"expected,omitempty"`
	Got      string `json:"got,omitempty"` // cut to 200 characters
	Code     string `json:"code,omitempty"`
	Message  string `json:"message,omitempty"` // of a failure: what is wrong

	// Personal says that Got may name the person.
	Personal bool `json:"personal,omitempty"`
}

// A Result is what came of a rule.
type Result string

// The results.
const (
	Pass      Result = "pass"
	Fail      Result = "fail"
	NotJudged Result = "not_judged" // what it is about is missing, or cannot be read
)

// Failures gives the judgements that failed.
func (r *Report) Failures() []Judgement {
	return slices.DeleteFunc(slices.Clone(r.Judgements), func(j Judgement) bool { return j.Result != Fail })
}

// Message says why the response is refused: what the rejection of Check says;
// empty if it is accepted.
func (r *Report) Message() string {
	for _, j := range r.Judgements {
		if j.Code == r.Code {
			return j.Message
		}
	}
	return ""
}

// Explain gives a report of any response: all that can be judged of it, also
// beyond the first rule that does not hold. Of what is not signed, or not by a
// key of the method, it judges what is claimed. It decrypts nothing that Check
// would not. An error of [DecodeResponse] is explained by [Undecoded].
func (p *Provider) Explain(idp *IdP, raw []byte, want Expectation) *Report {
	if want.Ticket == nil {
		want.Ticket = p.Tickets(idp.ID, want.Now)
	}
	report := &Report{}
	_, err := p.Check(idp, raw, want)
	r, refused := err.(*Rejection)
	report.Accepted = !refused
	if refused {
		report.Code = r.Code
	}
	found, r := scan(raw)
	if r != nil {
		return report.add("document", r, false)
	}
	report.document(found)
	keys := p.decrypter(idp, want.Now)
	judged := newProfile(idp, want, &proven{assertion: found.assertion}, found, keys)
	report.Ours = judged.ours()
	if found.assertion != nil || found.encrypted != nil {
		proof, r := found.prove(idp, p.Guard, want.Now, keys)
		report.signature(idp, proof, r)
		if r == nil {
			report.Signed = true
			judged = newProfile(idp, want, proof, found, keys)
		}
	}
	report.all(judged)
	report.claims(judged)
	return report
}

// Undecoded is the report of what is no base64, or too large.
func Undecoded(err error) *Report {
	r, ok := err.(*Rejection)
	if !ok {
		r = reject("response_not_base64", "", "")
	}
	report := &Report{Code: r.Code}
	return report.add("document", r, false)
}

// ours says whether the response names a request that was made here, be it over
// or not.
func (p *profile) ours() bool {
	if p.inResponseTo == "" {
		return false
	}
	_, err := p.want.Ticket(p.inResponseTo)
	r, refused := err.(*Rejection)
	return err == nil || refused && r.Code == "request_expired"
}

// document says that a response is one, and who says to have sent it.
func (r *Report) document(found *shape) {
	got := "a response with an assertion"
	switch {
	case found.encrypted != nil:
		got, r.Encrypted = "a response with an encrypted assertion", true
	case found.assertion == nil:
		got = "a response without an assertion"
	}
	r.Judgements = append(r.Judgements, Judgement{Rule: "document", Result: Pass, Expected: "one well-formed SAML response", Got: got})
	if issuer, no := child(found.root, assertionSpace, "Issuer"); no == nil && issuer != nil {
		t, _ := text(issuer)
		r.Issuer = clip(trim(t))
	}
}

// signature says what comes of the signatures, and of the encryption.
func (r *Report) signature(idp *IdP, proof *proven, no *Rejection) {
	if no != nil {
		rule := "signature"
		if strings.HasPrefix(no.Code, "encryption_") || strings.HasPrefix(no.Code, "decryption_") {
			rule = "encryption"
		}
		r.add(rule, no, false)
		return
	}
	if r.Encrypted {
		r.Judgements = append(r.Judgements, Judgement{Rule: "encryption", Result: Pass, Expected: "encrypted to a certificate of our metadata", Got: "decrypted"})
	}
	cert := idp.Certificates[proof.certificate]
	r.Signer = fingerprint(cert.Raw)
	r.Judgements = append(r.Judgements, Judgement{Rule: "signature", Result: Pass,
		Expected: clip((&verifier{idp: idp}).fingerprints()), Got: "made with the key of certificate " + r.Signer})
}

// all goes through the rules to their end.
func (r *Report) all(p *profile) {
	failed := map[string]bool{}
	for _, rule := range rules {
		switch {
		case rule.name == "assertion" && p.proof.assertion == nil && !r.Encrypted && !failed["status"]:
			r.add(rule.name, reject("no_assertion", "one", "none"), false)
			continue
		case rule.assertion && p.proof.assertion == nil:
			r.skip(rule.name, "There is no assertion that can be read.")
			continue
		case rule.needs != "" && failed[rule.needs]:
			r.skip(rule.name, "It depends on another check, which failed.")
			failed[rule.name] = true
			continue
		case rule.name == "name_id" && !r.Signed && p.nameEncrypted():
			r.skip(rule.name, "The name is encrypted, and nothing is decrypted that is not signed.")
			failed[rule.name] = true
			continue
		}
		no := rule.check(p)
		if rule.name == "confirmation" && r.confirmation(p, no) {
			continue
		}
		if no == nil {
			r.passed(rule, p)
			continue
		}
		failed[rule.name] = true
		r.add(rule.name, no, rule.personal)
	}
}

// confirmation reports the parts of the confirmation that counts: the first
// that holds, or else the first that is for us to use.
func (r *Report) confirmation(p *profile, no *Rejection) bool {
	subject, _ := child(p.proof.assertion, assertionSpace, "Subject")
	if subject == nil {
		return false
	}
	var best *etree.Element
	for _, c := range children(subject, assertionSpace, "SubjectConfirmation") {
		data, _ := child(c, assertionSpace, "SubjectConfirmationData")
		if value(c, "Method") != bearer || data == nil {
			continue
		}
		if _, no := p.checkConfirmation(c); best == nil || no == nil {
			best = data
			if no == nil {
				break
			}
		}
	}
	if best == nil {
		return false
	}
	for _, part := range confirmationRules {
		if no := part.check(p, best); no != nil {
			r.add(part.name, no, false)
			continue
		}
		expected, got := part.says(p, best)
		r.Judgements = append(r.Judgements, Judgement{Rule: part.name, Result: Pass, Expected: clip(expected), Got: clip(got)})
	}
	return true
}

func (r *Report) passed(rule rule, p *profile) {
	if rule.name == "confirmation" {
		r.confirmation(p, nil)
		return
	}
	expected, got := rule.says(p)
	r.Judgements = append(r.Judgements, Judgement{
		Rule: rule.name, Result: Pass, Expected: clip(expected), Got: clip(got), Personal: rule.personal,
	})
}

func (r *Report) skip(rule, why string) {
	r.Judgements = append(r.Judgements, Judgement{Rule: rule, Result: NotJudged, Message: why})
}

// add notes a failure. What the same missing part makes fail again is not
// judged.
func (r *Report) add(rule string, no *Rejection, personal bool) *Report {
	for _, j := range r.Judgements {
		if j.Code == no.Code && (strings.HasSuffix(no.Code, "_missing") || no.Code == "element_repeated") {
			r.skip(rule, "It depends on another check, which failed.")
			return r
		}
	}
	r.Judgements = append(r.Judgements, Judgement{
		Rule: rule, Result: Fail, Expected: no.Expected, Got: no.Got, Code: no.Code, Message: no.Message, Personal: personal,
	})
	return r
}

// claims notes what the assertion says of the person.
func (r *Report) claims(p *profile) {
	a := p.out
	r.Warnings, r.NameID, r.Attributes = a.Warnings, a.NameID, a.Attributes
	r.Email, r.FirstName, r.LastName, r.RealName, r.Groups = a.Email, a.FirstName, a.LastName, a.RealName, a.Groups
}
