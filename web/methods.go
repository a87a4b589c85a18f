package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/sso"
)

func errNoMethod() *fault.Error {
	return fault.NotFound.Errorf("There is no identity provider at this address. Ask the organization's administrator for the right link.").Coded("authentication_method_not_found")
}

// method finds the identity provider that a public path names. Where the path
// names an account too, it has to be the provider's.
func (s *site) method(r *http.Request) (*sso.IdP, error) {
	i, err := s.IdPs.Store.IdP(r.Context(), r.PathValue("method"))
	if errors.Is(err, fault.NotFound) {
		return nil, errNoMethod()
	}
	if err != nil {
		return nil, fmt.Errorf("find identity provider: %w", err)
	}
	if a := r.PathValue("account"); a != "" && a != i.AccountID || i.State == sso.Deleted {
		return nil, errNoMethod()
	}
	return i, nil
}

// methodID is the identity provider that a public path names. It is looked up
// only where the path names an account too, which has to be the provider's.
func (s *site) methodID(r *http.Request) (string, error) {
	if r.PathValue("account") == "" {
		return r.PathValue("method"), nil
	}
	i, err := s.method(r)
	if err != nil {
		return "", err
	}
	return i.ID, nil
}

// A way is an identity provider that somebody can log in through.
type way struct {
	Provider     string
	Organization string
	URL          string
}

// wayOf describes an identity provider that admits people now, or reports
// false.
func (s *site) wayOf(ctx context.Context, methodID, returnTo string) (way, bool) {
	i, err := s.IdPs.Store.IdP(ctx, methodID)
	if err != nil || !i.Admits() {
		return way{}, false
	}
	o, err := s.Organizations.Store.Organization(ctx, i.OrganizationID)
	if err != nil || o.Suspended {
		return way{}, false
	}
	return way{Provider: i.Name, Organization: o.Name, URL: startOf(i.ID, returnTo)}, true
}

// startOf is where a login through an identity provider starts that leads to a
// page of ours.
func startOf(methodID, returnTo string) string {
	to := url.Values{}
	if safe := login.SafeReturn(returnTo); safe != "/" {
		to.Set("return_to", safe)
	}
	return withQuery(loginPath(methodID), to)
}

// linkPath is the account link of an identity provider.
func linkPath(methodID string) string { return "/link/" + url.PathEscape(methodID) }

// loginPath is where a login through an identity provider starts.
func loginPath(methodID string) string {
	return "/v1/sso/saml/login/" + url.PathEscape(methodID)
}
