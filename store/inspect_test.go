package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/seal"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// beside gives the database of c, for a test to change behind the store's back.
func beside(t *testing.T, c store.Config) *sql.DB {
	t.Helper()
	driver, where := "pgx", c.DatabaseURL
	if where == "" {
		driver, where = "sqlite", filepath.Join(c.Folder, store.FileName)
	}
	db, err := sql.Open(driver, where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestInspect(t *testing.T) {
	for kind, place := range map[string]where{"SQLite": onSQLite, "PostgreSQL": onPostgres} {
		t.Run(kind, func(t *testing.T) {
			c := place(t)
			// Before the first start there is nothing, and it stays so.
			for range 2 {
				r, err := store.Inspect(t.Context(), c)
				if err != nil || r.Kind != kind || r.Schema != 0 || r.Newest == 0 || r.Key != "" || r.Strange || r.Unwritable != nil {
					t.Fatalf("got %+v (%v), want a place where nothing is", r, err)
				}
			}
			s, err := store.Open(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.SeeNode(t.Context(), "n1", "host", time.Now()); err != nil {
				t.Fatal(err)
			}
			if err := s.Mark(t.Context(), "demonstration", "x"); err != nil {
				t.Fatal(err)
			}
			wantReport := func(when string) {
				t.Helper()
				r, err := store.Inspect(t.Context(), c)
				if err != nil || r.Schema != r.Newest || r.Key != c.Keys.InForce() || r.Keys != nil || r.Version == "" || r.Unwritable != nil || r.Exposed || r.Readable {
					t.Errorf("%s: got %+v (%v), want nothing wrong", when, r, err)
				}
				if len(r.Nodes) != 1 || r.Nodes[0].Host != "host" || len(r.Marks) != 1 || r.Marks[0] != "demonstration" {
					t.Errorf("%s: got the nodes %v and the marks %v, want one each", when, r.Nodes, r.Marks)
				}
				if r.Skew.Abs() > time.Minute {
					t.Errorf("%s: got a skew of %s on the same machine", when, r.Skew)
				}
			}
			wantReport("while a server runs")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			wantReport("once it stopped")

			other := c
			other.Keys = seal.New()
			if r, err := store.Inspect(t.Context(), other); err != nil || !errors.Is(r.Keys, store.ErrOtherKeys) || r.Key != c.Keys.InForce() {
				t.Errorf("other keys: got %+v (%v), want ErrOtherKeys", r, err)
			}
			other.Keys = nil
			if r, err := store.Inspect(t.Context(), other); err != nil || r.Keys != nil || r.Key != c.Keys.InForce() {
				t.Errorf("no keys: got %+v (%v), want the key's id alone", r, err)
			}

			if _, err := beside(t, c).Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`); err != nil {
				t.Fatal(err)
			}
			if r, err := store.Inspect(t.Context(), c); err != nil || r.Schema != 99 {
				t.Errorf("got version %d (%v), want the newer schema's", r.Schema, err)
			}
			if _, err := beside(t, c).Exec(`DROP TABLE node; DELETE FROM goose_db_version WHERE version_id > 1`); err != nil {
				t.Fatal(err)
			}
			if r, err := store.Inspect(t.Context(), c); err != nil || r.Schema != 1 || r.Nodes != nil || r.Key == "" {
				t.Errorf("got %+v (%v), want an older schema read as far as it goes", r, err)
			}
		})
	}
}

func TestInspectTellsTablesOfOthers(t *testing.T) {
	for kind, place := range map[string]where{"SQLite": onSQLite, "PostgreSQL": onPostgres} {
		t.Run(kind, func(t *testing.T) {
			c := place(t)
			if _, err := beside(t, c).Exec(`CREATE TABLE recipe (id TEXT)`); err != nil {
				t.Fatal(err)
			}
			if r, err := store.Inspect(t.Context(), c); err != nil || !r.Strange || r.Schema != 0 {
				t.Errorf("got %+v (%v), want strange tables", r, err)
			}
		})
	}
}

// files describes a folder: what is in it, and what has changed since.
func files(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = fmt.Sprint(info.Mode(), info.Size(), info.ModTime())
		// It is memory that whoever has the database open shares, and no data:
		// who is the first after a crash counts anew what the log holds.
		if strings.HasSuffix(e.Name(), "-shm") {
			out[e.Name()] = info.Mode().String()
		}
	}
	return out
}

func TestInspectLeavesFilesAsTheyAre(t *testing.T) {
	c := onSQLite(t)
	look := func(when string, c store.Config) {
		t.Helper()
		before := files(t, c.Folder)
		if _, err := store.Inspect(t.Context(), c); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		if diff := cmp.Diff(before, files(t, c.Folder)); diff != "" {
			t.Errorf("%s: got other files (-before +after):\n%s", when, diff)
		}
	}
	look("an empty folder", c)
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddUser(t.Context(), storetest.User("ada"), ""); err != nil {
		t.Fatal(err)
	}
	look("a server runs", c)

	// What a server that was killed leaves behind.
	killed := c
	killed.Folder = t.TempDir()
	for name := range files(t, c.Folder) {
		data, err := os.ReadFile(filepath.Join(c.Folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(killed.Folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	look("a server was killed", killed)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	look("a server stopped", c)

	gone := c
	gone.Folder = filepath.Join(t.TempDir(), "new", "below")
	if r, err := store.Inspect(t.Context(), gone); err != nil || r.Unwritable != nil {
		t.Errorf("got %+v (%v), want a folder that can be made", r, err)
	}
	if _, err := os.Stat(filepath.Dir(gone.Folder)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want no folder made", err)
	}
}

func TestInspectSaysWhatKeepsItFromLooking(t *testing.T) {
	foreign, taken := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, store.FileName), []byte("this is no database, whatever its name says, and it goes on for long enough"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(taken, store.FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, tt := range []struct {
		name   string
		config store.Config
		kind   error
		want   string
	}{
		{"no database", store.Config{Folder: foreign}, store.ErrUnreadable, "not a database"},
		{"a folder", store.Config{Folder: taken}, store.ErrUnreadable, "it is no file"},
		{"away", store.Config{DatabaseURL: "postgres://ada:hidden@" + l.Addr().String() + "/gatehouse"}, store.ErrAway, "refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := store.Inspect(t.Context(), tt.config)
			wantLine(t, err, tt.want)
			if !errors.Is(err, tt.kind) || r.Where == "" || strings.Contains(r.Where, "hidden") {
				t.Errorf("got %v at %q, want %v, and where", err, r.Where, tt.kind)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := store.Inspect(t.Context(), store.Config{Folder: filepath.Join(file, "below")}); err == nil && r.Unwritable == nil {
		t.Errorf("below a file: got %+v, want a folder that cannot be used", r)
	}
}

func TestInspectSeesThatAUserMayMakeNoTables(t *testing.T) {
	c := onPostgres(t)
	admin := beside(t, c)
	var schema string
	if err := admin.QueryRow(`SELECT current_schema()`).Scan(&schema); err != nil {
		t.Fatal(err)
	}
	role := "reader_" + schema
	if _, err := admin.Exec(`CREATE ROLE ` + role + ` LOGIN PASSWORD 'hidden'`); err != nil {
		t.Skipf("this test needs a PostgreSQL whose user may make others: %v", err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(`DROP OWNED BY ` + role + `; DROP ROLE ` + role); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(c.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "hidden")
	for _, grant := range []string{``, `GRANT USAGE ON SCHEMA ` + schema + ` TO ` + role} {
		if _, err := admin.Exec(grant); err != nil {
			t.Fatal(err)
		}
		if r, err := store.Inspect(t.Context(), store.Config{DatabaseURL: u.String()}); err != nil || r.Unwritable == nil {
			t.Errorf("%q: got %+v (%v), want a database where it may make no tables", grant, r, err)
		}
	}
	if _, err := admin.Exec(`GRANT CREATE ON SCHEMA ` + schema + ` TO ` + role); err != nil {
		t.Fatal(err)
	}
	if r, err := store.Inspect(t.Context(), store.Config{DatabaseURL: u.String()}); err != nil || r.Unwritable != nil {
		t.Errorf("got %+v (%v), want a database where it may", r, err)
	}
}

func TestInspectTellsPasswordsFromDatabases(t *testing.T) {
	c := onPostgres(t)
	u, err := url.Parse(c.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/no_such_database"
	if _, err := store.Inspect(t.Context(), store.Config{DatabaseURL: u.String()}); !errors.Is(err, store.ErrNoDatabase) {
		t.Errorf("got %v, want ErrNoDatabase", err)
	}
	u, _ = url.Parse(c.DatabaseURL)
	u.User = url.UserPassword("no_such_user", "hidden")
	if _, err := store.Inspect(t.Context(), store.Config{DatabaseURL: u.String()}); !errors.Is(err, store.ErrNotLetIn) {
		t.Errorf("got %v, want ErrNotLetIn", err)
	}
	u, _ = url.Parse(c.DatabaseURL)
	q := u.Query()
	q.Set("default_transaction_read_only", "on")
	u.RawQuery = q.Encode()
	if r, err := store.Inspect(t.Context(), store.Config{DatabaseURL: u.String()}); err != nil || r.Unwritable == nil {
		t.Errorf("got %+v (%v), want a database that cannot be written to", r, err)
	}
}
