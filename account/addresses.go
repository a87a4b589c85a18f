package account

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/internal/mail"
)

// An AddressCode is what was mailed to an address, so that whoever reads it can
// say whose the account is. It stands for the user and the address at the time,
// and works once.
type AddressCode struct {
	Hash      [sha256.Size]byte // of the code, which is kept nowhere
	UserID    string
	Email     string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero: not yet
	ForgetAt  time.Time // until then a late visitor is told what is wrong
}

// AddressStore is what Addresses needs of storage.
type AddressStore interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// User returns fault.NotFound if there is none.
	User(ctx context.Context, id string) (User, error)

	// AddAddressCode inserts a code; AddressCode returns fault.NotFound if
	// there is none with this hash.
	AddAddressCode(ctx context.Context, c AddressCode) error
	AddressCode(ctx context.Context, hash [sha256.Size]byte) (AddressCode, error)

	// UseAddressCode gives a code to one caller ever, if it ends after now;
	// else fault.NotFound. EndAddressCodes lets nobody use the others of a
	// user.
	UseAddressCode(ctx context.Context, hash [sha256.Size]byte, now time.Time) (AddressCode, error)
	EndAddressCodes(ctx context.Context, userID string, now time.Time) error

	// ProveAddress notes that an address is proved. It returns fault.NotFound
	// unless it is the address of that user, who is active.
	ProveAddress(ctx context.Context, userID, email string, now time.Time) error

	// Disown takes every way in from the user of an unproved address, and every
	// place to come in to: the password, the tokens, the links to identity
	// providers, the memberships. The user is deactivated and called instead,
	// so that the address is free. It returns fault.NotFound unless it is the
	// address of that user, and unproved; and fault.Exists if instead is taken.
	Disown(ctx context.Context, userID, email, instead string, now time.Time) error

	// HasPassword reports whether a user has one; of nobody, false.
	HasPassword(ctx context.Context, userID string) (bool, error)

	// LinkedProviders lists the identity providers that a user is linked to,
	// each once, the oldest link first.
	LinkedProviders(ctx context.Context, userID string) ([]LinkedProvider, error)

	// Memberships, LockOrganization: as in OrganizationStore. SuperAdmins
	// counts the active ones of an organization.
	Memberships(ctx context.Context, userID string) ([]Membership, error)
	LockOrganization(ctx context.Context, id string) error
	SuperAdmins(ctx context.Context, organizationID string) (int, error)
}

// A Mailer has mails sent.
type Mailer interface {
	// Queue has a mail sent once the transaction of ctx is kept. It returns
	// fault.TooMany where its mailbox was sent enough, which leaves the
	// transaction as it was.
	Queue(ctx context.Context, m mail.Message) error
}

// Addresses has people prove that an address is theirs.
//
// Anybody can make an account with anybody's address, and wait for its owner to
// use it. So the mailed link decides nothing when it is opened: its page names
// the account, when it was made and what it is linked to, and asks. Yes proves
// the address for that account, and is taken only from somebody who can get
// into it: who reads the mail alone may be the one whom a stranger's account
// was made for. No takes every way in from whoever made it, frees the address,
// and is taken from whoever has the link.
type Addresses struct {
	Store  AddressStore
	Mail   Mailer // nil: this server sends no mail, and addresses stay unproved
	Limits limit.Limiter
	Base   string // our public URL, without a slash at the end
	Now    func() time.Time
	Audit  *audit.Log

	// Proved is told of an address that was just proved, in the transaction in
	// which it was; nil: nobody is.
	Proved func(ctx context.Context, u User) error
}

// codeLength is the length of a code, in base 62: 190 bits.
const codeLength = 32

// How long codes live, and their rows after them.
const (
	codeLifetime   = 24 * time.Hour
	codeRemembered = 7 * 24 * time.Hour
)

// The limits of asking, and of guessing codes.
var (
	codesByUser    = limit.Rule{Name: "address code for user", Burst: 3, Every: 10 * time.Minute}
	codesByAddress = limit.Rule{Name: "address code from address", Burst: 10, Every: 10 * time.Minute}
	codesTried     = limit.Rule{Name: "address code tried from address", Burst: 30, Every: 10 * time.Second}
)

// Sends reports whether this server sends mail at all.
func (a *Addresses) Sends() bool { return a != nil && a.Mail != nil }

// Ask mails a link to the address of a user who was just added, in the
// transaction of ctx; ip is where the account was made from. It does nothing
// where the address is proved, the server sends no mail, or the mailbox was
// sent enough today: the person can ask again later.
func (a *Addresses) Ask(ctx context.Context, u User, ip netip.Addr) error {
	if !a.Sends() || u.AddressProved {
		return nil
	}
	err := a.send(ctx, u, ip)
	if errors.Is(err, fault.TooMany) {
		return nil
	}
	return err
}

// AskAgain mails the actor another link. It returns fault.Conflict with code
// address_proved_already or mail_not_sent_here, and fault.TooMany.
func (a *Addresses) AskAgain(ctx context.Context, by Actor) error {
	if !a.Sends() {
		return fault.Conflict.Errorf("This server sends no mail, so addresses cannot be confirmed here. Its operator can change that.").Coded("mail_not_sent_here")
	}
	if by.User.AddressProved {
		return errProved()
	}
	if err := a.Limits.Take(ctx, codesByAddress, limit.Address(by.IP)); err != nil {
		return err
	}
	if err := a.Limits.Take(ctx, codesByUser, by.User.ID); err != nil {
		return err
	}
	return a.Store.Tx(ctx, func(ctx context.Context) error {
		u, err := a.Store.User(ctx, by.User.ID)
		if err != nil {
			return err
		}
		if u.AddressProved {
			return errProved()
		}
		// Where the account was made from is not known any more, and where the
		// mail was asked for from is no help to its reader.
		if err := a.send(ctx, u, netip.Addr{}); err != nil {
			return err
		}
		return a.Audit.Record(ctx, by.Did(audit.UserMailCode, u.ManagingOrganizationID, u.Target(), nil))
	})
}

func (a *Addresses) send(ctx context.Context, u User, ip netip.Addr) error {
	code, now := ident.Secret(codeLength), a.Now()
	c := AddressCode{
		Hash: sha256.Sum256([]byte(code)), UserID: u.ID, Email: u.Email,
		CreatedAt: now, ExpiresAt: now.Add(codeLifetime), ForgetAt: now.Add(codeLifetime + codeRemembered),
	}
	from := ""
	if ip.IsValid() {
		from = ip.Unmap().String()
	}
	memberships, providers, err := a.linkedTo(ctx, u.ID)
	if err != nil {
		return err
	}
	verify := mail.VerifyAddress{
		Host: a.host(), Address: u.Email, Name: u.RealName, Made: u.CreatedAt, IP: from,
		Link: a.Base + "/verify/" + code, Until: c.ExpiresAt,
	}
	for _, m := range memberships {
		verify.Organizations = append(verify.Organizations, m.Name)
	}
	for _, p := range providers {
		verify.Providers = append(verify.Providers, p.Name)
	}
	m, err := verify.Message()
	if err != nil {
		return err
	}
	if err := a.Mail.Queue(ctx, m); err != nil {
		return err
	}
	if err := a.Store.AddAddressCode(ctx, c); err != nil {
		return fmt.Errorf("add address code: %w", err)
	}
	return nil
}

func (a *Addresses) host() string {
	u, err := url.Parse(a.Base)
	if err != nil {
		return a.Base
	}
	return u.Host
}

// linkedTo gives what an account is linked to: its organizations and identity
// providers.
func (a *Addresses) linkedTo(ctx context.Context, userID string) ([]Membership, []LinkedProvider, error) {
	memberships, err := a.Store.Memberships(ctx, userID)
	if err != nil {
		return nil, nil, fmt.Errorf("find memberships: %w", err)
	}
	providers, err := a.Store.LinkedProviders(ctx, userID)
	if err != nil {
		return nil, nil, fmt.Errorf("find linked providers: %w", err)
	}
	return memberships, providers, nil
}
