package demoidp

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"gatehouse/internal/fault"
)

//go:embed page.html
var pageSource string

//go:embed style.css
var styleSource string

// scriptSource posts the answer without a further click. Where scripts are
// off, the button that it would have pressed is there.
const scriptSource = `document.forms[0].submit()`

// A site is the identity provider as a web site.
type site struct {
	*IdP
	page   *template.Template
	policy string // Content-Security-Policy up to form-action
}

// A page is what page.html shows; the fields that a view does not need are
// zero.
type page struct {
	View   string // "home", "login", "answer" or "problem"
	Title  string
	Style  template.CSS
	Script template.JS
	Name   string // of the organization

	SPs      []SP      // home
	Request  Request   // login, answer
	Users    []User    // login
	Mistakes []Mistake // login

	Action string     // answer: where the form goes
	Form   url.Values // answer

	Problem string // problem: what is wrong, a sentence
	Field   string // problem: the parameter at fault
}

// Handler serves the identity provider:
//
//	GET  /          the applications that a login can start for
//	GET  /metadata
//	GET  /sso       a request by the Redirect binding: the login page
//	POST /sso       a request by the POST binding: the login page
//	GET  /start     the login page for ?sp=<entity id>, unasked
//	POST /login     the person's choice: the form for the service provider
//
// The form of the login page may be posted by a program, too: sp, request,
// format and relay as the page has them, user, and mistake if one is wanted.
func (p *IdP) Handler() http.Handler {
	s := &site{
		IdP:    p,
		page:   template.Must(template.New("page").Parse(pageSource)),
		policy: "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; img-src data:; style-src " + hashOf(styleSource) + "; script-src " + hashOf(scriptSource) + "; form-action ",
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /metadata", s.metadata)
	mux.HandleFunc("GET /sso", s.redirect)
	mux.HandleFunc("POST /sso", s.post)
	mux.HandleFunc("GET /start", s.start)
	mux.Handle("POST /login", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.login)))
	return mux
}

func hashOf(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (s *site) home(w http.ResponseWriter, r *http.Request) {
	s.show(w, http.StatusOK, page{View: "home", Title: "Your applications", SPs: s.registered()})
}

func (s *site) metadata(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(s.Metadata())
}

func (s *site) redirect(w http.ResponseWriter, r *http.Request) {
	q, err := s.ReadRedirect(r.URL.Query())
	s.choose(w, q, err)
}

func (s *site) post(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	q, err := s.ReadPost(form)
	s.choose(w, q, err)
}

func (s *site) start(w http.ResponseWriter, r *http.Request) {
	q, err := s.Unsolicited(r.FormValue("sp"), r.FormValue("RelayState"))
	s.choose(w, q, err)
}

// choose shows the login page. Nobody stays logged in here, so a request that
// forbids a page is answered that somebody would have to be asked.
func (s *site) choose(w http.ResponseWriter, q Request, err error) {
	if err != nil {
		s.fail(w, err)
		return
	}
	if q.Passive {
		s.answer(w, q, s.Refuse(q, NoPassive, "Nobody is logged in."))
		return
	}
	s.show(w, http.StatusOK, page{View: "login", Title: "Sign in", Request: q, Users: s.Users, Mistakes: Mistakes})
}

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	form, err := readForm(w, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	q, err := s.Unsolicited(form.Get("sp"), form.Get("relay"))
	if err != nil {
		s.fail(w, err)
		return
	}
	q.ID, q.Format = form.Get("request"), form.Get("format")
	if form.Has("cancel") {
		s.answer(w, q, s.Refuse(q, AuthnFailed, "The person cancelled the login."))
		return
	}
	u, ok := s.User(form.Get("user"))
	if !ok {
		s.fail(w, fault.Invalid.Errorf("Nobody here is called %q", form.Get("user")).At("user"))
		return
	}
	response := s.Prepare(q, u)
	if name := form.Get("mistake"); name != "" {
		m, ok := MistakeNamed(name)
		if !ok {
			s.fail(w, fault.Invalid.Errorf("There is no mistake called %q", name).At("mistake"))
			return
		}
		m.Make(&response)
	}
	s.answer(w, q, response)
}

// answer shows the page that posts a response to the service provider.
func (s *site) answer(w http.ResponseWriter, q Request, r Response) {
	action, form, err := s.Form(q, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	s.show(w, http.StatusOK, page{View: "answer", Title: "Signing in", Request: q, Action: action, Form: form})
}

// fail shows what is wrong with a request. Causes stay here: they may hold
// what the person did not write.
func (s *site) fail(w http.ResponseWriter, err error) {
	f := fault.Of(err)
	s.show(w, f.Kind.Status(), page{View: "problem", Title: "This login cannot go on", Problem: f.Message, Field: f.Field})
}

// show writes a page. A form may lead to this site and to the service
// provider's: Chromium applies form-action to the redirects behind a form as
// well, and a login that bounces comes back here.
func (s *site) show(w http.ResponseWriter, status int, v page) {
	targets := "'self'"
	if u, err := url.Parse(v.Action); err == nil && u.Host != "" {
		targets += " " + u.Scheme + "://" + u.Host
	}
	v.Name, v.Style, v.Script = s.Name, template.CSS(styleSource), scriptSource
	var b bytes.Buffer
	if err := s.page.Execute(&b, v); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", s.policy+targets)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "strict-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// readForm reads a bounded form from the body, and from nowhere else.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, fault.TooLarge.Errorf("The form is longer than %d bytes", maxForm)
	}
	if err != nil {
		return nil, fault.Invalid.Errorf("The form cannot be read").Because(fmt.Errorf("parse form: %w", err))
	}
	return r.PostForm, nil
}
