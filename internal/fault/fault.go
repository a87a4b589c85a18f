// Package fault names the ways a request can fail.
//
// A failure has a [Kind], which the edges turn into a status in one table
// ([Kind.Status]), and a message that its caller may see. The cause, which the
// caller may not see, is kept for the log. Whatever is not a fault is
// [Internal]: the caller learns that something failed and nothing else.
package fault

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A Kind is one way to fail. It is an error itself, so that
// errors.Is(err, fault.NotFound) holds through any wrapping.
type Kind string

// The kinds. Their order in the status table is the order of their statuses.
const (
	Invalid          Kind = "invalid"            // the input is wrong; Error.Field names it
	Unauthenticated  Kind = "unauthenticated"    // nobody is logged in, or the token is not valid
	Denied           Kind = "denied"             // somebody is, but may not do this
	NotFound         Kind = "not found"          // it does not exist, or the caller may not know that it does
	MethodNotAllowed Kind = "method not allowed" // the path exists, the verb does not
	Exists           Kind = "exists"             // it exists already
	Conflict         Kind = "conflict"           // it is not in a state in which that can be done
	TooLarge         Kind = "too large"          // the body exceeds its limit
	TooMany          Kind = "too many"           // a limit of attempts is used up; Error.RetryAfter says for how long
	Unavailable      Kind = "unavailable"        // something that we need is away or busy; trying again helps
	Internal         Kind = "internal"           // our own mistake
)

var statuses = map[Kind]int{
	Invalid:          http.StatusBadRequest,
	Unauthenticated:  http.StatusUnauthorized,
	Denied:           http.StatusForbidden,
	NotFound:         http.StatusNotFound,
	MethodNotAllowed: http.StatusMethodNotAllowed,
	Exists:           http.StatusConflict,
	Conflict:         http.StatusConflict,
	TooLarge:         http.StatusRequestEntityTooLarge,
	TooMany:          http.StatusTooManyRequests,
	Unavailable:      http.StatusServiceUnavailable,
	Internal:         http.StatusInternalServerError,
}

// Error makes a kind an error.
func (k Kind) Error() string { return string(k) }

// Status is the HTTP status of a kind: the one table that decides statuses.
func (k Kind) Status() int {
	if s, ok := statuses[k]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// Errorf makes an error of this kind. The text is a sentence for the caller.
func (k Kind) Errorf(format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// An Error is a failure that its caller may read.
type Error struct {
	Kind       Kind
	Message    string        // a sentence for the caller, without secrets
	Code       string        // a stable snake_case word for programs; may be empty
	Field      string        // the input at fault; may be empty
	RetryAfter time.Duration // for TooMany and Unavailable; 0 says nothing
	Err        error         // the cause, for the log only
}

// Error gives the whole story, cause included: it is for logs.
func (e *Error) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports whether target is this error's kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// At names the input at fault.
func (e *Error) At(field string) *Error {
	e.Field = field
	return e
}

// Coded gives the error a stable code for programs, such as "user_deactivated".
func (e *Error) Coded(code string) *Error {
	e.Code = code
	return e
}

// After says when to try again.
func (e *Error) After(d time.Duration) *Error {
	e.RetryAfter = d
	return e
}

// Because keeps the cause for the log.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// Of gives what the caller may see of err: the outermost [Error] in it, or one
// that says no more than that something failed here. It returns nil for nil.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var k Kind
	if errors.As(err, &k) {
		return &Error{Kind: k, Message: "The request failed: " + string(k) + ".", Err: err}
	}
	return &Error{Kind: Internal, Message: "Something failed on our side. The request id leads to it in the server's log.", Code: "internal_server_error", Err: err}
}
