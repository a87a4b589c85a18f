package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	avnWrongPassword = "Error: The address or the password is not right. If your organization uses single sign-on, use its login link instead: its administrators have it, and the account link. (status 403)"
	avnRefusedToken  = "Error: The token is not valid, or not any more. Log in again. (status 401)"
)

func TestAvnLogsInAndOut(t *testing.T) {
	b, a := startAvn(t)
	a.fails("UserError: not authenticated: please login first with 'avn user login'", nil, "user", "info")

	shown, exit := a.types([][2]string{{"Username (email): ", operatorMail}, {operatorMail + "'s Aiven password: ", operatorPassword}}, "user", "login")
	if exit != 0 || strings.Contains(shown, operatorPassword) || !strings.Contains(shown, "Aiven credentials written to: ") || strings.Contains(shown, "ERROR") {
		t.Fatalf("avn user login: got %d and\n%s", exit, shown)
	}
	kept, err := os.Stat(filepath.Join(a.home, "config", "aiven-credentials.json"))
	if err != nil {
		t.Fatal(err)
	}
	if kept.Mode().Perm() != 0o600 {
		t.Errorf("the credentials have the mode %o, want 600", kept.Mode().Perm())
	}
	a.shows(`
		USER                REAL_NAME  STATE   TOKEN_VALIDITY_BEGIN  PROJECTS  AUTH
		==================  =========  ======  ====================  ========  ========
		operator@acme.test  Operator   active  null                            password
	`, "user", "info")
	a.wantSame([]any{a.answers("/v1/me")["user"]}, "user", "info")
	a.shows(``, "project", "list")
	a.wantSame([]any{}, "project", "list")

	token := a.token()
	if out := a.run("user", "logout"); out != "" {
		t.Errorf("avn user logout: got %q, want nothing", out)
	}
	if left := a.token(); left != "" {
		t.Errorf("after the logout avn has the token %s", left)
	}
	if status, _ := b.callAs(token, "GET", "/v1/me", nil); status != http.StatusUnauthorized {
		t.Errorf("with the token of before the logout: got %d, want 401", status)
	}
}

func TestAvnLogsInWithAToken(t *testing.T) {
	b, a := startAvn(t)
	var made struct {
		Token string `json:"full_token"`
	}
	b.call("POST", "/v1/access_token", map[string]any{"description": "for avn"}, http.StatusOK, &made)
	asked := operatorMail + "'s Aiven access token: "
	shown, exit := a.types([][2]string{{asked, made.Token}}, "user", "login", operatorMail, "--token")
	if exit != 0 || strings.Contains(shown, made.Token) || strings.Contains(shown, "ERROR") || a.token() != made.Token {
		t.Fatalf("avn user login --token: got %d and\n%s", exit, shown)
	}
	a.wantSame([]any{a.answers("/v1/me")["user"]}, "user", "info")

	// Whoever wants the token to last says so.
	a.run("user", "logout", "--no-token-revoke")
	if status, _ := b.callAs(made.Token, "GET", "/v1/me", nil); a.token() != "" || status != http.StatusOK {
		t.Errorf("after a logout without revocation avn has %q, and its token gets %d; want nothing and 200", a.token(), status)
	}
	for _, none := range []string{"nonsense", made.Token + "x", strings.Repeat("a", len(made.Token))} {
		shown, exit = a.types([][2]string{{asked, none}}, "user", "login", operatorMail, "--token")
		if exit != 1 || !strings.HasSuffix(shown, "\nERROR\tcommand failed: "+avnRefusedToken+"\n") {
			t.Errorf("avn user login with the token %s: got %d and\n%s", none, exit, shown)
		}
	}
}

func TestAvnKeepsAccessTokens(t *testing.T) {
	b, a := startAvn(t)
	a.logIn()
	a.calls(b.token[:12], "gts_operator")
	a.calls(a.token()[:12], "gts_avnlogin")
	made := a.json("user", "access-token", "create", "--description", "Nightly report", "--max-age-seconds", "6000", "--extend-when-used").([]any)[0].(map[string]any)
	full, prefix := made["full_token"].(string), made["token_prefix"].(string)
	a.calls(prefix, "gtp_nightly1")
	if status, _ := b.callAs(full, "GET", "/v1/me", nil); status != http.StatusOK {
		t.Errorf("with the token that avn made: got %d, want 200", status)
	}
	out := strings.Split(a.run("user", "access-token", "create", "--description", "Deployment"), "\n")
	if len(out) != 4 || strings.Join(strings.Fields(out[0]), " ") != "EXPIRY_TIME DESCRIPTION MAX_AGE_SECONDS EXTEND_WHEN_USED FULL_TOKEN" {
		t.Fatalf("avn user access-token create: got the table\n%s", strings.Join(out, "\n"))
	}
	row := strings.Fields(out[2])
	if len(row) != 5 || !moments.MatchString(row[0]) || row[1] != "Deployment" || row[2] != "2592000" || row[3] != "false" || !strings.HasPrefix(row[4], "gtp_") {
		t.Fatalf("avn user access-token create: got the row %q", row)
	}
	a.calls(row[4][:12], "gtp_deployed")
	a.shows(`
		EXPIRY_TIME           TOKEN_PREFIX  DESCRIPTION     MAX_AGE_SECONDS  EXTEND_WHEN_USED  LAST_USED_TIME        LAST_IP    LAST_USER_AGENT
		====================  ============  ==============  ===============  ================  ====================  =========  ===================
		YYYY-MM-DDThh:mm:ssZ  gts_operator  null            43200            false             YYYY-MM-DDThh:mm:ssZ  127.0.0.1  Go-http-client/1.1
		YYYY-MM-DDThh:mm:ssZ  gts_avnlogin  null            43200            false             YYYY-MM-DDThh:mm:ssZ  127.0.0.1  aiven-client/4.18.0
		YYYY-MM-DDThh:mm:ssZ  gtp_nightly1  Nightly report  6000             true              YYYY-MM-DDThh:mm:ssZ  127.0.0.1  Go-http-client/1.1
		YYYY-MM-DDThh:mm:ssZ  gtp_deployed  Deployment      2592000          false             null                  null       null
	`, "user", "access-token", "list")
	a.shows(`
		EXPIRY_TIME           TOKEN_PREFIX  DESCRIPTION  MAX_AGE_SECONDS  EXTEND_WHEN_USED  LAST_USED_TIME  LAST_IP  LAST_USER_AGENT
		====================  ============  ===========  ===============  ================  ==============  =======  ===============
		YYYY-MM-DDThh:mm:ssZ  gtp_deployed  Releases     2592000          false             null            null     null
	`, "user", "access-token", "update", row[4][:12], "--description", "Releases")
	updated := a.json("user", "access-token", "update", row[4], "--description", "By its whole token").([]any)[0].(map[string]any)
	if updated["description"] != "By its whole token" || updated["full_token"] != nil {
		t.Errorf("avn user access-token update --json: got %v", updated)
	}
	if out := a.run("user", "access-token", "revoke", prefix); out != "Revoked\n" {
		t.Errorf("avn user access-token revoke: got %q", out)
	}
	if status, _ := b.callAs(full, "GET", "/v1/me", nil); status != http.StatusUnauthorized {
		t.Errorf("with the token that avn revoked: got %d, want 401", status)
	}
	if left := a.json("user", "access-token", "list").([]any); len(left) != 3 {
		t.Errorf("got %d tokens, want 3: %v", len(left), left)
	}
	a.fails("Error: You have no such token. (status 404)", nil, "user", "access-token", "revoke", prefix)
	a.fails("Error: You have no such token. (status 404)", nil, "user", "access-token", "update", prefix, "--description", "gone")
	a.fails("Error: max_age_seconds: Say 600 seconds at least. (status 400)", nil, "user", "access-token", "create", "--description", "x", "--max-age-seconds", "60")
	a.fails("Error: description: This has more than 1000 characters. (status 400)", nil, "user", "access-token", "create", "--description", strings.Repeat("x", 1001))
}

func TestAvnExpiresAllTokens(t *testing.T) {
	b, a := startAvn(t)
	other := newAvn(t, b)
	a.logIn()
	other.logIn()
	if got, want := a.run("user", "tokens-expire"), "All your tokens are revoked, that of this request too. Log in again.\n"; got != want {
		t.Errorf("avn user tokens-expire: got %q, want %q", got, want)
	}
	a.fails(avnRefusedToken, nil, "user", "info")
	other.fails(avnRefusedToken, nil, "user", "info")
	// There is nothing to revoke, and avn keeps what it cannot revoke.
	other.fails(avnRefusedToken, nil, "user", "logout")
	other.run("user", "logout", "--no-token-revoke")
	a.logIn()
	if since := a.json("user", "info").([]any)[0].(map[string]any)["token_validity_begin"]; since == nil {
		t.Error("token_validity_begin: got null, want when the tokens were expired")
	}
}

func TestAvnChangesThePassword(t *testing.T) {
	b, a := startAvn(t)
	other := newAvn(t, b)
	a.logIn()
	other.logIn()
	const now, again, next = "Current password: ", "Confirm password again: ", "New password: "
	for _, c := range []struct {
		name    string
		answers [][2]string
		want    string
	}{
		{"the present one wrong", [][2]string{{now, "no idea"}, {next, "a second password"}, {again, "a second password"}}, "Error: password: The present password is not right. (status 403)"},
		{"a short one", [][2]string{{now, operatorPassword}, {next, "short"}, {again, "short"}}, "Error: new_password: Choose a password of at least 8 characters. (status 400)"},
		{"two different ones", [][2]string{{now, operatorPassword}, {next, "a second password"}, {again, "a third password"}}, "UserError: Passwords do not match"},
	} {
		if shown, exit := a.types(c.answers, "user", "password-change"); exit != 1 || !strings.HasSuffix(shown, "\nERROR\tcommand failed: "+c.want+"\n") {
			t.Errorf("%s: got %d and\n%swant %s", c.name, exit, shown, c.want)
		}
	}
	const changed = "a second password of the operator"
	shown, exit := a.types([][2]string{{now, operatorPassword}, {next, changed}, {again, changed}}, "user", "password-change")
	if exit != 0 || strings.Contains(shown, "password of the operator") || !strings.Contains(shown, "\nPassword changed. ") {
		t.Fatalf("avn user password-change: got %d and\n%s", exit, shown)
	}
	// It keeps the old token, which is over, and says to log in again.
	a.fails(avnRefusedToken, nil, "user", "info")
	other.fails(avnRefusedToken, nil, "user", "info")
	shown, exit = other.types([][2]string{{operatorMail + "'s Aiven password: ", operatorPassword}}, "user", "login", operatorMail)
	if exit != 1 || !strings.HasSuffix(shown, "\nERROR\tcommand failed: "+avnWrongPassword+"\n") {
		t.Errorf("avn user login with the old password: got %d and\n%s", exit, shown)
	}
	if shown, exit = other.types([][2]string{{operatorMail + "'s Aiven password: ", changed}}, "user", "login", operatorMail); exit != 0 {
		t.Errorf("avn user login with the new password: got %d and\n%s", exit, shown)
	}
}

func TestAvnMakesAnAccount(t *testing.T) {
	_, a := startAvn(t)
	const asked, password = "New aiven.io password for bob@acme.test: ", "the password of bob"
	shown, exit := a.types([][2]string{{asked, password}, {"Confirm password again: ", password}}, "user", "create", "bob@acme.test", "--real-name", "Bob Ärlig")
	if exit != 0 || strings.Contains(shown, password) {
		t.Fatalf("avn user create: got %d and\n%s", exit, shown)
	}
	a.wantSame([]any{a.answers("/v1/me")["user"]}, "user", "info")
	a.fails("Error: email: There is an account with the address bob@acme.test already. (status 409)", []string{"AIVEN_NEW_PASSWORD=" + password}, "user", "create", "bob@acme.test", "--real-name", "Bob")
}
