package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// inspectSQLite looks at the embedded database.
func inspectSQLite(ctx context.Context, c Config, r *Report) error {
	r.Kind = "SQLite"
	folder, err := filepath.Abs(c.Folder)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	path := filepath.Join(folder, FileName)
	r.Where = path
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		r.Unwritable = Writable(folder)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, reason(err))
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: it is no file", ErrUnreadable)
	}
	r.Readable = runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
	// Files come and go beside the database.
	if r.Unwritable = writable(folder); r.Unwritable == nil {
		r.Unwritable = writable(path)
	}
	return readSQLite(ctx, c, path, r)
}

// readSQLite reads the file, and leaves the folder as it is.
func readSQLite(ctx context.Context, c Config, path string, r *Report) error {
	options := "mode=ro&_pragma=query_only(1)"
	// Without a log beside it nobody has it open: read as it is, it needs no
	// files of its own.
	if _, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		options += "&immutable=1"
	}
	pool, err := sql.Open("sqlite", dsn(path, options))
	if err != nil {
		return err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	s := &Store{keys: c.Keys, db: observed{pool: pool, clockText: (*sqliteDB)(nil).clock()}}
	r.Version, err = one(ctx, s, func(row row) (v string, err error) { return v, row.Scan(&v) }, `SELECT sqlite_version()`)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	tables, err := s.tables(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table'`)
	if err == nil {
		err = s.look(ctx, r, tables)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return nil
}

// Writable says why a folder, which need not be there yet, cannot be made and
// written to by this process; nil where it can, as far as can be seen without
// doing it.
func Writable(folder string) error {
	for {
		info, err := os.Stat(folder)
		switch {
		case err == nil && !info.IsDir():
			return fmt.Errorf("%s is no folder", folder)
		case err == nil:
			return writable(folder)
		case !errors.Is(err, fs.ErrNotExist) || filepath.Dir(folder) == folder:
			return fmt.Errorf("%s: %w", folder, reason(err))
		}
		folder = filepath.Dir(folder)
	}
}
