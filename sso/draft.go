package sso

import (
	"context"

	"gatehouse/account"
)

// Draft gives an identity provider of an organization as it would be with a
// change, and changes nothing. It returns fault.NotFound as Get does, and
// fault.Invalid at the field.
func (s *IdPs) Draft(ctx context.Context, org account.Organization, id string, c Change) (*IdP, error) {
	c, err := c.withMetadata(s.Now())
	if err != nil {
		return nil, err
	}
	i, err := s.Get(ctx, org, id)
	if err != nil {
		return nil, err
	}
	return i, s.apply(c, i)
}
