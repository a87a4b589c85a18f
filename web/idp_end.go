package web

import (
	"errors"
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/session"
	"gatehouse/sso"
)

// A confirmPage says what is about to happen, before it does.
type confirmPage struct {
	page
	IdP   idpView
	Mine  bool  // the visitor's own session came through it
	Force check // shown where it was refused: do it even so
}

func (s *site) confirmDisableIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.confirm(w, r, v, disabling, nil)
}

func (s *site) confirmDeleteIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.confirm(w, r, v, deleting, nil)
}

// An ending is a way to end an identity provider.
type ending struct{ template, verb string }

var (
	disabling = ending{"idp-disable", "Disable "}
	deleting  = ending{"idp-delete", "Delete "}
)

// confirm asks before it is done, and again where it was refused.
func (s *site) confirm(w http.ResponseWriter, r *http.Request, v gate.Visit, how ending, refusal error) error {
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	frame, err := s.console(r, v, how.verb+i.Name, "identity-providers")
	if err != nil {
		return err
	}
	p := &confirmPage{page: frame, IdP: s.viewIdP(i), Mine: v.Bearer.Method == session.Method{Kind: session.SAML, ID: i.ID}}
	if refusal == nil {
		return s.render(w, r, http.StatusOK, how.template, p)
	}
	p.Force = check{Name: "force", Label: "Do it even so", Hint: "Whoever operates the server can let somebody in again.", Risk: true}
	return s.again(w, r, how.template, p, refusal)
}

// enableIdP lets people in through a configured identity provider again.
func (s *site) enableIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	on := true
	i, err := s.IdPs.Update(r.Context(), v.Actor, v.Organization, r.PathValue("method"), sso.Change{Enabled: &on})
	if err != nil {
		return notHere(v, err)
	}
	return see(w, r, done(idpURL(i), "idp-enabled"))
}

// disableIdP keeps everybody out who would come, or came, through it.
func (s *site) disableIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	how, err := endingOf(w, r, v)
	if err != nil {
		return err
	}
	off := false
	i, err := s.IdPs.Update(r.Context(), v.Actor, v.Organization, r.PathValue("method"), sso.Change{Enabled: &off, Ending: how})
	if errors.Is(err, fault.Conflict) {
		return s.confirm(w, r, v, disabling, err)
	}
	if err != nil {
		return notHere(v, err)
	}
	return see(w, r, done(idpURL(i), "idp-disabled"))
}

func (s *site) deleteIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	how, err := endingOf(w, r, v)
	if err != nil {
		return err
	}
	err = s.IdPs.Delete(r.Context(), v.Actor, v.Organization, r.PathValue("method"), how)
	if errors.Is(err, fault.Conflict) {
		return s.confirm(w, r, v, deleting, err)
	}
	if err != nil {
		return notHere(v, err)
	}
	return see(w, r, done(idpsURL(v.Organization), "idp-deleted"))
}

// endingOf says through which identity provider a visitor came, and whether
// they insist.
func endingOf(w http.ResponseWriter, r *http.Request, v gate.Visit) (sso.Ending, error) {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return sso.Ending{}, err
	}
	e := sso.Ending{Force: form.Has("force")}
	if v.Bearer.Method.Kind == session.SAML {
		e.Through = v.Bearer.Method.ID
	}
	return e, nil
}
