package policy

import (
	"errors"
	"testing"
	"time"

	"gatehouse/internal/fault"
)

func noPasswordRules(d *desk) {
	d.store.policies[acme] = Policy{OrganizationID: acme, Rules: with(func(r *Rules) { r.Password = false })}
}

func TestDiscardingATrialShutsNobodyOutUnasked(t *testing.T) {
	d := newDesk(ada(saml))
	noPasswordRules(d) // SAML only
	by := byAda()      // by password, as the trial admits
	if _, err := d.Change(t.Context(), byAda(bySAML), acme, Change{Password: new(true)}, Options{RevertAfter: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Discard(t.Context(), by, acme, false); !errors.Is(err, fault.Conflict) {
		t.Errorf("got %v, want it refused: it would refuse whoever discards", err)
	}
	if p, err := d.Discard(t.Context(), by, acme, true); err != nil || p.Rules.Check(by.Entry) == nil {
		t.Errorf("by force: got %v and %v", p.Rules, err)
	}
}

func TestAMethodIsKeptForWhatATrialGoesBackTo(t *testing.T) {
	d := newDesk(ada(logins(Past{Way: Password, At: now, IP: inside}, Past{Way: SAML, From: Own, MethodID: "am1", At: now.Add(-day), IP: inside})))
	noPasswordRules(d)
	if _, err := d.Change(t.Context(), byAda(bySAML), acme, Change{Password: new(true)}, Options{RevertAfter: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if err := d.Keep(t.Context(), false, acme, "am1"); !errors.Is(err, fault.Conflict) {
		t.Errorf("got %v, want it kept", err)
	}
}
