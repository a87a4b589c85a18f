package sso_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fetch"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/internal/mail"
	"gatehouse/internal/seal"
	"gatehouse/sso"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

const (
	where  = "https://idp.example.com/metadata"
	entity = "https://idp.example.com/entity"
)

// A signer is an identity provider's key with its certificate.
type signer struct {
	key crypto.Signer
	der []byte
}

// newSigner makes one that ends after a while from storetest.Then on.
func newSigner(t testing.TB, name string, life time.Duration) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certified(t, key, name, life)
}

// certified gives a key its certificate.
func certified(t testing.TB, key crypto.Signer, name string, life time.Duration) signer {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: storetest.Then.Add(-time.Hour), NotAfter: storetest.Then.Add(life)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, der}
}

func (s signer) pem() string {
	return strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.der})))
}

// describes is metadata of one identity provider.
func describes(entityID, ssoURL string, signers ...signer) string {
	keys := ""
	for _, s := range signers {
		keys += `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>` +
			base64.StdEncoding.EncodeToString(s.der) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
	}
	return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_1" entityID="` + entityID + `">` +
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + keys +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="` + ssoURL + `"/>` +
		`</md:IDPSSODescriptor></md:EntityDescriptor>`
}

// signed signs the root of a document.
func (s signer) signed(t testing.TB, text string) string {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		t.Fatal(err)
	}
	c, err := dsig.NewSigningContext(s.key, [][]byte{s.der})
	if err != nil {
		t.Fatal(err)
	}
	c.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := c.SetSignatureMethod(dsig.ECDSASHA256SignatureMethod); err != nil {
		t.Fatal(err)
	}
	root, err := c.SignEnveloped(doc.Root())
	if err != nil {
		t.Fatal(err)
	}
	doc.SetRoot(root)
	out, err := doc.WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A site is what stands at addresses.
type site struct {
	pages  map[string]string
	asked  int
	during func() // is called while a page is fetched, unless nil
}

func (s *site) Get(_ context.Context, address string) (fetch.Page, error) {
	s.asked++
	if s.during != nil {
		s.during()
	}
	text, there := s.pages[address]
	if !there {
		return fetch.Page{}, &fetch.Error{Reason: fetch.Status, Code: 404, Says: "it answers 404 Not Found"}
	}
	return fetch.Page{URL: address, Body: []byte(text)}, nil
}

// A world is an organization whose identity provider publishes its metadata.
type world struct {
	*sso.Refreshes
	t     *testing.T
	db    *store.Store
	idps  *sso.IdPs
	site  *site
	acme  account.Organization
	ada   account.Actor
	now   time.Time
	mails []mail.Message
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Folder: t.TempDir(), Keys: seal.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, db: db, site: &site{pages: map[string]string{}}, now: storetest.Then, acme: storetest.Organization("acme")}
	clock := func() time.Time { return w.now }
	log := &audit.Log{Store: db, Now: clock, NewID: ident.UUID}
	w.Refreshes = &sso.Refreshes{Store: db, Pages: w.site, Limits: &limit.Memory{Now: clock}, Mail: w, Base: "https://sso.acme.test", Now: clock, Audit: log}
	w.idps = &sso.IdPs{Store: db, Keys: seal.New(), Base: w.Base, NewID: ident.Source("am"), Now: clock, Audit: log, Refreshes: w.Refreshes}
	ada := storetest.User("ada")
	ada.AddressProved = true
	w.do(db.AddOrganization(t.Context(), w.acme, storetest.Root(w.acme)), db.AddUser(t.Context(), ada, ""),
		db.AddMember(t.Context(), account.Member{OrganizationID: w.acme.ID, UserID: ada.ID, SuperAdmin: true, JoinedAt: w.now}))
	w.ada = account.Actor{User: ada}
	return w
}

// Queue makes a world a sso.Mailer.
func (w *world) Queue(_ context.Context, m mail.Message) error {
	w.mails = append(w.mails, m)
	return nil
}

func (w *world) do(errs ...error) {
	w.t.Helper()
	if err := errors.Join(errs...); err != nil {
		w.t.Fatal(err)
	}
}

// fetched makes an identity provider from what stands at where.
func (w *world) fetched(change sso.Change) *sso.IdP {
	w.t.Helper()
	change.Name, change.IdPMetadataURL = new("Okta"), new(where)
	i, err := w.idps.Create(w.t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: change})
	w.do(err)
	return i
}

// today lets a day pass and looks.
func (w *world) later(d time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(d)
	w.do(w.Due(w.t.Context()))
}

// is reads an identity provider, and what is known of its metadata.
func (w *world) is(id string) (*sso.IdP, sso.Refresh) {
	w.t.Helper()
	i, err := w.db.IdP(w.t.Context(), id)
	w.do(err)
	r, err := w.State(w.t.Context(), i)
	w.do(err)
	return i, r
}

// did lists the actions since the last one that was made, oldest first.
func (w *world) did() (actions []string) {
	w.t.Helper()
	events, err := w.db.Events(w.t.Context(), audit.Filter{Everywhere: true}, "", 100)
	w.do(err)
	for _, e := range events {
		if e.Action == audit.IdPCreate {
			break
		}
		who := "by ada"
		if e.Actor.Name == audit.BySchedule {
			who = "on time"
		}
		actions = append([]string{fmt.Sprintf("%s %s", e.Action, who)}, actions...)
	}
	return actions
}
