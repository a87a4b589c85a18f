package web

import (
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

// An editGroupPage has a group's name and description as a form; the page that
// asks before a group is deleted has the group alone.
type editGroupPage struct {
	page
	Group       groupView
	Name        field
	Description field
	Managed     check
}

func (s *site) newEditGroupPage(r *http.Request, v gate.Visit, verb string) (*editGroupPage, error) {
	g, err := s.Groups.Get(r.Context(), v.Organization, r.PathValue("group"))
	if err != nil {
		return nil, err
	}
	frame, err := s.console(r, v, verb+g.Name, "groups")
	return &editGroupPage{page: frame, Group: s.viewGroup(g), Name: groupNameField(g.Name), Description: groupDescriptionField(g.Description), Managed: groupManagedCheck(g.IdPManaged)}, err
}

func (s *site) showEditGroup(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newEditGroupPage(r, v, "Change ")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "group-edit", p)
}

func (s *site) saveGroup(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	typed := groupForm(form)
	g, err := s.Groups.Update(r.Context(), v.Actor, v.Organization, r.PathValue("group"), account.GroupChange{Name: &typed.Name, Description: &typed.Description, IdPManaged: &typed.IdPManaged})
	if err != nil {
		p, broken := s.newEditGroupPage(r, v, "Change ")
		if broken != nil {
			return broken
		}
		p.Name.Value, p.Description.Value, p.Managed.Checked = typed.Name, typed.Description, typed.IdPManaged
		if f := fault.Of(err); f.Code == "user_group_in_use" {
			err = f.At("idp_managed")
		}
		return s.again(w, r, "group-edit", p, err, &p.Name, &p.Description, &p.Managed)
	}
	return see(w, r, done(groupURL(g), "group-saved"))
}

func (s *site) confirmDeleteGroup(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	p, err := s.newEditGroupPage(r, v, "Delete ")
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "group-delete", p)
}

func (s *site) deleteGroup(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	if err := s.Groups.Delete(r.Context(), v.Actor, v.Organization, r.PathValue("group")); err != nil {
		return err
	}
	return see(w, r, done(groupsURL(v.Organization), "group-deleted"))
}
