package e2e_test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// prefer makes a tab's person prefer light or dark.
func prefer(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// What people are to quote when they ask for help is whole words on a phone.
func TestErrorPagesOnAPhone(t *testing.T) {
	chromium := needBrowser(t)
	b := startBroker(t, "")
	_, p := b.connectDemo(b.account, nil)
	b.configure(b.account, p, map[string]any{"authentication_method_enabled": false})
	for _, scheme := range []string{"light", "dark"} {
		tab := chromium.private(t)
		tab.do(chromedp.EmulateViewport(360, 740), prefer(scheme),
			chromedp.Navigate(p.Login), chromedp.WaitVisible(chromedp.CSS(".quote code")))
		tab.picture(scheme)
		if got := tab.text(".quote code"); got != "authentication_method_disabled" {
			t.Errorf("got the code %q, want the longest there is", got)
		}
		if n := get(tab, chromedp.Evaluate[int](`Math.max(...[...document.querySelectorAll('.quote code')].map(c => c.getClientRects().length))`)); n != 1 {
			t.Errorf("%s: something to quote is broken into %d lines, want one", scheme, n)
		}
		if wide := get(tab, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
			t.Errorf("%s: got a page %d pixels wide on a screen of 360, want it to fit", scheme, wide)
		}
	}
}
