package api

import (
	"context"
	"net/http"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/login"
)

func (b *builder) addLoginOptions() {
	add(b, operation{"UserAuthLoginOptions", http.MethodPost, "/v1/userauth/login_options", "Say how somebody with an address can log in", account.Anyone}, b.server.loginOptions)
}

type loginOptionsInput struct {
	Body struct {
		Email string `json:"email" maxLength:"319" doc:"It need not have an account: the answer follows from its domain alone."`
	} `nameHint:"UserAuthLoginOptionsRequest"`
}

// A loginOption is one way to go on. Every key is there.
type loginOption struct {
	Action      string  `json:"action" enum:"password,saml,signup"`
	Method      string  `json:"method" enum:"GET,POST" doc:"Of the request to redirect_url."`
	Name        string  `json:"name" example:"Acme Okta"`
	RedirectURL string  `json:"redirect_url" doc:"Where a browser goes, or, for a password, where a program posts it."`
	MethodID    *string `json:"authentication_method_id" doc:"For saml." example:"am1a2b3c4d5e6"`

	OrganizationID   *string `json:"organization_id" doc:"Whose authentication method it is." example:"org1a2b3c4d5e6"`
	OrganizationName *string `json:"organization_name"`
}

type loginOptionsAnswer struct {
	Options  []loginOption `json:"options" doc:"The best first. Where several are saml, the person chooses."`
	None     []loginOption `json:"None" doc:"The same, by the name that the description of Aiven's API has for it."`
	Password bool          `json:"password" doc:"Whether a password is as good a way as the others. Where it is not, the organization of the domain admits none; an account that it does not manage may have one all the same."`
}

func (s *Server) loginOptions(ctx context.Context, _ gate.Visit, in *loginOptionsInput) (*loginOptionsAnswer, error) {
	offer, err := s.Login.Offers(ctx, in.Body.Email, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	list := s.optionsOf(offer)
	return &loginOptionsAnswer{Options: list, None: list, Password: offer.Password}, nil
}

func (s *Server) optionsOf(o login.Offer) []loginOption {
	list := []loginOption{}
	for _, m := range o.Methods {
		list = append(list, loginOption{
			Action: "saml", Method: http.MethodGet, Name: m.Name, RedirectURL: s.Base + "/v1/sso/saml/login/" + m.ID,
			MethodID: &m.ID, OrganizationID: &m.OrganizationID, OrganizationName: &m.Organization,
		})
	}
	list = append(list, loginOption{Action: "password", Method: http.MethodPost, Name: "Password", RedirectURL: s.Base + "/v1/userauth"})
	if s.Login.Open && len(o.Methods) == 0 {
		list = append(list, loginOption{Action: "signup", Method: http.MethodGet, Name: "Create an account", RedirectURL: s.Base + "/signup"})
	}
	return list
}
