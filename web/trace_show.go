package web

import (
	"net/http"
	"net/url"

	"gatehouse/gate"
	"gatehouse/login"
	"gatehouse/sso"
)

// A tracePage shows one attempt to log in.
type tracePage struct {
	page
	URL    string
	Method string
	IdPURL string // the page of the identity provider; empty for a password
	Trace  traceView

	// Again is the same response judged by the settings as they are now; nil
	// where that was not asked for.
	Again *traceView

	// Link is a link that shows this attempt to somebody else, just made.
	Link *copyView
	Ends moment
}

// A copyView is a value to be copied, as the part "copy" draws it.
type copyView struct{ ID, Label, Hint, Value string }

// showTrace shows an attempt: ?show=attributes with what it says of the person,
// which is recorded.
func (s *site) showTrace(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, _, err := s.tracePage(r, v, r.URL.Query().Get("show") == "attributes")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "trace", p)
}

func (s *site) tracePage(r *http.Request, v gate.Visit, shown bool) (*tracePage, login.Told, error) {
	told, err := s.Traces.Find(r.Context(), v.Organization.ID, r.PathValue("trace"))
	if err != nil {
		return nil, told, err
	}
	if shown {
		if err := s.Traces.Revealed(r.Context(), v.Actor, told.Trace); err != nil {
			return nil, told, err
		}
	}
	frame, err := s.console(r, v, "Attempt "+told.Words, "login-traces")
	if err != nil {
		return nil, told, err
	}
	names, err := s.methodNames(r, v)
	if err != nil {
		return nil, told, err
	}
	p := &tracePage{page: frame, URL: tracesAt(v.Organization.ID) + "/" + told.ID, Method: methodName(told.Trace, names)}
	if told.Method.ID != "" {
		p.IdPURL = "/organization/" + url.PathEscape(v.Organization.ID) + "/identity-providers/" + url.PathEscape(told.Method.ID)
	}
	p.Trace, err = s.viewTrace(r.Context(), v.Organization, told, shown)
	return p, told, err
}

// recheckTrace judges an attempt's response once more, and changes nothing.
func (s *site) recheckTrace(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, told, err := s.tracePage(r, v, false)
	if err != nil {
		return err
	}
	report, err := s.Traces.Recheck(r.Context(), v.Organization, told.ID, sso.Change{})
	if err != nil {
		return s.again(w, r, "trace", p, err)
	}
	told.Outcome, told.Code = login.TraceTested, report.Code
	if !report.Accepted {
		told.Outcome = login.TraceRefused
	}
	told.Story.Report, told.Story.Message = report, report.Message()
	again, err := s.viewTrace(r.Context(), v.Organization, told, false)
	if err != nil {
		return err
	}
	if report.Accepted {
		again.Outcome = status{"It would be accepted now", "ok"}
	} else {
		again.Outcome = status{"It would be refused now", "bad"}
	}
	p.Again = &again
	return s.render(w, r, http.StatusOK, "trace", p)
}

// shareTrace makes a link to an attempt. It is shown in the answer itself,
// since nothing keeps it.
func (s *site) shareTrace(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	p, told, err := s.tracePage(r, v, false)
	if err != nil {
		return err
	}
	path, ends, err := s.Traces.Share(r.Context(), v.Actor, v.Organization.ID, told.ID, form.Get("show_attributes") != "", 0)
	if err != nil {
		return s.again(w, r, "trace", p, err)
	}
	p.Link = &copyView{ID: "share", Label: "Link", Hint: "Whoever has it sees this one attempt, without logging in here. It is shown once.", Value: s.Base + path}
	p.Ends = s.moment(ends)
	p.csp.script = true
	return s.render(w, r, http.StatusOK, "trace", p)
}

func (s *site) dropTraceResponse(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, told, err := s.tracePage(r, v, false)
	if err != nil {
		return err
	}
	if err := s.Traces.DropResponse(r.Context(), v.Actor, v.Organization.ID, told.ID); err != nil {
		return s.again(w, r, "trace", p, err)
	}
	return see(w, r, done(p.URL, "response-deleted"))
}

// A sharedTracePage shows one attempt to whoever has a link to it.
type sharedTracePage struct {
	page
	Provider string
	Place    string // the organization's name
	Trace    traceView
	Ends     moment
}

func (s *site) showSharedTrace(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	told, share, err := s.Traces.Shared(r.Context(), r.PathValue("secret"), s.client(r))
	if err != nil {
		return err
	}
	p := &sharedTracePage{page: narrow("An attempt to log in"), Provider: "a password", Ends: s.moment(share.ExpiresAt)}
	org := s.nameOf(r.Context(), told.OrganizationID)
	p.Place = org.Name
	if told.Method.ID != "" {
		p.Provider = told.Method.ID
		if m, err := s.Login.Store.Method(r.Context(), told.Method.ID); err == nil {
			p.Provider = m.Name
		}
	}
	if p.Trace, err = s.viewTrace(r.Context(), org, told, share.Attributes); err != nil {
		return err
	}
	p.Trace.Address, p.Trace.Browser = "", "" // the organization's own business
	return s.render(w, r, http.StatusOK, "trace-shared", p)
}

// A loginTestPage runs a test of settings, and shows what came of it.
type loginTestPage struct {
	page
	Provider string
	Place    string
	Start    string // the address that starts it; empty once it has its outcome
	Ends     moment
	Trace    traceView
}

func (s *site) showLoginTest(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	id := r.PathValue("test")
	t, m, told, err := s.Login.Tested(r.Context(), id, s.client(r))
	if err != nil {
		return err
	}
	p := &loginTestPage{page: narrow("Try the settings of " + m.Name), Provider: m.Name, Place: m.Organization, Ends: s.moment(t.ExpiresAt)}
	if told == nil {
		p.Start = login.TestPath(id) + "/start"
		return s.render(w, r, http.StatusOK, "login-test", p)
	}
	p.Title = "The settings of " + m.Name + " work"
	if told.Outcome == login.TraceRefused {
		p.Title = "The settings of " + m.Name + " do not work yet"
	}
	if p.Trace, err = s.viewTrace(r.Context(), s.nameOf(r.Context(), m.OrganizationID), *told, true); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "login-test", p)
}

func (s *site) startLoginTest(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	if err := errOnlyGet(w, r); err != nil {
		return err
	}
	if to, moved := s.movedTo(r); moved {
		return see(w, r, to)
	}
	// Whoever has the link sees what the identity provider says of the person:
	// nobody runs a test unasked, because another site sent them.
	if s.cameFrom(r) != "same-origin" {
		return see(w, r, login.TestPath(r.PathValue("test")))
	}
	browser := s.Cookies.Browser(r)
	m, request, err := s.Login.BeginTest(r.Context(), r.PathValue("test"), &browser, s.client(r))
	if err != nil {
		return err
	}
	if err := s.Cookies.SaveBrowser(w, r, browser); err != nil {
		return err
	}
	if request.Binding != sso.Post {
		return see(w, r, request.URL)
	}
	return s.sendOn(w, r, m, request)
}

// newLoginTest prepares a login with the settings as they stand in the form, or
// as they are where the form has none, and leads to the page that runs it.
func (s *site) newLoginTest(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostMetadata)
	if err != nil {
		return err
	}
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	edited, setUp := form.Has("authentication_method_name"), form.Has("saml_idp_metadata")
	change := sso.Change{}
	switch {
	case edited:
		change, err = changeOf(form, i)
	case setUp:
		change, err = setupChange(form), missing(form)
	}
	var t login.Test
	if err == nil {
		t, err = s.Login.NewTest(r.Context(), v.Actor, v.Organization, i.ID, change)
	}
	switch {
	case err == nil:
		return see(w, r, login.TestPath(t.ID))
	case edited:
		return s.editAgain(w, r, v, i, form, err)
	case setUp:
		return s.setupAgain(w, r, v, i, form, err)
	}
	return err
}
