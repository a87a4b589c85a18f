package api

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"gatehouse/internal/ident"
	"gatehouse/login"
	"gatehouse/session"
	"gatehouse/sso"
)

// firstTrace names the trace of a world, and noTest a test that there is not.
var (
	firstTrace = ident.Words(1)
	noTest     = strings.Repeat("0", 32)
)

// draftBody are settings to be tried out.
var draftBody = `{"saml_entity_id":"urn:idp","saml_idp_url":"https://idp.example/sso","saml_certificate":"` + strings.ReplaceAll(testCertificate, "\n", `\n`) + `"}`

// trace keeps an attempt that was refused for its audience.
func (w *world) trace(t *testing.T, organization, method string) string {
	t.Helper()
	told := login.Trace{
		ID: w.Traces.NewID(w.now), OrganizationID: organization, Method: session.Method{Kind: session.SAML, ID: method}, At: w.now,
		Words: firstTrace, Outcome: login.TraceRefused, Code: "audience_mismatch",
	}
	story, err := json.Marshal(login.Story{
		Message: "The assertion was meant for another service.", IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "Firefox",
		Report: &sso.Report{
			Code: "audience_mismatch", Signed: true, Ours: true, Issuer: "http://www.okta.com/exk1", NameID: sso.NameID{Value: "bob@acme.example", Format: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"},
			Email: "bob@acme.example", Groups: []string{"Staff"}, Attributes: map[string][]string{"email": {"bob@acme.example"}, "groups": {"Staff"}},
			Judgements: []sso.Judgement{
				{Rule: "document", Result: sso.Pass, Expected: "one well-formed SAML response", Got: "a response with an assertion"},
				{Rule: "audience", Result: sso.Fail, Expected: "https://gatehouse.example/v1/sso/saml/metadata/am1", Got: "https://other.example", Code: "audience_mismatch", Message: "The assertion was meant for another service."},
				{Rule: "name_id", Result: sso.Pass, Expected: "a NameID", Got: "bob@acme.example", Personal: true},
			},
		},
	})
	if err == nil {
		told.Story = w.Traces.Keys.Seal(login.TracePurpose(told.ID), story)
		told.Response = w.Traces.Keys.Seal(login.TracePurpose(told.ID), []byte("<r/>"))
		err = w.store.AddTrace(t.Context(), told)
	}
	if err != nil {
		t.Fatal(err)
	}
	return told.ID
}

func TestAPersonIsMaskedUntilAskedFor(t *testing.T) {
	w := newAuditedWorld(t)
	path := "/v1/organization/" + w.org + "/login-traces/" + firstTrace
	before := len(w.events(t))
	masked := w.as(t, w.ann, "GET", path, "")
	masked.need(t, http.StatusOK)
	if strings.Contains(masked.body, "bob@acme.example") || strings.Contains(masked.body, "Staff") {
		t.Errorf("got %s, want no word of the person", masked.body)
	}
	for _, want := range []string{"Audience URI (SP Entity ID)", `"vendor":"okta"`, `"192.0.2.7"`, `"name":"groups"`} {
		if !strings.Contains(masked.body, want) {
			t.Errorf("got %s, want %s", masked.body, want)
		}
	}
	if n := len(w.events(t)); n != before {
		t.Errorf("got %d events of a look at what is masked, want none", n-before)
	}
	shown := w.as(t, w.ann, "GET", path+"?show_attributes=true", "")
	shown.need(t, http.StatusOK)
	if !strings.Contains(shown.body, "bob@acme.example") || !strings.Contains(shown.body, "Staff") {
		t.Errorf("got %s, want what the response says", shown.body)
	}
	if e := w.events(t); e[len(e)-1].Action != "trace.reveal" {
		t.Errorf("got the event %s, want that somebody looked", e[len(e)-1].Action)
	}
}

func TestTracesAreFoundByTheirWords(t *testing.T) {
	w := newAuditedWorld(t)
	list := "/v1/organization/" + w.org + "/login-traces"
	for query, want := range map[string]int{
		"": 1, "?words=" + strings.ReplaceAll(firstTrace, "-", "+"): 1, "?outcome=refused&error_code=audience_mismatch": 1,
		"?outcome=logged_in": 0, "?authentication_method_id=am0": 0, "?since=2100-01-01T00:00:00Z": 0,
	} {
		r := w.as(t, w.ann, "GET", list+query, "").need(t, http.StatusOK)
		if got := len(r["login_traces"].([]any)); got != want {
			t.Errorf("%q: got %d traces, want %d", query, got, want)
		}
	}
	for _, query := range []string{"?words=no+such+wordz", "?page_size=0", "?page_size=101", "?outcome=odd", "?since=yesterday"} {
		w.as(t, w.ann, "GET", list+query, "").needFailure(t, http.StatusBadRequest)
	}
}

func TestAResponseIsCheckedAgainUntilItIsDeleted(t *testing.T) {
	w := newAuditedWorld(t)
	path := "/v1/organization/" + w.org + "/login-traces/" + firstTrace
	if r := w.as(t, w.ann, "POST", path+"/recheck", `{}`); !strings.Contains(r.body, "not_a_response") {
		t.Errorf("got %s, want the response judged anew", r.body)
	}
	w.as(t, w.ann, "POST", path+"/recheck", `{"saml_certificate":"nonsense"}`).needFailure(t, http.StatusBadRequest)
	w.as(t, w.ann, "DELETE", path+"/response", "").need(t, http.StatusOK)
	for verb, target := range map[string]string{"POST": path + "/recheck", "DELETE": path + "/response"} {
		if got := w.as(t, w.ann, verb, target, "").needFailure(t, http.StatusConflict)["error_code"]; got != "login_trace_response_deleted" {
			t.Errorf("%s: got %v, want that the response is deleted", target, got)
		}
	}
	w.as(t, w.ann, "GET", path, "").need(t, http.StatusOK)
}

func TestALinkToATraceHasItsBounds(t *testing.T) {
	w := newAuditedWorld(t)
	path := "/v1/organization/" + w.org + "/login-traces/" + firstTrace + "/share"
	for _, body := range []string{`{"expires_in_seconds":0}`, `{"expires_in_seconds":299}`, `{"expires_in_seconds":604801}`, `{"expires_in_seconds":-1}`} {
		w.as(t, w.ann, "POST", path, body).needFailure(t, http.StatusBadRequest)
	}
	r := w.as(t, w.ann, "POST", path, "").need(t, http.StatusOK)
	if url := r["share_url"].(string); !strings.HasPrefix(url, "https://gatehouse.example/login-trace/") || len(url) < 64 {
		t.Errorf("got the link %q", url)
	}
}

func TestATestIsOfItsMethodAlone(t *testing.T) {
	w := newAuditedWorld(t)
	of := func(method string) string { return "/v1/account/" + w.root + "/authentication/" + method + "/test" }
	made := w.as(t, w.ann, "POST", of(w.method), draftBody).need(t, http.StatusOK)["test"].(map[string]any)
	if made["state"] != "waiting" || made["login_trace"] != nil {
		t.Errorf("got %v, want a test that waits", made)
	}
	w.as(t, w.ann, "GET", of(w.method)+"/"+made["test_id"].(string), "").need(t, http.StatusOK)
	w.as(t, w.ann, "GET", of("am0123456789a")+"/"+made["test_id"].(string), "").needFailure(t, http.StatusNotFound)
	w.as(t, w.ann, "GET", of(w.method)+"/"+noTest, "").needFailure(t, http.StatusNotFound)
	w.as(t, w.ann, "POST", of(w.method), `{"saml_idp_url":"javascript:alert(1)"}`).needFailure(t, http.StatusBadRequest)
	pending := w.as(t, w.ann, "POST", "/v1/account/"+w.root+"/authentication", `{"authentication_method_name":"New","authentication_method_type":"saml"}`).need(t, http.StatusOK)
	id := pending["authentication_method"].(map[string]any)["authentication_method_id"].(string)
	if got := w.as(t, w.ann, "POST", of(id), "").needFailure(t, http.StatusConflict)["error_code"]; got != "authentication_method_incomplete" {
		t.Errorf("got %v for settings that are incomplete", got)
	}
}
