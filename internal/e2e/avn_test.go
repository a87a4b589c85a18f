package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/internal/parts"
)

// An avn is somebody with the command line that was written for the API that
// ours is like, and with a home of their own.
type avn struct {
	t     testing.TB
	b     *broker
	path  string
	home  string
	names []string // pairs of what is printed and what tests call it, for strings.NewReplacer
}

// startAvn starts a broker and gives an avn, or skips the test where there is
// no avn.
func startAvn(t testing.TB) (*broker, *avn) {
	t.Helper()
	parts.Need(t, parts.Avn)
	b := startBroker(t, "")
	return b, newAvn(t, b)
}

// newAvn gives an avn that knows of a broker, and of nothing else that is in
// the environment.
func newAvn(t testing.TB, b *broker) *avn {
	t.Helper()
	return &avn{t: t, b: b, path: parts.Need(t, parts.Avn), home: t.TempDir()}
}

// command is avn with arguments; env are further lines of its environment.
func (a *avn) command(env []string, path string, args ...string) (stdout, stderr string, exit int) {
	a.t.Helper()
	cmd := exec.CommandContext(a.t.Context(), path, args...)
	cmd.Dir = a.home
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + a.home, "LANG=C.UTF-8",
		"AIVEN_WEB_URL=" + a.b.base, "AIVEN_CONFIG_DIR=" + filepath.Join(a.home, "config"),
	}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		a.t.Fatal(err)
	}
	if strings.Contains(out.String()+errs.String(), "Traceback") {
		a.t.Errorf("avn %q died:\n%s%s", args, &out, &errs)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// run runs avn, and gives what it prints. It fails the test if avn fails.
func (a *avn) run(args ...string) string {
	a.t.Helper()
	out, errs, exit := a.command(nil, a.path, args...)
	if exit != 0 {
		a.t.Fatalf("avn %q: got exit status %d:\n%s%s", args, exit, out, errs)
	}
	return out
}

// fails fails the test unless avn prints that one line, and ends with 1.
func (a *avn) fails(want string, env []string, args ...string) {
	a.t.Helper()
	out, errs, exit := a.command(env, a.path, args...)
	if want = "ERROR\tcommand failed: " + want + "\n"; exit != 1 || out != "" || errs != want {
		a.t.Errorf("avn %q: got exit status %d and\n%s%swant 1 and\n%s", args, exit, out, errs, want)
	}
}

// types runs avn at a terminal, where answers are pairs of what it asks for and
// what is typed then. It gives what the terminal shows.
func (a *avn) types(answers [][2]string, args ...string) (shown string, exit int) {
	a.t.Helper()
	js, err := json.Marshal(answers)
	if err != nil {
		a.t.Fatal(err)
	}
	// The Python of the virtual environment, which is there where avn is.
	python := filepath.Join(filepath.Dir(a.path), "python")
	helper, err := filepath.Abs("../../testdata/avn/terminal.py")
	if err != nil {
		a.t.Fatal(err)
	}
	shown, errs, exit := a.command(nil, python, append([]string{helper, string(js), a.path}, args...)...)
	return strings.ReplaceAll(shown, "\r\n", "\n") + errs, exit
}

// logIn logs the operator in.
func (a *avn) logIn() {
	a.t.Helper()
	if _, errs, exit := a.command([]string{"AIVEN_PASSWORD=" + operatorPassword}, a.path, "user", "login", operatorMail); exit != 0 {
		a.t.Fatalf("avn user login: %s", errs)
	}
}

// token is the one that avn keeps, or empty.
func (a *avn) token() string {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(a.home, "config", "aiven-credentials.json"))
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	if err != nil {
		a.t.Fatal(err)
	}
	var kept struct {
		Token string `json:"auth_token"`
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		a.t.Fatal(err)
	}
	return kept.Token
}

// calls says what a value that differs each time is called in the tables that
// tests want. A column is as wide as its widest value, so that the name has to
// have the value's length.
func (a *avn) calls(value, name string) {
	a.t.Helper()
	if len(value) != len(name) {
		a.t.Fatalf("%q is of another length than %q", value, name)
	}
	a.names = append(a.names, value, name)
}

// moments are the times of tables; avn cuts their fractions.
var moments = regexp.MustCompile(`\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// shows fails the test unless avn prints a table, whose lines begin after a tab
// each; the times are called YYYY-MM-DDThh:mm:ssZ.
func (a *avn) shows(want string, args ...string) {
	a.t.Helper()
	got := strings.NewReplacer(a.names...).Replace(a.run(args...))
	got = moments.ReplaceAllString(got, "YYYY-MM-DDThh:mm:ssZ")
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	wants := strings.Split(strings.Trim(want, "\n\t"), "\n")
	for i := range wants {
		wants[i] = strings.TrimLeft(wants[i], "\t")
	}
	if diff := cmp.Diff(wants, lines); diff != "" {
		a.t.Errorf("avn %q prints another table (-want +got):\n%s", args, diff)
	}
}

// json gives what avn prints with --json.
func (a *avn) json(args ...string) any {
	a.t.Helper()
	var v any
	if out := a.run(append(args, "--json")...); json.Unmarshal([]byte(out), &v) != nil {
		a.t.Fatalf("avn %q --json: got no JSON:\n%s", args, out)
	}
	return v
}

// answers gives what the API answers to avn's token, without avn.
func (a *avn) answers(path string) map[string]any {
	a.t.Helper()
	var v map[string]any
	status, text := a.b.callAs(a.token(), "GET", path, nil)
	if status != http.StatusOK || json.Unmarshal(text, &v) != nil {
		a.t.Fatalf("GET %s: got %d %s", path, status, text)
	}
	return v
}

// wantSame fails the test unless avn's JSON is what the API answers.
func (a *avn) wantSame(want any, args ...string) {
	a.t.Helper()
	if diff := cmp.Diff(want, a.json(args...)); diff != "" {
		a.t.Errorf("avn %q --json (-want +got):\n%s", args, diff)
	}
}
