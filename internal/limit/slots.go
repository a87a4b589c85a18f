package limit

import (
	"cmp"
	"context"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// Slots lets only so many do something costly at once, so that a flood of it
// cannot stop everything else. The zero value is one slot.
type Slots struct {
	N    int           // how many at once; 0 stands for 1
	Wait time.Duration // how long somebody waits at most; 0 stands for two seconds

	once sync.Once
	free chan struct{}
}

// NewSlots makes n slots, for which somebody waits for so long at most.
func NewSlots(n int, wait time.Duration) *Slots {
	return &Slots{N: n, Wait: wait}
}

// Enter takes a slot until leave is called. It returns fault.Unavailable if
// none came free in time, and the context's error if that ended first.
func (s *Slots) Enter(ctx context.Context) (leave func(), err error) {
	s.once.Do(func() { s.free = make(chan struct{}, max(1, s.N)) })
	select {
	case s.free <- struct{}{}:
		return s.leave, nil
	default:
	}
	wait := cmp.Or(s.Wait, 2*time.Second)
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case s.free <- struct{}{}:
		return s.leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-late.C:
	}
	if err := ctx.Err(); err != nil { // both at once
		return nil, err
	}
	return nil, fault.Unavailable.Errorf("Many people are doing this right now. Try again in a few seconds.").After(wait)
}

func (s *Slots) leave() { <-s.free }
