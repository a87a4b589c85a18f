package sso

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// keyWorld is an identity provider whose keys are changed, at a time that the
// test sets.
type keyWorld struct {
	*IdPs
	store *memoryStore
	now   time.Time
	id    string
}

func newKeyWorld(t *testing.T, c Change) *keyWorld {
	t.Helper()
	s, store := newIdPs()
	w := &keyWorld{IdPs: s, store: store, now: moment}
	s.Now = func() time.Time { return w.now }
	c.Name = new("Okta")
	i, err := s.Create(t.Context(), admin, acme, New{Type: "saml", Change: c})
	if err != nil {
		t.Fatal(err)
	}
	w.id, store.events = i.ID, nil
	return w
}

// certificates are those of the identity provider as it is stored.
func (w *keyWorld) certificates() []SPCertificate {
	i := w.store.idps[w.id]
	return i.SPCertificates(w.now)
}

// keys says which keys there are: state, type, uses.
func (w *keyWorld) keys() []string {
	var out []string
	for _, c := range w.certificates() {
		line := fmt.Sprint(c.State, " ", c.Type)
		if c.Signs {
			line += " signs"
		}
		if c.Encrypts {
			line += " encrypts"
		}
		out = append(out, line)
	}
	return out
}

// actions gives the actions of the events since the last time, and who did
// them.
func (w *keyWorld) actions() []string {
	var out []string
	for _, e := range w.store.events {
		out = append(out, e.Action+" by "+e.Actor.Name)
	}
	w.store.events = nil
	return out
}

func (w *keyWorld) want(t *testing.T, when string, keys, actions []string) {
	t.Helper()
	if diff := cmp.Diff(keys, w.keys()); diff != "" {
		t.Errorf("%s: keys (-want +got):\n%s", when, diff)
	}
	if diff := cmp.Diff(actions, w.actions()); diff != "" {
		t.Errorf("%s: events (-want +got):\n%s", when, diff)
	}
}

// do fails unless a step of a rollover works.
func (w *keyWorld) do(t *testing.T, _ *IdP, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRolloverStepByStep(t *testing.T) {
	w := newKeyWorld(t, Change{})
	ctx := t.Context()
	before := w.certificates()[0].Fingerprint
	i, err := w.PrepareKey(ctx, admin, acme, w.id, NewKey{Type: RSA3072})
	w.do(t, i, err)
	w.want(t, "prepared", []string{"present rsa-2048 signs encrypts", "next rsa-3072 signs encrypts"}, []string{"idp.prepare_key by ada@acme.test"})

	i, err = w.SwitchKey(ctx, admin, acme, w.id, KeepPrevious)
	w.do(t, i, err)
	w.want(t, "switched", []string{"present rsa-3072 signs encrypts", "previous rsa-2048 signs encrypts"}, []string{"idp.switch_key by ada@acme.test"})
	list := w.certificates()
	if list[1].Fingerprint != before || !list[1].Until.Equal(moment.Add(7*24*time.Hour)) {
		t.Errorf("got the previous key %s until %s, want %s for seven days", list[1].Fingerprint, list[1].Until, before)
	}

	i, err = w.PrepareKey(ctx, admin, acme, w.id, NewKey{})
	w.do(t, i, err)
	i, err = w.CancelKey(ctx, admin, acme, w.id)
	w.do(t, i, err)
	i, err = w.ForgetKey(ctx, admin, acme, w.id)
	w.do(t, i, err)
	w.want(t, "cancelled and forgotten", []string{"present rsa-3072 signs encrypts"},
		[]string{"idp.prepare_key by ada@acme.test", "idp.cancel_key by ada@acme.test", "idp.forget_key by ada@acme.test"})
	if r := w.store.idps[w.id].Rollover; !r.NextKeys.Empty() || !r.PreviousKeys.Empty() || !r.SwitchAt.IsZero() || !r.PreviousUntil.IsZero() {
		t.Errorf("got %+v left over, want nothing", r)
	}

	i, err = w.PrepareKey(ctx, admin, acme, w.id, NewKey{})
	w.do(t, i, err)
	i, err = w.SwitchKey(ctx, admin, acme, w.id, 0)
	w.do(t, i, err)
	w.want(t, "switched at once", []string{"present rsa-2048 signs encrypts"}, []string{"idp.prepare_key by ada@acme.test", "idp.switch_key by ada@acme.test"})
}

// An ECDSA key changes what our requests can be signed by.
func TestRolloverToECDSAAndBack(t *testing.T) {
	w := newKeyWorld(t, Change{SignatureAlgorithm: new("rsa-sha512")})
	for _, step := range []struct {
		to        KeyType
		algorithm string
		change    string // of the algorithm, in the event
		keys      []string
	}{
		{RSA3072, "rsa-sha512", "", []string{"present rsa-3072 signs encrypts", "previous rsa-2048 signs encrypts"}},
		{ECDSAP256, "ecdsa-sha256", "rsa-sha512 ecdsa-sha256", []string{"present ecdsa-p256 signs", "present rsa-2048 encrypts", "previous rsa-3072 signs encrypts"}},
		{ECDSAP256, "ecdsa-sha256", "", []string{"present ecdsa-p256 signs", "present rsa-2048 encrypts", "previous ecdsa-p256 signs", "previous rsa-2048 encrypts"}},
		{RSA2048, "rsa-sha256", "ecdsa-sha256 rsa-sha256", []string{"present rsa-2048 signs encrypts", "previous ecdsa-p256 signs", "previous rsa-2048 encrypts"}},
	} {
		i, err := w.PrepareKey(t.Context(), admin, acme, w.id, NewKey{Type: step.to})
		w.do(t, i, err)
		i, err = w.SwitchKey(t.Context(), admin, acme, w.id, KeepPrevious)
		w.do(t, i, err)
		if diff := cmp.Diff(step.keys, w.keys()); diff != "" {
			t.Errorf("to %s: keys (-want +got):\n%s", step.to, diff)
		}
		d := w.store.events[len(w.store.events)-1].Details
		change := strings.TrimSpace(d["saml_signature_algorithm"+audit.Before] + " " + d["saml_signature_algorithm"+audit.After])
		if got := w.store.idps[w.id].SignatureAlgorithm; got != step.algorithm || i.SignatureAlgorithm != got || change != step.change {
			t.Errorf("to %s: got %s and the event %v, want %s and %q", step.to, got, d, step.algorithm, step.change)
		}
		if keys, err := (&Provider{Keys: w.Keys}).openKeys(w.id, i.present()); err != nil || keys.decrypts == nil {
			t.Errorf("to %s: the keys cannot be opened: %v", step.to, err)
		}
	}
}

func TestAlgorithmHasToFitTheKey(t *testing.T) {
	for _, c := range []struct{ made, change, says string }{
		{"", "ecdsa-sha256", "ecdsa-p256"},
		{"rsa-sha384", "ecdsa-sha256", "ecdsa-p256"},
		{"ecdsa-sha256", "rsa-sha256", "rsa-2048"},
		{"ecdsa-sha256", "rsa-sha1", "rsa-2048"},
	} {
		w := newKeyWorld(t, Change{SignatureAlgorithm: new(c.made)})
		_, err := w.Update(t.Context(), admin, acme, w.id, Change{SignatureAlgorithm: new(c.change)})
		wantFault(t, err, fault.Invalid, "saml_signature_algorithm")
		if f := fault.Of(err); f.Code != "signature_algorithm_misfit" || !strings.Contains(f.Message, "prepare a key of the type "+c.says) {
			t.Errorf("%s after %q: got %s (%s), want one that names the key %s", c.change, c.made, f.Message, f.Code, c.says)
		}
	}
	w := newKeyWorld(t, Change{SignatureAlgorithm: new("ecdsa-sha256")})
	if got := w.keys(); !slices.Equal(got, []string{"present ecdsa-p256 signs", "present rsa-2048 encrypts"}) {
		t.Errorf("made for ecdsa-sha256: got the keys %v", got)
	}
	i, err := w.Update(t.Context(), admin, acme, w.id, Change{SignatureAlgorithm: new("")})
	if err != nil || i.SignatureAlgorithm != "ecdsa-sha256" {
		t.Errorf("the usual algorithm: got %v, %v, want ecdsa-sha256", i, err)
	}
}

func TestStepsThatDoNotFitAreRefused(t *testing.T) {
	w := newKeyWorld(t, Change{})
	ctx := t.Context()
	prepare := func(n NewKey) error { _, err := w.PrepareKey(ctx, admin, acme, w.id, n); return err }
	switchTo := func(keep time.Duration) error { _, err := w.SwitchKey(ctx, admin, acme, w.id, keep); return err }
	cancel := func() error { _, err := w.CancelKey(ctx, admin, acme, w.id); return err }
	forget := func() error { _, err := w.ForgetKey(ctx, admin, acme, w.id); return err }
	wantFault(t, prepare(NewKey{Type: "rsa-1024"}), fault.Invalid, "key_type")
	for _, at := range []time.Time{moment, moment.Add(-time.Hour), moment.Add(367 * 24 * time.Hour)} {
		wantFault(t, prepare(NewKey{SwitchAt: at}), fault.Invalid, "switch_at")
	}
	wantFault(t, switchTo(KeepPrevious), fault.Conflict, "")
	wantFault(t, cancel(), fault.NotFound, "")
	wantFault(t, forget(), fault.NotFound, "")
	if err := prepare(NewKey{}); err != nil {
		t.Fatal(err)
	}
	wantFault(t, prepare(NewKey{}), fault.Conflict, "")
	for _, keep := range []time.Duration{-time.Hour, 91 * 24 * time.Hour} {
		wantFault(t, switchTo(keep), fault.Invalid, "keep_previous_days")
	}
	if err := switchTo(time.Hour); err != nil {
		t.Fatal(err)
	}
	w.now = moment.Add(time.Hour)
	wantFault(t, forget(), fault.NotFound, "")
	for name, step := range map[string]func() error{
		"prepare": func() error { _, err := w.PrepareKey(ctx, admin, globex, w.id, NewKey{}); return err },
		"switch":  func() error { _, err := w.SwitchKey(ctx, admin, globex, w.id, 0); return err },
		"cancel":  func() error { _, err := w.CancelKey(ctx, admin, globex, w.id); return err },
		"forget":  func() error { _, err := w.ForgetKey(ctx, admin, globex, w.id); return err },
	} {
		if err := step(); !errors.Is(err, fault.NotFound) || fault.Of(err).Code != "authentication_method_not_found" {
			t.Errorf("%s of another organization's: got %v, want that it has no such method", name, err)
		}
	}
}

func TestPreparingIsLimitedLikeMaking(t *testing.T) {
	w := newKeyWorld(t, Change{})
	w.Allow = func(_ context.Context, key string) error { return fault.TooMany.Errorf("Too many for %s.", key) }
	_, err := w.PrepareKey(t.Context(), admin, acme, w.id, NewKey{})
	wantFault(t, err, fault.TooMany, "")
}

func TestKeysAreKeptOnTime(t *testing.T) {
	w := newKeyWorld(t, Change{})
	ctx := t.Context()
	day := 24 * time.Hour
	i, err := w.PrepareKey(ctx, admin, acme, w.id, NewKey{Type: ECDSAP256, SwitchAt: moment.Add(day)})
	w.do(t, i, err)
	w.actions()
	step := func(when string, at time.Duration, keys, actions []string) {
		t.Helper()
		w.now = moment.Add(at)
		if err := w.KeepKeys(ctx); err != nil {
			t.Fatal(err)
		}
		w.want(t, when, keys, actions)
	}
	byTime := func(action string) []string { return []string{action + " by the server, on time"} }
	before := []string{"present rsa-2048 signs encrypts", "next ecdsa-p256 signs", "next rsa-2048 encrypts"}
	after := []string{"present ecdsa-p256 signs", "present rsa-2048 encrypts", "previous rsa-2048 signs encrypts"}
	step("before its day", day-time.Second, before, nil)
	step("on its day", day, after, byTime("idp.switch_key"))
	step("a moment later", day, after, nil)
	step("before the end of the previous one", 8*day-time.Second, after, nil)
	step("at its end", 8*day, after[:2], byTime("idp.forget_key"))
	if !w.store.idps[w.id].PreviousKeys.Empty() {
		t.Error("the previous key is kept past its end")
	}
	step("a day later", 9*day, after[:2], nil)
}

// withStranger says of one that is not there that it is due, too.
type withStranger struct{ *memoryStore }

func (s withStranger) KeysDue(ctx context.Context, now time.Time, most int) ([]string, error) {
	due, err := s.memoryStore.KeysDue(ctx, now, most)
	return append([]string{"am-none"}, due...), err
}

func TestOneThatFailsDoesNotKeepOthersFromTheirSwitch(t *testing.T) {
	w := newKeyWorld(t, Change{})
	i, err := w.PrepareKey(t.Context(), admin, acme, w.id, NewKey{SwitchAt: moment.Add(time.Hour)})
	w.do(t, i, err)
	w.Store = withStranger{w.store}
	w.now = moment.Add(time.Hour)
	if err := w.KeepKeys(t.Context()); !errors.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "am-none") {
		t.Errorf("got %v, want an error that names am-none", err)
	}
	if got := w.keys(); len(got) != 2 || got[1] != "previous rsa-2048 signs encrypts" {
		t.Errorf("got the keys %v, want the switch done", got)
	}
}
