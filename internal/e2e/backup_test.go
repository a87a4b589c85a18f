package e2e_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gatehouse/internal/demoidp"
	"gatehouse/internal/parts"
)

// A site is a place where a broker keeps everything, for one to be started
// again on it, or on a copy.
type site struct {
	address     string
	data        string
	databaseURL string // empty for the embedded database
}

// start runs a broker at a site. stop ends it, once.
func (s site) start(t testing.TB) (b *broker, stop func()) {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	b = &broker{t: t, base: "http://" + s.address, log: filepath.Join(t.TempDir(), "log")}
	log, err := os.Create(b.log)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "serve", "--listen", s.address, "--data", s.data)
	cmd.Env = append(os.Environ(), "GATEHOUSE_BOOTSTRAP_EMAIL="+operatorMail, "GATEHOUSE_BOOTSTRAP_PASSWORD="+operatorPassword, "GATEHOUSE_DATABASE_URL="+s.databaseURL)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() { b.stop(cmd) })
	t.Cleanup(stop)
	b.waitReady()
	return b, stop
}

// gatehouse runs another command on the site, as its operator would.
func (s site) gatehouse(t testing.TB, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append(args, "--data", s.data)...)
	cmd.Env = append(os.Environ(), "GATEHOUSE_DATABASE_URL="+s.databaseURL, "GATEHOUSE_PUBLIC_URL=http://"+s.address)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// logins logs bob in, over and over, until stop. It counts what was finished.
func logins(t *testing.T, idp *demoidp.IdP, method provider, finished *atomic.Int64) (stop func()) {
	t.Helper()
	end, group := make(chan struct{}), sync.WaitGroup{}
	for range 2 {
		one := newPerson(t)
		group.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				if one.open(one.through(idp, method.Login, "bob").location).status != http.StatusSeeOther {
					t.Error("a login beside the backup was not finished")
					return
				}
				finished.Add(1)
			}
		})
	}
	return sync.OnceFunc(func() { close(end); group.Wait() })
}

// copySite backs a running site up while people log in, stops it, and gives
// the copy. before says how many of them had finished when the copying began.
type copySite func(t *testing.T, s site, stop func()) site

// survives is what a copy has to keep.
func survives(t *testing.T, s site, copied copySite) {
	b, stop := s.start(t)
	b.setUp()
	idp, method := b.connectDemo(b.account, nil)
	signup := b.base + "/v1/sso/saml/login/" + method.ID + "?intent=signup"
	alice, bob := newPerson(t), newPerson(t)
	bob.open(bob.through(idp, signup, "bob").location)
	// Alice's answer is kept, to be brought a second time.
	u, _ := idp.User("alice")
	acs, form, err := idp.Answer(alice.open(signup).location, u)
	if err != nil {
		t.Fatal(err)
	}
	if finished := alice.open(alice.post(acs, "https://idp.acme.test", form).location); finished.status != http.StatusSeeOther {
		t.Fatalf("alice: got %d, want a session:\n%s", finished.status, finished.text)
	}

	var finished atomic.Int64
	enough := logins(t, idp, method, &finished)
	defer enough()
	for finished.Load() < 5 {
		if t.Failed() {
			return
		}
	}
	began := finished.Load()
	copyOf := copied(t, s, func() { enough(); stop() })
	if finished.Load() == began {
		t.Error("no login was finished beside the backup, want some")
	}

	again, _ := copyOf.start(t)
	if me := alice.open(again.base + "/v1/me"); me.status != http.StatusOK || !strings.Contains(me.text, "alice@") {
		t.Errorf("alice's session: got %d %s, want it to count still", me.status, me.text)
	}
	// The copy knows what was used before it was made.
	wantCode(t, alice.post(acs, "https://idp.acme.test", form), http.StatusForbidden, "request_used")
	for _, who := range []string{"alice", "bob"} {
		one := newPerson(t)
		if end := one.open(one.through(idp, method.Login, who).location); end.status != http.StatusSeeOther {
			t.Errorf("%s: got %d, want the same login to work:\n%s", who, end.status, end.text)
		}
	}
	if status, _ := again.callAs(b.token, "GET", "/v1/organization/"+b.org, nil); status != http.StatusOK {
		t.Errorf("the operator's token: got %d, want 200", status)
	}
	// No login that had finished before the copying began is missing.
	status, text := again.callAs(b.token, "GET", "/v1/organization/"+b.org+"/audit-events?page_size=100&action=login.success&actor=bob@", nil)
	var log struct {
		Events []struct{} `json:"events"`
	}
	if err := json.Unmarshal(text, &log); err != nil || status != http.StatusOK || int64(len(log.Events)) < min(began, 100) {
		t.Errorf("got %d, %v and %d logins of bob in the copy's log, want %d at least", status, err, len(log.Events), began)
	}
}

func TestARestoredCopyServesTheSameLogins(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		survives(t, site{address: freePort(t), data: filepath.Join(t.TempDir(), "data")}, copyEmbedded)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		survives(t, site{address: freePort(t), data: filepath.Join(t.TempDir(), "data"), databaseURL: newSchema(t)}, copyPostgres)
	})
}

func copyEmbedded(t *testing.T, s site, stop func()) site {
	file := filepath.Join(t.TempDir(), "backup.db")
	if _, text, err := s.gatehouse(t, "backup", file); err != nil {
		t.Fatalf("backup: %v: %s", err, text)
	}
	stop()
	restored := site{address: s.address, data: filepath.Join(t.TempDir(), "restored")}
	for from, to := range map[string]string{file: "gatehouse.db", filepath.Join(s.data, "keys"): "keys"} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.MkdirAll(restored.data, 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(restored.data, to), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return restored
}

// copyPostgres does what gatehouse backup says, loses the database, and
// restores it.
func copyPostgres(t *testing.T, s site, stop func()) site {
	parts.Program(t, "pg_dump")
	restore := parts.Program(t, "pg_restore")
	file := filepath.Join(t.TempDir(), "backup.dump")
	_, text, err := s.gatehouse(t, "backup", file)
	_, command, found := strings.Cut(strings.TrimSpace(text), "tool for this: ")
	if err == nil || !found {
		t.Fatalf("got %v and %q, want the command to use instead", err, text)
	}
	u, err := url.Parse(s.databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "PGPASSWORD="+password)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	run("sh", "-c", command)
	stop()

	q := u.Query()
	schema := q.Get("search_path")
	q.Del("search_path")
	u.RawQuery = q.Encode()
	db, err := sql.Open("pgx", u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), "DROP SCHEMA "+schema+" CASCADE"); err != nil {
		t.Fatal(err)
	}
	run(restore, "--no-owner", "--exit-on-error", "--dbname="+u.String(), file)
	return s
}

func TestARecoveryLinkWorksInABrowserBesideTheServer(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, databaseURL string) {
		s := site{address: freePort(t), data: filepath.Join(t.TempDir(), "data"), databaseURL: databaseURL}
		b, _ := s.start(t)
		b.setUp()
		text, errs, err := s.gatehouse(t, "recover", "--organization", b.org, "--login-link", operatorMail, "--json")
		var made struct {
			Link string `json:"login_link"`
		}
		if err != nil || json.Unmarshal([]byte(text), &made) != nil {
			t.Fatalf("got %v: %s%s, want a link", err, text, errs)
		}
		admin := newPerson(t)
		if page := admin.open(made.Link); page.status != http.StatusOK || !strings.Contains(page.text, operatorMail) {
			t.Fatalf("got %d, want a page that says who it is for:\n%s", page.status, page.text)
		}
		end := admin.open(admin.post(made.Link, b.base, nil).location)
		if end.location != b.base+"/organization/"+b.org {
			t.Fatalf("got %d to %s, want the organization:\n%s", end.status, end.location, end.text)
		}
		if me := admin.open(b.base + "/v1/me"); !strings.Contains(me.text, `"auth":["recovery","`+b.org+`"]`) {
			t.Errorf("got %s, want auth recovery", me.text)
		}
		wantCode(t, newPerson(t).post(made.Link, b.base, nil), http.StatusNotFound, "recovery_link_over")
	})
}
