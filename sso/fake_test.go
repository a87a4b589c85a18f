package sso

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/seal"
)

// moment is what the clocks of these tests say.
var moment = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// A memoryStore keeps identity providers in memory and notes what was called.
type memoryStore struct {
	idps   map[string]IdP
	order  []string
	inTx   bool
	locked string
	events []audit.Event
}

func (m *memoryStore) Tx(ctx context.Context, fn func(context.Context) error) error {
	m.inTx, m.locked = true, ""
	defer func() { m.inTx, m.locked = false, "" }()
	return fn(ctx)
}

func (m *memoryStore) LockOrganization(_ context.Context, id string) error {
	if !m.inTx {
		return fmt.Errorf("locked %s outside of a transaction", id)
	}
	m.locked = id
	return nil
}

func (m *memoryStore) Group(_ context.Context, _, id string) (account.GroupSize, error) {
	if id != "ug-people" && id != "ug-followed" {
		return account.GroupSize{}, fault.NotFound.Errorf("There is no such group.")
	}
	return account.GroupSize{Group: account.Group{ID: id, Name: "A group", IdPManaged: id == "ug-followed"}}, nil
}

func (m *memoryStore) AddIdP(_ context.Context, i *IdP) error {
	if m.locked != i.OrganizationID {
		return fmt.Errorf("added %s without its organization's lock", i.ID)
	}
	if _, taken := m.idps[i.ID]; taken {
		return fault.Exists.Errorf("It exists already.")
	}
	m.idps[i.ID] = *i
	m.order = append(m.order, i.ID)
	return nil
}

func (m *memoryStore) IdP(_ context.Context, id string) (*IdP, error) {
	i, found := m.idps[id]
	if !found {
		return nil, fault.NotFound
	}
	return &i, nil
}

func (m *memoryStore) IdPOf(ctx context.Context, accountID, id string) (*IdP, error) {
	i, err := m.IdP(ctx, id)
	if err != nil || i.AccountID != accountID || i.State == Deleted {
		return nil, fault.NotFound
	}
	return i, nil
}

func (m *memoryStore) IdPsOf(ctx context.Context, accountID string) ([]*IdP, error) {
	var out []*IdP
	for _, id := range m.order {
		if i, err := m.IdPOf(ctx, accountID, id); err == nil {
			out = append(out, i)
		}
	}
	return out, nil
}

func (m *memoryStore) CountIdPs(_ context.Context, organizationID string) (live, ever int, err error) {
	for _, i := range m.idps {
		if i.OrganizationID != organizationID {
			continue
		}
		ever++
		if i.State != Deleted {
			live++
		}
	}
	return live, ever, nil
}

func (m *memoryStore) UpdateIdP(_ context.Context, i *IdP) error {
	if m.locked != i.OrganizationID {
		return fmt.Errorf("updated %s without its organization's lock", i.ID)
	}
	m.idps[i.ID] = *i
	return nil
}

func (m *memoryStore) SaveKeys(_ context.Context, i *IdP) error {
	if m.locked != i.OrganizationID {
		return fmt.Errorf("saved keys of %s without its organization's lock", i.ID)
	}
	kept := m.idps[i.ID]
	kept.SPCertificate, kept.SPKey, kept.Rollover, kept.SignatureAlgorithm = i.SPCertificate, i.SPKey, i.Rollover, i.SignatureAlgorithm
	m.idps[i.ID] = kept
	return nil
}

func (m *memoryStore) KeysDue(_ context.Context, now time.Time, _ int) (due []string, _ error) {
	for _, id := range m.order {
		i := m.idps[id]
		if !i.SwitchAt.IsZero() && !i.SwitchAt.After(now) || !i.PreviousKeys.Empty() && !i.acceptsPrevious(now) {
			due = append(due, id)
		}
	}
	return due, nil
}

func (m *memoryStore) AddEvent(_ context.Context, e audit.Event) error {
	if !m.inTx {
		return fmt.Errorf("recorded %s outside of a transaction", e.Action)
	}
	m.events = append(m.events, e)
	return nil
}

func (m *memoryStore) Events(context.Context, audit.Filter, string, int) ([]audit.Event, error) {
	return m.events, nil
}

var (
	acme   = account.Organization{ID: "org1", AccountID: "a1", Name: "Acme"}
	globex = account.Organization{ID: "org2", AccountID: "a2", Name: "Globex"}
	admin  = account.Actor{User: account.User{ID: "u1", Email: "ada@acme.test"}}
)

func newIdPs() (*IdPs, *memoryStore) {
	store := &memoryStore{idps: map[string]IdP{}}
	n := 0
	now := func() time.Time { return moment }
	return &IdPs{
		Store: store,
		Keys:  seal.New(),
		Base:  "https://sso.example.com",
		NewID: func() string { n++; return fmt.Sprintf("am%d", n) },
		Now:   now,
		Audit: &audit.Log{Store: store, Now: now, NewID: ident.UUID},
	}, store
}

// idpRSAKey is an IdP's key: made once, as it takes a while.
var idpRSAKeys = map[int]*rsa.PrivateKey{}

func idpRSAKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	if k := idpRSAKeys[bits]; k != nil {
		return k
	}
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	idpRSAKeys[bits] = k
	return k
}

// makeKeys makes keys for an IdP.
func makeKeys(t testing.TB, ring *seal.Keyring, id string, kind KeyType) (certificates, sealed []byte) {
	t.Helper()
	set, err := makeKeySet(ring, id, kind, moment)
	if err != nil {
		t.Fatal(err)
	}
	return set.Certificates, set.Sealed
}

func idpECKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// certify makes an IdP's certificate: DER.
func certify(t testing.TB, name string, key crypto.Signer, serial int64) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Example"}},
		NotBefore:    moment.Add(-time.Hour),
		NotAfter:     moment.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func armour(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// idpCertificate is a sound certificate in PEM.
func idpCertificate(t testing.TB) string {
	t.Helper()
	return armour(certify(t, "idp.example.com", idpRSAKey(t, 2048), 1))
}

// configured is a change that completes a method.
func configured(t testing.TB) Change {
	t.Helper()
	return Change{
		Name:         new("Okta"),
		EntityID:     new("https://idp.example.com/entity"),
		SSOURL:       new("https://idp.example.com/sso"),
		Certificates: new(idpCertificate(t)),
	}
}

// wantFault fails unless err is of this kind, at this field.
func wantFault(t *testing.T, err error, kind fault.Kind, field string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %s at %q", kind, field)
	}
	f := fault.Of(err)
	if f.Kind != kind || f.Field != field {
		t.Fatalf("got %s at %q (%v), want %s at %q", f.Kind, f.Field, err, kind, field)
	}
	if !strings.HasSuffix(f.Message, ".") {
		t.Errorf("got message %q, want a sentence", f.Message)
	}
}

func base64Lines(der []byte) string {
	var out []string
	for chunk := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(der)), 64) {
		out = append(out, string(chunk))
	}
	return strings.Join(out, "\n")
}
