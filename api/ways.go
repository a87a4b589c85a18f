package api

import (
	"context"
	"net/http"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/login"
	"gatehouse/session"
)

func (b *builder) addLoginMethods() {
	const list = "/v1/me/authentication_methods"
	s := b.server
	add(b, operation{"UserAuthenticationMethodsList", http.MethodGet, list, "List the ways in which one can log in", account.ReadTokens}, s.listWays)
	add(b, operation{"UserAuthenticationMethodDelete", http.MethodDelete, list + "/{method_id}", "Cut a way to log in, and end what was made by it", account.WriteTokens}, s.cutWay)
}

// A way is one way to log in, as the person whose it is sees it. Every key is
// there.
type way struct {
	ID               string     `json:"method_id" doc:"The identity provider, or password." example:"am1a2b3c4d5e6"`
	Type             string     `json:"type" enum:"password,google,microsoft,github,passkey,saml"`
	Name             string     `json:"name"`
	State            string     `json:"state" enum:"active,deleted" doc:"Always active."`
	UserEmail        string     `json:"user_email" doc:"As the identity provider gave it last."`
	RemoteProviderID *string    `json:"remote_provider_id" doc:"saml, for an identity provider."`
	RemoteIdentity   *string    `json:"public_remote_identity" doc:"Whom the identity provider says that one is."`
	AccountID        *string    `json:"authentication_method_account_id" doc:"Whose identity provider it is."`
	OrganizationID   *string    `json:"organization_id" doc:"The organization of that account."`
	OrganizationName *string    `json:"organization_name"`
	CurrentlyActive  bool       `json:"currently_active" doc:"Whether the login behind this request used it."`
	Usable           bool       `json:"usable" doc:"Whether a login by it succeeds: it is enabled, and admitted by the organization that manages one."`
	CreateTime       time.Time  `json:"create_time"`
	UpdateTime       time.Time  `json:"update_time" doc:"As create_time."`
	DeleteTime       *time.Time `json:"delete_time" doc:"Always null: what was cut is gone."`
	LastUsedTime     *time.Time `json:"last_used_time"`
	LastIP           *string    `json:"last_ip"`
}

func newWay(w login.Way) way {
	out := way{
		ID: w.ID, Type: string(w.Kind), Name: w.Name, State: "active", UserEmail: w.Email,
		RemoteIdentity: orNull(w.Subject), AccountID: orNull(w.AccountID),
		OrganizationID: orNull(w.OrganizationID), OrganizationName: orNull(w.Organization),
		CurrentlyActive: w.Current, Usable: w.Usable,
		CreateTime: moment(w.CreatedAt), UpdateTime: moment(w.CreatedAt), LastUsedTime: timeOrNull(w.LastUsedAt), LastIP: addressOrNull(w.LastIP),
	}
	if w.Kind == session.Password {
		out.Name = "Password"
	} else {
		out.RemoteProviderID = orNull(string(w.Kind))
	}
	return out
}

type waysAnswer struct {
	Ways []way `json:"authentication_methods" doc:"The password first, then by age. Several links to one identity provider have one method_id."`
}

func (s *Server) listWays(ctx context.Context, v gate.Visit, _ *nothing) (*waysAnswer, error) {
	list, err := s.Login.Ways(ctx, v.Bearer)
	if err != nil {
		return nil, err
	}
	out := &waysAnswer{Ways: []way{}}
	for _, w := range list {
		out.Ways = append(out.Ways, newWay(w))
	}
	return out, nil
}

type cutWayInput struct {
	WayID string `path:"method_id" maxLength:"36" doc:"As the list gives it." example:"am1a2b3c4d5e6"`
	Body  *struct {
		Password *string `json:"password,omitempty" nullable:"true" maxLength:"256" doc:"One's password, where the session's login is more than ten minutes old or not one's own."`
	} `nameHint:"UserAuthenticationMethodDeleteRequest"`
}

func (s *Server) cutWay(ctx context.Context, v gate.Visit, in *cutWayInput) (*said, error) {
	password := ""
	if in.Body != nil {
		password = text(in.Body.Password)
	}
	ended, err := s.Login.Unlink(ctx, v.Bearer, in.WayID, password, nil, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	if ended {
		return &said{"The login method is cut, and the tokens that were made by it are revoked, that of this request too. Log in again."}, nil
	}
	return &said{"The login method is cut, and the tokens that were made by it are revoked."}, nil
}
