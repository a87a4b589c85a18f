package login

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/session"
	"gatehouse/sso"
)

// An Outcome is a finished login.
type Outcome struct {
	User     account.User
	Text     string // the session token, whole; given once
	Token    session.Token
	ReturnTo string // a path of ours that only reads
}

// Finish ends a login in the browser that began it: the one place where a
// session begins. In one transaction the flow is used up, the person found or
// made, and the session issued. b learns how this browser logged in.
//
// It returns fault.Denied with code login_in_another_browser, user_deactivated,
// authentication_method_disabled, unknown_user_sso_login_attempt, email_missing
// or email_taken, and fault.NotFound with code login_expired. After a refusal
// the flow is still there until it expires, so that loading the page again
// says the same.
func (l *Login) Finish(ctx context.Context, flowID string, b *session.Browser, c Client) (Outcome, error) {
	var out Outcome
	err := l.Store.Tx(ctx, func(ctx context.Context) error {
		now := l.Now()
		f, err := l.Store.TakeFlow(ctx, flowID, sso.BrowserHash(b.Secret), now)
		if errors.Is(err, fault.NotFound) {
			return l.whyNot(ctx, flowID, now)
		}
		if err != nil {
			return err
		}
		grant, err := l.grant(ctx, f, c)
		if err != nil {
			return err
		}
		if out.User, err = l.who(ctx, f, now); err != nil {
			return err
		}
		if out.User.State != account.ActiveUser {
			return errDeactivated()
		}
		grant.UserID = out.User.ID
		out.Text, out.Token, err = l.Tokens.Issue(ctx, grant)
		return err
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("finish login: %w", err)
	}
	out.ReturnTo = SafeReturn(b.Return(flowID))
	b.Proof = l.proof(out.User.ID, b.Secret)
	if out.Token.Method.Kind == session.SAML {
		b.Used(out.Token.Method.ID)
	}
	return out, nil
}

// whyNot tells a flow that is somebody else's from one that is over.
func (l *Login) whyNot(ctx context.Context, flowID string, now time.Time) error {
	if _, err := l.Store.Flow(ctx, flowID, now); err == nil {
		return fault.Denied.Errorf("This login was started in another browser, so it cannot end here. Start again in this one. If you did not start a login, somebody may have sent you theirs: close this page.").Coded("login_in_another_browser")
	} else if !errors.Is(err, fault.NotFound) {
		return err
	}
	return fault.NotFound.Errorf("This login is over: it was finished already, or its ten minutes have passed. Start again from the login page.").Coded("login_expired")
}

// grant asks once more whether the method may be used: it may have been
// disabled since the answer came.
func (l *Login) grant(ctx context.Context, f Flow, c Client) (session.Grant, error) {
	g := session.Grant{Method: f.Method, LoggedIn: f.AnsweredAt, UserAgent: c.UserAgent, IP: c.IP, Ends: f.Claim.SessionEnds}
	if f.Method.Kind != session.SAML {
		return g, nil
	}
	standing, err := l.Store.Standing(ctx, f.Method.ID)
	if errors.Is(err, fault.NotFound) {
		return g, errNoMethod()
	}
	if err != nil {
		return g, err
	}
	if !standing.Usable {
		return g, errDisabled()
	}
	g.Lifetime = standing.TokenLifetime
	return g, nil
}

// who finds the person that a flow speaks of, or makes their account where
// they came to sign up. An account is found by its link to the subject, never
// by an address.
func (l *Login) who(ctx context.Context, f Flow, now time.Time) (account.User, error) {
	if f.Method.Kind != session.SAML {
		return l.Store.User(ctx, f.UserID)
	}
	u, err := l.Store.UserByIdentity(ctx, f.Method.ID, f.Claim.SubjectKind, f.Claim.Subject)
	if err == nil {
		return u, l.Store.TouchIdentity(ctx, f.Method.ID, f.Claim.SubjectKind, f.Claim.Subject, f.Claim.Email, now)
	}
	if !errors.Is(err, fault.NotFound) {
		return account.User{}, err
	}
	if f.Purpose != sso.ToSignup {
		return account.User{}, fault.Denied.Errorf("The identity provider knows you, but no account here is linked to you yet. Ask the organization's administrator for the signup link, or, if you have an account here already, for the account link.").Coded("unknown_user_sso_login_attempt")
	}
	return l.signUp(ctx, f, now)
}

// signUp makes an account for a person whom an IdP sent through its signup
// link: bound to the IdP, member of its organization without a role, the
// address unproved.
func (l *Login) signUp(ctx context.Context, f Flow, now time.Time) (account.User, error) {
	if f.Claim.Email == "" {
		return account.User{}, fault.Denied.Errorf("The identity provider did not say what your email address is, and an account needs one. Ask the organization's administrator to send it as an attribute, or to map the attribute that holds it.").Coded("email_missing")
	}
	email, err := account.NormalizeEmail(f.Claim.Email)
	if err != nil {
		return account.User{}, fault.Denied.Errorf("The identity provider gave an email address that cannot be one. Ask the organization's administrator to mend the attribute that holds it.").Coded("email_missing").Because(err)
	}
	standing, err := l.Store.Standing(ctx, f.Method.ID)
	if err != nil {
		return account.User{}, err
	}
	u := account.User{ID: l.NewUserID(), Email: email, RealName: displayName(f.Claim, email), State: account.ActiveUser, CreatedAt: now, UpdatedAt: now}
	if err := l.Store.AddUser(ctx, u, ""); errors.Is(err, fault.Exists) {
		return account.User{}, fault.Denied.Errorf("There is an account with the address %s already. If it is yours, open the organization's account link while you are logged in to it: the administrator has that link.", email).Coded("email_taken")
	} else if err != nil {
		return account.User{}, err
	}
	err = l.Store.AddIdentity(ctx, account.Identity{
		MethodID: f.Method.ID, SubjectKind: f.Claim.SubjectKind, Subject: f.Claim.Subject,
		UserID: u.ID, Email: f.Claim.Email, CreatedAt: now, LastUsedAt: now,
	})
	if err != nil {
		return account.User{}, err
	}
	return u, l.Store.AddMember(ctx, account.Member{OrganizationID: standing.OrganizationID, UserID: u.ID, JoinedAt: now})
}

// displayName is how a new person is called: what the IdP says, as far as it
// is fit to show.
func displayName(c Claim, email string) string {
	local, _, _ := strings.Cut(email, "@")
	for _, name := range []string{c.RealName, strings.TrimSpace(c.FirstName + " " + c.LastName)} {
		if clean, err := account.CleanText(name, "real_name", 256); err == nil && clean != "" {
			return clean
		}
	}
	return local
}

func errDeactivated() *fault.Error {
	return fault.Denied.Errorf("This account is deactivated. Ask an administrator of your organization.").Coded("user_deactivated")
}
