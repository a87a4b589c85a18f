// Package storetest checks that a store keeps the promises of every interface
// that it implements, on whichever database.
package storetest

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gatehouse/internal/fault"
	"gatehouse/store"
)

// A Place names a new, empty database each time.
type Place func(t testing.TB) store.Config

// A promise is one thing that a store promises, as a sentence.
type promise struct {
	sentence string
	check    func(t *testing.T, s *store.Store)
}

// Run checks everything, each promise on a database of its own.
func Run(t *testing.T, place Place) {
	for _, group := range []struct {
		name     string
		promises []promise
	}{
		{"people", people},
		{"organizations", organizations},
		{"user groups", userGroups},
		{"idps", idps},
		{"metadata", refreshes},
		{"certificates", certificates},
		{"sessions", sessions},
		{"logins", logins},
		{"ways", ways},
		{"traces", traces},
		{"domains", claims},
		{"programs", programs},
		{"events", events},
		{"mails", mails},
		{"addresses", addresses},
		{"recoveries", recoveries},
		{"marks", marks},
		{"turns", turns},
		{"transactions", transactions},
		{"groups", groups},
		{"members", members},
		{"tokens", tokens},
		{"passes", passes},
		{"policies", policies},
		{"notes", notes},
		{"changes", shows()},
		{"sweep", sweeps},
	} {
		for _, p := range group.promises {
			t.Run(group.name+"/"+p.sentence, func(t *testing.T) {
				p.check(t, open(t, place(t)))
			})
		}
	}
	for _, p := range openings {
		t.Run("opening/"+p.sentence, func(t *testing.T) { p.check(t, place(t)) })
	}
	for _, p := range rotations {
		t.Run("keys/"+p.sentence, func(t *testing.T) { p.check(t, place(t)) })
	}
}

func open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// do fails the test at the first error.
func do(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatalf("got %v, want no error", err)
		}
	}
}

// isFault checks for a fault of a kind, with a sentence for its reader.
func isFault(t testing.TB, err error, want fault.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %s", want)
	}
	if f := fault.Of(err); f.Kind != want || f.Message == "" {
		t.Fatalf("got %v, want %s with a sentence", err, want)
	}
}

// same compares what was read with what was written.
func same(t testing.TB, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("got other than written (-want +got):\n%s", diff)
	}
}

// ids gives what identifies each of several things.
func ids[T any](things []T, id func(T) string) []string {
	var out []string
	for _, thing := range things {
		out = append(out, id(thing))
	}
	return out
}

// race runs fn in n goroutines at once and gives how many had no error; every
// other one must have had a fault of the kind.
func race(t *testing.T, n int, kind fault.Kind, fn func(ctx context.Context, i int) error) int {
	t.Helper()
	var group sync.WaitGroup
	start := make(chan struct{})
	errs := make([]error, n)
	for i := range n {
		group.Go(func() {
			<-start
			errs[i] = fn(t.Context(), i)
		})
	}
	close(start)
	group.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, kind):
			t.Errorf("a loser got %v, want %s", err, kind)
		}
	}
	return won
}
