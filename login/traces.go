package login

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/limit"
	"gatehouse/internal/seal"
	"gatehouse/sso"
)

// The most that one page lists.
const mostTraces = 100

// A Told is a trace that is opened, for whoever may read it.
type Told struct {
	Trace
	Story Story

	// Since says that the report was made just now, of a response that was
	// accepted, and that its settings are others since.
	Since bool
}

// A TraceList is one page of traces, newest first.
type TraceList struct {
	Traces  []Trace
	Next    string // the cursor of the next page; empty on the last
	Refused int    // attempts that were refused of which no trace is kept, as far as the filter goes by method and time
}

// List lists an organization's traces. before is the cursor of the page before,
// or empty; most is from 1 to 100. It returns fault.Invalid at the field.
func (t *Traces) List(ctx context.Context, f TraceFilter, before string, most int) (TraceList, error) {
	if most < 1 || most > mostTraces {
		return TraceList{}, fault.Invalid.Errorf("Say a number from 1 to %d.", mostTraces).At("page_size")
	}
	if f.Since.IsZero() {
		f.Since = t.Now().Add(-t.KeepFor)
	}
	found, err := t.Store.Traces(ctx, f, before, most+1)
	if err != nil {
		return TraceList{}, fmt.Errorf("list traces: %w", err)
	}
	out := TraceList{Traces: found}
	if len(found) > most {
		out.Traces, out.Next = found[:most], found[most-1].ID
	}
	if out.Refused, err = t.Store.Refused(ctx, f); err != nil {
		return TraceList{}, fmt.Errorf("count refused attempts: %w", err)
	}
	return out, nil
}

// Get opens one trace of an organization. It returns fault.NotFound if there is
// none with this id.
func (t *Traces) Get(ctx context.Context, organizationID, id string) (Told, error) {
	tr, err := t.Store.Trace(ctx, organizationID, id)
	if errors.Is(err, fault.NotFound) {
		return Told{}, errNoTrace()
	}
	if err != nil {
		return Told{}, fmt.Errorf("find trace: %w", err)
	}
	return t.tell(ctx, tr)
}

// Find is Get for an id or three words.
func (t *Traces) Find(ctx context.Context, organizationID, idOrWords string) (Told, error) {
	words, err := ident.ParseWords(idOrWords)
	if err != nil {
		return t.Get(ctx, organizationID, idOrWords)
	}
	found, err := t.Store.Traces(ctx, TraceFilter{OrganizationID: organizationID, Words: words}, "", 1)
	if err != nil {
		return Told{}, fmt.Errorf("find trace: %w", err)
	}
	if len(found) == 0 {
		return Told{}, errNoTrace()
	}
	return t.Get(ctx, organizationID, found[0].ID)
}

// Vendor guesses whose words an administrator of a trace's identity provider
// reads.
func (t *Traces) Vendor(ctx context.Context, org account.Organization, told Told) (sso.Vendor, error) {
	if told.Story.Report == nil {
		return sso.Generic, nil
	}
	idp, err := t.IdPs.Get(ctx, org, told.Method.ID)
	if err != nil && !errors.Is(err, fault.NotFound) { // it may be deleted since
		return "", err
	}
	return told.Story.Report.Vendor(idp), nil
}

// tell opens a trace, and makes its report where none is kept.
func (t *Traces) tell(ctx context.Context, tr Trace) (Told, error) {
	story, err := t.story(tr)
	if errors.Is(err, seal.ErrKey) {
		return Told{}, fault.Internal.Errorf("The trace was sealed with keys that this server does not have.").Because(err)
	}
	told := Told{Trace: tr, Story: story}
	if err != nil || story.Report != nil || tr.Response == nil {
		return told, err
	}
	raw, err := t.Keys.Open(TracePurpose(tr.ID), tr.Response)
	if err != nil {
		return Told{}, fmt.Errorf("open response of %s: %w", tr.ID, err)
	}
	idp, err := t.Store.IdP(ctx, tr.Method.ID)
	if err != nil {
		return Told{}, fmt.Errorf("find identity provider of %s: %w", tr.ID, err)
	}
	want := idp.Expect(tr.At)
	want.Unsolicited = story.Unsolicited
	told.Story.Report = t.Provider.Explain(idp, raw, want)
	told.Since = idp.UpdatedAt.After(tr.At)
	return told, nil
}

func errNoTrace() *fault.Error {
	return fault.NotFound.Errorf("The organization has no such trace. Traces are deleted when their time is over.").Coded("login_trace_not_found")
}

// Revealed writes that somebody looked at what a trace says of a person.
func (t *Traces) Revealed(ctx context.Context, by account.Actor, tr Trace) error {
	return t.Audit.Record(ctx, by.Did(audit.TraceReveal, tr.OrganizationID, tr.target(), nil))
}

func (tr Trace) target() audit.Target {
	return audit.Target{Kind: "login_trace", ID: tr.ID, Name: tr.Words}
}

// Recheck judges the response of a trace by the settings of its method as they
// are now, or as they would be with a change, at the time at which it came. It
// lets nobody in. It returns fault.NotFound if there is no such trace,
// fault.Conflict with code login_trace_response_deleted if its response is not
// kept, and fault.Invalid as IdPs.Update does.
func (t *Traces) Recheck(ctx context.Context, org account.Organization, id string, c sso.Change) (*sso.Report, error) {
	told, err := t.Get(ctx, org.ID, id)
	if err != nil {
		return nil, err
	}
	if told.Response == nil {
		return nil, fault.Conflict.Errorf("The response of this attempt is not kept: it was deleted, or it was nobody's. Only what is in the trace is left.").Coded("login_trace_response_deleted")
	}
	raw, err := t.Keys.Open(TracePurpose(id), told.Response)
	if err != nil {
		return nil, fmt.Errorf("open response of %s: %w", id, err)
	}
	idp, err := t.IdPs.Draft(ctx, org, told.Method.ID, c)
	if err != nil {
		return nil, err
	}
	want := idp.Expect(told.At)
	want.Unsolicited = idp.IdPLoginAllowed
	return t.Provider.Explain(idp, raw, want), nil
}

// DropResponse deletes what the identity provider sent, and keeps the rest of
// the trace, with the report. It returns fault.NotFound if there is no such trace, and
// fault.Conflict if its response is not kept.
func (t *Traces) DropResponse(ctx context.Context, by account.Actor, organizationID, id string) error {
	return t.Store.Tx(ctx, func(ctx context.Context) error {
		tr, err := t.Store.Trace(ctx, organizationID, id)
		if errors.Is(err, fault.NotFound) {
			return errNoTrace()
		}
		if err != nil {
			return err
		}
		told, err := t.tell(ctx, tr)
		if err == nil {
			err = t.seal(&tr, told.Story, nil)
		}
		if err == nil {
			err = t.Store.EndTrace(ctx, tr)
		}
		if err != nil {
			return err
		}
		if err := t.Store.DropTraceResponse(ctx, organizationID, id); err != nil {
			if errors.Is(err, fault.NotFound) {
				return fault.Conflict.Errorf("The response of this attempt is not kept any more.").Coded("login_trace_response_deleted")
			}
			return err
		}
		return t.Audit.Record(ctx, by.Did(audit.TraceDropResponse, organizationID, tr.target(), nil))
	})
}

// A Share is a link that shows one trace, for a time, to whoever has it: to the
// administrator of the identity provider, who has no account here.
type Share struct {
	Hash       [32]byte
	TraceID    string
	Attributes bool // what the trace says of the person is shown too
	ExpiresAt  time.Time
}

// The bounds of how long a share lasts.
const (
	shareFor      = 72 * time.Hour
	leastShareFor = 5 * time.Minute
	mostShareFor  = 7 * 24 * time.Hour
)

// Share makes a link to a trace, for so long; 0 is three days. It gives the
// path of the link, which is not kept. It returns fault.Invalid at
// expires_in_seconds, and fault.NotFound if there is no such trace.
func (t *Traces) Share(ctx context.Context, by account.Actor, organizationID, id string, attributes bool, lasts time.Duration) (path string, ends time.Time, err error) {
	if lasts == 0 {
		lasts = shareFor
	}
	if lasts < leastShareFor || lasts > mostShareFor {
		return "", time.Time{}, fault.Invalid.Errorf("Say from 300 (five minutes) to 604800 (seven days).").At("expires_in_seconds")
	}
	secret := ident.Secret(32)
	s := Share{Hash: sha256.Sum256([]byte(secret)), TraceID: id, Attributes: attributes, ExpiresAt: t.Now().Add(lasts)}
	err = t.Store.Tx(ctx, func(ctx context.Context) error {
		tr, err := t.Store.Trace(ctx, organizationID, id)
		if errors.Is(err, fault.NotFound) {
			return errNoTrace()
		}
		if err != nil {
			return err
		}
		if err := t.Store.AddShare(ctx, s); err != nil {
			return err
		}
		shown := audit.Details{"until": s.ExpiresAt.UTC().Format(time.RFC3339)}
		if attributes {
			shown["attributes"] = "true"
		}
		return t.Audit.Record(ctx, by.Did(audit.TraceShare, organizationID, tr.target(), shown))
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return "/login-trace/" + secret, s.ExpiresAt, nil
}

// Shared opens the trace that a link leads to. It returns fault.NotFound if
// there is no such link, or not any more, and fault.TooMany where too many were
// tried.
func (t *Traces) Shared(ctx context.Context, secret string, c Client) (Told, Share, error) {
	address := limit.Address(c.IP)
	if err := t.Limits.Take(ctx, sharesByAddress, address); err != nil {
		return Told{}, Share{}, err
	}
	s, tr, err := t.Store.Share(ctx, sha256.Sum256([]byte(secret)), t.Now())
	if errors.Is(err, fault.NotFound) {
		return Told{}, Share{}, fault.NotFound.Errorf("This link shows nothing any more, or never did. Ask whoever sent it for a new one.").Coded("login_trace_link_over")
	}
	if err != nil {
		return Told{}, Share{}, fmt.Errorf("find link to trace: %w", err)
	}
	_ = t.Limits.Return(ctx, sharesByAddress, address)
	told, err := t.tell(ctx, tr)
	return told.elsewhere(), s, err
}
