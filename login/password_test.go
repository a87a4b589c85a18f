package login_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/internal/fault"
	"gatehouse/login"
	"gatehouse/session"
)

const adminMail, adminPassword = "admin@acme.test", "correct horse"

func TestPasswordsAreRightOrWrongAndNothingElse(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	_, err := w.Password(ctx, " ADMIN@acme.test", adminPassword, nil, client)
	must(t, err)

	_, wrong := w.Password(ctx, adminMail, "wrong", nil, client)
	_, nobody := w.Password(ctx, "nobody@acme.test", "wrong", nil, client)
	_, without := w.Password(ctx, "alice@acme.test", "wrong", nil, client)
	for name, err := range map[string]error{"wrong password": wrong, "no account": nobody, "account without a password": without} {
		wantCode(t, err, fault.Denied, "authentication_failed")
		if got, want := fault.Of(err).Message, fault.Of(wrong).Message; got != want {
			t.Errorf("%s: got %q, want %q as for a wrong password", name, got, want)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", 257)} {
		if _, err := w.Password(ctx, adminMail, bad, nil, client); !errors.Is(err, fault.Invalid) || fault.Of(err).Field != "password" {
			t.Errorf("password of %d bytes: got %v, want invalid at password", len(bad), err)
		}
	}
}

// Ten thousand guesses from one network, then many networks at once: few are
// hashed at all, and the owner comes in all the same.
func TestGuessingIsLimitedAndDoesNotLockTheOwnerOut(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	mine := browser()
	flow, err := w.AnswerPassword(ctx, adminMail, adminPassword, mine, "", client)
	must(t, err)
	_, err = w.finish(flow, mine)
	must(t, err)

	hashed := 0
	guess := func(from string) {
		_, err := w.Password(ctx, adminMail, "guess", nil, login.Client{IP: netip.MustParseAddr(from)})
		if errors.Is(err, fault.Denied) {
			hashed++
		} else if !errors.Is(err, fault.TooMany) {
			t.Fatalf("got %v, want denied or too many", err)
		}
	}
	for range 9_000 {
		guess("198.51.100.7")
	}
	if hashed > 10 {
		t.Errorf("%d guesses from one address were tried, want at most 10", hashed)
	}
	if _, err := w.Password(ctx, adminMail, adminPassword, nil, client); err != nil {
		t.Errorf("the owner, from another address: got %v, want to come in", err)
	}
	for i := range 1_000 {
		guess(netip.AddrFrom4([4]byte{203, 0, byte(i / 250), byte(i % 250)}).String())
	}
	if hashed > 210 {
		t.Errorf("%d guesses from everywhere were tried, want at most 210", hashed)
	}
	if _, err := w.Password(ctx, adminMail, adminPassword, mine, client); err != nil {
		t.Errorf("the owner, in a browser that is known: got %v, want to come in", err)
	}
	forged := &session.Browser{Secret: mine.Secret, Proof: strings.Repeat("A", len(mine.Proof))}
	if _, err := w.Password(ctx, adminMail, adminPassword, forged, login.Client{IP: netip.MustParseAddr("198.51.100.7")}); !errors.Is(err, fault.TooMany) {
		t.Errorf("a forged proof: got %v, want too many", err)
	}
}

func TestAPasswordLoginEndsWhereEveryLoginEnds(t *testing.T) {
	w, ctx, b := newWorld(t), context.Background(), browser()
	flow, err := w.AnswerPassword(ctx, adminMail, adminPassword, b, "/organizations/new", client)
	must(t, err)
	_, err = w.finish(flow, browser())
	wantCode(t, err, fault.Denied, "login_in_another_browser")
	out, err := w.finish(flow, b)
	must(t, err)
	if out.ReturnTo != "/organizations/new" || out.Token.Method.Kind != session.Password {
		t.Errorf("got %s by %s, want /organizations/new by password", out.ReturnTo, out.Token.Method.Kind)
	}
}

func TestSignupIsClosedWhereTheOperatorSaysSo(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	n := account.NewUser{Email: "new@acme.test", RealName: "New", Password: "long enough"}
	u, _, _, err := w.SignUp(ctx, n, client)
	must(t, err)
	if u.AddressProved {
		t.Error("the address of somebody who just signed up is proved, want unproved")
	}
	_, _, _, err = w.SignUp(ctx, n, client)
	if !errors.Is(err, fault.Exists) {
		t.Errorf("the same address again: got %v, want exists", err)
	}
	w.Open = false
	_, _, _, err = w.SignUp(ctx, account.NewUser{Email: "more@acme.test", RealName: "More", Password: "long enough"}, client)
	wantCode(t, err, fault.Denied, "signup_by_invitation")
}

func TestSignupsFromOneAddressAreLimited(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		_, _, _, err := w.SignUp(context.Background(), account.NewUser{Email: "x" + time.Duration(i).String() + "@acme.test", RealName: "X", Password: "short"}, client)
		if errors.Is(err, fault.TooMany) {
			return
		}
	}
	t.Error("30 signups at once from one address were all looked at, want a limit")
}
