// Package audit keeps the log of who did what.
//
// An event is a plain value: strings and a time, so that every package may
// write one, and the log stays readable when what it speaks of is long gone.
// It is written in the transaction of the change that it tells of: neither is
// kept without the other. An event never holds a secret: certificates stand in
// it by their fingerprint, keys, passwords and tokens not at all.
//
// Rows are plain. Whoever can write to the database can change them; the log
// itself offers no way to.
package audit

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"gatehouse/internal/fault"
)

// An Event is one thing that somebody did.
type Event struct {
	ID             string // UUIDv7; Record gives it
	At             time.Time
	OrganizationID string // whose business it is; empty for what is nobody's but the operators'
	Actor          Actor
	Action         string // one of Actions
	Target         Target
	IP             netip.Addr // zero if it is not known
	UserAgent      string     // up to 256 bytes; may be empty
	Details        Details    // what changed; may be nil
}

// An Actor is who did it, named as they were called then.
type Actor struct {
	ID   string // the user's; empty for who is none
	Name string // the email address, or OnServer
}

// OnServer is the name of an actor who did it on the server's own machine, by
// a command: there, no login says who it is.
const OnServer = "operator on the server"

// BySchedule is the name of an actor where nobody did it: its time had come.
const BySchedule = "the server, on time"

// ByProvider is the name of an actor where an identity provider did it, before
// it is known whom it speaks of.
const ByProvider = "the identity provider"

// Operator is the actor of a command on the server.
func Operator() Actor { return Actor{Name: OnServer} }

// A Target is what something was done to.
type Target struct {
	Kind string // such as "organization"
	ID   string
	Name string // as it was called then
}

// Details say more of an event: by name, in the API's words.
type Details map[string]string

// The ends of the names under which Changed notes a change.
const (
	Before = ".before"
	After  = ".after"
)

// Changed notes that a value became another one; it notes nothing where the
// two are equal.
func (d Details) Changed(name, before, after string) {
	if before == after {
		return
	}
	d[name+Before], d[name+After] = before, after
}

// Bounds on what one event may hold. What is longer is cut: an event must
// never be the reason that a change fails.
const (
	mostName      = 512  // bytes of a name
	mostUserAgent = 256  // bytes
	mostDetail    = 2048 // bytes of a detail
	mostDetails   = 100
)

// Store is what Log needs of storage.
type Store interface {
	// AddEvent inserts an event, in the transaction of the context if there is
	// one.
	AddEvent(ctx context.Context, e Event) error

	// Events gives up to most of the events that fit a filter and are older
	// than the one with the id before, newest first; an empty id is no bound.
	Events(ctx context.Context, f Filter, before string, most int) ([]Event, error)
}

// A Log is written to and read, and never changed.
type Log struct {
	Store Store
	Now   func() time.Time
	NewID func(time.Time) string // a UUIDv7: the log is sorted by it
}

// Record writes an event, at this moment, in the transaction that ctx carries:
// the change that it tells of and the event are kept together or not at all.
// An event without an actor, or with an action that is not in Actions, is our
// own mistake, and an error.
func (l *Log) Record(ctx context.Context, e Event) error {
	if _, known := words[e.Action]; !known || e.Actor.Name == "" {
		return fmt.Errorf("record event %q of %q: an event has an actor, and an action of the table", e.Action, e.Actor.Name)
	}
	e.At = l.Now()
	e.ID = l.NewID(e.At)
	e.Actor.Name, e.Target.Name = clip(e.Actor.Name, mostName), clip(e.Target.Name, mostName)
	e.Target.ID = clip(e.Target.ID, mostName)
	e.UserAgent = clip(e.UserAgent, mostUserAgent)
	if len(e.Details) > mostDetails {
		return fmt.Errorf("record event %s: it has %d details", e.Action, len(e.Details))
	}
	details := make(Details, len(e.Details))
	for name, value := range e.Details {
		details[name] = clip(value, mostDetail)
	}
	e.Details = details
	if err := l.Store.AddEvent(ctx, e); err != nil {
		return fmt.Errorf("record event %s: %w", e.Action, err)
	}
	return nil
}

// A Filter says which events to list. Empty fields do not matter.
type Filter struct {
	OrganizationID string // the events of this organization alone
	Everywhere     bool   // or those of all, and those of none
	Action         string // what actions begin with: "idp" or "idp.update"
	Actor          string // a user's id, or what the actor's name begins with
	Since          time.Time
	Until          time.Time // Since is in, Until is out
}

// A Page is a part of a list.
type Page struct {
	Size   int    // 1 to MostOnPage; 0 means usualOnPage
	Cursor string // Listing.Next of the page before; empty for the first
}

// MostOnPage is the most events that one page holds.
const MostOnPage = 100

const usualOnPage = 50

// A Listing is a page of events, newest first.
type Listing struct {
	Events []Event
	Next   string // the cursor of the next page; empty if there is none
}

// List gives a page of the log. It returns fault.Invalid at page_size, cursor,
// action or actor. A filter has to say whose events: without an organization
// and without Everywhere it is our own mistake, and lists nothing.
func (l *Log) List(ctx context.Context, f Filter, p Page) (Listing, error) {
	if (f.OrganizationID != "") == f.Everywhere {
		return Listing{}, fmt.Errorf("list events: a filter names an organization, or all of them")
	}
	if p.Size == 0 {
		p.Size = usualOnPage
	}
	if p.Size < 1 || p.Size > MostOnPage {
		return Listing{}, fault.Invalid.Errorf("Say a number from 1 to %d.", MostOnPage).At("page_size")
	}
	if p.Cursor != "" && !isUUID(p.Cursor) {
		return Listing{}, fault.Invalid.Errorf("This is no cursor that a page of this list came with.").At("cursor")
	}
	f.Action, f.Actor = strings.ToLower(strings.TrimSpace(f.Action)), strings.ToLower(strings.TrimSpace(f.Actor))
	if len(f.Action) > 64 {
		return Listing{}, fault.Invalid.Errorf("No action has more than 64 characters.").At("action")
	}
	if len(f.Actor) > 320 {
		return Listing{}, fault.Invalid.Errorf("No address has more than 320 characters.").At("actor")
	}
	events, err := l.Store.Events(ctx, f, p.Cursor, p.Size+1)
	if err != nil {
		return Listing{}, fmt.Errorf("list events: %w", err)
	}
	out := Listing{Events: events}
	if len(events) > p.Size {
		out.Events = events[:p.Size]
		out.Next = out.Events[p.Size-1].ID
	}
	return out, nil
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	return strings.Trim(s, "0123456789abcdef-") == ""
}

// clip cuts a text to a number of bytes, and leaves out what no database
// holds: half a character at the cut, and NUL.
func clip(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}
