package sso_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// a person is what is read from attributes.
type person struct {
	Email, First, Last, Real string
	Groups                   []string
	Subject                  string
}

const (
	claims    = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	msClaims  = "http://schemas.microsoft.com/identity/claims/"
	msGroups  = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
	transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	persist   = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	unspec    = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
)

func TestMapping(t *testing.T) {
	x7 := "nameid:" + persist + " x7"
	for _, tt := range []struct {
		name   string
		attrs  []string // name, value, name, value; a name may have a FriendlyName after |
		mapped sso.Mapping
		want   person
		code   string
	}{
		{"Okta, as its guide says", []string{"email", "a@example.com", "firstName", "Al", "lastName", "Ice", "groups", "one", "groups", "two"}, sso.Mapping{},
			person{"a@example.com", "Al", "Ice", "Al Ice", []string{"one", "two"}, x7}, ""},
		{"Entra ID", []string{claims + "emailaddress", "a@example.com", claims + "givenname", "Al", claims + "surname", "Ice", msClaims + "displayname", "Al I.", msGroups, "g1", claims + "name", "al@upn"}, sso.Mapping{},
			person{"a@example.com", "Al", "Ice", "Al I.", []string{"g1"}, x7}, ""},
		{"ADFS", []string{claims + "emailaddress", "a@example.com", "http://schemas.xmlsoap.org/claims/Group", "one"}, sso.Mapping{},
			person{"a@example.com", "", "", "", []string{"one"}, x7}, ""},
		{"OneLogin", []string{"User.email", "a@example.com", "User.FirstName", "Al", "User.LastName", "Ice", "memberOf", "one"}, sso.Mapping{},
			person{"a@example.com", "Al", "Ice", "Al Ice", []string{"one"}, x7}, ""},
		{"Keycloak, X.500 names", []string{"urn:oid:1.2.840.113549.1.9.1|email", "a@example.com", "urn:oid:2.5.4.42|givenName", "Al", "urn:oid:2.5.4.4|surname", "Ice"}, sso.Mapping{},
			person{"a@example.com", "Al", "Ice", "Al Ice", nil, x7}, ""},
		{"SimpleSAMLphp, short names", []string{"mail", "a@example.com", "givenName", "Al", "sn", "Ice", "cn", "Al Ice Sr."}, sso.Mapping{},
			person{"a@example.com", "Al", "Ice", "Al Ice Sr.", nil, x7}, ""},
		{"Auth0", []string{claims + "emailaddress", "a@example.com", "http://schemas.auth0.com/groups", "one"}, sso.Mapping{},
			person{"a@example.com", "", "", "", []string{"one"}, x7}, ""},
		{"JumpCloud and FusionAuth", []string{"email", "a@example.com", "first_name", "Al", "last_name", "Ice", "full_name", "Al Ice"}, sso.Mapping{},
			person{"a@example.com", "Al", "Ice", "Al Ice", nil, x7}, ""},
		{"another case", []string{"EMAIL", "A@Example.COM"}, sso.Mapping{}, person{Email: "a@example.com", Subject: x7}, ""},
		{"FriendlyName of an unknown name", []string{"urn:oid:1.2.3|mail", "a@example.com"}, sso.Mapping{}, person{Email: "a@example.com", Subject: x7}, ""},
		{"FriendlyName beside a known name", []string{"mail", "a@example.com", "urn:x|email", "evil@example.com"}, sso.Mapping{}, person{Email: "a@example.com", Subject: x7}, ""},
		{"mapped", []string{"email", "no@example.com", "work", "a@example.com", "team", "one"}, sso.Mapping{Email: "work", Groups: "team"},
			person{Email: "a@example.com", Groups: []string{"one"}, Subject: x7}, ""},
		{"a mapped name is exact", []string{"email", "no@example.com", "Work", "a@example.com"}, sso.Mapping{Email: "work"}, person{Subject: x7}, ""},
		{"a mapped name has no FriendlyName", []string{"urn:x|work", "a@example.com"}, sso.Mapping{Email: "work"}, person{Subject: x7}, ""},
		{"the same email twice", []string{"email", "a@example.com", "email", " A@EXAMPLE.com "}, sso.Mapping{}, person{Email: "a@example.com", Subject: x7}, ""},
		{"two emails", []string{"email", "a@example.com", "email", "b@example.com"}, sso.Mapping{}, person{}, "attribute_conflict"},
		{"two emails by FriendlyName", []string{"urn:x|mail", "a@example.com", "urn:y|mail", "b@example.com"}, sso.Mapping{}, person{}, "attribute_conflict"},
		{"no address", []string{"email", "a@b@example.com"}, sso.Mapping{}, person{Subject: x7}, ""},
		{"letters that look alike", []string{"email", "аdmin@example.com"}, sso.Mapping{}, person{Subject: x7}, ""},
		{"a line feed in an address", []string{"email", "a@example.com&#10;Bcc: b@example.com"}, sso.Mapping{}, person{Subject: x7}, ""},
		{"a comma in a group", []string{"groups", "one, two"}, sso.Mapping{}, person{Groups: []string{"one, two"}, Subject: x7}, ""},
		{"a group twice", []string{"groups", "one", "groups", "one", "groups", " "}, sso.Mapping{}, person{Groups: []string{"one"}, Subject: x7}, ""},
		{"identity mapped", []string{"employee", "42"}, sso.Mapping{Identity: "employee"}, person{Subject: "attribute:employee 42"}, ""},
		{"identity mapped, not sent", nil, sso.Mapping{Identity: "employee"}, person{}, "no_identity"},
		{"identity mapped, blank", []string{"employee", " "}, sso.Mapping{Identity: "employee"}, person{}, "no_identity"},
		{"identity mapped, by another case", []string{"Employee", "42"}, sso.Mapping{Identity: "employee"}, person{}, "no_identity"},
		{"identity mapped, twice", []string{"employee", "42", "employee", "43"}, sso.Mapping{Identity: "employee"}, person{}, "attribute_conflict"},
		{"identity too long", []string{"employee", strings.Repeat("4", 1025)}, sso.Mapping{Identity: "employee"}, person{}, "no_identity"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, code := mapOne(t, `Format="`+persist+`">x7<`, tt.attrs, tt.mapped)
			if code != tt.code {
				t.Fatalf("got code %q, want %q", code, tt.code)
			}
			if diff := cmp.Diff(tt.want, a); diff != "" {
				t.Errorf("got (+), want (-):\n%s", diff)
			}
		})
	}
}

// TestSubjects holds that two people never share a subject, and one person
// keeps it.
func TestSubjects(t *testing.T) {
	for _, tt := range []struct {
		name, nameID string
		attrs        []string
		want, email  string
		code         string
	}{
		{"email address", `Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">A@Example.com<`, nil, "nameid:urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress A@Example.com", "a@example.com", ""},
		{"no format is unspecified", `>a@example.com<`, nil, "nameid:" + unspec + " a@example.com", "a@example.com", ""},
		{"unspecified", `Format="` + unspec + `">a@example.com<`, nil, "nameid:" + unspec + " a@example.com", "a@example.com", ""},
		{"persistent is no address", `Format="` + persist + `">a@example.com<`, nil, "nameid:" + persist + " a@example.com", "", ""},
		{"qualifier of another", `Format="` + persist + `" NameQualifier="urn:other">x7<`, nil, "nameid:" + persist + " x7\x1furn:other", "", ""},
		{"white space counts", `Format="` + persist + `"> x7<`, nil, "nameid:" + persist + "  x7", "", ""},
		{"transient", `Format="` + transient + `">a@example.com<`, nil, "", "", "no_identity"},
		{"transient with subject-id", `Format="` + transient + `">t1<`, []string{"urn:oasis:names:tc:SAML:attribute:subject-id", "x7@example.com"}, "attribute:urn:oasis:names:tc:SAML:attribute:subject-id x7@example.com", "", ""},
		{"transient with eduPersonTargetedID", `Format="` + transient + `">t1<`,
			[]string{"urn:oid:1.3.6.1.4.1.5923.1.1.1.10", `<saml:NameID NameQualifier="urn:i" SPNameQualifier="urn:s">x7</saml:NameID>`},
			"attribute:urn:oid:1.3.6.1.4.1.5923.1.1.1.10 x7\x1furn:i\x1furn:s", "", ""},
		{"transient with an address", `Format="` + transient + `">t1<`, []string{"mail", "a@example.com"}, "", "", "no_identity"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, code := mapOne(t, tt.nameID, tt.attrs, sso.Mapping{})
			if code != tt.code || a.Subject != tt.want || a.Email != tt.email {
				t.Errorf("got %q, %q, %q; want %q, %q, %q", a.Subject, a.Email, code, tt.want, tt.email, tt.code)
			}
		})
	}
}

// mapOne has a signed response with these attributes read.
func mapOne(t *testing.T, nameID string, attrs []string, m sso.Mapping) (person, string) {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(attrs); i += 2 {
		name, friendly, _ := strings.Cut(attrs[i], "|")
		b.WriteString(`<saml:Attribute Name="` + name + `"`)
		if friendly != "" {
			b.WriteString(` FriendlyName="` + friendly + `"`)
		}
		b.WriteString(`><saml:AttributeValue>` + attrs[i+1] + `</saml:AttributeValue></saml:Attribute>`)
	}
	head, rest, _ := strings.Cut(samltest.Template, "<saml:AttributeStatement ")
	_, tail, _ := strings.Cut(rest, "</saml:AttributeStatement>")
	doc := head + "<saml:AttributeStatement>" + b.String() + "</saml:AttributeStatement>" + tail
	doc = samltest.Replace(doc, `Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">alice@example.com<`, nameID)
	c := bothSigned(t)
	raw := samltest.Finish(doc, samltest.SignResponse, samltest.Signer{Pair: samltest.Keys("current")})
	c.WantSigned = false
	idp := idpOf(t, c)
	idp.Mapping = m
	a, err := new(sso.Provider).Check(idp, []byte(raw), expectation(idp, moment(t, c), false))
	if err != nil {
		var r *sso.Rejection
		errors.As(err, &r)
		return person{}, r.Code
	}
	return person{a.Email, a.FirstName, a.LastName, a.RealName, a.Groups, strings.TrimPrefix(a.Subject.Kind+" "+a.Subject.Value, " ")}, ""
}
