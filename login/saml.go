package login

import (
	"context"
	"errors"
	"fmt"

	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/session"
	"gatehouse/sso"
)

// Begin starts a login at an identity provider: it gives the request to send
// the browser to the IdP with, and notes in b where the login leads to. It
// stores nothing. It returns fault.NotFound, fault.Denied if the method is not
// enabled, and fault.TooMany.
func (l *Login) Begin(ctx context.Context, methodID string, purpose sso.Purpose, b *session.Browser, returnTo string, c Client) (Method, *sso.Request, error) {
	if err := l.Limits.Take(ctx, startsByAddress, limit.Address(c.IP)); err != nil {
		return Method{}, nil, err
	}
	m, err := l.usable(ctx, methodID)
	if err != nil {
		return Method{}, nil, err
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

// usable finds an identity provider that people may log in through now.
func (l *Login) usable(ctx context.Context, methodID string) (Method, error) {
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
	if !m.Usable {
		return Method{}, errDisabled()
	}
	return m, nil
}

// AnswerSAML takes a response that a browser brought from an identity
// provider. If it holds, the request and the assertion are used up and a flow
// is kept, in one transaction; its id is returned, for the browser to finish.
//
// A response that does not hold is fault.Denied, caused by a *sso.Rejection.
// The browser is not known yet: a cross-site POST carries no cookies of ours.
func (l *Login) AnswerSAML(ctx context.Context, methodID, samlResponse, relayState string, c Client) (flowID string, err error) {
	address := limit.Address(c.IP)
	if err := l.Limits.Check(ctx, refusalsByAddress, address); err != nil {
		return "", err
	}
	flowID, err = l.answerSAML(ctx, methodID, samlResponse, relayState)
	if r := (*sso.Rejection)(nil); errors.As(err, &r) {
		if limited := l.Limits.Take(ctx, refusalsByAddress, address); limited != nil {
			return "", limited
		}
	}
	return flowID, err
}

func (l *Login) answerSAML(ctx context.Context, methodID, samlResponse, relayState string) (string, error) {
	m, err := l.usable(ctx, methodID)
	if err != nil {
		return "", err
	}
	idp := m.IdP
	raw, err := sso.DecodeResponse(samlResponse)
	if err != nil {
		return "", refused(err)
	}
	want := idp.Expect(l.Now())
	want.Ticket = l.Provider.Tickets(idp.ID, want.Now)
	a, err := l.Provider.Check(idp, raw, want)
	if err != nil {
		return "", refused(err)
	}
	// Some IdPs drop RelayState; none has a reason to change it.
	if relayState != "" && relayState != a.Ticket.FlowID {
		return "", refused(&sso.Rejection{
			Code:    "relay_state_mismatch",
			Message: "The relay state that came back belongs to another login.",
			Remedy:  "Start again from the login page. If it happens every time, the identity provider replaces the relay state: remove its default relay state for logins that start here.",
		})
	}
	return l.keep(ctx, idp, a)
}

// keep uses up the request and the assertion, and keeps the flow.
func (l *Login) keep(ctx context.Context, idp *sso.IdP, a *sso.Assertion) (string, error) {
	now := l.Now()
	f := Flow{
		ID:      a.Ticket.FlowID,
		Browser: a.Ticket.Browser,
		Method:  session.Method{Kind: session.SAML, ID: idp.ID},
		Purpose: a.Ticket.Purpose,
		Claim: Claim{
			SubjectKind: a.Subject.Kind, Subject: a.Subject.Value, Email: a.Email,
			FirstName: a.FirstName, LastName: a.LastName, RealName: a.RealName,
			Groups: a.Groups, SessionEnds: a.SessionEnds,
		},
		AnsweredAt: now,
		ExpiresAt:  now.Add(sso.TicketLifetime),
	}
	err := l.Store.Tx(ctx, func(ctx context.Context) error {
		// The flow's id is the request's, and the row outlives the ticket:
		// that it can be added is what makes this the request's one answer.
		if err := l.Store.AddFlow(ctx, f); err != nil {
			return used(err, "request_used", "This login was answered already.")
		}
		if err := l.Store.UseOnce(ctx, "assertion "+idp.ID, a.ID, a.UsableUntil); err != nil {
			return used(err, "assertion_replayed", "This response was used already.")
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("keep answer for %s: %w", idp.ID, err)
	}
	for _, w := range a.Warnings {
		l.Log.WarnContext(ctx, "saml warning", "method", idp.ID, "organization", idp.OrganizationID, "warning", w)
	}
	return f.ID, nil
}

func used(err error, code, message string) error {
	if !errors.Is(err, fault.Exists) {
		return err
	}
	return refused(&sso.Rejection{Code: code, Message: message, Remedy: "Start again from the login page. Each response of an identity provider counts once; going back in the browser sends an old one again."})
}

// refused makes a rejection a fault that its reader may see.
func refused(err error) error {
	var r *sso.Rejection
	if !errors.As(err, &r) {
		return err
	}
	return fault.Denied.Errorf("%s", r.Message).Coded(r.Code).Because(r)
}
