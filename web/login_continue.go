package web

import (
	"context"
	"crypto/sha256"
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
	return s.finishLogin(w, r, r.URL.Query().Get("flow"), false)
}

// confirmLogin is the same, once the person was asked and said yes.
func (s *site) confirmLogin(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	return s.finishLogin(w, r, form.Get("flow"), true)
}

func (s *site) finishLogin(w http.ResponseWriter, r *http.Request, flow string, confirmed bool) error {
	v, browser := s.visitor(r), s.Cookies.Browser(r)
	step, err := s.Login.Finish(r.Context(), login.Finish{
		FlowID: flow, Browser: &browser, Client: s.client(r), Confirmed: confirmed,
		Present: session.Bearer{Token: v.Token, User: v.User},
	})
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
		return s.at(r.Context(), s.methodOf(r.Context(), flow, browser), err)
	}
	if step.Ask != nil {
		return s.ask(w, r, flow, *step.Ask)
	}
	if step.Done.Linked {
		return see(w, r, done(step.Done.ReturnTo, "linked"))
	}
	if err := s.revoke(r, "replaced by a new login in the same browser"); err != nil {
		return err
	}
	if err := s.Cookies.Begin(w, r, step.Done.Text, step.Done.Token, s.Now()); err != nil {
		return err
	}
	return see(w, r, step.Done.ReturnTo)
}

// ask shows what a person has to say yes to.
func (s *site) ask(w http.ResponseWriter, r *http.Request, flow string, q login.Question) error {
	titles := map[login.QuestionKind]string{
		login.AskContinue: "Continue as somebody else?",
		login.AskAccept:   "Continue as " + q.As + "?",
		login.AskLink:     "Link your account?",
	}
	p := &askPage{page: narrow(titles[q.Kind]), Flow: flow, Question: q}
	if q.MethodID != "" {
		p.Way, _ = s.wayOf(r.Context(), q.MethodID, "")
	}
	return s.render(w, r, http.StatusOK, "ask", p)
}

// revoke ends the token in the request's cookie, whether or not it still
// counts; reason is for the audit log.
func (s *site) revoke(r *http.Request, reason string) error {
	old := s.Cookies.Token(r)
	if old == "" {
		return nil
	}
	return s.Tokens.Revoke(r.Context(), sha256.Sum256([]byte(old)), session.End{Reason: reason, IP: s.address(r), UserAgent: r.UserAgent()})
}

// methodOf names the identity provider of a flow that went wrong, to the
// browser that began it and nobody else.
func (s *site) methodOf(ctx context.Context, flow string, b session.Browser) *sso.IdP {
	f, err := s.Login.Store.Flow(ctx, flow, s.Now())
	if err != nil || f.Browser != sso.BrowserHash(b.Secret) || f.Method.Kind != session.SAML {
		return nil
	}
	i, err := s.IdPs.Store.IdP(ctx, f.Method.ID)
	if err != nil {
		return nil
	}
	return i
}
