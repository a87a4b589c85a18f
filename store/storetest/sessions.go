package storetest

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/session"
	"gatehouse/sso"
	"gatehouse/store"
)

var sessions = []promise{
	{"a token comes back as it was added, with its user", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		addUser(t, s, "eve")
		token := Token("one", u.ID)
		do(t, s.AddToken(t.Context(), token))
		got, err := bearer(t, s, token.Hash)
		do(t, err)
		same(t, got, session.Bearer{Token: token, User: u, MethodUsable: true, Linked: true})
	}},
	{"a token without an address or a program comes back without", func(t *testing.T, s *store.Store) {
		token := Token("one", addUser(t, s, "ada").ID)
		token.IP, token.UserAgent, token.Description, token.TwoFactor = netip.Addr{}, "", "", false
		do(t, s.AddToken(t.Context(), token))
		got, err := bearer(t, s, token.Hash)
		do(t, err)
		same(t, got.Token, token)
	}},
	{"of a managed person it is known when they last logged in through who manages them", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "globex")
		own, foreign := addIdP(t, s, "am-own", o), addIdP(t, s, "am-foreign", other)
		for _, c := range []struct {
			name, managedBy string
			want            time.Time
		}{{"ada", o.ID, Then.Add(time.Hour)}, {"eve", "", time.Time{}}} {
			u := User(c.name)
			u.ManagingOrganizationID = c.managedBy
			do(t, s.AddUser(t.Context(), u, ""))
			for subject, i := range map[string]account.Identity{
				"early": {MethodID: own.ID, LastUsedAt: Then}, "late": {MethodID: own.ID, LastUsedAt: Then.Add(time.Hour)},
				"elsewhere": {MethodID: foreign.ID, LastUsedAt: Then.Add(2 * time.Hour)},
			} {
				i.UserID, i.SubjectKind, i.Subject, i.CreatedAt = u.ID, "name_id", c.name+" "+subject, Then
				do(t, s.AddIdentity(t.Context(), i))
			}
			token := Token(c.name, u.ID)
			do(t, s.AddToken(t.Context(), token))
			got, err := bearer(t, s, token.Hash)
			do(t, err)
			same(t, got.SSO, c.want)
		}
	}},
	{"a token that is not there is not found", func(t *testing.T, s *store.Store) {
		_, err := bearer(t, s, sha256.Sum256([]byte("none")))
		isFault(t, err, fault.NotFound)
	}},
	{"a prefix is unique for its user, and a taken one does not end the transaction", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		do(t, s.AddToken(t.Context(), Token("one", ada.ID)))
		second := Token("two", ada.ID)
		second.Prefix = Token("one", ada.ID).Prefix
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			isFault(t, s.AddToken(ctx, second), fault.Exists)
			other := second
			other.UserID = eve.ID
			return s.AddToken(ctx, other)
		})
		do(t, err)
		got, err := bearer(t, s, second.Hash)
		do(t, err)
		same(t, got.UserID, eve.ID)
	}},
	{"a token of nobody is refused", func(t *testing.T, s *store.Store) {
		isFault(t, s.AddToken(t.Context(), Token("one", "u-nobody")), fault.NotFound)
	}},
	{"a deleted token is gone, and deleting it again says so", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		one, two := Token("one", u.ID), Token("two", u.ID)
		do(t, s.AddToken(t.Context(), one), s.AddToken(t.Context(), two))
		gone, err := s.DeleteToken(t.Context(), one.Hash)
		do(t, err)
		same(t, gone, session.Deleted{Prefix: one.Prefix, User: u.Audit()})
		_, err = s.DeleteToken(t.Context(), one.Hash)
		isFault(t, err, fault.NotFound)
		_, err = bearer(t, s, one.Hash)
		isFault(t, err, fault.NotFound)
		_, err = bearer(t, s, two.Hash)
		do(t, err)
	}},
	{"a bearer tells that the person was deactivated, and when all tokens were expired", func(t *testing.T, s *store.Store) {
		u := User("ada")
		u.State, u.TokensValidFrom = account.DeactivatedUser, Then.Add(time.Hour)
		do(t, s.AddUser(t.Context(), u, ""), s.AddToken(t.Context(), Token("one", u.ID)))
		got, err := bearer(t, s, Token("one", u.ID).Hash)
		do(t, err)
		same(t, got.User, u)
	}},
	{"a bearer tells whether the method of its login may be used", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		for _, c := range methodStates {
			t.Run(c.name, func(t *testing.T) {
				i := addIdPIn(t, s, c)
				link(t, s, i, u, "ada")
				got := bearerOf(t, s, i, u)
				same(t, got.MethodUsable, c.usable)
				same(t, got.Linked, true)
			})
		}
	}},
	{"a bearer tells at once that its method was disabled", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		i := addIdP(t, s, "am1", addOrganization(t, s, "acme"))
		link(t, s, i, u, "ada")
		token := bearerOf(t, s, i, u).Token
		i.Enabled = false
		do(t, s.UpdateIdP(t.Context(), i))
		got, err := bearer(t, s, token.Hash)
		do(t, err)
		same(t, got.MethodUsable, false)
	}},
	{"a bearer is linked by the person's own link to that method alone", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		o := addOrganization(t, s, "acme")
		i, other := addIdP(t, s, "am1", o), addIdP(t, s, "am2", o)
		link(t, s, i, eve, "eve")
		link(t, s, other, ada, "ada")
		same(t, bearerOf(t, s, i, ada).Linked, false)
		link(t, s, i, ada, "first")
		link(t, s, i, ada, "second")
		got, err := bearer(t, s, sha256.Sum256([]byte("u-ada am1")))
		do(t, err)
		same(t, got.Linked, true)
	}},
}

// link binds a subject of an identity provider to a user.
func link(t testing.TB, s *store.Store, i *sso.IdP, u account.User, subject string) {
	t.Helper()
	do(t, s.AddIdentity(t.Context(), identity(i, u, subject)))
}

func identity(i *sso.IdP, u account.User, subject string) account.Identity {
	return account.Identity{MethodID: i.ID, SubjectKind: "nameid", Subject: subject, UserID: u.ID, Email: u.Email, CreatedAt: Then, LastUsedAt: Then}
}

// bearerOf adds a token of a login through an identity provider and reads it.
func bearerOf(t testing.TB, s *store.Store, i *sso.IdP, u account.User) session.Bearer {
	t.Helper()
	token := Token(u.ID+" "+i.ID, u.ID)
	token.Method = session.Method{Kind: session.SAML, ID: i.ID}
	do(t, s.AddToken(t.Context(), token))
	got, err := bearer(t, s, token.Hash)
	do(t, err)
	same(t, got.Token, token)
	return got
}

// bearer finds a token as a request does that asks for no place.
func bearer(t testing.TB, s *store.Store, hash [sha256.Size]byte) (session.Bearer, error) {
	t.Helper()
	pass, err := s.Pass(t.Context(), hash, gate.Where{})
	return pass.Bearer, err
}
