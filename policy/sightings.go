package policy

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A Sighting is somebody whom rules on trial would have refused.
type Sighting struct {
	OrganizationID string
	UserID         string
	Email          string // filled in where sightings are read
	Kind           Kind
	Code           string
	Rule           string
	Why            string // of the last time
	Times          int64
	First          time.Time
	Last           time.Time
}

// SightingStore is what Sightings needs of storage.
type SightingStore interface {
	// AddSightings adds up sightings of the same person, kind and rule. Those
	// of an organization that reports nothing since their First, are left out,
	// and so are those of more than 1,000 people of one organization.
	AddSightings(ctx context.Context, all []Sighting) error

	// Sightings lists those of an organization, last ones first, up to 1,000.
	Sightings(ctx context.Context, organizationID string) ([]Sighting, error)
}

// Sightings gathers sightings in memory and writes them down now and then.
type Sightings struct {
	Store SightingStore

	mu      sync.Mutex
	pending map[seen]Sighting
}

// seen is what sightings are added up by.
type seen struct {
	organizationID, userID string
	kind                   Kind
	rule                   string
}

const mostSightings = 10_000 // in memory

// Note notes a refusal that was not made.
func (s *Sightings) Note(organizationID, userID string, k Kind, no *Refusal, now time.Time) {
	if s == nil || no == nil {
		return
	}
	key := seen{organizationID, userID, k, no.Rule}
	s.mu.Lock()
	defer s.mu.Unlock()
	one, known := s.pending[key]
	if !known {
		if len(s.pending) >= mostSightings {
			return
		}
		one = Sighting{OrganizationID: organizationID, UserID: userID, Kind: k, Rule: no.Rule, First: now}
	}
	one.Code, one.Why, one.Last = no.Code, no.Why, now
	one.Times++
	if s.pending == nil {
		s.pending = map[seen]Sighting{}
	}
	s.pending[key] = one
}

// Flush writes down what was gathered. What cannot be written is lost: it is a
// report, and the next request adds to it again.
func (s *Sightings) Flush(ctx context.Context) error {
	s.mu.Lock()
	all := make([]Sighting, 0, len(s.pending))
	for _, one := range s.pending {
		all = append(all, one)
	}
	s.pending = nil
	s.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	if err := s.Store.AddSightings(ctx, all); err != nil {
		return fmt.Errorf("add sightings: %w", err)
	}
	return nil
}

// List gives whom the report of an organization noted, last ones first, those
// of the last moments included that this node saw.
func (s *Sightings) List(ctx context.Context, organizationID string) ([]Sighting, error) {
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	all, err := s.Store.Sightings(ctx, organizationID)
	if err != nil {
		return nil, fmt.Errorf("list sightings: %w", err)
	}
	return all, nil
}
