package login

import (
	"context"
	"errors"
	"fmt"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/session"
)

// ChangePassword gives the person who holds a session or a token another
// password. The present one shows that it is them: a session alone does not,
// however fresh. Every token of theirs ends, and a session begins that goes
// back to a login by the new password; so where the organization that manages
// them does not admit passwords, nothing changes. They are told by mail.
// browser may be nil.
//
// It returns fault.Denied with code no_password, recovery_elsewhere or
// authentication_failed, or as the policy says; fault.Invalid at new_password;
// fault.Conflict where the password was changed meanwhile; and what Password
// does.
func (l *Login) ChangePassword(ctx context.Context, present session.Bearer, old, password string, browser *session.Browser, c Client) (text string, t session.Token, err error) {
	hash, err := l.mayChange(ctx, present, old, password, browser, c)
	if err != nil {
		return "", session.Token{}, err
	}
	changed, err := l.Passwords.Hash(ctx, password)
	if err != nil {
		return "", session.Token{}, err
	}
	u := present.User
	err = l.Store.Tx(ctx, func(ctx context.Context) error {
		if err := l.Store.ChangePassword(ctx, u.ID, hash, changed); err != nil {
			return err
		}
		if _, err := l.Tokens.ExpireAll(ctx, session.Holder{Actor: c.actor(u)}); err != nil {
			return err
		}
		g := session.Grant{UserID: u.ID, Method: session.Method{Kind: session.Password}, LoggedIn: l.Now(), UserAgent: c.UserAgent, IP: c.IP}
		if err := l.Store.TouchPassword(ctx, u.ID, g.LoggedIn, c.IP); err != nil {
			return err
		}
		if err := l.admitted(ctx, u, g, ""); err != nil {
			return err
		}
		if text, t, err = l.Tokens.Issue(ctx, g); err != nil {
			return err
		}
		details := audit.Details{"session": t.Prefix}
		unsent, err := l.tellChanged(ctx, u, passwordChanged, Way{}, c)
		if err != nil {
			return err
		}
		if unsent {
			details["notice"] = "not_sent"
		}
		return l.Audit.Record(ctx, c.actor(u).Did(audit.UserChangePassword, u.ManagingOrganizationID, u.Target(), details))
	})
	if err != nil {
		return "", session.Token{}, fmt.Errorf("change password: %w", err)
	}
	return text, t, nil
}

// mayChange refuses what is no reason to change a password. It gives what is
// kept of the present one.
func (l *Login) mayChange(ctx context.Context, present session.Bearer, old, password string, browser *session.Browser, c Client) (hash string, err error) {
	if present.Method.Kind == session.Recovery {
		return "", fault.Denied.Errorf("A login by a recovery link changes no password. Log in by a way of your own.").Coded("recovery_elsewhere")
	}
	state, err := l.Store.PasswordState(ctx, present.User.ID)
	if err != nil {
		return "", fmt.Errorf("find password: %w", err)
	}
	if !state.Set {
		return "", fault.Denied.Errorf("Your account has no password to change: you log in through an identity provider, and your password there is changed there.").Coded("no_password")
	}
	if err := account.CheckNewPassword(password, present.User.Email); err != nil {
		return "", atNew(err)
	}
	_, hash, err = l.password(ctx, present.User.Email, old, browser, c)
	if f := fault.Of(err); errors.Is(err, fault.Denied) && f.Code == "authentication_failed" {
		return "", fault.Denied.Errorf("The present password is not right.").At("password").Coded("authentication_failed")
	}
	if err == nil && old == password {
		return "", fault.Invalid.Errorf("This is your present password. Choose another one.").At("new_password")
	}
	return hash, err
}

// atNew puts what is wrong with a password at the new one.
func atNew(err error) error {
	if f := fault.Of(err); f != nil {
		return f.At("new_password")
	}
	return err
}
