package e2e_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"gatehouse/internal/parts"
)

// patience bounds what a test does in one tab.
const patience = 60 * time.Second

// A browser is a running Chromium. It keeps nothing from an earlier one.
type browser struct {
	ctx context.Context
}

// needBrowser starts a browser until the test ends, or skips the test.
func needBrowser(t testing.TB) *browser {
	t.Helper()
	path := parts.Need(t, parts.Chromium)
	ctx, stopAllocator := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless,
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.WindowSize(1280, 900),
	)
	ctx, stop := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		// The process has to be gone before its folder is removed.
		if err := chromedp.Cancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Logf("close the browser: %v", err)
		}
		stop()
		stopAllocator()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return &browser{ctx: ctx}
}

// A tab is one page after another, and what the browser complains of in them.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu    sync.Mutex
	noted []string
}

// tab opens one that shares the browser's cookies with the others.
func (b *browser) tab(t testing.TB) *tab {
	t.Helper()
	return b.open(t)
}

// private opens a tab that shares nothing, as another person's browser would.
func (b *browser) private(t testing.TB) *tab {
	t.Helper()
	return b.open(t, chromedp.WithNewBrowserContext())
}

func (b *browser) open(t testing.TB, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(b.ctx, options...)
	page := &tab{t: t}
	if err := chromedp.Listen(ctx, page.listen); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	var cancel context.CancelFunc
	page.ctx, cancel = context.WithTimeout(ctx, patience)
	t.Cleanup(func() { cancel(); stop() })
	return page
}

// listen notes errors in scripts, and whatever a page's own policy stops.
func (b *tab) listen(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = "script: " + e.ExceptionDetails.Text
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError {
			return
		}
		text = e.Entry.Text + " " + e.Entry.URL
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.noted = append(b.noted, text)
}

// complaints are what the browser has complained of so far.
func (b *tab) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.noted...)
}

// do takes steps, in order. If one fails, so does the test, with where the tab
// was, what it showed, and a picture.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.fail(err)
	}
}

// text waits for an element and gives the text that can be seen in it.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return get(b, chromedp.Text(chromedp.CSS(selector)))
}

// location is the address of the page.
func (b *tab) location() string {
	b.t.Helper()
	return get(b, chromedp.Location())
}

// get takes a step that gives a value, as do does.
func get[T any](b *tab, step chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, step)
	if err != nil {
		b.fail(err)
	}
	return v
}

func (b *tab) fail(err error) {
	b.t.Helper()
	// The time for the step may be over; the page may be gone as well, and then
	// there is nothing to add.
	late := &tab{t: b.t}
	var cancel context.CancelFunc
	late.ctx, cancel = context.WithTimeout(context.WithoutCancel(b.ctx), 5*time.Second)
	defer cancel()
	at, _ := chromedp.Run(late.ctx, chromedp.Location())
	shown, _ := chromedp.Run(late.ctx, chromedp.Text(chromedp.CSS("body")))
	late.picture("failed")
	b.t.Fatalf("in the browser: %v\nat %s, which shows:\n%s\ncomplaints: %s", err, at, shown, strings.Join(b.complaints(), "\n"))
}

// picture keeps a picture of the whole page, as <test>-<name>.png in the folder
// $GATEHOUSE_TEST_SCREENSHOTS, if that is set.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("GATEHOUSE_TEST_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Logf("take a picture: %v", err)
		return
	}
	file := strings.NewReplacer("/", "-", " ", "_").Replace(b.t.Name() + "-" + name + ".png")
	if err := os.WriteFile(filepath.Join(dir, file), picture, 0o644); err != nil {
		b.t.Logf("keep a picture: %v", err)
	}
}
