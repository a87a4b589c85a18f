package store_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/parts"
	"gatehouse/internal/seal"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// where gives a place for a new database of one kind.
type where func(t testing.TB) store.Config

func onSQLite(t testing.TB) store.Config {
	return store.Config{Folder: t.TempDir(), Keys: seal.New(), Log: slog.New(slog.DiscardHandler)}
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
	return store.Config{DatabaseURL: u.String(), Keys: seal.New(), Log: slog.New(slog.DiscardHandler)}
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

func TestSchemasOfBothDatabasesHaveTheSameTablesAndColumns(t *testing.T) {
	file, server := onSQLite(t), onPostgres(t)
	open(t, file)
	open(t, server)
	embedded, err := sql.Open("sqlite", filepath.Join(file.Folder, "gatehouse.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer embedded.Close()
	inFile := columns(t, embedded, `
		SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%' ORDER BY 1`)
	onServer := columns(t, raw(t, server), `
		SELECT (table_name || '.' || column_name) COLLATE "C" FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name NOT LIKE 'goose%' ORDER BY 1`)
	if len(inFile) < 50 {
		t.Errorf("got %d columns, want those of all tables", len(inFile))
	}
	if diff := cmp.Diff(inFile, onServer); diff != "" {
		t.Errorf("got different schemas (-sqlite +postgres):\n%s", diff)
	}
}

func columns(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// unsealed are the columns of bytes that hold nothing to be sealed: hashes,
// certificates, and the key check, which rotating keys seals by itself.
var unsealed = map[string]bool{
	"key_check.sealed": true, "idp.sp_certificate": true, "idp.next_sp_certificate": true, "idp.previous_sp_certificate": true,
	"token.hash": true, "used_key.hash": true, "address_code.hash": true, "recovery_link.hash": true,
	"flow.browser": true, "flow.session": true,
	"login_code.hash": true, "login_trace_share.hash": true, "login_code.session": true,
	"device_login.hash": true, "device_login.user_code": true, "device_login.session": true,
}

func TestEveryColumnThatMayBeSealedIsKnownToRotation(t *testing.T) {
	file := onSQLite(t)
	s := open(t, file)
	known := s.SealedColumns()
	db, err := sql.Open("sqlite", filepath.Join(file.Folder, "gatehouse.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	found := columns(t, db, `
		SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND c.type = 'BLOB' AND m.name NOT LIKE 'sqlite%' ORDER BY 1`)
	for _, c := range found {
		if unsealed[c] == slices.Contains(known, c) {
			t.Errorf("column %s: say in sealedColumns that it is sealed, or here that it is not", c)
		}
	}
	for _, c := range known {
		if !slices.Contains(found, c) {
			t.Errorf("column %s is no column of bytes", c)
		}
	}
}
