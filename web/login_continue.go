package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

// An askPage asks a person before a login ends.
type askPage struct {
	page
	Flow     string
	Question login.Question
	Way      way // the identity provider; zero for a password
}

// continueLogin is where every login ends: the flow becomes a session, if it
// began in this browser. A session that the browser still had ends with it.
func (s *site) continueLogin(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	if err := errOnlyGet(w, r); err != nil {
		return err
	}
	return s.finishLogin(w, r, r.URL.Query().Get("flow"), "")
}

// confirmLogin is the same, once the person was asked and said yes.
func (s *site) confirmLogin(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	return s.finishLogin(w, r, form.Get("flow"), form.Get("question"))
}

func (s *site) finishLogin(w http.ResponseWriter, r *http.Request, flow, yes string) error {
	v, browser := s.visitor(r), s.Cookies.Browser(r)
	step, err := s.Login.Finish(r.Context(), login.Finish{
		FlowID: flow, Browser: &browser, Client: s.client(r), Yes: yes,
		Present: v.Bearer,
	})
	if err == nil && step.Done != nil {
		return s.finished(w, r, *step.Done, browser)
	}
	// A browser that had no secret yet has to keep the one that it was given,
	// also where the login does not end: loading the page again says the same.
	if saved := s.Cookies.SaveBrowser(w, r, browser); saved != nil {
		return saved
	}
	if err != nil {
		// Going back in the browser leads here again, after the login worked.
		if fault.Of(err).Code == "login_expired" && v.LoggedIn() {
			return see(w, r, "/")
		}
		return s.refusedLogin(r.Context(), flow, browser, err)
	}
	return s.ask(w, r, flow, *step.Ask)
}

// finished gives the browser what it earned. The flow is used up by now: the
// cookie comes first, and what fails besides is left to the log, since it must
// not cost the person their login.
func (s *site) finished(w http.ResponseWriter, r *http.Request, out login.Outcome, browser session.Browser) error {
	to := out.ReturnTo
	if out.Linked {
		to = done(to, "linked")
	} else {
		// Once the new cookie is set, the request gives that one.
		old := s.Cookies.Token(r)
		if err := s.Cookies.Begin(w, r, out.Text, out.Token, s.Now()); err != nil {
			return err
		}
		if err := s.revoke(r, old, "replaced by a new login in the same browser"); err != nil {
			s.lost(w, r, "session before a login not ended", err)
		}
	}
	if err := s.Cookies.SaveBrowser(w, r, browser); err != nil {
		s.lost(w, r, "browser not remembered", err)
	}
	return see(w, r, to)
}

// lost logs what failed beside a request that did its work.
func (s *site) lost(w http.ResponseWriter, r *http.Request, what string, err error) {
	s.Log.WarnContext(r.Context(), what, "request_id", w.Header().Get("X-Request-Id"), "error", err)
}

// ask shows what a person has to say yes to.
func (s *site) ask(w http.ResponseWriter, r *http.Request, flow string, q login.Question) error {
	titles := map[login.QuestionKind]string{
		login.AskContinue: "Continue as somebody else?",
		login.AskAccept:   "Continue as " + q.As + "?",
		login.AskLink:     "Link your account?",
		login.AskClaim:    "Take over the account with your address?",
	}
	p := &askPage{page: narrow(titles[q.Kind]), Flow: flow, Question: q}
	if q.MethodID != "" {
		p.Way, _ = s.wayOf(r.Context(), q.MethodID, "")
	}
	return s.render(w, r, http.StatusOK, "ask", p)
}

// revoke ends a token of a cookie, whether or not it still counts; an empty one
// is none. reason is for the audit log.
func (s *site) revoke(r *http.Request, token, reason string) error {
	if token == "" {
		return nil
	}
	return s.Tokens.Revoke(r.Context(), sha256.Sum256([]byte(token)), session.End{Reason: reason, IP: s.address(r), UserAgent: r.UserAgent()})
}

// refusedLogin gives a login that was refused the identity provider where it
// came from, and what an administrator can do: to the browser that began it and
// nobody else.
func (s *site) refusedLogin(ctx context.Context, flow string, b session.Browser, err error) error {
	f, broken := s.Login.Store.Flow(ctx, flow, s.Now())
	if broken != nil || f.Browser != sso.BrowserHash(b.Secret) || f.Method.Kind != session.SAML {
		return err
	}
	i, broken := s.IdPs.Store.IdP(ctx, f.Method.ID)
	if broken != nil {
		return err
	}
	at := s.at(ctx, i, err)
	if no := (*refusal)(nil); errors.As(at, &no) {
		no.Admin = s.adminAdvice(ctx, f, i, fault.Of(err).Code)
	}
	return at
}
