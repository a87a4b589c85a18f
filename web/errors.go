package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/sso"
)

// An errorPage says what happened, why, what to do, and who can.
type errorPage struct {
	page
	What    string // what happened and why: the fault's own sentence
	Todo    string // what to do, and who can
	Next    link   // the step to take; may be zero
	Refusal *refusal
	Retry   string // when to try again; may be empty
	Code    string
	ID      string // of the request
	Words   string // of the trace, where one is kept
}

// A link leads somewhere.
type link struct {
	Label string
	URL   string
}

// A refusal is an error at an identity provider that is known. It is what
// happened, plus where.
type refusal struct {
	MethodID     string
	Provider     string // its name
	Organization string // its organization's name
	Admin        string // what its administrator can do; may be empty
	Rejection    *sso.Rejection
	err          error
}

// forThePerson has the rejections that the person at the browser can do
// something about. The others are for an administrator.
var forThePerson = map[string]bool{
	"request_used": true, "assertion_replayed": true, "request_expired": true, "unknown_request": true,
	"relay_state_mismatch": true, "in_response_to_mismatch": true, "session_ended": true,
}

// ForPerson reports whether the remedy is for the person at the browser.
func (r *refusal) ForPerson() bool { return forThePerson[r.Rejection.Code] }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// advice is what the page of a kind of error says beyond the error itself.
type advice struct {
	title string
	todo  string
	next  link
}

var (
	toLogin = link{"Go to the login page", "/login"}
	toHome  = link{"Go to the home page", "/"}
)

// byCode has the advice for errors with a code; byKind that for the others.
var byCode = map[string]advice{
	"page_not_found":     {"Page not found", "Check the address, or start from the home page.", toHome},
	"acs_by_get":         {"Nothing to see here", "If a login led you here, start it again from the login page. If it happens every time, tell your organization's administrator that the identity provider has to send its answer by HTTP-POST.", toLogin},
	"method_not_allowed": {"This address works differently", "Go to the page and use its buttons. If a program sent the request, its author has to change it.", toHome},
	"cross_site_request": {"Refused, because it came from another site", "If you meant to do it, open the page here and do it there. If you did not, close the page that you came from.", toHome},
	"session_over":       {"Your session is over", "Going back in the browser brings back what you typed.", link{"Log in", "/login"}},
	"not_a_form":         {"This request cannot be read", "Go back and send the form again. If a program sent the request, its author has to change it.", toHome},
	"form_too_large":     {"This is too much", "Go back and send less. A SAML response gets smaller when the identity provider sends fewer groups: its administrator can filter them.", link{}},

	"login_required":                 {"Log in first", "", toLogin},
	"login_expired":                  {"This login is over", "Start again. If you had finished it before, you may be logged in already.", link{"Start again", "/login"}},
	"recovery_link_over":             {"This link opens nothing any more", "Nobody was logged in. Whoever operates this server can make another link.", toLogin},
	"recovery_elsewhere":             {"Not with a recovery link", "Log in the way you always do to open your other organizations.", toHome},
	"login_in_another_browser":       {"This login began in another browser", "", link{"Log in here", "/login"}},
	"unknown_user_sso_login_attempt": {"No account is linked to you yet", "An administrator of your organization has both links and can send you the right one.", link{"Log in another way", "/login"}},
	"managed_elsewhere":              {"Another organization manages this account", "Log in the way that organization has you log in. If you have changed sides, ask its administrator to release your account, and start again here after that.", link{"Log in another way", "/login"}},
	"own_login_required":             {"Log in your own way first", "Log in to the account as you did until now. The page after that links it to this identity provider, which takes a minute, and is asked once.", toLogin},
	"session_ended":                  {"Your session at the identity provider is over", "Log in there again.", toLogin},
	"unsolicited_after_bounce":       {"The identity provider does not answer requests", "Until that is changed, log in another way if you have one.", toLogin},
	"not_a_member":                   {"You do not belong to this organization", "", toHome},
	"link_in_another_session":        {"This link belongs to another session", "", toHome},
	"identity_linked_elsewhere":      {"Somebody is linked to this person already", "", toHome},
	"email_taken":                    {"This address has an account already", "Log in to that account first, the way you always do. Then ask the administrator of your organization for the account link, and open it in the same browser.", link{"Log in to that account", "/login"}},
	"email_missing":                  {"Your identity provider gave no usable address", "Nothing was created. Once the administrator has changed it, open the signup link again.", link{}},
	"user_deactivated":               {"This account is deactivated", "An administrator of the organization that manages your account can activate it again.", link{"Log in as somebody else", "/login"}},
	"signup_by_invitation":           {"Signing up is by invitation", "If your organization uses single sign-on, its administrator can send you the signup link of its identity provider.", toLogin},

	"verification_code_not_found": {"This link does not work", "Mail programs break long links: copy it whole. If it is long over, log in to the account to have another one mailed.", toLogin},
	"verification_code_used":      {"This link was used already", "If you did not use it, log in and look at your account, or ask whoever operates this server.", toLogin},
	"login_required_to_verify":    {"Log in to this account first", "Then open the mailed link again, in the same browser.", toLogin},
	"user_weblink_action_expired": {"This link is over", "", toLogin},
	"address_changed":             {"This link is for another address", "The newest mail to the present address has the link that works.", toLogin},
	"address_proved_already":      {"Your address is confirmed", "", toHome},
	"mail_not_sent_here":          {"This server sends no mail", "", toHome},

	"authentication_method_disabled":  {"This identity provider is not in use", "Until then, log in another way if you have one.", toLogin},
	"authentication_method_not_found": {"No identity provider at this address", "", toLogin},
	"identity_provider_not_found":     {"Identity provider not found", "Open the organization from the home page to see which it has.", toHome},
	"token_not_found":                 {"Token not found", "See which ones you have on the page of your tokens.", link{"Your tokens", tokensPath}},
	"organization_domain_not_found":   {"Domain not found", "It may have been removed. Open the organization from the home page to see which it has.", toHome},
	"user_not_found":                  {"No such member", "They may have left. Open the organization from the home page to see who belongs to it.", toHome},
	"user_group_not_found":            {"Group not found", "It may have been deleted. Open the organization from the home page to see which it has.", toHome},
	"user_not_organization_admin":     {"Only for super admins", "Ask a super admin of the organization to do it.", toHome},
	"organization_not_found":          {"Organization not found", "If somebody sent you the link, ask them to have you added to the organization.", toHome},
	"organization_suspended":          {"This organization is suspended", "Your other organizations are not affected.", toHome},
}

var byKind = map[fault.Kind]advice{
	fault.Invalid:          {"This request cannot be done as it is", "Go back, change it and send it again.", toHome},
	fault.Unauthenticated:  {"Log in first", "", link{"Log in", "/login"}},
	fault.Denied:           {"You may not do this", "Ask an administrator of your organization.", toHome},
	fault.NotFound:         {"Not found", "Check the address, or start from the home page.", toHome},
	fault.MethodNotAllowed: {"This address works differently", "", toHome},
	fault.Exists:           {"It exists already", "Go back and choose another name.", toHome},
	fault.Conflict:         {"This cannot be done now", "Load the page again to see what changed.", toHome},
	fault.TooLarge:         {"This is too much", "Go back and send less.", link{}},
	fault.TooMany:          {"Too many attempts", "Wait, then try again. Nothing is locked for good.", link{}},
	fault.Unavailable:      {"Busy right now", "Wait, then load the page again.", link{}},
	fault.Internal:         {"A fault on our side", "What you did was not at fault, and trying again later may help. If it does not, give the id below to whoever operates this server: it leads to the cause in the log.", toHome},
}

// fail is where errors become pages, and log lines where somebody needs one.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.Of(err)
	id := w.Header().Get("X-Request-Id")
	if no := (*policy.Refused)(nil); errors.As(err, &no) {
		broken := s.refuse(w, r, no, err)
		if broken == nil {
			return
		}
		s.Log.ErrorContext(r.Context(), "page of a refusal failed", "request_id", id, "error", broken)
	}
	p := s.explain(r, f, err)
	p.ID = id
	if t := (*login.Traced)(nil); errors.As(err, &t) {
		p.Words = t.Words
	}
	s.report(r.Context(), r.Pattern, id, f, p.Refusal, err)
	setRetryAfter(w, f)
	if err := s.render(w, r, f.Kind.Status(), "error", p); err != nil {
		s.Log.ErrorContext(r.Context(), "error page failed", "request_id", id, "error", err)
		http.Error(w, "This page cannot be shown. The request id is "+id+".", http.StatusInternalServerError)
	}
}

func (s *site) explain(r *http.Request, f *fault.Error, err error) *errorPage {
	a, known := byCode[f.Code]
	if !known {
		a = byKind[f.Kind]
	}
	p := &errorPage{page: narrow(a.title), What: inConsole(f.Message), Todo: a.todo, Next: a.next, Code: f.Code}
	if f.RetryAfter > 0 {
		p.Retry = wait(f.RetryAfter)
	}
	if f.Kind == fault.Internal {
		p.What = "The page could not be made. The id below leads to the reason, in the server's log."
	}
	if !errors.As(err, &p.Refusal) {
		p.Refusal = nil
		return p
	}
	if f.Code == "own_login_required" {
		p.Next = link{"Log in to it, and link it", linkPath(p.Refusal.MethodID)}
	}
	if errors.As(err, &p.Refusal.Rejection) {
		p.Title = "The answer was refused"
		if p.Refusal.Rejection.Code == "invalid_relay_state" {
			p.Title = "Invalid relay state"
		}
		if strings.HasSuffix(r.Pattern, sloPatterns[0]) || strings.HasSuffix(r.Pattern, sloPatterns[1]) {
			p.Title, p.Code = "The logout was refused", p.Refusal.Rejection.Code
			p.Todo, p.Next = "No session ended here by it. To log out, use the button of the console.", link{"To the console", "/"}
			return p
		}
		p.Todo = ""
		p.Next = link{"Start again", loginPath(p.Refusal.MethodID)}
		p.Code = p.Refusal.Rejection.Code
	}
	return p
}

// report logs what an administrator or we ourselves have to look at. Whatever
// a stranger can cause at will is left to the access log. The response itself
// is never logged: it names a person and can be a credential.
func (s *site) report(ctx context.Context, pattern, id string, f *fault.Error, at *refusal, err error) {
	switch {
	case at != nil && at.Rejection != nil:
		s.Log.WarnContext(ctx, "saml response refused", "request_id", id, "method", at.MethodID,
			"code", at.Rejection.Code, "expected", at.Rejection.Expected, "got", at.Rejection.Got)
	case at != nil && f.Kind == fault.Denied:
		s.Log.InfoContext(ctx, "login refused", "request_id", id, "method", at.MethodID, "code", f.Code)
	case f.Kind == fault.Internal && ctx.Err() != nil:
		s.Log.InfoContext(ctx, "request abandoned", "request_id", id, "route", pattern, "error", err)
	case f.Kind == fault.Internal:
		s.Log.ErrorContext(ctx, "request failed", "request_id", id, "route", pattern, "error", err)
	case f.Kind == fault.Unavailable:
		s.Log.WarnContext(ctx, "request turned away", "request_id", id, "route", pattern, "error", err)
	}
}

func setRetryAfter(w http.ResponseWriter, f *fault.Error) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
}

// wait says how long to wait.
func wait(d time.Duration) string {
	if d < 90*time.Second {
		return count(int(math.Ceil(d.Seconds())), "second")
	}
	return count(int(math.Ceil(d.Minutes())), "minute")
}

// at gives an error the identity provider where it happened, by name where
// that can be found: it is only for people to read.
func (s *site) at(ctx context.Context, i *sso.IdP, err error) error {
	if err == nil || i == nil {
		return err
	}
	return &refusal{MethodID: i.ID, Provider: i.Name, Organization: s.nameOf(ctx, i.OrganizationID).Name, err: err}
}

// nameOf finds an organization that is only to be named.
func (s *site) nameOf(ctx context.Context, id string) account.Organization {
	o, err := s.Organizations.Store.Organization(ctx, id)
	if err != nil {
		return account.Organization{ID: id}
	}
	return o
}
