package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
)

// ServeHTTP sets what every answer has, refuses what other sites post, and
// leaves the rest to the routes.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", csp{}.String())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if err := s.crossOrigin.Check(r); err != nil {
		s.fail(w, r, fault.Denied.Errorf("This request came from a page of another site, and only pages of this one may send it. Nothing was changed.").Coded("cross_site_request").Because(err))
		return
	}
	s.mux.ServeHTTP(w, r)
}

// serve asks the gate, then lets the handler do its work.
func (s *site) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := s.Gate.Admit(r.Context(), gate.Request{
			Token:          s.Cookies.Token(r),
			IP:             s.address(r),
			Agent:          r.UserAgent(),
			Browser:        true,
			Need:           rt.need,
			OrganizationID: r.PathValue("organization"),
		})
		if errors.Is(err, fault.Unauthenticated) {
			err = s.askToLogIn(w, r)
		} else if err == nil {
			err = rt.do(w, r, v)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// askToLogIn sends whoever wants a page to the login, and back afterwards. A
// form that was sent is lost: its page says so.
func (s *site) askToLogIn(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return fault.Unauthenticated.Errorf("You are not logged in any more, so nothing was saved. Log in, and send the form again.").Coded("session_over")
	}
	to := url.Values{}
	if back := login.SafeReturn(r.URL.RequestURI()); back != "/" {
		to.Set("return_to", back)
	}
	if s.Cookies.Token(r) != "" {
		to.Set("done", "session-over")
	}
	http.Redirect(w, r, withQuery("/login", to), http.StatusSeeOther)
	return nil
}

// visitor is who is logged in, on pages that are open to anyone. An error of
// storage counts as nobody: these pages work without.
func (s *site) visitor(r *http.Request) gate.Visit {
	v, err := s.Gate.Admit(r.Context(), gate.Request{Token: s.Cookies.Token(r), IP: s.address(r), Agent: r.UserAgent(), Browser: true, Need: account.ReadSelf})
	if err != nil {
		return gate.Visit{}
	}
	return v
}

// nothing answers where no route is: 405 where another verb would have one.
func (s *site) nothing(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		probe := r.Clone(context.Background())
		probe.Method = method
		if _, pattern := s.mux.Handler(probe); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		s.fail(w, r, fault.NotFound.Errorf("There is no page at this address. It may be misspelt, or the page is not there any more.").Coded("page_not_found"))
		return
	}
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	err := fault.MethodNotAllowed.Errorf("This address takes %s, and the request was something else.", strings.Join(allowed, ", ")).Coded("method_not_allowed")
	if strings.HasPrefix(r.URL.Path, "/v1/sso/saml/") && !slices.Contains(allowed, http.MethodGet) {
		err = fault.MethodNotAllowed.Errorf("This address only takes the answer of an identity provider, which a browser sends here by itself during a login. There is nothing to see.").Coded("acs_by_get")
	}
	s.fail(w, r, err)
}

// errOnlyGet refuses HEAD, which looks and must not act, where a GET acts.
func errOnlyGet(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet {
		return nil
	}
	w.Header().Set("Allow", http.MethodGet)
	return fault.MethodNotAllowed.Errorf("This address takes GET only.").Coded("method_not_allowed")
}

// withQuery puts a query behind a path, if there is one.
func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// see answers a form that did its work: the next page is asked for by GET.
func see(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}
