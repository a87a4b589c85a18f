package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The operator that the server is started with.
const (
	operatorMail     = "operator@bench.test"
	operatorPassword = "measured twice"
)

// A server is the process that is measured.
type server struct {
	process *exec.Cmd
	base    string
}

// startServer starts the binary on a free port and waits until it is ready.
func startServer(ctx context.Context, binary, database, folder string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	log, err := os.Create(folder + "/log")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary, "serve", "--listen", address, "--data", folder+"/data", "--log-format", "json", "--trusted-proxy", "127.0.0.0/8")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "GATEHOUSE_BOOTSTRAP_EMAIL="+operatorMail, "GATEHOUSE_BOOTSTRAP_PASSWORD="+operatorPassword)
	if database != "" {
		cmd.Args = append(cmd.Args, "--database-url", database)
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd, "http://" + address}
	for range 100 {
		time.Sleep(100 * time.Millisecond)
		r, err := http.Get(s.base + "/readyz")
		if err != nil {
			continue
		}
		r.Body.Close()
		if r.StatusCode == http.StatusOK {
			return s, nil
		}
	}
	s.stop()
	text, _ := os.ReadFile(folder + "/log")
	return nil, fmt.Errorf("the server was not ready within ten seconds: %s", text)
}

func (s *server) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

// cpu is the processor time that the server has used (proc(5), stat).
func (s *server) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux
	return time.Duration(user+system) * tick
}

// memory is what the server has resident, in bytes (proc(5), status).
func (s *server) memory() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, _ := strconv.ParseInt(strings.Fields(rest + " 0")[0], 10, 64)
	return kb << 10
}
