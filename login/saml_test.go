package login_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/session"
	"gatehouse/sso"
)

func TestALinkedPersonLogsIn(t *testing.T) {
	w, b := newWorld(t), browser()
	out, err := w.login(sso.ToLogin, w.alice, b)
	must(t, err)
	if out.User.Email != "alice@acme.test" {
		t.Errorf("got user %s, want alice@acme.test", out.User.Email)
	}
	if out.ReturnTo != "/profile" {
		t.Errorf("got return to %s, want /profile", out.ReturnTo)
	}
	visit, err := w.gate.Admit(context.Background(), gate.Request{Token: out.Text, Need: account.ReadSelf})
	must(t, err)
	want := session.Method{Kind: session.SAML, ID: w.sso.ID}
	if visit.Bearer.Token.Method != want || !visit.Bearer.Token.LoggedIn.Equal(w.now()) {
		t.Errorf("got a session by %+v at %v, want %+v at %v", visit.Bearer.Token.Method, visit.Bearer.Token.LoggedIn, want, w.now())
	}
	if len(b.Methods) != 1 || b.Methods[0] != w.sso.ID {
		t.Errorf("the browser remembers %v, want %s", b.Methods, w.sso.ID)
	}
}

func TestAnAnswerCountsOnce(t *testing.T) {
	w, b := newWorld(t), browser()
	form := w.answer(w.start(sso.ToLogin, b), w.alice)
	flow, err := w.post(form)
	must(t, err)
	_, err = w.post(form)
	wantCode(t, err, fault.Denied, "request_used")
	_, err = w.finish(flow, b)
	must(t, err)
	_, err = w.post(form)
	wantCode(t, err, fault.Denied, "request_used")
	_, err = w.finish(flow, b)
	wantCode(t, err, fault.NotFound, "login_expired")
}

func TestAnAssertionCountsOnceWhicheverRequestItAnswers(t *testing.T) {
	w := newWorld(t)
	mistake, _ := demoidp.MistakeNamed("used-id")
	w.idp.Misbehave = mistake.Make
	_, err := w.post(w.answer(w.start(sso.ToLogin, browser()), w.alice))
	must(t, err)
	_, err = w.post(w.answer(w.start(sso.ToLogin, browser()), w.alice))
	wantCode(t, err, fault.Denied, "assertion_replayed")
}

func TestOfManyPostsAtOnceOneWins(t *testing.T) {
	w, b := newWorld(t), browser()
	form := w.answer(w.start(sso.ToLogin, b), w.alice)
	const posts = 12
	errs := make([]error, posts)
	var wg sync.WaitGroup
	for i := range posts {
		wg.Go(func() { _, errs[i] = w.post(form) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantCode(t, err, fault.Denied, "request_used")
	}
	if won != 1 {
		t.Errorf("%d of %d posts of one answer were taken, want 1", won, posts)
	}
}

func TestAnswersThatDoNotBelongAreRefused(t *testing.T) {
	w := newWorld(t)
	other, err := w.orgs.Add(context.Background(), w.admin, "Other", "")
	must(t, err)
	otherIdP, otherMethod := w.connect("https://idp.other.test", other)

	t.Run("another flow's relay state", func(t *testing.T) {
		mine, theirs := w.start(sso.ToLogin, browser()), w.start(sso.ToLogin, browser())
		form := w.answer(mine, w.alice)
		form.Set("RelayState", w.answer(theirs, w.alice).Get("RelayState"))
		_, err := w.post(form)
		wantCode(t, err, fault.Denied, "relay_state_mismatch")
	})
	t.Run("another organization's IdP", func(t *testing.T) {
		_, r, err := w.Begin(context.Background(), otherMethod.ID, sso.ToLogin, browser(), "", client)
		must(t, err)
		_, form, err := otherIdP.Answer(r.URL, w.alice)
		must(t, err)
		if _, err = w.post(form); !errors.Is(err, fault.Denied) {
			t.Errorf("got %v, want denied", err)
		}
	})
	t.Run("another IdP's answer to our request", func(t *testing.T) {
		ours := w.start(sso.ToLogin, browser())
		q := demoidp.Request{SP: demoidp.SP{EntityID: w.sso.MetadataURL(), ACSURL: w.sso.ACSURL()}, ID: ours.ID}
		_, form, err := otherIdP.Form(q, otherIdP.Prepare(q, w.alice))
		must(t, err)
		if _, err = w.post(form); !errors.Is(err, fault.Denied) {
			t.Errorf("got %v, want denied", err)
		}
	})
	t.Run("an unknown method", func(t *testing.T) {
		_, err := w.AnswerSAML(context.Background(), "am00000000000", "x", "", client)
		wantCode(t, err, fault.NotFound, "authentication_method_not_found")
	})
	t.Run("unsolicited", func(t *testing.T) {
		_, form, err := w.idp.Start(w.sso.MetadataURL(), "", w.alice)
		must(t, err)
		_, err = w.post(form)
		wantCode(t, err, fault.Denied, "invalid_relay_state")
	})
	t.Run("too late", func(t *testing.T) {
		r := w.start(sso.ToLogin, browser())
		w.pass(sso.TicketLifetime)
		_, err := w.post(w.answer(r, w.alice))
		wantCode(t, err, fault.Denied, "request_expired")
	})
}

func TestEachMistakeOfAnIdPIsRefusedAndChangesNothing(t *testing.T) {
	for _, m := range demoidp.Mistakes {
		if m.Name == "used-id" { // refused only the second time
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			w, b := newWorld(t), browser()
			w.idp.Misbehave = m.Make
			r := w.start(sso.ToLogin, b)
			_, err := w.post(w.answer(r, w.alice))
			var rejection *sso.Rejection
			if !errors.As(err, &rejection) || !errors.Is(err, fault.Denied) {
				t.Fatalf("got %v, want a refusal with a reason", err)
			}
			if rejection.Code == "" || rejection.Message == "" || rejection.Remedy == "" {
				t.Errorf("got %+v, want a code, a message and a remedy", rejection)
			}
			// The same login can still end well: nothing was used up.
			w.idp.Misbehave = nil
			flow, err := w.post(w.answer(r, w.alice))
			must(t, err)
			_, err = w.finish(flow, b)
			must(t, err)
		})
	}
}

func TestAnAnswerCarriedIntoAnotherBrowserStops(t *testing.T) {
	w, mine, theirs := newWorld(t), browser(), browser()
	flow, err := w.post(w.answer(w.start(sso.ToLogin, mine), w.alice))
	must(t, err)
	_, err = w.finish(flow, theirs)
	wantCode(t, err, fault.Denied, "login_in_another_browser")
	if _, err = w.finish(flow, mine); err != nil {
		t.Errorf("in the browser that began it: got %v, want a session", err)
	}
}

func TestAFlowEndsAfterTenMinutes(t *testing.T) {
	w, b := newWorld(t), browser()
	flow, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
	w.pass(sso.TicketLifetime)
	_, err = w.finish(flow, b)
	wantCode(t, err, fault.NotFound, "login_expired")
}

func TestAnUnknownSubjectIsNotLetIn(t *testing.T) {
	w, b := newWorld(t), browser()
	// The address is one that an account has: it must not matter.
	stranger := demoidp.User{Username: "mallory", Email: "alice@acme.test", FirstName: "Mallory"}
	_, err := w.login(sso.ToLogin, stranger, b)
	wantCode(t, err, fault.Denied, "unknown_user_sso_login_attempt")
	if b.Proof != "" || len(b.Methods) != 0 {
		t.Errorf("a refused login left its mark on the browser: %+v", b)
	}
}

func TestSignupMakesAnAccountOnce(t *testing.T) {
	w, bob := newWorld(t), demoidp.Acme()[1]
	out, err := w.login(sso.ToSignup, bob, browser())
	must(t, err)
	if out.User.Email != bob.Email || out.User.AddressProved || out.User.RealName != "Bob Brännström" {
		t.Errorf("got %+v, want bob with an unproved address", out.User)
	}
	m, err := w.db.Member(context.Background(), w.acme.ID, out.User.ID)
	must(t, err)
	if m.SuperAdmin {
		t.Error("a new person is super admin, want no role")
	}
	again, err := w.login(sso.ToLogin, bob, browser())
	must(t, err)
	if again.User.ID != out.User.ID {
		t.Errorf("the second login gave user %s, want %s", again.User.ID, out.User.ID)
	}
}

func TestSignupNeverTakesAnAccountByItsAddress(t *testing.T) {
	w := newWorld(t)
	thief := demoidp.User{Username: "thief", Email: "Admin@Acme.test", FirstName: "Thief"}
	_, err := w.login(sso.ToSignup, thief, browser())
	wantCode(t, err, fault.Denied, "email_taken")
	if _, err := w.db.UserByIdentity(context.Background(), w.sso.ID, "attribute:username", "thief"); !errors.Is(err, fault.NotFound) {
		t.Errorf("got %v, want the thief to be linked to nobody", err)
	}
	_, err = w.login(sso.ToSignup, demoidp.User{Username: "nomail", FirstName: "No"}, browser())
	wantCode(t, err, fault.Denied, "email_missing")
}

func TestADisabledMethodStopsEverythingAtOnce(t *testing.T) {
	w, b := newWorld(t), browser()
	before, err := w.login(sso.ToLogin, w.alice, browser())
	must(t, err)
	pending := w.start(sso.ToLogin, b)
	flow, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)

	off := false
	_, err = w.idps.Update(context.Background(), w.admin, w.acme, w.sso.ID, sso.Change{Enabled: &off})
	must(t, err)

	_, _, err = w.Begin(context.Background(), w.sso.ID, sso.ToLogin, b, "", client)
	wantCode(t, err, fault.Denied, "authentication_method_disabled")
	_, err = w.post(w.answer(pending, w.alice))
	wantCode(t, err, fault.Denied, "authentication_method_disabled")
	_, err = w.finish(flow, b)
	wantCode(t, err, fault.Denied, "authentication_method_disabled")
	_, err = w.gate.Admit(context.Background(), gate.Request{Token: before.Text, Need: account.ReadSelf})
	wantCode(t, err, fault.Unauthenticated, "authentication_failed")
}

func TestASessionEndsWhenTheIdPSaysSo(t *testing.T) {
	w := newWorld(t)
	ends := w.now().Add(90 * time.Minute).Truncate(time.Second)
	w.idp.Misbehave = func(r *demoidp.Response) { r.SessionEnds = ends }
	out, err := w.login(sso.ToLogin, w.alice, browser())
	must(t, err)
	if !out.Token.ExpiresAt.Equal(ends) {
		t.Errorf("got a session until %v, want %v", out.Token.ExpiresAt, ends)
	}
	w.pass(2 * time.Hour)
	_, err = w.gate.Admit(context.Background(), gate.Request{Token: out.Text, Need: account.ReadSelf})
	wantCode(t, err, fault.Unauthenticated, "authentication_failed")
}

func TestAStartStoresNothing(t *testing.T) {
	w, b := newWorld(t), browser()
	for range 1000 {
		w.start(sso.ToLogin, b)
	}
	if len(b.Returns) > 6 {
		t.Errorf("the browser remembers %d logins under way, want at most 6", len(b.Returns))
	}
	for range 400 { // the burst of one address is 1000
		_, _, err := w.Begin(context.Background(), w.sso.ID, sso.ToLogin, b, "", client)
		if errors.Is(err, fault.TooMany) {
			return
		}
	}
	t.Error("1400 starts at once from one address were all served, want a limit")
}
