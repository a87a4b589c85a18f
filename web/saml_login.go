package web

import (
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// A samlPage sends the browser on to an identity provider that takes requests
// by POST.
type samlPage struct {
	page
	Way  way
	URL  string
	Form []sso.Field
}

// startSAML starts a login at an identity provider: ?return_to=/path says
// where it leads, ?intent=signup that it is to make an account. It is a link
// and not a form: Chromium applies a page's form-action to the redirects after
// its form, and this one leads to another site.
func (s *site) startSAML(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	if err := errOnlyGet(w, r); err != nil {
		return err
	}
	id, err := s.methodID(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	purpose := sso.ToLogin
	switch query.Get("intent") {
	case "", "login":
	case "signup":
		purpose = sso.ToSignup
	default:
		return fault.Invalid.Errorf("The intent of a login is signup, or left out.").At("intent")
	}
	browser := s.Cookies.Browser(r)
	m, request, err := s.Login.Begin(r.Context(), id, purpose, &browser, query.Get("return_to"), s.client(r))
	if err != nil {
		i, _ := s.method(r)
		return s.at(r.Context(), i, err)
	}
	if err := s.Cookies.SaveBrowser(w, r, browser); err != nil {
		return err
	}
	if request.Binding != sso.Post {
		return see(w, r, request.URL)
	}
	p := &samlPage{
		page: narrow("On to " + m.Name),
		Way:  way{Provider: m.Name, Organization: m.Organization},
		URL:  request.URL,
		Form: request.Form,
	}
	p.policy = policy{script: true, formTo: request.Origin}
	return s.render(w, r, http.StatusOK, "saml", p)
}
