package samltest

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/big"
	"strings"
)

// An Encrypter says how something is encrypted. The zero value encrypts to the
// key sp, with AES-256-GCM and RSA-OAEP by SHA-1. What it takes for random is
// the same each time: it is for tests alone.
type Encrypter struct {
	To     *Pair       // to whom, if not to sp
	Data   string      // the algorithm of the content: aes256-gcm unless said
	OAEP11 bool        // by XML Encryption 1.1, which names the mask
	Digest crypto.Hash // of OAEP: SHA-1 unless said
	Mask   crypto.Hash // of OAEP: SHA-1 unless said
	Label  string      // of OAEP

	Beside bool   // EncryptedKey stands beside EncryptedData, not in it
	Layout string // white space put into base64

	ContentKey  []byte // what the content is encrypted with, if not with the key that is sent
	LongPadding bool   // of CBC: a block more than there may be

	Plain   func(string) string // changes the plaintext
	Key     func([]byte) []byte // changes the content's key before it is encrypted
	Wrapped func([]byte) []byte // changes it after that
	Content func([]byte) []byte // changes the encrypted content
	Frame   func(string) string // changes the element that comes of it
}

const (
	xencNamespace   = "http://www.w3.org/2001/04/xmlenc#"
	xenc11Namespace = "http://www.w3.org/2009/xmlenc11#"
)

// Assertion encrypts the assertion in a document.
func (e Encrypter) Assertion(doc string) string {
	plain := assertion(doc)
	return Replace(doc, plain, "<saml:EncryptedAssertion>"+e.Encrypt(plain)+"</saml:EncryptedAssertion>")
}

// ID encrypts a name.
func (e Encrypter) ID(name string) string {
	return "<saml:EncryptedID>" + e.Encrypt(name) + "</saml:EncryptedID>"
}

// Encrypt gives what stands in EncryptedAssertion or EncryptedID.
func (e Encrypter) Encrypt(plain string) string {
	if e.Data == "" {
		e.Data = "aes256-gcm"
	}
	if e.Digest == 0 {
		e.Digest = crypto.SHA1
	}
	if e.Mask == 0 {
		e.Mask = crypto.SHA1
	}
	if e.Plain != nil {
		plain = e.Plain(plain)
	}
	key := random("content key", map[string]int{"aes128": 16, "aes192": 24, "aes256": 32}[e.Data[:6]])
	contentKey := key
	if e.ContentKey != nil {
		contentKey = e.ContentKey
	}
	content := change(e.content(contentKey, []byte(plain)), e.Content)
	wrapped := `<xenc:EncryptedKey Id="_key-1">` + e.keyMethod() + e.value(change(e.wrap(change(key, e.Key)), e.Wrapped)) + `</xenc:EncryptedKey>`
	info, beside := wrapped, ""
	if e.Beside {
		info, beside = `<ds:RetrievalMethod Type="`+xencNamespace+`EncryptedKey" URI="#_key-1"/>`, strings.Replace(wrapped, " Id=", ` xmlns:xenc="`+xencNamespace+`" Id=`, 1)
	}
	space := xenc11Namespace
	if strings.HasSuffix(e.Data, "-cbc") {
		space = xencNamespace
	}
	out := `<xenc:EncryptedData xmlns:xenc="` + xencNamespace + `" Type="` + xencNamespace + `Element"><xenc:EncryptionMethod Algorithm="` + space + e.Data + `"/>` +
		`<ds:KeyInfo xmlns:ds="` + dsNamespace + `">` + info + `</ds:KeyInfo>` + e.value(content) + `</xenc:EncryptedData>` + beside
	if e.Frame != nil {
		changed := e.Frame(out)
		if changed == out {
			panic("samltest: a frame that changes nothing")
		}
		out = changed
	}
	return out
}

func change(b []byte, f func([]byte) []byte) []byte {
	if f == nil {
		return b
	}
	return f(append([]byte(nil), b...))
}

// random gives bytes that look so.
func random(what string, n int) []byte {
	var out []byte
	for i := uint32(0); len(out) < n; i++ {
		sum := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(what), i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

func (e Encrypter) value(b []byte) string {
	text := base64.StdEncoding.EncodeToString(b)
	if e.Layout != "" && len(text) > 20 {
		text = e.Layout + text[:20] + e.Layout + text[20:] + e.Layout
	}
	return "<xenc:CipherData><xenc:CipherValue>" + text + "</xenc:CipherValue></xenc:CipherData>"
}

func (e Encrypter) content(key, plain []byte) []byte {
	block, err := aes.NewCipher(key)
	must(err)
	if strings.HasSuffix(e.Data, "-gcm") {
		gcm, err := cipher.NewGCM(block)
		must(err)
		nonce := random("nonce", gcm.NonceSize())
		return append(nonce, gcm.Seal(nil, nonce, plain, nil)...)
	}
	// XML Encryption says nothing of padding but of its last byte.
	padding := random("padding", aes.BlockSize-len(plain)%aes.BlockSize)
	if e.LongPadding {
		padding = append(padding, random("padding", aes.BlockSize)...)
	}
	padding[len(padding)-1] = byte(len(padding))
	plain = append(append([]byte(nil), plain...), padding...)
	first := random("first vector", aes.BlockSize)
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, first).CryptBlocks(out, plain)
	return append(first, out...)
}

func (e Encrypter) keyMethod() string {
	inside := ""
	if e.Label != "" {
		inside += "<xenc:OAEPparams>" + base64.StdEncoding.EncodeToString([]byte(e.Label)) + "</xenc:OAEPparams>"
	}
	inside += `<ds:DigestMethod xmlns:ds="` + dsNamespace + `" Algorithm="` + digestURIs[e.Digest] + `"/>`
	if !e.OAEP11 {
		return `<xenc:EncryptionMethod Algorithm="` + xencNamespace + `rsa-oaep-mgf1p">` + inside + `</xenc:EncryptionMethod>`
	}
	mask := map[crypto.Hash]string{crypto.SHA1: "mgf1sha1", crypto.SHA256: "mgf1sha256", crypto.SHA384: "mgf1sha384", crypto.SHA512: "mgf1sha512"}[e.Mask]
	return `<xenc:EncryptionMethod Algorithm="` + xenc11Namespace + `rsa-oaep">` + inside +
		`<xenc11:MGF xmlns:xenc11="` + xenc11Namespace + `" Algorithm="` + xenc11Namespace + mask + `"/></xenc:EncryptionMethod>`
}

// wrap encrypts a key by RSA-OAEP (RFC 8017, 7.1.1), written out because Go's
// own takes no seed.
func (e Encrypter) wrap(key []byte) []byte {
	to := Keys("sp")
	if e.To != nil {
		to = *e.To
	}
	public := to.Key.Public().(*rsa.PublicKey)
	size := public.Size()
	h := e.Digest.New()
	h.Write([]byte(e.Label))
	block := append(h.Sum(nil), make([]byte, size-len(key)-2*h.Size()-2)...)
	block = append(append(block, 1), key...)
	seed := random("seed", h.Size())
	mask(e.Mask, block, seed)
	mask(e.Mask, seed, block)
	m := new(big.Int).SetBytes(append(seed, block...))
	return m.Exp(m, big.NewInt(int64(public.E)), public.N).FillBytes(make([]byte, size))
}

// mask adds what MGF1 makes of a seed (RFC 8017, B.2.1).
func mask(hash crypto.Hash, out, seed []byte) {
	for i := 0; i < len(out); {
		h := hash.New()
		h.Write(binary.BigEndian.AppendUint32(append([]byte(nil), seed...), uint32(i/h.Size())))
		for _, b := range h.Sum(nil) {
			if i < len(out) {
				out[i] ^= b
				i++
			}
		}
	}
}

// FinishSealed is Finish for a response whose assertion is encrypted: it is
// signed before that, and the response after it (SAML Core, 6.2).
func FinishSealed(doc, what string, s Signer, e Encrypter) string {
	if what == SignAssertion || what == SignBoth {
		doc = s.Sign(doc, AssertionID)
	}
	doc = e.Assertion(strings.Replace(doc, Place(AssertionID), "", 1))
	if what == SignResponse || what == SignBoth {
		doc = s.Sign(doc, ResponseID)
	}
	return strings.Replace(doc, Place(ResponseID), "", 1)
}
