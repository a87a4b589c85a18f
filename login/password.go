package login

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/session"
	"gatehouse/sso"
)

// Password finds the person that an address and a password belong to. browser
// may be nil. It returns fault.Denied with code authentication_failed or
// user_deactivated, fault.TooMany, and fault.Unavailable when too many
// passwords are being checked.
func (l *Login) Password(ctx context.Context, email, password string, browser *session.Browser, c Client) (account.User, error) {
	u, _, err := l.password(ctx, email, password, browser, c)
	return u, err
}

// password is Password, and gives what is kept of the password, too.
func (l *Login) password(ctx context.Context, email, password string, browser *session.Browser, c Client) (u account.User, hash string, err error) {
	if err := account.CheckTypedPassword(password); err != nil {
		return account.User{}, "", err
	}
	if email, err = account.NormalizeEmail(email); err != nil {
		return account.User{}, "", err
	}
	u, hash, err = l.Store.UserWithPassword(ctx, email)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return account.User{}, "", fmt.Errorf("find user: %w", err)
	}
	forget, err := l.countGuess(ctx, email, u.ID, browser, c)
	if err != nil {
		return account.User{}, "", err
	}
	match, err := l.Passwords.Matches(ctx, hash, password)
	if err != nil {
		return account.User{}, "", err
	}
	if !match || u.ID == "" {
		return account.User{}, "", l.Traces.wrongPassword(u, l.wrongPassword(ctx, email), c)
	}
	forget()
	if u.State != account.ActiveUser {
		return account.User{}, "", l.Traces.wrongPassword(u, errDeactivated(), c)
	}
	return u, hash, nil
}

// wrongPassword is the answer to a password that is not right, which says how
// else the domain of the address logs in.
func (l *Login) wrongPassword(ctx context.Context, email string) error {
	o, err := l.offers(ctx, email)
	if err != nil {
		return err
	}
	return errWrongPassword(o, l.Base)
}

// countGuess counts an attempt before it is known to be right: otherwise many
// at once would all be let through. forget gives the attempts back.
func (l *Login) countGuess(ctx context.Context, email, userID string, b *session.Browser, c Client) (forget func(), err error) {
	address := limit.Address(c.IP)
	if b != nil && userID != "" && l.known(userID, *b) {
		key := userID + " " + b.Secret
		if err := l.Limits.Take(ctx, guessesByKnown, key); err != nil {
			return nil, err
		}
		return func() { _ = l.Limits.Forget(ctx, guessesByKnown, key) }, nil
	}
	counted := []struct {
		rule limit.Rule
		key  string
	}{
		{guessesByBoth, email + " " + address},
		{guessesByAddress, address},
		{guessesByAccount, email},
	}
	// All are asked before any is counted: what one refuses must not use up
	// the others.
	for _, c := range counted {
		if err := l.Limits.Check(ctx, c.rule, c.key); err != nil {
			return nil, err
		}
	}
	for _, c := range counted {
		if err := l.Limits.Take(ctx, c.rule, c.key); err != nil {
			return nil, err
		}
	}
	return func() {
		for _, c := range counted {
			_ = l.Limits.Return(ctx, c.rule, c.key)
		}
	}, nil
}

// AnswerPassword checks a password that was typed into a page, and keeps a
// flow for the same browser to finish. It returns what Password does.
func (l *Login) AnswerPassword(ctx context.Context, email, password string, b *session.Browser, returnTo string, c Client) (flowID string, err error) {
	u, err := l.Password(ctx, email, password, b, c)
	if err != nil {
		return "", err
	}
	return l.keepPassword(ctx, u, b, returnTo)
}

// keepPassword keeps the flow of a person who proved a password.
func (l *Login) keepPassword(ctx context.Context, u account.User, b *session.Browser, returnTo string) (string, error) {
	now := l.Now()
	f := Flow{
		ID:         ident.Secret(32),
		Browser:    sso.BrowserHash(b.Secret),
		Method:     session.Method{Kind: session.Password},
		Purpose:    sso.ToLogin,
		UserID:     u.ID,
		AnsweredAt: now,
		ExpiresAt:  now.Add(sso.TicketLifetime),
	}
	if err := l.Store.AddFlow(ctx, f); err != nil {
		return "", fmt.Errorf("keep flow: %w", err)
	}
	b.Remember(f.ID, SafeReturn(returnTo))
	return f.ID, nil
}

// PasswordToken logs a program in with a password: a session token at once.
func (l *Login) PasswordToken(ctx context.Context, email, password string, c Client) (account.User, string, session.Token, error) {
	u, err := l.Password(ctx, email, password, nil, c)
	if err != nil {
		return account.User{}, "", session.Token{}, err
	}
	text, t, err := l.issueForPassword(ctx, u, c)
	return u, text, t, err
}

func (l *Login) issueForPassword(ctx context.Context, u account.User, c Client) (text string, t session.Token, err error) {
	err = l.Store.Tx(ctx, func(ctx context.Context) error {
		g := session.Grant{
			UserID:    u.ID,
			Method:    session.Method{Kind: session.Password},
			LoggedIn:  l.Now(),
			UserAgent: c.UserAgent,
			IP:        c.IP,
		}
		if err := l.touchPassword(ctx, u.ID, g.LoggedIn, c); err != nil {
			return err
		}
		if err := l.admitted(ctx, u, g, ""); err != nil {
			return err
		}
		if text, t, err = l.Tokens.Issue(ctx, g); err != nil {
			return err
		}
		return l.recordLogin(ctx, u, t, "", nil, c)
	})
	if err != nil {
		return "", session.Token{}, fmt.Errorf("issue session: %w", err)
	}
	return text, t, nil
}

// touchPassword notes a login by password. Whoever cut the password since it
// was checked has none.
func (l *Login) touchPassword(ctx context.Context, userID string, at time.Time, c Client) error {
	err := l.Store.TouchPassword(ctx, userID, at, c.IP)
	if errors.Is(err, fault.NotFound) {
		return errWrongPassword(Offer{Password: true}, l.Base)
	}
	return err
}

// SignUp makes an account with a password, for a program: with a session token
// at once. It returns fault.Invalid at the field, fault.Exists if the address
// is taken, fault.Denied where signing up is by invitation, and fault.TooMany.
func (l *Login) SignUp(ctx context.Context, n account.NewUser, c Client) (account.User, string, session.Token, error) {
	u, err := l.addUser(ctx, n, c)
	if err != nil {
		return account.User{}, "", session.Token{}, err
	}
	text, t, err := l.issueForPassword(ctx, u, c)
	return u, text, t, err
}

// AnswerSignUp makes an account with a password, from a page, and keeps a flow
// for the same browser to finish. It returns what SignUp does.
func (l *Login) AnswerSignUp(ctx context.Context, n account.NewUser, b *session.Browser, returnTo string, c Client) (flowID string, err error) {
	u, err := l.addUser(ctx, n, c)
	if err != nil {
		return "", err
	}
	return l.keepPassword(ctx, u, b, returnTo)
}

func (l *Login) addUser(ctx context.Context, n account.NewUser, c Client) (account.User, error) {
	if !l.Open {
		return account.User{}, fault.Denied.Errorf("New accounts are made by invitation here. Ask an administrator of your organization.").Coded("signup_by_invitation")
	}
	if err := l.Limits.Take(ctx, signupsByAddress, limit.Address(c.IP)); err != nil {
		return account.User{}, err
	}
	return l.People.Add(ctx, c.actor(account.User{}), n)
}

// proof is what a browser shows to be known as one in which a person has
// logged in. It gives no access; it only keeps others' wrong guesses from
// counting against the person here.
func (l *Login) proof(userID, browserSecret string) string {
	return base64.RawURLEncoding.EncodeToString(l.Keys.MAC("known browser", []byte(userID+" "+browserSecret))[:16])
}

func (l *Login) known(userID string, b session.Browser) bool {
	return hmac.Equal([]byte(b.Proof), []byte(l.proof(userID, b.Secret)))
}
