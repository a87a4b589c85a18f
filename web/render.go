package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates are the pages by name. Each page has its own set: what it defines
// is nobody else's.
type templates map[string]*template.Template

// parseTemplates reads every page together with the parts, which are the
// files that begin with an underscore.
func parseTemplates(a assets) templates {
	all := templates{}
	names, err := fs.Glob(templateFiles, "templates/[a-z]*.html")
	if err != nil {
		panic(err) // the pattern is ours
	}
	for _, file := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), ".html")
		t := template.New(name + ".html").Funcs(template.FuncMap{"asset": a.address})
		all[name] = template.Must(t.ParseFS(templateFiles, "templates/_*.html", file))
	}
	return all
}

// A page is what every page knows. Page structs embed it.
type page struct {
	Title        string // of the window; also the page's h1
	User         account.User
	Organization account.Organization // where one is; zero outside of any
	SuperAdmin   bool                 // there
	Memberships  []account.Membership // for the rail
	Refused      []gate.Refused       // organizations that do not admit this login
	Section      string               // which entry of the rail one is at
	Flash        string               // what a form just did
	Problems     []problem            // what is wrong with what was typed
	Host         string               // what the address bar should show

	csp csp
}

// A problem is an entry of the summary above a form.
type problem struct {
	Field   string // id of the input to go to; empty if it is about the whole
	Label   string // its name on the page
	Message string
}

// head gives the page within a page struct.
func (p *page) head() *page { return p }

// Script reports whether the page may load our scripts.
func (p *page) Script() bool { return p.csp.script }

// A csp is what a page's Content-Security-Policy adds to nothing at all.
type csp struct {
	script bool   // our own script files
	frame  bool   // our own pages, in frames
	formTo string // the origin that the page's form goes to; empty: ours
	within string // the origin whose pages may hold this one in a frame; empty: none
}

func (p csp) String() string {
	to := "'self'"
	if p.formTo != "" {
		to = p.formTo
	}
	around := "'none'"
	if p.within != "" {
		around = p.within
	}
	s := "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action " + to + "; frame-ancestors " + around + "; base-uri 'none'"
	if p.frame {
		s += "; frame-src 'self'"
	}
	if p.script {
		s += "; script-src 'self'"
	}
	return s
}

// render writes a page. It is made whole first, so that a template that fails
// leaves nothing half written.
func (s *site) render(w http.ResponseWriter, r *http.Request, status int, name string, p interface{ head() *page }) error {
	p.head().Host = s.host()
	p.head().Flash = flashes[r.URL.Query().Get("done")]
	var out bytes.Buffer
	if err := s.templates[name].Execute(&out, p); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", p.head().csp.String())
	w.WriteHeader(status)
	// An error here means that the browser went away.
	_, _ = w.Write(out.Bytes())
	return nil
}

// flashes are the messages after a form. The query names one; its text never
// comes from there.
var flashes = map[string]string{
	"session-over":         "Your session is over. Log in to go on.",
	"logged-out":           "You are logged out.",
	"profile-saved":        "Your profile is saved.",
	"password-changed":     "Your password is changed. Every other session and every token of yours has ended.",
	"address-confirmed":    "The email address is confirmed.",
	"account-closed":       "The account is closed. Whoever made it cannot use it any more.",
	"verification-mailed":  "A link is on its way to your email address. It is good for 24 hours.",
	"policy-saved":         "The policy is saved, and holds from now on.",
	"policy-tried":         "The change is on trial.",
	"policy-confirmed":     "The change is confirmed, and holds for everybody.",
	"policy-discarded":     "The change is discarded. The policy is as it was before.",
	"policy-trial-over":    "No change is being tried any more.",
	"policy-trial-pending": "Nothing was saved: a change is being tried already. Confirm or discard it first.",
	"way-cut":              "You cannot log in that way any more.",
	"way-cut-ended":        "That way to log in is cut, and your session ended with it.",
	"token-described":      "The description is saved.",
	"token-revoked":        "It is revoked, and counts nowhere any more.",
	"tokens-ended":         "All your tokens and sessions have ended, this one with them.",
	"organization-added":   "The organization is added, and you are its super admin.",
	"organization-renamed": "The organization has its new name.",
	"idp-added":            "The identity provider is added. Nobody can log in through it until the set-up is finished.",
	"idp-configured":       "The identity provider is configured and enabled.",
	"idp-updated":          "The identity provider's side is updated.",
	"metadata-saved":       "Saved. If there is an address, the metadata was fetched, and says what is set now.",
	"metadata-unchanged":   "Fetched. The metadata says what is set.",
	"metadata-held":        "Fetched. The metadata says something else than is set: see below.",
	"metadata-applied":     "What the metadata says is set now.",
	"metadata-superseded":  "Somebody changed the settings meanwhile, or another fetch was faster. Fetch again to be sure.",
	"metadata-discarded":   "The change is discarded. It is brought again only if the metadata changes once more, or somebody fetches it here.",
	"idp-saved":            "The settings are saved.",
	"idp-enabled":          "The identity provider is enabled. People can log in through it.",
	"idp-disabled":         "The identity provider is disabled. Sessions that came from it do not count until it is enabled again.",
	"key-prepared":         "The next key is prepared, and stands in our metadata. Nothing else has changed yet.",
	"key-switched":         "The key is switched. Requests are signed with the new one from now on.",
	"key-cancelled":        "The next key is cancelled.",
	"key-forgotten":        "The previous key is forgotten. What is encrypted to it is refused.",
	"domain-added":         "The domain is added. It counts once you have proved that it is yours.",
	"domain-verified":      "The domain is verified.",
	"domain-saved":         "The domain is to be proved this way.",
	"domain-linked":        "The identity provider is linked. It speaks for the domain as long as that is verified.",
	"domain-unlinked":      "The identity provider does not speak for the domain any more. Whoever logged in through it still can.",
	"domain-removed":       "The domain is removed. Whom your organization manages it manages still.",
	"domains-linked":       "The domains are linked.",
	"domains-none":         "No domain was chosen, so none is linked.",
	"person-released":      "The account is released: nobody manages it any more.",
	"person-removed":       "They do not belong to your organization any more.",
	"left":                 "You do not belong to the organization any more.",
	"group-added":          "The group is made. Add people to it.",
	"group-saved":          "The group is saved.",
	"group-deleted":        "The group is deleted.",
	"group-member-added":   "They are in the group.",
	"group-member-removed": "They are not in the group any more.",
	"device-approved":      "The program is logged in.",
	"device-refused":       "The program is not logged in.",
	"linked":               "Your account is linked to the identity provider. You can log in through it from now on.",
	"response-deleted":     "What the identity provider sent is deleted. The rest of the attempt stays.",
	"idp-deleted":          "The identity provider is deleted. Sessions that came from it have ended.",
}

// done is the address of a page with a message.
func done(path, message string) string {
	return path + "?done=" + url.QueryEscape(message)
}

// console makes the page of somebody who is logged in.
func (s *site) console(r *http.Request, v gate.Visit, title, section string) (page, error) {
	mine, left, err := s.Gate.Organizations(r.Context(), v)
	if err != nil {
		return page{}, err
	}
	return page{
		Title:        title,
		User:         v.User,
		Organization: v.Organization,
		SuperAdmin:   v.Member.SuperAdmin,
		Memberships:  mine,
		Refused:      left,
		Section:      section,
	}, nil
}

// narrow makes a page of the login.
func narrow(title string) page { return page{Title: title} }

// blame puts an error at the input that it names, and into the summary above
// the form, so that what was typed stays. It reports false for errors that are
// not about what was typed: those have pages of their own.
func (p *page) blame(err error, inputs ...input) bool {
	f := fault.Of(err)
	switch f.Kind {
	case fault.Invalid, fault.Exists, fault.Conflict, fault.Denied, fault.TooMany, fault.Unavailable:
	default:
		return false
	}
	for _, in := range inputs {
		if in.is(f.Field) {
			p.Problems = append(p.Problems, in.wrong(inConsole(f.Message)))
			return true
		}
	}
	p.Problems = append(p.Problems, problem{Message: inConsole(f.Message)})
	return true
}

// again shows a form once more, with what is wrong. Errors that are not about
// the form are returned.
func (s *site) again(w http.ResponseWriter, r *http.Request, name string, p interface{ head() *page }, err error, inputs ...input) error {
	if !p.head().blame(err, inputs...) {
		return err
	}
	setRetryAfter(w, fault.Of(err))
	return s.render(w, r, fault.Of(err).Kind.Status(), name, p)
}
