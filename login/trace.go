package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/internal/seal"
	"gatehouse/session"
	"gatehouse/sso"
)

// A Trace is one attempt to log in, for those who have to find out why it
// failed.
type Trace struct {
	ID             string // a UUIDv7: sorts by time
	OrganizationID string
	Method         session.Method
	At             time.Time
	Words          string // stands for the trace where people talk: "copper-lake-violin"
	Outcome        TraceOutcome
	Code           string // of the refusal; empty if there was none
	UserID         string // u…: who it was, where that is known

	Story    []byte // a Story, sealed; nil in lists
	Response []byte // as it was posted, decoded, and sealed; nil if it was not kept, and in lists
	HasWhole bool   // Response is kept
}

// A TraceOutcome is what became of an attempt.
type TraceOutcome string

// The outcomes.
const (
	TraceRefused  TraceOutcome = "refused"   // nobody came in; Code says why
	TraceAnswered TraceOutcome = "answered"  // the answer held; the browser has not gone on from it
	TraceLoggedIn TraceOutcome = "logged_in" // there is a session
	TraceLinked   TraceOutcome = "linked"    // an account was linked; there is no new session
	TraceTested   TraceOutcome = "tested"    // a test of settings that would have let the person in
)

// A Story is what a trace tells. It names people, so that it is kept sealed.
type Story struct {
	// Report is of an identity provider's answer. Of one that was accepted none
	// is kept with the response: a login should not pay for it. It is made of
	// the response when somebody asks.
	Report *sso.Report `json:"report,omitempty"`

	Unsolicited bool       `json:"unsolicited,omitempty"` // a login that started at the identity provider was admitted
	Test        bool       `json:"test,omitempty"`        // it tried out settings that were not in force
	Email       string     `json:"email,omitempty"`       // that was typed, with a password
	Message     string     `json:"message"`               // of a refusal: what was wrong
	IP          netip.Addr `json:"ip"`
	UserAgent   string     `json:"user_agent,omitempty"`
}

// TracePurpose is the purpose that a trace's story and response are sealed for.
func TracePurpose(id string) string { return "login trace " + id }

// TraceStore is what Traces needs of storage.
type TraceStore interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// AddTrace keeps a trace. It returns fault.Exists if its id is taken.
	AddTrace(ctx context.Context, t Trace) error

	// EndTrace writes what became of an attempt that was answered: Outcome,
	// Code and UserID, and Story unless that is nil. It is no error if there is
	// no such trace.
	EndTrace(ctx context.Context, t Trace) error

	// Traces lists an organization's, newest first, from before an id on,
	// without stories and responses. Trace gives one whole, of any organization
	// if that is empty; it returns fault.NotFound if there is none with this id.
	Traces(ctx context.Context, f TraceFilter, before string, most int) ([]Trace, error)
	Trace(ctx context.Context, organizationID, id string) (Trace, error)

	// DropTraceResponse deletes a trace's response. It returns fault.NotFound
	// if the trace is not there or has none.
	DropTraceResponse(ctx context.Context, organizationID, id string) error

	// CountRefused adds to how many attempts were refused in an hour of which no
	// trace is kept; Refused gives how many there were from then on.
	CountRefused(ctx context.Context, organizationID, methodID string, hour time.Time, n int) error
	Refused(ctx context.Context, f TraceFilter) (int, error)

	// AddShare keeps a link to a trace by the hash of its secret; Share gives
	// the trace whose link it is, with its organization. Share returns
	// fault.NotFound if there is none or it is over.
	AddShare(ctx context.Context, s Share) error
	Share(ctx context.Context, hash [32]byte, now time.Time) (Share, Trace, error)

	// AddTest keeps a test until it ends; Test and TestByFlow give one that has
	// not ended, by its id and by the login that was started for it. They return
	// fault.NotFound if there is none. StartTest says which login that is, as
	// often as it is started; EndTest which trace came of it, once: it returns
	// fault.NotFound if there is one already.
	AddTest(ctx context.Context, t Test) error
	Test(ctx context.Context, id string, now time.Time) (Test, error)
	TestByFlow(ctx context.Context, flowID string, now time.Time) (Test, error)
	StartTest(ctx context.Context, id, flowID string) error
	EndTest(ctx context.Context, id, traceID string) error

	// IdP gives an identity provider of any organization, deleted ones too. It
	// returns fault.NotFound if there is none.
	IdP(ctx context.Context, id string) (*sso.IdP, error)

	// SweepTraces deletes traces and counts from before a moment.
	SweepTraces(ctx context.Context, before time.Time) (int64, error)
}

// A TraceFilter says which traces to list. Empty fields say nothing.
type TraceFilter struct {
	OrganizationID string
	MethodID       string
	Outcome        TraceOutcome
	Code           string
	UserID         string
	Words          string
	Since, Until   time.Time
}

// Traced is an error of which there is a trace: the person is told its words.
type Traced struct {
	ID    string
	Words string
	err   error
}

func (t *Traced) Error() string { return t.err.Error() }
func (t *Traced) Unwrap() error { return t.err }

// How many traces of one method are kept. What an identity provider signed for
// a login that it may make is bounded by logins; a refused answer costs its
// sender nothing, and one that nobody signed and nobody asked for could be
// anybody's: of those a sample is kept, without what was sent.
var (
	tracesAccepted  = limit.Rule{Name: "trace of an answer that holds", Burst: 20_000, Every: 2 * time.Second}
	tracesRefused   = limit.Rule{Name: "trace of a refused answer", Burst: 200, Every: time.Minute}
	tracesOfNobody  = limit.Rule{Name: "trace of an answer of nobody's", Burst: 20, Every: 10 * time.Minute}
	tracesByPerson  = limit.Rule{Name: "trace of a password", Burst: 20, Every: 10 * time.Minute}
	sharesByAddress = limit.Rule{Name: "unknown link to a trace", Burst: 30, Every: 10 * time.Second}
	explanations    = limit.Rule{Name: "explanation of an answer", Burst: 100, Every: time.Second}
)

// Drafts knows identity providers.
type Drafts interface {
	// Draft gives an identity provider of an organization as it would be with a
	// change, and changes nothing. It returns what IdPs.Update does.
	Draft(ctx context.Context, org account.Organization, id string, c sso.Change) (*sso.IdP, error)

	// Get returns fault.NotFound if the organization has none with this id.
	Get(ctx context.Context, org account.Organization, id string) (*sso.IdP, error)
}

// Traces keeps what became of attempts to log in.
type Traces struct {
	Store    TraceStore
	Provider *sso.Provider
	IdPs     Drafts
	Keys     *seal.Keyring
	Limits   limit.Limiter
	Audit    *audit.Log
	NewID    func(now time.Time) string
	NewWords func() string
	Now      func() time.Time

	// KeepFor is how long traces are kept; KeepResponses says whether what
	// identity providers sent is kept with them.
	KeepFor       time.Duration
	KeepResponses bool

	late late
}

// An attempt is an answer that is being judged, as far as it is known.
type attempt struct {
	method Method
	client Client
	raw    []byte
	want   sso.Expectation
	bad    error          // of decoding
	beyond *sso.Judgement // what fails beyond the answer itself
}

// begin makes the trace of an attempt.
func (t *Traces) begin(organizationID string, m session.Method, outcome TraceOutcome, now time.Time) Trace {
	return Trace{ID: t.NewID(now), OrganizationID: organizationID, Method: m, At: now, Words: t.NewWords(), Outcome: outcome}
}

// seal puts a story, and what was sent, into a trace.
func (t *Traces) seal(tr *Trace, s Story, raw []byte) error {
	plain, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write story: %w", err)
	}
	tr.Story = t.Keys.Seal(TracePurpose(tr.ID), plain)
	if raw != nil && t.KeepResponses {
		tr.Response, tr.HasWhole = t.Keys.Seal(TracePurpose(tr.ID), raw), true
	}
	return nil
}

// accepted is the trace of an answer that holds. A nil Traces keeps none, nor
// does one that has enough.
func (t *Traces) accepted(ctx context.Context, a *attempt) (*Trace, error) {
	if t == nil || t.Limits.Take(ctx, tracesAccepted, a.method.ID) != nil {
		return nil, nil
	}
	tr := t.begin(a.method.OrganizationID, session.Method{Kind: session.SAML, ID: a.method.ID}, TraceAnswered, a.want.Now)
	story := Story{Unsolicited: a.want.Unsolicited, IP: a.client.IP, UserAgent: bounded(a.client.UserAgent)}
	if !t.KeepResponses {
		story.Report = t.explain(a)
	}
	return &tr, t.seal(&tr, story, a.raw)
}

// refused keeps the trace of an answer that was refused, or counts it, and
// gives the error with what stands for the trace. That it cannot be kept does
// not change the answer.
func (t *Traces) refused(ctx context.Context, a *attempt, err error) error {
	var r *sso.Rejection
	if t == nil || a.method.IdP == nil || !errors.As(err, &r) {
		return err
	}
	kept, bad := t.keepRefused(ctx, a, r)
	switch {
	case bad != nil:
		return errors.Join(err, fmt.Errorf("keep trace: %w", bad))
	case kept == nil:
		t.late.count(a.method.OrganizationID, a.method.ID, t.Now())
		return err
	}
	return &Traced{ID: kept.ID, Words: kept.Words, err: err}
}

func (t *Traces) keepRefused(ctx context.Context, a *attempt, r *sso.Rejection) (*Trace, error) {
	// By address too: whoever floods a method must not leave others unexplained.
	if t.Limits.Take(ctx, explanations, a.method.ID+" "+limit.Address(a.client.IP)) != nil {
		return nil, nil
	}
	report := t.explain(a)
	rule, raw := tracesOfNobody, []byte(nil)
	if report.Signed || report.Ours {
		rule, raw = tracesRefused, a.raw
	}
	if t.Limits.Take(ctx, rule, a.method.ID) != nil {
		return nil, nil
	}
	tr := t.begin(a.method.OrganizationID, session.Method{Kind: session.SAML, ID: a.method.ID}, TraceRefused, t.Now())
	tr.Code = r.Code
	story := Story{Report: report, Message: r.Message, IP: a.client.IP, UserAgent: bounded(a.client.UserAgent)}
	if err := t.seal(&tr, story, raw); err != nil {
		return nil, err
	}
	return &tr, t.Store.AddTrace(ctx, tr)
}

func (t *Traces) explain(a *attempt) *sso.Report {
	if a.bad != nil {
		return sso.Undecoded(a.bad)
	}
	report := t.Provider.Explain(a.method.IdP, a.raw, a.want)
	if a.beyond != nil {
		report.Accepted, report.Code = false, a.beyond.Code
		report.Judgements = append(report.Judgements, *a.beyond)
	}
	return report
}

// finished writes what became of an answered login, in its transaction.
func (t *Traces) finished(ctx context.Context, f Flow, out Outcome, c Client) error {
	switch {
	case t == nil:
		return nil
	case f.Method.Kind == session.Password:
		return t.password(ctx, typed{user: out.User, client: c, at: t.Now(), outcome: TraceLoggedIn})
	case f.TraceID == "":
		return nil
	}
	outcome := TraceLoggedIn
	if out.Linked {
		outcome = TraceLinked
	}
	return t.Store.EndTrace(ctx, Trace{ID: f.TraceID, Outcome: outcome, UserID: out.User.ID})
}

// ended writes that an answered login was refused after all, and gives the
// error with what stands for the trace. The person may load the page again, and
// be refused again.
func (t *Traces) ended(ctx context.Context, f Flow, err error) error {
	refusal := fault.Of(err)
	if t == nil || f.TraceID == "" || refusal.Kind == fault.Internal || refusal.Kind == fault.Unavailable || refusal.Kind == fault.TooMany {
		return err
	}
	tr, bad := t.end(ctx, f.TraceID, refusal)
	switch {
	case errors.Is(bad, fault.NotFound): // its time is over
		return err
	case bad != nil:
		return errors.Join(err, fmt.Errorf("end trace: %w", bad))
	}
	return &Traced{ID: tr.ID, Words: tr.Words, err: err}
}

// accountRule is the judgement of what came after the answer: whether there is
// an account for it, and whether that may come in.
const accountRule = "account"

func (t *Traces) end(ctx context.Context, id string, refusal *fault.Error) (tr Trace, err error) {
	err = t.Store.Tx(ctx, func(ctx context.Context) error {
		if tr, err = t.Store.Trace(ctx, "", id); err != nil {
			return err
		}
		told, err := t.tell(ctx, tr)
		if err != nil {
			return err
		}
		story := told.Story
		story.Message = refusal.Message
		if r := story.Report; r != nil {
			r.Judgements = slices.DeleteFunc(r.Judgements, func(j sso.Judgement) bool { return j.Rule == accountRule })
			r.Judgements = append(r.Judgements, sso.Judgement{Rule: accountRule, Result: sso.Fail, Code: refusal.Code, Message: refusal.Message, Personal: true})
		}
		tr.Outcome, tr.Code = TraceRefused, refusal.Code
		if err := t.seal(&tr, story, nil); err != nil {
			return err
		}
		return t.Store.EndTrace(ctx, tr)
	})
	return tr, err
}

// story opens what a trace tells. It returns seal.ErrKey if it was sealed with
// other keys.
func (t *Traces) story(tr Trace) (s Story, err error) {
	plain, err := t.Keys.Open(TracePurpose(tr.ID), tr.Story)
	if err != nil {
		return Story{}, fmt.Errorf("open trace %s: %w", tr.ID, err)
	}
	if err := json.Unmarshal(plain, &s); err != nil {
		return Story{}, fmt.Errorf("read trace %s: %w", tr.ID, err)
	}
	return s, nil
}

// Sweep deletes what is older than traces are kept.
func (t *Traces) Sweep(ctx context.Context) error {
	_, err := t.Store.SweepTraces(ctx, t.Now().Add(-t.KeepFor))
	return err
}
