package login_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/internal/limit"
	"gatehouse/sso"
)

func TestRightPasswordsUseNothingUp(t *testing.T) {
	w := newWorld(t)
	for i := range 120 { // an office behind one address, with 100 attempts
		if _, err := w.Password(context.Background(), adminMail, adminPassword, nil, client); err != nil {
			t.Fatalf("login %d: got %v, want none", i+1, err)
		}
	}
}

func TestOnlyRefusedAnswersAreCounted(t *testing.T) {
	w := newWorld(t)
	good := func() error {
		_, err := w.post(w.answer(w.start(sso.ToLogin, browser()), w.alice))
		return err
	}
	for range 110 { // refusals at once from one address: 100
		must(t, good())
	}
	refused := 0
	for range 150 {
		_, err := w.AnswerSAML(context.Background(), w.sso.ID, "nonsense", "", client)
		if errors.Is(err, fault.Denied) {
			refused++
		} else if !errors.Is(err, fault.TooMany) {
			t.Fatalf("got %v, want denied or too many", err)
		}
	}
	if refused != 100 {
		t.Errorf("%d bad answers were judged, want 100", refused)
	}
	if err := good(); !errors.Is(err, fault.TooMany) {
		t.Errorf("a good answer from an address that sent only bad ones: got %v, want too many", err)
	}
}

// Many at once must not all be judged before the first is counted.
func TestBadAnswersAtOnceAreCountedBeforeTheyAreJudged(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	refused := 0
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			_, err := w.AnswerSAML(context.Background(), w.sso.ID, "nonsense", "", client)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, fault.Denied) {
				refused++
			}
		})
	}
	wg.Wait()
	if refused > 100 {
		t.Errorf("%d bad answers were judged, want at most 100", refused)
	}
}

// A full refuses what one rule counts, and nothing else.
type full struct {
	limit.Limiter
	rule string
}

func (f full) Take(ctx context.Context, r limit.Rule, key string) error {
	if r.Name == f.rule {
		return fault.TooMany.Errorf("Too many.")
	}
	return f.Limiter.Take(ctx, r, key)
}

func TestSignupsThroughOneProviderAreLimited(t *testing.T) {
	w := newWorld(t)
	w.Limits = full{w.Limits, "signup through method"}
	_, err := w.post(w.answer(w.start(sso.ToSignup, browser()), w.alice))
	if !errors.Is(err, fault.TooMany) {
		t.Errorf("a signup: got %v, want too many", err)
	}
	_, err = w.post(w.answer(w.start(sso.ToLogin, browser()), w.alice))
	must(t, err)
}

func TestWhatIsKeptOfAPersonIsBounded(t *testing.T) {
	w := newWorld(t)
	long := demoidp.User{Username: strings.Repeat("x", 1025), Email: "long@acme.test"}
	_, err := w.post(w.answer(w.start(sso.ToSignup, browser()), long))
	wantCode(t, err, fault.Denied, "no_identity")

	b := browser()
	wordy := demoidp.User{Username: "wordy", Email: "wordy@acme.test", FirstName: strings.Repeat("Word ", 2000), Groups: []string{strings.Repeat("g", 4000)}}
	flow, err := w.post(w.answer(w.start(sso.ToSignup, b), wordy))
	must(t, err)
	kept, err := w.db.Flow(context.Background(), flow, w.now())
	must(t, err)
	if len(kept.Claim.FirstName) > 512 {
		t.Errorf("a name of %d bytes is kept, want at most 512", len(kept.Claim.FirstName))
	}
	out, err := w.finish(flow, b)
	must(t, err)
	if out.User.RealName != "wordy" {
		t.Errorf("got the name %q, want what is left of the address", out.User.RealName)
	}
}

func TestASessionThatIsOverIsNotBegun(t *testing.T) {
	w := newWorld(t)
	// Within the skew that two clocks may have, and over by ours.
	w.idp.Misbehave = func(r *demoidp.Response) { r.SessionEnds = w.now().Add(-30 * time.Second).Truncate(time.Second) }
	_, err := w.login(sso.ToLogin, w.alice, browser())
	wantCode(t, err, fault.Denied, "session_ended")
}

func TestResponsesAreJudgedOnlySoManyAtOnce(t *testing.T) {
	w := newWorld(t)
	w.Checks = limit.NewSlots(1, time.Millisecond)
	leave, err := w.Checks.Enter(context.Background())
	must(t, err)
	form := w.answer(w.start(sso.ToLogin, browser()), w.alice)
	if _, err := w.post(form); !errors.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	leave()
	_, err = w.post(form)
	must(t, err)
}
