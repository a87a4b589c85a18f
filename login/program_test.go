package login_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/gate"
	"gatehouse/internal/demoidp"
	"gatehouse/internal/fault"
	"gatehouse/internal/ident"
	"gatehouse/internal/mail"
	"gatehouse/login"
	"gatehouse/policy"
	"gatehouse/session"
	"gatehouse/sso"
)

const (
	verifier = "a-secret-that-the-program-alone-knows-and-nobody-else"
	callback = "http://127.0.0.1:51004/callback"
)

var program = login.Client{IP: netip.MustParseAddr("198.51.100.20"), UserAgent: "gatehouse/test"}

func challenge(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func asked() url.Values {
	return url.Values{
		"client_name": {"robot"}, "redirect_uri": {callback}, "state": {"s-t.a_t~e"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
}

// A browserSession is somebody whom Acme manages, logged in through its identity
// provider.
type browserSession struct {
	*world
	bearer session.Bearer
}

func newBrowserSession(t *testing.T) *browserSession {
	w := newWorld(t)
	who, at := demoidp.Acme()[1], w.now()
	person := account.User{ID: ident.New("u"), Email: "mia@acme.test", RealName: "Mia", State: account.ActiveUser, AddressProved: true, ManagingOrganizationID: w.acme.ID, CreatedAt: at, UpdatedAt: at}
	must(t, w.db.AddUser(t.Context(), person, ""))
	must(t, w.db.AddMember(t.Context(), account.Member{OrganizationID: w.acme.ID, UserID: person.ID, JoinedAt: at}))
	must(t, w.db.AddIdentity(t.Context(), account.Identity{MethodID: w.sso.ID, SubjectKind: "attribute:username", Subject: who.Username, UserID: person.ID, CreatedAt: at, LastUsedAt: at}))
	out, err := w.login(sso.ToLogin, who, browser())
	must(t, err)
	b := &browserSession{world: w}
	b.bearer, err = w.db.Bearer(t.Context(), out.Token.Hash)
	must(t, err)
	return b
}

func (b *browserSession) authorize() string {
	b.t.Helper()
	a, err := login.NewAuthorization(asked())
	must(b.t, err)
	code, err := b.Authorize(context.Background(), a, b.bearer, client)
	must(b.t, err)
	return code
}

// rules changes Acme's policy.
func (b *browserSession) rules(change func(*policy.Rules)) {
	b.t.Helper()
	r := policy.Usual()
	change(&r)
	must(b.t, b.db.SavePolicy(context.Background(), policy.Policy{OrganizationID: b.acme.ID, Rules: r, UpdatedAt: b.now()}))
}

// visit is what a token is worth at the gate, in Acme.
func (b *browserSession) visit(token string) error {
	_, err := b.gate.Admit(context.Background(), gate.Request{Token: token, IP: program.IP, Need: "self:read"})
	return err
}

func TestOnlyALoopbackAddressGetsACode(t *testing.T) {
	for address, want := range map[string]bool{
		"http://127.0.0.1:1/callback": true, "http://127.0.0.1:65535/callback": true, "http://[::1]:8080/callback": true,
		"": false, "http://localhost:8080/callback": false, "http://127.0.0.2:8080/callback": false, "http://127.0.0.1/callback": false,
		"http://127.0.0.1:0/callback": false, "http://127.0.0.1:65536/callback": false, "http://127.0.0.1:080/callback": false, "http://127.0.0.1:+80/callback": false,
		"https://127.0.0.1:8080/callback": false, "http://127.0.0.1:8080/": false, "http://127.0.0.1:8080/callback/": false, "http://127.0.0.1:8080/callback?x=1": false,
		"http://127.0.0.1:8080/callback#x": false, "http://u@127.0.0.1:8080/callback": false, "http://127.0.0.1:8080@evil.test/callback": false,
		"http://127.0.0.1.evil.test:8080/callback": false, "http://evil.test:8080/callback": false, "http://127.0.0.1:8080\\@evil.test/callback": false,
		"http://[::1%25lo]:8080/callback": false, "http://[::ffff:127.0.0.1]:8080/callback": false, "http://[0:0:0:0:0:0:0:1]:8080/callback": false,
		"http://127.1:8080/callback": false, "http://2130706433:8080/callback": false, "HTTP://127.0.0.1:8080/callback": false, " http://127.0.0.1:8080/callback": false,
		"http://127.0.0.1:8080/../callback": false, "http://127.0.0.1:8080/%63allback": false, "javascript:alert(1)": false,
	} {
		q := asked()
		q.Set("redirect_uri", address)
		_, err := login.NewAuthorization(q)
		if (err == nil) != want || err != nil && fault.Of(err).Field != "redirect_uri" {
			t.Errorf("%q: got %v, want admitted %t", address, err, want)
		}
	}
}

func TestARequestThatIsNotWholeIsRefusedAtItsField(t *testing.T) {
	for _, c := range []struct{ field, value string }{
		{"client_name", ""}, {"client_name", strings.Repeat("x", 61)}, {"client_name", "a\u202eb"},
		{"state", ""}, {"state", strings.Repeat("x", 129)}, {"state", "a b"}, {"state", "ä"},
		{"code_challenge_method", ""}, {"code_challenge_method", "plain"},
		{"code_challenge", ""}, {"code_challenge", "short"}, {"code_challenge", strings.Repeat("=", 43)}, {"code_challenge", challenge("x") + "="},
	} {
		q := asked()
		q.Set(c.field, c.value)
		_, err := login.NewAuthorization(q)
		if !errors.Is(err, fault.Invalid) || fault.Of(err).Field != c.field {
			t.Errorf("%s %q: got %v, want it refused at that field", c.field, c.value, err)
		}
	}
}

func TestACodeBuysASessionThatGoesBackToTheSameLogin(t *testing.T) {
	b := newBrowserSession(t)
	b.pass(time.Minute)
	code := b.authorize()
	out, err := b.RedeemCode(t.Context(), code, verifier, callback, program)
	must(t, err)
	must(t, b.visit(out.Text))
	hash, _ := session.Hash(out.Text)
	got, err := b.db.Bearer(t.Context(), hash)
	must(t, err)
	if got.Method != b.bearer.Method || !got.LoggedIn.Equal(b.bearer.LoggedIn) || got.Kind != session.SessionToken || got.Device || got.Context == "" || got.Context != b.bearer.Context || got.ExpiresAt.After(b.bearer.ExpiresAt) || got.IP != program.IP {
		t.Errorf("got %+v, want what %+v has", got.Token, b.bearer.Token)
	}
	events, err := b.db.Events(t.Context(), audit.Filter{Everywhere: true, Action: audit.LoginSuccess}, "", 1)
	must(t, err)
	d := events[0].Details
	if d["program"] != "robot" || d["way"] != "loopback" || d["browser_ip"] != client.IP.String() || d["program_ip"] != program.IP.String() || events[0].OrganizationID != b.acme.ID {
		t.Errorf("got the event %+v, want one that names the program and both addresses", events[0])
	}
	_, err = b.RedeemCode(t.Context(), code, verifier, callback, program)
	wantCode(t, err, fault.Invalid, "invalid_grant")
	_, err = b.db.CutIdentities(t.Context(), b.bearer.User.ID, b.sso.ID)
	must(t, err)
	wantCode(t, b.visit(out.Text), fault.Unauthenticated, "authentication_failed")
}

func TestACodeIsUsedUpByWhoeverDoesNotFitIt(t *testing.T) {
	for _, c := range []struct{ name, verifier, address, field string }{
		{"another verifier", "another", callback, "code_verifier"},
		{"no verifier", "", callback, "code_verifier"},
		{"the challenge instead", challenge(verifier), callback, "code_verifier"},
		{"another address", verifier, "http://127.0.0.1:51005/callback", "redirect_uri"},
		{"no address", verifier, "", "redirect_uri"},
	} {
		b := newBrowserSession(t)
		code := b.authorize()
		_, err := b.RedeemCode(t.Context(), code, c.verifier, c.address, program)
		wantCode(t, err, fault.Invalid, "invalid_grant")
		if got := fault.Of(err).Field; got != c.field {
			t.Errorf("%s: got field %q, want %q", c.name, got, c.field)
		}
		_, err = b.RedeemCode(t.Context(), code, verifier, callback, program)
		wantCode(t, err, fault.Invalid, "invalid_grant")
	}
}

func TestAnApprovalEndsWithWhatItStandsOn(t *testing.T) {
	for name, c := range map[string]struct {
		change func(b *browserSession)
		kind   fault.Kind
		code   string
	}{
		"a minute passed": {func(b *browserSession) { b.pass(time.Minute) }, fault.Invalid, "invalid_grant"},
		"logged out": {func(b *browserSession) {
			must(t, b.Tokens.Revoke(t.Context(), b.bearer.Hash, session.End{Reason: "test"}))
		}, fault.Denied, "session_ended"},
		"all tokens expired": {func(b *browserSession) {
			_, err := b.db.ExpireTokens(t.Context(), b.bearer.User.ID, b.now())
			must(t, err)
		}, fault.Denied, "session_ended"},
		"the identity provider was disabled": {func(b *browserSession) {
			m := *b.sso
			m.Enabled = false
			must(t, b.db.UpdateIdP(t.Context(), &m))
		}, fault.Denied, "session_ended"},
		"the policy admits other addresses": {func(b *browserSession) {
			b.rules(func(r *policy.Rules) { r.Ranges = []netip.Prefix{netip.PrefixFrom(client.IP, 32)} })
		}, fault.Denied, "client_ip_address_policy_violation"},
		"the policy admits the program's address alone": {func(b *browserSession) {
			b.rules(func(r *policy.Rules) { r.Ranges = []netip.Prefix{netip.PrefixFrom(program.IP, 32)} })
		}, fault.Denied, "client_ip_address_policy_violation"},
		"the policy admits no identity provider": {func(b *browserSession) {
			b.rules(func(r *policy.Rules) { r.SAML = false })
		}, fault.Denied, "user_saml_authentication_method_not_allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrowserSession(t)
			code := b.authorize()
			c.change(b)
			_, err := b.RedeemCode(t.Context(), code, verifier, callback, program)
			wantCode(t, err, c.kind, c.code)
		})
	}
}

func TestTokensAndRecoveriesLogNoProgramIn(t *testing.T) {
	b := newBrowserSession(t)
	a, err := login.NewAuthorization(asked())
	must(t, err)
	start, err := b.BeginDevice(t.Context(), "robot", program)
	must(t, err)
	for _, c := range []struct {
		code   string
		change func(*session.Bearer)
	}{
		{"login_required", func(s *session.Bearer) { s.Kind = session.PersonalToken }},
		{"login_required", func(s *session.Bearer) { s.Device = true }},
		{"recovery_elsewhere", func(s *session.Bearer) { s.Method = session.Method{Kind: session.Recovery, ID: b.acme.ID} }},
	} {
		by, code := b.bearer, c.code
		c.change(&by)
		_, err := b.Authorize(t.Context(), a, by, client)
		wantCode(t, err, fault.Denied, code)
		_, err = b.Login.Device(t.Context(), start.UserCode, by, client)
		wantCode(t, err, fault.Denied, code)
		wantCode(t, b.AnswerDevice(t.Context(), start.UserCode, true, by, client), fault.Denied, code)
		wantCode(t, b.AnswerDevice(t.Context(), start.UserCode, false, by, client), fault.Denied, code)
	}
}

func TestATypedCodeLogsAProgramIn(t *testing.T) {
	b, inbox := newBrowserSession(t), &box{}
	b.Login.Mail = inbox
	start, err := b.BeginDevice(t.Context(), "robot", program)
	must(t, err)
	poll := func() (login.Redeemed, error) { return b.RedeemDevice(t.Context(), start.DeviceCode, program) }
	_, err = poll()
	wantCode(t, err, fault.Invalid, "authorization_pending")
	_, err = poll()
	wantCode(t, err, fault.Invalid, "slow_down")
	typed := strings.ToLower(strings.ReplaceAll(start.UserCode, "-", " "))
	d, err := b.Login.Device(t.Context(), typed, b.bearer, client)
	must(t, err)
	if d.Program != "robot" || d.ProgramIP != program.IP {
		t.Errorf("got %+v, want the program and its address", d)
	}
	must(t, b.AnswerDevice(t.Context(), typed, true, b.bearer, client))
	wantCode(t, b.AnswerDevice(t.Context(), typed, false, b.bearer, client), fault.Invalid, "device_code_not_found")
	out, err := poll()
	must(t, err)
	must(t, b.visit(out.Text))
	hash, _ := session.Hash(out.Text)
	got, err := b.db.Bearer(t.Context(), hash)
	must(t, err)
	if !got.Device || got.Method != b.bearer.Method {
		t.Errorf("got %+v, want a session that is marked, of the same method", got.Token)
	}
	_, err = poll()
	wantCode(t, err, fault.Invalid, "invalid_grant")
	if len(inbox.mails) != 1 || inbox.mails[0].Kind != mail.DeviceLogin || !strings.Contains(inbox.mails[0].Text, program.IP.String()) || !strings.Contains(inbox.mails[0].Text, client.IP.String()) {
		t.Errorf("got the mails %+v, want one that names both addresses", inbox.mails)
	}
	// Somebody may have been talked into typing the code: the session changes
	// nothing of what is the person's own. What is made with it has the mark.
	_, _, err = b.Tokens.Create(t.Context(), session.Holder{Actor: account.Actor{User: got.User}, Token: got.Token}, session.New{Description: "x"})
	wantCode(t, err, fault.Denied, "login_too_old")
	_, err = b.Unlink(t.Context(), got, b.sso.ID, "", browser(), client)
	wantCode(t, err, fault.Denied, "login_too_old")
	_, _, err = b.BeginLink(t.Context(), b.sso.ID, got, "", browser(), client)
	wantCode(t, err, fault.Denied, "login_too_old")
	_, made, err := b.Tokens.Create(t.Context(), session.Holder{Actor: account.Actor{User: got.User}, Token: got.Token, Proved: true}, session.New{Description: "x"})
	must(t, err)
	if !made.Device {
		t.Errorf("got %+v, want the mark of the login that it goes back to", made)
	}
}

func TestATypedCodeIsRefusedOrLate(t *testing.T) {
	b := newBrowserSession(t)
	refused, err := b.BeginDevice(t.Context(), "robot", program)
	must(t, err)
	must(t, b.AnswerDevice(t.Context(), refused.UserCode, false, b.bearer, client))
	_, err = b.RedeemDevice(t.Context(), refused.DeviceCode, program)
	wantCode(t, err, fault.Invalid, "access_denied")
	late, err := b.BeginDevice(t.Context(), "robot", program)
	must(t, err)
	b.pass(10 * time.Minute)
	_, err = b.Login.Device(t.Context(), late.UserCode, b.bearer, client)
	wantCode(t, err, fault.Invalid, "device_code_not_found")
	wantCode(t, b.AnswerDevice(t.Context(), late.UserCode, true, b.bearer, client), fault.Invalid, "device_code_not_found")
	_, err = b.RedeemDevice(t.Context(), late.DeviceCode, program)
	wantCode(t, err, fault.Invalid, "expired_token")
	_, err = b.RedeemDevice(t.Context(), "nonsense", program)
	wantCode(t, err, fault.Invalid, "invalid_grant")
}

func TestWrongCodesAreCounted(t *testing.T) {
	b := newBrowserSession(t)
	start, err := b.BeginDevice(t.Context(), "robot", program)
	must(t, err)
	wrong := "BBBB-BBBB"
	limited := 0
	for range 20 {
		_, err := b.Login.Device(t.Context(), wrong, b.bearer, client)
		if errors.Is(err, fault.TooMany) {
			limited++
			continue
		}
		wantCode(t, err, fault.Invalid, "device_code_not_found")
	}
	if limited != 15 {
		t.Errorf("got %d of 20 wrong codes refused unread, want 15", limited)
	}
	_, err = b.Login.Device(t.Context(), start.UserCode, b.bearer, client)
	if !errors.Is(err, fault.TooMany) {
		t.Errorf("the right code: got %v, want too many", err)
	}
	// Another session of the same person has five tries left, and no more.
	other := b.bearer
	other.Hash = sha256.Sum256([]byte("another session"))
	for range 5 {
		_, err = b.Login.Device(t.Context(), wrong, other, client)
		wantCode(t, err, fault.Invalid, "device_code_not_found")
	}
	third := b.bearer
	third.Hash = sha256.Sum256([]byte("a third session"))
	if _, err = b.Login.Device(t.Context(), wrong, third, client); !errors.Is(err, fault.TooMany) {
		t.Errorf("a third session: got %v, want too many", err)
	}
}

func TestWhatIsNoCodeIsNotCounted(t *testing.T) {
	b := newBrowserSession(t)
	for range 30 {
		for _, typed := range []string{"", "AAAA-AAAA", "BCDF-GH", "BCDF-GHJKL", strings.Repeat("B", 1000), "BCDF-GHJ\x00", "ＢＣＤＦＧＨＪＫ"} {
			_, err := b.Login.Device(t.Context(), typed, b.bearer, client)
			if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || f.Field != "user_code" {
				t.Fatalf("%q: got %v, want invalid at user_code", typed, err)
			}
		}
	}
}

func TestAPolicyRefusesTypedCodes(t *testing.T) {
	start := func(b *browserSession) login.DeviceStart {
		d, err := b.BeginDevice(t.Context(), "robot", program)
		must(t, err)
		return d
	}
	for name, c := range map[string]struct {
		rules func(*policy.Rules)
		code  string
	}{
		"it is off":             {func(r *policy.Rules) { r.DeviceLogin = false }, "device_login_not_allowed"},
		"the browser's address": {func(r *policy.Rules) { r.Ranges = []netip.Prefix{netip.PrefixFrom(program.IP, 32)} }, "client_ip_address_policy_violation"},
		"the program's address": {func(r *policy.Rules) { r.Ranges = []netip.Prefix{netip.PrefixFrom(client.IP, 32)} }, "client_ip_address_policy_violation"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrowserSession(t)
			before, after := start(b), start(b)
			must(t, b.AnswerDevice(t.Context(), before.UserCode, true, b.bearer, client))
			b.rules(c.rules)
			_, err := b.Login.Device(t.Context(), after.UserCode, b.bearer, client)
			wantCode(t, err, fault.Denied, c.code)
			wantCode(t, b.AnswerDevice(t.Context(), after.UserCode, true, b.bearer, client), fault.Denied, c.code)
			_, err = b.RedeemDevice(t.Context(), before.DeviceCode, program)
			wantCode(t, err, fault.Denied, c.code)
			_, err = b.RedeemDevice(t.Context(), after.DeviceCode, program)
			wantCode(t, err, fault.Invalid, "authorization_pending")
		})
	}
}
