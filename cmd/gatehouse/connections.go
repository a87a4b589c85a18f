package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// connectionLimits bound what a client can hold of the server by sending or
// reading slowly, or by opening connections. How many there are is bounded for
// all together: behind a proxy, as in production, they all come from its
// address.
type connectionLimits struct {
	header time.Duration // until the last byte of a request's header
	body   time.Duration // until the last byte of its body, from its first of all
	answer time.Duration // until the last byte of the answer, from the end of the header
	idle   time.Duration // between two requests on one connection

	most int // how many connections are open at once; others wait in the system's queue
}

// limits are those that hold in operation. The longest answer to a login that
// is admitted, 400 KiB, takes half a minute over a line of 110 kbit/s.
func (c *serveCommand) limits() connectionLimits {
	return connectionLimits{
		header: 10 * time.Second,
		body:   30 * time.Second,
		answer: 60 * time.Second,
		idle:   2 * time.Minute,
		most:   c.MaxConnections,
	}
}

// The bounds of --max-connections: a browser opens six.
const (
	fewestConnections = 16
	mostConnections   = 1_000_000
)

func (c *serveCommand) checkMaxConnections() error {
	if c.MaxConnections < fewestConnections || c.MaxConnections > mostConnections {
		return fmt.Errorf("--max-connections %d is not between %d and %d", c.MaxConnections, fewestConnections, mostConnections)
	}
	return nil
}

// bound sets a server's limits, and gives the listener on which they hold.
func (l connectionLimits) bound(s *http.Server, on net.Listener, log *slog.Logger) net.Listener {
	s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = l.header, l.body, l.answer, l.idle
	s.MaxHeaderBytes = 32 << 10
	s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	return netutil.LimitListener(on, l.most)
}
