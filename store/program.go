package store

import (
	"context"
	"crypto/sha256"
	"time"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
)

// Bearer implements login.Store.
func (s *Store) Bearer(ctx context.Context, hash [sha256.Size]byte) (session.Bearer, error) {
	pass, err := s.Pass(ctx, hash, gate.Where{})
	return pass.Bearer, err
}

const noLoginCode = "There is no such code."

// AddLoginCode implements login.Store.
func (s *Store) AddLoginCode(ctx context.Context, hash [sha256.Size]byte, c login.LoginCode) error {
	_, err := s.exec(ctx, `
		INSERT INTO login_code (hash, user_id, session, program, browser_ip, challenge, redirect_uri, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		hash[:], c.UserID, c.Session[:], c.Program, addressText(c.BrowserIP), c.Challenge, c.RedirectURI, stamp(c.ExpiresAt))
	return err
}

// TakeLoginCode implements login.Store: who deletes the row has it.
func (s *Store) TakeLoginCode(ctx context.Context, hash [sha256.Size]byte, now time.Time) (c login.LoginCode, err error) {
	err = s.Tx(ctx, func(ctx context.Context) error {
		c, err = one(ctx, s, func(r row) (c login.LoginCode, err error) {
			return c, r.Scan(&c.UserID, fixed{c.Session[:]}, &c.Program, address{&c.BrowserIP}, &c.Challenge, &c.RedirectURI, moment{&c.ExpiresAt})
		}, `
			DELETE FROM login_code WHERE hash = $1 AND expires_at > $2
			RETURNING user_id, session, program, browser_ip, challenge, redirect_uri, expires_at`, hash[:], stamp(now))
		return err
	})
	return c, missing(err, noLoginCode)
}

const deviceColumns = `hash, user_code, program, program_ip, state, user_id, session, browser_ip, pause, due_at, created_at, expires_at`

func scanDevice(r row) (d login.Device, err error) {
	var approver []byte
	err = r.Scan(fixed{d.Hash[:]}, fixed{d.UserCode[:]}, &d.Program, address{&d.ProgramIP}, &d.State, text{&d.UserID}, &approver,
		address{&d.BrowserIP}, seconds{&d.Pause}, moment{&d.DueAt}, moment{&d.CreatedAt}, moment{&d.ExpiresAt})
	copy(d.Session[:], approver)
	return d, err
}

// AddDevice implements login.Store.
func (s *Store) AddDevice(ctx context.Context, d login.Device) error {
	return s.change(ctx, fault.Exists.Errorf("Another program shows this code."), `
		INSERT INTO device_login (hash, user_code, program, program_ip, state, pause, due_at, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT DO NOTHING`,
		d.Hash[:], d.UserCode[:], d.Program, addressText(d.ProgramIP), string(d.State),
		int64(d.Pause/time.Second), stamp(d.DueAt), stamp(d.CreatedAt), stamp(d.ExpiresAt))
}

// DeviceByUserCode implements login.Store.
func (s *Store) DeviceByUserCode(ctx context.Context, userCode [sha256.Size]byte, now time.Time) (login.Device, error) {
	d, err := one(ctx, s, scanDevice, `SELECT `+deviceColumns+` FROM device_login WHERE user_code = $1 AND state = 'pending' AND expires_at > $2`, userCode[:], stamp(now))
	return d, missing(err, noLoginCode)
}

// DeviceByHash implements login.Store.
func (s *Store) DeviceByHash(ctx context.Context, hash [sha256.Size]byte) (login.Device, error) {
	d, err := one(ctx, s, scanDevice, `SELECT `+deviceColumns+` FROM device_login WHERE hash = $1`, hash[:])
	return d, missing(err, noLoginCode)
}

// AnswerDevice implements login.Store: who changes the state has answered.
func (s *Store) AnswerDevice(ctx context.Context, userCode [sha256.Size]byte, state login.DeviceState, a login.Approval, now time.Time) error {
	return s.change(ctx, fault.NotFound.Errorf(noLoginCode), `
		UPDATE device_login SET state = $2, user_id = $3, session = $4, browser_ip = $5
		WHERE user_code = $1 AND state = 'pending' AND expires_at > $6`,
		userCode[:], string(state), a.UserID, a.Session[:], addressText(a.BrowserIP), stamp(now))
}

// PaceDevice implements login.Store.
func (s *Store) PaceDevice(ctx context.Context, hash [sha256.Size]byte, due time.Time, pause time.Duration) error {
	_, err := s.exec(ctx, `UPDATE device_login SET due_at = $2, pause = $3 WHERE hash = $1`, hash[:], stamp(due), int64(pause/time.Second))
	return err
}

// TakeDevice implements login.Store: who deletes the row has it.
func (s *Store) TakeDevice(ctx context.Context, hash [sha256.Size]byte, now time.Time) (d login.Device, err error) {
	err = s.Tx(ctx, func(ctx context.Context) error {
		d, err = one(ctx, s, scanDevice, `
			DELETE FROM device_login WHERE hash = $1 AND state = 'approved' AND expires_at > $2
			RETURNING `+deviceColumns, hash[:], stamp(now))
		return err
	})
	return d, missing(err, noLoginCode)
}
