package gate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
)

// entryOf is a request as the policy of an organization sees it.
func entryOf(b *session.Bearer, organizationID string, r Request, now time.Time) policy.Entry {
	e := policy.Entry{
		Way: policy.Way(b.Method.Kind), TwoFactor: b.TwoFactor, Context: b.Context, Device: b.Device, Managed: b.User.ManagingOrganizationID == organizationID,
		MadeAt: b.CreatedAt, MCP: isMCP(r.Agent), IP: r.IP, Now: now,
	}
	if e.Managed {
		e.SSO = b.SSO
	}
	if b.Kind == session.PersonalToken {
		// The login behind it: a token that a token makes is not younger.
		e.MadeAt = b.LoggedIn
	}
	switch b.Kind {
	case session.SessionToken:
		e.Kind = policy.Session
		if r.Browser {
			e.Kind = policy.Console
		}
	case session.PersonalToken:
		e.Kind = policy.Personal
	case session.ApplicationToken:
		e.Kind = policy.Application
	}
	if b.Method.Kind != session.SAML {
		return e
	}
	switch {
	case b.MethodOrganizationID == organizationID:
		e.From = policy.Own
	case b.Fellow:
		e.From = policy.Fellow
	default:
		e.From = policy.Stranger
	}
	return e
}

// isMCP reports whether a program calls itself an MCP client: a product of its
// user agent (RFC 9110, 10.1.5) is named mcp, or begins or ends so. It is its
// own word, so that this keeps out who is honest, and no more.
func isMCP(agent string) bool {
	if !containsFold(agent, "mcp") {
		return false
	}
	for product := range strings.FieldsSeq(strings.ToLower(agent)) {
		name, _, _ := strings.Cut(product, "/")
		if name == "mcp" || strings.HasPrefix(name, "mcp-") || strings.HasSuffix(name, "-mcp") {
			return true
		}
	}
	return false
}

// containsFold spares most agents the work.
func containsFold(s, lower string) bool {
	for i := 0; i+len(lower) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(lower)], lower) {
			return true
		}
	}
	return false
}

// A Refused is an organization of a visitor that does not let them in.
type Refused struct {
	Organization account.Organization
	Code         string
	Why          string
}

// Organizations gives a visitor's organizations: those that let them in with
// what they came with, and those that do not, with the reason.
func (g *Gate) Organizations(ctx context.Context, v Visit) (in []account.Membership, out []Refused, err error) {
	all, err := g.Store.Places(ctx, v.User.ID)
	if err != nil {
		return nil, nil, fmt.Errorf("list organizations: %w", err)
	}
	now, r := g.Now(), Request{IP: v.IP, Agent: v.UserAgent, Browser: v.Browser}
	for i := range all {
		p := &all[i]
		if err := g.lets(v, p, r, now); err != nil {
			f := fault.Of(err)
			out = append(out, Refused{Organization: p.Organization, Code: f.Code, Why: f.Message})
			continue
		}
		in = append(in, account.Membership{Organization: p.Organization, SuperAdmin: p.Member.SuperAdmin})
	}
	return in, out, nil
}

// lets says why an organization of a list does not let a visitor in, or nil.
func (g *Gate) lets(v Visit, p *Belonging, r Request, now time.Time) error {
	if p.Organization.Suspended {
		return errSuspended(&p.Organization)
	}
	if !v.Bearer.Method.Opens(p.Organization.ID) {
		return fault.Denied.Errorf("You logged in by a recovery link, which opens the organization that it was made for and no other.").Coded("recovery_elsewhere")
	}
	reported, err := p.Check(entryOf(&v.Bearer, p.Organization.ID, r, now))
	g.Sightings.Note(p.Organization.ID, v.User.ID, policy.Kind(v.Bearer.Kind), reported, now)
	return err
}

// MayMakeTokens implements session.Rules.
func (g *Gate) MayMakeTokens(ctx context.Context, userID string) (most time.Duration, err error) {
	all, err := g.Store.Places(ctx, userID)
	if err != nil {
		return 0, fmt.Errorf("list organizations: %w", err)
	}
	places := make([]policy.Place, len(all))
	managedBy := ""
	for i, p := range all {
		places[i] = p.Place
		if p.Managed {
			managedBy = p.Organization.ID
		}
	}
	return policy.MayMakeTokens(managedBy, places, g.Now())
}
