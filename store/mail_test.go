package store

import (
	"testing"
	"time"

	"gatehouse/internal/mail"
)

func TestTheTextOfAMailThatEndedIsGone(t *testing.T) {
	s := openFile(t)
	now := time.Now()
	for _, end := range []mail.End{mail.Sent, mail.Failed} {
		m := mail.Queued{ID: string(end), Kind: mail.Notice, To: "ann@acme.test", Mailbox: "ann@acme.test", Subject: "Hello", Body: []byte("sealed"), CreatedAt: now, DueAt: now, EndsAt: now.Add(time.Hour)}
		if err := s.AddMail(t.Context(), m, mail.Bound{Most: 10, Waiting: 10}); err != nil {
			t.Fatal(err)
		}
		claimed, err := s.ClaimMail(t.Context(), now, now.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.EndMail(t.Context(), m.ID, claimed.Attempts, end, "", now); err != nil {
			t.Fatal(err)
		}
		left, err := one(t.Context(), s, func(r row) (n int, err error) { return n, r.Scan(&n) },
			`SELECT length(body) FROM mail WHERE id = $1 AND state = $2`, m.ID, string(end))
		if err != nil || left != 0 {
			t.Errorf("%s: got %d bytes of the text left, %v; want none", end, left, err)
		}
	}
}
