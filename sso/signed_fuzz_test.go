package sso_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"

	"gatehouse/sso"
	"gatehouse/sso/internal/samltest"
)

// FuzzSigned has goxmldsig sign whatever comes with a key that is trusted, so
// that both verifiers get to the content, which in FuzzCheck a signature keeps
// from almost all of it: they have to agree on each.
func FuzzSigned(f *testing.F) {
	c := bothSigned(f)
	c.WantSigned = false
	pair := samltest.Keys("p256")
	c.Pems = []string{pair.PEM()}
	for _, kind := range []string{"good", "bad"} {
		folders, _ := filepath.Glob(filepath.Join(cases, kind, "*"))
		for i, folder := range folders {
			seed, err := samltest.Read(folder)
			if err != nil {
				f.Fatal(err)
			}
			f.Add([]byte(seed.Response), uint8(i))
		}
	}
	f.Add([]byte(wrapped(`<a xmlns="urn:d" xmlns:p="urn:p" xml:lang="en" p:x="&#9;"><b xmlns="">&#13;<p:c xmlns:p="urn:q"/></b></a>`)), uint8(0))
	signer, err := dsig.NewSigningContext(pair.Key, [][]byte{pair.Cert.Raw})
	if err != nil {
		f.Fatal(err)
	}
	if err := signer.SetSignatureMethod(dsig.ECDSASHA256SignatureMethod); err != nil {
		f.Fatal(err)
	}
	idp := idpOf(f, c)
	want := expectation(idp, moment(f, c), true)
	// A fuzzer whose documents were all refused for something else would try
	// nothing.
	taken := 0
	for _, good := range samltest.Good() {
		if _, err := new(sso.Provider).Check(idp, []byte(signedBy(signer, []byte(good.Response), 2)), want); err == nil {
			taken++
		}
	}
	if taken < 20 {
		f.Fatalf("got %d good responses taken that were signed again, want most of them", taken)
	}
	f.Fuzz(func(t *testing.T, raw []byte, which uint8) {
		if len(raw) > 64<<10 {
			return
		}
		doc := signedBy(signer, raw, which)
		if doc == "" {
			return
		}
		_, err := new(sso.Provider).Check(idp, []byte(doc), want)
		var r *sso.Rejection
		switch {
		case err == nil:
		case !errors.As(err, &r):
			t.Fatalf("got %v, want a rejection", err)
		case r.Code == "verifiers_disagree", r.Code == "verifier_failed" && strings.Contains(r.Got, "gave up"):
			t.Fatalf("got %v of\n%s", r, doc)
		}
	})
}

// signedBy signs the response, its assertion or both, and takes out the
// signatures that were there. It gives nothing where that cannot be done.
func signedBy(signer *dsig.SigningContext, raw []byte, which uint8) (signed string) {
	defer func() {
		if recover() != nil {
			signed = "" // of the library's: it is not what is tried here
		}
	}()
	if which&4 == 0 {
		signer.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	} else {
		signer.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("xs saml p")
	}
	doc := etree.NewDocument()
	if doc.ReadFromBytes(raw) != nil || doc.Root() == nil {
		return ""
	}
	root := doc.Root()
	if which&3 != 1 {
		for _, el := range root.ChildElements() {
			if el.Tag != "Assertion" {
				continue
			}
			if signedElement := signElement(signer, root, el); signedElement != nil {
				at := el.Index()
				root.RemoveChildAt(at)
				root.InsertChildAt(at, signedElement)
			}
			break
		}
	}
	if which&3 != 0 {
		root = signElement(signer, nil, root)
		if root == nil {
			return ""
		}
		doc = etree.NewDocumentWithRoot(root)
	}
	text, err := doc.WriteToString()
	if err != nil {
		return ""
	}
	return text
}

func signElement(signer *dsig.SigningContext, parent, el *etree.Element) *etree.Element {
	bare := el.Copy()
	for _, child := range bare.ChildElements() {
		if child.Tag == "Signature" {
			bare.RemoveChild(child)
		}
	}
	if parent != nil {
		scope, err := etreeutils.NewDefaultNSContext().SubContext(parent)
		if err != nil {
			return nil
		}
		if bare, err = etreeutils.NSDetatch(scope, bare); err != nil {
			return nil
		}
	}
	signed, err := signer.SignEnveloped(bare)
	if err != nil {
		return nil
	}
	return signed
}
