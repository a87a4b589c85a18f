package account

import "gatehouse/audit"

// Audit is how the log names a person.
func (u User) Audit() audit.Actor { return audit.Actor{ID: u.ID, Name: u.Email} }

// Target is a person to whom something is done.
func (u User) Target() audit.Target { return audit.Target{Kind: "user", ID: u.ID, Name: u.Email} }

// Target is an organization to which something is done.
func (o Organization) Target() audit.Target {
	return audit.Target{Kind: "organization", ID: o.ID, Name: o.Name}
}

// Target is a unit to which something is done.
func (a Account) Target() audit.Target {
	return audit.Target{Kind: "unit", ID: a.ID, Name: a.Name}
}

// Target is a group to which something is done.
func (g Group) Target() audit.Target {
	return audit.Target{Kind: "group", ID: g.ID, Name: g.Name}
}

// Did begins the event of something that somebody does in an organization,
// which may be empty.
func (a Actor) Did(action, organizationID string, to audit.Target, details audit.Details) audit.Event {
	return audit.Event{
		OrganizationID: organizationID, Actor: a.User.Audit(), Action: action, Target: to,
		IP: a.IP, UserAgent: a.UserAgent, Details: details,
	}
}
