package redis

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/parts"
	"gatehouse/internal/seal"
)

// A process is a Redis that a test may stop.
type process struct {
	t    *testing.T
	port string
	cmd  *exec.Cmd
}

func startRedis(t *testing.T) *process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	p := &process{t: t, port: port}
	p.start()
	t.Cleanup(p.kill)
	return p
}

func (p *process) url() string { return "redis://127.0.0.1:" + p.port }

func (p *process) start() {
	p.t.Helper()
	dir := p.t.TempDir()
	p.cmd = exec.Command(parts.Program(p.t, "redis-server"), "--bind", "127.0.0.1", "--port", p.port,
		"--save", "", "--appendonly", "no", "--dir", dir, "--logfile", filepath.Join(dir, "log"))
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	for range 200 {
		if c, err := net.Dial("tcp", "127.0.0.1:"+p.port); err == nil {
			c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	p.t.Fatal("Redis did not start within five seconds")
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// becomes waits until a node thinks of Redis as it should, ten seconds at most.
func becomes(t *testing.T, s *Server, away bool) {
	t.Helper()
	for range 1000 {
		if s.Away() == away {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("after ten seconds: got away %v, want %v", !away, away)
}

func TestRedisThatStopsAndGoesOn(t *testing.T) {
	p := startRedis(t)
	s, log := node(t, p.url(), seal.New())
	if s.Away() {
		t.Fatalf("got away, want Redis in use: %s", log)
	}
	take(t, s, 2)
	p.signal(syscall.SIGSTOP)
	begin := time.Now()
	take(t, s, 1) // this node knows of the two before
	t.Logf("the attempt that found Redis stopped took %s", time.Since(begin))
	if !s.Away() {
		t.Error("got not away, want Redis to count as away")
	}
	begin = time.Now()
	if err := s.Take(t.Context(), rule, "alice"); !errors.Is(err, fault.TooMany) {
		t.Errorf("got %v, want too many: what Redis knew, this node knows", err)
	}
	t.Logf("the next attempt took %s", time.Since(begin))
	s.Publish(t.Context(), "mail")
	p.signal(syscall.SIGCONT)
	becomes(t, s, false)
	if err := s.Check(t.Context(), rule, "bob"); err != nil || s.Away() {
		t.Errorf("got %v, want Redis in use again", err)
	}
	p.signal(syscall.SIGSTOP)
	if err := s.Take(t.Context(), rule, "bob"); err != nil || !s.Away() {
		t.Errorf("stopped again: got %v, want this node to count", err)
	}
	p.signal(syscall.SIGCONT)
	if n := strings.Count(log.String(), "Redis is away"); n != 1 || !strings.Contains(log.String(), "Redis is back") {
		t.Errorf("got %d warnings within a minute, want one, and that it is back:\n%s", n, log)
	}
}

func TestNobodyAsksARedisThatIsAway(t *testing.T) {
	var asked atomic.Int64
	s, _ := node(t, "redis://"+pretender(t, func(io.Writer) bool {
		asked.Add(1)
		return true // and no answer
	}), seal.New())
	for i := range 50 {
		if err := s.Take(t.Context(), rule, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	// The probe at the start, and perhaps one or two since.
	if n := asked.Load(); n > 5 {
		t.Errorf("got %d questions for 50 attempts, want hardly any", n)
	}
}

func TestRedisThatIsKilledAndStartedAgain(t *testing.T) {
	p := startRedis(t)
	s, _ := node(t, p.url(), seal.New())
	take(t, s, 2)
	p.kill()
	take(t, s, 1)
	if err := s.Take(t.Context(), rule, "alice"); !errors.Is(err, fault.TooMany) {
		t.Errorf("got %v, want too many: what Redis knew, this node knows", err)
	}
	if err := s.Forget(t.Context(), rule, "alice"); err != nil {
		t.Errorf("forget: got %v, want none", err)
	}
	take(t, s, 1)
	p.start()
	becomes(t, s, false)
	take(t, s, 3)
}

func TestManyAtOnceWaitForAStoppedRedisOnce(t *testing.T) {
	p := startRedis(t)
	s, _ := node(t, p.url(), seal.New())
	p.signal(syscall.SIGSTOP)
	var group sync.WaitGroup
	begin := time.Now()
	for i := range 200 {
		group.Go(func() {
			if err := s.Take(t.Context(), rule, fmt.Sprint(i)); err != nil {
				t.Errorf("got %v, want none", err)
			}
		})
	}
	group.Wait()
	t.Logf("200 attempts at once took %s", time.Since(begin))
	p.signal(syscall.SIGCONT)
}

// TestRedisThatAnswersNonsense brings answers that no Redis gives to a node
// that starts on one, and to one that has worked with it before.
func TestRedisThatAnswersNonsense(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing, and the connection ends": "",
		"another protocol":                 "HTTP/1.1 400 Bad Request\r\n\r\n",
		"an error":                         "-LOADING Redis is loading the dataset in memory\r\n",
		"a password is needed":             "-NOAUTH Authentication required.\r\n",
		"no array":                         "+OK\r\n",
		"an array of one":                  "*1\r\n:1\r\n",
		"an array of texts":                "*2\r\n$1\r\nx\r\n$1\r\ny\r\n",
		"a wait of years":                  "*2\r\n:9000000000000000\r\n:0\r\n",
		"a negative wait":                  "*2\r\n:-1\r\n:0\r\n",
		"an end in years":                  "*2\r\n:0\r\n:9000000000000000\r\n",
		"numbers beyond all bounds":        "*2\r\n:99999999999999999999999\r\n:0\r\n",
		"an array without end":             "*100000\r\n",
		"half an answer":                   "*2\r\n:0\r\n",
		"null":                             "*-1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, log := node(t, "redis://"+pretender(t, func(w io.Writer) bool {
				io.WriteString(w, answer)
				return answer != ""
			}), seal.New())
			take(t, s, 3)
			if err := s.Take(t.Context(), rule, "alice"); !errors.Is(err, fault.TooMany) {
				t.Errorf("got %v, want this node to count by itself", err)
			}
			if n := strings.Count(log.String(), "Redis is away"); n != 1 || strings.Contains(log.String(), "Redis is back") {
				t.Errorf("got %d warnings, want one, and no return:\n%s", n, log)
			}
		})
	}
}

// pretender listens, greets as Redis does, and answers each script as it is
// told, until answer reports false: then the connection ends.
func pretender(t *testing.T, answer func(io.Writer) bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go pretend(c, answer)
		}
	}()
	return l.Addr().String()
}

func pretend(c net.Conn, answer func(io.Writer) bool) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		word := strings.ToLower(strings.TrimSpace(line))
		switch word {
		case "hello":
			io.WriteString(c, "-ERR unknown command\r\n")
		case "ping":
			io.WriteString(c, "+PONG\r\n")
		case "client":
			io.WriteString(c, "+OK\r\n")
		case "evalsha", "eval":
			if !answer(c) {
				return
			}
		}
	}
}
