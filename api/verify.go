package api

import (
	"context"
	"errors"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
)

type verifyEmailInput struct {
	Code string `path:"verification_code" doc:"What stands at the end of the mailed link."`
	Body *struct {
		Password *string `json:"password,omitempty" nullable:"true" maxLength:"256" doc:"The account's password, where the request carries no token of the account."`
	} `nameHint:"UserVerifyEmailRequest"`
}

type verifyEmailAnswer struct {
	InviteDetails inviteDetails `json:"invite_details"`
	Message       string        `json:"message" doc:"A sentence for people."`
}

type inviteDetails struct {
	UserEmail string `json:"user_email"`
}

// verifyEmail proves an address: for whoever has the code, and can get into the
// account too. The gate lets everybody here, since a password will do.
func (s *Server) verifyEmail(ctx context.Context, _ gate.Visit, in *verifyEmailInput) (*verifyEmailAnswer, error) {
	c, err := s.Addresses.Look(ctx, in.Code, clientOf(ctx).IP)
	if err != nil {
		return nil, err
	}
	password := ""
	if in.Body != nil {
		password = text(in.Body.Password)
	}
	by, err := s.holder(ctx, c.User, password)
	if err != nil {
		return nil, err
	}
	u, err := s.Addresses.Prove(ctx, in.Code, by)
	if err != nil {
		return nil, err
	}
	return &verifyEmailAnswer{inviteDetails{u.Email}, "The email address is confirmed."}, nil
}

// holder is who sent the request: by its token, or else as u by their password;
// nobody without either.
func (s *Server) holder(ctx context.Context, u account.User, password string) (account.Actor, error) {
	c, _ := ctx.Value(callKey{}).(call)
	who := c.asked
	who.Need = account.WriteSelf
	v, err := s.Gate.Admit(ctx, who)
	switch {
	case err == nil && (v.User.ID == u.ID || password == ""):
		return v.Actor, nil
	case err != nil && !errors.Is(err, fault.Unauthenticated) && !errors.Is(err, fault.Denied):
		return account.Actor{}, err
	}
	by := account.Actor{IP: who.IP, UserAgent: who.Agent}
	if password == "" {
		return by, nil
	}
	by.User, err = s.Login.Password(ctx, u.Email, password, nil, clientOf(ctx))
	return by, err
}

func (s *Server) mailAgain(ctx context.Context, v gate.Visit, _ *nothing) (*said, error) {
	if err := s.Addresses.AskAgain(ctx, v.Actor); err != nil {
		return nil, err
	}
	return &said{"A link is on its way to your email address. It is good for 24 hours."}, nil
}
