package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestAvnKeepsOrganizations(t *testing.T) {
	b, a := startAvn(t)
	a.logIn()
	made := a.json("organization", "create", "--force", "Beta Corp").(map[string]any)
	a.calls(b.org, "org-of-acme---")
	a.calls(b.account, "a-of-acme---")
	a.calls(made["organization_id"].(string), "org-of-beta---")
	a.calls(made["account_id"].(string), "a-of-beta---")
	a.shows(`
		ORGANIZATION_NAME  ORGANIZATION_ID  ACCOUNT_ID    CREATE_TIME           UPDATE_TIME           TIER
		=================  ===============  ============  ====================  ====================  ========
		Acme               org-of-acme---   a-of-acme---  YYYY-MM-DDThh:mm:ssZ  YYYY-MM-DDThh:mm:ssZ  business
		Beta Corp          org-of-beta---   a-of-beta---  YYYY-MM-DDThh:mm:ssZ  YYYY-MM-DDThh:mm:ssZ  business
	`, "organization", "list")
	// avn's tables say what is not ASCII as JSON does.
	a.shows(`
		ORGANIZATION_NAME    ORGANIZATION_ID  ACCOUNT_ID    CREATE_TIME           UPDATE_TIME
		===================  ===============  ============  ====================  ====================
		"Beta & S\u00f6hne"  org-of-beta---   a-of-beta---  YYYY-MM-DDThh:mm:ssZ  YYYY-MM-DDThh:mm:ssZ
	`, "organization", "update", made["organization_id"].(string), "--name", "Beta & Söhne")
	a.wantSame(a.answers("/v1/organizations")["organizations"], "organization", "list")
	a.wantSame(a.answers("/v1/account")["accounts"], "account", "list")
	if got := a.json("organization", "update", b.org, "--name", "Acme Ltd").(map[string]any); got["organization_name"] != "Acme Ltd" {
		t.Errorf("avn organization update --json: got %v", got)
	}

	lines := strings.Split(a.run("organization", "create", "--force", "Gamma"), "\n")
	if head, row := strings.Fields(lines[0]), strings.Fields(lines[2]); strings.Join(head, " ") != "ORGANIZATION_ID ACCOUNT_ID CREATE_TIME UPDATE_TIME" ||
		len(row) != 4 || a.answers("/v1/organization/" + row[0])["account_id"] != row[1] || !moments.MatchString(row[2]) || row[2] != row[3] {
		t.Errorf("avn organization create: got\n%s", strings.Join(lines, "\n"))
	}
	shown, exit := a.types([][2]string{{"create a new organization (y/N)? ", "y"}}, "organization", "create", "Delta")
	if exit != 0 || !strings.Contains(a.run("organization", "list"), "\nDelta  ") {
		t.Errorf("avn organization create, with a yes: got %d and\n%s", exit, shown)
	}
}

func TestAvnKeepsGroups(t *testing.T) {
	b, a := startAvn(t)
	a.logIn()
	group := func(command string, args ...string) []string {
		return append([]string{"organization", "group", command, "--organization-id", b.org}, args...)
	}
	a.shows(``, group("list")...)
	made := a.json(group("create", "Developers", "--description", "who builds it")...).(map[string]any)
	id := made["user_group_id"].(string)
	a.calls(id, "ug-developers")
	a.shows(`
		USER_GROUP_NAME  USER_GROUP_ID  DESCRIPTION
		===============  =============  ============
		Developers       ug-developers  who mends it
	`, group("update", id, "--description", "who mends it")...)
	a.shows(`
		USER_GROUP_NAME  USER_GROUP_ID  DESCRIPTION
		===============  =============  ============
		Builders         ug-developers  who mends it
	`, group("update", id, "--name", "Builders")...)
	a.run(group("create", "Admins")...)
	b.call("PATCH", "/v1/organization/"+b.org+"/user-groups/"+id+"/members", map[string]any{"operation": "add_members", "member_ids": []any{a.answers("/v1/me")["user"].(map[string]any)["user_id"]}}, http.StatusNoContent, nil)
	groups := a.answers("/v1/organization/" + b.org + "/user-groups")["user_groups"].([]any)
	a.calls(groups[0].(map[string]any)["user_group_id"].(string), "ug-ofadmins--")
	a.shows(`
		USER_GROUP_NAME  USER_GROUP_ID  MEMBER_COUNT  DESCRIPTION
		===============  =============  ============  ============
		Admins           ug-ofadmins--  0
		Builders         ug-developers  1             who mends it
	`, group("list")...)
	a.wantSame(groups, group("list")...)
	a.shows(`
		USER_INFO.USER_EMAIL  USER_INFO.REAL_NAME  LAST_ACTIVITY_TIME  USER_INFO.STATE
		====================  ===================  ==================  ===============
		operator@acme.test    Operator             null                active
	`, group("show", id)...)
	a.wantSame(a.answers("/v1/organization/" + b.org + "/user-groups/" + id + "/members")["members"], group("show", id)...)

	a.fails("Error: user_group_name: Another group of the organization has this name. Upper and lower case count as the same. (status 409)", nil, group("create", "ADMINS")...)
	a.fails("Error: user_group_name: This has more than 128 characters. (status 400)", nil, group("create", strings.Repeat("x", 129))...)
	if out := a.run(group("delete", "--force", id)...); out != "" {
		t.Errorf("avn organization group delete: got %q, want nothing", out)
	}
	a.fails("Error: The organization has no such group. (status 404)", nil, group("show", id)...)
	a.fails("Error: The organization has no such group. (status 404)", nil, group("delete", "--force", id)...)
}

func TestAvnListsPeople(t *testing.T) {
	b, a := startAvn(t)
	a.logIn()
	list := []string{"organization", "user", "list", "--organization-id", b.org}
	a.shows(`
		USER_INFO.USER_EMAIL  USER_INFO.REAL_NAME  USER_INFO.STATE  LAST_ACTIVITY_TIME
		====================  ===================  ===============  ==================
		operator@acme.test    Operator             active           null
	`, list...)
	a.wantSame(a.answers("/v1/organization/" + b.org + "/user")["users"], list...)
	a.fails("Error: There is no organization org00000000000, or you do not belong to it. (status 404)", nil, "organization", "user", "list", "--organization-id", "org00000000000")
}

func TestAvnSaysInOneLineWhyItFails(t *testing.T) {
	b, a := startAvn(t)
	a.logIn()
	for _, c := range []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{"a wrong password", []string{"AIVEN_PASSWORD=no idea"}, []string{"user", "login", operatorMail}, avnWrongPassword},
		{"nobody's address", []string{"AIVEN_PASSWORD=no idea"}, []string{"user", "login", "nobody@acme.test"}, avnWrongPassword},
		{"what is no address", []string{"AIVEN_PASSWORD=no idea"}, []string{"user", "login", "operator"}, "Error: email: Type an email address such as name@company.com. (status 400)"},
		{"a token that is none", []string{"AIVEN_AUTH_TOKEN=gtp_none"}, []string{"user", "info"}, avnRefusedToken},
		{"an unknown organization", nil, []string{"organization", "update", "org00000000000", "--name", "x"}, "Error: There is no organization org00000000000, or you do not belong to it. (status 404)"},
		{"groups of an unknown organization", nil, []string{"organization", "group", "list", "--organization-id", "org00000000000"}, "Error: There is no organization org00000000000, or you do not belong to it. (status 404)"},
		{"a long name", nil, []string{"organization", "create", "--force", strings.Repeat("x", 129)}, "Error: account_name: This has more than 128 characters. (status 400)"},
		{"a longer one for one that is there", nil, []string{"organization", "update", b.org, "--name", strings.Repeat("x", 129)}, "Error: account_name: This has more than 128 characters. (status 400)"},
		{"no name", nil, []string{"organization", "create", "--force", ""}, "Error: account_name: Give the organization a name. (status 400)"},
		{"a project that is not there", nil, []string{"project", "switch", "demo"}, "UserError: Project 'demo' does not exist, available projects: "},
		{"what we do not have", nil, []string{"service", "types", "--project", "demo"}, "Error: The API has no such path. (status 404)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := *a
			one.t = t
			one.fails(c.want, c.env, c.args...)
		})
	}
	// A path of the address that is one slash too long is none of avn's faults.
	if out, errs, exit := a.command([]string{"AIVEN_WEB_URL=" + b.base + "/"}, a.path, "user", "info"); exit != 0 || !strings.Contains(out, operatorMail) {
		t.Errorf("with a slash behind the address: got %d and\n%s%s", exit, out, errs)
	}
}

func TestAvnSaysThatAPolicyRefusesItsLogin(t *testing.T) {
	b, a := startAvn(t)
	a.logIn()
	made := a.json("user", "access-token", "create", "--description", "ci").([]any)[0].(map[string]any)["full_token"].(string)
	b.call("PATCH", "/v1/organization/"+b.org+"/config/authentication", map[string]any{"password_auth_enabled": false, "force": true}, http.StatusOK, nil)
	groups := []string{"organization", "group", "list", "--organization-id", b.org}
	const admitted = "It admits an identity provider of this organization, or of another one of yours. A super admin of Acme can change its policy. (status 403)"
	a.fails("Error: Acme does not let you in this way. You logged in with a password, which this organization does not admit. "+admitted, nil, groups...)
	a.fails("Error: Acme does not let you in this way. This token was made with a login that this organization does not admit. You logged in with a password, which this organization does not admit. Log in by a way that it admits, and make a new token. "+admitted, []string{"AIVEN_AUTH_TOKEN=" + made}, groups...)
	// What is one's own is not the organization's.
	a.run("user", "info")
	a.shows(``, "organization", "list")
}

func TestAvnSaysThatItTriesTooOften(t *testing.T) {
	b, a := startAvn(t)
	for range 100 {
		if status, _ := b.callAs("", "POST", "/v1/userauth", map[string]any{"email": "ann@acme.test", "password": "no idea"}); status == http.StatusTooManyRequests {
			break
		}
	}
	_, errs, exit := a.command([]string{"AIVEN_PASSWORD=no idea"}, a.path, "user", "login", "ann@acme.test")
	want := regexp.MustCompile(`^ERROR\tcommand failed: Error: Too many attempts\. Try again in \d+ seconds\. \(status 429\)\n$`)
	if exit != 1 || !want.MatchString(errs) {
		t.Errorf("after a hundred wrong passwords: got %d and\n%s", exit, errs)
	}
}
