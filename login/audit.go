package login

import (
	"context"
	"net/netip"
	"strings"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/session"
)

// actor is somebody at a client, for the audit log.
func (c Client) actor(u account.User) account.Actor {
	return account.Actor{User: u, IP: c.IP, UserAgent: c.UserAgent}
}

// recordLogin writes that a login ended in a session, in the session's
// transaction. It is the business of the organization whose method it was, or
// of the one that manages the person. allowed are what the identity provider
// needed admitted.
func (l *Login) recordLogin(ctx context.Context, u account.User, t session.Token, organizationID string, allowed []string, c Client) error {
	if organizationID == "" {
		organizationID = u.ManagingOrganizationID
	}
	details := audit.Details{"method": string(t.Method.Kind), "session": t.Prefix}
	if t.Method.Kind == session.SAML {
		details["authentication_method_id"] = t.Method.ID
	}
	if len(allowed) > 0 {
		details["allowances"] = strings.Join(allowed, " ")
	}
	return l.Audit.Record(ctx, c.actor(u).Did(audit.LoginSuccess, organizationID, u.Target(), details))
}

// recordSubject writes that a subject of an identity provider became a user's:
// by signing up through it, or by linking.
func (l *Login) recordSubject(ctx context.Context, action string, u account.User, organizationID string, c Client, details audit.Details) error {
	return l.Audit.Record(ctx, c.actor(u).Did(action, organizationID, u.Target(), details))
}

// subjectOf says for the log which subject a flow speaks of.
func subjectOf(f Flow) audit.Details {
	return audit.Details{"authentication_method_id": f.Method.ID, "subject": f.Claim.Subject, "subject_kind": f.Claim.SubjectKind}
}

// recordAnswer writes that somebody approved a program that asks to be logged
// in, or refused it, in the transaction of the answer. programIP is zero where
// the program has not come to us yet.
func (l *Login) recordAnswer(ctx context.Context, yes bool, by session.Bearer, way, program string, programIP netip.Addr, c Client) error {
	action, organizationID := audit.ProgramRefuse, by.MethodOrganizationID
	if yes {
		action = audit.ProgramApprove
	}
	if organizationID == "" {
		organizationID = by.User.ManagingOrganizationID
	}
	details := audit.Details{"method": string(by.Method.Kind), "session": by.Prefix, "program": program, "way": way, "browser_ip": addressText(c.IP)}
	if by.Method.Kind == session.SAML {
		details["authentication_method_id"] = by.Method.ID
	}
	if way == byDevice {
		details["program_ip"] = addressText(programIP)
	}
	return l.Audit.Record(ctx, c.actor(by.User).Did(action, organizationID, by.User.Target(), details))
}
