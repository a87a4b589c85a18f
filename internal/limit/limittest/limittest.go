// Package limittest checks that a limiter keeps the promises of limit.Limiter,
// wherever it counts.
package limittest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
)

// rule is slow beside a test: what passes by itself while one runs is nothing.
var rule = limit.Rule{Name: "password", Burst: 3, Every: time.Hour}

// A Subject is a limiter, new and empty.
type Subject struct {
	limit.Limiter
	Pass func(time.Duration) // lets time pass for it
}

// A promise is one thing that a limiter promises, as a sentence.
type promise struct {
	sentence string
	check    func(t *testing.T, s Subject)
}

// Run checks everything, each promise on a subject of its own.
func Run(t *testing.T, subject func(t *testing.T) Subject) {
	for _, p := range promises {
		t.Run(p.sentence, func(t *testing.T) { p.check(t, subject(t)) })
	}
}

var promises = []promise{
	{"a burst is allowed, then nothing", func(t *testing.T, s Subject) {
		s.allows(t, rule, "alice", 3)
		s.refuses(t, rule, "alice")
		s.refuses(t, rule, "alice")
	}},
	{"one more is allowed each Every, whatever was refused meanwhile", func(t *testing.T, s Subject) {
		s.allows(t, rule, "alice", 3)
		for range 5 {
			s.refuses(t, rule, "alice")
		}
		s.Pass(rule.Every)
		s.allows(t, rule, "alice", 1)
		s.refuses(t, rule, "alice")
		s.Pass(2 * rule.Every)
		s.allows(t, rule, "alice", 2)
		s.refuses(t, rule, "alice")
	}},
	{"a whole burst is allowed again once all was forgotten, and no more", func(t *testing.T, s Subject) {
		s.allows(t, rule, "alice", 3)
		s.Pass(100 * rule.Every)
		s.allows(t, rule, "alice", 3)
		s.refuses(t, rule, "alice")
	}},
	{"a refusal says when to come back", func(t *testing.T, s Subject) {
		s.allows(t, rule, "alice", 3)
		s.waits(t, rule, "alice", rule.Every)
		s.Pass(rule.Every / 2)
		s.waits(t, rule, "alice", rule.Every/2)
	}},
	{"a check counts nothing and says what an attempt would", func(t *testing.T, s Subject) {
		for range 10 {
			do(t, s.Check(t.Context(), rule, "alice"))
		}
		s.allows(t, rule, "alice", 3)
		if err := s.Check(t.Context(), rule, "alice"); !errors.Is(err, fault.TooMany) {
			t.Errorf("got %v, want too many", err)
		}
		s.Pass(rule.Every)
		do(t, s.Check(t.Context(), rule, "alice"))
		s.allows(t, rule, "alice", 1)
	}},
	{"keys do not share attempts, nor do rules", func(t *testing.T, s Subject) {
		s.allows(t, rule, "alice", 3)
		s.allows(t, rule, "bob", 3)
		other := rule
		other.Name = "another"
		s.allows(t, other, "alice", 3)
		s.refuses(t, rule, "alice")
	}},
	{"names and keys are told apart wherever one ends", func(t *testing.T, s Subject) {
		s.allows(t, limit.Rule{Name: "a b", Burst: 1, Every: time.Hour}, "c", 1)
		s.allows(t, limit.Rule{Name: "a", Burst: 1, Every: time.Hour}, "b c", 1)
	}},
	{"an attempt that is given back was none", func(t *testing.T, s Subject) {
		for range 10 {
			s.allows(t, rule, "alice", 1)
			do(t, s.Return(t.Context(), rule, "alice"))
		}
		s.allows(t, rule, "alice", 3)
		s.refuses(t, rule, "alice")
		do(t, s.Return(t.Context(), rule, "alice"))
		s.allows(t, rule, "alice", 1)
		s.refuses(t, rule, "alice")
	}},
	{"who gives back what was not taken has no more for it", func(t *testing.T, s Subject) {
		for range 3 {
			do(t, s.Return(t.Context(), rule, "bob"))
		}
		s.allows(t, rule, "bob", 1)
		for range 5 {
			do(t, s.Return(t.Context(), rule, "bob"))
		}
		s.allows(t, rule, "bob", 3)
		s.refuses(t, rule, "bob")
	}},
	{"a key that is forgotten has all its attempts", func(t *testing.T, s Subject) {
		s.allows(t, rule, "alice", 3)
		do(t, s.Forget(t.Context(), rule, "alice"), s.Forget(t.Context(), rule, "nobody"))
		s.allows(t, rule, "alice", 3)
		s.refuses(t, rule, "alice")
	}},
	{"whatever strangers send is a key", func(t *testing.T, s Subject) {
		for _, key := range []string{"", "\x00", "\xff\xfe", "a\r\nDEL *\r\n", "{x}", strings.Repeat("long", 1<<16)} {
			s.allows(t, rule, key, 3)
			s.refuses(t, rule, key)
		}
	}},
	{"rules as short as milliseconds and as long as days are kept", func(t *testing.T, s Subject) {
		s.allows(t, limit.Rule{Name: "short", Burst: 100, Every: 10 * time.Millisecond}, "a", 100)
		long := limit.Rule{Name: "long", Burst: 2, Every: 30 * 24 * time.Hour}
		s.allows(t, long, "a", 2)
		s.waits(t, long, "a", long.Every)
	}},
	{"of many at once, as many as the burst come through", func(t *testing.T, s Subject) {
		wide := limit.Rule{Name: "wide", Burst: 20, Every: time.Hour}
		errs := make([]error, 60)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = s.Take(context.Background(), wide, "alice") })
		}
		group.Wait()
		through := 0
		for _, err := range errs {
			switch {
			case err == nil:
				through++
			case !errors.Is(err, fault.TooMany):
				t.Errorf("got %v, want too many", err)
			}
		}
		if through != wide.Burst {
			t.Errorf("got %d through, want %d", through, wide.Burst)
		}
	}},
}

// allows checks that the next n attempts are allowed.
func (s Subject) allows(t *testing.T, r limit.Rule, key string, n int) {
	t.Helper()
	for i := range n {
		if err := s.Take(t.Context(), r, key); err != nil {
			t.Fatalf("attempt %d: got %v, want none", i+1, err)
		}
	}
}

func (s Subject) refuses(t *testing.T, r limit.Rule, key string) {
	t.Helper()
	err := s.Take(t.Context(), r, key)
	if !errors.Is(err, fault.TooMany) {
		t.Fatalf("got %v, want too many", err)
	}
	if f := fault.Of(err); f.Code != "too_many_requests" || f.RetryAfter <= 0 || f.RetryAfter > r.Every+time.Second {
		t.Fatalf("got code %q and RetryAfter %v, want a wait of at most %v", f.Code, f.RetryAfter, r.Every)
	}
}

// waits checks that a refusal says about when to come back: never too early by
// more than the test has run for.
func (s Subject) waits(t *testing.T, r limit.Rule, key string, want time.Duration) {
	t.Helper()
	s.refuses(t, r, key)
	got := fault.Of(s.Take(t.Context(), r, key)).RetryAfter
	if got > want+2*time.Second || got < want-time.Minute {
		t.Errorf("got RetryAfter %v, want about %v", got, want)
	}
}

func do(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatalf("got %v, want no error", err)
		}
	}
}
