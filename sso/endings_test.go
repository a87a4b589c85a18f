package sso_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/audit"
	"gatehouse/sso"
)

const day = 24 * time.Hour

func TestWarningsSayHowNearAnEndIsAndWhetherAnotherLasts(t *testing.T) {
	w := newWorld(t)
	near, far, over := newSigner(t, "near", 5*day), newSigner(t, "far", 300*day), newSigner(t, "over", -30*time.Minute)
	i, err := w.idps.Create(t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: sso.Change{
		Name: new("Okta"), EntityID: new(entity), SSOURL: new("https://idp.example.com/sso"), Certificates: new(near.pem() + far.pem() + over.pem()),
	}})
	w.do(err)
	type said struct {
		side  sso.Side
		name  string
		stage sso.Stage
		until time.Time
	}
	var got []said
	for _, c := range i.CertificateWarnings(w.now) {
		got = append(got, said{c.Side, c.Subject, c.Stage, c.Until})
	}
	end := w.now.Add(300 * day).Truncate(time.Second)
	want := []said{{sso.TheirSide, "CN=near", sso.Within7, end}, {sso.TheirSide, "CN=over", sso.Over, end}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	later := i.CertificateWarnings(w.now.Add(11 * 365 * day)) // after the end of ours
	if last := later[len(later)-1]; last.Side != sso.OurSide || last.Stage != sso.Over || !last.Until.IsZero() {
		t.Errorf("got %+v, want ours to be over, and no other", last)
	}
}

func TestAnEndIsToldOfOnceAtEachStage(t *testing.T) {
	w := newWorld(t)
	endings := &sso.Endings{Store: w.db, Mail: w, Base: w.Base, Now: func() time.Time { return w.now }, Audit: w.Audit}
	one := newSigner(t, "one", 40*day)
	_, err := w.idps.Create(t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: sso.Change{
		Name: new("Okta"), EntityID: new(entity), SSOURL: new("https://idp.example.com/sso"), Certificates: new(one.pem()),
	}})
	w.do(err)
	var told []int
	for range 45 {
		w.do(endings.Check(t.Context()), endings.Check(t.Context()))
		if len(w.mails) > len(told) {
			told = append(told, int(w.now.Sub(newThen())/day))
		}
		w.now = w.now.Add(day)
	}
	if want := []int{10, 33, 39, 40}; !slices.Equal(told, want) {
		t.Errorf("got mails after %v days, want after %v", told, want)
	}
	events, err := w.db.Events(t.Context(), audit.Filter{Everywhere: true, Action: audit.IdPCertificateEnding}, "", 10)
	w.do(err)
	same(t, len(events), 4)
	same(t, events[0].Details["stage"], "expired")
	if !strings.Contains(w.mails[0].Text, "No other certificate") || w.mails[0].To != w.ada.User.Email {
		t.Errorf("got %+v, want a mail to ada", w.mails[0])
	}
}

func TestACertificateThatWasNearItsEndWhenItCameIsToldOfOnce(t *testing.T) {
	w := newWorld(t)
	endings := &sso.Endings{Store: w.db, Mail: w, Base: w.Base, Now: func() time.Time { return w.now }, Audit: w.Audit}
	i, err := w.idps.Create(t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: sso.Change{
		Name: new("Okta"), EntityID: new(entity), SSOURL: new("https://idp.example.com/sso"), Certificates: new(newSigner(t, "one", 12*time.Hour).pem()),
	}})
	w.do(err, endings.Check(t.Context()), endings.Check(t.Context()))
	same(t, len(w.mails), 1)
	_, err = w.idps.Update(t.Context(), w.ada, w.acme, i.ID, sso.Change{Enabled: new(false)})
	w.now = w.now.Add(day)
	w.do(err, endings.Check(t.Context())) // nobody comes in through it
	same(t, len(w.mails), 1)
	n, err := w.db.EndingCertificates(t.Context(), newThen(), newThen().Add(day))
	w.do(err)
	same(t, n, 1)
}

func newThen() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC) }

func TestTheFirstUseOfACertificateIsRecordedOnce(t *testing.T) {
	w := newWorld(t)
	uses := func() *sso.FirstUses {
		return &sso.FirstUses{Store: w.db, Now: func() time.Time { return w.now }, Audit: w.Audit}
	}
	i, err := w.idps.Create(t.Context(), w.ada, w.acme, sso.New{Type: "saml", Change: sso.Change{
		Name: new("Okta"), EntityID: new(entity), SSOURL: new("https://idp.example.com/sso"),
		Certificates: new(newSigner(t, "one", 100*day).pem() + newSigner(t, "two", 100*day).pem()),
	}})
	w.do(err)
	use := func(s *sso.FirstUses, index int, end error) error {
		return w.db.Tx(t.Context(), func(ctx context.Context) error { return errors.Join(s.Used(ctx, i, index), end) })
	}
	node, other, broken := uses(), uses(), errors.New("the login came to nothing")
	if err := use(node, 0, broken); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	for range 3 {
		w.do(use(node, 0, nil), use(other, 0, nil))
	}
	w.do(use(other, 1, nil))
	events, err := w.db.Events(t.Context(), audit.Filter{Everywhere: true, Action: audit.IdPCertificateUsed}, "", 10)
	w.do(err)
	same(t, len(events), 2)
	for _, info := range i.CertificateInfos() {
		if !slices.ContainsFunc(events, func(e audit.Event) bool { return e.Details["sha256"] == info.Fingerprint }) {
			t.Errorf("got no event of %s, want one", info.Subject)
		}
	}
	if err := use(node, 2, nil); err == nil {
		t.Error("got no error for a certificate that is not there, want one")
	}
	var none *sso.FirstUses
	w.do(use(none, 0, nil))
}
