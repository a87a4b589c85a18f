package main

import (
	"context"
	"runtime/debug"
	"time"
)

// How far clocks may be apart: answers of identity providers are taken within a
// minute.
const (
	clocksApart  = time.Minute
	clocksUneasy = 10 * time.Second
)

// A clock is another's, compared with this machine's.
type clock struct {
	whose string
	ahead time.Duration // of ours
	give  time.Duration // how much of it may be the way
}

// clock compares this machine's clock with those that the other checks met.
func (e *examination) clock(_ context.Context, k *check) {
	now := time.Now()
	k.LookedAt = "this machine's clock: " + now.UTC().Format("2006-01-02 15:04:05Z")
	if built, known := builtAt(); known && now.Before(built) {
		k.wrong("set the clock, and have it kept by NTP", "it stands before the day that this program was made, %s", built.Format(time.DateOnly))
	}
	for _, c := range e.clocks {
		judgeClock(k, c)
	}
	switch kept, known := keptInTime(); {
	case known && kept:
		k.fine("the system says that it is kept in time")
	case known:
		k.doubtful("have it kept by NTP, on this machine or on its host (timedatectl, chronyc)", "the system says that nothing keeps it in time")
	case len(e.clocks) == 0:
		k.doubtful("start the server and look again, or compare it yourself", "there was no other clock to compare it with")
	}
}

func judgeClock(k *check, c clock) {
	apart := max(0, c.ahead.Abs()-c.give)
	which := "ahead of"
	if c.ahead > 0 {
		which = "behind"
	}
	const mend = "have both kept by NTP: answers of identity providers are taken within a minute"
	switch {
	case apart > clocksApart:
		k.wrong(mend, "it is %s %s %s", c.ahead.Abs().Round(time.Second), which, c.whose)
	case apart > clocksUneasy:
		k.doubtful(mend, "it is %s %s %s", c.ahead.Abs().Round(time.Second), which, c.whose)
	default:
		k.fine("it agrees with %s", c.whose)
	}
}

// builtAt is when the commit was made that this program was built from.
func builtAt() (time.Time, bool) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}, false
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			at, err := time.Parse(time.RFC3339, s.Value)
			return at, err == nil
		}
	}
	return time.Time{}, false
}
