package login

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/session"
	"gatehouse/sso"
)

// A Step is what comes next in a login that is being finished: one of the two.
type Step struct {
	Done *Outcome
	Ask  *Question
}

// An Outcome is a finished login.
type Outcome struct {
	User     account.User
	Text     string // the session token, whole; given once; empty where an account was linked
	Token    session.Token
	Linked   bool   // the account of the open session was linked; there is no new session
	ReturnTo string // a path of ours that only reads
}

// A Question has to be answered by the person before a login ends.
type Question struct {
	Kind     QuestionKind
	MethodID string       // am…; empty for a password
	As       string       // who it would be: a name, an address, or a subject
	Subject  string       // AskLink: what the IdP calls them
	Loses    []string     // AskClaim: the names of the organizations that the account leaves
	Present  account.User // whose session is open in this browser; zero if nobody's
}

// A QuestionKind is what a person is asked.
type QuestionKind string

// The questions.
const (
	AskContinue QuestionKind = "continue" // somebody else's session is open here: end it?
	AskAccept   QuestionKind = "accept"   // the login started at the IdP: is it yours?
	AskLink     QuestionKind = "link"     // link this account to that subject?

	// AskClaim: an account has the address, which nobody proved; take it from
	// whoever made it, with all that they left in it? A yes answers the other
	// questions of a login too.
	AskClaim QuestionKind = "claim"
)

// Key stands for a question: what a page shows changes it. A yes counts for the
// question that it was said to and no other. It is no secret, and proves
// nothing: only the browser that began the login can answer.
func (q Question) Key() string {
	sum := sha256.New()
	for _, part := range append([]string{string(q.Kind), q.MethodID, q.As, q.Subject, q.Present.ID}, q.Loses...) {
		fmt.Fprintf(sum, "%d %s\n", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// A Finish says how a login is to be finished.
type Finish struct {
	FlowID  string
	Browser *session.Browser // that asks; it learns how it logged in
	Client  Client
	Present session.Bearer // the session that is open in the browser; zero if none is

	// Yes is the Question.Key of what the person was asked, and said yes to, by
	// a POST from our page; empty if they were not asked. Where another
	// question is to be asked by now, they are asked that one.
	Yes string
}

// asked leaves a transaction to ask first: nothing of it stays.
type asked struct{ Question }

func (asked) Error() string { return "the person has to be asked first" }

// Finish ends a login in the browser that began it: the one place where a
// session begins. In one transaction the flow is used up, the person found or
// made, and the session issued; or nothing is, and the person is asked first.
//
// It returns fault.Denied with code login_in_another_browser, user_deactivated,
// authentication_method_disabled, unknown_user_sso_login_attempt, email_missing,
// email_taken, or one of those of linking; and fault.NotFound with code
// login_expired, or fault.TooMany where too many flows were asked for that were
// not there for whoever asked. After a refusal the flow is still there until it
// expires, so that loading the page again says the same.
func (l *Login) Finish(ctx context.Context, in Finish) (step Step, err error) {
	err = l.guess(ctx, flowsByAddress, in.Client, func() error {
		step, err = l.finishBound(ctx, in)
		return err
	}, "login_expired", "login_in_another_browser")
	return step, err
}

// finishBound finishes a login, in the browser that it is given to first where
// it began in none.
func (l *Login) finishBound(ctx context.Context, in Finish) (Step, error) {
	step, err := l.finish(ctx, in)
	if !errors.Is(err, errUnbound) {
		return step, err
	}
	if err := l.Store.BindFlow(ctx, in.FlowID, sso.BrowserHash(in.Browser.Secret), l.Now()); err != nil {
		return Step{}, fmt.Errorf("bind flow: %w", err)
	}
	return l.finish(ctx, in)
}

// errUnbound says that a flow belongs to no browser yet.
var errUnbound = errors.New("the flow has no browser yet")

func (l *Login) finish(ctx context.Context, in Finish) (Step, error) {
	var out Outcome
	var f Flow
	err := l.Store.Tx(ctx, func(ctx context.Context) (err error) {
		f, err = l.Store.TakeFlow(ctx, in.FlowID, sso.BrowserHash(in.Browser.Secret), l.Now())
		if errors.Is(err, fault.NotFound) {
			return l.whyNot(ctx, in.FlowID)
		}
		if err != nil {
			return err
		}
		if f.Purpose == sso.ToLink {
			out, err = l.link(ctx, f, in)
		} else {
			out, err = l.logIn(ctx, f, in)
		}
		if err != nil {
			return err
		}
		return l.Traces.finished(ctx, f, out, in.Client)
	})
	if q := (asked{}); errors.As(err, &q) {
		return Step{Ask: &q.Question}, nil
	}
	if err != nil {
		return Step{}, l.Traces.ended(ctx, f, fmt.Errorf("finish login: %w", err))
	}
	l.remember(in.Browser, f, &out)
	return Step{Done: &out}, nil
}

// remember lets the browser know what it did.
func (l *Login) remember(b *session.Browser, f Flow, out *Outcome) {
	out.ReturnTo = SafeReturn(f.ReturnTo)
	if to := b.Return(f.ID); to != "" {
		out.ReturnTo = SafeReturn(to)
	}
	b.Bounced = ""
	if out.Linked {
		return
	}
	b.Proof = l.proof(out.User.ID, b.Secret)
	if f.Method.Kind == session.SAML {
		b.Used(f.Method.ID)
	}
}

// whyNot tells a flow that is somebody else's from one that is over.
func (l *Login) whyNot(ctx context.Context, flowID string) error {
	f, err := l.Store.Flow(ctx, flowID, l.Now())
	if err == nil && f.Confirm && f.Browser == [16]byte{} {
		return errUnbound
	}
	if err == nil {
		return fault.Denied.Errorf("This login was started in another browser, so it cannot end here. Start again in this one. If you did not start a login, somebody may have sent you theirs: close this page.").Coded("login_in_another_browser")
	}
	if !errors.Is(err, fault.NotFound) {
		return err
	}
	return fault.NotFound.Errorf("This login is over: it was finished already, or its ten minutes have passed. Start again from the login page.").Coded("login_expired")
}

// logIn makes a flow a session.
func (l *Login) logIn(ctx context.Context, f Flow, in Finish) (Outcome, error) {
	grant, standing, err := l.grant(ctx, f, in.Client)
	if err != nil {
		return Outcome{}, err
	}
	organizationID := standing.OrganizationID
	u, answered, err := l.who(ctx, f, standing, in)
	if err != nil {
		return Outcome{}, err
	}
	if u.State != account.ActiveUser {
		return Outcome{}, errDeactivated()
	}
	if q, ask := question(f, u, in); ask && !answered {
		return Outcome{}, asked{q}
	}
	if err := l.followGroups(ctx, f, standing, u, in.Client); err != nil {
		return Outcome{}, err
	}
	if err := l.admitted(ctx, u, grant, organizationID); err != nil {
		return Outcome{}, err
	}
	grant.UserID = u.ID
	out := Outcome{User: u}
	if out.Text, out.Token, err = l.Tokens.Issue(ctx, grant); err != nil {
		return Outcome{}, err
	}
	return out, l.recordLogin(ctx, u, out.Token, organizationID, f.Claim.Allowed, in.Client)
}

// question says whether a person has to be asked before they become u.
func question(f Flow, u account.User, in Finish) (Question, bool) {
	q := Question{MethodID: f.Method.ID, As: u.RealName + " (" + u.Email + ")", Present: in.Present.User}
	switch {
	case f.Confirm:
		q.Kind = AskAccept
	case in.Present.User.ID != "" && in.Present.User.ID != u.ID:
		q.Kind = AskContinue
	default:
		return Question{}, false
	}
	return q, in.Yes != q.Key()
}

// grant asks once more whether the method may be used: it may have been
// disabled since the answer came. It gives the standing of the method too, which
// is empty but for an identity provider's; of a recovery it has the
// organization.
func (l *Login) grant(ctx context.Context, f Flow, c Client) (session.Grant, Standing, error) {
	g := session.Grant{Method: f.Method, LoggedIn: f.AnsweredAt, UserAgent: c.UserAgent, IP: c.IP, Ends: f.Claim.SessionEnds}
	switch f.Method.Kind {
	case session.Recovery:
		g, organizationID, err := l.Recovery.grant(ctx, f, g)
		return g, Standing{OrganizationID: organizationID}, err
	case session.Password:
		return g, Standing{}, nil
	}
	standing, err := l.standing(ctx, f.Method.ID, domainOf(f.Claim.Email))
	g.Lifetime, g.Extend = standing.TokenLifetime, standing.ExtendTokens
	g.IdP, g.Context = f.Claim.principal(), f.Claim.Context
	return g, standing, err
}

// standing gives a method's standing, if it may be used now. domain is the one
// that it may speak for.
func (l *Login) standing(ctx context.Context, methodID, domain string) (Standing, error) {
	standing, err := l.Store.Standing(ctx, methodID, domain)
	if errors.Is(err, fault.NotFound) {
		return Standing{}, errNoMethod()
	}
	if err != nil {
		return Standing{}, err
	}
	if !standing.Usable {
		return Standing{}, errDisabled()
	}
	return standing, nil
}

// who finds the person that a flow speaks of, or makes their account where
// they came to sign up. An account is found by its link to the subject; by an
// address only where the identity provider speaks for it, see judgeHolder.
// answered says that the person was asked already, and said yes.
func (l *Login) who(ctx context.Context, f Flow, standing Standing, in Finish) (u account.User, answered bool, err error) {
	if f.Method.Kind == session.Password {
		if err := l.touchPassword(ctx, f.UserID, f.AnsweredAt, in.Client); err != nil {
			return account.User{}, false, err
		}
	}
	if f.Method.Kind != session.SAML {
		u, err = l.Store.User(ctx, f.UserID)
		return u, false, err
	}
	u, err = l.Store.UserByIdentity(ctx, f.Method.ID, f.Claim.SubjectKind, f.Claim.Subject)
	switch {
	case err == nil:
		if err := l.Store.TouchIdentity(ctx, identityOf(f, u.ID, l.Now(), in.Client)); err != nil {
			return account.User{}, false, err
		}
		u, err = l.follow(ctx, f, standing, u, in.Client)
	case !errors.Is(err, fault.NotFound):
	case standing.Speaks:
		return l.belongs(ctx, f, standing, in)
	case f.Purpose == sso.ToSignup:
		u, err = l.signUp(ctx, f, standing, in.Client)
	default:
		err = fault.Denied.Errorf("The identity provider knows you, but no account here is linked to you yet. Ask the organization's administrator for the signup link, or, if you have an account here already, for the account link.").Coded("unknown_user_sso_login_attempt")
	}
	return u, false, err
}

// signUp makes an account for a person whom an IdP sent through its signup
// link: bound to the IdP, member of its organization without a role, the
// address unproved.
func (l *Login) signUp(ctx context.Context, f Flow, standing Standing, c Client) (account.User, error) {
	if f.Claim.Email == "" {
		return account.User{}, fault.Denied.Errorf("The identity provider did not say what your email address is, and an account needs one. Ask the organization's administrator to send it as an attribute, or to map the attribute that holds it.").Coded("email_missing")
	}
	email, err := account.NormalizeEmail(f.Claim.Email)
	if err != nil {
		return account.User{}, fault.Denied.Errorf("The identity provider gave an email address that cannot be one. Ask the organization's administrator to mend the attribute that holds it.").Coded("email_missing").Because(err)
	}
	now := l.Now()
	u := account.User{Email: email, RealName: displayName(f.Claim, email), State: account.ActiveUser, CreatedAt: now, UpdatedAt: now}
	err = l.addPerson(ctx, &u)
	if errors.Is(err, fault.Exists) {
		// It may be their own: another tab was quicker.
		if u, err := l.Store.UserByIdentity(ctx, f.Method.ID, f.Claim.SubjectKind, f.Claim.Subject); err == nil {
			return u, nil
		}
		return account.User{}, fault.Denied.Errorf("There is an account with the address %s already. If it is yours, open the organization's account link while you are logged in to it: the administrator has that link.", email).Coded("email_taken")
	}
	if err != nil {
		return account.User{}, err
	}
	if err := l.bind(ctx, f, standing, u, c); err != nil {
		return account.User{}, err
	}
	if l.Addresses != nil {
		if err := l.Addresses.Ask(ctx, u, c.IP); err != nil {
			return account.User{}, err
		}
	}
	return u, l.recordSubject(ctx, audit.UserSignUp, u, standing.OrganizationID, c, subjectOf(f))
}

// addPerson gives a new person without a password an id, and keeps them.
func (l *Login) addPerson(ctx context.Context, u *account.User) error {
	return ident.Retry(account.IDTaken, func() error {
		u.ID = l.NewUserID()
		return l.Store.AddUser(ctx, *u, "")
	})
}

// identityOf binds the subject of a flow to a user.
func identityOf(f Flow, userID string, now time.Time, c Client) account.Identity {
	return account.Identity{
		MethodID: f.Method.ID, SubjectKind: f.Claim.SubjectKind, Subject: f.Claim.Subject,
		UserID: userID, Email: f.Claim.Email, CreatedAt: now, LastUsedAt: now, LastIP: c.IP, LastContext: f.Claim.Context,
	}
}

// displayName is how a new person is called: what the IdP says, as far as it
// is fit to show.
func displayName(c Claim, email string) string {
	if name := claimedName(c); name != "" {
		return name
	}
	local, _, _ := strings.Cut(email, "@")
	return local
}

// claimedName is how the IdP calls somebody, or nothing.
func claimedName(c Claim) string {
	for _, name := range []string{c.RealName, strings.TrimSpace(c.FirstName + " " + c.LastName)} {
		if clean, err := account.CleanText(name, "real_name", 256); err == nil && clean != "" {
			return clean
		}
	}
	return ""
}

func errDeactivated() *fault.Error {
	return fault.Denied.Errorf("This account is deactivated. Ask an administrator of your organization.").Coded("user_deactivated")
}
