package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/session"
)

func (b *builder) addPeople() {
	s := b.server
	add(b, operation{"UserCreate", http.MethodPost, "/v1/user", "Make an account for oneself, and log in", account.Anyone}, s.createUser)
	add(b, operation{"UserAuth", http.MethodPost, "/v1/userauth", "Log in with a password", account.Anyone}, s.logIn)
	b.addLoginOptions()
	add(b, operation{"UserInfo", http.MethodGet, "/v1/me", "Say who one is, and how one logged in", account.ReadSelf}, s.me)
	add(b, operation{"UserUpdate", http.MethodPatch, "/v1/me", "Change one's profile", account.WriteSelf}, s.updateMe)
	add(b, operation{"UserPasswordChange", http.MethodPut, "/v1/me/password", "Change one's password; all one's tokens end, and a new session begins", account.WriteSelf}, s.changePassword)
	add(b, operation{"UserVerifyEmail", http.MethodPost, "/v1/user/verify_email/{verification_code}", "Confirm an email address with the code that was mailed to it", account.Anyone}, s.verifyEmail)
	add(b, operation{"UserVerifyEmailAgain", http.MethodPost, "/v1/me/verify_email", "Have another link mailed to one's address", account.WriteSelf}, s.mailAgain)
	add(b, operation{"UserLogout", http.MethodPost, "/v1/me/logout", "End the session of the request's token", account.Leave}, s.logOut)
}

// nothing is the input of operations that take none.
type nothing struct{}

// A said is an answer that only says that something was done.
type said struct {
	Message string `json:"message" doc:"A sentence for people."`
}

type newUserInput struct {
	Body struct {
		Email    string  `json:"email" maxLength:"319" doc:"The address to log in with."`
		RealName *string `json:"real_name,omitempty" nullable:"true" maxLength:"256" doc:"Absent: what stands before the @ of the address."`
		Password *string `json:"password,omitempty" nullable:"true" maxLength:"256" doc:"8 characters at least."`
	} `nameHint:"UserCreateRequest"`
}

type newUserAnswer struct {
	State     string `json:"state" doc:"The state of the account."`
	Token     string `json:"token" doc:"A session token; given once."`
	UserEmail string `json:"user_email"`
	User      user   `json:"user"`
}

func (s *Server) createUser(ctx context.Context, _ gate.Visit, in *newUserInput) (*newUserAnswer, error) {
	n := account.NewUser{Email: in.Body.Email, RealName: text(in.Body.RealName), Password: text(in.Body.Password)}
	if strings.TrimSpace(n.RealName) == "" {
		n.RealName, _, _ = strings.Cut(strings.TrimSpace(n.Email), "@")
	}
	u, token, t, err := s.Login.SignUp(ctx, n, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return &newUserAnswer{State: string(u.State), Token: token, UserEmail: u.Email, User: newUser(u, t, "")}, nil
}

type logInInput struct {
	Body struct {
		Email    string `json:"email" maxLength:"319"`
		Password string `json:"password" maxLength:"256"`
	} `nameHint:"UserAuthRequest"`
}

type logInAnswer struct {
	State     string `json:"state" doc:"The state of the account."`
	Token     string `json:"token" doc:"A session token; given once."`
	UserEmail string `json:"user_email"`
}

func (s *Server) logIn(ctx context.Context, _ gate.Visit, in *logInInput) (*logInAnswer, error) {
	u, token, _, err := s.Login.PasswordToken(ctx, in.Body.Email, in.Body.Password, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return &logInAnswer{State: string(u.State), Token: token, UserEmail: u.Email}, nil
}

type meAnswer struct {
	User user `json:"user"`
}

func (s *Server) me(ctx context.Context, v gate.Visit, _ *nothing) (*meAnswer, error) {
	return s.sayWho(ctx, v.User, v.Bearer.Token)
}

type updateMeInput struct {
	Body struct {
		RealName   *string `json:"real_name,omitempty" nullable:"true" maxLength:"256"`
		City       *string `json:"city,omitempty" nullable:"true" maxLength:"256"`
		Country    *string `json:"country,omitempty" nullable:"true" maxLength:"256"`
		Department *string `json:"department,omitempty" nullable:"true" maxLength:"256"`
		JobTitle   *string `json:"job_title,omitempty" nullable:"true" maxLength:"256"`
	} `nameHint:"UserUpdateRequest"`
}

func (s *Server) updateMe(ctx context.Context, v gate.Visit, in *updateMeInput) (*meAnswer, error) {
	u, err := s.People.Update(ctx, v.Actor, account.Profile(in.Body))
	if err != nil {
		return nil, err
	}
	return s.sayWho(ctx, u, v.Bearer.Token)
}

type changePasswordInput struct {
	Body struct {
		Password    string `json:"password" maxLength:"256" doc:"The present one."`
		NewPassword string `json:"new_password" maxLength:"256" doc:"8 characters at least."`
	} `nameHint:"UserPasswordChangeRequest"`
}

type changePasswordAnswer struct {
	Token     string `json:"token" doc:"A session token, in place of all that ended; given once."`
	UserEmail string `json:"user_email"`
	Message   string `json:"message" doc:"A sentence for people."`
}

func (s *Server) changePassword(ctx context.Context, v gate.Visit, in *changePasswordInput) (*changePasswordAnswer, error) {
	token, _, err := s.Login.ChangePassword(ctx, v.Bearer, in.Body.Password, in.Body.NewPassword, nil, clientOf(ctx))
	if err != nil {
		return nil, err
	}
	return &changePasswordAnswer{token, v.User.Email, "Your password is changed. All your tokens and sessions have ended, and a new session began."}, nil
}

func (s *Server) sayWho(ctx context.Context, u account.User, t session.Token) (*meAnswer, error) {
	name := ""
	if t.Method.Kind == session.SAML {
		idp, err := s.IdPs.Store.IdP(ctx, t.Method.ID)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return nil, fmt.Errorf("find login method: %w", err)
		}
		if err == nil {
			name = idp.Name
		}
	}
	return &meAnswer{newUser(u, t, name)}, nil
}

// A loggedOut says what became of a logout. The session here is over.
type loggedOut struct {
	Message       string  `json:"message" doc:"A sentence for people."`
	SAMLLogoutURL *string `json:"saml_logout_url" doc:"Opened in a browser within ten minutes, this ends the session at the identity provider too; null where there is nothing to be done there, or where that is done already."`
}

func (s *Server) logOut(ctx context.Context, v gate.Visit, _ *nothing) (*loggedOut, error) {
	out, err := s.Login.LogOut(ctx, v.Bearer.Token.Hash, session.End{Reason: "logged out", IP: v.IP, UserAgent: v.UserAgent})
	if err != nil {
		return nil, err
	}
	answer := &loggedOut{"You are logged out.", orNull(s.Login.LogoutURL(out))}
	switch {
	case out.Request != nil:
		answer.Message = "You are logged out here. To log out at " + out.Method.Name + " too, open saml_logout_url in a browser."
	case out.Confirmed:
		answer.Message = "You are logged out here and at " + out.Method.Name + "."
	case out.Method.IdP != nil:
		answer.Message = "You are logged out here. " + out.Method.Name + " did not confirm that you are logged out there."
	}
	return answer, nil
}

// A user is a person, as the person sees it. Every key is there: avn's tables
// fail without.
type user struct {
	Email                  string              `json:"user"`
	ID                     string              `json:"user_id"`
	AddressProved          bool                `json:"address_proved" doc:"Whether somebody showed that the address is theirs."`
	RealName               string              `json:"real_name"`
	State                  string              `json:"state"`
	Auth                   []string            `json:"auth" doc:"How this token was earned: password; saml and the id of the authentication method; or recovery and the id of the organization that it recovers. otp after a second factor."`
	Projects               []string            `json:"projects"`
	ProjectMembership      map[string]string   `json:"project_membership"`
	ProjectMemberships     map[string][]string `json:"project_memberships"`
	Invitations            []string            `json:"invitations"`
	TokenValidityBegin     *time.Time          `json:"token_validity_begin" doc:"Tokens made before are not valid."`
	Tenant                 *string             `json:"tenant"`
	CreateTime             time.Time           `json:"create_time"`
	Features               map[string]bool     `json:"features"`
	City                   string              `json:"city"`
	Country                string              `json:"country"`
	Department             string              `json:"department"`
	JobTitle               string              `json:"job_title"`
	ManagedBySCIM          bool                `json:"managed_by_scim"`
	ManagingOrganizationID *string             `json:"managing_organization_id"`
	LoginMethod            loginMethod         `json:"login_method" doc:"How, and when, the person logged in."`
	TokenExpiryTime        *time.Time          `json:"token_expiry_time" doc:"When the token of this request ends."`
}

type loginMethod struct {
	Type         string    `json:"type" enum:"password,saml,recovery"`
	ID           *string   `json:"id" doc:"The authentication method, for saml; the organization, for a recovery."`
	Name         *string   `json:"name" doc:"Its name."`
	LoggedInTime time.Time `json:"logged_in_time"`
	TwoFactor    bool      `json:"two_factor"`
}

func newUser(u account.User, t session.Token, methodName string) user {
	auth := []string{string(t.Method.Kind)}
	if t.Method.ID != "" {
		auth = append(auth, t.Method.ID)
	}
	if t.TwoFactor {
		auth = append(auth, "otp")
	}
	return user{
		Email:                  u.Email,
		ID:                     u.ID,
		AddressProved:          u.AddressProved,
		RealName:               u.RealName,
		State:                  string(u.State),
		Auth:                   auth,
		Projects:               []string{},
		ProjectMembership:      map[string]string{},
		ProjectMemberships:     map[string][]string{},
		Invitations:            []string{},
		TokenValidityBegin:     timeOrNull(u.TokensValidFrom),
		CreateTime:             moment(u.CreatedAt),
		Features:               map[string]bool{},
		City:                   u.City,
		Country:                u.Country,
		Department:             u.Department,
		JobTitle:               u.JobTitle,
		ManagingOrganizationID: orNull(u.ManagingOrganizationID),
		LoginMethod: loginMethod{
			Type:         string(t.Method.Kind),
			ID:           orNull(t.Method.ID),
			Name:         orNull(methodName),
			LoggedInTime: moment(t.LoggedIn),
			TwoFactor:    t.TwoFactor,
		},
		TokenExpiryTime: timeOrNull(t.ExpiresAt),
	}
}

// text gives what a request said, or "" for nothing and for null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// orNull gives null for "": answers have every key.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// moment is a time as every answer has it: in UTC, and to the microsecond that
// is kept, so that what makes something answers what reads it later does.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// timeOrNull gives null for no time: clients do not parse "".
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = moment(t)
	return &t
}
