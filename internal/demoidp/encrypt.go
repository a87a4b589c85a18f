package demoidp

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // what RSA-OAEP means where nothing else is said
	"crypto/x509"
	"encoding/base64"
	"fmt"
)

const (
	nsXEnc   = "http://www.w3.org/2001/04/xmlenc#"
	nsXEnc11 = "http://www.w3.org/2009/xmlenc11#"
)

// An Encryption says for whom assertions are encrypted, and how: with AES-GCM,
// or AES-CBC, and a key of 256 bits, which is encrypted by RSA-OAEP.
type Encryption struct {
	To  *x509.Certificate // of an RSA key
	CBC bool
}

// encrypt wraps an assertion. What it gives is in canonical form.
func (e *Encryption) encrypt(assertion string) (string, error) {
	public, ok := e.To.PublicKey.(*rsa.PublicKey)
	if !ok {
		return "", fmt.Errorf("encrypt to a %T, not to an RSA key", e.To.PublicKey)
	}
	key := make([]byte, 32)
	rand.Read(key)
	wrapped, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, public, key, nil)
	if err != nil {
		return "", fmt.Errorf("encrypt key: %w", err)
	}
	algorithm, seal := nsXEnc11+"aes256-gcm", sealGCM
	if e.CBC {
		algorithm, seal = nsXEnc+"aes256-cbc", sealCBC
	}
	content, err := seal(key, []byte(assertion))
	if err != nil {
		return "", fmt.Errorf("encrypt assertion: %w", err)
	}
	var c canon
	c.open("saml:EncryptedAssertion", "xmlns:saml", nsSAML)
	c.open("xenc:EncryptedData", "xmlns:xenc", nsXEnc, "Type", nsXEnc+"Element")
	c.leaf("xenc:EncryptionMethod", "", "Algorithm", algorithm)
	c.open("ds:KeyInfo", "xmlns:ds", nsDS)
	c.open("xenc:EncryptedKey")
	c.leaf("xenc:EncryptionMethod", "", "Algorithm", nsXEnc+"rsa-oaep-mgf1p")
	c.ciphered(wrapped)
	c.close("xenc:EncryptedKey")
	c.close("ds:KeyInfo")
	c.ciphered(content)
	c.close("xenc:EncryptedData")
	c.close("saml:EncryptedAssertion")
	return c.done("encrypted assertion")
}

func (c *canon) ciphered(b []byte) {
	c.open("xenc:CipherData")
	c.leaf("xenc:CipherValue", base64.StdEncoding.EncodeToString(b))
	c.close("xenc:CipherData")
}

func sealGCM(key, plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcm.NonceSize())
	rand.Read(nonce)
	return gcm.Seal(nonce, nonce, plain, nil), nil
}

// sealCBC pads as XML Encryption has it: the last byte says by how many.
func sealCBC(key, plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	n := aes.BlockSize - len(plain)%aes.BlockSize
	plain = append(plain, bytes.Repeat([]byte{byte(n)}, n)...)
	out := make([]byte, aes.BlockSize+len(plain))
	rand.Read(out[:aes.BlockSize])
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(out[aes.BlockSize:], plain)
	return out, nil
}
