package storetest

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/seal"
	"gatehouse/store"
)

// openings is about starting, stopping and starting again.
var openings = []struct {
	sentence string
	check    func(t *testing.T, c store.Config)
}{
	{"what was kept is there after a restart", func(t *testing.T, c store.Config) {
		s := open(t, c)
		u := addUser(t, s, "ada")
		do(t, s.Close())
		got, err := open(t, c).User(t.Context(), u.ID)
		do(t, err)
		same(t, got, u)
	}},
	{"what was answered is there for others at once", func(t *testing.T, c store.Config) {
		first, second := open(t, c), open(t, c)
		addUser(t, first, "ada")
		there(t, second, "ada", true)
		addUser(t, second, "eve")
		there(t, first, "eve", true)
	}},
	{"other keys are refused, in one line, and change nothing", func(t *testing.T, c store.Config) {
		do(t, open(t, c).Close())
		other := c
		other.Keys = seal.New()
		_, err := store.Open(t.Context(), other)
		if !errors.Is(err, store.ErrOtherKeys) || strings.Contains(err.Error(), "\n") {
			t.Fatalf("got %v, want ErrOtherKeys in one line", err)
		}
		do(t, open(t, c).Ping(t.Context()))
	}},
	{"nodes that start together on an empty database all start", func(t *testing.T, c store.Config) {
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				s, err := store.Open(t.Context(), c)
				if err != nil {
					t.Errorf("got %v, want no error", err)
					return
				}
				if err := s.Ping(t.Context()); err != nil {
					t.Errorf("ping: got %v, want no error", err)
				}
				s.Close()
			})
		}
		group.Wait()
	}},
	{"a closed database answers that it cannot be reached", func(t *testing.T, c store.Config) {
		s := open(t, c)
		do(t, s.Ping(t.Context()))
		do(t, s.Close())
		isFault(t, s.Ping(t.Context()), fault.Unavailable)
		isFault(t, s.AddUser(t.Context(), User("ada"), ""), fault.Unavailable)
		do(t, s.Close())
	}},
}
