package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/internal/limit/limittest"
	"gatehouse/internal/parts"
	"gatehouse/internal/seal"
)

var rule = limit.Rule{Name: "password", Burst: 3, Every: time.Hour}

// A lockedLog is a log that tests read while others write.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// node is one node's view of the Redis at a URL.
func node(t *testing.T, url string, keys *seal.Keyring) (*Server, *lockedLog) {
	t.Helper()
	log := &lockedLog{}
	s, err := Open(t.Context(), Config{URL: url, Keys: keys, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, log
}

// shifting lets time pass in Redis: it moves what was counted into the past.
type shifting struct {
	*Server
	t     *testing.T
	mu    sync.Mutex
	names map[string]bool
}

func (s *shifting) Take(ctx context.Context, r limit.Rule, key string) error {
	s.mu.Lock()
	s.names[s.name(r, key)] = true
	s.mu.Unlock()
	return s.Server.Take(ctx, r, key)
}

func (s *shifting) pass(d time.Duration) {
	s.t.Helper()
	for name := range s.names {
		over, err := s.client.Get(s.t.Context(), name).Int64()
		if err != nil {
			continue // nothing is counted there
		}
		if err := s.client.Set(s.t.Context(), name, over-d.Microseconds(), 2*d).Err(); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestRedisKeepsThePromises(t *testing.T) {
	url := parts.Need(t, parts.Redis)
	limittest.Run(t, func(t *testing.T) limittest.Subject {
		s, log := node(t, url, seal.New())
		t.Cleanup(func() {
			// Otherwise it is memory that kept them.
			if strings.Contains(log.String(), "away") {
				t.Errorf("Redis was away: %s", log)
			}
		})
		shifted := &shifting{Server: s, t: t, names: map[string]bool{}}
		return limittest.Subject{Limiter: shifted, Pass: shifted.pass}
	})
}

// The limiter keeps the same promises without any Redis.
func TestRedisThatIsNotThereKeepsThePromises(t *testing.T) {
	limittest.Run(t, func(t *testing.T) limittest.Subject {
		s, _ := node(t, "redis://127.0.0.1:1", seal.New())
		now := time.Now()
		s.local.Now = func() time.Time { return now }
		return limittest.Subject{Limiter: s, Pass: func(d time.Duration) { now = now.Add(d) }}
	})
}

func TestNodesShareWhatTheyCount(t *testing.T) {
	url, keys := parts.Need(t, parts.Redis), seal.New()
	one, _ := node(t, url, keys)
	two, _ := node(t, url, keys)
	stranger, _ := node(t, url, seal.New())
	take(t, one, 1)
	take(t, two, 2)
	for _, s := range []*Server{one, two} {
		if err := s.Take(t.Context(), rule, "alice"); !errors.Is(err, fault.TooMany) {
			t.Errorf("got %v, want too many on each node", err)
		}
	}
	// One that has not heard of it yet may check without asking; one that has
	// was told, and is told again when it is over.
	if err := one.Check(t.Context(), rule, "alice"); !errors.Is(err, fault.TooMany) {
		t.Errorf("got %v, want a check to say so", err)
	}
	take(t, stranger, 3) // another installation on the same Redis
	if err := two.Forget(t.Context(), rule, "alice"); err != nil {
		t.Fatal(err)
	}
	if err := one.Check(t.Context(), rule, "alice"); err != nil {
		t.Errorf("got %v, want a check to know what another node gave back", err)
	}
	take(t, one, 3)
}

// take makes n attempts that have to be allowed.
func take(t *testing.T, s *Server, n int) {
	t.Helper()
	for i := range n {
		if err := s.Take(t.Context(), rule, "alice"); err != nil {
			t.Fatalf("attempt %d: got %v, want none", i+1, err)
		}
	}
}

func TestNothingThatNamesAnybodyStandsInRedis(t *testing.T) {
	s, _ := node(t, parts.Need(t, parts.Redis), seal.New())
	key := "alice@acme.test 192.0.2.7"
	if err := s.Take(t.Context(), rule, key); err != nil {
		t.Fatal(err)
	}
	name := s.name(rule, key)
	if strings.Contains(name, "alice") || strings.Contains(name, "192") {
		t.Errorf("got the name %q", name)
	}
	value, err := s.client.Get(t.Context(), name).Result()
	if err != nil || strings.Trim(value, "0123456789") != "" {
		t.Errorf("got the value %q (%v), want a number", value, err)
	}
	left, err := s.client.PTTL(t.Context(), name).Result()
	if err != nil || left <= 0 || left > rule.Every {
		t.Errorf("got %v left (%v), want an end when the attempt is forgotten", left, err)
	}
}

func TestWhatCannotBeInRedisIsNotBelieved(t *testing.T) {
	s, log := node(t, parts.Need(t, parts.Redis), seal.New())
	for _, value := range []string{"nonsense", "-5", "1e300", "99999999999999999999999999", ""} {
		key := "alice " + value
		if err := s.client.Set(t.Context(), s.name(rule, key), value, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		err := s.Take(t.Context(), rule, key)
		if err != nil && (!errors.Is(err, fault.TooMany) || fault.Of(err).RetryAfter > rule.Every+time.Second) {
			t.Errorf("%q: got %v, want an attempt or a bounded wait", value, err)
		}
	}
	if log.String() != "" {
		t.Errorf("got %s, want nothing to be said", log)
	}
	if err := s.client.RPush(t.Context(), s.name(rule, "a list"), "x").Err(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.client.Del(context.Background(), s.name(rule, "a list")) })
	for range 3 {
		if err := s.Take(t.Context(), rule, "a list"); err != nil {
			t.Errorf("of another type: got %v, want this node's own count", err)
		}
	}
	if err := s.Take(t.Context(), rule, "a list"); !errors.Is(err, fault.TooMany) {
		t.Errorf("of another type: got %v, want this node's own count to end", err)
	}
}

func TestURLs(t *testing.T) {
	for _, url := range []string{
		"", "redis", "redis:", "redis://", "http://127.0.0.1:6379", "127.0.0.1:6379", "unix:///run/redis.sock",
		"redis://:hidden@127.0.0.1:port", "redis://:hidden@127.0.0.1:6379/zero", "redis://:hid/den@127.0.0.1:6379",
		"redis://:hidden@127.0.0.1:6379/0?password=hidden", "redis://user:hid%zzden@host",
	} {
		_, err := Open(t.Context(), Config{URL: url, Keys: seal.New(), Log: slog.New(slog.DiscardHandler)})
		if !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "hid") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line without the password", url, err)
		}
	}
	for _, url := range []string{"redis://127.0.0.1", "redis://user:pass@[::1]:6379/3", "rediss://:pass@redis.company.test:6380"} {
		if _, err := parse(url); err != nil {
			t.Errorf("%q: got %v, want none", url, err)
		}
	}
}

func TestWakeUpsReachEveryNode(t *testing.T) {
	url, keys := parts.Need(t, parts.Redis), seal.New()
	one, _ := node(t, url, keys)
	two, _ := node(t, url, keys)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	topic := fmt.Sprintf("test-%d", time.Now().UnixNano())
	for _, topics := range []<-chan string{one.Subscribe(ctx), two.Subscribe(ctx)} {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for woken := false; !woken; {
			select {
			case got, open := <-topics:
				if !open {
					t.Fatal("nobody was woken within ten seconds")
				}
				woken = got == topic // others may use this Redis
			case <-tick.C:
				one.Publish(ctx, topic)
			}
		}
	}
	cancel()
	for range one.Subscribe(ctx) {
		continue // it ends with its context
	}
}
