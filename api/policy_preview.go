package api

import (
	"context"
	"time"

	"gatehouse/gate"
	"gatehouse/policy"
)

// A PolicyRefusal is why rules do not admit somebody. It is exported for huma's
// sake.
type PolicyRefusal struct {
	Code    string `json:"error_code"`
	Rule    string `json:"rule" doc:"The field of the policy that refuses."`
	Message string `json:"message" doc:"A sentence for whoever would be refused."`
}

func newPolicyRefusal(r policy.Refusal) PolicyRefusal {
	return PolicyRefusal{Code: r.Code, Rule: r.Rule, Message: r.Why}
}

type previewAnswer struct {
	CallerRefused   *callerRefusal `json:"caller_refused" doc:"Why the very request that asks would be refused; null: it would not."`
	People          int            `json:"people" doc:"The organization's members."`
	PeopleShutOut   int            `json:"people_shut_out" doc:"Those who come in now and would not any more, by what they have logged in with. Who never did is not counted."`
	Tokens          int            `json:"tokens" doc:"The members' personal tokens."`
	TokensStopped   int            `json:"tokens_stopped" doc:"Those that count here now and would not any more."`
	SuperAdmins     int            `json:"super_admins" doc:"Active ones."`
	SuperAdminsLeft int            `json:"super_admins_left" doc:"Those who have logged in by a way, and from an address, that the change admits."`
	ShutOut         []shutOut      `json:"shut_out" doc:"People who would be shut out; up to 100."`
	Stopped         []stoppedToken `json:"stopped" doc:"Tokens that would stop; up to 100."`
}

// A callerRefusal may be null: huma reads that off a type, not off a field.
type callerRefusal struct {
	_ struct{} `nullable:"true"`
	PolicyRefusal
}

type shutOut struct {
	UserID     string `json:"user_id"`
	UserEmail  string `json:"user_email"`
	RealName   string `json:"real_name"`
	SuperAdmin bool   `json:"is_super_admin"`
	PolicyRefusal
}

type stoppedToken struct {
	UserID      string     `json:"user_id"`
	UserEmail   string     `json:"user_email"`
	Prefix      *string    `json:"token_prefix" doc:"null, like the three below, of a person whom the organization does not manage."`
	Description *string    `json:"description"`
	LoginTime   *time.Time `json:"login_time" doc:"The login behind it."`
	ExpiryTime  *time.Time `json:"expiry_time"`
	PolicyRefusal
}

func (s *Server) previewPolicy(ctx context.Context, v gate.Visit, in *policyChangeInput) (*previewAnswer, error) {
	r, no, err := s.Policies.Preview(ctx, v.By(), v.Organization.ID, in.Body.rules(), in.Body.options())
	if err != nil {
		return nil, err
	}
	out := &previewAnswer{
		People: r.People, PeopleShutOut: r.ShutOut, Tokens: r.Tokens, TokensStopped: r.Stopped,
		SuperAdmins: r.Admins, SuperAdminsLeft: r.AdminsLeft, ShutOut: []shutOut{}, Stopped: []stoppedToken{},
	}
	if no != nil {
		out.CallerRefused = &callerRefusal{PolicyRefusal: newPolicyRefusal(*no)}
	}
	for _, p := range r.PeopleShown {
		out.ShutOut = append(out.ShutOut, shutOut{
			UserID: p.Person.ID, UserEmail: p.Person.Email, RealName: p.Person.Name, SuperAdmin: p.Person.SuperAdmin,
			PolicyRefusal: newPolicyRefusal(p.Why),
		})
	}
	for _, t := range r.TokensShown {
		out.Stopped = append(out.Stopped, stoppedToken{
			UserID: t.Person.ID, UserEmail: t.Person.Email, Prefix: orNull(t.Token.Prefix), Description: orNull(t.Token.Description),
			LoginTime: timeOrNull(t.Token.MadeAt), ExpiryTime: timeOrNull(t.Token.ExpiresAt), PolicyRefusal: newPolicyRefusal(t.Why),
		})
	}
	return out, nil
}

type reportAnswer struct {
	Sightings []sighting `json:"sightings" doc:"Last ones first; up to 1,000. Since the trial began."`
}

// A sighting is somebody whom the rules on trial would have refused.
type sighting struct {
	UserID    string    `json:"user_id"`
	UserEmail string    `json:"user_email"`
	Entry     string    `json:"entry" enum:"console,session,personal,application" doc:"What they came with."`
	Times     int64     `json:"times"`
	FirstTime time.Time `json:"first_time"`
	LastTime  time.Time `json:"last_time"`
	PolicyRefusal
}

func (s *Server) reportPolicy(ctx context.Context, v gate.Visit, _ *struct{ OrganizationPath }) (*reportAnswer, error) {
	list, err := s.Sightings.List(ctx, v.Organization.ID)
	if err != nil {
		return nil, err
	}
	out := &reportAnswer{Sightings: []sighting{}}
	for _, one := range list {
		out.Sightings = append(out.Sightings, sighting{
			UserID: one.UserID, UserEmail: one.Email, Entry: string(one.Kind), Times: one.Times,
			FirstTime: moment(one.First), LastTime: moment(one.Last), PolicyRefusal: PolicyRefusal{Code: one.Code, Rule: one.Rule, Message: one.Why},
		})
	}
	return out, nil
}
