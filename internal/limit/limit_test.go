package limit_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
)

var rule = limit.Rule{Name: "password", Burst: 3, Every: 10 * time.Second}

func TestABurstIsAllowedThenOneEach(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	m := &limit.Memory{Now: func() time.Time { return now }}
	ctx := context.Background()
	for i := range 3 {
		if err := m.Take(ctx, rule, "alice"); err != nil {
			t.Fatalf("attempt %d: got %v, want none", i+1, err)
		}
	}
	err := m.Take(ctx, rule, "alice")
	if !errors.Is(err, fault.TooMany) {
		t.Fatalf("fourth attempt: got %v, want too many", err)
	}
	if after := fault.Of(err).RetryAfter; after <= 0 || after > 11*time.Second {
		t.Errorf("got RetryAfter %v, want at most 11s", after)
	}
	if err := m.Take(ctx, rule, "bob"); err != nil {
		t.Errorf("another key: got %v, want none", err)
	}
	now = now.Add(10 * time.Second)
	if err := m.Check(ctx, rule, "alice"); err != nil {
		t.Errorf("after Every: Check got %v, want none", err)
	}
	if err := m.Take(ctx, rule, "alice"); err != nil {
		t.Errorf("after Every: got %v, want none (Check must not count)", err)
	}
	if err := m.Take(ctx, rule, "alice"); err == nil {
		t.Error("after one more: got none, want too many")
	}
	if err := m.Forget(ctx, rule, "alice"); err != nil {
		t.Fatal(err)
	}
	if err := m.Take(ctx, rule, "alice"); err != nil {
		t.Errorf("after Forget: got %v, want none", err)
	}
}

func TestAFloodOfKeysIsBounded(t *testing.T) {
	m := &limit.Memory{Now: func() time.Time { return time.Unix(1_700_000_000, 0) }}
	for i := range 250_000 {
		if err := m.Take(context.Background(), rule, fmt.Sprint(i)); err != nil {
			t.Fatalf("key %d: got %v, want none", i, err)
		}
	}
	if n := m.Len(); n > 100_000 {
		t.Errorf("got %d keys kept, want at most 100000", n)
	}
}

func TestTheMessageSaysHowLong(t *testing.T) {
	m := &limit.Memory{Now: func() time.Time { return time.Unix(1_700_000_000, 0) }}
	slow := limit.Rule{Name: "slow", Burst: 1, Every: 10 * time.Minute}
	_ = m.Take(context.Background(), slow, "a")
	err := m.Take(context.Background(), slow, "a")
	if got, want := fault.Of(err).Message, "Too many attempts. Try again in 10 minutes."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAddressesCountByNetwork(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"IPv6 neighbours share", "2001:db8::1", "2001:db8::ffff"},
		{"mapped IPv4 is IPv4", "::ffff:192.0.2.1", "192.0.2.1"},
		{"zones do not matter", "fe80::1%eth0", "fe80::1"},
	} {
		if a, b := limit.Address(netip.MustParseAddr(c.a)), limit.Address(netip.MustParseAddr(c.b)); a != b {
			t.Errorf("%s: got %s and %s, want the same", c.name, a, b)
		}
	}
	if a, b := limit.Address(netip.MustParseAddr("192.0.2.1")), limit.Address(netip.MustParseAddr("192.0.2.2")); a == b {
		t.Errorf("two IPv4 addresses share the key %s", a)
	}
}

func TestAnAttemptThatWorkedIsGivenBack(t *testing.T) {
	m := &limit.Memory{Now: func() time.Time { return time.Unix(1_700_000_000, 0) }}
	ctx := context.Background()
	for i := range 100 {
		if err := m.Take(ctx, rule, "alice"); err != nil {
			t.Fatalf("attempt %d that worked: got %v, want none", i+1, err)
		}
		if err := m.Return(ctx, rule, "alice"); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Return(ctx, rule, "bob"); err != nil {
		t.Fatal(err)
	}
	for range rule.Burst {
		if err := m.Take(ctx, rule, "bob"); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Take(ctx, rule, "bob"); !errors.Is(err, fault.TooMany) {
		t.Errorf("giving back what was not taken: got %v beyond the burst, want too many", err)
	}
}

func TestOnlySoManyAtOnce(t *testing.T) {
	s := limit.NewSlots(2, time.Millisecond)
	one, err := s.Enter(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enter(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Enter(context.Background()); !errors.Is(err, fault.Unavailable) || fault.Of(err).RetryAfter <= 0 {
		t.Errorf("the third: got %v, want unavailable with a time to wait", err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Enter(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("who went away: got %v, want canceled", err)
	}
	one()
	if _, err := s.Enter(context.Background()); err != nil {
		t.Errorf("after one left: got %v, want none", err)
	}
}
