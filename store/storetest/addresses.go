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
		for _, id := range []string{u.ID, other.ID} {
			do(t, s.AddMember(t.Context(), account.Member{OrganizationID: o.ID, UserID: id, SuperAdmin: true, JoinedAt: Then}))
		}
		isFault(t, s.Disown(t.Context(), u.ID, "old@example.com", "gone@disowned.invalid", Then), fault.NotFound)
		isFault(t, s.Disown(t.Context(), u.ID, u.Email, other.Email, Then), fault.Exists)
		do(t, s.Disown(t.Context(), u.ID, u.Email, "gone@disowned.invalid", Then))
		got, hash, err := s.UserWithPassword(t.Context(), "gone@disowned.invalid")
		do(t, err)
		same(t, hash, "")
		same(t, got.State, account.DeactivatedUser)
		same(t, got.ID, u.ID)
		_, err = bearer(t, s, Token("mine", "").Hash)
		isFault(t, err, fault.NotFound)
		_, err = s.UserByIdentity(t.Context(), "am-1", "nameid", "ada")
		isFault(t, err, fault.NotFound)
		_, err = s.Member(t.Context(), o.ID, u.ID)
		isFault(t, err, fault.NotFound)
		// Nobody else lost anything.
		_, err = s.Member(t.Context(), o.ID, other.ID)
		do(t, err)
		_, err = bearer(t, s, Token("theirs", "").Hash)
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
		_, err = bearer(t, s, Token("mine", "").Hash)
		do(t, err)
	}},
	{"what an account is linked to is named once, the oldest first", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		for n, l := range []struct{ method, subject, user string }{{"am-2", "ada", ada.ID}, {"am-1", "ada", ada.ID}, {"am-2", "ada too", ada.ID}, {"am-3", "eve", eve.ID}} {
			if n != 2 {
				do(t, s.AddIdP(t.Context(), IdP(l.method, o)))
			}
			at := Then.Add(time.Duration(n) * time.Second)
			do(t, s.AddIdentity(t.Context(), account.Identity{MethodID: l.method, SubjectKind: "nameid", Subject: l.subject, UserID: l.user, CreatedAt: at, LastUsedAt: at}))
		}
		got, err := s.LinkedProviders(t.Context(), ada.ID)
		do(t, err)
		var want []account.LinkedProvider
		for _, id := range []string{"am-2", "am-1"} {
			want = append(want, account.LinkedProvider{ID: id, Name: IdP(id, o).Name, Organization: o.Name})
		}
		same(t, got, want)
	}},
	{"whether somebody has a password is said of them alone", func(t *testing.T, s *store.Store) {
		ada, eve := User("ada"), User("eve")
		do(t, s.AddUser(t.Context(), ada, "hash"), s.AddUser(t.Context(), eve, ""))
		for id, want := range map[string]bool{ada.ID: true, eve.ID: false, "u-nobody": false} {
			got, err := s.HasPassword(t.Context(), id)
			do(t, err)
			same(t, got, want)
		}
	}},
	{"super admins count where they are active", func(t *testing.T, s *store.Store) {
		acme, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		gone := User("gone")
		gone.State = account.DeactivatedUser
		do(t, s.AddUser(t.Context(), gone, ""))
		for id, admin := range map[string]bool{addUser(t, s, "ada").ID: true, addUser(t, s, "eve").ID: false, gone.ID: true} {
			do(t, s.AddMember(t.Context(), account.Member{OrganizationID: acme.ID, UserID: id, SuperAdmin: admin, JoinedAt: Then}))
		}
		for id, want := range map[string]int{acme.ID: 1, other.ID: 0} {
			got, err := s.SuperAdmins(t.Context(), id)
			do(t, err)
			same(t, got, want)
		}
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
