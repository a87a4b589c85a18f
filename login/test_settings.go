package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/session"
	"gatehouse/sso"
)

// A Test is one login that tries out settings of an identity provider which are
// not in force. It ends in a trace, and lets nobody in. Whoever knows its id can
// run it and see the outcome: the id is a secret of 128 bits.
type Test struct {
	ID        string
	MethodID  string
	MadeBy    string // u…
	Draft     []byte // the sso.Change that makes the settings, sealed
	ExpiresAt time.Time
	FlowID    string // of the login that was started for it; empty before
	TraceID   string // of the outcome; empty before
}

// TestPurpose is the purpose that a test's draft is sealed for.
func TestPurpose(id string) string { return "login test " + id }

// TestPath is the page that runs a test.
func TestPath(id string) string { return "/login-test/" + id }

// testFor is how long a test can be run.
const testFor = time.Hour

var testsByMethod = limit.Rule{Name: "test of settings", Burst: 30, Every: 10 * time.Second}

// NewTest prepares a login with the settings of an identity provider as they
// would be with a change. The provider may be disabled. It returns what
// IdPs.Update does, fault.Conflict if the settings are incomplete, and
// fault.TooMany.
func (l *Login) NewTest(ctx context.Context, by account.Actor, org account.Organization, methodID string, c sso.Change) (Test, error) {
	draft, err := l.Traces.IdPs.Draft(ctx, org, methodID, c)
	if err != nil {
		return Test{}, err
	}
	if draft.EntityID == "" || draft.SSOURL == "" || len(draft.Certificates) == 0 {
		return Test{}, fault.Conflict.Errorf("A test needs the identity provider's entity ID, SSO URL and certificate. Enter them, or its metadata.").Coded("authentication_method_incomplete")
	}
	if err := l.Limits.Take(ctx, testsByMethod, methodID); err != nil {
		return Test{}, err
	}
	t := Test{ID: ident.Secret(32), MethodID: methodID, MadeBy: by.User.ID, ExpiresAt: l.Now().Add(testFor)}
	plain, err := json.Marshal(c)
	if err != nil {
		return Test{}, fmt.Errorf("write draft: %w", err)
	}
	t.Draft = l.Keys.Seal(TestPurpose(t.ID), plain)
	err = l.Store.Tx(ctx, func(ctx context.Context) error {
		if err := l.Traces.Store.AddTest(ctx, t); err != nil {
			return err
		}
		return l.Audit.Record(ctx, by.Did(audit.IdPTest, org.ID, draft.Target(), nil))
	})
	return t, err
}

// BeginTest starts a test: it gives the request to send the browser to the
// identity provider with. It returns fault.NotFound if there is no such test,
// fault.Conflict if it has its outcome, and fault.TooMany.
func (l *Login) BeginTest(ctx context.Context, id string, b *session.Browser, c Client) (Method, *sso.Request, error) {
	if err := l.Limits.Take(ctx, startsByAddress, limit.Address(c.IP)); err != nil {
		return Method{}, nil, err
	}
	t, m, err := l.test(ctx, id, c)
	if err != nil {
		return Method{}, nil, err
	}
	if t.TraceID != "" {
		return Method{}, nil, fault.Conflict.Errorf("This test was run already. Make another one to run it again.").Coded("login_test_over")
	}
	now := l.Now()
	ticket := sso.NewTicket(sso.ToTest, b.Secret, now)
	request, err := l.Provider.Request(m.IdP, ticket, now)
	if err != nil {
		return Method{}, nil, fmt.Errorf("make request to %s: %w", m.ID, err)
	}
	if err := l.Traces.Store.StartTest(ctx, id, ticket.FlowID); err != nil {
		return Method{}, nil, fmt.Errorf("start test: %w", err)
	}
	return m, request, nil
}

// Tested gives a test and, once there is one, its outcome. It returns
// fault.NotFound if there is no such test.
func (l *Login) Tested(ctx context.Context, id string, c Client) (Test, Method, *Told, error) {
	t, m, err := l.test(ctx, id, c)
	if err != nil || t.TraceID == "" {
		return t, m, nil, err
	}
	told, err := l.Traces.Get(ctx, m.OrganizationID, t.TraceID)
	return t, m, &told, err
}

// test finds a test, and its identity provider with the settings to be tried.
// An id that is none is counted.
func (l *Login) test(ctx context.Context, id string, c Client) (Test, Method, error) {
	address := limit.Address(c.IP)
	if err := l.Limits.Take(ctx, sharesByAddress, address); err != nil {
		return Test{}, Method{}, err
	}
	t, err := l.Traces.Store.Test(ctx, id, l.Now())
	if errors.Is(err, fault.NotFound) {
		return Test{}, Method{}, fault.NotFound.Errorf("There is no such test, or its hour is over. Make another one.").Coded("login_test_not_found")
	}
	if err != nil {
		return Test{}, Method{}, fmt.Errorf("find test: %w", err)
	}
	_ = l.Limits.Return(ctx, sharesByAddress, address)
	m, err := l.draft(ctx, t)
	return t, m, err
}

// draft gives the identity provider of a test as its settings would have it.
func (l *Login) draft(ctx context.Context, t Test) (Method, error) {
	m, err := l.Store.Method(ctx, t.MethodID)
	if errors.Is(err, fault.NotFound) || err == nil && m.State == sso.Deleted {
		return Method{}, errNoMethod()
	}
	if err != nil {
		return Method{}, err
	}
	plain, err := l.Keys.Open(TestPurpose(t.ID), t.Draft)
	if err != nil {
		return Method{}, fmt.Errorf("open draft: %w", err)
	}
	var c sso.Change
	if err := json.Unmarshal(plain, &c); err != nil {
		return Method{}, fmt.Errorf("read draft: %w", err)
	}
	m.IdP, err = l.Traces.IdPs.Draft(ctx, account.Organization{ID: m.OrganizationID, AccountID: m.AccountID}, m.ID, c)
	if err != nil {
		return Method{}, err
	}
	m.Enabled, m.State = true, sso.Active // for this one login
	m = m.asking(l.Now())
	return m, nil
}

// answerTest takes the answer to a test. It is judged by the draft alone, kept
// as a trace, and never makes a flow.
func (l *Login) answerTest(ctx context.Context, try *attempt, flowID string) (Answered, error) {
	t, err := l.Traces.Store.TestByFlow(ctx, flowID, l.Now())
	if errors.Is(err, fault.NotFound) {
		return Answered{}, fault.NotFound.Errorf("This answers a test of settings that is over, or was started again. Start it again from its link.").Coded("login_test_not_found")
	}
	if err != nil {
		return Answered{}, fmt.Errorf("find test: %w", err)
	}
	if t.TraceID != "" {
		return Answered{TestID: t.ID}, nil
	}
	m, err := l.draft(ctx, t)
	if err != nil {
		return Answered{}, err
	}
	leave, err := l.Checks.Enter(ctx)
	if err != nil {
		return Answered{}, err
	}
	defer leave()
	want := m.Expect(l.Now())
	report := l.Provider.Explain(m.IdP, try.raw, want)
	trace := l.Traces.begin(m.OrganizationID, session.Method{Kind: session.SAML, ID: m.ID}, TraceTested, l.Now())
	story := Story{Report: report, Test: true, IP: try.client.IP, UserAgent: bounded(try.client.UserAgent)}
	if !report.Accepted {
		trace.Outcome, trace.Code = TraceRefused, report.Code
		story.Message = report.Message()
	}
	if err := l.Traces.seal(&trace, story, try.raw); err != nil {
		return Answered{}, err
	}
	err = l.Store.Tx(ctx, func(ctx context.Context) error {
		if err := l.Traces.Store.AddTrace(ctx, trace); err != nil {
			return err
		}
		return l.Traces.Store.EndTest(ctx, t.ID, trace.ID)
	})
	if err != nil && !errors.Is(err, fault.NotFound) { // another answer was quicker
		return Answered{}, fmt.Errorf("keep outcome of test: %w", err)
	}
	return Answered{TestID: t.ID}, nil
}

// isTest says whether an answer is to a test, and to which login.
func (l *Login) isTest(try *attempt) (flowID string, yes bool) {
	if l.Traces == nil || try.raw == nil {
		return "", false
	}
	t, ok := l.Provider.TicketOf(try.method.ID, try.raw, l.Now())
	return t.FlowID, ok && t.Purpose == sso.ToTest
}
