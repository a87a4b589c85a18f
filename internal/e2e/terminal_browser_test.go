package e2e_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A terminal is where somebody runs the command line: a home of its own, and a
// browser that is asked to open addresses.
type terminal struct {
	t      testing.TB
	b      *broker
	dir    string
	opened string // a file with what the browser was asked to open
}

func newTerminal(t testing.TB, b *broker) *terminal {
	t.Helper()
	dir := t.TempDir()
	opener := &terminal{t: t, b: b, dir: dir, opened: filepath.Join(dir, "opened")}
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte("#!/bin/sh\nprintf %s \"$1\" >'"+opener.opened+".part' && mv '"+opener.opened+".part' '"+opener.opened+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return opener
}

// command is a command of the program; its output is in the buffers.
func (c *terminal) command(args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	c.t.Helper()
	path, err := build()
	if err != nil {
		c.t.Fatal(err)
	}
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd = exec.CommandContext(c.t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "GATEHOUSE_CONFIG_DIR="+filepath.Join(c.dir, "config"), "PATH="+c.dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// run runs a command to its end.
func (c *terminal) run(args ...string) (stdout, stderr string, exit int) {
	c.t.Helper()
	cmd, out, errs := c.command(args...)
	err := cmd.Run()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return out.String(), errs.String(), failed.ExitCode()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return out.String(), errs.String(), 0
}

// asked waits for the address that the browser is asked to open.
func (c *terminal) asked() string {
	c.t.Helper()
	for range 200 {
		if text, err := os.ReadFile(c.opened); err == nil {
			return string(text)
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.t.Fatal("the browser was asked to open nothing within ten seconds")
	return ""
}

// Alice has no password: her terminal logs in through her identity provider,
// and stops when that does.
func TestATerminalLogsInThroughAnIdentityProvider(t *testing.T) {
	chromium := needBrowser(t)
	b := startBroker(t, "")
	p := b.connectServed()
	tab := chromium.private(t)
	tab.do(
		chromedp.Navigate(b.base+"/v1/sso/saml/login/"+p.ID+"?intent=signup"),
		chromedp.WaitVisible(chromedp.CSS("main .primary")),
		chromedp.Click(chromedp.CSS("main .primary")),
		chromedp.WaitVisible(chromedp.CSS("button[value=alice]")),
		chromedp.Click(chromedp.CSS("button[value=alice]")),
		chromedp.WaitVisible(chromedp.CSS("nav")),
		chromedp.Navigate(b.base+"/logout"),
		chromedp.Click(chromedp.CSS("form[action='/logout'] button.primary")),
		chromedp.WaitVisible(chromedp.CSS("#in-email")),
	)

	term := newTerminal(t, b)
	login, _, said := term.command("user", "login", "--url", b.base)
	if err := login.Start(); err != nil {
		t.Fatal(err)
	}
	tab.do(
		chromedp.Navigate(term.asked()),
		chromedp.WaitVisible(chromedp.CSS("#in-email")),
		chromedp.SendKeys(chromedp.CSS("#in-email"), "alice@acme.test\r"),
		chromedp.WaitVisible(chromedp.CSS("a.way.first")),
		chromedp.Click(chromedp.CSS("a.way.first")),
		chromedp.WaitVisible(chromedp.CSS("button[value=alice]")),
		chromedp.Click(chromedp.CSS("button[value=alice]")),
		chromedp.WaitVisible(chromedp.CSS("form[action='/authorize'] button.primary")),
	)
	tab.looks("authorize")
	if got := tab.text("main"); !strings.Contains(got, "gatehouse on ") || !strings.Contains(got, "http://127.0.0.1:") {
		t.Errorf("the page shows:\n%s", got)
	}
	tab.do(chromedp.Click(chromedp.CSS("form[action='/authorize'] button.primary")), chromedp.WaitVisible(chromedp.CSS("pre")))
	if got := tab.text("body"); !strings.Contains(got, "You can close this page") {
		t.Errorf("the program's page shows:\n%s", got)
	}
	if err := login.Wait(); err != nil {
		t.Fatalf("user login: %v\n%s", err, said)
	}
	if out, errs, exit := term.run("user", "info"); exit != 0 || !strings.Contains(out, "saml, "+p.ID) {
		t.Errorf("user info: got %d, %s%s; want somebody who came through %s", exit, out, errs, p.ID)
	}

	// The pages for typed codes, as they look.
	tab.do(chromedp.Navigate(b.base+"/device"), chromedp.WaitVisible(chromedp.CSS("#in-user_code")))
	tab.looks("device")
	_, text := b.callAs("", "POST", "/v1/login/device", map[string]any{"client_name": "gatehouse on a-machine-elsewhere"})
	code := between(string(text), `"user_code":"`, `"`)
	tab.do(chromedp.SendKeys(chromedp.CSS("#in-user_code"), code+"\r"), chromedp.WaitVisible(chromedp.CSS("form[action='/device/answer'] button.primary")))
	tab.looks("device-confirm")
	tab.do(chromedp.Click(chromedp.CSS("form[action='/device/answer'] button.primary")), chromedp.WaitVisible(chromedp.CSS("a[href='/device']")))
	tab.looks("device-done")

	b.call("PUT", "/v1/account/"+b.account+"/authentication/"+p.ID, map[string]any{"authentication_method_enabled": false}, http.StatusOK, nil)
	if _, errs, exit := term.run("user", "info"); exit != 3 || !strings.Contains(errs, "not valid") {
		t.Errorf("once the identity provider is disabled, user info: got %d, %s; want 3", exit, errs)
	}
	for _, c := range tab.complaints() {
		if !strings.Contains(c, "favicon") {
			t.Errorf("the browser complains: %s", c)
		}
	}
}

// between gives what stands between two texts.
func between(s, before, after string) string {
	_, rest, _ := strings.Cut(s, before)
	middle, _, _ := strings.Cut(rest, after)
	return middle
}
