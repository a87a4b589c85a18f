// Package samltest makes SAML responses for tests: honest ones as identity
// providers sign them, and the same after an attacker has been at them.
//
// It signs by itself rather than with the library that verifies, so that a
// mistake there does not cancel itself out. Its keys are in the tree for
// everybody to see; nothing may ever trust them but a test.
package samltest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"embed"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"sync"
	"time"
)

//go:embed keys/*.key
var keyFiles embed.FS

// Now is the moment of every case.
var Now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A Pair is a key and a certificate for it.
type Pair struct {
	Key  crypto.Signer
	Cert *x509.Certificate
}

// PEM gives the certificate as identity providers hand it out.
func (p Pair) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Cert.Raw}))
}

var (
	mu    sync.Mutex
	pairs = map[string]Pair{}
)

// Keys gives a pair by name: current, next, attacker, sp (RSA, 2048 bits), small
// (RSA, 1024 bits), p256, p521; or expired and reissued, which are the key
// current with certificates that ended in 2020 and that begin a year later. It
// is the same at every call and in every run.
func Keys(name string) Pair {
	mu.Lock()
	defer mu.Unlock()
	if p, ok := pairs[name]; ok {
		return p
	}
	p, err := load(name)
	if err != nil {
		panic(fmt.Sprintf("samltest: load key %s: %v", name, err))
	}
	pairs[name] = p
	return p
}

func load(name string) (Pair, error) {
	file, from, until := name, 2025, 2045
	switch name {
	case "expired":
		file, from, until = "current", 2015, 2020
	case "reissued":
		file, from, until = "current", 2026, 2046
	}
	text, err := keyFiles.ReadFile("keys/" + file + ".key")
	if err != nil {
		return Pair{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return Pair{}, fmt.Errorf("not PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Pair{}, err
	}
	key := parsed.(crypto.Signer)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name + ", for tests only"},
		NotBefore:    time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(until, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(same{}, template, template, key.Public(), deterministic{key})
	if err != nil {
		return Pair{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return Pair{key, cert}, err
}

// same is a source of randomness for signatures that need none.
type same struct{}

func (same) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// deterministic signs the same way each time: RSA as in PKCS #1 v1.5 does
// anyway, ECDSA by RFC 6979.
type deterministic struct{ crypto.Signer }

func (d deterministic) Sign(_ io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return sign(d.Signer, digest, o)
}

func sign(key crypto.Signer, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(nil, k, o.HashFunc(), digest)
	case *ecdsa.PrivateKey:
		return k.Sign(nil, digest, o)
	}
	return nil, fmt.Errorf("sign with %T", key)
}
