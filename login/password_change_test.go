package login_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
)

const nextPassword = "another horse"

// byPassword logs the administrator in with the first password.
func (w *world) byPassword() (text string, present session.Bearer) {
	w.t.Helper()
	_, text, _, err := w.PasswordToken(context.Background(), adminMail, adminPassword, client)
	must(w.t, err)
	present, err = w.bearerOf(text)
	must(w.t, err)
	return text, present
}

func TestAChangedPasswordEndsEverythingAndBeginsOneSession(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	text, present := w.byPassword()
	next, made, err := w.ChangePassword(ctx, present, adminPassword, nextPassword, nil, client)
	must(t, err)
	_, err = w.bearerOf(text)
	wantCode(t, err, fault.Unauthenticated, "authentication_failed")
	_, err = w.bearerOf(next)
	must(t, err)
	if want := (session.Method{Kind: session.Password}); made.Method != want || !made.LoggedIn.Equal(w.now()) {
		t.Errorf("got a session of %v at %v, want one by password, now", made.Method, made.LoggedIn)
	}
	_, err = w.Password(ctx, adminMail, adminPassword, nil, client)
	wantCode(t, err, fault.Denied, "authentication_failed")
	_, err = w.Password(ctx, adminMail, nextPassword, nil, client)
	must(t, err)

	list, err := w.Audit.List(ctx, audit.Filter{Everywhere: true, Action: audit.UserChangePassword}, audit.Page{Size: 10})
	must(t, err)
	if len(list.Events) != 1 {
		t.Fatalf("got %d events, want 1", len(list.Events))
	}
	if diff := cmp.Diff(audit.Details{"session": made.Prefix}, list.Events[0].Details); diff != "" {
		t.Errorf("the event differs (-want +got):\n%s", diff)
	}
}

func TestAPasswordIsNotChangedWithoutThePresentOne(t *testing.T) {
	for name, c := range map[string]struct {
		old, next string
		kind      fault.Kind
		field     string
	}{
		"wrong":              {"wrong", nextPassword, fault.Denied, "password"},
		"none":               {"", nextPassword, fault.Invalid, "password"},
		"too long":           {strings.Repeat("x", 257), nextPassword, fault.Invalid, "password"},
		"new too short":      {adminPassword, "short", fault.Invalid, "new_password"},
		"new is the address": {adminPassword, adminMail, fault.Invalid, "new_password"},
		"new is the old":     {adminPassword, adminPassword, fault.Invalid, "new_password"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			text, present := w.byPassword()
			_, _, err := w.ChangePassword(context.Background(), present, c.old, c.next, nil, client)
			if !errors.Is(err, c.kind) || fault.Of(err).Field != c.field {
				t.Errorf("got %v at %q, want %v at %q", err, fault.Of(err).Field, c.kind, c.field)
			}
			_, err = w.bearerOf(text)
			must(t, err)
			_, err = w.Password(context.Background(), adminMail, adminPassword, nil, client)
			must(t, err)
		})
	}
}

func TestWhoHasNoPasswordAndWhoRecoversChangeNone(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	_, present := w.byPassword()
	recovered := present
	recovered.Method = session.Method{Kind: session.Recovery, ID: w.acme.ID}
	_, _, err := w.ChangePassword(ctx, recovered, adminPassword, nextPassword, nil, client)
	wantCode(t, err, fault.Denied, "recovery_elsewhere")
	_, err = w.db.CutPassword(ctx, present.User.ID)
	must(t, err)
	_, _, err = w.ChangePassword(ctx, present, adminPassword, nextPassword, nil, client)
	wantCode(t, err, fault.Denied, "no_password")
}

func TestAPolicyWithoutPasswordsLeavesThePasswordAsItWas(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	_, present := w.byPassword()
	l := linked(w)
	w.manage(l, func(r *policy.Rules) { r.Password = false })
	present.User.ManagingOrganizationID = w.acme.ID
	_, _, err := w.ChangePassword(ctx, present, adminPassword, nextPassword, nil, client)
	wantCode(t, err, fault.Denied, "user_password_authentication_method_not_allowed")
	_, err = w.Password(ctx, adminMail, adminPassword, nil, client)
	must(t, err)
}
