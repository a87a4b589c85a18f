package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"gatehouse/client"
)

type userLogin struct {
	Server
	Email     string `arg:"" optional:"" help:"Your address; needed for --password alone."`
	WithToken bool   `name:"token" xor:"way" help:"Keep a token that you have, instead of logging in."`
	Password  bool   `name:"password" xor:"way" help:"Log in with your password, typed here."`
	NoBrowser bool   `name:"no-browser" xor:"way" help:"Show a code to type into a browser elsewhere."`
}

// Run logs in, and keeps the token for the commands that follow.
func (u userLogin) Run(ctx context.Context, env *Env) error {
	c, err := u.dial(env)
	if err != nil {
		return err
	}
	// A file that cannot be used is no reason to log in first and fail then.
	if _, err := env.Credentials.Load(); err != nil {
		return err
	}
	given := c.Client.Token
	c.Client.Token = ""
	var answer json.RawMessage
	switch {
	case u.WithToken:
		answer, err = c.byToken(ctx, given, u.Email)
	case u.Password:
		answer, err = c.byPassword(ctx, u.Email)
	case u.NoBrowser:
		answer, err = c.byCode(ctx)
	default:
		answer, err = c.byBrowser(ctx)
	}
	if errors.Is(err, errInterrupted) || err != nil && ctx.Err() != nil {
		return &Failure{Err: errors.New("interrupted; nobody was logged in"), Exit: exitInterrupted}
	}
	if err != nil {
		return err
	}
	if err := c.keepInstead(ctx, answer, u.WithToken); err != nil {
		return err
	}
	if u.Email != "" && !strings.EqualFold(u.Email, c.Email) {
		c.note("You logged in as %s, and not as %s.", plain(c.Email), u.Email)
	}
	if given != "" && !u.WithToken {
		c.note("A token is set in the environment. The commands use that one, as long as it is.")
	}
	return c.say(withoutToken(answer), "You are %s at %s.", plain(c.Email), c.Client.URL)
}

// note tells people what goes on. Results have a place of their own.
func (c *Call) note(format string, args ...any) {
	fmt.Fprintf(c.Terminal.Err, format+"\n", args...)
}

// byToken checks a token that somebody has. The answer looks like a login's.
func (c *Call) byToken(ctx context.Context, given, email string) (json.RawMessage, error) {
	token := given
	if token == "" {
		var err error
		if token, err = c.Terminal.secret(ctx, "token", "GATEHOUSE_TOKEN"); err != nil {
			return nil, err
		}
	}
	token, err := tokenOf(token)
	if err != nil {
		return nil, err
	}
	c.Client.Token = token
	text, err := c.get(ctx, "/v1/me")
	if err != nil {
		return nil, err
	}
	var me struct {
		User struct {
			Email string `json:"user"`
			State string `json:"state"`
		} `json:"user"`
	}
	if json.Unmarshal(text, &me) != nil || me.User.Email == "" {
		return nil, errShape
	}
	if email != "" && !strings.EqualFold(email, me.User.Email) {
		return nil, fmt.Errorf("the token belongs to %s, and not to %s; it was not kept", plain(me.User.Email), email)
	}
	return json.Marshal(map[string]string{"state": me.User.State, "token": c.Client.Token, "user_email": me.User.Email})
}

func (c *Call) byPassword(ctx context.Context, email string) (json.RawMessage, error) {
	if email == "" {
		return nil, usage("--password needs your address: gatehouse user login EMAIL --password")
	}
	password, err := c.Terminal.secret(ctx, "password", "GATEHOUSE_PASSWORD", "AIVEN_PASSWORD")
	if err != nil {
		return nil, err
	}
	return c.do(ctx, http.MethodPost, "/v1/userauth", map[string]string{"email": email, "password": password})
}

// programName is what the server's pages call this program. Of the machine's
// name only what is plain in an address is kept.
func programName() string {
	host, err := os.Hostname()
	if err != nil {
		return "gatehouse"
	}
	host = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return -1
	}, host)
	if host == "" {
		return "gatehouse"
	}
	return "gatehouse on " + host[:min(len(host), 27)]
}

// tokenName is what a path names a token by: its prefix, as proxies write paths
// to their logs.
func tokenName(token string) string {
	const prefix = 12 // characters, no two tokens of a person share them
	return url.PathEscape(token[:min(len(token), prefix)])
}

// logOut ends what a token stands for. The server tells the identity provider
// that a session came from, or says where its person does.
func (c *Call) logOut(ctx context.Context) (json.RawMessage, error) {
	if !strings.HasPrefix(c.Client.Token, "gts_") {
		return c.do(ctx, http.MethodDelete, "/v1/access_token/"+tokenName(c.Client.Token), nil)
	}
	answer, err := c.do(ctx, http.MethodPost, "/v1/me/logout", nil)
	var said struct {
		URL string `json:"saml_logout_url"`
	}
	if err == nil && json.Unmarshal(answer, &said) == nil && said.URL != "" {
		c.note("To log out at your identity provider too, open within ten minutes: %s", said.URL)
	}
	return answer, err
}

type userLogout struct {
	Server
	NoTokenRevoke bool `name:"no-token-revoke" help:"Forget the token, and let it count on until it ends."`
}

// Run ends the session and forgets it. Where the server cannot be told, nothing
// is forgotten: the token would count on, and nobody could end it any more.
func (u userLogout) Run(ctx context.Context, env *Env) error {
	c, err := u.open(env)
	if err != nil {
		return err
	}
	answer := json.RawMessage(`{"message":"Logged out"}`)
	if !u.NoTokenRevoke {
		var over *client.Error
		answer, err = c.logOut(ctx)
		switch {
		case errors.As(err, &over) && (over.Status == http.StatusUnauthorized || over.Status == http.StatusNotFound):
			c.note("The token did not count any more.")
			answer = json.RawMessage(`{"message":"Logged out"}`)
		case err != nil && c.Email != "":
			c.note("The token still counts, and is kept. To forget it all the same: gatehouse user logout --no-token-revoke")
			return err
		case err != nil:
			return err
		}
	}
	if c.Email == "" && u.NoTokenRevoke {
		return usage("the token was given with the command, and nothing is kept of it: there is nothing to forget")
	}
	if c.Email == "" {
		return c.say(answer, "The token that was given is revoked: take it out of the environment.")
	}
	if err := env.Credentials.Forget(c.Client.URL); err != nil {
		return err
	}
	return c.say(answer, "You are logged out of %s.", c.Client.URL)
}
