package api

import (
	"net/http"
	"testing"

	"gatehouse/account"
)

// member makes a person who belongs to an organization, and gives their token
// and id.
func (w *world) member(t *testing.T, organizationID, email string) (token, id string) {
	t.Helper()
	token = w.signUp(t, email)
	id = w.as(t, token, "GET", "/v1/me", "").need(t, http.StatusOK)["user"].(map[string]any)["user_id"].(string)
	w.join(t, organizationID, id)
	return token, id
}

func TestARemovedMembersPlaceEndsAtOnce(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	org, _ := w.organization(t, ann, "Acme")
	bob, id := w.member(t, org, "bob@acme.example")
	cid, _ := w.member(t, org, "cid@acme.example")
	place := "/v1/organization/" + org
	w.as(t, bob, "GET", place, "").need(t, http.StatusOK)
	w.as(t, ann, "DELETE", place+"/user/"+id, "").needEmpty(t)
	w.as(t, bob, "GET", place, "").needFailure(t, http.StatusNotFound)
	w.as(t, cid, "POST", place+"/leave", "").needEmpty(t)
	w.as(t, cid, "GET", place, "").needFailure(t, http.StatusNotFound)
	w.as(t, bob, "GET", "/v1/me", "").need(t, http.StatusOK) // their account stays theirs
}

func TestNobodyLeavesAnOrganizationToSomebodyWhoNeverCameIn(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	org, _ := w.organization(t, ann, "Acme")
	if err := w.store.AddUser(t.Context(), account.User{ID: "u0000000000b", Email: "bob@acme.example", State: account.ActiveUser}, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.store.AddMember(t.Context(), account.Member{OrganizationID: org, UserID: "u0000000000b", SuperAdmin: true, JoinedAt: w.now}); err != nil {
		t.Fatal(err)
	}
	place := "/v1/organization/" + org
	if code := w.as(t, ann, "POST", place+"/leave", "").needFailure(t, http.StatusConflict)["error_code"]; code != "policy_locks_out_admins" {
		t.Errorf("got code %v", code)
	}
	w.as(t, ann, "DELETE", place+"/user/u0000000000b", "").needEmpty(t) // she can come in herself
}

func TestReleasedPeopleAreManagedNoMore(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	org, _ := w.organization(t, ann, "Acme")
	bob, id := w.member(t, org, "bob@acme.example")
	if err := w.store.ProveAddress(t.Context(), id, "bob@acme.example", w.now); err != nil {
		t.Fatal(err)
	}
	domain := w.verified(t, ann, org, "acme.example")
	user := "/v1/organization/" + org + "/user/" + id
	managing := func() any {
		return w.as(t, ann, "GET", user, "").need(t, http.StatusOK)["user_info"].(map[string]any)["managing_organization_id"]
	}
	if got := managing(); got != org {
		t.Fatalf("verifying the domain: got %v managing bob, want %s", got, org)
	}
	for path, want := range map[string]struct {
		token, verb, code string
		status            int
	}{
		user:                                 {ann, "DELETE", "cannot_remove_managed_users_from_organization", 400},
		user + "/release":                    {ann, "POST", "user_address_in_verified_domain", 409},
		"/v1/organization/" + org + "/leave": {bob, "POST", "action_forbidden_for_managed_users", 403},
	} {
		if code := w.as(t, want.token, want.verb, path, "").needFailure(t, want.status)["error_code"]; code != want.code {
			t.Errorf("%s: got code %v, want %s", path, code, want.code)
		}
	}
	w.as(t, ann, "DELETE", "/v1/organization/"+org+"/domains/"+domain, "").needEmpty(t)
	if got := managing(); got != org {
		t.Errorf("removing the domain: got %v managing bob, want %s still", got, org)
	}
	w.as(t, ann, "POST", user+"/release", "").need(t, http.StatusOK)
	if got := managing(); got != nil {
		t.Errorf("got %v managing bob, want nobody", got)
	}
}
