package login

import (
	"context"
	"errors"
	"net/url"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/internal/mail"
)

// tellLinked mails a person that their account was linked, in the transaction
// of the link. Only a proved address is told: anybody could have given the
// other ones. These mails have a bound of their own, which no other mail uses
// up; where even that is reached, the link stays, and unsent says so: the
// event of the link has to tell.
func (l *Login) tellLinked(ctx context.Context, u account.User, methodID string, c Client) (unsent bool, err error) {
	if l.Mail == nil || !u.AddressProved {
		return false, nil
	}
	m, err := l.Store.Method(ctx, methodID)
	if err != nil {
		return false, err
	}
	notice := mail.AccountLinked{
		Host: hostOf(l.Base), Address: u.Email, Provider: m.Name, Organization: m.Organization,
		At: l.Now(), Profile: l.Base + "/profile",
	}
	if c.IP.IsValid() {
		notice.IP = c.IP.Unmap().String()
	}
	message, err := notice.Message()
	if err != nil {
		return false, err
	}
	err = l.Mail.Queue(ctx, message)
	if errors.Is(err, fault.TooMany) {
		return true, nil
	}
	return false, err
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return u.Host
}
