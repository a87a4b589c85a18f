package storetest

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/store"
)

// AddressCode is a code of a name, mailed to a user Then, for an hour.
func AddressCode(name string, u account.User) account.AddressCode {
	return account.AddressCode{
		Hash: sha256.Sum256([]byte(name)), UserID: u.ID, Email: u.Email,
		CreatedAt: Then, ExpiresAt: Then.Add(time.Hour), ForgetAt: Then.Add(2 * time.Hour),
	}
}

var addresses = []promise{
	{"a code comes back as it was added", func(t *testing.T, s *store.Store) {
		c := AddressCode("one", addUser(t, s, "ada"))
		do(t, s.AddAddressCode(t.Context(), c))
		got, err := s.AddressCode(t.Context(), c.Hash)
		do(t, err)
		same(t, got, c)
		_, err = s.AddressCode(t.Context(), sha256.Sum256([]byte("none")))
		isFault(t, err, fault.NotFound)
		isFault(t, s.AddAddressCode(t.Context(), c), fault.Exists)
	}},
	{"of many who use a code at once, one has it", func(t *testing.T, s *store.Store) {
		c := AddressCode("one", addUser(t, s, "ada"))
		do(t, s.AddAddressCode(t.Context(), c))
		won := race(t, 12, fault.NotFound, func(ctx context.Context, _ int) error {
			got, err := s.UseAddressCode(ctx, c.Hash, Then)
			if err == nil && got.UserID != c.UserID {
				t.Errorf("got %+v, want the code of %s", got, c.UserID)
			}
			return err
		})
		same(t, won, 1)
		got, err := s.AddressCode(t.Context(), c.Hash)
		do(t, err)
		c.UsedAt = Then
		same(t, got, c)
	}},
	{"a code that ended is nobody's", func(t *testing.T, s *store.Store) {
		c := AddressCode("one", addUser(t, s, "ada"))
		do(t, s.AddAddressCode(t.Context(), c))
		_, err := s.UseAddressCode(t.Context(), c.Hash, c.ExpiresAt)
		isFault(t, err, fault.NotFound)
		_, err = s.UseAddressCode(t.Context(), c.Hash, c.ExpiresAt.Add(-time.Microsecond))
		do(t, err)
	}},
	{"a user's codes end together, and nobody else's", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		used, open, other := AddressCode("used", ada), AddressCode("open", ada), AddressCode("other", eve)
		do(t, s.AddAddressCode(t.Context(), used), s.AddAddressCode(t.Context(), open), s.AddAddressCode(t.Context(), other))
		_, err := s.UseAddressCode(t.Context(), used.Hash, Then)
		do(t, err)
		do(t, s.EndAddressCodes(t.Context(), ada.ID, Then.Add(time.Minute)))
		for _, c := range []struct {
			code account.AddressCode
			used time.Time
		}{{used, Then}, {open, Then.Add(time.Minute)}, {other, time.Time{}}} {
			got, err := s.AddressCode(t.Context(), c.code.Hash)
			do(t, err)
			same(t, got.UsedAt, c.used)
		}
	}},
	{"an address is proved for who has it now and is active", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		isFault(t, s.ProveAddress(t.Context(), u.ID, "old@example.com", Then), fault.NotFound)
		isFault(t, s.ProveAddress(t.Context(), "u-nobody", u.Email, Then), fault.NotFound)
		gone := User("gone")
		gone.State = account.DeactivatedUser
		do(t, s.AddUser(t.Context(), gone, ""))
		isFault(t, s.ProveAddress(t.Context(), gone.ID, gone.Email, Then), fault.NotFound)
		do(t, s.ProveAddress(t.Context(), u.ID, u.Email, Then.Add(time.Hour)))
		u.AddressProved, u.UpdatedAt = true, Then.Add(time.Hour)
		got, err := s.User(t.Context(), u.ID)
		do(t, err)
		same(t, got, u)
	}},
	{"who is disowned has no way in, and the address is free", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		do(t, s.AddIdP(t.Context(), IdP("am-1", o)))
		u, other := User("ada"), addUser(t, s, "eve")
		do(t, s.AddUser(t.Context(), u, "hash"))
		do(t, s.AddToken(t.Context(), Token("mine", u.ID)), s.AddToken(t.Context(), Token("theirs", other.ID)))
		for subject, id := range map[string]string{"ada": u.ID, "eve": other.ID} {
			do(t, s.AddIdentity(t.Context(), account.Identity{MethodID: "am-1", SubjectKind: "nameid", Subject: subject, UserID: id, CreatedAt: Then, LastUsedAt: Then}))
		}
		isFault(t, s.Disown(t.Context(), u.ID, "old@example.com", "gone@disowned.invalid", Then), fault.NotFound)
		do(t, s.Disown(t.Context(), u.ID, u.Email, "gone@disowned.invalid", Then))
		got, hash, err := s.UserWithPassword(t.Context(), "gone@disowned.invalid")
		do(t, err)
		same(t, hash, "")
		same(t, got.State, account.DeactivatedUser)
		same(t, got.ID, u.ID)
		_, err = s.Bearer(t.Context(), Token("mine", "").Hash)
		isFault(t, err, fault.NotFound)
		_, err = s.UserByIdentity(t.Context(), "am-1", "nameid", "ada")
		isFault(t, err, fault.NotFound)
		// Nobody else lost anything.
		_, err = s.Bearer(t.Context(), Token("theirs", "").Hash)
		do(t, err)
		_, err = s.UserByIdentity(t.Context(), "am-1", "nameid", "eve")
		do(t, err)
		again := User("again")
		again.Email = u.Email
		do(t, s.AddUser(t.Context(), again, ""))
	}},
	{"who proved the address is not disowned", func(t *testing.T, s *store.Store) {
		u := User("ada")
		u.AddressProved = true
		do(t, s.AddUser(t.Context(), u, "hash"))
		do(t, s.AddToken(t.Context(), Token("mine", u.ID)))
		isFault(t, s.Disown(t.Context(), u.ID, u.Email, "gone@disowned.invalid", Then), fault.NotFound)
		got, hash, err := s.UserWithPassword(t.Context(), u.Email)
		do(t, err)
		same(t, got, u)
		same(t, hash, "hash")
		_, err = s.Bearer(t.Context(), Token("mine", "").Hash)
		do(t, err)
	}},
	{"codes are swept when they are to be forgotten", func(t *testing.T, s *store.Store) {
		c := AddressCode("one", addUser(t, s, "ada"))
		do(t, s.AddAddressCode(t.Context(), c))
		n, err := s.Sweep(t.Context(), c.ForgetAt.Add(-time.Microsecond))
		do(t, err)
		same(t, n, int64(0))
		n, err = s.Sweep(t.Context(), c.ForgetAt)
		do(t, err)
		same(t, n, int64(1))
	}},
}
