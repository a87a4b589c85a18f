package samltest

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	_ "crypto/sha1" // links the hash for crypto.Hash
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// A Signer says how an element is signed. The zero value but for Pair signs
// as most identity providers do: SHA-256, exclusive canonicalization, the
// certificate in KeyInfo.
type Signer struct {
	Pair

	Hash     crypto.Hash         // SHA-256 unless said
	Digest   crypto.Hash         // Hash unless said
	Prefixes string              // InclusiveNamespaces PrefixList
	Form     string              // the canonicalization of what is signed, if not the exclusive one
	Claim    *Pair               // whose certificate stands in KeyInfo instead
	Bare     bool                // no KeyInfo
	ASN1     bool                // an ECDSA value in the form of Go's library, against the standard
	Layout   string              // white space put into base64
	URI      *string             // the reference, if not the element's
	Info     func(string) string // changes SignedInfo before it is signed
}

// The inclusive canonicalizations.
const (
	Inclusive   = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	Inclusive11 = "http://www.w3.org/2006/12/xml-c14n11"
)

const dsNamespace = "http://www.w3.org/2000/09/xmldsig#"

var digestURIs = map[crypto.Hash]string{
	crypto.SHA1:   "http://www.w3.org/2000/09/xmldsig#sha1",
	crypto.SHA256: "http://www.w3.org/2001/04/xmlenc#sha256",
	crypto.SHA384: "http://www.w3.org/2001/04/xmldsig-more#sha384",
	crypto.SHA512: "http://www.w3.org/2001/04/xmlenc#sha512",
}

// Place is where Sign puts the signature of the element with an id.
func Place(id string) string { return "<!--signature of " + id + "-->" }

// Sign signs the element with this id and puts the signature at its Place. It
// leaves the rest of the document as it is, byte by byte.
func (s Signer) Sign(doc, id string) string {
	s = s.withDefaults()
	if strings.Count(doc, Place(id)) != 1 {
		panic("samltest: no place for the signature of " + id)
	}
	info := s.signedInfo(id, s.digest(doc, id))
	if s.Info != nil {
		info = s.Info(info)
	}
	canonical := strings.Replace(info, "<ds:SignedInfo>", `<ds:SignedInfo xmlns:ds="`+dsNamespace+`">`, 1)
	signature := `<ds:Signature xmlns:ds="` + dsNamespace + `">` + info +
		"<ds:SignatureValue>" + s.value(canonical) + "</ds:SignatureValue>" + s.keyInfo() + "</ds:Signature>"
	return strings.Replace(doc, Place(id), signature, 1)
}

func (s Signer) withDefaults() Signer {
	if s.Hash == 0 {
		s.Hash = crypto.SHA256
	}
	if s.Digest == 0 {
		s.Digest = s.Hash
	}
	return s
}

func (s Signer) signedInfo(id, digest string) string {
	uri := "#" + id
	if s.URI != nil {
		uri = *s.URI
	}
	prefixes := ""
	if s.Prefixes != "" {
		prefixes = `<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="` + s.Prefixes + `"></ec:InclusiveNamespaces>`
	}
	return `<ds:SignedInfo>` +
		`<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="` + s.method() + `"></ds:SignatureMethod>` +
		`<ds:Reference URI="` + uri + `"><ds:Transforms>` +
		`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>` +
		`<ds:Transform Algorithm="` + cmp.Or(s.Form, "http://www.w3.org/2001/10/xml-exc-c14n#") + `">` + prefixes + `</ds:Transform></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="` + digestURIs[s.Digest] + `"></ds:DigestMethod>` +
		`<ds:DigestValue>` + digest + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
}

func (s Signer) method() string {
	name := "rsa"
	if _, ok := s.Key.Public().(*ecdsa.PublicKey); ok {
		name = "ecdsa"
	}
	if s.Hash == crypto.SHA1 && name == "rsa" {
		return dsNamespace + "rsa-sha1"
	}
	return fmt.Sprintf("http://www.w3.org/2001/04/xmldsig-more#%s-sha%d", name, map[crypto.Hash]int{
		crypto.SHA1: 1, crypto.SHA256: 256, crypto.SHA384: 384, crypto.SHA512: 512}[s.Hash])
}

// digest canonicalizes the element with the namespaces around it.
func (s Signer) digest(doc, id string) string {
	tree := etree.NewDocument()
	must(tree.ReadFromString(doc))
	el := find(tree.Root(), id)
	if el == nil {
		panic("samltest: no element with id " + id)
	}
	detached := el.Copy()
	for up := el.Parent(); up != nil; up = up.Parent() {
		for _, a := range up.Attr {
			if (a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns") && detached.SelectAttr(a.FullKey()) == nil {
				detached.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	form := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(s.Prefixes)
	if s.Form != "" {
		form = dsig.MakeC14N11Canonicalizer() // which is that of 1.0, unless something is around
	}
	canonical, err := form.Canonicalize(detached)
	must(err)
	h := s.Digest.New()
	h.Write(canonical)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func find(el *etree.Element, id string) *etree.Element {
	if el.SelectAttrValue("ID", "") == id {
		return el
	}
	for _, c := range el.ChildElements() {
		if found := find(c, id); found != nil {
			return found
		}
	}
	return nil
}

// value signs and encodes.
func (s Signer) value(canonical string) string {
	h := s.Hash.New()
	h.Write([]byte(canonical))
	sig, err := sign(s.Key, h.Sum(nil), s.Hash)
	must(err)
	if k, ok := s.Key.Public().(*ecdsa.PublicKey); ok && !s.ASN1 {
		var rs struct{ R, S *big.Int }
		_, err := asn1.Unmarshal(sig, &rs)
		must(err)
		half := (k.Curve.Params().BitSize + 7) / 8
		sig = append(rs.R.FillBytes(make([]byte, half)), rs.S.FillBytes(make([]byte, half))...)
	}
	text := base64.StdEncoding.EncodeToString(sig)
	if s.Layout != "" {
		text = s.Layout + text[:20] + s.Layout + text[20:] + s.Layout
	}
	return text
}

func (s Signer) keyInfo() string {
	if s.Bare {
		return ""
	}
	cert := s.Cert
	if s.Claim != nil {
		cert = s.Claim.Cert
	}
	return "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>" + base64.StdEncoding.EncodeToString(cert.Raw) +
		"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
}

func must(err error) {
	if err != nil {
		panic("samltest: " + err.Error())
	}
}
