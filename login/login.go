// Package login takes a person from the first question to a session.
//
// A login is a flow. It begins by sending the browser to an identity provider,
// or with a password; an answer that holds is written down as a flow; and the
// browser that began it finishes it, at one place ([Login.Finish]), whatever
// the way in was. Steps never lead to one another: each sends the browser back
// to that place.
//
// Nothing is stored before an answer has been verified: a request to an IdP
// carries its own ticket. What is used once (requests, assertions, flows) is
// used in one statement of one transaction, on whichever node.
package login

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/internal/mail"
	"gatehouse/internal/seal"
	"gatehouse/policy"
	"gatehouse/session"
	"gatehouse/sso"
)

// A Flow is a login whose answer holds and that its browser has yet to finish.
type Flow struct {
	ID         string   // 128 bits, hexadecimal
	Browser    [16]byte // sso.BrowserHash of the browser that began it
	Method     session.Method
	Purpose    sso.Purpose
	UserID     string   // who it is, where the answer says so itself (a password)
	Claim      Claim    // what an IdP said, where one did
	Session    [16]byte // sso.ToLink: the beginning of the hash of the session that asked
	ReturnTo   string   // where it leads, of a login that started at the IdP; else the browser knows
	Confirm    bool     // its person is asked: another site began it, or it started at the IdP (then Browser is zero until one opens it)
	AnsweredAt time.Time
	ExpiresAt  time.Time

	TraceID string // of the trace of the answer; empty if none is kept
}

// A Claim is what an identity provider said of a person.
type Claim struct {
	SubjectKind string
	Subject     string
	Email       string
	FirstName   string
	LastName    string
	RealName    string
	Groups      []string  // ug…: the IdP-managed groups that it named, where they are followed
	Allowed     []string  // what the method had to admit: sso.Allowance
	SessionEnds time.Time // zero: not said
	Context     string    // AuthnContextClassRef; empty if it is not said, or too long for any policy to name

	// What it calls the person and the session, for the logout; empty if that
	// is too long to be kept.
	NameID       sso.NameID
	NameKey      string // sso.IdP.NameKey of NameID
	SessionIndex string
}

// A Method is an identity provider as somebody meets it who logs in.
type Method struct {
	*sso.IdP
	Organization string // its name
	Usable       bool   // active, enabled, its organization not suspended

	Policy policy.Policy // its organization's
}

// asking has requests name the contexts that the policy demands of everybody.
// Who comes is not known yet, so that what is tried on one group is not asked
// of all.
func (m Method) asking(now time.Time) Method {
	m.AskContexts = m.Policy.InForce(now, false).SecondFactorContexts
	return m
}

// A Standing is whether, and how, a login method may be used now.
type Standing struct {
	Usable         bool // active, enabled, its organization not suspended
	OrganizationID string
	TokenLifetime  time.Duration // 0: as long as sessions last
	ExtendTokens   bool          // that long from each use on

	AutoJoinGroupID string // ug…: whom it brings joins that group; empty: none
	JoinGroups      bool   // the groups that it asserts are followed

	// Speaks says that the organization has verified the domain that was asked
	// about, and linked it to this method.
	Speaks bool
}

// Store is what Login needs of storage.
type Store interface {
	ProgramStore

	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// Standing returns fault.NotFound if there is no such method. domain is
	// the one that Standing.Speaks is about; it may be empty.
	Standing(ctx context.Context, methodID, domain string) (Standing, error)

	// Method gives an identity provider of any organization, usable or not. It
	// returns fault.NotFound if there is none.
	Method(ctx context.Context, id string) (Method, error)

	// UseOnce notes that a key was used, until it cannot be used anyway. It
	// returns fault.Exists if it was used before. kind keeps keys of different
	// sorts apart.
	UseOnce(ctx context.Context, kind, key string, until time.Time) error

	// AddFlow keeps a flow until it ends. It returns fault.Exists if there was
	// one with this id, taken or not. Flow returns fault.NotFound if there is
	// none that waits and ends after now. TakeFlow returns it to one caller
	// ever, if it began in that browser; else fault.NotFound.
	AddFlow(ctx context.Context, f Flow) error
	Flow(ctx context.Context, id string, now time.Time) (Flow, error)
	TakeFlow(ctx context.Context, id string, browser [16]byte, now time.Time) (Flow, error)

	// BindFlow gives a flow that is to be confirmed and has no browser yet to
	// this one. It is no error if there is no such flow.
	BindFlow(ctx context.Context, id string, browser [16]byte, now time.Time) error

	// UserWithPassword gives a user and the hash of the password, which may be
	// empty. It returns fault.NotFound if there is no such user.
	UserWithPassword(ctx context.Context, email string) (account.User, string, error)
	User(ctx context.Context, id string) (account.User, error)

	// UserByIdentity returns fault.NotFound if the subject is not linked.
	UserByIdentity(ctx context.Context, methodID, subjectKind, subject string) (account.User, error)
	AddUser(ctx context.Context, u account.User, passwordHash string) error
	AddIdentity(ctx context.Context, i account.Identity) error

	// TouchIdentity notes a login, from where it came, and the address asserted
	// and the context asserted at it: LastUsedAt, LastIP, Email and LastContext
	// of the identity. It returns
	// fault.NotFound if the subject is not linked. TouchPassword notes one by
	// password; it returns fault.NotFound if the person has none.
	TouchIdentity(ctx context.Context, i account.Identity) error
	TouchPassword(ctx context.Context, userID string, at time.Time, ip netip.Addr) error

	// LockUser holds off, until the transaction ends, whoever else locks the
	// person. PasswordState says what is known of their password, and Links
	// what they are linked to, oldest first.
	LockUser(ctx context.Context, userID string) error
	PasswordState(ctx context.Context, userID string) (PasswordState, error)
	Links(ctx context.Context, userID string) ([]Link, error)

	// CutIdentities removes a person's links to a method, CutPassword their
	// password, each with all tokens and flows of theirs by it, and says how
	// many tokens there were. It returns fault.NotFound if there is no such
	// link, or no password.
	CutIdentities(ctx context.Context, userID, methodID string) (tokens int, err error)
	CutPassword(ctx context.Context, userID string) (tokens int, err error)

	// ChangePassword replaces a password by another, each given as its hash,
	// and ends the person's flows by it. It returns fault.Conflict if it is not
	// the person's password any more.
	ChangePassword(ctx context.Context, userID, old, hash string) error

	// LastSSO is when a person last logged in through an identity provider of
	// an organization; zero: never.
	LastSSO(ctx context.Context, userID, organizationID string) (time.Time, error)

	// Policy gives an organization's authentication policy, and Organization
	// its name and whether it is suspended.
	Policy(ctx context.Context, organizationID string) (policy.Policy, error)
	Organization(ctx context.Context, id string) (account.Organization, error)

	// InGroup says whether a person is in a group.
	InGroup(ctx context.Context, groupID, userID string) (bool, error)

	LinkingStore
	LogoutStore

	// AddMember returns fault.Exists if the user is a member already; Member
	// fault.NotFound if not.
	AddMember(ctx context.Context, m account.Member) error
	Member(ctx context.Context, organizationID, userID string) (account.Member, error)
}

// Login takes people in.
type Login struct {
	Store       Store
	Provider    *sso.Provider
	Tokens      *session.Tokens
	People      *account.People
	Passwords   *account.Passwords
	Limits      limit.Limiter
	Checks      *limit.Slots  // how many responses are judged at once
	Keys        *seal.Keyring // proofs that a browser is known
	Base        string        // our public URL, without a slash at the end
	Recovery    *Recovery
	Audit       *audit.Log
	Addresses   Verifier    // nil: nobody is asked to prove an address
	Mail        Mailer      // nil: nobody is told of anything by mail
	Backchannel Backchannel // nil: no server is spoken to without a browser
	Traces      *Traces     // nil: what became of attempts is kept in the log alone

	// Certificates records the first login by each certificate; nil: nobody does.
	Certificates *sso.FirstUses

	// Allowed counts an allowance that a response needed; nil: nobody counts.
	Allowed func(sso.Allowance)

	Open      bool // whether anybody may sign up with a password
	NewUserID func() string
	Now       func() time.Time
	Log       *slog.Logger
}

// A Verifier has new addresses proved.
type Verifier interface {
	// Ask mails a link to the address of a user who was just added, in the
	// transaction of ctx; ip is where the account was made from.
	Ask(ctx context.Context, u account.User, ip netip.Addr) error
}

// A Mailer has mails sent.
type Mailer interface {
	// Queue has a mail sent once the transaction of ctx is kept. It returns
	// fault.TooMany where its mailbox was sent enough, which leaves the
	// transaction as it was.
	Queue(ctx context.Context, m mail.Message) error
}

// A Client is the browser or program at the other end.
type Client struct {
	IP        netip.Addr // zero if it is not known
	UserAgent string
}

// The limits of attempts. Passwords are counted three ways, so that one
// address cannot try many, nor many addresses one account; but a browser in
// which the owner has logged in before is counted on its own, so that nobody
// locks an owner out by guessing.
var (
	startsByAddress     = limit.Rule{Name: "login start", Burst: 1000, Every: 10 * time.Millisecond}
	flowsByAddress      = limit.Rule{Name: "unknown flow", Burst: 100, Every: time.Second}
	recoveriesByAddress = limit.Rule{Name: "unknown recovery link", Burst: 30, Every: 10 * time.Second}
	refusalsByAddress   = limit.Rule{Name: "saml refusal", Burst: 100, Every: time.Second}
	guessesByBoth       = limit.Rule{Name: "password for account from address", Burst: 10, Every: time.Minute}
	guessesByAddress    = limit.Rule{Name: "password from address", Burst: 100, Every: 6 * time.Second}
	guessesByAccount    = limit.Rule{Name: "password for account", Burst: 200, Every: 20 * time.Second}
	guessesByKnown      = limit.Rule{Name: "password in known browser", Burst: 10, Every: time.Minute}
	devicesByAddress    = limit.Rule{Name: "device login", Burst: 30, Every: 20 * time.Second}
	grantsByAddress     = limit.Rule{Name: "unknown grant", Burst: 100, Every: time.Second}
	approvalsByPerson   = limit.Rule{Name: "program approved", Burst: 30, Every: 10 * time.Second}
	codesBySession      = limit.Rule{Name: "device code in session", Burst: 5, Every: time.Minute}
	codesByPerson       = limit.Rule{Name: "device code by person", Burst: 10, Every: 2 * time.Minute}
	codesByAddress      = limit.Rule{Name: "device code from address", Burst: 50, Every: 20 * time.Second}
	signupsByMethod     = limit.Rule{Name: "signup through method", Burst: 1000, Every: 5 * time.Second}
	signupsByAddress    = limit.Rule{Name: "signup", Burst: 20, Every: time.Minute}
)

// errDisabled is the answer where a method is there and may not be used.
func errDisabled() *fault.Error {
	return fault.Denied.Errorf("This identity provider is not enabled. An administrator of the organization can complete its settings and enable it.").Coded("authentication_method_disabled")
}

// errNoMethod is the answer where a method is not there.
func errNoMethod() *fault.Error {
	return fault.NotFound.Errorf("There is no identity provider at this address. Ask the organization's administrator for the right link.").Coded("authentication_method_not_found")
}
