package storetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/sso"
	"gatehouse/store"
)

var idps = []promise{
	{"an identity provider comes back as it was added", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		i := fullIdP(t, o)
		do(t, s.AddIdP(t.Context(), i))
		got, err := s.IdP(t.Context(), i.ID)
		do(t, err)
		same(t, len(got.Certificates), 2)
		same(t, got, i)
	}},
	{"an update writes every setting, and neither the keys nor the URLs", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		added := addIdP(t, s, "am1", o)
		changed := fullIdP(t, o)
		changed.ID, changed.State, changed.Enabled = added.ID, sso.Pending, false
		changed.Base, changed.SPKey, changed.SPCertificate, changed.Rollover = "https://evil.example", []byte{9}, []byte{9}, rollover(9)
		changed.CreatedAt, changed.UpdatedAt = Then.Add(time.Hour), Then.Add(time.Hour)
		do(t, s.UpdateIdP(t.Context(), changed))
		got, err := s.IdP(t.Context(), added.ID)
		do(t, err)
		want := *changed
		want.Base, want.SPKey, want.SPCertificate, want.CreatedAt = added.Base, added.SPKey, added.SPCertificate, added.CreatedAt
		want.Rollover = sso.Rollover{}
		same(t, got, &want)
	}},
	{"keys are saved alone, and come back", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		added := addIdP(t, s, "am1", o)
		changed := fullIdP(t, o)
		changed.ID, changed.SPKey, changed.SPCertificate, changed.UpdatedAt = added.ID, []byte{7}, []byte{8}, Then.Add(time.Hour)
		changed.Rollover = rollover(20)
		do(t, s.SaveKeys(t.Context(), changed))
		want := *added
		want.SPKey, want.SPCertificate, want.Rollover, want.UpdatedAt = changed.SPKey, changed.SPCertificate, changed.Rollover, changed.UpdatedAt
		want.SignatureAlgorithm = changed.SignatureAlgorithm
		got, err := s.IdP(t.Context(), added.ID)
		do(t, err)
		same(t, got, &want)
		kept := policy.Policy{OrganizationID: added.OrganizationID, Rules: fullRules(), UpdatedAt: Then}
		do(t, s.SavePolicy(t.Context(), kept))
		m, err := s.Method(t.Context(), added.ID)
		do(t, err)
		same(t, m.IdP, &want)
		same(t, m.Policy, kept)
		changed.Rollover, want.Rollover = sso.Rollover{}, sso.Rollover{}
		do(t, s.SaveKeys(t.Context(), changed))
		got, err = s.IdP(t.Context(), added.ID)
		do(t, err)
		same(t, got, &want)
		isFault(t, s.SaveKeys(t.Context(), IdP("am-none", o)), fault.NotFound)
	}},
	{"keys are due at their switch and at the end of the previous ones", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		for id, r := range map[string]sso.Rollover{
			"am1-none":        {NextKeys: rollover(1).NextKeys},
			"am2-switch":      {NextKeys: rollover(1).NextKeys, SwitchAt: Then},
			"am3-early":       {NextKeys: rollover(1).NextKeys, SwitchAt: Then.Add(time.Second)},
			"am4-ended":       {PreviousKeys: rollover(1).PreviousKeys, PreviousUntil: Then},
			"am5-accepted":    {PreviousKeys: rollover(1).PreviousKeys, PreviousUntil: Then.Add(time.Second)},
			"am6-deleted":     {NextKeys: rollover(1).NextKeys, SwitchAt: Then},
			"am7-deleted-end": {PreviousKeys: rollover(1).PreviousKeys, PreviousUntil: Then},
		} {
			i := IdP(id, o)
			i.Rollover = r
			if strings.Contains(id, "deleted") {
				i.State, i.DeletedAt = sso.Deleted, &i.UpdatedAt
			}
			do(t, s.AddIdP(t.Context(), i))
		}
		got, err := s.KeysDue(t.Context(), Then, 10)
		do(t, err)
		same(t, got, []string{"am2-switch", "am4-ended", "am7-deleted-end"})
		got, err = s.KeysDue(t.Context(), Then, 2)
		do(t, err)
		same(t, got, []string{"am2-switch", "am4-ended"})
	}},
	{"an identity provider that is not there is not found", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		_, err := s.IdP(t.Context(), "am-none")
		isFault(t, err, fault.NotFound)
		_, err = s.IdPOf(t.Context(), o.AccountID, "am-none")
		isFault(t, err, fault.NotFound)
		_, err = s.Method(t.Context(), "am-none")
		isFault(t, err, fault.NotFound)
		_, err = s.Standing(t.Context(), "am-none", "")
		isFault(t, err, fault.NotFound)
		isFault(t, s.UpdateIdP(t.Context(), IdP("am-none", o)), fault.NotFound)
	}},
	{"another organization's identity provider is not found", func(t *testing.T, s *store.Store) {
		o, foreign := addOrganization(t, s, "acme"), addOrganization(t, s, "foreign")
		addIdP(t, s, "am1", o)
		addIdP(t, s, "am2", foreign)
		_, err := s.IdPOf(t.Context(), o.AccountID, "am2")
		isFault(t, err, fault.NotFound)
		mine, err := s.IdPsOf(t.Context(), o.AccountID)
		do(t, err)
		same(t, idpIDs(mine), []string{"am1"})
		live, ever, err := s.CountIdPs(t.Context(), o.ID)
		do(t, err)
		same(t, []int{live, ever}, []int{1, 1})
	}},
	{"a deleted identity provider is found by its id alone", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		i := addIdP(t, s, "am1", o)
		gone := Then.Add(time.Hour)
		i.State, i.Enabled, i.DeletedAt = sso.Deleted, false, &gone
		do(t, s.UpdateIdP(t.Context(), i))
		got, err := s.IdP(t.Context(), i.ID)
		do(t, err)
		same(t, got, i)
		_, err = s.IdPOf(t.Context(), o.AccountID, i.ID)
		isFault(t, err, fault.NotFound)
		mine, err := s.IdPsOf(t.Context(), o.AccountID)
		do(t, err)
		same(t, len(mine), 0)
		live, ever, err := s.CountIdPs(t.Context(), o.ID)
		do(t, err)
		same(t, []int{live, ever}, []int{0, 1})
	}},
	{"an identity provider's id is taken once", func(t *testing.T, s *store.Store) {
		o, foreign := addOrganization(t, s, "acme"), addOrganization(t, s, "foreign")
		addIdP(t, s, "am1", o)
		isFault(t, s.AddIdP(t.Context(), IdP("am1", foreign)), fault.Exists)
	}},
	{"identity providers are listed oldest first", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		for id, age := range map[string]time.Duration{"am1": 2, "am2": 1, "am3": 3} {
			i := IdP(id, o)
			i.CreatedAt = Then.Add(-age * time.Hour)
			do(t, s.AddIdP(t.Context(), i))
		}
		mine, err := s.IdPsOf(t.Context(), o.AccountID)
		do(t, err)
		same(t, idpIDs(mine), []string{"am3", "am1", "am2"})
	}},
	{"what is given back may be changed", func(t *testing.T, s *store.Store) {
		i := fullIdP(t, addOrganization(t, s, "acme"))
		do(t, s.AddIdP(t.Context(), i))
		got, err := s.IdP(t.Context(), i.ID)
		do(t, err)
		got.Name, got.SPKey[0], got.Certificates[0] = "changed", 99, nil
		again, err := s.IdP(t.Context(), i.ID)
		do(t, err)
		same(t, again, i)
	}},
	{"a method is usable while it is enabled, active and of an organization in good standing", func(t *testing.T, s *store.Store) {
		for _, c := range methodStates {
			t.Run(c.name, func(t *testing.T) {
				i := addIdPIn(t, s, c)
				i.TokenMaxAge = 20 * time.Minute
				do(t, s.UpdateIdP(t.Context(), i))
				got, err := s.Standing(t.Context(), i.ID, "")
				do(t, err)
				same(t, got, login.Standing{Usable: c.usable, OrganizationID: i.OrganizationID, TokenLifetime: 20 * time.Minute})
				m, err := s.Method(t.Context(), i.ID)
				do(t, err)
				o, err := s.Organization(t.Context(), i.OrganizationID)
				do(t, err)
				same(t, m, login.Method{IdP: i, Organization: o.Name, Usable: c.usable, Policy: policy.Policy{OrganizationID: o.ID, Rules: policy.Usual()}})
			})
		}
	}},
}

// A methodState is how an identity provider and its organization may be.
type methodState struct {
	name      string
	edit      func(*sso.IdP)
	suspended bool
	usable    bool
}

var methodStates = []methodState{
	{"usable", func(*sso.IdP) {}, false, true},
	{"disabled", func(i *sso.IdP) { i.Enabled = false }, false, false},
	{"pending", func(i *sso.IdP) { i.State = sso.Pending }, false, false},
	{"deleted", func(i *sso.IdP) { i.State, i.DeletedAt = sso.Deleted, &i.UpdatedAt }, false, false},
	{"with an end, whatever its state says", func(i *sso.IdP) { i.DeletedAt = &i.UpdatedAt }, false, false},
	{"suspended", func(*sso.IdP) {}, true, false},
}

// addIdPIn adds an identity provider in a state, with an organization of its
// own.
func addIdPIn(t testing.TB, s *store.Store, c methodState) *sso.IdP {
	t.Helper()
	o := Organization(c.name)
	o.Suspended = c.suspended
	do(t, s.AddOrganization(t.Context(), o, Root(o)))
	i := IdP("am-"+c.name, o)
	c.edit(i)
	do(t, s.AddIdP(t.Context(), i))
	return i
}

func addIdP(t testing.TB, s *store.Store, id string, o account.Organization) *sso.IdP {
	t.Helper()
	i := IdP(id, o)
	do(t, s.AddIdP(t.Context(), i))
	return i
}

func idpIDs(list []*sso.IdP) []string {
	return ids(list, func(i *sso.IdP) string { return i.ID })
}

// fullIdP is an identity provider in which nothing is zero, and every text is
// another, so that no column can stand for its neighbour.
func fullIdP(t testing.TB, o account.Organization) *sso.IdP {
	t.Helper()
	i := IdP("am-full", o)
	i.Settings = sso.Settings{
		EntityID: "entity", SSOURL: "url", Binding: sso.Post, CertificatePEM: certificate(t, "one") + certificate(t, "two"),
		DigestAlgorithm: "sha512", SignatureAlgorithm: "rsa-sha384", Variant: "adfs",
		SignRequests: true, WantAssertionSigned: true, RequestAuthnContext: true, IdPLoginAllowed: true, IdPLoginMode: sso.Accept, JoinGroups: true,
		Mapping:   sso.Mapping{Email: "e", FirstName: "f", LastName: "l", RealName: "r", Identity: "i", Groups: "g"},
		AllowSHA1: true, AllowSmallKeys: true, AllowEmptyReference: true, AllowNoRecipient: true, ForceAuthn: true, NameIDFormat: sso.NameIDFormats[0],
		TokenMaxAge: time.Hour, TokenExtendWhenUsed: true, AutoJoinGroupID: "ug1",
		IdPSLOURL: "slo", IdPSLOResponseURL: "slo answers", SLOBinding: sso.SOAP,
		IdPMetadataURL: "https://idp.example.com/metadata", MetadataUpdates: sso.ApplyUpdates, MetadataCertificatePEM: "certificate",
	}
	i.Rollover = rollover(10)
	var err error
	i.Certificates, err = sso.ParseCertificates(i.CertificatePEM)
	do(t, err)
	return i
}

// rollover is a change of keys in which nothing is zero: made-up bytes from n
// on.
func rollover(n byte) sso.Rollover {
	return sso.Rollover{
		NextKeys: sso.KeySet{Certificates: []byte{n}, Sealed: []byte{n + 1}}, SwitchAt: Then.Add(time.Duration(n) * time.Hour),
		PreviousKeys: sso.KeySet{Certificates: []byte{n + 2}, Sealed: []byte{n + 3}}, PreviousUntil: Then.Add(time.Duration(n) * time.Minute),
	}
}

func certificate(t testing.TB, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	do(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	do(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
