package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/mail"
	"gatehouse/store"
)

// Mail is a mail of an id, due Then.
func Mail(id string) mail.Queued {
	return mail.Queued{
		ID: id, Kind: mail.Verification, To: "ann+1@example.com", Mailbox: "ann@example.com", Subject: "Grüße", Body: []byte{1, 0, 255},
		CreatedAt: Then, DueAt: Then, EndsAt: Then.Add(time.Hour),
	}
}

// roomy is a bound that nothing here meets.
var roomy = mail.Bound{Since: Then.Add(-24 * time.Hour), Most: 1000, Waiting: 1000}

// claimed is what a claim at that moment, for a minute, gives of m.
func claimed(m mail.Queued, at time.Time) mail.Queued {
	m.Attempts++
	m.DueAt = at.Add(time.Minute)
	return m
}

func claim(t *testing.T, s *store.Store, at time.Time) mail.Queued {
	t.Helper()
	m, err := s.ClaimMail(t.Context(), at, at.Add(time.Minute))
	do(t, err)
	return m
}

func noneDue(t *testing.T, s *store.Store, at time.Time) {
	t.Helper()
	_, err := s.ClaimMail(t.Context(), at, at.Add(time.Minute))
	isFault(t, err, fault.NotFound)
}

var mails = []promise{
	{"a mail comes back as it was added, once, until the claim runs out", func(t *testing.T, s *store.Store) {
		m := Mail("m1")
		do(t, s.AddMail(t.Context(), m, roomy))
		noneDue(t, s, Then.Add(-time.Microsecond))
		same(t, claim(t, s, Then), claimed(m, Then))
		noneDue(t, s, Then.Add(time.Minute-time.Microsecond))
		later := Then.Add(time.Minute)
		same(t, claim(t, s, later), claimed(claimed(m, Then), later))
	}},
	{"what is due longest comes first", func(t *testing.T, s *store.Store) {
		for n, id := range []string{"m3", "m1", "m2"} {
			m := Mail(id)
			m.DueAt = Then.Add(-time.Duration(n) * time.Second)
			do(t, s.AddMail(t.Context(), m, roomy))
		}
		var got []string
		for range 3 {
			got = append(got, claim(t, s, Then).ID)
		}
		same(t, got, []string{"m2", "m1", "m3"})
		noneDue(t, s, Then)
	}},
	{"a mail is queued with its change or not at all", func(t *testing.T, s *store.Store) {
		mine := errors.New("mine")
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.AddUser(ctx, User("ada"), ""), s.AddMail(ctx, Mail("m1"), roomy))
			return mine
		})
		if !errors.Is(err, mine) {
			t.Fatalf("got %v, want the error of the transaction", err)
		}
		noneDue(t, s, Then)
	}},
	{"of many who claim at once, each mail goes to one", func(t *testing.T, s *store.Store) {
		const n = 12
		for i := range n {
			do(t, s.AddMail(t.Context(), Mail(fmt.Sprintf("m%02d", i)), roomy))
		}
		seen := make([][]string, 8)
		race(t, len(seen), fault.NotFound, func(ctx context.Context, i int) error {
			for range 100 {
				m, err := s.ClaimMail(ctx, Then, Then.Add(time.Minute))
				// A look that met another's claim may find nothing.
				if errors.Is(err, fault.NotFound) {
					continue
				}
				if err != nil {
					return err
				}
				seen[i] = append(seen[i], m.ID)
			}
			return nil
		})
		times := map[string]int{}
		for _, ids := range seen {
			for _, id := range ids {
				times[id]++
			}
		}
		want := map[string]int{}
		for i := range n {
			want[fmt.Sprintf("m%02d", i)] = 1
		}
		same(t, times, want)
	}},
	{"a mail that ended is due no more, and its text is gone", func(t *testing.T, s *store.Store) {
		do(t, s.AddMail(t.Context(), Mail("m1"), roomy))
		m := claim(t, s, Then)
		do(t, s.EndMail(t.Context(), m.ID, m.Attempts, mail.Sent, "", Then.Add(time.Hour)))
		noneDue(t, s, Then.Add(time.Hour))
		// Nothing brings it back.
		do(t, s.DelayMail(t.Context(), m.ID, m.Attempts, Then, "late"))
		noneDue(t, s, Then.Add(time.Hour))
	}},
	{"who was overtaken decides nothing", func(t *testing.T, s *store.Store) {
		do(t, s.AddMail(t.Context(), Mail("m1"), roomy))
		slow := claim(t, s, Then)
		quick := claim(t, s, Then.Add(time.Minute))
		do(t, s.EndMail(t.Context(), slow.ID, slow.Attempts, mail.Failed, "late", Then))
		do(t, s.DelayMail(t.Context(), slow.ID, slow.Attempts, Then, "late"))
		noneDue(t, s, Then.Add(2*time.Minute-time.Microsecond))
		do(t, s.DelayMail(t.Context(), quick.ID, quick.Attempts, Then.Add(time.Hour), "busy"))
		noneDue(t, s, Then.Add(time.Hour-time.Microsecond))
		same(t, claim(t, s, Then.Add(time.Hour)).Attempts, 3)
	}},
	{"a mailbox is sent so many of a kind", func(t *testing.T, s *store.Store) {
		b := mail.Bound{Since: Then.Add(-time.Hour), Most: 2, Waiting: 1000}
		old := Mail("old")
		old.CreatedAt = b.Since
		do(t, s.AddMail(t.Context(), old, b), s.AddMail(t.Context(), Mail("m1"), b))
		done := claim(t, s, Then)
		do(t, s.EndMail(t.Context(), done.ID, done.Attempts, mail.Sent, "", Then.Add(time.Hour)))
		do(t, s.AddMail(t.Context(), Mail("m2"), b))
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			isFault(t, s.AddMail(ctx, Mail("m3"), b), fault.TooMany)
			// The transaction goes on.
			return s.AddUser(ctx, User("ada"), "")
		})
		do(t, err)
		other, kind := Mail("m4"), Mail("m5")
		other.Mailbox, kind.Kind = "eve@example.com", mail.Notice
		do(t, s.AddMail(t.Context(), other, b), s.AddMail(t.Context(), kind, b))
	}},
	{"so many mails wait and no more", func(t *testing.T, s *store.Store) {
		b := mail.Bound{Since: Then.Add(-time.Hour), Most: 1000, Waiting: 2}
		do(t, s.AddMail(t.Context(), Mail("m1"), b), s.AddMail(t.Context(), Mail("m2"), b))
		isFault(t, s.AddMail(t.Context(), Mail("m3"), b), fault.TooMany)
		m := claim(t, s, Then)
		do(t, s.EndMail(t.Context(), m.ID, m.Attempts, mail.Sent, "", Then.Add(time.Hour)))
		do(t, s.AddMail(t.Context(), Mail("m3"), b))
	}},
	{"ended mails are swept when they are to be forgotten, waiting ones never", func(t *testing.T, s *store.Store) {
		do(t, s.AddMail(t.Context(), Mail("m1"), roomy), s.AddMail(t.Context(), Mail("m2"), roomy))
		m := claim(t, s, Then)
		do(t, s.EndMail(t.Context(), m.ID, m.Attempts, mail.Sent, "", Then.Add(time.Hour)))
		for _, c := range []struct {
			at   time.Time
			want int64
		}{{Then.Add(time.Hour - time.Microsecond), 0}, {Then.Add(time.Hour), 1}, {Then.Add(1000 * time.Hour), 0}} {
			n, err := s.Sweep(t.Context(), c.at)
			do(t, err)
			same(t, n, c.want)
		}
		same(t, claim(t, s, Then.Add(1000*time.Hour)).ID, "m2")
	}},
}
