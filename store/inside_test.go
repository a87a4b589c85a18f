package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"gatehouse/internal/fault"
	"gatehouse/internal/seal"
)

func openFile(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Folder: t.TempDir(), Keys: seal.New(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestMigrationsOfBothDatabasesHaveTheSameNames(t *testing.T) {
	names := map[string][]string{}
	for _, folder := range []string{"sqlite", "postgres"} {
		entries, err := fs.ReadDir(migrations, "migrations/"+folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names[folder] = append(names[folder], e.Name())
		}
	}
	if diff := cmp.Diff(names["sqlite"], names["postgres"]); diff != "" {
		t.Errorf("got different migrations (-sqlite +postgres):\n%s", diff)
	}
	// A number may be left out, but none comes twice: the order has to be one.
	last := int64(0)
	for _, name := range names["sqlite"] {
		n, err := goose.NumericComponent(name)
		if err != nil || n <= last {
			t.Errorf("%s: got number %d (%v), want one above %d", name, n, err, last)
		}
		last = n
	}
	if got := schemaVersion(); got != last {
		t.Errorf("got the schema version %d, want %d, the newest migration's", got, last)
	}
}

func TestDatabaseOfANewerProgramIsRefused(t *testing.T) {
	folder, keys := t.TempDir(), seal.New()
	c := Config{Folder: folder, Keys: keys, Log: slog.New(slog.DiscardHandler)}
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, $1)`, true); err != nil {
		t.Fatal(err)
	}
	// Another node may have brought the schema up to date: this one goes on.
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: got %v, want no error", err)
	}
	s.Close()
	if _, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "schema version 99") {
		t.Errorf("got %v, want a refusal that names the version", err)
	}
}

func TestDatabaseWithAnOlderSchemaIsNotReady(t *testing.T) {
	s := openFile(t)
	if _, err := s.exec(t.Context(), `DELETE FROM goose_db_version WHERE version_id > 0`); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestOldServerIsRefused(t *testing.T) {
	if err := checkPostgres(139999); err == nil || !strings.Contains(err.Error(), "PostgreSQL 13, which is too old") {
		t.Errorf("got %v, want a refusal that names the version", err)
	}
	if err := checkPostgres(140000); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

// lost makes a whole group of transactions fail, with others in it, and checks
// that all of them are told so, nothing of it stays, and the next one works.
func lost(t *testing.T, ruin func(s *Store, ctx context.Context)) {
	s := openFile(t)
	const neighbours = 12
	asking := make(chan struct{}, neighbours)
	errs := make([]error, neighbours)
	var group sync.WaitGroup
	group.Go(func() {
		// It keeps the others waiting until all of them are there.
		_ = s.Tx(t.Context(), func(ctx context.Context) error {
			for range neighbours {
				<-asking
			}
			return nil
		})
	})
	for i := range neighbours {
		group.Go(func() {
			asking <- struct{}{}
			errs[i] = s.Tx(t.Context(), func(ctx context.Context) error {
				if i == neighbours/2 {
					ruin(s, ctx)
					return nil
				}
				_, err := s.exec(ctx, `INSERT INTO used_key (hash, expires_at) VALUES ($1, $2)`, []byte{byte(i)}, time.Now())
				return err
			})
		})
	}
	group.Wait()
	kept, err := all(t.Context(), s, func(r row) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT hash FROM used_key`)
	if err != nil {
		t.Fatal(err)
	}
	if err := errs[neighbours/2]; !errors.Is(err, fault.Unavailable) {
		t.Errorf("who ruined it: got %v, want unavailable", err)
	}
	for i, err := range errs {
		if err != nil && !errors.Is(err, fault.Unavailable) {
			t.Errorf("neighbour %d: got %v, want unavailable", i, err)
		}
		there := slices.ContainsFunc(kept, func(b []byte) bool { return b[0] == byte(i) })
		if there != (err == nil) {
			t.Errorf("neighbour %d was told %v, and its row was kept: %v", i, err, there)
		}
	}
	if err := s.UseOnce(t.Context(), "request", "next", time.Now()); err != nil {
		t.Errorf("the next transaction: got %v, want no error", err)
	}
}

func TestGroupWhoseTransactionEndedEarlyIsToldSo(t *testing.T) {
	// SQLite ends a transaction by itself when the disk is full, for example.
	lost(t, func(s *Store, ctx context.Context) {
		if _, err := s.exec(ctx, `ROLLBACK`); err != nil {
			t.Error(err)
		}
	})
}

func TestGroupWhoseGoroutineEndedIsToldSo(t *testing.T) {
	lost(t, func(*Store, context.Context) { runtime.Goexit() })
}

func TestFullDiskIsUnavailableAndPasses(t *testing.T) {
	s := openFile(t)
	pages, err := one(t.Context(), s, func(r row) (n int64, err error) { return n, r.Scan(&n) }, `PRAGMA page_count`)
	if err != nil {
		t.Fatal(err)
	}
	d := s.db.(*sqliteDB)
	limit := func(n int64) {
		t.Helper()
		if _, err := d.writer.conn.conn.ExecContext(t.Context(), "PRAGMA max_page_count = "+strconv.FormatInt(n, 10)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages)
	big := strings.Repeat("x", 1<<20)
	fill := func(ctx context.Context) error {
		_, err := s.exec(ctx, `INSERT INTO organization (id, account_id, name, tier, suspended, created_at, updated_at)
			VALUES ('o', 'a', $1, '', FALSE, '', '')`, big)
		return err
	}
	if err := fill(t.Context()); !errors.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	limit(1 << 20)
	if err := fill(t.Context()); err != nil {
		t.Errorf("with room again: got %v, want no error", err)
	}
}

func TestDatabaseThatAnotherProcessHoldsIsUnavailable(t *testing.T) {
	s := openFile(t)
	d := s.db.(*sqliteDB)
	path, err := one(t.Context(), s, func(r row) (p string, err error) { return p, r.Scan(&p) }, `SELECT file FROM pragma_database_list`)
	if err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", dsn(path, "_txlock=immediate"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	held, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.writer.conn.conn.ExecContext(t.Context(), "PRAGMA busy_timeout = 20"); err != nil {
		t.Fatal(err)
	}
	if err := s.UseOnce(t.Context(), "request", "k", time.Now()); !errors.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.UseOnce(t.Context(), "request", "k", time.Now()); err != nil {
		t.Errorf("once it is free: got %v, want no error", err)
	}
}
