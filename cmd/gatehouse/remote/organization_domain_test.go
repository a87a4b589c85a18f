package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/client"
)

// looking is a call whose pauses take no time: they are written down. over says
// after how many of them the time is over.
func looking(over int) (c *Call, said *bytes.Buffer, pauses *[]time.Duration) {
	said, pauses = &bytes.Buffer{}, &[]time.Duration{}
	late := make(chan time.Time, 1)
	wait := func(d time.Duration) <-chan time.Time {
		if d == time.Hour {
			return late
		}
		*pauses = append(*pauses, d)
		done := make(chan time.Time, 1)
		if len(*pauses) == over {
			late <- time.Time{}
		} else {
			done <- time.Time{}
		}
		return done
	}
	return &Call{Env: &Env{Terminal: &Terminal{Err: said}}, Client: &client.Client{Wait: wait}}, said, pauses
}

func unproved(why string) error {
	return explain(&client.Error{Status: 409, Code: "organization_domain_verification_failed", Message: why})
}

func TestLooksGoOnInGrowingPausesUntilTheProofIsThere(t *testing.T) {
	c, said, pauses := looking(0)
	failures := []error{
		unproved("none"), unproved("none"), explain(&client.Error{Status: 429, RetryAfter: 40 * time.Second, Message: "too many"}),
		explain(client.ErrAway), unproved("another \x1b[2J"), unproved("none"),
	}
	n := 0
	answer, err := c.lookUntil(t.Context(), time.Hour, func(context.Context) (json.RawMessage, error) {
		if n++; n <= len(failures) {
			return nil, failures[n-1]
		}
		return json.RawMessage("{}"), nil
	})
	if err != nil || string(answer) != "{}" {
		t.Fatalf("got %s and %v, want the answer", answer, err)
	}
	want := []time.Duration{2 * time.Second, 4 * time.Second, 40 * time.Second, time.Minute, time.Minute, time.Minute}
	if diff := cmp.Diff(want, *pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	text := said.String()
	if n := strings.Count(text, "none\n"); n != 2 {
		t.Errorf("the same finding was said %d times, want once for each time that it came:\n%s", n, text)
	}
	if strings.Contains(text, "\x1b") {
		t.Errorf("what strangers publish moves the cursor: %q", text)
	}
}

func TestALookThatNothingHelpsIsNotRepeated(t *testing.T) {
	for name, failed := range map[string]error{
		"not there":  explain(&client.Error{Status: 404, Code: "organization_domain_not_found", Message: "no"}),
		"another's":  explain(&client.Error{Status: 409, Code: "organization_domain_already_linked", Message: "no"}),
		"stopped":    errInterrupted,
		"not logged": explain(&client.Error{Status: 401, Message: "no"}),
	} {
		c, _, pauses := looking(0)
		_, err := c.lookUntil(t.Context(), time.Hour, func(context.Context) (json.RawMessage, error) { return nil, failed })
		if err != failed || len(*pauses) != 0 {
			t.Errorf("%s: got %v after %d pauses, want the failure at once", name, err, len(*pauses))
		}
	}
}

func TestLookingEndsWithTheLastFinding(t *testing.T) {
	c, _, pauses := looking(3)
	_, err := c.lookUntil(t.Context(), time.Hour, func(context.Context) (json.RawMessage, error) { return nil, unproved("none yet") })
	var f *Failure
	if !errors.As(err, &f) || f.Error() != "none yet" || f.Exit != exitFailed || !strings.Contains(f.Hint, "--timeout") {
		t.Errorf("got %+v, want the last finding, and how to look longer", err)
	}
	if len(*pauses) != 3 {
		t.Errorf("got %d pauses, want 3", len(*pauses))
	}
}

func TestLookingIsInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	c, _, _ := looking(1)
	c.Client.Wait = func(time.Duration) <-chan time.Time { return nil }
	_, err := c.lookUntil(ctx, time.Hour, func(context.Context) (json.RawMessage, error) {
		stop()
		return nil, unproved("none")
	})
	if err != errInterrupted {
		t.Errorf("got %v, want that it was interrupted", err)
	}
}
