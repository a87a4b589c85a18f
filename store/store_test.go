package store_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"database/sql"

	"gatehouse/internal/parts"
	"gatehouse/internal/seal"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// where gives a place for a new database of one kind.
type where func(t testing.TB) store.Config

func onSQLite(t testing.TB) store.Config {
	return store.Config{Folder: t.TempDir(), Keys: seal.New(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

// onPostgres makes a schema for the test alone, and drops it afterwards.
func onPostgres(t testing.TB) store.Config {
	t.Helper()
	address := parts.Need(t, parts.Postgres)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("parse %s: %v", parts.Postgres, err)
	}
	var random [6]byte
	rand.Read(random[:])
	schema := "test_" + hex.EncodeToString(random[:])
	admin, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatalf("create schema: %v", err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Errorf("drop schema: %v", err)
		}
		admin.Close()
	})
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return store.Config{DatabaseURL: u.String(), Keys: seal.New(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

func TestSQLite(t *testing.T) { storetest.Run(t, onSQLite) }
func TestPostgres(t *testing.T) {
	parts.Need(t, parts.Postgres)
	storetest.Run(t, onPostgres)
}

func open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), c)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
