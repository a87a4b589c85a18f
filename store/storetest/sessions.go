package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
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
	{"sessions are found by what the identity provider calls their person, and by its method", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		one, two, u := addIdP(t, s, "am1", o), addIdP(t, s, "am2", o), addUser(t, s, "ada")
		add := func(text string, i *sso.IdP, kind session.Kind, p session.Principal) session.Token {
			token := Token(text, u.ID)
			token.Kind, token.Method, token.IdP = kind, session.Method{Kind: session.SAML, ID: i.ID}, p
			do(t, s.AddToken(t.Context(), token))
			return token
		}
		ada := session.Principal{Name: "Ada", Key: "ada", Index: "i1"}
		first := add("a-first", one, session.SessionToken, ada)
		second := add("b-second", one, session.SessionToken, session.Principal{Name: "Ada", Key: "ada"})
		add("c-personal", one, session.PersonalToken, ada)
		add("d-other", one, session.SessionToken, session.Principal{Name: "Eve", Key: "eve", Index: "i1"})
		add("e-elsewhere", two, session.SessionToken, ada)
		unnamed := add("f-unnamed", one, session.SessionToken, session.Principal{})
		got, err := s.SessionsNamed(t.Context(), one.ID, "ada")
		do(t, err)
		want := []session.Named{{Hash: first.Hash, Index: "i1"}, {Hash: second.Hash}}
		slices.SortFunc(want, func(a, b session.Named) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
		same(t, got, want)
		none, err := s.SessionsNamed(t.Context(), one.ID, "")
		do(t, err)
		same(t, len(none), 0)
		p, methodID, err := s.Principal(t.Context(), first.Hash)
		do(t, err)
		same(t, p, ada)
		same(t, methodID, one.ID)
		p, _, err = s.Principal(t.Context(), unnamed.Hash)
		do(t, err)
		same(t, p, session.Principal{})
		_, _, err = s.Principal(t.Context(), Token("nobody", u.ID).Hash)
		isFault(t, err, fault.NotFound)
	}},
	{"logins under way end by what the identity provider calls their person", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		one, two := addIdP(t, s, "am1", o), addIdP(t, s, "am2", o)
		for n, f := range []struct {
			i   *sso.IdP
			key string
		}{{one, "ada"}, {one, "eve"}, {two, "ada"}, {one, ""}} {
			waiting := flow(fmt.Sprint("f", n))
			waiting.Method, waiting.Claim.NameKey = session.Method{Kind: session.SAML, ID: f.i.ID}, f.key
			do(t, s.AddFlow(t.Context(), waiting))
		}
		do(t, s.DropFlows(t.Context(), one.ID, "ada"))
		do(t, s.DropFlows(t.Context(), one.ID, ""))
		var left []string
		for n := range 4 {
			if _, err := s.Flow(t.Context(), fmt.Sprint("f", n), Then); err == nil {
				left = append(left, fmt.Sprint("f", n))
			}
		}
		same(t, left, []string{"f1", "f2", "f3"})
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
