package domains_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	godiff "github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/domains"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/internal/mail"
	"gatehouse/internal/seal"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

const day = 24 * time.Hour

// A zone is what is published, by name.
type zone struct {
	mu      sync.Mutex
	records map[string][]string
	silent  bool              // nobody answers
	asked   []string          // names, in order
	before  func(name string) // is called before each answer, unless nil
}

func (z *zone) TXT(ctx context.Context, name string) domains.Look {
	if z.before != nil {
		z.before(name)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked = append(z.asked, name)
	asked := []domains.Query{{Server: "192.0.2.53:53", Network: "udp", Name: name, Type: "TXT", Outcome: "NOERROR"}}
	if z.silent || ctx.Err() != nil {
		asked[0].Outcome = "no answer"
		return domains.Look{Asked: asked, Unsure: true}
	}
	return domains.Look{Values: z.records[name], Asked: asked}
}

// publish makes a claim's record what the claim asks for, or takes it away.
func (z *zone) publish(d domains.Domain, there bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.records == nil {
		z.records = map[string][]string{}
	}
	z.records["_challenge."+d.Name] = nil
	if there {
		z.records["_challenge."+d.Name] = []string{"v=spf1 -all", d.Value()}
	}
}

// A world has two organizations, with a clock and a zone of its own.
type world struct {
	*domains.Domains
	t           *testing.T
	db          *store.Store
	zone        *zone
	acme, other account.Organization
	ada         account.Actor // who administers both

	mu       sync.Mutex
	now      time.Time
	mails    []mail.Message
	noMail   error // what queueing returns
	noEvents error // what recording returns
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Folder: t.TempDir(), Keys: seal.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, db: db, zone: &zone{}, now: storetest.Then, acme: storetest.Organization("acme"), other: storetest.Organization("other")}
	w.Domains = &domains.Domains{
		Store: db, DNS: w.zone, Label: "_challenge", NewID: ident.Source("dom"), Now: w.clock,
		Limits: &limit.Memory{Now: w.clock}, Audit: &audit.Log{Store: events{db, w}, Now: w.clock, NewID: ident.UUID},
		Mail: w, Base: "https://sso.acme.test",
	}
	w.do(db.AddOrganization(t.Context(), w.acme, storetest.Root(w.acme)), db.AddOrganization(t.Context(), w.other, storetest.Root(w.other)))
	w.ada = account.Actor{User: w.admin("ada", true, account.ActiveUser)}
	w.do(db.AddMember(t.Context(), account.Member{OrganizationID: w.other.ID, UserID: w.ada.User.ID, SuperAdmin: true, JoinedAt: w.now}))
	return w
}

// events is the store of the log; it can refuse to take more.
type events struct {
	*store.Store
	w *world
}

func (e events) AddEvent(ctx context.Context, ev audit.Event) error {
	return cmp.Or(e.w.noEvents, e.Store.AddEvent(ctx, ev))
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// Queue takes mails.
func (w *world) Queue(_ context.Context, m mail.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.noMail == nil {
		w.mails = append(w.mails, m)
	}
	return w.noMail
}

func (w *world) do(errs ...error) {
	w.t.Helper()
	for _, err := range errs {
		if err != nil {
			w.t.Fatalf("got %v, want no error", err)
		}
	}
}

// admin makes a super admin of Acme.
func (w *world) admin(name string, proved bool, state account.UserState) account.User {
	w.t.Helper()
	u := storetest.User(name)
	u.AddressProved, u.State = proved, state
	w.do(w.db.AddUser(w.t.Context(), u, ""), w.db.AddMember(w.t.Context(), account.Member{OrganizationID: w.acme.ID, UserID: u.ID, SuperAdmin: true, JoinedAt: w.now}))
	return u
}

// verified claims a domain, and proves it.
func (w *world) verified(name string) domains.Domain {
	w.t.Helper()
	d, err := w.Add(w.t.Context(), w.ada, w.acme, name, domains.ByDNS)
	w.do(err)
	w.zone.publish(d, true)
	d, err = w.Verify(w.t.Context(), w.ada, w.acme, d.ID)
	w.do(err)
	return d
}

// recheck lets time pass and looks again.
func (w *world) recheck(after time.Duration) {
	w.t.Helper()
	w.pass(after)
	w.do(w.Recheck(w.t.Context()))
}

// is gives a claim as it is now.
func (w *world) is(d domains.Domain) domains.Domain {
	w.t.Helper()
	d, err := w.Get(w.t.Context(), w.acme, d.ID)
	w.do(err)
	return d
}

// told are the actions that the server did on time, oldest first.
func (w *world) told() (actions []string) {
	w.t.Helper()
	list, err := w.db.Events(w.t.Context(), audit.Filter{OrganizationID: w.acme.ID}, "", 1000)
	w.do(err)
	for _, e := range slices.Backward(list) {
		if e.Actor == (audit.Actor{Name: audit.BySchedule}) {
			actions = append(actions, e.Action)
		}
	}
	return actions
}

func want[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := godiff.Diff(want, got); diff != "" {
		t.Errorf("%s: got other than wanted (-want +got):\n%s", what, diff)
	}
}

func TestARecordThatStaysAwayForAWeekEndsItsClaim(t *testing.T) {
	w := newWorld(t)
	w.admin("eve", true, account.ActiveUser)
	w.admin("unproved", false, account.ActiveUser)
	w.admin("gone", true, account.DeactivatedUser)
	idp := storetest.IdP("am1", w.acme)
	w.do(w.db.AddIdP(t.Context(), idp))
	member := storetest.User("mia")
	member.Email, member.AddressProved = "mia@company.test", true
	w.do(w.db.AddUser(t.Context(), member, ""), w.db.AddMember(t.Context(), account.Member{OrganizationID: w.acme.ID, UserID: member.ID, JoinedAt: w.now}))
	d := w.verified("company.test")
	w.do(w.Link(t.Context(), w.ada, w.acme, idp.ID, d.ID))
	theirs, err := w.Add(t.Context(), w.ada, w.other, "company.test", domains.ByDNS)
	w.do(err)

	w.recheck(day)
	want(t, "the record is there: events", w.told(), nil)
	want(t, "the record is there: looked at", w.is(d).CheckedAt, w.now)

	w.zone.publish(d, false)
	w.zone.publish(theirs, true)
	first := w.now.Add(day)
	for n := range 7 {
		w.recheck(day)
		got := w.is(d)
		want(t, "state", got.State, domains.Verified)
		want(t, "missing since", got.MissingSince, first)
		want(t, "ends", got.EndsAt(), first.Add(7*day))
		want(t, "links", got.Methods, []string{idp.ID})
		want(t, "mails", len(w.mails), 2*(n+1))
		if !strings.Contains(got.Finding, "another value") {
			t.Errorf("got the finding %q, want what is published", got.Finding)
		}
		_, err := w.Verify(t.Context(), w.ada, w.other, theirs.ID)
		if !errors.Is(err, fault.Conflict) {
			t.Errorf("got %v, want that others cannot verify it yet", err)
		}
	}
	want(t, "events so far", w.told(), []string{audit.DomainMiss})
	for _, m := range w.mails {
		if m.To != "ada@example.com" && m.To != "eve@example.com" {
			t.Errorf("got a mail to %s, want them to active admins with proved addresses alone", m.To)
		}
		for _, text := range []string{"company.test", "_challenge.company.test", d.Value(), "acme", "13 March 2026", "https://sso.acme.test/organization/org-acme/domains"} {
			if !strings.Contains(m.Text, text) {
				t.Errorf("got the mail %s, want %q in it", m.Text, text)
			}
		}
	}

	w.mails = nil
	w.recheck(day)
	got := w.is(d)
	want(t, "state in the end", got.State, domains.Lost)
	want(t, "links in the end", got.Methods, nil)
	want(t, "events in the end", w.told(), []string{audit.DomainMiss, audit.DomainLose})
	want(t, "mails in the end", len(w.mails), 2)
	if !strings.Contains(w.mails[0].Subject, "lost") {
		t.Errorf("got the subject %q, want that it was lost", w.mails[0].Subject)
	}
	kept, err := w.db.User(t.Context(), member.ID)
	w.do(err)
	want(t, "who manages the member", kept.ManagingOrganizationID, w.acme.ID)
	_, err = w.Verify(t.Context(), w.ada, w.other, theirs.ID)
	w.do(err)

	w.mails, w.zone.asked = nil, nil
	w.recheck(10 * day)
	want(t, "looks at what is lost", w.zone.asked, []string{"_challenge.company.test"}) // which is the other's
	want(t, "mails of what is lost", len(w.mails), 0)
}

func TestARecordThatComesBackEndsTheCount(t *testing.T) {
	w := newWorld(t)
	d := w.verified("company.test")
	for range 2 {
		w.zone.publish(d, false)
		w.recheck(day)
		w.recheck(6 * day)
		w.zone.publish(d, true)
		w.recheck(day)
		got := w.is(d)
		want(t, "state", got.State, domains.Verified)
		want(t, "missing since", got.MissingSince, time.Time{})
		want(t, "finding", got.Finding, "")
	}
	want(t, "events", w.told(), []string{audit.DomainMiss, audit.DomainFound, audit.DomainMiss, audit.DomainFound})
	want(t, "mails", len(w.mails), 4)
}

func TestSilenceBeginsNoCountAndEndsNoClaim(t *testing.T) {
	w := newWorld(t)
	d := w.verified("company.test")
	w.zone.silent = true
	for range 10 {
		w.recheck(day)
	}
	got := w.is(d)
	want(t, "missing since", got.MissingSince, time.Time{})
	want(t, "looked at", got.CheckedAt, w.now)
	if !strings.Contains(got.Finding, "no answer") {
		t.Errorf("got the finding %q, want that nobody answered", got.Finding)
	}
	w.zone.silent = false
	w.zone.publish(d, false)
	w.recheck(day)
	began := w.now
	w.zone.silent = true
	for range 10 {
		w.recheck(day)
	}
	got = w.is(d)
	want(t, "state", got.State, domains.Verified)
	want(t, "missing since", got.MissingSince, began)
	want(t, "events", w.told(), []string{audit.DomainMiss})
	want(t, "mails", len(w.mails), 1)
}

func TestARecordIsLookedAtOnceADay(t *testing.T) {
	w := newWorld(t)
	w.verified("company.test")
	w.zone.asked = nil
	for range 24 {
		w.recheck(time.Hour)
	}
	want(t, "looks", len(w.zone.asked), 1)
}

func TestAskingInVainPutsOffNoEnd(t *testing.T) {
	w := newWorld(t)
	d := w.verified("company.test")
	w.zone.publish(d, false)
	for range 9 * 6 {
		w.recheck(4 * time.Hour)
		// Whoever held the domain asks again and again.
		_, _ = w.Verify(t.Context(), w.ada, w.acme, d.ID)
	}
	want(t, "state", w.is(d).State, domains.Lost)
}

func TestWhatChangesDuringALookIsLeftAlone(t *testing.T) {
	for name, change := range map[string]func(w *world, d domains.Domain){
		"removed": func(w *world, d domains.Domain) { w.do(w.Remove(w.t.Context(), w.ada, w.acme, d.ID)) },
		"removed and claimed again": func(w *world, d domains.Domain) {
			w.do(w.Remove(w.t.Context(), w.ada, w.acme, d.ID))
			_, err := w.Add(w.t.Context(), w.ada, w.acme, d.Name, domains.ByDNS)
			w.do(err)
		},
		"verified again": func(w *world, d domains.Domain) {
			before := w.zone.before
			w.zone.before = nil
			w.zone.publish(d, true)
			_, err := w.Verify(w.t.Context(), w.ada, w.acme, d.ID)
			w.do(err)
			w.zone.publish(d, false)
			w.zone.before = before
		},
		"to be proved in another way": func(w *world, d domains.Domain) {
			w.Pages = &zone{records: map[string][]string{d.Name: {d.Value()}}}
			_, err := w.Update(w.t.Context(), w.ada, w.acme, d.ID, domains.ByHTTP)
			w.do(err)
		},
		"lost by another node": func(w *world, d domains.Domain) {
			lost := w.is(d)
			lost.State = domains.Lost
			w.do(w.db.UpdateDomain(w.t.Context(), lost))
		},
		"looked at by another node": func(w *world, d domains.Domain) {
			w.zone.before = nil
			w.do(w.Recheck(w.t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := w.verified("company.test")
			w.zone.publish(d, false)
			w.recheck(day) // it is missing since
			w.pass(8 * day)
			w.mails = nil
			var after []domains.Domain
			w.zone.before = func(string) {
				w.zone.before = nil
				change(w, d)
				var err error
				after, err = w.List(t.Context(), w.acme)
				w.do(err)
			}
			before := len(w.told())
			w.do(w.Recheck(t.Context()))
			got, err := w.List(t.Context(), w.acme)
			w.do(err)
			want(t, "the claims", got, after)
			if name != "looked at by another node" {
				want(t, "events", len(w.told()), before)
				want(t, "mails", len(w.mails), 0)
				return
			}
			want(t, "events", w.told(), []string{audit.DomainMiss, audit.DomainLose})
			want(t, "mails", len(w.mails), 1)
		})
	}
}

func TestTwoNodesThatLookAtOnceMailOnce(t *testing.T) {
	w := newWorld(t)
	d := w.verified("company.test")
	w.zone.publish(d, false)
	for n := range 3 {
		w.pass(day)
		w.zone.before = func(string) {
			w.zone.before = nil
			w.do(w.Recheck(t.Context()))
		}
		w.do(w.Recheck(t.Context()))
		want(t, "mails", len(w.mails), n+1)
	}
	want(t, "events", w.told(), []string{audit.DomainMiss})
}

func TestManyRecordsAreLookedAtAFewAtOnce(t *testing.T) {
	w := newWorld(t)
	w.Limits = &limit.Memory{Now: func() time.Time { w.pass(time.Minute); return w.now }}
	const many = 60
	for n := range many {
		w.verified(fmt.Sprintf("company%d.test", n))
	}
	w.zone.asked = nil
	var mu sync.Mutex
	running, most := 0, 0
	w.zone.before = func(name string) {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		running--
		mu.Unlock()
		if name == "_challenge.company7.test" {
			panic("what this server says is too much")
		}
	}
	w.pass(2 * day)
	err := w.Recheck(t.Context())
	if err == nil || !strings.Contains(err.Error(), "company7.test") || !strings.Contains(err.Error(), "too much") {
		t.Errorf("got %v, want the one that panicked", err)
	}
	want(t, "looks", len(w.zone.asked), many-1)
	if most < 2 || most > 4 {
		t.Errorf("got %d looks at once, want 2 to 4", most)
	}
	list, err := w.db.DueDomains(t.Context(), w.now.Add(-day), 100)
	w.do(err)
	want(t, "still due", len(list), 1)
}

func TestWhatItsEndCutsOffIsLeftToTheNext(t *testing.T) {
	w := newWorld(t)
	for n := range 20 {
		w.verified(fmt.Sprintf("company%d.test", n))
	}
	w.pass(2 * day)
	ctx, cancel := context.WithCancel(t.Context())
	w.zone.before = func(string) { cancel() }
	w.do(w.Recheck(ctx))
	list, err := w.db.DueDomains(t.Context(), w.now.Add(-day), 100)
	w.do(err)
	want(t, "still due", len(list), 20)
	for _, d := range list {
		want(t, "finding", d.Finding, "")
	}
}

func TestAClaimIsLostWithItsEventOrNotAtAll(t *testing.T) {
	for name, no := range map[string]func(w *world){
		"no event": func(w *world) { w.noEvents = errors.New("no room") },
		"no mail":  func(w *world) { w.noMail = errors.New("no room") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := w.verified("company.test")
			w.zone.publish(d, false)
			w.recheck(day)
			before := w.is(d)
			no(w)
			w.pass(8 * day)
			if err := w.Recheck(t.Context()); err == nil || !strings.Contains(err.Error(), "no room") {
				t.Errorf("got %v, want why", err)
			}
			want(t, "the claim", w.is(d), before)
			w.noEvents, w.noMail = nil, nil
			w.recheck(0)
			want(t, "state once there is room", w.is(d).State, domains.Lost)
		})
	}
}

func TestWhoWasMailedEnoughKeepsNothingUp(t *testing.T) {
	w := newWorld(t)
	d := w.verified("company.test")
	w.zone.publish(d, false)
	w.noMail = fault.TooMany.Errorf("Enough.")
	w.recheck(day)
	w.recheck(8 * day)
	want(t, "state", w.is(d).State, domains.Lost)
	w.Mail = nil
	other := w.verified("company2.test")
	w.zone.publish(other, false)
	w.recheck(day)
	want(t, "without mail", w.is(other).MissingSince, w.now)
}
