package storetest

import (
	"net/netip"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
	"gatehouse/store"
)

var ways = []promise{
	{"a person's links come with whose they are, oldest first", func(t *testing.T, s *store.Store) {
		ada, o := addUser(t, s, "ada"), addOrganization(t, s, "acme")
		first, second := addIdP(t, s, "am2", o), addIdP(t, s, "am1", addOrganization(t, s, "beta"))
		later := identity(second, ada, "s1")
		later.CreatedAt, later.LastUsedAt, later.LastIP = Then.Add(time.Hour), Then.Add(2*time.Hour), netip.MustParseAddr("192.0.2.7")
		do(t, s.AddIdentity(t.Context(), later))
		link(t, s, first, ada, "s2")
		link(t, s, first, addUser(t, s, "bob"), "s3")
		got, err := s.Links(t.Context(), ada.ID)
		do(t, err)
		same(t, got, []login.Link{
			{Identity: identity(first, ada, "s2"), Name: first.Name, Organization: o.Name, OrganizationID: o.ID, AccountID: o.AccountID, Usable: true},
			{Identity: later, Name: second.Name, Organization: "beta", OrganizationID: "org-beta", AccountID: "a-beta", Usable: true},
		})
	}},
	{"a link is usable while its method and its organization are", func(t *testing.T, s *store.Store) {
		for _, c := range methodStates {
			u := addUser(t, s, "u"+c.name)
			link(t, s, addIdPIn(t, s, c), u, "s")
			got, err := s.Links(t.Context(), u.ID)
			do(t, err)
			if len(got) != 1 || got[0].Usable != c.usable {
				t.Errorf("%s: got %+v, want one that is usable: %t", c.name, got, c.usable)
			}
		}
	}},
	{"a password is known by its last use", func(t *testing.T, s *store.Store) {
		ada, bob := addUser(t, s, "ada"), User("bob")
		do(t, s.AddUser(t.Context(), bob, "a hash"))
		at, ip := Then.Add(time.Hour), netip.MustParseAddr("192.0.2.7")
		do(t, s.TouchPassword(t.Context(), bob.ID, at, ip))
		isFault(t, s.TouchPassword(t.Context(), ada.ID, at, ip), fault.NotFound)
		for _, c := range []struct {
			id   string
			want login.PasswordState
		}{{ada.ID, login.PasswordState{}}, {bob.ID, login.PasswordState{Set: true, UsedAt: at, IP: ip}}} {
			got, err := s.PasswordState(t.Context(), c.id)
			do(t, err)
			same(t, got, c.want)
		}
		_, err := s.PasswordState(t.Context(), "u-none")
		isFault(t, err, fault.NotFound)
	}},
	{"cut links take along their own tokens alone", func(t *testing.T, s *store.Store) {
		ada, bob, o := addUser(t, s, "ada"), addUser(t, s, "bob"), addOrganization(t, s, "acme")
		cut, kept := addIdP(t, s, "am1", o), addIdP(t, s, "am2", o)
		for _, subject := range []string{"s1", "s2"} {
			link(t, s, cut, ada, subject)
		}
		link(t, s, kept, ada, "s1")
		link(t, s, cut, bob, "s3")
		gone := []session.Token{tokenBy(t, s, "t1", ada, cut), tokenBy(t, s, "t2", ada, cut)}
		stay := []session.Token{tokenBy(t, s, "t3", ada, kept), tokenBy(t, s, "t4", ada, nil), tokenBy(t, s, "t5", bob, cut)}
		n, err := s.CutIdentities(t.Context(), ada.ID, cut.ID)
		do(t, err)
		same(t, n, 2)
		counts(t, s, gone, false)
		counts(t, s, stay, true)
		same(t, linkedTo(t, s, ada), []string{kept.ID})
		same(t, linkedTo(t, s, bob), []string{cut.ID})
		_, err = s.CutIdentities(t.Context(), ada.ID, cut.ID)
		isFault(t, err, fault.NotFound)
	}},
	{"a password that is cut takes along its own tokens and flows alone", func(t *testing.T, s *store.Store) {
		ada, o := User("ada"), addOrganization(t, s, "acme")
		do(t, s.AddUser(t.Context(), ada, "a hash"))
		do(t, s.TouchPassword(t.Context(), ada.ID, Then, netip.MustParseAddr("192.0.2.7")))
		bob := User("bob")
		do(t, s.AddUser(t.Context(), bob, "a hash"))
		i := addIdP(t, s, "am1", o)
		link(t, s, i, ada, "s1")
		gone := []session.Token{tokenBy(t, s, "t1", ada, nil), tokenBy(t, s, "t2", ada, nil)}
		stay := []session.Token{tokenBy(t, s, "t3", ada, i), tokenBy(t, s, "t4", bob, nil)}
		for _, f := range []login.Flow{passwordFlow("f1", ada), passwordFlow("f2", bob)} {
			do(t, s.AddFlow(t.Context(), f))
		}
		n, err := s.CutPassword(t.Context(), ada.ID)
		do(t, err)
		same(t, n, 2)
		counts(t, s, gone, false)
		counts(t, s, stay, true)
		_, err = s.Flow(t.Context(), "f1", Then)
		isFault(t, err, fault.NotFound)
		_, err = s.Flow(t.Context(), "f2", Then)
		do(t, err)
		got, err := s.PasswordState(t.Context(), ada.ID)
		do(t, err)
		same(t, got, login.PasswordState{})
		_, hash, err := s.UserWithPassword(t.Context(), ada.Email)
		do(t, err)
		same(t, hash, "")
		isFault(t, s.TouchPassword(t.Context(), ada.ID, Then, netip.Addr{}), fault.NotFound)
		_, err = s.CutPassword(t.Context(), ada.ID)
		isFault(t, err, fault.NotFound)
	}},
	{"a password is changed by whoever has the present one, and ends the person's flows by it alone", func(t *testing.T, s *store.Store) {
		ada, bob := User("ada"), User("bob")
		for _, u := range []account.User{ada, bob} {
			do(t, s.AddUser(t.Context(), u, "a hash"))
			do(t, s.AddFlow(t.Context(), passwordFlow("f"+u.ID, u)))
		}
		do(t, s.TouchPassword(t.Context(), ada.ID, Then, netip.MustParseAddr("192.0.2.7")))
		isFault(t, s.ChangePassword(t.Context(), ada.ID, "another hash", "new"), fault.Conflict)
		isFault(t, s.ChangePassword(t.Context(), addUser(t, s, "eve").ID, "", "new"), fault.Conflict)
		notes := changesOf(t, s, func() { do(t, s.ChangePassword(t.Context(), ada.ID, "a hash", "new")) })
		same(t, notes, []string{"u:" + ada.ID})
		isFault(t, s.ChangePassword(t.Context(), ada.ID, "a hash", "newer"), fault.Conflict)
		for u, want := range map[account.User]string{ada: "new", bob: "a hash"} {
			_, hash, err := s.UserWithPassword(t.Context(), u.Email)
			do(t, err)
			same(t, hash, want)
		}
		state, err := s.PasswordState(t.Context(), ada.ID)
		do(t, err)
		same(t, state, login.PasswordState{Set: true})
		_, err = s.Flow(t.Context(), "f"+ada.ID, Then)
		isFault(t, err, fault.NotFound)
		_, err = s.Flow(t.Context(), "f"+bob.ID, Then)
		do(t, err)
	}},
	{"what is cut leaves a note of whose it was", func(t *testing.T, s *store.Store) {
		ada := User("ada")
		do(t, s.AddUser(t.Context(), ada, "a hash"))
		i := addIdP(t, s, "am1", addOrganization(t, s, "acme"))
		link(t, s, i, ada, "s1")
		notes := changesOf(t, s, func() {
			_, err := s.CutIdentities(t.Context(), ada.ID, i.ID)
			do(t, err)
		})
		same(t, notes, []string{"u:" + ada.ID})
		notes = changesOf(t, s, func() {
			_, err := s.CutPassword(t.Context(), ada.ID)
			do(t, err)
		})
		same(t, notes, []string{"u:" + ada.ID})
	}},
}

// tokenBy adds a token of a login through an identity provider, or, where that
// is nil, by password.
func tokenBy(t testing.TB, s *store.Store, name string, u account.User, i *sso.IdP) session.Token {
	t.Helper()
	token := Token(name, u.ID)
	if i != nil {
		token.Method = session.Method{Kind: session.SAML, ID: i.ID}
	}
	do(t, s.AddToken(t.Context(), token))
	return token
}

// counts fails unless tokens are all there, or none is.
func counts(t testing.TB, s *store.Store, tokens []session.Token, want bool) {
	t.Helper()
	for _, token := range tokens {
		_, err := s.TokenOf(t.Context(), token.UserID, "", token.Hash)
		if want {
			do(t, err)
			continue
		}
		isFault(t, err, fault.NotFound)
	}
}

func linkedTo(t testing.TB, s *store.Store, u account.User) []string {
	t.Helper()
	all, err := s.Links(t.Context(), u.ID)
	do(t, err)
	return ids(all, func(l login.Link) string { return l.MethodID })
}

func passwordFlow(id string, u account.User) login.Flow {
	return login.Flow{
		ID: id, Browser: [16]byte{1}, Method: session.Method{Kind: session.Password}, Purpose: sso.ToLogin,
		UserID: u.ID, AnsweredAt: Then, ExpiresAt: Then.Add(time.Minute),
	}
}

// changesOf gives the keys of the notes that something leaves.
func changesOf(t testing.TB, s *store.Store, do func()) (keys []string) {
	t.Helper()
	s.OnChange(func(all []string) { keys = append(keys, all...) })
	defer s.OnChange(func([]string) {})
	do()
	return keys
}
