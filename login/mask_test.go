package login_test

import (
	"net/netip"
	"testing"
	"time"

	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

func TestARefusalNamesNobodyUntilAskedFor(t *testing.T) {
	report := &sso.Report{
		Email: "alice@acme.test", FirstName: "Alice", LastName: "Archer",
		Attributes: map[string][]string{"uid": {"aa17"}},
	}
	report.NameID.Value = "G-1001"
	for _, tt := range []struct{ name, message, want string }{
		{"an address", "There is an account with the address alice@acme.test already.", "There is an account with the address •••• already."},
		{"the account's, which the response does not name", "This account has the address bob@acme.test. Log in to it.", "This account has the address ••••. Log in to it."},
		{"a name and an address", "The identity provider says that you are Alice Archer (alice@acme.test), and", "The identity provider says that you are •••• (••••), and"},
		{"an attribute", "The identity provider says that you are aa17, and", "The identity provider says that you are ••••, and"},
		{"the NameID", "The identity provider says that you are G-1001.", "The identity provider says that you are ••••."},
		{"nobody", "There is no account for this login.", "There is no account for this login."},
		{"letters of a word", "Aliceville is not G-10012.", "Aliceville is not G-10012."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := *report
			r.Judgements = []sso.Judgement{{Rule: "account", Result: sso.Fail, Message: tt.message}}
			told := login.Told{Story: login.Story{Message: tt.message, Report: &r}}
			got := told.Masked()
			if got.Story.Message != tt.want || got.Story.Report.Judgements[0].Message != tt.want {
				t.Errorf("got %q and %q, want %q", got.Story.Message, got.Story.Report.Judgements[0].Message, tt.want)
			}
			if r.Judgements[0].Message != tt.message {
				t.Error("masking changed the trace itself")
			}
		})
	}
}

// A link is for somebody outside: where the person was is not told there, in
// whichever field it stands.
func TestALinkDoesNotSayWhereThePersonWas(t *testing.T) {
	w := newWorld(t)
	b := &session.Browser{Secret: ident.Secret(32)}
	_, err := w.post(w.answer(w.start(sso.ToLogin, b), w.alice))
	must(t, err)
	id := w.traces()[0].ID
	path, _, err := w.Traces.Share(t.Context(), w.admin, w.acme.ID, id, true, time.Hour)
	must(t, err)
	told, _, err := w.Traces.Shared(t.Context(), path[len("/login-trace/"):], client)
	must(t, err)
	if told.Story.UserAgent != "" || told.Story.IP != (netip.Addr{}) {
		t.Errorf("got %s and %q, want neither", told.Story.IP, told.Story.UserAgent)
	}
	told = login.Told{Story: login.Story{IP: netip.MustParseAddr("192.0.2.7"), Message: "You came from 192.0.2.7."}}
	if got := told.Elsewhere().Story.Message; got != "You came from ••••." {
		t.Errorf("got %q", got)
	}
}
