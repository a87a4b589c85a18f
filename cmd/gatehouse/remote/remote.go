// Package remote holds the commands that call a server, wherever it is: what
// the console offers, for a terminal and for programs.
//
// A command is a struct of flags with a method Run. What it prints is a table
// for people, or with --json the server's answer as it is. What fails is a
// sentence, with a hint below it where something can be done.
package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/client"
)

// Server says which server a command calls, and as whom.
type Server struct {
	URL   string `name:"url" help:"Address of the server; otherwise the one that was logged in to last." placeholder:"URL" env:"GATEHOUSE_URL,AIVEN_WEB_URL"`
	Token string `name:"auth-token" help:"Token to use instead of the one that a login left. Others on this machine can see what is typed here: prefer the environment." placeholder:"TOKEN" env:"GATEHOUSE_TOKEN,AIVEN_AUTH_TOKEN,AIVEN_TOKEN"`
	JSON  bool   `name:"json" help:"Print the server's answer as JSON."`
}

// Env is the world that commands run in.
type Env struct {
	Terminal    *Terminal
	Credentials *Credentials
	Version     string // of this program

	// Getenv reads the environment.
	Getenv func(string) string

	// Open has a browser open an address; it reports whether one could be
	// started.
	Open func(url string) bool
}

// A Call is a command on its way: a server, and somewhere to print.
type Call struct {
	*Env
	Client *client.Client
	Email  string // who logged in, where a login left the token
	json   bool
}

// errNotLoggedIn is the failure of whoever has no token.
var errNotLoggedIn = withHint(errors.New("you are not logged in"), "gatehouse user login, or set GATEHOUSE_TOKEN").exits(3)

// open gives a call to a server with a token: of a flag, of the environment,
// or of the login that was last at this server.
func (s Server) open(env *Env) (*Call, error) {
	c, err := s.dial(env)
	if err != nil {
		return nil, err
	}
	if c.Client.Token != "" {
		return c, nil
	}
	kept, err := env.Credentials.Load()
	if err != nil {
		return nil, err
	}
	login, there := kept.at(c.Client.URL)
	if !there && len(kept.Logins) > 0 && s.URL != "" {
		return nil, withHint(fmt.Errorf("you are not logged in to %s, but to %s", c.Client.URL, kept.Current), "gatehouse user login --url "+c.Client.URL).exits(3)
	}
	if !there {
		return nil, errNotLoggedIn
	}
	c.Client.Token, c.Email = login.Token, login.Email
	return c, nil
}

// dial gives a call to a server, for whoever needs no login.
func (s Server) dial(env *Env) (*Call, error) {
	address := s.URL
	if address == "" {
		kept, err := env.Credentials.Load()
		if err != nil {
			return nil, err
		}
		address = cmp.Or(kept.Current, "http://127.0.0.1:8080")
	}
	base, err := serverURL(address)
	if err != nil {
		return nil, err
	}
	token, err := tokenOf(s.Token)
	if err != nil {
		return nil, err
	}
	return &Call{
		Env:    env,
		Client: &client.Client{URL: base, Token: token, Agent: "gatehouse/" + env.Version},
		json:   s.JSON,
	}, nil
}

// tokenOf gives a token as somebody typed or set it. What no request can carry
// is said here: otherwise the server would seem to be away.
func tokenOf(text string) (string, error) {
	token := strings.TrimSpace(text)
	if strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", usage("the token holds blanks or characters that no token has: give it alone, on one line")
	}
	return token, nil
}

// serverURL checks an address, and gives it as logins are kept by it. Tokens
// go in the clear only to this machine.
func serverURL(text string) (string, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(text), "/"))
	switch {
	case strings.Contains(text, "@"):
		return "", usage("--url holds a user name or a password; it takes an address such as https://sso.company.example")
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return "", usage("--url %q is no address of a server, such as https://sso.company.example", text)
	case u.Scheme != "https" && u.Scheme != "http":
		return "", usage("--url %q has to begin with https://", text)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "", usage("--url %q would send your token in the clear: use https://", text)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u.String(), nil
}

// get asks for something, and prints it as it is where JSON is wanted.
func (c *Call) get(ctx context.Context, path string) (json.RawMessage, error) {
	return c.do(ctx, http.MethodGet, path, nil)
}

// tellAfter is how long a request may take before people are told that it does.
const tellAfter = 3 * time.Second

// do makes a request and gives the answer as it is.
func (c *Call) do(ctx context.Context, method, path string, in any) (json.RawMessage, error) {
	var out json.RawMessage
	slow := time.AfterFunc(tellAfter, func() { c.note("Waiting for %s…", c.Client.URL) })
	defer slow.Stop()
	err := c.Client.Do(ctx, method, path, in, &out)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil, errInterrupted
	}
	if err != nil {
		return nil, explain(err)
	}
	return out, nil
}

// show prints an answer: as JSON, or the rows that are under a key of it (all
// of it, where key is empty) as a table of columns.
func (c *Call) show(answer json.RawMessage, key string, columns ...string) error {
	if c.json {
		return c.Terminal.json(answer)
	}
	rows, err := rowsOf(answer, key)
	if err != nil {
		return err
	}
	return c.Terminal.table(rows, columns)
}

// say prints a sentence to people, and the answer to programs.
func (c *Call) say(answer json.RawMessage, format string, args ...any) error {
	if c.json {
		return c.Terminal.json(answer)
	}
	return c.Terminal.line(format, args...)
}
