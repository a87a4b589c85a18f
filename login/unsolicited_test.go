package login_test

import (
	"context"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

// starts makes the IdP start a login itself, and brings its answer.
func (w *world) starts(relayState string) (login.Answered, error) {
	w.t.Helper()
	_, form, err := w.idp.Start(w.sso.MetadataURL(), relayState, w.alice)
	must(w.t, err)
	return w.AnswerSAML(context.Background(), w.sso.ID, form.Get("SAMLResponse"), form.Get("RelayState"), client)
}

// admit sets whether logins may start at the IdP, and what becomes of them.
func (w *world) admit(on bool, mode sso.LoginMode) {
	w.t.Helper()
	m := string(mode)
	_, err := w.idps.Update(context.Background(), w.admin, w.acme, w.sso.ID, sso.Change{IdPLoginAllowed: &on, IdPLoginMode: &m})
	must(w.t, err)
}

func TestALoginThatStartsAtTheIdP(t *testing.T) {
	for _, c := range []struct {
		name    string
		allowed bool
		mode    sso.LoginMode
		relay   string
		code    string // of the refusal; empty if there is none
		flow    bool   // it goes on; else it is started once more
		to      string
	}{
		{"off", false, sso.Bounce, "", "invalid_relay_state", false, ""},
		{"off, accept", false, sso.Accept, "", "invalid_relay_state", false, ""},
		{"off, another site", false, sso.Bounce, "https://evil.example/", "invalid_relay_state", false, ""},
		{"off, without a scheme", false, sso.Bounce, "//evil.example", "invalid_relay_state", false, ""},
		{"off, backslashes", false, sso.Bounce, `\\evil.example`, "invalid_relay_state", false, ""},
		{"off, script", false, sso.Bounce, "javascript:alert(1)", "invalid_relay_state", false, ""},
		{"off, our origin and an at sign", false, sso.Bounce, "http://127.0.0.1:8080@evil.example/", "invalid_relay_state", false, ""},
		{"off, our origin and more digits", false, sso.Bounce, "http://127.0.0.1:80801/profile", "invalid_relay_state", false, ""},
		{"off, line ends", false, sso.Bounce, "/profile\r\nSet-Cookie: x=y", "invalid_relay_state", false, ""},
		{"off, a page that does something", false, sso.Bounce, "/logout", "invalid_relay_state", false, ""},
		{"off, our console", false, sso.Bounce, "http://127.0.0.1:8080", "", false, "/"},
		{"off, our console with a slash", false, sso.Bounce, "http://127.0.0.1:8080/", "", false, "/"},
		{"off, a page of ours", false, sso.Bounce, "http://127.0.0.1:8080/profile", "", false, "/profile"},
		{"off, a path of ours", false, sso.Bounce, "/profile", "", false, "/profile"},
		{"off, our console, accept", false, sso.Accept, "/", "", false, "/"},
		{"bounce", true, sso.Bounce, "", "", false, "/"},
		{"bounce to a page", true, sso.Bounce, "/profile", "", false, "/profile"},
		{"bounce, another site", true, sso.Bounce, "https://evil.example/x", "", false, "/"},
		{"accept", true, sso.Accept, "", "", true, ""},
		{"accept, more than 80 bytes of nonsense", true, sso.Accept, "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789", "", true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.admit(c.allowed, c.mode)
			out, err := w.starts(c.relay)
			if c.code != "" {
				wantCode(t, err, fault.Denied, c.code)
				return
			}
			must(t, err)
			if (out.FlowID != "") != c.flow || out.ReturnTo != c.to {
				t.Errorf("got %+v, want a flow: %v, to %q", out, c.flow, c.to)
			}
		})
	}
}

func TestAnUnsolicitedResponseIsUsedUpInEitherMode(t *testing.T) {
	for _, mode := range []sso.LoginMode{sso.Bounce, sso.Accept} {
		w := newWorld(t)
		w.admit(true, mode)
		_, form, err := w.idp.Start(w.sso.MetadataURL(), "", w.alice)
		must(t, err)
		_, err = w.post(form)
		must(t, err)
		_, err = w.post(form)
		wantCode(t, err, fault.Denied, "assertion_replayed")
	}
}

func TestALoginThatIsAcceptedHasToBeConfirmedInOneBrowser(t *testing.T) {
	w, mine, theirs := newWorld(t), browser(), browser()
	w.admit(true, sso.Accept)
	out, err := w.starts("/profile")
	must(t, err)
	step, err := w.Finish(context.Background(), login.Finish{FlowID: out.FlowID, Browser: mine, Client: client})
	must(t, err)
	if step.Ask == nil || step.Ask.Kind != login.AskAccept || step.Ask.MethodID != w.sso.ID {
		t.Fatalf("got %+v, want to be asked", step)
	}
	// The first browser has it now.
	_, err = w.Finish(context.Background(), login.Finish{FlowID: out.FlowID, Browser: theirs, Client: client, Yes: step.Ask.Key()})
	wantCode(t, err, fault.Denied, "login_in_another_browser")
	step, err = w.Finish(context.Background(), login.Finish{FlowID: out.FlowID, Browser: mine, Client: client, Yes: step.Ask.Key()})
	must(t, err)
	if step.Done == nil || step.Done.User.Email != "alice@acme.test" || step.Done.ReturnTo != "/profile" {
		t.Errorf("got %+v, want alice at /profile", step)
	}
}

func TestAnIdPThatNeverAnswersRequestsGoesRoundOnce(t *testing.T) {
	w, b := newWorld(t), browser()
	must(t, w.Bounce(w.sso.ID, b))
	wantCode(t, w.Bounce(w.sso.ID, b), fault.Denied, "unsolicited_after_bounce")
	must(t, w.Bounce(w.sso.ID, b)) // a later try is a new one
	must(t, w.Bounce("am-another", b))
	w.pass(2 * time.Minute)
	must(t, w.Bounce("am-another", b))

	// A login that worked ends the matter.
	must(t, w.Bounce(w.sso.ID, b))
	_, err := w.login(sso.ToLogin, w.alice, b)
	must(t, err)
	must(t, w.Bounce(w.sso.ID, b))
}

func TestWhoIsLoggedInIsAskedBeforeBecomingSomebodyElse(t *testing.T) {
	w, b := newWorld(t), browser()
	flow, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
	in := login.Finish{FlowID: flow, Browser: b, Client: client, Present: session.Bearer{User: w.admin.User}}
	var asked login.Question
	for range 2 { // loading the page again asks again
		step, err := w.Finish(context.Background(), in)
		must(t, err)
		if step.Ask == nil || step.Ask.Kind != login.AskContinue || step.Ask.Present.ID != w.admin.User.ID {
			t.Fatalf("got %+v, want to be asked", step)
		}
		asked = *step.Ask
	}
	in.Yes = asked.Key()
	step, err := w.Finish(context.Background(), in)
	must(t, err)
	if step.Done == nil || step.Done.User.Email != "alice@acme.test" {
		t.Errorf("got %+v, want alice", step)
	}
}

func TestWhoLogsInAgainAsThemselvesIsNotAsked(t *testing.T) {
	w, b := newWorld(t), browser()
	alice, err := w.db.UserByEmail(context.Background(), "alice@acme.test")
	must(t, err)
	flow, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
	step, err := w.Finish(context.Background(), login.Finish{FlowID: flow, Browser: b, Client: client, Present: session.Bearer{User: alice}})
	must(t, err)
	if step.Done == nil {
		t.Errorf("got %+v, want a session", step)
	}
}

// What a person saw when they said yes may not hold any more: another tab may
// have logged in, or out, in between.
func TestAYesAnswersTheQuestionThatWasShown(t *testing.T) {
	w, b := newWorld(t), browser()
	eve := w.link(demoidp.User{Username: "eve", Email: "eve@acme.test"}, "eve@acme.test")
	flow, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
	in := login.Finish{FlowID: flow, Browser: b, Client: client, Present: session.Bearer{User: w.admin.User}}
	first, err := w.Finish(context.Background(), in)
	must(t, err)
	if first.Ask == nil {
		t.Fatalf("got %+v, want to be asked", first)
	}
	in.Yes, in.Present.User = first.Ask.Key(), eve
	second, err := w.Finish(context.Background(), in)
	must(t, err)
	if second.Ask == nil || second.Ask.Present.ID != eve.ID {
		t.Fatalf("somebody else's session: got %+v, want to be asked about theirs", second)
	}
	in.Yes = "yes"
	if step, err := w.Finish(context.Background(), in); err != nil || step.Ask == nil {
		t.Errorf("a yes to nothing: got %+v, %v; want to be asked", step, err)
	}
	in.Yes = second.Ask.Key()
	if step, err := w.Finish(context.Background(), in); err != nil || step.Done == nil {
		t.Errorf("a yes to the question: got %+v, %v; want alice", step, err)
	}
}

func TestALinkIsMadeByAYesToThatLink(t *testing.T) {
	l := newLinker(newWorld(t))
	flow := l.begin(boss)
	other := login.Question{Kind: login.AskContinue, MethodID: l.sso.ID, As: "The Boss (boss@acme.test)", Subject: "boss", Present: l.present.User}
	step, err := l.Finish(context.Background(), login.Finish{FlowID: flow, Browser: l.b, Client: client, Present: l.present, Yes: other.Key()})
	if err != nil || step.Ask == nil {
		t.Errorf("got %+v, %v; want to be asked", step, err)
	}
}

// A yes to "continue as somebody else" is none to "the login started elsewhere",
// nor one to linking.
func TestEachQuestionHasAKeyOfItsOwn(t *testing.T) {
	q := login.Question{Kind: login.AskAccept, MethodID: "am1", As: "Ann", Subject: "ann", Present: account.User{ID: "u1"}}
	seen := map[string]string{q.Key(): "itself"}
	for name, change := range map[string]func(q *login.Question){
		"kind":     func(q *login.Question) { q.Kind = login.AskLink },
		"method":   func(q *login.Question) { q.MethodID = "am2" },
		"as":       func(q *login.Question) { q.As = "Eve" },
		"subject":  func(q *login.Question) { q.Subject = "eve" },
		"present":  func(q *login.Question) { q.Present.ID = "u2" },
		"boundary": func(q *login.Question) { q.As, q.Subject = "Annann", "" },
	} {
		other := q
		change(&other)
		if before, there := seen[other.Key()]; there {
			t.Errorf("%s: got the key of %s", name, before)
		}
		seen[other.Key()] = name
	}
}

// A signup that has to be asked about makes no account before the answer.
func TestAQuestionLeavesNothingBehind(t *testing.T) {
	w, b := newWorld(t), browser()
	newcomer := w.alice
	newcomer.Username, newcomer.Email = "new", "new@acme.test"
	flow, err := w.post(w.answer(w.start(sso.ToSignup, b), newcomer))
	must(t, err)
	step, err := w.Finish(context.Background(), login.Finish{FlowID: flow, Browser: b, Client: client, Present: session.Bearer{User: w.admin.User}})
	must(t, err)
	if step.Ask == nil {
		t.Fatalf("got %+v, want to be asked", step)
	}
	if _, err := w.db.UserByEmail(context.Background(), "new@acme.test"); err == nil {
		t.Error("the account was made before the person said yes")
	}
	var _ account.User = step.Ask.Present
}
