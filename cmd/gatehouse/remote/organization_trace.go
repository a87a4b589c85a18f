package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// traceColumns are what is shown of an attempt to log in.
var traceColumns = []string{"time", "outcome", "error_code", "words", "authentication_method_id", "user_id"}

// followEvery is how often a list is looked at that is followed.
const followEvery = 2 * time.Second

type loginTraces struct {
	Place
	Method  string `name:"authentication-method-id" help:"Only attempts through this identity provider." placeholder:"ID"`
	Outcome string `help:"Only attempts that became this: refused, answered, logged_in, linked or tested." enum:",refused,answered,logged_in,linked,tested" default:"" placeholder:"OUTCOME"`
	Code    string `name:"error-code" help:"Only attempts that were refused for this." placeholder:"CODE"`
	User    string `name:"user-id" help:"Only attempts of this person." placeholder:"ID"`
	Words   string `help:"The attempt whose three words the person was shown." placeholder:"WORDS"`
	Since   string `help:"Only attempts from this moment on, such as 2026-03-01T12:00:00Z." placeholder:"TIME"`
	Limit   int    `help:"How many are shown." default:"50" placeholder:"N"`
	Follow  bool   `short:"f" help:"Go on with attempts as they come, until it is interrupted."`
}

// query is what the flags ask for.
func (l loginTraces) query() url.Values {
	q := url.Values{"page_size": {strconv.Itoa(l.Limit)}}
	for name, value := range map[string]string{
		"authentication_method_id": l.Method, "outcome": l.Outcome, "error_code": l.Code, "user_id": l.User, "words": l.Words, "since": l.Since,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// A traceList is what a list answers.
type traceList struct {
	Traces  []map[string]any `json:"login_traces"`
	Refused int              `json:"refused_without_trace"`
}

// Run lists attempts, newest first; those that are followed come oldest first.
func (l loginTraces) Run(ctx context.Context, env *Env) error {
	c, o, err := l.open(ctx, env)
	if err != nil {
		return err
	}
	if l.Limit < 1 || l.Limit > 100 {
		return usage("--limit %d is not from 1 to 100", l.Limit)
	}
	answer, err := c.get(ctx, o.path("login-traces")+"?"+l.query().Encode())
	if err != nil {
		return err
	}
	if l.Follow {
		return l.follow(ctx, c, o, answer)
	}
	var list traceList
	if json.Unmarshal(answer, &list) != nil {
		return errShape
	}
	if err := c.show(answer, "login_traces", traceColumns...); err != nil || c.json {
		return err
	}
	if list.Refused > 0 {
		c.note("%d more were refused, of which a sample is kept: nobody had signed them, and nobody had asked for them.", list.Refused)
	}
	return nil
}

// follow prints each attempt once, a line for each, and its outcome again when
// that changes.
func (l loginTraces) follow(ctx context.Context, c *Call, o organization, answer json.RawMessage) error {
	known := map[string]string{}
	for {
		var list traceList
		if json.Unmarshal(answer, &list) != nil {
			return errShape
		}
		for i := len(list.Traces) - 1; i >= 0; i-- {
			t := row(list.Traces[i])
			id, outcome := t.cell("trace_id"), t.cell("outcome")
			if known[id] == outcome {
				continue
			}
			known[id] = outcome
			if err := c.printTrace(list.Traces[i], t); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return errInterrupted
		case <-time.After(followEvery):
		}
		var err error
		if answer, err = c.get(ctx, o.path("login-traces")+"?"+l.query().Encode()); err != nil {
			return err
		}
	}
}

// printTrace prints an attempt as one line.
func (c *Call) printTrace(whole map[string]any, t row) error {
	if c.json {
		line, err := json.Marshal(whole)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.Terminal.Out, "%s\n", line)
		return err
	}
	code := ""
	if t["error_code"] != nil {
		code = " " + t.cell("error_code")
	}
	return c.Terminal.line("%s  %-9s %s%s", plain(t.cell("time")), plain(t.cell("outcome")), plain(t.cell("words")), plain(code))
}

// A tracePlace is an attempt that a command is about.
type tracePlace struct {
	Place
	ID string `arg:"" name:"trace_id" help:"The attempt, by its id or its three words."`
}

type loginTrace struct {
	tracePlace
	Attributes bool `name:"show-attributes" help:"Show what the identity provider says of the person. That is recorded in the audit log."`
}

// Run shows an attempt, check by check.
func (l loginTrace) Run(ctx context.Context, env *Env) error {
	c, o, err := l.open(ctx, env)
	if err != nil {
		return err
	}
	path := o.path("login-traces", l.ID)
	if l.Attributes {
		path += "?show_attributes=true"
	}
	answer, err := c.get(ctx, path)
	if err != nil {
		return err
	}
	if c.json {
		return c.Terminal.json(answer)
	}
	var found struct {
		Trace wholeTrace `json:"login_trace"`
	}
	if json.Unmarshal(answer, &found) != nil || found.Trace.ID == "" {
		return errShape
	}
	return c.tellTrace(found.Trace)
}

// A wholeTrace is an attempt as the API tells it.
type wholeTrace struct {
	ID      string       `json:"trace_id"`
	Words   string       `json:"words"`
	Time    string       `json:"time"`
	Outcome string       `json:"outcome"`
	Code    string       `json:"error_code"`
	Message string       `json:"message"`
	Remedy  string       `json:"remedy"`
	Report  *traceReport `json:"report"`
}

type traceReport struct {
	Accepted bool   `json:"accepted"`
	Code     string `json:"error_code"`
	Signed   bool   `json:"signed"`
	Vendor   string `json:"vendor_name"`
	Checks   []struct {
		Name, Result, Expected, Got, Message, Remedy string
	} `json:"checks"`
	Warnings   []string `json:"warnings"`
	NameID     string   `json:"name_id"`
	Email      string   `json:"user_email"`
	Attributes []struct {
		Name   string
		Values []string
	} `json:"attributes"`
}

// tellTrace prints an attempt for people.
func (c *Call) tellTrace(t wholeTrace) error {
	p := &printer{to: c.Terminal}
	p.line("%s  %s  %s", t.Words, t.Time, t.Outcome)
	if t.Code != "" {
		p.line("%s: %s", t.Code, t.Message)
		p.line("To do: %s", t.Remedy)
	}
	if t.Report != nil {
		p.report(t.Report)
	}
	return p.err
}

// A printer prints lines until one cannot be printed.
type printer struct {
	to  *Terminal
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err != nil {
		return
	}
	for i, a := range args {
		if s, is := a.(string); is {
			args[i] = plain(s)
		}
	}
	p.err = p.to.line(format, args...)
}

func (p *printer) report(r *traceReport) {
	p.line("")
	if !r.Signed {
		p.line("No key of this identity provider signed what came: anybody may have written it. It is judged as it is claimed.")
	}
	signs := map[string]string{"pass": "ok  ", "fail": "FAIL", "not_judged": "-   "}
	for _, check := range r.Checks {
		p.line("%s  %s", signs[check.Result], check.Name)
		if check.Result == "pass" {
			if check.Got != "" {
				p.line("      %s", check.Got)
			}
			continue
		}
		for _, part := range [][2]string{{"", check.Message}, {"expected: ", check.Expected}, {"got: ", check.Got}, {"to do: ", check.Remedy}} {
			if part[1] != "" {
				p.line("      %s%s", part[0], part[1])
			}
		}
	}
	for _, w := range r.Warnings {
		p.line("warning: %s", w)
	}
	p.line("")
	p.line("NameID %s, email %s", r.NameID, r.Email)
	for _, a := range r.Attributes {
		for _, v := range a.Values {
			p.line("%s = %s", a.Name, v)
		}
	}
}

type loginTraceRecheck struct {
	tracePlace
	idpSettings
	Attributes bool `name:"show-attributes" help:"Show what the identity provider says of the person. That is recorded in the audit log."`
}

// Run judges the response of an attempt anew. It fails if it would be refused.
func (l loginTraceRecheck) Run(ctx context.Context, env *Env) error {
	c, o, err := l.open(ctx, env)
	if err != nil {
		return err
	}
	body, err := l.body(env.Terminal.In)
	if err != nil {
		return err
	}
	path := o.path("login-traces", l.ID, "recheck")
	if l.Attributes {
		path += "?show_attributes=true"
	}
	answer, err := c.do(ctx, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	var found struct {
		Report traceReport `json:"report"`
	}
	if json.Unmarshal(answer, &found) != nil {
		return errShape
	}
	if c.json {
		err = c.Terminal.json(answer)
	} else {
		p := &printer{to: c.Terminal}
		p.report(&found.Report)
		err = p.err
	}
	if err == nil && !found.Report.Accepted {
		err = errWouldRefuse(found.Report.Code)
	}
	return err
}

func errWouldRefuse(code string) error {
	return (&Failure{Err: fmt.Errorf("by these settings the answer is refused: %s", plain(code))}).exits(exitFailed)
}

type loginTraceShare struct {
	tracePlace
	Attributes bool          `name:"show-attributes" help:"The link shows what the identity provider says of the person, too."`
	Expires    time.Duration `name:"expires-in" help:"How long the link shows something: 5m to 168h; 72h unless said." placeholder:"TIME"`
}

// Run makes a link to an attempt, and prints it.
func (l loginTraceShare) Run(ctx context.Context, env *Env) error {
	c, o, err := l.open(ctx, env)
	if err != nil {
		return err
	}
	in := map[string]any{"show_attributes": l.Attributes}
	if l.Expires != 0 {
		in["expires_in_seconds"] = int(l.Expires / time.Second)
	}
	answer, err := c.do(ctx, http.MethodPost, o.path("login-traces", l.ID, "share"), in)
	if err != nil {
		return err
	}
	var made struct {
		URL  string `json:"share_url"`
		Ends string `json:"expire_time"`
	}
	if json.Unmarshal(answer, &made) != nil || made.URL == "" {
		return errShape
	}
	if !c.json {
		c.note("Whoever has this link sees this one attempt, without logging in, until %s. It is shown once.", plain(made.Ends))
	}
	return c.say(answer, "%s", plain(made.URL))
}

type loginTraceForget struct{ tracePlace }

// Run deletes what the identity provider sent.
func (l loginTraceForget) Run(ctx context.Context, env *Env) error {
	c, o, err := l.open(ctx, env)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodDelete, o.path("login-traces", l.ID, "response"), nil)
	if err != nil {
		return err
	}
	return c.say(answer, "The response is deleted.")
}
