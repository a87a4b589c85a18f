package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/mail"
	"gatehouse/internal/mail/smtptest"
	"gatehouse/internal/seal"
	"gatehouse/store"
)

// A log is one that tests read while senders write.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// An office is a queue with a clock of its own.
type office struct {
	*mail.Sender
	t     *testing.T
	clock atomic.Int64
	log   log
}

func newOffice(t *testing.T, transport mail.Transport) *office {
	t.Helper()
	o := &office{t: t}
	o.clock.Store(time.Now().UnixMicro())
	keys := seal.New()
	db, err := store.Open(t.Context(), store.Config{Folder: t.TempDir(), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	o.Sender = &mail.Sender{
		Store: db, Transport: transport, Keys: keys, Domain: "sso.acme.test", NewID: ident.UUID,
		Now: func() time.Time { return time.UnixMicro(o.clock.Load()).UTC() }, Log: slog.New(slog.NewTextHandler(&o.log, nil)), Poll: time.Millisecond,
	}
	return o
}

func (o *office) pass(d time.Duration) { o.clock.Add(d.Microseconds()) }

// queue queues a mail to each of several people.
func (o *office) queue(people ...string) {
	o.t.Helper()
	for _, p := range people {
		m := mail.Message{Kind: mail.Notice, To: p + "@acme.test", Subject: "Hello", Text: "The secret of " + p + "."}
		if err := o.Queue(context.Background(), m); err != nil {
			o.t.Fatal(err)
		}
	}
}

// deliver sends whatever is due.
func (o *office) deliver() {
	o.t.Helper()
	for {
		more, err := o.Deliver(context.Background())
		if err != nil {
			o.t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

// to is a transport to a test server on this machine.
func to(t *testing.T, s *smtptest.Server) *mail.SMTP {
	t.Helper()
	out, err := mail.ParseSMTP("smtp://" + s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	out.From, out.Hello = netmail.Address{Address: "no-reply@acme.test"}, "sso.acme.test"
	return out
}

func recipients(mails []smtptest.Mail) []string {
	var out []string
	for _, m := range mails {
		out = append(out, m.To...)
	}
	slices.Sort(out)
	return out
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got mail to %q, want to %q", got, want)
	}
}

func TestServerThatDiesBetweenTwoRecipientsLosesNoneAndDoublesNone(t *testing.T) {
	died := false
	s := smtptest.Start(t, smtptest.Options{Rcpt: func(to string) error {
		if strings.HasPrefix(to, "bob") && !died {
			died = true
			return smtptest.ErrDie
		}
		return nil
	}})
	o := newOffice(t, to(t, s))
	o.queue("ann", "bob", "cid")
	o.deliver()
	want(t, recipients(s.Mails()), "ann@acme.test", "cid@acme.test")
	o.pass(time.Minute)
	o.deliver()
	want(t, recipients(s.Mails()), "ann@acme.test", "bob@acme.test", "cid@acme.test")
	o.pass(24 * time.Hour)
	o.deliver()
	want(t, recipients(s.Mails()), "ann@acme.test", "bob@acme.test", "cid@acme.test")
}

func TestServerThatTookAMailAndDiedGetsItAgainWithTheSameID(t *testing.T) {
	died := false
	s := smtptest.Start(t, smtptest.Options{Data: func(smtptest.Mail) error {
		if died {
			return nil
		}
		died = true
		return smtptest.ErrDie
	}})
	o := newOffice(t, to(t, s))
	o.queue("ann")
	o.deliver()
	o.pass(time.Minute)
	o.deliver()
	got := s.Mails()
	if len(got) != 2 || got[0].Header.Get("Message-Id") != got[1].Header.Get("Message-Id") || got[0].Header.Get("Message-Id") == "" {
		t.Errorf("got %d mails with %v, want two with one Message-ID", len(got), got)
	}
}

func TestRefusalsForNowAreTriedAgainAndOthersNot(t *testing.T) {
	tries := map[string]int{}
	s := smtptest.Start(t, smtptest.Options{Rcpt: func(to string) error {
		tries[to]++
		switch {
		case strings.HasPrefix(to, "gone"):
			return smtptest.Refuse(550, "no such user")
		case strings.HasPrefix(to, "busy") && tries[to] < 3:
			return smtptest.Refuse(451, "greylisted")
		}
		return nil
	}})
	o := newOffice(t, to(t, s))
	o.queue("gone", "busy")
	for range 4 {
		o.deliver()
		o.deliver() // not before it is due
		o.pass(10 * time.Minute)
	}
	want(t, recipients(s.Mails()), "busy@acme.test")
	if tries["gone@acme.test"] != 1 || tries["busy@acme.test"] != 3 {
		t.Errorf("got %v attempts, want 1 for gone and 3 for busy", tries)
	}
	if text := o.log.String(); strings.Contains(text, "The secret") || strings.Contains(text, "gone@") {
		t.Errorf("the log holds a text or a recipient:\n%s", text)
	}
}

func TestAMailIsGivenUpAfterThreeDaysOrWhenItIsNotWorthIt(t *testing.T) {
	tries := map[string]int{}
	s := smtptest.Start(t, smtptest.Options{Rcpt: func(to string) error {
		tries[to]++
		return smtptest.Refuse(451, "never")
	}})
	o := newOffice(t, to(t, s))
	o.queue("ann")
	short := mail.Message{Kind: mail.Notice, To: "bob@acme.test", Subject: "Hello", Text: "Hello", Until: o.Now().Add(time.Hour)}
	if err := o.Queue(t.Context(), short); err != nil {
		t.Fatal(err)
	}
	for range 7 * 24 {
		o.deliver()
		o.pass(time.Hour)
	}
	if n := tries["ann@acme.test"]; n < 10 || n > 20 {
		t.Errorf("got %d attempts in three days, want 10 to 20", n)
	}
	if n := tries["bob@acme.test"]; n != 1 {
		t.Errorf("got %d attempts of a mail that is worth an hour, want 1", n)
	}
	if !strings.Contains(o.log.String(), "mail given up") {
		t.Errorf("got the log %s, want to be told that a mail was given up", &o.log)
	}
}

func TestSendersAtOnceSendEachMailOnce(t *testing.T) {
	s := smtptest.Start(t, smtptest.Options{})
	o := newOffice(t, to(t, s))
	var people []string
	for n := range 40 {
		people = append(people, fmt.Sprintf("p%02d", n))
	}
	o.queue(people...)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() { o.Run(ctx) })
	}
	for len(s.Mails()) < len(people) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	stop()
	running.Wait()
	o.deliver()
	var all []string
	for _, p := range people {
		all = append(all, p+"@acme.test")
	}
	want(t, recipients(s.Mails()), all...)
}

// slow is a transport that says when it began, and waits.
type slow struct{ begun, end chan struct{} }

func (s slow) Send(ctx context.Context, _ mail.Outgoing) error {
	s.begun <- struct{}{}
	select {
	case <-s.end:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestStoppingLetsTheMailUnderWayFinish(t *testing.T) {
	transport := slow{make(chan struct{}), make(chan struct{})}
	o := newOffice(t, transport)
	o.queue("ann")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.Run(ctx)
	}()
	<-transport.begun
	stop()
	close(transport.end)
	<-done
	if !strings.Contains(o.log.String(), "mail sent") {
		t.Errorf("got the log %s, want the mail sent", &o.log)
	}
	o.pass(24 * time.Hour)
	if more, err := o.Deliver(t.Context()); more || err != nil {
		t.Errorf("got %v, %v; want nothing left to send", more, err)
	}
}

func TestAServerThatIsAwayKeepsNothingFromBeingSentLater(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	away, err := mail.ParseSMTP("smtp://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	away.From, away.Hello = netmail.Address{Address: "no-reply@acme.test"}, "sso.acme.test"
	o := newOffice(t, away)
	o.queue("ann")
	o.deliver()
	s := smtptest.Start(t, smtptest.Options{})
	o.Transport = to(t, s)
	o.pass(time.Minute)
	o.deliver()
	want(t, recipients(s.Mails()), "ann@acme.test")
}

func TestAStrangerCanHaveOneMailboxSentSoMuch(t *testing.T) {
	o := newOffice(t, &mail.Kept{})
	n := 0
	for ; n < 1000; n++ {
		m := mail.Message{Kind: mail.Verification, To: fmt.Sprintf("ann+%d@acme.test", n), Subject: "Hello", Text: "Hello"}
		if err := o.Queue(t.Context(), m); errors.Is(err, fault.TooMany) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if n != 10 {
		t.Errorf("got %d mails queued for one mailbox, want 10", n)
	}
	o.queue("ann") // what tells of changes still comes
	o.pass(25 * time.Hour)
	if err := o.Queue(t.Context(), mail.Message{Kind: mail.Verification, To: "ann@acme.test", Subject: "Hello", Text: "Hello"}); err != nil {
		t.Errorf("a day later: got %v, want it queued", err)
	}
}

// small is a store whose queue is full ten thousand times sooner.
type small struct{ mail.Store }

func (s small) AddMail(ctx context.Context, m mail.Queued, b mail.Bound) error {
	b.Waiting /= 10_000
	return s.Store.AddMail(ctx, m, b)
}

func TestNothingThatStrangersCauseSilencesTheNoticeOfALink(t *testing.T) {
	linked := mail.Message{Kind: mail.Linked, To: "ann@acme.test", Subject: "Hello", Text: "Hello"}
	t.Run("a full queue", func(t *testing.T) {
		o := newOffice(t, &mail.Kept{})
		o.Store = small{o.Store}
		var err error
		for n := 0; err == nil && n < 100; n++ {
			err = o.Queue(t.Context(), mail.Message{Kind: mail.Verification, To: fmt.Sprintf("p%d@acme.test", n), Subject: "Hello", Text: "Hello"})
		}
		if !errors.Is(err, fault.TooMany) {
			t.Fatalf("got %v, want the queue to be full at last", err)
		}
		if err := o.Queue(t.Context(), linked); err != nil {
			t.Errorf("got %v, want the notice queued", err)
		}
	})
	t.Run("a mailbox that was sent every other mail", func(t *testing.T) {
		o := newOffice(t, &mail.Kept{})
		for _, kind := range []mail.Kind{mail.Verification, mail.Notice} {
			var err error
			for n := 0; err == nil && n < 100; n++ {
				err = o.Queue(t.Context(), mail.Message{Kind: kind, To: "ann@acme.test", Subject: "Hello", Text: "Hello"})
			}
			if !errors.Is(err, fault.TooMany) {
				t.Fatalf("%s: got %v, want too many at last", kind, err)
			}
		}
		if err := o.Queue(t.Context(), linked); err != nil {
			t.Errorf("got %v, want the notice queued", err)
		}
	})
}
