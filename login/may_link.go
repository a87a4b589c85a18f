package login

import (
	"context"

	"gatehouse/account"
)

// MayLink says before anything is begun whether a person may link their account
// to an identity provider of an organization: its members may. It returns
// fault.Denied with code not_a_member.
func (l *Login) MayLink(ctx context.Context, organizationID string, u account.User) error {
	return l.mayLink(ctx, organizationID, u)
}
