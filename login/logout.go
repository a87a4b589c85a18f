package login

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/session"
	"gatehouse/sso"
)

// LogoutStore is what logouts need of storage, besides what logins do.
type LogoutStore interface {
	// Principal gives what the identity provider with this id calls the login
	// behind a token. It returns fault.NotFound if there is no such token.
	Principal(ctx context.Context, hash [sha256.Size]byte) (p session.Principal, methodID string, err error)

	// SessionsNamed lists the sessions by logins through a method of the person
	// that it calls by the name with this key. Personal tokens are none of them.
	SessionsNamed(ctx context.Context, methodID, key string) ([]session.Named, error)

	// DropFlows ends the logins of that person that are under way: answered,
	// and not finished.
	DropFlows(ctx context.Context, methodID, key string) error

	// DeleteToken is session.Store's.
	DeleteToken(ctx context.Context, hash [sha256.Size]byte) (session.Deleted, error)
}

// A Backchannel speaks to identity providers without a browser.
type Backchannel interface {
	// PostSOAP posts a SOAP message and gives the answer, bounded in size and
	// time.
	PostSOAP(ctx context.Context, address string, body []byte) ([]byte, error)
}

// backchannelTime is how long an identity provider may take to hear of a
// logout. The session here is over before it is asked.
const backchannelTime = 10 * time.Second

// The most that is kept of what an identity provider calls people and sessions,
// in bytes. Of what is longer nothing is kept: single logout does without.
const (
	mostNameID       = 2048
	mostSessionIndex = 512
)

// named notes what the identity provider calls the person and the session.
func (c *Claim) named(m Method, a *sso.Assertion) {
	n := a.NameID
	if n.Value == "" || len(n.Value)+len(n.Format)+len(n.NameQualifier)+len(n.SPNameQualifier) > mostNameID {
		return
	}
	c.NameID, c.NameKey = n, m.NameKey(n)
	if len(a.SessionIndex) <= mostSessionIndex {
		c.SessionIndex = a.SessionIndex
	}
}

// principal is how a session remembers it.
func (c *Claim) principal() session.Principal {
	if c.NameKey == "" {
		return session.Principal{}
	}
	name, err := json.Marshal(c.NameID)
	if err != nil {
		return session.Principal{} // four texts can always be written
	}
	return session.Principal{Name: string(name), Key: c.NameKey, Index: c.SessionIndex}
}

// principal gives what the identity provider calls the login behind a token;
// the zero Principal where there is no such token, or no such name.
func (l *Login) principal(ctx context.Context, hash [sha256.Size]byte) (session.Principal, string, error) {
	p, methodID, err := l.Store.Principal(ctx, hash)
	if errors.Is(err, fault.NotFound) {
		return session.Principal{}, "", nil
	}
	return p, methodID, err
}

// A LoggedOut is what is left to do of a logout that started here. The session
// is over already.
type LoggedOut struct {
	// Method is the identity provider that the session came from, where that is
	// told of logouts; else it is zero, and so is the rest.
	Method Method

	// Request is what the browser carries there; nil where no browser is needed.
	Request *sso.Request

	// Confirmed says that the identity provider, spoken to without a browser,
	// ended its session too.
	Confirmed bool

	principal session.Principal
}

// LogOut ends a session, and has the identity provider that it came from end its
// own. Whatever becomes of that, the session here is over first: an error says
// that it may not be.
func (l *Login) LogOut(ctx context.Context, hash [sha256.Size]byte, how session.End) (LoggedOut, error) {
	p, methodID, unknown := l.principal(ctx, hash)
	if err := l.Tokens.Revoke(ctx, hash, how); err != nil {
		return LoggedOut{}, err
	}
	if unknown == nil && p.Key == "" {
		return LoggedOut{}, nil
	}
	out, err := LoggedOut{}, unknown
	if err == nil {
		out, err = l.tellOfLogout(ctx, p, methodID)
	}
	if err != nil {
		l.Log.WarnContext(ctx, "identity provider is not told of a logout", "method", methodID, "err", err)
	}
	return out, nil
}

// tellOfLogout asks an identity provider to end its session, or makes what the
// browser asks it with.
func (l *Login) tellOfLogout(ctx context.Context, p session.Principal, methodID string) (LoggedOut, error) {
	out, err := l.requestLogout(ctx, p, methodID)
	if err != nil || out.Request == nil || out.Request.Binding != sso.SOAP {
		return out, err
	}
	request := out.Request
	out.Request = nil
	err = l.askBack(ctx, out.Method, request)
	out.Confirmed = err == nil
	return out, err
}

// requestLogout makes a request for the end of the session of this principal; an
// identity provider that is told of no logouts gets none.
func (l *Login) requestLogout(ctx context.Context, p session.Principal, methodID string) (LoggedOut, error) {
	m, err := l.there(ctx, methodID)
	if err != nil || !m.CanLogOut() {
		return LoggedOut{}, err
	}
	var name sso.NameID
	if err := json.Unmarshal([]byte(p.Name), &name); err != nil {
		return LoggedOut{}, fmt.Errorf("read name of session: %w", err)
	}
	now := l.Now()
	request, err := l.Provider.LogoutRequest(m.IdP, sso.NewTicket(sso.ToLogout, "", now), name, p.Index, now)
	if err != nil {
		return LoggedOut{}, err
	}
	return LoggedOut{Method: m, Request: request, principal: p}, nil
}

// askBack posts a request to an identity provider, and judges what it says.
func (l *Login) askBack(ctx context.Context, m Method, request *sso.Request) error {
	if l.Backchannel == nil {
		return errors.New("there is no back channel")
	}
	ctx, cancel := context.WithTimeout(ctx, backchannelTime)
	defer cancel()
	body, err := l.Backchannel.PostSOAP(ctx, request.URL, request.Body)
	if err != nil {
		return fmt.Errorf("post logout: %w", err)
	}
	answer, err := sso.ReadLogoutSOAP(body)
	if err == nil {
		_, err = l.Provider.CheckLogoutResponse(m.IdP, answer, l.Now())
	}
	return err
}

// An AnsweredLogout is what comes of a logout message from an identity provider.
type AnsweredLogout struct {
	Method Method

	// Send is our response to a request of theirs, also to one that is refused
	// though it is verifiably theirs; nil where there is nowhere to send it, and
	// where the message was an answer.
	Send *sso.Request

	// Confirmed says that the message was an answer to a logout that started
	// here, by which the session there is over too.
	Confirmed bool

	Sessions int // how many ended here
}

// AnswerLogout takes a logout message that came from an identity provider by
// any binding; bad is why it could not be read. A request that holds is used up,
// and the sessions that it names end, in one transaction: those of this person
// by logins through this method, whoever's browser brought it. One that does not
// hold ends nothing.
//
// A message that does not hold is fault.Denied, caused by a *sso.Rejection. Where
// Send is given with it, that is what the identity provider is to hear.
func (l *Login) AnswerLogout(ctx context.Context, methodID string, message *sso.LogoutMessage, bad error, c Client) (AnsweredLogout, error) {
	address := limit.Address(c.IP)
	if err := l.Limits.Take(ctx, refusalsByAddress, address); err != nil {
		return AnsweredLogout{}, err
	}
	out, err := l.answerLogout(ctx, methodID, message, bad, c)
	if r := (*sso.Rejection)(nil); !errors.As(err, &r) {
		_ = l.Limits.Return(ctx, refusalsByAddress, address)
	}
	return out, err
}

func (l *Login) answerLogout(ctx context.Context, methodID string, message *sso.LogoutMessage, bad error, c Client) (AnsweredLogout, error) {
	m, err := l.there(ctx, methodID)
	if err != nil {
		return AnsweredLogout{}, err
	}
	out := AnsweredLogout{Method: m}
	if bad != nil {
		return out, refused(bad)
	}
	leave, err := l.Checks.Enter(ctx)
	if err != nil {
		return out, err
	}
	defer leave()
	if message.Answer {
		_, err := l.Provider.CheckLogoutResponse(m.IdP, message, l.Now())
		out.Confirmed = err == nil
		return out, refused(err)
	}
	request, err := l.Provider.CheckLogoutRequest(m.IdP, message, l.Now())
	if err == nil {
		l.warn(ctx, m, &sso.Assertion{Allowances: request.Allowances, Warnings: request.Warnings})
		out.Sessions, err = l.endNamed(ctx, m, request, c)
	}
	r := (*sso.Rejection)(nil)
	if err != nil && !errors.As(err, &r) {
		return out, fmt.Errorf("end sessions of %s: %w", m.ID, err)
	}
	if request != nil {
		status := sso.LogoutDone
		if err != nil {
			status = sso.LogoutRefused
		}
		var unsent error
		if out.Send, unsent = l.Provider.LogoutResponse(m.IdP, message.Binding, request, status, l.Now()); unsent != nil {
			l.Log.WarnContext(ctx, "logout of an identity provider is not answered", "method", m.ID, "err", unsent)
		}
	}
	return out, refused(err)
}

// endNamed uses up a request and ends the sessions that it names. What a person
// made to keep, personal tokens, stays: it ends as its owner said.
func (l *Login) endNamed(ctx context.Context, m Method, request *sso.LogoutRequest, c Client) (n int, err error) {
	key := m.NameKey(request.NameID)
	err = l.Store.Tx(ctx, func(ctx context.Context) error {
		n = 0
		err := l.Store.UseOnce(ctx, "logout "+m.ID, request.ID, request.UsableUntil)
		if errors.Is(err, fault.Exists) {
			return sso.LogoutReplayed(request.ID)
		}
		if err != nil {
			return err
		}
		// Logins under way first: one that is being finished right now has its
		// row, and its session is there to be found once that is free.
		if err := l.Store.DropFlows(ctx, m.ID, key); err != nil {
			return err
		}
		named, err := l.Store.SessionsNamed(ctx, m.ID, key)
		if err != nil {
			return err
		}
		for _, s := range named {
			if !request.Names(s.Index) {
				continue
			}
			if err := l.endAtIdP(ctx, m, s, c); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// endAtIdP ends one session because the identity provider asked for it.
func (l *Login) endAtIdP(ctx context.Context, m Method, s session.Named, c Client) error {
	gone, err := l.Store.DeleteToken(ctx, s.Hash)
	if errors.Is(err, fault.NotFound) {
		return nil // its owner was faster
	}
	if err != nil {
		return err
	}
	return l.Audit.Record(ctx, audit.Event{
		OrganizationID: m.OrganizationID, Actor: gone.User, Action: audit.SessionEnd,
		Target: audit.Target{Kind: "session", ID: gone.Prefix}, IP: c.IP, UserAgent: c.UserAgent,
		Details: audit.Details{"reason": "logged out at the identity provider", "authentication_method_id": m.ID},
	})
}
