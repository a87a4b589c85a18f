package web

import (
	"context"
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
)

// loginMethodsPath is where people see how they can log in.
const (
	loginMethodsPath = "/profile/login-methods"
	loginMethodPath  = loginMethodsPath + "/{way}"
)

// A loginMethodsPage lists how the visitor can log in.
type loginMethodsPage struct {
	page
	Ways []loginWayView
}

// A loginWayView is a way to log in as its own person sees it.
type loginWayView struct {
	login.Way
	Title   string // "Password", or the identity provider's name
	State   status
	Added   moment
	Used    bool
	LastUse moment
	From    string // may be empty
	CutURL  string
}

func (s *site) showLoginMethods(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	all, err := s.loginWays(r.Context(), v)
	if err != nil {
		return err
	}
	frame, err := s.console(r, v, "Ways to log in", "login-methods")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "login-methods", &loginMethodsPage{page: frame, Ways: all})
}

func (s *site) loginWays(ctx context.Context, v gate.Visit) ([]loginWayView, error) {
	all, err := s.Login.Ways(ctx, v.Bearer)
	if err != nil {
		return nil, err
	}
	views := make([]loginWayView, len(all))
	for n, one := range all {
		view := loginWayView{Way: one, Title: one.Name, State: status{"Usable", "ok"}, Added: s.moment(one.CreatedAt), CutURL: loginMethodsPath + "/" + one.ID + "/delete"}
		if one.Kind == session.Password {
			view.Title = "Password"
		}
		if !one.Usable {
			view.State = status{"Not usable", "off"}
		}
		if view.Used = !one.LastUsedAt.IsZero(); view.Used {
			view.LastUse = s.moment(one.LastUsedAt)
		}
		if one.LastIP.IsValid() {
			view.From = one.LastIP.Unmap().String()
		}
		views[n] = view
	}
	return views, nil
}

// A cutPage asks before a way to log in is cut.
type cutPage struct {
	page
	Ways     []loginWayView // that are cut: of one identity provider, or the password
	Ask      bool           // it takes more than this session
	Password field
	Has      bool   // the visitor has a password
	Again    string // where to log in again instead
}

func (s *site) newCutPage(r *http.Request, v gate.Visit) (*cutPage, error) {
	all, err := s.loginWays(r.Context(), v)
	if err != nil {
		return nil, err
	}
	p := &cutPage{Password: presentPassword(), Again: againPath(loginMethodsPath)}
	for _, one := range all {
		if one.ID == r.PathValue("way") {
			p.Ways = append(p.Ways, one)
		}
		p.Has = p.Has || one.ID == login.PasswordWay
	}
	if len(p.Ways) == 0 {
		return nil, fault.NotFound.Errorf("You have no such way to log in.").Coded("authentication_method_not_found")
	}
	p.Ask = !s.showsThemselves(v, p.Ways[0])
	p.page, err = s.console(r, v, "Cut "+p.Ways[0].Title, "login-methods")
	return p, err
}

// showsThemselves guesses whether login.Unlink takes this session without a
// password, so that the form can ask for one at once.
func (s *site) showsThemselves(v gate.Visit, cut loginWayView) bool {
	if s.Now().Sub(v.Bearer.LoggedIn) > freshLogin {
		return false
	}
	from := v.Bearer.MethodOrganizationID
	return v.Bearer.Method.Kind == session.Password || from == v.User.ManagingOrganizationID || from == cut.OrganizationID
}

func (s *site) confirmCut(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newCutPage(r, v)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "login-method-cut", p)
}

// cutLoginMethod cuts a way to log in, with the sessions and tokens that it
// made.
func (s *site) cutLoginMethod(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	browser := s.Cookies.Browser(r)
	ended, err := s.Login.Unlink(r.Context(), v.Bearer, r.PathValue("way"), form.Get("password"), &browser, s.client(r))
	if err != nil {
		p, broken := s.newCutPage(r, v)
		if broken != nil {
			return broken
		}
		if f := fault.Of(err); f.Code == "authentication_failed" || f.Code == "login_too_old" {
			p.Ask, err = true, f.At("password")
		}
		return s.again(w, r, "login-method-cut", p, err, &p.Password)
	}
	if !ended {
		return see(w, r, done(loginMethodsPath, "way-cut"))
	}
	if err := s.Cookies.End(w, r); err != nil {
		return err
	}
	return see(w, r, done("/login", "way-cut-ended"))
}
