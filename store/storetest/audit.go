package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"gatehouse/audit"
	"gatehouse/store"
)

// Event is the n-th event in an organization, n seconds after Then.
func Event(n int, organizationID string) audit.Event {
	at := Then.Add(time.Duration(n) * time.Second)
	return audit.Event{
		ID: fmt.Sprintf("%08x-0000-7000-8000-%012x", at.Unix(), n), At: at, OrganizationID: organizationID,
		Actor: audit.Actor{ID: "u-ada", Name: "ada@example.com"}, Action: audit.OrganizationUpdate,
		Target: audit.Target{Kind: "organization", ID: organizationID, Name: "Acme"},
		IP:     netip.MustParseAddr("2001:db8::1"), UserAgent: "Browser/1.0",
		Details: audit.Details{"organization_name.before": "Acme", "organization_name.after": "Ac\x00me €"},
	}
}

var events = []promise{
	{"an event comes back as it was added, with and without what may be empty", func(t *testing.T, s *store.Store) {
		full := Event(1, "org-acme")
		bare := audit.Event{ID: Event(0, "").ID, At: Then, Actor: audit.Operator(), Action: audit.BackupCreate, Details: audit.Details{}}
		do(t, s.AddEvent(t.Context(), full), s.AddEvent(t.Context(), bare))
		got, err := s.Events(t.Context(), audit.Filter{Everywhere: true}, "", 10)
		do(t, err)
		same(t, got, []audit.Event{full, bare})
	}},
	{"events need nothing that they speak of", func(t *testing.T, s *store.Store) {
		do(t, s.AddEvent(t.Context(), Event(1, "org-gone")))
		same(t, found(t, s, audit.Filter{OrganizationID: "org-gone"}, ""), []string{Event(1, "").ID})
	}},
	{"an organization's events are its own", func(t *testing.T, s *store.Store) {
		do(t, s.AddEvent(t.Context(), Event(1, "org-acme")), s.AddEvent(t.Context(), Event(2, "org-other")), s.AddEvent(t.Context(), Event(3, "")))
		same(t, found(t, s, audit.Filter{OrganizationID: "org-acme"}, ""), []string{Event(1, "").ID})
		same(t, found(t, s, audit.Filter{OrganizationID: "org-none"}, ""), []string(nil))
		same(t, found(t, s, audit.Filter{}, ""), []string(nil))
		same(t, found(t, s, audit.Filter{Everywhere: true}, ""), []string{Event(3, "").ID, Event(2, "").ID, Event(1, "").ID})
	}},
	{"pages go from the newest to the oldest, each event once, whatever is added meanwhile", func(t *testing.T, s *store.Store) {
		for n := range 7 {
			do(t, s.AddEvent(t.Context(), Event(n, "org-acme")))
		}
		var got []string
		before := ""
		for n := 0; ; n++ {
			page, err := s.Events(t.Context(), audit.Filter{OrganizationID: "org-acme"}, before, 3)
			do(t, err)
			if len(page) == 0 {
				break
			}
			got = append(got, ids(page, func(e audit.Event) string { return e.ID })...)
			before = page[len(page)-1].ID
			do(t, s.AddEvent(t.Context(), Event(100+n, "org-acme")))
		}
		var want []string
		for n := 6; n >= 0; n-- {
			want = append(want, Event(n, "").ID)
		}
		same(t, got, want)
	}},
	{"a filter leaves only what fits all of it", func(t *testing.T, s *store.Store) {
		add := func(n int, action, actorID, actor string) {
			e := Event(n, "org-acme")
			e.Action, e.Actor = action, audit.Actor{ID: actorID, Name: actor}
			do(t, s.AddEvent(t.Context(), e))
		}
		add(1, "idp.create", "u-ada", "ada@example.com")
		add(2, "idp.update", "u-eve", "eve@example.com")
		add(3, "identity.link", "u-eve", "eve@example.com")
		add(4, "idp.update", "u-ada", "ada@example.com")
		for name, c := range map[string]struct {
			filter audit.Filter
			want   []int
		}{
			"nothing":                {audit.Filter{}, []int{4, 3, 2, 1}},
			"action":                 {audit.Filter{Action: "idp.update"}, []int{4, 2}},
			"prefix of actions":      {audit.Filter{Action: "id"}, []int{4, 3, 2, 1}},
			"longer than actions":    {audit.Filter{Action: "idp.update.more"}, nil},
			"wildcards mean nothing": {audit.Filter{Action: "%"}, nil},
			"actor by id":            {audit.Filter{Actor: "u-eve"}, []int{3, 2}},
			"part of an id":          {audit.Filter{Actor: "u-ev"}, nil},
			"actor by name":          {audit.Filter{Actor: "ada@"}, []int{4, 1}},
			"both":                   {audit.Filter{Action: "idp.", Actor: "eve@example.com"}, []int{2}},
			"since":                  {audit.Filter{Since: Then.Add(3 * time.Second)}, []int{4, 3}},
			"until":                  {audit.Filter{Until: Then.Add(3 * time.Second)}, []int{2, 1}},
			"since and until":        {audit.Filter{Since: Then.Add(2 * time.Second), Until: Then.Add(3 * time.Second)}, []int{2}},
			"text that no row has":   {audit.Filter{Actor: "a\x00"}, nil},
		} {
			c.filter.OrganizationID = "org-acme"
			var want []string
			for _, n := range c.want {
				want = append(want, Event(n, "").ID)
			}
			t.Run(name, func(t *testing.T) { same(t, found(t, s, c.filter, ""), want) })
		}
	}},
	{"an event is kept with its change or not at all", func(t *testing.T, s *store.Store) {
		mine := errors.New("mine")
		err := s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.AddUser(ctx, User("ada"), ""), s.AddEvent(ctx, Event(1, "")))
			return mine
		})
		if !errors.Is(err, mine) {
			t.Fatalf("got %v, want the error of the transaction", err)
		}
		same(t, found(t, s, audit.Filter{Everywhere: true}, ""), []string(nil))
		err = s.Tx(t.Context(), func(ctx context.Context) error {
			do(t, s.AddEvent(ctx, Event(2, "")))
			// The same id again: the store refuses, and the change goes with it.
			_ = s.AddEvent(ctx, Event(2, ""))
			return s.AddUser(ctx, User("eve"), "")
		})
		if err == nil {
			t.Error("got no error, want one: an event was lost")
		}
		has, err := s.HasUsers(t.Context())
		do(t, err)
		same(t, has, false)
	}},
}

// found gives the ids of the events that fit a filter.
func found(t *testing.T, s *store.Store, f audit.Filter, before string) []string {
	t.Helper()
	list, err := s.Events(t.Context(), f, before, 100)
	do(t, err)
	return ids(list, func(e audit.Event) string { return e.ID })
}
