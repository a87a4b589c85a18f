package web

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/gate"
	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/session"
)

// A tracesPage lists what became of attempts to log in, newest first.
type tracesPage struct {
	page
	Words    field
	Outcome  field
	Method   field
	Filtered bool // by anything
	Traces   []traceRow
	Refused  int // of which no trace is kept
	Older    string
	Newest   string
}

// A traceRow is a trace as the table shows it.
type traceRow struct {
	URL     string
	At      moment
	Words   string
	Method  string // by name
	Outcome status
	Code    string
}

// traceOutcomes are what traces can be narrowed to.
var traceOutcomes = []option{
	{"", "Every outcome"},
	{string(login.TraceRefused), "Refused"},
	{string(login.TraceAnswered), "Answered, and not gone on"},
	{string(login.TraceLoggedIn), "Logged in"},
	{string(login.TraceLinked), "Linked an account"},
	{string(login.TraceTested), "Passed a test"},
}

// outcomeStatus puts an outcome into words and a look.
func outcomeStatus(o login.TraceOutcome) status {
	switch o {
	case login.TraceLoggedIn:
		return status{"Logged in", "ok"}
	case login.TraceLinked:
		return status{"Linked an account", "ok"}
	case login.TraceTested:
		return status{"Passed a test", "ok"}
	case login.TraceAnswered:
		return status{"Answered", "wait"}
	}
	return status{"Refused", "bad"}
}

// tracesOnPage is how many attempts a page of the console shows.
const tracesOnPage = 50

func (s *site) listTraces(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	frame, err := s.console(r, v, "Attempts to log in", "login-traces")
	if err != nil {
		return err
	}
	q := r.URL.Query()
	f := login.TraceFilter{OrganizationID: v.Organization.ID, Outcome: login.TraceOutcome(q.Get("outcome")), MethodID: q.Get("method")}
	typed := strings.TrimSpace(q.Get("words"))
	p := &tracesPage{page: frame, Filtered: typed != "" || f.Outcome != "" || f.MethodID != ""}
	names, err := s.methodNames(r, v)
	if err != nil {
		return err
	}
	p.Words = field{Name: "words", Label: "Three words", Hint: "That the person's page showed.", Value: typed, Most: 64, Optional: true, Machine: true}
	p.Outcome = field{Name: "outcome", Label: "What became of it", Value: string(f.Outcome), Options: traceOutcomes, Optional: true}
	p.Method = field{Name: "method", Label: "Identity provider", Value: f.MethodID, Options: names, Optional: true}
	if typed != "" {
		if f.Words, err = ident.ParseWords(typed); err != nil {
			p.Problems = append(p.Problems, p.Words.wrong("These are not three words of ours. They look like copper-lake-violin."))
			return s.render(w, r, http.StatusBadRequest, "traces", p)
		}
	}
	list, err := s.Traces.List(r.Context(), f, q.Get("cursor"), tracesOnPage)
	if err != nil {
		return s.again(w, r, "traces", p, err, &p.Words, &p.Outcome, &p.Method)
	}
	p.Refused = list.Refused
	for _, t := range list.Traces {
		p.Traces = append(p.Traces, s.viewTraceRow(v, t, names))
	}
	here := url.Values{}
	for name, value := range map[string]string{"words": typed, "outcome": string(f.Outcome), "method": f.MethodID} {
		if value != "" {
			here.Set(name, value)
		}
	}
	if q.Get("cursor") != "" {
		p.Newest = withQuery(r.URL.Path, here)
	}
	if list.Next != "" {
		here.Set("cursor", list.Next)
		p.Older = withQuery(r.URL.Path, here)
	}
	return s.render(w, r, http.StatusOK, "traces", p)
}

// methodNames are the organization's identity providers, to choose from.
func (s *site) methodNames(r *http.Request, v gate.Visit) ([]option, error) {
	list, err := s.IdPs.List(r.Context(), v.Organization)
	if err != nil {
		return nil, err
	}
	out := []option{{"", "All"}}
	for _, i := range list {
		out = append(out, option{i.ID, i.Name})
	}
	return out, nil
}

func (s *site) viewTraceRow(v gate.Visit, t login.Trace, names []option) traceRow {
	row := traceRow{
		URL: tracesAt(v.Organization.ID) + "/" + t.ID, At: s.moment(t.At), Words: t.Words,
		Outcome: outcomeStatus(t.Outcome), Code: t.Code, Method: methodName(t, names),
	}
	return row
}

// methodName is how an attempt's way in is called here.
func methodName(t login.Trace, names []option) string {
	if t.Method.Kind == session.Password {
		return "Password"
	}
	for _, o := range names {
		if o.Value == t.Method.ID {
			return o.Label
		}
	}
	return cmp.Or(t.Method.ID, "Identity provider")
}

// tracesAt is the page of an organization's attempts.
func tracesAt(organizationID string) string {
	return "/organization/" + url.PathEscape(organizationID) + "/login-traces"
}
