package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// withBodies gives a verb and a path for each operation that takes a body, in
// an organization that the token may change.
func withBodies(t *testing.T, w *world, token string) [][2]string {
	organization, accountID := w.organization(t, token, "Acme")
	method := w.method(t, token, accountID)
	w.group(t, token, organization, "Testers")
	w.domain(t, token, organization, "acme.example")
	w.trace(t, organization, method)
	var out [][2]string
	for path, item := range w.document(t).Paths.Map() {
		for verb, op := range item.Operations() {
			if op.RequestBody != nil {
				out = append(out, [2]string{verb, fill(path, organization, accountID, method)})
			}
		}
	}
	if len(out) != 33 {
		t.Fatalf("got %d operations with bodies, want 33", len(out))
	}
	return out
}

func TestNonsenseIsRefusedEverywhere(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	for _, op := range withBodies(t, w, ann) {
		most := mostBody
		if strings.Contains(op[1], "/account/") && strings.Contains(op[1], "/authentication") || strings.HasSuffix(op[1], "/recheck") {
			most = mostMethodBody
		}
		if strings.Contains(op[1], "/user-groups") {
			most = mostGroupBody
		}
		for name, c := range map[string]struct {
			body   string
			status int
			field  string // "" does not care
		}{
			"list":            {`[]`, 400, "body"},
			"null":            {`null`, 400, "body"},
			"text":            {`"text"`, 400, "body"},
			"number":          {`1`, 400, "body"},
			"truncated":       {`{"email": "a`, 400, "body"},
			"two values":      {`{}{}`, 400, "body"},
			"form":            {`email=a&password=b`, 400, "body"},
			"markup":          {`<x/>`, 400, "body"},
			"byte order mark": {"\xef\xbb\xbf{}", 400, "body"},
			"deep lists":      {`{"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`, 400, "body"},
			"deep objects":    {strings.Repeat(`{"x":`, 17) + "1" + strings.Repeat("}", 17), 400, "body"},
			"open lists":      {strings.Repeat("[", 10_000), 400, "body"},
			"many values":     {`{"x":[` + strings.Repeat(`{},`, 1_000) + `{}]}`, 400, "body"},
			"many fields":     {`{` + strings.Repeat(`"x":1,`, 2_000) + `"x":1}`, 400, "body"},
			"10 MB":           {`{"x":"` + strings.Repeat("x", 10<<20) + `"}`, 413, "body"},
			"a byte too many": {strings.Repeat(" ", most-1) + `{}`, 413, "body"},
			"raw NUL":         {"{\"email\":\"a\x00b\"}", 400, "email"},
			"NUL":             {`{"email":"a\u0000b"}`, 400, "email"},
			"NUL in unknown":  {`{"x":[{"y":"\u0000"}]}`, 400, "x[0].y"},
			"NUL in a name":   {`{"x\u0000":1}`, 400, "body"},
			"invalid UTF-8":   {"{\"email\":\"a\xff\"}", 400, "email"},
			"surrogate":       {`{"email":"\ud800"}`, 400, "email"},
			"two surrogates":  {`{"email":"\udc00\ud800"}`, 400, "email"},
			"no UTF-8 at all": {"\xff\xfe{\x00}\x00", 400, "body"},
			"huge number":     {`{"email":1e999,"account_name":1e999}`, 400, ""},
			"many wrong":      {`{"linked_domains":[` + strings.Repeat(`1,`, 1_900) + `1],"email":1,"city":1,"name":1,"tier":1,"organization_name":1,"account_name":1,"user_group_name":1,"password":1,"description":1,"verification_type":1,"force":1,"key_type":1,"expires_in_seconds":"x","keep_previous_days":"x","pending_id":1}`, 400, ""},
		} {
			r := w.as(t, ann, op[0], op[1], c.body)
			if r.status != c.status {
				t.Errorf("%s %s, %s: got status %d, want %d: %.200s", op[0], op[1], name, r.status, c.status, r.body)
				continue
			}
			item := r.needFailure(t, c.status)
			if c.field != "" && item["field"] != c.field {
				t.Errorf("%s %s, %s: got field %v, want %s", op[0], op[1], name, item["field"], c.field)
			}
			if len(r.body) > 8000 {
				t.Errorf("%s %s, %s: the answer has %d bytes", op[0], op[1], name, len(r.body))
			}
		}
	}
	if strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("nonsense is logged as our mistake:\n%s", w.log)
	}
}

func TestLongBodiesAreAnsweredOnTheWireToo(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	defer server.Close()
	for _, size := range []int{mostBody + 1, 1<<20 + 1, 10 << 20} {
		for _, chunked := range []bool{false, true} {
			var body io.Reader = strings.NewReader(strings.Repeat("x", size))
			if chunked {
				body = io.MultiReader(body)
			}
			r, err := server.Client().Post(server.URL+"/v1/userauth", "application/json", body)
			if err != nil {
				t.Errorf("%d bytes, chunked %v: %v", size, chunked, err)
				continue
			}
			r.Body.Close()
			if r.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%d bytes, chunked %v: got status %d, want 413", size, chunked, r.StatusCode)
			}
		}
	}
}

func TestWrongTypesAreRefusedAtTheirField(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	document := w.document(t)
	organization, accountID := w.organization(t, ann, "Acme")
	method := w.method(t, ann, accountID)
	w.trace(t, organization, method)
	tried := 0
	for path, item := range document.Paths.Map() {
		for verb, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			schema := op.RequestBody.Value.Content["application/json"].Schema.Value
			for field := range schema.Properties {
				target := fill(path, "org00000000001", "a00000000001", method)
				r := w.as(t, ann, verb, target, `{"`+field+`":[[987654321]]}`)
				if r.needFailure(t, http.StatusBadRequest); !fails(r, field) {
					t.Errorf("%s %s: a list as %s is not refused there: %s", verb, path, field, r.body)
				}
				if strings.Contains(r.body, "987654321") {
					t.Errorf("%s %s: %s is repeated to the caller: %s", verb, path, field, r.body)
				}
				tried++
			}
		}
	}
	if tried < 60 {
		t.Errorf("got %d fields, want at least 60", tried)
	}
}

// fails reports whether a failure names a field, or something in it.
func fails(r reply, field string) bool {
	return strings.Contains(r.body, `"field":"`+field+`"`) || strings.Contains(r.body, `"field":"`+field+`[0]"`)
}

func TestWhatClientsSendIsTaken(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	_, accountID := w.organization(t, ann, "Acme")
	method := "/v1/account/" + accountID + "/authentication/" + w.method(t, ann, accountID)
	token := "Authorization: aivenv1 " + ann
	for name, c := range map[string]struct {
		verb, target, body string
		header             []string
	}{
		"octet stream without body": {"POST", "/v1/me/logout", "", []string{"Authorization: aivenv1 " + w.signUp(t, "x@acme.example"), "Content-Type: application/octet-stream"}},
		"octet stream with JSON":    {"PATCH", "/v1/me", `{"city":"Oslo"}`, []string{token, "Content-Type: application/octet-stream"}},
		"no type":                   {"PATCH", "/v1/me", `{"city":"Oslo"}`, []string{token}},
		"broken type":               {"PATCH", "/v1/me", `{"city":"Oslo"}`, []string{token, "Content-Type: ;+;"}},
		"no body":                   {"PATCH", "/v1/me", "", []string{token, "Content-Type: application/json"}},
		"blank body":                {"PATCH", "/v1/me", " \r\n", []string{token}},
		"body of a GET":             {"GET", "/v1/me", "nonsense", []string{token}},
		"limit on everything":       {"PATCH", "/v1/me?limit=999&city=5", "{}", []string{token}},
		"query of nonsense":         {"GET", "/v1/me?%zz;;=&a=%00", "", []string{token}},
		"unknown fields":            {"PATCH", "/v1/me", `{"unknown":{"a":[1,null]},"City":"Oslo"}`, []string{token}},
		"nulls":                     {"PATCH", "/v1/me", `{"real_name":null,"city":null,"country":null,"department":null,"job_title":null}`, []string{token}},
		"null parent":               {"POST", "/v1/account", `{"account_name":"Acme","parent_account_id":null,"primary_billing_group_id":null}`, []string{token}},
		"empty parent":              {"POST", "/v1/account", `{"account_name":"Acme","parent_account_id":""}`, []string{token}},
		"null tier":                 {"POST", "/v1/organizations", `{"organization_name":"Acme","tier":null}`, []string{token}},
		"empty token when logging in": {"POST", "/v1/userauth", `{"email":"ann@acme.example","password":"correct horse","otp":"","tenant":null}`,
			[]string{"Authorization: aivenv1 "}},
		"bad token when logging in": {"POST", "/v1/userauth", `{"email":"ANN@acme.example ","password":"correct horse"}`, []string{"Authorization: aivenv1 nonsense"}},
		"bearer":                    {"GET", "/v1/me", "", []string{"Authorization: Bearer " + ann}},
		"schemes in other cases":    {"GET", "/v1/me", "", []string{"Authorization: AIVENV1  " + ann}},
		"other accepted types":      {"GET", "/v1/me", "", []string{token, "Accept: text/html"}},
		"escaped text":              {"PATCH", "/v1/me", `{"city":"\ud83d\ude00 \\u0000 \"\\"}`, []string{token}},
		"method, all null":          {"PUT", method, nulls(), []string{token}},
		"method, text for values": {"PUT", method, `{"saml_idp_login_allowed":"true","saml_join_groups":"False","auth_token_max_age_seconds":"3600","scim_enabled":"false","authentication_method_enabled":"false"}`,
			[]string{token}},
	} {
		if r := w.do(t, c.verb, c.target, c.body, c.header...); r.status != http.StatusOK {
			t.Errorf("%s: got status %d: %s", name, r.status, r.body)
		}
	}
}

// nulls names every field of a method with null.
func nulls() string {
	var b strings.Builder
	for field := range reflect.TypeFor[MethodFields]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		b.WriteString(`,"` + name + `":null`)
	}
	return `{"authentication_method_name":null` + b.String() + `}`
}

func TestLooseValues(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	_, accountID := w.organization(t, ann, "Acme")
	target := "/v1/account/" + accountID + "/authentication/" + w.method(t, ann, accountID)
	for _, c := range []struct {
		field, sent string
		want        any // nil: refused
	}{
		{"saml_idp_login_allowed", `true`, true},
		{"saml_idp_login_allowed", `"false"`, false},
		{"saml_idp_login_allowed", `"TRUE"`, true},
		{"saml_idp_login_allowed", `"yes"`, nil},
		{"saml_idp_login_allowed", `""`, nil},
		{"saml_idp_login_allowed", `1`, nil},
		{"saml_idp_login_allowed", `{}`, nil},
		{"auth_token_max_age_seconds", `3600`, 3600.0},
		{"auth_token_max_age_seconds", `"3601"`, 3601.0},
		{"auth_token_max_age_seconds", `3.6e3`, 3600.0},
		{"auth_token_max_age_seconds", `299`, nil},
		{"auth_token_max_age_seconds", `1296001`, nil},
		{"auth_token_max_age_seconds", `3600.5`, nil},
		{"auth_token_max_age_seconds", `-3600`, nil},
		{"auth_token_max_age_seconds", `1e300`, nil},
		{"auth_token_max_age_seconds", `"NaN"`, nil},
		{"auth_token_max_age_seconds", `"Inf"`, nil},
		{"auth_token_max_age_seconds", `true`, nil},
		{"auth_token_max_age_seconds", `""`, nil},
	} {
		r := w.as(t, ann, "PUT", target, `{"`+c.field+`":`+c.sent+`}`)
		if c.want == nil {
			if item := r.needFailure(t, http.StatusBadRequest); item["field"] != c.field {
				t.Errorf("%s %s: got field %v", c.field, c.sent, item["field"])
			}
			continue
		}
		got := r.need(t, http.StatusOK)["authentication_method"].(map[string]any)[c.field]
		if got != c.want {
			t.Errorf("%s %s: got %v, want %v", c.field, c.sent, got, c.want)
		}
	}
}
