package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/session"
)

// A Device is a program that shows a code, and waits for somebody to type it
// into a browser elsewhere (RFC 8628).
type Device struct {
	Approval                    // of who answered; zero: nobody has
	Hash      [sha256.Size]byte // of the code that the program keeps
	UserCode  [sha256.Size]byte // of the code that is typed
	Program   string            // what it calls itself
	ProgramIP netip.Addr        // zero if it is not known
	State     DeviceState
	Pause     time.Duration // between two questions of the program
	DueAt     time.Time     // when it may ask next
	CreatedAt time.Time
	ExpiresAt time.Time
}

// A DeviceState is what was answered.
type DeviceState string

// The states.
const (
	DevicePending  DeviceState = "pending"
	DeviceApproved DeviceState = "approved"
	DeviceRefused  DeviceState = "refused"
)

// A DeviceStart is what a program is told that begins to wait.
type DeviceStart struct {
	DeviceCode string
	UserCode   string // as it is shown: XXXX-XXXX
	Expires    time.Duration
	Pause      time.Duration
}

const (
	deviceLifetime = 10 * time.Minute
	devicePause    = 5 * time.Second
	longestPause   = time.Minute

	// A little early is on time: clocks and networks are not that exact.
	deviceSlack = time.Second

	// userCodeLetters are no vowels, so that codes spell nothing, and nothing
	// that is taken for something else (RFC 8628, 6.1): 20 to the 8th codes.
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeLength  = 8
)

// BeginDevice has a program wait. It returns fault.Invalid at client_name, and
// fault.TooMany.
func (l *Login) BeginDevice(ctx context.Context, program string, c Client) (DeviceStart, error) {
	name, err := programName(program)
	if err != nil {
		return DeviceStart{}, err
	}
	if err := l.Limits.Take(ctx, devicesByAddress, limit.Address(c.IP)); err != nil {
		return DeviceStart{}, err
	}
	now := l.Now()
	start := DeviceStart{DeviceCode: ident.Secret(codeLength), Expires: deviceLifetime, Pause: devicePause}
	taken := func(err error) bool { return errors.Is(err, fault.Exists) }
	err = ident.Retry(taken, func() error {
		code := newUserCode()
		start.UserCode = code[:userCodeLength/2] + "-" + code[userCodeLength/2:]
		return l.Store.AddDevice(ctx, Device{
			Hash: sha256.Sum256([]byte(start.DeviceCode)), UserCode: sha256.Sum256([]byte(code)),
			Program: name, ProgramIP: c.IP, State: DevicePending, Pause: devicePause,
			DueAt: now, CreatedAt: now, ExpiresAt: now.Add(deviceLifetime),
		})
	})
	if err != nil {
		return DeviceStart{}, fmt.Errorf("keep device login: %w", err)
	}
	return start, nil
}

func newUserCode() string {
	out, buf := make([]byte, 0, userCodeLength), make([]byte, 2*userCodeLength)
	for len(out) < userCodeLength {
		rand.Read(buf)
		for _, b := range buf {
			// 240 is a multiple of 20: beyond it, the first letters would be
			// likelier than the others.
			if b < 240 && len(out) < userCodeLength {
				out = append(out, userCodeLetters[int(b)%len(userCodeLetters)])
			}
		}
	}
	return string(out)
}

// readUserCode reads a code as people type it: in any case, with or without
// the dash.
func readUserCode(typed string) (hash [sha256.Size]byte, err error) {
	if len(typed) > 100 {
		typed = ""
	}
	code := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '\t' || r == '\u2010' || r == '\u2013' || r == '\u00a0' {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
	if len(code) != userCodeLength || strings.Trim(code, userCodeLetters) != "" {
		return hash, fault.Invalid.Errorf("A code has eight letters, none of them a vowel, such as WDJB-MJHT. Type it as the program shows it.").At("user_code")
	}
	return sha256.Sum256([]byte(code)), nil
}

// typing lets somebody type a code. Wrong ones are counted by session, by
// person and by address, before they are tried: many at once are counted too.
func (l *Login) typing(ctx context.Context, by session.Bearer, c Client, try func() error) error {
	counted := []struct {
		rule limit.Rule
		key  string
	}{
		{codesBySession, hex.EncodeToString(by.Hash[:16])},
		{codesByPerson, by.User.ID},
		{codesByAddress, limit.Address(c.IP)},
	}
	for _, n := range counted {
		if err := l.Limits.Check(ctx, n.rule, n.key); err != nil {
			return err
		}
	}
	for _, n := range counted {
		if err := l.Limits.Take(ctx, n.rule, n.key); err != nil {
			return err
		}
	}
	err := try()
	if err != nil && fault.Of(err).Code == "device_code_not_found" {
		return err
	}
	for _, n := range counted {
		_ = l.Limits.Return(ctx, n.rule, n.key)
	}
	return err
}

func errNoDevice() error {
	return fault.Invalid.Errorf("No program waits with this code. It may be misspelt, answered already, or older than ten minutes.").At("user_code").Coded("device_code_not_found")
}

// Device finds the program that shows a code, for a person who typed it. It
// returns fault.Invalid at user_code where there is none, fault.Denied where
// their session may log no programs in, or the organization that manages them
// does not admit this one, and fault.TooMany.
func (l *Login) Device(ctx context.Context, typed string, by session.Bearer, c Client) (Device, error) {
	if err := mayApprove(by); err != nil {
		return Device{}, err
	}
	hash, err := readUserCode(typed)
	if err != nil {
		return Device{}, err
	}
	var d Device
	err = l.typing(ctx, by, c, func() error {
		d, err = l.Store.DeviceByUserCode(ctx, hash, l.Now())
		if errors.Is(err, fault.NotFound) {
			return errNoDevice()
		}
		return err
	})
	if err == nil {
		err = l.from(ctx, by, true, c.IP, d.ProgramIP)
	}
	if err != nil {
		return Device{}, fmt.Errorf("find device login: %w", err)
	}
	return d, nil
}

// AnswerDevice approves the program that shows a code, or refuses it. It
// returns what Device does; refusing is up to anybody who types the code.
func (l *Login) AnswerDevice(ctx context.Context, typed string, yes bool, by session.Bearer, c Client) error {
	state, find := DeviceRefused, func() error { return mayApprove(by) }
	if yes {
		state, find = DeviceApproved, func() error {
			_, err := l.Device(ctx, typed, by, c)
			return err
		}
	}
	if err := find(); err != nil {
		return err
	}
	hash, err := readUserCode(typed)
	if err != nil {
		return err
	}
	return l.typing(ctx, by, c, func() error {
		err := l.Store.Tx(ctx, func(ctx context.Context) error {
			now := l.Now()
			d, err := l.Store.DeviceByUserCode(ctx, hash, now)
			if err != nil {
				return err
			}
			if err := l.Store.AnswerDevice(ctx, hash, state, Approval{UserID: by.User.ID, Session: by.Hash, BrowserIP: c.IP}, now); err != nil {
				return err
			}
			return l.recordAnswer(ctx, yes, by, byDevice, d.Program, d.ProgramIP, c)
		})
		if errors.Is(err, fault.NotFound) {
			return errNoDevice()
		}
		return err
	})
}

// RedeemDevice gives a program its session token once somebody approved it. It
// returns fault.Invalid with code authorization_pending, slow_down,
// expired_token, access_denied (RFC 8628, 3.5) or invalid_grant; fault.Denied
// where the session that approved it is over or a policy refuses; and
// fault.TooMany.
func (l *Login) RedeemDevice(ctx context.Context, deviceCode string, c Client) (out Redeemed, err error) {
	hash := sha256.Sum256([]byte(deviceCode))
	err = l.guess(ctx, grantsByAddress, c, func() error {
		d, err := l.Store.DeviceByHash(ctx, hash)
		if errors.Is(err, fault.NotFound) {
			return errNoGrant()
		}
		if err != nil {
			return err
		}
		now := l.Now()
		switch {
		case d.State == DeviceRefused:
			return fault.Invalid.Errorf("The login was refused in the browser.").Coded("access_denied")
		case !now.Before(d.ExpiresAt):
			return fault.Invalid.Errorf("Nobody typed the code within ten minutes. Start again.").Coded("expired_token")
		case d.State == DevicePending:
			return l.pace(ctx, d, now)
		}
		d, err = l.Store.TakeDevice(ctx, hash, now)
		if errors.Is(err, fault.NotFound) {
			return errNoGrant()
		}
		if err != nil {
			return err
		}
		out, err = l.issue(ctx, d.Approval, byDevice, d.Program, c)
		return err
	}, "invalid_grant")
	return out, err
}

func errNoGrant() error {
	return fault.Invalid.Errorf("This code is not one, or was used already: perhaps by another program that has it.").At("device_code").Coded("invalid_grant")
}

// pace tells a program to wait, and longer where it asks too often.
func (l *Login) pace(ctx context.Context, d Device, now time.Time) error {
	early := now.Add(deviceSlack).Before(d.DueAt)
	pause := d.Pause
	if early {
		pause = min(pause+devicePause, longestPause)
	}
	if err := l.Store.PaceDevice(ctx, d.Hash, now.Add(pause), pause); err != nil {
		return err
	}
	if early {
		return fault.Invalid.Errorf("This was asked too soon. Wait %d seconds between two questions.", pause/time.Second).Coded("slow_down")
	}
	return fault.Invalid.Errorf("Nobody has typed the code yet.").Coded("authorization_pending")
}
