package sso

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"gatehouse/account"
)

// The names under which identity providers send a person's particulars, by
// default or after their own setup guides. A name without a colon is compared
// without regard to case; the others are URIs and compared exactly. The first
// that is there counts.
var (
	emailNames = []string{
		"email",        // FusionAuth, Google, JumpCloud, Keycloak, Okta
		"mail",         // SimpleSAMLphp, LemonLDAP::NG, pysaml2 with basic names
		"emailAddress", // Okta, pysaml2
		"email_address",
		"user.email", // OneLogin (User.email), Okta
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", // Entra ID, ADFS, Auth0
		"http://schemas.xmlsoap.org/claims/EmailAddress",                     // ADFS, for SAML 1.1 services
		"urn:oid:0.9.2342.19200300.100.1.3",                                  // mail: SimpleSAMLphp, Shibboleth, pysaml2
		"urn:oid:1.2.840.113549.1.9.1",                                       // emailAddress: Keycloak
	}
	firstNames = []string{
		"firstName", "first_name", // Google, Okta, Auth0, FusionAuth
		"givenName", "given_name", // LDAP, SimpleSAMLphp, LemonLDAP::NG
		"user.firstName", // OneLogin (User.FirstName), Okta
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", // Entra ID, ADFS, Auth0
		"urn:oid:2.5.4.42", // givenName
	}
	lastNames = []string{
		"lastName", "last_name",
		"surname", "sn", "family_name", "familyName",
		"user.lastName", // OneLogin (User.LastName), Okta
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", // Entra ID, ADFS, Auth0
		"urn:oid:2.5.4.4", // sn
	}
	realNames = []string{
		"realName", "real_name",
		"displayName", "display_name", // Entra ID, LDAP
		"fullName", "full_name", // FusionAuth, JumpCloud
		"http://schemas.microsoft.com/identity/claims/displayname", // Entra ID
		"urn:oid:2.16.840.1.113730.3.1.241",                        // displayName
		"cn",
		"urn:oid:2.5.4.3", // cn
		"name",
	}
	groupNames = []string{
		"groups", "group", // Okta, Google, JumpCloud, Keycloak, Auth0
		"memberOf", // OneLogin, JumpCloud, LDAP
		"eduPersonIsMemberOf", "isMemberOf",
		"http://schemas.microsoft.com/ws/2008/06/identity/claims/groups", // Entra ID: object ids
		"http://schemas.xmlsoap.org/claims/Group",                        // ADFS, Auth0
		"http://schemas.auth0.com/groups",
		"urn:oid:1.3.6.1.4.1.5923.1.5.1.1", // isMemberOf
	}

	// identityNames are attributes that by their definition never change and
	// are never given to another person. They count only where the NameID is
	// transient, and nothing is mapped.
	identityNames = []string{
		"http://schemas.microsoft.com/identity/claims/objectidentifier", // Entra ID
		"urn:oasis:names:tc:SAML:attribute:pairwise-id",
		"urn:oasis:names:tc:SAML:attribute:subject-id",
		"urn:oid:1.3.6.1.4.1.5923.1.1.1.13",                                  // eduPersonUniqueId
		"urn:oid:1.3.6.1.4.1.5923.1.1.1.10",                                  // eduPersonTargetedID, a persistent NameID
		"http://schemas.microsoft.com/ws/2008/06/identity/claims/primarysid", // ADFS
	}
)

const (
	transientFormat   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	emailFormat       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	unspecifiedFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
)

// maxIdentity is how long a subject's value may be, in bytes. SAML bounds
// persistent names at 256 characters (Core, 8.3.7).
const maxIdentity = 1024

// mapAttributes reads the attributes and says who is meant.
func (p *profile) mapAttributes() *Rejection {
	attributes, friendly, r := readAttributes(p.proof.assertion)
	if r != nil {
		return r
	}
	p.out.Attributes = attributes
	m := p.idp.Mapping
	s := source{attributes, friendly}
	if r := p.mapEmail(s, m.Email); r != nil {
		return r
	}
	p.out.FirstName = s.first(m.FirstName, firstNames)
	p.out.LastName = s.first(m.LastName, lastNames)
	p.out.RealName = s.first(m.RealName, realNames)
	if p.out.RealName == "" {
		p.out.RealName = trim(p.out.FirstName + " " + p.out.LastName)
	}
	_, groups := s.find(m.Groups, groupNames)
	for _, g := range groups {
		if g = trim(g); g != "" && !slices.Contains(p.out.Groups, g) {
			p.out.Groups = append(p.out.Groups, g)
		}
	}
	return p.mapSubject(s, m.Identity)
}

// readAttributes gives every attribute's values by its Name, and which Names
// have a FriendlyName.
func readAttributes(assertion *etree.Element) (values map[string][]string, friendly map[string]string, r *Rejection) {
	values = map[string][]string{}
	for _, statement := range children(assertion, assertionSpace, "AttributeStatement") {
		if len(children(statement, assertionSpace, "EncryptedAttribute")) > 0 {
			return nil, nil, reject("attribute_encrypted", "Attribute", "EncryptedAttribute")
		}
		for _, a := range children(statement, assertionSpace, "Attribute") {
			name, there := attr(a, "Name")
			if !there || name == "" {
				return nil, nil, reject("element_missing", "Name in Attribute", "none")
			}
			if f := value(a, "FriendlyName"); f != "" {
				if friendly == nil {
					friendly = map[string]string{}
				}
				friendly[name] = f
			}
			list := values[name]
			for _, v := range a.Child {
				el, ok := v.(*etree.Element)
				if !ok || !is(el, assertionSpace, "AttributeValue") {
					continue
				}
				if t, ok := attributeValue(el); ok {
					list = append(list, t)
				}
			}
			values[name] = list
		}
	}
	return values, friendly, nil
}

// attributeValue gives the text of a value: whole, or not at all. A value that
// is a persistent NameID, as eduPersonTargetedID has, is written as a subject.
func attributeValue(el *etree.Element) (string, bool) {
	if t, ok := text(el); ok {
		return t, true
	}
	name, r := child(el, assertionSpace, "NameID")
	if r != nil || name == nil || len(el.ChildElements()) != 1 {
		return "", false
	}
	t, ok := text(name)
	return qualified(t, value(name, "NameQualifier"), value(name, "SPNameQualifier")), ok
}

// A source finds what is meant by a particular.
type source struct {
	values   map[string][]string
	friendly map[string]string // by Name
}

// find gives the attribute that carries a particular. A mapped name counts
// alone. FriendlyName, which has no meaning by the standard (SAML Core,
// 2.7.3.1), is looked at only where no Name is known.
func (s source) find(mapped string, known []string) (name string, values []string) {
	if mapped != "" {
		return mapped, s.values[mapped]
	}
	for _, want := range known {
		if v := s.values[want]; len(v) > 0 {
			return want, v
		}
	}
	for _, want := range known {
		if name, v := s.named(want, false); len(v) > 0 {
			return name, v
		}
	}
	for _, want := range known {
		if name, v := s.named(want, true); len(v) > 0 {
			return name, v
		}
	}
	return "", nil
}

// named collects the values of all attributes whose Name, or FriendlyName, is
// the same as a short name but for its case. There may be several: then their
// values stand together, and differing ones are a conflict.
func (s source) named(short string, byFriendly bool) (name string, values []string) {
	if strings.Contains(short, ":") {
		return "", nil
	}
	var names []string
	for name := range s.values {
		label := name
		if byFriendly {
			label = s.friendly[name]
		}
		if strings.EqualFold(label, short) {
			names = append(names, name)
		}
	}
	slices.Sort(names) // the order of a map is not the same twice
	for _, n := range names {
		values = append(values, s.values[n]...)
	}
	if len(names) == 0 {
		return "", nil
	}
	return names[0], values
}

// first gives the first value of a particular of which nothing depends.
func (s source) first(mapped string, known []string) string {
	_, values := s.find(mapped, known)
	for _, v := range values {
		if v = trim(v); v != "" {
			return v
		}
	}
	return ""
}

// mapEmail finds the address. A mapped attribute counts alone; otherwise the
// known ones, then a NameID that says it is an address, or says nothing and
// looks like one.
func (p *profile) mapEmail(s source, mapped string) *Rejection {
	name, values := s.find(mapped, emailNames)
	if len(values) == 0 && mapped == "" {
		if f := p.out.NameID.Format; f == emailFormat || f == "" || f == unspecifiedFormat {
			p.out.Email, _ = account.NormalizeEmail(p.out.NameID.Value)
		}
		return nil
	}
	for _, v := range values {
		if trim(v) == "" {
			continue
		}
		email, err := account.NormalizeEmail(v)
		if err != nil {
			p.warn(fmt.Sprintf("The attribute %q has a value that is not an email address.", clip(name)))
			continue
		}
		if p.out.Email != "" && email != p.out.Email {
			return reject("attribute_conflict", "one value of "+name, "several addresses")
		}
		p.out.Email = email
	}
	return nil
}

// mapSubject says who is meant: the mapped attribute, or the NameID unless it
// is transient, or an attribute that is known never to change.
func (p *profile) mapSubject(s source, mapped string) *Rejection {
	if mapped != "" {
		return p.subjectOf(mapped, s.values[mapped])
	}
	n := p.out.NameID
	switch n.Format {
	case transientFormat, entityFormat:
		for _, name := range identityNames {
			if v := s.values[name]; len(v) > 0 {
				return p.subjectOf(name, v)
			}
		}
		return reject("no_identity", "a persistent NameID, or a mapped identity attribute", "NameID of format "+n.Format)
	case "":
		n.Format = unspecifiedFormat // SAML Core, 8.3.1: the same
	}
	if n.NameQualifier == p.idp.EntityID {
		n.NameQualifier = "" // SAML Core, 8.3.7: the same
	}
	// SPNameQualifier was checked to be ours, so that it adds nothing.
	return p.setSubject("nameid:"+n.Format, qualified(n.Value, n.NameQualifier, ""))
}

// subjectOf takes the subject from an attribute.
func (p *profile) subjectOf(name string, values []string) *Rejection {
	found := ""
	for _, v := range values {
		if trim(v) == "" || v == found {
			continue
		}
		if found != "" {
			return reject("attribute_conflict", "one value of "+name, "several")
		}
		found = v
	}
	if found == "" {
		return reject("no_identity", "a value of the attribute "+name, "none")
	}
	return p.setSubject("attribute:"+name, found)
}

func (p *profile) setSubject(kind, v string) *Rejection {
	if len(kind) > maxIdentity || len(v) > maxIdentity {
		return reject("no_identity", "at most 1024 bytes", strconv.Itoa(max(len(kind), len(v)))+" bytes")
	}
	p.out.Subject = Subject{Kind: kind, Value: v}
	return nil
}

// qualified joins a name and its qualifiers. U+001F stands in no XML document,
// so that no name can look like another with qualifiers.
func qualified(name, by, forWhom string) string {
	if by == "" && forWhom == "" {
		return name
	}
	if forWhom == "" {
		return name + "\x1f" + by
	}
	return name + "\x1f" + by + "\x1f" + forWhom
}
