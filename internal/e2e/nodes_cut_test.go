package e2e_test

import (
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"
)

// A wire carries connections to a database until it is cut, or stands still.
type wire struct {
	to       string
	listener net.Listener

	mu    sync.Mutex
	moved *sync.Cond
	stuck bool // nothing goes through
	gone  bool // and nobody gets in
	conns map[net.Conn]bool
}

// startWire puts a wire before the server of a database URL, and gives the URL
// by which to go through it.
func startWire(t testing.TB, databaseURL string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{to: u.Host, listener: l, conns: map[net.Conn]bool{}}
	w.moved = sync.NewCond(&w.mu)
	t.Cleanup(func() {
		l.Close()
		w.set(false, true)
	})
	go w.accept()
	u.Host = l.Addr().String()
	return w, u.String()
}

func (w *wire) accept() {
	for {
		from, err := w.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", w.to)
		if err != nil || !w.keep(from, to) {
			from.Close()
			continue
		}
		go w.carry(from, to)
		go w.carry(to, from)
	}
}

// keep remembers connections, unless the wire is cut.
func (w *wire) keep(both ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range both {
		if w.gone {
			c.Close()
		}
		w.conns[c] = true
	}
	return !w.gone
}

func (w *wire) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		w.mu.Lock()
		for w.stuck {
			w.moved.Wait()
		}
		w.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// set lets the wire stand still, cuts it, or mends it.
func (w *wire) set(stuck, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stuck, w.gone = stuck, gone
	if gone {
		for c := range w.conns {
			c.Close()
		}
		w.conns = map[net.Conn]bool{}
	}
	w.moved.Broadcast()
}

func TestANodeThatCannotReadTheDatabaseServesNothing(t *testing.T) {
	databaseURL := newSchema(t)
	c := startCluster(t, databaseURL)
	one, two := c.nodes[0], c.nodes[1]
	w, through := startWire(t, databaseURL)
	two.stop()
	two.env = append(two.env, "GATEHOUSE_DATABASE_URL="+through)
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	two.start(path)
	if !two.becomes(http.StatusOK) {
		t.Fatalf("node two is not ready by way of the wire:\n%s", two.logged())
	}
	for _, trouble := range []struct {
		name        string
		stuck, gone bool
	}{{"stands still", true, false}, {"is cut", false, true}} {
		t.Run("the wire to the database "+trouble.name, func(t *testing.T) {
			stays, _ := c.personal()
			ends, prefix := c.personal()
			stop := make(chan struct{})
			ask, askEnded := c.poll(two, stays, "/v1/me", stop), c.poll(two, ends, "/v1/me", stop)
			for range 20 {
				if a, b := <-ask, <-askEnded; a.status != http.StatusOK || b.status != http.StatusOK {
					t.Fatalf("before: got %d and %d, want 200", a.status, b.status)
				}
			}
			w.set(trouble.stuck, trouble.gone)
			cut := time.Now()
			c.mustAt(one, c.token, "DELETE", "/v1/access_token/"+prefix, nil, nil)
			time.Sleep(4 * time.Second)
			mended := time.Now()
			w.set(false, false)
			time.Sleep(3 * time.Second)
			close(stop)

			var last, first, slowest, back time.Duration
			for one := range ask {
				after := one.begun.Sub(cut)
				switch {
				case after < 0:
				case one.over.Before(mended) && one.status == http.StatusOK:
					last = after
				case one.over.Before(mended):
					if one.status != http.StatusServiceUnavailable {
						t.Errorf("%s after: got %d, want 503", after, one.status)
					}
					if first == 0 {
						first = one.over.Sub(cut)
					}
					if after > time.Second {
						slowest = max(slowest, one.over.Sub(one.begun))
					}
				case one.status == http.StatusOK && back == 0:
					back = one.over.Sub(mended)
				}
			}
			for one := range askEnded {
				if after := one.begun.Sub(cut); after > time.Second && one.status == http.StatusOK {
					t.Errorf("a token that was revoked meanwhile was let in %s after the cut", after)
				}
			}
			t.Logf("let in for %s after; the first 503 came %s after, and took %s at most later on; served again %s after it was mended", last, first, slowest, back)
			if last > time.Second || first == 0 || first > 3*time.Second || slowest > 2*time.Second || back == 0 {
				t.Errorf("want nobody let in a second after, 503 soon and quickly, and to be served again")
			}
			if status, _, _ := c.at(two, ends, "GET", "/v1/me", nil); status != http.StatusUnauthorized {
				t.Errorf("what was revoked meanwhile: got %d, want 401", status)
			}
		})
	}
}
