package storetest

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/store"
)

// programs is about programs that are logged in by a browser.
var programs = []promise{
	{"a token keeps the mark of a device login, and its bearer has it", func(t *testing.T, s *store.Store) {
		token := Token("one", addUser(t, s, "ada").ID)
		token.Device = true
		do(t, s.AddToken(t.Context(), token))
		got, err := s.Bearer(t.Context(), token.Hash)
		do(t, err)
		same(t, got.Token, token)
		_, err = s.Bearer(t.Context(), hashOf("none"))
		isFault(t, err, fault.NotFound)
	}},
	{"a code comes back as it was kept, once", func(t *testing.T, s *store.Store) {
		c := loginCode(addUser(t, s, "ada").ID)
		do(t, s.AddLoginCode(t.Context(), hashOf("one"), c), s.AddLoginCode(t.Context(), hashOf("two"), c))
		got, err := s.TakeLoginCode(t.Context(), hashOf("one"), Then)
		do(t, err)
		same(t, got, c)
		_, err = s.TakeLoginCode(t.Context(), hashOf("one"), Then)
		isFault(t, err, fault.NotFound)
	}},
	{"a code is no code any more when it has ended", func(t *testing.T, s *store.Store) {
		c := loginCode(addUser(t, s, "ada").ID)
		do(t, s.AddLoginCode(t.Context(), hashOf("one"), c))
		_, err := s.TakeLoginCode(t.Context(), hashOf("one"), c.ExpiresAt)
		isFault(t, err, fault.NotFound)
		n, err := s.Sweep(t.Context(), c.ExpiresAt)
		do(t, err)
		same(t, n, int64(1))
	}},
	{"of many who take a code, or an approved device, one gets it", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		do(t, s.AddLoginCode(t.Context(), hashOf("one"), loginCode(u.ID)), s.AddDevice(t.Context(), device("d")),
			s.AnswerDevice(t.Context(), hashOf("code d"), login.DeviceApproved, approval(u.ID), Then))
		same(t, race(t, 8, fault.NotFound, func(ctx context.Context, _ int) error {
			_, err := s.TakeLoginCode(ctx, hashOf("one"), Then)
			return err
		}), 1)
		same(t, race(t, 8, fault.NotFound, func(ctx context.Context, _ int) error {
			_, err := s.TakeDevice(ctx, hashOf("d"), Then)
			return err
		}), 1)
	}},
	{"a device comes back as it was kept, by both of its codes", func(t *testing.T, s *store.Store) {
		d := device("d")
		do(t, s.AddDevice(t.Context(), d), s.AddDevice(t.Context(), device("other")))
		got, err := s.DeviceByHash(t.Context(), d.Hash)
		do(t, err)
		same(t, got, d)
		got, err = s.DeviceByUserCode(t.Context(), d.UserCode, Then)
		do(t, err)
		same(t, got, d)
		_, err = s.DeviceByHash(t.Context(), hashOf("none"))
		isFault(t, err, fault.NotFound)
	}},
	{"two devices show no one code, and a taken one does not end the transaction", func(t *testing.T, s *store.Store) {
		do(t, s.AddDevice(t.Context(), device("d")))
		second := device("e")
		second.UserCode = device("d").UserCode
		do(t, s.Tx(t.Context(), func(ctx context.Context) error {
			isFault(t, s.AddDevice(ctx, second), fault.Exists)
			return s.AddDevice(ctx, device("e"))
		}))
	}},
	{"a device is answered once, in time", func(t *testing.T, s *store.Store) {
		u, d := addUser(t, s, "ada"), device("d")
		do(t, s.AddDevice(t.Context(), d))
		isFault(t, s.AnswerDevice(t.Context(), hashOf("code x"), login.DeviceApproved, approval(u.ID), Then), fault.NotFound)
		isFault(t, s.AnswerDevice(t.Context(), d.UserCode, login.DeviceApproved, approval(u.ID), d.ExpiresAt), fault.NotFound)
		_, err := s.TakeDevice(t.Context(), d.Hash, Then)
		isFault(t, err, fault.NotFound)
		same(t, race(t, 4, fault.NotFound, func(ctx context.Context, _ int) error {
			return s.AnswerDevice(ctx, d.UserCode, login.DeviceApproved, approval(u.ID), Then)
		}), 1)
		_, err = s.DeviceByUserCode(t.Context(), d.UserCode, Then)
		isFault(t, err, fault.NotFound)
		_, err = s.TakeDevice(t.Context(), d.Hash, d.ExpiresAt)
		isFault(t, err, fault.NotFound)
		got, err := s.TakeDevice(t.Context(), d.Hash, Then)
		do(t, err)
		d.State, d.Approval = login.DeviceApproved, approval(u.ID)
		same(t, got, d)
		_, err = s.DeviceByHash(t.Context(), d.Hash)
		isFault(t, err, fault.NotFound)
	}},
	{"a refused device is never taken", func(t *testing.T, s *store.Store) {
		u, d := addUser(t, s, "ada"), device("d")
		do(t, s.AddDevice(t.Context(), d), s.AnswerDevice(t.Context(), d.UserCode, login.DeviceRefused, approval(u.ID), Then))
		_, err := s.TakeDevice(t.Context(), d.Hash, Then)
		isFault(t, err, fault.NotFound)
		isFault(t, s.AnswerDevice(t.Context(), d.UserCode, login.DeviceApproved, approval(u.ID), Then), fault.NotFound)
	}},
	{"a device is paced, and stays five minutes longer than it is good for", func(t *testing.T, s *store.Store) {
		d := device("d")
		do(t, s.AddDevice(t.Context(), d), s.PaceDevice(t.Context(), d.Hash, Then.Add(time.Minute), 10*time.Second))
		d.DueAt, d.Pause = Then.Add(time.Minute), 10*time.Second
		if _, err := s.Sweep(t.Context(), d.ExpiresAt); err != nil {
			t.Fatal(err)
		}
		got, err := s.DeviceByHash(t.Context(), d.Hash)
		do(t, err)
		same(t, got, d)
		n, err := s.Sweep(t.Context(), d.ExpiresAt.Add(5*time.Minute))
		do(t, err)
		same(t, n, int64(1))
	}},
}

func hashOf(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

func approval(userID string) login.Approval {
	return login.Approval{UserID: userID, Session: hashOf("session"), BrowserIP: netip.MustParseAddr("2001:db8::1")}
}

func loginCode(userID string) login.LoginCode {
	return login.LoginCode{Approval: approval(userID), Program: "robot", Challenge: "challenge", RedirectURI: "http://127.0.0.1:1/callback", ExpiresAt: Then.Add(time.Minute)}
}

func device(name string) login.Device {
	return login.Device{
		Hash: hashOf(name), UserCode: hashOf("code " + name), Program: "robot", ProgramIP: netip.MustParseAddr("192.0.2.1"),
		State: login.DevicePending, Pause: 5 * time.Second, DueAt: Then, CreatedAt: Then, ExpiresAt: Then.Add(10 * time.Minute),
	}
}
