package gate_test

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/account"
	"gatehouse/gate"
	"gatehouse/internal/fault"
	"gatehouse/policy"
	"gatehouse/session"
)

// code is what a refusal is called; "" for none.
func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Code
}

func TestATokenCountsFromItsRangesAlone(t *testing.T) {
	w := newWorld()
	g := w.node(t)
	text, _ := w.bearer(t, func(b *session.Bearer) {
		b.Ranges = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	})
	for _, c := range []struct {
		name string
		ip   netip.Addr
		want string
	}{
		{"inside", netip.MustParseAddr("192.0.2.255"), ""},
		{"inside, as IPv6 writes it", netip.MustParseAddr("::ffff:192.0.2.1"), ""},
		{"inside, IPv6", netip.MustParseAddr("2001:db8:ffff::1"), ""},
		{"inside, IPv6 with a zone", netip.MustParseAddr("2001:db8::1%eth0"), ""},
		{"outside", netip.MustParseAddr("192.0.3.0"), "api_client_ip_allowlist_blocks_caller"},
		{"outside, as IPv6 writes it", netip.MustParseAddr("::ffff:192.0.3.1"), "api_client_ip_allowlist_blocks_caller"},
		{"outside, IPv6", netip.MustParseAddr("2001:db9::1"), "api_client_ip_allowlist_blocks_caller"},
		{"an IPv6 address that only ends like it", netip.MustParseAddr("::192.0.2.1"), "api_client_ip_allowlist_blocks_caller"},
		{"not known", netip.Addr{}, "api_client_ip_allowlist_blocks_caller"},
	} {
		for _, need := range []account.Permission{account.ReadSelf, account.Leave, account.ReadOrganization} {
			_, err := g.Admit(t.Context(), gate.Request{Token: text, IP: c.ip, Need: need, OrganizationID: "org1"})
			if got := code(err); got != c.want {
				t.Errorf("%s, %s: got %q, want %q", c.name, need, got, c.want)
			}
		}
	}
}

func TestATokenDoesWhatItsScopesAllow(t *testing.T) {
	needs := []account.Permission{
		account.Leave, account.ReadSelf, account.WriteSelf, account.ReadTokens, account.WriteTokens, account.ListOrganizations,
		account.ReadOrganization, account.WriteOrganization, account.ReadIdPs, account.WriteIdPs, account.WritePolicy, account.Operate,
	}
	for _, c := range []struct {
		name   string
		scopes session.Scopes
		want   []account.Permission
	}{
		{"nothing narrows it", nil, needs},
		{"all", session.Scopes{"all"}, needs},
		{"reading oneself", session.Scopes{"user:read"}, []account.Permission{account.Leave, account.ReadSelf}},
		{"changing oneself alone", session.Scopes{"user:write"}, []account.Permission{account.Leave, account.WriteSelf}},
		{"tokens and identity providers", session.Scopes{"authentication"}, []account.Permission{
			account.Leave, account.ReadTokens, account.WriteTokens, account.ReadIdPs, account.WriteIdPs, account.WritePolicy,
		}},
		{"organizations, read, and oneself", session.Scopes{"accounts:read", "user"}, []account.Permission{
			account.Leave, account.ReadSelf, account.WriteSelf, account.ListOrganizations, account.ReadOrganization,
		}},
		{"what nothing needs yet", session.Scopes{"tickets", "billing:write"}, []account.Permission{account.Leave}},
		{"what there is not", session.Scopes{"everything"}, []account.Permission{account.Leave}},
	} {
		w := newWorld()
		g := w.node(t)
		text, _ := w.bearer(t, func(b *session.Bearer) { b.Scopes, b.User.Operator = c.scopes, true })
		var got []account.Permission
		for _, need := range needs {
			_, err := g.Admit(t.Context(), gate.Request{Token: text, Need: need, OrganizationID: "org1"})
			if err == nil {
				got = append(got, need)
			} else if code(err) != "token_scope_insufficient" {
				t.Errorf("%s, %s: got %q, want token_scope_insufficient", c.name, need, code(err))
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: got other permissions (-want +got):\n%s", c.name, diff)
		}
	}
}

// ruled gives the world's organization a policy that differs from the usual.
func (w *world) ruled(org string, edit func(*policy.Rules)) {
	p := policy.Policy{OrganizationID: org, Rules: policy.Usual()}
	edit(&p.Rules)
	w.policies[org] = p
}

func TestPersonalTokensUnderEachSetting(t *testing.T) {
	personal := func(b *session.Bearer) { b.Kind = session.PersonalToken }
	own := func(b *session.Bearer) {
		personal(b)
		b.Method, b.MethodOrganizationID = session.Method{Kind: session.SAML, ID: "am1"}, "org1"
	}
	stranger := func(b *session.Bearer) {
		own(b)
		b.MethodOrganizationID = "org9"
	}
	const no, way = "user_personal_token_not_allowed", "user_password_authentication_method_not_allowed"
	for _, c := range []struct {
		name  string
		rules func(*policy.Rules)
		token func(*session.Bearer)
		want  string
	}{
		{"enabled", func(*policy.Rules) {}, personal, ""},
		{"off for managed users, of anybody", func(r *policy.Rules) { r.PersonalTokens = policy.TokensNotForManaged }, personal, no},
		{"off", func(r *policy.Rules) { r.PersonalTokens = policy.TokensDisabled }, personal, no},
		{"off, and a session", func(r *policy.Rules) { r.PersonalTokens = policy.TokensDisabled }, nil, ""},
		{"off, and an application", func(r *policy.Rules) { r.PersonalTokens, r.Password = policy.TokensDisabled, false },
			func(b *session.Bearer) { b.Kind = session.ApplicationToken }, ""},
		{"made with a password that is off", func(r *policy.Rules) { r.Password = false }, personal, way},
		{"made with a password that is off, where that is not asked", func(r *policy.Rules) { r.Password, r.EnforceMethod = false, false }, personal, ""},
		{"made through its own identity provider", func(r *policy.Rules) { r.Password = false }, own, ""},
		{"made through a stranger's, where that is not asked", func(r *policy.Rules) { r.EnforceMethod = false }, stranger, "user_saml_authentication_method_not_allowed"},
		{"young enough", func(r *policy.Rules) { r.PersonalTokenAge = time.Hour }, personal, ""},
		{"too old", func(r *policy.Rules) { r.PersonalTokenAge = time.Hour },
			func(b *session.Bearer) {
				personal(b)
				b.CreatedAt, b.LoggedIn = b.CreatedAt.Add(-time.Hour-1), b.LoggedIn.Add(-time.Hour-1)
			}, no},
		{"of somebody managed who never came through the identity provider", func(r *policy.Rules) { r.Freshness = 24 * time.Hour }, personal, "sso_login_required"},
	} {
		w := newWorld()
		w.ruled("org1", c.rules)
		text, _ := w.bearer(t, c.token)
		err := enter(t, w.node(t), text, "org1")
		if got := code(err); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		var refused *policy.Refused
		if c.want != "" && !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want it to say which organization, and what it admits", c.name, err)
		}
	}
}

func TestProgramsThatCallThemselvesMCP(t *testing.T) {
	w := newWorld()
	w.ruled("org1", func(r *policy.Rules) { r.MCP = false })
	g := w.node(t)
	text, _ := w.bearer(t, nil)
	for agent, refused := range map[string]bool{
		"mcp/1.0": true, "MCP": true, "Acme-MCP/2": true, "mcp-client/0.1 (Linux)": true, "Mozilla/5.0 mcp-remote/1": true,
		"": false, "curl/8.0": false, "mcpherson/1.0": false, "tomcp/1": false, "Acme/1 (mcp)": false, "mc/p": false,
	} {
		_, err := g.Admit(t.Context(), gate.Request{Token: text, Need: account.ReadOrganization, OrganizationID: "org1", Agent: agent})
		if got := code(err) == "mcp_not_allowed"; got != refused {
			t.Errorf("%q: got %v, want it refused: %v", agent, err, refused)
		}
	}
}

func TestAPlaceThatIsNamedTwiceIsOne(t *testing.T) {
	w := newWorld()
	g := w.node(t)
	text, _ := w.bearer(t, nil)
	_, err := g.Admit(t.Context(), gate.Request{Token: text, Need: account.ReadOrganization, OrganizationID: "org2", AccountID: "org1"})
	if !errors.Is(err, fault.NotFound) {
		t.Errorf("got %v, want not found", err)
	}
}

// sightings keeps what is written down.
type sightings struct{ all []policy.Sighting }

func (s *sightings) AddSightings(_ context.Context, all []policy.Sighting) error {
	s.all = append(s.all, all...)
	return nil
}

func (s *sightings) Sightings(context.Context, string) ([]policy.Sighting, error) { return s.all, nil }

func TestWhatIsOnlyReportedRefusesNobodyAndIsNoted(t *testing.T) {
	w := newWorld()
	tried := policy.Usual()
	tried.Password = false
	w.policies["org1"] = policy.Policy{OrganizationID: "org1", Rules: policy.Usual(), Trial: &policy.Trial{
		Kind: policy.ReportOnly, Rules: tried, Since: w.now, Until: w.now.Add(time.Hour),
	}}
	g, kept := w.node(t), &sightings{}
	g.Sightings = &policy.Sightings{Store: kept}
	text, _ := w.bearer(t, nil)
	for range 3 {
		if err := enter(t, g, text, "org1"); err != nil {
			t.Fatalf("got %v, want nobody refused", err)
		}
	}
	v, err := g.Admit(t.Context(), gate.Request{Token: text, Need: account.ListOrganizations})
	if err != nil {
		t.Fatal(err)
	}
	if in, out, err := g.Organizations(t.Context(), v); err != nil || len(in) != 1 || len(out) != 0 {
		t.Errorf("got %v in and %v out, %v; want it let in", in, out, err)
	}
	w.pass(time.Hour)
	if err := enter(t, g, text, "org1"); err != nil {
		t.Errorf("once the report is over: got %v", err)
	}
	if err := g.Sightings.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(kept.all) != 1 || kept.all[0].Times != 4 || kept.all[0].UserID != "ada" || kept.all[0].Rule != "password_auth_enabled" || kept.all[0].Kind != policy.Session {
		t.Errorf("got %+v, want Ada's session four times", kept.all)
	}
}

// uses keeps what is written down of tokens.
type uses struct {
	session.Store
	mu  sync.Mutex
	all []session.Used
}

func (u *uses) NoteUses(_ context.Context, all []session.Used) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all = append(u.all, all...)
	return nil
}

func TestATokenThatUsesExtend(t *testing.T) {
	w := newWorld()
	extends := func(b *session.Bearer) {
		b.MaxAge, b.ExtendWhenUsed = 10*time.Minute, true
		b.ExpiresAt = w.now.Add(10 * time.Minute)
	}
	text, hash := w.bearer(t, extends)
	here, there := w.node(t), w.node(t)
	kept := &uses{}
	here.Uses, there.Uses = &session.Uses{Store: kept}, &session.Uses{Store: kept}
	try := func(g *gate.Gate) error {
		w.follow(t, g)
		return enter(t, g, text, "org1")
	}
	if err := try(there); err != nil {
		t.Fatal(err)
	}
	// Used here again and again, written down nowhere: the node knows itself.
	for range 5 {
		w.pass(8 * time.Minute)
		if err := try(here); err != nil {
			t.Fatalf("used %s ago: got %v, want no error", 8*time.Minute, err)
		}
	}
	if err := try(there); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("on a node that cannot know of it: got %v, want unauthenticated", err)
	}
	// The other one remembers it as expired, and is told nothing.
	if err := here.Uses.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, use := range kept.all {
		w.edit(hash, func(b *session.Bearer) { b.ExpiresAt = use.ExpiresAt })()
	}
	if err := try(there); err != nil {
		t.Errorf("once it is written: got %v, want no error", err)
	}
	w.pass(10 * time.Minute)
	for _, g := range []*gate.Gate{here, there} {
		if err := try(g); !errors.Is(err, fault.Unauthenticated) {
			t.Errorf("unused for its time: got %v, want unauthenticated", err)
		}
	}
	// No use helps a token beyond its end, or one that does not count.
	ends, endHash := w.bearer(t, func(b *session.Bearer) {
		extends(b)
		b.EndsAt = w.now.Add(12 * time.Minute)
	})
	text = ends
	if err := try(here); err != nil {
		t.Fatal(err)
	}
	w.pass(9 * time.Minute)
	if err := try(here); err != nil {
		t.Fatal(err)
	}
	w.pass(3 * time.Minute)
	if err := try(here); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("at its end: got %v, want unauthenticated", err)
	}
	w.edit(endHash, func(b *session.Bearer) {
		b.EndsAt, b.ExpiresAt, b.MethodUsable = time.Time{}, w.now.Add(time.Hour), false
	})()
	if err := try(here); !errors.Is(err, fault.Unauthenticated) {
		t.Errorf("of a method that is off: got %v, want unauthenticated", err)
	}
}

func TestOrganizationsThatRefuseAreLeftOutWithTheReason(t *testing.T) {
	w := newWorld()
	for _, org := range []string{"org2", "org3", "org4"} {
		w.members[org] = account.Member{OrganizationID: org, UserID: "ada"}
	}
	w.ruled("org2", func(r *policy.Rules) { r.Password = false })
	w.ruled("org4", func(r *policy.Rules) { r.Ranges = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	w.suspended["org3"] = true
	g := w.node(t)
	password, _ := w.bearer(t, nil)
	recovery, _ := w.bearer(t, func(b *session.Bearer) { b.Method = session.Method{Kind: session.Recovery, ID: "org2"} })
	saml, _ := w.bearer(t, func(b *session.Bearer) {
		b.Method, b.MethodOrganizationID, b.Fellow = session.Method{Kind: session.SAML, ID: "am2"}, "org2", true
	})
	for _, c := range []struct {
		name, token, ip string
		in              []string
		out             map[string]string
	}{
		{"by password", password, "198.51.100.1", []string{"org1"}, map[string]string{
			"org2": "user_password_authentication_method_not_allowed", "org3": "organization_suspended", "org4": "client_ip_address_policy_violation",
		}},
		{"by password, from the right address", password, "192.0.2.1", []string{"org1", "org4"}, map[string]string{
			"org2": "user_password_authentication_method_not_allowed", "org3": "organization_suspended",
		}},
		{"through an identity provider", saml, "192.0.2.1", []string{"org1", "org2", "org4"}, map[string]string{"org3": "organization_suspended"}},
		{"by a recovery", recovery, "192.0.2.1", []string{"org2"}, map[string]string{
			"org1": "recovery_elsewhere", "org3": "organization_suspended", "org4": "recovery_elsewhere",
		}},
	} {
		r := gate.Request{Token: c.token, IP: netip.MustParseAddr(c.ip), Need: account.ListOrganizations}
		v, err := g.Admit(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		in, out, err := g.Organizations(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		var gotIn []string
		gotOut := map[string]string{}
		for _, m := range in {
			gotIn = append(gotIn, m.ID)
		}
		for _, o := range out {
			if gotOut[o.Organization.ID] = o.Code; o.Why == "" || o.Organization.Name == "" {
				t.Errorf("%s: got %+v, want a name and a reason", c.name, o)
			}
		}
		if diff := cmp.Diff(c.in, gotIn) + cmp.Diff(c.out, gotOut); diff != "" {
			t.Errorf("%s: got other organizations (-want +got):\n%s", c.name, diff)
		}
		// Each is what entering it says.
		for _, org := range []string{"org1", "org2", "org3", "org4"} {
			r.Need, r.OrganizationID = account.ReadOrganization, org
			_, err := g.Admit(t.Context(), r)
			if got, want := code(err), gotOut[org]; got != want {
				t.Errorf("%s: entering %s says %q, the list %q", c.name, org, got, want)
			}
		}
	}
	w.broken = fault.Unavailable.Errorf("The database is away.")
	if _, _, err := g.Organizations(t.Context(), gate.Visit{}); !errors.Is(err, fault.Unavailable) {
		t.Errorf("with the database away: got %v, want unavailable", err)
	}
}

// hanging is a store that never answers.
type hanging struct{ *world }

func (hanging) Pass(ctx context.Context, _ [32]byte, _ gate.Where) (gate.Pass, error) {
	<-ctx.Done()
	return gate.Pass{}, ctx.Err()
}

func TestARequestDoesNotHangOnTheDatabase(t *testing.T) {
	w := newWorld()
	text, _ := w.bearer(t, nil)
	g := &gate.Gate{Store: hanging{w}, Now: w.clock}
	if err := enter(t, g, text, "org1"); !errors.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := g.Admit(ctx, gate.Request{Token: text, Need: account.ReadSelf})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a request that was given up: got %v, want canceled", err)
	}
}

// hurried is a store that says how long it was given.
type hurried struct {
	*world
	given time.Duration
}

func (h *hurried) Pass(ctx context.Context, hash [32]byte, where gate.Where) (gate.Pass, error) {
	if end, bounded := ctx.Deadline(); bounded {
		h.given = time.Until(end)
	}
	return h.world.Pass(ctx, hash, where)
}

func TestADatabaseThatDoesNotAnswerIsWaitedForLess(t *testing.T) {
	h := &hurried{world: newWorld()}
	text, _ := h.bearer(t, nil)
	g := &gate.Gate{Store: h, Cache: &gate.Cache{Now: h.clock}, Now: h.clock}
	for _, c := range []struct {
		name string
		do   func()
		most time.Duration
	}{
		{"before anything was read", func() {}, 2 * time.Second},
		{"with the notes read", func() { h.pass(gate.KeptFor); h.follow(t, g) }, 2 * time.Second},
		{"when they are late", func() { h.pass(gate.StaleAfter + 1) }, 500 * time.Millisecond},
		{"once they are read again", func() { h.pass(gate.KeptFor); h.follow(t, g) }, 2 * time.Second},
	} {
		c.do()
		if err := enter(t, g, text, "org1"); err != nil {
			t.Fatalf("%s: got %v", c.name, err)
		}
		if h.given > c.most || h.given < c.most/2 {
			t.Errorf("%s: got the store asked for %s, want up to %s", c.name, h.given, c.most)
		}
		h.given = 0
	}
}
