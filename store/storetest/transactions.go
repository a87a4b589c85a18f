package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/store"
)

var transactions = []promise{
	{"what a transaction did is kept", func(t *testing.T, s *store.Store) {
		do(t, s.Tx(t.Context(), func(ctx context.Context) error {
			return errors.Join(s.AddUser(ctx, User("ada"), ""), s.AddUser(ctx, User("eve"), ""))
		}))
		there(t, s, "ada", true)
		there(t, s, "eve", true)
	}},
	{"an error undoes everything and comes back as it is", func(t *testing.T, s *store.Store) {
		mine := errors.New("mine")
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.AddUser(ctx, User("ada"), ""))
			return mine
		})
		if err != mine {
			t.Errorf("got %v, want the error of fn itself", err)
		}
		there(t, s, "ada", false)
	}},
	{"a panic undoes everything and reaches its caller", func(t *testing.T, s *store.Store) {
		mine := errors.New("mine")
		func() {
			defer func() {
				if p := recover(); p != mine {
					t.Errorf("got panic %v, want %v", p, mine)
				}
			}()
			_ = s.Tx(t.Context(), func(ctx context.Context) error {
				do(t, s.AddUser(ctx, User("ada"), ""))
				panic(mine)
			})
		}()
		there(t, s, "ada", false)
		addUser(t, s, "ada")
	}},
	{"a transaction sees what it did, others do not until it ends", func(t *testing.T, s *store.Store) {
		do(t, s.Tx(t.Context(), func(ctx context.Context) error {
			if err := s.AddUser(ctx, User("ada"), ""); err != nil {
				return err
			}
			if _, err := s.User(ctx, "u-ada"); err != nil {
				t.Errorf("inside: got %v, want the user", err)
			}
			_, err := s.User(t.Context(), "u-ada")
			isFault(t, err, fault.NotFound)
			return nil
		}))
		there(t, s, "ada", true)
	}},
	{"a transaction in a transaction joins it", func(t *testing.T, s *store.Store) {
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.Tx(ctx, func(ctx context.Context) error { return s.AddUser(ctx, User("ada"), "") }))
			_, err := s.User(ctx, "u-ada")
			do(t, err)
			return fault.Denied.Errorf("No.")
		})
		isFault(t, err, fault.Denied)
		there(t, s, "ada", false)
	}},
	{"an inner transaction that fails takes the outer one with it", func(t *testing.T, s *store.Store) {
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.AddUser(ctx, User("ada"), ""))
			_ = s.Tx(ctx, func(ctx context.Context) error {
				do(t, s.AddUser(ctx, User("eve"), ""))
				return fault.Denied.Errorf("No.")
			})
			return nil
		})
		isFault(t, err, fault.Denied)
		there(t, s, "ada", false)
		there(t, s, "eve", false)
	}},
	{"a statement that the database refuses is the transaction's last", func(t *testing.T, s *store.Store) {
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.AddUser(ctx, User("ada"), ""))
			isFault(t, s.AddAccount(ctx, Root(Organization("none"))), fault.NotFound)
			if err := s.AddUser(ctx, User("eve"), ""); err == nil {
				t.Error("got no error for the next statement, want one")
			}
			return nil
		})
		isFault(t, err, fault.NotFound)
		there(t, s, "ada", false)
		there(t, s, "eve", false)
	}},
	{"a context is of no use once its transaction ended", func(t *testing.T, s *store.Store) {
		var kept context.Context
		do(t, s.Tx(t.Context(), func(ctx context.Context) error {
			kept = ctx
			return nil
		}))
		isFault(t, s.AddUser(kept, User("ada"), ""), fault.Internal)
		_, err := s.HasUsers(kept)
		isFault(t, err, fault.Internal)
		there(t, s, "ada", false)
	}},
	{"a context that has ended changes nothing", func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		ran := false
		err := s.Tx(ctx, func(context.Context) error {
			ran = true
			return nil
		})
		if !errors.Is(err, context.Canceled) || ran {
			t.Errorf("got %v, fn run: %v, want context.Canceled and no run", err, ran)
		}
		if err := s.AddUser(ctx, User("ada"), ""); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		if _, err := s.HasUsers(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		there(t, s, "ada", false)
	}},
	{"a context that ends within its transaction undoes it", func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Tx(ctx, func(ctx context.Context) error {
			do(t, s.AddUser(ctx, User("ada"), ""))
			cancel()
			return s.AddUser(ctx, User("eve"), "")
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		there(t, s, "ada", false)
	}},
	{"of two who read and then write the same, none is lost", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		o.Name = ""
		do(t, s.UpdateOrganization(t.Context(), o))
		race(t, 20, fault.Internal, func(ctx context.Context, _ int) error {
			return s.Tx(ctx, func(ctx context.Context) error {
				if err := s.LockOrganization(ctx, o.ID); err != nil {
					return err
				}
				o, err := s.Organization(ctx, o.ID)
				if err != nil {
					return err
				}
				o.Name += "x"
				return s.UpdateOrganization(ctx, o)
			})
		})
		got, err := s.Organization(t.Context(), o.ID)
		do(t, err)
		same(t, len(got.Name), 20)
	}},
}

// groups is about transactions at once, which SQLite commits together.
var groups = []promise{
	{"one caller's failure does not undo a neighbour's work", func(t *testing.T, s *store.Store) {
		const callers = 48
		var group sync.WaitGroup
		// The first holds the writer until all others are about to ask for it.
		asking := make(chan struct{}, callers)
		var all sync.Once // a transaction may be run again
		group.Go(func() {
			do(t, s.Tx(t.Context(), func(ctx context.Context) error {
				all.Do(func() {
					for range callers {
						<-asking
					}
				})
				return nil
			}))
		})
		for i := range callers {
			group.Go(func() {
				defer func() { _ = recover() }()
				asking <- struct{}{}
				err := s.Tx(t.Context(), func(ctx context.Context) error {
					do(t, s.AddUser(ctx, User(fmt.Sprint(i)), ""))
					switch i % 4 {
					case 1:
						return fault.Denied.Errorf("No.")
					case 2:
						panic("no")
					case 3:
						// A statement that the database refuses.
						return s.AddAccount(ctx, Root(Organization("none")))
					}
					return nil
				})
				if (err == nil) != (i%4 == 0) {
					t.Errorf("caller %d: got %v", i, err)
				}
			})
		}
		group.Wait()
		for i := range callers {
			there(t, s, fmt.Sprint(i), i%4 == 0)
		}
	}},
	{"whoever is answered finds what they wrote", func(t *testing.T, s *store.Store) {
		race(t, 24, fault.Internal, func(ctx context.Context, i int) error {
			for n := range 10 {
				u := User(fmt.Sprint(i, "-", n))
				if err := s.AddUser(ctx, u, ""); err != nil {
					return err
				}
				if _, err := s.User(ctx, u.ID); err != nil {
					return fmt.Errorf("read own write: %w", err)
				}
			}
			return nil
		})
	}},
	{"a caller whose context ends while waiting is not served", func(t *testing.T, s *store.Store) {
		u := addOrganization(t, s, "acme")
		ctx, cancel := context.WithCancel(t.Context())
		held, release := make(chan struct{}), make(chan struct{})
		var group sync.WaitGroup
		var once sync.Once // a transaction may be run again
		group.Go(func() {
			do(t, s.Tx(t.Context(), func(ctx context.Context) error {
				do(t, s.LockOrganization(ctx, u.ID))
				once.Do(func() { close(held) })
				<-release
				return nil
			}))
		})
		<-held
		var wrote atomic.Bool
		group.Go(func() {
			err := s.Tx(ctx, func(ctx context.Context) error {
				if err := s.LockOrganization(ctx, u.ID); err != nil {
					return err
				}
				wrote.Store(true)
				return nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
			close(release)
		})
		cancel()
		group.Wait()
		same(t, wrote.Load(), false)
	}},
	{"a reader is not held up by a writer", func(t *testing.T, s *store.Store) {
		addUser(t, s, "ada")
		do(t, s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.AddUser(ctx, User("eve"), ""))
			there(t, s, "ada", true)
			return nil
		}))
	}},
}

// there checks, outside any transaction, whether a user was kept.
func there(t testing.TB, s *store.Store, name string, want bool) {
	t.Helper()
	_, err := s.User(t.Context(), User(name).ID)
	if got := err == nil; got != want || err != nil && !errors.Is(err, fault.NotFound) {
		t.Errorf("user %s: got %v (%v), want %v", name, got, err, want)
	}
}
