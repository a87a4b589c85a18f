package demoidp

import (
	"fmt"
	"time"
)

// document writes the Response around its assertions, unsigned.
func (r *Response) document(assertions string) (string, error) {
	c := canon{b: make([]byte, 0, len(assertions)+1024)}
	c.open("samlp:Response", "xmlns:samlp", nsSAMLP, "Destination", r.Destination, "ID", r.ID,
		"InResponseTo", r.InResponseTo, "IssueInstant", instant(r.IssuedAt), "Version", "2.0")
	c.leaf("saml:Issuer", r.Issuer, "xmlns:saml", nsSAML)
	c.open("samlp:Status")
	c.open("samlp:StatusCode", "Value", r.Status)
	if r.SubStatus != "" {
		c.leaf("samlp:StatusCode", "", "Value", r.SubStatus)
	}
	c.close("samlp:StatusCode")
	if r.StatusMessage != "" {
		c.leaf("samlp:StatusMessage", r.StatusMessage)
	}
	c.close("samlp:Status")
	c.b = append(c.b, assertions...)
	c.close("samlp:Response")
	return c.done("response")
}

// assertion writes one assertion, unsigned.
func (r *Response) assertion(id string, padding []string) (string, error) {
	c := canon{b: make([]byte, 0, 4096)}
	c.open("saml:Assertion", "xmlns:saml", nsSAML, "ID", id, "IssueInstant", instant(r.IssuedAt), "Version", "2.0")
	c.leaf("saml:Issuer", r.Issuer)
	r.subject(&c)
	c.open("saml:Conditions", "NotBefore", instant(r.NotBefore), "NotOnOrAfter", instant(r.NotOnOrAfter))
	if len(r.Audiences) > 0 {
		c.open("saml:AudienceRestriction")
		for _, a := range r.Audiences {
			c.leaf("saml:Audience", a)
		}
		c.close("saml:AudienceRestriction")
	}
	c.close("saml:Conditions")
	if !r.AuthnAt.IsZero() {
		c.open("saml:AuthnStatement", "AuthnInstant", instant(r.AuthnAt), "SessionIndex", r.SessionIndex, "SessionNotOnOrAfter", instant(r.SessionEnds))
		c.open("saml:AuthnContext")
		c.leaf("saml:AuthnContextClassRef", r.AuthnContext)
		c.close("saml:AuthnContext")
		c.close("saml:AuthnStatement")
	}
	r.attributes(&c, padding)
	c.close("saml:Assertion")
	return c.done("assertion")
}

func (r *Response) subject(c *canon) {
	c.open("saml:Subject")
	if n := r.Subject; n.Value != "" {
		c.leaf("saml:NameID", n.Value, "Format", n.Format, "NameQualifier", n.NameQualifier, "SPNameQualifier", n.SPNameQualifier)
	}
	if f := r.Confirmation; f.Method != "" {
		c.open("saml:SubjectConfirmation", "Method", f.Method)
		c.leaf("saml:SubjectConfirmationData", "", "InResponseTo", f.InResponseTo,
			"NotBefore", instant(f.NotBefore), "NotOnOrAfter", instant(f.NotOnOrAfter), "Recipient", f.Recipient)
		c.close("saml:SubjectConfirmation")
	}
	c.close("saml:Subject")
}

func (r *Response) attributes(c *canon, padding []string) {
	list := r.Attributes
	if len(padding) > 0 {
		list = append(list[:len(list):len(list)], Attribute{Name: "memberships", Values: padding})
	}
	if len(list) == 0 {
		return
	}
	c.open("saml:AttributeStatement")
	for _, a := range list {
		c.open("saml:Attribute", "FriendlyName", a.FriendlyName, "Name", a.Name)
		for _, v := range a.Values {
			c.leaf("saml:AttributeValue", v)
		}
		c.close("saml:Attribute")
	}
	c.close("saml:AttributeStatement")
}

// done gives what was written, or why it could not be.
func (c *canon) done(what string) (string, error) {
	if c.err != nil {
		return "", fmt.Errorf("write %s: %w", what, c.err)
	}
	return string(c.b), nil
}

// instant writes a time as SAML wants it: UTC (SAML Core, 1.3.3).
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
