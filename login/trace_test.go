package login_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/netip"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

// traces lists what is kept of Acme, newest first.
func (w *world) traces() []login.Trace {
	w.t.Helper()
	must(w.t, w.Traces.Flush(context.Background()))
	list, err := w.Traces.List(context.Background(), login.TraceFilter{OrganizationID: w.acme.ID}, "", 100)
	must(w.t, err)
	return list.Traces
}

func (w *world) told(id string) login.Told {
	w.t.Helper()
	told, err := w.Traces.Find(context.Background(), w.acme.ID, id)
	must(w.t, err)
	return told
}

// words gives what an error tells the person to say.
func words(t *testing.T, err error) string {
	t.Helper()
	var traced *login.Traced
	if !errors.As(err, &traced) {
		t.Fatalf("got the error %v, want one with a trace", err)
	}
	return traced.Words
}

func TestALoginLeavesItsTrace(t *testing.T) {
	w := newWorld(t)
	b := &session.Browser{Secret: ident.Secret(32)}
	flow, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
	got := w.traces()
	if len(got) != 1 || got[0].Outcome != login.TraceAnswered || !got[0].HasWhole || got[0].UserID != "" {
		t.Fatalf("got %+v, want an attempt that was answered", got)
	}
	out, err := w.finish(flow, b)
	must(t, err)
	told := w.told(got[0].Words)
	if told.Outcome != login.TraceLoggedIn || told.UserID != out.User.ID {
		t.Errorf("got %s as %q, want Alice logged in", told.Outcome, told.UserID)
	}
	r := told.Story.Report
	if !r.Accepted || !r.Signed || len(r.Failures()) != 0 || r.Email != w.alice.Email || told.Story.IP != client.IP {
		t.Errorf("got the report %+v of %s, want what was judged", r, told.Story.IP)
	}
	if bytes.Contains(told.Trace.Story, []byte("alice")) || bytes.Contains(told.Response, []byte("Assertion")) {
		t.Error("what names the person is kept unsealed")
	}
	again, err := w.Traces.Recheck(context.Background(), w.acme, told.ID, sso.Change{})
	if err != nil || !again.Accepted {
		t.Errorf("judged again by the same settings: got %+v, %v", again, err)
	}
	w.pass(3 * time.Hour)
	other := "https://other.example/metadata"
	again, err = w.Traces.Recheck(context.Background(), w.acme, told.ID, sso.Change{EntityID: &other})
	if err != nil || again.Code != "issuer_mismatch" || len(again.Failures()) != 2 {
		t.Errorf("judged hours later by other settings: got %+v, %v, want issuer_mismatch of both issuers alone", again.Failures(), err)
	}
	must(t, w.Traces.DropResponse(context.Background(), w.admin, w.acme.ID, told.ID))
	told = w.told(told.ID)
	if told.Response != nil || told.Story.Report == nil || !told.Story.Report.Accepted {
		t.Errorf("with the response deleted: got the report %+v, want what was judged, written down", told.Story.Report)
	}
	if _, err := w.Traces.Recheck(context.Background(), w.acme, told.ID, sso.Change{}); !errors.Is(err, fault.Conflict) {
		t.Errorf("judged again without its response: got %v", err)
	}
}

func TestARefusedAnswerIsExplained(t *testing.T) {
	w := newWorld(t)
	b := &session.Browser{Secret: ident.Secret(32)}
	form := w.answer(w.start(sso.ToLogin, b), w.alice)
	flow, err := w.post(form)
	must(t, err)
	_, err = w.post(form)
	replayed := w.told(words(t, err))
	if replayed.Code != "request_used" || replayed.Outcome != login.TraceRefused || !replayed.HasWhole {
		t.Errorf("a second time: got %s %s", replayed.Outcome, replayed.Code)
	}
	form.Set("RelayState", "another")
	_, err = w.post(form)
	if told := w.told(words(t, err)); told.Code != "relay_state_mismatch" || told.Story.Report.Accepted {
		t.Errorf("with another relay state: got %s", told.Code)
	}
	_ = flow
	w.pass(time.Hour)
	_, err = w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
}

// Whoever has no account here is refused after the answer held.
func TestATraceSaysWhatCameAfterTheAnswer(t *testing.T) {
	w := newWorld(t)
	b := &session.Browser{Secret: ident.Secret(32)}
	stranger := w.alice
	stranger.Username, stranger.Email = "stranger", "stranger@elsewhere.test"
	flow, err := w.post(w.answer(w.start(sso.ToLogin, b), stranger))
	must(t, err)
	for range 2 { // the page may be loaded again
		_, err = w.finish(flow, b)
		told := w.told(words(t, err))
		failures := told.Story.Report.Failures()
		if told.Code != "unknown_user_sso_login_attempt" || len(failures) != 1 || failures[0].Rule != "account" {
			t.Errorf("got %s with the failures %+v, want what came after", told.Code, failures)
		}
	}
	if n := len(w.traces()); n != 1 {
		t.Errorf("got %d traces of one attempt", n)
	}
}

// A hundred a second of what anybody can send must not fill the storage.
func TestJunkIsCountedAndASampleKept(t *testing.T) {
	w := newWorld(t)
	junk := base64.StdEncoding.EncodeToString([]byte("<x/>"))
	const each = 90
	for round := range 60 {
		c := client
		b := c.IP.As4()
		b[3] = byte(100 + round) // each from elsewhere, or their sender would be held off
		c.IP = netip.AddrFrom4(b)
		for range each {
			_, err := w.AnswerSAML(context.Background(), w.sso.ID, junk, "", c)
			if !errors.Is(err, fault.Denied) {
				t.Fatalf("got %v, want it refused", err)
			}
		}
		w.pass(time.Second)
	}
	got := w.traces()
	if len(got) == 0 || len(got) > 30 {
		t.Errorf("got %d traces of %d answers of nobody's, want a sample", len(got), 60*each)
	}
	for _, tr := range got {
		if tr.HasWhole {
			t.Fatal("what anybody may send is kept whole")
		}
	}
	list, err := w.Traces.List(context.Background(), login.TraceFilter{OrganizationID: w.acme.ID}, "", 1)
	must(t, err)
	if list.Refused+len(got) != 60*each {
		t.Errorf("got %d counted and %d kept, want %d in all", list.Refused, len(got), 60*each)
	}
	// Logins go on being traced.
	b := &session.Browser{Secret: ident.Secret(32)}
	_, err = w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
	if got := w.traces()[0]; got.Outcome != login.TraceAnswered {
		t.Errorf("a login among junk: got the trace %+v", got)
	}
}

func TestTracesGoWhenTheirTimeIsOver(t *testing.T) {
	w := newWorld(t)
	b := &session.Browser{Secret: ident.Secret(32)}
	_, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
	w.pass(w.Traces.KeepFor - time.Minute)
	must(t, w.Traces.Sweep(context.Background()))
	if len(w.traces()) != 1 {
		t.Error("the trace is gone before its time")
	}
	w.pass(2 * time.Minute)
	must(t, w.Traces.Sweep(context.Background()))
	if len(w.traces()) != 0 {
		t.Error("the trace is there after its time")
	}
}

func TestALinkShowsOneTraceForATime(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	b := &session.Browser{Secret: ident.Secret(32)}
	_, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
	id := w.traces()[0].ID
	path, ends, err := w.Traces.Share(ctx, w.admin, w.acme.ID, id, false, time.Hour)
	must(t, err)
	secret := path[len("/login-trace/"):]
	told, share, err := w.Traces.Shared(ctx, secret, client)
	if err != nil || told.ID != id || share.Attributes || !share.ExpiresAt.Equal(ends.Truncate(time.Microsecond)) {
		t.Errorf("got the trace %q, %+v, %v, want the one that is shared", told.ID, share, err)
	}
	if told.Response != nil {
		t.Error("a link hands out what the identity provider sent")
	}
	_, _, err = w.Traces.Shared(ctx, secret[:len(secret)-1]+"0", client)
	if !errors.Is(err, fault.NotFound) && secret[len(secret)-1] != '0' {
		t.Errorf("another secret: got %v", err)
	}
	other, err := w.orgs.Add(ctx, w.admin, "Other", "")
	must(t, err)
	if _, _, err := w.Traces.Share(ctx, w.admin, other.ID, id, false, time.Hour); !errors.Is(err, fault.NotFound) {
		t.Errorf("a trace of another organization: got %v", err)
	}
	w.pass(time.Hour)
	if _, _, err := w.Traces.Shared(ctx, secret, client); !errors.Is(err, fault.NotFound) {
		t.Errorf("after its end: got %v, want nothing shown", err)
	}
}

func TestATestTriesSettingsAndLetsNobodyIn(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	off, wrong := false, "https://wrong.example"
	_, err := w.idps.Update(ctx, w.admin, w.acme, w.sso.ID, sso.Change{Enabled: &off, EntityID: &wrong, Ending: sso.Ending{Force: true}})
	must(t, err)
	right := w.sso.EntityID
	for _, c := range []struct {
		name   string
		change sso.Change
		want   login.TraceOutcome
		code   string
	}{
		{"a draft that mends it", sso.Change{EntityID: &right}, login.TraceTested, ""},
		{"the settings as they are", sso.Change{}, login.TraceRefused, "issuer_mismatch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			test, err := w.NewTest(ctx, w.admin, w.acme, w.sso.ID, c.change)
			must(t, err)
			b := &session.Browser{Secret: ident.Secret(32)}
			_, request, err := w.BeginTest(ctx, test.ID, b, client)
			must(t, err)
			form := w.answer(request, w.alice)
			for range 2 { // the second one is the same answer again
				out, err := w.AnswerSAML(ctx, w.sso.ID, form.Get("SAMLResponse"), form.Get("RelayState"), client)
				must(t, err)
				if out.TestID != test.ID || out.FlowID != "" {
					t.Fatalf("got %+v, want the test and no login", out)
				}
			}
			_, _, told, err := w.Tested(ctx, test.ID, client)
			must(t, err)
			if told.Outcome != c.want || told.Code != c.code || !told.Story.Test {
				t.Errorf("got %s %q, want %s %q", told.Outcome, told.Code, c.want, c.code)
			}
			if _, _, err := w.BeginTest(ctx, test.ID, b, client); !errors.Is(err, fault.Conflict) {
				t.Errorf("run again: got %v", err)
			}
		})
	}
	// The same, while the method is in use: the ticket alone says what it is.
	on := true
	_, err = w.idps.Update(ctx, w.admin, w.acme, w.sso.ID, sso.Change{Enabled: &on, EntityID: &right})
	must(t, err)
	test, err := w.NewTest(ctx, w.admin, w.acme, w.sso.ID, sso.Change{})
	must(t, err)
	b := &session.Browser{Secret: ident.Secret(32)}
	_, request, err := w.BeginTest(ctx, test.ID, b, client)
	must(t, err)
	form := w.answer(request, w.alice)
	out, err := w.AnswerSAML(ctx, w.sso.ID, form.Get("SAMLResponse"), form.Get("RelayState"), client)
	if err != nil || out.TestID != test.ID || out.FlowID != "" {
		t.Errorf("with settings that are in force: got %+v, %v, want the test and no login", out, err)
	}
	w.pass(2 * time.Hour)
	if _, _, _, err := w.Tested(ctx, test.ID, client); !errors.Is(err, fault.NotFound) {
		t.Errorf("after its hour: got %v", err)
	}
}
