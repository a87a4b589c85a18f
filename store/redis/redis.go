// Package redis lets nodes share limits, and wake one another.
//
// Redis holds nothing whose loss changes an outcome. What it knows of an
// attempt, this node's memory knows too; so when Redis is away, late, or
// answers nonsense, the node goes on counting by itself, from where the two
// stood, and asks Redis again once it has answered properly. A request waits
// for Redis once at most, and for a tenth of a second; the next ones do not ask
// until it is back. A lost wake-up only means that whoever would have been
// woken looks at its next turn.
//
// No address, name or token stands in Redis: keys are made with the
// installation's own keys, so that several installations can share one.
package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"gatehouse/internal/limit"
	"gatehouse/internal/seal"
)

const (
	// patience is how long a request waits for Redis.
	patience = 100 * time.Millisecond

	// reach is how long a new connection may take, which no request waits for.
	reach = time.Second

	// retry is how often a Redis that is away is asked whether it is back.
	retry = 250 * time.Millisecond

	// quiet is for how long nothing more is said of a Redis that comes and goes.
	quiet = time.Minute
)

// Config says where Redis is.
type Config struct {
	URL  string        // redis://user:password@host:port/number, or rediss:// for TLS
	Keys *seal.Keyring // what the names of keys are made with
	Log  *slog.Logger
}

// A Server is a Redis that nodes share. It is a limit.Limiter that never fails
// because of Redis.
type Server struct {
	client *goredis.Client
	keys   *seal.Keyring
	local  *limit.Memory
	log    *slog.Logger

	mu     sync.Mutex
	away   bool
	warned time.Time     // when it was last said that Redis is away
	lost   chan struct{} // tells watch that it is; holds one
	closed chan struct{}
	group  sync.WaitGroup // watch
}

// ErrURL says that a URL is none of a Redis. It does not repeat the URL, which
// may hold a password.
var ErrURL = errors.New("--redis-url is not an address such as redis://user:password@host:6379/0, or rediss://… for TLS (a password's / @ : and % are written as %2F %40 %3A %25)")

// Open connects to the Redis that c names. One that is away is no error: it is
// said in the log, and used as soon as it is there. It returns ErrURL.
func Open(ctx context.Context, c Config) (*Server, error) {
	options, err := parse(c.URL)
	if err != nil {
		return nil, err
	}
	// The client's own log repeats, for each connection, what ours says once.
	goredis.SetLogger(silence{})
	s := &Server{
		client: goredis.NewClient(options), keys: c.Keys, log: c.Log,
		local: &limit.Memory{Now: time.Now},
		lost:  make(chan struct{}, 1), closed: make(chan struct{}),
	}
	if err := s.probe(ctx); err != nil {
		s.lose(err)
	}
	s.group.Go(s.watch)
	return s, nil
}

func parse(text string) (*goredis.Options, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "redis" && u.Scheme != "rediss" {
		return nil, ErrURL
	}
	o, err := goredis.ParseURL(text)
	if err != nil {
		return nil, ErrURL
	}
	if o.TLSConfig != nil {
		o.TLSConfig.MinVersion = tls.VersionTLS12
	}
	// A request is not tried twice, nor does it wait for more than patience;
	// each of these could make it.
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = reach, reach, reach, patience
	o.MinIdleConns, o.PipelinePoolSize = 1, -1
	o.ClientName, o.DisableIdentity = "gatehouse", true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o, nil
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// Close ends the connections.
func (s *Server) Close() error {
	close(s.closed)
	s.group.Wait()
	return s.client.Close()
}

// Away reports whether this node counts by itself, without Redis.
func (s *Server) Away() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.away
}

// lose notes that Redis is away, and says so, unless it was said a moment ago.
func (s *Server) lose(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return
	}
	s.away = true
	if now := time.Now(); now.Sub(s.warned) > quiet {
		s.warned = now
		s.log.Warn("Redis is away: this node counts attempts by itself until it is back", "error", err)
	}
	s.lost <- struct{}{} // watch takes it before s can be away again
}

// watch asks a Redis that is away whether it is back.
func (s *Server) watch() {
	for {
		select {
		case <-s.closed:
			return
		case <-s.lost:
		}
		if !s.await() {
			return
		}
	}
}

// await returns when Redis is back, or false when s closes.
func (s *Server) await() bool {
	since := time.Now()
	tick := time.NewTicker(retry)
	defer tick.Stop()
	for {
		select {
		case <-s.closed:
			return false
		case <-tick.C:
		}
		if s.probe(context.Background()) == nil {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = false
	s.log.Info("Redis is back", "away", time.Since(since).Round(time.Millisecond))
	return true
}

// probe does what a request would, in the time that one has, on a connection
// that is there: a Redis that answers late, or only to PING, is away.
func (s *Server) probe(ctx context.Context) error {
	connect, cancel := context.WithTimeout(ctx, reach)
	defer cancel()
	if err := s.client.Ping(connect).Err(); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	r := limit.Rule{Name: "probe", Burst: 1, Every: time.Second}
	_, err := s.ask(ctx, taking, r, s.name(r, ""))
	return err
}
