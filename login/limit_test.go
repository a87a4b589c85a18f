package login_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/sso"
)

func TestFlowsOfNobodyAreLimitedByAddress(t *testing.T) {
	w := newWorld(t)
	own := browser()
	flow, err := w.post(w.answer(w.start(sso.ToLogin, own), w.alice))
	must(t, err)
	guess := func(flow, from string) error {
		_, err := w.Finish(context.Background(), login.Finish{FlowID: flow, Browser: browser(), Client: login.Client{IP: netip.MustParseAddr(from)}})
		return err
	}
	limited := 0
	for ; limited < 1000; limited++ {
		id := ident.Secret(32)
		if limited%2 == 1 {
			id = flow // somebody else's
		}
		if err = guess(id, "192.0.2.9"); errors.Is(err, fault.TooMany) {
			break
		}
		if !errors.Is(err, fault.NotFound) && !errors.Is(err, fault.Denied) {
			t.Fatalf("got %v, want not found or denied", err)
		}
	}
	if limited < 20 || limited == 1000 || fault.Of(err).RetryAfter <= 0 {
		t.Errorf("got %v after %d, want many, but not without end, and a time to wait", err, limited)
	}
	_, err = w.Finish(context.Background(), login.Finish{FlowID: flow, Browser: own, Client: login.Client{IP: netip.MustParseAddr("192.0.2.9")}})
	if !errors.Is(err, fault.TooMany) {
		t.Errorf("a guess that is right, beyond the limit: got %v, want too many", err)
	}
	if err := guess(ident.Secret(32), "192.0.2.10"); !errors.Is(err, fault.NotFound) {
		t.Errorf("from another address: got %v, want not found", err)
	}
	w.pass(2 * time.Second)
	if err := guess(ident.Secret(32), "192.0.2.9"); !errors.Is(err, fault.NotFound) {
		t.Errorf("two seconds later: got %v, want not found", err)
	}
	if _, err := w.finish(flow, own); err != nil {
		t.Errorf("whose flow it is: got %v, want a session", err)
	}
}
