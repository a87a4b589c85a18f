package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gatehouse/internal/seal"
	"gatehouse/session"
	"gatehouse/store"
)

// api measures one request of the JSON API, an organization's, which passes
// token, policy and permission, beside a bare handler of net/http that answers
// with the same bytes: with a token that the server knows already, and with
// one that it meets for the first time at each request.
func (b *bench) api(ctx context.Context, s *server, c *client, folder string) error {
	path, who, err := c.place()
	if err != nil {
		return err
	}
	body, err := c.get(s.base+path, c.token)
	if err != nil {
		return err
	}
	bare, err := startBare(ctx, body, folder)
	if err != nil {
		return err
	}
	defer bare.stop()
	tokens, err := b.tokens(ctx, folder, who, b.cold)
	if err != nil {
		return fmt.Errorf("make tokens: %w", err)
	}
	fmt.Printf("\none request of %d bytes: %s\n\n", len(body), path)
	fmt.Println("| what | per second | p50 | p99 | server CPU each | server memory |")
	fmt.Println("|---|---|---|---|---|---|")
	ask := func(base string, token func(i int) string) func(int) error {
		return func(i int) error { _, err := c.get(base+path, token(i)); return err }
	}
	same := func(int) string { return c.token }
	for range 2 { // the first run warms both up
		if err := b.measure(bare, "a bare handler", b.requests, ask(bare.base, same)); err != nil {
			return err
		}
		if err := b.measure(s, "a token that is known", b.requests, ask(s.base, same)); err != nil {
			return err
		}
	}
	return b.measure(s, "a token that is met for the first time", b.cold, ask(s.base, func(i int) string { return tokens[i] }))
}

// place gives the path of the benchmark's organization, and who asks.
func (c *client) place() (path, userID string, err error) {
	var me struct {
		User struct {
			ID string `json:"user_id"`
		} `json:"user"`
	}
	var list struct {
		Organizations []struct {
			ID string `json:"organization_id"`
		} `json:"organizations"`
	}
	for at, into := range map[string]any{"/v1/me": &me, "/v1/organizations": &list} {
		text, err := c.get(c.base+at, c.token)
		if err != nil {
			return "", "", err
		}
		if err := json.Unmarshal(text, into); err != nil {
			return "", "", err
		}
	}
	if len(list.Organizations) == 0 {
		return "", "", fmt.Errorf("there is no organization")
	}
	return "/v1/organization/" + list.Organizations[0].ID, me.User.ID, nil
}

func (c *client) get(url, token string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %d: %.200s", url, answer.StatusCode, text)
	}
	return text, err
}

// tokens makes session tokens of one person behind the server's back.
func (b *bench) tokens(ctx context.Context, folder, userID string, n int) ([]string, error) {
	keys, err := seal.Load(filepath.Join(folder, "data", "keys"))
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Config{Folder: filepath.Join(folder, "data"), DatabaseURL: b.database, Keys: keys})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	issuer := &session.Tokens{Store: db, Lifetime: time.Hour, Now: time.Now}
	texts := make([]string, 0, n)
	for len(texts) < n {
		var some []string
		err := db.Tx(ctx, func(ctx context.Context) error {
			some = some[:0]
			for range min(500, n-len(texts)) {
				text, _, err := issuer.Issue(ctx, session.Grant{UserID: userID, Method: session.Method{Kind: session.Password}, LoggedIn: time.Now()})
				if err != nil {
					return err
				}
				some = append(some, text)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		texts = append(texts, some...)
	}
	return texts, nil
}

// startBare starts this program once more, as the server that costs nothing.
func startBare(ctx context.Context, body []byte, folder string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	file := filepath.Join(folder, "bare")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-bare", file, "-listen", address)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd, "http://" + address}
	for range 100 {
		if r, err := http.Get(s.base); err == nil {
			r.Body.Close()
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.stop()
	return nil, fmt.Errorf("the bare server did not answer within five seconds")
}

// serveBare answers every request with the bytes of a file.
func serveBare(file, listen string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return http.ListenAndServe(listen, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
}
