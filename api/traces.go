package api

import (
	"context"
	"net/http"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

func (b *builder) addTraces() {
	const list = "/v1/organization/{organization_id}/login-traces"
	const one = list + "/{trace_id}"
	const test = "/v1/account/{account_id}/authentication/{method_id}/test"
	s := b.server
	add(b, operation{"OrganizationLoginTracesList", http.MethodGet, list, "List what became of attempts to log in, newest first", account.ReadTraces}, s.listTraces)
	add(b, operation{"OrganizationLoginTraceGet", http.MethodGet, one, "Show an attempt to log in, check by check", account.ReadTraces}, s.getTrace)
	add(b, operation{"OrganizationLoginTraceRecheck", http.MethodPost, one + "/recheck", "Judge the response of an attempt by the settings as they are now, or would be", account.WriteTraces}, s.recheckTrace)
	add(b, operation{"OrganizationLoginTraceShare", http.MethodPost, one + "/share", "Make a link that shows an attempt to somebody else, for a time", account.WriteTraces}, s.shareTrace)
	add(b, operation{"OrganizationLoginTraceResponseDelete", http.MethodDelete, one + "/response", "Delete what the identity provider sent", account.WriteTraces}, s.dropTraceResponse)

	add(b, operation{"AccountAuthenticationMethodTest", http.MethodPost, test, "Prepare a login that tries settings out before they are in force", account.WriteIdPs}, s.testIdP)
	add(b, operation{"AccountAuthenticationMethodTestGet", http.MethodGet, test + "/{test_id}", "Show what came of a test", account.ReadIdPs}, s.getTest)
}

// TracePath is the trace of a path.
type TracePath struct {
	OrganizationPath
	TraceID string `path:"trace_id" maxLength:"64" doc:"Its id, or its three words." example:"copper-lake-violin"`
}

// TraceQuery says which traces to list. It is exported for huma's sake.
type TraceQuery struct {
	PageSize int    `query:"page_size" default:"50" doc:"1 to 100."`
	Cursor   string `query:"cursor" maxLength:"64" doc:"next_cursor of the page before; nothing for the first."`
	Method   string `query:"authentication_method_id" maxLength:"36"`
	Outcome  string `query:"outcome" enum:"refused,answered,logged_in,linked,tested" doc:"What became of it."`
	Code     string `query:"error_code" maxLength:"64" example:"audience_mismatch"`
	User     string `query:"user_id" maxLength:"36"`
	Words    string `query:"words" maxLength:"64" doc:"The three words that the person was shown."`
	Since    string `query:"since" doc:"Attempts from this moment on (RFC 3339)."`
	Until    string `query:"until" doc:"Attempts before this moment (RFC 3339)."`
}

// A trace is an attempt to log in, as a list has it.
type trace struct {
	ID           string    `json:"trace_id"`
	Words        string    `json:"words" doc:"What the person was shown, to be read out." example:"copper-lake-violin"`
	Time         time.Time `json:"time"`
	MethodType   string    `json:"authentication_method_type" enum:"saml,password"`
	MethodID     *string   `json:"authentication_method_id" doc:"null for a password."`
	Outcome      string    `json:"outcome" enum:"refused,answered,logged_in,linked,tested" doc:"answered: the answer held, and the browser has not gone on from it."`
	Code         *string   `json:"error_code" doc:"Why it was refused."`
	UserID       *string   `json:"user_id" doc:"Who it was, where that is known."`
	ResponseKept bool      `json:"response_kept" doc:"Whether what the identity provider sent is there to be checked again."`
}

func newTrace(t login.Trace) trace {
	kind := "saml"
	if t.Method.Kind == session.Password {
		kind = "password"
	}
	return trace{
		ID: t.ID, Words: t.Words, Time: moment(t.At), MethodType: kind, MethodID: orNull(t.Method.ID),
		Outcome: string(t.Outcome), Code: orNull(t.Code), UserID: orNull(t.UserID), ResponseKept: t.HasWhole,
	}
}

type tracesAnswer struct {
	Traces     []trace `json:"login_traces" doc:"Newest first."`
	NextCursor *string `json:"next_cursor" doc:"Leads to the next page; null on the last."`
	Refused    int     `json:"refused_without_trace" doc:"How many more attempts were refused, in the time and at the method asked for: of what anybody could have sent, a sample is kept."`
}

type tracesInput struct {
	OrganizationPath
	TraceQuery
}

func (s *Server) listTraces(ctx context.Context, v gate.Visit, in *tracesInput) (*tracesAnswer, error) {
	q := in.TraceQuery
	f := login.TraceFilter{
		OrganizationID: v.Organization.ID, MethodID: q.Method, Outcome: login.TraceOutcome(q.Outcome), Code: q.Code, UserID: q.User,
	}
	var err error
	if q.Words != "" {
		if f.Words, err = ident.ParseWords(q.Words); err != nil {
			return nil, fault.Invalid.Errorf("Type the three words that the person was shown, such as copper-lake-violin.").At("words")
		}
	}
	if f.Since, err = queryTime(q.Since, "since"); err != nil {
		return nil, err
	}
	if f.Until, err = queryTime(q.Until, "until"); err != nil {
		return nil, err
	}
	list, err := s.Traces.List(ctx, f, q.Cursor, q.PageSize)
	if err != nil {
		return nil, err
	}
	out := &tracesAnswer{Traces: []trace{}, NextCursor: orNull(list.Next), Refused: list.Refused}
	for _, t := range list.Traces {
		out.Traces = append(out.Traces, newTrace(t))
	}
	return out, nil
}

// A wholeTrace is an attempt to log in, check by check.
type wholeTrace struct {
	_ struct{} `nullable:"true"`
	trace
	Test      bool    `json:"test" doc:"It tried out settings that were not in force."`
	Message   *string `json:"message" doc:"Why it was refused."`
	Remedy    *string `json:"remedy" doc:"What to do about it."`
	Email     *string `json:"user_email" doc:"That was typed with a password. Masked unless attributes are asked for."`
	IP        *string `json:"ip"`
	UserAgent *string `json:"user_agent"`
	Since     bool    `json:"settings_changed_since" doc:"The checks are of the settings as they are now, which were changed since. Of answers that were refused they are as they were made."`
	Report    *report `json:"report" doc:"How the identity provider's answer stood to each check; null for a password."`
}

type traceAnswer struct {
	Trace wholeTrace `json:"login_trace"`
}

type traceInput struct {
	TracePath
	Attributes bool `query:"show_attributes" doc:"Show what the response says of the person. That is recorded in the audit log."`
}

func (s *Server) getTrace(ctx context.Context, v gate.Visit, in *traceInput) (*traceAnswer, error) {
	told, err := s.Traces.Find(ctx, v.Organization.ID, in.TraceID)
	if err != nil {
		return nil, err
	}
	if in.Attributes {
		if err := s.Traces.Revealed(ctx, v.Actor, told.Trace); err != nil {
			return nil, err
		}
	}
	w, err := s.wholeTrace(ctx, v.Organization, told, in.Attributes)
	if err != nil {
		return nil, err
	}
	return &traceAnswer{w}, nil
}

// wholeTrace is a trace with its story, in the words of its identity provider's
// product.
func (s *Server) wholeTrace(ctx context.Context, org account.Organization, told login.Told, shown bool) (wholeTrace, error) {
	vendor, err := s.Traces.Vendor(ctx, org, told)
	if err != nil {
		return wholeTrace{}, err
	}
	if !shown {
		told = told.Masked()
	}
	st := told.Story
	ip := ""
	if st.IP.IsValid() {
		ip = st.IP.String()
	}
	w := wholeTrace{
		trace: newTrace(told.Trace), Test: st.Test, Since: told.Since, Message: orNull(st.Message), Email: orNull(st.Email),
		IP: orNull(ip), UserAgent: orNull(st.UserAgent),
	}
	if told.Code != "" {
		w.Remedy = orNull(sso.Remedy(told.Code, vendor))
	}
	if st.Report != nil {
		r := newReport(st.Report, vendor, shown)
		w.Report = &r
	}
	return w, nil
}

type recheckInput struct {
	TracePath
	Attributes bool         `query:"show_attributes" doc:"Show what the response says of the person. That is recorded in the audit log."`
	Body       MethodFields `nameHint:"LoginTraceRecheckRequest" doc:"What of the settings would be another; nothing: as they are now."`
}

func (recheckInput) mostBody() int { return mostMethodBody }

type recheckAnswer struct {
	Report report `json:"report"`
}

func (s *Server) recheckTrace(ctx context.Context, v gate.Visit, in *recheckInput) (*recheckAnswer, error) {
	told, err := s.Traces.Find(ctx, v.Organization.ID, in.TraceID)
	if err != nil {
		return nil, err
	}
	found, err := s.Traces.Recheck(ctx, v.Organization, told.ID, in.Body.change(nil))
	if err != nil {
		return nil, err
	}
	if in.Attributes {
		if err := s.Traces.Revealed(ctx, v.Actor, told.Trace); err != nil {
			return nil, err
		}
	}
	told.Story.Report = found
	vendor, err := s.Traces.Vendor(ctx, v.Organization, told)
	if err != nil {
		return nil, err
	}
	if !in.Attributes {
		told = told.Masked()
	}
	return &recheckAnswer{newReport(told.Story.Report, vendor, in.Attributes)}, nil
}

type shareInput struct {
	TracePath
	Body struct {
		Attributes *looseBool `json:"show_attributes,omitempty" doc:"Whether the link shows what the response says of the person."`
		Lasts      *looseInt  `json:"expires_in_seconds,omitempty" doc:"300 to 604800; three days unless said."`
	} `nameHint:"LoginTraceShareRequest"`
}

type shareAnswer struct {
	URL        string    `json:"share_url" doc:"Shown once. Whoever has it sees this one attempt, without logging in."`
	ExpireTime time.Time `json:"expire_time"`
}

func (s *Server) shareTrace(ctx context.Context, v gate.Visit, in *shareInput) (*shareAnswer, error) {
	told, err := s.Traces.Find(ctx, v.Organization.ID, in.TraceID)
	if err != nil {
		return nil, err
	}
	lasts, shown := time.Duration(0), in.Body.Attributes.value()
	if n := in.Body.Lasts.value(); n != nil {
		if *n == 0 {
			*n = -1 // not what is meant by leaving it out
		}
		lasts = time.Duration(*n) * time.Second
	}
	path, ends, err := s.Traces.Share(ctx, v.Actor, v.Organization.ID, told.ID, shown != nil && *shown, lasts)
	if err != nil {
		return nil, err
	}
	return &shareAnswer{s.Base + path, moment(ends)}, nil
}

func (s *Server) dropTraceResponse(ctx context.Context, v gate.Visit, in *struct{ TracePath }) (*said, error) {
	told, err := s.Traces.Find(ctx, v.Organization.ID, in.TraceID)
	if err != nil {
		return nil, err
	}
	if err := s.Traces.DropResponse(ctx, v.Actor, v.Organization.ID, told.ID); err != nil {
		return nil, err
	}
	return &said{"The response is deleted. The attempt is still listed, without what the identity provider sent."}, nil
}
