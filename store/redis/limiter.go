package redis

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"gatehouse/internal/limit"
)

var _ limit.Limiter = (*Server)(nil)

// attempt counts as limit.Memory does. It keeps one moment for each key, in
// microseconds of Redis's own clock, at which the key's attempts will all be
// forgotten; nodes whose clocks differ agree. ARGV is Every in microseconds,
// Burst, and what is done: "take", "check" or "return". It gives the wait until
// there is room (0: there was) and how far that moment is.
//
// A moment that no attempts can have led to, after a jump of the clock or a
// hand at the keys, counts as a burst used up: it passes.
var attempt = goredis.NewScript(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local every, burst, what = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local over = tonumber(redis.call('GET', KEYS[1]) or 0) or 0
over = math.max(now, math.min(over, now + burst * every))
local wait = 0
if what == 'return' then
	over = math.max(now, over - every)
else
	wait = math.max(0, over + every - now - burst * every)
	if what == 'take' and wait == 0 then
		over = over + every
	end
end
if what ~= 'check' then
	if over > now then
		redis.call('SET', KEYS[1], string.format('%.0f', over), 'PX', math.ceil((over - now) / 1000))
	else
		redis.call('DEL', KEYS[1])
	end
end
return {wait, over - now}
`)

// What is done with an attempt.
const (
	taking    = "take"
	checking  = "check"
	returning = "return"
)

// Take counts an attempt, on all nodes.
func (s *Server) Take(ctx context.Context, r limit.Rule, key string) error {
	if a, ok := s.shared(ctx, taking, r, key); ok {
		return a.refusal()
	}
	return s.local.Take(ctx, r, key)
}

// Check returns what Take would, and counts nothing. What this node knows is
// enough to let somebody through, so that those who never fail never wait for
// Redis; a refusal is asked for there.
func (s *Server) Check(ctx context.Context, r limit.Rule, key string) error {
	if s.local.Check(ctx, r, key) == nil {
		return nil
	}
	if a, ok := s.shared(ctx, checking, r, key); ok {
		return a.refusal()
	}
	return s.local.Check(ctx, r, key)
}

// Return gives one attempt back, on all nodes.
func (s *Server) Return(ctx context.Context, r limit.Rule, key string) error {
	if _, ok := s.shared(ctx, returning, r, key); ok {
		return nil
	}
	return s.local.Return(ctx, r, key)
}

// Forget gives a key all its attempts back, on all nodes.
func (s *Server) Forget(ctx context.Context, r limit.Rule, key string) error {
	if !s.Away() {
		bounded, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := s.client.Del(bounded, s.name(r, key)).Err(); err != nil && ctx.Err() == nil {
			s.lose(fmt.Errorf("forget: %w", err))
		}
	}
	return s.local.Forget(ctx, r, key)
}

// shared asks Redis, and lets this node's memory know what it said. It gives
// false if Redis is away.
func (s *Server) shared(ctx context.Context, what string, r limit.Rule, key string) (answer, bool) {
	if s.Away() {
		return answer{}, false
	}
	a, err := s.ask(ctx, what, r, s.name(r, key))
	if err != nil {
		// A caller who went away says nothing of Redis.
		if ctx.Err() == nil {
			s.lose(err)
		}
		return answer{}, false
	}
	s.local.Adopt(r, key, a.over)
	return a, true
}

// An answer is what Redis knows of a key.
type answer struct {
	wait time.Duration // until there is room for an attempt; 0: there was
	over time.Duration // until all attempts are forgotten
}

func (a answer) refusal() error {
	if a.wait == 0 {
		return nil
	}
	return limit.TooMany(a.wait)
}

// ask runs the script, for as long as a request may wait.
func (s *Server) ask(ctx context.Context, what string, r limit.Rule, name string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	got, err := attempt.Run(ctx, s.client, []string{name}, r.Every.Microseconds(), r.Burst, what).Int64Slice()
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", what, err)
	}
	if len(got) != 2 {
		return answer{}, fmt.Errorf("%s: got %d numbers, want 2", what, len(got))
	}
	a := answer{time.Duration(got[0]) * time.Microsecond, time.Duration(got[1]) * time.Microsecond}
	if a.wait < 0 || a.wait > r.Every || a.over < 0 || a.over > time.Duration(r.Burst)*r.Every {
		return answer{}, fmt.Errorf("%s: got a wait of %s and an end in %s, which cannot be", what, a.wait, a.over)
	}
	return a, nil
}

// name is what stands in Redis for a key: nobody can tell from it whose
// attempts it counts.
func (s *Server) name(r limit.Rule, key string) string {
	return "gatehouse:limit:" + base64.RawURLEncoding.EncodeToString(s.keys.MAC("limit", []byte(r.Name+"\x00"+key))[:16])
}
