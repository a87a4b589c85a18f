package store

import (
	"context"
	"time"

	"gatehouse/internal/task"
)

var _ task.Turns = (*Store)(nil)

// TakeTurn implements task.Turns.
func (s *Store) TakeTurn(ctx context.Context, name string, now, next time.Time) (bool, error) {
	n, err := s.exec(ctx, `
		INSERT INTO task (name, next_at) VALUES ($1, $3)
		ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at WHERE task.next_at <= $2`,
		name, stamp(now), stamp(next))
	return n > 0, err
}
