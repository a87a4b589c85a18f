package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// What people see and type: scripts with a terminal that is one.
func TestTerminals(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/terminal",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"converse": converse,
			"http":     fetch,
			"ready":    waitReady,
		},
		RequireExplicitExec: true,
	})
}

// longestWait is how long a program may take to do what a script waits for.
const longestWait = 20 * time.Second

// converse runs a program on a terminal of its own, as a file says, and
// compares its exit status. What was on the screen is printed afterwards.
//
//	converse 0 dialog gatehouse user login ann@company.test --password
//
// A line of the file begins with a word:
//
//	see TEXT     wait until the screen shows it, after what was seen before
//	unseen TEXT  type it and Enter, once nothing that is typed is shown
//	press KEY    type Ctrl-C, Ctrl-D or Enter, once nothing that is typed is shown
//	press! KEY   the same, while it is shown
//	terminate    end the program by a signal, once nothing that is typed is shown
//	approve yes  approve the program that shows a code, or refuse it
//
// A terminal that is not afterwards as it was before fails the script.
func converse(ts *testscript.TestScript, _ bool, args []string) {
	p := openTerminal(ts)
	defer p.close()
	before, err := unix.IoctlGetTermios(int(p.screen.Fd()), unix.TCGETS)
	ts.Check(err)
	cmd := exec.Command("/bin/sh", append([]string{"-c", `exec "$@"`, "sh"}, args[2:]...)...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), environment(ts)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.keys, p.keys, p.keys
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	ts.Check(cmd.Start())
	p.program = cmd
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if err := p.act(ts, strings.TrimSuffix(line, "\n")); err != nil {
			_ = cmd.Process.Kill()
			ts.Fatalf("%s: %v; on the screen is:\n%s", line, err, p.text())
		}
	}
	select {
	case err = <-ended:
	case <-time.After(longestWait):
		_ = cmd.Process.Kill()
		ts.Fatalf("the program did not end; on the screen is:\n%s", p.text())
	}
	status := 0
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		status = failed.ExitCode()
	}
	after, err := unix.IoctlGetTermios(int(p.screen.Fd()), unix.TCGETS)
	ts.Check(err)
	if *after != *before {
		ts.Fatalf("the terminal was left as %+v, and was %+v", *after, *before)
	}
	p.close()
	fmt.Fprint(ts.Stdout(), strings.ReplaceAll(p.text(), "\r\n", "\n"))
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("got the exit status %d, want %s; on the screen is:\n%s", status, args[0], p.text())
	}
}

// environment is that of a script.
func environment(ts *testscript.TestScript) []string {
	ts.Check(ts.Exec("env", "-0"))
	return strings.Split(strings.TrimSuffix(ts.ReadFile("stdout"), "\x00"), "\x00")
}

// A terminal is what a person sits at.
type terminal struct {
	screen  *os.File // their side: what they see, and what they type
	keys    *os.File // the program's
	program *exec.Cmd
	done    chan struct{}
	once    sync.Once

	mu    sync.Mutex
	shown bytes.Buffer
	seen  int // of what was shown, by the script
}

func openTerminal(ts *testscript.TestScript) *terminal {
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	ts.Check(err)
	ts.Check(unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	ts.Check(err)
	keys, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	ts.Check(err)
	p := &terminal{screen: screen, keys: keys, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_, _ = io.Copy(p, screen) // until nobody holds the other side
	}()
	return p
}

// Write takes what is shown.
func (p *terminal) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown.Write(b)
}

func (p *terminal) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown.String()
}

// close lets go of the program's side, and waits for all that was shown.
func (p *terminal) close() {
	p.once.Do(func() {
		p.keys.Close()
		<-p.done
		p.screen.Close()
	})
}

// act does what a line says.
func (p *terminal) act(ts *testscript.TestScript, line string) error {
	word, rest, _ := strings.Cut(line, " ")
	keys := map[string]string{"Ctrl-C": "\x03", "Ctrl-D": "\x04", "Enter": "\r"}
	switch word {
	case "see":
		return p.see(rest)
	case "unseen":
		return p.press(rest+"\r", false)
	case "press":
		return p.press(keys[rest], false)
	case "press!":
		return p.press(keys[rest], true)
	case "terminate":
		if err := p.press("", false); err != nil {
			return err
		}
		return p.program.Process.Signal(syscall.SIGTERM)
	case "approve":
		answerProgram(ts, codeOf(p.text()), rest)
		return nil
	}
	return fmt.Errorf("%q is no word of a dialog", word)
}

func (p *terminal) see(want string) error {
	for end := time.Now().Add(longestWait); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		p.mu.Lock()
		i := strings.Index(p.shown.String()[p.seen:], want)
		if i >= 0 {
			p.seen += i + len(want)
		}
		p.mu.Unlock()
		if i >= 0 {
			return nil
		}
	}
	return errors.New("it is not shown")
}

// press types, once what is typed is shown or not.
func (p *terminal) press(keys string, shown bool) error {
	for end := time.Now().Add(longestWait); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		now, err := unix.IoctlGetTermios(int(p.screen.Fd()), unix.TCGETS)
		if err != nil {
			return err
		}
		if now.Lflag&unix.ECHO != 0 == shown {
			_, err := p.screen.WriteString(keys)
			return err
		}
	}
	return fmt.Errorf("what is typed is shown: %t, want the other", !shown)
}
