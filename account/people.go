package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
)

// PeopleStore is what People needs of storage.
type PeopleStore interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// AddUser inserts a user with the hash of a password, which may be empty.
	// It returns fault.Exists at "email" if the address is taken, and without a
	// field if the id is; neither ends a transaction.
	AddUser(ctx context.Context, u User, passwordHash string) error

	// User and UserByEmail return fault.NotFound if there is none.
	User(ctx context.Context, id string) (User, error)
	UserByEmail(ctx context.Context, email string) (User, error)

	// UpdateUser writes what a person may say of themselves: RealName, City,
	// Country, Department, JobTitle, UpdatedAt.
	UpdateUser(ctx context.Context, u User) error

	// HasUsers reports whether there is any user.
	HasUsers(ctx context.Context) (bool, error)
}

// People keeps users.
type People struct {
	Store     PeopleStore
	Passwords *Passwords
	NewID     func() string
	Now       func() time.Time
	Audit     *audit.Log

	// Addresses mails a link to everybody who signs up; nil: nobody.
	Addresses *Addresses
}

// A NewUser is what somebody says who signs up.
type NewUser struct {
	Email    string
	RealName string
	Password string // may be empty for people who log in otherwise
}

// Add makes an account for a person, who asks for it themselves: of from, only
// the place counts. The address stays unproved until the link that is mailed to
// it was opened. It returns fault.Invalid at the
// field, and fault.Exists if the address is taken.
func (p *People) Add(ctx context.Context, from Actor, n NewUser) (User, error) {
	u, err := p.prepare(n)
	if err != nil {
		return User{}, err
	}
	if err := CheckNewPassword(n.Password, u.Email); err != nil {
		return User{}, err
	}
	hash, err := p.Passwords.Hash(ctx, n.Password)
	if err != nil {
		return User{}, err
	}
	err = p.Store.Tx(ctx, func(ctx context.Context) error {
		if err := p.addUser(ctx, &u, hash); err != nil {
			return err
		}
		if p.Addresses != nil {
			if err := p.Addresses.Ask(ctx, u, from.IP); err != nil {
				return err
			}
		}
		from.User = u
		return p.Audit.Record(ctx, from.Did(audit.UserSignUp, "", u.Target(), nil))
	})
	if err != nil {
		return User{}, fmt.Errorf("add user: %w", err)
	}
	return u, nil
}

// AddOperator makes the first user of an empty installation its operator, with
// a proved address: whoever starts the server says so. It does nothing, and
// reports false, where there are users already.
func (p *People) AddOperator(ctx context.Context, n NewUser) (bool, error) {
	u, err := p.prepare(n)
	if err != nil {
		return false, err
	}
	if err := CheckNewPassword(n.Password, u.Email); err != nil {
		return false, err
	}
	u.Operator, u.AddressProved = true, true
	has, err := p.Store.HasUsers(ctx)
	if err != nil || has {
		return false, err
	}
	hash, err := p.Passwords.Hash(ctx, n.Password)
	if err != nil {
		return false, err
	}
	added := false
	err = p.Store.Tx(ctx, func(ctx context.Context) error {
		added = false
		has, err := p.Store.HasUsers(ctx)
		if err != nil || has {
			return err
		}
		if err := p.addUser(ctx, &u, hash); err != nil {
			return err
		}
		added = true
		return p.Audit.Record(ctx, audit.Event{Actor: audit.Operator(), Action: audit.UserCreateOperator, Target: u.Target()})
	})
	// Another node of an empty cluster was quicker.
	if errors.Is(err, fault.Exists) {
		return false, nil
	}
	return added, err
}

// addUser gives a user an id and keeps them.
func (p *People) addUser(ctx context.Context, u *User, hash string) error {
	return ident.Retry(IDTaken, func() error {
		u.ID = p.NewID()
		return p.Store.AddUser(ctx, *u, hash)
	})
}

// IDTaken reports whether an error says that an id was not new, and not that
// something which its owner chose, such as an address, is taken.
func IDTaken(err error) bool {
	return errors.Is(err, fault.Exists) && fault.Of(err).Field == ""
}

// name is the person's name as it is kept.
func (n NewUser) name() (string, error) {
	name, err := CleanText(n.RealName, "real_name", 256)
	if err == nil && name == "" {
		return "", fault.Invalid.Errorf("Say your name.").At("real_name")
	}
	return name, err
}

// Problems says all that is wrong with what somebody typed, where Add says the
// first of it: fault.Invalid at real_name, email and password.
func (n NewUser) Problems() []error {
	_, name := n.name()
	email, address := NormalizeEmail(n.Email)
	var out []error
	for _, err := range []error{name, address, CheckNewPassword(n.Password, email)} {
		if err != nil {
			out = append(out, err)
		}
	}
	return out
}

func (p *People) prepare(n NewUser) (User, error) {
	email, err := NormalizeEmail(n.Email)
	if err != nil {
		return User{}, err
	}
	name, err := n.name()
	if err != nil {
		return User{}, err
	}
	now := p.Now()
	return User{Email: email, RealName: name, State: ActiveUser, CreatedAt: now, UpdatedAt: now}, nil
}

// A Profile is what a person may change about themselves. A nil field stays.
type Profile struct {
	RealName   *string
	City       *string
	Country    *string
	Department *string
	JobTitle   *string
}

// Update changes the actor's own profile. It returns fault.Invalid at a field
// that is too long.
func (p *People) Update(ctx context.Context, by Actor, change Profile) (User, error) {
	var out User
	err := p.Store.Tx(ctx, func(ctx context.Context) error {
		u, err := p.Store.User(ctx, by.User.ID)
		if err != nil {
			return err
		}
		details := audit.Details{}
		if change.RealName != nil && strings.TrimSpace(*change.RealName) == "" {
			return fault.Invalid.Errorf("Say your name.").At("real_name")
		}
		for _, f := range []struct {
			name string
			from *string
			to   *string
		}{
			{"real_name", change.RealName, &u.RealName},
			{"city", change.City, &u.City},
			{"country", change.Country, &u.Country},
			{"department", change.Department, &u.Department},
			{"job_title", change.JobTitle, &u.JobTitle},
		} {
			if f.from == nil {
				continue
			}
			before := *f.to
			if *f.to, err = CleanText(*f.from, f.name, 256); err != nil {
				return err
			}
			details.Changed(f.name, before, *f.to)
		}
		u.UpdatedAt = p.Now()
		out = u
		if err := p.Store.UpdateUser(ctx, u); err != nil {
			return err
		}
		return p.Audit.Record(ctx, by.Did(audit.UserUpdate, u.ManagingOrganizationID, u.Target(), details))
	})
	if err != nil {
		return User{}, fmt.Errorf("update user %s: %w", by.User.ID, err)
	}
	return out, nil
}

// CleanText takes a line that a person typed: trimmed, valid UTF-8, without
// control characters, at most most characters. It returns fault.Invalid at
// field.
func CleanText(s, field string, most int) (string, error) {
	s = strings.TrimSpace(s)
	if !utf8.ValidString(s) {
		return "", fault.Invalid.Errorf("This is not valid UTF-8 text.").At(field)
	}
	if utf8.RuneCountInString(s) > most {
		return "", fault.Invalid.Errorf("This has more than %d characters.", most).At(field)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || isBidiControl(r) }) {
		return "", fault.Invalid.Errorf("Line breaks and control characters are not allowed here.").At(field)
	}
	return s, nil
}

// isBidiControl reports whether r turns the direction of text: in a name it
// serves only to make one thing look like another (Unicode TR 36, 2.4.1).
func isBidiControl(r rune) bool {
	return r == 0x061c || r == 0x200e || r == 0x200f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
}
