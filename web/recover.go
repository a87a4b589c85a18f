package web

import (
	"net/http"

	"gatehouse/gate"
	"gatehouse/login"
)

// A recoverPage says what a recovery link does, before it does.
type recoverPage struct {
	page
	Secret string
	To     login.Recoverable
	Until  moment
}

// showRecover is where a recovery link leads. Looking uses nothing up, so that
// neither a preview of the link nor a page loaded twice does.
func (s *site) showRecover(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	secret := r.PathValue("secret")
	to, err := s.Login.LookAtRecovery(r.Context(), secret, s.client(r))
	if err != nil {
		return err
	}
	p := &recoverPage{page: narrow("Log in to recover " + to.Organization.Name), Secret: secret, To: to, Until: s.moment(to.ExpiresAt)}
	p.User = s.visitor(r).User
	return s.render(w, r, http.StatusOK, "recover", p)
}

// answerRecover uses the link up, and sends the browser on to where every login
// ends.
func (s *site) answerRecover(w http.ResponseWriter, r *http.Request, _ gate.Visit) error {
	browser := s.Cookies.Browser(r)
	flow, err := s.Login.AnswerRecovery(r.Context(), r.PathValue("secret"), &browser, s.client(r))
	if err != nil {
		return err
	}
	return s.toContinue(w, r, browser, flow)
}
