package sso

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"gatehouse/internal/seal"
)

// spCertificateLife is how long our certificates last. IdPs that look at the
// date (AD FS does) stop working at its end, so it is long; what an IdP
// trusts is the key that it was given.
const spCertificateLife = 10 * 365 * 24 * time.Hour

// A KeyType is a kind of key that we can have towards an IdP.
type KeyType string

// The types of keys. Nothing can be encrypted to an ECDSA key: with one that
// signs comes an RSA key that decrypts.
const (
	RSA2048   KeyType = "rsa-2048"
	RSA3072   KeyType = "rsa-3072"
	ECDSAP256 KeyType = "ecdsa-p256"
)

// KeyTypes lists them, the usual one first.
var KeyTypes = []KeyType{RSA2048, RSA3072, ECDSAP256}

// typeFor is the type of the key that a new IdP with these settings gets.
func (s *Settings) typeFor() KeyType {
	if signatureAlgorithms[s.SignatureAlgorithm].elliptic {
		return ECDSAP256
	}
	return RSA2048
}

// A KeySet is what we have towards one IdP at a time: an RSA key that signs
// and decrypts, or an ECDSA key that signs and an RSA key that decrypts. The
// zero KeySet is none.
type KeySet struct {
	// Certificates are self-signed ones in DER, one after the other: the
	// signing key's, then, if it is another key, the decrypting one's.
	Certificates []byte

	// Sealed holds the private keys, PKCS #8, in the same order, sealed
	// together for KeyPurpose.
	Sealed []byte
}

// Empty reports whether there are no keys.
func (k KeySet) Empty() bool { return len(k.Certificates) == 0 }

// parse reads the certificates: the one that signs, and the one to encrypt to.
func (k KeySet) parse() (signs, encrypts *x509.Certificate, err error) {
	list, err := x509.ParseCertificates(k.Certificates)
	if err != nil {
		return nil, nil, err
	}
	if len(list) < 1 || len(list) > 2 {
		return nil, nil, fmt.Errorf("got %d certificates, want one or two", len(list))
	}
	return list[0], list[len(list)-1], nil
}

// present is the key set that signs now.
func (i *IdP) present() KeySet { return KeySet{i.SPCertificate, i.SPKey} }

// SigningCertificate is our certificate that the IdP verifies requests with:
// DER; nil if there is none.
func (i *IdP) SigningCertificate() []byte {
	signs, _, err := i.present().parse()
	if err != nil {
		return nil
	}
	return signs.Raw
}

// makeKeySet makes keys for an IdP. It takes a tenth of a second and more.
func makeKeySet(ring *seal.Keyring, id string, kind KeyType, now time.Time) (KeySet, error) {
	const both = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	var parts []madeKey
	switch kind {
	case RSA2048, RSA3072:
		bits := map[KeyType]int{RSA2048: 2048, RSA3072: 3072}[kind]
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return KeySet{}, err
		}
		parts = []madeKey{{key, both}}
	case ECDSAP256:
		signs, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return KeySet{}, err
		}
		decrypts, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return KeySet{}, err
		}
		parts = []madeKey{{signs, x509.KeyUsageDigitalSignature}, {decrypts, x509.KeyUsageKeyEncipherment}}
	default:
		return KeySet{}, fmt.Errorf("unknown type of key %q", kind)
	}
	var set KeySet
	var plain []byte
	for _, k := range parts {
		certificate, err := k.certify(id, now)
		if err != nil {
			return KeySet{}, err
		}
		private, err := x509.MarshalPKCS8PrivateKey(k.key)
		if err != nil {
			return KeySet{}, err
		}
		set.Certificates, plain = append(set.Certificates, certificate...), append(plain, private...)
	}
	set.Sealed = ring.Seal(KeyPurpose(id), plain)
	return set, nil
}

// A madeKey is a key with what its certificate says it is for.
type madeKey struct {
	key   crypto.Signer
	usage x509.KeyUsage
}

func (k madeKey) certify(id string, now time.Time) ([]byte, error) {
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] &= 0x7f // positive in 16 octets (RFC 5280, 4.1.2.2)
	template := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(serial),
		Subject:               pkix.Name{CommonName: "Gatehouse " + id},
		NotBefore:             now.Add(-time.Hour).UTC().Truncate(time.Second), // for IdPs whose clock is slow
		NotAfter:              now.Add(spCertificateLife).UTC().Truncate(time.Second),
		KeyUsage:              k.usage,
		BasicConstraintsValid: true,
	}
	return x509.CreateCertificate(rand.Reader, template, template, k.key.Public(), k.key)
}

// KeyPurpose is the purpose that the private keys for an IdP are sealed for.
func KeyPurpose(id string) string { return "idp " + id + " key" }

// decrypter gives what decrypts for an IdP at the moment now: the present
// keys, the next, which the IdP may have learned already, and the ones before
// until their end. It opens no key before it has to.
func (p *Provider) decrypter(i *IdP, now time.Time) *decrypter {
	return &decrypter{open: func() ([]*rsa.PrivateKey, error) {
		sets := []KeySet{i.present()}
		if !i.NextKeys.Empty() {
			sets = append(sets, i.NextKeys)
		}
		if i.acceptsPrevious(now) {
			sets = append(sets, i.PreviousKeys)
		}
		var out []*rsa.PrivateKey
		for _, set := range sets {
			keys, err := p.openKeys(i.ID, set)
			if err != nil {
				return nil, err
			}
			out = append(out, keys.decrypts)
		}
		return out, nil
	}}
}

// ownKeys are the private keys of a KeySet.
type ownKeys struct {
	signs    crypto.Signer // *rsa.PrivateKey or *ecdsa.PrivateKey
	decrypts *rsa.PrivateKey
}

// mostOpened is how many key sets are remembered opened, of a few kilobytes
// each.
const mostOpened = 2000

// An openedKeys remembers private keys by what they were sealed as: opening
// one costs as much as using it. Whoever could read them here could read the
// keys that open them as well.
type openedKeys struct {
	mu    sync.Mutex
	known map[sealedKeys]ownKeys
}

// sealedKeys are sealed keys, for the IdP that they were sealed for.
type sealedKeys struct{ id, sealed string }

// openKeys opens a key set of an IdP. It returns seal.ErrKey if it was sealed
// with other keys.
func (p *Provider) openKeys(id string, set KeySet) (ownKeys, error) {
	if p.Keys == nil {
		return ownKeys{}, seal.ErrKey
	}
	at := sealedKeys{id, string(set.Sealed)}
	p.opened.mu.Lock()
	keys, known := p.opened.known[at]
	p.opened.mu.Unlock()
	if known {
		return keys, nil
	}
	plain, err := p.Keys.Open(KeyPurpose(id), set.Sealed)
	if err != nil {
		return ownKeys{}, fmt.Errorf("open keys of %s: %w", id, err)
	}
	if keys, err = parseKeys(plain); err != nil {
		return ownKeys{}, fmt.Errorf("parse keys of %s: %w", id, err)
	}
	p.opened.mu.Lock()
	defer p.opened.mu.Unlock()
	if p.opened.known == nil || len(p.opened.known) >= mostOpened {
		p.opened.known = map[sealedKeys]ownKeys{}
	}
	p.opened.known[at] = keys
	return keys, nil
}

// parseKeys reads one or two private keys, the last of which decrypts.
func parseKeys(plain []byte) (ownKeys, error) {
	var list []crypto.Signer
	for len(plain) > 0 {
		var one asn1.RawValue
		rest, err := asn1.Unmarshal(plain, &one)
		if err != nil {
			return ownKeys{}, err
		}
		plain = rest
		parsed, err := x509.ParsePKCS8PrivateKey(one.FullBytes)
		if err != nil {
			return ownKeys{}, err
		}
		key, signs := parsed.(crypto.Signer)
		if !signs {
			return ownKeys{}, errors.New("it does not sign")
		}
		list = append(list, key)
	}
	if len(list) < 1 || len(list) > 2 {
		return ownKeys{}, fmt.Errorf("got %d keys, want one or two", len(list))
	}
	decrypts, is := list[len(list)-1].(*rsa.PrivateKey)
	if !is {
		return ownKeys{}, errors.New("the one that decrypts is no RSA key")
	}
	return ownKeys{list[0], decrypts}, nil
}
