package policy

import (
	"context"
	"fmt"
	"time"

	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// keepsSomebody refuses a change that would refuse whoever makes it, or leave
// no super admin who has succeeded with a way, and from an address, that the
// new rules admit.
func (s *Policies) keepsSomebody(ctx context.Context, by By, p *Policy, after *Rules, groupID string, now time.Time) error {
	admins, err := s.Store.Admins(ctx, p.OrganizationID, groupID)
	if err != nil {
		return err
	}
	before := p.InForce(now, false)
	concerned := groupID == ""
	for _, a := range admins {
		concerned = concerned || a.ID == by.User.ID && a.InGroup
	}
	if concerned {
		if no := after.Check(by.Entry); no != nil {
			return fault.Conflict.Errorf("This would refuse you yourself. %s Log in by a way that the new policy admits and make the change then, or force it.", no.Why).At(no.Rule).Coded("authentication_method_disable_current_not_allowed")
		}
	}
	report := Preview(admins, before, after, groupID != "", now)
	if report.AdminsLeft > 0 {
		return nil
	}
	return fault.Conflict.Errorf("This would leave no super admin who has ever logged in by a way, and from an address, that the new policy admits: not %s. Let one of them log in that way first, or force the change.", names(admins)).Coded("policy_locks_out_admins")
}

// Keep refuses to lose a login method that the caller's own session came from,
// or by which alone every super admin comes in: it is for whoever disables or
// deletes an identity provider, in their transaction. It returns fault.Conflict
// with the codes of Policies.Change.
func (s *Policies) Keep(ctx context.Context, inUse bool, organizationID, methodID string) error {
	if inUse {
		return fault.Conflict.Errorf("You are logged in through this identity provider, and would end your own session. Log in by another way and do it then, or force it.").Coded("authentication_method_disable_current_not_allowed")
	}
	p, err := s.Get(ctx, organizationID)
	if err != nil {
		return err
	}
	admins, err := s.Store.Admins(ctx, organizationID, p.group())
	if err != nil {
		return fmt.Errorf("list admins of %s: %w", organizationID, err)
	}
	now := s.Now()
	used := false
	for _, a := range admins {
		if !a.Active {
			continue
		}
		rest := a
		rest.Logins = nil
		for _, l := range a.Logins {
			used = used || l.MethodID == methodID
			if l.MethodID != methodID {
				rest.Logins = append(rest.Logins, l)
			}
		}
		if p.lets(rest, now) {
			return nil
		}
	}
	if !used {
		return nil
	}
	return fault.Conflict.Errorf("No super admin has ever logged in by another way that the authentication policy admits: not %s. Let one of them log in another way first, or force it.", names(admins)).Coded("policy_locks_out_admins")
}

// lets says whether a person can come in under what is in force for them, and
// under what a trial may go back to.
func (p *Policy) lets(one Person, now time.Time) bool {
	in, _ := one.reach(p.InForce(now, one.InGroup), now)
	if in && p.Trial != nil && p.Trial.Kind == ToRevert {
		in, _ = one.reach(&p.Trial.Rules, now)
	}
	return in
}

// KeepGroup refuses a group that leaves no super admin whom the policy admits,
// where the policy is being tried on it: it is for whoever puts people into it,
// once they are in it, in their transaction. It returns fault.Conflict with
// code policy_locks_out_admins.
func (s *Policies) KeepGroup(ctx context.Context, organizationID, groupID string) error {
	p, err := s.Get(ctx, organizationID)
	if err != nil || p.group() != groupID {
		return err
	}
	admins, in, err := s.somebody(ctx, &p)
	if err != nil || in {
		return err
	}
	return fault.Conflict.Errorf("An authentication policy is being tried on this group, and would refuse every super admin then: %s. Leave one of them out, or end the trial first.", names(admins)).Coded("policy_locks_out_admins")
}

// KeepAdmins refuses to lose a super admin where no other one has ever logged
// in by a way, and from an address, that the policy admits: it is for whoever
// ends their membership, in the transaction in which it ended. It returns
// fault.Conflict.
func (s *Policies) KeepAdmins(ctx context.Context, organizationID string) error {
	p, err := s.Get(ctx, organizationID)
	if err != nil {
		return err
	}
	admins, in, err := s.somebody(ctx, &p)
	if err != nil || in {
		return err
	}
	return fault.Conflict.Errorf("No super admin who is left has ever logged in by a way, and from an address, that the authentication policy admits: not %s. Let one of them log in first, or force it.", names(admins)).Coded("policy_locks_out_admins")
}

// somebody gives the super admins of an organization, and says whether its
// policy lets one of them in.
func (s *Policies) somebody(ctx context.Context, p *Policy) (admins []Person, in bool, err error) {
	admins, err = s.Store.Admins(ctx, p.OrganizationID, p.group())
	if err != nil {
		return nil, false, fmt.Errorf("list admins of %s: %w", p.OrganizationID, err)
	}
	now := s.Now()
	for _, a := range admins {
		if a.Active && p.lets(a, now) {
			return admins, true, nil
		}
	}
	return admins, false, nil
}

// group is the group of a pilot that is under way, or nothing.
func (p *Policy) group() string {
	if p.Trial == nil {
		return ""
	}
	return p.Trial.GroupID
}

// pageOfPeople is how many members a preview reads at once.
const pageOfPeople = 500

// Preview says what a change would do, and changes nothing: to every member,
// and to the caller (nil: they would still come in). It returns fault.Invalid
// as Change does.
func (s *Policies) Preview(ctx context.Context, by By, organizationID string, c Change, o Options) (Report, *Refusal, error) {
	if err := o.check(); err != nil {
		return Report{}, nil, err
	}
	p, err := s.Get(ctx, organizationID)
	if err != nil {
		return Report{}, nil, err
	}
	before := p.Rules
	after, err := c.Apply(before)
	if err != nil {
		return Report{}, nil, err
	}
	if err := s.hasPilot(ctx, organizationID, o); err != nil {
		return Report{}, nil, err
	}
	report := Report{viewer: by.User.ID}
	now := s.Now()
	concerned := o.PilotGroupID == ""
	for last := ""; ; {
		people, err := s.Store.People(ctx, organizationID, o.PilotGroupID, last, pageOfPeople)
		if err != nil {
			return Report{}, nil, fmt.Errorf("list people of %s: %w", organizationID, err)
		}
		report.addAll(people, &before, &after, o.PilotGroupID != "", now)
		for _, m := range people {
			concerned = concerned || m.ID == by.User.ID && m.InGroup
		}
		if len(people) < pageOfPeople {
			break
		}
		last = people[len(people)-1].ID
	}
	if !concerned {
		return report, nil, nil
	}
	return report, after.Check(by.Entry), nil
}

// Details are those of an audit event.
type Details audit.Details

// options notes how a change was made.
func (d Details) options(o Options, t *Trial) {
	if o.Force {
		d["force"] = "true"
	}
	if t != nil {
		d["trial"] = string(t.Kind)
	}
	if t != nil && !t.Until.IsZero() {
		d["until"] = t.Until.UTC().Format(time.RFC3339)
	}
	if o.PilotGroupID != "" {
		d["pilot_user_group_id"] = o.PilotGroupID
	}
}

// changed notes what differs between two sets of rules, in the API's words.
func changed(before, after *Rules) Details {
	d := audit.Details{}
	was, is := before.fields(), after.fields()
	for name, value := range is {
		d.Changed(name, was[name], value)
	}
	return Details(d)
}

// fields gives rules as text, by the API's names.
func (r *Rules) fields() map[string]string {
	return map[string]string{
		"password_auth_enabled": fmt.Sprint(r.Password),
		"two_factor_required":   fmt.Sprint(r.TwoFactor),
		"oauth_enabled":         fmt.Sprint(r.ThirdParty),
		"oauth_providers":       fmt.Sprint(r.Providers),
		"passkey_enabled":       fmt.Sprint(r.Passkey),
		"saml_enabled":          fmt.Sprint(r.SAML),
		"saml_allow_external":   fmt.Sprint(r.ExternalSAML),
		secondFactorField:       fmt.Sprint(r.SecondFactorContexts),
		"personal_tokens":       string(r.PersonalTokens),
		"personal_tokens_require_allowed_auth_method": fmt.Sprint(r.EnforceMethod),
		"personal_token_max_age_seconds":              fmt.Sprint(int64(r.PersonalTokenAge / time.Second)),
		"mcp_enabled":                                 fmt.Sprint(r.MCP),
		"device_login_enabled":                        fmt.Sprint(r.DeviceLogin),
		"login_freshness_days":                        fmt.Sprint(int64(r.Freshness / (24 * time.Hour))),
		"allowed_ip_ranges":                           fmt.Sprint(r.Ranges),
	}
}
