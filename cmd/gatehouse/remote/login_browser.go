package remote

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"gatehouse/client"
	"gatehouse/internal/ident"
)

// browserPatience is how long somebody may take to log in in the browser.
const browserPatience = 10 * time.Minute

// byBrowser logs in through a browser on this machine: it hands a code to a
// loopback address, where this program listens (RFC 8252, 7.3), and the code is
// worth nothing without the secret that stays here (RFC 7636).
func (c *Call) byBrowser(ctx context.Context) (json.RawMessage, error) {
	// Where no server answers, a browser would show its own page of that, and
	// this program would wait for nothing.
	if _, err := c.get(ctx, "/v1/me"); errors.Is(err, client.ErrAway) || errors.Is(err, errInterrupted) {
		return nil, err
	}
	listener, err := listenLoopback()
	if err != nil {
		return nil, withHint(fmt.Errorf("no port of this machine could be opened: %w", err), "gatehouse user login --no-browser")
	}
	w := &waiting{host: listener.Addr().String(), state: ident.Secret(22), handed: make(chan handed, 1)}
	server := &http.Server{Handler: w, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	go server.Serve(listener) // until it is closed
	defer func() {
		// The browser is to get its page; whatever else is connected is not
		// waited for.
		late, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		if server.Shutdown(late) != nil {
			server.Close()
		}
	}()
	verifier := ident.Secret(64)
	sum := sha256.Sum256([]byte(verifier))
	redirect := "http://" + w.host + "/callback"
	address := c.Client.URL + "/authorize?" + url.Values{
		"client_name": {programName()}, "redirect_uri": {redirect}, "state": {w.state},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode()
	if c.Open != nil && c.Open(address) {
		c.note("A browser is being opened. If none appears, open this address in one on this machine:\n\n  %s\n", address)
	} else {
		c.note("No browser could be opened. Open this address in one on this machine, or use --no-browser:\n\n  %s\n", address)
	}
	got, err := c.await(ctx, w.handed)
	if err != nil {
		return nil, err
	}
	if got.refused {
		return nil, &Failure{Err: errors.New("the login was refused in the browser"), Exit: exitRefused}
	}
	return c.do(ctx, http.MethodPost, "/v1/login/token", map[string]string{
		"grant": "authorization_code", "code": got.code, "code_verifier": verifier, "redirect_uri": redirect,
	})
}

// listenLoopback opens a port that this machine alone reaches.
func listenLoopback() (net.Listener, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err == nil {
		return l, nil
	}
	l, six := net.Listen("tcp6", "[::1]:0")
	if six != nil {
		return nil, err
	}
	return l, nil
}

// await waits for what the browser brings, and says now and then that it does.
func (c *Call) await(ctx context.Context, from <-chan handed) (handed, error) {
	c.note("Waiting for the browser…")
	end := time.NewTimer(browserPatience)
	defer end.Stop()
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for left := browserPatience; ; {
		select {
		case got := <-from:
			return got, nil
		case <-ctx.Done():
			return handed{}, ctx.Err()
		case <-end.C:
			return handed{}, withHint(fmt.Errorf("nobody logged in within %s", browserPatience), "gatehouse user login")
		case <-tick.C:
			left -= time.Minute
			c.note("Still waiting, for %d more minutes. Ctrl-C ends it.", int(left/time.Minute))
		}
	}
}

// handed is what the browser brought.
type handed struct {
	code    string
	refused bool
}

// waiting is the page that the browser is sent to. It takes one answer.
type waiting struct {
	host   string // ours: a page that only pretends to be here names another
	state  string
	handed chan handed
}

// ServeHTTP takes the answer that has our state. Anything else changes nothing.
func (w *waiting) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	h, q := rw.Header(), r.URL.Query()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if r.Method != http.MethodGet || r.URL.Path != "/callback" || r.Host != w.host {
		rw.WriteHeader(http.StatusNotFound)
		return
	}
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(w.state)) != 1 {
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(rw, "This is not the answer that the program in your terminal waits for.\n")
		return
	}
	got, text := handed{code: q.Get("code")}, "The program in your terminal goes on by itself. You can close this page.\n"
	if got.code == "" {
		got.refused, text = true, "The program was not logged in. You can close this page.\n"
	}
	select {
	case w.handed <- got:
	default: // it had its answer
	}
	_, _ = io.WriteString(rw, text)
}
