package store

import (
	"context"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/mail"
)

var _ mail.Store = (*Store)(nil)

const (
	mailColumns = `id, kind, recipient, mailbox, subject, body, created_at, due_at, ends_at, attempts`
	noMail      = "No mail is due."
)

func scanMail(r row) (m mail.Queued, err error) {
	return m, r.Scan(&m.ID, &m.Kind, &m.To, &m.Mailbox, &m.Subject, &m.Body,
		moment{&m.CreatedAt}, moment{&m.DueAt}, moment{&m.EndsAt}, &m.Attempts)
}

// AddMail implements mail.Store. Transactions side by side may each take the
// last place, which is a mail or two more.
func (s *Store) AddMail(ctx context.Context, m mail.Queued, b mail.Bound) error {
	sent := fault.TooMany.Errorf("This address was sent enough mail for now. Try again tomorrow.").Coded("too_many_requests").After(time.Hour)
	return s.change(ctx, sent, `
		INSERT INTO mail (`+mailColumns+`, state, why)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting', ''
		WHERE (SELECT count(*) FROM mail WHERE mailbox = $4 AND kind = $2 AND created_at > $11) < $12
			AND NOT EXISTS (SELECT 1 FROM mail WHERE state = 'waiting' LIMIT 1 OFFSET $13)`,
		m.ID, string(m.Kind), m.To, m.Mailbox, m.Subject, m.Body,
		stamp(m.CreatedAt), stamp(m.DueAt), stamp(m.EndsAt), m.Attempts,
		stamp(b.Since), b.Most, b.Waiting-1)
}

// ClaimMail implements mail.Store. Most looks at the queue find nothing, so
// that they only read. The outer conditions repeat the inner ones: PostgreSQL
// asks them again, of the row as another claim left it, once that has ended.
func (s *Store) ClaimMail(ctx context.Context, now, until time.Time) (m mail.Queued, err error) {
	_, err = one(ctx, s, func(r row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT 1 FROM mail WHERE state = 'waiting' AND due_at <= $1 LIMIT 1`, stamp(now))
	if err != nil {
		return mail.Queued{}, missing(err, noMail)
	}
	err = s.Tx(ctx, func(ctx context.Context) error {
		m, err = one(ctx, s, scanMail, `
			UPDATE mail SET due_at = $2, attempts = attempts + 1
			WHERE id = (SELECT id FROM mail WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at, id LIMIT 1)
				AND state = 'waiting' AND due_at <= $1
			RETURNING `+mailColumns, stamp(now), stamp(until))
		return err
	})
	return m, missing(err, noMail)
}

// DelayMail implements mail.Store.
func (s *Store) DelayMail(ctx context.Context, id string, attempt int, due time.Time, why string) error {
	_, err := s.exec(ctx, `
		UPDATE mail SET due_at = $3, why = $4
		WHERE id = $1 AND attempts = $2 AND state = 'waiting'`, id, attempt, stamp(due), why)
	return err
}

// EndMail implements mail.Store.
func (s *Store) EndMail(ctx context.Context, id string, attempt int, end mail.End, why string, forget time.Time) error {
	_, err := s.exec(ctx, `
		UPDATE mail SET state = $3, why = $4, forget_at = $5, body = $6
		WHERE id = $1 AND attempts = $2 AND state = 'waiting'`,
		id, attempt, string(end), why, stamp(forget), []byte{})
	return err
}
