package gate

import (
	"context"
	"time"
)

// What tests need to know of the cache.
const (
	MostPasses  = mostPasses
	MostUnknown = mostUnknown
	MostChanged = mostChanged
	KeptFor     = keptFor
	UnknownFor  = unknownFor
	StaleAfter  = staleAfter
	ReadEvery   = readEvery
)

// Follow reads the notes once.
func (c *Cache) Follow(ctx context.Context, notes Notes) error { return c.follow(ctx, notes) }

// Sizes says how much a cache holds.
func (c *Cache) Sizes() (passes, changed, unknowns, read int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.passes), len(c.changed), len(c.unknowns), len(c.read)
}

// StandStill lets d pass by the clock on the wall alone, as for a machine that
// was suspended.
func StandStill(now time.Time, d time.Duration) time.Duration {
	later := now.Add(d)
	return elapsed(now, later.Round(0))
}
