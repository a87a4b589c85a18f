package sso

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"

	"github.com/beevik/etree"
)

// A decrypter decrypts what is encrypted to one method of ours. Whatever is
// wrong with a ciphertext, it takes the same steps: an RSA operation with each
// of our keys, the cipher over the whole content (with a key of nobody's, if
// none of ours fitted), and the scanner over what came out. It answers the same
// too, so that nobody learns from us how far a forged one came (Bleichenbacher,
// 1998; Manger, 2001; Vaudenay, 2002). What is right takes no more than it
// needs: the keys after the one that fitted are tried only if the cipher or the
// scanner refuses, so that they cost honest logins nothing.
type decrypter struct {
	// open gives our keys, the one in force first. It is asked at the first
	// ciphertext: most responses have none.
	open func() ([]*rsa.PrivateKey, error)
	keys []*rsa.PrivateKey

	unwrapped  int // RSA operations so far
	deciphered int // bytes that went through a cipher so far
}

// load opens our keys, once.
func (d *decrypter) load() *Rejection {
	if d.keys != nil {
		return nil
	}
	keys, err := d.open()
	if err != nil || len(keys) == 0 {
		return reject("decryption_key_missing", "", "")
	}
	d.keys = keys
	return nil
}

// decrypt gives the plaintext, or nothing, and which of our keys were not
// tried. Whether it is a plaintext is for the scanner to find out.
func (d *decrypter) decrypt(c *ciphered) (plain []byte, untried []*rsa.PrivateKey) {
	key := make([]byte, c.method.keySize)
	rand.Read(key)
	untried = d.keys
	for len(untried) > 0 {
		found := d.unwrap(untried[0], c)
		untried = untried[1:]
		if found != nil {
			key = found
			break
		}
	}
	return d.decipher(c, key), untried
}

// unwrap gives the content's key by one of ours, or nothing.
func (d *decrypter) unwrap(own *rsa.PrivateKey, c *ciphered) []byte {
	d.unwrapped++
	options := c.options
	found, err := own.Decrypt(rand.Reader, c.key, &options)
	if err != nil || len(found) != c.method.keySize {
		return nil
	}
	return found
}

// decipher runs the cipher over the whole content.
func (d *decrypter) decipher(c *ciphered, key []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	d.deciphered += len(c.content)
	if c.method.cbc {
		return fromCBC(block, c.content)
	}
	return fromGCM(block, c.content)
}

// fromGCM takes a nonce of 12 bytes, the content, and a tag of 16 (XML
// Encryption 1.1, 5.2.4).
func fromGCM(block cipher.Block, content []byte) []byte {
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil
	}
	if least := gcm.NonceSize() + gcm.Overhead(); len(content) < least {
		content = make([]byte, least)
	}
	plain, err := gcm.Open(nil, content[:gcm.NonceSize()], content[gcm.NonceSize():], nil)
	if err != nil {
		return nil
	}
	return plain
}

// fromCBC takes a first vector of a block, and blocks, the last byte of which
// says how many are padding (XML Encryption 1.1, 5.2). It is used under a
// verified signature only.
func fromCBC(block cipher.Block, content []byte) []byte {
	size := block.BlockSize()
	if len(content) < 2*size || len(content)%size != 0 {
		content = make([]byte, 2*size)
	}
	plain := make([]byte, len(content)-size)
	cipher.NewCBCDecrypter(block, content[:size]).CryptBlocks(plain, content[size:])
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > size {
		return nil
	}
	return plain[:len(plain)-padding]
}

// decrypted gives what was encrypted: one element of this name, that stands in
// the document as the encrypted one did. The same scanner reads it, with these
// namespaces around it, with ids that the document has not, and within what the
// document has left of the limits.
func (s *shape) decrypted(d *decrypter, c *ciphered, name string, around []namespace) (*shape, *Rejection) {
	if r := d.load(); r != nil {
		return nil, r
	}
	plain, untried := d.decrypt(c)
	inner, r := s.inside(plain, name, around)
	if r != nil {
		for _, own := range untried {
			d.unwrap(own, c)
		}
		return nil, reject("decryption_failed", "", "")
	}
	context := &etree.Element{Tag: "context"}
	for _, n := range around {
		a := etree.Attr{Space: "xmlns", Key: n.prefix, Value: n.space}
		if n.prefix == "" {
			a.Space, a.Key = "", "xmlns"
		}
		context.Attr = append(context.Attr, a)
	}
	context.AddChild(inner.root)
	return inner, nil
}

// inside scans a plaintext.
func (s *shape) inside(plain []byte, name string, around []namespace) (*shape, *Rejection) {
	t, r := newScanner(plain)
	if r != nil {
		return nil, r
	}
	t.shape = shape{wanted: name, ids: s.ids, spent: s.spent}
	for _, n := range around {
		prefix, local := "xmlns", n.prefix
		if local == "" {
			prefix, local = "", "xmlns"
		}
		if r := t.declare(prefix, local, n.space); r != nil {
			return nil, r
		}
	}
	if r := t.document(); r != nil {
		return nil, r
	}
	if r := t.complete(); r != nil {
		return nil, r
	}
	s.spent = t.spent
	return &t.shape, nil
}

// unseal decrypts the assertion of a response whose own signature, if it has
// one, holds. It needs a signature of its own, unless the response's covers it.
func (s *shape) unseal(v *verifier, p *proven, d *decrypter) *Rejection {
	at, signed := s.encrypted, (*etree.Element)(nil)
	if p.response != nil {
		var r *Rejection
		if at, r = child(p.response, assertionSpace, "EncryptedAssertion"); r != nil {
			return r
		}
		if at == nil {
			return reject("no_assertion", "one in what is signed", "none")
		}
		signed = s.root
	}
	c, r := readCiphered(at)
	if r != nil {
		return r
	}
	inner, r := s.decrypted(d, c, "Assertion", carried(s.encrypted, signed))
	if r != nil {
		return r
	}
	switch {
	case inner.rootSignature != nil:
		p.assertion, r = v.verify(inner.root, inner.rootSignature, inner.root.Parent())
	case v.idp.WantAssertionSigned:
		return reject("assertion_not_signed", "a signature in the assertion", "one of the response only")
	case p.response == nil:
		return reject("not_signed", "a signature", "none")
	default:
		p.assertion = inner.root
	}
	p.certificate = v.last
	return r
}

// The namespaces of XML Schema: in them is nothing that is read.
const (
	schemaSpace   = "http://www.w3.org/2001/XMLSchema"
	instanceSpace = "http://www.w3.org/2001/XMLSchema-instance"
)

// carried gives the namespaces in scope at an encrypted element, for what was
// written in the document around and encrypted without them. Where the
// plaintext may have no signature of its own, signed is the element whose
// signature covers the ciphertext: then only those are carried that it covers
// too, which are those of prefixes that are used on the way; and those of XML
// Schema. Else anybody could choose what the prefixes inside stand for.
func carried(at, signed *etree.Element) []namespace {
	var out []namespace
	all := inScope(nil, at)
	for i := len(all) - 1; i >= 0; i-- {
		n := all[i]
		if _, met := lookUp(out, n.prefix); met {
			continue
		}
		if n.space != "" && signed != nil && n.space != schemaSpace && n.space != instanceSpace && !usedBetween(at, signed, n) {
			n.space = ""
		}
		out = append(out, n)
	}
	kept := out[:0]
	for _, n := range out {
		if n.space != "" {
			kept = append(kept, n)
		}
	}
	return kept
}

// usedBetween says whether an element from at up to signed has a name with
// this prefix, where it stands for this namespace.
func usedBetween(at, signed *etree.Element, n namespace) bool {
	for el := at; el != nil; el = el.Parent() {
		used := el.Space == n.prefix
		for i := range el.Attr {
			used = used || n.prefix != "" && el.Attr[i].Space == n.prefix
		}
		if used {
			if space, _ := lookUp(inScope(nil, el), n.prefix); space == n.space {
				return true
			}
		}
		if el == signed {
			return false
		}
	}
	return false
}
