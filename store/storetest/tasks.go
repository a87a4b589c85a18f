package storetest

import (
	"context"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/store"
)

// turn takes a turn that one node is to have.
func turn(t *testing.T, s *store.Store, name string, now, next time.Time) bool {
	t.Helper()
	mine, err := s.TakeTurn(t.Context(), name, now, next)
	do(t, err)
	return mine
}

var turns = []promise{
	{"a turn is had once until it is due again", func(t *testing.T, s *store.Store) {
		same(t, turn(t, s, "a", Then, Then.Add(time.Hour)), true)
		same(t, turn(t, s, "a", Then, Then.Add(2*time.Hour)), false)
		same(t, turn(t, s, "a", Then.Add(time.Hour-time.Microsecond), Then.Add(2*time.Hour)), false)
		same(t, turn(t, s, "b", Then, Then.Add(time.Hour)), true)
		same(t, turn(t, s, "a", Then.Add(time.Hour), Then.Add(2*time.Hour)), true)
		same(t, turn(t, s, "a", Then.Add(time.Hour), Then.Add(2*time.Hour)), false)
	}},
	{"who has a turn can move it, and who had it before cannot", func(t *testing.T, s *store.Store) {
		same(t, turn(t, s, "a", Then, Then.Add(time.Minute)), true)
		same(t, turn(t, s, "a", Then.Add(time.Minute), Then.Add(time.Hour)), true)
		same(t, turn(t, s, "a", Then.Add(time.Minute), Then.Add(2*time.Hour)), false)
		same(t, turn(t, s, "a", Then.Add(time.Hour), Then.Add(time.Minute)), true)
		same(t, turn(t, s, "a", Then.Add(time.Minute), Then.Add(2*time.Hour)), true)
	}},
	{"of many who take a turn at once, one has it", func(t *testing.T, s *store.Store) {
		for _, now := range []time.Time{Then, Then.Add(time.Hour)} {
			won := race(t, 8, fault.Conflict, func(ctx context.Context, _ int) error {
				mine, err := s.TakeTurn(ctx, "a", now, now.Add(time.Hour))
				if err == nil && !mine {
					err = fault.Conflict
				}
				return err
			})
			same(t, won, 1)
		}
	}},
}
