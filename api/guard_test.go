package api

import (
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/store"
)

// openToAnyone lists the operations that need no login: what they take is
// itself the proof, or makes one.
var openToAnyone = []string{"UserCreate", "UserAuth", "UserAuthLoginOptions", "UserVerifyEmail", "LoginDevice", "LoginToken"}

func TestEveryOperationDeclaresItsPermission(t *testing.T) {
	w := newWorld(t)
	ids := map[string]bool{}
	for _, op := range w.built.operations {
		names := pathParams(op.Path)
		there := slices.Contains(names, "organization_id") || slices.Contains(names, "account_id")
		switch {
		case op.Need == account.Anyone && !slices.Contains(openToAnyone, op.ID):
			t.Errorf("%s is open to anyone", op.ID)
		case op.Need.Level() == account.OfNobody:
			t.Errorf("%s needs %q, which is no permission", op.ID, op.Need)
		case op.Need.Level() == account.OfMembers, op.Need.Level() == account.OfAdmins:
			if !there {
				t.Errorf("%s needs %s, and its path %s names no organization", op.ID, op.Need, op.Path)
			}
		case there:
			t.Errorf("%s names %v, and is not asked there: needs %s", op.ID, names, op.Need)
		}
		if op.Method != http.MethodGet && op.Need != account.Anyone && op.Need != account.Leave && op.Need != account.Operate && !op.Need.Scope().Write {
			t.Errorf("%s changes something, and needs only %s", op.ID, op.Need)
		}
		if ids[op.ID] || op.Summary == "" {
			t.Errorf("%s is declared twice, or says nothing of itself", op.ID)
		}
		ids[op.ID] = true
	}
	if len(ids) < 17 {
		t.Errorf("got %d operations, want at least 17", len(ids))
	}
}

func TestOperationWithoutPermissionIsNotBuilt(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an operation without a permission was declared")
		}
	}()
	w := newWorld(t)
	add(w.built, operation{ID: "Open", Method: "GET", Path: "/v1/open"}, w.listProjects)
}

func TestNobodyIsTurnedAwayEverywhere(t *testing.T) {
	w := newWorld(t)
	gone := w.signUp(t, "gone@acme.example")
	w.as(t, gone, "POST", "/v1/me/logout", "").need(t, http.StatusOK)
	for name, header := range map[string]string{
		"no header":          "X-Nothing: at all",
		"empty token":        "Authorization: aivenv1 ",
		"scheme alone":       "Authorization: Bearer",
		"another scheme":     "Authorization: Basic dTpw",
		"nonsense":           "Authorization: Bearer nonsense",
		"revoked":            "Authorization: Bearer " + gone,
		"cookie of nonsense": "Cookie: gatehouse=nonsense",
	} {
		for _, op := range w.built.operations {
			r := w.do(t, op.Method, fill(op.Path, "org00000000001", "a00000000001", "am00000000001"), "", header)
			if op.Need == account.Anyone {
				want := http.StatusBadRequest // for a body without fields
				if op.ID == "UserVerifyEmail" {
					want = http.StatusNotFound
				}
				if r.status != want {
					t.Errorf("%s, %s: got status %d, want %d", op.ID, name, r.status, want)
				}
				continue
			}
			if code := r.needFailure(t, http.StatusUnauthorized)["error_code"]; code != "authentication_failed" {
				t.Errorf("%s, %s: got code %v", op.ID, name, code)
			}
		}
	}
}

func TestForeignIDsDoNotExist(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.signUp(t, "ann@acme.example"), w.signUp(t, "bob@rival.example")
	ownOrganization, ownAccount := w.organization(t, ann, "Acme")
	organization, accountID := w.organization(t, bob, "Rival")
	method := w.method(t, bob, accountID)
	w.group(t, bob, organization, "Testers")
	w.domain(t, ann, ownOrganization, "acme.example")
	foreign := w.domain(t, bob, organization, "rival.example")
	before := everything(t, w, bob, organization, accountID, method)

	const nowhere = "00000000000"
	for _, ids := range [][3]string{
		{organization, accountID, method},
		{"org" + nowhere, "a" + nowhere, "am" + nowhere},
		{ownOrganization + "x", ownAccount + "x", method},
		{"%00", "%00", "%00"},
		{"..", "%2e%2e%2fx", "%ff"},
		{strings.Repeat("a", 5000), strings.Repeat("a", 5000), "am"},
	} {
		for _, op := range w.built.operations {
			if len(pathParams(op.Path)) == 0 {
				continue
			}
			target := fill(op.Path, ids[0], ids[1], ids[2])
			if strings.Contains(target, "/../") || strings.HasSuffix(target, "/..") {
				continue // the mux redirects to what is meant
			}
			w.as(t, ann, op.Method, target, `{"name":"Taken","account_name":"Taken","description":"Taken"}`).needFailure(t, http.StatusNotFound)
		}
	}
	// The method of another, through one's own account or organization.
	for _, op := range w.built.operations {
		if slices.Contains(pathParams(op.Path), "method_id") {
			r := w.as(t, ann, op.Method, fill(op.Path, ownOrganization, ownAccount, method), `{"authentication_method_name":"Taken","domain_id":"`+firstDomain+`"}`)
			if code := r.needFailure(t, http.StatusNotFound)["error_code"]; code != "authentication_method_not_found" {
				t.Errorf("%s: got code %v", op.ID, code)
			}
		}
	}
	// The group of another, through one's own organization.
	for _, op := range w.built.operations {
		if slices.Contains(pathParams(op.Path), "user_group_id") {
			r := w.as(t, ann, op.Method, fill(op.Path, ownOrganization, "", ""), `{"user_group_name":"Taken","operation":"add_members","member_ids":["u00000000001"]}`)
			if code := r.needFailure(t, http.StatusNotFound)["error_code"]; code != "user_group_not_found" {
				t.Errorf("%s: got code %v", op.ID, code)
			}
		}
	}
	// The domain of another, through one's own organization: by its id and name.
	for _, named := range []string{foreign, "rival.example"} {
		for _, op := range w.built.operations {
			if slices.Contains(pathParams(op.Path), "domain_id") {
				path := fill(strings.ReplaceAll(op.Path, "{domain_id}", named), ownOrganization, "", method)
				if code := w.as(t, ann, op.Method, path, "").needFailure(t, http.StatusNotFound)["error_code"]; code != "organization_domain_not_found" {
					t.Errorf("%s: got code %v", op.ID, code)
				}
			}
		}
		own := w.method(t, ann, ownAccount)
		item := w.as(t, ann, "PUT", "/v1/organization/"+ownOrganization+"/authentication-methods/"+own+"/domains", `{"domain_id":"`+named+`"}`).needFailure(t, http.StatusNotFound)
		if item["error_code"] != "organization_domain_not_found" || item["field"] != "domain_id" {
			t.Errorf("linking %s: got %v", named, item)
		}
	}
	// A person of another, through one's own organization.
	for _, op := range w.built.operations {
		if slices.Contains(pathParams(op.Path), "user_id") {
			r := w.as(t, ann, op.Method, fill(op.Path, ownOrganization, "", ""), "")
			if code := r.needFailure(t, http.StatusNotFound)["error_code"]; code != "user_not_found" {
				t.Errorf("%s: got code %v", op.ID, code)
			}
		}
	}
	// A parent of another, in the body.
	for _, parent := range []string{organization, accountID, "org" + nowhere, "a" + nowhere, "\\u0001", "a/../b"} {
		item := w.as(t, ann, "POST", "/v1/account", `{"account_name":"Unit","parent_account_id":"`+parent+`"}`).needFailure(t, http.StatusNotFound)
		if item["field"] != "parent_account_id" {
			t.Errorf("parent %s: got field %v", parent, item["field"])
		}
	}
	if diff := cmp.Diff(before, everything(t, w, bob, organization, accountID, method)); diff != "" {
		t.Errorf("something of another changed (-before +after):\n%s", diff)
	}
}

func everything(t *testing.T, w *world, token, organization, accountID, method string) []string {
	var out []string
	for _, path := range []string{"/v1/organization/" + organization, "/v1/account", "/v1/account/" + accountID + "/authentication/" + method, "/v1/organization/" + organization + "/user-groups", "/v1/organization/" + organization + "/domains", "/v1/organization/" + organization + "/user"} {
		r := w.as(t, token, "GET", path, "")
		r.need(t, http.StatusOK)
		out = append(out, r.body)
	}
	return out
}

func TestPlainMembersReadAndDoNotWrite(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.signUp(t, "ann@acme.example"), w.signUp(t, "bob@acme.example")
	organization, accountID := w.organization(t, ann, "Acme")
	method := w.method(t, ann, accountID)
	if err := w.store.AddMember(t.Context(), account.Member{OrganizationID: organization, UserID: "u00000000002"}); err != nil {
		t.Fatal(err)
	}
	for _, op := range w.built.operations {
		if len(pathParams(op.Path)) == 0 || op.Need == account.Anyone {
			continue
		}
		if op.Need == account.LeaveOrganization {
			continue // members do
		}
		want := http.StatusForbidden
		if op.Need == account.ReadOrganization {
			want = http.StatusOK
		}
		if op.Need.Level() == account.OfSelf {
			want = http.StatusNotFound // it is not theirs
		}
		if r := w.as(t, bob, op.Method, fill(op.Path, organization, accountID, method), `{"description":"Taken"}`); r.status != want {
			t.Errorf("%s: got status %d, want %d", op.ID, r.status, want)
		}
	}
	r := w.as(t, bob, "POST", "/v1/account", `{"account_name":"Unit","parent_account_id":"`+organization+`"}`)
	r.needFailure(t, http.StatusForbidden)
}

// suspended is a store in which an operator suspended one organization.
type suspended struct {
	*store.Store
	id string
}

func (s suspended) Pass(ctx context.Context, hash [sha256.Size]byte, where gate.Where) (gate.Pass, error) {
	p, err := s.Store.Pass(ctx, hash, where)
	p.Place.Organization.Suspended = p.Place.Organization.ID == s.id
	return p, err
}

func (s suspended) Places(ctx context.Context, userID string) ([]gate.Belonging, error) {
	all, err := s.Store.Places(ctx, userID)
	for i := range all {
		all[i].Organization.Suspended = all[i].Organization.ID == s.id
	}
	return all, err
}

func TestSuspendedOrganizationsAreClosedAndLeftOut(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	organization, accountID := w.organization(t, ann, "Acme")
	w.organization(t, ann, "Other")
	w.Gate.Store = suspended{w.store, organization}
	for _, path := range []string{"/v1/organization/" + organization, "/v1/account/" + accountID} {
		if code := w.as(t, ann, "GET", path, "").needFailure(t, http.StatusForbidden)["error_code"]; code != "organization_suspended" {
			t.Errorf("%s: got code %v", path, code)
		}
	}
	for path, key := range map[string]string{"/v1/organizations": "organizations", "/v1/account": "accounts"} {
		v := w.as(t, ann, "GET", path, "").need(t, http.StatusOK)
		left := v["refused_organizations"].([]any)
		if n := len(v[key].([]any)); n != 1 || len(left) != 1 || left[0].(map[string]any)["error_code"] != "organization_suspended" {
			t.Errorf("%s: got %d %s and left out %v, want one, and that one is left out", path, n, key, left)
		}
	}
}

// unread fails the test if a body is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read before the gate")
	return 0, io.EOF
}

func TestBodyIsNotReadBeforeTheGate(t *testing.T) {
	w := newWorld(t)
	for _, op := range w.built.operations {
		if op.Need == account.Anyone {
			continue
		}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, httptest.NewRequest(op.Method, fill(op.Path, "org1", "a1", "am1"), unread{t}))
		if rec.Code != http.StatusUnauthorized {
			t.Errorf("%s: got status %d, want 401", op.ID, rec.Code)
		}
	}
}

func TestOtherVerbsAndPathsAreRefusedInTheOneShape(t *testing.T) {
	w := newWorld(t)
	for path, verbs := range w.built.verbs {
		for _, verb := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			if slices.Contains(verbs, verb) {
				continue
			}
			r := w.do(t, verb, fill(path, "org1", "a1", "am1"), "")
			r.needFailure(t, http.StatusMethodNotAllowed)
			for _, known := range verbs {
				if !strings.Contains(r.header.Get("Allow"), known) {
					t.Errorf("%s %s: got Allow %q, want %s in it", verb, path, r.header.Get("Allow"), known)
				}
			}
		}
	}
	for _, path := range []string{"/v1", "/v1/", "/v1/nothing", "/v1/me/", "/v1/sso/saml/acs/am1", "/openapi.yaml", "/docs", "/schemas/User", "/v1/account/a/b/c", "/v1/%00"} {
		w.do(t, "GET", path, "").needFailure(t, http.StatusNotFound)
		w.do(t, "POST", path, "").needFailure(t, http.StatusNotFound)
	}
}

// noCode is a code that nobody was mailed.
const noCode = "0123456789abcdefghijABCDEFGHIJ01"

// firstGroup is the id of the first group of a world.
const firstGroup = "ug00000000001"

// secondUser is the id of the second person of a world.
const secondUser = "u00000000002"

// firstDomain is the id of the first domain of a world.
const firstDomain = "dom00000000001"

// noToken names a token that nobody has.
const noToken = "gtp_00000000"

// fill puts ids into a path.
func fill(path, organization, accountID, method string) string {
	return strings.NewReplacer("{trace_id}", firstTrace, "{test_id}", noTest, "{token_prefix}", noToken, "{user_group_id}", firstGroup, "{domain_id}", firstDomain, "{user_id}", secondUser, "{organization_id}", organization, "{account_id}", accountID, "{method_id}", method, "{verification_code}", noCode).Replace(path)
}
