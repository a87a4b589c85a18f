package web

import (
	"net/http"
	"net/url"
	"strings"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
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
		// A page of another site must not log a browser in as somebody whom
		// its maker chose: whoever comes from there is asked once.
		if from := s.cameFrom(r); from != "same-origin" && from != "none" {
			purpose = sso.ToLoginAsked
		}
	case "signup":
		// Making an account takes a yes on our own page: another site's link
		// leads there first.
		if s.cameFrom(r) != "same-origin" {
			return see(w, r, "/signup/"+url.PathEscape(r.PathValue("method")))
		}
		purpose = sso.ToSignup
	default:
		return fault.Invalid.Errorf("The intent of a login is signup, or left out.").At("intent")
	}
	// A provider's URLs are as old as it is. The login has to begin where it
	// will end: the browser's secret is kept for one host.
	if to, moved := s.movedTo(r); moved {
		return see(w, r, to)
	}
	browser := s.Cookies.Browser(r)
	if query.Get("bounce") == "1" {
		if err := s.bounce(w, r, id, &browser); err != nil {
			return err
		}
	}
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
	return s.sendOn(w, r, m, request)
}

// cameFrom is what the browser says of the page that led here, in the words of
// Sec-Fetch-Site (W3C Fetch Metadata): none stands for a bookmark or a typed
// address, and a redirect counts as where its chain was farthest away. Browsers
// before 2023, and all of them at plain http, do not say it; there, a Referer of
// ours, which no other site can make, counts as same-origin, and nothing else
// does: another site can leave its own out.
func (s *site) cameFrom(r *http.Request) string {
	if from := r.Header.Get("Sec-Fetch-Site"); from != "" {
		return from
	}
	if strings.HasPrefix(r.Referer(), s.Base+"/") {
		return "same-origin"
	}
	return "cross-site"
}

// movedTo is the same address under the present public URL, where the browser
// came by another name. It is said once: a proxy may hide the name.
func (s *site) movedTo(r *http.Request) (string, bool) {
	base, err := url.Parse(s.Base)
	query := r.URL.Query()
	if err != nil || strings.EqualFold(base.Host, r.Host) || query.Get("moved") == "1" {
		return "", false
	}
	query.Set("moved", "1")
	return s.Base + withQuery(r.URL.EscapedPath(), query), true
}

// bounce notes that a login is started once more, or refuses to do it twice.
func (s *site) bounce(w http.ResponseWriter, r *http.Request, id string, browser *session.Browser) error {
	err := s.Login.Bounce(id, browser)
	if err == nil {
		return nil
	}
	if saved := s.Cookies.SaveBrowser(w, r, *browser); saved != nil {
		return saved
	}
	i, _ := s.method(r)
	return s.at(r.Context(), i, err)
}

// sendOn is the page that leads to an identity provider.
func (s *site) sendOn(w http.ResponseWriter, r *http.Request, m login.Method, request *sso.Request) error {
	p := &samlPage{
		page: narrow("On to " + m.Name),
		Way:  way{Provider: m.Name, Organization: m.Organization},
		URL:  request.URL,
		Form: request.Form,
	}
	p.csp = csp{script: true, formTo: request.Origin}
	return s.render(w, r, http.StatusOK, "saml", p)
}
