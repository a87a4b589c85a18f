// Package mail queues and sends mail.
//
// A mail is a row of the queue, with one recipient, written in the transaction
// of whatever it tells of: neither is kept without the other. One of the
// cluster's senders claims it for a while, brings it to the mail server and
// notes what came of it. What fails for now is tried again, later each time;
// what the server refuses for good ends. A sender that dies leaves its claim to
// run out. A mail is therefore sent at least once, and twice only where nobody
// can know that the server took it; its Message-ID is the same then.
//
// What a mail says may hold a link that is a secret. It is sealed in the queue,
// removed once the mail has ended, and never logged. Whom strangers can have
// mailed, and how often, is bounded by Queue.
package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse/internal/seal"
)

// A Kind is what sort of mail it is. Each has a bound of its own, so that a
// flood of one does not keep the others away.
type Kind string

// The kinds.
const (
	Verification Kind = "verification"   // strangers can cause it, for any address
	Linked       Kind = "account-linked" // tells people of another way into their account
	DeviceLogin  Kind = "device-login"   // tells people that a program was logged in by a typed code
	Notice       Kind = "notice"         // tells people of what else was done to their account
	DomainNotice Kind = "domain"         // tells administrators that the proof of a domain is missing
	IdPNotice    Kind = "idp"            // tells administrators of an identity provider's metadata and certificates
)

// An allowance is what there may be of a kind of mail.
type allowance struct {
	perDay  int // to one mailbox
	waiting int // of all mails in the queue, for one more of this kind to be taken
}

// allowances are by kind. The queue has room for security notices that mails
// which strangers can cause never take: whoever fills it with those must not
// silence the notice of what they do next.
var allowances = map[Kind]allowance{
	Verification: {perDay: 10, waiting: 20_000},
	Linked:       {perDay: 50, waiting: 30_000},
	DeviceLogin:  {perDay: 50, waiting: 30_000},
	Notice:       {perDay: 50, waiting: 30_000},
	DomainNotice: {perDay: 50, waiting: 25_000},
	IdPNotice:    {perDay: 50, waiting: 25_000},
}

// Bounds on a mail.
const (
	mostBody    = 100 << 10 // bytes of a mail's text and HTML together
	mostSubject = 200       // bytes
)

// A Message is what one recipient is to read.
type Message struct {
	Kind    Kind
	To      string // an address as account.NormalizeEmail gives it
	Subject string
	Text    string
	HTML    string
	Until   time.Time // when it is not worth sending any more; zero: after three days
}

// A Queued is a mail in the queue.
type Queued struct {
	ID        string // UUIDv7, and the left half of the Message-ID
	Kind      Kind
	To        string
	Mailbox   string // To, without what stands after a plus: what bounds count
	Subject   string
	Body      []byte // sealed; empty once the mail has ended
	CreatedAt time.Time
	DueAt     time.Time // when it is to be tried next
	EndsAt    time.Time // when it is given up
	Attempts  int       // made so far, the present one included
}

// A Bound is what Store.AddMail holds a mail to.
type Bound struct {
	Since   time.Time // mails of the kind to the mailbox count from here
	Most    int       // of them
	Waiting int       // most of all mails that wait
}

// An End is how a mail ended.
type End string

// The ends.
const (
	Sent   End = "sent"
	Failed End = "failed"
)

// Store is what Sender needs of storage.
type Store interface {
	// AddMail inserts a mail, in the transaction of the context if there is
	// one. It returns fault.TooMany beyond the bound, which leaves the
	// transaction as it was.
	AddMail(ctx context.Context, m Queued, b Bound) error

	// ClaimMail gives the mail that is due longest to one caller, and makes it
	// due again at until, one attempt later. It returns fault.NotFound if none
	// is due at now.
	ClaimMail(ctx context.Context, now, until time.Time) (Queued, error)

	// DelayMail makes a mail due at another moment; EndMail ends it, removes
	// its body, and lets the row go at forget. Both note why, and do nothing
	// where another attempt than the given one has begun, or the mail has
	// ended.
	DelayMail(ctx context.Context, id string, attempt int, due time.Time, why string) error
	EndMail(ctx context.Context, id string, attempt int, end End, why string, forget time.Time) error
}

// A Transport brings a mail to where it is delivered from.
type Transport interface {
	// Send returns a *Refusal where another attempt cannot help. Any other
	// error is one for now. Its text goes to the log.
	Send(ctx context.Context, m Outgoing) error
}

// An Outgoing is a mail on its way.
type Outgoing struct {
	Message
	ID string    // of the message, without angle brackets
	At time.Time // when it was queued
}

// A Refusal is an error that holds for good.
type Refusal struct{ Why string }

func (r *Refusal) Error() string { return r.Why }

// A Sender queues mails, and sends them while Run runs.
type Sender struct {
	Store     Store
	Transport Transport
	Keys      *seal.Keyring // what the queue's texts are sealed with
	Domain    string        // of Message-IDs: the public host
	NewID     func(time.Time) string
	Now       func() time.Time
	Log       *slog.Logger

	// Poll is how often the queue is looked at; zero: every second.
	Poll time.Duration
}

// The times of a mail.
const (
	worthSending = 3 * 24 * time.Hour
	remembered   = 7 * 24 * time.Hour // how long the row stays once it ended
)

// body is what is sealed.
type body struct{ Text, HTML string }

// Queue has a mail sent once the transaction of ctx is kept. It returns
// fault.TooMany where its mailbox was sent enough of its kind today, or the
// queue is full; the transaction can go on.
func (s *Sender) Queue(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	now := s.Now()
	q := Queued{
		ID: s.NewID(now), Kind: m.Kind, To: m.To, Mailbox: mailbox(m.To), Subject: m.Subject,
		CreatedAt: now, DueAt: now, EndsAt: now.Add(worthSending),
	}
	if !m.Until.IsZero() && m.Until.Before(q.EndsAt) {
		q.EndsAt = m.Until
	}
	plain, err := json.Marshal(body{m.Text, m.HTML})
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	q.Body = s.Keys.Seal(Purpose(q.ID), plain)
	bound := Bound{Since: now.Add(-24 * time.Hour), Most: allowances[m.Kind].perDay, Waiting: allowances[m.Kind].waiting}
	if err := s.Store.AddMail(ctx, q, bound); err != nil {
		return fmt.Errorf("queue mail: %w", err)
	}
	return nil
}

// open reads what Queue sealed.
func (s *Sender) open(q Queued) (Message, error) {
	m := Message{Kind: q.Kind, To: q.To, Subject: q.Subject, Until: q.EndsAt}
	plain, err := s.Keys.Open(Purpose(q.ID), q.Body)
	if err != nil {
		return m, fmt.Errorf("open mail: %w", err)
	}
	var b body
	if err := json.Unmarshal(plain, &b); err != nil {
		return m, fmt.Errorf("read mail: %w", err)
	}
	m.Text, m.HTML = b.Text, b.HTML
	return m, nil
}

// Purpose is what a mail's body is sealed for: its row.
func Purpose(id string) string { return "mail " + id }

// check refuses what our own code must not send: a line end in a header would
// let a name write headers of its own.
func (m Message) check() error {
	switch {
	case allowances[m.Kind].perDay == 0:
		return fmt.Errorf("queue mail: %q is no kind of mail", m.Kind)
	case !isAddress(m.To):
		return fmt.Errorf("queue mail: the recipient is no address")
	case m.Subject == "" || len(m.Subject) > mostSubject || !isLine(m.Subject):
		return fmt.Errorf("queue mail: the subject is no line of at most %d bytes", mostSubject)
	case m.Text == "" || len(m.Text)+len(m.HTML) > mostBody:
		return fmt.Errorf("queue mail: the text is empty, or longer than %d bytes", mostBody)
	}
	return nil
}

func isLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// isAddress reports whether s looks as account.NormalizeEmail makes addresses.
func isAddress(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	return found && local != "" && domain != "" && len(s) <= 319 &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>()[]\,;:"`, r) }) &&
		!strings.Contains(domain, "@")
}

// mailbox leaves out the tag of an address (RFC 5233): many servers bring
// ann+1@ and ann+2@ to the same person.
func mailbox(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	if name, _, tagged := strings.Cut(local, "+"); tagged && name != "" {
		local = name
	}
	return local + "@" + domain
}
