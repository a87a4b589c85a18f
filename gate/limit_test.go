package gate_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/session"
)

func TestTokensOfNobodyAreLimitedByAddress(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	clock := func() time.Time { return now }
	p := &places{bearers: map[[sha256.Size]byte]session.Bearer{}}
	tokens := &session.Tokens{Store: p, Lifetime: time.Hour, Now: clock}
	g := &gate.Gate{Store: p, Now: clock, Limits: &limit.Memory{Now: clock}}
	issue := func() string {
		text, _, err := tokens.Issue(context.Background(), session.Grant{UserID: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	nobodys, hers := issue(), issue()
	delete(p.bearers, sha256.Sum256([]byte(nobodys)))
	ask := func(token, from string, need account.Permission) error {
		_, err := g.Admit(context.Background(), gate.Request{Token: token, IP: netip.MustParseAddr(from), Need: need})
		return err
	}

	// What cannot be a token, or is somebody's, is no guess.
	for range 1000 {
		if err := ask("gts_nonsense", "192.0.2.1", account.ReadSelf); !errors.Is(err, fault.Unauthenticated) {
			t.Fatalf("nonsense: got %v, want unauthenticated", err)
		}
		if err := ask(hers, "192.0.2.1", account.ReadSelf); err != nil {
			t.Fatalf("a token that counts: got %v, want none", err)
		}
	}
	tried := 0
	for ; tried < 1000; tried++ {
		err := ask(nobodys, "192.0.2.1", account.ReadSelf)
		if errors.Is(err, fault.TooMany) {
			if fault.Of(err).RetryAfter <= 0 {
				t.Error("got no RetryAfter")
			}
			break
		}
		if !errors.Is(err, fault.Unauthenticated) {
			t.Fatalf("got %v, want unauthenticated", err)
		}
	}
	if tried < 100 || tried == 1000 {
		t.Errorf("got limited after %d, want many but not without end", tried)
	}
	if err := ask(hers, "192.0.2.1", account.ReadSelf); err != nil {
		t.Errorf("whoever has a token, beyond the limit: got %v, want none", err)
	}
	if err := ask(hers, "192.0.2.2", account.ReadSelf); err != nil {
		t.Errorf("from another address: got %v, want none", err)
	}
	if err := ask(nobodys, "192.0.2.1", account.Anyone); err != nil {
		t.Errorf("where anybody may come: got %v, want none", err)
	}
	now = now.Add(time.Second)
	if err := ask(hers, "192.0.2.1", account.ReadSelf); err != nil {
		t.Errorf("a second later: got %v, want none", err)
	}
}
