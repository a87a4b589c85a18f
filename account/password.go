package account

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
)

// The bounds of a password, in characters and bytes. 256 bytes is what the API
// promises to take; 8 characters is the least that NIST SP 800-63B admits.
const (
	leastPassword = 8
	mostPassword  = 256
)

// passwordCost is OWASP's second choice for argon2id: 19 MiB, two passes, one
// lane. A hash of it takes a core for some 20 ms.
var passwordCost = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// Passwords hashes passwords, only so many at once: half the cores, so that a
// flood of logins cannot stop everything else.
type Passwords struct {
	Turns *limit.Slots // how many are hashed at once, and how long a login waits for its turn

	once  sync.Once
	decoy string
}

// NewPasswords makes a hasher that runs at most half the cores at once, and
// lets a login wait two seconds for its turn.
func NewPasswords() *Passwords {
	return &Passwords{Turns: limit.NewSlots(runtime.GOMAXPROCS(0)/2, 2*time.Second)}
}

// Hash gives the argon2id form of a password. It returns fault.Unavailable if
// no turn came in time.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	leave, err := p.turn(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return argon2id.CreateHash(password, passwordCost)
}

// Matches reports whether password is the one that was hashed. With an empty
// hash it does the same work and answers no, so that an account without a
// password, or none at all, cannot be told from a wrong password. It returns
// fault.Unavailable if no turn came in time.
func (p *Passwords) Matches(ctx context.Context, hash, password string) (bool, error) {
	leave, err := p.turn(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if hash == "" {
		p.once.Do(func() { p.decoy, _ = argon2id.CreateHash("no password", passwordCost) })
		_, _ = argon2id.ComparePasswordAndHash(password, p.decoy)
		return false, nil
	}
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return match, nil
}

func (p *Passwords) turn(ctx context.Context) (leave func(), err error) {
	leave, err = p.Turns.Enter(ctx)
	if err == nil || errors.Is(err, context.Canceled) {
		return leave, err
	}
	return nil, fault.Unavailable.Errorf("Many people are logging in right now. Try again in a few seconds.").After(2 * time.Second)
}

// CheckNewPassword says whether a password may be chosen by the owner of an
// address: 8 characters to 256 bytes of UTF-8 without control characters, and
// not the address itself. It returns
// fault.Invalid at "password".
func CheckNewPassword(password, email string) error {
	if err := checkPasswordText(password); err != nil {
		return err
	}
	switch {
	case utf8.RuneCountInString(password) < leastPassword:
		return fault.Invalid.Errorf("Choose a password of at least %d characters.", leastPassword).At("password")
	case len(password) > mostPassword:
		return fault.Invalid.Errorf("Choose a password of at most %d characters.", mostPassword).At("password")
	case strings.EqualFold(password, email):
		return fault.Invalid.Errorf("Choose a password that is not your email address.").At("password")
	}
	return nil
}

// CheckTypedPassword bounds a password before it is hashed, with fault.Invalid
// at "password".
func CheckTypedPassword(password string) error {
	if password == "" {
		return fault.Invalid.Errorf("Type your password.").At("password")
	}
	if len(password) > mostPassword {
		return fault.Invalid.Errorf("A password has at most %d characters.", mostPassword).At("password")
	}
	return checkPasswordText(password)
}

// checkPasswordText refuses what nobody types: programs between a keyboard and
// us change or cut such text, each in its way, so that somebody could not log
// in again.
func checkPasswordText(password string) error {
	if !utf8.ValidString(password) {
		return fault.Invalid.Errorf("This is not valid UTF-8 text.").At("password")
	}
	if strings.ContainsFunc(password, unicode.IsControl) {
		return fault.Invalid.Errorf("A password has no line breaks and control characters.").At("password")
	}
	return nil
}
