package samltest

import (
	"strings"
)

// What the cases agree on. The broker's URLs are those of a method am0000000000b
// of account a00000000000.
const (
	EntityID    = "https://idp.example/saml"
	Base        = "https://gatehouse.example"
	Audience    = Base + "/v1/sso/saml/metadata/am0000000000b"
	ACS         = Base + "/v1/sso/saml/acs/am0000000000b"
	RequestID   = "_request-1"
	ResponseID  = "_response-1"
	AssertionID = "_assertion-1"
	NameID      = "alice@example.com"
)

// Template is an honest response without its signatures, which have a Place
// each. The form is that of the common identity providers.
const Template = `<?xml version="1.0" encoding="UTF-8"?>
<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_response-1" Version="2.0" IssueInstant="2026-03-01T12:00:00Z" Destination="` + ACS + `" InResponseTo="_request-1">
  <saml:Issuer>` + EntityID + `</saml:Issuer><!--signature of _response-1-->
  <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
  <saml:Assertion ID="_assertion-1" Version="2.0" IssueInstant="2026-03-01T12:00:00Z">
    <saml:Issuer>` + EntityID + `</saml:Issuer><!--signature of _assertion-1-->
    <saml:Subject>
      <saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">alice@example.com</saml:NameID>
      <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
        <saml:SubjectConfirmationData InResponseTo="_request-1" Recipient="` + ACS + `" NotOnOrAfter="2026-03-01T12:05:00Z"/>
      </saml:SubjectConfirmation>
    </saml:Subject>
    <saml:Conditions NotBefore="2026-03-01T11:59:30Z" NotOnOrAfter="2026-03-01T12:05:00Z">
      <saml:AudienceRestriction><saml:Audience>` + Audience + `</saml:Audience></saml:AudienceRestriction>
    </saml:Conditions>
    <saml:AuthnStatement AuthnInstant="2026-03-01T11:58:00Z" SessionIndex="_session-1">
      <saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext>
    </saml:AuthnStatement>
    <saml:AttributeStatement xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
      <saml:Attribute Name="email" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic"><saml:AttributeValue xsi:type="xs:string">alice@example.com</saml:AttributeValue></saml:Attribute>
      <saml:Attribute Name="firstName" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic"><saml:AttributeValue xsi:type="xs:string">Alice</saml:AttributeValue></saml:Attribute>
      <saml:Attribute Name="lastName" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic"><saml:AttributeValue xsi:type="xs:string">Liddell</saml:AttributeValue></saml:Attribute>
      <saml:Attribute Name="groups" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic"><saml:AttributeValue xsi:type="xs:string">engineers</saml:AttributeValue><saml:AttributeValue xsi:type="xs:string">everybody</saml:AttributeValue></saml:Attribute>
    </saml:AttributeStatement>
  </saml:Assertion>
</samlp:Response>
`

// What of a response is signed.
const (
	SignNone      = ""
	SignResponse  = "response"
	SignAssertion = "assertion"
	SignBoth      = "both"
)

// Replace replaces pairs of texts, each of which has to be there: a case that
// changes nothing would test nothing.
func Replace(doc string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(doc, pairs[i]) {
			panic("samltest: there is no " + pairs[i])
		}
		doc = strings.Replace(doc, pairs[i], pairs[i+1], 1)
	}
	return doc
}

// Finish signs what is to be signed, the assertion first, and clears the
// other places.
func Finish(doc, what string, s Signer) string {
	if what == SignAssertion || what == SignBoth {
		doc = s.Sign(doc, AssertionID)
	}
	if what == SignResponse || what == SignBoth {
		doc = s.Sign(strings.Replace(doc, Place(AssertionID), "", 1), ResponseID)
	}
	return strings.NewReplacer(Place(AssertionID), "", Place(ResponseID), "").Replace(doc)
}

// between cuts out what begins with one text and ends with another, both
// included.
func between(doc, from, to string) string {
	_, rest, ok := strings.Cut(doc, from)
	inside, _, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		panic("samltest: nothing between " + from + " and " + to)
	}
	return from + inside + to
}
