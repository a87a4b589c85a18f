package domains

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/parts"
)

// realDNS is BIND, which serves zones and takes updates of them, and unbound,
// which asks it and remembers what it said. Neither asks anybody else.
type realDNS struct {
	t         *testing.T
	authority string // host:port
	resolver  string
}

func startDNS(t *testing.T) *realDNS {
	t.Helper()
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin") // where Debian keeps servers
	d := &realDNS{t: t, authority: freeAddress(t), resolver: freeAddress(t)}
	dir := t.TempDir()
	for _, name := range []string{"named", "nsupdate", "unbound"} {
		parts.Program(t, name)
	}
	d.write(filepath.Join(dir, "zone"), `$TTL 3600
@ IN SOA ns.company.test. admin.company.test. 1 3600 3600 3600 3600
@ IN NS ns.company.test.
ns.company.test. IN A 127.0.0.1
`)
	d.write(filepath.Join(dir, "other"), `$TTL 3600
@ IN SOA ns.company.test. admin.company.test. 1 3600 3600 3600 3600
@ IN NS ns.company.test.
`)
	_, port, _ := net.SplitHostPort(d.authority)
	d.write(filepath.Join(dir, "named.conf"), fmt.Sprintf(`
options {
	directory %q; pid-file none; session-keyfile none; recursion no; dnssec-validation no;
	listen-on port %s { 127.0.0.1; }; listen-on-v6 { none; }; notify no;
};
controls { };
zone "company.test" { type primary; file "zone"; allow-update { 127.0.0.1; }; };
zone "dns.test" { type primary; file "other"; allow-update { 127.0.0.1; }; };
`, dir, port))
	own, ownPort, _ := net.SplitHostPort(d.resolver)
	at := strings.Replace(d.authority, ":", "@", 1)
	d.write(filepath.Join(dir, "unbound.conf"), fmt.Sprintf(`
server:
	directory: %q
	chroot: ""
	username: ""
	pidfile: ""
	use-syslog: no
	do-daemonize: no
	num-threads: 1
	interface: %s
	port: %s
	do-not-query-localhost: no
	module-config: "iterator"
	local-zone: "." static
	local-zone: "test." transparent
remote-control:
	control-enable: no
stub-zone:
	name: "company.test"
	stub-addr: %s
stub-zone:
	name: "dns.test"
	stub-addr: %s
`, dir, own, ownPort, at, at))
	d.run(dir, d.authority, "named", "-g", "-c", filepath.Join(dir, "named.conf"))
	d.run(dir, d.resolver, "unbound", "-d", "-c", filepath.Join(dir, "unbound.conf"))
	return d
}

// freeAddress gives one on which nobody listens, over TCP or UDP.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		at := l.Addr().String()
		l.Close()
		if p, err := net.ListenPacket("udp", at); err == nil {
			p.Close()
			return at
		}
	}
	t.Fatal("found no free port")
	return ""
}

func (d *realDNS) write(path, text string) {
	d.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// run starts a server, waits until it listens, and ends it after the test. It
// runs a copy of the program: some systems confine the one that they installed
// to folders of the system.
func (d *realDNS) run(dir, address, name string, args ...string) {
	d.t.Helper()
	program, err := os.ReadFile(parts.Program(d.t, name))
	if err != nil {
		d.t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, program, 0o700); err != nil {
		d.t.Fatal(err)
	}
	log, err := os.Create(path + ".log")
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		d.t.Fatalf("start %s: %v", name, err)
	}
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		log.Close()
	})
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
	}
	said, _ := os.ReadFile(path + ".log")
	d.t.Fatalf("%s does not listen:\n%s", name, said)
}

// update has BIND change a zone, by lines of nsupdate.
func (d *realDNS) update(lines ...string) {
	d.t.Helper()
	host, port, _ := net.SplitHostPort(d.authority)
	cmd := exec.Command(parts.Program(d.t, "nsupdate"))
	cmd.Stdin = strings.NewReader("server " + host + " " + port + "\n" + strings.Join(lines, "\n") + "\nsend\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("nsupdate: %v\n%s", err, out)
	}
}

func (d *realDNS) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if address == "127.0.0.1:53" {
		address = d.authority
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func TestWhatIsPublishedIsSeenThroughCachesOfRealServers(t *testing.T) {
	d := startDNS(t)
	r := &Resolver{Server: d.resolver, AllowPrivate: true, Dial: d.dial}
	const target = "v.dns.test"
	record := func(name, value string) []string {
		return []string{
			"update delete " + name + ". TXT",
			fmt.Sprintf("update add %s. 3600 TXT %q", name, value),
		}
	}
	steps := []struct {
		name     string
		update   []string
		want     []string
		resolver string // what unbound says of it
	}{
		{"nothing is published", nil, nil, "NXDOMAIN"},
		{"it is, and unbound remembers that nothing was", record(challenge, "wrong"), []string{"wrong"}, "NXDOMAIN"},
		{"it is changed in between", record(challenge, "token=x,expiry=never"), []string{"token=x,expiry=never"}, "NXDOMAIN"},
		{"a second one stands beside it, in several strings", []string{"update add " + challenge + `. 3600 TXT "se" "cond"`}, []string{"second", "token=x,expiry=never"}, "NXDOMAIN"},
		{"more than a packet holds", []string{"update add " + long(2500)}, []string{"second", "token=x,expiry=never", strings.Repeat("x", 2500)}, "NXDOMAIN"},
		{"it is removed", []string{"update delete " + challenge + ". TXT"}, nil, "NXDOMAIN"},
		{"CNAME to where nothing is", []string{"update add " + challenge + ". 3600 CNAME " + target + "."}, nil, "NXDOMAIN"},
		{"and then is", record(target, "there"), []string{"there"}, "NXDOMAIN"},
	}
	for _, step := range steps {
		if step.update != nil {
			d.update(step.update...)
		}
		got := r.TXT(t.Context(), challenge)
		slices.Sort(got.Values)
		if diff := cmp.Diff(step.want, got.Values); diff != "" || got.Unsure {
			t.Errorf("%s: got unsure %v, values -want +got:\n%s\n%s", step.name, got.Unsure, diff, saying(got))
		}
		if first := got.Asked[0]; first.Server != d.resolver || first.Outcome != step.resolver {
			t.Errorf("%s: got %+v first, want unbound to say %s", step.name, first, step.resolver)
		}
	}
}
