package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/session"
)

// tokensPath is where people see what stands for them.
const (
	tokensPath = "/profile/tokens"
	tokenPath  = tokensPath + "/{token}"
)

// A tokensPage lists a person's personal tokens and sessions.
type tokensPage struct {
	page
	Personal []tokenView
	Sessions []tokenView
}

// A tokenView is a token as its own person sees it. Its text is never known.
type tokenView struct {
	Prefix   string
	URL      string
	Name     string // its description, or what stands in for one
	Personal bool
	Mine     bool // of this session
	Method   string
	Device   bool // it went to a program by a typed code
	Made     moment
	MadeFrom string // the program, and the address if it is known
	Expires  moment
	Extends  string // by how long each use extends it; empty: it does not
	Used     bool
	LastUse  moment
	By       string // the program that used it last
	From     string // from this address; may be empty
	Ranges   []string
	Scopes   []string
}

func (s *site) listTokens(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	frame, err := s.console(r, v, "Tokens and sessions", "tokens")
	if err != nil {
		return err
	}
	all, err := s.Tokens.List(r.Context(), v.User.ID)
	if err != nil {
		return err
	}
	p := &tokensPage{page: frame}
	for _, t := range slices.Backward(all) {
		switch view := s.viewToken(r.Context(), v, t); {
		case view.Personal:
			p.Personal = append(p.Personal, view)
		case view.Mine:
			p.Sessions = slices.Insert(p.Sessions, 0, view)
		default:
			p.Sessions = append(p.Sessions, view)
		}
	}
	return s.render(w, r, http.StatusOK, "tokens", p)
}

func (s *site) viewToken(ctx context.Context, v gate.Visit, t session.Token) tokenView {
	view := tokenView{
		Prefix: t.Prefix, URL: tokenURL(t), Personal: t.Kind == session.PersonalToken, Mine: t.Hash == v.Bearer.Hash, Device: t.Device,
		Method: s.methodName(ctx, t.Method), Made: s.moment(t.CreatedAt), MadeFrom: programName(t.UserAgent),
		Expires: s.moment(t.ExpiresAt), Scopes: t.Scopes,
	}
	if t.IP.IsValid() {
		view.MadeFrom += ", " + t.IP.Unmap().String()
	}
	view.Name = cmp.Or(t.Description, "Without a description")
	if !view.Personal {
		view.Name = cmp.Or(t.Description, programName(t.UserAgent))
	}
	if t.ExtendWhenUsed {
		view.Extends = lifetimeWords(t.MaxAge)
	}
	for _, one := range t.Ranges {
		view.Ranges = append(view.Ranges, one.String())
	}
	if view.Used = !t.LastUse.At.IsZero(); view.Used {
		view.LastUse, view.By = s.moment(t.LastUse.At), programName(t.LastUse.UserAgent)
		if t.LastUse.IP.IsValid() {
			view.From = t.LastUse.IP.Unmap().String()
		}
	}
	return view
}

// Whole reports whether nothing narrows the token.
func (v tokenView) Whole() bool { return len(v.Ranges) == 0 && len(v.Scopes) == 0 }

// ScopeList is the scopes in one line.
func (v tokenView) ScopeList() string { return strings.Join(v.Scopes, ", ") }

// RangeList is the ranges in one line.
func (v tokenView) RangeList() string { return strings.Join(v.Ranges, ", ") }

// methodName is how somebody logged in, in words.
func (s *site) methodName(ctx context.Context, m session.Method) string {
	switch m.Kind {
	case session.Password:
		return "Password"
	case session.Recovery:
		return "Recovery link"
	}
	if i, err := s.IdPs.Store.IdP(ctx, m.ID); err == nil {
		return i.Name + " of " + s.nameOf(ctx, i.OrganizationID).Name
	}
	return "Single sign-on"
}

// token finds one of the visitor's tokens by its prefix. A whole token has no
// business in an address, and is not found.
func (s *site) token(r *http.Request, v gate.Visit) (session.Token, error) {
	all, err := s.Tokens.List(r.Context(), v.User.ID)
	if err != nil {
		return session.Token{}, err
	}
	for _, t := range all {
		if t.Prefix == r.PathValue("token") {
			return t, nil
		}
	}
	return session.Token{}, fault.NotFound.Errorf("You have no token that begins so. It may have been revoked, or it expired.").Coded("token_not_found")
}

func tokenURL(t session.Token) string { return tokensPath + "/" + t.Prefix }
