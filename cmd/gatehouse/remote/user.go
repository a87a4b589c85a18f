package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gatehouse/client"
)

// User is the group of commands about oneself.
type User struct {
	Login          userLogin      `cmd:"" help:"Log in, through a browser unless said otherwise."`
	Logout         userLogout     `cmd:"" help:"End the session, and forget its token."`
	Info           userInfo       `cmd:"" help:"Say who is logged in, and how."`
	Create         userCreate     `cmd:"" help:"Make an account, and log in with it."`
	PasswordChange passwordChange `cmd:"" help:"Change your password. Every token that you have ends."`
	TokensExpire   tokensExpire   `cmd:"" help:"End all your tokens and sessions, the one in use included."`
	AccessToken    accessToken    `cmd:"" help:"Make, list, rename and revoke personal tokens."`
}

type userInfo struct{ Server }

// Run prints who is logged in.
func (u userInfo) Run(ctx context.Context, env *Env) error {
	c, err := u.open(env)
	if err != nil {
		return err
	}
	answer, err := c.get(ctx, "/v1/me")
	if err != nil {
		return err
	}
	return c.show(answer, "user", "user", "real_name", "state", "token_validity_begin", "projects", "auth")
}

type userCreate struct {
	Server
	Email    string `arg:"" help:"Address to log in with."`
	RealName string `name:"real-name" help:"Your name, as others see it; otherwise what stands before the @ of the address."`
}

// Run makes an account, and keeps the token that it comes with.
func (u userCreate) Run(ctx context.Context, env *Env) error {
	c, err := u.dial(env)
	if err != nil {
		return err
	}
	password, err := env.Terminal.newPassword(ctx, "GATEHOUSE_NEW_PASSWORD", "AIVEN_NEW_PASSWORD")
	if err != nil {
		return err
	}
	in := map[string]any{"email": u.Email, "password": password}
	if u.RealName != "" {
		in["real_name"] = u.RealName
	}
	c.Client.Token = ""
	answer, err := c.do(ctx, http.MethodPost, "/v1/user", in)
	if err != nil {
		return err
	}
	if err := c.keepInstead(ctx, answer, false); err != nil {
		return err
	}
	return c.say(withoutToken(answer), "You are %s at %s. If a mail asks you to confirm the address, do.", u.Email, c.Client.URL)
}

// newPassword asks twice.
func (t *Terminal) newPassword(ctx context.Context, variables ...string) (string, error) {
	password, err := t.secret(ctx, "new password", variables...)
	if err != nil || t.Getenv(variables[0]) != "" || len(variables) > 1 && t.Getenv(variables[1]) != "" {
		return password, err
	}
	again, err := t.secret(ctx, "the same again", variables...)
	if err != nil {
		return "", err
	}
	if again != password {
		return "", fmt.Errorf("the two passwords differ; nothing was changed")
	}
	return password, nil
}

// keep keeps the token of an answer for the commands that follow.
func (c *Call) keep(answer json.RawMessage, given bool) error {
	var made struct {
		Token string `json:"token"`
		Email string `json:"user_email"`
	}
	if err := json.Unmarshal(answer, &made); err != nil || made.Token == "" {
		return errShape
	}
	c.Client.Token, c.Email = made.Token, made.Email
	return c.Credentials.Keep(c.Client.URL, Login{Token: made.Token, Email: made.Email, Given: given})
}

// patienceForOlder is how long the end of an older session may take.
const patienceForOlder = 10 * time.Second

// keepInstead keeps the token of an answer, and then ends the session of the
// login that was kept before it at the same server: nobody could end it from
// here any more. A token that was given is its owner's, and goes on.
func (c *Call) keepInstead(ctx context.Context, answer json.RawMessage, given bool) error {
	kept, err := c.Credentials.Load()
	if err != nil {
		return err
	}
	older, there := kept.at(c.Client.URL)
	if err := c.keep(answer, given); err != nil {
		return err
	}
	if !there || older.Given || older.Token == c.Client.Token || !strings.HasPrefix(older.Token, sessionLead) {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, patienceForOlder)
	defer stop()
	as := *c.Client
	as.Token = older.Token
	err = as.Do(ctx, http.MethodDelete, "/v1/access_token/"+tokenName(older.Token), nil, nil)
	if refused := (*client.Error)(nil); err == nil || errors.As(err, &refused) && refused.Status == http.StatusUnauthorized {
		return nil // over, now or before
	}
	c.note("The session of the login before, %s…, could not be ended: %s\nEnd it at %s/profile/tokens", older.Token[:min(len(older.Token), 12)], plain(err.Error()), c.Client.URL)
	return nil
}

// sessionLead is what the token of a session begins with; others were made by
// hand.
const sessionLead = "gts_"

// withoutToken takes the token out of an answer that is to be printed: it is
// kept where only its owner can read it.
func withoutToken(answer json.RawMessage) json.RawMessage {
	var whole map[string]json.RawMessage
	if json.Unmarshal(answer, &whole) != nil {
		return json.RawMessage("{}")
	}
	delete(whole, "token")
	text, err := json.Marshal(whole)
	if err != nil {
		return json.RawMessage("{}")
	}
	return text
}

type passwordChange struct{ Server }

// Run changes the password. The answer holds a new session, which is kept.
func (p passwordChange) Run(ctx context.Context, env *Env) error {
	c, err := p.open(env)
	if err != nil {
		return err
	}
	old, err := env.Terminal.secret(ctx, "present password", "GATEHOUSE_PASSWORD", "AIVEN_PASSWORD")
	if err != nil {
		return err
	}
	password, err := env.Terminal.newPassword(ctx, "GATEHOUSE_NEW_PASSWORD", "AIVEN_NEW_PASSWORD")
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPut, "/v1/me/password", map[string]any{"password": old, "new_password": password})
	if err != nil {
		return err
	}
	// Only a login that is kept goes on: a token that was given is over, and
	// whoever gave it has to know.
	if c.Email != "" {
		if err := c.keep(answer, false); err != nil {
			return err
		}
	}
	return c.say(withoutToken(answer), "Your password is changed. Every other token and session of yours has ended.")
}

type tokensExpire struct{ Server }

// Run ends all tokens.
func (t tokensExpire) Run(ctx context.Context, env *Env) error {
	c, err := t.open(env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, "/v1/me/expire_tokens", nil)
	if err != nil {
		return err
	}
	if c.Email != "" {
		if err := c.Credentials.Forget(c.Client.URL); err != nil {
			return err
		}
	}
	return c.say(answer, "%s", messageOf(answer))
}

// messageOf is the sentence of an answer.
func messageOf(answer json.RawMessage) string {
	var said struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(answer, &said)
	return plain(said.Message)
}
