package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"gatehouse/internal/fault"
	"gatehouse/policy"
)

const requestIDHeader = "X-Request-Id"

// mostItems bounds what is said about one request.
const mostItems = 20

// A failure is the body of every answer that is not a success.
type failure struct {
	Message string        `json:"message" doc:"A sentence for people. Where one input is at fault, its name stands first."`
	Errors  []failureItem `json:"errors" doc:"What was wrong; at least one."`

	status  int
	headers http.Header
}

type failureItem struct {
	Message string `json:"message" doc:"A sentence for people."`
	Status  int    `json:"status" doc:"The status of the answer."`
	Code    string `json:"error_code" doc:"A word for programs, which stays the same."`
	Field   string `json:"field,omitempty" doc:"The input at fault, where there is one."`

	// Where an authentication policy refused.
	Rule     string `json:"rule,omitempty" doc:"The field of the organization's authentication policy that refused." example:"password_auth_enabled"`
	MoreInfo string `json:"more_info,omitempty" doc:"A page that says which logins the organization admits, and where to log in." example:"https://gatehouse.example/organization/org1a2b3c4d5e6"`

	// Where metadata holds several identity providers.
	EntityIDs []string `json:"entity_ids,omitempty" doc:"The entity ids to choose from, by saml_entity_id; up to 100."`

	// Where a domain was not proved.
	LookedFor   *lookedFor  `json:"looked_for,omitempty" doc:"The proof of the domain that was looked for."`
	FoundValues *[]string   `json:"found_values,omitempty" doc:"What is published there instead; up to 20."`
	Asked       *[]question `json:"asked,omitempty" doc:"What was asked of whom, in order; up to 20."`
}

// Error makes a failure an error, for huma.
func (f *failure) Error() string { return f.Message }

// GetStatus says the status of the answer.
func (f *failure) GetStatus() int { return f.status }

// GetHeaders says the headers of the answer.
func (f *failure) GetHeaders() http.Header { return f.headers }

// codes are the words for programs where a fault brings none.
var codes = map[fault.Kind]string{
	fault.Invalid:          "bad_request",
	fault.Unauthenticated:  "authentication_failed",
	fault.Denied:           "permission_denied",
	fault.NotFound:         "not_found",
	fault.MethodNotAllowed: "method_not_allowed",
	fault.Exists:           "already_exists",
	fault.Conflict:         "conflict",
	fault.TooLarge:         "request_too_large",
	fault.TooMany:          "too_many_requests",
	fault.Unavailable:      "service_unavailable",
	fault.Internal:         "internal_server_error",
}

// newFailure says what the caller may know of err.
func newFailure(err error) *failure {
	e := fault.Of(err)
	code := e.Code
	if code == "" {
		code = codes[e.Kind]
	}
	f := failureOf(e.Kind.Status(), failureItem{Message: e.Message, Code: code, Field: e.Field})
	if e.Kind == fault.TooMany || e.Kind == fault.Unavailable {
		// Rounded up: whoever comes back then must not be too early.
		wait := max(time.Second, e.RetryAfter+time.Second-1) / time.Second
		f.headers.Set("Retry-After", strconv.Itoa(int(wait)))
	}
	if f.status == http.StatusUnauthorized {
		f.headers.Set("WWW-Authenticate", "Bearer") // RFC 9110, 11.6.1
	}
	return f
}

func failureOf(status int, items ...failureItem) *failure {
	for i := range items {
		items[i].Status = status
	}
	f := &failure{Message: items[0].Message, Errors: items, status: status, headers: http.Header{}}
	// avn and Terraform print this text alone.
	if field := items[0].Field; field != "" {
		f.Message = field + ": " + f.Message
	}
	return f
}

// init replaces what huma answers by itself, which it offers no other way to:
// its own shape of failures, and the wording of what a schema refuses.
func init() {
	huma.NewError = newSchemaFailure
	// An empty list is written as one.
	huma.DefaultArrayNullable = false

	validation.MsgExpectedString = "This has to be text."
	validation.MsgExpectedBoolean = "This has to be true or false."
	validation.MsgExpectedInteger = "This has to be a whole number."
	validation.MsgExpectedNumber = "This has to be a number."
	validation.MsgExpectedObject = "This has to be an object."
	validation.MsgExpectedArray = "This has to be a list."
	validation.MsgExpectedMinLength = "This needs at least %d characters."
	validation.MsgExpectedMaxLength = "This has more than %d characters."
	validation.MsgExpectedMaxItems = "This has more than %d items."
	validation.MsgExpectedMinimumNumber = "This has to be %v or more."
	validation.MsgExpectedMaximumNumber = "This has to be %v or less."
	validation.MsgExpectedOneOf = "This has to be one of %s."
	validation.MsgExpectedRequiredProperty = requiredBefore + "%s" + requiredAfter
}

// huma names a missing field in the text alone.
const (
	requiredBefore = "The field "
	requiredAfter  = " is required."
)

// newSchemaFailure is what huma makes a failure with, when a request does not
// fit the schema. Offending values are dropped: they may be secrets.
func newSchemaFailure(status int, _ string, errs ...error) huma.StatusError {
	if status >= http.StatusInternalServerError {
		return newFailure(errors.New("huma failed"))
	}
	var items []failureItem
	for _, err := range errs {
		if len(items) == mostItems {
			break
		}
		items = append(items, schemaItem(err))
	}
	if items == nil {
		items = []failureItem{{Message: "The request does not fit this operation.", Code: codes[fault.Invalid]}}
	}
	return failureOf(fault.Invalid.Status(), items...)
}

func schemaItem(err error) failureItem {
	item := failureItem{Message: "The request does not fit this operation.", Code: codes[fault.Invalid], Field: "body"}
	var d *huma.ErrorDetail
	if !errors.As(err, &d) {
		return item
	}
	item.Field = d.Location
	for _, place := range []string{"body.", "path.", "query.", "header."} {
		item.Field = strings.TrimPrefix(item.Field, place)
	}
	if name, ok := strings.CutPrefix(d.Message, requiredBefore); ok {
		if name, ok = strings.CutSuffix(name, requiredAfter); ok {
			item.Field = strings.TrimPrefix(strings.TrimPrefix(d.Location+"."+name, "body"), ".")
			item.Message = "This is required."
			return item
		}
	}
	// What does not end as our sentences do comes from encoding/json, and
	// repeats what it found.
	if strings.HasSuffix(d.Message, ".") {
		item.Message = d.Message
	}
	return item
}

// failed makes an error of an operation the answer to it, and logs what is our
// own mistake. where is the operation, never the path, which may hold secrets.
func (s *Server) failed(ctx context.Context, where, requestID string, err error) *failure {
	// Work that was stopped is no mistake of ours, and worth another try.
	if stopped(err) && fault.Of(err).Kind == fault.Internal {
		err = fault.Unavailable.Errorf("This took too long and was stopped. Try again in a moment.").Because(err)
	}
	f := newFailure(err)
	s.sayMore(f, err)
	if f.status < http.StatusInternalServerError {
		return f
	}
	level := slog.LevelError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		level = slog.LevelDebug // the client went away: nothing else cancels a request
	case f.status == http.StatusServiceUnavailable:
		level = slog.LevelWarn
	}
	s.Log.Log(ctx, level, "api request failed", "request_id", requestID, "operation", where, "status", f.status, "error", err)
	return f
}

// sayMore leads whom a policy refused to where they can log in as it wants,
// and whoever could not prove a domain to why not.
func (s *Server) sayMore(f *failure, err error) {
	f.Errors[0].saySought(err)
	f.Errors[0].sayChoices(err)
	var refused *policy.Refused
	if errors.As(err, &refused) {
		f.Errors[0].Rule = refused.Rule
		f.Errors[0].MoreInfo = s.Base + "/organization/" + refused.Organization.ID
	}
}

// stopped reports whether an error says that somebody waits no longer.
func stopped(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// refuse answers a request that did not reach its operation.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, where string, err error) {
	f := s.failed(r.Context(), where, w.Header().Get(requestIDHeader), err)
	for name, values := range f.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_ = marshal(w, f)
}

// guard stands around everything: it turns a panic into a failure that says
// nothing of it, and keeps answers, which hold secrets, out of caches.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		answer := &startedWriter{ResponseWriter: w}
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			err := fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			if answer.started {
				s.failed(r.Context(), "", w.Header().Get(requestIDHeader), err)
				panic(http.ErrAbortHandler) // half an answer must not look whole
			}
			s.refuse(w, r, "", err)
		}()
		next.ServeHTTP(answer, r)
	})
}

// startedWriter knows whether an answer has begun.
type startedWriter struct {
	http.ResponseWriter
	started bool
}

func (w *startedWriter) WriteHeader(status int) {
	w.started = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *startedWriter) Write(b []byte) (int, error) {
	w.started = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *startedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
