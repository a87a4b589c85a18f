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
		At: l.Now(), IP: addressText(c.IP), Profile: l.Base + "/profile",
	}
	message, err := notice.Message()
	if err != nil {
		return false, err
	}
	return l.queue(ctx, message)
}

// What [Login.tellChanged] says.
const (
	passwordChanged = "The password was changed. All sessions and tokens ended with it."
	passwordCut     = "The password was removed: nobody logs in with it any more."
	providerCut     = "The link to an identity provider was cut: nobody logs in by it any more."
)

// tellChanged mails a person that a way into their account was changed, as
// tellLinked does of a link. w is the way, where it has a name.
func (l *Login) tellChanged(ctx context.Context, u account.User, what string, w Way, c Client) (unsent bool, err error) {
	if l.Mail == nil || !u.AddressProved {
		return false, nil
	}
	message, err := mail.CredentialChanged{
		Host: hostOf(l.Base), Address: u.Email, What: what, Provider: w.Name, Organization: w.Organization,
		At: l.Now(), IP: addressText(c.IP), Profile: l.Base + "/profile",
	}.Message()
	if err != nil {
		return false, err
	}
	return l.queue(ctx, message)
}

// queue has a mail sent, unless its mailbox was sent enough.
func (l *Login) queue(ctx context.Context, m mail.Message) (unsent bool, err error) {
	err = l.Mail.Queue(ctx, m)
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
