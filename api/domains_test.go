package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// linked lists the names of the domains that a method speaks for.
func (w *world) linked(t *testing.T, token, organizationID, methodID string) []string {
	t.Helper()
	names := []string{}
	for _, d := range w.as(t, token, "GET", "/v1/organization/"+organizationID+"/authentication-methods/"+methodID+"/domains", "").need(t, http.StatusOK)["domains"].([]any) {
		names = append(names, d.(map[string]any)["domain_name"].(string))
	}
	return names
}

func TestAMethodIsMadeWithItsDomainsAllOrNone(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	org, root := w.organization(t, ann, "Acme")
	one, two := w.verified(t, ann, org, "acme.example"), w.domain(t, ann, org, "acme.test.example")
	methods := "/v1/account/" + root + "/authentication"
	const body = `{"authentication_method_name":"Okta","authentication_method_type":"saml","linked_domains":[{"domain_id":"%s"},{"domain_id":"%s"}]}`

	item := w.as(t, ann, "POST", methods, fmt.Sprintf(body, one, "dom00000000009")).needFailure(t, http.StatusNotFound)
	if item["error_code"] != "organization_domain_not_found" || item["field"] != "linked_domains" {
		t.Errorf("one that is not there: got %v", item)
	}
	if n := len(w.as(t, ann, "GET", methods, "").need(t, http.StatusOK)["authentication_methods"].([]any)); n != 0 {
		t.Errorf("got %d methods after that, want none", n)
	}

	made := w.as(t, ann, "POST", methods, fmt.Sprintf(body, one, two)).need(t, http.StatusOK)["authentication_method"].(map[string]any)["authentication_method_id"].(string)
	if diff := cmp.Diff([]string{"acme.example", "acme.test.example"}, w.linked(t, ann, org, made)); diff != "" {
		t.Errorf("linked (-want +got):\n%s", diff)
	}
	second := w.method(t, ann, root)
	w.as(t, ann, "PUT", methods+"/"+second, `{"linked_domains":[{"domain_id":"`+two+`"}]}`).need(t, http.StatusOK)
	if diff := cmp.Diff([]string{"acme.test.example"}, w.linked(t, ann, org, second)); diff != "" {
		t.Errorf("linked by an update (-want +got):\n%s", diff)
	}
	w.as(t, ann, "PUT", methods+"/"+second, `{"authentication_method_name":"Taken","linked_domains":[{"domain_id":"dom00000000009"}]}`).needFailure(t, http.StatusNotFound)
	if r := w.as(t, ann, "GET", methods+"/"+second, ""); strings.Contains(r.body, "Taken") {
		t.Error("a refused update changed the method")
	}
	w.as(t, ann, "DELETE", methods+"/"+made, "").need(t, http.StatusOK)
	got := w.as(t, ann, "GET", "/v1/organization/"+org+"/domains/"+two, "").need(t, http.StatusOK)["linked_authentication_method_ids"]
	if diff := cmp.Diff([]any{second}, got); diff != "" {
		t.Errorf("after the other was deleted (-want +got):\n%s", diff)
	}
}

func TestOfTwoOrganizationsOneProvesADomain(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.signUp(t, "ann@acme.example"), w.signUp(t, "bob@rival.example")
	acme, _ := w.organization(t, ann, "Acme")
	rival, _ := w.organization(t, bob, "Rival")
	w.verified(t, ann, acme, "acme.example")
	id := w.domain(t, bob, rival, "acme.example")
	path := "/v1/organization/" + rival + "/domains/" + id
	d := w.as(t, bob, "GET", path, "").need(t, http.StatusOK)
	name := d["txt_record_name"].(string)
	item := w.as(t, bob, "POST", path+"/verify", "").needFailure(t, http.StatusConflict)
	if item["error_code"] != "organization_domain_verification_failed" || len(item["found_values"].([]any)) != 1 {
		t.Errorf("without the record: got %v", item)
	}
	w.zone[name] = append(w.zone[name], d["challenge_token"].(string))
	if item := w.as(t, bob, "POST", path+"/verify", "").needFailure(t, http.StatusConflict); item["error_code"] != "organization_domain_already_linked" {
		t.Errorf("while another has it: got %v", item)
	}
	w.as(t, ann, "DELETE", "/v1/organization/"+acme+"/domains/acme.example", "").needEmpty(t)
	w.as(t, bob, "POST", path+"/verify", "").need(t, http.StatusOK)
}

func TestWhatStrangersPublishIsRepeatedInBounds(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	org, _ := w.organization(t, ann, "Acme")
	id := w.domain(t, ann, org, "acme.example")
	for range 100 {
		w.zone["_aiven-challenge.acme.example"] = append(w.zone["_aiven-challenge.acme.example"], strings.Repeat("\xff\x00é", 20_000))
	}
	r := w.as(t, ann, "POST", "/v1/organization/"+org+"/domains/"+id+"/verify", "")
	if found := r.needFailure(t, http.StatusConflict)["found_values"].([]any); len(found) != 20 || len(r.body) > 64<<10 {
		t.Errorf("got %d values in %d bytes, want 20 in at most 64 KiB", len(found), len(r.body))
	}
}

func TestADomainsNameInAPathMayBeAnything(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	org, _ := w.organization(t, ann, "Acme")
	w.domain(t, ann, org, "bücher.example")
	for name, want := range map[string]int{
		"B%C3%BCcher.Example": 200, "xn--bcher-kva.example": 200, "xn--bcher-kva.example.": 200,
		"xn--bcher-kva": 404, "%00.example": 404, "%ff.example": 404, "a%2Fb.example": 404, "..example": 404,
		"%27%20OR%201=1.example": 404, strings.Repeat("a.", 5000): 404, strings.Repeat("a.", 127): 404, "%25.example": 404,
	} {
		if r := w.as(t, ann, "GET", "/v1/organization/"+org+"/domains/"+name, ""); r.status != want {
			t.Errorf("%.60s: got status %d, want %d", name, r.status, want)
		}
	}
	if strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("something is logged as our mistake:\n%s", w.log)
	}
}
