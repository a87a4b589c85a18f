package account

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
)

// A Claim is an account, as the reader of its mailbox is asked about it.
type Claim struct {
	User          User
	ExpiresAt     time.Time
	HasPassword   bool
	Organizations []Membership     // that it belongs to
	Providers     []LinkedProvider // that it is linked to
}

// A LinkedProvider is an identity provider that an account is linked to.
type LinkedProvider struct {
	ID           string // am…
	Name         string
	Organization string // its organization's name
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
	if err != nil {
		return Claim{}, err
	}
	out := Claim{User: u, ExpiresAt: c.ExpiresAt}
	if out.HasPassword, err = a.Store.HasPassword(ctx, u.ID); err != nil {
		return Claim{}, fmt.Errorf("look for password: %w", err)
	}
	out.Organizations, out.Providers, err = a.linkedTo(ctx, u.ID)
	return out, err
}

// Prove uses a code: the address is its account's from now on. by has to be
// that account's user, by a session or a password of theirs. It returns what
// Look does; and fault.Denied with code login_required_to_verify for anybody
// else, which uses nothing up.
func (a *Addresses) Prove(ctx context.Context, code string, by Actor) (User, error) {
	var out User
	err := a.use(ctx, code, by, func(ctx context.Context, c AddressCode, u User, now time.Time) error {
		if by.User.ID != u.ID {
			return errNotLoggedIn()
		}
		if err := a.Store.ProveAddress(ctx, c.UserID, c.Email, now); err != nil {
			return err
		}
		u.AddressProved, u.UpdatedAt = true, now
		out = u
		if err := a.Audit.Record(ctx, by.Did(audit.UserProveAddress, u.ManagingOrganizationID, u.Target(), nil)); err != nil || a.Proved == nil {
			return err
		}
		return a.Proved(ctx, u)
	})
	if err != nil {
		return User{}, fmt.Errorf("prove address: %w", err)
	}
	return out, nil
}

// Disown uses a code to say that the account is not the reader's: its password,
// tokens, memberships and links to identity providers go, it is deactivated,
// and its address is free. Of from, only the place counts. An address that is
// proved by now cannot be disowned: codes mailed before do not count any more.
// It returns what Look does.
//
// An organization of which the account was the only super admin keeps none: the
// owner of a mailbox must always be rid of what a stranger made with it, and a
// rule against it would tell strangers how to stay. Its log says how many are
// left.
func (a *Addresses) Disown(ctx context.Context, code string, from Actor) error {
	err := a.use(ctx, code, from, func(ctx context.Context, c AddressCode, u User, now time.Time) error {
		left, err := a.Store.Memberships(ctx, u.ID)
		if err != nil {
			return fmt.Errorf("find memberships: %w", err)
		}
		instead := u.ID + "-" + strings.ToLower(ident.Secret(12)) + "@" + disownedDomain
		if err := a.Store.Disown(ctx, c.UserID, c.Email, instead, now); err != nil {
			return err
		}
		// Not the user did it: whoever reads the mailbox of that address.
		from.User = User{Email: c.Email}
		return a.recordDisown(ctx, from, u, left)
	})
	if err != nil {
		return fmt.Errorf("disown account: %w", err)
	}
	return nil
}

// recordDisown writes that an account is gone where it is somebody's business:
// in each organization that it belonged to, and in the one that manages it; else
// where operators alone see it.
func (a *Addresses) recordDisown(ctx context.Context, from Actor, u User, left []Membership) error {
	elsewhere := true
	for _, m := range left {
		details, err := Departed(ctx, a.Store, m)
		if err != nil {
			return err
		}
		if err := a.Audit.Record(ctx, from.Did(audit.UserDisown, m.ID, u.Target(), details)); err != nil {
			return err
		}
		elsewhere = elsewhere && m.ID != u.ManagingOrganizationID
	}
	if len(left) > 0 && (u.ManagingOrganizationID == "" || !elsewhere) {
		return nil
	}
	return a.Audit.Record(ctx, from.Did(audit.UserDisown, u.ManagingOrganizationID, u.Target(), nil))
}

// Departed says for the log of an organization what it lost with somebody whose
// membership went: whether they were a super admin, and how many are left then.
func Departed(ctx context.Context, store interface {
	LockOrganization(ctx context.Context, id string) error
	SuperAdmins(ctx context.Context, organizationID string) (int, error)
}, m Membership) (audit.Details, error) {
	details := audit.Details{"super_admin": strconv.FormatBool(m.SuperAdmin)}
	if !m.SuperAdmin {
		return details, nil
	}
	// Nobody else takes or gives the role while it is counted.
	if err := store.LockOrganization(ctx, m.ID); err != nil {
		return nil, fmt.Errorf("lock organization %s: %w", m.ID, err)
	}
	n, err := store.SuperAdmins(ctx, m.ID)
	if err != nil {
		return nil, fmt.Errorf("count super admins of %s: %w", m.ID, err)
	}
	details["super_admins_left"] = strconv.Itoa(n)
	return details, nil
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
		err = do(ctx, c, u, now)
		switch {
		case errors.Is(err, fault.NotFound):
			return errAddressChanged()
		case errors.Is(err, fault.Exists):
			// Only what we chose ourselves can clash, with 62 random bits in
			// it: whoever answers has nothing to do with that.
			return fault.Internal.Errorf("The account could not be closed.").Because(err)
		case err != nil:
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

func errNotLoggedIn() *fault.Error {
	return fault.Denied.Errorf("Only somebody who can log in to this account can say that it is theirs. Log in to it first, or give its password. If you did not make it, say so on the page of the mailed link, which takes no login.").Coded("login_required_to_verify")
}
