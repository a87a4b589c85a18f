package login_test

import (
	"context"
	"testing"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/session"
)

func TestAPersonalTokenAloneLinksNothing(t *testing.T) {
	w := newWorld(t)
	l := newLinker(w)
	holder := session.Holder{Actor: account.Actor{User: l.present.User}, Token: l.present.Token}
	text, _, err := w.Tokens.Create(context.Background(), holder, session.New{Scopes: []string{"authentication", "user:read"}})
	must(t, err)
	visit, err := w.gate.Admit(context.Background(), gate.Request{Token: text, Need: account.WriteTokens})
	must(t, err)
	_, _, err = w.BeginLink(context.Background(), w.sso.ID, visit.Bearer, "", browser(), client)
	if fault.Of(err) == nil || fault.Of(err).Code != "login_too_old" {
		t.Errorf("a token made a moment after the login: got %v, want a login asked for", err)
	}
}
