package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
	"gatehouse/store"
)

var logins = []promise{
	{"a key is used once for its kind", func(t *testing.T, s *store.Store) {
		do(t, s.UseOnce(t.Context(), "request", "k", Then))
		isFault(t, s.UseOnce(t.Context(), "request", "k", Then.Add(time.Hour)), fault.Exists)
		do(t, s.UseOnce(t.Context(), "request", "other", Then))
		do(t, s.UseOnce(t.Context(), "assertion am1", "k", Then))
		do(t, s.UseOnce(t.Context(), "assertion", "am1 k", Then))
	}},
	{"a key of any length and of any bytes is used once", func(t *testing.T, s *store.Store) {
		for _, key := range []string{"", strings.Repeat("x", 1<<20), "\xff\x00"} {
			do(t, s.UseOnce(t.Context(), "assertion", key, Then))
			isFault(t, s.UseOnce(t.Context(), "assertion", key, Then), fault.Exists)
		}
	}},
	{"a used key does not end the transaction", func(t *testing.T, s *store.Store) {
		do(t, s.UseOnce(t.Context(), "request", "k", Then))
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			isFault(t, s.UseOnce(ctx, "request", "k", Then), fault.Exists)
			return s.UseOnce(ctx, "request", "new", Then)
		})
		do(t, err)
		isFault(t, s.UseOnce(t.Context(), "request", "new", Then), fault.Exists)
	}},
	{"of many who use a key at once, one may", func(t *testing.T, s *store.Store) {
		for round := range 5 {
			won := race(t, 20, fault.Exists, func(ctx context.Context, i int) error {
				return s.Tx(ctx, func(ctx context.Context) error {
					if err := s.UseOnce(ctx, "request", fmt.Sprint(round), Then); err != nil {
						return err
					}
					return s.UseOnce(ctx, "assertion", fmt.Sprint(round, i), Then)
				})
			})
			same(t, won, 1)
		}
	}},
	{"a key whose user failed may be used again", func(t *testing.T, s *store.Store) {
		failed := fault.Denied.Errorf("No.")
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.UseOnce(ctx, "request", "k", Then))
			return failed
		})
		isFault(t, err, fault.Denied)
		do(t, s.UseOnce(t.Context(), "request", "k", Then))
	}},
	{"a flow comes back as it was kept, once", func(t *testing.T, s *store.Store) {
		f := addFlow(t, s, "f1")
		got, err := s.Flow(t.Context(), f.ID, Then)
		do(t, err)
		same(t, got, f)
		got, err = s.TakeFlow(t.Context(), f.ID, f.Browser, Then)
		do(t, err)
		same(t, got, f)
		_, err = s.TakeFlow(t.Context(), f.ID, f.Browser, Then)
		isFault(t, err, fault.NotFound)
		_, err = s.Flow(t.Context(), f.ID, Then)
		isFault(t, err, fault.NotFound)
		// Nor can it be kept again: its request has had its answer.
		isFault(t, s.AddFlow(t.Context(), f), fault.Exists)
	}},
	{"a flow of a password has a user and no claim", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		f := login.Flow{
			ID: "f1", Browser: [16]byte{1}, Method: session.Method{Kind: session.Password}, Purpose: sso.ToLogin,
			UserID: u.ID, AnsweredAt: Then, ExpiresAt: Then.Add(time.Minute),
		}
		do(t, s.AddFlow(t.Context(), f))
		got, err := s.TakeFlow(t.Context(), f.ID, f.Browser, Then)
		do(t, err)
		same(t, got, f)
	}},
	{"a flow is another browser's, or over, or not there", func(t *testing.T, s *store.Store) {
		f := addFlow(t, s, "f1")
		_, err := s.TakeFlow(t.Context(), f.ID, [16]byte{9}, Then)
		isFault(t, err, fault.NotFound)
		_, err = s.TakeFlow(t.Context(), f.ID, f.Browser, f.ExpiresAt)
		isFault(t, err, fault.NotFound)
		_, err = s.Flow(t.Context(), f.ID, f.ExpiresAt)
		isFault(t, err, fault.NotFound)
		_, err = s.TakeFlow(t.Context(), "f-none", f.Browser, Then)
		isFault(t, err, fault.NotFound)
		// None of that used it up.
		_, err = s.TakeFlow(t.Context(), f.ID, f.Browser, f.ExpiresAt.Add(-time.Microsecond))
		do(t, err)
	}},
	{"a flow that was taken in vain is there again", func(t *testing.T, s *store.Store) {
		f := addFlow(t, s, "f1")
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			_, err := s.TakeFlow(ctx, f.ID, f.Browser, Then)
			do(t, err)
			return fault.Denied.Errorf("No.")
		})
		isFault(t, err, fault.Denied)
		_, err = s.TakeFlow(t.Context(), f.ID, f.Browser, Then)
		do(t, err)
	}},
	{"of many who take a flow at once, one has it", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		addIdP(t, s, "am1", o)
		for round := range 5 {
			f := flow(fmt.Sprint("f", round))
			do(t, s.AddFlow(t.Context(), f))
			won := race(t, 20, fault.NotFound, func(ctx context.Context, _ int) error {
				_, err := s.TakeFlow(ctx, f.ID, f.Browser, Then)
				return err
			})
			same(t, won, 1)
		}
	}},
	{"a flow's id is taken once", func(t *testing.T, s *store.Store) {
		f := addFlow(t, s, "f1")
		isFault(t, s.AddFlow(t.Context(), f), fault.Exists)
	}},
	{"a subject leads to its user, in its method and kind alone", func(t *testing.T, s *store.Store) {
		ada := addUser(t, s, "ada")
		o, foreign := addOrganization(t, s, "acme"), addOrganization(t, s, "foreign")
		i, other := addIdP(t, s, "am1", o), addIdP(t, s, "am2", foreign)
		link(t, s, i, ada, "subject")
		got, err := s.UserByIdentity(t.Context(), i.ID, "nameid", "subject")
		do(t, err)
		same(t, got, ada)
		for _, c := range [][3]string{{other.ID, "nameid", "subject"}, {i.ID, "attribute", "subject"}, {i.ID, "nameid", "Subject"}, {i.ID, "nameid", ""}} {
			_, err := s.UserByIdentity(t.Context(), c[0], c[1], c[2])
			isFault(t, err, fault.NotFound)
		}
	}},
	{"a subject of the greatest length is kept", func(t *testing.T, s *store.Store) {
		ada := addUser(t, s, "ada")
		i := addIdP(t, s, "am1", addOrganization(t, s, "acme"))
		l := identity(i, ada, noise(1024))
		l.SubjectKind = noise(1024)
		do(t, s.AddIdentity(t.Context(), l))
		_, err := s.UserByIdentity(t.Context(), i.ID, l.SubjectKind, l.Subject)
		do(t, err)
	}},
	{"a subject is linked to one user, and a taken one does not end the transaction", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		i := addIdP(t, s, "am1", addOrganization(t, s, "acme"))
		link(t, s, i, ada, "subject")
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			isFault(t, s.AddIdentity(ctx, identity(i, eve, "subject")), fault.Exists)
			return s.AddIdentity(ctx, identity(i, eve, "other"))
		})
		do(t, err)
		got, err := s.UserByIdentity(t.Context(), i.ID, "nameid", "subject")
		do(t, err)
		same(t, got.ID, ada.ID)
	}},
	{"of many who link a subject at once, one has it", func(t *testing.T, s *store.Store) {
		i := addIdP(t, s, "am1", addOrganization(t, s, "acme"))
		var users []account.User
		for n := range 12 {
			users = append(users, addUser(t, s, fmt.Sprint(n)))
		}
		won := race(t, len(users), fault.Exists, func(ctx context.Context, n int) error {
			return s.AddIdentity(ctx, identity(i, users[n], "subject"))
		})
		same(t, won, 1)
	}},
	{"a link is touched where there is one", func(t *testing.T, s *store.Store) {
		ada := addUser(t, s, "ada")
		i := addIdP(t, s, "am1", addOrganization(t, s, "acme"))
		link(t, s, i, ada, "subject")
		do(t, s.TouchIdentity(t.Context(), account.Identity{MethodID: i.ID, SubjectKind: "nameid", Subject: "subject", Email: "new@example.com", LastUsedAt: Then.Add(time.Hour), LastContext: "urn:x:new"}))
		links, err := s.Links(t.Context(), ada.ID)
		do(t, err)
		same(t, links[0].LastContext, "urn:x:new")
		isFault(t, s.TouchIdentity(t.Context(), account.Identity{MethodID: i.ID, SubjectKind: "nameid", Subject: "none", LastUsedAt: Then}), fault.NotFound)
	}},
	{"a link to nobody, or of no method, is refused", func(t *testing.T, s *store.Store) {
		ada := addUser(t, s, "ada")
		o := addOrganization(t, s, "acme")
		i := addIdP(t, s, "am1", o)
		isFault(t, s.AddIdentity(t.Context(), identity(i, User("nobody"), "subject")), fault.NotFound)
		isFault(t, s.AddIdentity(t.Context(), identity(IdP("am-none", o), ada, "subject")), fault.NotFound)
	}},
}

// flow is an answer of the identity provider am1.
func flow(id string) login.Flow {
	return login.Flow{
		ID: id, Browser: [16]byte{1, 2, 3, 15: 4}, Method: session.Method{Kind: session.SAML, ID: "am1"}, Purpose: sso.ToSignup,
		Claim: login.Claim{
			SubjectKind: "nameid", Subject: "s<>&\u2028é", Email: "a@example.com", FirstName: "A", LastName: "B", RealName: "A B",
			SessionEnds: Then.Add(time.Hour), Context: "urn:x:context",
		},
		AnsweredAt: Then, ExpiresAt: Then.Add(10 * time.Minute),
	}
}

func addFlow(t testing.TB, s *store.Store, id string) login.Flow {
	t.Helper()
	addIdP(t, s, "am1", addOrganization(t, s, "acme"))
	f := flow(id)
	do(t, s.AddFlow(t.Context(), f))
	return f
}

// noise is a text that does not compress well, as indexes would have it.
func noise(n int) string {
	var b strings.Builder
	for x := uint32(1); b.Len() < n; x = x*1664525 + 1013904223 {
		b.WriteByte(byte('!' + x>>16%90))
	}
	return b.String()
}

var sweeps = []promise{
	{"what ended is deleted, what goes on stays", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		addIdP(t, s, "am1", addOrganization(t, s, "acme"))
		for i, end := range []time.Time{Then, Then.Add(time.Microsecond)} {
			f, token := flow(fmt.Sprint("f", i)), Token(fmt.Sprint(i), u.ID)
			f.ExpiresAt, token.ExpiresAt = end, end
			do(t, s.AddFlow(t.Context(), f), s.AddToken(t.Context(), token), s.UseOnce(t.Context(), "request", f.ID, end))
		}
		n, err := s.Sweep(t.Context(), Then)
		do(t, err)
		same(t, n, int64(2))
		_, err = bearer(t, s, Token("1", u.ID).Hash)
		do(t, err)
		_, err = s.Flow(t.Context(), "f1", Then)
		do(t, err)
		do(t, s.UseOnce(t.Context(), "request", "f0", Then))
		isFault(t, s.UseOnce(t.Context(), "request", "f1", Then), fault.Exists)
		// A use that extends a token may be written a moment later.
		_, err = bearer(t, s, Token("0", u.ID).Hash)
		do(t, err)
		_, err = s.Sweep(t.Context(), Then.Add(5*time.Minute))
		do(t, err)
		_, err = bearer(t, s, Token("0", u.ID).Hash)
		isFault(t, err, fault.NotFound)
	}},
	{"more than one batch is swept", func(t *testing.T, s *store.Store) {
		const many = 1200
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			for i := range many {
				if err := s.UseOnce(ctx, "request", fmt.Sprint(i), Then); err != nil {
					return err
				}
			}
			return nil
		})
		do(t, err)
		n, err := s.Sweep(t.Context(), Then)
		do(t, err)
		same(t, n, int64(many))
		n, err = s.Sweep(t.Context(), Then)
		do(t, err)
		same(t, n, int64(0))
	}},
}
