package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"

	"gatehouse/cmd/gatehouse/remote"
)

// A state is how something stands.
type state string

// The states, in the order of how bad they are.
const (
	fine     state = "ok"
	unset    state = "not configured"
	doubtful state = "warning"
	wrong    state = "wrong"
)

var badness = map[state]int{fine: 0, unset: 1, doubtful: 2, wrong: 3}

// A check is one thing that was looked at, and what was found.
type check struct {
	Name     string    `json:"check"`
	State    state     `json:"state"` // the worst of the findings
	LookedAt string    `json:"looked_at"`
	Findings []finding `json:"findings"`
}

// A finding is a sentence, and what can be done about it.
type finding struct {
	State state  `json:"state"`
	Says  string `json:"says"`
	Mend  string `json:"mend,omitempty"`
}

func (k *check) find(s state, mend, format string, args ...any) {
	k.Findings = append(k.Findings, finding{s, fmt.Sprintf(format, args...), mend})
	if badness[s] > badness[k.State] {
		k.State = s
	}
}

func (k *check) fine(format string, args ...any)           { k.find(fine, "", format, args...) }
func (k *check) unset(mend, format string, args ...any)    { k.find(unset, mend, format, args...) }
func (k *check) doubtful(mend, format string, args ...any) { k.find(doubtful, mend, format, args...) }
func (k *check) wrong(mend, format string, args ...any)    { k.find(wrong, mend, format, args...) }

func worst(checks []*check) state {
	out := fine
	for _, k := range checks {
		if badness[k.State] > badness[out] {
			out = k.State
		}
	}
	return out
}

// summary is the last line.
func summary(checks []*check) string {
	n := map[state]int{}
	for _, k := range checks {
		for _, f := range k.Findings {
			n[f.State]++
		}
	}
	line := "nothing is wrong"
	switch {
	case n[wrong] == 1:
		line = "1 thing is wrong"
	case n[wrong] > 1:
		line = fmt.Sprintf("%d things are wrong", n[wrong])
	}
	switch {
	case n[doubtful] == 1:
		line += ", and there is 1 warning"
	case n[doubtful] > 1:
		line += fmt.Sprintf(", and there are %d warnings", n[doubtful])
	}
	return line
}

func printJSON(to io.Writer, _ int, checks []*check) error {
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false) // addresses stay as they can be copied
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{"state": worst(checks), "checks": checks})
}

// printChecks writes a block for each check: its state, its name and what was
// looked at, and below what was found.
func printChecks(to io.Writer, width int, checks []*check) error {
	const states, names = len("not configured") + 2, len("configuration") + 2
	room := width - states - names
	indent := strings.Repeat(" ", states+names)
	if room < 30 {
		room, indent = width-2, "  "
	}
	var b strings.Builder
	for _, k := range checks {
		head := fmt.Sprintf("%-*s%-*s", states, k.State, names, k.Name)
		lines := remote.Wrap(k.LookedAt, room)
		if len(indent) < len(head) {
			b.WriteString(strings.TrimRight(head, " ") + "\n" + indent)
			head = indent
		} else {
			b.WriteString(head)
		}
		b.WriteString(strings.Join(lines, "\n"+indent) + "\n")
		for _, f := range k.Findings {
			says := f.Says
			if badness[f.State] >= badness[doubtful] && (len(k.Findings) > 1 || f.State != k.State) {
				says = string(f.State) + ": " + says
			}
			b.WriteString(indent + strings.Join(remote.Wrap(says, room), "\n"+indent) + "\n")
			if f.Mend != "" {
				b.WriteString(indent + "→ " + strings.Join(remote.Wrap(f.Mend, room-2), "\n"+indent+"  ") + "\n")
			}
		}
	}
	if worst(checks) != wrong { // else it is said as the failure
		line := summary(checks)
		b.WriteString("\n" + strings.ToUpper(line[:1]) + line[1:] + ".\n")
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// passwordIn finds the password of a database that is named in words.
var passwordIn = regexp.MustCompile(`password\s*=\s*('(?:[^'\\]|\\.)*'|\S+)`)

// secrets are what must not be printed, in the forms in which it was given.
func (c *serveCommand) secrets() []string {
	out := []string{c.BootstrapPassword}
	for _, text := range []string{c.DatabaseURL, c.RedisURL, c.SMTPURL} {
		if u, err := url.Parse(text); err == nil && u.User != nil {
			password, _ := u.User.Password()
			out = append(out, password, url.PathEscape(password), url.QueryEscape(password))
		} else if _, rest, found := strings.Cut(text, "://"); found {
			// What is no URL may hold one all the same.
			if user, _, is := strings.Cut(rest, "@"); is {
				_, password, _ := strings.Cut(user, ":")
				out = append(out, password)
			}
		}
		if m := passwordIn.FindStringSubmatch(text); m != nil {
			out = append(out, strings.Trim(m[1], "'"))
		}
	}
	return out
}

// hide takes secrets out of what is printed. The checks keep them out by
// themselves; the words of libraries and servers are not in our hand. What is
// very short would be found everywhere.
func hide(checks []*check, secrets []string) {
	for _, secret := range secrets {
		if len(secret) < 4 {
			continue
		}
		for _, k := range checks {
			k.LookedAt = strings.ReplaceAll(k.LookedAt, secret, "…")
			for i := range k.Findings {
				f := &k.Findings[i]
				f.Says, f.Mend = strings.ReplaceAll(f.Says, secret, "…"), strings.ReplaceAll(f.Mend, secret, "…")
			}
		}
	}
}
