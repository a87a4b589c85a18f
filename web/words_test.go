package web

import (
	"testing"
	"time"
)

func TestRelativeTimes(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{-3 * time.Second, "just now"},
		{30 * time.Second, "in less than a minute"},
		{-time.Minute, "1 minute ago"},
		{-59 * time.Minute, "59 minutes ago"},
		{time.Hour, "in 1 hour"},
		{23*time.Hour + 59*time.Minute + 50*time.Second, "in 24 hours"},
		{-47 * time.Hour, "47 hours ago"},
		{6 * 24 * time.Hour, "in 6 days"},
		{-90 * 24 * time.Hour, "3 months ago"},
		{3650 * 24 * time.Hour, "in 10 years"},
	} {
		if got := relative(c.d); got != c.want {
			t.Errorf("relative(%v): got %q, want %q", c.d, got, c.want)
		}
	}
}

func TestUserAgentsAreReadable(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36":                   "Chrome on macOS",
		"curl/8.5.0": "curl 8.5.0",
		"":           "An unknown browser",
	} {
		if got := browserName(agent); got != want {
			t.Errorf("browserName(%q): got %q, want %q", agent, got, want)
		}
	}
}

func TestTheConsoleSaysIdentityProvider(t *testing.T) {
	got := inConsole("A configured authentication method needs this. Replace it, or disable the method.")
	if want := "A configured identity provider needs this. Replace it, or disable it."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
