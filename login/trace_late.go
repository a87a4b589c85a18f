package login

import (
	"context"
	"slices"
	"sync"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/session"
)

// late is what is written a moment later, by Flush. Refused attempts that are
// counted: a stranger who sends many should not have the database write for
// each. And refused passwords: writing at once would take longer where there is
// an account than where there is none, which is nobody's to know. What is not
// written yet when a server dies is lost.
type late struct {
	mu        sync.Mutex
	refused   map[refusedAt]int
	passwords []typed
}

type refusedAt struct {
	organizationID, methodID string
	hour                     time.Time
}

// A typed is an attempt with a password.
type typed struct {
	user    account.User
	client  Client
	at      time.Time
	outcome TraceOutcome
	refusal *fault.Error
}

// mostLate is how many refused passwords wait to be written.
const mostLate = 1000

func (l *late) count(organizationID, methodID string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(refusedAt{organizationID, methodID, now.UTC().Truncate(time.Hour)}, 1)
}

func (l *late) add(at refusedAt, n int) {
	if l.refused == nil {
		l.refused = map[refusedAt]int{}
	}
	l.refused[at] += n
}

// take gives what waits.
func (l *late) take() (map[refusedAt]int, []typed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	refused, passwords := l.refused, l.passwords
	l.refused, l.passwords = nil, nil
	return refused, passwords
}

// wrongPassword notes an attempt with a password that was refused. It gives
// err, and takes as long whether there is such a user or not.
func (t *Traces) wrongPassword(u account.User, err error, c Client) error {
	refusal := fault.Of(err)
	if t == nil || refusal.Kind == fault.Internal {
		return err
	}
	attempt := typed{user: u, client: c, at: t.Now(), outcome: TraceRefused, refusal: refusal}
	t.late.mu.Lock()
	defer t.late.mu.Unlock()
	if len(t.late.passwords) < mostLate {
		t.late.passwords = append(t.late.passwords, attempt)
	}
	return err
}

// Flush writes what waits. What cannot be written is kept for the next time.
func (t *Traces) Flush(ctx context.Context) error {
	refused, passwords := t.late.take()
	var failed error
	for at, n := range refused {
		if err := t.Store.CountRefused(ctx, at.organizationID, at.methodID, at.hour, n); err != nil {
			failed = err
			t.late.mu.Lock()
			t.late.add(at, n)
			t.late.mu.Unlock()
		}
	}
	for i, p := range passwords {
		if err := t.password(ctx, p); err != nil {
			t.late.mu.Lock()
			t.late.passwords = append(slices.Clone(passwords[i:]), t.late.passwords...)
			t.late.mu.Unlock()
			return err
		}
	}
	return failed
}

// password keeps the trace of an attempt with a password, of somebody whom an
// organization manages: its administrators answer for them.
func (t *Traces) password(ctx context.Context, p typed) error {
	u := p.user
	if u.ManagingOrganizationID == "" || t.Limits.Take(ctx, tracesByPerson, u.ID) != nil {
		return nil
	}
	tr := t.begin(u.ManagingOrganizationID, session.Method{Kind: session.Password}, p.outcome, p.at)
	tr.UserID = u.ID
	story := Story{Email: u.Email, IP: p.client.IP, UserAgent: bounded(p.client.UserAgent)}
	if p.refusal != nil {
		tr.Code, story.Message = p.refusal.Code, p.refusal.Message
	}
	if err := t.seal(&tr, story, nil); err != nil {
		return err
	}
	return t.Store.AddTrace(ctx, tr)
}
