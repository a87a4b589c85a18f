package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/login"
	"gatehouse/session"
)

// changing says of every operation that changes something how to try it, and
// which events that leaves, in their order.
var changing = map[string]struct {
	trial, body string // trial: a change of the policy that is on trial before
	actions     []string
}{
	"UserCreate":           {"", `{"email":"new@acme.example","password":"correct horse"}`, []string{audit.UserSignUp, audit.LoginSuccess}},
	"UserAuth":             {"", `{"email":"ann@acme.example","password":"correct horse"}`, []string{audit.LoginSuccess}},
	"UserAuthLoginOptions": {"", `{"email":"ann@acme.example"}`, nil},
	"LoginDevice":          {"", `{"client_name":"robot"}`, nil},
	"LoginToken":           {"", `{"grant":"device_code","device_code":"<device>"}`, []string{audit.LoginSuccess}},
	"UserUpdate":           {"", `{"city":"Turku"}`, []string{audit.UserUpdate}},
	"UserPasswordChange":   {"", `{"password":"correct horse","new_password":"another horse"}`, []string{audit.TokenExpire, audit.UserChangePassword}},
	"UserVerifyEmail":      {"", `{"password":"correct horse"}`, []string{audit.UserProveAddress}},
	"UserVerifyEmailAgain": {"", ``, []string{audit.UserMailCode}},
	"UserLogout":           {"", ``, []string{audit.SessionEnd}},

	"AccessTokenCreate":              {"", `{"description":"laptop"}`, []string{audit.TokenCreate}},
	"AccessTokenUpdate":              {"", `{"description":"desktop"}`, []string{audit.TokenUpdate}},
	"AccessTokenRevoke":              {"", ``, []string{audit.TokenRevoke}},
	"UserExpireTokens":               {"", ``, []string{audit.TokenExpire}},
	"UserAuthenticationMethodDelete": {"", ``, []string{audit.IdentityUnlink}},

	"OrganizationAuthenticationConfigUpdate":  {"", `{"oauth_enabled":false}`, []string{audit.PolicyUpdate}},
	"OrganizationAuthenticationConfigPreview": {"", `{"oauth_enabled":false}`, nil},
	"OrganizationAuthenticationConfigConfirm": {`{"oauth_enabled":false,"report_only":true}`, ``, []string{audit.PolicyConfirm}},
	"OrganizationAuthenticationConfigDiscard": {`{"oauth_enabled":false,"report_only":true}`, ``, []string{audit.PolicyDiscard}},

	"UserOrganizationCreate": {"", `{"organization_name":"New","tier":"personal"}`, []string{audit.OrganizationCreate}},
	"OrganizationUpdate":     {"", `{"name":"Acme Ltd"}`, []string{audit.OrganizationUpdate}},
	"AccountCreate":          {"", `{"account_name":"New"}`, []string{audit.OrganizationCreate}},
	"AccountUpdate":          {"", `{"account_name":"Acme Inc"}`, []string{audit.OrganizationUpdate}},

	"UserGroupCreate":        {"", `{"user_group_name":"Others","description":""}`, []string{audit.GroupCreate}},
	"UserGroupUpdate":        {"", `{"user_group_name":"Trial"}`, []string{audit.GroupUpdate}},
	"UserGroupDelete":        {"", ``, []string{audit.GroupDelete}},
	"UserGroupMembersUpdate": {"", `{"operation":"add_members","member_ids":["u00000000001"]}`, []string{audit.GroupAddMembers}},

	"AccountAuthenticationMethodCreate": {"", `{"authentication_method_name":"Second","authentication_method_type":"saml"}`, []string{audit.IdPCreate}},
	"AccountAuthenticationMethodUpdate": {"", `{"saml_idp_login_allowed":true}`, []string{audit.IdPUpdate}},
	"AccountAuthenticationMethodDelete": {"", ``, []string{audit.IdPDelete}},

	"AccountAuthenticationMethodMetadataRefresh": {"", ``, []string{audit.IdPMetadataFetch}},
	"AccountAuthenticationMethodMetadataApply":   {"", `{}`, []string{audit.IdPMetadataApply}},
	"AccountAuthenticationMethodMetadataDiscard": {"", ``, []string{audit.IdPMetadataDiscard}},

	"AccountAuthenticationMethodKeyPrepare": {"", `{"key_type":"ecdsa-p256"}`, []string{audit.IdPPrepareKey}},
	"AccountAuthenticationMethodKeySwitch":  {"", ``, []string{audit.IdPSwitchKey}},
	"AccountAuthenticationMethodKeyCancel":  {"", ``, []string{audit.IdPCancelKey}},
	"AccountAuthenticationMethodKeyForget":  {"", ``, []string{audit.IdPForgetKey}},

	"AccountAuthenticationMethodTest":      {"", draftBody, []string{audit.IdPTest}},
	"OrganizationLoginTraceRecheck":        {"", `{}`, nil},
	"OrganizationLoginTraceShare":          {"", `{"expires_in_seconds":600}`, []string{audit.TraceShare}},
	"OrganizationLoginTraceResponseDelete": {"", ``, []string{audit.TraceDropResponse}},

	"OrganizationUserDelete":  {"", ``, []string{audit.MemberRemove}},
	"OrganizationUserRelease": {"", ``, []string{audit.UserRelease}},
	"OrganizationLeave":       {"", ``, []string{audit.MemberLeave}},

	"OrganizationDomainAdd":        {"", `{"domain_name":"new.example"}`, []string{audit.DomainAdd}},
	"OrganizationDomainUpdate":     {"", `{"verification_type":"http"}`, []string{audit.DomainUpdate}},
	"OrganizationDomainVerify":     {"", ``, []string{audit.DomainVerify}},
	"OrganizationDomainsRemove":    {"", ``, []string{audit.DomainRemove}},
	"OrganizationAuthDomainLink":   {"", `{"domain_id":"later.example"}`, []string{audit.DomainLink}},
	"OrganizationAuthDomainUnlink": {"", ``, []string{audit.DomainUnlink}},
}

// An auditedWorld has a person, an organization and a method to change.
type auditedWorld struct {
	*world
	ann, org, root, method string // a token, and ids
	code                   string // that was mailed to ann
	token                  string // names a personal token of hers
	bob                    string // a fellow member
	device                 string // buys a session of hers, for a program
}

func newAuditedWorld(t *testing.T) auditedWorld {
	w := newWorld(t)
	a := auditedWorld{world: w, ann: w.signUp(t, "ann@acme.example")}
	a.org, a.root = w.organization(t, a.ann, "Acme")
	a.method = w.method(t, a.ann, a.root)
	w.group(t, a.ann, a.org, "Testers")
	d := w.domain(t, a.ann, a.org, "acme.example")
	w.zone["_aiven-challenge.acme.example"] = []string{w.as(t, a.ann, "GET", "/v1/organization/"+a.org+"/domains/"+d, "").need(t, http.StatusOK)["challenge_token"].(string)}
	w.domain(t, a.ann, a.org, "later.example")
	w.as(t, a.ann, "PUT", "/v1/organization/"+a.org+"/authentication-methods/"+a.method+"/domains", `{"domain_id":"`+d+`"}`).needEmpty(t)
	a.bob = "u0000000000b"
	if err := w.store.AddUser(t.Context(), account.User{ID: a.bob, Email: "bob@acme.example", State: account.ActiveUser}, ""); err != nil {
		t.Fatal(err)
	}
	w.join(t, a.org, a.bob)
	a.code = w.code(t, 1, "ann@acme.example")
	a.token = w.as(t, a.ann, "POST", "/v1/access_token", `{"description":"robot"}`).need(t, http.StatusOK)["token_prefix"].(string)
	if err := w.store.AddIdentity(t.Context(), account.Identity{MethodID: a.method, SubjectKind: "nameid", Subject: "ann", UserID: "u00000000001", CreatedAt: w.now, LastUsedAt: w.now}); err != nil {
		t.Fatal(err)
	}
	a.device = w.approved(t, a.ann)
	w.trace(t, a.org, a.method)
	return a
}

// approved has somebody approve a program that waits, and gives what it buys its
// session with.
func (w *world) approved(t *testing.T, token string) string {
	t.Helper()
	start := w.do(t, "POST", "/v1/login/device", `{"client_name":"robot"}`).need(t, http.StatusOK)
	hash, _ := session.Hash(token)
	by, err := w.store.Bearer(t.Context(), hash)
	if err == nil {
		err = w.Login.AnswerDevice(t.Context(), start["user_code"].(string), true, by, login.Client{IP: netip.MustParseAddr("192.0.2.1")})
	}
	if err != nil {
		t.Fatal(err)
	}
	return start["device_code"].(string)
}

// prepare does what an operation of the table takes to be there.
func (w auditedWorld) prepare(t *testing.T, op operation) {
	t.Helper()
	var err error
	switch op.ID {
	case "OrganizationUserRelease":
		err = w.store.Manage(t.Context(), w.bob, w.org, w.now)
	case "OrganizationLeave":
		err = w.store.SetSuperAdmin(t.Context(), w.org, w.bob, true)
	case "AccountAuthenticationMethodMetadataRefresh", "AccountAuthenticationMethodMetadataApply", "AccountAuthenticationMethodMetadataDiscard":
		w.held(t)
	case "AccountAuthenticationMethodKeySwitch", "AccountAuthenticationMethodKeyCancel":
		w.keys(t, "")
	case "AccountAuthenticationMethodKeyForget":
		w.keys(t, "", "/switch")
	}
	if err != nil {
		t.Fatal(err)
	}
	if trial := changing[op.ID].trial; trial != "" {
		w.as(t, w.ann, "PATCH", "/v1/organization/"+w.org+"/config/authentication", trial).need(t, http.StatusOK)
	}
}

// keys takes steps of a change of keys.
func (w auditedWorld) keys(t *testing.T, steps ...string) {
	t.Helper()
	for _, step := range steps {
		w.as(t, w.ann, "POST", "/v1/account/"+w.root+"/authentication/"+w.method+"/sp-keys"+step, "").need(t, http.StatusOK)
	}
}

// try does an operation of the table.
func (w auditedWorld) try(t *testing.T, op operation) reply {
	t.Helper()
	c, known := changing[op.ID]
	if !known {
		t.Fatalf("%s changes something, and the table does not say which events that leaves", op.ID)
	}
	path := strings.NewReplacer(noCode, w.code, noToken, w.token, secondUser, w.bob, "/leave", "/leave?force=true").Replace(fill(op.Path, w.org, w.root, w.method))
	if op.Need == account.Anyone {
		return w.do(t, op.Method, path, strings.ReplaceAll(c.body, "<device>", w.device))
	}
	return w.as(t, w.ann, op.Method, path, c.body)
}

// events gives all events that there are, oldest first.
func (w auditedWorld) events(t *testing.T) []audit.Event {
	t.Helper()
	list, err := w.store.Events(t.Context(), audit.Filter{Everywhere: true}, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

func mutating(b *builder) []operation {
	return slices.DeleteFunc(slices.Clone(b.operations), func(op operation) bool { return op.Method == http.MethodGet })
}

func TestEveryChangeLeavesItsEventsAndNoOthers(t *testing.T) {
	for _, op := range mutating(newWorld(t).built) {
		t.Run(op.ID, func(t *testing.T) {
			w := newAuditedWorld(t)
			w.prepare(t, op)
			before := len(w.events(t))
			if r := w.try(t, op); r.status != http.StatusNoContent {
				r.need(t, http.StatusOK)
			}
			var got []string
			for _, e := range w.events(t)[before:] {
				got = append(got, e.Action)
				if e.Actor.ID == "" || !strings.HasSuffix(e.Actor.Name, "@acme.example") || e.IP.String() != "192.0.2.1" || e.Target.Kind == "" || e.Target.ID == "" {
					t.Errorf("got %+v, want an event that says who did it, from where, and to what", e)
				}
			}
			if diff := cmp.Diff(changing[op.ID].actions, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// failing is a log that cannot be written to.
type failing struct{ audit.Store }

func (failing) AddEvent(context.Context, audit.Event) error { return errors.New("the log is full") }

func TestAChangeWhoseEventCannotBeWrittenIsNotMade(t *testing.T) {
	for _, op := range mutating(newWorld(t).built) {
		if c, known := changing[op.ID]; known && len(c.actions) == 0 {
			continue // it changes nothing
		}
		t.Run(op.ID, func(t *testing.T) {
			w := newAuditedWorld(t)
			w.prepare(t, op)
			before := w.everything(t)
			w.Audit.Store = failing{w.store}
			w.try(t, op).needFailure(t, http.StatusInternalServerError)
			w.Audit.Store = w.store
			if diff := cmp.Diff(before, w.everything(t)); diff != "" {
				t.Errorf("something was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// everything is what Ann sees, and whether somebody new is there.
func (w auditedWorld) everything(t *testing.T) []string {
	t.Helper()
	out := everything(t, w.world, w.ann, w.org, w.root, w.method)
	for _, path := range []string{"/v1/me", "/v1/organizations", "/v1/account/" + w.root + "/authentication", "/v1/account/" + w.root + "/authentication/" + w.method + "/sp-keys", "/v1/account/" + w.root + "/authentication/" + w.method + "/metadata-refresh", "/v1/organization/" + w.org + "/user", "/v1/organization/" + w.org + "/user-groups", "/v1/me/authentication_methods", "/v1/organization/" + w.org + "/config/authentication"} {
		out = append(out, w.as(t, w.ann, "GET", path, "").body)
	}
	// Not how it was used.
	for _, token := range w.tokens(t) {
		out = append(out, fmt.Sprint(token["token_prefix"], token["description"]))
	}
	if _, err := w.store.UserByEmail(t.Context(), "new@acme.example"); err == nil {
		out = append(out, "new@acme.example")
	}
	return out
}

// tokens lists what Ann has.
func (w auditedWorld) tokens(t *testing.T) (out []map[string]any) {
	t.Helper()
	for _, token := range w.as(t, w.ann, "GET", "/v1/access_token", "").need(t, http.StatusOK)["tokens"].([]any) {
		out = append(out, token.(map[string]any))
	}
	return out
}

func TestARefusedChangeLeavesNoEvent(t *testing.T) {
	w := newAuditedWorld(t)
	before := len(w.events(t))
	w.do(t, "POST", "/v1/userauth", `{"email":"ann@acme.example","password":"not this one"}`).needFailure(t, http.StatusForbidden)
	w.do(t, "POST", "/v1/user", `{"email":"ann@acme.example","password":"correct horse"}`).needFailure(t, http.StatusConflict)
	w.as(t, w.ann, "PATCH", "/v1/organization/"+w.org, `{"tier":"gold"}`).needFailure(t, http.StatusBadRequest)
	w.as(t, w.ann, "PUT", "/v1/account/"+w.root+"/authentication/"+w.method, `{"authentication_method_enabled":true}`).needFailure(t, http.StatusConflict)
	if got := w.events(t)[before:]; len(got) != 0 {
		t.Errorf("got the events %+v, want none", got)
	}
}

func TestUnitsAndSwitchesHaveActionsOfTheirOwn(t *testing.T) {
	w := newAuditedWorld(t)
	unit := w.as(t, w.ann, "POST", "/v1/account", `{"account_name":"Unit","parent_account_id":"`+w.org+`"}`).need(t, http.StatusOK)["account"].(map[string]any)["account_id"].(string)
	before := len(w.events(t)) - 1
	method := "/v1/account/" + w.root + "/authentication/" + w.method
	for _, r := range [][2]string{
		{"/v1/account/" + unit, `{"account_name":"Unit 1"}`},
		{method, `{"saml_entity_id":"urn:idp","saml_idp_url":"https://idp.example/sso","saml_certificate":` + quoted(t, testCertificate) + `}`},
		{method, `{"authentication_method_enabled":false}`},
		{method, `{"authentication_method_enabled":true,"authentication_method_name":"Entra"}`},
		{method, `{}`},
	} {
		w.as(t, w.ann, "PUT", r[0], r[1]).need(t, http.StatusOK)
	}
	type said struct {
		Action  string
		Details audit.Details
	}
	var got []said
	for _, e := range w.events(t)[before:] {
		got = append(got, said{e.Action, e.Details})
	}
	const none = ""
	want := []said{
		{audit.UnitCreate, audit.Details{}},
		{audit.UnitUpdate, audit.Details{"account_name.before": "Unit", "account_name.after": "Unit 1"}},
		{audit.IdPUpdate, audit.Details{
			"saml_entity_id.before": none, "saml_entity_id.after": "urn:idp",
			"saml_idp_url.before": none, "saml_idp_url.after": "https://idp.example/sso",
			"saml_certificate.before": none, "saml_certificate.after": testFingerprint,
			"state.before": "pending_configuration", "state.after": "active",
		}},
		{audit.IdPEnable, audit.Details{}},
		{audit.IdPDisable, audit.Details{}},
		{audit.IdPUpdate, audit.Details{"authentication_method_name.before": "Okta", "authentication_method_name.after": "Entra"}},
		{audit.IdPEnable, audit.Details{}},
		{audit.IdPUpdate, audit.Details{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// testCertificate is one of an identity provider; testFingerprint is how the log
// names it.
const (
	testCertificate = `-----BEGIN CERTIFICATE-----
MIIBPzCB56ADAgECAgEBMAoGCCqGSM49BAMCMCoxDTALBgNVBAoTBEFjbWUxGTAX
BgNVBAMTEGlkcC5hY21lLmV4YW1wbGUwHhcNMjYwMTAxMDAwMDAwWhcNMzYwMTAx
MDAwMDAwWjAqMQ0wCwYDVQQKEwRBY21lMRkwFwYDVQQDExBpZHAuYWNtZS5leGFt
cGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEN1OH5a4d6AlAX8rdKD2I5itu
W5+SrGE+WQU6tBa1mF9z5VPU0VfrOjzDLZ9mwKRlr6ZetxPMhHDpq9CHy407+TAK
BggqhkjOPQQDAgNHADBEAiAYdLUzuWghi/zVPkCzL71K6hcDx90rI4j3erODOx24
UgIgBDhgpepy88eYVQtL3UHc3k/ddj2MtfBws7q9Hi8j2tI=
-----END CERTIFICATE-----`
	testFingerprint = "sha256 1c6cda3156d31f51243ef2b1745f0f13bdfa553fd94f28c958dfbf7c09f7d2ee"
)

func quoted(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// page lists a page of audit events by their ids.
func (w auditedWorld) page(t *testing.T, token, path string, q url.Values) (ids []string, next string) {
	t.Helper()
	v := w.as(t, token, "GET", path+"?"+q.Encode(), "").need(t, http.StatusOK)
	for _, e := range v["events"].([]any) {
		ids = append(ids, e.(map[string]any)["event_id"].(string))
	}
	next, _ = v["next_cursor"].(string)
	return ids, next
}

func TestAnOrganizationReadsItsOwnEventsPageByPage(t *testing.T) {
	w := newAuditedWorld(t)
	other := w.signUp(t, "other@acme.example")
	w.organization(t, other, "Other")
	w.as(t, w.ann, "PATCH", "/v1/organization/"+w.org, `{"name":"Acme Ltd"}`).need(t, http.StatusOK)
	var want []string
	for _, e := range w.events(t) {
		if e.OrganizationID == w.org {
			want = append(want, e.ID)
		}
	}
	slices.Reverse(want)
	if len(want) != 7 {
		t.Fatalf("got %d events of the organization, want 7", len(want))
	}
	path := "/v1/organization/" + w.org + "/audit-events"
	var got []string
	q := url.Values{"page_size": {"2"}}
	for range 4 {
		ids, next := w.page(t, w.ann, path, q)
		got = append(got, ids...)
		if next == "" {
			break
		}
		q.Set("cursor", next)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, c := range map[string]struct {
		q    url.Values
		want int
	}{
		"action":         {url.Values{"action": {"idp."}}, 1},
		"actor":          {url.Values{"actor": {"ann@"}}, 7},
		"another actor":  {url.Values{"actor": {"bob@"}}, 0},
		"since":          {url.Values{"since": {w.now.Add(time.Second).Format(time.RFC3339)}}, 0},
		"until":          {url.Values{"until": {w.now.Format(time.RFC3339)}}, 0},
		"since and more": {url.Values{"since": {w.now.Format(time.RFC3339)}, "action": {"organization"}, "unheard_of": {"x"}}, 2},
	} {
		if ids, _ := w.page(t, w.ann, path, c.q); len(ids) != c.want {
			t.Errorf("%s: got %d events, want %d", name, len(ids), c.want)
		}
	}
	for _, c := range []struct{ field, value string }{
		{"page_size", "101"},
		{"page_size", "0"},
		{"page_size", "00"},
		{"page_size", "-1"},
		{"cursor", "x"},
		{"since", "yesterday"},
		{"until", "2026-03-01"},
		{"action", strings.Repeat("a", 65)},
		{"actor", strings.Repeat("a", 400)},
	} {
		item := w.as(t, w.ann, "GET", path+"?"+url.Values{c.field: {c.value}}.Encode(), "").needFailure(t, http.StatusBadRequest)
		if item["field"] != c.field {
			t.Errorf("%s=%s: got the field %v", c.field, c.value, item["field"])
		}
	}
	w.as(t, w.ann, "GET", path+"?page_size=many", "").needFailure(t, http.StatusBadRequest)
	if ids, _ := w.page(t, w.ann, path, url.Values{"actor": {"\x00"}}); len(ids) != 0 {
		t.Errorf("with NUL: got %d events, want none", len(ids))
	}
}

func TestOperatorsReadAllEventsAndNobodyElseDoes(t *testing.T) {
	w := newWorld(t)
	if _, err := w.People.AddOperator(t.Context(), account.NewUser{Email: "operator@gatehouse.example", RealName: "Operator", Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	operator := w.do(t, "POST", "/v1/userauth", `{"email":"operator@gatehouse.example","password":"correct horse"}`).need(t, http.StatusOK)["token"].(string)
	ann := w.signUp(t, "ann@acme.example")
	organization, _ := w.organization(t, ann, "Acme")
	a := auditedWorld{world: w}
	var want []string
	for _, e := range a.events(t) {
		want = append(want, e.ID)
	}
	slices.Reverse(want)
	got, next := a.page(t, operator, "/v1/operator/audit-events", url.Values{"page_size": {"100"}})
	if diff := cmp.Diff(want, got); diff != "" || next != "" || len(want) != 5 {
		t.Errorf("got %d events and next %q, want 5 (-want +got):\n%s", len(want), next, diff)
	}
	if code := w.as(t, ann, "GET", "/v1/operator/audit-events", "").needFailure(t, http.StatusForbidden)["error_code"]; code != "user_not_operator" {
		t.Errorf("got code %v, want user_not_operator", code)
	}
	// An operator is no super admin everywhere.
	w.as(t, operator, "GET", "/v1/organization/"+organization+"/audit-events", "").needFailure(t, http.StatusNotFound)
}
