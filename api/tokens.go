package api

import (
	"context"
	"math"
	"net/http"
	"net/netip"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/session"
)

func (b *builder) addTokens() {
	const list = "/v1/access_token"
	const one = list + "/{token_prefix}"
	s := b.server
	add(b, operation{"AccessTokenCreate", http.MethodPost, list, "Make a personal token", account.WriteTokens}, s.createToken)
	add(b, operation{"AccessTokenList", http.MethodGet, list, "List one's tokens, those of logins included", account.ReadTokens}, s.listTokens)
	add(b, operation{"AccessTokenUpdate", http.MethodPut, one, "Describe a token anew", account.WriteTokens}, s.updateToken)
	add(b, operation{"AccessTokenRevoke", http.MethodDelete, one, "End a token", account.WriteTokens}, s.revokeToken)
	add(b, operation{"UserExpireTokens", http.MethodPost, "/v1/me/expire_tokens", "End all of one's tokens, that of the request included", account.WriteTokens}, s.expireTokens)
}

// TokenPath is the token of a path. It is exported for huma's sake.
type TokenPath struct {
	Prefix string `path:"token_prefix" maxLength:"64" doc:"The token's first 12 characters, or the whole token." example:"gtp_a1B2c3D4"`
}

// A PersonToken is a token, as the person whose it is sees it. Every key is
// there: avn's tables fail without. It is exported for huma's sake.
type PersonToken struct {
	Prefix          string     `json:"token_prefix" doc:"Its first 12 characters, by which it is named."`
	Description     *string    `json:"description" doc:"What it is for. Of a program's login at first what the program calls itself; null for another login's."`
	CreateTime      time.Time  `json:"create_time"`
	CreatedManually bool       `json:"created_manually" doc:"false for a login's."`
	CurrentlyActive bool       `json:"currently_active" doc:"Whether it is the token of this request."`
	ExpiryTime      *time.Time `json:"expiry_time"`
	ExtendWhenUsed  bool       `json:"extend_when_used" doc:"Whether each use lets it last max_age_seconds from then on."`
	MaxAgeSeconds   *int64     `json:"max_age_seconds" doc:"How long it was made to last."`
	LastUsedTime    *time.Time `json:"last_used_time" doc:"Up to a minute late. null if never."`
	LastIP          *string    `json:"last_ip"`
	LastUserAgent   *string    `json:"last_user_agent"`
	LastReadable    *string    `json:"last_user_agent_human_readable" example:"Firefox on Linux"`
	IPAllowlist     []string   `json:"ip_allowlist" doc:"From where alone it counts; empty: from everywhere."`
	Scopes          []string   `json:"scopes" doc:"To what it is narrowed; empty: to nothing."`
	LoginMethod     TokenLogin `json:"login_method" doc:"The login that it goes back to."`
}

// A TokenLogin is the login behind a token.
type TokenLogin struct {
	Type         string    `json:"type" enum:"password,google,microsoft,github,passkey,saml,recovery"`
	ID           *string   `json:"id" doc:"The authentication method, for saml; the organization, for a recovery."`
	LoggedInTime time.Time `json:"logged_in_time"`
	TwoFactor    bool      `json:"two_factor"`
	DeviceLogin  bool      `json:"device_login" doc:"Whether it was handed to a program by a code that was typed in on another device."`
}

func newToken(t session.Token, v gate.Visit) PersonToken {
	out := PersonToken{
		Prefix: t.Prefix, Description: orNull(t.Description),
		CreateTime: moment(t.CreatedAt), CreatedManually: t.Kind != session.SessionToken, CurrentlyActive: t.Hash == v.Bearer.Hash,
		ExpiryTime: timeOrNull(t.ExpiresAt), ExtendWhenUsed: t.ExtendWhenUsed, MaxAgeSeconds: secondsOrNull(t.MaxAge),
		LastUsedTime: timeOrNull(t.LastUse.At), LastIP: addressOrNull(t.LastUse.IP),
		LastUserAgent: orNull(t.LastUse.UserAgent), LastReadable: orNull(session.AgentWords(t.LastUse.UserAgent)),
		IPAllowlist: rangeTexts(t.Ranges), Scopes: append([]string{}, t.Scopes...),
		LoginMethod: TokenLogin{Type: string(t.Method.Kind), ID: orNull(t.Method.ID), LoggedInTime: moment(t.LoggedIn), TwoFactor: t.TwoFactor, DeviceLogin: t.Device},
	}
	return out
}

type newTokenInput struct {
	Body struct {
		Description    string    `json:"description" maxLength:"1000" doc:"What it is for."`
		MaxAgeSeconds  *float64  `json:"max_age_seconds,omitempty" nullable:"true" doc:"600 to 315360000. null: 30 days."`
		ExtendWhenUsed *bool     `json:"extend_when_used,omitempty" nullable:"true" doc:"Each use lets it last max_age_seconds from then on, which has to be said then."`
		IPAllowlist    *[]string `json:"ip_allowlist,omitempty" nullable:"true" doc:"From where alone it counts: up to 100 ranges such as 203.0.113.0/24 and 2001:db8::/32, or addresses."`
		Scopes         *[]string `json:"scopes,omitempty" nullable:"true" doc:"To what it is narrowed: all, or areas such as projects, projects:read and projects:write."`
		Password       *string   `json:"password,omitempty" nullable:"true" maxLength:"256" doc:"One's password, where the session's login is more than ten minutes old."`
	} `nameHint:"AccessTokenCreateRequest"`
}

type newTokenAnswer struct {
	PersonToken
	FullToken string `json:"full_token" doc:"The token itself; given once."`
}

func (s *Server) createToken(ctx context.Context, v gate.Visit, in *newTokenInput) (*newTokenAnswer, error) {
	age, err := wholeSeconds(in.Body.MaxAgeSeconds, "max_age_seconds")
	if err != nil {
		return nil, err
	}
	by := v.Holder()
	if password := text(in.Body.Password); password != "" {
		if _, err := s.Login.Password(ctx, v.User.Email, password, nil, clientOf(ctx)); err != nil {
			return nil, err
		}
		by.Proved = true
	}
	full, t, err := s.Tokens.Create(ctx, by, session.New{
		Description: in.Body.Description, MaxAge: age, ExtendWhenUsed: in.Body.ExtendWhenUsed != nil && *in.Body.ExtendWhenUsed,
		Ranges: texts(in.Body.IPAllowlist), Scopes: texts(in.Body.Scopes),
	})
	if err != nil {
		return nil, err
	}
	return &newTokenAnswer{newToken(t, v), full}, nil
}

type tokensAnswer struct {
	Tokens []PersonToken `json:"tokens" doc:"Oldest first."`
}

func (s *Server) listTokens(ctx context.Context, v gate.Visit, _ *nothing) (*tokensAnswer, error) {
	list, err := s.Tokens.List(ctx, v.User.ID)
	if err != nil {
		return nil, err
	}
	out := &tokensAnswer{Tokens: []PersonToken{}}
	for _, t := range list {
		out.Tokens = append(out.Tokens, newToken(t, v))
	}
	return out, nil
}

type updateTokenInput struct {
	TokenPath
	Body struct {
		Description string `json:"description" maxLength:"1000"`
	} `nameHint:"AccessTokenUpdateRequest"`
}

func (s *Server) updateToken(ctx context.Context, v gate.Visit, in *updateTokenInput) (*PersonToken, error) {
	t, err := s.Tokens.Describe(ctx, v.Holder(), in.Prefix, in.Body.Description)
	if err != nil {
		return nil, err
	}
	out := newToken(t, v)
	return &out, nil
}

func (s *Server) revokeToken(ctx context.Context, v gate.Visit, in *struct{ TokenPath }) (*said, error) {
	if err := s.Tokens.RevokeNamed(ctx, v.Holder(), in.Prefix); err != nil {
		return nil, err
	}
	return &said{"The token is revoked."}, nil
}

func (s *Server) expireTokens(ctx context.Context, v gate.Visit, _ *nothing) (*said, error) {
	if _, err := s.Tokens.ExpireAll(ctx, v.Holder()); err != nil {
		return nil, err
	}
	return &said{"All your tokens are revoked, that of this request too. Log in again."}, nil
}

// wholeSeconds reads an age, which JavaScript and Go send as a float. Nothing
// is 0; what is out of every bound is brought near enough to be refused by one.
func wholeSeconds(v *float64, field string) (time.Duration, error) {
	if v == nil {
		return 0, nil
	}
	if *v != math.Trunc(*v) {
		return 0, fault.Invalid.Errorf("This has to be a whole number of seconds.").At(field)
	}
	const most = 1e9
	seconds := int64(max(-most, min(most, *v)))
	if seconds == 0 {
		seconds = -1 // 0 stands for nothing said
	}
	return time.Duration(seconds) * time.Second, nil
}

// texts gives what a request lists, or nothing for nothing and for null.
func texts(list *[]string) []string {
	if list == nil {
		return nil
	}
	return *list
}

func secondsOrNull(d time.Duration) *int64 {
	if d <= 0 {
		return nil
	}
	n := int64(d / time.Second)
	return &n
}

func addressOrNull(ip netip.Addr) *string {
	if !ip.IsValid() {
		return nil
	}
	return orNull(ip.Unmap().String())
}

// rangeTexts writes ranges; none are an empty list.
func rangeTexts(all []netip.Prefix) []string {
	out := []string{}
	for _, p := range all {
		out = append(out, p.String())
	}
	return out
}
