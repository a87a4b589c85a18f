package login

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/session"
	"gatehouse/sso"
)

// Begin starts a login at an identity provider: it gives the request to send
// the browser to the IdP with, and notes in b where the login leads to. It
// stores nothing. It returns fault.NotFound, fault.Denied if the method is not
// enabled, and fault.TooMany.
//
// A browser that has logged in with the method before is not asked, also where
// the purpose is sso.ToLoginAsked: its owner has said yes to this provider, or
// chosen it on a page of ours.
func (l *Login) Begin(ctx context.Context, methodID string, purpose sso.Purpose, b *session.Browser, returnTo string, c Client) (Method, *sso.Request, error) {
	if err := l.Limits.Take(ctx, startsByAddress, limit.Address(c.IP)); err != nil {
		return Method{}, nil, err
	}
	m, err := l.usable(ctx, methodID)
	if err != nil {
		return Method{}, nil, err
	}
	if purpose == sso.ToLoginAsked && slices.Contains(b.Methods, m.ID) {
		purpose = sso.ToLogin
	}
	now := l.Now()
	ticket := sso.NewTicket(purpose, b.Secret, now)
	request, err := l.Provider.Request(m.IdP, ticket, now)
	if err != nil {
		return Method{}, nil, fmt.Errorf("make request to %s: %w", m.ID, err)
	}
	b.Remember(ticket.FlowID, SafeReturn(returnTo))
	return m, request, nil
}

// bounceWindow is within how long an IdP that is asked for a login must not
// answer with one that nobody asked for.
const bounceWindow = time.Minute

// Bounce notes in b that a login which started at the identity provider is
// started once more from here. It returns fault.Denied with code
// unsolicited_after_bounce if that was done a moment ago: the IdP then does
// not answer requests, and would go round in a circle.
func (l *Login) Bounce(methodID string, b *session.Browser) error {
	now := l.Now().Unix()
	last, at, _ := strings.Cut(b.Bounced, "-")
	if when, err := strconv.ParseInt(at, 36, 64); err == nil && last == methodID && now-when < int64(bounceWindow/time.Second) {
		b.Bounced = ""
		return fault.Denied.Errorf("The identity provider was asked for a login and answered as if nobody had asked. An administrator can set “logins that start at the identity provider” to be accepted as they are, if it cannot do otherwise.").Coded("unsolicited_after_bounce")
	}
	b.Bounced = methodID + "-" + strconv.FormatInt(now, 36)
	return nil
}

// usable finds an identity provider that people may log in through now.
func (l *Login) usable(ctx context.Context, methodID string) (Method, error) {
	m, err := l.there(ctx, methodID)
	if err == nil && !m.Usable {
		err = errDisabled()
	}
	return m, err
}

// there finds an identity provider that is not deleted.
func (l *Login) there(ctx context.Context, methodID string) (Method, error) {
	m, err := l.Store.Method(ctx, methodID)
	if errors.Is(err, fault.NotFound) {
		return Method{}, errNoMethod()
	}
	if err != nil {
		return Method{}, fmt.Errorf("find identity provider: %w", err)
	}
	if m.State == sso.Deleted {
		return Method{}, errNoMethod()
	}
	return m.asking(l.Now()), nil
}

// An Answered is what comes of an answer that holds.
type Answered struct {
	// FlowID is the login to be finished; empty if it has to be started again.
	FlowID string

	// ReturnTo is where a login leads that is to be started again from here,
	// because it started at the IdP.
	ReturnTo string

	// TestID is the test of settings that has its outcome now; empty if it was
	// none.
	TestID string
}

// AnswerSAML takes a response that a browser brought from an identity
// provider. If it holds, the request and the assertion are used up and a flow
// is kept, in one transaction, for the browser to finish. One that answers no
// request is used up too; what becomes of it is the method's LoginMode.
//
// A response that does not hold is fault.Denied, caused by a *sso.Rejection.
// The browser is not known yet: a cross-site POST carries no cookies of ours.
func (l *Login) AnswerSAML(ctx context.Context, methodID, samlResponse, relayState string, c Client) (Answered, error) {
	// Counted before it is judged, or many at once would all be judged; given
	// back unless it was refused.
	address := limit.Address(c.IP)
	if err := l.Limits.Take(ctx, refusalsByAddress, address); err != nil {
		return Answered{}, err
	}
	try := &attempt{client: c}
	out, err := l.answerSAML(ctx, try, methodID, samlResponse, relayState)
	if r := (*sso.Rejection)(nil); !errors.As(err, &r) {
		_ = l.Limits.Return(ctx, refusalsByAddress, address)
	}
	return out, l.Traces.refused(ctx, try, err)
}

func (l *Login) answerSAML(ctx context.Context, try *attempt, methodID, samlResponse, relayState string) (Answered, error) {
	m, err := l.there(ctx, methodID)
	if err != nil {
		return Answered{}, err
	}
	try.method = m
	try.raw, try.bad = sso.DecodeResponse(samlResponse)
	if !m.Usable {
		if flowID, yes := l.isTest(try); yes {
			return l.answerTest(ctx, try, flowID)
		}
		return Answered{}, errDisabled()
	}
	if try.bad != nil {
		return Answered{}, refused(try.bad)
	}
	returnTo, isOurs := l.pageOfOurs(relayState)
	try.want = m.Expect(l.Now())
	try.want.Ticket = l.Provider.Tickets(m.ID, try.want.Now)
	try.want.Unsolicited = m.IdPLoginAllowed || isOurs
	a, err := l.check(ctx, try)
	if err != nil {
		if flowID, yes := l.isTest(try); yes {
			return l.answerTest(ctx, try, flowID)
		}
		return Answered{}, err
	}
	if a.Ticket.Purpose == sso.ToTest {
		return l.answerTest(ctx, try, a.Ticket.FlowID)
	}
	l.warn(ctx, m, a)
	if a.InResponseTo == "" {
		return l.answerUnsolicited(ctx, try, a, returnTo)
	}
	// Some IdPs drop RelayState; none has a reason to change it.
	if relayState != "" && relayState != a.Ticket.FlowID {
		return Answered{}, try.refuse("relay_state", &sso.Rejection{
			Code:     "relay_state_mismatch",
			Message:  "The relay state that came back belongs to another login.",
			Expected: a.Ticket.FlowID,
			Got:      bounded(relayState),
			Remedy:   sso.Remedy("relay_state_mismatch", sso.Generic),
		})
	}
	if a.Ticket.Purpose == sso.ToSignup {
		if err := l.Limits.Take(ctx, signupsByMethod, m.ID); err != nil {
			return Answered{}, err
		}
	}
	f := l.flowOf(m, a)
	f.ID, f.Browser, f.Session, f.Purpose = a.Ticket.FlowID, a.Ticket.Browser, a.Ticket.Session, a.Ticket.Purpose
	if f.Claim.Groups, err = l.groupsOf(ctx, m, a); err != nil {
		return Answered{}, err
	}
	if f.Purpose == sso.ToLoginAsked {
		f.Purpose, f.Confirm = sso.ToLogin, true
	}
	return Answered{FlowID: f.ID}, l.keep(ctx, try, a, &f)
}

// check judges a response, when it is its turn.
func (l *Login) check(ctx context.Context, try *attempt) (*sso.Assertion, error) {
	leave, err := l.Checks.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	a, err := l.Provider.Check(try.method.IdP, try.raw, try.want)
	if err != nil {
		return nil, refused(withRemedies(err))
	}
	return a, nil
}

// refuse notes why an answer is refused that holds by itself.
func (a *attempt) refuse(rule string, r *sso.Rejection) error {
	a.beyond = &sso.Judgement{Rule: rule, Result: sso.Fail, Code: r.Code, Message: r.Message, Expected: r.Expected, Got: r.Got}
	return refused(r)
}

// mostClaim bounds a name that is kept, in bytes: whoever makes an account here
// can have a provider that says anything.
const mostClaim = 512

// answerUnsolicited goes on with a response that answers no request. Its id
// is used up in either mode: it must not be good for a second one.
func (l *Login) answerUnsolicited(ctx context.Context, try *attempt, a *sso.Assertion, returnTo string) (Answered, error) {
	m := try.method
	if !m.IdPLoginAllowed || m.IdPLoginMode != sso.Accept {
		return Answered{ReturnTo: returnTo}, l.keep(ctx, try, a, nil)
	}
	f := l.flowOf(m, a)
	f.ID, f.Purpose, f.ReturnTo, f.Confirm = ident.Secret(32), sso.ToLogin, returnTo, true
	var err error
	if f.Claim.Groups, err = l.groupsOf(ctx, m, a); err != nil {
		return Answered{}, err
	}
	return Answered{FlowID: f.ID}, l.keep(ctx, try, a, &f)
}

// flowOf is the flow of an answer; whose it is, is for the caller to say.
func (l *Login) flowOf(m Method, a *sso.Assertion) Flow {
	now := l.Now()
	var allowed []string
	for _, used := range a.Allowances {
		allowed = append(allowed, string(used))
	}
	f := Flow{
		Method: session.Method{Kind: session.SAML, ID: m.ID},
		Claim: Claim{
			SubjectKind: a.Subject.Kind, Subject: a.Subject.Value, Email: a.Email,
			FirstName: bounded(a.FirstName), LastName: bounded(a.LastName), RealName: bounded(a.RealName),
			Allowed: allowed, SessionEnds: a.SessionEnds, Context: bounded(a.AuthnContext),
		},
		AnsweredAt: now,
		ExpiresAt:  now.Add(sso.TicketLifetime),
	}
	f.Claim.named(m, a)
	return f
}

// bounded leaves out a text that is too long to be what it is sent as.
func bounded(name string) string {
	if len(name) > mostClaim {
		return ""
	}
	return name
}

// keep uses up the request and the assertion, and keeps the flow, if there is
// one, and the trace.
func (l *Login) keep(ctx context.Context, try *attempt, a *sso.Assertion, f *Flow) error {
	m := try.method
	trace, err := l.Traces.accepted(ctx, try)
	if err != nil {
		return err
	}
	err = l.Store.Tx(ctx, func(ctx context.Context) error {
		if trace != nil {
			if err := l.Traces.Store.AddTrace(ctx, *trace); err != nil {
				return err
			}
		}
		if f != nil {
			if trace != nil {
				f.TraceID = trace.ID
			}
			// The flow's id is the request's, and the row outlives the ticket:
			// that it can be added is what makes this the request's one answer.
			if err := l.Store.AddFlow(ctx, *f); err != nil {
				return try.used(err, "request_used", "This login was answered already.")
			}
		}
		if err := l.Store.UseOnce(ctx, "assertion "+m.ID, a.ID, a.UsableUntil); err != nil {
			return try.used(err, "assertion_replayed", "This response was used already.")
		}
		return l.Certificates.Used(ctx, m.IdP, a.Certificate)
	})
	if err != nil {
		return fmt.Errorf("keep answer for %s: %w", m.ID, err)
	}
	return nil
}

func (l *Login) warn(ctx context.Context, m Method, a *sso.Assertion) {
	for _, used := range a.Allowances {
		if l.Allowed != nil {
			l.Allowed(used)
		}
	}
	for _, w := range a.Warnings {
		l.Log.WarnContext(ctx, "saml warning", "method", m.ID, "organization", m.OrganizationID, "warning", w)
	}
}

// withRemedies explains a login that started at the IdP, where that is off, as
// the documentation does.
func withRemedies(err error) error {
	var r *sso.Rejection
	if !errors.As(err, &r) || r.Code != "unsolicited" {
		return err
	}
	return &sso.Rejection{
		Code:     "invalid_relay_state",
		Message:  "The login started at the identity provider, and this provider's settings do not admit that.",
		Expected: r.Expected,
		Got:      r.Got,
		Remedy:   sso.Remedy("invalid_relay_state", sso.Generic),
	}
}

func (a *attempt) used(err error, code, message string) error {
	if !errors.Is(err, fault.Exists) {
		return err
	}
	return a.refuse("used_once", &sso.Rejection{Code: code, Message: message, Remedy: sso.Remedy(code, sso.Generic)})
}

// refused makes a rejection a fault that its reader may see.
func refused(err error) error {
	var r *sso.Rejection
	if !errors.As(err, &r) {
		return err
	}
	return fault.Denied.Errorf("%s", r.Message).Coded(r.Code).Because(r)
}
