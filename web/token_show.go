package web

import (
	"net/http"

	"gatehouse/gate"
	"gatehouse/session"
)

// A tokenPage shows one token, and lets its person call it something else. The
// page that asks before a token is revoked has the token alone.
type tokenPage struct {
	page
	Token       tokenView
	Description field
}

func (s *site) newTokenPage(r *http.Request, v gate.Visit, t session.Token, title string) (*tokenPage, error) {
	view := s.viewToken(r.Context(), v, t)
	frame, err := s.console(r, v, title+view.Name, "tokens")
	return &tokenPage{page: frame, Token: view, Description: descriptionField(t.Description)}, err
}

func (s *site) showToken(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.showOneToken(w, r, v, "token", "")
}

func (s *site) confirmRevokeToken(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.showOneToken(w, r, v, "token-revoke", "Revoke ")
}

func (s *site) showOneToken(w http.ResponseWriter, r *http.Request, v gate.Visit, template, title string) error {
	t, err := s.token(r, v)
	if err != nil {
		return err
	}
	p, err := s.newTokenPage(r, v, t, title)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, template, p)
}

// renameToken changes what a person calls a token.
func (s *site) renameToken(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	t, err := s.token(r, v)
	if err != nil {
		return err
	}
	if _, err := s.Tokens.Describe(r.Context(), v.Holder(), t.Prefix, form.Get("description")); err != nil {
		p, broken := s.newTokenPage(r, v, t, "")
		if broken != nil {
			return broken
		}
		p.Description.Value = form.Get("description")
		return s.again(w, r, "token", p, err, &p.Description)
	}
	return see(w, r, done(tokenURL(t), "token-described"))
}

// revokeToken ends a token. With that of the session itself, its person is
// logged out.
func (s *site) revokeToken(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	t, err := s.token(r, v)
	if err != nil {
		return err
	}
	if err := s.Tokens.RevokeNamed(r.Context(), v.Holder(), t.Prefix); err != nil {
		return err
	}
	if t.Hash != v.Bearer.Hash {
		return see(w, r, done(tokensPath, "token-revoked"))
	}
	if err := s.Cookies.End(w, r); err != nil {
		return err
	}
	return see(w, r, done("/login", "logged-out"))
}

// An endAllPage asks before everything ends that stands for a person.
type endAllPage struct {
	page
	Personal string // how many, in words
	Sessions string
}

func (s *site) confirmEndAll(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	frame, err := s.console(r, v, "End all tokens and sessions", "tokens")
	if err != nil {
		return err
	}
	all, err := s.Tokens.List(r.Context(), v.User.ID)
	if err != nil {
		return err
	}
	personal := 0
	for _, t := range all {
		if t.Kind == session.PersonalToken {
			personal++
		}
	}
	p := &endAllPage{page: frame, Personal: count(personal, "personal token"), Sessions: count(len(all)-personal, "session")}
	return s.render(w, r, http.StatusOK, "token-end-all", p)
}

// endAll ends all tokens and sessions of the visitor, this one with them.
func (s *site) endAll(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	if _, err := s.Tokens.ExpireAll(r.Context(), v.Holder()); err != nil {
		return err
	}
	if err := s.Cookies.End(w, r); err != nil {
		return err
	}
	return see(w, r, done("/login", "tokens-ended"))
}
