package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// bounded serves a handler under limits, and gives its address. through, which
// may be nil, is what connections pass before the limits; noted is told of each
// change of one.
func bounded(t *testing.T, h http.Handler, l connectionLimits, through func(net.Listener) net.Listener, noted func(net.Conn, http.ConnState)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if through != nil {
		listener = through(listener)
	}
	s := &http.Server{Handler: h, ConnState: noted}
	on := l.bound(s, listener, slog.New(slog.DiscardHandler))
	go s.Serve(on)
	t.Cleanup(func() { s.Close() })
	return address
}

// held is what this process keeps in memory.
func held() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// trickle sends the beginning of a request, and then a byte now and then for
// as long as anybody takes it. It gives nil if the server ended that.
func trickle(address, beginning string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Only for a server that never cuts it.
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, beginning); err != nil {
		return err
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		now := time.NewTicker(50 * time.Millisecond)
		defer now.Stop()
		for range now.C {
			if _, err := conn.Write([]byte("A")); err != nil {
				return
			}
		}
	}()
	_, err = io.Copy(io.Discard, conn)
	conn.Close()
	<-over
	if e, is := err.(net.Error); is && e.Timeout() {
		return errors.New("after a minute the server was still listening")
	}
	return nil // an end, or a reset
}

// TestSlowConnectionsAreCutAndLeaveOthersServed has 200 connections send an
// answer to a login, a byte now and then, and 200 a header: each is cut, what
// they announce is not what they hold, and pages are served all the while.
func TestSlowConnectionsAreCutAndLeaveOthersServed(t *testing.T) {
	r := startServer(t, &serveCommand{})
	const slow = 200
	for _, c := range []struct{ name, beginning string }{
		{"body", "POST /v1/sso/saml/acs/am0123456789a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 390000\r\n\r\nSAMLResponse="},
		{"header", "POST /v1/sso/saml/acs/am0123456789a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nX-Slow: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			begun := make(chan struct{}, 2*slow)
			limits := connectionLimits{header: 2 * time.Second, body: 2 * time.Second, answer: 4 * time.Second, idle: time.Minute, most: 2 * slow}
			address := bounded(t, r.handler, limits, nil, func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					begun <- struct{}{}
				}
			})
			before := held()
			var all sync.WaitGroup
			for range slow {
				all.Go(func() {
					if err := trickle(address, c.beginning); err != nil {
						t.Error(err)
					}
				})
			}
			for range slow {
				<-begun
			}
			// Both ends of a connection are in this process.
			if after := held(); after > before+slow*(96<<10) {
				t.Errorf("got %d bytes more in memory for each connection, want 96 KiB at most", (after-before)/slow)
			}
			cut := make(chan struct{})
			go func() { all.Wait(); close(cut) }()
			for done := false; !done; {
				page(t, address)
				select {
				case <-cut:
					done = true
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
}

// page asks for the login page, on a connection of its own or an idle one.
func page(t *testing.T, address string) {
	t.Helper()
	resp, err := http.Get("http://" + address + "/login")
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the login page beside them: got %d, want 200", resp.StatusCode)
	}
}

// A counter is a listener that knows how many of its connections are open, and
// were at most.
type counter struct {
	net.Listener
	open, peak atomic.Int64
}

func (l *counter) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		// Only one goroutine accepts.
		l.peak.Store(max(l.peak.Load(), l.open.Add(1)))
	}
	return &countedConn{Conn: conn, of: l}, err
}

type countedConn struct {
	net.Conn
	of   *counter
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.of.open.Add(-1) })
	return c.Conn.Close()
}

func TestOnlySoManyConnectionsAreOpenAtOnce(t *testing.T) {
	const most, clients = 3, 30
	count := new(counter)
	limits := (&serveCommand{MaxConnections: most}).limits()
	address := bounded(t, http.NotFoundHandler(), limits, func(l net.Listener) net.Listener { count.Listener = l; return count }, nil)
	var conns []net.Conn
	for range clients {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
	}
	// All are connected, and say nothing until it is their turn.
	for i, conn := range conns {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(conn); err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 404 ")) {
			t.Fatalf("connection %d: got %q, %v; want it served once there is room", i, answer, err)
		}
	}
	if got := count.peak.Load(); got != most {
		t.Errorf("got %d connections open at once, want %d", got, most)
	}
}

func TestConnectionsAreBoundedByDefault(t *testing.T) {
	c := &serveCommand{MaxConnections: 4096}
	if err := c.checkMaxConnections(); err != nil {
		t.Error(err)
	}
	for _, n := range []int{-1, 0, fewestConnections - 1, mostConnections + 1} {
		c.MaxConnections = n
		if c.checkMaxConnections() == nil {
			t.Errorf("--max-connections %d: got admitted, want a refusal", n)
		}
	}
	s, l := new(http.Server), c.limits()
	l.bound(s, nil, slog.New(slog.DiscardHandler))
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 {
		t.Errorf("got %v, want every limit set", l)
	}
}
