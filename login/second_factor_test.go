package login_test

import (
	"context"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/sso"
)

const mfa = "https://refeds.org/profile/mfa"

// demand changes what Acme demands of logins through its identity providers.
func (w *world) demand(contexts ...string) {
	w.t.Helper()
	r := policy.Usual()
	r.SecondFactorContexts = contexts
	must(w.t, w.db.SavePolicy(context.Background(), policy.Policy{OrganizationID: w.acme.ID, Rules: r, UpdatedAt: w.now()}))
}

// enters says what a token is worth in Acme.
func (w *world) enters(token string) error {
	_, err := w.gate.Admit(context.Background(), gate.Request{Token: token, IP: client.IP, Need: account.ReadOrganization, OrganizationID: w.acme.ID})
	return err
}

func TestASessionNeedsTheContextThatItsLoginAsserted(t *testing.T) {
	w, who, b := newBrowserSession(t).world, demoidp.Acme()[1], browser()
	out, err := w.login(sso.ToLogin, who, b)
	must(t, err)
	before := out.Text
	must(t, w.enters(before))

	w.demand(mfa)
	wantCode(t, w.enters(before), fault.Denied, "mfa_required_by_organization")

	// A login that asserts something else is refused where it would become a
	// session, since Acme manages the person.
	flow, err := w.post(w.answer(w.start(sso.ToLogin, b), who))
	must(t, err)
	_, err = w.finish(flow, b)
	wantCode(t, err, fault.Denied, "mfa_required_by_organization")

	w.idp.Misbehave = func(r *demoidp.Response) { r.AuthnContext = mfa }
	out, err = w.login(sso.ToLogin, who, b)
	must(t, err)
	must(t, w.enters(out.Text))
	links, err := w.db.Links(t.Context(), out.User.ID)
	must(t, err)
	if out.Token.Context != mfa || links[0].LastContext != mfa {
		t.Errorf("got the context %q of the token and %q of the link, want %q", out.Token.Context, links[0].LastContext, mfa)
	}

	// A change of the rule holds for it at once.
	w.demand("urn:x:y")
	wantCode(t, w.enters(out.Text), fault.Denied, "mfa_required_by_organization")
	w.demand()
	must(t, w.enters(out.Text))
	must(t, w.enters(before))
}

func TestRequestsAskForWhatThePolicyDemands(t *testing.T) {
	w := newWorld(t)
	demands := func() []string {
		t.Helper()
		m, _, err := w.Begin(context.Background(), w.sso.ID, sso.ToLogin, browser(), "/", client)
		must(t, err)
		return m.AskContexts
	}
	if got := demands(); len(got) != 0 {
		t.Errorf("got %q, want nothing asked", got)
	}
	w.demand(mfa)
	if got := demands(); len(got) != 1 || got[0] != mfa {
		t.Errorf("got %q, want %q", got, mfa)
	}

	// What is tried on a group is not asked of everybody; what goes back is
	// asked until it has.
	rules := policy.Usual()
	rules.SecondFactorContexts = []string{mfa}
	for _, c := range []struct {
		name   string
		policy policy.Policy
		want   int
	}{
		{"a pilot", policy.Policy{Rules: policy.Usual(), Trial: &policy.Trial{Kind: policy.ForGroup, Rules: rules, Since: w.now()}}, 0},
		{"a report", policy.Policy{Rules: policy.Usual(), Trial: &policy.Trial{Kind: policy.ReportOnly, Rules: rules, Since: w.now(), Until: w.now().Add(time.Hour)}}, 0},
		{"in force on trial", policy.Policy{Rules: rules, Trial: &policy.Trial{Kind: policy.ToRevert, Rules: policy.Usual(), Since: w.now(), Until: w.now().Add(time.Hour)}}, 1},
		{"gone back", policy.Policy{Rules: rules, Trial: &policy.Trial{Kind: policy.ToRevert, Rules: policy.Usual(), Since: w.now(), Until: w.now()}}, 0},
	} {
		c.policy.OrganizationID, c.policy.UpdatedAt = w.acme.ID, w.now()
		must(t, w.db.SavePolicy(t.Context(), c.policy))
		if got := demands(); len(got) != c.want {
			t.Errorf("%s: got %q asked, want %d", c.name, got, c.want)
		}
	}
}
