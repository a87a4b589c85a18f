package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gate"
	"gatehouse/internal/ident"
)

var _ gate.Notes = (*Store)(nil)

// OnChange has fn told of what transactions of this store changed, once they
// are kept and before Tx returns: by the keys of package gate. It is called
// before the store is used.
func (s *Store) OnChange(fn func(keys []string)) { s.changed = fn }

// noting runs a change in a transaction and, if it is kept, leaves a note of
// what it touched, for all nodes.
func (s *Store) noting(ctx context.Context, key string, change func(ctx context.Context) error) error {
	noted := func(ctx context.Context) error {
		if err := change(ctx); err != nil {
			return err
		}
		s.note(ctx, key)
		return nil
	}
	// A fault that a method promises does not end the transaction that it is
	// a part of.
	if s.current(ctx) != nil {
		return noted(ctx)
	}
	return s.Tx(ctx, noted)
}

// note notes, in the transaction of ctx, that something changed.
func (s *Store) note(ctx context.Context, keys ...string) {
	t := s.current(ctx)
	if t == nil {
		panic("store: a change is noted outside of a transaction")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		if !slices.Contains(t.notes, key) {
			t.notes = append(t.notes, key)
		}
	}
}

// writeNotes writes a transaction's notes, as the last thing that it does.
func (s *Store) writeNotes(ctx context.Context, h handle, keys []string) error {
	const most = 200 // rows of one statement
	for part := range slices.Chunk(keys, most) {
		var b strings.Builder
		args := make([]any, 0, 2*len(part))
		for _, key := range part {
			if len(args) > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "(%s, $%d, $%d)", s.db.clock(), len(args)+1, len(args)+2)
			args = append(args, ident.Secret(16), key)
		}
		if _, err := h.exec(ctx, `INSERT INTO change_note (at, id, key) VALUES `+b.String(), args); err != nil {
			return translate(err)
		}
	}
	return nil
}

// Notes implements gate.Notes.
func (s *Store) Notes(ctx context.Context, within time.Duration) ([]gate.Note, error) {
	return all(ctx, s, func(r row) (n gate.Note, err error) { return n, r.Scan(&n.ID, &n.Key) },
		`SELECT id, key FROM change_note WHERE at >= `+s.db.clock()+` - $1`, within.Milliseconds())
}

// notesFor is how long notes stay: longer than anybody looks back.
const notesFor = 5 * time.Minute
