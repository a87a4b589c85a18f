package sso_test

import (
	"strconv"
	"strings"
	"testing"

	"gatehouse/sso/internal/samltest"
)

// markers are what the cases' responses say of people: names, addresses,
// groups, and whom the attacker would be.
var markers = []string{
	"alice", "Alice", "Liddell", "engineers", "everybody", "mallory", "evil.example",
}

// shows are the rejections that repeat what stands where a setting is compared
// with: an administrator needs the two side by side.
var shows = map[string]bool{
	"issuer_mismatch": true, "audience_mismatch": true, "destination_mismatch": true, "recipient_mismatch": true,
	"name_qualifier_mismatch": true, "status_not_success": true,
}

// TestRejectionsSayNothingOfPeople holds what goes to the log to constructs,
// places and the names of elements and attributes.
func TestRejectionsSayNothingOfPeople(t *testing.T) {
	cases := samltest.Bad()
	made := func(name string, edit ...string) {
		cases = append(cases, samltest.Case{Name: name, Pems: []string{samltest.Keys("current").PEM()}, Clock: samltest.Now.Format("2006-01-02T15:04:05Z"),
			Response: samltest.Finish(samltest.Replace(samltest.Template, edit...), samltest.SignBoth, samltest.Signer{Pair: samltest.Keys("current")})})
	}
	value := func(inside string) []string {
		return []string{">everybody</saml:AttributeValue>", ">everybody</saml:AttributeValue><saml:AttributeValue>" + inside + "</saml:AttributeValue>"}
	}
	made("a person's own id", value(`<x id="alice liddell"/>`)...)
	made("a person's own id twice", value(`<x id="alice"/><x id="alice"/>`)...)
	made("a person in a long NameID", ">alice@example.com</saml:NameID>", ">"+strings.Repeat("alice", 300)+"</saml:NameID>")
	made("a person where a name is expected", value(`<é alice="Liddell"/>`)...)
	for _, c := range cases {
		_, err := check(t, c)
		if err == nil {
			t.Errorf("%s: got admitted, want a rejection", c.Name)
			continue
		}
		code, _, _ := strings.Cut(err.Error(), ":")
		for _, m := range markers {
			if strings.Contains(err.Error(), m) && !shows[code] {
				t.Errorf("%s: got %q in %s", c.Name, m, err)
			}
		}
	}
}

// TestRejectionsSayWhere holds the place that a rejection names to the
// response as it came.
func TestRejectionsSayWhere(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"a comment", "<samlp:Status>", "<!-- --><samlp:Status>", "a comment at byte "},
		{"a reference in text", "<samlp:Status>", "<x>aa</x><x>&amp;&lt;&b;</x><samlp:Status>", "a reference at byte "},
		{"a reference in an attribute", "<samlp:Status>", "<x a='&amp;&b;'/><samlp:Status>", "a reference at byte "},
		{"a name", "<samlp:Status>", "<:b/><samlp:Status>", "a name at byte "},
	} {
		for _, mark := range []string{"", "\ufeff"} {
			t.Run(c.name+mark, func(t *testing.T) {
				response := bothSigned(t)
				response.Response = mark + samltest.Replace(response.Response, c.from, c.to)
				at := strings.Index(response.Response, "<!--")
				for _, begin := range []string{"&b;", ":b/>"} {
					at = max(at, strings.Index(response.Response, begin))
				}
				_, err := check(t, response)
				if want := c.want + strconv.Itoa(at) + "\""; err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
			})
		}
	}
}
