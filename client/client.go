// Package client calls the JSON API of a Gatehouse server from Go.
//
// It knows how a request is made and what a failure says; the shapes of
// answers are those of the published document, and their callers'.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Client calls one server.
type Client struct {
	URL   string // of the server, such as https://sso.company.example
	Token string // of any kind; empty: requests carry none
	Agent string // how the program calls itself (RFC 9110, 10.1.5)

	HTTP *http.Client                           // nil: one that waits for half a minute
	Wait func(d time.Duration) <-chan time.Time // nil: time.After
}

// An Error is a failure as the server said it.
type Error struct {
	Status     int
	Message    string // a sentence for people
	Code       string // stable, for programs; may be empty
	Field      string // the input at fault; may be empty
	MoreInfo   string // a page that helps; may be empty
	RetryAfter time.Duration
}

// Error gives the server's sentence.
func (e *Error) Error() string { return e.Message }

// ErrAway says that no server answered, or none that is a Gatehouse.
var ErrAway = errors.New("no Gatehouse answers")

// Bounds of a call.
const (
	patience     = 30 * time.Second
	mostAnswer   = 64 << 20 // bytes
	tries        = 3
	betweenTries = 300 * time.Millisecond
	longestWait  = 10 * time.Second // that a server may ask for
)

// Do makes a request: in, unless nil, goes as JSON, and the answer into out,
// unless nil. A *json.RawMessage takes it as it is. A GET that failed for
// reasons that pass by themselves is tried again, up to twice; nothing else
// is, since it may have been done, and no server that was silent.
//
// It returns an *Error for what the server refused, and one that wraps
// ErrAway where nothing sensible answered.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("write request: %w", err)
		}
	}
	for try := 1; ; try++ {
		err := c.once(ctx, method, path, body, out)
		wait, again := retry(err, method, try)
		if !again {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-c.After(wait):
		}
	}
}

// retry says whether a failed request is to be made again, and when.
func retry(err error, method string, try int) (wait time.Duration, again bool) {
	if err == nil || method != http.MethodGet || try >= tries {
		return 0, false
	}
	var refused *Error
	var silent interface{ Timeout() bool }
	switch {
	case errors.As(err, &silent) && silent.Timeout():
		return 0, false // nobody waits for that twice
	case errors.As(err, &refused):
		passes := refused.Status == http.StatusTooManyRequests || refused.Status == http.StatusServiceUnavailable
		return max(refused.RetryAfter, betweenTries), passes && refused.RetryAfter <= longestWait
	case errors.Is(err, context.Canceled):
		return 0, false
	}
	return betweenTries, errors.Is(err, ErrAway)
}

// After is Wait, or time.After.
func (c *Client) After(d time.Duration) <-chan time.Time {
	if c.Wait != nil {
		return c.Wait(d)
	}
	return time.After(d)
}

func (c *Client) once(ctx context.Context, method, path string, body []byte, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	r.Header.Set("User-Agent", c.Agent)
	answer, err := c.http().Do(r)
	if err != nil {
		return fmt.Errorf("%w at %s: %w", ErrAway, c.URL, withoutPath(err))
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer+1))
	if err != nil {
		return fmt.Errorf("%w at %s: the answer broke off: %w", ErrAway, c.URL, err)
	}
	if len(text) > mostAnswer {
		return fmt.Errorf("the answer has more than %d MiB", mostAnswer>>20)
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return c.failure(answer, text)
	}
	if out == nil || answer.StatusCode == http.StatusNoContent {
		return nil
	}
	if !isJSON(answer.Header) {
		return c.stranger(answer)
	}
	if raw, ok := out.(*json.RawMessage); ok {
		*raw = text
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

// withoutPath takes the request from an error: the path may hold a token, by
// which that one is named, and errors end in logs.
func withoutPath(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// http gives what makes requests. It follows no redirects: a token goes to the
// server that it was given for, and to no other.
func (c *Client) http() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// failure reads what a server refused, and why.
func (c *Client) failure(answer *http.Response, text []byte) error {
	var said struct {
		Message string `json:"message"`
		Errors  []struct {
			Code     string `json:"error_code"`
			Field    string `json:"field"`
			MoreInfo string `json:"more_info"`
		} `json:"errors"`
	}
	if !isJSON(answer.Header) || json.Unmarshal(text, &said) != nil || said.Message == "" {
		return c.stranger(answer)
	}
	e := &Error{Status: answer.StatusCode, Message: said.Message}
	if len(said.Errors) > 0 {
		e.Code, e.Field, e.MoreInfo = said.Errors[0].Code, said.Errors[0].Field, said.Errors[0].MoreInfo
	}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

// stranger is the error where something else answers at the address.
func (c *Client) stranger(answer *http.Response) error {
	return fmt.Errorf("%w at %s: what answers there is something else (status %d, %s)", ErrAway, c.URL, answer.StatusCode, kindOf(answer.Header))
}

func kindOf(h http.Header) string {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind == "" {
		return "of no kind"
	}
	return kind
}
