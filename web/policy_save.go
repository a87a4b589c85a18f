package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/policy"
)

// A policyPreviewPage says what a change of the policy would do, and asks how
// it is to be made.
type policyPreviewPage struct {
	page
	URL     string
	Changes []ruleChange
	Report  policy.Report
	People  []shutOutView
	Tokens  []stoppedView
	Self    string // why it would refuse the visitor; empty: it would not
	Locks   bool   // it takes force
	Kept    []pair // the form, to be sent again
	How     field
	Group   field
	Force   check
}

// A shutOutView is a person whom a change would refuse.
type shutOutView struct {
	Email string
	Name  string
	Why   string
}

// A stoppedView is a token that a change would stop.
type stoppedView struct {
	Prefix      string
	Description string
	Email       string
	Why         string
}

// How a change is made, as the form says it. A number is of seconds after which
// it goes back.
const (
	howNow    = "now"
	howReport = "report"
	howGroup  = "group"
)

// previewPolicy shows what the form would do, and changes nothing.
func (s *site) previewPolicy(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	return s.showPreview(w, r, v, form, nil)
}

// savePolicy makes the change of a form that was previewed, in the way that was
// chosen there.
func (s *site) savePolicy(w http.ResponseWriter, r *http.Request, v gate.Visit) error {
	form, err := readForm(w, r, mostForm)
	if err != nil {
		return err
	}
	options, err := policyOptions(form)
	var change policy.Change
	if err == nil {
		change, err = policyChange(form)
	}
	if err == nil {
		_, err = s.Policies.Change(r.Context(), v.By(), v.Organization.ID, change, options)
	}
	if err != nil {
		return s.showPreview(w, r, v, form, err)
	}
	message := "policy-saved"
	if options.RevertAfter > 0 || options.ReportOnly || options.PilotGroupID != "" {
		message = "policy-tried"
	}
	return see(w, r, done(policyURL(v.Organization), message))
}

func policyOptions(form url.Values) (policy.Options, error) {
	o := policy.Options{Force: form.Has("force")}
	switch how := form.Get("how"); how {
	case howNow:
	case howReport:
		o.ReportOnly = true
	case howGroup:
		if o.PilotGroupID = form.Get("pilot_user_group_id"); o.PilotGroupID == "" {
			return o, fault.Invalid.Errorf("Choose the group.").At("pilot_user_group_id")
		}
	default:
		after, err := strconv.Atoi(how)
		if err != nil || after <= 0 {
			return o, fault.Invalid.Errorf("Choose how it is to begin.").At("how")
		}
		o.RevertAfter = time.Duration(after) * time.Second
	}
	return o, nil
}

// showPreview shows what a form would do; or the form once more, if that cannot
// be. failed is why it could not be saved, or nil.
func (s *site) showPreview(w http.ResponseWriter, r *http.Request, v gate.Visit, form url.Values, failed error) error {
	kept, err := s.Policies.Get(r.Context(), v.Organization.ID)
	if err != nil {
		return err
	}
	if kept.Trial != nil {
		return see(w, r, done(policyURL(v.Organization), "policy-trial-pending"))
	}
	p, err := s.newPreviewPage(r, v, &kept, form)
	var bad *fault.Error
	if errors.As(err, &bad) || form.Has("edit") {
		p, broken := s.newPolicyPage(r, v, kept, form)
		switch {
		case broken != nil:
			return broken
		case err == nil:
			return s.render(w, r, http.StatusOK, "policy", p)
		}
		return s.again(w, r, "policy", p, err, p.inputs()...)
	}
	if err != nil {
		return err
	}
	if failed == nil {
		return s.render(w, r, http.StatusOK, "policy-preview", p)
	}
	if shutsOut(failed) {
		p.Locks, failed = true, fault.Of(failed).At("force")
		p.Force.Hint = "It is refused otherwise. " + p.Force.Hint
	}
	return s.again(w, r, "policy-preview", p, failed, &p.How, &p.Group, &p.Force)
}

func (s *site) newPreviewPage(r *http.Request, v gate.Visit, kept *policy.Policy, form url.Values) (*policyPreviewPage, error) {
	change, err := policyChange(form)
	if err != nil {
		return nil, err
	}
	after, err := change.Apply(kept.Rules)
	if err != nil {
		return nil, err
	}
	report, self, err := s.Policies.Preview(r.Context(), v.By(), v.Organization.ID, change, policy.Options{})
	if err != nil {
		return nil, fmt.Errorf("preview policy: %w", err)
	}
	frame, err := s.console(r, v, "What this change does", "policy")
	if err != nil {
		return nil, err
	}
	p := &policyPreviewPage{page: frame, URL: policyURL(v.Organization), Changes: ruleChanges(&kept.Rules, &after), Report: report, Force: forceBox(form.Has("force"))}
	if self != nil {
		p.Self = self.Why
	}
	p.Locks = self != nil || report.AdminsLeft == 0
	for _, one := range report.PeopleShown {
		p.People = append(p.People, shutOutView{one.Person.Email, one.Person.Name, one.Why.Why})
	}
	for _, one := range report.TokensShown {
		p.Tokens = append(p.Tokens, stoppedView{one.Token.Prefix, one.Token.Description, one.Person.Email, one.Why.Why})
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if name != "how" && name != "force" && name != "edit" && name != "pilot_user_group_id" {
			p.Kept = append(p.Kept, pair{name, form.Get(name)})
		}
	}
	return p, s.offerWays(r, v, p, form)
}

// offerWays offers how a change can begin. What shuts somebody out begins with
// what goes back by itself.
func (s *site) offerWays(r *http.Request, v gate.Visit, p *policyPreviewPage, form url.Values) error {
	p.How = field{Name: "how", Label: "How it begins", Value: form.Get("how"), Choices: []choice{
		{howNow, "For everybody, now", ""},
		{"600", "For everybody now, and back by itself after 10 minutes", "Unless somebody confirms it with a login that is later than the change."},
		{"3600", "For everybody now, and back by itself after 1 hour", ""},
		{"86400", "For everybody now, and back by itself after 1 day", ""},
		{howReport, "Only report, for a week", "It refuses nobody, and the page of the policy lists whom it would have refused."},
	}}
	groups, err := s.Groups.List(r.Context(), v.Organization)
	if err != nil {
		return err
	}
	p.Group = field{Name: "pilot_user_group_id", Label: "Group", Value: form.Get("pilot_user_group_id"), Optional: true, Options: []option{{"", "None chosen"}}}
	for _, g := range groups {
		p.Group.Options = append(p.Group.Options, option{g.ID, g.Name + ", " + count(g.Members, "member")})
	}
	if len(groups) > 0 {
		p.How.Choices = append(p.How.Choices, choice{howGroup, "For one group first", "Everybody else keeps the policy as it is."})
	}
	if p.How.Value == "" {
		p.How.Value = howNow
		if p.Report.ShutOut > 0 || p.Locks {
			p.How.Value = "3600"
		}
	}
	return nil
}

// Grouped reports whether there is a group to choose.
func (p *policyPreviewPage) Grouped() bool { return len(p.Group.Options) > 1 }

// Counts puts a report into a few words.
func (p *policyPreviewPage) Counts() []ruleLine {
	of := func(n, all int, noun string) string {
		return strconv.Itoa(n) + " of " + strings.ReplaceAll(count(all, noun), "persons", "people")
	}
	return []ruleLine{
		{"Shut out", of(p.Report.ShutOut, p.Report.People, "person")},
		{"Tokens that stop", of(p.Report.Stopped, p.Report.Tokens, "personal token")},
		{"Super admins who still come in", of(p.Report.AdminsLeft, p.Report.Admins, "super admin")},
	}
}
