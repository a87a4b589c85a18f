package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/store"
)

var people = []promise{
	{"a user comes back as it was added", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		u := User("ada")
		u.Operator, u.AddressProved, u.ManagingOrganizationID, u.TokensValidFrom = true, true, o.ID, Then.Add(time.Second)
		do(t, s.AddUser(t.Context(), u, "hash"))
		got, err := s.User(t.Context(), u.ID)
		do(t, err)
		same(t, got, u)
		got, err = s.UserByEmail(t.Context(), u.Email)
		do(t, err)
		same(t, got, u)
		got, hash, err := s.UserWithPassword(t.Context(), u.Email)
		do(t, err)
		same(t, got, u)
		same(t, hash, "hash")
	}},
	{"a user needs no password", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		_, hash, err := s.UserWithPassword(t.Context(), u.Email)
		do(t, err)
		same(t, hash, "")
	}},
	{"a user who is not there is not found", func(t *testing.T, s *store.Store) {
		_, err := s.User(t.Context(), "u-nobody")
		isFault(t, err, fault.NotFound)
		_, err = s.UserByEmail(t.Context(), "nobody@example.com")
		isFault(t, err, fault.NotFound)
		_, _, err = s.UserWithPassword(t.Context(), "nobody@example.com")
		isFault(t, err, fault.NotFound)
		isFault(t, s.UpdateUser(t.Context(), User("nobody")), fault.NotFound)
	}},
	{"an id that no text may be is not found either", func(t *testing.T, s *store.Store) {
		for _, id := range []string{"u\x00", "u\xff"} {
			err := s.Tx(t.Context(), func(ctx context.Context) error {
				_, err := s.User(ctx, id)
				isFault(t, err, fault.NotFound)
				// It must not have ended the transaction.
				return s.AddUser(ctx, User(fmt.Sprintf("%x", id)), "")
			})
			do(t, err)
		}
	}},
	{"a text that no database can hold is invalid", func(t *testing.T, s *store.Store) {
		for _, name := range []string{"A\x00", "A\xff"} {
			u := User("ada")
			u.RealName = name
			isFault(t, s.AddUser(t.Context(), u, ""), fault.Invalid)
		}
	}},
	{"an address is taken once", func(t *testing.T, s *store.Store) {
		first := addUser(t, s, "ada")
		second := User("eve")
		second.Email = first.Email
		isFault(t, s.AddUser(t.Context(), second, ""), fault.Exists)
		_, err := s.User(t.Context(), second.ID)
		isFault(t, err, fault.NotFound)
	}},
	{"a taken address does not end the transaction", func(t *testing.T, s *store.Store) {
		first := addUser(t, s, "ada")
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			second := User("eve")
			second.Email = first.Email
			isFault(t, s.AddUser(ctx, second, ""), fault.Exists)
			second.Email = "eve@example.com"
			return s.AddUser(ctx, second, "")
		})
		do(t, err)
		_, err = s.User(t.Context(), "u-eve")
		do(t, err)
	}},
	{"an id is taken once", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		u.Email = "other@example.com"
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			err := s.AddUser(ctx, u, "")
			isFault(t, err, fault.Exists)
			same(t, account.IDTaken(err), true)
			// It must not have ended the transaction, which may be run again.
			other := u
			other.ID = "u-other"
			return s.AddUser(ctx, other, "")
		})
		do(t, err)
	}},
	{"a taken address counts before a taken id", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		for _, id := range []string{u.ID, "u-other"} {
			u.ID = id
			err := s.AddUser(t.Context(), u, "")
			isFault(t, err, fault.Exists)
			same(t, account.IDTaken(err), false)
			same(t, fault.Of(err).Field, "email")
		}
	}},
	{"of many who take an address at once, one has it", func(t *testing.T, s *store.Store) {
		won := race(t, 20, fault.Exists, func(ctx context.Context, i int) error {
			u := User(fmt.Sprint(i))
			u.Email = "wanted@example.com"
			return s.AddUser(ctx, u, "")
		})
		same(t, won, 1)
	}},
	{"an update changes what people say of themselves and nothing else", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		change := account.User{
			ID: u.ID, Email: "no@example.com", RealName: "Ada L.", State: account.DeactivatedUser, Operator: true, AddressProved: true,
			City: "Oulu", Country: "SE", Department: "Works", JobTitle: "Engineer", UpdatedAt: Then.Add(time.Hour),
		}
		do(t, s.UpdateUser(t.Context(), change))
		want := u
		want.RealName, want.City, want.Country, want.Department, want.JobTitle = "Ada L.", "Oulu", "SE", "Works", "Engineer"
		want.UpdatedAt = Then.Add(time.Hour)
		got, err := s.User(t.Context(), u.ID)
		do(t, err)
		same(t, got, want)
	}},
	{"there are users once one was added", func(t *testing.T, s *store.Store) {
		has, err := s.HasUsers(t.Context())
		do(t, err)
		same(t, has, false)
		addUser(t, s, "ada")
		has, err = s.HasUsers(t.Context())
		do(t, err)
		same(t, has, true)
	}},
	{"moments come back in UTC, to the microsecond", func(t *testing.T, s *store.Store) {
		zone := time.FixedZone("far", 9*3600+1800)
		u := User("ada")
		u.CreatedAt = Then.Add(999 * time.Nanosecond).In(zone)
		u.UpdatedAt = time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
		do(t, s.AddUser(t.Context(), u, ""))
		got, err := s.User(t.Context(), u.ID)
		do(t, err)
		for _, pair := range [][2]time.Time{{got.CreatedAt, Then}, {got.UpdatedAt, u.UpdatedAt}} {
			if !pair[0].Equal(pair[1]) || pair[0].Location() != time.UTC {
				t.Errorf("got %v, want %v in UTC", pair[0], pair[1].UTC())
			}
		}
	}},
}

func addUser(t testing.TB, s *store.Store, name string) account.User {
	t.Helper()
	u := User(name)
	do(t, s.AddUser(t.Context(), u, ""))
	return u
}
