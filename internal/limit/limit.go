// Package limit counts attempts, so that nothing can be guessed by trying.
//
// It is a leaky bucket without stored buckets (GCRA): for each key one moment
// is kept, at which the key's attempts will all be forgotten.
package limit

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"gatehouse/internal/fault"
)

// A Rule allows Burst attempts at once and one more each Every.
type Rule struct {
	Name  string // part of the key: rules do not share attempts
	Burst int
	Every time.Duration
}

// A Limiter counts attempts by key.
type Limiter interface {
	// Take counts an attempt. It returns fault.TooMany, with RetryAfter, if
	// the attempts of this key are used up.
	Take(ctx context.Context, r Rule, key string) error

	// Check returns what Take would, and counts nothing. Where nodes share what
	// they count, it may let through what others have used up a moment ago; it
	// is for what is counted only once it has failed.
	Check(ctx context.Context, r Rule, key string) error

	// Return gives one attempt back, which turned out to be none: it worked.
	Return(ctx context.Context, r Rule, key string) error

	// Forget gives a key all its attempts back.
	Forget(ctx context.Context, r Rule, key string) error
}

// mostKeys bounds memory: about 60 bytes a key.
const mostKeys = 100_000

// A bucket is the key of a rule and a key, of one size whatever strangers
// send.
type bucket [16]byte

func bucketOf(r Rule, key string) (b bucket) {
	sum := sha256.Sum256([]byte(r.Name + "\x00" + key))
	copy(b[:], sum[:])
	return b
}

// Memory is a Limiter of one process.
type Memory struct {
	Now func() time.Time

	mu    sync.Mutex
	until map[bucket]time.Time // when all attempts of a key are forgotten
}

// Take counts an attempt.
func (m *Memory) Take(_ context.Context, r Rule, key string) error {
	return m.try(r, key, true)
}

// Check counts nothing.
func (m *Memory) Check(_ context.Context, r Rule, key string) error {
	return m.try(r, key, false)
}

// Return gives one attempt back.
func (m *Memory) Return(_ context.Context, r Rule, key string) error {
	b := bucketOf(r, key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if until, counted := m.until[b]; counted {
		m.until[b] = until.Add(-r.Every)
	}
	return nil
}

// Forget gives a key all its attempts back.
func (m *Memory) Forget(_ context.Context, r Rule, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.until, bucketOf(r, key))
	return nil
}

func (m *Memory) try(r Rule, key string, count bool) error {
	b := bucketOf(r, key)
	now := m.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	until := m.until[b]
	if until.Before(now) {
		until = now
	}
	until = until.Add(r.Every)
	// The wait until there is room for this attempt among the Burst.
	if wait := until.Sub(now) - time.Duration(r.Burst)*r.Every; wait > 0 {
		return TooMany(wait)
	}
	if count {
		m.makeRoom(now)
		m.until[b] = until
	}
	return nil
}

// Adopt takes over what is known of a key elsewhere: after how long all its
// attempts will be forgotten.
func (m *Memory) Adopt(r Rule, key string, after time.Duration) {
	b, now := bucketOf(r, key), m.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if after <= 0 {
		delete(m.until, b)
		return
	}
	m.makeRoom(now)
	m.until[b] = now.Add(after)
}

// makeRoom keeps the table bounded: first what is over goes, then, under a
// flood of keys, whatever comes first. Forgetting a few attempts is better
// than refusing everybody.
func (m *Memory) makeRoom(now time.Time) {
	if m.until == nil {
		m.until = make(map[bucket]time.Time)
	}
	if len(m.until) < mostKeys {
		return
	}
	for k, t := range m.until {
		if t.Before(now) {
			delete(m.until, k)
		}
	}
	for k := range m.until {
		if len(m.until) < mostKeys*9/10 {
			return
		}
		delete(m.until, k)
	}
}

// TooMany is the refusal of an attempt for which there is room after a wait.
func TooMany(wait time.Duration) error {
	wait = wait.Truncate(time.Second) + time.Second
	return fault.TooMany.Errorf("Too many attempts. Try again in %s.", human(wait)).After(wait).Coded("too_many_requests")
}

func human(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%d seconds", int(d/time.Second))
	}
	return fmt.Sprintf("%d minutes", int(d.Round(time.Minute)/time.Minute))
}

// Address is the key under which an address's attempts count: IPv6 by /64,
// which is what one customer of a network has. An unknown address is one key
// for all.
func Address(ip netip.Addr) string {
	ip = ip.Unmap()
	if ip.Is6() {
		p, err := ip.WithZone("").Prefix(64)
		if err == nil {
			return p.String()
		}
	}
	return ip.String()
}

// Len is how many keys are kept.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.until)
}
