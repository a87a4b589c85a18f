package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/internal/demoidp"
	"gatehouse/internal/parts"
)

// A cluster is two brokers on one database, behind nginx: the broker in it is
// what people see of both. nodeHeader sends a request to one of them.
type cluster struct {
	*broker
	nodes [2]*node
}

// nodeHeader names the node that nginx is to pass a request on to; without it,
// they take turns.
const nodeHeader = "X-Test-Node"

// A node is one of the brokers.
type node struct {
	t      testing.TB
	name   string // "one" or "two", as nodeHeader says it
	listen string
	flags  []string
	env    []string
	log    string // its file
	cmd    *exec.Cmd
}

// startCluster runs two nodes and nginx until the test ends.
func startCluster(t testing.TB, databaseURL string, flags ...string) *cluster {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dir, port := t.TempDir(), freePort(t)
	c := &cluster{broker: &broker{t: t, base: "http://" + port, log: filepath.Join(dir, "nginx.log")}}
	for i, name := range []string{"one", "two"} {
		n := &node{t: t, name: name, listen: freePort(t), log: filepath.Join(dir, name+".log")}
		n.flags = append([]string{
			"serve", "--listen", n.listen, "--public-url", c.base, "--data", filepath.Join(dir, name),
			"--keys", filepath.Join(dir, "keys"), "--trusted-proxy", "127.0.0.1/32",
		}, flags...)
		n.env = append(os.Environ(), "GATEHOUSE_BOOTSTRAP_EMAIL="+operatorMail, "GATEHOUSE_BOOTSTRAP_PASSWORD="+operatorPassword, "GATEHOUSE_DATABASE_URL="+databaseURL)
		c.nodes[i] = n
		n.start(path)
		t.Cleanup(n.stop)
		// The first makes the keys that the second needs.
		if !n.becomes(http.StatusOK) {
			t.Fatalf("node %s was not ready within ten seconds:\n%s", name, n.logged())
		}
	}
	c.startNginx(dir, port)
	c.waitReady()
	c.setUp()
	return c
}

func (n *node) start(path string) {
	n.t.Helper()
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		n.t.Fatal(err)
	}
	defer log.Close()
	n.cmd = exec.Command(path, n.flags...)
	n.cmd.Env, n.cmd.Stdout, n.cmd.Stderr = n.env, log, log
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
}

// stop ends a node; one that was killed has ended.
func (n *node) stop() {
	if n.cmd.ProcessState != nil {
		return
	}
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	if err := n.cmd.Wait(); err != nil {
		n.t.Errorf("node %s ended badly: %v\n%s", n.name, err, n.logged())
	}
}

func (n *node) kill() {
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
}

func (n *node) logged() string { return (&broker{log: n.log}).logged() }

// becomes waits until readyz has a status, ten seconds at most.
func (n *node) becomes(status int) bool {
	client := &http.Client{Timeout: 5 * time.Second}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if r, err := client.Get("http://" + n.listen + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == status {
				return true
			}
		}
	}
	return false
}

// startNginx runs nginx as one process, so that ending it ends all of it.
func (c *cluster) startNginx(dir, port string) {
	c.t.Helper()
	program := "/usr/sbin/nginx" // which is not on everybody's PATH
	if _, err := os.Stat(program); err != nil {
		program = parts.Program(c.t, "nginx")
	}
	one, two := c.nodes[0].listen, c.nodes[1].listen
	const turn = "max_fails=1 fail_timeout=1s"
	config := fmt.Sprintf(`
		daemon off; master_process off; pid %[1]s/nginx.pid; error_log %[1]s/nginx.log;
		events { worker_connections 512; }
		http {
			access_log off;
			client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
			fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
			client_max_body_size 2m;
			upstream one { server %[3]s; }
			upstream two { server %[4]s; }
			upstream any { server %[3]s %[5]s; server %[4]s %[5]s; }
			map $http_x_test_node $pool { default any; one one; two two; }
			server {
				listen %[2]s;
				location / {
					proxy_pass http://$pool;
					proxy_set_header Host $http_host;
					proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
					proxy_connect_timeout 1s;
				}
			}
		}`, dir, port, one, two, turn)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", file, "-p", dir)
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// via has a person's requests go to one node until the next call; to either,
// in turn, where node is nil.
func (p *person) via(n *node) *person {
	name := ""
	if n != nil {
		name = n.name
	}
	p.client.Transport = toNode{name, http.DefaultTransport}
	return p
}

// toNode names the node of each request.
type toNode struct {
	name string
	http.RoundTripper
}

func (t toNode) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.name != "" {
		r = r.Clone(r.Context())
		r.Header.Set(nodeHeader, t.name)
	}
	return t.RoundTripper.RoundTrip(r)
}

// signUp gives users of the demonstration IdP accounts.
func (c *cluster) signUp(idp *demoidp.IdP, method provider, users ...string) {
	c.t.Helper()
	for _, user := range users {
		p := newPerson(c.t)
		if got := p.open(p.through(idp, method.Login+"?intent=signup", user).location); got.status != http.StatusSeeOther {
			c.t.Fatalf("signing %s up: got %d:\n%s", user, got.status, got.text)
		}
	}
}

// wantNoFailures fails if a node logged a failure of its own.
func (c *cluster) wantNoFailures() {
	c.t.Helper()
	for _, n := range c.nodes {
		for line := range strings.Lines(n.logged()) {
			if strings.Contains(line, "level=ERROR") || strings.Contains(line, "status=500") {
				c.t.Errorf("node %s: %s", n.name, line)
			}
		}
	}
}

// A server is a process on a port of its own that a test may stop.
type server struct {
	t    testing.TB
	port string
	cmd  *exec.Cmd
	args []string
}

// startRedis runs a Redis for one test.
func startRedis(t testing.TB) *server {
	t.Helper()
	_, port, _ := net.SplitHostPort(freePort(t))
	s := &server{t: t, port: port, args: []string{parts.Program(t, "redis-server"), "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir()}}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for range 200 {
		if c, err := net.Dial("tcp", "127.0.0.1:"+s.port); err == nil {
			c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.t.Fatalf("%s did not listen within five seconds", s.args[0])
}

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
