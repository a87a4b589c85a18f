package web

import (
	"net/http"
	"net/url"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
)

// answerSAML is the assertion consumer service: other sites post here. What
// they bring is judged by package login; the browser, which sent no cookie of
// ours along, is asked for it at the next page.
func (s *site) answerSAML(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	form, err := readForm(w, r, mostResponse)
	if err != nil {
		return err
	}
	for _, name := range []string{"SAMLResponse", "RelayState"} {
		// Whoever reads one and whoever reads the other must not differ.
		if len(form[name]) > 1 {
			return fault.Invalid.Errorf("The form has the field %s more than once.", name).At(name)
		}
	}
	id, err := s.methodID(r)
	if err != nil {
		return err
	}
	out, err := s.Login.AnswerSAML(r.Context(), id, form.Get("SAMLResponse"), form.Get("RelayState"), s.client(r))
	if err != nil {
		i, _ := s.method(r)
		return s.at(r.Context(), i, err)
	}
	if out.TestID != "" {
		return see(w, r, s.Base+login.TestPath(out.TestID))
	}
	// The ACS URL is as old as the provider; the cookie is where we are now.
	if out.FlowID != "" {
		return see(w, r, s.Base+"/login/continue?flow="+url.QueryEscape(out.FlowID))
	}
	again := url.Values{"bounce": {"1"}}
	if out.ReturnTo != "/" {
		again.Set("return_to", out.ReturnTo)
	}
	return see(w, r, s.Base+withQuery(loginPath(id), again))
}
