package web

import (
	"errors"
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

// A personPage shows a member of an organization; the page that asks before
// they are removed has Force where that was refused.
type personPage struct {
	page
	Person personView
	Force  check
}

func (s *site) newPersonPage(r *http.Request, v gate.Visit, verb string) (*personPage, error) {
	m, err := s.Members.Get(r.Context(), v.Organization, r.PathValue("user"))
	if err != nil {
		return nil, err
	}
	frame, err := s.console(r, v, verb+m.RealName, "people")
	return &personPage{page: frame, Person: s.viewPerson(v, m)}, err
}

func (s *site) showPerson(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newPersonPage(r, v, "")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "person", p)
}

// releasePerson ends that the organization manages somebody.
func (s *site) releasePerson(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	m, err := s.Members.Release(r.Context(), v.Actor, v.Organization, r.PathValue("user"))
	if err != nil {
		p, broken := s.newPersonPage(r, v, "")
		if broken != nil {
			return broken
		}
		return s.again(w, r, "person", p, err)
	}
	return see(w, r, done(peopleURL(v.Organization)+"/"+m.ID, "person-released"))
}

func (s *site) confirmRemovePerson(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newPersonPage(r, v, "Remove ")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "person-remove", p)
}

// removePerson ends somebody's membership; the visitor's own, too.
func (s *site) removePerson(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	id := r.PathValue("user")
	err = s.Members.Remove(r.Context(), v.Actor, v.Organization, id, account.Parting{Force: form.Has("force")})
	if err != nil {
		p, broken := s.newPersonPage(r, v, "Remove ")
		if broken != nil {
			return broken
		}
		if errors.Is(err, fault.Conflict) {
			p.Force = check{Name: "force", Label: "Do it even so", Hint: "Whoever operates the server can let somebody in again.", Risk: true}
		}
		return s.again(w, r, "person-remove", p, err)
	}
	if id == v.User.ID {
		return see(w, r, done("/", "left"))
	}
	return see(w, r, done(peopleURL(v.Organization), "person-removed"))
}
