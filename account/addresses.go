package account

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
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

	// Disown takes every way in from the user of an unproved address: the
	// password, the tokens, the links to identity providers. The user is
	// deactivated and called instead, so that the address is free. It returns
	// fault.NotFound unless it is the address of that user, and unproved.
	Disown(ctx context.Context, userID, email, instead string, now time.Time) error
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
// the account and when it was made, and asks. Yes proves the address for that
// account. No takes every way in from whoever made it, and frees the address.
type Addresses struct {
	Store  AddressStore
	Mail   Mailer // nil: this server sends no mail, and addresses stay unproved
	Limits limit.Limiter
	Base   string // our public URL, without a slash at the end
	Now    func() time.Time
	Audit  *audit.Log
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
	m, err := mail.VerifyAddress{
		Host: a.host(), Address: u.Email, Made: u.CreatedAt, IP: from,
		Link: a.Base + "/verify/" + code, Until: c.ExpiresAt,
	}.Message()
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

// A Claim is an account, as the reader of its mailbox is asked about it.
type Claim struct {
	User      User
	ExpiresAt time.Time
}

// Look says which account a code is about, and changes nothing. It returns
// fault.NotFound with code verification_code_not_found; fault.Conflict with
// code verification_code_used, user_weblink_action_expired or address_changed;
// fault.Denied with code user_deactivated; and fault.TooMany.
func (a *Addresses) Look(ctx context.Context, code string, ip netip.Addr) (Claim, error) {
	hash, err := a.try(ctx, code, ip)
	if err != nil {
		return Claim{}, err
	}
	c, u, err := a.claim(ctx, hash)
	return Claim{User: u, ExpiresAt: c.ExpiresAt}, err
}

// Prove uses a code: the address is its account's from now on. Of from, only
// the place counts. It returns what Look does.
func (a *Addresses) Prove(ctx context.Context, code string, from Actor) (User, error) {
	var out User
	err := a.use(ctx, code, from, func(ctx context.Context, c AddressCode, u User, now time.Time) error {
		if err := a.Store.ProveAddress(ctx, c.UserID, c.Email, now); err != nil {
			return err
		}
		u.AddressProved, u.UpdatedAt = true, now
		out, from.User = u, u
		return a.Audit.Record(ctx, from.Did(audit.UserProveAddress, u.ManagingOrganizationID, u.Target(), nil))
	})
	if err != nil {
		return User{}, fmt.Errorf("prove address: %w", err)
	}
	return out, nil
}

// Disown uses a code to say that the account is not the reader's: its password,
// tokens and links to identity providers go, it is deactivated, and its address
// is free. An address that is proved by now cannot be disowned: codes mailed
// before do not count any more. It returns what Look does.
func (a *Addresses) Disown(ctx context.Context, code string, from Actor) error {
	err := a.use(ctx, code, from, func(ctx context.Context, c AddressCode, u User, now time.Time) error {
		instead := u.ID + "-" + strings.ToLower(ident.Secret(12)) + "@" + disownedDomain
		if err := a.Store.Disown(ctx, c.UserID, c.Email, instead, now); err != nil {
			return err
		}
		// Not the user did it: whoever reads the mailbox of that address.
		from.User = User{Email: c.Email}
		return a.Audit.Record(ctx, from.Did(audit.UserDisown, u.ManagingOrganizationID, u.Target(), nil))
	})
	if err != nil {
		return fmt.Errorf("disown account: %w", err)
	}
	return nil
}

// use spends a code on what do makes of it, in one transaction, and ends the
// user's other codes.
func (a *Addresses) use(ctx context.Context, code string, from Actor, do func(context.Context, AddressCode, User, time.Time) error) error {
	hash, err := a.try(ctx, code, from.IP)
	if err != nil {
		return err
	}
	return a.Store.Tx(ctx, func(ctx context.Context) error {
		_, u, err := a.claim(ctx, hash)
		if err != nil {
			return err
		}
		now := a.Now()
		c, err := a.Store.UseAddressCode(ctx, hash, now)
		if errors.Is(err, fault.NotFound) {
			return errCodeUsed() // by another, since we looked
		}
		if err != nil {
			return err
		}
		if err := do(ctx, c, u, now); errors.Is(err, fault.NotFound) {
			return errAddressChanged()
		} else if err != nil {
			return err
		}
		return a.Store.EndAddressCodes(ctx, c.UserID, now)
	})
}

// try counts an attempt, and gives the hash of what was tried.
func (a *Addresses) try(ctx context.Context, code string, ip netip.Addr) ([sha256.Size]byte, error) {
	if err := a.Limits.Take(ctx, codesTried, limit.Address(ip)); err != nil {
		return [sha256.Size]byte{}, err
	}
	if len(code) != codeLength {
		return [sha256.Size]byte{}, errNoCode()
	}
	return sha256.Sum256([]byte(code)), nil
}

// claim finds what a code is about, or says why it does not work.
func (a *Addresses) claim(ctx context.Context, hash [sha256.Size]byte) (AddressCode, User, error) {
	c, err := a.Store.AddressCode(ctx, hash)
	if errors.Is(err, fault.NotFound) {
		return c, User{}, errNoCode()
	}
	if err != nil {
		return c, User{}, err
	}
	u, err := a.Store.User(ctx, c.UserID)
	switch {
	case err != nil:
		return c, u, err
	case !c.UsedAt.IsZero() && u.AddressProved && u.Email == c.Email:
		return c, u, errProved()
	case !c.UsedAt.IsZero():
		return c, u, errCodeUsed()
	case !a.Now().Before(c.ExpiresAt):
		return c, u, fault.Conflict.Errorf("This link was good for 24 hours, which have passed. Log in to the account to have another one mailed.").Coded("user_weblink_action_expired")
	case u.Email != c.Email:
		return c, u, errAddressChanged()
	case u.State != ActiveUser:
		return c, u, fault.Denied.Errorf("This account is deactivated. Ask an administrator of your organization.").Coded("user_deactivated")
	}
	return c, u, nil
}

func errNoCode() *fault.Error {
	return fault.NotFound.Errorf("This is no link that we mailed, or it is long over. Check that it is whole.").Coded("verification_code_not_found")
}

func errCodeUsed() *fault.Error {
	return fault.Conflict.Errorf("This link was used already. Each works once.").Coded("verification_code_used")
}

func errProved() *fault.Error {
	return fault.Conflict.Errorf("This address is confirmed already. There is nothing more to do.").Coded("address_proved_already")
}

func errAddressChanged() *fault.Error {
	return fault.Conflict.Errorf("The account has another address now than the one that this link was mailed to.").Coded("address_changed")
}
