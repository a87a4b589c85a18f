package store_test

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// raw gives the database itself, beside the store.
func raw(t testing.TB, c store.Config) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", c.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// failing makes the server fail the first inserts of users, at the statement
// or at the commit. A sequence counts them: it is not rolled back.
const failing = `
	CREATE SEQUENCE failures;
	CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('failures') <= $TIMES THEN RAISE EXCEPTION 'injected' USING ERRCODE = '$CODE'; END IF;
		RETURN NEW;
	END $$;`

func TestTransactionIsRepeatedWhenOthersMadeItFail(t *testing.T) {
	const (
		atStatement = `CREATE TRIGGER fail BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION fail()`
		atCommit    = `CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON person DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()`
	)
	tests := []struct {
		name        string
		code, times string
		where       string
		runs        int
		kind        fault.Kind // "" for none
	}{
		{"a serialization failure of a statement", "40001", "2", atStatement, 3, ""},
		{"a deadlock at a statement", "40P01", "1", atStatement, 2, ""},
		{"a serialization failure at the commit", "40001", "2", atCommit, 3, ""},
		{"failures without end", "40001", "1000", atStatement, 6, fault.Unavailable},
		{"a failure of another kind", "22012", "1", atStatement, 1, fault.Internal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := onPostgres(t)
			s, db := open(t, c), raw(t, c)
			script := strings.NewReplacer("$TIMES", tt.times, "$CODE", tt.code).Replace(failing)
			if _, err := db.Exec(script + tt.where); err != nil {
				t.Fatal(err)
			}
			runs := 0
			o := storetest.Organization("acme")
			err := s.Tx(t.Context(), func(ctx context.Context) error {
				runs++
				// What the failed runs did before must not stay.
				if err := s.AddOrganization(ctx, o, storetest.Root(o)); err != nil {
					return err
				}
				return s.AddUser(ctx, storetest.User("ada"), "")
			})
			if runs != tt.runs {
				t.Errorf("got %d runs, want %d", runs, tt.runs)
			}
			if tt.kind == "" && err != nil || tt.kind != "" && (err == nil || fault.Of(err).Kind != tt.kind) {
				t.Errorf("got %v, want %q", err, tt.kind)
			}
			want := 1
			if tt.kind != "" {
				want = 0
			}
			var users, organizations int
			if err := db.QueryRow(`SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM organization)`).Scan(&users, &organizations); err != nil {
				t.Fatal(err)
			}
			if users != want || organizations != want {
				t.Errorf("got %d users and %d organizations, want %d of each", users, organizations, want)
			}
		})
	}
}

func TestStatementOfItsOwnIsRepeated(t *testing.T) {
	c := onPostgres(t)
	s, db := open(t, c), raw(t, c)
	script := strings.NewReplacer("$TIMES", "2", "$CODE", "40P01").Replace(failing)
	if _, err := db.Exec(script + `CREATE TRIGGER fail BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION fail()`); err != nil {
		t.Fatal(err)
	}
	if err := s.AddUser(t.Context(), storetest.User("ada"), ""); err != nil {
		t.Fatalf("got %v, want no error", err)
	}
}

// TestTransactionsThatBlockEachOtherBothEnd makes a real deadlock: the server
// ends one of the two, which is run again.
func TestTransactionsThatBlockEachOtherBothEnd(t *testing.T) {
	c := onPostgres(t)
	s := open(t, c)
	a, b := storetest.Organization("a"), storetest.Organization("b")
	for _, err := range []error{s.AddOrganization(t.Context(), a, storetest.Root(a)), s.AddOrganization(t.Context(), b, storetest.Root(b))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ready := make(chan struct{}, 2)
	errs := make(chan error, 2)
	go0, go1 := make(chan struct{}), make(chan struct{})
	lock := func(first, second string, start chan struct{}) {
		run := 0
		errs <- s.Tx(t.Context(), func(ctx context.Context) error {
			run++
			if err := s.LockOrganization(ctx, first); err != nil {
				return err
			}
			if run == 1 {
				ready <- struct{}{}
				<-start
			}
			return s.LockOrganization(ctx, second)
		})
	}
	go lock(a.ID, b.ID, go0)
	go lock(b.ID, a.ID, go1)
	<-ready
	<-ready
	close(go0)
	close(go1)
	for range 2 {
		if err := <-errs; err != nil {
			t.Errorf("got %v, want no error", err)
		}
	}
	var revision int
	if err := raw(t, c).QueryRow(`SELECT sum(revision) FROM organization`).Scan(&revision); err != nil || revision != 4 {
		t.Errorf("got %d changes (%v), want 4", revision, err)
	}
}

func TestBrokenConnectionIsUnavailableAndThenReplaced(t *testing.T) {
	c := onPostgres(t)
	u, _ := url.Parse(c.DatabaseURL)
	q := u.Query()
	q.Set("application_name", "broken-"+q.Get("search_path"))
	u.RawQuery = q.Encode()
	c.DatabaseURL = u.String()
	s, db := open(t, c), raw(t, onPostgres(t))
	killed := 0
	err := s.Tx(t.Context(), func(ctx context.Context) error {
		if err := s.AddUser(ctx, storetest.User("ada"), ""); err != nil {
			return err
		}
		if err := db.QueryRow(`SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = $1`, q.Get("application_name")).Scan(&killed); err != nil {
			t.Error(err)
		}
		return s.AddUser(ctx, storetest.User("eve"), "")
	})
	if killed == 0 || !errors.Is(err, fault.Unavailable) {
		t.Errorf("got %v after %d connections were broken, want unavailable", err, killed)
	}
	if _, err := s.User(t.Context(), "u-ada"); !errors.Is(err, fault.NotFound) {
		t.Errorf("got %v, want not found over a new connection", err)
	}
}

func TestServerThatIsAwayIsOneLineAfterABoundedWait(t *testing.T) {
	c := onSQLite(t)
	// The password must not be shown. Port 1 has no server.
	c.DatabaseURL = "postgres://gate:hidden@127.0.0.1:1/house?sslmode=disable"
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := store.Open(ctx, c)
	wantLine(t, err, "the database house at 127.0.0.1:1 cannot be reached")
}

func TestURLThatIsNoneIsOneLine(t *testing.T) {
	c := onSQLite(t)
	c.DatabaseURL = "postgres://gate:hidden@127.0.0.1:port/house"
	_, err := store.Open(t.Context(), c)
	wantLine(t, err, "the database URL cannot be used")
}

func TestDatabaseThatIsNotThereIsOneLineAtOnce(t *testing.T) {
	c := onPostgres(t)
	u, _ := url.Parse(c.DatabaseURL)
	u.Path = "/no_such_database"
	c.DatabaseURL = u.String()
	_, err := store.Open(t.Context(), c)
	wantLine(t, err, "no_such_database")
}

// wantLine checks for an error of one line that holds a text and no password.
func wantLine(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\t") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %q, want one line with %q and without the password", err, want)
	}
}
