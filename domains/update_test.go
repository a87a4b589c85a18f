package domains_test

import (
	"errors"
	"testing"

	"gatehouse/domains"
	"gatehouse/internal/fault"
)

// Whoever does not have a domain any more could else have it looked at where
// nobody answers, which ends no claim.
func TestAVerifiedClaimIsProvedInAnotherWayOnceThatProofIsThere(t *testing.T) {
	w := newWorld(t)
	d := w.verified("company.test")
	pages := &zone{silent: true}
	w.Pages = pages
	w.zone.publish(d, false)
	w.recheck(day)
	_, err := w.Update(t.Context(), w.ada, w.acme, d.ID, domains.ByHTTP)
	if no := (*domains.Unproved)(nil); !errors.Is(err, fault.Conflict) || !errors.As(err, &no) || fault.Of(err).Code != "organization_domain_verification_failed" {
		t.Errorf("got %v, want it refused with what was looked for", err)
	}
	want(t, "proof", w.is(d).Proof, domains.ByDNS)
	w.recheck(8 * day)
	want(t, "state", w.is(d).State, domains.Lost)

	d = w.verified("other.test")
	pages.silent, pages.records = false, map[string][]string{d.Name: {d.Value()}}
	got, err := w.Update(t.Context(), w.ada, w.acme, d.ID, domains.ByHTTP)
	w.do(err)
	want(t, "proof", got.Proof, domains.ByHTTP)
	w.zone.publish(d, false)
	w.recheck(8 * day)
	want(t, "missing since", w.is(d).MissingSince.IsZero(), true)
}
