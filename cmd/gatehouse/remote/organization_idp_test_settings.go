package remote

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

type idpTest struct {
	Place
	ID string `arg:"" name:"authentication_method_id" help:"The identity provider. It may be disabled."`
	idpSettings
	NoWait bool `name:"no-wait" help:"Print the address, and do not wait for the outcome."`
}

// A settingsTest is a test as the API tells it.
type settingsTest struct {
	ID      string      `json:"test_id"`
	URL     string      `json:"test_url"`
	State   string      `json:"state"`
	Expires time.Time   `json:"expire_time"`
	Trace   *wholeTrace `json:"login_trace"`
}

var errTestLate = withHint(errors.New("nobody logged in in time"), "gatehouse organization idp-test makes another one")

// Run prepares a login with settings that are not in force, shows its address,
// and waits for what comes of it. It fails if the login is refused.
func (i idpTest) Run(ctx context.Context, env *Env) error {
	c, o, err := i.openAccount(ctx, env)
	if err != nil {
		return err
	}
	body, err := i.body(env.Terminal.In)
	if err != nil {
		return err
	}
	path := o.accountPath("authentication", i.ID, "test")
	answer, test, err := c.test(ctx, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	if i.NoWait {
		return c.say(answer, "%s", plain(test.URL))
	}
	c.note("Open this address in a browser, and log in:\n\n  %s\n\nNobody is let in by it. It can be run until %s.\nWaiting…", plain(test.URL), test.Expires.Local().Format(time.DateTime))
	for test.State == "waiting" {
		if time.Now().After(test.Expires) {
			return errTestLate
		}
		select {
		case <-ctx.Done():
			return errInterrupted
		case <-time.After(followEvery):
		}
		if answer, test, err = c.test(ctx, http.MethodGet, path+"/"+test.ID, nil); err != nil {
			return err
		}
	}
	if c.json {
		err = c.Terminal.json(answer)
	} else {
		err = c.tellTrace(*test.Trace)
	}
	if err == nil && test.State != "passed" {
		err = errWouldRefuse(test.Trace.Code)
	}
	return err
}

// test sends a request about a test.
func (c *Call) test(ctx context.Context, method, path string, body any) (json.RawMessage, settingsTest, error) {
	answer, err := c.do(ctx, method, path, body)
	if err != nil {
		return nil, settingsTest{}, err
	}
	var found struct {
		Test settingsTest `json:"test"`
	}
	if json.Unmarshal(answer, &found) != nil || found.Test.ID == "" || found.Test.State != "waiting" && found.Test.Trace == nil {
		return nil, settingsTest{}, errShape
	}
	return answer, found.Test, nil
}
