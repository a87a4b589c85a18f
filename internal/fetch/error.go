package fetch

import "errors"

// A Reason is why nothing was fetched.
type Reason string

// The reasons.
const (
	BadAddress     Reason = "bad address"     // it is none, or holds a password
	NotHTTPS       Reason = "not https"       // it is not private on the way
	NoHost         Reason = "no host"         // the name has no address, for sure
	Private        Reason = "private"         // the name leads to what strangers must not reach
	Unreachable    Reason = "unreachable"     // no connection, no TLS, no answer, or half of one
	BadCertificate Reason = "bad certificate" // somebody answers, and does not show who they are
	Elsewhere      Reason = "elsewhere"       // it redirects where redirects are not followed
	Status         Reason = "status"          // it answers with another status than 200
	TooLarge       Reason = "too large"
	TooLate        Reason = "too late"
)

// An Error is why nothing was fetched.
type Error struct {
	Reason Reason
	Code   int    // of Status
	Says   string // the end of a sentence for whoever named the address, such as "it answers 404 Not Found"
	Err    error  // the cause, for the log; may be nil
}

func (e *Error) Error() string { return e.Says }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// errPrivate is what the dialer returns for an address that is not public.
var errPrivate = errors.New("the address is not a public one")
