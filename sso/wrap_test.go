package sso_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// FuzzWrap plays the attacker who has honest responses and forged ones, and
// cuts them up and puts them together at random: the whole family of signature
// wrapping. Whatever is believed has to say what the honest ones said.
func FuzzWrap(f *testing.F) {
	for seed := range uint64(2000) {
		f.Add(seed)
	}
	honest, pieces := attackerKit()
	c := bothSigned(f)
	c.WantSigned = false
	idp := idpOf(f, c)
	want := expectation(idp, moment(f, c), false)
	said := map[string]bool{}
	for _, doc := range honest {
		a, err := new(sso.Provider).Check(idp, []byte(doc), want)
		if err != nil {
			f.Fatal(err)
		}
		said[statement(a)] = true
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		doc := wrap(rand.New(rand.NewPCG(seed, 1)), honest, pieces)
		a, err := new(sso.Provider).Check(idp, []byte(doc), want)
		if err == nil && !said[statement(a)] {
			t.Fatalf("got %s, which nobody signed, from\n%s", statement(a), doc)
		}
	})
}

// attackerKit gives what an attacker has: honest responses, and documents to
// take pieces from.
func attackerKit() (honest, pieces []string) {
	for _, form := range []string{samltest.SignResponse, samltest.SignAssertion, samltest.SignBoth} {
		for _, id := range []string{"1", "2"} {
			doc := strings.NewReplacer("_response-1", "_response-"+id, "_assertion-1", "_assertion-"+id).Replace(samltest.Template)
			honest = append(honest, finish(doc, id, form, "current"))
			forged := strings.ReplaceAll(doc, "alice@", "mallory@")
			pieces = append(pieces, finish(forged, id, form, "attacker"))
		}
	}
	return honest, append(pieces, honest...)
}

func finish(doc, id, form, key string) string {
	s := samltest.Signer{Pair: samltest.Keys(key), Claim: ptr(samltest.Keys("current"))}
	assertion, response := "_assertion-"+id, "_response-"+id
	if form != samltest.SignResponse {
		doc = s.Sign(doc, assertion)
	}
	if form != samltest.SignAssertion {
		doc = s.Sign(strings.Replace(doc, samltest.Place(assertion), "", 1), response)
	}
	return strings.NewReplacer(samltest.Place(assertion), "", samltest.Place(response), "").Replace(doc)
}

func ptr[T any](v T) *T { return &v }

// wrap changes an honest document, or a forged one, a few times.
func wrap(r *rand.Rand, honest, pieces []string) string {
	doc := parse(pieces[r.IntN(len(pieces))])
	for range 1 + r.IntN(4) {
		all := elements(doc.Root(), nil)
		at := all[r.IntN(len(all))]
		switch r.IntN(8) {
		case 0, 1: // put a piece inside
			at.InsertChildAt(r.IntN(len(at.Child)+1), pick(r, pieces))
		case 2, 3: // put a piece in its place
			if p := at.Parent(); p != nil && at != doc.Root() {
				i := at.Index()
				p.RemoveChildAt(i)
				p.InsertChildAt(i, pick(r, pieces))
			}
		case 4: // take it out
			if p := at.Parent(); p != nil && at != doc.Root() {
				p.RemoveChild(at)
			}
		case 5: // wrap another around it
			if p := at.Parent(); p != nil && at != doc.Root() {
				i := at.Index()
				p.RemoveChildAt(i)
				outer := pick(r, pieces)
				outer.AddChild(at)
				p.InsertChildAt(i, outer)
			}
		case 6: // give it another's id
			ids := []string{"_response-1", "_response-2", "_assertion-1", "_assertion-2", "_x"}
			at.CreateAttr("ID", ids[r.IntN(len(ids))])
		case 7: // name somebody else
			if at.SelectElement("*") == nil {
				at.SetText("mallory@example.com")
			}
		}
	}
	text, _ := doc.WriteToString()
	return text
}

func parse(doc string) *etree.Document {
	d := etree.NewDocument()
	if err := d.ReadFromString(doc); err != nil {
		panic(err)
	}
	return d
}

// pick gives a random element of a random document, with its namespaces.
func pick(r *rand.Rand, pieces []string) *etree.Element {
	all := elements(parse(pieces[r.IntN(len(pieces))]).Root(), nil)
	el := all[r.IntN(len(all))].Copy()
	for prefix, space := range map[string]string{
		"samlp": "urn:oasis:names:tc:SAML:2.0:protocol", "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
		"ds": "http://www.w3.org/2000/09/xmldsig#", "xsi": "http://www.w3.org/2001/XMLSchema-instance",
	} {
		if r.IntN(2) == 0 || prefix == "ds" || prefix == "xsi" {
			el.CreateAttr("xmlns:"+prefix, space)
		}
	}
	return el
}

func elements(el *etree.Element, all []*etree.Element) []*etree.Element {
	all = append(all, el)
	for _, c := range el.ChildElements() {
		all = elements(c, all)
	}
	return all
}
