package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse/account"
	"gatehouse/domains"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

func (b *builder) addDomains() {
	const list = "/v1/organization/{organization_id}/domains"
	const one = list + "/{domain_id}"
	const links = "/v1/organization/{organization_id}/authentication-methods/{method_id}/domains"
	s := b.server
	add(b, operation{"OrganizationDomainsList", http.MethodGet, list, "List the domains of an organization", account.ReadDomains}, s.listDomains)
	add(b, operation{"OrganizationDomainAdd", http.MethodPost, list, "Claim a domain", account.WriteDomains}, s.addDomain)
	add(b, operation{"OrganizationDomainGet", http.MethodGet, one, "Show a domain", account.ReadDomains}, s.getDomain)
	add(b, operation{"OrganizationDomainUpdate", http.MethodPatch, one, "Change how a domain is to be proved", account.WriteDomains}, s.updateDomain)
	add(b, operation{"OrganizationDomainVerify", http.MethodPost, one + "/verify", "Look for the proof of a domain now", account.WriteDomains}, s.verifyDomain)
	add(b, operation{"OrganizationDomainsRemove", http.MethodDelete, one, "Remove a domain", account.WriteDomains}, s.removeDomain)

	add(b, operation{"OrganizationAuthDomainList", http.MethodGet, links, "List the domains that an authentication method speaks for", account.ReadIdPs}, s.listLinkedDomains)
	add(b, operation{"OrganizationAuthDomainLink", http.MethodPut, links, "Let an authentication method speak for a domain", account.WriteIdPs}, s.linkDomain)
	add(b, operation{"OrganizationAuthDomainUnlink", http.MethodDelete, links + "/{domain_id}", "Let an authentication method speak for a domain no longer", account.WriteIdPs}, s.unlinkDomain)
}

// DomainPath is the domain of a path.
type DomainPath struct {
	OrganizationPath
	DomainID string `path:"domain_id" maxLength:"255" doc:"Its id, or its name." example:"dom1a2b3c4d5e6"`
}

// LinkPath is the authentication method of a path below an organization.
type LinkPath struct {
	OrganizationPath
	MethodID string `path:"method_id" maxLength:"36" example:"am1a2b3c4d5e6"`
}

// A domain is a claim as its organization's admins see it.
type domain struct {
	ID             string    `json:"domain_id"`
	Name           string    `json:"domain_name" doc:"In lower case, international names in A-labels."`
	OrganizationID string    `json:"organization_id"`
	State          string    `json:"state" enum:"unverified,verified,lost" doc:"lost: it was verified, and its record stayed away for a week."`
	Proof          string    `json:"verification_type" enum:"dns,http"`
	Challenge      string    `json:"challenge_token"`
	CreateTime     time.Time `json:"create_time"`
	Methods        []string  `json:"linked_authentication_method_ids" doc:"They speak for its addresses while it is verified."`

	RecordName   *string    `json:"txt_record_name" doc:"Of the TXT record to publish; null where it is proved by http."`
	RecordValue  *string    `json:"txt_record_value" doc:"What it says. The challenge_token alone is taken too."`
	ProofURL     *string    `json:"proof_url" doc:"Where the file to publish is; null where it is proved by dns."`
	ProofContent *string    `json:"proof_content" doc:"What the file says."`
	VerifiedTime *time.Time `json:"verified_time" doc:"null: it never was."`
	CheckTime    *time.Time `json:"last_check_time" doc:"When the proof was last looked for; null: never."`
	Finding      *string    `json:"last_finding" doc:"What was found instead of the proof, in a sentence; null: the proof, or nobody looked."`
	MissingSince *time.Time `json:"record_missing_since" doc:"Since when the proof of a verified domain is missing; null: it is there."`
	EndsAt       *time.Time `json:"claim_ends_at" doc:"When the claim ends unless the proof comes back."`
}

func (s *Server) newDomain(d domains.Domain) domain {
	out := domain{
		ID: d.ID, Name: d.Name, OrganizationID: d.OrganizationID, State: string(d.State), Proof: string(d.Proof),
		Challenge: d.Challenge, CreateTime: moment(d.CreatedAt), Methods: append([]string{}, d.Methods...),
		VerifiedTime: timeOrNull(d.VerifiedAt), CheckTime: timeOrNull(d.CheckedAt), Finding: orNull(d.Finding),
		MissingSince: timeOrNull(d.MissingSince), EndsAt: timeOrNull(d.EndsAt()),
	}
	if d.Proof == domains.ByHTTP {
		out.ProofURL, out.ProofContent = orNull(s.Domains.Page(d)), orNull(d.Value())
	} else {
		out.RecordName, out.RecordValue = orNull(s.Domains.Record(d)), orNull(d.Value())
	}
	return out
}

type domainsAnswer struct {
	Domains []domain `json:"domains" doc:"By name."`
}

func (s *Server) newDomains(list []domains.Domain) *domainsAnswer {
	out := &domainsAnswer{Domains: []domain{}}
	for _, d := range list {
		out.Domains = append(out.Domains, s.newDomain(d))
	}
	return out
}

// domainAnswer is what ends an operation that gives a claim.
func (s *Server) domainAnswer(d domains.Domain, err error) (*domain, error) {
	if err != nil {
		return nil, err
	}
	out := s.newDomain(d)
	return &out, nil
}

func (s *Server) listDomains(ctx context.Context, v gate.Visit, _ *struct{ OrganizationPath }) (*domainsAnswer, error) {
	list, err := s.Domains.List(ctx, v.Organization)
	if err != nil {
		return nil, err
	}
	return s.newDomains(list), nil
}

type newDomainInput struct {
	OrganizationPath
	Body struct {
		Name  string  `json:"domain_name" maxLength:"255" doc:"The part of the addresses after the @. A subdomain is a domain of its own."`
		Proof *string `json:"verification_type,omitempty" nullable:"true" doc:"dns, which is the default, or http, where the server offers it."`
	} `nameHint:"OrganizationDomainCreateRequest"`
}

func (s *Server) addDomain(ctx context.Context, v gate.Visit, in *newDomainInput) (*domain, error) {
	return s.domainAnswer(s.Domains.Add(ctx, v.Actor, v.Organization, in.Body.Name, domains.Proof(text(in.Body.Proof))))
}

func (s *Server) getDomain(ctx context.Context, v gate.Visit, in *struct{ DomainPath }) (*domain, error) {
	return s.domainAnswer(s.Domains.Get(ctx, v.Organization, in.DomainID))
}

type updateDomainInput struct {
	DomainPath
	Body struct {
		Proof *string `json:"verification_type,omitempty" nullable:"true" doc:"dns, or http where the server offers it."`
	} `nameHint:"OrganizationDomainUpdateRequest"`
}

func (s *Server) updateDomain(ctx context.Context, v gate.Visit, in *updateDomainInput) (*domain, error) {
	if in.Body.Proof == nil {
		return s.domainAnswer(s.Domains.Get(ctx, v.Organization, in.DomainID))
	}
	return s.domainAnswer(s.Domains.Update(ctx, v.Actor, v.Organization, in.DomainID, domains.Proof(*in.Body.Proof)))
}

func (s *Server) verifyDomain(ctx context.Context, v gate.Visit, in *struct{ DomainPath }) (*domain, error) {
	return s.domainAnswer(s.Domains.Verify(ctx, v.Actor, v.Organization, in.DomainID))
}

func (s *Server) removeDomain(ctx context.Context, v gate.Visit, in *struct{ DomainPath }) (*empty, error) {
	return nil, s.Domains.Remove(ctx, v.Actor, v.Organization, in.DomainID)
}

func (s *Server) listLinkedDomains(ctx context.Context, v gate.Visit, in *struct{ LinkPath }) (*domainsAnswer, error) {
	list, err := s.Domains.Linked(ctx, v.Organization, in.MethodID)
	if err != nil {
		return nil, err
	}
	return s.newDomains(list), nil
}

type linkDomainInput struct {
	LinkPath
	Body struct {
		DomainID string `json:"domain_id" maxLength:"255" doc:"Its id, or its name."`
	} `nameHint:"OrganizationAuthDomainLinkRequest"`
}

func (s *Server) linkDomain(ctx context.Context, v gate.Visit, in *linkDomainInput) (*empty, error) {
	err := s.Domains.Link(ctx, v.Actor, v.Organization, in.MethodID, in.Body.DomainID)
	if e := fault.Of(err); e != nil && e.Code == "organization_domain_not_found" {
		return nil, e.At("domain_id")
	}
	return nil, err
}

type unlinkDomainInput struct {
	LinkPath
	DomainID string `path:"domain_id" maxLength:"255" doc:"Its id, or its name." example:"dom1a2b3c4d5e6"`
}

func (s *Server) unlinkDomain(ctx context.Context, v gate.Visit, in *unlinkDomainInput) (*empty, error) {
	return nil, s.Domains.Unlink(ctx, v.Actor, v.Organization, in.MethodID, in.DomainID)
}

// Bounds of what a failure repeats of what strangers publish.
const (
	mostFound = 20  // values, and questions
	mostValue = 512 // bytes of one
)

type lookedFor struct {
	Name  string `json:"name" doc:"Of the TXT record, or the address of the file."`
	Value string `json:"value"`
}

type question struct {
	Server  string `json:"server" doc:"Whom: host and port, or a URL."`
	Network string `json:"network" doc:"udp, tcp or https."`
	Name    string `json:"name" doc:"What was asked for."`
	Type    string `json:"type" doc:"Of record, such as TXT."`
	Outcome string `json:"outcome" doc:"As DNS names it, such as NXDOMAIN; or in words, such as no answer."`
	Records int    `json:"records" doc:"How many answer the question."`
}

// saySought adds what was looked for, what was asked of whom and what came,
// where a domain was not proved.
func (item *failureItem) saySought(err error) {
	var no *domains.Unproved
	if !errors.As(err, &no) {
		return
	}
	values, asked := []string{}, []question{}
	for _, v := range no.Look.Values[:min(len(no.Look.Values), mostFound)] {
		values = append(values, shortened(v))
	}
	for _, q := range no.Look.Asked[:min(len(no.Look.Asked), mostFound)] {
		asked = append(asked, question{q.Server, q.Network, q.Name, q.Type, q.Outcome, q.Records})
	}
	item.LookedFor, item.FoundValues, item.Asked = &lookedFor{no.Where, no.Want}, &values, &asked
}

// shortened bounds a text, and makes it Unicode.
func shortened(s string) string {
	if len(s) > mostValue {
		s = s[:mostValue] + "…"
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}
