package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/audit"
)

var _ audit.Store = (*Store)(nil)

const eventColumns = `id, at, organization_id, actor_id, actor_name, action, target_kind, target_id, target_name, ip, user_agent, details`

// AddEvent implements audit.Store.
func (s *Store) AddEvent(ctx context.Context, e audit.Event) error {
	details, err := json.Marshal(e.Details)
	if err != nil {
		return fmt.Errorf("write details: %w", err)
	}
	_, err = s.exec(ctx, `
		INSERT INTO audit_event (`+eventColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		e.ID, stamp(e.At), textOrNull(e.OrganizationID), e.Actor.ID, e.Actor.Name, e.Action,
		e.Target.Kind, e.Target.ID, e.Target.Name, addressText(e.IP), e.UserAgent, string(details))
	return err
}

// Events implements audit.Store. What a list begins with is read in the order
// of an index; the rest of the filter is asked of each row on the way.
func (s *Store) Events(ctx context.Context, f audit.Filter, before string, most int) ([]audit.Event, error) {
	since, until := f.Since, f.Until
	if until.IsZero() {
		until = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if since.IsZero() {
		since = time.Unix(0, 0)
	}
	if before == "" {
		before = "~" // after every id
	}
	const matches = `
		id < $1 AND substr(action, 1, length($2)) = $2
		AND (actor_id = $3 OR substr(actor_name, 1, length($3)) = $3)
		AND at >= $4 AND at < $5`
	args := []any{before, f.Action, f.Actor, stamp(since), stamp(until), most}
	if f.Everywhere {
		return all(ctx, s, scanEvent, `
			SELECT `+eventColumns+` FROM audit_event WHERE `+matches+`
			ORDER BY id DESC LIMIT $6`, args...)
	}
	return all(ctx, s, scanEvent, `
		SELECT `+eventColumns+` FROM audit_event WHERE organization_id = $7 AND `+matches+`
		ORDER BY id DESC LIMIT $6`, append(args, f.OrganizationID)...)
}

func scanEvent(r row) (e audit.Event, err error) {
	var details []byte
	err = r.Scan(&e.ID, moment{&e.At}, text{&e.OrganizationID}, &e.Actor.ID, &e.Actor.Name, &e.Action,
		&e.Target.Kind, &e.Target.ID, &e.Target.Name, address{&e.IP}, &e.UserAgent, &details)
	if err != nil {
		return audit.Event{}, err
	}
	if err := json.Unmarshal(details, &e.Details); err != nil {
		return audit.Event{}, fmt.Errorf("read details: %w", err)
	}
	return e, nil
}
