package web

import (
	"errors"
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/sso"
)

// An idpPage shows one identity provider whole.
type idpPage struct {
	page
	IdP     idpView
	Domains []domainView // that it speaks for, once they are verified
	Others  []domainView // that it could speak for too

	AutoJoin *groupView // that new people join; nil: none

	Notices []notice // what there is to see to
}

func (s *site) showIdP(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	return s.showOneIdP(w, r, v, "idp", "")
}

// showOneIdP shows a page about one identity provider; without a title of its
// own the page has the provider's name.
func (s *site) showOneIdP(w http.ResponseWriter, r *http.Request, v gate.Visit, template, title string) error {
	i, err := s.idp(r, v)
	if err != nil {
		return err
	}
	if title == "" {
		title = i.Name
	}
	frame, err := s.console(r, v, title, "identity-providers")
	if err != nil {
		return err
	}
	p := &idpPage{page: frame, IdP: s.viewIdP(i)}
	if p.Domains, p.Others, err = s.domainsOf(r, v, i); err != nil {
		return err
	}
	if p.AutoJoin, err = s.autoJoined(r, v, i); err != nil {
		return err
	}
	if p.Notices, err = s.notices(r, i); err != nil {
		return err
	}
	p.csp.script = template == "idp"
	return s.render(w, r, http.StatusOK, template, p)
}

// autoJoined is the group to which an identity provider brings new people.
func (s *site) autoJoined(r *http.Request, v gate.Visit, i *sso.IdP) (*groupView, error) {
	if i.AutoJoinGroupID == "" {
		return nil, nil
	}
	g, err := s.Groups.Get(r.Context(), v.Organization, i.AutoJoinGroupID)
	if errors.Is(err, fault.NotFound) {
		return nil, nil
	}
	view := s.viewGroup(g)
	return &view, err
}
