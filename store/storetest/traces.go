package storetest

import (
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/store"
)

// traceID is an id like that of a trace which began so long after Then.
func traceID(after time.Duration, last string) string {
	ms := Then.Add(after).UnixMilli()
	const digits = "0123456789abcdef"
	b := []byte("00000000-0000-7000-8000-00000000000" + last)
	for i := len("00000000-0000") - 1; i >= 0; i-- {
		if b[i] == '-' {
			continue
		}
		b[i] = digits[ms&0xf]
		ms >>= 4
	}
	return string(b)
}

func addTrace(t *testing.T, s *store.Store, o account.Organization, methodID string, after time.Duration, last string) login.Trace {
	t.Helper()
	tr := login.Trace{
		ID: traceID(after, last), OrganizationID: o.ID, Method: session.Method{Kind: session.SAML, ID: methodID}, At: Then.Add(after),
		Words: "copper-lake-" + last, Outcome: login.TraceAnswered, Story: []byte("story " + last), Response: []byte("response " + last), HasWhole: true,
	}
	do(t, s.AddTrace(t.Context(), tr))
	return tr
}

// listed is a trace as a list has it.
func listed(tr login.Trace) login.Trace {
	tr.Story, tr.Response = nil, nil
	return tr
}

var traces = []promise{
	{"a trace comes back as it was kept, to its organization", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		addIdP(t, s, "am1", o)
		tr := addTrace(t, s, o, "am1", 0, "a")
		for _, id := range []string{o.ID, ""} {
			got, err := s.Trace(t.Context(), id, tr.ID)
			do(t, err)
			same(t, got, tr)
		}
		_, err := s.Trace(t.Context(), other.ID, tr.ID)
		isFault(t, err, fault.NotFound)
		isFault(t, s.AddTrace(t.Context(), tr), fault.Exists)
	}},
	{"what became of an attempt is written later, and its story where that changed", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		addIdP(t, s, "am1", o)
		tr := addTrace(t, s, o, "am1", 0, "a")
		tr.Outcome, tr.UserID = login.TraceLoggedIn, "u1"
		do(t, s.EndTrace(t.Context(), login.Trace{ID: tr.ID, Outcome: tr.Outcome, UserID: tr.UserID}))
		got, err := s.Trace(t.Context(), o.ID, tr.ID)
		do(t, err)
		same(t, got, tr)
		tr.Outcome, tr.UserID, tr.Code, tr.Story = login.TraceRefused, "", "email_taken", []byte("another")
		do(t, s.EndTrace(t.Context(), tr))
		got, err = s.Trace(t.Context(), o.ID, tr.ID)
		do(t, err)
		same(t, got, tr)
		do(t, s.EndTrace(t.Context(), login.Trace{ID: traceID(0, "f"), Outcome: login.TraceLinked}))
	}},
	{"traces are listed newest first, by what is asked for", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		addIdP(t, s, "am1", o)
		addIdP(t, s, "am2", o)
		addIdP(t, s, "am3", other)
		first, second := addTrace(t, s, o, "am1", 0, "a"), addTrace(t, s, o, "am2", time.Hour, "b")
		third := addTrace(t, s, o, "am1", 2*time.Hour, "c")
		third.Outcome, third.Code, third.UserID = login.TraceRefused, "expired", "u1"
		do(t, s.EndTrace(t.Context(), login.Trace{ID: third.ID, Outcome: third.Outcome, Code: third.Code, UserID: third.UserID}))
		addTrace(t, s, other, "am3", 0, "d")
		for _, c := range []struct {
			name   string
			filter login.TraceFilter
			before string
			most   int
			want   []login.Trace
		}{
			{"all", login.TraceFilter{}, "", 10, []login.Trace{third, second, first}},
			{"a page", login.TraceFilter{}, "", 2, []login.Trace{third, second}},
			{"the next", login.TraceFilter{}, second.ID, 2, []login.Trace{first}},
			{"a method", login.TraceFilter{MethodID: "am1"}, "", 10, []login.Trace{third, first}},
			{"an outcome", login.TraceFilter{Outcome: login.TraceRefused}, "", 10, []login.Trace{third}},
			{"a code", login.TraceFilter{Code: "expired"}, "", 10, []login.Trace{third}},
			{"a person", login.TraceFilter{UserID: "u1"}, "", 10, []login.Trace{third}},
			{"words", login.TraceFilter{Words: second.Words}, "", 10, []login.Trace{second}},
			{"words of another's", login.TraceFilter{Words: "copper-lake-d"}, "", 10, nil},
			{"a time", login.TraceFilter{Since: Then.Add(time.Minute), Until: Then.Add(2 * time.Hour)}, "", 10, []login.Trace{second}},
		} {
			c.filter.OrganizationID = o.ID
			var want []login.Trace
			for _, tr := range c.want {
				want = append(want, listed(tr))
			}
			got, err := s.Traces(t.Context(), c.filter, c.before, c.most)
			do(t, err)
			t.Log(c.name)
			same(t, got, want)
		}
	}},
	{"a response is deleted once, and the rest of its trace stays", func(t *testing.T, s *store.Store) {
		o, other := addOrganization(t, s, "acme"), addOrganization(t, s, "other")
		addIdP(t, s, "am1", o)
		tr := addTrace(t, s, o, "am1", 0, "a")
		isFault(t, s.DropTraceResponse(t.Context(), other.ID, tr.ID), fault.NotFound)
		do(t, s.DropTraceResponse(t.Context(), o.ID, tr.ID))
		isFault(t, s.DropTraceResponse(t.Context(), o.ID, tr.ID), fault.NotFound)
		tr.Response, tr.HasWhole = nil, false
		got, err := s.Trace(t.Context(), o.ID, tr.ID)
		do(t, err)
		same(t, got, tr)
	}},
	{"refused attempts add up, by hour and method", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		addIdP(t, s, "am1", o)
		addIdP(t, s, "am2", o)
		for range 2 {
			do(t, s.CountRefused(t.Context(), o.ID, "am1", Then, 3))
		}
		do(t, s.CountRefused(t.Context(), o.ID, "am2", Then.Add(time.Hour), 5))
		for _, c := range []struct {
			filter login.TraceFilter
			want   int
		}{
			{login.TraceFilter{OrganizationID: o.ID}, 11},
			{login.TraceFilter{OrganizationID: o.ID, MethodID: "am1"}, 6},
			{login.TraceFilter{OrganizationID: o.ID, Since: Then.Add(time.Hour)}, 5},
			{login.TraceFilter{OrganizationID: "none"}, 0},
		} {
			got, err := s.Refused(t.Context(), c.filter)
			do(t, err)
			same(t, got, c.want)
		}
	}},
	{"a link to a trace leads to it until its end", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		addIdP(t, s, "am1", o)
		tr := addTrace(t, s, o, "am1", 0, "a")
		share := login.Share{Hash: [32]byte{7}, TraceID: tr.ID, Attributes: true, ExpiresAt: Then.Add(time.Hour)}
		do(t, s.AddShare(t.Context(), share))
		got, found, err := s.Share(t.Context(), share.Hash, Then)
		do(t, err)
		same(t, got, share)
		same(t, found, tr)
		_, _, err = s.Share(t.Context(), share.Hash, share.ExpiresAt)
		isFault(t, err, fault.NotFound)
		_, _, err = s.Share(t.Context(), [32]byte{8}, Then)
		isFault(t, err, fault.NotFound)
	}},
	{"old traces go, with their links, and old counts", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		addIdP(t, s, "am1", o)
		old, young := addTrace(t, s, o, "am1", 0, "a"), addTrace(t, s, o, "am1", time.Hour, "b")
		do(t, s.AddShare(t.Context(), login.Share{Hash: [32]byte{7}, TraceID: old.ID, ExpiresAt: Then.Add(time.Hour)}))
		do(t, s.CountRefused(t.Context(), o.ID, "am1", Then, 3))
		n, err := s.SweepTraces(t.Context(), Then.Add(time.Hour))
		do(t, err)
		same(t, n, int64(2))
		got, err := s.Traces(t.Context(), login.TraceFilter{OrganizationID: o.ID}, "", 10)
		do(t, err)
		same(t, got, []login.Trace{listed(young)})
		_, _, err = s.Share(t.Context(), [32]byte{7}, Then)
		isFault(t, err, fault.NotFound)
	}},
	{"a test of settings is started until it has its outcome, once", func(t *testing.T, s *store.Store) {
		o := addOrganization(t, s, "acme")
		addIdP(t, s, "am1", o)
		test := login.Test{ID: "secret", MethodID: "am1", MadeBy: "u1", Draft: []byte("draft"), ExpiresAt: Then.Add(time.Hour)}
		do(t, s.AddTest(t.Context(), test))
		for _, flow := range []string{"f1", "f2"} {
			do(t, s.StartTest(t.Context(), test.ID, flow))
			test.FlowID = flow
		}
		got, err := s.Test(t.Context(), test.ID, Then)
		do(t, err)
		same(t, got, test)
		_, err = s.TestByFlow(t.Context(), "f1", Then)
		isFault(t, err, fault.NotFound)
		got, err = s.TestByFlow(t.Context(), "f2", Then)
		do(t, err)
		same(t, got, test)
		do(t, s.EndTest(t.Context(), test.ID, "trace"))
		isFault(t, s.EndTest(t.Context(), test.ID, "other"), fault.NotFound)
		isFault(t, s.StartTest(t.Context(), test.ID, "f3"), fault.NotFound)
		_, err = s.Test(t.Context(), test.ID, test.ExpiresAt)
		isFault(t, err, fault.NotFound)
		_, err = s.TestByFlow(t.Context(), "f2", test.ExpiresAt)
		isFault(t, err, fault.NotFound)
	}},
}
