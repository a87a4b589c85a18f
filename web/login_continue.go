package web

import (
	"context"
	"crypto/sha256"
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/session"
	"gatehouse/sso"
)

// continueLogin is where every login ends: the flow becomes a session, if it
// began in this browser. A session that the browser still had ends with it.
func (s *site) continueLogin(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	if err := errOnlyGet(w, r); err != nil {
		return err
	}
	flow := r.URL.Query().Get("flow")
	browser := s.Cookies.Browser(r)
	out, err := s.Login.Finish(r.Context(), flow, &browser, s.client(r))
	if err != nil {
		// Going back in the browser leads here again, after the login worked.
		if fault.Of(err).Code == "login_expired" && s.visitor(r).LoggedIn() {
			return see(w, r, "/")
		}
		return s.at(r.Context(), s.methodOf(r.Context(), flow, browser), err)
	}
	if err := s.revoke(r); err != nil {
		return err
	}
	if err := s.Cookies.Begin(w, r, out.Text, out.Token, s.Now()); err != nil {
		return err
	}
	if err := s.Cookies.SaveBrowser(w, r, browser); err != nil {
		return err
	}
	return see(w, r, out.ReturnTo)
}

// revoke ends the token in the request's cookie, whether or not it still
// counts.
func (s *site) revoke(r *http.Request) error {
	old := s.Cookies.Token(r)
	if old == "" {
		return nil
	}
	return s.Tokens.Revoke(r.Context(), sha256.Sum256([]byte(old)))
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
