package api

import (
	"context"
	"net/http"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/login"
)

func (b *builder) addPrograms() {
	s := b.server
	add(b, operation{"LoginDevice", http.MethodPost, "/v1/login/device", "Have a program wait for a code to be typed", account.Anyone}, s.startDevice)
	add(b, operation{"LoginToken", http.MethodPost, "/v1/login/token", "Get the session token of a login that a browser approved", account.Anyone}, s.redeem)
}

type deviceInput struct {
	Body struct {
		ClientName string `json:"client_name" maxLength:"60" doc:"What the program is called. People see it, as the program's own words."`
	} `nameHint:"LoginDeviceRequest"`
}

type deviceAnswer struct {
	DeviceCode      string `json:"device_code" doc:"What the program asks for its token with; a secret."`
	UserCode        string `json:"user_code" doc:"What the person types." example:"WDJB-MJHT"`
	VerificationURI string `json:"verification_uri" doc:"Where they type it."`
	ExpiresIn       int    `json:"expires_in" doc:"In seconds."`
	Interval        int    `json:"interval" doc:"Seconds between two questions for the token."`
}

func (s *Server) startDevice(ctx context.Context, _ gate.Visit, in *deviceInput) (*deviceAnswer, error) {
	d, err := s.Login.BeginDevice(ctx, in.Body.ClientName, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return &deviceAnswer{
		DeviceCode: d.DeviceCode, UserCode: d.UserCode, VerificationURI: s.Base + "/device",
		ExpiresIn: int(d.Expires / time.Second), Interval: int(d.Pause / time.Second),
	}, nil
}

type redeemInput struct {
	Body struct {
		Grant        string  `json:"grant" maxLength:"64" doc:"authorization_code or device_code."`
		Code         *string `json:"code,omitempty" nullable:"true" maxLength:"128" doc:"For authorization_code: what the browser handed over."`
		CodeVerifier *string `json:"code_verifier,omitempty" nullable:"true" maxLength:"128" doc:"For authorization_code: the secret of the program (RFC 7636)."`
		RedirectURI  *string `json:"redirect_uri,omitempty" nullable:"true" maxLength:"64" doc:"For authorization_code: where the browser handed it over."`
		DeviceCode   *string `json:"device_code,omitempty" nullable:"true" maxLength:"128" doc:"For device_code. While nobody has typed the code, the answer is 400 with authorization_pending, or slow_down; after that access_denied, expired_token, or invalid_grant for a code that was used."`
	} `nameHint:"LoginTokenRequest"`
}

func (s *Server) redeem(ctx context.Context, _ gate.Visit, in *redeemInput) (*logInAnswer, error) {
	out, err := s.redeemed(ctx, in)
	if err != nil {
		return nil, err
	}
	return &logInAnswer{State: string(out.User.State), Token: out.Text, UserEmail: out.User.Email}, nil
}

func (s *Server) redeemed(ctx context.Context, in *redeemInput) (login.Redeemed, error) {
	b := &in.Body
	switch b.Grant {
	case "authorization_code":
		return s.Login.RedeemCode(ctx, text(b.Code), text(b.CodeVerifier), text(b.RedirectURI), clientOf(ctx))
	case "device_code":
		return s.Login.RedeemDevice(ctx, text(b.DeviceCode), clientOf(ctx))
	}
	return login.Redeemed{}, fault.Invalid.Errorf("This is authorization_code or device_code.").At("grant")
}
