package audit

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gatehouse/internal/fault"
)

// fakeStore keeps events in a slice and notes what it is asked for.
type fakeStore struct {
	events []Event
	filter Filter
	before string
	err    error
}

func (f *fakeStore) AddEvent(_ context.Context, e Event) error {
	f.events = append(f.events, e)
	return f.err
}

func (f *fakeStore) Events(_ context.Context, filter Filter, before string, most int) ([]Event, error) {
	f.filter, f.before = filter, before
	return f.events[:min(most, len(f.events))], f.err
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newLog() (*Log, *fakeStore) {
	s, n := &fakeStore{}, 0
	return &Log{Store: s, Now: func() time.Time { return noon }, NewID: func(at time.Time) string {
		n++
		return fmt.Sprintf("%08x-0000-7000-8000-%012x", at.Unix(), n)
	}}, s
}

func TestAnEventGetsItsIdAndItsTime(t *testing.T) {
	l, s := newLog()
	e := Event{Actor: Operator(), Action: OrganizationCreate, At: noon.Add(-time.Hour), ID: "mine", Details: Details{"tier": "business"}}
	if err := l.Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	e.At, e.ID = noon, "69a42a40-0000-7000-8000-000000000001"
	if diff := cmp.Diff([]Event{e}, s.events, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEventWithoutActorOrActionIsRefused(t *testing.T) {
	for name, e := range map[string]Event{
		"no actor":         {Action: LoginSuccess},
		"actor of no name": {Actor: Actor{ID: "u1"}, Action: LoginSuccess},
		"no action":        {Actor: Operator()},
		"another action":   {Actor: Operator(), Action: "user.forget"},
	} {
		l, s := newLog()
		if err := l.Record(t.Context(), e); err == nil || len(s.events) != 0 {
			t.Errorf("%s: got %v and %d events, want an error and none", name, err, len(s.events))
		}
	}
}

func TestWhatIsTooLongIsCutAndNothingUnstorableIsLeft(t *testing.T) {
	l, s := newLog()
	long := strings.Repeat("€", 3000) + "\x00\xff"
	details := Details{"long": long, "nul": "a\x00b\xff"}
	err := l.Record(t.Context(), Event{
		Actor: Actor{ID: "u1", Name: long}, Action: UserUpdate, Target: Target{Kind: "user", ID: long, Name: long}, UserAgent: long, Details: details,
	})
	if err != nil {
		t.Fatal(err)
	}
	got := s.events[0]
	for name, c := range map[string]struct {
		text string
		most int
	}{
		"actor": {got.Actor.Name, mostName}, "target": {got.Target.Name, mostName}, "target id": {got.Target.ID, mostName},
		"user agent": {got.UserAgent, mostUserAgent}, "detail": {got.Details["long"], mostDetail},
	} {
		if n := len(c.text); n > c.most || n < c.most-3 || !utf8.ValidString(c.text) {
			t.Errorf("%s: got %d bytes, want %d of whole characters", name, n, c.most)
		}
	}
	if got.Details["nul"] != "ab" {
		t.Errorf("got %q, want ab", got.Details["nul"])
	}
	if details["long"] != long {
		t.Error("the caller's own details were changed")
	}
}

func TestOnlyWhatChangedIsNoted(t *testing.T) {
	d := Details{}
	d.Changed("name", "Acme", "Acme Ltd")
	d.Changed("tier", "business", "business")
	if diff := cmp.Diff(Details{"name.before": "Acme", "name.after": "Acme Ltd"}, d); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestActionsAreTwoWordsAndSaidInWords(t *testing.T) {
	shape := regexp.MustCompile(`^[a-z]+\.[a-z]+(_[a-z]+)*$`)
	for _, a := range Actions() {
		if !shape.MatchString(a) || Words(a) == "" || Words(a) == a {
			t.Errorf("got %q, said as %q; want two words with a dot between, and words for people", a, Words(a))
		}
	}
	if got := Words("user.forget"); got != "user.forget" {
		t.Errorf("got %q for an action that is not known, want itself", got)
	}
}

func TestAStoreThatFailsFailsTheRecord(t *testing.T) {
	l, s := newLog()
	s.err = fault.Unavailable
	if err := l.Record(t.Context(), Event{Actor: Operator(), Action: BackupCreate}); !errors.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestAListSaysWhoseEvents(t *testing.T) {
	for name, f := range map[string]Filter{
		"nobody's": {}, "both": {OrganizationID: "org1", Everywhere: true},
	} {
		l, _ := newLog()
		if _, err := l.List(t.Context(), f, Page{}); err == nil || fault.Of(err).Kind != fault.Internal {
			t.Errorf("%s: got %v, want our own mistake", name, err)
		}
	}
}

func TestWhatAListIsAskedForHasBounds(t *testing.T) {
	for name, c := range map[string]struct {
		filter Filter
		page   Page
		field  string
	}{
		"too many":      {Filter{Everywhere: true}, Page{Size: 101}, "page_size"},
		"fewer than 1":  {Filter{Everywhere: true}, Page{Size: -1}, "page_size"},
		"no cursor":     {Filter{Everywhere: true}, Page{Cursor: "page-2"}, "cursor"},
		"its lookalike": {Filter{Everywhere: true}, Page{Cursor: strings.Repeat("g", 36)}, "cursor"},
		"long action":   {Filter{Everywhere: true, Action: strings.Repeat("a", 65)}, Page{}, "action"},
		"long actor":    {Filter{Everywhere: true, Actor: strings.Repeat("a", 321)}, Page{}, "actor"},
	} {
		l, _ := newLog()
		_, err := l.List(t.Context(), c.filter, c.page)
		if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || f.Field != c.field {
			t.Errorf("%s: got %v, want invalid at %s", name, err, c.field)
		}
	}
}

func TestAPageLeadsToTheNext(t *testing.T) {
	l, s := newLog()
	for range 3 {
		if err := l.Record(t.Context(), Event{Actor: Operator(), Action: BackupCreate}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := l.List(t.Context(), Filter{OrganizationID: "org1", Action: " IdP ", Actor: " Alice@Acme.test"}, Page{Size: 2})
	if err != nil || len(page.Events) != 2 || page.Next != s.events[1].ID {
		t.Fatalf("got %d events and next %q (%v), want 2 and the id of the last", len(page.Events), page.Next, err)
	}
	if s.filter.Action != "idp" || s.filter.Actor != "alice@acme.test" {
		t.Errorf("got asked for %+v, want both in lower case, without blanks", s.filter)
	}
	page, err = l.List(t.Context(), Filter{OrganizationID: "org1"}, Page{Size: 3, Cursor: page.Next})
	if err != nil || page.Next != "" || s.before == "" {
		t.Errorf("got next %q (%v) before %q, want the last page", page.Next, err, s.before)
	}
}
