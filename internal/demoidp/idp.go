// Package demoidp is a SAML 2.0 identity provider for demonstrations and
// tests. It trusts whoever asks: a person is chosen, not proved.
//
// "gatehouse serve --dev" serves it beside the broker; every Go test can have
// one in process ([New], [IdP.Answer]), and so can a load generator: a response
// is written directly in the canonical form that is signed, so that making one
// costs little more than its RSA operations. It misbehaves on request: each
// part of a [Response] can be changed before it is signed, and [Mistakes] names
// the usual ones.
//
// It never sends anything to a service provider that is not registered, and
// reads no more of a request than it needs. It must not be reachable by
// strangers: whoever reaches it is anybody.
package demoidp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/url"
	"sort"
	"strings"
	"sync"
	"time"
)

// The formats of a NameID that can be asked for (SAML Core, 8.3).
const (
	EmailAddress = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	Unspecified  = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	Persistent   = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	Transient    = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
)

// An IdP is one identity provider. Make it with [New] or [NewWithKey], then
// set fields before it is used; it may be used by many goroutines afterwards.
type IdP struct {
	EntityID    string // also the address of its metadata
	SSOURL      string // where requests go, by the Redirect or the POST binding
	Name        string // of the organization, as the login page shows it
	Key         crypto.Signer
	Certificate *x509.Certificate
	Users       []User

	// Sign is what it signs unless a Response says otherwise.
	Sign Signing

	// Lookup finds a service provider that was not registered with Register.
	// It may be nil.
	Lookup func(entityID string) (SP, bool)

	// Misbehave changes each response before it is signed. It may be nil.
	Misbehave func(*Response)

	// Now is the clock. NewID makes the ids of responses, assertions and
	// sessions; they must be NCNames (XML Schema, 3.3.8).
	Now   func() time.Time
	NewID func() string

	mu  sync.RWMutex
	sps map[string]SP
}

// A User is somebody who can log in here.
type User struct {
	Username  string
	Email     string // may be empty: then it is not asserted
	FirstName string
	LastName  string
	Title     string // for the login page
	Groups    []string
}

// An SP is a service provider that may ask for logins.
type SP struct {
	EntityID string
	ACSURL   string // where responses go, by POST
	Name     string // as the login page shows it; may be empty
}

// Acme gives the people of the demonstration's organization.
func Acme() []User {
	return []User{
		{Username: "alice", Email: "alice@acme.test", FirstName: "Alice", LastName: "Archer", Title: "Platform lead", Groups: []string{"engineering", "admins"}},
		{Username: "bob", Email: "bob@acme.test", FirstName: "Bob", LastName: "Brännström", Title: "Developer", Groups: []string{"engineering"}},
	}
}

// New makes an identity provider that is reached at baseURL, with Acme's
// people and a fresh RSA key of 2048 bits.
func New(baseURL string) (*IdP, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return NewWithKey(baseURL, key)
}

// NewWithKey is New with a key that exists already: making one is the slow
// part, and a key that is kept survives a restart. The certificate is new.
func NewWithKey(baseURL string, key *rsa.PrivateKey) (*IdP, error) {
	u, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("parse base URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("base URL %q is not an absolute http or https URL", baseURL)
	}
	cert, err := selfSigned(u.Hostname(), key, time.Now())
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(baseURL, "/")
	return &IdP{
		EntityID:    base + "/metadata",
		SSOURL:      base + "/sso",
		Name:        "Acme",
		Key:         key,
		Certificate: cert,
		Users:       Acme(),
		Sign:        SignBoth,
		Now:         time.Now,
		NewID:       newID,
	}, nil
}

// selfSigned makes a certificate for key: ten years long, because what it says
// beside the key is of no use to SAML.
func selfSigned(name string, key crypto.Signer, now time.Time) (*x509.Certificate, error) {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Demonstration identity provider"}},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	return cert, nil
}

// newID gives 128 random bits behind the underscore that an NCName needs.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return "_" + hex.EncodeToString(b[:])
}

// Register lets sp ask for logins. A second call with the same entity id
// replaces the first.
func (p *IdP) Register(sp SP) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sps == nil {
		p.sps = map[string]SP{}
	}
	p.sps[sp.EntityID] = sp
}

// SP finds a service provider, registered or known to Lookup.
func (p *IdP) SP(entityID string) (SP, bool) {
	p.mu.RLock()
	sp, ok := p.sps[entityID]
	p.mu.RUnlock()
	if ok || p.Lookup == nil {
		return sp, ok
	}
	return p.Lookup(entityID)
}

// registered lists what Register was told, by entity id.
func (p *IdP) registered() []SP {
	p.mu.RLock()
	defer p.mu.RUnlock()
	list := make([]SP, 0, len(p.sps))
	for _, sp := range p.sps {
		list = append(list, sp)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].EntityID < list[j].EntityID })
	return list
}

// User finds somebody by username or address.
func (p *IdP) User(name string) (User, bool) {
	for _, u := range p.Users {
		if name != "" && (u.Username == name || u.Email == name) {
			return u, true
		}
	}
	return User{}, false
}

// DisplayName is what a page calls u.
func (u User) DisplayName() string {
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		return name
	}
	return u.Username
}

// nameID names u towards sp in a format. An unknown format gives the default,
// the address, or the username where there is none.
func (p *IdP) nameID(u User, sp SP, format string) NameID {
	switch format {
	case Persistent:
		sum := sha256.Sum256([]byte(p.EntityID + "\x00" + sp.EntityID + "\x00" + u.Username))
		return NameID{
			Value:           base64.RawURLEncoding.EncodeToString(sum[:18]),
			Format:          Persistent,
			NameQualifier:   p.EntityID,
			SPNameQualifier: sp.EntityID,
		}
	case Transient:
		return NameID{Value: p.NewID(), Format: Transient, SPNameQualifier: sp.EntityID}
	}
	if u.Email == "" {
		return NameID{Value: u.Username, Format: Unspecified}
	}
	return NameID{Value: u.Email, Format: EmailAddress}
}
