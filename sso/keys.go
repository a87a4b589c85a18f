package sso

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"

	"gatehouse/internal/seal"
)

// spCertificateLife is how long our certificates last. IdPs that look at the
// date (AD FS does) stop working at its end, so it is long; what an IdP
// trusts is the key that it was given.
const spCertificateLife = 10 * 365 * 24 * time.Hour

// makeKey gives a new IdP the key and the self-signed certificate that are
// ours towards it alone. One pair both signs requests and is what the IdP
// encrypts assertions for.
func (i *IdP) makeKey(ring *seal.Keyring, now time.Time) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] &= 0x7f // positive in 16 octets (RFC 5280, 4.1.2.2)
	template := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(serial),
		Subject:               pkix.Name{CommonName: "Gatehouse " + i.ID},
		NotBefore:             now.Add(-time.Hour).UTC().Truncate(time.Second), // for IdPs whose clock is slow
		NotAfter:              now.Add(spCertificateLife).UTC().Truncate(time.Second),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	plain, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	i.SPCertificate = certificate
	i.SPKey = ring.Seal(i.keyPurpose(), plain)
	return nil
}

func (i *IdP) keyPurpose() string { return KeyPurpose(i.ID) }

// KeyPurpose is the purpose that the private key for an IdP is sealed for.
func KeyPurpose(id string) string { return "idp " + id + " key" }

// decrypter gives what decrypts for an IdP. It opens no key before it has to.
func (p *Provider) decrypter(i *IdP) *decrypter {
	return &decrypter{open: func() ([]*rsa.PrivateKey, error) {
		if p.Keys == nil {
			return nil, seal.ErrKey
		}
		key, err := p.key(i)
		if err != nil {
			return nil, err
		}
		return []*rsa.PrivateKey{key}, nil
	}}
}

// key opens our private key for an IdP. It returns seal.ErrKey if it was
// sealed with other keys.
func (p *Provider) key(i *IdP) (*rsa.PrivateKey, error) {
	plain, err := p.Keys.Open(i.keyPurpose(), i.SPKey)
	if err != nil {
		return nil, fmt.Errorf("open key of %s: %w", i.ID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, fmt.Errorf("parse key of %s: %w", i.ID, err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("parse key of %s: it is no RSA key", i.ID)
	}
	return key, nil
}
