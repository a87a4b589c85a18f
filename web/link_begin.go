package web

import (
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
)

// beginLink sends a person who is logged in to the identity provider, to come
// back with the subject to link.
func (s *site) beginLink(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	p, err := s.newLinkPage(r, v)
	if err != nil {
		return err
	}
	browser := s.Cookies.Browser(r)
	present := v.Bearer
	m, request, err := s.Login.BeginLink(r.Context(), p.MethodID, present, form.Get("password"), &browser, s.client(r))
	if f := fault.Of(err); err != nil && (f.Code == "login_too_old" || f.Code == "authentication_failed") {
		p.Ask, p.Password.Focus = true, true
		return s.again(w, r, "link", p, fault.Invalid.Errorf("%s", f.Message).At("password"), &p.Password)
	}
	if err != nil {
		i, _ := s.method(r)
		return s.at(r.Context(), i, err)
	}
	if err := s.Cookies.SaveBrowser(w, r, browser); err != nil {
		return err
	}
	return s.sendOn(w, r, m, request)
}
