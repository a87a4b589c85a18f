package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func completionOf(t *testing.T, shell string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run(context.Background(), []string{"completion", shell}, &out, &errs); status != 0 {
		t.Fatalf("got status %d: %s", status, &errs)
	}
	return out.String()
}

func TestBashCompletesCommandsFlagsAndValues(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash here")
	}
	script := filepath.Join(t.TempDir(), "completion")
	if err := os.WriteFile(script, []byte(completionOf(t, "bash")), 0o600); err != nil {
		t.Fatal(err)
	}
	const ask = `source "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _gatehouse; printf '%s\n' "${COMPREPLY[@]}"`
	for name, c := range map[string]struct {
		line string // words; the last is being typed
		want string
	}{
		"a command":                 {"gatehouse us", "user"},
		"a command of a group":      {"gatehouse user access-token ", "create list update revoke"},
		"behind a flag":             {"gatehouse user --json access-token r", "revoke"},
		"behind a flag's value":     {"gatehouse user info --url user --js", "--json"},
		"a flag":                    {"gatehouse organization auth-policy update --report", "--report-only"},
		"a flag of the group above": {"gatehouse keys rotate --da", "--data --database-url"},
		"a value":                   {"gatehouse organization auth-policy update --personal-tokens en", "enabled"},
		"a value behind =":          {"gatehouse organization auth-policy update --personal-tokens = en", "enabled"},
		"an argument":               {"gatehouse completion z", "zsh"},
		"nothing known":             {"gatehouse user nonsense", ""},
	} {
		t.Run(name, func(t *testing.T) {
			words := strings.Split(c.line, " ")
			cmd := exec.Command(bash, append([]string{"--norc", "-c", ask, "bash", script}, words...)...)
			cmd.Dir = t.TempDir() // where there are no files to complete
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got := strings.Join(strings.Fields(string(out)), " "); got != c.want {
				t.Errorf("%q: got %q, want %q", c.line, got, c.want)
			}
		})
	}
}

func TestEveryShellKnowsEveryCommand(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := completionOf(t, shell)
		for _, want := range []string{"access-token", "idp-create", "pilot-user-group-id", "disabled_for_managed_users"} {
			if !strings.Contains(script, want) {
				t.Errorf("%s: %s is missing", shell, want)
			}
		}
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		cmd := exec.Command(path, "-n")
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s does not read its script: %v: %s", shell, err, out)
		}
	}
	var out, errs bytes.Buffer
	if status := run(context.Background(), []string{"completion", "tcsh"}, &out, &errs); status != 2 || !strings.Contains(errs.String(), "bash") {
		t.Errorf("tcsh: got status %d and %q, want 2 and what there is", status, &errs)
	}
}

func TestQuotedTextsEndWhereTheyShould(t *testing.T) {
	for text, want := range map[string]string{"plain": "'plain'", "it's $(x)": "'it’s $(x)'"} {
		if got := quoted(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
