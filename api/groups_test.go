package api

import (
	"bufio"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/account"
)

// TestAnEmptyAnswerCarriesNothingOnTheWire reads the bytes: avn reads a body
// whose Content-Type is application/json, and dies of one that is not there.
func TestAnEmptyAnswerCarriesNothingOnTheWire(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	organization, _ := w.organization(t, ann, "Acme")
	w.group(t, ann, organization, "Testers")
	server := httptest.NewServer(w.handler)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	path := "/v1/organization/" + organization + "/user-groups/" + firstGroup
	const body = `{"operation":"add_members","member_ids":["u00000000001"]}`
	fmt.Fprintf(conn, "PATCH %s/members HTTP/1.1\r\nHost: x\r\nAuthorization: aivenv1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, ann, len(body), body)
	fmt.Fprintf(conn, "DELETE %s HTTP/1.1\r\nHost: x\r\nAuthorization: aivenv1 %s\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n", path, ann)
	var heads [][]string
	head := []string{}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if line := lines.Text(); line != "" {
			head = append(head, line)
			continue
		}
		heads, head = append(heads, head), []string{}
	}
	if len(heads) != 2 || len(head) != 0 {
		t.Fatalf("got the answers %q and then %q, want two without bodies", heads, head)
	}
	for _, head := range heads {
		if head[0] != "HTTP/1.1 204 No Content" {
			t.Errorf("got %q, want 204", head[0])
		}
		for _, line := range head {
			if strings.HasPrefix(strings.ToLower(line), "content-") {
				t.Errorf("got the header %q, want none about a body", line)
			}
		}
	}
}

func TestAsManyMembersAsOneCallMayNameAreTaken(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	organization, _ := w.organization(t, ann, "Acme")
	w.group(t, ann, organization, "Testers")
	var ids []string
	for i := range 1024 {
		u := account.User{ID: fmt.Sprintf("u%035d", i), Email: fmt.Sprintf("p%d@acme.example", i), State: account.ActiveUser}
		if err := w.store.AddUser(t.Context(), u, ""); err != nil {
			t.Fatal(err)
		}
		if err := w.store.AddMember(t.Context(), account.Member{OrganizationID: organization, UserID: u.ID}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, `"`+u.ID+`"`)
	}
	members := "/v1/organization/" + organization + "/user-groups/" + firstGroup + "/members"
	w.as(t, ann, "PATCH", members, `{"operation":"add_members","member_ids":[`+strings.Join(ids, ",")+`]}`).needEmpty(t)
	if n := len(w.as(t, ann, "GET", members, "").need(t, 200)["members"].([]any)); n != 1024 {
		t.Errorf("got %d members, want 1024", n)
	}
	item := w.as(t, ann, "PATCH", members, `{"operation":"remove_members","member_ids":[`+strings.Join(append(ids, `"u1"`), ",")+`]}`).needFailure(t, 400)
	if item["field"] != "member_ids" {
		t.Errorf("1025 of them: got field %v, want member_ids", item["field"])
	}
	w.as(t, ann, "PATCH", members, `{"operation":"remove_members","member_ids":[`+strings.Join(ids, ",")+`]}`).needEmpty(t)
}

func TestALongDescriptionIsTakenHoweverItIsEscaped(t *testing.T) {
	w := newWorld(t)
	ann := w.signUp(t, "ann@acme.example")
	organization, _ := w.organization(t, ann, "Acme")
	target := "/v1/organization/" + organization + "/user-groups"
	v := w.as(t, ann, "POST", target, `{"user_group_name":"Testers","description":"`+strings.Repeat(`\ud83d\ude00`, 4096)+`"}`).need(t, 200)
	if v["description"] != strings.Repeat("😀", 4096) {
		t.Error("the description is another one than was sent")
	}
	item := w.as(t, ann, "POST", target, `{"user_group_name":"Others","description":"`+strings.Repeat("x", 4097)+`"}`).needFailure(t, 400)
	if item["field"] != "description" {
		t.Errorf("got field %v, want description", item["field"])
	}
}
