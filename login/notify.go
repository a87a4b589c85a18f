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
// other ones. A mailbox that was sent enough for today does not undo the link.
func (l *Login) tellLinked(ctx context.Context, u account.User, methodID string, c Client) error {
	if l.Mail == nil || !u.AddressProved {
		return nil
	}
	m, err := l.Store.Method(ctx, methodID)
	if err != nil {
		return err
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
		return err
	}
	if err := l.Mail.Queue(ctx, message); err != nil && !errors.Is(err, fault.TooMany) {
		return err
	}
	return nil
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return u.Host
}
