package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// Store is what Policies needs of storage.
type Store interface {
	Tx(ctx context.Context, fn func(ctx context.Context) error) error

	// LockOrganization makes this transaction the only one that changes what
	// the organization's checks depend on. It returns fault.NotFound if there
	// is no such organization.
	LockOrganization(ctx context.Context, id string) error

	// Organization returns fault.NotFound if there is none.
	Organization(ctx context.Context, id string) (account.Organization, error)

	// Policy gives an organization's policy: Usual where nobody changed it.
	Policy(ctx context.Context, organizationID string) (Policy, error)
	SavePolicy(ctx context.Context, p Policy) error

	// People gives up to most members of an organization whose ids come after
	// the one given, in order, with their logins and personal tokens. InGroup
	// is of the group given, which may be empty. Admins gives all super admins
	// of it, without tokens.
	People(ctx context.Context, organizationID, groupID, after string, most int) ([]Person, error)
	Admins(ctx context.Context, organizationID, groupID string) ([]Person, error)

	// HasGroup says whether an organization has a group.
	HasGroup(ctx context.Context, organizationID, groupID string) (bool, error)

	// TrialsOver lists the organizations whose trials ended before now.
	TrialsOver(ctx context.Context, now time.Time) ([]string, error)

	// ClearSightings forgets whom an organization's report noted.
	ClearSightings(ctx context.Context, organizationID string) error
}

// Policies keeps the policies of organizations.
type Policies struct {
	Store Store
	Now   func() time.Time
	Audit *audit.Log
}

// By is who changes a policy: as the gate let them in.
type By struct {
	account.Actor
	Entry    Entry
	LoggedIn time.Time // when the login behind the request was
}

// Options are how a change is to be made.
type Options struct {
	Force        bool          // also if it shuts out the caller, or every super admin
	RevertAfter  time.Duration // goes back after this unless confirmed; 0: it stays
	ReportOnly   bool          // refuse nobody, note whom it would, for a week
	PilotGroupID string        // for the members of this group first; empty: for all
}

// Bounds of trials.
const (
	shortestRevert = time.Minute
	longestRevert  = 7 * 24 * time.Hour
	reportsFor     = 7 * 24 * time.Hour
)

// check refuses options that contradict each other, or are out of bounds.
func (o Options) check() error {
	ways := 0
	for _, on := range []bool{o.RevertAfter != 0, o.ReportOnly, o.PilotGroupID != ""} {
		if on {
			ways++
		}
	}
	switch {
	case ways > 1:
		return fault.Invalid.Errorf("Choose one of revert_after_seconds, report_only and pilot_user_group_id.").At("report_only")
	case o.RevertAfter != 0 && (o.RevertAfter < shortestRevert || o.RevertAfter > longestRevert):
		return fault.Invalid.Errorf("Say %d to %d seconds.", shortestRevert/time.Second, longestRevert/time.Second).At("revert_after_seconds")
	}
	return nil
}

// Get gives an organization's policy.
func (s *Policies) Get(ctx context.Context, organizationID string) (Policy, error) {
	p, err := s.Store.Policy(ctx, organizationID)
	if err != nil {
		return Policy{}, fmt.Errorf("get policy of %s: %w", organizationID, err)
	}
	p.settle(s.Now())
	return p, nil
}

// settle ends a trial whose time has passed, and says whether it did.
func (p *Policy) settle(now time.Time) (ended *Trial) {
	if p.Trial == nil || !p.Trial.over(now) {
		return nil
	}
	ended = p.Trial
	if ended.Kind == ToRevert {
		p.Rules = ended.Rules
	}
	p.Trial = nil
	return ended
}

// Change changes an organization's policy, at once and on every node. It
// returns fault.Invalid at the field that is wrong; and fault.Conflict with
// code policy_trial_pending while a change is being tried, or, unless forced,
// authentication_method_disable_current_not_allowed where it would refuse the
// caller and policy_locks_out_admins where it would refuse every super admin.
func (s *Policies) Change(ctx context.Context, by By, organizationID string, c Change, o Options) (Policy, error) {
	if err := o.check(); err != nil {
		return Policy{}, err
	}
	var out Policy
	err := s.alter(ctx, by.Actor, organizationID, func(ctx context.Context, p *Policy, now time.Time) error {
		if p.Trial != nil {
			return fault.Conflict.Errorf("A change of this policy is being tried. Confirm it or discard it first.").Coded("policy_trial_pending")
		}
		before := p.Rules
		after, err := c.Apply(before)
		if err != nil {
			return err
		}
		if err := s.hasPilot(ctx, organizationID, o); err != nil {
			return err
		}
		if !o.Force && !o.ReportOnly {
			if err := s.keepsSomebody(ctx, by, p, &after, o.PilotGroupID, now); err != nil {
				return err
			}
		}
		p.begin(after, o, now)
		details := changed(&before, &after)
		details.options(o, p.Trial)
		if err := s.keep(ctx, by.Actor, audit.PolicyUpdate, p, details); err != nil {
			return err
		}
		out = *p
		return nil
	})
	if err != nil {
		return Policy{}, fmt.Errorf("change policy of %s: %w", organizationID, err)
	}
	return out, nil
}

// hasPilot refuses a pilot for a group that the organization does not have.
func (s *Policies) hasPilot(ctx context.Context, organizationID string, o Options) error {
	if o.PilotGroupID == "" {
		return nil
	}
	there, err := s.Store.HasGroup(ctx, organizationID, o.PilotGroupID)
	if err != nil {
		return fmt.Errorf("look for group of %s: %w", organizationID, err)
	}
	if !there {
		return fault.Invalid.Errorf("The organization has no group %s.", o.PilotGroupID).At("pilot_user_group_id").Coded("user_group_not_found")
	}
	return nil
}

// begin puts new rules in force, or on trial.
func (p *Policy) begin(after Rules, o Options, now time.Time) {
	switch {
	case o.ReportOnly:
		p.Trial = &Trial{Kind: ReportOnly, Rules: after, Since: now, Until: now.Add(reportsFor)}
	case o.PilotGroupID != "":
		p.Trial = &Trial{Kind: ForGroup, Rules: after, GroupID: o.PilotGroupID, Since: now}
	case o.RevertAfter > 0:
		p.Trial = &Trial{Kind: ToRevert, Rules: p.Rules, Since: now, Until: now.Add(o.RevertAfter)}
		p.Rules = after
	default:
		p.Rules = after
	}
}

// Confirm makes what is being tried the policy. A change that would go back
// takes a login since it was made: it shows that one can still come in. It
// returns fault.NotFound with code policy_no_trial, fault.Denied with code
// login_not_fresh, and, unless forced, what Change does.
func (s *Policies) Confirm(ctx context.Context, by By, organizationID string, force bool) (Policy, error) {
	return s.endTrial(ctx, by, organizationID, audit.PolicyConfirm, Options{Force: force}, func(ctx context.Context, p *Policy, now time.Time) error {
		t := p.Trial
		if t.Kind == ToRevert {
			return showsEntry(by, t)
		}
		if !force {
			if err := s.keepsSomebody(ctx, by, p, &t.Rules, "", now); err != nil {
				return err
			}
		}
		p.Rules = t.Rules
		return nil
	})
}

// showsEntry refuses who has not logged in since a trial began.
func showsEntry(by By, t *Trial) error {
	if by.LoggedIn.After(t.Since) && by.Entry.Way != Recovery && (by.Entry.Kind == Console || by.Entry.Kind == Session) {
		return nil
	}
	return fault.Denied.Errorf("Log out, log in again, and confirm then: this shows that you can still come in. Until then the policy goes back by itself.").Coded("login_not_fresh")
}

// Discard ends what is being tried, and leaves the policy as it was before. It
// returns fault.NotFound with code policy_no_trial, and, unless forced, what
// Change does where the policy goes back.
func (s *Policies) Discard(ctx context.Context, by By, organizationID string, force bool) (Policy, error) {
	return s.endTrial(ctx, by, organizationID, audit.PolicyDiscard, Options{Force: force}, func(ctx context.Context, p *Policy, now time.Time) error {
		if p.Trial.Kind == ToRevert && !force {
			if err := s.keepsSomebody(ctx, by, p, &p.Trial.Rules, "", now); err != nil {
				return err
			}
		}
		if p.Trial.Kind == ToRevert {
			p.Rules = p.Trial.Rules
		}
		return nil
	})
}

func (s *Policies) endTrial(ctx context.Context, by By, organizationID, action string, o Options, end func(context.Context, *Policy, time.Time) error) (Policy, error) {
	var out Policy
	err := s.alter(ctx, by.Actor, organizationID, func(ctx context.Context, p *Policy, now time.Time) error {
		if p.Trial == nil {
			return fault.NotFound.Errorf("No change of this policy is being tried.").Coded("policy_no_trial")
		}
		before, t := p.Rules, p.Trial
		if err := end(ctx, p, now); err != nil {
			return err
		}
		p.Trial = nil
		details := changed(&before, &p.Rules)
		details.options(o, t)
		if err := s.keep(ctx, by.Actor, action, p, details); err != nil {
			return err
		}
		out = *p
		return nil
	})
	if err != nil {
		return Policy{}, fmt.Errorf("end trial of %s: %w", organizationID, err)
	}
	return out, nil
}

// Reset makes an organization's policy the usual one, for whoever runs the
// server. It returns fault.NotFound if there is no such organization.
func (s *Policies) Reset(ctx context.Context, organizationID string) error {
	return s.recover(ctx, organizationID, audit.RecoverResetPolicy, func(p *Policy) {
		p.Rules, p.Trial = Usual(), nil
	})
}

// ClearRanges opens an organization to every address, for whoever runs the
// server: what is being tried loses its ranges too, and stays on trial. It
// returns fault.NotFound if there is no such organization.
func (s *Policies) ClearRanges(ctx context.Context, organizationID string) error {
	return s.recover(ctx, organizationID, audit.RecoverClearRanges, func(p *Policy) {
		p.Rules.Ranges = nil
		if p.Trial != nil {
			t := *p.Trial
			t.Rules.Ranges = nil
			p.Trial = &t
		}
	})
}

func (s *Policies) recover(ctx context.Context, organizationID, action string, change func(*Policy)) error {
	operator := account.Actor{}
	err := s.alter(ctx, operator, organizationID, func(ctx context.Context, p *Policy, _ time.Time) error {
		before := p.Rules
		change(p)
		return s.keep(ctx, operator, action, p, changed(&before, &p.Rules))
	})
	if err != nil {
		return fmt.Errorf("recover policy of %s: %w", organizationID, err)
	}
	return nil
}

// alter runs a change of a policy in a transaction of its own, alone, on the
// policy as it is now.
func (s *Policies) alter(ctx context.Context, by account.Actor, organizationID string, change func(context.Context, *Policy, time.Time) error) error {
	return s.Store.Tx(ctx, func(ctx context.Context) error {
		if err := s.Store.LockOrganization(ctx, organizationID); err != nil {
			return err
		}
		p, err := s.Store.Policy(ctx, organizationID)
		if err != nil {
			return err
		}
		now := s.Now()
		if err := s.settled(ctx, &p, now); err != nil {
			return err
		}
		return change(ctx, &p, now)
	})
}

// keep saves a policy with the event that tells of it.
func (s *Policies) keep(ctx context.Context, by account.Actor, action string, p *Policy, details Details) error {
	p.UpdatedAt = s.Now()
	if err := s.Store.SavePolicy(ctx, *p); err != nil {
		return err
	}
	if err := s.Store.ClearSightings(ctx, p.OrganizationID); err != nil {
		return err
	}
	o, err := s.Store.Organization(ctx, p.OrganizationID)
	if err != nil {
		return err
	}
	e := by.Did(action, p.OrganizationID, audit.Target{Kind: "policy", ID: o.ID, Name: o.Name}, audit.Details(details))
	if by.User.ID == "" {
		e.Actor = audit.Operator()
	}
	return s.Audit.Record(ctx, e)
}

// Settle ends the trials whose time has passed, and says how many. What is
// over is not in force any more, whether or not this ran: it makes the log,
// and what is stored, say so.
func (s *Policies) Settle(ctx context.Context) (ended int, err error) {
	over, err := s.Store.TrialsOver(ctx, s.Now())
	for _, id := range over {
		failed := s.alter(ctx, account.Actor{}, id, func(context.Context, *Policy, time.Time) error { return nil })
		if failed == nil {
			ended++
		}
		err = errors.Join(err, failed)
	}
	if err != nil {
		return ended, fmt.Errorf("settle policies: %w", err)
	}
	return ended, nil
}

// settled keeps the end of a trial that is over.
func (s *Policies) settled(ctx context.Context, p *Policy, now time.Time) error {
	before := p.Rules
	t := p.settle(now)
	if t == nil {
		return nil
	}
	details := changed(&before, &p.Rules)
	details["trial"] = string(t.Kind)
	if err := s.Store.SavePolicy(ctx, *p); err != nil {
		return err
	}
	return s.Audit.Record(ctx, audit.Event{
		OrganizationID: p.OrganizationID, Actor: audit.Actor{Name: audit.BySchedule}, Action: audit.PolicyExpire,
		Target: audit.Target{Kind: "policy", ID: p.OrganizationID}, Details: audit.Details(details),
	})
}

// names lists people for a sentence.
func names(people []Person) string {
	const most = 5
	var out []string
	for i, p := range people {
		if i == most {
			out = append(out, fmt.Sprintf("%d others", len(people)-most))
			break
		}
		out = append(out, p.Email)
	}
	return strings.Join(out, ", ")
}
