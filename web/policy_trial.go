package web

import (
	"context"
	"net/http"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
)

// A trialView is a change of a policy that is being tried.
type trialView struct {
	What     string // a sentence
	Since    moment
	Until    moment
	Ends     bool // by itself, at Until
	Reverts  bool // then it goes back
	Changes  []ruleChange
	Again    string // where to log in before it can be confirmed; empty: it can be
	Reports  bool   // it refuses nobody, and notes whom it would
	Sighted  []sightingView
	Shutting bool  // confirming was refused, since it shuts somebody out
	Force    check // does it even so
}

// A sightingView is somebody whom rules on trial would have refused.
type sightingView struct {
	Email string
	With  string
	Why   string
	Times string
	Last  moment
}

var kindWords = map[policy.Kind]string{
	policy.Console:     "In the console",
	policy.Session:     "With a program's session",
	policy.Personal:    "With a personal token",
	policy.Application: "As an application user",
}

func (s *site) viewTrial(ctx context.Context, v gate.Visit, kept *policy.Policy) (*trialView, error) {
	t := kept.Trial
	view := &trialView{
		Since: s.moment(t.Since), Ends: !t.Until.IsZero(), Until: s.moment(t.Until), Changes: ruleChanges(&kept.Rules, &t.Rules),
		Reports: t.Kind == policy.ReportOnly, Force: forceBox(false),
	}
	switch t.Kind {
	case policy.ToRevert:
		view.What, view.Reverts = "The change holds for everybody, and goes back by itself unless somebody confirms it.", true
		view.Changes = ruleChanges(&t.Rules, &kept.Rules)
		if !v.Bearer.LoggedIn.After(t.Since) || v.Bearer.Method.Kind == session.Recovery {
			view.Again = againPath(policyURL(v.Organization))
		}
	case policy.ReportOnly:
		view.What = "The change refuses nobody yet. Below stands whom it would have refused."
	case policy.ForGroup:
		view.What = "The change holds for the members of the group " + s.groupName(ctx, v.Organization, t.GroupID) + ". Everybody else keeps the policy as it is."
	}
	if !view.Reports {
		return view, nil
	}
	noted, err := s.Sightings.List(ctx, v.Organization.ID)
	if err != nil {
		return nil, err
	}
	for _, one := range noted {
		view.Sighted = append(view.Sighted, sightingView{one.Email, kindWords[one.Kind], one.Why, count(int(one.Times), "time"), s.moment(one.Last)})
	}
	return view, nil
}

// forceBox is the box of whoever means it although it shuts somebody out.
func forceBox(checked bool) check {
	return check{Name: "force", Label: "Do it even so", Hint: "If nobody can come in any more, whoever operates this server has to open the organization again.", Risk: true, Checked: checked}
}

// confirmPolicy makes what is being tried the policy.
func (s *site) confirmPolicy(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	if _, err := s.Policies.Confirm(r.Context(), v.By(), v.Organization.ID, form.Has("force")); err != nil {
		return s.trialAgain(w, r, v, form.Has("force"), err)
	}
	return see(w, r, done(policyURL(v.Organization), "policy-confirmed"))
}

// discardPolicy ends what is being tried, and leaves the policy as it was.
func (s *site) discardPolicy(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	if _, err := s.Policies.Discard(r.Context(), v.By(), v.Organization.ID, form.Has("force")); err != nil {
		return s.trialAgain(w, r, v, form.Has("force"), err)
	}
	return see(w, r, done(policyURL(v.Organization), "policy-discarded"))
}

// trialAgain shows the policy once more, with why a trial did not end so.
func (s *site) trialAgain(w http.ResponseWriter, r *http.Request, v gate.Visit, forced bool, err error) error {
	kept, broken := s.Policies.Get(r.Context(), v.Organization.ID)
	if broken != nil {
		return broken
	}
	// The trial is over: the page says what holds now.
	if kept.Trial == nil {
		return see(w, r, done(policyURL(v.Organization), "policy-trial-over"))
	}
	p, broken := s.newPolicyPage(r, v, kept, nil)
	if broken != nil {
		return broken
	}
	p.Trial.Shutting, p.Trial.Force.Checked = shutsOut(err), forced
	if f := fault.Of(err); f.Code != "" {
		err = f.At("")
	}
	return s.again(w, r, "policy", p, err)
}

// shutsOut reports whether a change was refused for whom it would shut out.
func shutsOut(err error) bool {
	code := fault.Of(err).Code
	return code == "authentication_method_disable_current_not_allowed" || code == "policy_locks_out_admins"
}
