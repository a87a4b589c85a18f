package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gatehouse/internal/demoidp"
	"gatehouse/internal/parts"
)

// A crowd logs in again and again while something is done to the servers.
// Nobody in it may ever become somebody else; what else goes wrong is counted.
type crowd struct {
	idp    *demoidp.IdP
	start  string // login link
	base   string
	stop   chan struct{}
	group  sync.WaitGroup
	done   atomic.Int64 // logins that ended in a session
	failed atomic.Int64 // that did not
	wrong  atomic.Pointer[string]
	slow   atomic.Int64 // the longest login that worked, in milliseconds
}

func (c *cluster) crowd(idp *demoidp.IdP, method provider) *crowd {
	w := &crowd{idp: idp, start: method.Login, base: c.base, stop: make(chan struct{})}
	for i := range 4 {
		user := []string{"alice", "bob"}[i%2]
		w.group.Go(func() {
			for {
				select {
				case <-w.stop:
					return
				default:
				}
				begin := time.Now()
				if err := w.login(user); err != nil {
					w.failed.Add(1)
					time.Sleep(20 * time.Millisecond) // as a person would, and not to take all of the machine
					continue
				}
				w.done.Add(1)
				w.slow.Store(max(w.slow.Load(), time.Since(begin).Milliseconds()))
			}
		})
	}
	return w
}

// more waits until the crowd has logged in so many times more.
func (w *crowd) more(t *testing.T, n int64) {
	t.Helper()
	before := w.done.Load()
	for range 1500 {
		if w.done.Load() >= before+n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("got %d logins within 15 seconds, want %d (%d failed)", w.done.Load()-before, n, w.failed.Load())
}

// end lets everybody finish.
func (w *crowd) end(t *testing.T) {
	t.Helper()
	close(w.stop)
	w.group.Wait()
	if wrong := w.wrong.Load(); wrong != nil {
		t.Errorf("somebody became somebody else: %s", *wrong)
	}
	t.Logf("%d logins, %d that failed, the longest %d ms", w.done.Load(), w.failed.Load(), w.slow.Load())
}

// login does all of a login in a browser of its own, and asks who one is.
func (w *crowd) login(user string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	start, err := http.NewRequest(http.MethodGet, w.start, nil)
	if err != nil {
		return err
	}
	start.Header.Set("Sec-Fetch-Site", "same-origin") // a link of our login page
	begun, _, err := leads(client.Do(start))
	if err != nil {
		return err
	}
	u, _ := w.idp.User(user)
	acs, form, err := w.idp.Answer(begun, u)
	if err != nil {
		return err
	}
	answered, _, err := leads(client.PostForm(acs, form))
	if err != nil {
		return err
	}
	if _, _, err := leads(client.Get(answered)); err != nil {
		return err
	}
	r, err := client.Get(w.base + "/v1/me")
	if err != nil {
		return err
	}
	defer r.Body.Close()
	me, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode == http.StatusOK && !strings.Contains(string(me), `"user":"`+u.Email+`"`) {
		text := user + " is " + string(me)
		w.wrong.Store(&text)
	}
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET /v1/me: %s", r.Status)
	}
	return err
}

// leads gives where an answer leads to; one that leads nowhere is an error.
func leads(r *http.Response, err error) (string, int, error) {
	if err != nil {
		return "", 0, err
	}
	defer r.Body.Close()
	to, err := r.Location()
	if err != nil || r.StatusCode != http.StatusSeeOther {
		return "", r.StatusCode, errors.Join(err, errors.New(r.Status))
	}
	return to.String(), r.StatusCode, nil
}

func TestNodeIsKilledInTheMiddleOfLogins(t *testing.T) {
	c := startCluster(t, newSchema(t))
	idp, method := c.connectDemo(c.account, nil)
	c.signUp(idp, method, "alice", "bob")
	one, two := c.nodes[0], c.nodes[1]

	// This login is answered by the node that dies, and ends on the other.
	p := newPerson(t)
	answered := p.via(two).through(idp, method.Login, "alice")
	crowd := c.crowd(idp, method)
	crowd.more(t, 10)
	two.kill()
	crowd.more(t, 20)
	if finished := p.via(one).open(answered.location); finished.status != http.StatusSeeOther {
		t.Errorf("answered by the node that was killed: got %d, want a session:\n%s", finished.status, finished.text)
	}
	wantMe(t, p, c.base, "alice@acme.test")
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	two.start(path)
	if !two.becomes(http.StatusOK) {
		t.Errorf("node two did not come back:\n%s", two.logged())
	}
	crowd.more(t, 20)
	crowd.end(t)
	c.wantNoFailures()
}

func TestRedisStopsAndDiesDuringLogins(t *testing.T) {
	redis := startRedis(t)
	c := startCluster(t, newSchema(t), "--redis-url", "redis://127.0.0.1:"+redis.port)
	idp, method := c.connectDemo(c.account, nil)
	c.signUp(idp, method, "alice", "bob")
	crowd := c.crowd(idp, method)
	for _, trouble := range []struct {
		name        string
		begin, over func()
	}{
		{"stopped", func() { redis.signal(syscall.SIGSTOP) }, func() { redis.signal(syscall.SIGCONT) }},
		{"killed", redis.kill, redis.start},
	} {
		crowd.more(t, 10)
		crowd.slow.Store(0)
		trouble.begin()
		crowd.more(t, 20)
		t.Logf("with Redis %s, the longest login took %d ms", trouble.name, crowd.slow.Load())
		trouble.over()
	}
	crowd.more(t, 10)
	crowd.end(t)
	if n := crowd.failed.Load(); n != 0 {
		t.Errorf("got %d logins that failed, want Redis to matter to none", n)
	}
	for _, n := range c.nodes {
		if got := strings.Count(n.logged(), "Redis is away"); got != 1 {
			t.Errorf("node %s: got %d warnings within a minute, want one", n.name, got)
		}
	}
	c.wantNoFailures()
}

func TestPostgresIsRestartedDuringLogins(t *testing.T) {
	db := startPostgres(t)
	c := startCluster(t, db.url)
	idp, method := c.connectDemo(c.account, nil)
	c.signUp(idp, method, "alice", "bob")

	// Some logins are answered before, and some are under way.
	var answered []*person
	var flows, used []string
	var forms []url.Values
	for i := range 6 {
		p := newPerson(t)
		alice, _ := idp.User("alice")
		acs, form, err := idp.Answer(p.open(method.Login).location, alice)
		if err != nil {
			t.Fatal(err)
		}
		flow := ""
		if i < 3 {
			got := p.post(acs, "https://idp.acme.test", form)
			if got.status != http.StatusSeeOther {
				t.Fatalf("before: got %d, want an answer that is taken:\n%s", got.status, got.text)
			}
			flow = got.location
		}
		answered, flows, forms, used = append(answered, p), append(flows, flow), append(forms, form), append(used, acs)
	}
	crowd := c.crowd(idp, method)
	crowd.more(t, 10)

	db.stop("immediate") // as if it crashed
	for _, n := range c.nodes {
		if !n.becomes(http.StatusServiceUnavailable) {
			t.Errorf("node %s is ready without a database", n.name)
		}
	}
	for i, p := range answered {
		var got page
		if flows[i] != "" {
			got = p.open(flows[i])
		} else {
			got = p.post(used[i], "https://idp.acme.test", forms[i])
		}
		if got.status != http.StatusServiceUnavailable || cookieOf(got, "gatehouse") != nil {
			t.Errorf("without a database: got %d %s, want 503 and no session", got.status, got.location)
		}
	}
	begin := time.Now()
	db.start()
	for _, n := range c.nodes {
		if !n.becomes(http.StatusOK) {
			t.Fatalf("node %s is not ready again:\n%s", n.name, n.logged())
		}
	}
	t.Logf("both nodes were ready %s after PostgreSQL was started", time.Since(begin))

	for i, p := range answered {
		flow := flows[i]
		if flow == "" {
			// Refused for want of a database, it was not used up.
			got := p.post(used[i], "https://idp.acme.test", forms[i])
			if got.status != http.StatusSeeOther {
				t.Errorf("sent again: got %d, want it to be taken:\n%s", got.status, got.text)
				continue
			}
			flow = got.location
		}
		if got := p.open(flow); got.status != http.StatusSeeOther || cookieOf(got, "gatehouse") == nil {
			t.Errorf("answered: got %d, want a session:\n%s", got.status, got.text)
		}
		wantMe(t, p, c.base, "alice@acme.test")
		wantCode(t, newPerson(t).post(used[i], "https://idp.acme.test", forms[i]), http.StatusForbidden, "request_used")
	}
	crowd.more(t, 20)
	crowd.end(t)
	for _, n := range c.nodes {
		if strings.Contains(n.logged(), "status=500") {
			t.Errorf("node %s blames itself for the database:\n%s", n.name, n.logged())
		}
	}
}

// A database is a PostgreSQL of one test's own, which it may stop.
type database struct {
	t    testing.TB
	url  string
	bin  string
	home string
}

// startPostgres makes a PostgreSQL that keeps what it committed when it
// crashes, though not when the machine does.
func startPostgres(t testing.TB) *database {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		found = []string{parts.Program(t, "initdb")}
	}
	d := &database{t: t, bin: filepath.Dir(found[len(found)-1])}
	home, err := os.MkdirTemp("", "gatehouse-e2e-postgres-") // t.TempDir is closed to the user postgres
	if err != nil {
		t.Fatal(err)
	}
	d.home = home
	t.Cleanup(func() { os.RemoveAll(home) })
	if os.Geteuid() == 0 {
		if out, err := exec.Command("chown", "postgres:", home).CombinedOutput(); err != nil {
			t.Fatalf("chown: %v %s", err, out)
		}
	}
	listen := freePort(t)
	_, port, _ := strings.Cut(listen, ":")
	d.run("initdb", "-D", home+"/data", "-U", "gatehouse", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	d.run("pg_ctl", "-D", home+"/data", "-l", home+"/log", "-w", "-t", "30",
		"-o", "-c listen_addresses=127.0.0.1 -c port="+port+" -c unix_socket_directories='' -c fsync=off", "start")
	t.Cleanup(func() { d.stop("fast") })
	d.url = "postgres://gatehouse@" + listen + "/postgres?sslmode=disable"
	return d
}

// run runs a program of PostgreSQL, which refuses to be root.
func (d *database) run(program string, args ...string) {
	d.t.Helper()
	args = append([]string{filepath.Join(d.bin, program)}, args...)
	if os.Geteuid() == 0 {
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = d.home
	if err := cmd.Run(); err != nil { // its output is the server's too, which goes on
		log, _ := os.ReadFile(d.home + "/log")
		d.t.Fatalf("%s: %v\n%s", program, err, log)
	}
}

func (d *database) stop(mode string) {
	d.t.Helper()
	d.run("pg_ctl", "-D", d.home+"/data", "-m", mode, "-w", "-t", "30", "stop")
}

// start starts it again, as it was started first.
func (d *database) start() {
	d.t.Helper()
	d.run("pg_ctl", "-D", d.home+"/data", "-l", d.home+"/log", "-w", "-t", "30", "restart")
}
