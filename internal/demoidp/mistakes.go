package demoidp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"time"
)

// A Mistake is one way in which identity providers are set up wrongly, or in
// which an attacker changes what they say.
type Mistake struct {
	Name  string // for programs
	Title string // for the login page
	Make  func(*Response)
}

// Mistakes are all of them. A service provider that is set up in the usual way
// has to refuse each, but the first of two posts with a used id.
var Mistakes = []Mistake{
	{"wrong-audience", "Meant for another service", func(r *Response) { r.Audiences = []string{"https://other.test/metadata"} }},
	{"no-audience", "Meant for nobody in particular", func(r *Response) { r.Audiences = nil }},
	{"wrong-recipient", "Delivered to another address", func(r *Response) { r.Confirmation.Recipient = "https://other.test/acs" }},
	{"wrong-destination", "Sent to another address", func(r *Response) { r.Destination = "https://other.test/acs" }},
	{"wrong-issuer", "From another identity provider", func(r *Response) { r.Issuer = "https://other.test/idp" }},
	{"wrong-request", "Answers another request", func(r *Response) {
		r.InResponseTo, r.Confirmation.InResponseTo = "_of-somebody-else", "_of-somebody-else"
	}},
	{"expired", "Expired an hour ago", func(r *Response) { r.shift(-time.Hour) }},
	{"not-yet-valid", "Valid in an hour", func(r *Response) { r.shift(time.Hour) }},
	{"unsigned", "Not signed", func(r *Response) { r.Sign = SignNone }},
	{"wrong-key", "Signed with another key", signWithStranger},
	{"sha1", "Signed with SHA-1", func(r *Response) { r.SignatureHash, r.DigestHash = crypto.SHA1, crypto.SHA1 }},
	{"changed", "Changed after it was signed", func(r *Response) {
		r.Tamper = replacing(">"+r.Subject.Value+"<", ">mallory@acme.test<")
	}},
	{"comment", "A comment inside the name", func(r *Response) {
		v := r.Subject.Value
		r.Tamper = replacing(">"+v+"<", ">"+v[:len(v)/2]+"<!-- -->"+v[len(v)/2:]+"<")
	}},
	{"doctype", "With a document type", func(r *Response) {
		r.Tamper = func(d string) string { return "<!DOCTYPE Response>" + d }
	}},
	{"two-assertions", "Two assertions", func(r *Response) { r.Assertions = 2 }},
	{"no-name", "Without a NameID", func(r *Response) { r.Subject = NameID{} }},
	{"holder-of-key", "Not a bearer assertion", func(r *Response) {
		r.Confirmation.Method = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
	}},
	{"used-id", "With an id that is used again", func(r *Response) { r.AssertionID = "_used-again-and-again" }},
	{"denied", "Login refused", func(r *Response) {
		r.Status, r.SubStatus, r.StatusMessage = Responder, AuthnFailed, "You may not use this application."
	}},
}

// MistakeNamed finds a mistake.
func MistakeNamed(name string) (Mistake, bool) {
	for _, m := range Mistakes {
		if m.Name == name {
			return m, true
		}
	}
	return Mistake{}, false
}

// shift moves all times of the response by d.
func (r *Response) shift(d time.Duration) {
	for _, t := range []*time.Time{&r.IssuedAt, &r.NotBefore, &r.NotOnOrAfter, &r.AuthnAt, &r.Confirmation.NotOnOrAfter} {
		*t = t.Add(d)
	}
}

// signWithStranger signs with a key that nobody knows. Where none can be made,
// nothing is signed: that must be refused as well.
func signWithStranger(r *Response) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		r.Sign = SignNone
		return
	}
	r.Key = key
}

func replacing(old, with string) func(string) string {
	return func(d string) string { return strings.ReplaceAll(d, old, with) }
}
