package login

import (
	"context"

	"gatehouse/account"
)

// MayLink says before anything is begun whether a person may link their account
// to an identity provider: members of its organization may, and whoever has a
// proved address that it speaks for. It returns fault.Denied with code
// not_a_member, or what Begin does.
func (l *Login) MayLink(ctx context.Context, methodID string, u account.User) error {
	standing, err := l.standing(ctx, methodID, domainOf(u.Email))
	if err != nil {
		return err
	}
	_, err = l.mayLink(ctx, standing, u)
	return err
}
