package login_test

import (
	"context"
	"errors"
	"testing"

	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/sso"
)

// A request that was let in a moment before its session ended links nothing: a
// stranger who made the account would be back in it.
func TestALinkOfASessionThatJustEndedIsNone(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.speaks("acme.test", w.sso)
	// Mallory works for Acme too, and made an account with Carol's address.
	l := w.unprovedLinker("carol@acme.test")
	link := l.begin(demoidp.User{Username: "mallory", Email: "mallory@acme.test", FirstName: "Mallory"})
	step, err := l.finish(link, false)
	must(t, err)
	if step.Ask == nil {
		t.Fatalf("got %+v, want to be asked", step)
	}

	out, err := w.login(sso.ToLogin, demoidp.User{Username: "carol", Email: "carol@acme.test", FirstName: "Carol"}, browser())
	must(t, err)
	if out.User.ID != l.present.User.ID {
		t.Fatalf("Carol logged in as %s, want the account with her address", out.User.ID)
	}
	_, err = l.Finish(ctx, login.Finish{FlowID: link, Browser: l.b, Client: client, Present: l.present, Yes: step.Ask.Key()})
	wantCode(t, err, fault.Denied, "link_in_another_session")
	if _, err := w.db.UserByIdentity(ctx, w.sso.ID, "attribute:username", "mallory"); !errors.Is(err, fault.NotFound) {
		t.Errorf("got %v, want Mallory not to be linked to Carol's account", err)
	}
}
