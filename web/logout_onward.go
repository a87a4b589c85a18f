package web

import (
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/login"
	"gatehouse/sso"
)

// A logoutOnwardPage carries a logout message to an identity provider.
type logoutOnwardPage struct {
	page
	Way  way
	URL  string
	Form []sso.Field
	Ours bool // the logout started here
}

// carryLogout is the page that sends the browser on with a message. Identity
// providers open our logout URL in frames, to end several sessions at once, so
// that theirs may hold this page. It has nothing to be clicked by mistake.
func (s *site) carryLogout(w http.ResponseWriter, r *http.Request, m login.Method, message *sso.Request, title string) error {
	p := &logoutOnwardPage{
		page: narrow(title),
		Way:  way{Provider: m.Name, Organization: m.Organization},
		URL:  message.URL,
		Form: message.Form,
		Ours: message.Form == nil || message.Form[0].Name == "SAMLRequest",
	}
	p.csp = csp{script: true, formTo: message.Origin}
	if !p.Ours {
		p.csp.within = message.Origin
		w.Header().Del("X-Frame-Options")
	}
	return s.render(w, r, http.StatusOK, "logout-onward", p)
}

// carryOn is for programs: they end their session, and their person opens this
// link to end the one at the identity provider.
func (s *site) carryOn(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	if err := errOnlyGet(w, r); err != nil {
		return err
	}
	out, err := s.Login.OpenLogout(r.Context(), r.URL.Query().Get("request"))
	if err != nil {
		return err
	}
	return s.carryLogout(w, r, out.Method, out.Request, "On to "+out.Method.Name)
}

// A logoutDonePage says what became of a logout.
type logoutDonePage struct {
	page
	Way       way
	MethodID  string
	Confirmed bool         // the session at the identity provider is over too
	There     bool         // it asked for the logout itself
	Present   account.User // who is logged in in this browser all the same
}

// showLogoutDone says what became of a logout that went to an identity provider.
// What it says of that was written into its address by us; what it says of this
// browser it looks up.
func (s *site) showLogoutDone(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	told, ok := s.Login.ReadTold(r.URL.Query().Get("told"))
	if !ok {
		return see(w, r, "/login")
	}
	p := &logoutDonePage{page: narrow("Logged out"), MethodID: told.MethodID, Confirmed: told.Confirmed, Present: s.visitor(r).User}
	i, err := s.IdPs.Store.IdP(r.Context(), told.MethodID)
	if err != nil {
		return err
	}
	p.Way = way{Provider: i.Name, Organization: s.nameOf(r.Context(), i.OrganizationID).Name}
	if p.Present.ID != "" {
		p.Title = "Logged in still"
	}
	return s.render(w, r, http.StatusOK, "logout-done", p)
}

// loggedOutBy is the page for who was logged out by an identity provider that
// has no address for our response.
func (s *site) loggedOutBy(r *http.Request, out login.AnsweredLogout) *logoutDonePage {
	return &logoutDonePage{
		page: narrow("Logged out"), MethodID: out.Method.ID, There: true, Present: s.visitor(r).User,
		Way: way{Provider: out.Method.Name, Organization: out.Method.Organization},
	}
}
