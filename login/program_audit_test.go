package login_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/login"
)

func TestAnAnswerToAProgramIsAnEventOfItsOwn(t *testing.T) {
	b := newBrowserSession(t)
	a, err := login.NewAuthorization(asked())
	must(t, err)
	answerDevice := func(yes bool) func() error {
		return func() error {
			start, err := b.BeginDevice(t.Context(), "robot", program)
			must(t, err)
			return b.AnswerDevice(t.Context(), start.UserCode, yes, b.bearer, client)
		}
	}
	for _, c := range []struct {
		name, action, way string
		do                func() error
	}{
		{"approved on the machine", audit.ProgramApprove, "loopback", func() error {
			_, err := b.Authorize(t.Context(), a, b.bearer, client)
			return err
		}},
		{"refused on the machine", audit.ProgramRefuse, "loopback", func() error { return b.Refuse(t.Context(), a, b.bearer, client) }},
		{"approved by a typed code", audit.ProgramApprove, "device", answerDevice(true)},
		{"refused by a typed code", audit.ProgramRefuse, "device", answerDevice(false)},
	} {
		b.pass(time.Second) // events are sorted by their time
		must(t, c.do())
		events, err := b.db.Events(t.Context(), audit.Filter{Everywhere: true}, "", 1)
		must(t, err)
		e := events[0]
		if e.Action != c.action || e.Actor.Name != "mia@acme.test" || e.OrganizationID != b.acme.ID || e.IP != client.IP {
			t.Errorf("%s: got the event %+v, want %s by Mia, of Acme", c.name, e, c.action)
		}
		want := audit.Details{
			"method": "saml", "authentication_method_id": b.sso.ID, "session": b.bearer.Prefix,
			"program": "robot", "way": c.way, "browser_ip": client.IP.String(),
		}
		if c.way == "device" {
			want["program_ip"] = program.IP.String()
		}
		if diff := cmp.Diff(want, e.Details); diff != "" {
			t.Errorf("%s: the details differ (-want +got):\n%s", c.name, diff)
		}
	}
}

// A brokenLog keeps nothing.
type brokenLog struct{ audit.Store }

func (brokenLog) AddEvent(context.Context, audit.Event) error { return errors.New("the disk is full") }

func TestAnAnswerWithoutItsEventIsNone(t *testing.T) {
	b := newBrowserSession(t)
	a, err := login.NewAuthorization(asked())
	must(t, err)
	start, err := b.BeginDevice(t.Context(), "robot", program)
	must(t, err)
	log := b.Login.Audit
	b.Login.Audit = &audit.Log{Store: brokenLog{b.db}, Now: b.now, NewID: ident.UUID}
	if _, err := b.Authorize(t.Context(), a, b.bearer, client); err == nil {
		t.Error("got a code, want none")
	}
	if err := b.Refuse(t.Context(), a, b.bearer, client); err == nil {
		t.Error("a refusal: got no error, want one")
	}
	for _, yes := range []bool{true, false} {
		if err := b.AnswerDevice(t.Context(), start.UserCode, yes, b.bearer, client); err == nil {
			t.Errorf("answered %t: got no error, want one", yes)
		}
	}
	b.Login.Audit = log
	_, err = b.RedeemDevice(t.Context(), start.DeviceCode, program)
	wantCode(t, err, fault.Invalid, "authorization_pending")
}
