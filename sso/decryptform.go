package sso

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/beevik/etree"
)

// The rest of the names of XML Encryption.
const (
	cipher11Space = "http://www.w3.org/2009/xmlenc11#"
	wholeElement  = cipherSpace + "Element"
)

// A dataMethod is how content is encrypted.
type dataMethod struct {
	keySize int  // in bytes
	cbc     bool // without a check that nothing was changed
}

// dataMethods are the admitted ones (XML Encryption 1.1, 5.2). Triple DES is
// not among them: its blocks are too short.
var dataMethods = map[string]dataMethod{
	cipher11Space + "aes128-gcm": {16, false},
	cipher11Space + "aes192-gcm": {24, false},
	cipher11Space + "aes256-gcm": {32, false},
	cipherSpace + "aes128-cbc":   {16, true},
	cipherSpace + "aes192-cbc":   {24, true},
	cipherSpace + "aes256-cbc":   {32, true},
}

// The admitted ways to encrypt a key (XML Encryption 1.1, 5.5.2). RSA without
// OAEP is not among them: whether its padding fits tells strangers what is
// inside (Bleichenbacher, 1998).
const (
	oaep   = cipherSpace + "rsa-oaep-mgf1p" // its mask is made with SHA-1
	oaep11 = cipher11Space + "rsa-oaep"     // it names what its mask is made with
)

// keyDigests are the digests of OAEP, by their names. Some products name
// SHA-384 as if it were a part of XML Encryption.
var keyDigests = map[string]crypto.Hash{
	sha1Digest:             crypto.SHA1,
	cipherSpace + "sha256": crypto.SHA256,
	cipherSpace + "sha384": crypto.SHA384,
	"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384,
	cipherSpace + "sha512":                          crypto.SHA512,
}

// keyMasks are what the mask of OAEP is made with.
var keyMasks = map[string]crypto.Hash{
	cipher11Space + "mgf1sha1":   crypto.SHA1,
	cipher11Space + "mgf1sha256": crypto.SHA256,
	cipher11Space + "mgf1sha384": crypto.SHA384,
	cipher11Space + "mgf1sha512": crypto.SHA512,
}

// maxLabel bounds OAEPparams, in bytes.
const maxLabel = 1024

// A ciphered is an encrypted element whose form has been checked (SAML Core,
// 2.2.4). What it says depends on nothing secret.
type ciphered struct {
	method  dataMethod
	content []byte // as encrypted, what is in front of and behind it included

	key     []byte // the key of content, encrypted to us
	options rsa.OAEPOptions
}

// readCiphered checks the form of what is inside an EncryptedAssertion or
// EncryptedID: one EncryptedData with one EncryptedKey, in its KeyInfo or
// beside it, both by admitted algorithms. Nothing is fetched from elsewhere.
func readCiphered(el *etree.Element) (*ciphered, *Rejection) {
	inside, r := parts(el, cipherSpace, "EncryptedData", "EncryptedKey")
	if r != nil {
		return nil, r
	}
	if len(inside[0]) != 1 {
		return nil, misformed("one EncryptedData in "+el.Tag, strconv.Itoa(len(inside[0])))
	}
	data := inside[0][0]
	if kind, there := attr(data, "Type"); there && kind != wholeElement {
		return nil, misformed("Type "+wholeElement, kind)
	}
	c := &ciphered{}
	info, r := c.readData(data)
	if r != nil {
		return nil, r
	}
	keys := inside[1]
	if info != nil {
		keys = append(keys, children(info, cipherSpace, "EncryptedKey")...)
	}
	if len(keys) != 1 {
		return nil, misformed("one EncryptedKey", strconv.Itoa(len(keys)))
	}
	if r := checkRetrieval(info, keys[0]); r != nil {
		return nil, r
	}
	return c, c.readKey(keys[0])
}

func misformed(expected, got string) *Rejection {
	return reject("encryption_malformed", expected, got)
}

// readData reads EncryptedData and gives its KeyInfo, nil if it has none.
func (c *ciphered) readData(data *etree.Element) (info *etree.Element, r *Rejection) {
	method, info, content, r := readEncrypted(data)
	if r != nil {
		return nil, r
	}
	algorithm := value(method, "Algorithm")
	known := false
	if c.method, known = dataMethods[algorithm]; !known {
		return nil, reject("encryption_refused", "AES-GCM, or AES-CBC in a signed response", algorithm)
	}
	for _, p := range method.ChildElements() {
		size, plain := text(p)
		if !is(p, cipherSpace, "KeySize") || !plain || trim(size) != strconv.Itoa(8*c.method.keySize) {
			return nil, misformed("nothing but the right KeySize in EncryptionMethod", shortName(p.Tag))
		}
	}
	c.content = content
	return info, nil
}

// checkRetrieval admits a pointer to the key that was found anyway, and no
// other: nothing is looked up by an address.
func checkRetrieval(info, key *etree.Element) *Rejection {
	if info == nil {
		return nil
	}
	for _, m := range children(info, signatureSpace, "RetrievalMethod") {
		if id := value(key, "Id"); id == "" || value(m, "URI") != "#"+id {
			return misformed("a RetrievalMethod of the EncryptedKey", "another")
		}
	}
	return nil
}

// readKey reads EncryptedKey.
func (c *ciphered) readKey(key *etree.Element) *Rejection {
	method, _, content, r := readEncrypted(key)
	if r != nil {
		return r
	}
	c.key = content
	algorithm := value(method, "Algorithm")
	if algorithm != oaep && algorithm != oaep11 {
		return reject("encryption_refused", "RSA-OAEP of the key", algorithm)
	}
	c.options = rsa.OAEPOptions{Hash: crypto.SHA1, MGFHash: crypto.SHA1}
	seen := map[string]bool{}
	for _, p := range method.ChildElements() {
		if seen[p.Tag] {
			return misformed("one "+shortName(p.Tag), "several")
		}
		seen[p.Tag] = true
		known := false
		name := value(p, "Algorithm")
		switch {
		case is(p, signatureSpace, "DigestMethod"):
			c.options.Hash, known = keyDigests[name]
			known = known && (algorithm == oaep11 || c.options.Hash == crypto.SHA1 || c.options.Hash == crypto.SHA256)
		case is(p, cipher11Space, "MGF"):
			c.options.MGFHash, known = keyMasks[name]
			known = known && (algorithm == oaep11 || c.options.MGFHash == crypto.SHA1)
		case is(p, cipherSpace, "OAEPparams"):
			if c.options.Label, r = decodeText(p); r != nil {
				return r
			}
			known = len(c.options.Label) <= maxLabel
		}
		if !known {
			return reject("encryption_refused", "RSA-OAEP by SHA-1 or SHA-256", shortName(p.Tag)+" "+name)
		}
	}
	return nil
}

// readEncrypted reads what EncryptedData and EncryptedKey have in common (XML
// Encryption 1.1, 3.1).
func readEncrypted(el *etree.Element) (method, info *etree.Element, content []byte, r *Rejection) {
	inside, r := parts(el, cipherSpace, "EncryptionMethod", "CipherData", "KeyInfo", "EncryptionProperties", "ReferenceList", "CarriedKeyName")
	if r != nil {
		return nil, nil, nil, r
	}
	if len(inside[0]) != 1 || len(inside[1]) != 1 || len(inside[2]) > 1 {
		return nil, nil, nil, misformed("one EncryptionMethod, one CipherData and at most one KeyInfo in "+el.Tag, "others")
	}
	values, r := parts(inside[1][0], cipherSpace, "CipherValue")
	if r != nil {
		return nil, nil, nil, r
	}
	if len(values[0]) != 1 {
		return nil, nil, nil, misformed("one CipherValue", strconv.Itoa(len(values[0])))
	}
	if content, r = decodeText(values[0][0]); r != nil {
		return nil, nil, nil, r
	}
	if len(inside[2]) == 1 {
		info = inside[2][0]
	}
	return inside[0][0], info, content, nil
}

// decodeText reads base64 in which white space does not count.
func decodeText(el *etree.Element) ([]byte, *Rejection) {
	t, plain := text(el)
	if !plain {
		return nil, misformed("base64 in "+el.Tag, "elements")
	}
	out, err := base64.StdEncoding.DecodeString(compact(t))
	if err != nil {
		return nil, misformed("base64 in "+el.Tag, strconv.Itoa(len(t))+" bytes that are none")
	}
	return out, nil
}

// parts gives the children of an element of XML Encryption by their names, and
// refuses any other content. KeyInfo is in the namespace of signatures, the
// others are in space.
func parts(el *etree.Element, space string, names ...string) ([][]*etree.Element, *Rejection) {
	found := make([][]*etree.Element, len(names))
	for _, t := range el.Child {
		c, ok := t.(*etree.Element)
		if !ok {
			if d, ok := t.(*etree.CharData); !ok || trim(d.Data) != "" {
				return nil, misformed("elements only in "+el.Tag, "text")
			}
			continue
		}
		in := space
		if c.Tag == "KeyInfo" {
			in = signatureSpace
		}
		i := slices.Index(names, c.Tag)
		if i < 0 || c.NamespaceURI() != in {
			return nil, misformed("elements of XML Encryption only in "+el.Tag, shortName(c.Tag))
		}
		found[i] = append(found[i], c)
	}
	return found, nil
}
