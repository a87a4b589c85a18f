package login

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/session"
	"gatehouse/sso"
)

// What links of logouts are sealed and authenticated for.
const (
	onwardPurpose = "logout onward"
	donePurpose   = "logout done"
)

// An onward is a logout that a browser has yet to carry to the identity
// provider.
type onward struct {
	Method    string            `json:"m"`
	Principal session.Principal `json:"p"`
	Ends      int64             `json:"e"` // in Unix seconds
}

// LogoutURL is a page of ours that carries a logout on to the identity provider,
// for a program that has no browser at hand: good for ten minutes, and sealed,
// since it names a person.
func (l *Login) LogoutURL(out LoggedOut) string {
	if out.Request == nil {
		return ""
	}
	plain, err := json.Marshal(onward{out.Method.ID, out.principal, l.Now().Add(sso.TicketLifetime).Unix()})
	if err != nil {
		return "" // texts and a number can always be written
	}
	return l.Base + "/logout/onward?request=" + base64.RawURLEncoding.EncodeToString(l.Keys.Seal(onwardPurpose, plain))
}

// OpenLogout makes the request that a link of LogoutURL stands for. It returns
// fault.NotFound with code logout_link_over for one that is not good, or not any
// more.
func (l *Login) OpenLogout(ctx context.Context, link string) (LoggedOut, error) {
	over := fault.NotFound.Errorf("This link is not good any more: it lasts ten minutes. The session here is over. To end the one at the identity provider, log out there.").Coded("logout_link_over")
	var o onward
	sealed, err := base64.RawURLEncoding.DecodeString(link)
	if err == nil {
		sealed, err = l.Keys.Open(onwardPurpose, sealed)
	}
	if err == nil {
		err = json.Unmarshal(sealed, &o)
	}
	if err != nil || l.Now().Unix() >= o.Ends {
		return LoggedOut{}, over.Because(err)
	}
	out, err := l.requestLogout(ctx, o.Principal, o.Method)
	if err == nil && out.Request == nil {
		err = over
	}
	if err != nil && !errors.Is(err, fault.NotFound) {
		err = fmt.Errorf("carry logout on: %w", err)
	}
	return out, err
}

// A LogoutOutcome is what a person is told once a logout is through.
type LogoutOutcome struct {
	MethodID  string `json:"m"`
	Confirmed bool   `json:"c"` // the session at the identity provider is over too
	Ends      int64  `json:"e"`
}

// Told writes an outcome into the address of the page that tells it, so that
// nobody else can have that page say something.
func (l *Login) Told(methodID string, confirmed bool) string {
	plain, err := json.Marshal(LogoutOutcome{methodID, confirmed, l.Now().Add(10 * time.Minute).Unix()})
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(l.Keys.MAC(donePurpose, plain)[:16], plain...))
}

// ReadTold reads what Told wrote; ok is false for anything else, and after ten
// minutes.
func (l *Login) ReadTold(text string) (o LogoutOutcome, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 16 || !l.Keys.CheckMAC(donePurpose, b[16:], b[:16]) || json.Unmarshal(b[16:], &o) != nil {
		return LogoutOutcome{}, false
	}
	return o, l.Now().Unix() < o.Ends
}
