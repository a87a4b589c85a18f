package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/audit"
	"gatehouse/internal/fault"
)

// LockUser does nothing: nobody else is there.
func (f *fakeStore) LockUser(context.Context, string) error { return nil }

func (f *fakeStore) TokenOf(_ context.Context, userID, prefix string, hash [sha256.Size]byte) (Token, error) {
	for _, b := range f.bearers {
		if b.UserID == userID && (prefix != "" && b.Prefix == prefix || prefix == "" && b.Hash == hash) {
			return b.Token, nil
		}
	}
	return Token{}, fault.NotFound.Errorf("You have no such token.")
}

func (f *fakeStore) TokensOf(_ context.Context, userID string, now time.Time) ([]Token, error) {
	var all []Token
	for _, b := range f.bearers {
		if b.UserID == userID && now.Before(b.ExpiresAt) {
			all = append(all, b.Token)
		}
	}
	return all, nil
}

func (f *fakeStore) CountTokens(_ context.Context, userID string, k Kind, now time.Time) (n int, err error) {
	for _, b := range f.bearers {
		if b.UserID == userID && b.Kind == k && now.Before(b.ExpiresAt) {
			n++
		}
	}
	return n, nil
}

func (f *fakeStore) DescribeToken(_ context.Context, hash [sha256.Size]byte, description string) error {
	b := f.bearers[hash]
	b.Description = description
	f.bearers[hash] = b
	return nil
}

func (f *fakeStore) ExpireTokens(_ context.Context, userID string, _ time.Time) (n int, err error) {
	for hash, b := range f.bearers {
		if b.UserID == userID {
			delete(f.bearers, hash)
			n++
		}
	}
	return n, nil
}

// rules lets tokens be made, or not.
type rules struct {
	most time.Duration
	err  error
}

func (r rules) MayMakeTokens(context.Context, string) (time.Duration, error) { return r.most, r.err }

// holder is Ada with a token of a login at noon, as edit changes it.
func holder(t *testing.T, s *Tokens, store *fakeStore, edit func(*Token)) Holder {
	t.Helper()
	_, token, err := s.Issue(t.Context(), Grant{UserID: "ada", Method: Method{Kind: Password}, LoggedIn: noon})
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(&token)
	}
	store.bearers[token.Hash] = Bearer{Token: token}
	return Holder{
		Actor: account.Actor{User: account.User{ID: "ada", Email: "ada@example.com"}, IP: netip.MustParseAddr("192.0.2.1"), UserAgent: "program/1"},
		Token: token,
	}
}

func personal(t *Token) { t.Kind = PersonalToken }

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestAPersonalTokenRemembersTheLoginBehindIt(t *testing.T) {
	s, store, now := newTokens()
	*now = noon.Add(5 * time.Minute)
	by := holder(t, s, store, func(t *Token) {
		t.Method, t.TwoFactor, t.Context, t.Description = Method{Kind: SAML, ID: "am1"}, true, "urn:x:y", "the login's"
	})
	text, got, err := s.Create(t.Context(), by, New{
		Description: " For the backup ", MaxAge: time.Hour, ExtendWhenUsed: true,
		Ranges: []string{"192.0.2.0/24", "2001:db8::1"}, Scopes: []string{"projects", "user:read"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Token{
		Hash: sha256.Sum256([]byte(text)), Prefix: text[:12], UserID: "ada", Kind: PersonalToken,
		Method: Method{Kind: SAML, ID: "am1"}, TwoFactor: true, Context: "urn:x:y", LoggedIn: noon,
		CreatedAt: *now, ExpiresAt: now.Add(time.Hour), MaxAge: time.Hour, ExtendWhenUsed: true,
		Ranges: prefixes("192.0.2.0/24", "2001:db8::1/128"), Scopes: Scopes{"projects", "user:read"},
		Description: "For the backup", UserAgent: "program/1", IP: by.IP,
	}
	same := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	sameIP := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	if diff := cmp.Diff(want, got, same, sameIP); diff != "" {
		t.Errorf("got another token (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, store.bearers[want.Hash].Token, same, sameIP); diff != "" {
		t.Errorf("another token is kept (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(text, "gtp_") || !wellFormed(text) {
		t.Errorf("got %q, want a token that begins with gtp_", text)
	}
	last := store.events[len(store.events)-1]
	if last.Action != audit.TokenCreate || last.Target.ID != got.Prefix || last.Details["authentication_method_id"] != "am1" || strings.Contains(last.Target.Name, text) {
		t.Errorf("got the event %+v, want the token's making", last)
	}
}

func TestWhatAPersonalTokenMayBe(t *testing.T) {
	const wider, old = "token_wider_than_its_maker", "login_too_old"
	ranged := func(texts ...string) func(*Token) {
		return func(t *Token) { personal(t); t.Ranges = prefixes(texts...) }
	}
	scoped := func(scopes ...string) func(*Token) {
		return func(t *Token) { personal(t); t.Scopes = scopes }
	}
	for _, c := range []struct {
		name  string
		maker func(*Token)
		after time.Duration // since the login
		typed bool          // the password, with the request
		new   New
		rules Rules
		code  string // of the refusal
		field string // at fault
	}{
		{name: "nothing said"},
		{name: "a login of ten minutes ago", after: 10 * time.Minute},
		{name: "a login of longer ago", after: 10*time.Minute + 1, code: old, field: "password"},
		{name: "a login of longer ago, and the password", after: 11 * time.Hour, typed: true},
		{name: "with a personal token, long after the login", maker: personal, after: 11 * time.Hour},
		{name: "after a recovery", maker: func(t *Token) { t.Method = Method{Kind: Recovery, ID: "org1"} }, code: "recovery_elsewhere"},
		{name: "after a recovery, with the password", maker: func(t *Token) { t.Method.Kind = Recovery }, typed: true, code: "recovery_elsewhere"},
		{name: "with an application's", maker: func(t *Token) { t.Kind = ApplicationToken }, code: "user_personal_token_not_allowed"},
		{name: "with a token of no kind", maker: func(t *Token) { t.Kind = "" }, typed: true, code: "user_personal_token_not_allowed"},

		{name: "extended, but by how much?", new: New{ExtendWhenUsed: true}, field: "extend_when_used"},
		{name: "the shortest age", new: New{MaxAge: 600 * time.Second}},
		{name: "shorter", new: New{MaxAge: 599 * time.Second}, code: "auth_token_max_age_too_low", field: "max_age_seconds"},
		{name: "backwards", new: New{MaxAge: -time.Hour}, code: "auth_token_max_age_too_low", field: "max_age_seconds"},
		{name: "the longest age", new: New{MaxAge: 315_360_000 * time.Second}},
		{name: "longer", new: New{MaxAge: 315_360_001 * time.Second}, field: "max_age_seconds"},
		{name: "as long as the one that it is made with", maker: personal, new: New{MaxAge: 12 * time.Hour}},
		{name: "longer than the one that it is made with", maker: personal, new: New{MaxAge: 12*time.Hour + time.Second}, code: wider, field: "max_age_seconds"},
		{name: "longer than a session", new: New{MaxAge: 13 * time.Hour}},

		{name: "a description of a thousand", new: New{Description: strings.Repeat("é", 1000)}},
		{name: "a longer one", new: New{Description: strings.Repeat("é", 1001)}, field: "description"},
		{name: "one with a NUL", new: New{Description: "a\x00b"}, field: "description"},

		{name: "no range at all", new: New{Ranges: []string{"10.0.0.0/33"}}, field: "ip_allowlist"},
		{name: "too many ranges", new: New{Ranges: make([]string, 101)}, field: "ip_allowlist"},
		{name: "the same range", maker: ranged("10.0.0.0/8"), new: New{Ranges: []string{"10.0.0.0/8"}}},
		{name: "a part of a range", maker: ranged("192.0.2.0/24", "10.0.0.0/8"), new: New{Ranges: []string{"10.1.2.3", "10.2.0.0/16"}}},
		{name: "a part, as IPv6 writes it", maker: ranged("10.0.0.0/8"), new: New{Ranges: []string{"::ffff:10.1.0.0/112"}}},
		{name: "more than a range, as IPv6 writes it", maker: ranged("10.0.0.0/8"), new: New{Ranges: []string{"::ffff:10.0.0.0/103"}}, field: "ip_allowlist", code: "?"},
		{name: "all of IPv4 in IPv6", maker: ranged("10.0.0.0/8"), new: New{Ranges: []string{"::ffff:0:0/96"}}, code: wider, field: "ip_allowlist"},
		{name: "a wider range", maker: ranged("10.0.0.0/8"), new: New{Ranges: []string{"10.0.0.0/7"}}, code: wider, field: "ip_allowlist"},
		{name: "another range beside a part", maker: ranged("10.0.0.0/8"), new: New{Ranges: []string{"10.1.0.0/16", "11.0.0.0/8"}}, code: wider, field: "ip_allowlist"},
		{name: "IPv6 where there was IPv4", maker: ranged("0.0.0.0/0"), new: New{Ranges: []string{"::/0"}}, code: wider, field: "ip_allowlist"},
		{name: "IPv4 where there was IPv6", maker: ranged("::/0"), new: New{Ranges: []string{"10.0.0.0/8"}}, code: wider, field: "ip_allowlist"},
		{name: "two halves of one range", maker: ranged("10.0.0.0/9", "10.128.0.0/9"), new: New{Ranges: []string{"10.0.0.0/8"}}, code: wider, field: "ip_allowlist"},
		{name: "a part of IPv6", maker: ranged("2001:db8::/32"), new: New{Ranges: []string{"2001:db8:1::/48"}}},
		{name: "more than that of IPv6", maker: ranged("2001:db8:1::/48"), new: New{Ranges: []string{"2001:db8::/32"}}, code: wider, field: "ip_allowlist"},

		{name: "an unknown scope", new: New{Scopes: []string{"everything"}}, field: "scopes"},
		{name: "a part of a scope", maker: scoped("projects"), new: New{Scopes: []string{"projects:read"}}},
		{name: "a scope of two halves", maker: scoped("projects:read", "projects:write"), new: New{Scopes: []string{"projects"}}},
		{name: "all, where there was a part", maker: scoped("projects"), new: New{Scopes: []string{"all"}}, code: wider, field: "scopes"},
		{name: "the other half", maker: scoped("projects:read"), new: New{Scopes: []string{"projects:write"}}, code: wider, field: "scopes"},
		{name: "the whole, where there was half", maker: scoped("projects:read"), new: New{Scopes: []string{"projects"}}, code: wider, field: "scopes"},
		{name: "another area", maker: scoped("projects"), new: New{Scopes: []string{"projects:read", "user"}}, code: wider, field: "scopes"},

		{name: "where organizations let her make none", rules: rules{err: fault.Denied.Errorf("None.").Coded("user_personal_token_not_allowed")}, code: "user_personal_token_not_allowed"},
		{name: "as long as her organization allows", rules: rules{most: time.Hour}, new: New{MaxAge: time.Hour}},
		{name: "longer than her organization allows", rules: rules{most: time.Hour}, new: New{MaxAge: time.Hour + time.Second}, code: "auth_token_max_age_too_high", field: "max_age_seconds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, store, now := newTokens()
			s.Rules = c.rules
			by := holder(t, s, store, c.maker)
			*now = noon.Add(c.after)
			by.Proved = c.typed
			if by.Token.Kind == PersonalToken {
				by.Token.ExpiresAt = now.Add(12 * time.Hour)
			}
			before := len(store.bearers)
			_, got, err := s.Create(t.Context(), by, c.new)
			if c.code == "" && c.field == "" {
				if err != nil || len(store.bearers) != before+1 {
					t.Fatalf("got %v, want a token", err)
				}
				if wide := checkInside(got, by.Token); wide != "" {
					t.Errorf("got %s that it was not made with", wide)
				}
				return
			}
			f := fault.Of(err)
			if err == nil || f.Field != c.field || (c.code != "?" && f.Code != c.code) || f.Message == "" {
				t.Errorf("got %v with code %q at %q, want %q at %q", err, f.Code, f.Field, c.code, c.field)
			}
			if len(store.bearers) != before || len(store.events) != 0 {
				t.Error("got something kept of a token that was refused")
			}
		})
	}
}

// checkInside says what a token has that its maker has not.
func checkInside(got, from Token) string {
	switch {
	case from.Kind == PersonalToken && (got.EndsAt.IsZero() || got.EndsAt.After(from.ExpiresAt) || got.ExpiresAt.After(from.ExpiresAt)):
		return "an end"
	case len(from.Ranges) > 0 && len(got.Ranges) == 0:
		return "ranges"
	case len(from.Scopes) > 0 && len(got.Scopes) == 0:
		return "scopes"
	}
	return ""
}

func TestWhatIsNotSaidIsInherited(t *testing.T) {
	s, store, now := newTokens()
	by := holder(t, s, store, func(t *Token) {
		personal(t)
		t.Ranges, t.Scopes, t.ExpiresAt = prefixes("10.0.0.0/8"), Scopes{"user:read"}, noon.Add(time.Hour)
	})
	text, got, err := s.Create(t.Context(), by, New{})
	if err != nil {
		t.Fatal(err)
	}
	if !got.ExpiresAt.Equal(noon.Add(time.Hour)) || len(got.Ranges) != 1 || len(got.Scopes) != 1 {
		t.Errorf("got %+v, want the end, the ranges and the scopes of the token that it was made with", got)
	}
	// And so on: no chain of tokens gets beyond the first.
	*now = noon.Add(59 * time.Minute)
	by.Token = store.bearers[sha256.Sum256([]byte(text))].Token
	_, again, err := s.Create(t.Context(), by, New{})
	if err != nil || !again.ExpiresAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("got %s, %v; want the first one's end", again.ExpiresAt, err)
	}
	// Nothing is shared with the token that it came from.
	again.Scopes[0] = "all"
	if by.Token.Scopes[0] != "user:read" {
		t.Error("changing one token's scopes changes the other's")
	}
}

func TestAUseExtendsNoTokenBeyondItsEnd(t *testing.T) {
	s, store, _ := newTokens()
	s.Rules = rules{most: 3 * time.Hour}
	_, bound, err := s.Create(t.Context(), holder(t, s, store, nil), New{MaxAge: time.Hour, ExtendWhenUsed: true})
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]time.Duration{30 * time.Minute: 90 * time.Minute, 150 * time.Minute: 3 * time.Hour} {
		if got := bound.extended(noon.Add(after)); !got.Equal(noon.Add(want)) {
			t.Errorf("used after %s: lasts until %s, want %s", after, got, noon.Add(want))
		}
	}
}

func TestAPersonHasAHundredTokensAtMost(t *testing.T) {
	s, store, now := newTokens()
	by := holder(t, s, store, nil)
	for i := range mostPersonal {
		if _, _, err := s.Create(t.Context(), by, New{MaxAge: shortestMaxAge}); err != nil {
			t.Fatalf("token %d: got %v", i, err)
		}
	}
	_, _, err := s.Create(t.Context(), by, New{})
	if fault.Of(err).Code != "token_limit_reached" {
		t.Errorf("got %v, want token_limit_reached", err)
	}
	*now = noon.Add(shortestMaxAge)
	if _, _, err := s.Create(t.Context(), by, New{}); err != nil {
		t.Errorf("once the others are over: got %v, want no error", err)
	}
}

func TestATokenThatIsGoneMakesNoOther(t *testing.T) {
	s, store, _ := newTokens()
	by := holder(t, s, store, nil)
	delete(store.bearers, by.Token.Hash)
	if _, _, err := s.Create(t.Context(), by, New{}); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("got %v, want unauthenticated", err)
	}
}

func TestTokensAreNamedByPrefixOrText(t *testing.T) {
	s, store, _ := newTokens()
	by := holder(t, s, store, nil)
	text, made, err := s.Create(t.Context(), by, New{Description: "first"})
	if err != nil {
		t.Fatal(err)
	}
	eve := by
	eve.User.ID = "eve"
	for _, name := range []string{"", made.Prefix[:11], made.Prefix + "x", strings.Repeat("x", textLength), "gts_", "\x00"} {
		if err := s.RevokeNamed(t.Context(), by, name); !errors.Is(err, fault.NotFound) {
			t.Errorf("%q: got %v, want not found", name, err)
		}
	}
	for _, name := range []string{made.Prefix, text} {
		if err := s.RevokeNamed(t.Context(), eve, name); !errors.Is(err, fault.NotFound) {
			t.Errorf("somebody else's %q: got %v, want not found", name, err)
		}
		got, err := s.Describe(t.Context(), by, name, "by "+name[:4])
		if err != nil || got.Description != "by gtp_" {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if err := s.RevokeNamed(t.Context(), by, text); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeNamed(t.Context(), by, made.Prefix); !errors.Is(err, fault.NotFound) {
		t.Errorf("twice: got %v, want not found", err)
	}
	n, err := s.ExpireAll(t.Context(), by)
	if list, _ := s.List(t.Context(), "ada"); err != nil || n != 1 || len(list) != 0 {
		t.Errorf("got %d ended, %v, and %d left; want the last one ended", n, err, len(list))
	}
}
