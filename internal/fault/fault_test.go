package fault

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestEachKindHasItsStatus(t *testing.T) {
	for kind, want := range map[Kind]int{
		Invalid: 400, Unauthenticated: 401, Denied: 403, NotFound: 404, MethodNotAllowed: 405, Exists: 409,
		Conflict: 409, TooLarge: 413, TooMany: 429, Unavailable: 503, Internal: 500, "something else": 500,
	} {
		if got := kind.Status(); got != want {
			t.Errorf("%s: got %d, want %d", kind, got, want)
		}
	}
	for kind, status := range statuses {
		if http.StatusText(status) == "" || status < 400 {
			t.Errorf("%s: got status %d, want an error's", kind, status)
		}
	}
}

func TestKindsAreFoundThroughWrapping(t *testing.T) {
	inner := NotFound.Errorf("There is no such thing.").Because(io.EOF)
	for name, err := range map[string]error{
		"a kind":                inner.Kind,
		"an error":              inner,
		"a wrapped error":       fmt.Errorf("read thing: %w", inner),
		"a wrapped kind":        fmt.Errorf("read thing: %w", NotFound),
		"an error in an error":  Invalid.Errorf("Not so.").Because(NotFound),
		"one of several joined": errors.Join(io.EOF, inner),
	} {
		if !errors.Is(err, NotFound) {
			t.Errorf("%s: is not NotFound", name)
		}
		if errors.Is(err, Exists) {
			t.Errorf("%s: is Exists", name)
		}
	}
	if !errors.Is(fmt.Errorf("read thing: %w", inner), io.EOF) {
		t.Error("the cause is lost")
	}
}

func TestOfGivesWhatTheCallerMaySee(t *testing.T) {
	secret := errors.New("password is hunter2")
	for _, test := range []struct {
		name    string
		err     error
		kind    Kind
		message string
		code    string
		field   string
	}{
		{"an error", Invalid.Errorf("At most %d.", 3).At("name").Coded("too_long").Because(secret), Invalid, "At most 3.", "too_long", "name"},
		{"a wrapped error", fmt.Errorf("add: %w", Denied.Errorf("No.")), Denied, "No.", "", ""},
		{"the outermost of two", Conflict.Errorf("Outer.").Because(NotFound.Errorf("Inner.")), Conflict, "Outer.", "", ""},
		{"a kind alone", fmt.Errorf("add: %w", NotFound), NotFound, "The request failed: not found.", "", ""},
		{"anything else", secret, Internal, "Something failed on our side. The request id leads to it in the server's log.", "internal_server_error", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := Of(test.err)
			if f.Kind != test.kind || f.Message != test.message || f.Code != test.code || f.Field != test.field {
				t.Errorf("got %s %q %q at %q, want %s %q %q at %q", f.Kind, f.Message, f.Code, f.Field, test.kind, test.message, test.code, test.field)
			}
		})
	}
	if got := Of(nil); got != nil {
		t.Errorf("got %v for no error, want nil", got)
	}
	if !errors.Is(Of(secret), secret) {
		t.Error("the cause is lost for the log")
	}
}

func TestErrorTellsTheWholeStory(t *testing.T) {
	err := TooMany.Errorf("Too many.").At("email").After(time.Minute).Because(io.EOF)
	if got, want := err.Error(), "email: Too many.: EOF"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := err.RetryAfter, time.Minute; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
