package limit

import (
	"context"
	"time"

	"gatehouse/internal/fault"
)

// Slots lets only so many do something costly at once, so that a flood of it
// cannot stop everything else.
type Slots struct {
	free chan struct{}
	wait time.Duration
}

// NewSlots makes n slots, for which somebody waits for so long at most.
func NewSlots(n int, wait time.Duration) *Slots {
	return &Slots{free: make(chan struct{}, max(1, n)), wait: wait}
}

// Enter takes a slot until leave is called. It returns fault.Unavailable if
// none came free in time, and the context's error if that ended first.
func (s *Slots) Enter(ctx context.Context) (leave func(), err error) {
	select {
	case s.free <- struct{}{}:
		return s.leave, nil
	default:
	}
	late := time.NewTimer(s.wait)
	defer late.Stop()
	select {
	case s.free <- struct{}{}:
		return s.leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-late.C:
	}
	return nil, fault.Unavailable.Errorf("Many people are doing this right now. Try again in a few seconds.").After(s.wait)
}

func (s *Slots) leave() { <-s.free }
