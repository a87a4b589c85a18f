package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/sso"
)

// sloPatterns are the paths that identity providers send logouts to. By POST,
// other sites send them, or other servers.
var sloPatterns = []string{
	"/v1/sso/saml/slo/{method}",
	"/v1/sso/saml/account/{account}/method/{method}/slo",
}

// answerLogoutQuery takes a logout message that a browser carries by redirect.
// What it brings is judged by package login, whoever's cookies come along.
func (s *site) answerLogoutQuery(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	if err := errOnlyGet(w, r); err != nil {
		return err
	}
	message, bad := sso.ReadLogoutQuery(r.URL.RawQuery)
	return s.answerLogout(w, r, message, bad)
}

// answerLogoutPost takes one from a form, or from another server: those speak
// SOAP.
func (s *site) answerLogoutPost(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "text/xml" {
		return s.answerLogoutSOAP(w, r)
	}
	form, err := readForm(w, r, sso.MostLogoutForm)
	if err != nil {
		return err
	}
	message, bad := sso.ReadLogoutForm(form)
	return s.answerLogout(w, r, message, bad)
}

// answerLogout has a message judged, and sends the browser on: with our response
// to the identity provider, or, where it brought an answer, to the page that
// says what became of the logout.
func (s *site) answerLogout(w http.ResponseWriter, r *http.Request, message *sso.LogoutMessage, bad error) error {
	id, err := s.methodID(r)
	if err != nil {
		return err
	}
	out, err := s.Login.AnswerLogout(r.Context(), id, message, bad, s.client(r))
	answered := message != nil && message.Answer && (err == nil || errors.Is(err, fault.Denied))
	if err != nil && out.Send == nil && !answered {
		i, _ := s.method(r)
		return s.at(r.Context(), i, err)
	}
	if err != nil {
		s.logLogout(r, out, err)
	}
	switch {
	case answered:
		return see(w, r, s.Base+"/logout/done?"+url.Values{"told": {s.Login.Told(id, out.Confirmed)}}.Encode())
	case out.Send == nil:
		return s.render(w, r, http.StatusOK, "logout-done", s.loggedOutBy(r, out))
	case out.Send.Binding == sso.Post:
		return s.carryLogout(w, r, out.Method, out.Send, "Back to "+out.Method.Name)
	}
	return see(w, r, out.Send.URL)
}

// answerLogoutSOAP answers another server. It says no more to one that cannot
// show who it is than that.
func (s *site) answerLogoutSOAP(w http.ResponseWriter, r *http.Request) error {
	id, err := s.methodID(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, sso.MostLogout+1))
	if tooLarge := (*http.MaxBytesError)(nil); err != nil && !errors.As(err, &tooLarge) {
		return fault.Invalid.Errorf("The request is cut off.").Because(err)
	}
	message, bad := sso.ReadLogoutSOAP(body)
	out, err := s.Login.AnswerLogout(r.Context(), id, message, bad, s.client(r))
	if err != nil {
		s.logLogout(r, out, err)
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	if out.Send == nil {
		status := http.StatusInternalServerError // SOAP 1.1, 6.2
		if errors.Is(err, fault.TooMany) {
			setRetryAfter(w, fault.Of(err))
			status = http.StatusTooManyRequests
		}
		w.WriteHeader(status)
		_, _ = w.Write(sso.SOAPFault())
		return nil
	}
	_, _ = w.Write(out.Send.Body)
	return nil
}

// logLogout logs a refused message to which the identity provider hears the
// refusal, and no page shows it.
func (s *site) logLogout(r *http.Request, out login.AnsweredLogout, err error) {
	args := []any{"method", r.PathValue("method"), "code", fault.Of(err).Code, "err", err}
	if out.Method.IdP != nil {
		args = append(args, "organization", out.Method.OrganizationID)
	}
	s.Log.WarnContext(r.Context(), "logout of an identity provider is refused", args...)
}
