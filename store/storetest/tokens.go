package storetest

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"testing"
	"time"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
	"gatehouse/store"
)

// fullToken is a token in which nothing is zero but what a login has not.
func fullToken(name, userID string) session.Token {
	t := Token(name, userID)
	t.Kind, t.MaxAge, t.ExtendWhenUsed, t.EndsAt = session.PersonalToken, time.Hour, true, Then.Add(48*time.Hour)
	t.Ranges = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	t.Scopes = session.Scopes{"projects", "user:read"}
	return t
}

func prefixesOf(all []session.Token) []string {
	return ids(all, func(t session.Token) string { return t.Prefix })
}

var tokens = []promise{
	{"a person's tokens that count are listed, oldest first, whole", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		old, young, over := fullToken("old", ada.ID), fullToken("young", ada.ID), fullToken("over", ada.ID)
		young.CreatedAt, over.ExpiresAt = Then.Add(time.Second), Then
		for _, token := range []session.Token{young, over, old, fullToken("eves", eve.ID)} {
			do(t, s.AddToken(t.Context(), token))
		}
		got, err := s.TokensOf(t.Context(), ada.ID, Then)
		do(t, err)
		same(t, got, []session.Token{old, young})
		for _, id := range []string{"u-nobody", "", "\x00"} {
			got, err := s.TokensOf(t.Context(), id, Then)
			do(t, err)
			same(t, len(got), 0)
		}
	}},
	{"a token is found by its prefix or its hash, by whose it is", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		mine, hers := fullToken("mine", ada.ID), fullToken("hers", eve.ID)
		hers.Prefix = mine.Prefix
		do(t, s.AddToken(t.Context(), mine), s.AddToken(t.Context(), hers))
		var nothing [sha256.Size]byte
		for _, c := range []struct {
			user, prefix string
			hash         [sha256.Size]byte
			want         *session.Token
		}{
			{ada.ID, mine.Prefix, nothing, &mine},
			{ada.ID, "", mine.Hash, &mine},
			{eve.ID, mine.Prefix, nothing, &hers},
			{ada.ID, mine.Prefix, hers.Hash, &mine},
			{ada.ID, "", hers.Hash, nil},
			{ada.ID, "", nothing, nil},
			{ada.ID, mine.Prefix[:5], nothing, nil},
			{ada.ID, "%", nothing, nil},
			{ada.ID, "\x00", nothing, nil},
			{"", mine.Prefix, nothing, nil},
		} {
			got, err := s.TokenOf(t.Context(), c.user, c.prefix, c.hash)
			if c.want == nil {
				isFault(t, err, fault.NotFound)
				continue
			}
			do(t, err)
			same(t, got, *c.want)
		}
	}},
	{"tokens are counted by person, kind and end", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		over := fullToken("over", ada.ID)
		over.ExpiresAt = Then
		for _, token := range []session.Token{fullToken("one", ada.ID), fullToken("two", ada.ID), over, Token("session", ada.ID), fullToken("eves", eve.ID)} {
			do(t, s.AddToken(t.Context(), token))
		}
		for kind, want := range map[session.Kind]int{session.PersonalToken: 2, session.SessionToken: 1, session.ApplicationToken: 0} {
			got, err := s.CountTokens(t.Context(), ada.ID, kind, Then)
			do(t, err)
			same(t, got, want)
		}
	}},
	{"with the user locked, many who make a token at once make no more than there may be", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		won := race(t, 12, fault.Denied, func(ctx context.Context, i int) error {
			return s.Tx(ctx, func(ctx context.Context) error {
				if err := s.LockUser(ctx, u.ID); err != nil {
					return err
				}
				n, err := s.CountTokens(ctx, u.ID, session.PersonalToken, Then)
				if err != nil {
					return err
				}
				if n >= 3 {
					return fault.Denied.Errorf("There are enough.")
				}
				return s.AddToken(ctx, fullToken(string(rune('a'+i)), u.ID))
			})
		})
		same(t, won, 3)
	}},
	{"who is not there cannot be locked, and nobody outside of a transaction", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		if err := s.LockUser(t.Context(), u.ID); err == nil {
			t.Error("got a lock that nothing holds")
		}
		isFault(t, s.Tx(t.Context(), func(ctx context.Context) error { return s.LockUser(ctx, "u-nobody") }), fault.NotFound)
		do(t, s.Tx(t.Context(), func(ctx context.Context) error { return s.LockUser(ctx, u.ID) }))
		got, err := s.User(t.Context(), u.ID)
		do(t, err)
		same(t, got, u)
	}},
	{"a token is described anew, and nothing else of it or others changes", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		one, two := fullToken("one", u.ID), fullToken("two", u.ID)
		two.CreatedAt = Then.Add(time.Second)
		do(t, s.AddToken(t.Context(), one), s.AddToken(t.Context(), two), s.DescribeToken(t.Context(), one.Hash, "Another"))
		one.Description = "Another"
		got, err := s.TokensOf(t.Context(), u.ID, Then)
		do(t, err)
		same(t, got, []session.Token{one, two})
		isFault(t, s.DescribeToken(t.Context(), sha256.Sum256([]byte("none")), "x"), fault.NotFound)
	}},
	{"all tokens of a person end, and none counts that was made before", func(t *testing.T, s *store.Store) {
		ada, eve := addUser(t, s, "ada"), addUser(t, s, "eve")
		for _, token := range []session.Token{fullToken("one", ada.ID), Token("two", ada.ID), fullToken("eves", eve.ID)} {
			do(t, s.AddToken(t.Context(), token))
		}
		now := Then.Add(time.Minute)
		n, err := s.ExpireTokens(t.Context(), ada.ID, now)
		do(t, err)
		same(t, n, 2)
		got, err := s.TokensOf(t.Context(), ada.ID, Then)
		do(t, err)
		same(t, len(got), 0)
		got, err = s.TokensOf(t.Context(), eve.ID, Then)
		do(t, err)
		same(t, prefixesOf(got), []string{"gts_eves"})
		u, err := s.User(t.Context(), ada.ID)
		do(t, err)
		same(t, u.TokensValidFrom, now)
		// One that was being made meanwhile.
		do(t, s.AddToken(t.Context(), fullToken("late", ada.ID)))
		b, err := bearer(t, s, fullToken("late", ada.ID).Hash)
		do(t, err)
		same(t, b.Refusal(now), "user expired all tokens")
		_, err = s.ExpireTokens(t.Context(), "u-nobody", now)
		isFault(t, err, fault.NotFound)
	}},
	{"the latest use of a token is kept, whichever comes last, and extends it alone", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		one, two := fullToken("one", u.ID), fullToken("two", u.ID)
		do(t, s.AddToken(t.Context(), one), s.AddToken(t.Context(), two))
		used := func(token session.Token, after time.Duration, agent string, extends time.Time) session.Used {
			return session.Used{Hash: token.Hash, ExpiresAt: extends, Use: session.Use{At: Then.Add(after), IP: netip.MustParseAddr("192.0.2.9"), UserAgent: agent}}
		}
		gone := fullToken("gone", u.ID)
		later := Then.Add(2 * time.Hour)
		do(t, s.NoteUses(t.Context(), []session.Used{used(one, time.Hour, "new", later), used(gone, time.Hour, "x", later), used(two, time.Minute, "two", time.Time{})}))
		do(t, s.NoteUses(t.Context(), []session.Used{used(one, time.Minute, "old", Then.Add(3*time.Hour))}))
		do(t, s.NoteUses(t.Context(), nil))
		one.LastUse, one.ExpiresAt = used(one, time.Hour, "new", later).Use, later
		two.LastUse = used(two, time.Minute, "two", time.Time{}).Use
		for _, want := range []session.Token{one, two} {
			got, err := s.TokenOf(t.Context(), u.ID, "", want.Hash)
			do(t, err)
			same(t, got, want)
		}
		// A later use never makes it end sooner, and may be from nowhere known.
		again := used(one, 90*time.Minute, "", Then)
		again.Use.IP = netip.Addr{}
		do(t, s.NoteUses(t.Context(), []session.Used{again}))
		got, err := s.TokenOf(t.Context(), u.ID, "", one.Hash)
		do(t, err)
		same(t, got.ExpiresAt, later)
		same(t, got.LastUse, again.Use)
	}},
	{"nodes that write uses of the same tokens at once do not stop each other", func(t *testing.T, s *store.Store) {
		u := addUser(t, s, "ada")
		var uses []session.Used
		for i := range 50 {
			token := fullToken(string(rune('A'+i)), u.ID)
			do(t, s.AddToken(t.Context(), token))
			uses = append(uses, session.Used{Hash: token.Hash, Use: session.Use{At: Then}})
		}
		won := race(t, 8, fault.Unavailable, func(ctx context.Context, i int) error {
			mine := append(append([]session.Used{}, uses[i*5:]...), uses[:i*5]...)
			return s.NoteUses(ctx, mine)
		})
		same(t, won, 8)
	}},
}

var passes = []promise{
	{"a pass is of a token at a place, by organization or account", func(t *testing.T, s *store.Store) {
		c := setScene(t, s)
		p := trial(c.acme, policy.ForGroup)
		p.Trial.GroupID = c.group.ID
		acme := policy.Place{Organization: c.acme, Policy: p, InGroup: true}
		member := account.Member{OrganizationID: c.acme.ID, UserID: c.ada.ID, SuperAdmin: true, JoinedAt: Then}
		bearer := session.Bearer{Token: c.tokens[2], User: c.ada, MethodUsable: true, Linked: true, MethodOrganizationID: c.other.ID, Fellow: true, SSO: Then}
		for _, w := range []struct {
			where gate.Where
			want  gate.Pass
		}{
			{gate.Where{}, gate.Pass{Bearer: bearer}},
			{gate.Where{OrganizationID: c.acme.ID}, gate.Pass{Bearer: bearer, Place: acme, Member: member}},
			{gate.Where{AccountID: c.acme.AccountID}, gate.Pass{Bearer: bearer, Place: acme, Member: member, Account: Root(c.acme)}},
			{gate.Where{AccountID: c.unit.ID}, gate.Pass{Bearer: bearer, Place: acme, Member: member, Account: c.unit}},
			{gate.Where{OrganizationID: c.other.ID}, gate.Pass{
				Bearer: bearer, Member: account.Member{OrganizationID: c.other.ID, UserID: c.ada.ID, SuperAdmin: true, JoinedAt: Then},
				Place: policy.Place{Organization: c.other, Policy: policy.Policy{OrganizationID: c.other.ID, Rules: policy.Usual()}},
			}},
		} {
			got, err := s.Pass(t.Context(), c.tokens[2].Hash, w.where)
			do(t, err)
			same(t, got, w.want)
		}
	}},
	{"a place that is not there, or somebody else's, is none", func(t *testing.T, s *store.Store) {
		c := setScene(t, s)
		foreign := addOrganization(t, s, "foreign")
		addMember(t, s, foreign, c.eve, true)
		for _, where := range []gate.Where{
			{OrganizationID: foreign.ID}, {OrganizationID: "org-none"}, {OrganizationID: "%"}, {OrganizationID: c.acme.AccountID},
			{AccountID: foreign.AccountID}, {AccountID: "a-none"}, {AccountID: c.acme.ID},
		} {
			got, err := s.Pass(t.Context(), c.tokens[0].Hash, where)
			do(t, err)
			same(t, got, gate.Pass{Bearer: session.Bearer{Token: c.tokens[0], User: c.ada, MethodUsable: true, Linked: true, SSO: Then}})
		}
		for _, where := range []gate.Where{{}, {OrganizationID: c.acme.ID}, {AccountID: c.unit.ID}, {OrganizationID: "\x00"}, {AccountID: "\xff"}} {
			_, err := s.Pass(t.Context(), sha256.Sum256([]byte("none")), where)
			isFault(t, err, fault.NotFound)
		}
	}},
	{"a person's places are all of theirs, oldest first", func(t *testing.T, s *store.Store) {
		c := setScene(t, s)
		third := Organization("third")
		third.Suspended, third.CreatedAt, third.UpdatedAt = true, Then.Add(-time.Hour), Then
		do(t, s.AddOrganization(t.Context(), third, Root(third)))
		addMember(t, s, third, c.ada, false)
		addMember(t, s, third, c.eve, true)
		p := trial(c.acme, policy.ForGroup)
		p.Trial.GroupID = c.group.ID
		member := func(o account.Organization, admin bool) account.Member {
			return account.Member{OrganizationID: o.ID, UserID: c.ada.ID, SuperAdmin: admin, JoinedAt: Then}
		}
		usual := func(o account.Organization) policy.Place {
			return policy.Place{Organization: o, Policy: policy.Policy{OrganizationID: o.ID, Rules: policy.Usual()}}
		}
		got, err := s.Places(t.Context(), c.ada.ID)
		do(t, err)
		same(t, got, []gate.Belonging{
			{Place: usual(third), Member: member(third, false)},
			{Place: policy.Place{Organization: c.acme, Policy: p, InGroup: true}, Member: member(c.acme, true), Managed: true},
			{Place: usual(c.other), Member: member(c.other, true)},
		})
		for _, id := range []string{"u-nobody", "", "\x00"} {
			got, err := s.Places(t.Context(), id)
			do(t, err)
			same(t, len(got), 0)
		}
	}},
	{"what is said of a policy's group is said of the person who asks", func(t *testing.T, s *store.Store) {
		c := setScene(t, s)
		addMember(t, s, c.acme, c.eve, false)
		token := Token("eves", c.eve.ID)
		do(t, s.AddToken(t.Context(), token))
		got, err := s.Pass(t.Context(), token.Hash, gate.Where{OrganizationID: c.acme.ID})
		do(t, err)
		same(t, got.Place.InGroup, false)
		same(t, got.Place.Organization, c.acme)
	}},
}
