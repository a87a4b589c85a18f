package remote

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"gatehouse/client"
)

// A Failure is what a command ends with: a sentence, perhaps a hint, and the
// exit status.
type Failure struct {
	Err  error
	Hint string // what to do about it; may be empty
	Exit int
}

// The exit statuses. 0 is success, and 2 a command line that is not right.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitNotLoggedIn = 3
	exitRefused     = 4
	exitNotFound    = 5
	exitAway        = 6
	exitInterrupted = 130 // as shells have it: 128 and the number of the signal
)

// errInterrupted is the failure where somebody pressed Ctrl-C.
var errInterrupted = &Failure{Err: errors.New("interrupted"), Exit: exitInterrupted}

// Error gives the sentence.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

func withHint(err error, hint string) *Failure {
	return &Failure{Err: err, Hint: hint, Exit: exitFailed}
}

func (f *Failure) exits(status int) *Failure {
	f.Exit = status
	return f
}

func usage(format string, args ...any) *Failure {
	return &Failure{Err: fmt.Errorf(format, args...), Exit: exitUsage}
}

// explain gives a failed request its exit status, and a hint where there is
// something to do.
func explain(err error) error {
	if errors.Is(err, client.ErrAway) {
		return withHint(err, "is the server running, and is --url (GATEHOUSE_URL) its address?").exits(exitAway)
	}
	var e *client.Error
	if !errors.As(err, &e) {
		return err
	}
	said := *e // what servers say may name other people, in their words
	said.Message, said.MoreInfo = plain(e.Message), plain(e.MoreInfo)
	e = &said
	f := &Failure{Err: e, Exit: exitFailed}
	switch {
	case e.Status == http.StatusUnauthorized:
		f.Exit, f.Hint = exitNotLoggedIn, "gatehouse user login"
	case e.Status == http.StatusForbidden:
		f.Exit = exitRefused
	case e.Status == http.StatusNotFound:
		f.Exit = exitNotFound
	}
	switch {
	case e.MoreInfo != "":
		f.Hint = "more at " + e.MoreInfo
	case e.Code == "login_too_old":
		f.Hint = "log in again: gatehouse user login"
	case e.RetryAfter > 0:
		f.Hint = fmt.Sprintf("try again in %s", e.RetryAfter)
	}
	return f
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
