package remote

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"gatehouse/client"
)

func TestFailuresHaveTheirExitStatusAndHint(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		exit int
		hint string
	}{
		"away":           {fmt.Errorf("%w at x", client.ErrAway), 6, "is the server running, and is --url (GATEHOUSE_URL) its address?"},
		"not logged in":  {&client.Error{Status: http.StatusUnauthorized}, 3, "gatehouse user login"},
		"refused":        {&client.Error{Status: http.StatusForbidden}, 4, ""},
		"with a page":    {&client.Error{Status: http.StatusForbidden, MoreInfo: "https://x/o"}, 4, "more at https://x/o"},
		"too long ago":   {&client.Error{Status: http.StatusForbidden, Code: "login_too_old"}, 4, "log in again: gatehouse user login"},
		"not there":      {&client.Error{Status: http.StatusNotFound}, 5, ""},
		"too many":       {&client.Error{Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second}, 1, "try again in 7s"},
		"wrong":          {&client.Error{Status: http.StatusBadRequest}, 1, ""},
		"other's escape": {&client.Error{Status: http.StatusForbidden, MoreInfo: "x\x1b[2J"}, 4, "more at x·[2J"},
	} {
		var f *Failure
		if err := explain(c.err); !errors.As(err, &f) || f.Exit != c.exit || f.Hint != c.hint {
			t.Errorf("%s: got %+v, want status %d and hint %q", name, err, c.exit, c.hint)
		}
	}
	if got, want := explain(&client.Error{Status: 400, Message: "not \x1b]0;Ann\a"}).Error(), "not ·]0;Ann·"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	other := errors.New("other")
	if got := explain(other); got != other {
		t.Errorf("got %v, want what is no answer of a server as it is", got)
	}
}
