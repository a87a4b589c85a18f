package login_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/session"
)

const admin = "admin@acme.test"

// redeem uses a recovery link, whole.
func (w *world) redeem(secret string) (login.Outcome, error) {
	w.t.Helper()
	b := browser()
	flow, err := w.AnswerRecovery(context.Background(), secret, b, client)
	if err != nil {
		return login.Outcome{}, err
	}
	return w.finish(flow, b)
}

// actions counts what the log says of Acme. The clock of these tests stands
// still, so that the order of its events is nobody's to know.
func (w *world) actions() map[string]int {
	w.t.Helper()
	list, err := w.Audit.List(context.Background(), audit.Filter{OrganizationID: w.acme.ID}, audit.Page{Size: 100})
	must(w.t, err)
	out := map[string]int{}
	for _, e := range list.Events {
		out[e.Action]++
	}
	return out
}

func TestARecoveryOpensItsOrganizationForAnHour(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	other, err := w.orgs.Add(ctx, w.admin, "Other", "")
	must(t, err)
	secret, to, err := w.Recovery.MakeLink(ctx, w.acme.ID, " Admin@ACME.test", false)
	must(t, err)
	if to.User.ID != w.admin.User.ID || to.Organization.Name != "Acme" || !to.ExpiresAt.Equal(w.now().Add(15*time.Minute)) {
		t.Errorf("got %+v, want the admin, Acme, and fifteen minutes", to)
	}
	out, err := w.redeem(secret)
	must(t, err)
	if out.Token.Method != (session.Method{Kind: session.Recovery, ID: w.acme.ID}) || out.ReturnTo != "/organization/"+w.acme.ID {
		t.Errorf("got %+v to %s, want a recovery of Acme, and there", out.Token.Method, out.ReturnTo)
	}
	for id, want := range map[string]error{w.acme.ID: nil, other.ID: fault.Denied} {
		_, err := w.gate.Admit(ctx, gate.Request{Token: out.Text, Need: account.WriteOrganization, OrganizationID: id})
		if (err == nil) != (want == nil) || want != nil && fault.Of(err).Kind != want {
			t.Errorf("%s: got %v, want %v", id, err, want)
		}
	}
	// The admin of these tests is an operator too: not by a recovery.
	_, err = w.gate.Admit(ctx, gate.Request{Token: out.Text, Need: account.Operate})
	wantCode(t, err, fault.Denied, "user_not_operator")
	w.pass(time.Hour)
	_, err = w.gate.Admit(ctx, gate.Request{Token: out.Text, Need: account.ReadSelf})
	wantCode(t, err, fault.Unauthenticated, "authentication_failed")

	if got := w.actions(); got[audit.RecoverLoginLink] != 1 || got[audit.LoginSuccess] != 1 {
		t.Errorf("got the events %v, want the link and the login among them", got)
	}
}

func TestARecoveryLinkIsGoodOnceAndForFifteenMinutes(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	secret, _, err := w.Recovery.MakeLink(ctx, w.acme.ID, admin, false)
	must(t, err)
	w.pass(15*time.Minute - time.Second)
	_, err = w.Recovery.Look(ctx, secret)
	must(t, err)
	_, err = w.redeem(secret)
	must(t, err)
	_, err = w.redeem(secret)
	wantCode(t, err, fault.NotFound, "recovery_link_over")

	secret, _, err = w.Recovery.MakeLink(ctx, w.acme.ID, admin, false)
	must(t, err)
	w.pass(15 * time.Minute)
	_, err = w.Recovery.Look(ctx, secret)
	wantCode(t, err, fault.NotFound, "recovery_link_over")
	_, err = w.redeem(secret)
	wantCode(t, err, fault.NotFound, "recovery_link_over")
}

func TestOnlyASuperAdminIsLetIn(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	bob := account.User{ID: ident.New("u"), Email: "bob@acme.test", RealName: "Bob", State: account.ActiveUser, CreatedAt: w.now(), UpdatedAt: w.now()}
	gone := account.User{ID: ident.New("u"), Email: "gone@acme.test", RealName: "Gone", State: account.DeactivatedUser, CreatedAt: w.now(), UpdatedAt: w.now()}
	must(t, w.db.AddUser(ctx, bob, ""))
	must(t, w.db.AddUser(ctx, gone, ""))
	must(t, w.db.AddMember(ctx, account.Member{OrganizationID: w.acme.ID, UserID: gone.ID, SuperAdmin: true, JoinedAt: w.now()}))
	before := w.actions()
	for name, c := range map[string]struct {
		organization, email string
		kind                fault.Kind
	}{
		"no organization":   {"org00000000000", admin, fault.NotFound},
		"nobody":            {w.acme.ID, "nobody@acme.test", fault.NotFound},
		"no address":        {w.acme.ID, "nobody", fault.Invalid},
		"no member":         {w.acme.ID, bob.Email, fault.Denied},
		"deactivated admin": {w.acme.ID, gone.Email, fault.Denied},
		"NUL":               {"org\x00", admin, fault.NotFound},
	} {
		secret, _, err := w.Recovery.MakeLink(ctx, c.organization, c.email, false)
		if fault.Of(err) == nil || fault.Of(err).Kind != c.kind || secret != "" {
			t.Errorf("%s: got %v and secret %q, want %s and none", name, err, secret, c.kind)
		}
	}
	if diff := cmp.Diff(before, w.actions()); diff != "" {
		t.Errorf("got other events (-before +after):\n%s", diff)
	}
	// Made a super admin on request, whether a member before or not.
	for range 2 {
		secret, _, err := w.Recovery.MakeLink(ctx, w.acme.ID, bob.Email, true)
		must(t, err)
		_, err = w.redeem(secret)
		must(t, err)
		must(t, w.db.SetSuperAdmin(ctx, w.acme.ID, bob.ID, false))
	}
	for _, action := range []string{audit.RecoverGrantAdmin, audit.RecoverLoginLink, audit.LoginSuccess} {
		before[action] += 2
	}
	if diff := cmp.Diff(before, w.actions()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhoIsNoSuperAdminAnyMoreIsNotLetIn(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	make := func() string {
		must(t, w.db.SetSuperAdmin(ctx, w.acme.ID, w.admin.User.ID, true))
		secret, _, err := w.Recovery.MakeLink(ctx, w.acme.ID, admin, false)
		must(t, err)
		return secret
	}
	lose := func() { must(t, w.db.SetSuperAdmin(ctx, w.acme.ID, w.admin.User.ID, false)) }

	secret := make()
	lose()
	_, err := w.AnswerRecovery(ctx, secret, browser(), client)
	wantCode(t, err, fault.NotFound, "recovery_link_over")

	b := browser()
	flow, err := w.AnswerRecovery(ctx, make(), b, client)
	must(t, err)
	lose()
	_, err = w.finish(flow, b)
	wantCode(t, err, fault.NotFound, "recovery_link_over")
}
