package api

import (
	"context"
	"net/http"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

func (b *builder) addAudit() {
	s := b.server
	add(b, operation{"OrganizationAuditEventsList", http.MethodGet, "/v1/organization/{organization_id}/audit-events", "List what was done in an organization, newest first", account.ReadAudit}, s.listAuditEvents)
	add(b, operation{"OperatorAuditEventsList", http.MethodGet, "/v1/operator/audit-events", "List what was done in all organizations and outside of any, newest first", account.Operate}, s.listAllAuditEvents)
}

// AuditQuery says which events to list. It is exported for huma's sake.
type AuditQuery struct {
	PageSize int    `query:"page_size" default:"50" doc:"1 to 100."`
	Cursor   string `query:"cursor" doc:"next_cursor of the page before; nothing for the first."`
	Action   string `query:"action" doc:"What actions begin with, such as idp or idp.update." example:"idp."`
	Actor    string `query:"actor" doc:"A user's id, or what an address begins with."`
	Since    string `query:"since" doc:"Events from this moment on (RFC 3339)." example:"2026-03-01T00:00:00Z"`
	Until    string `query:"until" doc:"Events before this moment (RFC 3339)."`
}

// An auditEvent is one thing that somebody did.
type auditEvent struct {
	ID             string            `json:"event_id"`
	Time           time.Time         `json:"time"`
	OrganizationID *string           `json:"organization_id" doc:"null for what is the operators' business alone."`
	Action         string            `json:"action" example:"idp.update"`
	Actor          auditActor        `json:"actor"`
	Target         auditTarget       `json:"target"`
	IP             *string           `json:"ip" doc:"null where it is not known."`
	UserAgent      *string           `json:"user_agent"`
	Details        map[string]string `json:"details" doc:"By field: NAME.before and NAME.after for what changed. Certificates stand here by their fingerprint, secrets never."`
}

type auditActor struct {
	UserID *string `json:"user_id" doc:"null for who did it on the server's own machine."`
	Name   string  `json:"name" doc:"The email address at that time, or: operator on the server."`
}

type auditTarget struct {
	Kind string `json:"kind" example:"organization"`
	ID   string `json:"id"`
	Name string `json:"name" doc:"Its name at that time."`
}

type auditEventsAnswer struct {
	Events     []auditEvent `json:"events" doc:"Newest first."`
	NextCursor *string      `json:"next_cursor" doc:"Leads to the next page; null on the last."`
}

type auditEventsInput struct {
	OrganizationPath
	AuditQuery
}

func (s *Server) listAuditEvents(ctx context.Context, v gate.Visit, in *auditEventsInput) (*auditEventsAnswer, error) {
	return s.auditEvents(ctx, audit.Filter{OrganizationID: v.Organization.ID}, in.AuditQuery)
}

func (s *Server) listAllAuditEvents(ctx context.Context, _ gate.Visit, in *struct{ AuditQuery }) (*auditEventsAnswer, error) {
	return s.auditEvents(ctx, audit.Filter{Everywhere: true}, in.AuditQuery)
}

func (s *Server) auditEvents(ctx context.Context, f audit.Filter, q AuditQuery) (*auditEventsAnswer, error) {
	// To package audit, 0 is nothing said; here, nothing said is 50 already.
	if q.PageSize == 0 {
		return nil, fault.Invalid.Errorf("Say a number from 1 to %d.", audit.MostOnPage).At("page_size")
	}
	f.Action, f.Actor = q.Action, q.Actor
	var err error
	if f.Since, err = queryTime(q.Since, "since"); err != nil {
		return nil, err
	}
	if f.Until, err = queryTime(q.Until, "until"); err != nil {
		return nil, err
	}
	list, err := s.Audit.List(ctx, f, audit.Page{Size: q.PageSize, Cursor: q.Cursor})
	if err != nil {
		return nil, err
	}
	out := &auditEventsAnswer{Events: []auditEvent{}, NextCursor: orNull(list.Next)}
	for _, e := range list.Events {
		out.Events = append(out.Events, newAuditEvent(e))
	}
	return out, nil
}

func newAuditEvent(e audit.Event) auditEvent {
	ip := ""
	if e.IP.IsValid() {
		ip = e.IP.String()
	}
	return auditEvent{
		ID: e.ID, Time: moment(e.At), OrganizationID: orNull(e.OrganizationID), Action: e.Action,
		Actor:  auditActor{UserID: orNull(e.Actor.ID), Name: e.Actor.Name},
		Target: auditTarget{Kind: e.Target.Kind, ID: e.Target.ID, Name: e.Target.Name},
		IP:     orNull(ip), UserAgent: orNull(e.UserAgent), Details: e.Details,
	}
}

// queryTime reads a moment of a query; nothing is no bound.
func queryTime(s, field string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fault.Invalid.Errorf("Say a moment such as 2026-03-01T12:00:00Z.").At(field)
	}
	return t, nil
}
