package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// errNoBackup is our own mistake: PostgreSQL has tools of its own.
var errNoBackup = errors.New("only the embedded database is copied by this program")

// Backup copies the embedded database to a new file, which nobody else can
// read: as it is at one moment, while others go on reading and writing, here
// and in other processes. The file must not exist. progress, which may be nil,
// hears every now and then how many bytes of about how many are written. It
// gives the size of the copy; after an error there is no copy.
//
// The copy is whole by itself: it is started with as gatehouse.db in a folder
// of its own, with the same keys.
func (s *Store) Backup(ctx context.Context, path string, progress func(done, total int64)) (size int64, err error) {
	d, ok := s.db.(*sqliteDB)
	if !ok {
		return 0, errNoBackup
	}
	// An absolute path is never taken for a URI.
	if path, err = filepath.Abs(path); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return 0, fmt.Errorf("%s exists already: a copy never replaces another", path)
	}
	if err != nil {
		return 0, fmt.Errorf("the file %s cannot be made: %w", path, reason(err))
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	// VACUUM INTO writes into an empty file, from one snapshot: other writers
	// never make it begin anew, as the backup API would.
	if err := d.vacuumInto(ctx, path, progress); err != nil {
		return 0, fmt.Errorf("copy the database to %s: %w", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), errors.Join(f.Sync(), syncFolder(filepath.Dir(path)))
}

// vacuumInto copies everything to a file, on a connection of its own: those of
// the pool are for what takes milliseconds.
func (d *sqliteDB) vacuumInto(ctx context.Context, path string, progress func(done, total int64)) error {
	db, err := sql.Open("sqlite", dsn(d.path, "mode=ro"))
	if err != nil {
		return err
	}
	defer db.Close()
	var pages, pageSize int64
	if err := errors.Join(
		db.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages),
		db.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&pageSize),
	); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(ctx, `VACUUM INTO $1`, path)
		done <- err
	}()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			if info, err := os.Stat(path); err == nil && progress != nil {
				progress(info.Size(), pages*pageSize)
			}
		}
	}
}

// syncFolder makes the name of a new file last.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
