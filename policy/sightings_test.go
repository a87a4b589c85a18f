package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// fakeSightings keeps what it is given.
type fakeSightings struct {
	mu    sync.Mutex
	added []Sighting
	calls int
	fails error
}

func (f *fakeSightings) AddSightings(_ context.Context, all []Sighting) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.fails != nil {
		return f.fails
	}
	f.added = append(f.added, all...)
	return nil
}

func (f *fakeSightings) Sightings(_ context.Context, organizationID string) ([]Sighting, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	some := slices.DeleteFunc(slices.Clone(f.added), func(s Sighting) bool { return s.OrganizationID != organizationID })
	slices.SortFunc(some, func(a, b Sighting) int {
		return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Rule, b.Rule))
	})
	return some, f.fails
}

func TestSightingsOfOnePersonKindAndRuleAddUp(t *testing.T) {
	store := &fakeSightings{}
	s := &Sightings{Store: store}
	at := func(i int) time.Time { return now.Add(time.Duration(i) * time.Second) }
	no := func(rule, why string) *Refusal { return &Refusal{Code: "code_" + rule, Rule: rule, Why: why} }
	s.Note(acme, "u1", Console, no("saml_enabled", "first"), at(0))
	s.Note(acme, "u1", Console, no("saml_enabled", "again"), at(1))
	s.Note(acme, "u1", Personal, no("saml_enabled", "token"), at(2))
	s.Note(acme, "u1", Console, no("allowed_ip_ranges", "address"), at(3))
	s.Note(acme, "u2", Console, no("saml_enabled", "other"), at(4))
	s.Note("org2", "u1", Console, no("saml_enabled", "elsewhere"), at(5))
	s.Note(acme, "u1", Console, nil, at(6))
	got, err := s.List(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}
	one := func(user string, k Kind, rule, why string, times int64, first, last int) Sighting {
		return Sighting{OrganizationID: acme, UserID: user, Kind: k, Code: "code_" + rule, Rule: rule, Why: why, Times: times, First: at(first), Last: at(last)}
	}
	want := []Sighting{
		one("u1", Console, "allowed_ip_ranges", "address", 1, 3, 3),
		one("u1", Console, "saml_enabled", "again", 2, 0, 1),
		one("u1", Personal, "saml_enabled", "token", 1, 2, 2),
		one("u2", Console, "saml_enabled", "other", 1, 4, 4),
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := s.Flush(t.Context()); err != nil || store.calls != 1 {
		t.Errorf("with nothing new: got %v and %d writes, want 1", err, store.calls)
	}
}

func TestSightingsThatCannotBeWrittenAreDropped(t *testing.T) {
	broken := errors.New("disk full")
	store := &fakeSightings{fails: broken}
	s := &Sightings{Store: store}
	s.Note(acme, "u1", Console, &Refusal{Rule: "saml_enabled"}, now)
	if err := s.Flush(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	s.Note(acme, "u2", Console, &Refusal{Rule: "saml_enabled"}, now)
	if _, err := s.List(t.Context(), acme); !errors.Is(err, broken) {
		t.Errorf("a list: got %v, want %v", err, broken)
	}
	store.fails = nil
	if got, err := s.List(t.Context(), acme); err != nil || len(got) != 0 {
		t.Errorf("got %v and %v, want none", got, err)
	}
}

func TestSightingsInMemoryHaveABound(t *testing.T) {
	store := &fakeSightings{}
	s := &Sightings{Store: store}
	for i := range mostSightings + 10 {
		s.Note(acme, fmt.Sprint("u", i), Console, &Refusal{Rule: "saml_enabled"}, now)
	}
	s.Note(acme, "u0", Console, &Refusal{Rule: "saml_enabled"}, now)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, one := range store.added {
		total += one.Times
	}
	if len(store.added) != mostSightings || total != mostSightings+1 {
		t.Errorf("got %d people, %d times, want %d and one more", len(store.added), total, mostSightings)
	}
}

func TestSightingsAreNotedByManyAtOnce(t *testing.T) {
	store := &fakeSightings{}
	s := &Sightings{Store: store}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				s.Note(acme, "u1", Console, &Refusal{Rule: "saml_enabled"}, now)
				if i%50 == 0 {
					if err := s.Flush(context.Background()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	got, err := s.List(t.Context(), acme)
	total := int64(0)
	for _, one := range got {
		total += one.Times
	}
	if err != nil || total != 1600 {
		t.Errorf("got %d and %v, want 1600", total, err)
	}
}

func TestNobodyNotesWhereNothingIsKept(t *testing.T) {
	var none *Sightings
	none.Note(acme, "u1", Console, &Refusal{Rule: "saml_enabled"}, now)
}
