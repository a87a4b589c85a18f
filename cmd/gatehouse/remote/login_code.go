package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gatehouse/client"
)

// A started is the answer to a program that begins to wait for its code.
type started struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	Address    string `json:"verification_uri"`
	ExpiresIn  int    `json:"expires_in"`
	Interval   int    `json:"interval"`
}

// The bounds of what a server may ask of a program that waits.
const (
	leastInterval = time.Second
	mostInterval  = time.Minute
	slower        = 5 * time.Second // RFC 8628, 3.5
)

// byCode shows a code, and waits until somebody has typed it into a browser,
// wherever that is (RFC 8628).
func (c *Call) byCode(ctx context.Context) (json.RawMessage, error) {
	answer, err := c.do(ctx, http.MethodPost, "/v1/login/device", map[string]string{"client_name": programName()})
	if err != nil {
		return nil, err
	}
	var s started
	if json.Unmarshal(answer, &s) != nil || s.DeviceCode == "" || s.UserCode == "" || s.ExpiresIn <= 0 {
		return nil, errShape
	}
	c.note("Open this address in a browser, wherever you have one, and log in there:\n\n  %s\n\nThen type this code:\n\n  %s\n\nIt is good for %d minutes, and for you alone: give it to nobody.\nWaiting…", plain(s.Address), plain(s.UserCode), s.ExpiresIn/60)
	interval := min(max(time.Duration(s.Interval)*time.Second, leastInterval), mostInterval)
	ctx, stop := context.WithTimeout(ctx, time.Duration(s.ExpiresIn)*time.Second+mostInterval)
	defer stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return nil, errLate
		case <-time.After(interval):
		}
		answer, err := c.do(ctx, http.MethodPost, "/v1/login/token", map[string]string{"grant": "device_code", "device_code": s.DeviceCode})
		if err == nil {
			return answer, nil
		}
		if errors.Is(err, client.ErrAway) && !away {
			c.note("The server does not answer at the moment; still waiting.")
		}
		away = errors.Is(err, client.ErrAway)
		if interval, err = nextPause(interval, err); err != nil {
			return nil, err
		}
	}
}

// errLate is the failure where nobody typed the code; whoever interrupted the
// wait is told otherwise.
var errLate = withHint(errors.New("nobody typed the code in time"), "gatehouse user login --no-browser shows another one")

// nextPause says how long to wait after a question that brought no token, or
// why there is nothing to wait for.
func nextPause(interval time.Duration, err error) (time.Duration, error) {
	if errors.Is(err, client.ErrAway) {
		return min(2*interval, mostInterval), nil
	}
	var no *client.Error
	if !errors.As(err, &no) {
		return 0, err
	}
	switch no.Code {
	case "authorization_pending":
		return interval, nil
	case "slow_down":
		return min(interval+slower, mostInterval), nil
	case "too_many_requests":
		return min(max(interval, no.RetryAfter), mostInterval), nil
	case "access_denied":
		return 0, &Failure{Err: errors.New("the login was refused in the browser"), Exit: exitRefused}
	case "expired_token":
		return 0, errLate
	case "invalid_grant":
		return 0, withHint(fmt.Errorf("the code was used already: %w", no), "if it was not you, see what is logged in: /profile/tokens in the console; then gatehouse user login --no-browser")
	}
	return 0, err
}
