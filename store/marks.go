package store

import "context"

// Mark keeps a value of the database itself under a name, in place of an
// earlier one. Names are the program's own.
func (s *Store) Mark(ctx context.Context, name, value string) error {
	_, err := s.exec(ctx, `
		INSERT INTO mark (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// Marked gives the value that Mark kept, or fault.NotFound.
func (s *Store) Marked(ctx context.Context, name string) (string, error) {
	value, err := one(ctx, s, func(r row) (v string, err error) { return v, r.Scan(&v) },
		`SELECT value FROM mark WHERE name = $1`, name)
	return value, missing(err, "The database has no such mark.")
}
