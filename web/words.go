package web

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"gatehouse/session"
)

// A moment is a time as people read it: how far away, with the exact time for
// whoever points at it.
type moment struct {
	Words string // "3 hours ago"
	Exact string // "22 November 2026, 15:04:05 UTC"
	ISO   string // for the datetime attribute
}

func (s *site) moment(t time.Time) moment {
	t = t.UTC()
	return moment{
		Words: relative(t.Sub(s.Now())),
		Exact: t.Format("2 January 2006, 15:04:05 UTC"),
		ISO:   t.Format(time.RFC3339),
	}
}

// relative puts a distance in time into words: the past is negative.
func relative(d time.Duration) string {
	past := d < 0
	if past {
		d = -d
	}
	var words string
	switch {
	case d < time.Minute:
		if past {
			return "just now"
		}
		return "in less than a minute"
	case d < time.Hour:
		words = count(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		words = count(int((d+30*time.Minute)/time.Hour), "hour")
	case d < 60*24*time.Hour:
		words = count(int((d+12*time.Hour)/(24*time.Hour)), "day")
	case d < 730*24*time.Hour:
		words = count(int(d/(30*24*time.Hour)), "month")
	default:
		words = count(int(d/(365*24*time.Hour)), "year")
	}
	if past {
		return words + " ago"
	}
	return "in " + words
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// browserName makes a user agent readable, as in "Firefox on Linux".
func browserName(agent string) string {
	return cmp.Or(session.AgentWords(agent), "An unknown browser")
}

// programName makes a user agent readable.
func programName(agent string) string {
	return cmp.Or(session.AgentWords(agent), "An unknown program")
}

// addressWords is somebody's address, or that it is not known.
func addressWords(ip netip.Addr) string {
	if !ip.IsValid() {
		return "not known"
	}
	return ip.Unmap().String()
}

// inConsole puts a message into the console's words: what the API calls an
// authentication method is an identity provider to people, and they may read
// both in one message.
func inConsole(message string) string {
	return consoleWords.Replace(message)
}

var consoleWords = strings.NewReplacer(
	"an authentication method", "an identity provider",
	"authentication methods", "identity providers",
	"authentication method", "identity provider",
	"disable the method", "disable it",
	"a login method", "a way to log in",
	"login method", "way to log in",
	"or null for no bound", "or nothing for no bound",
	"which saml_enabled does not admit", "and logins through these are off",
)
