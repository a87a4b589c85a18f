package web

import (
	"net/http"

	"gatehouse/gate"
	"gatehouse/session"
	"gatehouse/sso"
)

// A confirmPage says what is about to happen, before it does.
type confirmPage struct {
	page
	IdP  idpView
	Mine bool // the visitor's own session came through it
}

func (s *site) confirmDisableIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.confirm(w, r, v, "idp-disable", "Disable ")
}

func (s *site) confirmDeleteIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.confirm(w, r, v, "idp-delete", "Delete ")
}

func (s *site) confirm(w http.ResponseWriter, r *http.Request, v gate.Visit, template, verb string) error {
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	frame, err := s.console(r, v, verb+i.Name, "identity-providers")
	if err != nil {
		return err
	}
	mine := v.Bearer.Method == session.Method{Kind: session.SAML, ID: i.ID}
	return s.render(w, r, http.StatusOK, template, &confirmPage{page: frame, IdP: s.viewIdP(i), Mine: mine})
}

// enableIdP lets people in through a configured identity provider again.
func (s *site) enableIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.switchIdP(w, r, v, true, "idp-enabled")
}

// disableIdP keeps everybody out who would come, or came, through it.
func (s *site) disableIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.switchIdP(w, r, v, false, "idp-disabled")
}

func (s *site) switchIdP(w http.ResponseWriter, r *http.Request, v gate.Visit, on bool, message string) error {
	i, err := s.IdPs.Update(r.Context(), v.Actor, v.Organization, r.PathValue("method"), sso.Change{Enabled: &on})
	if err != nil {
		return notHere(v, err)
	}
	return see(w, r, done(idpURL(i), message))
}

func (s *site) deleteIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	if err := s.IdPs.Delete(r.Context(), v.Actor, v.Organization, r.PathValue("method")); err != nil {
		return notHere(v, err)
	}
	return see(w, r, done(idpsURL(v.Organization), "idp-deleted"))
}
