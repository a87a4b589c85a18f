package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/seal"
	"gatehouse/sso"
	"gatehouse/store"
)

// rotations is about changing the keys that secrets are sealed with, beside
// nodes that run.
var rotations = []struct {
	sentence string
	check    func(t *testing.T, c store.Config)
}{
	{"a new key seals nothing before it is put in force, then what is new", func(t *testing.T, c store.Config) {
		do(t, open(t, c).Close())
		old := c.Keys.InForce()
		ring := c.Keys.WithNew()
		c.Keys = ring
		s := open(t, c)
		same(t, ring.InForce(), old)
		do(t, s.PutInForce(t.Context(), ring), s.FollowKeys(t.Context()))
		same(t, ring.InForce(), ring.IDs()[0])
	}},
	{"a node without the key in force is told so and does not start again", func(t *testing.T, c store.Config) {
		before := open(t, c)
		ring := c.Keys.WithNew()
		other := c
		other.Keys = ring
		after := open(t, other)
		do(t, before.Ping(t.Context()), after.PutInForce(t.Context(), ring), after.Ping(t.Context()))
		if err := before.Ping(t.Context()); !errors.Is(err, store.ErrOtherKeys) {
			t.Errorf("got %v, want ErrOtherKeys", err)
		}
		if _, err := store.Open(t.Context(), c); !errors.Is(err, store.ErrOtherKeys) {
			t.Errorf("got %v, want ErrOtherKeys", err)
		}
	}},
	{"keys that do not open what is there are not put in force", func(t *testing.T, c store.Config) {
		s := open(t, c)
		if err := s.PutInForce(t.Context(), seal.New()); !errors.Is(err, store.ErrOtherKeys) {
			t.Errorf("got %v, want ErrOtherKeys", err)
		}
		do(t, s.Ping(t.Context()))
	}},
	{"everything is sealed anew, once, and opens with the new key alone", func(t *testing.T, c store.Config) {
		s := open(t, c)
		old, most := c.Keys.InForce(), 130
		o := addOrganization(t, s, "acme")
		for n := range most {
			addSealedIdP(t, s, c.Keys, o.ID, n)
		}
		count := fmt.Sprintf(" %d", most)
		same(t, seals(t, s), []string{old + count, old + count, old + count})
		ring := c.Keys.WithNew()
		do(t, s.PutInForce(t.Context(), ring))
		for _, want := range []int{3 * most, 0} {
			n, err := s.Reseal(t.Context(), ring)
			do(t, err)
			same(t, n, want)
		}
		now := ring.IDs()[0]
		same(t, seals(t, s), []string{now + count, now + count, now + count})
		for n := range most {
			i, err := s.IdP(t.Context(), sealedID(n))
			do(t, err)
			for what, sealed := range map[string][]byte{"secret ": i.SPKey, "next ": i.NextKeys.Sealed, "previous ": i.PreviousKeys.Sealed} {
				plain, err := ring.Newest().Open(sso.KeyPurpose(i.ID), sealed)
				do(t, err)
				same(t, string(plain), what+i.ID)
			}
		}
	}},
	{"what no key opens stays, and is named, after everything else", func(t *testing.T, c store.Config) {
		s := open(t, c)
		o := addOrganization(t, s, "acme")
		addSealedIdP(t, s, seal.New(), o.ID, 0)
		addSealedIdP(t, s, c.Keys, o.ID, 1)
		before, err := s.IdP(t.Context(), sealedID(0))
		do(t, err)
		ring := c.Keys.WithNew()
		do(t, s.PutInForce(t.Context(), ring))
		n, err := s.Reseal(t.Context(), ring)
		if n != 3 || err == nil || !strings.Contains(err.Error(), "idp "+sealedID(0)) {
			t.Errorf("got %d and %v, want what is of one sealed anew and the other named", n, err)
		}
		after, err := s.IdP(t.Context(), sealedID(0))
		do(t, err)
		same(t, after.SPKey, before.SPKey)
	}},
	{"nodes are known by their keys until they stop or say nothing", func(t *testing.T, c store.Config) {
		do(t, open(t, c).Close())
		old := c.Keys.InForce()
		c.Keys = c.Keys.WithNew()
		s := open(t, c)
		do(t, s.SeeNode(t.Context(), "n1", "host1", Then), s.SeeNode(t.Context(), "n2", "host2", Then.Add(-time.Minute)))
		want := store.Node{ID: "n1", Host: "host1", Keys: []string{old, c.Keys.IDs()[0]}, SeenAt: Then}
		got, err := s.Nodes(t.Context(), Then.Add(-30*time.Second))
		do(t, err)
		same(t, got, []store.Node{want})
		do(t, s.PutInForce(t.Context(), c.Keys), s.FollowKeys(t.Context()), s.SeeNode(t.Context(), "n1", "host1", Then))
		slices.Reverse(want.Keys)
		got, err = s.Nodes(t.Context(), Then.Add(-30*time.Second))
		do(t, err)
		same(t, got, []store.Node{want})
		do(t, s.ForgetNode(t.Context(), "n1"), s.ForgetNode(t.Context(), "n3"))
		do(t, s.SeeNode(t.Context(), "n4", "host4", Then.Add(2*time.Hour)))
		got, err = s.Nodes(context.Background(), time.Time{})
		do(t, err)
		same(t, ids(got, func(n store.Node) string { return n.ID }), []string{"n4"})
	}},
}

func sealedID(n int) string { return fmt.Sprintf("am%03d", n) }

// addSealedIdP adds an identity provider whose private keys are sealed.
func addSealedIdP(t *testing.T, s *store.Store, keys *seal.Keyring, organizationID string, n int) {
	t.Helper()
	o, err := s.Organization(t.Context(), organizationID)
	do(t, err)
	i := IdP(sealedID(n), o)
	i.SPKey = keys.Seal(sso.KeyPurpose(i.ID), []byte("secret "+i.ID))
	i.Rollover = rollover(1)
	i.NextKeys.Sealed = keys.Seal(sso.KeyPurpose(i.ID), []byte("next "+i.ID))
	i.PreviousKeys.Sealed = keys.Seal(sso.KeyPurpose(i.ID), []byte("previous "+i.ID))
	do(t, s.AddIdP(t.Context(), i))
}

// seals gives how much is sealed with each key.
func seals(t *testing.T, s *store.Store) []string {
	t.Helper()
	all, err := s.Seals(t.Context())
	do(t, err)
	return ids(all, func(x store.Seal) string { return fmt.Sprintf("%s %d", x.Key, x.Count) })
}
